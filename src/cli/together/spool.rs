//! Output of which nobody knows yet whether it is printed: in memory while it is little, then in a temporary file that has
//! no name.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::core::output::{Count, Stream};

/// So much is kept in memory.
const IN_MEMORY: usize = 4 << 20;

/// Pieces longer than this are kept in parts, so that reading them again needs no more memory.
const LONGEST: usize = 256 << 10;

pub(super) struct Spool {
    file: SpooledTempFile,
    end: u64,
    /// Where the output begins that is written now.
    from: u64,
}

/// An output that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    from: u64,
    to: u64,
}

/// A part of an output.
pub(super) enum Piece<'a> {
    Data(Stream, &'a [u8]),
    Cut(Count),
}

/// How pieces are told apart in the file.
const OUT: u8 = 0;
const ERR: u8 = 1;
const CUT: u8 = 2;

impl Spool {
    pub(super) fn new() -> Self {
        Self {
            file: SpooledTempFile::new(IN_MEMORY),
            end: 0,
            from: 0,
        }
    }

    pub(super) fn data(&mut self, stream: Stream, data: &[u8]) -> io::Result<()> {
        let kind = match stream {
            Stream::Out => OUT,
            Stream::Err => ERR,
        };
        for part in data.chunks(LONGEST) {
            self.add(kind, part)?;
        }
        Ok(())
    }

    pub(super) fn cut(&mut self, dropped: Count) -> io::Result<()> {
        let mut data = [0; 16];
        data[..8].copy_from_slice(&dropped.bytes.to_le_bytes());
        data[8..].copy_from_slice(&dropped.lines.to_le_bytes());
        self.add(CUT, &data)
    }

    /// Keeps what was written since the last one.
    pub(super) fn keep(&mut self) -> Kept {
        let from = std::mem::replace(&mut self.from, self.end);
        Kept { from, to: self.end }
    }

    /// Lets go of it.
    pub(super) fn let_go(&mut self) -> io::Result<()> {
        self.end = self.from;
        self.file
            .set_len(self.end)
            .map_err(|error| cannot_keep(&error))
    }

    /// Hands over an output piece by piece.
    pub(super) fn read(
        &mut self,
        kept: Kept,
        mut take: impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(kept.from))?;
        let mut file = BufReader::new((&mut self.file).take(kept.to - kept.from));
        let mut data = Vec::new();
        let mut head = [0; 5];
        let mut left = kept.to - kept.from;
        while left > 0 {
            file.read_exact(&mut head)?;
            let [kind, length @ ..] = head;
            let length = u32::from_le_bytes(length);
            data.resize(length as usize, 0);
            file.read_exact(&mut data)?;
            left -= head.len() as u64 + u64::from(length);
            take(match kind {
                OUT => Piece::Data(Stream::Out, &data),
                ERR => Piece::Data(Stream::Err, &data),
                _ => {
                    let number = |at: usize| {
                        let bytes = data[at..at + 8].try_into();
                        u64::from_le_bytes(bytes.expect("eight bytes"))
                    };
                    Piece::Cut(Count {
                        bytes: number(0),
                        lines: number(8),
                    })
                }
            })?;
        }
        Ok(())
    }

    fn add(&mut self, kind: u8, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).expect("it is a part");
        let mut head = [kind, 0, 0, 0, 0];
        head[1..].copy_from_slice(&length.to_le_bytes());
        self.file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&head))
            .and_then(|()| self.file.write_all(data))
            .map_err(|error| cannot_keep(&error))?;
        self.end += (head.len() + data.len()) as u64;
        Ok(())
    }
}

fn cannot_keep(error: &io::Error) -> io::Error {
    let directory = std::env::temp_dir();
    let why = format!(
        "it cannot be kept in {} until all is here: {error}; set TMPDIR to a directory with room",
        directory.display()
    );
    // Whatever it is, it is not that nobody reads what is printed.
    io::Error::other(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(spool: &mut Spool, kept: Kept) -> String {
        let mut texts = Vec::new();
        let read = spool.read(kept, |piece| {
            texts.push(match piece {
                Piece::Data(stream, data) => {
                    format!("{}:{}", stream.word(), String::from_utf8_lossy(data))
                }
                Piece::Cut(Count { bytes, lines }) => format!("cut:{bytes},{lines}"),
            });
            Ok(())
        });
        read.expect("it was kept");
        texts.join(" ")
    }

    #[test]
    fn what_is_kept_is_there_and_what_is_let_go_of_takes_no_room() {
        let mut spool = Spool::new();
        let large = "x".repeat(IN_MEMORY);
        spool.data(Stream::Out, b"one").expect("room");
        spool.cut(Count { bytes: 7, lines: 2 }).expect("room");
        spool.data(Stream::Err, b"two").expect("room");
        let first = spool.keep();
        for _ in 0..3 {
            spool.data(Stream::Out, large.as_bytes()).expect("room");
            assert!(spool.file.is_rolled());
            spool.let_go().expect("it shrinks");
        }
        spool.data(Stream::Out, b"three").expect("room");
        let second = spool.keep();
        let none = spool.keep();
        assert_eq!(text(&mut spool, first), "out:one cut:7,2 err:two");
        assert_eq!(text(&mut spool, second), "out:three");
        assert_eq!(text(&mut spool, none), "");
        assert!(spool.end < 100, "{}", spool.end);
        spool
            .data(Stream::Out, b"four")
            .expect("room behind what was read");
        let third = spool.keep();
        assert_eq!(text(&mut spool, third), "out:four");
    }
}

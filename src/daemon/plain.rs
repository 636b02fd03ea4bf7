//! A row of output as it reads on a terminal: what searches look at.
//!
//! Escape sequences are gone, what a carriage return or a backspace goes back over is overwritten.  Colours and cursors
//! are not this module's business: nobody sees its text.

use std::borrow::Cow;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const BACKSPACE: u8 = 0x08;

/// The row without what does not read; as it is, if that is nothing.
pub(super) fn plain(row: &[u8]) -> Cow<'_, [u8]> {
    // A newline often has one before it.
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    if row
        .iter()
        .any(|byte| matches!(*byte, ESC | b'\r' | BACKSPACE))
    {
        Cow::Owned(Line::default().read(row))
    } else {
        Cow::Borrowed(row)
    }
}

/// Characters side by side, by where they stand in the row.
#[derive(Default)]
struct Line {
    cells: Vec<(usize, usize)>,
    at: usize,
}

impl Line {
    fn read(mut self, row: &[u8]) -> Vec<u8> {
        let mut place = 0;
        while let Some(byte) = row.get(place) {
            match *byte {
                ESC => place += self.escape(&row[place..]),
                b'\r' => {
                    self.at = 0;
                    place += 1;
                }
                BACKSPACE => {
                    self.at = self.at.saturating_sub(1);
                    place += 1;
                }
                _ => {
                    let length = character(&row[place..]);
                    self.put((place, place + length));
                    place += length;
                }
            }
        }
        self.cells
            .iter()
            .flat_map(|(from, to)| if from < to { &row[*from..*to] } else { b" " })
            .copied()
            .collect()
    }

    fn put(&mut self, cell: (usize, usize)) {
        match self.cells.get_mut(self.at) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
        self.at += 1;
    }

    /// An escape sequence (ECMA-48): how long it is.  Of all of them only "erase in line" says what the line reads.
    fn escape(&mut self, text: &[u8]) -> usize {
        match text.get(1) {
            Some(b'[') => {
                let end = text[2..]
                    .iter()
                    .position(|byte| (0x40..=0x7e).contains(byte));
                let Some(end) = end.map(|end| end + 2) else {
                    return text.len();
                };
                match &text[2..=end] {
                    b"K" | b"0K" => self.cells.truncate(self.at),
                    b"2K" => {
                        self.cells.clear();
                        self.cells.resize(self.at, (0, 0));
                    }
                    _ => {}
                }
                end + 1
            }
            // Strings end with BEL or with ESC \.
            Some(b']' | b'P' | b'X' | b'^' | b'_') => {
                let mut place = 2;
                while let Some(byte) = text.get(place) {
                    match *byte {
                        BEL => return place + 1,
                        ESC => return (place + 2).min(text.len()),
                        _ => place += 1,
                    }
                }
                place
            }
            // ESC ( B and the like: intermediate bytes and a final one.
            Some(0x20..=0x2f) => {
                let more = text[1..]
                    .iter()
                    .take_while(|byte| (0x20..=0x2f).contains(*byte));
                (more.count() + 2).min(text.len())
            }
            Some(_) => 2,
            None => 1,
        }
    }
}

/// How many bytes the first character takes; one, if it is none.
fn character(text: &[u8]) -> usize {
    let length = match text[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return 1,
    };
    match text.get(..length) {
        Some(bytes) if std::str::from_utf8(bytes).is_ok() => length,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_as_on_a_terminal() {
        let cases: [(&[u8], &[u8]); 16] = [
            (b"plain", b"plain"),
            (b"dos\r", b"dos"),
            (b"\x1b[1;31merror\x1b[0m: no", b"error: no"),
            (b"10%\r20%\r100%", b"100%"),
            (b"a long one\rshort", b"shortg one"),
            (b"a long one\r\x1b[Kshort", b"short"),
            (b"a long one\x1b[2K\rnew", b"new       "),
            (b"b\x08bo\x08ol\x08ld", b"bold"),
            (b"\x08\x08x", b"x"),
            (b"\x1b]0;title\x07text", b"text"),
            (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", b"link"),
            (b"\x1b(Bx\x1b=y\x1bMz", b"xyz"),
            (b"cut \x1b[1;3", b"cut "),
            (b"cut \x1b", b"cut "),
            ("é\ràé".as_bytes(), "àé".as_bytes()),
            (b"\xff\x1b[m\xe2\x82", b"\xff\xe2\x82"),
        ];
        for (raw, want) in cases {
            let read = plain(raw);
            assert_eq!(
                String::from_utf8_lossy(&read),
                String::from_utf8_lossy(want),
                "{raw:?}"
            );
            assert_eq!(&*read, want);
        }
    }
}

//! How outputs differ from what most hosts wrote, as a unified diff for each stream.
//!
//! What is compared is bounded in size and in time, and it is said where that shows.

use std::io;
use std::ops::Range;

use tokio::time::Instant;

use super::gather::Output;
use super::spool::{Piece, Spool};
use crate::cli::sink::Sink;
use crate::core::alike::Reading;
use crate::core::output::Stream;
use crate::view::diff::{Change, Hunk, Lines, MOST, PATIENCE, hunks};
use crate::view::span;

/// So much of each stream is compared.
const COMPARED: usize = 1 << 20;

const REMOVED: &str = "\x1b[31m";
const ADDED: &str = "\x1b[32m";
const PLACE: &str = "\x1b[36m";

/// What most hosts wrote, to be compared with.
pub(super) struct Majority {
    text: Text,
    until: Instant,
}

/// An output, stream by stream.
struct Text {
    hosts: String,
    reading: Reading,
    streams: [Vec<u8>; 2],
    extent: Extent,
}

/// How much of an output is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    All,
    /// More was written.
    Beginning,
    /// Something was cut out of it.
    WithGap,
}

impl Majority {
    pub(super) fn read(
        spool: &mut Spool,
        hosts: &str,
        output: Output,
        reading: Reading,
    ) -> io::Result<Self> {
        Ok(Self {
            text: Text::read(spool, hosts, output, reading)?,
            until: Instant::now() + PATIENCE,
        })
    }

    /// Says that others wrote the same, and only ended otherwise.
    pub(super) fn same(&self, sink: &mut Sink) -> io::Result<()> {
        let words = format!("the same output as {}", self.text.hosts);
        sink.compared("", "", words.as_bytes())
    }

    /// Prints how others differ.
    pub(super) fn compare(
        &self,
        spool: &mut Spool,
        sink: &mut Sink,
        hosts: &str,
        output: Output,
        reading: Reading,
    ) -> io::Result<()> {
        let other = Text::read(spool, hosts, output, reading)?;
        let mut found = Found::Nothing;
        for stream in Stream::BOTH {
            let (theirs, ours) = (self.text.lines(stream), other.lines(stream));
            let hunks = hunks(&theirs, &ours, Some(self.until.into_std()));
            if hunks.is_empty() {
                continue;
            }
            found = Found::Something;
            sink.compared(REMOVED, "--- ", self.text.name(stream).as_bytes())?;
            sink.compared(ADDED, "+++ ", other.name(stream).as_bytes())?;
            for hunk in &hunks {
                print(sink, hunk)?;
            }
            if theirs.len().max(ours.len()) > MOST && hunks.iter().any(replaces) {
                let most = span::count(MOST as u64);
                let words = format!(
                    "(of more than {most} lines, all between the first and the last difference)"
                );
                sink.compared("", "", words.as_bytes())?;
            }
        }
        if found == Found::Nothing {
            let [ours, theirs] = [&other, &self.text].map(|text| text.name(Stream::Out));
            let words = format!("no difference is seen between {ours} and {theirs}");
            sink.compared("", "", words.as_bytes())?;
        }
        if Instant::now() > self.until {
            sink.compared(
                "",
                "",
                b"(there was no time to look for the smallest difference)",
            )?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Something,
}

impl Text {
    fn read(spool: &mut Spool, hosts: &str, output: Output, reading: Reading) -> io::Result<Self> {
        let mut text = Self {
            hosts: hosts.to_string(),
            reading,
            streams: Default::default(),
            extent: Extent::All,
        };
        spool.read(output.kept, |piece| {
            match piece {
                Piece::Data(stream, data) => {
                    let stream = &mut text.streams[stream as usize];
                    let room = COMPARED - stream.len();
                    stream.extend_from_slice(&data[..data.len().min(room)]);
                    if data.len() > room && text.extent == Extent::All {
                        text.extent = Extent::Beginning;
                    }
                }
                Piece::Cut(_) if text.extent == Extent::All => text.extent = Extent::WithGap,
                Piece::Cut(_) => {}
            }
            Ok(())
        })?;
        Ok(text)
    }

    fn lines(&self, stream: Stream) -> Lines<'_> {
        let lines = self.streams[stream as usize].split_inclusive(|byte| *byte == b'\n');
        Lines::of(lines, &self.reading)
    }

    /// `web[01-09] (stderr), the first MiB`.
    fn name(&self, stream: Stream) -> String {
        let mark = match stream {
            Stream::Out => "",
            Stream::Err => " (stderr)",
        };
        let part = match self.extent {
            Extent::All => "",
            Extent::Beginning => ", the first MiB",
            Extent::WithGap => ", without what was cut",
        };
        format!("{}{mark}{part}", self.hosts)
    }
}

/// Whether lines stand in the place of others, of which some may be the same.
fn replaces(hunk: &Hunk<'_>) -> bool {
    let has = |what| hunk.rows.iter().any(|(change, _)| *change == what);
    has(Change::Removed) && has(Change::Added)
}

fn print(sink: &mut Sink, hunk: &Hunk<'_>) -> io::Result<()> {
    let place = format!("-{} +{} @@", place(&hunk.theirs), place(&hunk.ours));
    sink.compared(PLACE, "@@ ", place.as_bytes())?;
    for (change, text) in &hunk.rows {
        let (colour, sign) = match change {
            Change::Same => ("", " "),
            Change::Removed => (REMOVED, "-"),
            Change::Added => (ADDED, "+"),
        };
        let line = text.strip_suffix(b"\n");
        sink.compared(colour, sign, line.unwrap_or(text))?;
        if line.is_none() {
            sink.compared("", "\\ ", b"No newline at end of output")?;
        }
    }
    Ok(())
}

/// Lines as diff writes them: from 1, and without their count if it is one.
fn place(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        many => format!("{},{many}", lines.start + 1),
    }
}

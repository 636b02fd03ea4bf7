//! How output becomes rows.
//!
//! A row ends with a newline, where the stream changes, and when it is as long as a row can be; a cut is a row of its
//! own.  The second row of a line begins [`LONGEST_ROW`] bytes behind the first, every further one where the offset is a
//! multiple of that: so nobody has to look back further than [`LOOK_BACK`] to find where a row begins, and whoever looks
//! finds the same rows.

use std::ops::ControlFlow;

use crate::core::output::{Count, LONGEST_ROW, Position, Stream};
use crate::core::time::Wall;

/// Behind so many bytes without the beginning of a line, rows begin at the multiples of [`LONGEST_ROW`].
pub(super) const LOOK_BACK: u64 = 2 * LONGEST_ROW as u64;

/// A place in a child's output: bytes and newlines of both streams before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spot {
    pub offset: u64,
    pub line: u64,
}

impl From<Position> for Spot {
    fn from(position: Position) -> Self {
        let Count { bytes, lines } = position.total();
        Self {
            offset: bytes,
            line: lines,
        }
    }
}

/// A row, for as long as it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub at: Spot,
    /// Where the next one begins.
    pub end: Spot,
    /// When its first bytes came, as far as that is known.
    pub time: Option<Wall>,
    pub what: RowKind<'a>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind<'a> {
    Text {
        stream: Stream,
        /// Without the newline.
        data: &'a [u8],
        ends: RowEnd,
    },
    Cut(Count),
}

/// How a row of text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEnd {
    Newline,
    Open,
}

/// Cuts output that is handed to it piece by piece.
#[derive(Debug)]
pub(super) struct Cutter {
    /// Where the next byte is.
    at: Spot,
    /// Where the line began; not known if that was before what is looked at.
    line_from: Option<u64>,
    /// The row that is not complete.
    open: Option<Open>,
    /// What of it came in earlier pieces.
    gathered: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    stream: Stream,
    at: Spot,
    time: Option<Wall>,
}

impl Cutter {
    /// A cutter that begins where a line does.
    pub(super) fn at_line(at: Spot) -> Self {
        Self {
            at,
            line_from: Some(at.offset),
            open: None,
            gathered: Vec::new(),
        }
    }

    /// A cutter that begins somewhere.  Its rows are right behind the first beginning of a line it comes to, and behind
    /// [`LOOK_BACK`] bytes without one.
    pub(super) fn amidst(at: Spot) -> Self {
        Self {
            line_from: None,
            ..Self::at_line(at)
        }
    }

    pub(super) fn at(&self) -> Spot {
        self.at
    }

    /// The next piece.
    pub(super) fn text(
        &mut self,
        stream: Stream,
        mut data: &[u8],
        time: Option<Wall>,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.open.is_some_and(|open| open.stream != stream) {
            self.finish(visit)?;
        }
        while !data.is_empty() {
            let open = *self.open.get_or_insert(Open {
                stream,
                at: self.at,
                time,
            });
            let room = (self.limit() - self.at.offset).min(data.len() as u64) as usize;
            let newline = data[..room].iter().position(|byte| *byte == b'\n');
            let (body, rest) = match newline {
                Some(place) => (&data[..place], &data[place + 1..]),
                None => data.split_at(room),
            };
            let length = body.len() as u64 + u64::from(newline.is_some());
            let full = newline.is_none() && self.at.offset + length == self.limit();
            self.at.offset += length;
            self.at.line += u64::from(newline.is_some());
            data = rest;
            let ends = match newline {
                Some(_) => {
                    self.line_from = Some(self.at.offset);
                    RowEnd::Newline
                }
                None if full => RowEnd::Open,
                None => {
                    self.gathered.extend_from_slice(body);
                    break;
                }
            };
            self.open = None;
            if self.gathered.is_empty() {
                self.visit(open, body, ends, visit)?;
            } else {
                self.gathered.extend_from_slice(body);
                self.visit_gathered(open, ends, visit)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Nothing is left up to `to`.
    pub(super) fn cut(
        &mut self,
        to: Spot,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.finish(visit)?;
        let at = std::mem::replace(&mut self.at, to);
        self.line_from = Some(to.offset);
        visit(Row {
            at,
            end: to,
            time: None,
            what: RowKind::Cut(Count {
                bytes: to.offset.saturating_sub(at.offset),
                lines: to.line.saturating_sub(at.line),
            }),
        })
    }

    /// The row that is not complete ends here: so does the output, or the other stream comes in between.
    pub(super) fn finish(
        &mut self,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(open) = self.open.take() else {
            return ControlFlow::Continue(());
        };
        self.line_from = Some(self.at.offset);
        self.visit_gathered(open, RowEnd::Open, visit)
    }

    /// Where a row ends at the latest.
    fn limit(&self) -> u64 {
        const LONGEST: u64 = LONGEST_ROW as u64;
        let at = self.at.offset;
        match self.line_from {
            Some(from) if at < from + LONGEST => from + LONGEST,
            Some(_) | None => (at / LONGEST + 1) * LONGEST,
        }
    }

    fn visit_gathered(
        &mut self,
        open: Open,
        ends: RowEnd,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let flow = self.visit(open, &gathered, ends, visit);
        gathered.clear();
        self.gathered = gathered;
        flow
    }

    fn visit(
        &self,
        open: Open,
        data: &[u8],
        ends: RowEnd,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        visit(Row {
            at: open.at,
            end: self.at,
            time: open.time,
            what: RowKind::Text {
                stream: open.stream,
                data,
                ends,
            },
        })
    }
}

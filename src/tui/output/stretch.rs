//! The rows of one child that are in memory: a stretch without holes around what is looked at.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::ops::Range;

use super::document::Sign;
use super::pattern::Pattern;
use crate::view::ansi::{self, Line, Pen};
use crate::wire::look::{Point, Row, RowEnd, RowKind};

/// What a row costs beside its text.
const ROW_COST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Stretch {
    rows: VecDeque<Cached>,
    /// Where the rows end.
    to: Point,
    /// Where the output ended when rows were last taken in: only a row that ended there can grow.
    ended: u64,
    /// Whether nothing comes before the first row.
    begins: bool,
    cost: usize,
}

/// A row in memory, and what was made of it when it was first looked at.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) row: Row,
    pub(super) sign: Sign,
    /// What the row is written with.
    pen: Pen,
    /// What had not come to the end of a line before it.
    before: Unfinished,
    line: OnceCell<Line>,
    /// Where a pattern matches, in cells.
    found: OnceCell<Vec<Range<usize>>>,
}

/// The streams that have begun a line and not ended it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Unfinished([bool; 2]);

impl Unfinished {
    fn after(mut self, row: &Row) -> Self {
        match &row.what {
            RowKind::Text { stream, ends, .. } => {
                self.0[*stream as usize] = *ends == RowEnd::Open;
                self
            }
            // Who knows what went on with it.
            RowKind::Cut(_) => Self::default(),
        }
    }
}

impl Stretch {
    /// All of something.
    pub(super) fn whole(rows: impl Iterator<Item = Cached>, to: Point) -> Self {
        let mut stretch = Self {
            rows: rows.collect(),
            to,
            ended: to.offset,
            begins: true,
            cost: 0,
        };
        stretch.write_from(0);
        stretch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &Cached> {
        self.rows.iter()
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn to(&self) -> Point {
        self.to
    }

    /// The offset of the first row.
    pub(super) fn from(&self) -> u64 {
        self.rows
            .front()
            .map_or(self.to.offset, |first| first.row.at.offset)
    }

    pub(super) fn begins(&self) -> bool {
        self.begins || (self.from() == 0 && !self.is_empty())
    }

    pub(super) fn say_it_begins(&mut self) {
        self.begins = true;
    }

    /// Whether the rows around this offset are here; the end counts.
    pub(super) fn covers(&self, offset: u64) -> bool {
        !self.is_empty() && offset <= self.to.offset && (offset >= self.from() || self.begins())
    }

    /// The row that begins at this offset, or else the one it is in.
    pub(super) fn at(&self, offset: u64) -> Option<(usize, &Cached)> {
        if !self.covers(offset) || offset >= self.to.offset {
            return None;
        }
        let behind = self.behind(offset + 1);
        let index = behind.saturating_sub(1);
        self.rows.get(index).map(|row| (index, row))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Cached> {
        self.rows.get(index)
    }

    /// The index of the first row that does not begin before this offset.
    pub(super) fn behind(&self, offset: u64) -> usize {
        self.rows.partition_point(|row| row.row.at.offset < offset)
    }

    /// From where on to ask for more: an open row at the end may have grown.
    pub(super) fn resume(&self) -> u64 {
        match self.rows.back() {
            Some(last) if last.is_open() && self.to.offset >= self.ended => last.row.at.offset,
            Some(_) | None => self.to.offset,
        }
    }

    /// Takes rows in, of output that ends at `end`; what is not next to them is forgotten.
    pub(super) fn take(&mut self, rows: Vec<Row>, to: Point, end: Point) {
        let from = rows.first().map_or(to.offset, |first| first.at.offset);
        if from > self.to.offset || to.offset < self.from() {
            *self = Self::default();
        }
        let before = self.behind(from);
        let behind = self.behind(to.offset.max(from));
        let rest = self.rows.split_off(behind);
        self.rows.truncate(before);
        self.rows.extend(rows.into_iter().map(Cached::new));
        if rest.front().is_some_and(|next| next.row.at == to) {
            self.rows.extend(rest);
        } else {
            self.to = to;
        }
        self.ended = end.offset;
        self.write_from(before);
    }

    /// Forgets rows that begin before the one and from the other offset on.
    pub(super) fn keep(&mut self, from: u64, before: u64) {
        let first = self.behind(from);
        let behind = self.behind(before).max(first);
        if behind < self.rows.len() {
            self.to = self.rows[behind].row.at;
            self.rows.truncate(behind);
        }
        if first > 0 {
            self.begins = false;
            self.rows.drain(..first);
        }
        self.cost = self.rows.iter().map(Cached::cost).sum();
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The pattern is another one now.
    pub(super) fn forget_found(&mut self) {
        for row in &mut self.rows {
            row.found.take();
        }
    }

    /// Works out anew what rows are written with.
    fn write_from(&mut self, index: usize) {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.rows.get(before));
        let (mut pen, mut unfinished) = match before {
            Some(row) => (row.pen_after(), row.before.after(&row.row)),
            None => (Pen::default(), Unfinished::default()),
        };
        for row in self.rows.range_mut(index..) {
            if row.pen != pen {
                row.pen = pen;
                row.line.take();
            }
            pen = row.pen_after();
            row.before = unfinished;
            unfinished = unfinished.after(&row.row);
        }
        self.cost = self.rows.iter().map(Cached::cost).sum();
    }
}

impl Cached {
    pub(super) fn new(row: Row) -> Self {
        Self::signed(row, Sign::Plain)
    }

    pub(super) fn signed(row: Row, sign: Sign) -> Self {
        Self {
            row,
            sign,
            pen: Pen::default(),
            before: Unfinished::default(),
            line: OnceCell::new(),
            found: OnceCell::new(),
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        match &self.row.what {
            RowKind::Text { data, .. } => data,
            RowKind::Cut(_) => &[],
        }
    }

    /// Whether it has no newline: it may go on.
    pub(super) fn is_open(&self) -> bool {
        match &self.row.what {
            RowKind::Text { ends, .. } => *ends == RowEnd::Open,
            RowKind::Cut(_) => false,
        }
    }

    /// Whether it goes on a line that an earlier row of its stream began, right before it or before the other stream came
    /// in between.
    pub(super) fn goes_on(&self) -> bool {
        match &self.row.what {
            RowKind::Text { stream, .. } => self.before.0[*stream as usize],
            RowKind::Cut(_) => false,
        }
    }

    pub(super) fn cost(&self) -> usize {
        self.data().len() + ROW_COST
    }

    /// As it is seen.
    pub(super) fn line(&self) -> &Line {
        self.line.get_or_init(|| Line::of(self.data(), self.pen).0)
    }

    /// Where the pattern matches, in cells.
    pub(super) fn found(&self, pattern: &Pattern) -> &[Range<usize>] {
        self.found.get_or_init(|| pattern.cells(self.data()))
    }

    fn pen_after(&self) -> Pen {
        ansi::pen_after(self.data(), self.pen)
    }
}

//! One child of a document: what is known and what is here of it.

use super::document::{Child, TextRow};
use super::stretch::{Cached, Stretch};
use crate::core::output::{Count, Stream};
use crate::wire::look::{Point, Row, RowEnd, RowKind};

/// One child.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) child: Child,
    pub(super) stretch: Stretch,
    /// What was cut out of it.
    pub(super) dropped: Count,
    pub(super) rules: Vec<Rule>,
    /// Shown only so far: what came behind would move what is on the screen.
    pub(super) held: Option<u64>,
    pub(super) bytes: Binary,
    pub(super) reading: Reading,
}

/// A line drawn under what was there at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) offset: u64,
    /// Milliseconds since the epoch.
    pub(super) at: i64,
}

/// Whether a child's output looks like text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Unknown,
    No,
    /// It does not, and is not drawn.
    Hidden,
    /// It does not, and is drawn all the same.
    Shown,
}

/// Whether a child's output can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Possible,
    /// It was not answered, or refused; the operator was told why.
    Failed,
}

impl Part {
    pub(super) fn new(child: Child) -> Self {
        Self {
            child: child.harmless(),
            stretch: Stretch::default(),
            dropped: Count::default(),
            rules: Vec::new(),
            held: None,
            bytes: Binary::Unknown,
            reading: Reading::Possible,
        }
    }

    pub(super) fn text(rows: Vec<TextRow>) -> Self {
        let mut end = Point::default();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|TextRow { sign, data }| {
                let at = end;
                end.offset += data.len() as u64 + 1;
                end.line += 1;
                let row = Row {
                    child: 0,
                    at,
                    time: None,
                    what: RowKind::Text {
                        stream: Stream::Out,
                        data,
                        ends: RowEnd::Newline,
                    },
                };
                Cached::signed(row, sign)
            })
            .collect();
        let child = Child {
            id: 0,
            host: String::new(),
            began: None,
            end,
            ending: None,
        };
        Self {
            stretch: Stretch::whole(rows.into_iter(), end),
            bytes: Binary::No,
            ..Self::new(child)
        }
    }

    /// How many rules there are up to this offset.
    pub(super) fn rules_to(&self, offset: u64) -> usize {
        self.rules.partition_point(|rule| rule.offset <= offset)
    }
}

impl Binary {
    /// Text holds no zero bytes.
    pub(super) fn of(rows: &[Row]) -> Self {
        let zero = |row: &Row| match &row.what {
            RowKind::Text { data, .. } => data.contains(&0),
            RowKind::Cut(_) => false,
        };
        if rows.iter().take(20).any(zero) {
            Self::Hidden
        } else {
            Self::No
        }
    }
}

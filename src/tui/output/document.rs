//! What is shown: one child's output, that of several one after another, or a text of our own.

use bytes::Bytes;

use crate::view::text::harmless;
use crate::wire::look::Point;

/// What an output view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// What one child wrote.
    Child(Child),
    /// What several children wrote, host by host, in this order.
    Children(Vec<Child>),
    /// Something that is here already: help, a difference, what a command said.
    Text { title: String, rows: Vec<TextRow> },
}

/// A child, as far as its output is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub id: u64,
    pub host: String,
    /// When its command began, in milliseconds since the epoch.
    pub began: Option<i64>,
    /// Where its output ends, as far as that is known.
    pub end: Point,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `exit 0`, or the reason.
    pub what: String,
    /// Milliseconds since the epoch.
    pub at: Option<i64>,
}

/// A row of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    pub sign: Sign,
    pub data: Bytes,
}

/// What a row of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Plain,
    /// Only in what is shown, not in what it is compared with.
    Added,
    /// Only in what it is compared with.
    Removed,
    /// About the text, not of it.
    Note,
}

impl Sign {
    /// What stands before such a row where it is written down.
    pub(super) fn before(self) -> &'static [u8] {
        match self {
            Self::Plain | Self::Note => b"",
            Self::Added => b"+",
            Self::Removed => b"-",
        }
    }
}

impl Document {
    /// A text line by line.
    pub fn text(title: impl Into<String>, text: &[u8]) -> Self {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let rows = text.split(|byte| *byte == b'\n').map(|line| TextRow {
            sign: Sign::Plain,
            data: Bytes::copy_from_slice(line),
        });
        Self::Text {
            title: title.into(),
            rows: rows.collect(),
        }
    }
}

impl Child {
    /// With nothing in its names that could deceive.
    pub(super) fn harmless(mut self) -> Self {
        self.host = harmless(self.host.as_bytes());
        self.ending = self.ending.map(Ending::harmless);
        self
    }
}

impl Ending {
    pub(super) fn harmless(mut self) -> Self {
        self.what = harmless(self.what.as_bytes());
        self
    }
}

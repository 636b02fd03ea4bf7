//! What the view cannot do by itself: whoever does input and output does it.

use std::path::PathBuf;

/// More text than this does not go to a clipboard through a terminal (what terminals take in one OSC 52).
pub const CLIPBOARD_MOST: usize = 74 << 10;

/// Something to be done for the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputAction {
    /// Put this where it can be pasted from.
    Copy {
        text: String,
        lines: usize,
        to: CopyTo,
    },
    /// Do something with all that these children wrote, which is more than is here.
    Whole { children: Vec<u64>, what: Whole },
    /// Do something with this text.
    Text { text: Vec<u8>, what: Whole },
    /// Ask what to search for, then call [`super::OutputView::search`].
    AskSearch,
    /// Ask which rows to show, as `matching TEXT`.
    AskMatching,
    /// Tell the operator.
    Say(String),
}

/// Where copied text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyTo {
    Clipboard,
    /// It is more than [`CLIPBOARD_MOST`]: into a file, and say which.
    File,
}

/// What is done with a whole output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    Copy,
    /// Into this file, or one with a fitting name.
    Save(Option<PathBuf>),
    Pager,
    /// Through this command line.
    Pipe(Vec<String>),
}

impl OutputAction {
    pub(super) fn copy(text: String, lines: usize) -> Self {
        let to = if text.len() > CLIPBOARD_MOST {
            CopyTo::File
        } else {
            CopyTo::Clipboard
        };
        Self::Copy { text, lines, to }
    }
}

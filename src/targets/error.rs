//! What can be wrong with a target expression, and where.

use std::fmt;
use std::ops::Range;

use super::hostname::InvalidName;

/// Something is wrong at one place of a target expression.
///
/// `Display` is one sentence; [`TargetError::with_caret`] adds the text with the place marked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError {
    /// Where the text came from when it was not given directly: `hosts.txt:12`, `group web`.
    pub origin: Option<String>,
    /// The expression (of a file: the line).
    pub text: String,
    /// The bytes of `text` that are wrong; always on character boundaries.
    pub at: Range<usize>,
    pub kind: ErrorKind,
    /// What to do next, where that can be told.
    pub hint: Option<String>,
}

/// The kinds of [`TargetError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// An operator with nothing on one side.
    MissingOperand {
        operator: char,
    },
    /// `^` without a file name after it.
    MissingFileName,
    UnclosedBracket,
    /// A `]` that no `[` opened, or a `[` inside a bracket.
    StrayBracket {
        bracket: char,
    },
    /// Two brackets with nothing but digits between them: one number cannot have two ranges.
    AdjacentBrackets,
    EmptyRange,
    NotANumber {
        text: String,
    },
    /// `[-3]`: `-` is part of the name, not a sign.
    NegativeRange,
    /// `[1-010]`: one side is zero-padded and the other is not as long.
    PaddingMismatch,
    /// `[5-1]`.
    ReversedRange,
    /// `[1-9/0]`.
    ZeroStep,
    /// `[5/2]`.
    StepWithoutRange,
    TooManyDigits,
    /// Refused before anything was expanded. The count saturates.
    TooManyHosts {
        count: u64,
        limit: usize,
    },
    InvalidName(InvalidName),
    /// A group without a name, or a character no group name has.
    InvalidGroup,
    UnknownGroup {
        name: String,
    },
    UnknownSource {
        name: String,
    },
    /// `^FILE` or `-` inside a file or an inventory.
    NestedSource,
    /// A file or standard input could not be read: which, and why not.
    Unreadable {
        what_and_why: String,
    },
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingOperand { operator } => {
                write!(f, "the operator {operator:?} needs hosts on both sides")
            }
            Self::MissingFileName => f.write_str("a file name must follow \"^\""),
            Self::UnclosedBracket => f.write_str("the bracket \"[\" is never closed"),
            Self::StrayBracket { bracket } => {
                write!(f, "the bracket {bracket:?} has no place here")
            }
            Self::AdjacentBrackets => f.write_str("two ranges cannot be parts of one number"),
            Self::EmptyRange => f.write_str("the range is empty"),
            Self::NotANumber { text } => write!(f, "{text:?} is not a number"),
            Self::NegativeRange => f.write_str("a number in a range cannot be negative"),
            Self::PaddingMismatch => {
                f.write_str("both ends of a zero-padded range need the same number of digits")
            }
            Self::ReversedRange => f.write_str("the range ends before it begins"),
            Self::ZeroStep => f.write_str("the step of a range is at least 1"),
            Self::StepWithoutRange => f.write_str("a step needs a range, as in 1-9/2"),
            Self::TooManyDigits => f.write_str("a number in a range has at most 18 digits"),
            Self::TooManyHosts { count, limit } => {
                write!(f, "this names {count} hosts, and the limit is {limit}")
            }
            Self::InvalidName(why) => why.fmt(f),
            Self::InvalidGroup => f.write_str("this is not a group name"),
            Self::UnknownGroup { name } => write!(f, "there is no group {name:?}"),
            Self::UnknownSource { name } => write!(f, "there is no group source {name:?}"),
            Self::NestedSource => f.write_str("files and standard input cannot be named here"),
            Self::Unreadable { what_and_why } => write!(f, "cannot read {what_and_why}"),
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{}: ", origin.escape_debug())?;
        }
        write!(f, "{}", self.kind)?;
        // The whole text, where it is short enough to be read in a sentence.
        if !self.text.is_empty() && self.text.len() <= 60 {
            write!(f, ", in {:?}", self.text)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TargetError {}

/// How many characters of a long text are shown around the place.
const CARET_WINDOW: usize = 72;

impl TargetError {
    /// The sentence, then the text, then a line that marks the place:
    ///
    /// ```text
    /// the range ends before it begins, in "web[9-1]"
    ///   web[9-1]
    ///       ^^^
    /// ```
    /// Control characters of the text are shown as `?`. A long text is cut to what is around the place.
    pub fn with_caret(&self) -> String {
        let before = self.text[..self.at.start].chars().count();
        let marked = self.text[self.at.clone()].chars().count().max(1);
        let skipped = if before + marked > CARET_WINDOW {
            before.saturating_sub(CARET_WINDOW / 2)
        } else {
            0
        };
        let shown: String = self
            .text
            .chars()
            .skip(skipped)
            .take(CARET_WINDOW)
            .map(|c| if c.is_control() { '?' } else { c })
            .collect();
        let lead = if skipped > 0 { "..." } else { "" };
        let indent = " ".repeat(lead.len() + before - skipped);
        let carets = "^".repeat(marked.min(CARET_WINDOW - (before - skipped)));
        format!("{self}\n  {lead}{shown}\n  {indent}{carets}")
    }
}

//! What is searched for: a regular expression if it is one, else the text as it stands; capitals matter if there are any.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::view::ansi::{cells_of, plain};
use crate::wire::look::Case;

/// More places than this in one row are not marked.
const MOST_IN_ROW: usize = 1000;
/// What a compiled pattern may take, in bytes.
const MOST_COMPILED: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// What was typed.
    pub(super) typed: String,
    /// What that means as a regular expression.
    pub(super) expression: String,
    pub(super) case: Case,
    regex: Regex,
}

impl Pattern {
    /// `None` for nothing, and for what is too much.
    pub(super) fn new(typed: &str) -> Option<Self> {
        if typed.is_empty() {
            return None;
        }
        let case = if has_capitals(typed) {
            Case::Matters
        } else {
            Case::Ignored
        };
        let build = |expression: String| {
            let regex = RegexBuilder::new(&expression)
                .case_insensitive(case == Case::Ignored)
                .size_limit(MOST_COMPILED)
                .build()
                .ok()?;
            Some((expression, regex))
        };
        let (expression, regex) =
            build(typed.to_string()).or_else(|| build(regex::escape(typed)))?;
        Some(Self {
            typed: typed.to_string(),
            expression,
            case,
            regex,
        })
    }

    pub(super) fn matches(&self, row: &[u8]) -> bool {
        self.regex.is_match(&plain(row))
    }

    /// Where it matches in a row, in cells.
    pub(super) fn cells(&self, row: &[u8]) -> Vec<Range<usize>> {
        let text = plain(row);
        let found = self.regex.find_iter(&text).map(|found| found.range());
        let found = found.filter(|range| !range.is_empty()).take(MOST_IN_ROW);
        cells_of(&text, found)
    }
}

/// Whether there is a capital that stands for itself: not `\S` and the like.
fn has_capitals(typed: &str) -> bool {
    let mut escaped = false;
    typed.chars().any(|c| {
        let capital = c.is_uppercase() && !escaped;
        escaped = c == '\\' && !escaped;
        capital
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_was_typed() {
        let cases = [
            ("lock", "dpkg LOCK", true),
            ("Lock", "dpkg LOCK", false),
            (r"\Slock", "dpkgLOCK", true),
            ("lo+ck", "loooock", true),
            // No regular expressions: the text as it stands.
            ("a[b", "xa[by", true),
            ("f(x", "F(X)", true),
            ("*.log", "rm *.log", true),
            ("^b", "ab", false),
        ];
        for (typed, row, matches) in cases {
            let pattern = Pattern::new(typed).expect("a pattern");
            assert_eq!(pattern.matches(row.as_bytes()), matches, "{typed} in {row}");
        }
        assert!(Pattern::new("").is_none());
    }

    #[test]
    fn text_is_found_as_it_reads() {
        let pattern = Pattern::new("error").expect("a pattern");
        let found = pattern.cells(b"\t\x1b[31mer\x1b[1mror\x1b[0m, no error");
        assert_eq!(found, [8..13, 18..23]);
        let nothing = Pattern::new("x*").expect("a pattern");
        assert!(nothing.cells(b"abc").is_empty());
    }
}

//! What a list is narrowed to.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::results::filter::fault;

/// Bytes a compiled expression may take.
const LARGEST: usize = 1 << 20;

/// What of a list is shown at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scope {
    #[default]
    Everything,
    Problems,
}

impl Scope {
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Everything => Self::Problems,
            Self::Problems => Self::Everything,
        }
    }
}

/// Which rows are shown: those with a text, those without it (`!text`), those that match (`/regex/`).
#[derive(Clone, Debug, Default)]
pub enum Filter {
    #[default]
    All,
    With(Pattern),
    Without(Pattern),
}

/// See [`Filter`].
#[derive(Clone, Debug)]
pub enum Pattern {
    /// In lower case, and looked for in whatever case.
    Text(String),
    Regex(Regex),
}

impl Filter {
    /// Reads what was typed.  Nothing typed shows everything.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let (negated, rest) = match typed.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, typed),
        };
        if rest.is_empty() {
            return Ok(Self::All);
        }
        let between = rest
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let pattern = match between {
            Some(regex) if !regex.is_empty() => Pattern::Regex(
                RegexBuilder::new(regex)
                    .case_insensitive(!regex.contains(char::is_uppercase))
                    .size_limit(LARGEST)
                    .build()
                    .map_err(|error| fault(&error))?,
            ),
            _ => Pattern::Text(rest.to_lowercase()),
        };
        Ok(if negated {
            Self::Without(pattern)
        } else {
            Self::With(pattern)
        })
    }

    pub fn is_set(&self) -> bool {
        match self {
            Self::All => false,
            Self::With(_) | Self::Without(_) => true,
        }
    }

    /// Whether a row with these texts is shown.
    pub fn shows<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let mut texts = texts.into_iter();
        match self {
            Self::All => true,
            Self::With(pattern) => texts.any(|text| pattern.is_in(text)),
            Self::Without(pattern) => !texts.any(|text| pattern.is_in(text)),
        }
    }
}

impl Pattern {
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) if text.is_ascii() => {
                let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
                text.len() >= wanted.len()
                    && text
                        .windows(wanted.len())
                        .any(|part| part.eq_ignore_ascii_case(wanted))
            }
            Self::Text(wanted) => text.to_lowercase().contains(wanted),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (not, pattern) = match self {
            Self::All => return Ok(()),
            Self::With(pattern) => ("", pattern),
            Self::Without(pattern) => ("!", pattern),
        };
        match pattern {
            Pattern::Text(text) => write!(f, "{not}{text}"),
            Pattern::Regex(regex) => write!(f, "{not}/{regex}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shown_by_text_its_absence_and_expressions() {
        let row = ["web03", "Failed", "Größe"];
        let cases = [
            ("", true),
            ("WEB", true),
            ("größe", true),
            ("!web", false),
            ("!db", true),
            ("/^web0[1-3]$/", true),
            ("!/^web/", false),
            ("/^WEB/", false),
            ("!", true),
        ];
        for (typed, shown) in cases {
            let filter = Filter::parse(typed).expect("a filter");
            assert_eq!(filter.shows(row), shown, "{typed:?}");
        }
        assert!(Filter::parse("/(/").is_err());
        assert_eq!(Filter::parse(" !/a+/ ").expect("one").to_string(), "!/a+/");
    }
}

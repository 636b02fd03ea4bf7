//! Where in config.toml something stands, where it belongs, and what was probably meant.

use std::ops::Range;

use super::DEFAULT;
use crate::targets::nearest;

/// The text that documents every setting, with those that have no default set to what is written there.
pub(super) fn documented() -> String {
    let lines = DEFAULT.lines();
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .collect();
    lines.join("\n")
}

/// The line of a place in a text, counted from 1.
pub(super) fn line(text: &str, at: &Range<usize>) -> usize {
    text[..at.start.min(text.len())].matches('\n').count() + 1
}

/// The error with its line, and where the key belongs or which was probably meant.
pub(super) fn explain(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    let hint = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
        .map_or_else(String::new, |(key, _)| place_of(key));
    match error.span() {
        Some(span) => format!("line {}: {message}{hint}", line(text, &span)),
        None => format!("{message}{hint}"),
    }
}

/// What to say of a key that is not known where it stands.
fn place_of(key: &str) -> String {
    let known: toml::Table = documented().parse().expect("the documentation is tested");
    let tables = || {
        let tables = known.iter();
        tables.filter_map(|(name, value)| Some((name, value.as_table()?)))
    };
    if let Some((table, _)) = tables().find(|(_, keys)| keys.contains_key(key)) {
        format!("; {key} belongs in [{table}]")
    } else if known.contains_key(key) {
        format!("; {key} belongs at the top of the file")
    } else {
        let keys = tables().flat_map(|(_, keys)| keys.keys());
        nearest(key, known.keys().chain(keys).map(String::as_str))
            .map_or_else(String::new, |key| format!("; did you mean {key}?"))
    }
}

/// Which of the known words was meant, or all of them.
pub(super) fn meant(word: &str, known: &[&str]) -> String {
    nearest(&word.to_lowercase(), known.iter().copied()).map_or_else(
        || format!("write one of {}", known.join(", ")),
        |near| format!("did you mean {near}?"),
    )
}

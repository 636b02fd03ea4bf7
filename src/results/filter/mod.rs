//! Which rows are wanted: `used_pct > 80 and mount ~ '^/var' and not (fs = tmpfs)`.
//!
//! Literals are read as the kind of the column they are compared with, so that `> 10GB` and `< 2d` mean what they say.

mod parse;
mod words;

use std::fmt;

use regex::Regex;

use super::shape::Column;
use super::value::Value;

/// A condition on rows.
#[derive(Debug)]
pub struct Filter(Node);

#[derive(Debug)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare {
        column: usize,
        how: Comparison,
        with: Value,
    },
    Matches {
        column: usize,
        pattern: Regex,
    },
    In {
        column: usize,
        values: Vec<Value>,
    },
    /// The field is there, and neither false nor zero.
    Truth(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What is wrong with a condition, and at which of its characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Counted from 0.
    pub at: usize,
    pub what: String,
    text: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pad = " ".repeat(self.at);
        write!(f, "{}\n  {}\n  {pad}^", self.what, self.text)
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads a condition on rows with these columns.
    pub fn parse(text: &str, columns: &[Column]) -> Result<Self, FilterError> {
        let node = parse::parse(text, columns).map_err(|wrong| FilterError {
            at: wrong.at,
            what: wrong.what,
            // On one line, so that the mark stands below its place.
            text: text.replace(char::is_control, " "),
        })?;
        Ok(Self(node))
    }

    /// Whether a row is wanted.
    pub fn takes(&self, row: &[Value]) -> bool {
        self.0.holds(row)
    }
}

impl Node {
    fn holds(&self, row: &[Value]) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(row)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(row)),
            Self::Not(node) => !node.holds(row),
            Self::In { column, values } => values.contains(&row[*column]),
            Self::Truth(column) => match &row[*column] {
                Value::Empty | Value::Bool(false) | Value::Integer(0) | Value::Bytes(0) => false,
                Value::Float(number) | Value::Duration(number) => *number != 0.0,
                Value::Text(text) | Value::Version(text) => !text.is_empty(),
                Value::Bool(true) | Value::Integer(_) | Value::Bytes(_) | Value::Timestamp(_) => {
                    true
                }
            },
            Self::Matches { column, pattern } => match &row[*column] {
                Value::Text(text) | Value::Version(text) => pattern.is_match(text),
                other => pattern.is_match(&other.to_string()),
            },
            Self::Compare { column, how, with } => compare(&row[*column], *how, with),
        }
    }
}

/// What is empty, or not of its column's kind, is neither more nor less than anything.
fn compare(field: &Value, how: Comparison, with: &Value) -> bool {
    let text = |value: &Value| matches!(value, Value::Text(_));
    let comparable = *field != Value::Empty && text(field) == text(with);
    let order = field.cmp(with);
    match how {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => comparable && order.is_lt(),
        Comparison::AtMost => comparable && order.is_le(),
        Comparison::More => comparable && order.is_gt(),
        Comparison::AtLeast => comparable && order.is_ge(),
    }
}

/// What is wrong with a regular expression: the last line of what the library draws.
pub fn fault(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_string()
}

#[cfg(test)]
mod tests;

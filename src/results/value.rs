//! What a field of a row is: its kind, its value, how values are ordered, and how they are written exactly.
//!
//! How they are read from text is [`read`]'s; how they look to people is `view`'s.

pub mod read;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What the fields of a column are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Text,
    Integer,
    Float,
    Bool,
    /// A size.
    Bytes,
    /// A length of time.
    Duration,
    /// A moment.
    Timestamp,
    /// What is compared number by number: `1.9` is before `1.10`.
    Version,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Integer,
        Self::Float,
        Self::Bool,
        Self::Bytes,
        Self::Duration,
        Self::Timestamp,
        Self::Version,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::Version => "version",
        }
    }

    /// Whether its values are set at the right of a column.
    pub fn is_number(self) -> bool {
        match self {
            Self::Integer | Self::Float | Self::Bytes | Self::Duration => true,
            Self::Text | Self::Bool | Self::Timestamp | Self::Version => false,
        }
    }
}

/// One field.  What is not of its column's kind is there as text.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Empty,
    Text(Arc<str>),
    Integer(i64),
    /// Never NaN, never infinite.
    Float(f64),
    Bool(bool),
    Bytes(u64),
    /// In seconds.
    Duration(f64),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    Version(Arc<str>),
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// What it comes to as a number; none for text.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) | Self::Duration(number) => Some(*number),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Bytes(bytes) => Some(*bytes as f64),
            Self::Timestamp(at) => Some(*at as f64),
            Self::Empty | Self::Text(_) | Self::Version(_) => None,
        }
    }

    /// Empty first, then numbers, then text, then versions.
    fn rank(&self) -> u8 {
        match self {
            Self::Empty => 0,
            Self::Text(_) => 2,
            Self::Version(_) => 3,
            Self::Integer(_)
            | Self::Float(_)
            | Self::Bool(_)
            | Self::Bytes(_)
            | Self::Duration(_)
            | Self::Timestamp(_) => 1,
        }
    }

    /// As it is written where programs read it: sizes in bytes, times in seconds, moments in RFC 3339.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Text(text) | Self::Version(text) => text.as_ref().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) | Self::Duration(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
            Self::Bytes(bytes) => (*bytes).into(),
            Self::Timestamp(_) => self.to_string().into(),
        }
    }
}

/// Exactly, as for programs; nothing for what is empty.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) | Self::Version(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) | Self::Duration(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Timestamp(at) => match jiff::Timestamp::from_millisecond(*at) {
                Ok(at) => at.fmt(f),
                Err(_) => at.fmt(f),
            },
        }
    }
}

/// A total order.  Numbers compare as what they come to, text letter by letter, versions number by number.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => {
                a.cmp(b)
            }
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Version(a), Self::Version(b)) => versions(a, b),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

/// Equal values hash alike: numbers as what they come to, versions by nothing but that they are text.
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Empty => 0_u8.hash(state),
            Self::Text(text) => text.hash(state),
            // `1.0` and `1.00` are the same version.
            Self::Version(text) => number_of_runs(text).hash(state),
            Self::Integer(_)
            | Self::Float(_)
            | Self::Bool(_)
            | Self::Bytes(_)
            | Self::Duration(_)
            | Self::Timestamp(_) => self.number().map(f64::to_bits).hash(state),
        }
    }
}

fn number_of_runs(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).count()
}

/// As Debian compares them, which suits others: runs of digits as numbers, `~` before everything, letters before other
/// characters (deb-version(7)).
fn versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let words = word(&mut a).iter().map(|byte| weight(*byte));
        let mut others = word(&mut b).iter().map(|byte| weight(*byte));
        for weight in words {
            match weight.cmp(&others.next().unwrap_or(0)) {
                Ordering::Equal => {}
                order => return order,
            }
        }
        if let Some(more) = others.next() {
            return 0.cmp(&more);
        }
        let (one, other) = (digits(&mut a), digits(&mut b));
        match one.len().cmp(&other.len()).then_with(|| one.cmp(other)) {
            Ordering::Equal if a.is_empty() && b.is_empty() => return Ordering::Equal,
            Ordering::Equal => {}
            order => return order,
        }
    }
}

/// The bytes before the next digit, taken off.
fn word<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(u8::is_ascii_digit);
    let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    word
}

/// The digits before the next other byte, taken off, without zeros before them.
fn digits<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        byte if byte.is_ascii_alphabetic() => i32::from(byte),
        byte => i32::from(byte) + 256,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn version(text: &str) -> Value {
        Value::Version(text.into())
    }

    #[test]
    fn values_have_an_order() {
        let rising = [
            Value::Empty,
            Value::Integer(-3),
            Value::Bool(true),
            Value::Float(1.5),
            Value::Bytes(2),
            Value::Duration(60.0),
            Value::Timestamp(1_000),
            Value::text("10"),
            Value::text("9"),
            Value::text("a"),
        ];
        for pair in rising.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        assert_eq!(Value::Integer(2), Value::Float(2.0));
        let same: HashSet<Value> = [Value::Integer(2), Value::Float(2.0), Value::Bytes(2)].into();
        assert_eq!(same.len(), 1, "what is equal hashes alike");
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        let rising = [
            "1.0~rc1",
            "1.0",
            "1.0a",
            "1.0+b1",
            "1.9",
            "1.10-2",
            "1.10-10",
            "2",
            "10",
            "5:1",
            "99999999999999999999999",
        ];
        let (numbers, epoch) = rising.split_at(9);
        for pair in numbers.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(version(epoch[0]) < version(epoch[1]));
        assert_eq!(version("1.0"), version("1.00"));
        let same: HashSet<Value> = [version("1.0"), version("1.00")].into();
        assert_eq!(same.len(), 1);
    }

    #[test]
    fn programs_get_exact_values() {
        let cases = [
            (Value::Bytes(1_500_000_001), "1500000001"),
            (Value::Duration(90.5), "90.5"),
            (Value::Timestamp(1_764_081_724_000), "2025-11-25T14:42:04Z"),
            (Value::Bool(false), "false"),
            (Value::Empty, ""),
        ];
        for (value, want) in cases {
            assert_eq!(value.to_string(), want);
        }
    }
}

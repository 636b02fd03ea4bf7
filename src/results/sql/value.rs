//! Values and columns on their way into SQLite and back.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::results::parse::Row;
use crate::results::table::Table;
use crate::results::value::{Kind, Value};

/// What a column is declared as: its first word says its kind, and the rest how SQLite is to store it.
pub(super) fn declared(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Integer => "INTEGER",
        Kind::Float => "REAL",
        Kind::Bool => "BOOL INTEGER",
        Kind::Bytes => "BYTES INTEGER",
        Kind::Duration => "DURATION REAL",
        Kind::Timestamp => "TIMESTAMP TEXT",
        Kind::Version => "VERSION TEXT",
    }
}

/// The kind of a column that was declared like this.
pub(super) fn kind(declared: Option<&str>) -> Kind {
    let word = declared
        .and_then(|declared| declared.split(' ').next())
        .unwrap_or_default();
    match word {
        "INTEGER" => Kind::Integer,
        "REAL" => Kind::Float,
        "BOOL" => Kind::Bool,
        "BYTES" => Kind::Bytes,
        "DURATION" => Kind::Duration,
        "TIMESTAMP" => Kind::Timestamp,
        "VERSION" => Kind::Version,
        // What was worked out has no kind yet.
        _ => Kind::Text,
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = |value| Ok(ToSqlOutput::Borrowed(value));
        match self {
            Self::Empty => borrowed(ValueRef::Null),
            Self::Text(text) | Self::Version(text) => borrowed(ValueRef::Text(text.as_bytes())),
            Self::Integer(number) => borrowed(ValueRef::Integer(*number)),
            Self::Bool(truth) => borrowed(ValueRef::Integer(i64::from(*truth))),
            Self::Bytes(bytes) => {
                borrowed(ValueRef::Integer(i64::try_from(*bytes).unwrap_or(i64::MAX)))
            }
            Self::Float(number) | Self::Duration(number) => borrowed(ValueRef::Real(*number)),
            Self::Timestamp(_) => Ok(ToSqlOutput::from(self.to_string())),
        }
    }
}

/// A field as it stands in a column of this kind.  Text in the place of something else is nothing: SQLite has any text
/// after all numbers, so that it would come up wherever something large is looked for.
pub(super) fn fitting(value: &Value, kind: Kind) -> &Value {
    const NOTHING: &Value = &Value::Empty;
    match (value, kind) {
        (Value::Text(_), Kind::Text | Kind::Version) => value,
        (Value::Text(_), _) => NOTHING,
        _ => value,
    }
}

/// A field of an answer.
pub(super) fn value(field: ValueRef<'_>, kind: Kind) -> Value {
    match (field, kind) {
        (ValueRef::Null, _) => Value::Empty,
        (ValueRef::Integer(number), Kind::Bytes) => {
            u64::try_from(number).map_or(Value::Integer(number), Value::Bytes)
        }
        (ValueRef::Integer(number), Kind::Bool) => Value::Bool(number != 0),
        (ValueRef::Integer(number), Kind::Duration) => Value::Duration(number as f64),
        (ValueRef::Integer(number), _) => Value::Integer(number),
        (ValueRef::Real(number), Kind::Duration) => Value::Duration(number),
        (ValueRef::Real(number), _) if number.is_finite() => Value::Float(number),
        (ValueRef::Real(number), _) => Value::text(&number.to_string()),
        (ValueRef::Text(text), Kind::Version) => {
            Value::Version(String::from_utf8_lossy(text).into())
        }
        (ValueRef::Text(text) | ValueRef::Blob(text), _) => {
            Value::text(&String::from_utf8_lossy(text))
        }
    }
}

/// Columns that were worked out are set like numbers if all their fields are.
pub(super) fn settle(table: &mut Table) {
    for (n, column) in table.columns.iter_mut().enumerate() {
        let number = |row: &Row| matches!(row[n], Value::Integer(_) | Value::Float(_));
        if column.kind == Kind::Text && !table.rows.is_empty() && table.rows.iter().all(number) {
            column.kind = Kind::Float;
        }
    }
}

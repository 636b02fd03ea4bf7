//! JSON: one document, or an object a line.  Objects become rows without a tree of them in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Rows, Unreadable, filled};
use crate::results::value::Value;

/// An object a line.
pub(super) fn lines(rows: &mut Rows<'_>, text: &str) {
    for (number, line) in filled(text) {
        if rows.full() {
            continue;
        }
        let flaws = rows.parsed.flaws;
        let mut json = serde_json::Deserializer::from_str(line);
        let row = Object(rows).deserialize(&mut json);
        if let Ok(row) = row.and_then(|row| json.end().map(|()| row)) {
            rows.push(row);
        } else {
            rows.parsed.flaws = flaws;
            rows.loose(number, line);
        }
    }
}

/// One document, whose rows lie below `path`.
pub(super) fn document(rows: &mut Rows<'_>, text: &str, path: &[String]) -> Result<(), Unreadable> {
    something(text)?;
    if path.is_empty() {
        return document_of(rows, text).map_err(|error| wrong(&error));
    }
    let mut at: &RawValue = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    for (depth, name) in path.iter().enumerate() {
        let below: std::collections::HashMap<String, &RawValue> = serde_json::from_str(at.get())
            .map_err(|_| Unreadable {
                line: 1,
                what: format!("no object at {:?}", path[..depth].join(".")),
            })?;
        at = *below.get(name).ok_or_else(|| Unreadable {
            line: 1,
            what: format!("nothing at {:?}", path[..=depth].join(".")),
        })?;
    }
    document_of(rows, at.get()).map_err(|error| wrong(&error))
}

/// One document of objects, each of which is the one field of its row, as it is written.
pub(super) fn objects(rows: &mut Rows<'_>, text: &str) -> Result<(), Unreadable> {
    something(text)?;
    let all: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(list) => list,
        Err(_) => vec![serde_json::from_str(text).map_err(|error| wrong(&error))?],
    };
    for object in all {
        if !object.get().starts_with('{') {
            let what = format!("{:?} is no object", super::cut_to(object.get(), 40));
            return Err(Unreadable { line: 1, what });
        }
        if !rows.full() {
            let mut row = rows.blank();
            row.push(Value::text(object.get()));
            rows.push(row);
        }
    }
    Ok(())
}

fn something(text: &str) -> Result<(), Unreadable> {
    if text.trim().is_empty() {
        let what = "nothing, where a JSON document should be".to_string();
        return Err(Unreadable { line: 1, what });
    }
    Ok(())
}

fn wrong(error: &serde_json::Error) -> Unreadable {
    // The place is part of its words, and stands before them here.
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Unreadable {
        line: error.line().max(1),
        what: format!("{what}, at its byte {}", error.column()),
    }
}

fn document_of(rows: &mut Rows<'_>, text: &str) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    Document(rows).deserialize(&mut json)?;
    json.end()
}

/// Takes an object as a row, and a list as a row for each of its items.
struct Document<'a, 'r>(&'a mut Rows<'r>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of them")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let row = Object(self.0).visit_map(map)?;
        if !self.0.full() {
            self.0.push(row);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            if self.0.parsed.rows.len() >= super::MOST_ROWS {
                if list.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
                self.0.full();
            } else if let Some(row) = list.next_element_seed(Object(self.0))? {
                self.0.push(row);
            } else {
                return Ok(());
            }
        }
    }
}

/// One object as a row.
struct Object<'a, 'r>(&'a mut Rows<'r>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let rows = self.0;
        let given = rows.given.len();
        let mut row = rows.blank();
        row.resize(given + rows.reading.columns.len(), Value::Empty);
        let mut seen = 0_u64;
        // Programs write keys in one order, and so columns stand.
        let mut next = 0;
        while let Some(column) = map.next_key_seed(Key { rows, next })? {
            let Some(column) = column else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            next = column + 1;
            let bit = 1_u64.checked_shl(column as u32).unwrap_or(0);
            rows.parsed.flaws.twice += usize::from(seen & bit != 0);
            seen |= bit;
            row[given + column] = map.next_value_seed(Field { rows, column })?;
        }
        Ok(row)
    }
}

/// A key, as the column it stands for.
struct Key<'a, 'r> {
    rows: &'a Rows<'r>,
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let reading = self.rows.reading;
        let guess = reading.columns.get(self.next);
        Ok(match guess {
            Some(column) if column.source() == key => Some(self.next),
            _ => reading.column(key),
        })
    }
}

/// A value, as a field of its column.
struct Field<'a, 'r> {
    rows: &'a mut Rows<'r>,
    column: usize,
}

impl Field<'_, '_> {
    fn number(self, number: f64, text: &str) -> Value {
        let read = self.rows.reading.readers[self.column].number(number);
        read.unwrap_or_else(|| {
            self.rows.parsed.flaws.odd += 1;
            Value::text(text)
        })
    }
}

impl<'de> DeserializeSeed<'de> for Field<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        let text = if truth { "true" } else { "false" };
        Ok(self.rows.field(self.column, text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(match self.rows.reading.columns[self.column].kind {
            crate::results::Kind::Integer => Value::Integer(number),
            _ => self.number(number as f64, &number.to_string()),
        })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(
            match (
                self.rows.reading.columns[self.column].kind,
                i64::try_from(number),
            ) {
                (crate::results::Kind::Integer, Ok(number)) => Value::Integer(number),
                _ => self.number(number as f64, &number.to_string()),
            },
        )
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(self.number(number, &number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(self.rows.field(self.column, text))
    }

    /// What lies deeper stays JSON text.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<serde_json::Value>()? {
            items.push(item);
        }
        let plain: Option<Vec<&str>> = items.iter().map(serde_json::Value::as_str).collect();
        let text = match plain {
            Some(words) => words.join(","),
            None => serde_json::Value::from(items).to_string(),
        };
        Ok(self.rows.field(self.column, &text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((key, value)) = map.next_entry::<String, serde_json::Value>()? {
            object.insert(key, value);
        }
        // PowerShell's dates are objects where something was added to them.
        if self.rows.reading.columns[self.column].kind == crate::results::Kind::Timestamp
            && let Some(date) = object.get("value").and_then(serde_json::Value::as_str)
        {
            return Ok(self.rows.field(self.column, date));
        }
        let text = serde_json::Value::from(object).to_string();
        Ok(self.rows.field(self.column, &text))
    }
}

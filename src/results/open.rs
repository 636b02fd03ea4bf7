//! Columns that nobody knows before the rows are there: those of objects that have whatever keys they have.
//!
//! Read by [`super::parse`], such a row has one field, the object as it was written.  Once all rows are there, of all
//! hosts and jobs, each key becomes a column: of integers, if all that is in it is one, and of text otherwise.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::parse::{LONGEST_FIELD, Row, cut};
use super::shape::{Column, GIVEN};
use super::value::{Kind, Value};

/// Columns that are made; the keys behind them are counted.  Each row of a table has a field for each, so that one host with
/// many keys takes room for all.
pub const MOST_COLUMNS: usize = 64;

/// The columns of some rows.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Their own, without those that every row has.
    pub columns: Vec<Column>,
    /// Fields for which there is no column any more.
    pub beyond: usize,
    places: HashMap<String, usize>,
}

impl Opened {
    /// The columns that these rows need, in the order in which they came.
    pub fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut opened = Self::default();
        for row in rows {
            for (key, value) in object(row) {
                let Some(place) = opened.place_of(&name(&key)) else {
                    opened.beyond += 1;
                    continue;
                };
                if !matches!(
                    field(&value, Kind::Integer),
                    Value::Empty | Value::Integer(_)
                ) {
                    opened.columns[place].kind = Kind::Text;
                }
            }
        }
        opened
    }

    /// A row with a field for each column.
    pub fn row(&self, row: &Row) -> Row {
        let given = GIVEN.len().min(row.len());
        let mut fields = row[..given].to_vec();
        fields.resize(given + self.columns.len(), Value::Empty);
        for (key, value) in object(row) {
            if let Some(place) = self.places.get(&name(&key)) {
                fields[given + place] = field(&value, self.columns[*place].kind);
            }
        }
        fields.into()
    }

    /// Makes room for the columns of rows that were opened by themselves: where each of them stands here, if anywhere.
    pub fn join(&mut self, others: &[Column]) -> Vec<Option<usize>> {
        let mut join = |column: &Column| {
            let place = self.place_of(&column.name)?;
            if column.kind == Kind::Text {
                self.columns[place].kind = Kind::Text;
            }
            Some(place)
        };
        others.iter().map(&mut join).collect()
    }

    /// A row that was opened by itself, with its columns at these places; what has none is left out.  Nothing is lost by an
    /// integer's becoming text: it was one only because it is written like that.
    pub fn joined(&self, row: &Row, places: &[Option<usize>]) -> Row {
        let given = GIVEN.len().min(row.len());
        let mut fields = row[..given].to_vec();
        fields.resize(given + self.columns.len(), Value::Empty);
        for (value, place) in row[given..].iter().zip(places) {
            if let Some(place) = place {
                fields[given + place] = as_kind(value, self.columns[*place].kind);
            }
        }
        fields.into()
    }

    fn place_of(&mut self, name: &str) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        let place = self.columns.len();
        if place == MOST_COLUMNS {
            return None;
        }
        self.columns.push(Column::new(name, Kind::Integer));
        self.places.insert(name.to_string(), place);
        Some(place)
    }
}

/// An integer as it is in a column that has become one of text.
pub fn as_kind(value: &Value, kind: Kind) -> Value {
    match value {
        Value::Integer(number) if kind == Kind::Text => Value::text(&number.to_string()),
        value => value.clone(),
    }
}

/// What is in a row's one field of its own.
fn object(row: &Row) -> Vec<(String, Json)> {
    let Some(Value::Text(text)) = row.last() else {
        return Vec::new();
    };
    let pairs: Pairs = serde_json::from_str(text).unwrap_or_default();
    pairs.0
}

/// An object's pairs in their order.
#[derive(Default)]
struct Pairs(Vec<(String, Json)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        from.deserialize_map(InOrder)
    }
}

/// What a key's column is called: as columns are, and as none that every row has.
fn name(key: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    let name: String = key.chars().take(64).map(plain).collect();
    let name = name.trim_end_matches('_');
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || digit {
        format!("_{name}")
    } else if GIVEN.iter().any(|(given, _)| *given == name) {
        format!("{name}_")
    } else {
        name.to_string()
    }
}

/// An integer only if nothing is lost by that: `007` is text.
fn field(value: &Json, kind: Kind) -> Value {
    let text = match value {
        Json::Null => return Value::Empty,
        Json::String(text) if text.is_empty() => return Value::Empty,
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    };
    match text.parse::<i64>() {
        Ok(number) if kind == Kind::Integer && number.to_string() == text => Value::Integer(number),
        _ if text.len() > LONGEST_FIELD => Value::text(cut(&text)),
        _ => Value::text(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Parser, Reading, Shape};

    fn rows(texts: &[&str]) -> Vec<Row> {
        let reading = Reading::new(&Shape::open("q")).expect("it is sound");
        let given = [Value::text("web01"), Value::Integer(7), Value::Empty];
        let read = |text: &&str| reading.parse(text.as_bytes(), &given).expect("JSON").rows;
        texts.iter().flat_map(read).collect()
    }

    #[test]
    fn keys_become_columns() {
        let rows = rows(&[
            r#"[{"pid":"12","name":"a b","host":"x","max(size)":"007"},{"pid":"5","name":""}]"#,
            r#"{"name":"c","Pid":6,"2":[1,{"a":null}],"count(*)":"3.5"}"#,
            "[]",
        ]);
        let opened = Opened::of(rows.iter());
        let columns: Vec<(&str, Kind)> = (opened.columns.iter())
            .map(|column| (column.name.as_str(), column.kind))
            .collect();
        assert_eq!(
            columns,
            [
                ("pid", Kind::Integer),
                ("name", Kind::Text),
                ("host_", Kind::Text),
                ("max_size", Kind::Text),
                ("_2", Kind::Text),
                ("count", Kind::Text)
            ]
        );
        let shown = |row: &Row| {
            let fields = opened.row(row);
            let fields = fields.iter().map(ToString::to_string);
            fields.collect::<Vec<_>>().join("|")
        };
        assert_eq!(shown(&rows[0]), "web01|7||12|a b|x|007||");
        assert_eq!(shown(&rows[1]), "web01|7||5|||||");
        assert_eq!(shown(&rows[2]), r#"web01|7||6|c|||[1,{"a":null}]|3.5"#);
    }

    #[test]
    fn a_host_that_has_a_million_keys_gets_no_million_columns() {
        let keys: Vec<String> = (0..1_000).map(|n| format!("\"k{n}\":1")).collect();
        let rows = rows(&[&format!("{{{}}}", keys.join(","))]);
        let opened = Opened::of(rows.iter());
        assert_eq!(
            (opened.columns.len(), opened.beyond),
            (MOST_COLUMNS, 1_000 - MOST_COLUMNS)
        );
        assert_eq!(opened.row(&rows[0]).len(), 3 + MOST_COLUMNS);
    }

    #[test]
    fn rows_that_were_opened_one_by_one_are_as_those_that_were_opened_together() {
        let rows = rows(&[
            r#"[{"pid":12,"name":"a"},{"pid":5,"at":7}]"#,
            r#"{"name":3,"pid":"x"}"#,
            "{}",
            r#"{"at":"","more":[1]}"#,
        ]);
        let together = Opened::of(rows.iter());
        let mut one_by_one = Opened::default();
        let opened: Vec<(Row, Vec<Option<usize>>)> = (rows.iter())
            .map(|row| {
                let alone = Opened::of([row].into_iter());
                (alone.row(row), one_by_one.join(&alone.columns))
            })
            .collect();
        assert_eq!(one_by_one.columns, together.columns);
        for ((opened, places), row) in opened.iter().zip(&rows) {
            assert_eq!(one_by_one.joined(opened, places), together.row(row));
        }
        let many: Vec<Column> = (0..300)
            .map(|n| Column::new(&format!("k{n}"), Kind::Integer))
            .collect();
        let placed = one_by_one.join(&many);
        assert_eq!(placed.iter().flatten().count(), MOST_COLUMNS - 4);
        let row: Row = vec![Value::Integer(1); 3 + 300].into();
        assert_eq!(one_by_one.joined(&row, &placed).len(), 3 + MOST_COLUMNS);
    }

    #[test]
    fn what_is_no_object_is_said() {
        let shape = Shape::open("q");
        assert!(shape.is_open() && shape.parser == Parser::Objects);
        let reading = Reading::new(&shape).expect("it is sound");
        for (text, want) in [
            ("", "line 1: nothing, where a JSON document should be"),
            ("[1]", "line 1: \"1\" is no object"),
            ("[{\"a\":1},", "line 1: "),
            ("[{\"a\":1}\n", "line 2: EOF while parsing a list"),
            ("Error: no such table", "line 1: "),
        ] {
            let error = reading.parse(text.as_bytes(), &[]).expect_err("unreadable");
            assert!(error.to_string().starts_with(want), "{text:?}: {error}");
        }
    }
}

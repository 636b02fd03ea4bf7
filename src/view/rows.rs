//! Rows for people and programs: as a table, JSON, CSV, Markdown.
//!
//! What people read has units and nothing in it that a terminal would obey; what programs read is exact.

use serde_json::{Map, Value as Json};

use super::span;
use super::table::{Align, Table as Lines};
use super::text::{cut, harmless};
use crate::results::{Table, Value};

/// The most cells of a column that says nothing about it.
const WIDEST: usize = 60;

/// A field as people read it.
pub fn field(value: &Value) -> String {
    match value {
        Value::Empty => "-".to_string(),
        Value::Float(number) => {
            let text = format!("{number:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
        Value::Bool(true) => "yes".to_string(),
        Value::Bool(false) => "no".to_string(),
        Value::Bytes(bytes) => span::bytes(*bytes),
        Value::Duration(seconds) => span::seconds(*seconds),
        Value::Timestamp(_) | Value::Integer(_) | Value::Text(_) | Value::Version(_) => {
            value.to_string()
        }
    }
}

/// A table that fits `cells`.
pub fn lines(table: &Table, cells: Option<usize>) -> Vec<String> {
    let columns = table.columns.iter().map(|column| {
        let align = if column.kind.is_number() {
            Align::Right
        } else {
            Align::Left
        };
        (column.name.to_uppercase(), align)
    });
    let mut lines = Lines::named(columns.collect());
    let last = table.columns.len().saturating_sub(1);
    for row in &table.rows {
        let cell = |(n, value): (usize, &Value)| {
            let text = harmless(field(value).as_bytes());
            // The last one has what is left of the line.
            if n == last {
                text
            } else {
                cut(&text, table.columns[n].width.unwrap_or(WIDEST))
            }
        };
        lines.push(&row.iter().enumerate().map(cell).collect::<Vec<_>>());
    }
    lines.lines(cells)
}

/// A row as an object.
pub fn object(table: &Table, row: &[Value]) -> Json {
    let fields = table.columns.iter().zip(row);
    let fields: Map<String, Json> = fields
        .map(|(column, value)| (column.name.clone(), value.json()))
        .collect();
    Json::Object(fields)
}

/// What CSV fields are made safe for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A spreadsheet takes what begins with `= + - @`, a tab or a carriage return for a formula: a `'` stands before text
    /// that does (OWASP, "CSV Injection").
    Formulas,
    /// Fields are as they are.
    Off,
}

/// A line of CSV with the names of the columns.
pub fn csv_header(table: &Table) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    names.join(",")
}

/// A row as a line of CSV (RFC 4180, but for the line's end).
pub fn csv(row: &[Value], guard: Guard) -> String {
    let field = |value: &Value| {
        let text = value.to_string();
        let is_text = matches!(value, Value::Text(_) | Value::Version(_));
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        match guard {
            Guard::Formulas if is_text && formula => quoted(&format!("'{text}")),
            Guard::Formulas | Guard::Off => quoted(&text),
        }
    };
    row.iter().map(field).collect::<Vec<_>>().join(",")
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

/// A Markdown table, in which nothing is markup.
pub fn markdown(table: &Table) -> Vec<String> {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let names = table.columns.iter().map(|column| escaped(&column.name));
    let rule = table.columns.iter().map(|column| {
        let rule = if column.kind.is_number() {
            "---:"
        } else {
            "---"
        };
        rule.to_string()
    });
    let mut lines = vec![line(names.collect()), line(rule.collect())];
    let row = |row: &crate::results::parse::Row| {
        line(row.iter().map(|value| escaped(&field(value))).collect())
    };
    lines.extend(table.rows.iter().map(row));
    lines
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in harmless(text.as_bytes()).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Column, Kind};

    fn table(fields: Vec<Value>) -> Table {
        let columns = fields.iter().enumerate().map(|(n, value)| {
            let kind = match value {
                Value::Bytes(_) => Kind::Bytes,
                _ => Kind::Text,
            };
            Column::new(&format!("c{n}"), kind)
        });
        let mut table = Table::new(columns.collect());
        table.rows.push(fields.into());
        table
    }

    #[test]
    fn people_read_units_and_programs_exact_values() {
        let table = table(vec![
            Value::Bytes(1_500_000_000),
            Value::Duration(90.0),
            Value::Bool(true),
            Value::Float(83.5),
            Value::Empty,
        ]);
        assert_eq!(
            lines(&table, None),
            [
                "    C0  C1     C2   C3    C4",
                "1.5 GB  1m30s  yes  83.5  -"
            ]
        );
        assert_eq!(
            csv(&table.rows[0], Guard::Formulas),
            "1500000000,90,true,83.5,"
        );
        let object = object(&table, &table.rows[0]);
        assert_eq!(object["c0"], 1_500_000_000_u64);
        assert_eq!(object["c4"], Json::Null);
    }

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let row = [Value::text(text), Value::Integer(-1)];
            assert!(
                csv(&row, Guard::Formulas)
                    .trim_start_matches('"')
                    .starts_with('\''),
                "{text:?}"
            );
            assert!(
                csv(&row, Guard::Formulas).ends_with(",-1"),
                "a number is none"
            );
            assert!(csv(&row, Guard::Off).contains(text), "{text:?}");
        }
        let row = [Value::text("=HYPERLINK(\"http://x\",\"y\")\nz")];
        assert_eq!(
            csv(&row, Guard::Formulas),
            "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\nz\""
        );
    }

    #[test]
    fn nothing_in_a_field_is_obeyed() {
        let table = table(vec![
            Value::text("\u{1b}[2J|<b>\n`x`\u{202e}"),
            Value::text("end"),
        ]);
        let shown = lines(&table, None).join("\n");
        assert!(shown.contains("^[[2J|<b>^J`x`\\u{202e}"), "{shown}");
        assert_eq!(
            markdown(&table)[2],
            "| ^\\[\\[2J\\|&lt;b>^J\\`x\\`\\\\u{202e} | end |"
        );
    }
}

//! From what one host wrote to rows.  Nothing is dropped in silence: a line that is no row is kept as text, a field that
//! is not of its kind stays as text, and whatever a cap takes is counted.

mod json;
mod pairs;
mod separated;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::shape::{Also, Column, Header, Parser, Shape};
use super::value::read::Reader;
use super::value::{Kind, Value};

/// Rows taken of one host; what comes behind them is counted.
pub const MOST_ROWS: usize = 100_000;

/// Lines that are no rows of which the text is kept, of one host.
pub const MOST_LOOSE: usize = 1_000;

/// Bytes of one field; what is longer is cut, and counted.
pub const LONGEST_FIELD: usize = 64 << 10;

/// A row: the fields every row has, then one for each column.
pub type Row = Box<[Value]>;

/// A shape, ready to read with.
#[derive(Debug)]
pub struct Reading {
    parser: Parser,
    columns: Vec<Column>,
    readers: Vec<Reader>,
    pattern: Option<regex::Regex>,
    /// How output is read that is objects, where it may be.
    objects: Option<Box<Self>>,
}

/// What output came to.
#[derive(Debug, Default)]
pub struct Parsed {
    pub rows: Vec<Row>,
    /// The first lines that are no rows.
    pub loose: Vec<Loose>,
    pub flaws: Flaws,
}

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loose {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

/// What was not as it should be, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// Lines that are no rows.
    pub loose: usize,
    /// Rows behind the last one that was taken.
    pub beyond: usize,
    /// Fields that are not of their column's kind, and stayed text.
    pub odd: usize,
    /// Fields that were cut.
    pub cut: usize,
    /// Keys that a row has twice; the last one counts.
    pub twice: usize,
    /// Places that are not UTF-8, and were replaced.
    pub garbled: usize,
}

/// The sentence for people: `2 lines are no rows, 1 field is cut`; nothing if all is well.
impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [
            (self.loose, "line is no row", "lines are no rows"),
            (
                self.beyond,
                "row is beyond the limit",
                "rows are beyond the limit",
            ),
            (
                self.odd,
                "field is not of its kind",
                "fields are not of their kind",
            ),
            (self.cut, "field is cut", "fields are cut"),
            (self.twice, "key is there twice", "keys are there twice"),
            (self.garbled, "place is not UTF-8", "places are not UTF-8"),
        ];
        let said: Vec<String> = said
            .iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        f.write_str(&said.join(", "))
    }
}

impl Flaws {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Output that is not what its parser reads, and where that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Reading {
    /// An error if the shape cannot be read with, and why.
    pub fn new(shape: &Shape) -> Result<Self, String> {
        let reader = |column: &Column| {
            Reader::new(column.kind, column.unit.as_deref())
                .map_err(|error| format!("column {}: {error}", column.name))
        };
        let pattern = match &shape.parser {
            Parser::Regex { pattern } => Some(
                regex::Regex::new(pattern)
                    .map_err(|error| format!("pattern: {}", super::filter::fault(&error)))?,
            ),
            Parser::Json { .. }
            | Parser::JsonLines
            | Parser::Objects
            | Parser::Csv { .. }
            | Parser::Tsv { .. }
            | Parser::Pairs { .. }
            | Parser::Words { .. }
            | Parser::Widths { .. }
            | Parser::Lines => None,
        };
        let objects = match shape.also {
            Also::Nothing => None,
            Also::Objects => {
                let named = |column: &Column| Column {
                    from: None,
                    ..column.clone()
                };
                let objects = Self::new(&Shape {
                    query: shape.query.clone(),
                    parser: Parser::JsonLines,
                    columns: shape.columns.iter().map(named).collect(),
                    key: Vec::new(),
                    also: Also::Nothing,
                });
                Some(Box::new(objects?))
            }
        };
        Ok(Self {
            parser: shape.parser.clone(),
            readers: shape.columns.iter().map(reader).collect::<Result<_, _>>()?,
            columns: shape.columns.clone(),
            pattern,
            objects,
        })
    }

    /// Reads everything one host wrote.  Each row begins with the fields in `given`.
    pub fn parse(&self, output: &[u8], given: &[Value]) -> Result<Parsed, Unreadable> {
        let mut parsed = Parsed::default();
        let text = match String::from_utf8_lossy(output) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(text) => {
                parsed.flaws.garbled = output
                    .utf8_chunks()
                    .filter(|chunk| !chunk.invalid().is_empty())
                    .count();
                Cow::Owned(text)
            }
        };
        // Programs of Windows put a mark before what is UTF-8.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let reading = match &self.objects {
            Some(objects) if text.trim_ascii_start().starts_with("{\"") => objects,
            Some(_) | None => self,
        };
        let mut rows = Rows {
            reading,
            given,
            parsed,
        };
        match &reading.parser {
            Parser::Json { path } => json::document(&mut rows, text, path)?,
            Parser::JsonLines => json::lines(&mut rows, text),
            Parser::Objects => json::objects(&mut rows, text)?,
            Parser::Csv { header } => separated::csv(&mut rows, text, *header)?,
            Parser::Tsv { header } => separated::tsv(&mut rows, text, *header)?,
            Parser::Pairs { by } => pairs::blocks(&mut rows, text, *by),
            Parser::Words { header } => words::words(&mut rows, text, *header)?,
            Parser::Widths { header, widths } => words::widths(&mut rows, text, *header, widths)?,
            Parser::Regex { .. } => words::matching(&mut rows, text),
            Parser::Lines => words::lines(&mut rows, text),
        }
        Ok(rows.parsed)
    }

    fn column(&self, source: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.source() == source)
    }
}

/// Where rows are gathered.
struct Rows<'a> {
    reading: &'a Reading,
    given: &'a [Value],
    parsed: Parsed,
}

impl Rows<'_> {
    /// Whether no more rows are taken.  The row in hand is counted then.
    fn full(&mut self) -> bool {
        let full = self.parsed.rows.len() >= MOST_ROWS;
        self.parsed.flaws.beyond += usize::from(full);
        full
    }

    /// A row to be filled, with nothing in its columns.
    fn blank(&self) -> Vec<Value> {
        let mut row = Vec::with_capacity(self.given.len() + self.reading.columns.len());
        row.extend_from_slice(self.given);
        row
    }

    /// Adds a row in which later columns may be missing.
    fn push(&mut self, mut row: Vec<Value>) {
        row.resize(self.given.len() + self.reading.columns.len(), Value::Empty);
        self.parsed.rows.push(row.into_boxed_slice());
    }

    /// Adds a row of texts, one for each column in order.
    fn push_texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let mut row = self.blank();
        for (column, text) in texts.take(self.reading.columns.len()).enumerate() {
            let value = self.field(column, text);
            row.push(value);
        }
        self.push(row);
    }

    /// Adds a row of a whole line: where it is text, blanks at its ends are a part of it.
    fn push_line(&mut self, line: &str) {
        if self.reading.columns.first().map(|column| column.kind) != Some(Kind::Text)
            || line.len() > LONGEST_FIELD
        {
            return self.push_texts(std::iter::once(line));
        }
        let mut row = self.blank();
        row.push(match (line, self.repeated(0, line)) {
            ("", _) => Value::Empty,
            (_, Some(same)) => same,
            (line, None) => Value::Text(Arc::from(line)),
        });
        self.push(row);
    }

    fn field(&mut self, column: usize, text: &str) -> Value {
        let text = if text.len() > LONGEST_FIELD {
            self.parsed.flaws.cut += 1;
            cut(text)
        } else {
            text
        };
        if let Some(same) = self.repeated(column, text) {
            return same;
        }
        self.reading.readers[column].read(text).unwrap_or_else(|| {
            self.parsed.flaws.odd += 1;
            Value::Text(Arc::from(text.trim()))
        })
    }

    /// The field of the row before, if it is this text: neighbours are often alike, and share it then.  Text of other
    /// columns is odd, and counted each time.
    fn repeated(&self, column: usize, text: &str) -> Option<Value> {
        if self.reading.columns[column].kind != Kind::Text {
            return None;
        }
        let before = self.parsed.rows.last()?.get(self.given.len() + column)?;
        match before {
            Value::Text(same) if **same == *text => Some(before.clone()),
            _ => None,
        }
    }

    /// Keeps a line that is no row.
    fn loose(&mut self, line: usize, text: &str) {
        self.parsed.flaws.loose += 1;
        if self.parsed.loose.len() < MOST_LOOSE {
            let text = if text.len() > LONGEST_FIELD {
                cut(text)
            } else {
                text
            };
            self.parsed.loose.push(Loose {
                line,
                text: text.to_string(),
            });
        }
    }

    /// Takes the header off the lines: where each column stands, if it names them.
    fn header<'t, I: Iterator<Item = (usize, &'t str)>>(
        &self,
        header: Header,
        lines: &mut I,
        split: impl FnOnce(&'t str) -> Vec<&'t str>,
    ) -> Result<Option<Vec<Option<usize>>>, Unreadable> {
        match header {
            Header::None => Ok(None),
            Header::Skip => {
                lines.next();
                Ok(None)
            }
            Header::Names => {
                let names = lines.next().map(|(_, names)| split(names));
                names.map(|names| self.found_in(&names)).transpose()
            }
        }
    }

    /// Where each column stands in a line of names.  A name that is missing leaves its column empty, if at least one of
    /// them is there.
    fn found_in(&self, names: &[&str]) -> Result<Vec<Option<usize>>, Unreadable> {
        let places: Vec<Option<usize>> = self
            .reading
            .columns
            .iter()
            .map(|column| names.iter().position(|name| name.trim() == column.source()))
            .collect();
        if places.iter().all(Option::is_none) {
            let wanted: Vec<&str> = self.reading.columns.iter().map(Column::source).collect();
            let what = format!(
                "none of its names is that of a column ({})",
                wanted.join(", ")
            );
            return Err(Unreadable { line: 1, what });
        }
        Ok(places)
    }
}

/// What of a field is taken.
pub(super) fn cut(text: &str) -> &str {
    cut_to(text, LONGEST_FIELD)
}

fn cut_to(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// The lines of a text that hold something, with their numbers from 1.
fn filled(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    numbered.filter(|(_, line)| !line.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests;

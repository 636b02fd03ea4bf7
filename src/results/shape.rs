//! How a query's output is to be read: which parser, and which columns come of it.
//!
//! A shape is data.  It is kept with the job as JSON text, so that rows can be read from stored output later, whatever
//! has become of the query's file.

use serde::{Deserialize, Serialize};

use super::value::Kind;

/// What every row has before the columns of its query.
pub const GIVEN: [(&str, Kind); 3] = [
    ("host", Kind::Text),
    ("job", Kind::Integer),
    ("at", Kind::Timestamp),
];

/// How output becomes rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The query's name.
    pub query: String,
    pub parser: Parser,
    pub columns: Vec<Column>,
    /// The columns by which a row of one run is found again in another; all of them where there are none.
    pub key: Vec<String>,
    #[serde(default)]
    pub also: Also,
}

/// What some computers write in the place of what the parser reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Also {
    #[default]
    Nothing,
    /// A JSON object a line, with the columns' names as its keys: PowerShell's objects.
    Objects,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// What its numbers are in.
    pub unit: Option<String>,
    /// What it is called in the output, where that is not its name.
    pub from: Option<String>,
    /// The most cells it takes in a table.
    pub width: Option<usize>,
    /// What it says, in one line.
    pub doc: String,
    #[serde(default)]
    pub constancy: Constancy,
}

/// Whether a column says something else each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constancy {
    /// What has changed in it has changed.
    #[default]
    Constant,
    /// It always has, as times and counters: two runs are not compared by it.
    Volatile,
}

impl Column {
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_string(),
            kind,
            ..Self::default()
        }
    }

    /// What it is called in the output.
    pub fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// What output looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parser {
    /// One JSON document: an object is a row, a list is one row each.  The rows lie below `path`.
    Json { path: Vec<String> },
    /// A JSON object a line.
    JsonLines,
    /// One JSON document of objects whose keys become the columns, whatever they are: see [`super::open`].
    Objects,
    /// Fields with something between them, quoted as in CSV.
    Csv { header: Header },
    /// Fields with tabs between them, which they cannot hold.
    Tsv { header: Header },
    /// Blocks of `key=value` or `key: value`, with an empty line between rows.
    Pairs { by: char },
    /// Words with spaces between them; the last column takes the rest of its line.
    Words { header: Header },
    /// Fields of so many characters each; the last one takes the rest of its line.
    Widths { header: Header, widths: Vec<usize> },
    /// Lines in which a pattern's named groups are the columns.
    Regex { pattern: String },
    /// Each line is a row of one column.
    Lines,
}

/// What the first line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Header {
    /// A row like the others.
    #[default]
    None,
    /// The names of the columns, by which they are found.
    Names,
    /// Nothing that is needed.
    Skip,
}

impl Shape {
    /// Output nobody said anything about: a row a line.
    pub fn lines() -> Self {
        Self {
            query: "lines".to_string(),
            parser: Parser::Lines,
            columns: vec![Column::new("line", Kind::Text)],
            key: Vec::new(),
            also: Also::Nothing,
        }
    }

    /// Objects with whatever keys; until these are columns, each row is the one object.
    pub fn open(query: &str) -> Self {
        Self {
            query: query.to_string(),
            parser: Parser::Objects,
            columns: vec![Column::new("object", Kind::Text)],
            key: Vec::new(),
            also: Also::Nothing,
        }
    }

    /// Whether its columns are known only once its rows are there.
    pub fn is_open(&self) -> bool {
        self.parser == Parser::Objects
    }

    /// As it is kept with a job.
    pub fn written(&self) -> String {
        serde_json::to_string(self).expect("text, numbers and lists are always JSON")
    }

    /// What was kept; `None` if another version wrote something this one does not know.
    pub fn kept(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// All columns of its rows: those that every row has, and its own.
    pub fn all_columns(&self) -> Vec<Column> {
        let given = GIVEN.map(|(name, kind)| Column::new(name, kind));
        given
            .into_iter()
            .chain(self.columns.iter().cloned())
            .collect()
    }
}

//! A query's file, read with the line of every mistake.

use std::time::Duration;

use super::parameter::{self, Parameter};
use super::platform::{Platform, joined};
use super::powershell;
use super::{Effect, Query, TIMEOUT};
use crate::command::duration::parse_duration;
use crate::config::document::{Document, Entry, Mistake, Origin, is_name};
use crate::core::spec::Payload;
use crate::results::shape::{Constancy, GIVEN};
use crate::results::{Also, Column, Header, Kind, Parser, Reading, Shape, filter};

/// The keys of a query's file.
const KEYS: [&str; 17] = [
    "doc",
    "command",
    "script",
    "platform",
    "targets",
    "timeout",
    "ok_exit",
    "writes",
    "parameters",
    "parser",
    "path",
    "by",
    "header",
    "pattern",
    "widths",
    "key",
    "columns",
];

/// The keys of a column.
const COLUMN: [&str; 7] = ["name", "type", "unit", "from", "width", "volatile", "doc"];

/// The words for parsers.
const PARSERS: [&str; 10] = [
    "json",
    "json-lines",
    "objects",
    "csv",
    "tsv",
    "pairs",
    "words",
    "widths",
    "regex",
    "lines",
];

pub(super) fn read(name: &str, text: &str, origin: Origin) -> Result<Query, Vec<Mistake>> {
    let document = Document {
        text,
        origin: &origin,
    };
    let mut said = Said::default();
    let mut mistakes = Vec::new();
    for entry in document.entries().map_err(|mistake| vec![mistake])? {
        if let Err(mistake) = said.take(document, entry) {
            mistakes.push(mistake);
        }
    }
    let whole = |what: &str| document.mistake(&(0..0), what);
    if !is_name(name) {
        let what = format!("{name:?} cannot be the name of a query");
        mistakes.push(whole(&what).hint("rename its file; letters, digits and - _ . make a name"));
    }
    // What is missing may just be what is wrong already.
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let needs = |what: &str| Err(vec![whole(what)]);
    let Some(doc) = said.doc.take() else {
        return needs("a query needs a doc: what it asks, in one line");
    };
    let windows = (said.platforms.iter()).find(|(platform, _)| *platform == Platform::Windows);
    let windows = windows.map(|(_, text)| text.clone());
    let in_the_way = |parameter: &&Parameter| powershell::is_its_own(&parameter.name);
    if let (Some(_), Some(parameter)) = (&windows, said.parameters.iter().find(in_the_way)) {
        let name = &parameter.name;
        return needs(&format!(
            "PowerShell has a variable {name} of its own: call the parameter something else"
        ));
    }
    let platforms = said.words();
    let shape = said.shape(name).map_err(|what| vec![whole(&what)])?;
    let shape = shape.map(|shape| Shape {
        also: match &windows {
            Some(_) if powershell::differs(&shape.parser) => Also::Objects,
            Some(_) | None => Also::Nothing,
        },
        ..shape
    });
    let windows = windows.map(|text| powershell::framed(&text, shape.as_ref()));
    let script = |text: String| Payload::Script {
        name: name.to_string(),
        interpreter: "sh".to_string(),
        text,
        powershell: windows.clone(),
    };
    let payload = match (
        said.command.take(),
        said.script.take(),
        said.platforms.is_empty(),
    ) {
        (Some(command), None, true) => Payload::Command(command),
        (None, Some(other), true) => script(other),
        (None, other, false) => script(joined(
            &said.platforms,
            other.as_deref(),
            windows.as_deref(),
            &said.parameters,
        )),
        (None, None, true) => return needs("a query needs a command or a script"),
        (Some(_), Some(_), _) => return needs("a query has a command or a script, not both"),
        (Some(_), None, false) => {
            return needs("where platforms differ, what runs elsewhere is a script");
        }
    };
    if !said.parameters.is_empty() && matches!(payload, Payload::Command(_)) {
        return needs("parameters are variables of a script; write the command as one");
    }
    Ok(Query {
        name: name.to_string(),
        doc,
        payload,
        platforms,
        targets: said.targets,
        timeout: said.timeout.unwrap_or(TIMEOUT),
        ok_exit: said.ok_exit.unwrap_or_else(|| vec![0]),
        effect: said.effect,
        parameters: said.parameters,
        shape,
        text: text.to_string(),
        origin,
        hides: Vec::new(),
    })
}

/// What a file says.
#[derive(Default)]
struct Said {
    doc: Option<String>,
    command: Option<String>,
    script: Option<String>,
    platforms: Vec<(Platform, String)>,
    targets: Option<String>,
    timeout: Option<Duration>,
    ok_exit: Option<Vec<i32>>,
    effect: Effect,
    parameters: Vec<Parameter>,
    parser: Option<String>,
    path: Option<String>,
    by: Option<char>,
    header: Option<Header>,
    pattern: Option<String>,
    widths: Option<Vec<usize>>,
    key: Vec<String>,
    columns: Vec<Column>,
}

impl Said {
    /// What it has a text for.
    fn words(&self) -> Vec<&'static str> {
        if self.command.is_some() {
            return vec!["any"];
        }
        let has = |platform: &Platform| self.platforms.iter().any(|(own, _)| own == platform);
        let (windows, unix): (Vec<_>, Vec<_>) =
            (Platform::ALL.into_iter()).partition(|platform| *platform == Platform::Windows);
        let windows = windows.into_iter().filter(has).map(Platform::word);
        // A script is for every kind of Unix that has none of its own.
        if self.script.is_some() || unix.iter().all(has) {
            return std::iter::once("unix").chain(windows).collect();
        }
        let unix = unix.into_iter().filter(has).map(Platform::word);
        unix.chain(windows).collect()
    }

    fn take(&mut self, document: Document<'_>, entry: Entry<'_>) -> Result<(), Mistake> {
        match entry.key.as_str() {
            "doc" => self.doc = Some(text(document, &entry)?),
            "command" => self.command = Some(text(document, &entry)?),
            "script" => self.script = Some(text(document, &entry)?),
            "platform" => {
                for entry in document.table(entry)? {
                    let platform = Platform::of(&entry.key).ok_or_else(|| {
                        let what = format!("unknown platform {}", entry.key.escape_debug());
                        let known = Platform::ALL.map(Platform::word);
                        document
                            .mistake(&entry.key_at, what)
                            .meant(&entry.key, known)
                    })?;
                    self.platforms.push((platform, text(document, &entry)?));
                }
            }
            "targets" => self.targets = Some(text(document, &entry)?),
            "timeout" => {
                let timeout = parse_duration(&text(document, &entry)?);
                let wrong = |error| document.mistake(&entry.value_at, format!("timeout: {error}"));
                self.timeout = Some(timeout.map_err(wrong)?);
            }
            "ok_exit" => self.ok_exit = Some(document.numbers(&entry)?),
            "writes" => {
                self.effect = if document.truth(&entry)? {
                    Effect::Writes
                } else {
                    Effect::Looks
                }
            }
            "parameters" => {
                let mut places = Vec::new();
                for part in document.tables(entry)? {
                    let at = part.0.clone();
                    let parameter = parameter::read(document, part, &self.parameters)?;
                    places.push(at);
                    self.parameters.push(parameter);
                }
                for (parameter, at) in self.parameters.iter().zip(&places) {
                    let refers = parameter::refers(parameter, &self.parameters);
                    refers.map_err(|what| document.mistake(at, what))?;
                }
            }
            "parser" => self.parser = Some(word(document, &entry, &PARSERS)?),
            "path" => self.path = Some(text(document, &entry)?),
            "by" => {
                let by = document.string(&entry)?;
                let mut chars = by.chars();
                match (chars.next(), chars.next()) {
                    (Some(by), None) => self.by = Some(by),
                    _ => {
                        return Err(
                            document.mistake(&entry.value_at, "by is one character, as = or :")
                        );
                    }
                }
            }
            "header" => {
                let word = word(document, &entry, &["none", "names", "skip"])?;
                self.header = Some(match word.as_str() {
                    "names" => Header::Names,
                    "skip" => Header::Skip,
                    _ => Header::None,
                });
            }
            "pattern" => {
                let pattern = text(document, &entry)?;
                if let Err(error) = regex::Regex::new(&pattern) {
                    let what = format!("pattern: {}", filter::fault(&error));
                    return Err(document.mistake(&entry.value_at, what));
                }
                self.pattern = Some(pattern);
            }
            "widths" => {
                let widths = document.numbers(&entry)?.into_iter().map(usize::try_from);
                let wrong =
                    |_| document.mistake(&entry.value_at, "widths are numbers of characters");
                self.widths = Some(widths.collect::<Result<_, _>>().map_err(wrong)?);
            }
            "key" => self.key = document.strings(&entry)?,
            "columns" => {
                for (at, entries) in document.tables(entry)? {
                    let column = column(document, &at, entries)?;
                    if self.columns.iter().any(|other| other.name == column.name)
                        || GIVEN.iter().any(|(name, _)| *name == column.name)
                    {
                        let what = format!("there is a column {} already", column.name);
                        return Err(document.mistake(&at, what));
                    }
                    self.columns.push(column);
                }
            }
            "name" => {
                let what = "a query is called as its file, and has no key name";
                return Err(document
                    .mistake(&entry.key_at, what)
                    .hint("rename the file"));
            }
            unknown => {
                let what = format!("unknown key {}", unknown.escape_debug());
                return Err(document.mistake(&entry.key_at, what).meant(unknown, KEYS));
            }
        }
        Ok(())
    }

    /// Objects whose keys are the columns.
    fn open(&self, query: &str) -> Result<Shape, String> {
        let said = [
            ("path", self.path.is_some()),
            ("by", self.by.is_some()),
            ("header", self.header.is_some()),
            ("pattern", self.pattern.is_some()),
            ("widths", self.widths.is_some()),
            ("columns", !self.columns.is_empty()),
        ];
        if let Some((key, _)) = said.iter().find(|(_, said)| *said) {
            return Err(format!(
                "{key} means nothing to the parser objects: its columns are what keys there are"
            ));
        }
        Ok(Shape {
            key: self.key.clone(),
            ..Shape::open(query)
        })
    }

    /// How output is read, if the file says it; or what it lacks.
    fn shape(&mut self, query: &str) -> Result<Option<Shape>, String> {
        let Some(word) = self.parser.take() else {
            return match self.columns.first() {
                Some(column) => Err(format!(
                    "column {} needs a parser: {}",
                    column.name,
                    PARSERS.join(", ")
                )),
                None => Ok(None),
            };
        };
        if word == "objects" {
            return self.open(query).map(Some);
        }
        let header = |or| self.header.unwrap_or(or);
        let parser = match word.as_str() {
            "json" => {
                let path = self.path.take().unwrap_or_default();
                let names = path.split('.').filter(|name| !name.is_empty());
                Parser::Json {
                    path: names.map(str::to_string).collect(),
                }
            }
            "json-lines" => Parser::JsonLines,
            "csv" => Parser::Csv {
                header: header(Header::Names),
            },
            "tsv" => Parser::Tsv {
                header: header(Header::None),
            },
            "pairs" => Parser::Pairs {
                by: self.by.take().unwrap_or('='),
            },
            "words" => Parser::Words {
                header: header(Header::None),
            },
            "widths" => Parser::Widths {
                header: header(Header::None),
                widths: self
                    .widths
                    .take()
                    .ok_or("widths need widths, as in [8, 20]")?,
            },
            "regex" => Parser::Regex {
                pattern: self
                    .pattern
                    .take()
                    .ok_or("regex needs a pattern with named groups")?,
            },
            _ => Parser::Lines,
        };
        // What was not taken says something about another parser.
        let left = [
            ("path", self.path.is_some()),
            ("by", self.by.is_some()),
            ("widths", self.widths.is_some()),
            ("pattern", self.pattern.is_some()),
        ];
        if let Some((key, _)) = left.iter().find(|(_, left)| *left) {
            return Err(format!("{key} means nothing to the parser {word}"));
        }
        if self.columns.is_empty() {
            return Err("a parser needs columns: [[columns]] with a name each".to_string());
        }
        let names: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        if let Some(unknown) = self.key.iter().find(|key| !names.contains(&key.as_str())) {
            return Err(format!("key names {unknown}, which is no column"));
        }
        let volatile = |column: &&Column| column.constancy == Constancy::Volatile;
        if let Some(column) =
            (self.columns.iter().filter(volatile)).find(|column| self.key.contains(&column.name))
        {
            return Err(format!(
                "column {} is volatile, and rows are not found again by it: take it out of key",
                column.name
            ));
        }
        let shape = Shape {
            query: query.to_string(),
            parser,
            columns: std::mem::take(&mut self.columns),
            key: std::mem::take(&mut self.key),
            also: Also::Nothing,
        };
        Reading::new(&shape)?;
        Ok(Some(shape))
    }
}

fn column(
    document: Document<'_>,
    at: &std::ops::Range<usize>,
    entries: Vec<Entry<'_>>,
) -> Result<Column, Mistake> {
    let mut column = Column::default();
    for entry in entries {
        match entry.key.as_str() {
            "name" => {
                column.name = text(document, &entry)?;
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if !column.name.chars().all(plain)
                    || column.name.starts_with(|c: char| c.is_ascii_digit())
                {
                    let what = "the name of a column is made of letters, digits and _";
                    return Err(document.mistake(&entry.value_at, what));
                }
            }
            "type" => {
                let word = word(document, &entry, &Kind::ALL.map(Kind::word))?;
                let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
                column.kind = kind.unwrap_or_default();
            }
            "unit" => column.unit = Some(text(document, &entry)?),
            "from" => column.from = Some(text(document, &entry)?),
            "width" => {
                let wrong = |_| document.mistake(&entry.value_at, "width is a number of cells");
                let width = usize::try_from(document.number(&entry)?).map_err(wrong)?;
                column.width = Some(width);
            }
            "volatile" => {
                if document.truth(&entry)? {
                    column.constancy = Constancy::Volatile;
                }
            }
            "doc" => column.doc = text(document, &entry)?,
            unknown => {
                let what = format!("unknown key {} of a column", unknown.escape_debug());
                return Err(document.mistake(&entry.key_at, what).meant(unknown, COLUMN));
            }
        }
    }
    if column.name.is_empty() {
        return Err(document.mistake(at, "a column needs a name"));
    }
    Ok(column)
}

/// One of these words.
pub(super) fn word(
    document: Document<'_>,
    entry: &Entry<'_>,
    known: &[&str],
) -> Result<String, Mistake> {
    let word = text(document, entry)?;
    if known.contains(&word.as_str()) {
        return Ok(word);
    }
    let what = format!("{} cannot be {}", entry.key, word.escape_debug());
    Err(document
        .mistake(&entry.value_at, what)
        .meant(&word, known.iter().copied()))
}

/// A text with something in it.
pub(super) fn text(document: Document<'_>, entry: &Entry<'_>) -> Result<String, Mistake> {
    let text = document.string(entry)?;
    if text.trim().is_empty() {
        return Err(document.mistake(&entry.value_at, format!("{} is empty", entry.key)));
    }
    Ok(text)
}

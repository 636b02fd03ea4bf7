//! TOML with the place of each value, for mistakes that name the file, the line and what was probably meant.
//!
//! What keys, themes and queries share.  Settings are read through serde, and the inventory has kinds of problems of its own.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::targets::nearest;

/// Where something that is configured comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    BuiltIn,
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Something is wrong in a file.  `Display` is one sentence that begins with the file and the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub origin: Origin,
    /// Counted from 1; `None` where the file as a whole is meant.
    pub line: Option<usize>,
    pub what: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

impl Mistake {
    /// Of a file as a whole.
    pub(super) fn of_file(path: &Path, what: impl Into<String>) -> Self {
        Self {
            origin: Origin::File(path.to_path_buf()),
            line: None,
            what: what.into(),
            hint: None,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// With the name among `known` that is nearest to `name`, or else all there are.
    pub(super) fn meant<'a>(
        self,
        name: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        let hint = nearest(name, known.clone()).map_or_else(
            || {
                let known: Vec<&str> = known.into_iter().collect();
                format!("known here: {}", known.join(", "))
            },
            |near| format!("did you mean {near}?"),
        );
        self.hint(hint)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Mistake {}

/// The text of a file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, Mistake> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Mistake::of_file(path, format!("cannot be read: {error}"))),
    }
}

/// A file's text, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) origin: &'a Origin,
}

impl<'a> Document<'a> {
    /// The keys and values of the whole file, in its order.
    pub(super) fn entries(self) -> Result<Vec<Entry<'a>>, Mistake> {
        let root = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            self.mistake(&at, error.message().trim_end().replace('\n', ", "))
        })?;
        Ok(in_order(root.into_inner()))
    }

    /// The keys and values of a table, in the order of the file.
    pub(super) fn table(self, entry: Entry<'a>) -> Result<Vec<Entry<'a>>, Mistake> {
        match entry.value {
            DeValue::Table(table) => Ok(in_order(table)),
            value => Err(self.wrong_type(&entry.key, &entry.value_at, "a table", &value)),
        }
    }

    pub(super) fn string(self, entry: &Entry<'a>) -> Result<String, Mistake> {
        match &entry.value {
            DeValue::String(text) => Ok(text.to_string()),
            value => Err(self.wrong_type(&entry.key, &entry.value_at, "a string", value)),
        }
    }

    pub(super) fn number(self, entry: &Entry<'a>) -> Result<i32, Mistake> {
        let DeValue::Integer(number) = &entry.value else {
            return Err(self.wrong_type(
                &entry.key,
                &entry.value_at,
                "a whole number",
                &entry.value,
            ));
        };
        i32::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| self.mistake(&entry.value_at, format!("{}: too large", entry.key)))
    }

    /// A list of whole numbers.
    pub(super) fn numbers(self, entry: &Entry<'a>) -> Result<Vec<i32>, Mistake> {
        let wrong = |at: &Range<usize>, value: &DeValue<'_>| {
            self.wrong_type(&entry.key, at, "a list of whole numbers", value)
        };
        let DeValue::Array(items) = &entry.value else {
            return Err(wrong(&entry.value_at, &entry.value));
        };
        let number = |item: &Spanned<DeValue<'_>>| {
            let DeValue::Integer(number) = item.get_ref() else {
                return Err(wrong(&item.span(), item.get_ref()));
            };
            i32::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| self.mistake(&item.span(), format!("{}: too large", entry.key)))
        };
        items.iter().map(number).collect()
    }

    /// A list of strings.
    pub(super) fn strings(self, entry: &Entry<'a>) -> Result<Vec<String>, Mistake> {
        let wrong = |at: &Range<usize>, value: &DeValue<'_>| {
            self.wrong_type(&entry.key, at, "a list of strings", value)
        };
        let DeValue::Array(items) = &entry.value else {
            return Err(wrong(&entry.value_at, &entry.value));
        };
        let string = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            value => Err(wrong(&item.span(), value)),
        };
        items.iter().map(string).collect()
    }

    pub(super) fn truth(self, entry: &Entry<'a>) -> Result<bool, Mistake> {
        match &entry.value {
            DeValue::Boolean(truth) => Ok(*truth),
            value => Err(self.wrong_type(&entry.key, &entry.value_at, "true or false", value)),
        }
    }

    /// The tables under one key, `[[key]]`, each with where it stands and its keys and values.
    pub(super) fn tables(self, entry: Entry<'a>) -> Result<Vec<Part<'a>>, Mistake> {
        let wrong = |at: &Range<usize>, value: &DeValue<'_>| {
            self.wrong_type(
                &entry.key,
                at,
                "tables, each under its own heading in double brackets",
                value,
            )
        };
        let DeValue::Array(items) = entry.value else {
            return Err(wrong(&entry.value_at, &entry.value));
        };
        let table = |item: Spanned<DeValue<'a>>| {
            let at = item.span();
            match item.into_inner() {
                DeValue::Table(table) => Ok((at, in_order(table))),
                value => Err(wrong(&at, &value)),
            }
        };
        items.into_iter().map(table).collect()
    }

    pub(super) fn mistake(self, at: &Range<usize>, what: impl Into<String>) -> Mistake {
        Mistake {
            origin: self.origin.clone(),
            line: Some(self.line_of(at)),
            what: what.into(),
            hint: None,
        }
    }

    /// Counted from 1.
    pub(super) fn line_of(self, at: &Range<usize>) -> usize {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        before.bytes().filter(|&byte| byte == b'\n').count() + 1
    }

    pub(super) fn wrong_type(
        self,
        key: &str,
        at: &Range<usize>,
        expected: &str,
        value: &DeValue<'_>,
    ) -> Mistake {
        let found = match value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let what = format!("{} is {found}, but must be {expected}", key.escape_debug());
        self.mistake(at, what)
    }
}

/// A table, and where it stands.
pub(super) type Part<'a> = (Range<usize>, Vec<Entry<'a>>);

/// A key with its value, and where both stand, in bytes.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) key_at: Range<usize>,
    pub(super) value: DeValue<'a>,
    pub(super) value_at: Range<usize>,
}

fn in_order(table: DeTable<'_>) -> Vec<Entry<'_>> {
    let entry = |(key, value): (Spanned<DeString<'_>>, Spanned<_>)| {
        let (key_at, value_at) = (key.span(), value.span());
        Entry {
            key: key.into_inner().into_owned(),
            key_at,
            value: value.into_inner(),
            value_at,
        }
    };
    let mut entries: Vec<_> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.key_at.start);
    entries
}

/// Whether this can be the name of something that has a file of its own.
pub(super) fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(fine)
}

/// The files NAME.toml in a directory, by name; none where there is no directory.  Other files are left alone, and so are
/// hidden ones: editors leave theirs there.
pub(super) fn named_files(directory: &Path) -> Result<Vec<(String, PathBuf)>, Mistake> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let what = format!("cannot be read: {error}");
            return Err(Mistake::of_file(directory, what));
        }
    };
    let named = |path: PathBuf| {
        let name = path.file_name()?.to_string_lossy();
        let name = name
            .strip_suffix(".toml")
            .filter(|name| !name.starts_with('.'))?;
        Some((name.to_string(), path.clone()))
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| named(entry.path()))
        .collect();
    files.sort();
    Ok(files)
}

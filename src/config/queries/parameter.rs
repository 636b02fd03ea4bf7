//! What can be set of a query when it is run.
//!
//! A value reaches the script as an exported variable: it is written before the script between single quotes, in which a
//! shell reads nothing, and is never part of the script's own text; before one of PowerShell's, as PowerShell has it.  That of a secret is not known here: it travels beside
//! the job (`runner/secrets`).

use std::fmt::Write as _;

use regex::Regex;

use super::read::{text, word};
use crate::config::document::{Document, Mistake, Part};
use crate::results::Kind;
use crate::results::filter;
use crate::results::value::read::Reader;
use crate::targets::nearest;

/// The keys of a parameter.
const KEYS: [&str; 7] = [
    "name", "doc", "default", "type", "pattern", "choices", "secret",
];

/// A parameter: what values it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// In small letters, so that it is no variable that means something to the shell.
    pub name: String,
    pub doc: String,
    /// Without one it has to be given.
    pub default: Option<String>,
    pub kind: Kind,
    /// What the whole value has to match.
    pub pattern: Option<String>,
    /// What there is to choose from; everything where this is empty.
    pub choices: Vec<String>,
    pub secrecy: Secrecy,
}

/// Who may know the value of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrecy {
    /// Everybody: it is typed, stored and shown with the job.
    #[default]
    Open,
    /// The script alone.  It is text of any form: nothing about it is written in the file.
    Secret,
}

impl Parameter {
    /// Why a value cannot be this parameter's.
    fn check(&self, value: &str) -> Result<(), String> {
        let Self { name, kind, .. } = self;
        if value.contains('\0') {
            return Err(format!("{name} holds a NUL character"));
        }
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == value) {
            return Err(format!(
                "{name} cannot be {value:?}; it is one of {}",
                self.choices.join(", ")
            ));
        }
        if let Some(pattern) = &self.pattern
            && !whole(pattern)?.is_match(value)
        {
            return Err(format!(
                "{name} cannot be {value:?}; it has to match {pattern}"
            ));
        }
        let read = Reader::new(*kind, None).map(|reader| reader.read(value));
        if *kind != Kind::Text && !matches!(read, Ok(Some(_))) {
            return Err(format!(
                "{name} cannot be {value:?}; it is of kind {}",
                kind.word()
            ));
        }
        Ok(())
    }
}

fn whole(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
        .map_err(|error| format!("pattern: {}", filter::fault(&error)))
}

/// One parameter of a file; `others` stand before it.
pub(super) fn read(
    document: Document<'_>,
    (at, entries): Part<'_>,
    others: &[Parameter],
) -> Result<Parameter, Mistake> {
    let mut parameter = Parameter::default();
    for entry in entries {
        match entry.key.as_str() {
            "name" => {
                parameter.name = text(document, &entry)?;
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if !parameter.name.chars().all(plain)
                    || !parameter.name.starts_with(|c: char| c.is_ascii_lowercase())
                {
                    let what = "the name of a parameter is made of small letters, digits and _";
                    return Err(document.mistake(&entry.value_at, what));
                }
                if others.iter().any(|other| other.name == parameter.name) {
                    let what = format!("there is a parameter {} already", parameter.name);
                    return Err(document.mistake(&entry.value_at, what));
                }
            }
            "doc" => parameter.doc = text(document, &entry)?,
            "default" => parameter.default = Some(document.string(&entry)?),
            "type" => {
                let word = word(document, &entry, &Kind::ALL.map(Kind::word))?;
                let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
                parameter.kind = kind.unwrap_or_default();
            }
            "pattern" => {
                let pattern = text(document, &entry)?;
                whole(&pattern).map_err(|what| document.mistake(&entry.value_at, what))?;
                parameter.pattern = Some(pattern);
            }
            "choices" => parameter.choices = document.strings(&entry)?,
            "secret" => {
                if document.truth(&entry)? {
                    parameter.secrecy = Secrecy::Secret;
                }
            }
            unknown => {
                let what = format!("unknown key {} of a parameter", unknown.escape_debug());
                return Err(document.mistake(&entry.key_at, what).meant(unknown, KEYS));
            }
        }
    }
    if parameter.name.is_empty() {
        return Err(document.mistake(&at, "a parameter needs a name"));
    }
    if parameter.secrecy == Secrecy::Secret {
        let said = [
            ("default", parameter.default.is_some()),
            ("type", parameter.kind != Kind::Text),
            ("pattern", parameter.pattern.is_some()),
            ("choices", !parameter.choices.is_empty()),
        ];
        if let Some((key, _)) = said.iter().find(|(_, said)| *said) {
            let what =
                format!("a secret has no {key}: it is asked for, and goes to the script as it is");
            return Err(document.mistake(&at, what));
        }
    }
    if let Some(default) = &parameter.default {
        parameter
            .check(default)
            .map_err(|what| document.mistake(&at, format!("default: {what}")))?;
    }
    Ok(parameter)
}

/// Defaults are text as it stands and refer to nothing; what looks like another parameter in one is a mistake.
pub(super) fn refers(parameter: &Parameter, all: &[Parameter]) -> Result<(), String> {
    let default = parameter.default.as_deref().unwrap_or_default();
    for (at, _) in default.match_indices('$') {
        let after = &default[at + 1..];
        let after = after.strip_prefix('{').unwrap_or(after);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &after[..end.unwrap_or(after.len())];
        if all.iter().any(|other| other.name == name) {
            return Err(format!(
                "default: it is text as it stands, and cannot refer to the parameter {name}; \
                 the script can: ${{{}:-...}}",
                parameter.name
            ));
        }
    }
    Ok(())
}

/// What each parameter is that is no secret; an error if one is missing, unknown, or cannot be what was given.
pub(super) fn values<'a>(
    query: &str,
    parameters: &'a [Parameter],
    given: &'a [(String, String)],
) -> Result<Vec<(&'a str, &'a str)>, String> {
    let names = || parameters.iter().map(|parameter| parameter.name.as_str());
    for (name, _) in given {
        if !names().any(|known| known == name) {
            let hint = match nearest(name, names()) {
                Some(near) => format!("did you mean {near}?"),
                None if parameters.is_empty() => "it has none".to_string(),
                None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(format!("{query} has no parameter {name}; {hint}"));
        }
    }
    let secret = |parameter: &&Parameter| parameter.secrecy == Secrecy::Secret;
    if let Some(parameter) = (parameters.iter().filter(secret))
        .find(|parameter| given.iter().any(|(name, _)| *name == parameter.name))
    {
        let name = &parameter.name;
        return Err(format!(
            "{name} is a secret, and others can read command lines: leave it out to be asked for it, \
             or give --secret {name}=env:VARIABLE, {name}=file:PATH or {name}=stdin"
        ));
    }
    let mut values = Vec::new();
    for parameter in parameters.iter().filter(|parameter| !secret(parameter)) {
        // The last one given counts, as of other options.
        let given = given.iter().rev().find(|(name, _)| *name == parameter.name);
        let value = given.map(|(_, value)| value).or(parameter.default.as_ref());
        let name = &parameter.name;
        let value = value
            .ok_or_else(|| format!("{query} needs a {name}; give it with --param {name}=..."))?;
        parameter.check(value)?;
        values.push((name.as_str(), value.as_str()));
    }
    Ok(values)
}

/// The lines that set them for a script for sh.
pub(super) fn assignments(values: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (name, value) in values {
        _ = writeln!(lines, "{name}={}\nexport {name}", quoted(value));
    }
    lines
}

/// A word of the shell's that is this text.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

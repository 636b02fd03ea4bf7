//! Named queries: one file each, compiled in or in one of the directories of the [`SearchPath`]; later ones win by name.
//!
//! A query is what is run and how long it may take; nothing here runs it or reads its output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::{self, Document, Entry, Mistake, Origin, is_name, named_files};
use crate::command::duration::parse_duration;
use crate::core::spec::Payload;

/// How long a query may take on a host unless it says otherwise: it looks, and looking is quick.
const TIMEOUT: Duration = Duration::from_secs(60);

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../config/queries/", $name, ".toml")))),+]
    };
}

/// The queries that are compiled in; they only look.
const BUILT_IN: [(&str, &str); 12] = built_in![
    "disks",
    "kernel",
    "listeners",
    "load",
    "logins",
    "memory",
    "os",
    "reboot-required",
    "services",
    "time",
    "updates",
    "uptime",
];

/// A named query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The name of its file.
    pub name: String,
    /// What it asks, in one line.
    pub doc: String,
    pub payload: Payload,
    /// The hosts it is meant for, if any in particular.
    pub targets: Option<String>,
    pub timeout: Duration,
    /// Exit codes that are fine.
    pub ok_exit: Vec<i32>,
    pub origin: Origin,
}

/// Where queries are looked for beside those that are compiled in, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath(pub Vec<PathBuf>);

impl SearchPath {
    /// /etc/regatta/queries, `queries` in the user's configuration directory, .regatta/queries in the current one.
    pub fn usual(directory: Option<&Path>) -> Self {
        let own = directory.map(|directory| directory.join("queries"));
        let system = PathBuf::from("/etc/regatta/queries");
        let project = PathBuf::from(".regatta/queries");
        Self(
            [Some(system), own, Some(project)]
                .into_iter()
                .flatten()
                .collect(),
        )
    }
}

/// All queries by name, and what is wrong with those that could not be read: one bad file hides no other.
pub fn load(path: &SearchPath) -> (Vec<Query>, Vec<Mistake>) {
    let mut queries = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (name, text) in BUILT_IN {
        match read(name, text, Origin::BuiltIn) {
            Ok(query) => _ = queries.insert(query.name.clone(), query),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    for directory in &path.0 {
        let files = named_files(directory).unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            Vec::new()
        });
        for (name, file) in files {
            let text = match document::read(&file) {
                Ok(Some(text)) => text,
                // It was removed between the two looks.
                Ok(None) => continue,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            match read(&name, &text, Origin::File(file)) {
                Ok(query) => _ = queries.insert(name, query),
                Err(wrong) => mistakes.extend(wrong),
            }
        }
    }
    (queries.into_values().collect(), mistakes)
}

/// The keys of a query's file.
const KEYS: [&str; 6] = ["doc", "command", "script", "targets", "timeout", "ok_exit"];

fn read(name: &str, text: &str, origin: Origin) -> Result<Query, Vec<Mistake>> {
    let document = Document {
        text,
        origin: &origin,
    };
    let mut said = Said::default();
    let mut mistakes = Vec::new();
    for entry in document.entries().map_err(|mistake| vec![mistake])? {
        if let Err(mistake) = said.take(document, &entry) {
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
    let Some(doc) = said.doc else {
        return needs("a query needs a doc: what it asks, in one line");
    };
    let payload = match (said.command, said.script) {
        (Some(command), None) => Payload::Command(command),
        (None, Some(text)) => Payload::Script {
            name: name.to_string(),
            interpreter: "sh".to_string(),
            text,
        },
        (None, None) => return needs("a query needs a command or a script"),
        (Some(_), Some(_)) => return needs("a query has a command or a script, not both"),
    };
    Ok(Query {
        name: name.to_string(),
        doc,
        payload,
        targets: said.targets,
        timeout: said.timeout.unwrap_or(TIMEOUT),
        ok_exit: said.ok_exit.unwrap_or_else(|| vec![0]),
        origin,
    })
}

/// What a file says.
#[derive(Default)]
struct Said {
    doc: Option<String>,
    command: Option<String>,
    script: Option<String>,
    targets: Option<String>,
    timeout: Option<Duration>,
    ok_exit: Option<Vec<i32>>,
}

impl Said {
    fn take(&mut self, document: Document<'_>, entry: &Entry<'_>) -> Result<(), Mistake> {
        match entry.key.as_str() {
            "doc" => self.doc = Some(text(document, entry)?),
            "command" => self.command = Some(text(document, entry)?),
            "script" => self.script = Some(text(document, entry)?),
            "targets" => self.targets = Some(text(document, entry)?),
            "timeout" => {
                let timeout = parse_duration(&text(document, entry)?);
                let wrong = |error| document.mistake(&entry.value_at, format!("timeout: {error}"));
                self.timeout = Some(timeout.map_err(wrong)?);
            }
            "ok_exit" => self.ok_exit = Some(document.numbers(entry)?),
            unknown => {
                let what = format!("unknown key {}", unknown.escape_debug());
                return Err(document.mistake(&entry.key_at, what).meant(unknown, KEYS));
            }
        }
        Ok(())
    }
}

/// A text with something in it.
fn text(document: Document<'_>, entry: &Entry<'_>) -> Result<String, Mistake> {
    let text = document.string(entry)?;
    if text.trim().is_empty() {
        return Err(document.mistake(&entry.value_at, format!("{} is empty", entry.key)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;

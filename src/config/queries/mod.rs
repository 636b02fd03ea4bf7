//! Named queries: one file each, compiled in or in one of the directories of the [`SearchPath`]; later ones win by name.
//!
//! A query is what is run, how long it may take, and how its output is read as rows; nothing here runs it or reads what
//! it wrote.  `config/queries/uptime.toml` is the reference of the format.

mod parameter;
mod platform;
pub mod powershell;
mod read;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use parameter::{Parameter, Secrecy};

use super::document::{self, Mistake, Origin, named_files};
use crate::core::spec::{Payload, Withheld};
use crate::results::Shape;
use read::read;

/// How long a query may take on a host unless it says otherwise: it looks, and looking is quick.
const TIMEOUT: Duration = Duration::from_secs(60);

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../config/queries/", $name, ".toml")))),+]
    };
}

/// The queries that are compiled in; they only look.
const BUILT_IN: [(&str, &str); 28] = built_in![
    "addresses",
    "bios",
    "certificates",
    "containers",
    "cpu",
    "cron",
    "disks",
    "filesystems",
    "interfaces",
    "kernel",
    "kernel-messages",
    "listeners",
    "load",
    "logins",
    "memory",
    "mounts",
    "os",
    "osquery",
    "packages",
    "processes",
    "reboot-required",
    "routes",
    "services",
    "ssh-keys",
    "time",
    "updates",
    "uptime",
    "users",
];

/// A named query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The name of its file.
    pub name: String,
    /// What it asks, in one line.
    pub doc: String,
    pub payload: Payload,
    /// The kinds of computers that it has a text for, in words.
    pub platforms: Vec<&'static str>,
    /// The hosts it is meant for, if any in particular.
    pub targets: Option<String>,
    pub timeout: Duration,
    /// Exit codes that are fine.
    pub ok_exit: Vec<i32>,
    pub effect: Effect,
    pub parameters: Vec<Parameter>,
    /// How its output is read as rows; a query without columns has text.
    pub shape: Option<Shape>,
    /// Its file, as it is.
    pub text: String,
    pub origin: Origin,
    /// Where others of its name are that it takes the place of, the last one first.
    pub hides: Vec<Origin>,
}

/// What a query does to its hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it may run anywhere.
    #[default]
    Looks,
    /// It changes something, and is asked about first; see [`crate::core::spec::Above`].
    Writes,
}

impl Query {
    /// What its script needs and is asked for.
    pub fn withheld(&self) -> Vec<Withheld> {
        let secret = |parameter: &&Parameter| parameter.secrecy == Secrecy::Secret;
        let withheld = |parameter: &Parameter| Withheld {
            name: parameter.name.clone(),
            doc: parameter.doc.clone(),
        };
        let parameters = self.parameters.iter();
        parameters.filter(secret).map(withheld).collect()
    }

    /// What runs with these parameters: each has its value, and its default where it is not named.
    pub fn payload(&self, given: &[(String, String)]) -> Result<Payload, String> {
        let values = parameter::values(&self.name, &self.parameters, given)?;
        Ok(match &self.payload {
            Payload::Script {
                name,
                interpreter,
                text,
                powershell,
            } => Payload::Script {
                name: name.clone(),
                interpreter: interpreter.clone(),
                text: format!("{}{text}", parameter::assignments(&values)),
                powershell: powershell
                    .as_ref()
                    .map(|text| format!("{}{text}", powershell::assignments(&values))),
            },
            // A command has no parameters.
            Payload::Command(line) => Payload::Command(line.clone()),
        })
    }
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
        if let (Some(mistake), false) = (foreign(directory), files.is_empty()) {
            mistakes.push(mistake);
            continue;
        }
        for (name, file) in files {
            if let Some(mistake) = foreign(&file) {
                mistakes.push(mistake);
                continue;
            }
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
                Ok(mut query) => {
                    if let Some(hidden) = queries.remove(&name) {
                        query.hides = [vec![hidden.origin], hidden.hides].concat();
                    }
                    queries.insert(name, query);
                }
                Err(wrong) => mistakes.extend(wrong),
            }
        }
    }
    (queries.into_values().collect(), mistakes)
}

/// What runs on a fleet is not taken from where anybody could have put it, as into a working directory under `/tmp`: it
/// belongs to who asks or to root, and not everybody may write it.
fn foreign(path: &Path) -> Option<Mistake> {
    let meta = fs::metadata(path).ok()?;
    let what = if ![0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) {
        "belongs to another user, so no query is taken from it"
    } else if meta.mode() & 0o002 != 0 {
        "can be written by everybody, so no query is taken from it"
    } else {
        return None;
    };
    let hint = "make it yours alone (chown, chmod o-w) if you trust what is in it";
    Some(Mistake::of_file(path, what).hint(hint))
}

#[cfg(test)]
mod tests;

//! What simulated computers answer to the queries that are compiled in.
//!
//! The scripts of these are more than the simulated shell can do: they are known by their text and answered by what they
//! mean, in the form they write.  What a computer says follows from its number, and is the same each time but for what
//! passes with time.

mod activity;
mod machine;
mod software;

use std::fmt::Display;
use std::sync::LazyLock;

use super::computer::Computer;
use crate::config::queries::{self, Query, SearchPath};
use crate::core::spec::Payload;

/// What a query's script writes on a computer.
type Answer = fn(&Computer) -> String;

/// The queries that have an answer.
const ANSWERS: [(&str, Answer); 18] = [
    ("addresses", activity::addresses),
    ("bios", machine::bios),
    ("cpu", machine::cpu),
    ("disks", machine::disks),
    ("filesystems", machine::filesystems),
    ("kernel", machine::kernel),
    ("listeners", activity::listeners),
    ("load", machine::load),
    ("memory", machine::memory),
    ("os", machine::os),
    ("packages", software::packages),
    ("processes", activity::processes),
    ("reboot-required", software::reboot_required),
    ("services", software::services),
    ("time", machine::time),
    ("updates", software::updates),
    ("uptime", machine::uptime),
    ("users", activity::users),
];

/// A query that is compiled in and has no answer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer<'a>(&'a str);

impl Display for NoAnswer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the demo has no answer to the query {}", self.0)
    }
}

static BUILT_IN: LazyLock<Vec<Query>> = LazyLock::new(|| queries::load(&SearchPath(Vec::new())).0);

/// What a computer answers to the script of a query; nothing if the text is no such script.
pub(super) fn answer(computer: &Computer, text: &str) -> Option<Result<String, NoAnswer<'static>>> {
    let query = BUILT_IN.iter().find(|query| is_script_of(query, text))?;
    let known = ANSWERS.iter().find(|(name, _)| *name == query.name);
    Some(match known {
        Some((_, answer)) => Ok(answer(computer)),
        None => Err(NoAnswer(&query.name)),
    })
}

/// Parameters stand before a script; beyond them it has to be the query's own, letter for letter.
fn is_script_of(query: &Query, text: &str) -> bool {
    match &query.payload {
        Payload::Script { text: own, .. } if query.parameters.is_empty() => {
            text.trim_end() == own.trim_end()
        }
        Payload::Script { text: own, .. } => text.trim_end().ends_with(own.trim_end()),
        Payload::Command(_) => false,
    }
}

/// Fields with tabs between them.
fn row(fields: &[&dyn Display]) -> String {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    fields.join("\t") + "\n"
}

/// A number of tenths as a decimal.
fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

#[cfg(test)]
mod tests;

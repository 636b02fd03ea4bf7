//! `audit`: who had what done on which hosts, and what came of it, read from the log itself.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use jiff::{Timestamp, Zoned};
use serde_json::Value;

use super::context::Context;
use super::error::{CliError, Exit};
use super::when;
use crate::command::Audit;
use crate::targets::{Groups, NoSource, Targets};
use crate::view::count::{Noun, agreeing, counted};
use crate::view::text::harmless;

pub(super) fn audit(context: &Context, args: &Audit) -> Result<Exit, CliError> {
    let filter = Filter::new(args)?;
    let path = Context::place()?.audit();
    let cannot = |error: io::Error| {
        CliError::failed(format!("cannot read {}: {error}", path.display()))
            .hint("`regatta doctor` looks at modes and owners")
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            context.note(&format!("nothing was noted yet in {}", path.display()));
            return Ok(Exit::Done);
        }
        Err(error) => return Err(cannot(error)),
    };
    let found = read(BufReader::new(file), &filter, args.limit).map_err(cannot)?;
    let mut out = io::stdout().lock();
    for entry in &found.newest {
        if context.global.json {
            context.terminal.json(&mut out, &entry.value)?;
        } else {
            writeln!(out, "{}", harmless(entry.line().as_bytes()))?;
        }
    }
    out.flush()?;
    if found.damaged > 0 {
        let (lines, path) = (counted(found.damaged, Noun::Line), path.display());
        Context::warn(&format!("{lines} of {path} cannot be read"));
    }
    if found.left_out > 0 {
        context.note(&format!(
            "{} {} too; --limit shows more",
            counted(found.left_out, Noun::OlderEntry),
            agreeing(found.left_out, "matches", "match"),
        ));
    }
    Ok(Exit::Done)
}

/// What was found.
struct Found {
    /// The newest of what matches, in the order they were written.
    newest: VecDeque<Entry>,
    /// How many matches are older than those.
    left_out: usize,
    /// Lines that are no entries.
    damaged: usize,
}

fn read(mut log: impl BufRead, filter: &Filter, limit: usize) -> io::Result<Found> {
    let mut found = Found {
        newest: VecDeque::new(),
        left_out: 0,
        damaged: 0,
    };
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line)? > 0 {
        match Entry::parse(&line) {
            Some(entry) if filter.takes(&entry) => {
                found.newest.push_back(entry);
                if found.newest.len() > limit {
                    found.newest.pop_front();
                    found.left_out += 1;
                }
            }
            Some(_) => {}
            None => found.damaged += 1,
        }
        line.clear();
    }
    Ok(found)
}

/// One line of the log.
struct Entry {
    time: Timestamp,
    value: Value,
}

impl Entry {
    fn parse(line: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(line).ok()?;
        let time = value["time"].as_str()?.parse().ok()?;
        value["what"].as_str()?;
        Some(Self { time, value })
    }

    fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    /// The hosts the entry names, as folded sets.
    fn hosts(&self) -> impl Iterator<Item = &str> {
        let results = self.value["results"].as_array().into_iter().flatten();
        let results = results.filter_map(|result| result["hosts"].as_str());
        self.value["hosts"].as_str().into_iter().chain(results)
    }

    /// The job's id, where it means something beyond the command that ran it.
    fn job(&self) -> Option<u64> {
        let passing = self.value["no_daemon"].as_bool().unwrap_or_default();
        self.value["job"].as_u64().filter(|_| !passing)
    }

    /// For people.
    fn line(&self) -> String {
        let local = self.time.to_zoned(jiff::tz::TimeZone::system());
        let mut parts = vec![local.strftime("%Y-%m-%d %H:%M:%S").to_string()];
        parts.extend(self.who());
        parts.push(self.text("what").to_string());
        if let Some(job) = self.value["job"].as_u64() {
            parts.push(match self.job() {
                Some(_) => format!("job {job}"),
                None => format!("job {job} (no daemon)"),
            });
        }
        let results = self.value["results"].as_array();
        match results {
            Some(results) => parts.push(results.iter().map(result).collect::<Vec<_>>().join("; ")),
            None => parts.extend(self.value["hosts"].as_str().map(str::to_string)),
        }
        parts.extend(self.details());
        if results.is_none() {
            parts.extend(self.value["command"].as_str().map(str::to_string));
        }
        parts.join("  ")
    }

    fn who(&self) -> Option<String> {
        let who = &self.value["who"];
        let user = who["user"].as_str()?;
        let more = [
            who["sudo"].as_str().map(|sudo| format!("sudo by {sudo}")),
            who["from"].as_str().map(|from| format!("from {from}")),
        ];
        let more: Vec<String> = more.into_iter().flatten().collect();
        Some(if more.is_empty() {
            user.to_string()
        } else {
            format!("{user} ({})", more.join(", "))
        })
    }

    /// What only entries of some kinds have.
    fn details(&self) -> Vec<String> {
        let value = &self.value;
        let left = value["left"].as_array().into_iter().flatten();
        let left = left.map(|left| {
            let text = |key: &str| left[key].as_str().unwrap_or_default();
            format!("left {}: {}", text("host"), text("reason"))
        });
        [
            value["mode"].as_str().map(str::to_string),
            value["fanout"].as_u64().map(|n| format!("fanout {n}")),
            value["pinned"]
                .as_bool()
                .map(|on| if on { "on" } else { "off" }.to_string()),
            value["answer"]
                .as_str()
                .map(|answer| format!("{answer}: {}", self.text("text"))),
            value["by"].as_str().map(|by| format!("by {by}")),
            value["of"].as_u64().map(|job| format!("of job {job}")),
            value["missing"].as_u64().map(|n| {
                format!(
                    "{} before this could not be written",
                    counted(n, Noun::Entry)
                )
            }),
        ]
        .into_iter()
        .flatten()
        .chain(left)
        .collect()
    }
}

/// `web[01-11] Completed`, `web12 Failed, exit 3`
fn result(result: &Value) -> String {
    let text = |key: &str| result[key].as_str().unwrap_or_default();
    let reason = result["reason"].as_str();
    let reason = reason.map_or_else(String::new, |reason| format!(", {reason}"));
    format!("{} {}{reason}", text("hosts"), text("state"))
}

/// Which entries are shown.
struct Filter {
    words: Vec<String>,
    job: Option<u64>,
    since: Option<i64>,
    until: Option<i64>,
}

impl Filter {
    fn new(args: &Audit) -> Result<Self, CliError> {
        let now = Zoned::now();
        let time = |text: &Option<String>| {
            text.as_deref()
                .map(|text| when::parse(text, &now))
                .transpose()
        };
        Ok(Self {
            words: args.words.iter().map(|word| word.to_lowercase()).collect(),
            job: args.job,
            since: time(&args.since)?,
            until: time(&args.until)?,
        })
    }

    fn takes(&self, entry: &Entry) -> bool {
        let time = entry.time.as_millisecond();
        self.job.is_none_or(|job| entry.job() == Some(job))
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time <= until)
            && self.words.iter().all(|word| has(entry, word))
    }
}

/// Whether the word stands in the command, in what was done, or in the hosts, or is the name of one of these.
fn has(entry: &Entry, word: &str) -> bool {
    let within = |text: &str| text.to_lowercase().contains(word);
    within(entry.text("command"))
        || within(entry.text("what"))
        || entry
            .hosts()
            .any(|hosts| within(hosts) || names(hosts, word))
}

fn names(folded: &str, host: &str) -> bool {
    let set = Targets::new(&Groups::new(""), &mut NoSource).resolve(folded, None);
    set.is_ok_and(|set| set.contains(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"time":"2026-11-23T21:40:02.000+00:00","what":"run","who":{"user":"alice"},"job":7,"hosts":"web[01-12]","command":"uptime"}
{"time":"2026-11-23T21:40
{"time":"2026-11-23T21:40:03.000+00:00","what":"run","who":{"user":"alice","from":"10.0.0.7"},"job":7,"hosts":"localhost","command":"true","no_daemon":true}
{"time":"2026-11-23T21:40:04.000+00:00","what":"outcome","who":{"user":"alice"},"job":7,"hosts":"web[01-12]","results":[{"hosts":"web[01-11]","state":"Completed"},{"hosts":"web12","state":"Failed","reason":"exit 3"}]}
"#;

    fn lines(filter: &Filter, limit: usize) -> (Vec<String>, usize, usize) {
        let found = read(LOG.as_bytes(), filter, limit).expect("it is text");
        let line = |entry: &Entry| entry.line().split_once("  ").expect("a time").1.to_string();
        let lines = found.newest.iter().map(line).collect();
        (lines, found.left_out, found.damaged)
    }

    #[test]
    fn entries_are_found_by_words_hosts_and_jobs_and_read_well() {
        let all = Filter {
            words: Vec::new(),
            job: None,
            since: None,
            until: None,
        };
        let run = "alice  run  job 7  web[01-12]  uptime";
        let passing = "alice (from 10.0.0.7)  run  job 7 (no daemon)  localhost  true";
        let outcome = "alice  outcome  job 7  web[01-11] Completed; web12 Failed, exit 3";
        let lines_of = |filter: &Filter| lines(filter, 9).0;
        assert_eq!(lines_of(&all), [run, passing, outcome]);
        assert_eq!(lines(&all, 1), (vec![outcome.to_string()], 2, 1));
        let words = |words: &[&str]| Filter {
            words: words.iter().map(ToString::to_string).collect(),
            ..all
        };
        assert_eq!(lines_of(&words(&["upt"])), [run]);
        assert_eq!(lines_of(&words(&["web05"])), [run, outcome]);
        assert_eq!(lines_of(&words(&["web05", "outcome"])), [outcome]);
        assert_eq!(lines_of(&words(&["web13"])), Vec::<String>::new());
        let job = Filter {
            job: Some(7),
            words: Vec::new(),
            ..all
        };
        assert_eq!(lines_of(&job), [run, outcome]);
        let at = |text: &str| {
            text.parse::<Timestamp>()
                .map(Timestamp::as_millisecond)
                .ok()
        };
        let times = Filter {
            since: at("2026-11-23T21:40:03Z"),
            until: at("2026-11-23T21:40:03Z"),
            words: Vec::new(),
            ..all
        };
        assert_eq!(lines_of(&times), [passing]);
    }
}

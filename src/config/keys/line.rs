//! What a key's command line stands for, and the one line that explains it, taken from the clap types.
//!
//! Only as much as a keymap needs: whether the line is one the console can carry out.

use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, parser::ValueSource};

use crate::command::console::{Act, ActLine};
use crate::command::{Cli, Verb};
use crate::targets::nearest;

/// What a key does.
#[derive(Debug)]
pub enum Does {
    /// Something of the console's own.
    Act(Act),
    /// A verb of the shell; where it names no jobs, it is meant for the marks, or else for the row under the cursor.
    Verb(Box<Verb>),
}

impl Does {
    /// Whether this does something to the fleet or to jobs, or opens the bar to that end.  All else only looks.
    pub fn acts(&self) -> bool {
        match self {
            Self::Act(act) => act.acts(),
            Self::Verb(verb) => verb.acts(),
        }
    }
}

/// A line that is none, and what was probably meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoLine {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

/// The grammar of lines, built once for many.
pub(super) struct Grammar {
    acts: Command,
    verbs: Command,
}

impl Grammar {
    pub(super) fn new() -> Self {
        let without_selection = |verb: Command| {
            if verb.get_arguments().any(|arg| arg.get_id() == "select") {
                verb.mut_arg("select", |select| select.required(false))
            } else {
                verb
            }
        };
        let mut verbs = Cli::command()
            .no_binary_name(true)
            .disable_help_subcommand(true)
            .mut_subcommands(without_selection);
        verbs.build();
        let mut acts = ActLine::command();
        acts.build();
        Self { acts, verbs }
    }

    /// What a line does, and its explanation.
    pub(super) fn read(&mut self, line: &str) -> Result<(Does, String), NoLine> {
        let words = words(line)?;
        let Some(name) = words.first() else {
            return Err(NoLine {
                what: "an empty command".to_string(),
                hint: Some("write false to leave a key without one".to_string()),
            });
        };
        if self.acts.find_subcommand(name).is_some() {
            let matches = matches(&mut self.acts, &words)?;
            let act = ActLine::from_arg_matches(&matches).map_err(|error| no_line(&error))?;
            return Ok((Does::Act(act.act), explain(&self.acts, &matches)));
        }
        if self.verbs.find_subcommand(name).is_some() {
            let matches = matches(&mut self.verbs, &words)?;
            let cli = Cli::from_arg_matches(&matches).map_err(|error| no_line(&error))?;
            let doc = explain(&self.verbs, &matches);
            return Ok((Does::Verb(Box::new(cli.verb)), doc));
        }
        let known = [&self.acts, &self.verbs];
        let known = known.into_iter().flat_map(Command::get_subcommands);
        let known = known.flat_map(|command| {
            std::iter::once(command.get_name()).chain(command.get_visible_aliases())
        });
        Err(NoLine {
            what: format!("unknown command {name:?}"),
            hint: nearest(name, known).map(|near| format!("did you mean {near}?")),
        })
    }
}

fn matches(command: &mut Command, words: &[String]) -> Result<ArgMatches, NoLine> {
    command
        .try_get_matches_from_mut(words)
        .map_err(|error| no_line(&error))
}

/// clap's words for what is wrong, without its usage.
fn no_line(error: &clap::Error) -> NoLine {
    let text = error.render().to_string();
    let what: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    let what = what.join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    let tip = |line: &str| line.trim_start().strip_prefix("tip: ").map(str::to_string);
    NoLine {
        what: what.split_whitespace().collect::<Vec<_>>().join(" "),
        hint: text.lines().find_map(tip),
    }
}

/// The explanation of the switches that were given, or else that of the command with the words behind it.
fn explain(command: &Command, matches: &ArgMatches) -> String {
    let Some((name, matches)) = matches.subcommand() else {
        return String::new();
    };
    let command = command
        .find_subcommand(name)
        .expect("what was matched is there");
    let given = |arg: &&clap::Arg| {
        matches.ids().any(|id| id == arg.get_id())
            && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    let (mut switches, mut words) = (Vec::new(), Vec::new());
    for arg in command.get_arguments().filter(given) {
        if arg.is_positional() {
            let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
            let word = |value: &std::ffi::OsStr| {
                let value = value.to_string_lossy().into_owned();
                let known = arg.get_possible_values();
                let known = known.iter().find(|known| known.matches(&value, false));
                known
                    .and_then(|known| known.get_help())
                    .map_or(value, |help| small(&help.to_string()))
            };
            words.extend(values.map(word));
        } else if !arg.get_action().takes_values() {
            switches.extend(arg.get_help().map(ToString::to_string));
        }
    }
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    if !switches.is_empty() {
        switches.join("; ")
    } else if words.is_empty() {
        about
    } else {
        format!("{about}: {}", words.join(" "))
    }
}

/// With a small first letter.
fn small(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(chars)
        .collect()
}

/// Words between spaces; 'quotes' and "quotes" hold one together.
fn words(line: &str) -> Result<Vec<String>, NoLine> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(open), c) if open == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(NoLine {
            what: format!("{open} is not closed"),
            hint: None,
        });
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_console_and_of_the_shell_are_read_and_explained() {
        let cases = [
            ("half-down", "Go half a page down"),
            ("view hosts", "Show a screen: hosts"),
            ("copy command", "Copy: the job's command"),
            ("quit --now", "Do not ask"),
            (
                "bar run -t @web -- 'a  b'",
                "Open the bar, with this text in it: run -t @web -- a  b",
            ),
            ("stop", "Stop jobs or children: TERM, then KILL, then proof"),
            ("stop --kill", "KILL at once, without TERM and grace"),
            ("rm 7", "Delete jobs, their children and their output: 7"),
            (
                "throttle -f 3",
                "Change how many children of a job run at once",
            ),
            (
                "run -t web -- uptime -p",
                "Start a job: one command, one child per computer: uptime -p",
            ),
        ];
        let mut grammar = Grammar::new();
        for (line, doc) in cases {
            let (_, read) = grammar
                .read(line)
                .unwrap_or_else(|no| panic!("{line}: {no:?}"));
            assert_eq!(read, doc, "{line}");
        }
        let (does, _) = grammar.read("receive --keep").expect("a line");
        assert!(
            matches!(&does, Does::Verb(verb) if matches!(&**verb, Verb::Receive(receive) if receive.keep && receive.pick.select.is_empty())),
            "{does:?}"
        );
    }

    #[test]
    fn lines_that_are_none_say_what_was_meant() {
        let cases = [
            (
                "stpo",
                "unknown command \"stpo\"",
                Some("did you mean stop?"),
            ),
            (
                "half-donw",
                "unknown command \"half-donw\"",
                Some("did you mean half-down?"),
            ),
            ("frobnicate", "unknown command \"frobnicate\"", None),
            (
                "stop --kil",
                "unexpected argument '--kil' found",
                Some("a similar argument exists: '--kill'"),
            ),
            (
                "match nxt",
                "invalid value 'nxt' for '<WAY>' [possible values: next, previous]",
                Some("a similar value exists: 'next'"),
            ),
            (
                "throttle",
                "the following required arguments were not provided: --fanout <N>",
                None,
            ),
            ("top 3", "unexpected argument '3' found", None),
            ("save 'a", "' is not closed", None),
            (
                " ",
                "an empty command",
                Some("write false to leave a key without one"),
            ),
        ];
        let mut grammar = Grammar::new();
        for (line, what, hint) in cases {
            let no = grammar
                .read(line)
                .err()
                .unwrap_or_else(|| panic!("{line} was read"));
            assert_eq!(
                (no.what.as_str(), no.hint.as_deref()),
                (what, hint),
                "{line}"
            );
        }
    }

    #[test]
    fn what_acts_is_told_from_what_looks() {
        let mut grammar = Grammar::new();
        for line in [
            "stop",
            "receive --keep",
            "remove",
            "rerun",
            "run -t a -- b",
            "add",
            "edit",
            "pause",
        ] {
            assert!(grammar.read(line).expect("a line").0.acts(), "{line}");
        }
        for line in ["down", "bar stop", "undo", "jobs", "copy line", "quit"] {
            assert!(!grammar.read(line).expect("a line").0.acts(), "{line}");
        }
    }
}

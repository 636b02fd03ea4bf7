//! What a key's command line stands for, and the one line that explains it, taken from the clap types.

use clap::CommandFactory as _;

use crate::command::console::{Act, ActLine};
use crate::command::line::{LineError, Typed, parse, words};
use crate::command::{Cli, Verb};

/// What a key does.
#[derive(Debug)]
pub enum Does {
    /// Something of the console's own.
    Act(Act),
    /// A verb of the shell.  Where its line names no jobs it is meant for those that are selected when the key is pressed: then the
    /// line has to be read again, with them.
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

/// The grammar of lines as a keymap needs it, built once for many.
pub(super) struct Grammar {
    acts: clap::Command,
    verbs: clap::Command,
}

impl Grammar {
    pub(super) fn new() -> Self {
        Self {
            acts: ActLine::command(),
            verbs: Cli::command(),
        }
    }

    /// What a line does, and its explanation.
    pub(super) fn read(&self, line: &str) -> Result<(Does, String), LineError> {
        let found = words(line)?;
        let words: Vec<String> = found.iter().map(|word| word.text.clone()).collect();
        if words.is_empty() {
            return Err(LineError {
                range: 0..0,
                message: "an empty command".to_string(),
                hint: Some("write false to leave a key without one".to_string()),
            });
        }
        // Whatever will be selected, it is some job.
        match parse(line, &["last".to_string()])? {
            Typed::Act(act) => {
                // It takes what follows `--` with all quotes.
                let ends = found.windows(2).position(|pair| pair[0].text == "--");
                let mut words = words;
                if let Some(last) = ends.map(|dashes| dashes + 1) {
                    words[last] = line[found[last].at.clone()].to_string();
                }
                Ok((Does::Act(act), self.act(&words)))
            }
            Typed::Verb { verb, .. } => Ok((Does::Verb(verb), self.verb(&words))),
        }
    }

    /// What an act is about, with the words behind it.
    fn act(&self, words: &[String]) -> String {
        let Some(act) = self.acts.find_subcommand(&words[0]) else {
            return String::new();
        };
        let values: Vec<_> = act
            .get_positionals()
            .flat_map(clap::Arg::get_possible_values)
            .collect();
        let explained = |word: &String| {
            let value = values.iter().find(|value| value.matches(word, false));
            let help = value.and_then(clap::builder::PossibleValue::get_help);
            help.map_or_else(|| word.clone(), |help| small(&help.to_string()))
        };
        let (switches, words): (Vec<_>, Vec<_>) = words[1..]
            .iter()
            .partition(|word| help_of_switch(act, word).is_some());
        let rest: Vec<String> = words.into_iter().map(explained).collect();
        let about = with_switches(act, &switches);
        if rest.is_empty() {
            about
        } else {
            format!("{about}: {}", rest.join(" "))
        }
    }

    /// What a verb is about, with the switches it is given.
    fn verb(&self, words: &[String]) -> String {
        let Some(verb) = self.verbs.find_subcommand(&words[0]) else {
            return String::new();
        };
        let own = words[1..].iter().take_while(|word| *word != "--");
        with_switches(verb, &own.collect::<Vec<_>>())
    }
}

/// The command's own explanation up to where it goes into detail, and that of each switch among these words.
fn with_switches(command: &clap::Command, words: &[&String]) -> String {
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let switches: Vec<String> = words
        .iter()
        .filter_map(|word| help_of_switch(command, word))
        .map(|help| small(&help))
        .collect();
    if switches.is_empty() {
        return about;
    }
    let short = about.split([':', ';']).next().unwrap_or_default();
    format!("{short}; {}", switches.join("; "))
}

/// The explanation of an option that takes no value.
fn help_of_switch(command: &clap::Command, word: &str) -> Option<String> {
    let arg = command.get_arguments().find(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        [long, short].iter().flatten().any(|name| name == word)
    })?;
    let help = arg.get_help().map(ToString::to_string);
    help.filter(|_| !arg.get_action().takes_values())
}

/// With a small first letter, unless it begins with a word in capitals.
fn small(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_string(),
    }
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
            ("quit --now", "Leave the console; do not ask"),
            (
                "bar run -t @web -- 'a  b'",
                "Open the bar, with this text in it: run -t @web -- 'a  b'",
            ),
            ("stop", "Stop jobs or children: TERM, then KILL, then proof"),
            (
                "stop --kill",
                "Stop jobs or children; KILL at once, without TERM and grace",
            ),
            (
                "receive --keep",
                "Take output over; leave everything to be received again",
            ),
            ("rm 7", "Delete jobs, their children and their output"),
            (
                "throttle -f 3",
                "Change how many children of a job run at once",
            ),
            (
                "run -t web -- uptime -w",
                "Start a job: one command, one child per computer",
            ),
        ];
        let grammar = Grammar::new();
        for (line, doc) in cases {
            let (_, read) = grammar
                .read(line)
                .unwrap_or_else(|no| panic!("{line}: {no:?}"));
            assert_eq!(read, doc, "{line}");
        }
        let (does, _) = grammar.read("receive --keep").expect("a line");
        assert!(
            matches!(&does, Does::Verb(verb) if matches!(&**verb, Verb::Receive(receive) if receive.keep)),
            "{does:?}"
        );
    }

    #[test]
    fn a_line_without_words_says_what_to_write() {
        let no = Grammar::new().read(" ").expect_err("no line");
        assert_eq!(no.message, "an empty command");
        assert!(no.hint.is_some_and(|hint| hint.contains("write false")));
    }
}

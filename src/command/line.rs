//! One line of the console's bar, or what a key stands for: something the console does, or a verb of the shell.
//!
//! ```text
//! line = verb { word } [ "--" rest, as it stands, or one quoted word of a shell ]
//! word = bare | 'as it stands' | "with \" and \\", also one after another
//! ```
//! What follows `--` is one word, just as it was typed, so that a command for the hosts needs no quoting of its own; as
//! `ssh` gets it from a shell that was told to keep its hands off.  So is what an act takes to its end (`filter`, `pipe`).
//! Only where all of it stands in quotes are these taken off, for lines that come from a shell: to the hosts the whole would
//! be the name of one program.
//! Names are never completed or guessed.  Not here: completion, and carrying anything out.

mod mistake;
mod words;

#[cfg(test)]
mod tests;

use std::ops::Range;

use clap::{CommandFactory as _, Parser as _};

use super::console::{Act, ActLine};
use super::{Cli, Global, Verb};
use crate::targets::nearest;

pub use mistake::signature;
pub use words::{Begun, How, Word, begun, for_shell, quoted, shown, unquoted, words};

/// What a line means.
#[derive(Clone, Debug)]
pub enum Typed {
    Act(Act),
    /// A verb of the shell.
    Verb {
        verb: Box<Verb>,
        global: Box<Global>,
        /// The whole line, with the selection that was left out: `regatta` and these words do the same in a shell.
        words: Vec<String>,
    },
}

/// What is wrong with a line, and where.  Message and hint are one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Bytes of the line, on character boundaries.  Empty where something is missing.
    pub range: Range<usize>,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// Reads a line.  `selected` are the words for what is selected (`7`, or `7.web01 7.web02`), for verbs that act on jobs
/// where the line names none.
pub fn parse(line: &str, selected: &[String]) -> Result<Typed, LineError> {
    let typed = words(line)?;
    let Some(verb) = typed.first() else {
        return Err(LineError {
            range: 0..0,
            message: "nothing was typed".to_string(),
            hint: None,
        });
    };
    if let Some(act) = find(&ActLine::command(), &verb.text) {
        return parse_act(line, &typed, &act).map(Typed::Act);
    }
    let Some(command) = find(&Cli::command(), &verb.text) else {
        return Err(unknown(verb));
    };
    parse_verb(line, typed, &command, selected)
}

/// The verb or act of this name.
fn find(commands: &clap::Command, name: &str) -> Option<clap::Command> {
    commands.find_subcommand(name).cloned()
}

fn unknown(verb: &Word) -> LineError {
    let (acts, verbs) = (ActLine::command(), Cli::command());
    let names = verbs.get_subcommands().chain(acts.get_subcommands());
    let names = names.flat_map(clap::Command::get_name_and_visible_aliases);
    LineError {
        range: verb.at.clone(),
        message: format!("there is no command {:?}", verb.text),
        hint: nearest(&verb.text, names).map(|near| format!("did you mean {near}?")),
    }
}

fn parse_act(line: &str, typed: &[Word], command: &clap::Command) -> Result<Act, LineError> {
    let mut texts: Vec<&str> = typed.iter().map(|word| word.text.as_str()).collect();
    if takes_the_rest(command) {
        let rest = words::rest(line, typed);
        texts.truncate(1);
        if !rest.is_empty() {
            texts.extend(["--", rest]);
        }
    }
    ActLine::try_parse_from(texts)
        .map(|line| line.act)
        .map_err(|error| mistake::of(&error, line, typed, command))
}

/// Whether its last argument is whatever is left of the line.
fn takes_the_rest(command: &clap::Command) -> bool {
    command
        .get_positionals()
        .any(clap::Arg::is_trailing_var_arg_set)
}

fn parse_verb(
    line: &str,
    mut typed: Vec<Word>,
    command: &clap::Command,
    selected: &[String],
) -> Result<Typed, LineError> {
    let mut read = read_verb(&typed);
    if let Err(error) = &read
        && mistake::lacks_selection(error)
    {
        if selected.is_empty() {
            return Err(LineError {
                range: line.len()..line.len(),
                message: format!("{} needs to know which jobs", typed[0].text),
                hint: Some(
                    "put the cursor on one, or name it: id, name, JOB.HOST, JOB.STATE, all, last"
                        .to_string(),
                ),
            });
        }
        let at = typed[0].at.clone();
        let added = selected.iter().map(|text| Word {
            text: text.clone(),
            at: at.clone(),
        });
        let place = if takes_jobs_first(command) {
            1
        } else {
            typed.len()
        };
        typed.splice(place..place, added);
        read = read_verb(&typed);
    }
    match read {
        Ok(Cli { global, verb }) => Ok(Typed::Verb {
            verb: Box::new(verb),
            global: Box::new(global),
            words: typed.into_iter().map(|word| word.text).collect(),
        }),
        Err(error) => Err(mistake::of(&error, line, &typed, command)),
    }
}

/// Whether nothing else comes before the jobs: `grep` takes what is looked for first.
fn takes_jobs_first(command: &clap::Command) -> bool {
    let first = command.get_positionals().next();
    first.is_some_and(mistake::is_selection)
}

fn read_verb(typed: &[Word]) -> Result<Cli, clap::Error> {
    let texts = typed.iter().map(|word| word.text.as_str());
    Cli::try_parse_from(std::iter::once("regatta").chain(texts))
}

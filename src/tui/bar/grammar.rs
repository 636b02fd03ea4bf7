//! Which argument each word of a line is for, by the same clap types that parse the line.  Lenient: lines are unfinished.

use std::sync::LazyLock;

use clap::{Arg, Command, CommandFactory as _};

use crate::command::Cli;
use crate::command::console::ActLine;
use crate::command::line::Word;

static SHELL: LazyLock<Command> = LazyLock::new(Cli::command);
static CONSOLE: LazyLock<Command> = LazyLock::new(ActLine::command);

/// What words can stand for on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// One of the argument's own values.
    Choice,
    Targets,
    Jobs,
    States,
    Files,
    Queries,
    Themes,
    Columns,
    /// Anything.
    Free,
}

/// The verbs of the shell.
pub(super) fn verbs() -> impl Iterator<Item = &'static Command> {
    shown(&SHELL)
}

/// What the console does by itself.
pub(super) fn acts() -> impl Iterator<Item = &'static Command> {
    shown(&CONSOLE)
}

/// The commands below a command that are offered.
pub(super) fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

/// The verb or act of this name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    let act = CONSOLE.find_subcommand(name);
    act.or_else(|| SHELL.find_subcommand(name))
}

/// A command's options, its own ones first.
pub(super) fn options(command: &'static Command) -> impl Iterator<Item = &'static Arg> {
    let name = command.get_name();
    let is_act = CONSOLE
        .get_subcommands()
        .any(|act| act.get_name() == name || act.find_subcommand(name).is_some());
    let common = SHELL.get_arguments().filter(move |_| !is_act);
    let all = command.get_arguments().chain(common);
    all.filter(|arg| !arg.is_positional() && !arg.is_hide_set())
}

/// What an argument's value is, by what it is called there.
pub(super) fn takes(command: &Command, arg: &Arg) -> Takes {
    if !arg.get_possible_values().is_empty() {
        return Takes::Choice;
    }
    let name = arg.get_value_names().and_then(|names| names.first());
    match (name.map(clap::builder::Str::as_str), arg.get_id().as_str()) {
        (Some("TARGETS"), _) => Takes::Targets,
        (Some("JOB"), _) => Takes::Jobs,
        (Some("STATE"), _) => Takes::States,
        (Some("FILE" | "DIR"), _) | (_, "file") => Takes::Files,
        (Some("QUERY"), _) => Takes::Queries,
        (Some("THEME"), _) => Takes::Themes,
        (Some("out|err"), _) => Takes::Choice,
        (_, "name") if command.get_name() == "theme" => Takes::Themes,
        (_, "name") if command.get_name() == "query" => Takes::Queries,
        (Some("COLUMN"), _) | (_, "column") => Takes::Columns,
        _ => Takes::Free,
    }
}

/// A word, or a part of one, that is an argument's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) arg: &'static Arg,
    /// Which word.
    pub(super) word: usize,
    /// Where in its text the value begins: behind `--flag=` or `-f`.
    pub(super) from: usize,
}

/// What the words up to a point of a line have come to.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) command: &'static Command,
    pub(super) values: Vec<Value>,
    /// The option whose value comes next.
    pub(super) pending: Option<&'static Arg>,
    positionals: usize,
}

impl Walk {
    /// Walks along the words; the first is the verb.
    pub(super) fn along(words: &[Word]) -> Option<Self> {
        let mut walk = Self {
            command: command(&words.first()?.text)?,
            values: Vec::new(),
            pending: None,
            positionals: 0,
        };
        for (n, word) in words.iter().enumerate().skip(1) {
            if word.text == "--" {
                break;
            }
            walk.take(n, &word.text);
        }
        Some(walk)
    }

    fn take(&mut self, word: usize, text: &str) {
        let command = self.command;
        if let Some(arg) = self.pending.take() {
            self.values.push(Value { arg, word, from: 0 });
        } else if self.is_in_the_rest() {
            self.positionals += 1;
        } else if let Some((arg, from)) = attached(command, text) {
            self.values.push(Value { arg, word, from });
        } else if text.starts_with('-') && text.len() > 1 {
            self.pending = open(command, text);
        } else if let Some(sub) = command.find_subcommand(text) {
            self.command = sub;
            self.positionals = 0;
        } else {
            if let Some(arg) = self.positional() {
                self.values.push(Value { arg, word, from: 0 });
            }
            self.positionals += 1;
        }
    }

    /// The positional argument that comes next.
    pub(super) fn positional(&self) -> Option<&'static Arg> {
        let nth = self.command.get_positionals().nth(self.positionals);
        let last = || self.command.get_positionals().last();
        nth.or_else(|| last().filter(|last| is_many(last)))
    }

    /// Whether all that comes belongs to the last argument, whatever it looks like.
    pub(super) fn is_in_the_rest(&self) -> bool {
        let rest = self.command.get_positionals().last();
        self.positionals > 0 && rest.is_some_and(Arg::is_trailing_var_arg_set)
    }
}

fn is_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::Append)
}

/// An option with its value in the same word, and where that begins.
pub(super) fn attached(command: &'static Command, text: &str) -> Option<(&'static Arg, usize)> {
    if let Some(long) = text.strip_prefix("--") {
        let (name, _) = long.split_once('=')?;
        let arg = options(command).find(|arg| arg.get_long() == Some(name))?;
        return takes_value(arg).then_some((arg, name.len() + 3));
    }
    let shorts = text.strip_prefix('-')?;
    for (offset, c) in shorts.char_indices() {
        let arg = options(command).find(|arg| arg.get_short() == Some(c))?;
        if takes_value(arg) {
            let from = 1 + offset + c.len_utf8();
            return (from < text.len()).then_some((arg, from));
        }
    }
    None
}

/// An option whose value is in the next word.
fn open(command: &'static Command, text: &str) -> Option<&'static Arg> {
    let found = if let Some(long) = text.strip_prefix("--") {
        options(command).find(|arg| arg.get_long() == Some(long))
    } else {
        let last = text.chars().next_back();
        options(command).find(|arg| arg.get_short() == last)
    };
    found.filter(|arg| takes_value(arg))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

//! What clap has against a line, in one sentence and at one place.

use std::error::Error as _;
use std::ops::Range;

use clap::CommandFactory as _;
use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{LineError, Word};
use crate::command::Cli;
use crate::targets::nearest;

/// What a positional argument for jobs is called.
const SELECTION: &str = "<JOB>";

/// Whether an argument is for jobs.
pub(super) fn is_selection(argument: &clap::Arg) -> bool {
    let names = argument.get_value_names().into_iter().flatten();
    names.into_iter().any(|name| name == "JOB")
}

/// Whether the line is fine but for the jobs it does not name.
pub(super) fn lacks_selection(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::MissingRequiredArgument
        && texts(error, ContextKind::InvalidArg)
            .iter()
            .any(|missing| missing.starts_with(SELECTION))
}

/// The error in our words.
pub(super) fn of(
    error: &clap::Error,
    line: &str,
    words: &[Word],
    command: &clap::Command,
) -> LineError {
    let mistake = Mistake {
        line,
        words,
        command,
        argument: text(error, ContextKind::InvalidArg),
        value: text(error, ContextKind::InvalidValue),
    };
    let LineError {
        range,
        message,
        hint,
    } = mistake.explain(error);
    LineError {
        range,
        message: one_line(&message),
        hint: hint.map(|hint| one_line(&hint)),
    }
}

struct Mistake<'a> {
    line: &'a str,
    words: &'a [Word],
    command: &'a clap::Command,
    /// As clap writes it: `--fanout <N>`, `<JOB>...`, or the word itself where it is not known.
    argument: String,
    value: String,
}

impl Mistake<'_> {
    fn explain(&self, error: &clap::Error) -> LineError {
        let (argument, value) = (&self.argument, &self.value);
        let name = self.words.first().map_or("", |word| word.text.as_str());
        let flag = flag_of(argument);
        match error.kind() {
            ErrorKind::UnknownArgument if argument.starts_with('-') => LineError {
                range: self.of_flag(flag),
                message: format!("{name} has no option {argument}"),
                hint: self.nearest_flag(argument),
            },
            ErrorKind::UnknownArgument => LineError {
                range: self.of_word(argument),
                message: format!("{argument:?} is one word too many for {name}"),
                hint: Some(self.usage()),
            },
            ErrorKind::InvalidValue if value.is_empty() => LineError {
                range: self.of_argument(flag),
                message: format!("{flag} needs a value"),
                hint: one_of(error).or_else(|| Some(format!("as in {argument}"))),
            },
            ErrorKind::InvalidValue => LineError {
                range: self.of_value(flag),
                message: format!("{value:?} is no value of {}", Self::title(flag)),
                hint: nearest(
                    value,
                    texts(error, ContextKind::ValidValue)
                        .iter()
                        .map(String::as_str),
                )
                .map(did_you_mean)
                .or_else(|| one_of(error)),
            },
            ErrorKind::ValueValidation => {
                let why = error.source().map(ToString::to_string);
                LineError {
                    range: self.of_value(flag),
                    message: why.unwrap_or_else(|| format!("{value:?} cannot be read")),
                    hint: None,
                }
            }
            ErrorKind::ArgumentConflict => {
                let others = texts(error, ContextKind::PriorArg);
                if others.is_empty() || others.contains(argument) {
                    return LineError {
                        range: self.again(flag),
                        message: format!("{flag} can be given once"),
                        hint: None,
                    };
                }
                let others: Vec<&str> = others.iter().map(|other| flag_of(other)).collect();
                LineError {
                    range: self.of_argument(flag),
                    message: format!("{flag} does not go with {}", others.join(", ")),
                    hint: None,
                }
            }
            ErrorKind::MissingRequiredArgument => LineError {
                range: self.end(),
                message: format!(
                    "{name} needs {}",
                    texts(error, ContextKind::InvalidArg).join(" and ")
                ),
                hint: self.values().or_else(|| Some(self.usage())),
            },
            ErrorKind::InvalidSubcommand => {
                let word = text(error, ContextKind::InvalidSubcommand);
                LineError {
                    range: self.of_word(&word),
                    message: format!("{name} has no command {word:?}"),
                    hint: nearest(
                        &word,
                        self.command.get_subcommands().map(clap::Command::get_name),
                    )
                    .map(did_you_mean)
                    .or_else(|| self.commands()),
                }
            }
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                LineError {
                    range: self.end(),
                    message: format!("{name} needs one more word"),
                    hint: self.commands().or_else(|| Some(self.usage())),
                }
            }
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => LineError {
                range: self.last(),
                message: (self.command.get_about())
                    .map_or_else(|| name.to_string(), ToString::to_string),
                hint: Some(self.usage()),
            },
            ErrorKind::TooManyValues
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::NoEquals => LineError {
                range: self.of_argument(flag),
                message: format!("{flag} has the wrong number of values"),
                hint: Some(self.usage()),
            },
            // The rest are about bytes and formats that a line of text cannot have, and kinds that do not exist yet.
            _ => LineError {
                range: self.last(),
                message: error.kind().as_str().unwrap_or("wrong").to_string(),
                hint: Some(self.usage()),
            },
        }
    }

    /// What an argument is called where it is spoken of.
    fn title(flag: &str) -> &str {
        flag.trim_matches(['<', '>', '[', ']', '.'])
    }

    fn usage(&self) -> String {
        signature(self.command)
    }

    /// What the argument of a command's command can be, where it has only so many values: `on`, `off`.
    fn values(&self) -> Option<String> {
        let word = self.words.get(1)?;
        let argument = self
            .command
            .find_subcommand(&word.text)?
            .get_positionals()
            .next()?;
        let values = argument.get_possible_values();
        let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        (!names.is_empty()).then(|| format!("one of {}", names.join(", ")))
    }

    /// The commands of a command that has some.
    fn commands(&self) -> Option<String> {
        let names: Vec<&str> = (self.command.get_subcommands())
            .map(clap::Command::get_name)
            .collect();
        (!names.is_empty()).then(|| format!("one of {}", names.join(", ")))
    }

    /// The words in front of `--`.
    fn own(&self) -> impl Iterator<Item = &Word> {
        self.words.iter().take_while(|word| word.text != "--")
    }

    fn end(&self) -> Range<usize> {
        self.line.len()..self.line.len()
    }

    fn last(&self) -> Range<usize> {
        self.words.last().map_or(0..0, |word| word.at.clone())
    }

    /// The first word with this text.
    fn of_word(&self, text: &str) -> Range<usize> {
        let found = self.words.iter().skip(1).find(|word| word.text == text);
        found.map_or_else(|| self.last(), |word| word.at.clone())
    }

    /// Where an option stands, as `--long` or as `-s` among others, by the number of the word.
    fn flags(&self, flag: &str) -> impl DoubleEndedIterator<Item = usize> {
        let short = match flag.strip_prefix('-') {
            Some(rest) if !rest.starts_with('-') => rest.chars().next(),
            Some(_) | None => self.short_of(flag),
        };
        let is = |word: &Word| {
            let text = word.text.as_str();
            match text.strip_prefix(flag) {
                Some(rest) if flag.starts_with("--") => rest.is_empty() || rest.starts_with('='),
                Some(_) | None => {
                    let shorts = text.starts_with('-') && !text.starts_with("--");
                    shorts && short.is_some_and(|short| text.contains(short))
                }
            }
        };
        let words = self.own().enumerate().skip(1);
        let found: Vec<usize> = words.filter(|(_, word)| is(word)).map(|(n, _)| n).collect();
        found.into_iter()
    }

    /// The option, or what it could be mistaken for.
    fn of_flag(&self, flag: &str) -> Range<usize> {
        let found = self.flags(flag).next();
        found.map_or_else(|| self.last(), |n| self.words[n].at.clone())
    }

    /// The option where it stands the second time.
    fn again(&self, flag: &str) -> Range<usize> {
        let found = self.flags(flag).next_back();
        found.map_or_else(|| self.last(), |n| self.words[n].at.clone())
    }

    /// The option of this command, or of all commands, that is spelled most like this.
    fn nearest_flag(&self, typed: &str) -> Option<String> {
        let typed = typed.strip_prefix("--")?;
        let all = Cli::command();
        let known = self.command.get_arguments().chain(all.get_arguments());
        let near = nearest(typed, known.filter_map(clap::Arg::get_long))?;
        Some(did_you_mean(&format!("--{near}")))
    }

    /// The short form of a known option.
    fn short_of(&self, flag: &str) -> Option<char> {
        let long = flag.strip_prefix("--")?;
        let known = |command: &clap::Command| {
            let found = command
                .get_arguments()
                .find(|argument| argument.get_long() == Some(long));
            found.and_then(clap::Arg::get_short)
        };
        known(self.command).or_else(|| known(&Cli::command()))
    }

    fn of_argument(&self, flag: &str) -> Range<usize> {
        if flag.starts_with('-') {
            self.of_flag(flag)
        } else {
            self.last()
        }
    }

    /// Where the value stands: behind its option, or by itself.
    fn of_value(&self, flag: &str) -> Range<usize> {
        let from = if flag.starts_with('-') {
            self.flags(flag).next().unwrap_or(1)
        } else {
            1
        };
        let holding = |word: &&Word| word.text == self.value || self.part(word).is_some();
        let found = self.words.iter().skip(from).find(holding);
        found.map_or_else(
            || self.last(),
            |word| self.part(word).unwrap_or_else(|| word.at.clone()),
        )
    }

    /// Where the value stands within a word like `--state=a,b` that is written without quotes.
    fn part(&self, word: &Word) -> Option<Range<usize>> {
        let written = &self.line[word.at.clone()];
        let offset = written.rfind(self.value.as_str())?;
        let end = offset + self.value.len();
        let whole = written[end..].is_empty() || written[end..].starts_with(',');
        let apart = written[..offset].is_empty()
            || written[..offset].ends_with(['=', ','])
            || (written.starts_with('-') && offset == 2);
        (whole && apart).then(|| word.at.start + offset..word.at.start + end)
    }
}

/// `--fanout` of `--fanout <N>`.
fn flag_of(argument: &str) -> &str {
    argument.split([' ', '=', '[']).next().unwrap_or_default()
}

/// How a command is written: `stop [OPTIONS] <JOB>...`.
pub fn signature(command: &clap::Command) -> String {
    let mut command = command.clone();
    let usage = command.render_usage().to_string();
    let usage = usage.trim().trim_start_matches("Usage:").trim();
    one_line(usage)
}

fn did_you_mean(near: &str) -> String {
    format!("did you mean {near}?")
}

fn one_of(error: &clap::Error) -> Option<String> {
    let valid = texts(error, ContextKind::ValidValue);
    (!valid.is_empty()).then(|| format!("one of {}", valid.join(", ")))
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    texts(error, kind).into_iter().next().unwrap_or_default()
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(many)) => many.clone(),
        // Numbers and styled text are for clap's own messages.
        Some(_) | None => Vec::new(),
    }
}

/// The first line, and nothing that is no text.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

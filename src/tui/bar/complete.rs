//! What the word under the cursor could become, and what is known of the command it belongs to.

mod values;

use std::ops::Range;

use clap::{Arg, Command};

use super::grammar::{self, Takes, Walk, attached, takes};
use super::names::Names;
use crate::command::line::{How, begun, quoted, signature};

/// Candidates that are listed; the others are counted.
pub const LISTED: usize = 200;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes of the line that a candidate takes the place of.
    pub range: Range<usize>,
    pub candidates: Vec<Candidate>,
    /// How many there are beyond those listed.
    pub more: usize,
    /// What all of them begin with, the unlisted ones too; as it stands on the line.
    pub common: String,
    /// What they are.
    pub title: &'static str,
    /// How the command is written.
    pub signature: Option<String>,
    /// What the argument under the cursor is for, or what the command does.
    pub doc: Option<String>,
}

/// What a word could become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As it stands on the line.
    pub text: String,
    pub doc: String,
    pub kind: Kind,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Verb,
    Act,
    Flag,
    Choice,
    Group,
    Host,
    Job,
    State,
    Query,
    Theme,
    Column,
    File,
    Directory,
}

impl Kind {
    /// Whether the word is over with it.  Expressions and paths can go on.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Verb
            | Self::Act
            | Self::Flag
            | Self::Choice
            | Self::Query
            | Self::Theme
            | Self::Column
            | Self::File => true,
            Self::Group | Self::Host | Self::Job | Self::State | Self::Directory => false,
        }
    }
}

/// Completes the word that ends at the cursor.
pub fn complete(line: &str, cursor: usize, names: &Names) -> Completion {
    let begun = begun(&line[..cursor]);
    // Where the text of the word stands on the line as it is: only there can a part of it be replaced.
    let text_at = match begun.how {
        How::Bare => Some(begun.word.at.start),
        How::Quoted(_) => Some(begun.word.at.start + 1),
        How::Mixed | How::Verbatim => None,
    };
    let typed = begun.word.text.as_str();
    let Some(first) = begun.before.first() else {
        let mut found = Found::new(typed);
        commands(&mut found);
        let known = grammar::command(typed);
        return Completion {
            signature: known.map(signature),
            doc: known.and_then(about),
            ..found.placed("commands", begun.word.at.start..cursor, begun.how)
        };
    };
    let Some(walk) = Walk::along(&begun.before) else {
        return Completion::default();
    };
    let place = Place::of(&walk, typed, begun.how);
    let own = begun.before.len() == 1 || walk.command.get_name() == first.text;
    let bare = Completion {
        range: cursor..cursor,
        signature: Some(if own {
            signature(walk.command)
        } else {
            format!("{} {}", first.text, signature(walk.command))
        }),
        doc: match place {
            Place::Value(arg, _) => help(arg).or_else(|| about(walk.command)),
            Place::Flags | Place::Commands | Place::Nowhere => about(walk.command),
        },
        ..Completion::default()
    };
    let Some(text_at) = text_at else { return bare };
    let (found, title, from) = match place {
        Place::Nowhere => return bare,
        Place::Flags => {
            let mut found = Found::new(typed);
            flags(walk.command, &mut found);
            (found, "options", 0)
        }
        Place::Commands => {
            let mut found = Found::new(typed);
            for sub in grammar::shown(walk.command) {
                found.add(sub.get_name(), about(sub).unwrap_or_default(), Kind::Verb);
            }
            (found, "commands", 0)
        }
        Place::Value(arg, from) => {
            let values = values::of(takes(walk.command, arg), arg, &typed[from..], names);
            (values.found, values.title, from + values.from)
        }
    };
    Completion {
        signature: bare.signature,
        doc: bare.doc,
        ..found.placed(title, text_at + from..cursor, begun.how)
    }
}

/// What the word under the cursor is for.
#[derive(Clone, Copy)]
enum Place {
    Commands,
    Flags,
    /// An argument's value, which begins there in the text of the word.
    Value(&'static Arg, usize),
    /// Whatever the operator likes.
    Nowhere,
}

impl Place {
    fn of(walk: &Walk, typed: &str, how: How) -> Self {
        if how == How::Verbatim || walk.is_in_the_rest() {
            return Self::Nowhere;
        }
        if let Some(arg) = walk.pending {
            return Self::Value(arg, 0);
        }
        if let Some((arg, from)) = attached(walk.command, typed) {
            return Self::Value(arg, from);
        }
        if typed.starts_with('-') {
            return Self::Flags;
        }
        if grammar::shown(walk.command).next().is_some() {
            return Self::Commands;
        }
        walk.positional()
            .map_or(Self::Nowhere, |arg| Self::Value(arg, 0))
    }
}

fn commands(found: &mut Found<'_>) {
    let verbs = grammar::verbs().map(|verb| (verb, Kind::Verb));
    let acts = grammar::acts().map(|act| (act, Kind::Act));
    for (command, kind) in verbs.chain(acts) {
        // By its own name, or else by another one.
        let names = command.get_name_and_visible_aliases();
        if let Some(name) = names.iter().find(|name| name.starts_with(found.typed)) {
            found.add(name, about(command).unwrap_or_default(), kind);
        }
    }
}

fn flags(command: &'static Command, found: &mut Found<'_>) {
    for arg in grammar::options(command) {
        let name = match (arg.get_long(), arg.get_short()) {
            (Some(long), _) => format!("--{long}"),
            (None, Some(short)) => format!("-{short}"),
            (None, None) => continue,
        };
        found.add(&name, help(arg).unwrap_or_default(), Kind::Flag);
    }
}

fn about(command: &Command) -> Option<String> {
    command.get_about().map(ToString::to_string)
}

fn help(arg: &Arg) -> Option<String> {
    arg.get_help().map(ToString::to_string)
}

/// Candidates that begin with what was typed.
#[derive(Debug)]
struct Found<'a> {
    typed: &'a str,
    candidates: Vec<Candidate>,
    more: usize,
    common: Option<String>,
}

impl<'a> Found<'a> {
    fn new(typed: &'a str) -> Self {
        Self {
            typed,
            candidates: Vec::new(),
            more: 0,
            common: None,
        }
    }

    /// Adds a candidate, if it begins with what was typed.
    fn add(&mut self, text: &str, doc: impl Into<String>, kind: Kind) {
        if text.starts_with(self.typed) {
            self.add_anyway(text, doc, kind);
        }
    }

    /// Adds a candidate that is known to fit, be it in another case.
    fn add_anyway(&mut self, text: &str, doc: impl Into<String>, kind: Kind) {
        match &mut self.common {
            None => self.common = Some(text.to_string()),
            Some(common) => common.truncate(alike(common, text)),
        }
        if self.candidates.len() < LISTED {
            self.candidates.push(Candidate {
                text: text.to_string(),
                doc: doc.into(),
                kind,
            });
        } else {
            self.more += 1;
        }
    }

    /// Adds what begins like this in a sorted list.  Beyond what is listed only the last is looked at: what it has in common
    /// with the first, those between have too.
    fn add_sorted<T>(
        &mut self,
        sorted: &[T],
        name: impl Fn(&T) -> &str,
        written: impl Fn(&T) -> (String, String),
        prefix: &str,
        kind: Kind,
    ) {
        let begin = sorted.partition_point(|item| name(item) < prefix);
        let fitting = &sorted[begin..];
        let fitting = &fitting[..fitting.partition_point(|item| name(item).starts_with(prefix))];
        let listed = fitting.len().min(LISTED);
        for item in &fitting[..listed] {
            let (text, doc) = written(item);
            self.add_anyway(&text, doc, kind);
        }
        if let [between @ .., last] = &fitting[listed..] {
            self.more += between.len();
            let (text, doc) = written(last);
            self.add_anyway(&text, doc, kind);
        }
    }

    /// Where the candidates go.  What needs quotes gets them, unless a quote is open.
    fn placed(self, title: &'static str, range: Range<usize>, how: How) -> Completion {
        let quote = |text: String| match how {
            How::Bare => quoted(&text),
            How::Quoted(_) | How::Mixed | How::Verbatim => text,
        };
        let candidates: Vec<Candidate> = self
            .candidates
            .into_iter()
            .map(|candidate| Candidate {
                text: quote(candidate.text),
                ..candidate
            })
            .collect();
        let common = self.common.unwrap_or_default();
        let plain = quote(common.clone()) == common;
        Completion {
            range,
            candidates,
            more: self.more,
            common: if plain { common } else { String::new() },
            title,
            signature: None,
            doc: None,
        }
    }
}

/// How many bytes two texts have in common at their beginning.
fn alike(one: &str, other: &str) -> usize {
    let same = one
        .char_indices()
        .zip(other.chars())
        .find(|((_, a), b)| a != b);
    same.map_or(one.len().min(other.len()), |((at, _), _)| at)
}

//! From files to the keys in force: what the user's file says replaces the defaults key by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::de::DeValue;

use super::key::{Key, Sequence};
use super::line::Grammar;
use super::{Binding, DEFAULT, Keymap};
use crate::command::console::Place;
use crate::config::document::{Document, Entry, Mistake, Origin};

/// The most keys one after the other.
const LONGEST: usize = 3;

/// One line of a file, checked.
struct Said {
    place: Place,
    sequence: Sequence,
    /// `None` takes the key away.
    binding: Option<Binding>,
    line: usize,
}

/// What a place says of its own: `None` is a key that does nothing there, whatever it does everywhere.
type Table = BTreeMap<Sequence, Option<(Arc<Binding>, usize)>>;

pub(super) fn defaults() -> Result<Keymap, Vec<Mistake>> {
    let (said, mistakes) = Reader::new().file(DEFAULT, &Origin::BuiltIn);
    assemble(said, mistakes)
}

pub(super) fn over_defaults(text: &str, origin: &Origin) -> Result<Keymap, Vec<Mistake>> {
    let mut reader = Reader::new();
    let (mut said, mut mistakes) = reader.file(DEFAULT, &Origin::BuiltIn);
    let (over, more) = reader.file(text, origin);
    said.extend(over);
    mistakes.extend(more);
    assemble(said, mistakes)
}

/// Reads files, one after the other.
struct Reader {
    grammar: Grammar,
    rank: usize,
}

impl Reader {
    fn new() -> Self {
        Self {
            grammar: Grammar::new(),
            rank: 0,
        }
    }

    /// The lines of a file, and what is wrong with others.
    fn file(&mut self, text: &str, origin: &Origin) -> (Vec<Said>, Vec<Mistake>) {
        let document = Document { text, origin };
        let (mut said, mut mistakes) = (Vec::<Said>::new(), Vec::new());
        let tables = document.entries().unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            Vec::new()
        });
        for table in tables {
            let (place, entries) = match place(document, table) {
                Ok(read) => read,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            for entry in entries {
                match self.line(document, place, &entry) {
                    Ok(line) => {
                        let twice = said.iter().find(|other| {
                            (other.place, &other.sequence) == (place, &line.sequence)
                        });
                        if let Some(other) = twice {
                            let what =
                                format!("{} is bound twice in [{}]", line.sequence, place.word());
                            let hint = format!("the other time is on line {}", other.line);
                            mistakes.push(document.mistake(&entry.key_at, what).hint(hint));
                        } else {
                            said.push(line);
                        }
                    }
                    Err(mistake) => mistakes.push(mistake),
                }
            }
        }
        (said, mistakes)
    }

    fn line(
        &mut self,
        document: Document<'_>,
        place: Place,
        entry: &Entry<'_>,
    ) -> Result<Said, Mistake> {
        let sequence = sequence(document, entry)?;
        let binding = match &entry.value {
            DeValue::Boolean(false) => None,
            DeValue::String(line) => {
                let (does, doc) = self.grammar.read(line).map_err(|no| Mistake {
                    hint: no.hint,
                    ..document.mistake(&entry.value_at, format!("{sequence}: {}", no.message))
                })?;
                self.rank += 1;
                Some(Binding {
                    line: line.trim().to_string(),
                    does,
                    doc,
                    place,
                    origin: document.origin.clone(),
                    rank: self.rank,
                })
            }
            value => {
                let expected = "a command line in quotes, or false for none";
                let key = sequence.to_string();
                return Err(document.wrong_type(&key, &entry.value_at, expected, value));
            }
        };
        let line = document.line_of(&entry.key_at);
        Ok(Said {
            place,
            sequence,
            binding,
            line,
        })
    }
}

/// A table of keys: whose, and what is in it.
fn place<'a>(document: Document<'a>, table: Entry<'a>) -> Result<(Place, Vec<Entry<'a>>), Mistake> {
    let words = Place::ALL.map(Place::word);
    let place = Place::ALL
        .into_iter()
        .find(|place| place.word() == table.key);
    let place = place.ok_or_else(|| {
        let what = format!(
            "[{}] is no place where keys can be bound",
            table.key.escape_debug()
        );
        document
            .mistake(&table.key_at, what)
            .meant(&table.key, words)
    })?;
    Ok((place, document.table(table)?))
}

fn sequence(document: Document<'_>, entry: &Entry<'_>) -> Result<Sequence, Mistake> {
    let key = |word: &str| {
        Key::parse(word).map_err(|unknown| {
            let mistake = document.mistake(&entry.key_at, format!("unknown key {:?}", unknown.name));
            match unknown.near {
                Some(near) => mistake.hint(format!("did you mean {near}?")),
                None => mistake.hint(
                    "keys are x, X, ctrl-x, alt-x, f1, space, enter, esc, tab, up, pgup, ...; several are separated by spaces",
                ),
            }
        })
    };
    let keys: Vec<Key> = entry
        .key
        .split_whitespace()
        .map(key)
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(document
            .mistake(&entry.key_at, "a key without a name")
            .hint("the space bar is called space"));
    }
    if keys.len() > LONGEST {
        let what = format!(
            "{:?} is more than {LONGEST} keys one after the other",
            entry.key
        );
        return Err(document.mistake(&entry.key_at, what));
    }
    Ok(Sequence(keys))
}

/// Lays later lines over earlier ones, and what a place says over what holds everywhere.
fn assemble(said: Vec<Said>, mut mistakes: Vec<Mistake>) -> Result<Keymap, Vec<Mistake>> {
    let mut own: BTreeMap<Place, Table> = Place::ALL.map(|place| (place, Table::new())).into();
    // Taken away first, together with all that begins with it: what the same file binds is laid over that.
    let (gone, bound): (Vec<Said>, Vec<Said>) =
        said.into_iter().partition(|said| said.binding.is_none());
    for Said {
        place,
        sequence,
        binding,
        line,
    } in bound
    {
        let Some(mut binding) = binding else { continue };
        let taken = |gone: &Said| gone.place == place && begins(&sequence, &gone.sequence);
        if binding.origin == Origin::BuiltIn && gone.iter().any(taken) {
            continue;
        }
        let table = own.entry(place).or_default();
        if let Some(Some((before, _))) = table.get(&sequence) {
            binding.rank = before.rank;
        }
        table.insert(sequence, Some((Arc::new(binding), line)));
    }
    for Said {
        place, sequence, ..
    } in gone
    {
        own.entry(place).or_default().entry(sequence).or_default();
    }
    mistakes.extend(own.values().flat_map(conflicts));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let everywhere = own[&Place::Everywhere].clone();
    let in_force = |(place, table)| (place, in_force(&everywhere, table));
    Ok(Keymap {
        places: own.into_iter().map(in_force).collect(),
    })
}

/// What works at a place that says this of its own.
fn in_force(everywhere: &Table, own: Table) -> BTreeMap<Sequence, Arc<Binding>> {
    let hidden = |sequence: &Sequence| {
        own.iter().any(|(other, binding)| {
            begins(sequence, other) || (binding.is_some() && begins(other, sequence))
        })
    };
    let general = everywhere
        .iter()
        .filter(|(sequence, _)| !hidden(sequence))
        .map(|(sequence, binding)| (sequence.clone(), binding.clone()))
        .collect::<Vec<_>>();
    let bound = |(sequence, said): (Sequence, Option<(Arc<Binding>, usize)>)| {
        said.map(|(binding, _)| (sequence, binding))
    };
    own.into_iter().chain(general).filter_map(bound).collect()
}

/// Keys that are bound, and the beginning of others that are.
fn conflicts(table: &Table) -> Vec<Mistake> {
    let bound = || {
        let both = |(sequence, said): (_, &'_ Option<(Arc<Binding>, usize)>)| {
            said.as_ref()
                .map(|(binding, line)| (sequence, Arc::clone(binding), *line))
        };
        table.iter().filter_map(both)
    };
    let mut mistakes = Vec::new();
    for (short, one, line) in bound() {
        let longer = bound().find(|(long, ..)| *long != short && begins(long, short));
        let Some((long, other, other_line)) = longer else {
            continue;
        };
        // The user's line is the one to look at.
        let (at, line) = match (&one.origin, &other.origin) {
            (Origin::BuiltIn, Origin::File(_)) => (&other, other_line),
            (Origin::File(_) | Origin::BuiltIn, _) => (&one, line),
        };
        let what = format!(
            "in [{}] {short} is bound to {:?}, and is the beginning of {long}, which is bound to {:?}",
            one.place.word(),
            one.line,
            other.line
        );
        mistakes.push(Mistake {
            origin: at.origin.clone(),
            line: Some(line),
            what,
            hint: Some(format!(
                "choose another key, or write \"{}\" = false",
                if Arc::ptr_eq(at, &one) { long } else { short }
            )),
        });
    }
    mistakes
}

/// Whether a sequence begins with all of another.
fn begins(sequence: &Sequence, with: &Sequence) -> bool {
    sequence.0.starts_with(&with.0)
}

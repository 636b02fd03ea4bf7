//! Which key does what in the console: config/keys.toml ([`DEFAULT`]) and the user's `keys.toml` over it.
//!
//! A binding is a command line, so that whatever a key does can be typed.  The help of the console and `regatta keys` are made from
//! this same table.  Nothing here is done: the console looks up what was pressed and carries out what it [`Does`].

mod key;
mod line;
mod read;

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

pub use key::{Code, Held, Key, Sequence, UnknownKey, written};
pub use line::Does;

use super::document::{self, Mistake, Origin};
use crate::command::console::Place;

/// The keys that are bound without any file, with the format explained.
pub const DEFAULT: &str = include_str!("../../../config/keys.toml");

/// The user's file beside config.toml.
const FILE: &str = "keys.toml";

/// What a key, or several one after the other, does.
#[derive(Debug)]
pub struct Binding {
    /// The command line.
    pub line: String,
    pub does: Does,
    /// What it does, in one line.
    pub doc: String,
    /// Where it was said: the place itself, or everywhere.
    pub place: Place,
    pub origin: Origin,
    /// Its rank in the order of the files.
    rank: usize,
}

impl Binding {
    /// Whether it does something to the fleet or to jobs; all else only looks.
    pub fn acts(&self) -> bool {
        self.does.acts()
    }
}

/// The keys in force.
#[derive(Debug)]
pub struct Keymap {
    /// For each place what holds there, what holds everywhere included.
    places: BTreeMap<Place, BTreeMap<Sequence, Arc<Binding>>>,
}

/// What the keys pressed so far mean.
#[derive(Debug)]
pub enum Lookup<'a> {
    Bound(&'a Binding),
    /// More keys are to come: which, in order, and what they do.
    Prefix(Vec<(&'a [Key], &'a Binding)>),
    Nothing,
}

impl Keymap {
    /// The defaults with the user's file over them, or all that is wrong with that file.
    pub fn load(directory: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let Some(path) = directory.map(|directory| directory.join(FILE)) else {
            return Ok(Self::built_in());
        };
        match document::read(&path).map_err(|mistake| vec![mistake])? {
            Some(text) => read::over_defaults(&text, &Origin::File(path)),
            None => Ok(Self::built_in()),
        }
    }

    /// What holds without any file.
    pub fn built_in() -> Self {
        read::defaults().expect("the built-in keys are tested")
    }

    /// What these keys mean at a place.
    pub fn lookup(&self, place: Place, keys: &[Key]) -> Lookup<'_> {
        let Some(table) = self.places.get(&place) else {
            return Lookup::Nothing;
        };
        if let Some(binding) = table.get(keys) {
            return Lookup::Bound(binding);
        }
        let mut more: Vec<(&[Key], &Binding)> = table
            .range::<[Key], _>((Bound::Included(keys), Bound::Unbounded))
            .map_while(|(sequence, binding)| Some((sequence.0.strip_prefix(keys)?, &**binding)))
            .collect();
        if more.is_empty() {
            return Lookup::Nothing;
        }
        more.sort_by_key(|(_, binding)| binding.rank);
        Lookup::Prefix(more)
    }

    /// All keys that work at a place: its own, then those that work everywhere, each in the order of the file.
    pub fn bindings(&self, place: Place) -> Vec<(&Sequence, &Binding)> {
        let table = self.places.get(&place).into_iter().flatten();
        let mut all: Vec<_> = table
            .map(|(sequence, binding)| (sequence, &**binding))
            .collect();
        all.sort_by_key(|(_, binding)| (binding.place != place, binding.rank));
        all
    }
}

impl Keymap {
    /// The first key in the order of the files that does this at a place.
    pub fn bound_to(&self, place: Place, line: &str) -> Option<(String, &Binding)> {
        let mut all = self.bindings(place).into_iter();
        let found = all.find(|(_, binding)| binding.line == line);
        found.map(|(keys, binding)| (written(&keys.0), binding))
    }
}

impl Borrow<[Key]> for Sequence {
    fn borrow(&self) -> &[Key] {
        &self.0
    }
}

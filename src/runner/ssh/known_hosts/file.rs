//! One file of known hosts: as it was read, and as it grows by what is learnt here.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::line::{Names, parse_line};
use super::{Entry, KnownKey, Note};
use crate::config::ssh_config::Location;
use crate::runner::ssh::identity::Stamp;

/// See the module.
#[derive(Debug)]
pub(in crate::runner::ssh) struct KnownFile {
    path: Arc<Path>,
    content: RwLock<Content>,
}

/// What is in it.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The state of the file that this is.
    pub(super) stamp: Stamp,
    pub(super) entries: Vec<Entry>,
    /// Entries whose names are without wildcards and negation.
    pub(super) by_name: HashMap<String, Vec<usize>>,
    /// All others, which must be tried one by one.
    pub(super) to_try: Vec<usize>,
    pub(super) notes: Vec<Note>,
    /// How many lines have an end.
    pub(super) ended: u32,
}

impl KnownFile {
    /// Reads a file whose state is this.  A missing one is fine; what cannot be used is noted.
    pub(in crate::runner::ssh) fn read(path: &Path, stamp: Stamp) -> Self {
        let content = match fs::read(path) {
            Ok(bytes) => return Self::of(path, &bytes, stamp),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Content::default()
            }
            Err(error) => Content {
                stamp,
                notes: vec![Note::File {
                    file: path.to_owned(),
                    reason: error.to_string(),
                }],
                ..Content::default()
            },
        };
        Self {
            path: Arc::from(path),
            content: RwLock::new(content),
        }
    }

    /// A file that holds this.
    pub(super) fn of(path: &Path, bytes: &[u8], stamp: Stamp) -> Self {
        let path: Arc<Path> = Arc::from(path);
        let content = RwLock::new(Content::parse(&path, bytes, stamp));
        Self { path, content }
    }

    /// Whether this is the state of the file.
    pub(in crate::runner::ssh) fn is_at(&self, stamp: Stamp) -> bool {
        self.content().stamp == stamp
    }

    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    pub(super) fn content(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a moment: who looks a host up does not wait for a disk.
    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    pub(super) fn parse(path: &Arc<Path>, bytes: &[u8], stamp: Stamp) -> Self {
        Self {
            stamp,
            ..Self::parse_from(0, path, bytes)
        }
    }

    /// What follows so many lines.
    fn parse_from(ended: u32, path: &Arc<Path>, bytes: &[u8]) -> Self {
        let mut content = Self::default();
        for (line, bytes) in (ended + 1..).zip(bytes.split(|&byte| byte == b'\n')) {
            content.ended = line - 1;
            let at = Location {
                file: Arc::clone(path),
                line,
            };
            // Comments may be in any encoding; a name that is not UTF-8 is no host's.
            match parse_line(&String::from_utf8_lossy(bytes)) {
                Ok(None) => {}
                Ok(Some((marker, names, key))) => content.push(Entry {
                    names,
                    known: KnownKey { marker, key, at },
                }),
                Err(reason) => content.notes.push(Note::Line { at, reason }),
            }
        }
        content
    }

    /// Takes in what was written at its end: a line, after the end of the one before where that had none.
    pub(super) fn grow(&mut self, path: &Arc<Path>, text: &str, stamp: Stamp) {
        let more = Self::parse_from(self.ended, path, text.as_bytes());
        self.ended = more.ended;
        self.stamp = stamp;
        for entry in more.entries {
            self.push(entry);
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let index = self.entries.len();
        self.entries.push(entry);
        let literals = match &self.entries[index].names {
            Names::Patterns(patterns) => patterns.literals(),
            Names::Hashed { .. } => None,
        };
        let Some(names) = literals else {
            self.to_try.push(index);
            return;
        };
        for name in names {
            let entries = self.by_name.entry(name.to_owned()).or_default();
            if entries.last() != Some(&index) {
                entries.push(index);
            }
        }
    }

    /// The entries for a name, in order.
    pub(super) fn entries_for(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let named = self
            .by_name
            .get(name)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .copied();
        let tried = self
            .to_try
            .iter()
            .copied()
            .filter(|&at| self.entries[at].names.matches(name));
        let mut found: Vec<usize> = named.chain(tried).collect();
        found.sort_unstable();
        found.into_iter().map(|at| &self.entries[at])
    }
}

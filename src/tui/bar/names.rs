//! What can be named on a line: hosts, groups, jobs, and so on.  The console brings it up to date; completion reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::targets::Groups;
use crate::view::text::harmless;

/// Everything that has a name now.  A copy costs little.
#[derive(Clone, Debug)]
pub struct Names {
    pub known: Arc<Known>,
    /// In the order they are offered in.
    pub jobs: Vec<JobName>,
    pub queries: Vec<Named>,
    pub themes: Vec<Named>,
    /// The columns a list can be sorted by.
    pub columns: Vec<Named>,
    /// What was looked up of targets that are hosts of earlier jobs.
    pub earlier: Arc<Earlier>,
    pub files: Arc<dyn Files>,
}

/// What stands behind the `%` of a target, and the hosts it means or why it means none.
pub type Earlier = BTreeMap<String, Result<String, String>>;

impl Default for Names {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            jobs: Vec::new(),
            queries: Vec::new(),
            themes: Vec::new(),
            columns: Vec::new(),
            earlier: Arc::default(),
            files: Arc::new(NoFiles),
        }
    }
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub doc: String,
}

/// A job that can be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobName {
    pub id: u64,
    pub name: String,
    /// What it does, and what has become of it.
    pub doc: String,
    /// The hosts of its children, sorted; empty where they are not known here.
    pub hosts: Arc<[String]>,
}

/// The inventory's hosts and groups.
#[derive(Clone, Debug, Default)]
pub struct Known {
    groups: Groups,
    /// As written behind `@`, each with how many hosts it has.
    group_names: Vec<(String, usize)>,
    hosts: Vec<String>,
}

impl Known {
    pub fn new(groups: Groups) -> Self {
        let mut group_names = Vec::new();
        for (n, source) in groups.sources().enumerate() {
            for (name, hosts) in groups.of_source(Some(source)) {
                let written = if n == 0 {
                    name.to_string()
                } else {
                    format!("{source}:{name}")
                };
                group_names.push((written, hosts.len()));
            }
        }
        group_names.sort();
        let hosts = groups.hosts().iter().map(|host| host.to_string());
        let mut hosts: Vec<String> = hosts.collect();
        hosts.sort();
        Self {
            groups,
            group_names,
            hosts,
        }
    }

    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    pub(super) fn group_names(&self) -> &[(String, usize)] {
        &self.group_names
    }

    pub(super) fn hosts(&self) -> &[String] {
        &self.hosts
    }
}

/// Where file names come from.
pub trait Files: fmt::Debug + Send + Sync {
    /// What is in a directory, as it is named on the line; nothing where it cannot be read.
    fn list(&self, directory: &str) -> Vec<Entry>;
}

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub is: Is,
}

/// Whether names can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    File,
    Directory,
}

/// No files are offered.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn list(&self, _directory: &str) -> Vec<Entry> {
        Vec::new()
    }
}

/// The files there are.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where relative names are meant from.
    pub directory: PathBuf,
}

/// Names in a directory that are looked at: completion must not wait for a crowded one.
const LOOKED_AT: usize = 2_000;

impl Files for Disk {
    fn list(&self, directory: &str) -> Vec<Entry> {
        let Ok(entries) = std::fs::read_dir(self.directory.join(directory)) else {
            return Vec::new();
        };
        let named = entries.take(LOOKED_AT).filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            // What would be written out differently could not be typed.
            if harmless(name.as_bytes()) != name || name.contains('\t') {
                return None;
            }
            let is = match entry.file_type() {
                Ok(kind) if kind.is_dir() => Is::Directory,
                Ok(_) | Err(_) => Is::File,
            };
            Some(Entry { name, is })
        });
        let mut named: Vec<Entry> = named.collect();
        named.sort_by(|a, b| a.name.cmp(&b.name));
        named
    }
}

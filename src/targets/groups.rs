//! The hosts and groups that are known, whichever files or commands they came from.

use std::collections::BTreeMap;

use super::hostset::{Builder, HostSet};

/// Known hosts, and groups of hosts by source. The first source is the default one: `@web` looks there, `@ansible:web` in the source `ansible`.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    hosts: HostSet,
    sources: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Source {
    name: String,
    groups: BTreeMap<String, HostSet>,
}

impl Groups {
    /// No groups yet, and a default source of this name.
    pub fn new(default_source: &str) -> Self {
        let mut groups = Self::default();
        groups.add_source(default_source);
        groups
    }

    /// Makes a source known, also one without groups.
    pub fn add_source(&mut self, name: &str) {
        if self.source(Some(name)).is_none() {
            self.sources.push(Source {
                name: name.to_owned(),
                groups: BTreeMap::new(),
            });
        }
    }

    /// Adds or replaces a group, and the source if it is new. The group's hosts become known hosts.
    pub fn insert(&mut self, source: &str, group: &str, hosts: HostSet) {
        self.add_hosts(&hosts);
        self.add_source(source);
        if let Some(source) = self.sources.iter_mut().find(|known| known.name == source) {
            source.groups.insert(group.to_owned(), hosts);
        }
    }

    /// Makes hosts known that are perhaps in no group.
    pub fn add_hosts(&mut self, hosts: &HostSet) {
        if !self.hosts.is_superset(hosts) {
            self.hosts = self.hosts.union(hosts);
        }
    }

    /// Every known host: what `@*` means and wildcards are matched against.
    pub fn hosts(&self) -> &HostSet {
        &self.hosts
    }

    /// The names of the sources, the default one first.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// The groups of a source (`None`: the default one) by name; nothing for an unknown source.
    pub fn of_source(&self, source: Option<&str>) -> impl Iterator<Item = (&str, &HostSet)> {
        self.source(source).into_iter().flat_map(|source| {
            source
                .groups
                .iter()
                .map(|(name, hosts)| (name.as_str(), hosts))
        })
    }

    /// A group of a source (`None`: the default one).
    pub fn get(&self, source: Option<&str>, group: &str) -> Option<&HostSet> {
        self.source(source)?.groups.get(group)
    }

    /// The groups that hold the host, as they are written in targets: `@web`, `@ansible:web`; default source first.
    pub fn containing(&self, host: &str) -> Vec<String> {
        let mut names = Vec::new();
        for (i, source) in self.sources.iter().enumerate() {
            for (group, _) in source
                .groups
                .iter()
                .filter(|(_, hosts)| hosts.contains(host))
            {
                names.push(if i == 0 {
                    format!("@{group}")
                } else {
                    format!("@{}:{group}", source.name)
                });
            }
        }
        names
    }

    /// The set in terms of groups of the default source, as `nodeset -r` has it: of the groups wholly in the set the largest first, each
    /// only if none of its hosts is covered yet; then the hosts that are left.
    pub fn regroup(&self, set: &HostSet) -> String {
        let mut full: Vec<(&str, &HostSet)> = self
            .of_source(None)
            .filter(|(_, hosts)| !hosts.is_empty() && set.is_superset(hosts))
            .collect();
        full.sort_by_key(|&(name, hosts)| (std::cmp::Reverse(hosts.len()), name));
        let mut rest = set.clone();
        let mut used = Builder::default();
        for (name, hosts) in full {
            if rest.is_superset(hosts) {
                used.add_name(&format!("@{name}"));
                rest = rest.minus(hosts);
            }
        }
        let parts = [used.build().fold(), rest.fold()];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(",")
    }

    fn source(&self, name: Option<&str>) -> Option<&Source> {
        match name {
            None => self.sources.first(),
            Some(name) => self.sources.iter().find(|source| source.name == name),
        }
    }

    pub(super) fn has_source(&self, name: &str) -> bool {
        self.source(Some(name)).is_some()
    }
}

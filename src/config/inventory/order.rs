//! Groups made of groups: resolving each after those it refers to, and finding cycles.

use super::error::{InventoryError, Problem};
use super::read::{File, GroupTable};
use super::{Inventory, SOURCE, outline};
use crate::targets::{GroupReference, HostSet};

/// Resolves groups so that each comes after the groups it refers to.
pub(super) struct GroupOrder<'a> {
    file: File<'a>,
    tables: &'a [GroupTable],
    /// What each table refers to.
    references: Vec<Vec<GroupReference>>,
    progress: Vec<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Untouched,
    /// On the way from the group asked for to the one being looked at.
    Open,
    Done,
}

/// A group being looked at, and those it refers to that are still to come.
struct Visit {
    table: usize,
    pending: Vec<usize>,
}

impl<'a> GroupOrder<'a> {
    pub(super) fn new(file: File<'a>, tables: &'a [GroupTable]) -> Result<Self, InventoryError> {
        let mut references = Vec::with_capacity(tables.len());
        for table in tables {
            let name = &table.name.value;
            if name.is_empty()
                || !name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
            {
                return Err(file.error(
                    &table.name.at,
                    Problem::InvalidGroupName { name: name.clone() },
                ));
            }
            let key = format!("groups.{name}");
            let mut here = Vec::new();
            for expression in table.hosts.iter().flatten() {
                here.extend(outline(file, &key, expression)?.groups);
            }
            references.push(here);
        }
        Ok(Self {
            file,
            tables,
            references,
            progress: vec![Progress::Untouched; tables.len()],
        })
    }

    /// Puts every group into the inventory. Names are put in first, so that an unknown one can be compared with all.
    pub(super) fn resolve_into(mut self, inventory: &mut Inventory) -> Result<(), InventoryError> {
        for table in self.tables {
            inventory
                .groups
                .insert(SOURCE, &table.name.value, HostSet::default());
        }
        for start in 0..self.tables.len() {
            // A stack of its own: how deep groups nest is up to the file.
            let mut path = Vec::new();
            if self.progress[start] == Progress::Untouched {
                path.push(self.visit(start));
            }
            while let Some(visit) = path.last_mut() {
                let Some(next) = visit.pending.pop() else {
                    let hosts = members(self.file, inventory, &self.tables[visit.table])?;
                    inventory
                        .groups
                        .insert(SOURCE, &self.tables[visit.table].name.value, hosts);
                    self.progress[visit.table] = Progress::Done;
                    path.pop();
                    continue;
                };
                match self.progress[next] {
                    Progress::Done => {}
                    Progress::Untouched => path.push(self.visit(next)),
                    Progress::Open => return Err(self.cycle(&path, next)),
                }
            }
        }
        Ok(())
    }

    fn visit(&mut self, table: usize) -> Visit {
        self.progress[table] = Progress::Open;
        let mut pending = Vec::new();
        for reference in &self.references[table] {
            if reference
                .source
                .as_deref()
                .is_none_or(|source| source == SOURCE)
            {
                let named = self
                    .tables
                    .iter()
                    .enumerate()
                    .filter(|(_, other)| reference.matches(&other.name.value));
                pending.extend(named.map(|(other, _)| other));
            }
        }
        Visit { table, pending }
    }

    fn cycle(&self, path: &[Visit], back_to: usize) -> InventoryError {
        let around = path
            .iter()
            .map(|visit| visit.table)
            .skip_while(|&table| table != back_to)
            .chain([back_to]);
        let path = around
            .map(|table| self.tables[table].name.value.clone())
            .collect();
        self.file
            .error(&self.tables[back_to].name.at, Problem::Cycle { path })
    }
}

/// The hosts of a group, given that the groups it refers to are resolved.
fn members(
    file: File<'_>,
    inventory: &Inventory,
    table: &GroupTable,
) -> Result<HostSet, InventoryError> {
    let key = format!("groups.{}", table.name.value);
    let mut hosts = match &table.hosts {
        None => inventory.groups.hosts().clone(),
        Some(expressions) => {
            let parts: Result<Vec<HostSet>, InventoryError> = expressions
                .iter()
                .map(|expression| inventory.resolve(file, &key, expression))
                .collect();
            HostSet::union_of(&parts?)
        }
    };
    for (label, value) in &table.labels {
        hosts = hosts.and(&inventory.labelled(label, value));
    }
    Ok(hosts)
}

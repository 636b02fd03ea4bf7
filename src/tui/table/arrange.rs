//! Which rows are shown, in which order, in which groups: computed of rows that do not change meanwhile, so that it can be
//! done beside the loop where there are many.

use std::collections::HashMap;
use std::sync::Arc;

use super::HOST;
use super::part::Rows;
use crate::results::parse::Row;
use crate::results::table::{Order, groups};
use crate::results::{Filter, Value};
use crate::targets::folded;

/// A row, wherever it stands: its child, and its place among that child's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    pub child: u64,
    pub at: u32,
}

/// What the rows of a group have in its columns.
pub type Key = Arc<[Value]>;

/// Rows that are the same in some columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub key: Key,
    pub rows: Vec<RowId>,
    /// In the shortest form.
    pub hosts: String,
    pub host_count: usize,
}

/// What was asked for, and of which rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Grows with every other filter, order or grouping.
    pub asked: u64,
    /// Grows with every part that comes.
    pub parts: u64,
}

/// What is to be computed.
#[derive(Clone, Debug)]
pub struct Arranging {
    pub version: Version,
    pub parts: Vec<(u64, Rows)>,
    pub filter: Option<Arc<Filter>>,
    pub order: Order,
    /// The columns that rows are grouped by.
    pub by: Vec<usize>,
    /// Only rows of this group.
    pub within: Option<Key>,
}

/// What it came to.
#[derive(Clone, Debug)]
pub struct Arranged {
    pub version: Version,
    pub rows: Vec<RowId>,
    /// Largest first.
    pub groups: Vec<Group>,
    /// Where each group stands among them.
    pub places: HashMap<Key, usize>,
}

impl Arranging {
    pub fn run(self) -> Arranged {
        let mut rows: Vec<(RowId, &Row)> = Vec::new();
        for (child, part) in &self.parts {
            let filter = self.filter.as_deref();
            let wanted = part
                .iter()
                .enumerate()
                .filter(|(_, row)| filter.is_none_or(|filter| filter.takes(row)));
            rows.extend(wanted.map(|(at, row)| {
                let (child, at) = (*child, at as u32);
                (RowId { child, at }, row)
            }));
        }
        if !self.order.is_none() {
            rows.sort_by(|(_, a), (_, b)| self.order.compare(a, b));
        }
        let found = if self.by.is_empty() {
            Vec::new()
        } else {
            groups(rows.iter().map(|(_, row)| *row), &self.by, Some(HOST))
        };
        let groups = found.into_iter().map(|group| Group {
            key: group.key.into_iter().cloned().collect(),
            rows: group.rows.iter().map(|n| rows[*n].0).collect(),
            host_count: group.hosts.len(),
            hosts: match group.hosts.as_slice() {
                [host] => (*host).to_string(),
                hosts => folded(hosts.iter().copied()),
            },
        });
        let groups: Vec<Group> = groups.collect();
        let places = groups.iter().enumerate();
        let places = places.map(|(n, group)| (Arc::clone(&group.key), n));
        let places = places.collect();
        if let Some(key) = &self.within {
            let same = |row: &Row| {
                let fields = self.by.iter().map(|column| &row[*column]);
                fields.eq(key.iter())
            };
            rows.retain(|(_, row)| same(row));
        }
        Arranged {
            version: self.version,
            rows: rows.into_iter().map(|(id, _)| id).collect(),
            groups,
            places,
        }
    }
}

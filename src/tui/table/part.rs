//! The rows of one child, as they were read when it had ended.

use std::sync::Arc;

use crate::core::state::State;
use crate::plan::gather::{Gave, Source, Written};
use crate::results::Value;
use crate::results::open::Opened;
use crate::results::parse::Row;
use crate::view::rows::field;
use crate::view::text::{harmless, width};
use crate::wire::reply::ChildView;

/// Rows that whoever sorts them shares with whoever draws them.
pub type Rows = Arc<[Row]>;

/// See the module.
#[derive(Clone, Debug)]
pub struct Part {
    pub child: u64,
    pub job: u64,
    pub host: String,
    /// How the child stood when it was read: it is read again when that changes.
    pub state: State,
    pub rows: Rows,
    /// What has to be said of its output.
    pub said: Vec<String>,
    pub gave: Gave,
    /// Cells of the widest field of each column.
    pub widths: Vec<usize>,
    /// The columns that its rows came with, where nobody knew them before.
    pub opened: Opened,
}

impl Part {
    /// Reads what a child wrote.
    pub fn read(child: &ChildView, source: &Source, written: &Written) -> Self {
        let harvest = source.harvest(child, written);
        let mut rows = harvest.rows;
        let mut opened = Opened::default();
        if source.shape.is_open() {
            opened = Opened::of(rows.iter());
            rows = rows.iter().map(|row| opened.row(row)).collect();
        }
        let mut widths = Vec::new();
        for row in &rows {
            widths.resize(row.len(), 0);
            for (widest, value) in widths.iter_mut().zip(row) {
                *widest = width(&cell(value)).max(*widest);
            }
        }
        Self {
            child: child.id,
            job: child.job,
            host: child.host.clone(),
            state: child.state,
            rows: rows.into(),
            said: harvest.said,
            gave: harvest.gave,
            widths,
            opened,
        }
    }

    /// A child whose output cannot be had.
    pub fn lost(child: &ChildView, why: &str) -> Self {
        Self {
            child: child.id,
            job: child.job,
            host: child.host.clone(),
            state: child.state,
            rows: Vec::new().into(),
            said: vec![format!("its output cannot be read: {why}")],
            gave: Gave::NotAll,
            widths: Vec::new(),
            opened: Opened::default(),
        }
    }

    /// Whether somebody has to look at it.
    pub fn is_trouble(&self) -> bool {
        !self.said.is_empty() || self.gave == Gave::NotAll
    }

    /// Leaves only so many rows, and says so.
    pub(super) fn shorten(&mut self, rows: usize) {
        let beyond = self.rows.len() - rows;
        self.rows = self.rows[..rows].into();
        self.gave = Gave::NotAll;
        self.said.push(format!(
            "{beyond} of its rows are left out: the table is full"
        ));
    }
}

/// A field as it is drawn: on one line, and with nothing in it that a terminal would obey.
pub fn cell(value: &Value) -> String {
    harmless(field(value).as_bytes()).replace('\t', " ")
}

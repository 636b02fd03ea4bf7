//! Columns that come with the rows: a table of what has whatever keys it has grows wider as its hosts end.
//!
//! A column stays where it is once it is there, and what was integers becomes text when something else comes into it.  So
//! rows that are there need not be read again, and what is sorted, marked and grouped stays so.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arrange::Key;
use super::asking::Condition;
use super::part::{Part, Rows};
use super::{Choice, Item, Level, TableView};
use crate::plan::gather::left_out;
use crate::results::open::{Opened, as_kind};
use crate::results::parse::Row;
use crate::results::shape::GIVEN;
use crate::results::{Column, Filter, Kind, Value};

/// Where the columns that a part came with stand in the table, if anywhere.
pub(super) type Places = Vec<Option<usize>>;

impl TableView {
    /// Makes room for the columns of these parts: where they stand, part by part.
    pub(super) fn widen(&mut self, parts: &[Part]) -> Vec<Places> {
        let before = self.opened.columns.clone();
        let places = parts
            .iter()
            .map(|part| self.opened.join(&part.opened.columns));
        let places = places.collect();
        if self.opened.columns == before {
            return places;
        }
        let own = GIVEN.len();
        let known: Places = (0..before.len()).map(Some).collect();
        for part in self.parts.values_mut() {
            part.rows = joined(&self.opened, &part.rows, &known);
        }
        let shown = self.columns.len();
        self.columns.truncate(own);
        self.columns.extend(self.opened.columns.iter().cloned());
        self.widths.resize(self.columns.len(), 0);
        match self.choice {
            Choice::Usual => self.grid.add(shown..self.columns.len()),
            Choice::Chosen => {}
        }
        let kinds = |columns: &[Column]| -> Vec<Kind> {
            let columns = columns.iter().take(before.len());
            columns.map(|column| column.kind).collect()
        };
        if kinds(&self.opened.columns) != kinds(&before) {
            self.retype();
        }
        places
    }

    /// Gives a part the columns of the table.
    pub(super) fn fit(&mut self, part: &mut Part, places: &Places) {
        if !self.shape.is_open() {
            return;
        }
        let given = GIVEN.len();
        let own = std::mem::take(&mut part.opened);
        let lost = |row: &Row| {
            let fields = row[given..].iter().zip(places);
            let lost = fields.filter(|(field, at)| at.is_none() && **field != Value::Empty);
            lost.count()
        };
        let lost = own.beyond + part.rows.iter().map(lost).sum::<usize>();
        part.said.extend((lost > 0).then(|| left_out(lost)));
        if own.columns == self.opened.columns {
            return;
        }
        let mut widths = vec![0; self.columns.len()];
        for (n, cells) in part.widths.iter().enumerate() {
            let place = match n.checked_sub(given) {
                None => Some(n),
                Some(own) => places[own].map(|place| given + place),
            };
            if let Some(place) = place {
                widths[place] = *cells;
            }
        }
        part.widths = widths;
        part.rows = joined(&self.opened, &part.rows, places);
    }

    /// Some columns are of text now: what was asked of them is asked of text, and groups are called as their rows are.
    fn retype(&mut self) {
        let columns = &self.columns;
        let conditions = [Some(&mut self.condition), self.before.as_mut()];
        for Condition { text, filter } in conditions.into_iter().flatten() {
            // What can be compared with an integer can be compared with text.
            if let (Some(filter), Ok(again)) = (filter, Filter::parse(text, columns)) {
                *filter = Arc::new(again);
            }
        }
        let by = &self.by;
        let key = |key: &Key| -> Key {
            let fields = key.iter().zip(by);
            let fields = fields.map(|(value, column)| as_kind(value, columns[*column].kind));
            fields.collect()
        };
        let item = |item: &Item| match item {
            Item::Group(group) => Item::Group(key(group)),
            Item::Row(_) | Item::Host(_) => item.clone(),
        };
        self.groups.rename(item);
        self.marks = self.marks.iter().map(item).collect::<BTreeSet<_>>();
        self.range = self.range.as_ref().map(item);
        for group in &mut self.found {
            group.key = key(&group.key);
        }
        let places = self.places.iter();
        self.places = places.map(|(group, at)| (key(group), *at)).collect();
        let mut level = &mut self.level;
        while let Level::Troubles(from) = level {
            level = from;
        }
        if let Level::Within(group) = level {
            *group = key(group);
        }
        // What is being computed is computed of integers.
        self.version.asked += 1;
    }
}

fn joined(opened: &Opened, rows: &Rows, places: &Places) -> Rows {
    rows.iter().map(|row| opened.joined(row, places)).collect()
}

#[cfg(test)]
mod tests;

//! Which rows are asked for, in which order and groups, and the way back from there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arrange::{Key, RowId};
use super::{Item, Level, TableView};
use crate::results::Filter;
use crate::results::filter::FilterError;
use crate::results::table::{NoColumn, Order, place};
use crate::tui::list::List;

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) filter: Option<Arc<Filter>>,
}

impl TableView {
    /// The filter that is in force, as it was typed.
    pub fn filter_text(&self) -> &str {
        &self.condition.text
    }

    /// Another filter is about to be typed: what it comes to is shown meanwhile.
    pub fn begin_filter(&mut self) {
        self.before = Some(self.condition.clone());
    }

    /// Shows only rows of which this holds; all of them if it is empty.  With a mistake the former filter stays.
    pub fn filter(&mut self, text: &str) -> Result<(), FilterError> {
        let text = text.trim();
        if text == self.condition.text {
            return Ok(());
        }
        let filter = match text {
            "" => None,
            text => Some(Arc::new(Filter::parse(text, &self.columns)?)),
        };
        self.condition = Condition {
            text: text.to_string(),
            filter,
        };
        self.asked();
        Ok(())
    }

    /// What a filter that is typed comes to; where it means nothing yet, the former one holds, and not what was typed of
    /// it on the way.
    pub fn filter_typed(&mut self, text: &str) {
        if self.filter(text).is_err()
            && let Some(before) = self.before.clone()
            && before.text != self.condition.text
        {
            self.condition = before;
            self.asked();
        }
    }

    /// What was meant by a word that is no column: a host.
    pub fn filter_hint(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let host = format!("host = {text}");
        let is_word = !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "-_.".contains(c));
        (is_word && Filter::parse(&host, &self.columns).is_ok()).then_some(host)
    }

    /// The former filter holds again.
    pub fn filter_undone(&mut self) {
        if let Some(before) = self.before.take() {
            self.condition = before;
            self.asked();
        }
    }

    /// Orders rows by columns, as `--sort` does; without any, as they came: by job and host.
    pub(super) fn sort(&mut self, by: Vec<String>) -> Result<(), NoColumn> {
        self.order = Order::by(&by, &self.columns)?;
        self.sort = by;
        self.asked();
        Ok(())
    }

    /// By the column under the cursor: the largest numbers first, text as in the alphabet; again turns it round.
    pub(super) fn sort_by_current(&mut self) -> Result<(), NoColumn> {
        let column = &self.columns[self.grid.current()];
        let (rising, falling) = (column.name.clone(), format!("-{}", column.name));
        let before = self.sort.first();
        let by = if before == Some(&falling) {
            rising
        } else if before == Some(&rising) || column.kind.is_number() {
            falling
        } else {
            rising
        };
        self.sort(vec![by])
    }

    /// Puts rows together that are the same in these columns, or in the one under the cursor.
    pub(super) fn group_by(&mut self, names: &[String]) -> Result<(), NoColumn> {
        let by = match names {
            [] => vec![self.grid.current()],
            names => {
                // Its message is the one for columns everywhere.
                Order::by(names, &self.columns)?;
                let places = names.iter().filter_map(|name| place(&self.columns, name));
                places.collect()
            }
        };
        self.by = by;
        self.level = Level::Groups;
        self.groups = List::default();
        self.groups.set_height(self.rows.page().unsigned_abs());
        self.found.clear();
        self.places.clear();
        self.unmark();
        self.asked();
        Ok(())
    }

    pub(super) fn ungroup(&mut self) {
        self.by.clear();
        self.level = Level::Rows;
        self.unmark();
        self.asked();
    }

    /// The rows of a group: they are known, whatever is being computed.
    pub(super) fn enter(&mut self, key: &Key) {
        let Some(group) = self.group(key) else {
            return;
        };
        let rows = group.rows.iter().copied().map(Item::Row).collect();
        self.within = List::default();
        self.within.set_height(self.rows.page().unsigned_abs());
        self.within.set(rows);
        self.level = Level::Within(Arc::clone(key));
        self.unmark();
        self.asked();
    }

    /// One step back within the table; false if there was none left.
    pub(super) fn back(&mut self) -> bool {
        if self.unmark() {
            return true;
        }
        match self.level.clone() {
            Level::Troubles(from) => self.level = *from,
            Level::Within(_) => {
                self.level = Level::Groups;
                self.asked();
            }
            Level::Groups => self.ungroup(),
            Level::Rows if self.condition.filter.is_some() => {
                self.condition = Condition::default();
                self.asked();
            }
            Level::Rows => return false,
        }
        true
    }

    /// Shows hosts with something to be said of them, or goes back; false if there are none.
    pub(super) fn toggle_troubles(&mut self) -> bool {
        match self.level.clone() {
            Level::Troubles(from) => self.level = *from,
            _ if self.troubles.is_empty() => return false,
            level => self.level = Level::Troubles(Box::new(level)),
        }
        self.unmark();
        true
    }

    pub(super) fn unmark(&mut self) -> bool {
        self.range = None;
        !std::mem::take(&mut self.marks).is_empty()
    }

    /// The hosts of what is marked, or else of what is under the cursor, each once.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = BTreeSet::new();
        let mut add = |child: &u64| {
            hosts.extend(self.parts.get(child).map(|part| part.host.clone()));
        };
        let under_cursor = || self.cursor().into_iter();
        let marked = (!self.marks.is_empty()).then_some(&self.marks);
        for item in marked
            .into_iter()
            .flatten()
            .chain(under_cursor().filter(|_| self.marks.is_empty()))
        {
            match item {
                Item::Row(RowId { child, .. }) | Item::Host(child) => add(child),
                Item::Group(key) => {
                    let group = self.group(key);
                    let rows = group.into_iter().flat_map(|group| &group.rows);
                    rows.for_each(|row| add(&row.child));
                }
            }
        }
        hosts.into_iter().collect()
    }
}

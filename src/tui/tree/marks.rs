//! Marks: of the row under the cursor, of a range, of everything that is shown.

use super::{RowId, Tree};
use crate::tui::event::Now;

impl Tree {
    pub fn is_marked(&self, row: RowId) -> bool {
        self.marks.contains(&row)
    }

    /// Whether a range of marks has begun.
    pub fn is_ranging(&self) -> bool {
        self.range.is_some()
    }

    /// Marks or unmarks the row under the cursor, and goes on to the next.
    pub fn mark(&mut self, now: Now) {
        if let Some(row) = self.cursor.filter(|row| can_be_marked(*row))
            && !self.marks.remove(&row)
        {
            self.marks.insert(row);
        }
        self.step(now, 1);
    }

    /// Begins a range at the cursor, or ends it.
    pub fn toggle_range(&mut self) {
        self.range = match self.range {
            Some(_) => None,
            None => self.cursor,
        };
        self.mark_range();
    }

    pub fn mark_all(&mut self) {
        let rows = self.rows.iter().copied().filter(|row| can_be_marked(*row));
        self.marks.extend(rows);
    }

    /// Unmarks everything; true if anything was marked.
    pub fn unmark(&mut self) -> bool {
        self.range = None;
        !std::mem::take(&mut self.marks).is_empty()
    }

    pub(super) fn mark_range(&mut self) {
        let Some(from) = self.range else { return };
        let Some(start) = self.rows.iter().position(|row| *row == from) else {
            self.range = None;
            return;
        };
        let (low, high) = (start.min(self.index), start.max(self.index));
        let rows = self.rows[low..=high.min(self.rows.len() - 1)]
            .iter()
            .copied();
        self.marks.extend(rows.filter(|row| can_be_marked(*row)));
    }
}

/// Jobs and children can be acted on; other rows stand for several.
fn can_be_marked(row: RowId) -> bool {
    match row {
        RowId::Job(_) | RowId::Child { .. } => true,
        RowId::Rest(_) | RowId::Group { .. } => false,
    }
}

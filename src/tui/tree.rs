//! The tree of jobs and children as rows: what is open, marked, sorted, filtered, and where the cursor is.
//!
//! The cursor and the marks are ids, never positions: rows come and go around them.  Rows are computed anew when the
//! model or the tree has changed; drawing only reads them.

mod marks;
mod problems;
pub(super) mod rows;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::event::Now;
use super::filter::{Filter, Scope};
use super::model::{Entry, Model};
use crate::command::console::Column;
use crate::command::console::Way;

/// One row.  Its order is that of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    Job(u64),
    Child {
        job: u64,
        child: u64,
    },
    /// The children of a job that are not shown one by one.
    Rest(u64),
    /// Children that came to the same; named by the first of them.
    Group {
        job: u64,
        first: u64,
    },
}

impl RowId {
    /// The job it belongs to.
    pub fn job(self) -> u64 {
        match self {
            Self::Job(job)
            | Self::Child { job, .. }
            | Self::Rest(job)
            | Self::Group { job, .. } => job,
        }
    }
}

/// How a job's children are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Problems, what still runs if that is little, and the first few; the rest in a row.
    Some,
    All,
}

/// Whether children are shown one by one or by what they came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Arrangement {
    #[default]
    EachChild,
    Same,
}

/// A child under the cursor, and the group that it is in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Within {
    group: RowId,
    child: RowId,
}

/// By what rows are sorted, within one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    fn turned(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

impl Default for Sort {
    /// The newest job first.
    fn default() -> Self {
        Self {
            column: Column::Id,
            direction: Direction::Down,
        }
    }
}

/// A column whose values change by themselves is sorted at most so often, and not while somebody moves about.
const RESORT: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub struct Tree {
    open: BTreeMap<u64, Open>,
    arranged: BTreeMap<u64, Arrangement>,
    open_groups: BTreeSet<(u64, u64)>,
    /// The child under the cursor that its group stands for: the cursor goes back to it.
    within: Option<Within>,
    marks: BTreeSet<RowId>,
    /// Where a range of marks began.
    range: Option<RowId>,
    cursor: Option<RowId>,
    /// Where the cursor was, should what it was on go away.
    index: usize,
    /// The first row on the screen.
    offset: usize,
    height: usize,
    sort: Sort,
    filter: Filter,
    scope: Scope,
    rows: Vec<RowId>,
    /// The order in which live columns were sorted last: of jobs, and of each job's children.
    orders: HashMap<Option<u64>, Vec<u64>>,
    sorted: Duration,
    moved: Duration,
    /// The job whose other children were just asked for.
    revealing: Option<u64>,
    /// How many children without a problem are shown of a job with many.
    places: usize,
    /// Where the next problem is looked for once a job's children are known.
    seeking: Option<(u64, Way)>,
    /// Jobs that are not shown, because they are about to be removed.
    hidden: BTreeSet<u64>,
    /// Jobs that are not open, whose children are looked through for what the list is filtered for.
    looked_into: BTreeSet<u64>,
    /// Jobs of which only the own row is.
    by_name_only: usize,
}

impl Tree {
    pub fn hide(&mut self, hidden: BTreeSet<u64>) {
        self.hidden = hidden;
    }

    pub fn rows(&self) -> &[RowId] {
        &self.rows
    }

    /// The rows on the screen.
    pub fn visible(&self) -> &[RowId] {
        let end = (self.offset + self.height).min(self.rows.len());
        &self.rows[self.offset.min(end)..end]
    }

    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The place of the cursor in the list.
    pub fn index(&self) -> usize {
        self.index
    }

    pub fn cursor(&self) -> Option<RowId> {
        self.cursor
    }

    pub fn marks(&self) -> &BTreeSet<RowId> {
        &self.marks
    }

    pub fn sort(&self) -> Sort {
        self.sort
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn is_open(&self, job: u64) -> Option<Open> {
        self.open.get(&job).copied()
    }

    pub fn arrangement(&self, job: u64) -> Arrangement {
        self.arranged.get(&job).copied().unwrap_or_default()
    }

    pub fn is_group_open(&self, job: u64, first: u64) -> bool {
        self.open_groups.contains(&(job, first))
    }

    /// The jobs whose children have to be known.
    pub fn watched(&self) -> impl Iterator<Item = u64> {
        self.open.keys().chain(&self.looked_into).copied()
    }

    /// Whether rows of a job that is open are not known yet.
    pub fn lacks_children(&self, model: &Model) -> bool {
        self.open.keys().any(|job| {
            let lacking = |entry: &Entry| match self.arrangement(*job) {
                Arrangement::EachChild => !entry.is_complete(),
                Arrangement::Same => entry.fold().is_none(),
            };
            !self.hidden.contains(job) && model.job(*job).is_some_and(lacking)
        })
    }

    /// Whether the cursor goes to a problem as soon as the children it is among are known.
    pub fn is_seeking(&self) -> bool {
        self.seeking.is_some()
    }

    /// How many jobs were filtered by their own rows only, because there are too many children to look through all.
    pub fn by_name_only(&self) -> usize {
        self.by_name_only
    }

    /// Jobs that are shown by groups.
    pub fn folded(&self) -> impl Iterator<Item = u64> {
        let same = |(job, how): (&u64, &Arrangement)| (*how == Arrangement::Same).then_some(*job);
        self.arranged.iter().filter_map(same)
    }

    /// How many rows fit on the screen.
    pub fn set_height(&mut self, height: usize) {
        self.height = height;
        self.scroll_to_cursor();
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, now: Now, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let to = self.index.saturating_add_signed(by).min(last);
        self.go(now, to);
    }

    /// Moves the cursor to a row by its place in the list.
    pub fn go(&mut self, now: Now, index: usize) {
        let index = index.min(self.rows.len().saturating_sub(1));
        self.moved = now.mono;
        self.cursor = self.rows.get(index).copied();
        self.index = index;
        self.scroll_to_cursor();
        self.mark_range();
    }

    /// Moves the cursor to a row, if it is shown.
    pub fn go_to(&mut self, now: Now, row: RowId) -> bool {
        match self.rows.iter().position(|shown| *shown == row) {
            Some(index) => {
                self.go(now, index);
                true
            }
            None => false,
        }
    }

    /// Puts the cursor on a row that may not be shown yet.
    pub fn expect(&mut self, row: RowId) {
        self.cursor = Some(row);
        self.offset = 0;
    }

    pub fn half(&self) -> isize {
        (self.height / 2).max(1) as isize
    }

    pub fn page(&self) -> isize {
        self.height.max(1) as isize
    }

    /// Opens what the cursor is on; true if there was something to open.
    pub fn expand(&mut self) -> bool {
        match self.cursor {
            Some(RowId::Job(job)) => self.open.insert(job, Open::Some).is_none(),
            Some(RowId::Rest(job)) => {
                self.open.insert(job, Open::All);
                self.revealing = Some(job);
                true
            }
            Some(RowId::Group { job, first }) => self.open_groups.insert((job, first)),
            Some(RowId::Child { .. }) | None => false,
        }
    }

    /// Opens a job, so that its children are shown.
    pub fn open(&mut self, job: u64) {
        self.open.entry(job).or_insert(Open::Some);
    }

    /// Closes what the cursor is on, or goes to what it is in.
    pub fn collapse(&mut self, now: Now) {
        match self.cursor {
            Some(RowId::Job(job)) => {
                self.open.remove(&job);
            }
            Some(RowId::Group { job, first }) if self.open_groups.remove(&(job, first)) => {}
            Some(RowId::Child { job, child }) => {
                let group = self.rows[..self.index.min(self.rows.len())]
                    .iter()
                    .rev()
                    .find(|row| matches!(row, RowId::Group { .. } | RowId::Job(_)))
                    .copied();
                let into = group.unwrap_or(RowId::Job(job));
                debug_assert!(child > job, "children are numbered behind their job");
                self.go_to(now, into);
            }
            Some(RowId::Rest(job) | RowId::Group { job, .. }) => {
                self.go_to(now, RowId::Job(job));
            }
            None => {}
        }
    }

    pub fn expand_all(&mut self, model: &Model) {
        for entry in model.jobs() {
            self.open(entry.job.id);
        }
    }

    pub fn collapse_all(&mut self) {
        self.open.clear();
        if let Some(cursor) = self.cursor {
            self.cursor = Some(RowId::Job(cursor.job()));
        }
    }

    /// Shows children by what they came to, or one by one; of the job under the cursor.
    pub fn toggle_same(&mut self) {
        let Some(cursor) = self.cursor else { return };
        let job = cursor.job();
        let arranged = match self.arrangement(job) {
            Arrangement::EachChild => Arrangement::Same,
            Arrangement::Same => Arrangement::EachChild,
        };
        self.arranged.insert(job, arranged);
        self.open(job);
        self.open_groups.retain(|(of, _)| *of != job);
        if let RowId::Rest(_) = cursor {
            self.cursor = Some(RowId::Job(job));
        }
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.offset = 0;
    }

    pub fn toggle_problems(&mut self) {
        self.scope = self.scope.turned();
    }

    pub fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    /// Sorts by a column; by the same again, the other way round.
    pub fn sort_by(&mut self, column: Column) {
        self.sort = if self.sort.column == column {
            Sort {
                column,
                direction: self.sort.direction.turned(),
            }
        } else {
            Sort {
                column,
                direction: column.natural(),
            }
        };
        self.orders.clear();
    }

    pub fn set_sort(&mut self, sort: Sort) {
        self.sort = sort;
        self.orders.clear();
    }

    fn scroll_to_cursor(&mut self) {
        let height = self.height.max(1);
        if self.index < self.offset {
            self.offset = self.index;
        } else if self.index >= self.offset + height {
            self.offset = self.index + 1 - height;
        }
        let most = self.rows.len().saturating_sub(height);
        self.offset = self.offset.min(most);
    }
}

//! The rows of a query's jobs as one table: filtered, sorted, grouped, with a cursor that stays on its row while others
//! come.
//!
//! Pure, as the rest of the console's state: what is read comes in as [`Part`]s, one a child, and what takes long is given
//! away as [`Arranging`] and comes back as [`Arranged`].  Not here: which children are read when, and what is done with
//! what a key asks for.

pub mod arrange;
mod asking;
mod draw;
pub mod export;
mod grid;
mod input;
mod open;
pub mod part;

#[cfg(test)]
pub mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::list::List;
use crate::core::state::State;
use crate::plan::gather::{Source, usual_columns};
use crate::results::open::Opened;
use crate::results::table::{Order, place};
use crate::results::{Column, Kind, Shape, Value};
use crate::view::text::width;
use crate::wire::reply::ChildView;
use arrange::{Arranged, Arranging, Group, Key, RowId, Version};
use asking::Condition;
use grid::Grid;
use part::{Part, Rows};

pub use draw::Standing;
pub use input::{Came, Shown};

/// Where every row has its host.
const HOST: usize = 0;

/// Rows of one table; children whose rows have no room are counted.
pub const MOST_ROWS: usize = 200_000;

/// So many rows are arranged at once; more are arranged beside the loop, where nobody waits for it.
const AT_ONCE: usize = 2_000;

/// The most cells of a column that says nothing about it.
const WIDEST: usize = 60;

/// See the module.
#[derive(Debug)]
pub struct TableView {
    shape: Shape,
    sources: Arc<BTreeMap<u64, Source>>,
    /// All there are.
    columns: Vec<Column>,
    /// Those that came with the rows, where nobody knew them before.
    opened: Opened,
    choice: Choice,
    /// By child: in the order of jobs and hosts.
    parts: BTreeMap<u64, Part>,
    /// Rows of all parts.
    total: usize,
    /// Cells of the widest field of each column so far.
    widths: Vec<usize>,
    grid: Grid,
    condition: Condition,
    /// The condition that was in force when another one began to be typed.
    before: Option<Condition>,
    sort: Vec<String>,
    order: Order,
    by: Vec<usize>,
    level: Level,
    rows: List<Item>,
    groups: List<Item>,
    within: List<Item>,
    troubles: List<Item>,
    found: Vec<Group>,
    /// Where each group stands among them.
    places: HashMap<Key, usize>,
    marks: BTreeSet<Item>,
    /// Where a range of marks began.
    range: Option<Item>,
    version: Version,
    arranged: Version,
    touched: Touched,
    across: usize,
}

/// What a list is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Row(RowId),
    Group(Key),
    /// A host that has something to be said of it, by its child.
    Host(u64),
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Rows,
    Groups,
    /// The rows of one group.
    Within(Key),
    /// Hosts whose output is not as it should be, and what to go back to.
    Troubles(Box<Self>),
}

/// Who said which columns are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// Nobody: all that are usual, and those that come.
    Usual,
    /// Somebody: those that come are not shown by themselves.
    Chosen,
}

/// Whether somebody has moved the cursor: until then it is on the first row, whatever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touched {
    No,
    Yes,
}

impl TableView {
    /// A table of jobs whose output is read like this, without any rows yet.
    pub fn new(mut shape: Shape, sources: BTreeMap<u64, Source>) -> Self {
        if shape.is_open() {
            shape.columns.clear();
        }
        let columns = shape.all_columns();
        let usual = usual_columns(&shape, sources.len());
        let places = usual.iter().filter_map(|name| place(&columns, name));
        let others = places.filter(|column| *column != HOST).collect();
        Self {
            widths: vec![0; columns.len()],
            shape,
            sources: Arc::new(sources),
            columns,
            opened: Opened::default(),
            choice: Choice::Usual,
            parts: BTreeMap::new(),
            total: 0,
            grid: Grid::new(others),
            condition: Condition::default(),
            before: None,
            sort: Vec::new(),
            order: Order::default(),
            by: Vec::new(),
            level: Level::Rows,
            rows: List::default(),
            groups: List::default(),
            within: List::default(),
            troubles: List::default(),
            found: Vec::new(),
            places: HashMap::new(),
            marks: BTreeSet::new(),
            range: None,
            version: Version::default(),
            arranged: Version::default(),
            touched: Touched::No,
            across: 80,
        }
    }

    pub fn jobs(&self) -> impl Iterator<Item = u64> {
        self.sources.keys().copied()
    }

    pub fn sources(&self) -> Arc<BTreeMap<u64, Source>> {
        Arc::clone(&self.sources)
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether a child's rows are to be read: it has ended, and was not read as it is now.
    pub fn lacks(&self, child: &ChildView) -> bool {
        let settled = child.state.is_final() || child.state == State::Disconnected;
        let known = || self.parts.get(&child.id).map(|part| part.state);
        settled && !self.is_full() && known() != Some(child.state)
    }

    pub fn is_full(&self) -> bool {
        self.total >= MOST_ROWS
    }

    /// Children that were read.
    pub fn answered(&self) -> usize {
        self.parts.len()
    }

    /// Takes in what children gave.
    pub fn take(&mut self, parts: Vec<Part>) {
        let places = self.widen(&parts);
        for (mut part, places) in parts.into_iter().zip(places) {
            if let Some(before) = self.parts.remove(&part.child) {
                self.total -= before.rows.len();
            }
            let room = MOST_ROWS - self.total;
            if part.rows.len() > room {
                part.shorten(room);
            }
            self.fit(&mut part, &places);
            self.total += part.rows.len();
            for (widest, cells) in self.widths.iter_mut().zip(&part.widths) {
                *widest = (*widest).max(*cells);
            }
            self.parts.insert(part.child, part);
        }
        let troubles = self.parts.values().filter(|part| part.is_trouble());
        let troubles = troubles.map(|part| Item::Host(part.child)).collect();
        self.troubles.set_still(troubles);
        self.version.parts += 1;
        self.arrange();
    }

    /// What is to be computed beside the loop before the picture is as it was asked for; `None` if it is.
    pub fn wanted(&self) -> Option<Arranging> {
        (self.arranged != self.version).then(|| self.arranging())
    }

    fn arranging(&self) -> Arranging {
        let within = match &self.level {
            Level::Within(key) => Some(Arc::clone(key)),
            Level::Rows | Level::Groups | Level::Troubles(_) => None,
        };
        Arranging {
            version: self.version,
            parts: self.shared(),
            filter: self.condition.filter.clone(),
            order: self.order.clone(),
            by: self.by.clone(),
            within,
        }
    }

    fn shared(&self) -> Vec<(u64, Rows)> {
        let parts = self.parts.values();
        parts
            .map(|part| (part.child, Arc::clone(&part.rows)))
            .collect()
    }

    /// Something else is asked for.
    fn asked(&mut self) {
        self.version.asked += 1;
        self.arrange();
    }

    /// Few rows are arranged before anybody looks.
    fn arrange(&mut self) {
        if self.total <= AT_ONCE {
            self.arranged(self.arranging().run());
        }
    }

    /// Takes in what was computed, if it is still what is asked for; rows that came since are arranged next.
    pub fn arranged(&mut self, arranged: Arranged) {
        if arranged.version.asked != self.version.asked {
            return;
        }
        self.arranged = arranged.version;
        let rows = arranged.rows.into_iter().map(Item::Row).collect();
        let groups = arranged.groups.iter();
        let groups = groups.map(|group| Item::Group(Arc::clone(&group.key)));
        self.groups.set_still(groups.collect());
        self.found = arranged.groups;
        self.places = arranged.places;
        match self.level {
            Level::Within(_) => self.within.set_still(rows),
            Level::Rows | Level::Groups | Level::Troubles(_) => self.rows.set_still(rows),
        }
        if self.touched == Touched::No {
            self.list_mut().go(0);
        }
    }

    /// Whether what is shown is not yet what was asked for.
    pub fn is_arranging(&self) -> bool {
        self.arranged.asked != self.version.asked
    }

    pub fn set_size(&mut self, across: u16, down: u16) {
        self.across = usize::from(across);
        // Below the names of the columns.
        let rows = usize::from(down.saturating_sub(1));
        for list in [
            &mut self.rows,
            &mut self.groups,
            &mut self.within,
            &mut self.troubles,
        ] {
            list.set_height(rows);
        }
        let mut grid = self.grid.clone();
        grid.scroll(self.across, |column| self.cells(column));
        self.grid = grid;
    }

    /// What a column needs.
    fn cells(&self, column: usize) -> usize {
        let limit = match self.columns[column].width {
            // What is left of the line is its own.
            _ if self.grid.last() == column => usize::MAX,
            Some(width) => width,
            None => WIDEST,
        };
        let data = self.widths[column].min(limit);
        data.max(width(&self.heading(column)))
    }

    /// `USED_PCT (%)`.
    fn heading(&self, column: usize) -> String {
        let column = &self.columns[column];
        let name = column.name.to_uppercase();
        match (&column.unit, column.kind) {
            (Some(unit), Kind::Integer | Kind::Float) => format!("{name} ({unit})"),
            // Sizes and times have units of their own.
            _ => name,
        }
    }

    fn list(&self) -> &List<Item> {
        match &self.level {
            Level::Rows => &self.rows,
            Level::Groups => &self.groups,
            Level::Within(_) => &self.within,
            Level::Troubles(_) => &self.troubles,
        }
    }

    fn list_mut(&mut self) -> &mut List<Item> {
        match &self.level {
            Level::Rows => &mut self.rows,
            Level::Groups => &mut self.groups,
            Level::Within(_) => &mut self.within,
            Level::Troubles(_) => &mut self.troubles,
        }
    }

    /// What is opened by what is under the cursor.
    pub fn opens(&self) -> &'static str {
        match self.level {
            Level::Groups => "its rows",
            Level::Rows | Level::Within(_) | Level::Troubles(_) => "output",
        }
    }

    /// What is under the cursor.
    pub fn cursor(&self) -> Option<&Item> {
        self.list().cursor()
    }

    fn row(&self, id: RowId) -> Option<&[Value]> {
        let part = self.parts.get(&id.child)?;
        part.rows.get(id.at as usize).map(|row| &row[..])
    }

    fn group(&self, key: &Key) -> Option<&Group> {
        self.found.get(*self.places.get(key)?)
    }
}

/// What has to be said of a child's output.
fn trouble(part: &Part) -> String {
    if part.said.is_empty() {
        return "it gave not all of its rows".to_string();
    }
    part.said.join("; ")
}

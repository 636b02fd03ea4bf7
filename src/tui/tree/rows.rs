//! From the model to rows: what is open, in which order, and what a filter leaves.

use std::collections::{HashMap, HashSet};

use super::super::filter::Filter;
use super::{Arrangement, Direction, Open, RESORT, RowId, Scope, Tree, Within};
use crate::command::console::Column;
use crate::command::console::Way;
use crate::core::state::State;
use crate::tui::event::Now;
use crate::tui::model::{ChildEntry, Entry, Model, is_problem, problems};
use crate::wire::reply::ChildView;

/// A job with so many children shows them all as soon as it is opened.
const FEW: usize = 24;

/// Of more, so many at least; and more where there is room for them on the screen.
const FIRST: usize = 8;

/// Children that are looked through for a filter in jobs that are not open, and jobs, the newest first: what the engine
/// is asked to report on stays bounded.
const MOST_CHILDREN: usize = 20_000;
const MOST_JOBS: usize = 100;

impl Tree {
    /// Brings the rows up to the model.  The cursor stays on what it was on, and that stays where it was on the screen.
    pub fn rebuild(&mut self, now: Now, model: &Model) {
        self.open.retain(|job, _| model.job(*job).is_some());
        self.arranged.retain(|job, _| model.job(*job).is_some());
        self.open_groups
            .retain(|(job, _)| model.job(*job).is_some());
        let alive = |row: &RowId| model.job(row.job()).is_some();
        self.marks.retain(alive);
        if self.scope == Scope::Problems {
            let bad = model.jobs().filter(|entry| problems(&entry.job) > 0);
            let bad: Vec<u64> = bad.map(|entry| entry.job.id).collect();
            for job in bad {
                self.open(job);
            }
        }
        self.look_into(model);
        let may_resort = now.mono >= self.sorted + RESORT && now.mono >= self.moved + RESORT;
        if may_resort && self.sort.column.is_live() {
            self.orders.clear();
            self.sorted = now.mono;
        }
        self.regroup(model);
        let order = self.order_of_jobs(now, model);
        self.places = FIRST;
        let mut rows = self.rows_of(now, model, &order);
        let rests = rows.iter().filter(|row| matches!(row, RowId::Rest(_)));
        let room = self.height.saturating_sub(rows.len());
        if let Some(more) = room.checked_div(rests.count()).filter(|more| *more > 0) {
            self.places += more;
            rows = self.rows_of(now, model, &order);
        }
        self.reveal(model, &rows);
        self.settle_cursor(rows);
        if let Some((job, way)) = self.seeking
            && model.job(job).is_none_or(Entry::is_complete)
        {
            self.seeking = None;
            let from = self.edge(job, way);
            let found = self.problem_in(model, job, way, from);
            let from_first = (way == Way::Next)
                .then(|| self.rows.get(from).copied())
                .flatten();
            if let Some(row) = found.or(from_first) {
                self.go_to(now, row);
            }
        }
    }

    fn rows_of(&self, now: Now, model: &Model, order: &[u64]) -> Vec<RowId> {
        let mut rows = Vec::with_capacity(self.rows.len() + 16);
        let shown = order.iter().filter(|id| !self.hidden.contains(id));
        for entry in shown.filter_map(|id| model.job(*id)) {
            self.push_job(now, entry, &mut rows);
        }
        rows
    }

    /// A child goes into its group with the cursor on it, and comes out of it again.
    fn regroup(&mut self, model: &Model) {
        let Some(cursor) = self.cursor else { return };
        let (job, child) = match cursor {
            RowId::Child { job, child } | RowId::Group { job, first: child } => (job, child),
            RowId::Job(_) | RowId::Rest(_) => return,
        };
        let alone = RowId::Child { job, child };
        match self.arrangement(job) {
            Arrangement::Same => {
                let groups = model.job(job).and_then(Entry::fold);
                let groups = groups.map_or(&[][..], |fold| &fold.groups);
                let mut with_it = groups
                    .iter()
                    .filter(|group| group.children.contains(&child));
                let first = with_it.next().and_then(|group| group.children.first());
                if let Some(first) = first.copied()
                    && (cursor != alone || !self.is_group_open(job, first))
                {
                    let group = RowId::Group { job, first };
                    if cursor == alone {
                        self.within = Some(Within {
                            group,
                            child: alone,
                        });
                    }
                    self.cursor = Some(group);
                }
            }
            Arrangement::EachChild if cursor != alone => {
                let within = self.within.take().filter(|within| within.group == cursor);
                self.cursor = Some(within.map_or(alone, |within| within.child));
            }
            Arrangement::EachChild => {}
        }
    }

    /// Who opens the rest of a job's children wants to see the first of them.
    fn reveal(&mut self, model: &Model, rows: &[RowId]) {
        let Some(job) = self.revealing else { return };
        if !model.job(job).is_none_or(Entry::is_complete) {
            return;
        }
        self.revealing = None;
        if self.cursor != Some(RowId::Rest(job)) {
            return;
        }
        let before: HashSet<RowId> = self.rows.iter().copied().collect();
        let mut hidden = rows.iter().filter(|row| match row {
            RowId::Child { job: of, .. } => *of == job && !before.contains(row),
            RowId::Job(_) | RowId::Rest(_) | RowId::Group { .. } => false,
        });
        self.cursor = hidden.next().copied().or(self.cursor);
    }

    /// What is filtered for may be in jobs that are not open.
    fn look_into(&mut self, model: &Model) {
        self.looked_into.clear();
        self.by_name_only = 0;
        match self.filter {
            Filter::All | Filter::Without(_) => return,
            Filter::With(_) => {}
        }
        let mut children = 0;
        for entry in model.jobs().rev() {
            if self.open.contains_key(&entry.job.id) {
                continue;
            }
            children += entry.job.children() as usize;
            if children <= MOST_CHILDREN && self.looked_into.len() < MOST_JOBS {
                self.looked_into.insert(entry.job.id);
            } else {
                self.by_name_only += 1;
            }
        }
    }

    /// Takes new rows over, with the cursor on the same thing at the same height.
    fn settle_cursor(&mut self, rows: Vec<RowId>) {
        let height_of_cursor = self.index.saturating_sub(self.offset);
        let at_top = self.offset == 0;
        self.rows = rows;
        let found = self.cursor.and_then(|cursor| {
            let exact = self.rows.iter().position(|row| *row == cursor);
            // What has gone into the rest of its job, or is not shown any more, is stood for by its job.
            exact.or_else(|| {
                let job = cursor.job();
                let rest = self.rows.iter().position(|row| *row == RowId::Rest(job));
                rest.or_else(|| self.rows.iter().position(|row| *row == RowId::Job(job)))
            })
        });
        match found {
            Some(index) => {
                self.index = index;
                if !at_top {
                    self.offset = index.saturating_sub(height_of_cursor);
                }
            }
            None => self.index = self.index.min(self.rows.len().saturating_sub(1)),
        }
        self.cursor = self.rows.get(self.index).copied();
        self.scroll_to_cursor();
    }

    fn push_job(&self, now: Now, entry: &Entry, rows: &mut Vec<RowId>) {
        let id = entry.job.id;
        let job = &entry.job;
        let texts = [
            job.name.as_str(),
            job.command.as_str(),
            job.targets.as_str(),
            job.state.word(),
        ];
        let number = id.to_string();
        let wanted = self
            .filter
            .shows(texts.into_iter().chain([number.as_str()]));
        if self.scope == Scope::Problems && problems(job) == 0 {
            return;
        }
        let mut below = Vec::new();
        let searched = (!wanted && self.looked_into.contains(&id)).then_some(Open::All);
        if let Some(open) = self.is_open(id).or(searched) {
            match (self.arrangement(id), entry.fold()) {
                (Arrangement::Same, Some(fold)) => {
                    for group in &fold.groups {
                        let Some(first) = group.children.first().copied() else {
                            continue;
                        };
                        below.push(RowId::Group { job: id, first });
                        if self.is_group_open(id, first) {
                            let children = group.children.iter();
                            below.extend(children.map(|child| RowId::Child {
                                job: id,
                                child: *child,
                            }));
                        }
                    }
                }
                (Arrangement::Same, None) | (Arrangement::EachChild, _) => {
                    self.push_children(now, entry, open, wanted, &mut below);
                }
            }
        }
        if wanted || !below.is_empty() {
            rows.push(RowId::Job(id));
            rows.extend(below);
        }
    }

    fn push_children(
        &self,
        now: Now,
        entry: &Entry,
        open: Open,
        job_wanted: bool,
        rows: &mut Vec<RowId>,
    ) {
        let id = entry.job.id;
        let narrowed = self.scope == Scope::Problems || (self.filter.is_set() && !job_wanted);
        let order = self.order_of_children(now, entry);
        if narrowed {
            let shown = order.into_iter().filter(|child| {
                (self.scope == Scope::Everything || is_problem(&child.child))
                    && (job_wanted || self.filter.shows(texts(child)))
            });
            rows.extend(shown.map(|child| RowId::Child {
                job: id,
                child: child.child.id,
            }));
            return;
        }
        let all = open == Open::All || order.len() <= FEW;
        let live = order.iter().filter(|child| is_under_way(&child.child));
        // As long as they are few: of many the first stay where they are, whatever begins and ends.
        let (of_live, mut of_others) = match self.places.checked_sub(live.count()) {
            Some(others) => (Live::All, others),
            None => (Live::AsTheyCome, self.places),
        };
        let mut left = 0;
        for child in order {
            let row = RowId::Child {
                job: id,
                child: child.child.id,
            };
            let wanted = all
                || is_problem(&child.child)
                || (of_live == Live::All && is_under_way(&child.child));
            if wanted {
                rows.push(row);
            } else if of_others > 0 {
                of_others -= 1;
                rows.push(row);
            } else if self.cursor == Some(row) {
                // What one looks at does not go away.
                rows.push(row);
            } else {
                left += 1;
            }
        }
        // What has not been heard of yet is in the rest, too.
        if left > 0 || (!entry.is_complete() && entry.job.children() > 0) {
            rows.push(RowId::Rest(id));
        }
    }

    fn order_of_jobs(&mut self, now: Now, model: &Model) -> Vec<u64> {
        let Self { orders, sort, .. } = self;
        let mut jobs: Vec<&Entry> = model.jobs().rev().collect();
        if let Some(order) = orders.get(&None) {
            // New ones on top, as they are listed otherwise.
            let places: HashMap<u64, usize> = order.iter().copied().zip(1..).collect();
            jobs.sort_by_key(|entry| places.get(&entry.job.id).copied().unwrap_or_default());
        } else {
            jobs.sort_by(|a, b| turned(sort.column.compare_jobs(a, b, now), sort.direction));
        }
        let order: Vec<u64> = jobs.iter().map(|entry| entry.job.id).collect();
        if sort.column.is_live() {
            orders.insert(None, order.clone());
            for entry in &jobs {
                if self.open.contains_key(&entry.job.id)
                    && !orders.contains_key(&Some(entry.job.id))
                    && entry.is_complete()
                {
                    let mut children: Vec<&ChildEntry> = entry.children().collect();
                    children.sort_by(|a, b| {
                        turned(sort.column.compare_children(a, b, now), sort.direction)
                    });
                    let ids = children.iter().map(|child| child.child.id).collect();
                    orders.insert(Some(entry.job.id), ids);
                }
            }
        }
        order
    }

    fn order_of_children<'a>(&self, now: Now, entry: &'a Entry) -> Vec<&'a ChildEntry> {
        let column = self.sort.column;
        if let Some(order) = self.orders.get(&Some(entry.job.id)) {
            return order.iter().filter_map(|id| entry.child(*id)).collect();
        }
        let mut children: Vec<&ChildEntry> = entry.children().collect();
        // Ids sort jobs only: children stay in host order, whichever way round their jobs are.
        if column != Column::Id && !column.is_live() {
            children
                .sort_by(|a, b| turned(column.compare_children(a, b, now), self.sort.direction));
        }
        children
    }
}

/// Which of the children that are under way are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Live {
    All,
    AsTheyCome,
}

/// Whether something of it goes on at its host.
fn is_under_way(child: &ChildView) -> bool {
    match child.state {
        State::Connecting | State::Running | State::Suspended | State::Stopping => true,
        State::NotStarted
        | State::Blocked
        | State::Disconnected
        | State::Completed
        | State::Failed
        | State::Stopped => false,
    }
}

fn turned(order: std::cmp::Ordering, direction: Direction) -> std::cmp::Ordering {
    match direction {
        Direction::Up => order,
        Direction::Down => order.reverse(),
    }
}

/// What a filter looks at in a child.
fn texts(child: &ChildEntry) -> impl Iterator<Item = &str> {
    let view = &child.child;
    let reason = view.reason.as_ref().map(|reason| reason.text.as_str());
    [Some(view.host.as_str()), Some(view.state.word()), reason]
        .into_iter()
        .flatten()
        .chain(child.last_text())
}

/// `149 Running, 91 Completed` of the children that a row stands for.
pub(in crate::tui) fn rest_of(entry: &Entry, shown: &[RowId]) -> Vec<(State, u32)> {
    let mut counts = State::ALL.map(|state| entry.job.count(state));
    for row in shown {
        if let RowId::Child { job, child } = row
            && *job == entry.job.id
            && let Some(child) = entry.child(*child)
        {
            let count = &mut counts[child.child.state as usize];
            *count = count.saturating_sub(1);
        }
    }
    let pairs = State::ALL.into_iter().zip(counts);
    pairs.filter(|(_, count)| *count > 0).collect()
}

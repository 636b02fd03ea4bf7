//! What a verb without jobs is meant for, and what stands under the cursor.

use super::App;
use super::acts::folded;
use crate::command::console::{Screen, Way};
use crate::tui::events::{Happening, Weight};
use crate::tui::tree::RowId;

impl App {
    /// The marked rows, or else the row under the cursor, as words of the shell.
    pub(super) fn selection(&self) -> Vec<String> {
        if self.screen != Screen::Jobs {
            return Vec::new();
        }
        if let Some(page) = self.pages.last() {
            let Some(shown) = page.output() else {
                return page.jobs.iter().map(ToString::to_string).collect();
            };
            let children: Vec<u64> = shown.view.children().collect();
            return match (children.as_slice(), page.jobs.first().copied()) {
                // All of a job's children are the job.
                (children, Some(job))
                    if self
                        .model
                        .job(job)
                        .is_some_and(|entry| entry.job.children() as usize == children.len()) =>
                {
                    vec![job.to_string()]
                }
                (children, _) => children.iter().map(|child| self.word_of(*child)).collect(),
            };
        }
        if !self.tree.marks().is_empty() {
            return self
                .tree
                .marks()
                .iter()
                .flat_map(|row| self.words_of(*row))
                .collect();
        }
        self.tree
            .cursor()
            .map(|row| self.words_of(row))
            .unwrap_or_default()
    }

    fn words_of(&self, row: RowId) -> Vec<String> {
        match row {
            RowId::Job(job) | RowId::Rest(job) => vec![job.to_string()],
            RowId::Child { child, .. } => vec![self.word_of(child)],
            RowId::Group { job, first } => {
                let fold = self.model.job(job).and_then(|entry| entry.fold());
                let group = fold.and_then(|fold| {
                    fold.groups
                        .iter()
                        .find(|group| group.children.first() == Some(&first))
                });
                group
                    .map(|group| {
                        group
                            .children
                            .iter()
                            .map(|child| self.word_of(*child))
                            .collect()
                    })
                    .unwrap_or_default()
            }
        }
    }

    /// `7.web03` where that is plainly this child, else its id.
    fn word_of(&self, child: u64) -> String {
        let Some((entry, found)) = self.model.child(child) else {
            return child.to_string();
        };
        let host = &found.child.host;
        let plain = host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let state = host.parse::<crate::core::state::State>().is_ok();
        let same = |other: &&crate::tui::model::ChildEntry| other.child.host == *host;
        if plain && !state && entry.children().filter(same).count() == 1 {
            format!("{}.{host}", entry.job.id)
        } else {
            child.to_string()
        }
    }

    /// The hosts of what is under the cursor.
    pub(super) fn current_hosts(&self) -> Option<String> {
        match self.screen {
            Screen::Hosts => Some(folded(&self.hosts.selected())).filter(|hosts| !hosts.is_empty()),
            Screen::Jobs => self.hosts_of(self.tree.cursor()?),
            Screen::Queries | Screen::Events => None,
        }
    }

    /// The hosts of a row of the tree, as targets.
    pub(super) fn hosts_of(&self, row: RowId) -> Option<String> {
        match row {
            RowId::Child { child, .. } => self
                .model
                .child(child)
                .map(|(_, found)| found.child.host.clone()),
            RowId::Job(job) | RowId::Rest(job) => {
                self.model.job(job).map(|entry| entry.job.targets.clone())
            }
            RowId::Group { job, first } => {
                let fold = self.model.job(job)?.fold()?;
                let group = fold
                    .groups
                    .iter()
                    .find(|group| group.children.first() == Some(&first))?;
                Some(group.hosts.clone())
            }
        }
    }

    /// The row under the cursor as text.
    pub(super) fn row_text(&self) -> Option<String> {
        match self.screen {
            Screen::Jobs => {
                let row = self.tree.cursor()?;
                let entry = self.model.job(row.job())?;
                let cells: Vec<String> = match row {
                    RowId::Child { child, .. } => {
                        let child = entry.child(child)?;
                        self.columns
                            .iter()
                            .map(|column| column.of_child(child, self.now))
                            .collect()
                    }
                    RowId::Job(_) | RowId::Rest(_) | RowId::Group { .. } => self
                        .columns
                        .iter()
                        .map(|column| column.of_job(entry, self.now))
                        .collect(),
                };
                let cells: Vec<String> =
                    cells.into_iter().filter(|cell| !cell.is_empty()).collect();
                Some(cells.join("  "))
            }
            Screen::Hosts => self.hosts.current().map(str::to_string),
            Screen::Queries => self.queries.cursor().cloned(),
            Screen::Events => self.current_event().map(|happening| happening.text.clone()),
        }
    }

    pub(super) fn current_event(&self) -> Option<&Happening> {
        self.events.newest_first().nth(self.events_list.index())
    }

    pub(super) fn seek_bad_event(&mut self, way: Way) -> bool {
        let bad: Vec<usize> = self
            .events
            .newest_first()
            .enumerate()
            .filter(|(_, happening)| happening.weight == Weight::Problem)
            .map(|(at, _)| at)
            .collect();
        let at = self.events_list.index();
        let found = match way {
            Way::Next => bad.iter().find(|bad| **bad > at).or(bad.first()),
            Way::Previous => bad.iter().rev().find(|bad| **bad < at).or(bad.last()),
        };
        if let Some(found) = found {
            self.events_list.go(*found);
        }
        found.is_some()
    }

    /// A click moves the cursor; on what it is on already, it opens it.
    pub(super) fn click(&mut self, column: u16, row: u16) {
        use crate::tui::layout::{Layout, layout};
        use ratatui::layout::{Position, Rect};
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let Layout::Panes(panes) = layout(area, self.wanted_layout()) else {
            return;
        };
        let at = Position { x: column, y: row };
        if panes.side.is_some_and(|side| side.contains(at)) {
            self.pane = super::Pane::Side;
            return;
        }
        // Below the title, and below the names of the columns.
        let skipped = if self.screen == Screen::Events { 1 } else { 2 };
        if !self.pages.is_empty() || !panes.main.contains(at) || row < panes.main.y + skipped {
            return;
        }
        self.pane = super::Pane::List;
        let line = usize::from(row - panes.main.y - skipped);
        let (offset, before) = match self.screen {
            Screen::Jobs => (self.tree.offset(), self.tree.index()),
            Screen::Hosts => (self.hosts.list.offset(), self.hosts.list.index()),
            Screen::Queries => (self.queries.offset(), self.queries.index()),
            Screen::Events => (self.events_list.offset(), self.events_list.index()),
        };
        self.go(offset + line);
        if before == offset + line {
            self.act(crate::command::console::Act::Open);
        }
    }
}

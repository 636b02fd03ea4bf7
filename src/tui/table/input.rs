//! What keys do in a table.

use super::arrange::RowId;
use super::export::{Export, format_of};
use super::part::cell;
use super::{Choice, Item, Level, TableView, Touched};
use crate::command::console::{Act, Copied, Way};
use crate::command::rows::Format;
use crate::targets::folded;
use crate::tui::output::action::Whole;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It is not about the table.
    NotMine,
    Done,
    Say(String),
    /// Show what this child wrote.
    Open(u64),
    /// Show what is under the cursor, and nothing is.
    OpenNothing,
    /// Ask for a filter, with the one that is in force.
    AskFilter,
    /// Ask which columns to show.
    AskColumns,
    /// Ask for a command to run on these hosts.
    AskHosts(Vec<String>),
    Copy(String),
    CopyOutput(u64),
    /// Do something with what is shown.
    Export(Box<Export>, Whole),
}

impl TableView {
    /// Does it if it is about the table.
    pub fn act(&mut self, act: &Act) -> Came {
        let page = self.list().page();
        match act {
            Act::Down => self.step(1),
            Act::Up => self.step(-1),
            Act::HalfDown => self.step(page / 2),
            Act::HalfUp => self.step(-(page / 2)),
            Act::PageDown => self.step(page),
            Act::PageUp => self.step(-page),
            Act::Top => self.go(0),
            Act::Bottom => self.go(usize::MAX),
            Act::Left => self.column(|view| view.grid.step(-1)),
            Act::Right => self.column(|view| view.grid.step(1)),
            Act::LineStart => self.column(|view| view.grid.go_first()),
            Act::LineEnd => self.column(|view| view.grid.go_last()),
            Act::Open => self.open(),
            Act::Back | Act::Leave => {
                if self.back() {
                    Came::Done
                } else {
                    Came::NotMine
                }
            }
            Act::Find => Came::AskFilter,
            Act::Filter { text } => match self.filter(&text.join(" ")) {
                Ok(()) => Came::Done,
                Err(error) => Came::Say(format!(
                    "no such filter: {}, at character {}",
                    error.what,
                    error.at + 1
                )),
            },
            Act::Sort { .. } if self.level == Level::Groups => {
                Came::Say("groups stand in the order of their size".to_string())
            }
            Act::Sort { column } => self.sort_as(column.as_deref()),
            Act::Group { columns } => self.group_as(columns),
            Act::Columns => Came::AskColumns,
            Act::Mark => {
                self.mark();
                self.step(1)
            }
            Act::Range => {
                self.range = match self.range {
                    Some(_) => None,
                    None => self.cursor().cloned(),
                };
                self.mark_range();
                Came::Done
            }
            Act::MarkAll => {
                let all: Vec<Item> = self.list().keys().to_vec();
                self.marks.extend(all);
                Came::Done
            }
            Act::Unmark => {
                self.unmark();
                Came::Done
            }
            Act::Problems => {
                if self.toggle_troubles() {
                    Came::Done
                } else {
                    Came::Say("no host has a problem".to_string())
                }
            }
            Act::Problem { way } => self.seek_trouble(*way),
            Act::Add => Came::AskHosts(self.hosts()),
            Act::Copy { what } => self.copy(*what),
            Act::Save { file } => {
                let file = file.clone().unwrap_or_else(|| self.usual_file().into());
                match format_of(&file) {
                    Ok(format) => {
                        let export = self.export(format);
                        Came::Export(Box::new(export), Whole::Save(Some(file)))
                    }
                    Err(why) => Came::Say(why),
                }
            }
            Act::Pager => Came::Export(Box::new(self.export(Format::Table)), Whole::Pager),
            Act::Pipe { command } => {
                let export = self.export(Format::Csv);
                Came::Export(Box::new(export), Whole::Pipe(command.clone()))
            }
            Act::Quit { .. }
            | Act::View { .. }
            | Act::Focus { .. }
            | Act::Help
            | Act::Bar { .. }
            | Act::Redraw
            | Act::Background
            | Act::Mouse
            | Act::Freeze
            | Act::Undo
            | Act::Zoom
            | Act::Repeat
            | Act::Reload
            | Act::Theme { .. }
            | Act::Set { .. }
            | Act::Expand
            | Act::Collapse
            | Act::ExpandAll
            | Act::CollapseAll
            | Act::Same
            | Act::Table { .. }
            | Act::Follow
            | Act::Wrap
            | Act::Times
            | Act::Match { .. }
            | Act::Matching { .. }
            | Act::Sibling { .. }
            | Act::Rule
            | Act::Select
            | Act::Prefix
            | Act::Merged
            | Act::Diff
            | Act::Edit
            | Act::Limit
            | Act::Queue => Came::NotMine,
        }
    }

    fn step(&mut self, by: isize) -> Came {
        self.touched = Touched::Yes;
        self.list_mut().step(by);
        self.mark_range();
        Came::Done
    }

    fn go(&mut self, index: usize) -> Came {
        self.touched = Touched::Yes;
        self.list_mut().go(index);
        self.mark_range();
        Came::Done
    }

    fn column(&mut self, go: impl FnOnce(&mut Self)) -> Came {
        go(self);
        let mut grid = self.grid.clone();
        grid.scroll(self.across, |column| self.cells(column));
        self.grid = grid;
        Came::Done
    }

    fn open(&mut self) -> Came {
        self.touched = Touched::Yes;
        match self.cursor().cloned() {
            Some(Item::Row(RowId { child, .. }) | Item::Host(child)) => Came::Open(child),
            Some(Item::Group(key)) => {
                self.enter(&key);
                Came::Done
            }
            None => Came::OpenNothing,
        }
    }

    fn sort_as(&mut self, by: Option<&str>) -> Came {
        let sorted = match by {
            None => self.sort_by_current(),
            Some("none") => self.sort(Vec::new()),
            Some(text) => self.sort(text.split(',').map(str::to_string).collect()),
        };
        match sorted {
            Ok(()) => Came::Done,
            Err(error) => Came::Say(error.0),
        }
    }

    /// The key that groups takes groups apart again.
    fn group_as(&mut self, columns: &[String]) -> Came {
        if columns.is_empty() && self.level == Level::Groups {
            self.ungroup();
            return Came::Done;
        }
        match self.group_by(columns) {
            Ok(()) => Came::Done,
            Err(error) => Came::Say(error.0),
        }
    }

    fn mark(&mut self) {
        if let Some(item) = self.cursor().cloned()
            && !self.marks.remove(&item)
        {
            self.marks.insert(item);
        }
    }

    fn mark_range(&mut self) {
        let Some(from) = &self.range else { return };
        let list = self.list();
        let Some(start) = list.keys().iter().position(|key| key == from) else {
            return;
        };
        let at = list.index();
        let marked: Vec<Item> = list.keys()[start.min(at)..=start.max(at)].to_vec();
        self.marks.extend(marked);
    }

    /// The next row of another host that has something to be said of it.
    fn seek_trouble(&mut self, way: Way) -> Came {
        let list = self.list();
        let (at, keys) = (list.index(), list.keys());
        let child = |item: &Item| match item {
            Item::Row(RowId { child, .. }) | Item::Host(child) => Some(*child),
            Item::Group(_) => None,
        };
        let here = list.cursor().and_then(child);
        let bad = |n: &usize| {
            let child = child(&keys[*n]);
            let part = child.and_then(|child| self.parts.get(&child));
            child != here && part.is_some_and(super::Part::is_trouble)
        };
        let found = match way {
            Way::Next => (at + 1..keys.len()).chain(0..at).find(bad),
            Way::Previous => (0..at).rev().chain((at + 1..keys.len()).rev()).find(bad),
        };
        match found {
            Some(index) => self.go(index),
            None if self.troubles.is_empty() => Came::Say("no host has a problem".to_string()),
            None => Came::Say("no other row here is of a host with a problem; ! lists them".into()),
        }
    }

    fn copy(&self, what: Copied) -> Came {
        let whole = |format| Came::Export(Box::new(self.export(format)), Whole::Copy);
        let child = match self.cursor() {
            Some(Item::Row(RowId { child, .. }) | Item::Host(child)) => Some(*child),
            Some(Item::Group(_)) | None => None,
        };
        let nothing = || Came::Say("nothing there to copy".to_string());
        match what {
            Copied::Line => self.line().map_or_else(nothing, Came::Copy),
            Copied::Host => match self.hosts().as_slice() {
                [] => nothing(),
                hosts => Came::Copy(folded(hosts.iter().map(String::as_str))),
            },
            Copied::Id => child.map_or_else(nothing, |child| Came::Copy(child.to_string())),
            Copied::Output => child.map_or_else(nothing, Came::CopyOutput),
            Copied::Csv => whole(Format::Csv),
            Copied::Markdown => whole(Format::Md),
            Copied::Command | Copied::Invocation => Came::NotMine,
        }
    }

    /// What is under the cursor as text.
    fn line(&self) -> Option<String> {
        let cells: Vec<String> = match self.cursor()? {
            Item::Row(id) => {
                let row = self.row(*id)?;
                self.grid
                    .columns()
                    .map(|column| cell(&row[column]))
                    .collect()
            }
            Item::Group(key) => {
                let group = self.group(key)?;
                let count = group.rows.len().to_string();
                let key = key.iter().map(cell);
                let cells = std::iter::once(count).chain(key);
                cells.chain([group.hosts.clone()]).collect()
            }
            Item::Host(child) => {
                let part = self.parts.get(child)?;
                vec![part.host.clone(), super::trouble(part)]
            }
        };
        Some(cells.join("  "))
    }

    /// `7.filesystems.csv`.
    fn usual_file(&self) -> String {
        let jobs: Vec<String> = self.jobs().map(|job| job.to_string()).collect();
        let plain = |c: char| !c.is_alphanumeric() && !"-._".contains(c);
        let query = self.shape.query.replace(plain, "_");
        format!("{}.{query}.csv", jobs.join("-"))
    }

    /// The columns beside the host, shown ones first and in their order, and whether each is shown.
    pub fn choices(&self) -> Vec<(&crate::results::Column, Shown)> {
        let shown: Vec<usize> = self.grid.columns().skip(1).collect();
        let all = 0..self.columns.len();
        let hidden = all.filter(|column| *column != super::HOST && !shown.contains(column));
        let hidden: Vec<usize> = hidden.collect();
        let shown = shown.into_iter().map(|column| (column, Shown::Yes));
        shown
            .chain(hidden.into_iter().map(|column| (column, Shown::No)))
            .map(|(column, is)| (&self.columns[column], is))
            .collect()
    }

    /// Shows these columns beside the host.
    pub fn choose(&mut self, names: &[String]) {
        let find = |name: &String| crate::results::table::place(&self.columns, name);
        let others = names.iter().filter_map(find).collect();
        self.choice = Choice::Chosen;
        self.column(|view| view.grid.choose(others));
    }
}

/// Whether a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    No,
    Yes,
}

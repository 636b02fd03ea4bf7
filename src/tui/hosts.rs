//! One row per computer: whether it can be reached, what runs there, what came last.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::natural;
use super::event::Now;
use super::filter::Scope;
use super::list::List;
use super::styles::Styles;
use super::view::{Glyphs, Pane, pad};
use crate::command::console::Way;
use crate::config::theme::Role;
use crate::core::state::State;
use crate::view::count::{Noun, counted};
use crate::view::span;
use crate::view::table::Align;
use crate::view::text::{cut, harmless};
use crate::wire::look::HostView;

/// The computers of the inventory and of the jobs.
#[derive(Debug, Default)]
pub struct Hosts {
    /// What the engine knows, by name.
    known: BTreeMap<String, HostView>,
    /// What the inventory has, with its groups.
    listed: BTreeMap<String, Vec<String>>,
    pub list: List<String>,
    pub marks: BTreeSet<String>,
    range: Option<String>,
    scope: Scope,
    sort: By,
    /// Cells for the ways to computers: none where all are reached directly.
    ways: usize,
    /// What a list that is on its way holds so far.
    coming: Vec<HostView>,
}

/// By what computers are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Name,
    /// What cannot be reached first, then what runs most.
    Trouble,
}

impl By {
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Trouble => "trouble",
        }
    }

    pub fn by_word(word: &str) -> Option<Self> {
        [Self::Name, Self::Trouble]
            .into_iter()
            .find(|by| by.word() == word)
    }
}

impl Hosts {
    /// What the inventory has.
    pub fn set_inventory(&mut self, listed: BTreeMap<String, Vec<String>>) {
        self.listed = listed;
        self.arrange();
    }

    /// A part of what the engine knows; the last part says so.
    pub fn told(&mut self, hosts: Vec<HostView>, last: bool) {
        self.coming.extend(hosts);
        if last {
            let coming = std::mem::take(&mut self.coming);
            let direct = coming.iter().all(|host| host.via.is_none());
            self.ways = if direct { 0 } else { 14 };
            self.known = coming
                .into_iter()
                .map(|host| (host.host.clone(), host))
                .collect();
            self.arrange();
        }
    }

    /// Computes the rows anew: after news, and when the filter has changed.
    pub fn arrange(&mut self) {
        let names: BTreeSet<&String> = self.known.keys().chain(self.listed.keys()).collect();
        let mut names: Vec<String> = names
            .into_iter()
            .filter(|name| self.is_shown(name))
            .cloned()
            .collect();
        names.sort_by(|a, b| match self.sort {
            By::Name => natural(a, b),
            By::Trouble => self
                .trouble(a)
                .cmp(&self.trouble(b))
                .then_with(|| natural(a, b)),
        });
        self.list.set(names);
    }

    pub fn get(&self, name: &str) -> Option<&HostView> {
        self.known.get(name)
    }

    /// The computer under the cursor.
    pub fn current(&self) -> Option<&str> {
        self.list.cursor().map(String::as_str)
    }

    /// What is marked, or else what the cursor is on.
    pub fn selected(&self) -> Vec<String> {
        if self.marks.is_empty() {
            return self.list.cursor().cloned().into_iter().collect();
        }
        self.marks.iter().cloned().collect()
    }

    pub fn mark(&mut self) {
        if let Some(name) = self.list.cursor().cloned()
            && !self.marks.remove(&name)
        {
            self.marks.insert(name);
        }
        self.step(1);
    }

    pub fn mark_all(&mut self) {
        self.marks.extend(self.list.keys().iter().cloned());
    }

    pub fn unmark(&mut self) -> bool {
        self.range = None;
        !std::mem::take(&mut self.marks).is_empty()
    }

    pub fn toggle_range(&mut self) {
        self.range = match self.range {
            Some(_) => None,
            None => self.list.cursor().cloned(),
        };
        self.mark_range();
    }

    pub fn step(&mut self, by: isize) {
        self.list.step(by);
        self.mark_range();
    }

    fn mark_range(&mut self) {
        let Some(from) = &self.range else { return };
        let keys = self.list.keys();
        let Some(start) = keys.iter().position(|key| key == from) else {
            return;
        };
        let at = self.list.index();
        self.marks
            .extend(keys[start.min(at)..=start.max(at)].iter().cloned());
    }

    pub fn toggle_problems(&mut self) {
        self.scope = self.scope.turned();
        self.arrange();
    }

    /// By what computers are sorted, and which are shown.
    pub fn order(&self) -> (By, Scope) {
        (self.sort, self.scope)
    }

    pub fn set_order(&mut self, sort: By, scope: Scope) {
        (self.sort, self.scope) = (sort, scope);
        self.arrange();
    }

    pub fn toggle_sort(&mut self) {
        self.sort = match self.sort {
            By::Name => By::Trouble,
            By::Trouble => By::Name,
        };
        self.arrange();
    }

    /// Goes to the next computer that has a problem.
    pub fn seek_problem(&mut self, way: Way) -> bool {
        let at = self.list.index();
        let bad = |n: &usize| self.is_bad(&self.list.keys()[*n]);
        let count = self.list.len();
        let found = match way {
            Way::Next => (at + 1..count).chain(0..at).find(bad),
            Way::Previous => (0..at).rev().chain((at + 1..count).rev()).find(bad),
        };
        if let Some(index) = found {
            self.list.go(index);
        }
        found.is_some()
    }

    fn is_shown(&self, name: &str) -> bool {
        if self.scope == Scope::Problems && !self.is_bad(name) {
            return false;
        }
        let groups = self
            .listed
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str);
        let host = self.known.get(name);
        let last = host.and_then(|host| host.last.as_ref());
        let texts = [
            Some(name),
            last.map(|last| last.state.word()),
            last.and_then(|last| last.reason.as_ref())
                .map(|reason| reason.text.as_str()),
            host.and_then(|host| host.reached.as_ref())
                .and_then(|reached| reached.failed.as_deref()),
        ];
        self.list
            .filter
            .shows(texts.into_iter().flatten().chain(groups))
    }

    fn is_bad(&self, name: &str) -> bool {
        self.trouble(name).0 < 2
    }

    /// What has to be looked at first comes first.
    fn trouble(&self, name: &str) -> (u8, std::cmp::Reverse<u32>) {
        let Some(host) = self.known.get(name) else {
            return (4, std::cmp::Reverse(0));
        };
        let running = std::cmp::Reverse(host.counts.iter().sum());
        let rank = if host
            .reached
            .as_ref()
            .is_some_and(|reached| reached.failed.is_some())
        {
            0
        } else if host
            .last
            .as_ref()
            .is_some_and(|last| matches!(last.state, State::Failed | State::Disconnected))
        {
            1
        } else if running.cmp(&std::cmp::Reverse(0)) == Ordering::Less {
            2
        } else {
            3
        };
        (rank, running)
    }

    /// Draws the list.
    pub fn draw(
        &self,
        area: Rect,
        pane: &Pane<'_>,
        buf: &mut Buffer,
        styles: &Styles,
        glyphs: &Glyphs,
        now: Now,
    ) {
        let area = pane.draw(area, buf, styles, glyphs);
        if area.height == 0 {
            return;
        }
        let wide = area.width >= 70;
        let name = if wide { 24 } else { 16 };
        let header = ["HOST", "REACHED", "CONN", "RUNS", "VIA", "LAST", ""];
        let header = self.cells(&header, name);
        let across = usize::from(area.width);
        buf.set_stringn(
            area.x,
            area.y,
            cut(&header, across),
            across,
            styles.of(Role::Header),
        );
        if self.list.is_empty() {
            let text = if self.known.is_empty() && self.listed.is_empty() {
                "no hosts known: put them into inventory.toml, or run something on some"
            } else {
                "nothing to show: esc lets go of the filter, ! shows everything"
            };
            buf.set_stringn(
                area.x + 2,
                area.y + 1,
                text,
                across.saturating_sub(2),
                styles.of(Role::Dim),
            );
            return;
        }
        for (n, (host, under_cursor)) in self
            .list
            .visible()
            .take(usize::from(area.height - 1))
            .enumerate()
        {
            let y = area.y + 1 + n as u16;
            let line = self.line(host, name, now);
            let (text, style) = (cut(&line, across), self.style(host, styles));
            buf.set_stringn(area.x, y, text, across, style);
            let mark = match (self.marks.contains(host), under_cursor) {
                (true, _) => "*",
                (false, true) => ">",
                (false, false) => " ",
            };
            buf.set_stringn(area.x, y, mark, 1, styles.of(Role::Mark));
            if under_cursor {
                buf.set_style(
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                    styles.of(Role::Selection),
                );
            }
        }
    }

    fn style(&self, host: &str, styles: &Styles) -> ratatui::style::Style {
        match self.trouble(host).0 {
            0 => styles.of(Role::Error),
            1 => styles.of(Role::Warning),
            _ => styles.of(Role::Text),
        }
    }

    fn line(&self, name: &str, cells: usize, now: Now) -> String {
        let Some(host) = self.known.get(name) else {
            let unknown = [name, "-", "-", "-", "", "never asked", ""];
            return self.cells(&unknown, cells);
        };
        let ago = |at: i64| span::seconds((now.wall - at).max(0) as f64 / 1000.0);
        let reached = match &host.reached {
            None => "-".to_string(),
            Some(reached) if reached.failed.is_some() => format!("NOT {} ago", ago(reached.at)),
            Some(reached) => format!("{} ago", ago(reached.at)),
        };
        let runs: u32 = host.counts.iter().sum();
        let failed = host
            .reached
            .as_ref()
            .and_then(|reached| reached.failed.clone());
        let (last, reason) = match &host.last {
            None => ("-".to_string(), failed),
            Some(last) => (
                format!("{} {} ({})", last.job, last.name, last.state),
                last.reason
                    .as_ref()
                    .map(|reason| reason.text.clone())
                    .or(failed),
            ),
        };
        let parts = [
            name,
            &reached,
            &count(host.connections),
            &count(runs),
            host.via.as_deref().unwrap_or_default(),
            &last,
            &reason.unwrap_or_default(),
        ];
        self.cells(&parts, cells)
    }

    /// One line, of what stands in each column.
    fn cells(&self, parts: &[&str; 7], name: usize) -> String {
        let columns = [
            (Align::Left, name),
            (Align::Left, 14),
            (Align::Right, 4),
            (Align::Right, 4),
            (Align::Left, self.ways),
            (Align::Left, 27),
            (Align::Left, 200),
        ];
        let set = parts
            .iter()
            .zip(columns)
            .filter(|(_, (_, cells))| *cells > 0);
        let set = set.map(|(text, (align, cells))| {
            let text = harmless(text.as_bytes()).replace('\t', " ");
            pad(&cut(&text, cells), align, cells)
        });
        let line = format!("  {}", set.collect::<Vec<_>>().join(" "));
        // Spaces that are cut off are nothing that is missing.
        line.trim_end().to_string()
    }

    /// What the title says beside the name.
    pub fn summary(&self) -> String {
        let all = self
            .known
            .keys()
            .chain(self.listed.keys())
            .collect::<BTreeSet<_>>()
            .len();
        let shown = self.list.len();
        let hosts = counted(all, Noun::Host);
        let mut text = match (self.scope, shown == all) {
            (Scope::Problems, _) => format!("only problems: {shown} of {hosts}"),
            (Scope::Everything, true) => hosts,
            (Scope::Everything, false) => format!("{shown} of {hosts}"),
        };
        if !self.marks.is_empty() {
            _ = write!(text, ", {} marked", self.marks.len());
        }
        text
    }
}

fn count(count: u32) -> String {
    match count {
        0 => "-".to_string(),
        count => count.to_string(),
    }
}

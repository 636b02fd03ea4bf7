//! The tree of jobs, drawn: one row a job, a child, a group, or the rest of a job's children.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::columns::clock;
use super::event::Now;
use super::filter::Scope;
use super::model::{ChildEntry, Entry, Model};
use super::styles::Styles;
use super::tree::rows::rest_of;
use super::tree::{Arrangement, RowId, Tree};
use super::view::{Glyphs, Pane, pad};
use crate::command::console::Column;
use crate::config::theme::Role;
use crate::core::alike::Ignored;
use crate::core::state::State;
use crate::view::count::{Noun, counted};
use crate::view::table::Align;
use crate::view::text::{cut, harmless, width, wrapped};
use crate::wire::look::Group;

/// Cells before the first column: the cursor or a mark, a space, the fold, a space.
const GUTTER: u16 = 4;

/// Cells of a last line that can be made sense of.
const LEGIBLE: u16 = 32;

/// What is needed to draw the tree.
#[derive(Debug)]
pub struct Jobs<'a> {
    pub model: &'a Model,
    pub tree: &'a Tree,
    /// What is to be said where there are no jobs.
    pub none: &'a str,
    pub columns: &'a [Column],
    pub styles: &'a Styles,
    pub glyphs: &'a Glyphs,
    pub now: Now,
}

/// A column with the cells it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placed {
    column: Column,
    x: u16,
    width: u16,
}

impl Jobs<'_> {
    pub fn draw(&self, area: Rect, pane: &Pane<'_>, buf: &mut Buffer) {
        let area = pane.draw(area, buf, self.styles, self.glyphs);
        if area.height == 0 {
            return;
        }
        let placed = place(self.columns, area, self.widest_done());
        for at in &placed {
            let title = aligned(at.column.title(), at.column.align(), at.width);
            buf.set_stringn(
                at.x,
                area.y,
                title,
                usize::from(at.width),
                self.styles.of(Role::Header),
            );
        }
        let rows = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        if self.tree.rows().is_empty() {
            return self.draw_nothing(rows, buf);
        }
        for (n, row) in self
            .tree
            .visible()
            .iter()
            .take(usize::from(rows.height))
            .enumerate()
        {
            let line = Rect {
                y: rows.y + n as u16,
                height: 1,
                ..rows
            };
            self.draw_row(*row, line, &placed, buf);
        }
    }

    /// How many rows of an area this high are for jobs: without the title and the header.
    pub fn rows_in(area: Rect) -> usize {
        usize::from(area.height.saturating_sub(2))
    }

    fn widest_done(&self) -> u16 {
        let most = self.model.jobs().map(|entry| entry.job.children()).max();
        let digits = most
            .unwrap_or_default()
            .checked_ilog10()
            .unwrap_or_default()
            + 1;
        (2 * digits + 1) as u16
    }

    fn draw_nothing(&self, area: Rect, buf: &mut Buffer) {
        let text = if self.model.jobs().next().is_none() {
            self.none
        } else if self.tree.filter().is_set() {
            "nothing matches the filter: / changes it, esc lets go of it"
        } else {
            match self.tree.scope() {
                Scope::Problems => "nothing has a problem: ! shows everything",
                Scope::Everything => "all are being removed: u brings them back",
            }
        };
        let x = area.x + GUTTER.min(area.width);
        let room = usize::from(area.width.saturating_sub(GUTTER));
        let text = harmless(text.as_bytes());
        for (line, y) in wrapped(&text, room).iter().zip(area.y..area.bottom()) {
            buf.set_stringn(x, y, line, room, self.styles.of(Role::Dim));
        }
    }

    fn draw_row(&self, row: RowId, area: Rect, placed: &[Placed], buf: &mut Buffer) {
        let Some(entry) = self.model.job(row.job()) else {
            return;
        };
        match row {
            RowId::Job(job) => {
                let fold = if self.tree.is_open(job).is_some() {
                    self.glyphs.open
                } else {
                    self.glyphs.closed
                };
                self.gutter(row, Some(fold), area, buf);
                for at in placed {
                    let text = at.column.of_job(entry, self.now);
                    let style = match at.column {
                        Column::State => self.styles.state(entry.job.state),
                        _ => self.styles.of(Role::Text),
                    };
                    cell(*at, area.y, &text, style, buf);
                }
            }
            RowId::Child { child, .. } => {
                self.gutter(row, None, area, buf);
                if let Some(child) = entry.child(child) {
                    self.draw_child(child, area, placed, buf);
                }
            }
            RowId::Rest(_) => self.draw_rest(entry, area, placed, buf),
            RowId::Group { job, first } => {
                let fold = if self.tree.is_group_open(job, first) {
                    self.glyphs.open
                } else {
                    self.glyphs.closed
                };
                self.gutter(row, Some(fold), area, buf);
                let group = entry.fold().and_then(|fold| {
                    fold.groups
                        .iter()
                        .find(|group| group.children.first() == Some(&first))
                });
                if let Some(group) = group {
                    self.draw_group(entry, group, area, placed, buf);
                }
            }
        }
        if self.tree.cursor() == Some(row) {
            buf.set_style(area, self.styles.of(Role::Selection));
        }
    }

    fn gutter(&self, row: RowId, fold: Option<&str>, area: Rect, buf: &mut Buffer) {
        let (mark, style) = if self.tree.is_marked(row) {
            ("*", self.styles.of(Role::Mark))
        } else if self.tree.cursor() == Some(row) {
            (">", self.styles.of(Role::Text))
        } else {
            (" ", self.styles.of(Role::Text))
        };
        buf.set_stringn(area.x, area.y, mark, usize::from(area.width), style);
        if let Some(fold) = fold
            && area.width > 2
        {
            buf.set_stringn(area.x + 2, area.y, fold, 1, self.styles.of(Role::Dim));
        }
    }

    fn draw_child(&self, entry: &ChildEntry, area: Rect, placed: &[Placed], buf: &mut Buffer) {
        let child = &entry.child;
        for at in placed {
            let mut text = at.column.of_child(entry, self.now);
            let style = match at.column {
                Column::State => self.styles.state(child.state),
                Column::Id => self.styles.of(Role::Dim),
                _ => self.styles.of(Role::Text),
            };
            if at.column == Column::Name {
                text.insert_str(0, "  ");
            }
            if at.column == Column::Last
                && let Some(question) = self.model.question_of(child.id)
            {
                text = crate::view::question::line(question);
            }
            cell(*at, area.y, &text, style, buf);
        }
    }

    /// `… 149 Running, 91 Completed   [########------------] 38%, about 34 s left`.
    fn draw_rest(&self, entry: &Entry, area: Rect, placed: &[Placed], buf: &mut Buffer) {
        let name = placed.iter().find(|at| at.column == Column::Name);
        let x = name.map_or(area.x + GUTTER, |at| at.x + 2);
        let room = usize::from((area.x + area.width).saturating_sub(x));
        let counts = rest_of(entry, self.tree.rows());
        let parts: Vec<String> = counts
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        let mut text = format!("{} {}", self.glyphs.ellipsis, parts.join(", "));
        if let Some(progress) = progress(entry, self.now) {
            text.push_str("   ");
            text.push_str(&progress);
        }
        self.gutter(RowId::Rest(entry.job.id), None, area, buf);
        buf.set_stringn(x, area.y, cut(&text, room), room, self.styles.of(Role::Dim));
    }

    fn draw_group(
        &self,
        entry: &Entry,
        group: &Group,
        area: Rect,
        placed: &[Placed],
        buf: &mut Buffer,
    ) {
        // They ended in the same way: what stands for one stands for all.
        let first = group.children.first().and_then(|first| entry.child(*first));
        for at in placed {
            let (text, style) = match at.column {
                Column::Name => (
                    name_of(group, usize::from(at.width)),
                    self.styles.of(Role::Text),
                ),
                Column::State => (
                    group.state.word().to_string(),
                    self.styles.state(group.state),
                ),
                Column::Exit => (
                    first.map_or_else(String::new, |first| at.column.of_child(first, self.now)),
                    self.styles.of(Role::Text),
                ),
                Column::Last => (said_by(group), self.styles.of(Role::Text)),
                Column::Id
                | Column::Done
                | Column::New
                | Column::Time
                | Column::Started
                | Column::Out
                | Column::Err
                | Column::Pid
                | Column::Targets => (String::new(), self.styles.of(Role::Text)),
            };
            cell(*at, area.y, &text, style, buf);
        }
    }
}

/// `2 hosts: web01,web03`, or as much of that as says most where it has to be cut.
fn name_of(group: &Group, room: usize) -> String {
    let count = group.children.len();
    let whole = format!("  {}: {}", counted(count, Noun::Host), group.hosts);
    if width(&whole) <= room {
        return whole;
    }
    format!("  {count}: {}", group.hosts)
}

/// What the children of a group had to say.
pub fn said_by(group: &Group) -> String {
    let sample = harmless(&group.sample).replace('\t', " ");
    let sample = sample.trim();
    let cut = if group.cut {
        " (some of it was cut)"
    } else {
        ""
    };
    match &group.reason {
        Some(reason) if reason.kind != "exit" || sample.is_empty() => {
            format!("{}{cut}", reason.text)
        }
        _ if sample.is_empty() && group.state.is_final() => format!("(no output){cut}"),
        _ => format!("{sample}{cut}"),
    }
}

/// How far a job has come, and after a while how long it may take.
pub fn progress(entry: &Entry, now: Now) -> Option<String> {
    const CELLS: u32 = 20;
    let all = entry.job.children();
    let settled = entry.job.settled;
    if all == 0 || settled == all {
        return None;
    }
    let filled = settled * CELLS / all;
    let bar = format!(
        "[{}{}]",
        "#".repeat(filled as usize),
        "-".repeat((CELLS - filled) as usize)
    );
    let percent = settled * 100 / all;
    let elapsed = entry.elapsed(now);
    // Before that it would be a guess.
    let tells = percent >= 10 && elapsed >= 5.0 && !entry.job.paused;
    let left = entry.left(now).filter(|_| tells);
    let left = left.map(|left| format!(", about {} left", clock(left)));
    Some(format!("{bar} {percent}%{}", left.unwrap_or_default()))
}

/// The title of the list: how it is sorted, what is shown of it.
pub fn title(model: &Model, tree: &Tree, ignored: Ignored, removing: usize) -> (String, String) {
    use super::tree::Direction;
    let sort = tree.sort();
    let way = match sort.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let mut left = format!("Jobs  sort {} {way}", sort.column.word());
    if tree.filter().is_set() {
        _ = write!(left, "  filter {}", tree.filter());
    }
    let jobs = model.jobs().count();
    let shown = tree
        .rows()
        .iter()
        .filter(|row| matches!(row, RowId::Job(_)))
        .count();
    let mut right = match (tree.scope(), shown == jobs) {
        (Scope::Problems, _) => format!("only problems: {shown} of {}", counted(jobs, Noun::Job)),
        (Scope::Everything, true) => counted(jobs, Noun::Job),
        (Scope::Everything, false) => format!("{shown} of {}", counted(jobs, Noun::Job)),
    };
    if tree.by_name_only() > 0 {
        let older = tree.by_name_only();
        _ = write!(right, ", {older} older by name only");
    }
    if removing > 0 {
        _ = write!(right, ", {removing} being removed (u undoes)");
    }
    if !tree.marks().is_empty() {
        _ = write!(right, ", {} marked", tree.marks().len());
    }
    if tree.is_ranging() {
        right.push_str(", range");
    }
    let same = tree
        .cursor()
        .map(RowId::job)
        .filter(|job| tree.arrangement(*job) == Arrangement::Same);
    if let Some(job) = same {
        _ = write!(left, "  equal results of job {job} together");
        if ignored != Ignored::NOTHING {
            _ = write!(left, ", ignoring {ignored}");
        }
    }
    (left, right)
}

/// Gives columns their cells: what there is no room for goes, the most dispensable first.  `done` cells hold the longest
/// count of what is done.
fn place(columns: &[Column], area: Rect, done: u16) -> Vec<Placed> {
    let room = area.width.saturating_sub(GUTTER);
    let mut kept: Vec<Column> = columns.to_vec();
    let least = |kept: &[Column]| -> u16 {
        kept.iter()
            .map(|column| column.width().0 + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    while least(&kept) > room {
        let Some(goes) = kept
            .iter()
            .copied()
            .filter(|column| column.dispensability() < u8::MAX)
            .min_by_key(|column| column.dispensability())
        else {
            break;
        };
        kept.retain(|column| *column != goes);
    }
    let mut spare = room.saturating_sub(least(&kept));
    let mut widths: Vec<u16> = kept.iter().map(|column| column.width().0).collect();
    let mut grow = |widths: &mut [u16], at: usize, to: u16| {
        let more = to.saturating_sub(widths[at]).min(spare);
        widths[at] += more;
        spare -= more;
    };
    // Numbers are read whole first.  The last line can be read before any other column gets more than it needs, and takes what is left in the end.
    if let Some(at) = kept.iter().position(|column| *column == Column::Done) {
        grow(&mut widths, at, done);
    }
    let last = kept.iter().position(|column| *column == Column::Last);
    if let Some(last) = last {
        grow(&mut widths, last, LEGIBLE);
    }
    for (at, column) in kept.iter().enumerate() {
        if *column != Column::Last {
            grow(&mut widths, at, column.width().1);
        }
    }
    let name = kept.iter().position(|column| *column == Column::Name);
    if let Some(at) = last.or(name) {
        grow(&mut widths, at, u16::MAX);
    }
    let mut x = area.x + GUTTER.min(area.width);
    let mut placed = Vec::new();
    for (column, width) in kept.into_iter().zip(widths) {
        let width = width.min((area.x + area.width).saturating_sub(x));
        if width > 0 {
            placed.push(Placed { column, x, width });
        }
        x = x.saturating_add(width + 1);
    }
    placed
}

fn cell(at: Placed, y: u16, text: &str, style: Style, buf: &mut Buffer) {
    let text = harmless(text.as_bytes()).replace('\t', " ");
    let text = aligned(&text, at.column.align(), at.width);
    buf.set_stringn(at.x, y, text, usize::from(at.width), style);
}

fn aligned(text: &str, align: Align, width: u16) -> String {
    pad(&cut(text, usize::from(width)), align, usize::from(width))
}

/// The states that the header counts, in the order of their urgency.
pub const COUNTED: [State; 10] = [
    State::Blocked,
    State::Disconnected,
    State::Failed,
    State::Running,
    State::Stopping,
    State::Suspended,
    State::Connecting,
    State::NotStarted,
    State::Stopped,
    State::Completed,
];

//! A table, drawn: what it is on two title lines, the names of the columns, the rows on the screen.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::grid::{Fits, GUTTER, Placed};
use super::part::{Part, cell};
use super::{HOST, Item, Level, MOST_ROWS, TableView, trouble};
use crate::config::theme::Role;
use crate::tui::styles::Styles;
use crate::tui::view::{Focus, Glyphs, Pane, pad};
use crate::view::count::{Noun, counted};
use crate::view::span::count;
use crate::view::table::Align;
use crate::view::text::{cut, harmless, width};

/// How the jobs stand whose rows these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub crumbs: String,
    /// Of all of them.
    pub children: usize,
    /// Why the last attempt to read rows came to nothing.
    pub failed: Option<String>,
}

impl TableView {
    pub fn draw(
        &self,
        area: Rect,
        buf: &mut Buffer,
        styles: &Styles,
        glyphs: &Glyphs,
        standing: &Standing,
    ) {
        let upper = Pane {
            left: &harmless(standing.crumbs.as_bytes()),
            right: &self.answers(standing, usize::from(area.width)),
            focus: Focus::Here,
        };
        let area = upper.draw(area, buf, styles, glyphs);
        let lower = Pane {
            left: &self.extent(),
            right: &self.manner(),
            focus: Focus::Elsewhere,
        };
        let area = lower.draw(area, buf, styles, glyphs);
        if area.height == 0 || area.width == 0 {
            return;
        }
        match &self.level {
            Level::Rows | Level::Within(_) => self.draw_rows(area, buf, styles),
            Level::Groups => self.draw_groups(area, buf, styles),
            Level::Troubles(_) => self.draw_troubles(area, buf, styles),
        }
        if self.list().is_empty() && area.height > 1 {
            let line = Rect {
                y: area.y + 1,
                height: 1,
                ..area
            };
            let text = format!("  {}", self.nothing(standing));
            print(line, &text, Role::Dim, buf, styles);
        }
    }

    fn is_of_several_jobs(&self) -> bool {
        self.sources.len() > 1
    }

    /// What has answered: a host, or the child of one where several jobs may have asked it.
    fn noun(&self) -> Noun {
        if self.is_of_several_jobs() {
            Noun::Child
        } else {
            Noun::Host
        }
    }

    /// How many hosts have answered: never more than is so.  In few words where there is little room, because half of it
    /// would say something else.
    fn answers(&self, standing: &Standing, across: usize) -> String {
        if let Some(failed) = &standing.failed {
            let failed = format!("rows cannot be read: {failed}");
            return harmless(failed.as_bytes());
        }
        let (answered, hosts) = (self.answered(), standing.children.max(self.answered()));
        let troubles = self.troubles.len();
        let said = count(troubles as u64);
        let (long, short) = match troubles {
            0 => (String::new(), String::new()),
            1 => (", 1 problem (!)".to_string(), ", 1 !".to_string()),
            _ => (format!(", {said} problems (!)"), format!(", {said} !")),
        };
        let so_far = if self.is_full() { "" } else { " so far" };
        let many = count(answered as u64);
        let (words, few) = if answered == hosts {
            let all = counted(hosts, self.noun());
            (all.clone(), all)
        } else {
            let all = count(hosts as u64);
            (
                format!("{many} of {}{so_far}", counted(hosts, self.noun())),
                format!("{many}/{all}{so_far}"),
            )
        };
        let long = format!("{words}{long}");
        // A title gives its right side half of the room.
        if width(&long) + 4 <= across / 2 {
            long
        } else {
            format!("{few}{short}")
        }
    }

    /// `812 of 1,204 rows  where used_pct > 80`.
    fn extent(&self) -> String {
        let shown = |rows: usize| {
            if self.condition.filter.is_some() {
                let total = counted(self.total, Noun::Row);
                format!(
                    "{} of {total}  where {}",
                    count(rows as u64),
                    self.condition.text
                )
            } else {
                counted(rows, Noun::Row)
            }
        };
        let text = match &self.level {
            Level::Rows => shown(self.rows.len()),
            Level::Groups => {
                let rows = self.found.iter().map(|group| group.rows.len()).sum();
                let groups = counted(self.found.len(), Noun::Group);
                format!("{groups} of {}", shown(rows))
            }
            Level::Within(key) => {
                let same = self.by.iter().zip(key.iter());
                let same: Vec<String> = same
                    .map(|(column, value)| {
                        format!("{} {}", self.columns[*column].name, cell(value))
                    })
                    .collect();
                format!("{}: {}", same.join(", "), shown(self.within.len()))
            }
            Level::Troubles(_) => format!(
                "{} whose output is not as it should be",
                counted(self.troubles.len(), self.noun())
            ),
        };
        harmless(text.as_bytes())
    }

    /// How rows are sorted and grouped, and whether that is still on its way.
    fn manner(&self) -> String {
        let mut parts = Vec::new();
        if self.is_full() {
            parts.push(format!("full at {} rows", count(MOST_ROWS as u64)));
        }
        if self.is_arranging() {
            parts.push("arranging".to_string());
        }
        match self.level {
            Level::Rows | Level::Within(_) if !self.sort.is_empty() => {
                parts.push(format!("sort {}", self.sort.join(",")));
            }
            Level::Groups => {
                let by = self.by.iter();
                let by: Vec<&str> = by.map(|by| self.columns[*by].name.as_str()).collect();
                parts.push(format!("group {}", by.join(",")));
            }
            Level::Rows | Level::Within(_) | Level::Troubles(_) => {}
        }
        if !self.marks.is_empty() {
            parts.push(format!("{} marked", count(self.marks.len() as u64)));
        }
        parts.join(" · ")
    }

    /// Why there are no rows.
    fn nothing(&self, standing: &Standing) -> String {
        if self.is_arranging() {
            "arranging".to_string()
        } else if self.total > 0 {
            "no row is like that: esc shows all".to_string()
        } else if self.answered() < standing.children {
            "no rows yet: they come when hosts have ended".to_string()
        } else if self.troubles.is_empty() {
            "no host has anything to show".to_string()
        } else {
            "no rows: ! says why".to_string()
        }
    }

    fn draw_rows(&self, area: Rect, buf: &mut Buffer, styles: &Styles) {
        let across = usize::from(area.width);
        let placing = self.grid.place(across, |column| self.cells(column));
        for at in &placing.placed {
            let style = if at.column == self.grid.current() {
                Role::Selection
            } else {
                Role::Header
            };
            let text = self.heading(at.column);
            self.draw_cell(area, *at, &text, styles.of(style), buf);
        }
        let sign = |x: usize, sign: &str, buf: &mut Buffer| {
            let x = area.x + x as u16;
            if x < area.x + area.width {
                buf.set_stringn(x, area.y, sign, 1, styles.of(Role::Key));
            }
        };
        if placing.before > 0 {
            let host = &placing.placed[0];
            sign(host.x + host.cells, "<", buf);
        }
        // A column that is alone beside the host cannot be brought nearer.
        let near = placing.placed.len() <= 2;
        let cut = placing.placed.last().is_some_and(|at| at.fits == Fits::Cut);
        if placing.behind > 0 || (cut && !near) {
            sign(across - 1, ">", buf);
        }
        for (line, item, style) in self.lines(area, buf, styles) {
            let Item::Row(id) = item else { continue };
            let Some(row) = self.row(*id) else { continue };
            for at in &placing.placed {
                self.draw_cell(line, *at, &cell(&row[at.column]), style, buf);
            }
        }
    }

    /// Text in a column, at the side its kind asks for.
    fn draw_cell(
        &self,
        line: Rect,
        at: Placed,
        text: &str,
        style: ratatui::style::Style,
        buf: &mut Buffer,
    ) {
        if at.x >= usize::from(line.width) {
            return;
        }
        let number = self.columns[at.column].kind.is_number() && at.column != HOST;
        let align = if number { Align::Right } else { Align::Left };
        let text = pad(&cut(text, at.cells), align, at.cells);
        buf.set_stringn(line.x + at.x as u16, line.y, text, at.cells, style);
    }

    /// The rows on the screen, with the sign of each drawn and its background set.
    fn lines<'a>(
        &'a self,
        area: Rect,
        buf: &mut Buffer,
        styles: &Styles,
    ) -> Vec<(Rect, &'a Item, ratatui::style::Style)> {
        let below = usize::from(area.height - 1);
        let mut lines = Vec::new();
        for (n, (item, under_cursor)) in self.list().visible().take(below).enumerate() {
            let line = Rect {
                y: area.y + 1 + n as u16,
                height: 1,
                ..area
            };
            let style = if under_cursor {
                styles.of(Role::Selection)
            } else {
                styles.of(Role::Text)
            };
            buf.set_style(line, style);
            let (sign, role) = match (self.marks.contains(item), under_cursor) {
                (true, _) => ("*", Role::Mark),
                (false, true) => (">", Role::Text),
                (false, false) => (" ", Role::Text),
            };
            let across = usize::from(line.width);
            let signed = if under_cursor { style } else { styles.of(role) };
            buf.set_stringn(line.x, line.y, sign, across, signed);
            lines.push((line, item, style));
        }
        lines
    }

    /// `COUNT  HOSTS  what they have in common  which hosts`.
    fn draw_groups(&self, area: Rect, buf: &mut Buffer, styles: &Styles) {
        let room = usize::from(area.width).saturating_sub(GUTTER);
        let names: Vec<String> = self.by.iter().map(|by| self.heading(*by)).collect();
        let shown = self.groups.visible().filter_map(|(item, _)| match item {
            Item::Group(key) => self.group(key),
            Item::Row(_) | Item::Host(_) => None,
        });
        // As wide as what is on the screen needs, and no more than leaves room for the hosts.
        let most = (room / 2 / names.len().max(1)).min(WIDEST_VALUE);
        let mut cells: Vec<usize> = names.iter().map(|name| width(name)).collect();
        for group in shown {
            for (widest, value) in cells.iter_mut().zip(group.key.iter()) {
                *widest = width(&cell(value)).max(*widest);
            }
        }
        let text = |count: &str, hosts: &str, values: &[String], names: &str| {
            let values = values.iter().zip(&cells).map(|(value, widest)| {
                let cells = (*widest).min(most);
                pad(&cut(value, cells), Align::Left, cells)
            });
            format!(
                "{}{}  {}  {}  {names}",
                " ".repeat(GUTTER),
                pad(count, Align::Right, 7),
                pad(hosts, Align::Right, 5),
                values.collect::<Vec<_>>().join("  "),
            )
        };
        print(
            area,
            &text("ROWS", "HOSTS", &names, "WHICH"),
            Role::Header,
            buf,
            styles,
        );
        for (line, item, style) in self.lines(area, buf, styles) {
            let Item::Group(key) = item else { continue };
            let Some(group) = self.group(key) else {
                continue;
            };
            let hosts = harmless(group.hosts.as_bytes());
            let rows = count(group.rows.len() as u64);
            let values: Vec<String> = group.key.iter().map(cell).collect();
            let text = text(&rows, &count(group.host_count as u64), &values, &hosts);
            print_behind_gutter(line, &text, style, buf);
        }
    }

    /// `web01`, or `60.web01` where several jobs may have asked it.
    fn called<'a>(&self, part: &'a Part) -> Cow<'a, str> {
        if self.is_of_several_jobs() {
            Cow::Owned(format!("{}.{}", part.job, part.host))
        } else {
            Cow::Borrowed(&part.host)
        }
    }

    fn draw_troubles(&self, area: Rect, buf: &mut Buffer, styles: &Styles) {
        let room = usize::from(area.width).saturating_sub(GUTTER);
        let hosts = self.troubles.visible().filter_map(|(item, _)| match item {
            Item::Host(child) => self.parts.get(child),
            Item::Row(_) | Item::Group(_) => None,
        });
        let widest = hosts
            .map(|part| width(&self.called(part)))
            .max()
            .unwrap_or(0);
        let widest = widest.clamp(4, (room / 2).max(4));
        let text = |host: &str, what: &str| {
            let host = pad(&cut(host, widest), Align::Left, widest);
            format!("{}{host}  {what}", " ".repeat(GUTTER))
        };
        print(area, &text("HOST", "WHAT"), Role::Header, buf, styles);
        for (line, item, style) in self.lines(area, buf, styles) {
            let Item::Host(child) = item else { continue };
            let Some(part) = self.parts.get(child) else {
                continue;
            };
            let host = harmless(self.called(part).as_bytes());
            let what = harmless(trouble(part).as_bytes()).replace('\t', " ");
            print_behind_gutter(line, &text(&host, &what), style, buf);
        }
    }
}

/// The most cells of what the rows of a group have in common.
const WIDEST_VALUE: usize = 60;

fn print(area: Rect, text: &str, role: Role, buf: &mut Buffer, styles: &Styles) {
    let across = usize::from(area.width);
    buf.set_stringn(area.x, area.y, cut(text, across), across, styles.of(role));
}

/// The sign at the left stays as it is.
fn print_behind_gutter(line: Rect, text: &str, style: ratatui::style::Style, buf: &mut Buffer) {
    let across = usize::from(line.width);
    let text = cut(text, across);
    let behind = text.get(GUTTER..).unwrap_or_default();
    let x = line.x + GUTTER as u16;
    if across > GUTTER {
        buf.set_stringn(x, line.y, behind, across - GUTTER, style);
    }
}

//! The picture: read from the state, never changing it.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::overlay::Overlay;
use super::{Acting, App, Engine, Pane, Picture, Zoom};
use crate::command::console::{Place, Screen};
use crate::config::keys::{Lookup, written};
use crate::config::theme::Role;
use crate::core::state::State;
use crate::tui::events::{Happening, Weight};
use crate::tui::jobs::{COUNTED, Jobs, said_by, title};
use crate::tui::layout::{Layout, Panes, Want, layout};
use crate::tui::view::{Focus, Glyphs, pad};
use crate::view::span;
use crate::view::table::Align;
use crate::view::text::{cut, harmless, width};

impl App {
    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.is_empty() {
            return;
        }
        let buf = frame.buffer_mut();
        buf.set_style(area, self.styles.of(Role::Text));
        match layout(area, self.wanted_layout()) {
            Layout::Line(line) => {
                buf.set_stringn(
                    line.x,
                    line.y,
                    self.counts(),
                    usize::from(line.width),
                    self.styles.of(Role::Text),
                );
            }
            Layout::Panes(panes) => self.draw_panes(area, &panes, buf),
        }
        if self.flags.glyphs == Glyphs::ASCII {
            // What was cut off, and what stands between words, says so with characters of its own.
            for cell in &mut buf.content {
                match cell.symbol() {
                    "…" => _ = cell.set_symbol("."),
                    "·" => _ = cell.set_symbol("-"),
                    _ => {}
                }
            }
        }
        if let Some(bar) = &self.bar
            && let Some(at) = bar.cursor(area)
        {
            frame.set_cursor_position(at);
        }
    }

    pub(super) fn wanted_layout(&self) -> Want {
        let whole =
            !self.pages.is_empty() || self.zoomed == Zoom::Yes || self.screen != Screen::Jobs;
        if whole { Want::Whole } else { Want::Split }
    }

    /// Tells the parts of the state how large they are drawn.
    pub(super) fn lay_out(&mut self) {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let Layout::Panes(panes) = layout(area, self.wanted_layout()) else {
            return;
        };
        let main = panes.main;
        let rows = usize::from(main.height.saturating_sub(2));
        self.tree.set_height(Jobs::rows_in(main));
        self.hosts.list.set_height(rows);
        self.queries.set_height(rows);
        self.events_list.set_height(rows + 1);
        self.size_views(main, panes.side);
    }

    /// Whether there is a pane beside the list.
    pub(super) fn has_side(&self) -> bool {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        matches!(
            layout(area, self.wanted_layout()),
            Layout::Panes(Panes { side: Some(_), .. })
        )
    }

    fn draw_panes(&self, area: Rect, panes: &Panes, buf: &mut Buffer) {
        self.draw_header(panes.header, buf);
        if let Some(tabs) = panes.tabs {
            self.draw_tabs(tabs, buf);
        }
        let focus = |pane: Pane| {
            if self.pane == pane {
                Focus::Here
            } else {
                Focus::Elsewhere
            }
        };
        if self.pages.is_empty() {
            match self.screen {
                Screen::Jobs => self.draw_jobs(panes.main, focus(Pane::List), buf),
                Screen::Hosts => self.draw_hosts(panes.main, buf),
                Screen::Queries => self.draw_queries(panes.main, buf),
                Screen::Events => self.draw_events_screen(panes.main, buf),
            }
        } else {
            self.draw_page(panes.main, buf);
        }
        if let Some(side) = panes.side {
            self.draw_preview(side, focus(Pane::Side), buf);
        }
        if let Some(below) = panes.below {
            self.draw_groups(below.groups, buf);
            self.draw_events(below.events, buf);
        }
        if let Some(hints) = panes.hints {
            self.draw_hints(hints, buf);
        }
        match &self.overlay {
            Some(Overlay::Dialog(dialog)) => {
                dialog.draw(area, buf, &self.styles, self.flags.glyphs);
            }
            Some(Overlay::Pick(pick)) => pick.draw(area, buf, &self.styles, self.flags.glyphs),
            Some(Overlay::Help(help)) => {
                // Its own hints stand below it.
                let above = panes.hints.map_or(area.height, |hints| hints.y - area.y);
                let area = Rect {
                    height: above,
                    ..area
                };
                help.draw(area, buf, &self.styles, self.flags.glyphs);
            }
            Some(Overlay::Answer(answering)) => {
                answering.draw(area, buf, &self.styles, self.flags.glyphs);
            }
            None => {}
        }
        self.draw_which_key(area, buf);
        match &self.bar {
            Some(bar) => bar.draw(area, buf, &self.bar_look()),
            None => self.draw_last(panes.last, buf),
        }
    }

    /// ` regatta   3 Running · 1 Failed   LIVE?   12:04:33`.
    fn draw_header(&self, area: Rect, buf: &mut Buffer) {
        let across = usize::from(area.width);
        let clock = span::clock(self.now.wall, &self.now.zone.time_zone());
        let trouble = match (&self.engine, self.picture) {
            (Engine::Lost(why), _) => {
                Some((format!("NO DAEMON: {why}; trying again"), Role::Error))
            }
            (_, Picture::Still(since)) => Some((
                format!(
                    "STILL since {}",
                    span::clock(since, &self.now.zone.time_zone())
                ),
                Role::Warning,
            )),
            (Engine::Awaited, _) => Some(("waiting for the daemon".to_string(), Role::Dim)),
            (Engine::Heard, Picture::Live) => None,
        };
        let mut spans = vec![Span::styled(
            format!(" {}", self.flags.name),
            self.styles.of(Role::Title),
        )];
        if self.flags.acting == Acting::ReadOnly {
            spans.push(Span::styled("  read-only", self.styles.of(Role::Warning)));
        }
        match self.model.questions().len() {
            0 => {}
            count if across < 60 => spans.push(Span::styled(
                format!(" {count} ask"),
                self.styles.of(Role::Error),
            )),
            1 => spans.push(Span::styled(
                "  1 question: enter on it answers",
                self.styles.of(Role::Error),
            )),
            count => spans.push(Span::styled(
                format!("  {count} questions: :answer"),
                self.styles.of(Role::Error),
            )),
        }
        if let Some((text, role)) = trouble {
            spans.push(Span::styled(
                format!("  {}", harmless(text.as_bytes())),
                self.styles.of(role),
            ));
        }
        spans.push(Span::raw("   "));
        if across < 60 {
            spans.push(Span::raw(self.counts()));
        } else {
            // A count that is cut reads as another one.
            let mut room = across
                .saturating_sub(width(&clock) + 2)
                .saturating_sub(spans.iter().map(Span::width).sum());
            spans.extend(self.count_spans().into_iter().map_while(|span| {
                room = room.checked_sub(span.width())?;
                Some(span)
            }));
        }
        Line::from(spans).render(area, buf);
        if across > width(&clock) + 12 {
            let x = area.x + area.width - width(&clock) as u16 - 1;
            buf.set_stringn(
                x - 1,
                area.y,
                format!(" {clock} "),
                width(&clock) + 2,
                self.styles.of(Role::Dim),
            );
        }
    }

    fn count_spans(&self) -> Vec<Span<'static>> {
        let states = self.model.states();
        let mut spans: Vec<Span<'static>> = Vec::new();
        for state in COUNTED {
            if let Some(count) = states.get(&state) {
                if !spans.is_empty() {
                    spans.push(Span::raw("  "));
                }
                spans.push(Span::styled(
                    format!("{count} {state}"),
                    self.styles.state(state),
                ));
            }
        }
        spans
    }

    fn counts(&self) -> String {
        let states = self.model.states();
        let count = |state: State| states.get(&state).copied().unwrap_or(0);
        format!(
            "{} run {} fail {} done",
            count(State::Running) + count(State::Stopping) + count(State::Blocked),
            count(State::Failed) + count(State::Disconnected),
            count(State::Completed) + count(State::Stopped)
        )
    }

    fn draw_tabs(&self, area: Rect, buf: &mut Buffer) {
        let mut spans = vec![Span::raw(" ")];
        for (n, screen) in Screen::ALL.into_iter().enumerate() {
            let role = if screen == self.screen {
                Role::TitleFocused
            } else {
                Role::Dim
            };
            spans.push(Span::styled(
                format!("{} {}", n + 1, screen.word()),
                self.styles.of(role),
            ));
            spans.push(Span::raw("   "));
        }
        Line::from(spans).render(area, buf);
    }

    fn draw_jobs(&self, area: Rect, focus: Focus, buf: &mut Buffer) {
        let removing: usize = self
            .removing
            .iter()
            .map(|removing| removing.jobs.len())
            .sum();
        let (left, right) = title(&self.model, &self.tree, removing);
        let pane = crate::tui::view::Pane {
            left: &left,
            right: &right,
            focus,
        };
        let jobs = Jobs {
            model: &self.model,
            tree: &self.tree,
            columns: &self.columns,
            styles: &self.styles,
            glyphs: &self.flags.glyphs,
            now: self.now,
        };
        jobs.draw(area, &pane, buf);
    }

    fn draw_hosts(&self, area: Rect, buf: &mut Buffer) {
        let left = if self.hosts.list.filter.is_set() {
            format!("Hosts  filter {}", self.hosts.list.filter)
        } else {
            "Hosts".to_string()
        };
        let pane = crate::tui::view::Pane {
            left: &left,
            right: &self.hosts.summary(),
            focus: Focus::Here,
        };
        self.hosts
            .draw(area, &pane, buf, &self.styles, &self.flags.glyphs, self.now);
    }

    fn draw_queries(&self, area: Rect, buf: &mut Buffer) {
        let count = self.loaded.queries.len();
        let pane = crate::tui::view::Pane {
            left: "Queries",
            right: &format!("{count} queries"),
            focus: Focus::Here,
        };
        let area = pane.draw(area, buf, &self.styles, &self.flags.glyphs);
        if area.height == 0 {
            return;
        }
        let across = usize::from(area.width);
        let header = format!("  {} {}", pad("NAME", Align::Left, 18), "WHAT IT SHOWS");
        buf.set_stringn(area.x, area.y, header, across, self.styles.of(Role::Header));
        for (n, (name, under_cursor)) in self
            .queries
            .visible()
            .take(usize::from(area.height - 1))
            .enumerate()
        {
            let y = area.y + 1 + n as u16;
            let doc = self
                .loaded
                .query(name)
                .map(|query| query.doc.clone())
                .unwrap_or_default();
            let mark = if under_cursor { '>' } else { ' ' };
            let line = format!(
                "{mark} {} {}",
                pad(&cut(name, 18), Align::Left, 18),
                harmless(doc.as_bytes())
            );
            buf.set_stringn(
                area.x,
                y,
                cut(&line, across),
                across,
                self.styles.of(Role::Text),
            );
            if under_cursor {
                buf.set_style(
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                    self.styles.of(Role::Selection),
                );
            }
        }
    }

    fn draw_events_screen(&self, area: Rect, buf: &mut Buffer) {
        let right = match self.events.gone() {
            0 => format!("{} events", self.events.len()),
            gone => format!(
                "the newest {}; {gone} older ones are gone",
                self.events.len()
            ),
        };
        let pane = crate::tui::view::Pane {
            left: "Events  newest first",
            right: &right,
            focus: Focus::Here,
        };
        let area = pane.draw(area, buf, &self.styles, &self.flags.glyphs);
        let all: Vec<&Happening> = self.events.newest_first().collect();
        if all.is_empty() && area.height > 0 {
            buf.set_stringn(
                area.x + 2,
                area.y,
                "nothing has happened yet",
                usize::from(area.width.saturating_sub(2)),
                self.styles.of(Role::Dim),
            );
        }
        for (n, (at, under_cursor)) in self.events_list.visible().enumerate() {
            if let Some(happening) = all.get(*at)
                && n < usize::from(area.height)
            {
                let row = Rect {
                    y: area.y + n as u16,
                    height: 1,
                    ..area
                };
                self.draw_event(happening, row, buf);
                if under_cursor {
                    buf.set_style(row, self.styles.of(Role::Selection));
                }
            }
        }
    }

    fn draw_events(&self, area: Rect, buf: &mut Buffer) {
        let pane = crate::tui::view::Pane {
            left: "Events",
            right: "4 shows all",
            focus: Focus::Elsewhere,
        };
        let area = pane.draw(area, buf, &self.styles, &self.flags.glyphs);
        for (n, happening) in self
            .events
            .newest_first()
            .take(usize::from(area.height))
            .enumerate()
        {
            let row = Rect {
                y: area.y + n as u16,
                height: 1,
                ..area
            };
            self.draw_event(happening, row, buf);
        }
    }

    fn draw_event(&self, happening: &Happening, area: Rect, buf: &mut Buffer) {
        let job = happening
            .job
            .map_or_else(String::new, |job| job.to_string());
        let line = happening
            .line
            .as_ref()
            .map(|line| format!("   {line}"))
            .unwrap_or_default();
        let text = format!(
            " {} {} {}{line}",
            span::clock(happening.at, &self.now.zone.time_zone()),
            pad(&job, Align::Left, 6),
            happening.text
        );
        let text = harmless(text.as_bytes()).replace('\t', " ");
        let style = match happening.weight {
            Weight::Ordinary => self.styles.of(Role::Text),
            Weight::Problem => self.styles.of(Role::Error),
        };
        let across = usize::from(area.width);
        buf.set_stringn(area.x, area.y, cut(&text, across), across, style);
    }

    /// What the children of the job under the cursor came to.
    fn draw_groups(&self, area: Rect, buf: &mut Buffer) {
        let entry = self.tree.cursor().and_then(|row| self.model.job(row.job()));
        let fold = entry.and_then(|entry| entry.fold());
        let left = entry.map_or_else(
            || "Same results".to_string(),
            |entry| {
                format!(
                    "Same results, folded (=)  job {} {}",
                    entry.job.id, entry.job.name
                )
            },
        );
        let right = fold.map_or_else(String::new, |fold| match fold.groups.len() {
            1 => "1 kind of result".to_string(),
            count => format!("{count} kinds of result"),
        });
        let pane = crate::tui::view::Pane {
            left: &harmless(left.as_bytes()),
            right: &right,
            focus: Focus::Elsewhere,
        };
        let area = pane.draw(area, buf, &self.styles, &self.flags.glyphs);
        let groups = fold.map(|fold| fold.groups.as_slice()).unwrap_or_default();
        for (n, group) in groups.iter().take(usize::from(area.height)).enumerate() {
            let exit = group
                .exit
                .map_or_else(String::new, |exit| format!("exit {exit}"));
            let hosts = if group.children.len() == 1 {
                "host "
            } else {
                "hosts"
            };
            let text = format!(
                " {} {hosts}  {} {} {} {}",
                pad(&group.children.len().to_string(), Align::Right, 5),
                pad(group.state.word(), Align::Left, 12),
                pad(&exit, Align::Left, 8),
                pad(&cut(&group.hosts, 40), Align::Left, 40),
                said_by(group),
            );
            let across = usize::from(area.width);
            let text = harmless(text.as_bytes()).replace('\t', " ");
            buf.set_stringn(
                area.x,
                area.y + n as u16,
                cut(&text, across),
                across,
                self.styles.state(group.state),
            );
        }
    }

    /// The keys that work here, as far as there is room.
    fn draw_hints(&self, area: Rect, buf: &mut Buffer) {
        let across = usize::from(area.width);
        if let Some(text) = self.overlay_hint() {
            buf.set_stringn(
                area.x + 1,
                area.y,
                text,
                across.saturating_sub(1),
                self.styles.of(Role::Dim),
            );
            return;
        }
        let hints = self.hints().into_iter().filter_map(|(line, words)| {
            let key = self.loaded.keymap.key_for(self.place(), line)?;
            let needed = width(&key) + 1 + width(words) + 2;
            Some((line == "help", key, words, needed))
        });
        let hints: Vec<_> = hints.collect();
        // Help has to fit, whatever else does.
        let mut kept: usize = hints
            .iter()
            .filter(|(help, ..)| *help)
            .map(|(.., needed)| needed)
            .sum();
        let mut room = across.saturating_sub(1);
        let mut spans = vec![Span::raw(" ")];
        for (help, key, words, needed) in hints {
            if help {
                kept = 0;
            }
            if needed + kept > room {
                continue;
            }
            room -= needed;
            spans.push(Span::styled(key, self.styles.of(Role::Key)));
            spans.push(Span::styled(
                format!(" {words}  "),
                self.styles.of(Role::Dim),
            ));
        }
        Line::from(spans).render(area, buf);
    }

    fn overlay_hint(&self) -> Option<String> {
        Some(match self.overlay.as_ref()? {
            Overlay::Dialog(_) => {
                "only the letters shown decide; enter does nothing here".to_string()
            }
            Overlay::Pick(pick) => pick.hint().to_string(),
            Overlay::Help(help) => help.hint().to_string(),
            Overlay::Answer(answering) => answering.hint(),
        })
    }

    /// What is worth a hint, most important first.
    fn hints(&self) -> Vec<(&'static str, &'static str)> {
        let marked = !self.tree.marks().is_empty() && self.screen == Screen::Jobs;
        let mut hints = match self.place() {
            Place::Jobs if marked => vec![
                ("stop", "stop marked"),
                ("receive", "receive marked"),
                ("remove", "remove marked"),
                ("unmark", "unmark"),
            ],
            Place::Jobs | Place::Everywhere => vec![
                ("open", "open"),
                ("add", "add"),
                ("stop", "stop"),
                ("receive", "receive"),
                ("remove", "remove"),
                ("problem next", "next problem"),
                ("same", "fold same"),
                ("find", "filter"),
                ("bar", "command"),
                ("edit", "edit and run again"),
                ("mark", "mark"),
            ],
            Place::Hosts => vec![
                ("open", "what ran last"),
                ("add", "run on"),
                ("mark", "mark"),
                ("problem next", "next problem"),
                ("problems", "only problems"),
                ("find", "filter"),
            ],
            Place::Queries => vec![("open", "fill the bar"), ("bar", "command")],
            Place::Events => vec![
                ("open", "go to the job"),
                ("copy invocation", "copy its command line"),
            ],
            Place::Output => vec![
                ("find", "search"),
                ("matching", "only matches"),
                ("match next", "next match"),
                ("sibling next", "next host"),
                ("problem next", "next problem"),
                ("follow", "follow"),
                ("wrap", "wrap"),
                ("times", "times"),
                ("save", "save"),
                ("copy line", "copy"),
            ],
        };
        let help = ("help", "help");
        hints.insert(hints.len().min(6), help);
        hints
    }

    fn draw_last(&self, area: Rect, buf: &mut Buffer) {
        let across = usize::from(area.width.saturating_sub(1));
        let (text, style) = match &self.toast {
            Some(toast) => (
                harmless(toast.text.as_bytes()),
                match toast.weight {
                    Weight::Ordinary => self.styles.of(Role::Notice),
                    Weight::Problem => self.styles.of(Role::Error),
                },
            ),
            None => match self.pressed.keys() {
                [] => return,
                keys => (format!("{} ...", written(keys)), self.styles.of(Role::Dim)),
            },
        };
        let text = text.replace('\t', " ");
        buf.set_stringn(area.x + 1, area.y, cut(&text, across), across, style);
    }

    /// How keys that were pressed may go on, once somebody hesitates.
    fn draw_which_key(&self, area: Rect, buf: &mut Buffer) {
        if self.pressed.shown_at().is_none_or(|at| at > self.now.mono) {
            return;
        }
        let Lookup::Prefix(more) = self.loaded.keymap.lookup(self.place(), self.pressed.keys())
        else {
            return;
        };
        let rows = (more.len() as u16).min(area.height.saturating_sub(3));
        let top = area.y + area.height - 2 - rows;
        for (n, (keys, binding)) in more.iter().take(usize::from(rows)).enumerate() {
            let text = format!(" {} {}", pad(&written(keys), Align::Left, 8), binding.doc);
            let across = usize::from(area.width);
            let y = top + n as u16;
            buf.set_stringn(
                area.x,
                y,
                pad(&cut(&text, across), Align::Left, across),
                across,
                self.styles.of(Role::Notice),
            );
        }
    }
}

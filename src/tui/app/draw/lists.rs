//! What a screen lists: jobs, hosts, queries, events; and what the children of a job came to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::theme::Role;
use crate::core::alike::Ignored;
use crate::tui::app::{App, Engine};
use crate::tui::events::{Happening, Weight};
use crate::tui::jobs::{Jobs, said_by, title};
use crate::tui::view::{Focus, Pane, pad};
use crate::view::count::{Noun, agreeing, counted};
use crate::view::span;
use crate::view::table::Align;
use crate::view::text::{cut, harmless};

impl App {
    pub(super) fn draw_jobs(&self, area: Rect, focus: Focus, buf: &mut Buffer) {
        let removing: usize = self
            .removing
            .iter()
            .map(|removing| removing.jobs.len())
            .sum();
        let (left, mut right) = title(&self.model, &self.tree, self.ignored, removing);
        let none = match &self.engine {
            Engine::Heard => "no jobs yet: a starts one, ? shows the keys".to_string(),
            Engine::Awaited => "waiting for the daemon".to_string(),
            Engine::Lost(why) => format!("which jobs there are is not known: {why}"),
        };
        if self.engine != Engine::Heard && self.model.jobs().next().is_none() {
            right = "not known".to_string();
        }
        let pane = Pane {
            left: &left,
            right: &right,
            focus,
        };
        let jobs = Jobs {
            model: &self.model,
            tree: &self.tree,
            none: &none,
            columns: &self.columns,
            styles: &self.styles,
            glyphs: &self.flags.glyphs,
            now: self.now,
        };
        jobs.draw(area, &pane, buf);
    }

    pub(super) fn draw_hosts(&self, area: Rect, buf: &mut Buffer) {
        let left = if self.hosts.list.filter.is_set() {
            format!("Hosts  filter {}", self.hosts.list.filter)
        } else {
            "Hosts".to_string()
        };
        let pane = Pane {
            left: &left,
            right: &self.hosts.summary(),
            focus: Focus::Here,
        };
        self.hosts
            .draw(area, &pane, buf, &self.styles, &self.flags.glyphs, self.now);
    }

    pub(super) fn draw_queries(&self, area: Rect, buf: &mut Buffer) {
        let count = self.loaded.queries.len();
        let pane = Pane {
            left: "Queries",
            right: &counted(count, Noun::Query),
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

    pub(super) fn draw_events_screen(&self, area: Rect, buf: &mut Buffer) {
        let right = match self.events.gone() {
            0 => counted(self.events.len(), Noun::Event),
            gone => format!(
                "the newest {}; {} {} gone",
                self.events.len(),
                counted(gone, Noun::OlderEvent),
                agreeing(gone, "is", "are"),
            ),
        };
        let pane = Pane {
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

    pub(super) fn draw_events(&self, area: Rect, buf: &mut Buffer) {
        let pane = Pane {
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
    pub(super) fn draw_groups(&self, area: Rect, buf: &mut Buffer) {
        let entry = self.tree.cursor().and_then(|row| self.model.job(row.job()));
        let fold = entry.and_then(|entry| entry.fold());
        let left = entry.map_or_else(
            || "Same results".to_string(),
            |entry| {
                let ignoring = match self.ignored {
                    Ignored::NOTHING => String::new(),
                    ignored => format!(", ignoring {ignored}"),
                };
                format!(
                    "Same results, folded (=){ignoring}  job {} {}",
                    entry.job.id, entry.job.name
                )
            },
        );
        let right = fold.map_or_else(String::new, |fold| {
            counted(fold.groups.len(), Noun::KindOfResult)
        });
        let pane = Pane {
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
            let text = format!(
                " {} {}  {} {} {} {}",
                pad(&group.children.len().to_string(), Align::Right, 5),
                pad(Noun::Host.word(group.children.len()), Align::Left, 5),
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
}

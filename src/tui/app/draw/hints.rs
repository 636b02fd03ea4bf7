//! The last lines: the keys that work here, what was said in passing, and how keys that were pressed may go on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::command::console::{Place, Screen};
use crate::config::keys::{Lookup, written};
use crate::config::theme::Role;
use crate::tui::app::overlay::Overlay;
use crate::tui::app::{Acting, App};
use crate::tui::events::Weight;
use crate::tui::tree::RowId;
use crate::tui::view::pad;
use crate::view::table::Align;
use crate::view::text::{cut, harmless, width};

impl App {
    /// The keys that work here, as far as there is room.
    pub(super) fn draw_hints(&self, area: Rect, buf: &mut Buffer) {
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
            let (key, binding) = self.loaded.keymap.bound_to(self.place(), line)?;
            if binding.does.acts() && self.flags.acting == Acting::ReadOnly {
                return None;
            }
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
                ("table", "rows"),
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
            Place::Table => vec![
                (
                    "open",
                    self.table().map_or("output", |tabled| tabled.view.opens()),
                ),
                ("sort", "sort"),
                ("find", "filter"),
                ("group", "group"),
                ("add", "run on these"),
                ("columns", "columns"),
                ("problems", "problems"),
                ("save", "save"),
                ("mark", "mark"),
            ],
            Place::Output if self.reads_text() => vec![
                ("find", "search"),
                ("matching", "only matches"),
                ("match next", "next match"),
                ("wrap", "wrap"),
                ("save", "save"),
                ("copy line", "copy"),
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
        if self.place() == Place::Jobs && !marked {
            hints.retain(|(line, _)| self.does_something(line));
        }
        let help = ("help", "help");
        hints.insert(hints.len().min(6), help);
        hints
    }

    /// Whether the page is a text instead of somebody's output.
    fn reads_text(&self) -> bool {
        let page = self.pages.last();
        let shown = page.and_then(super::super::pages::Page::output);
        shown.is_some_and(|shown| shown.view.children().next().is_none())
    }

    /// Whether a key of the list has something to act on under the cursor.
    fn does_something(&self, line: &str) -> bool {
        let row = self.tree.cursor();
        match line {
            "stop" => row.is_some_and(|row| {
                let ended = match row {
                    RowId::Child { child, .. } => {
                        let found = self.model.child(child);
                        found.is_some_and(|(_, entry)| entry.child.state.is_final())
                    }
                    RowId::Job(job) | RowId::Rest(job) | RowId::Group { job, .. } => {
                        let found = self.model.job(job);
                        found.is_some_and(|entry| entry.job.state.is_final())
                    }
                };
                !ended
            }),
            "open" | "receive" | "remove" | "problem next" | "same" | "edit" | "mark" => {
                row.is_some()
            }
            _ => true,
        }
    }

    pub(super) fn draw_last(&self, area: Rect, buf: &mut Buffer) {
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
    pub(super) fn draw_which_key(&self, area: Rect, buf: &mut Buffer) {
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

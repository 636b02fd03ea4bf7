//! The picture: read from the state, never changing it.  Here: which part of it is drawn where.

mod header;
mod hints;
mod lists;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::Overlay;
use super::{App, Pane, Zoom};
use crate::command::console::Screen;
use crate::config::theme::Role;
use crate::tui::jobs::Jobs;
use crate::tui::layout::{Layout, Panes, Want, layout};
use crate::tui::view::{Focus, Glyphs};

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
}

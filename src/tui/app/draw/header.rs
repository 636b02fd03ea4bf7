//! The first line: how things stand, what is in trouble, who asks; and the names of the screens.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::command::console::Screen;
use crate::config::theme::Role;
use crate::core::state::State;
use crate::tui::app::{Acting, App, Engine, Picture};
use crate::tui::jobs::COUNTED;
use crate::view::count::{Noun, counted};
use crate::view::span;
use crate::view::text::{harmless, width};

impl App {
    /// ` regatta   3 Running · 1 Failed   LIVE?   12:04:33`.
    pub(super) fn draw_header(&self, area: Rect, buf: &mut Buffer) {
        let across = usize::from(area.width);
        let mut clock = span::clock(self.now.wall, &self.now.zone.time_zone());
        if !self.is_ticking() && across >= 60 {
            clock = format!("as of {clock}");
        }
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
            1 if self.table().is_none() => spans.push(Span::styled(
                format!("  {}: enter on it answers", counted(1u32, Noun::Question)),
                self.styles.of(Role::Error),
            )),
            count => spans.push(Span::styled(
                format!("  {}: :answer", counted(count, Noun::Question)),
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

    pub(super) fn counts(&self) -> String {
        let states = self.model.states();
        let count = |state: State| states.get(&state).copied().unwrap_or(0);
        format!(
            "{} run {} fail {} done",
            count(State::Running) + count(State::Stopping) + count(State::Blocked),
            count(State::Failed) + count(State::Disconnected),
            count(State::Completed) + count(State::Stopped)
        )
    }

    pub(super) fn draw_tabs(&self, area: Rect, buf: &mut Buffer) {
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
}

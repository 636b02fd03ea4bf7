//! What the commands of the console do to the view.

use super::action::{OutputAction, Whole};
use super::part::{Binary, Rule};
use super::scroll::{Anchor, Top};
use super::walk;
use super::{Content, OutputView, Prefix, Settings, Times, Wrap};
use crate::command::console::{Act, Copied};

/// How far one step to the side goes, in cells.
const SIDE: usize = 8;
/// More rules are not drawn in one child.
const MOST_RULES: usize = 1000;

impl OutputView {
    /// Obeys a command; `None` for one that is not the view's.  `now` is what the clock says, in milliseconds since the
    /// epoch.
    pub fn act(&mut self, now: i64, act: &Act) -> Option<Vec<OutputAction>> {
        let page = usize::from(self.size.height).max(1);
        let done = match act {
            Act::Down => self.go(1, walk::Way::Down),
            Act::Up => self.go(1, walk::Way::Up),
            Act::HalfDown => self.go(page.div_ceil(2), walk::Way::Down),
            Act::HalfUp => self.go(page.div_ceil(2), walk::Way::Up),
            Act::PageDown => self.go(page, walk::Way::Down),
            Act::PageUp => self.go(page, walk::Way::Up),
            Act::Top => self.go_to(walk::Way::Up),
            Act::Bottom => self.go_to(walk::Way::Down),
            Act::Left => self.scroll_to(self.settings.left.saturating_sub(SIDE)),
            Act::Right => self.scroll_to(self.settings.left + SIDE),
            Act::LineStart => self.scroll_to(0),
            Act::LineEnd => {
                let widest = self.widest_on_screen();
                self.scroll_to(widest.saturating_sub(self.text_width()))
            }
            Act::Open => self.open()?,
            Act::Back | Act::Leave => self.back()?,
            Act::Find => {
                self.search_done();
                vec![OutputAction::AskSearch]
            }
            Act::Follow => {
                if self.is_following() {
                    self.stand_still();
                } else {
                    self.follow();
                }
                vec![]
            }
            Act::Wrap => {
                self.settings.wrap = match self.settings.wrap {
                    Wrap::Cut => Wrap::Wrapped,
                    Wrap::Wrapped => Wrap::Cut,
                };
                self.relaid()
            }
            Act::Times => {
                self.settings.times = match self.settings.times {
                    Times::Off => Times::Clock,
                    Times::Clock => Times::SinceStart,
                    Times::SinceStart => Times::Off,
                };
                self.relaid()
            }
            Act::Prefix => {
                self.settings.prefix = match self.settings.prefix {
                    Prefix::Shown => Prefix::Hidden,
                    Prefix::Hidden => Prefix::Shown,
                };
                self.relaid()
            }
            Act::Match { way } => self.match_next(*way),
            Act::Matching { text } => self.show_matching(&text.join(" ")),
            Act::Rule => self.draw_rule(now),
            Act::Pager => vec![self.whole(Whole::Pager)],
            Act::Save { file } => vec![self.whole(Whole::Save(file.clone()))],
            Act::Pipe { command } if command.is_empty() => {
                vec![OutputAction::Say(
                    "through which command? pipe COMMAND".to_string(),
                )]
            }
            Act::Pipe { command } => vec![self.whole(Whole::Pipe(command.clone()))],
            Act::Select => {
                self.select();
                vec![]
            }
            Act::Copy { what } => match what {
                Copied::Line => self.copy_lines(),
                Copied::Output => vec![self.whole(Whole::Copy)],
                Copied::Host
                | Copied::Id
                | Copied::Command
                | Copied::Csv
                | Copied::Markdown
                | Copied::Invocation => return None,
            },
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
            | Act::Mark
            | Act::Range
            | Act::MarkAll
            | Act::Unmark
            | Act::Problem { .. }
            | Act::Problems
            | Act::Same
            | Act::Sort { .. }
            | Act::Columns
            | Act::Table { .. }
            | Act::Group { .. }
            | Act::Filter { .. }
            | Act::Sibling { .. }
            | Act::Merged
            | Act::Diff
            | Act::Add
            | Act::Edit
            | Act::Limit
            | Act::Queue => return None,
        };
        // Whoever presses a key expects that something moves.
        self.let_go();
        if !self.is_following() {
            self.fit_numbers();
        }
        Some(done)
    }

    /// Shows it in another way.
    pub fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        _ = self.relaid();
    }

    /// Follows the end, from now on.
    pub fn follow(&mut self) {
        self.await_nothing();
        self.top = Top::End;
        self.fit_numbers();
        if matches!(self.content, Content::Text { .. }) {
            self.stand_still();
        }
    }

    fn go(&mut self, rows: usize, way: walk::Way) -> Vec<OutputAction> {
        self.await_nothing();
        if self.selection.is_some() {
            self.select_by(rows, way);
        } else if !(self.is_following() && way == walk::Way::Down) {
            self.scroll(rows, way);
        }
        vec![]
    }

    fn go_to(&mut self, way: walk::Way) -> Vec<OutputAction> {
        self.await_nothing();
        if self.selection.is_some() {
            return self.select_edge(way);
        }
        match way {
            walk::Way::Up => self.go_to_top(),
            walk::Way::Down => self.follow(),
        }
        vec![]
    }

    fn scroll_to(&mut self, left: usize) -> Vec<OutputAction> {
        if self.settings.wrap == Wrap::Cut {
            // No further than the last character of what is on the screen.
            let most = self.widest_on_screen().saturating_sub(1);
            self.settings.left = left.min(most.max(self.settings.left.min(left)));
        }
        vec![]
    }

    /// Shows output that does not look like text.
    fn open(&mut self) -> Option<Vec<OutputAction>> {
        let hidden = self.hidden()?;
        self.parts[hidden].bytes = Binary::Shown;
        Some(vec![])
    }

    /// The child that is not drawn because it does not look like text.
    pub(super) fn hidden(&self) -> Option<usize> {
        (self.parts.len() == 1 && self.parts[0].bytes == Binary::Hidden).then_some(0)
    }

    fn back(&mut self) -> Option<Vec<OutputAction>> {
        if self.selection.take().is_some() {
            return Some(vec![]);
        }
        self.matching()?;
        self.show_all();
        Some(vec![])
    }

    /// After a change of how things are laid out: the row at the top stays there.
    fn relaid(&mut self) -> Vec<OutputAction> {
        if let Top::At(anchor) = &mut self.top
            && anchor.part > 0
        {
            *anchor = Anchor { part: 0, ..*anchor };
        }
        self.set_up(self.size);
        vec![]
    }

    fn draw_rule(&mut self, now: i64) -> Vec<OutputAction> {
        if matches!(self.content, Content::Text { .. }) {
            return vec![];
        }
        for part in &mut self.parts {
            let running = part.child.ending.is_none();
            if running && part.rules.len() < MOST_RULES {
                part.rules.push(Rule {
                    offset: part.child.end.offset,
                    at: now,
                });
            }
        }
        if self.parts.iter().all(|part| part.child.ending.is_some()) {
            return vec![OutputAction::Say("nothing more will come here".to_string())];
        }
        vec![]
    }

    /// Brings the match of a row that was gone to into sight, once that row is here.
    pub(super) fn reveal(&mut self) {
        let Some(spot) = self.reveal else { return };
        let width = self.text_width();
        let (Some(row), Some(search)) = (self.row(spot), &self.search) else {
            return;
        };
        let found = row.found(&search.pattern).first().cloned();
        let line = match (self.settings.wrap, &found) {
            (Wrap::Wrapped, Some(found)) => super::wrap::number(row.line(), found.start, width),
            (Wrap::Cut, _) | (_, None) => 0,
        };
        self.reveal = None;
        let Some(found) = found else { return };
        match self.settings.wrap {
            Wrap::Cut => {
                let left = &mut self.settings.left;
                if found.start < *left {
                    *left = found.start.saturating_sub(width / 4);
                } else if found.end > *left + width {
                    *left = found.end.saturating_sub(width - width / 4).min(found.start);
                }
            }
            Wrap::Wrapped => {
                let shown = super::scroll::ScreenLine::Of(spot, line);
                if !self.screen().contains(&shown) {
                    self.top = Top::At(Anchor {
                        spot,
                        part: line,
                        below: usize::from(self.size.height) / 3,
                    });
                    self.settle();
                }
            }
        }
    }
}

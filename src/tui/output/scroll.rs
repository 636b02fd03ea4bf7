//! Which lines are on the screen, and how they move.
//!
//! The screen hangs on a place in the document, or on its end.  What comes behind that place therefore moves nothing, and
//! what is drawn is worked out from what is in memory each time.

use ratatui::layout::Size;

use super::OutputView;
use super::walk::{At, Body, Spot, Step, Way};
use super::{walk, wrap};
use crate::command::console;

/// What the screen hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// The end, wherever that is: what comes is followed.
    End,
    /// As long as nothing of it is here, so many lines above the end: somebody went up before the first rows came.
    Above(usize),
    At(Anchor),
}

/// A line of the document and where it is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) spot: Spot,
    /// Which line of it, where it is wrapped.
    pub(super) part: usize,
    /// How many lines from the top of the screen; fewer if not so many come before it.
    pub(super) below: usize,
}

/// A line of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScreenLine {
    /// A thing of the document, or one line of it.
    Of(Spot, usize),
    /// A row that is not here yet.
    Missing,
}

impl Anchor {
    pub(super) fn at(spot: Spot) -> Self {
        Self {
            spot,
            part: 0,
            below: 0,
        }
    }
}

/// How far a walk over lines came.
struct Walked {
    spot: Spot,
    part: usize,
    /// How many lines it still had to go.
    left: usize,
    /// What it ran into.
    stop: Option<Step>,
}

impl OutputView {
    pub(super) fn is_following(&self) -> bool {
        self.top == Top::End
    }

    /// The lines on the screen, from its top.
    pub(super) fn screen(&self) -> Vec<ScreenLine> {
        let height = usize::from(self.size.height);
        let mut lines = Vec::with_capacity(height);
        let Some((mut spot, mut part, missing)) = self.topmost() else {
            // Nothing at all, or not here yet.
            let anything = !matches!(self.first(), Step::Edge);
            return vec![ScreenLine::Missing; if anything { height } else { 0 }];
        };
        lines.resize(missing.min(height), ScreenLine::Missing);
        while lines.len() < height {
            for n in part..self.lines_of(spot) {
                if lines.len() < height {
                    lines.push(ScreenLine::Of(spot, n));
                }
            }
            part = 0;
            match self.step(spot, Way::Down) {
                Step::To(next) => spot = next,
                Step::Missing(_) => {
                    let missing = lines.len().saturating_add(self.missing_lines(spot));
                    lines.resize(missing.min(height), ScreenLine::Missing);
                    break;
                }
                Step::Edge => break,
            }
        }
        lines
    }

    /// The first line on the screen that is here, and how many lines are missing above it.
    pub(super) fn topmost(&self) -> Option<(Spot, usize, usize)> {
        let (spot, part, above) = match self.top {
            Top::End | Top::Above(_) => {
                let Step::To(last) = self.last() else {
                    return None;
                };
                let above = usize::from(self.size.height).saturating_sub(1);
                (last, self.lines_of(last) - 1, above)
            }
            Top::At(anchor) => {
                let spot = self.settled(anchor.spot)?;
                let part = anchor.part.min(self.lines_of(spot) - 1);
                (spot, part, anchor.below)
            }
        };
        let walked = self.walk(spot, part, above, Way::Up);
        let missing = match walked.stop {
            Some(Step::Missing(_)) => walked.left,
            Some(Step::Edge | Step::To(_)) | None => 0,
        };
        Some((walked.spot, walked.part, missing))
    }

    /// Moves the screen by lines.
    pub(super) fn scroll(&mut self, lines: usize, way: Way) {
        if self.is_at_unseen_end() {
            let above = match self.top {
                Top::Above(above) => above,
                Top::End | Top::At(_) => 0,
            };
            self.top = Top::Above(match way {
                Way::Up => above.saturating_add(lines),
                Way::Down => above.saturating_sub(lines),
            });
            return;
        }
        let Some((spot, part, _)) = self.topmost() else {
            return;
        };
        let walked = self.walk(spot, part, lines, way);
        self.hang(walked.spot, walked.part);
    }

    /// Goes to the first line.
    pub(super) fn go_to_top(&mut self) {
        match self.first() {
            Step::To(spot) => self.top = Top::At(Anchor::at(spot)),
            // Not here yet; there it is all the same.
            Step::Missing(_) => self.top = Top::At(Anchor::at(Spot::row(0, 0))),
            Step::Edge if self.is_at_unseen_end() => self.top = Top::Above(usize::MAX),
            Step::Edge => {}
        }
    }

    /// Brings the beginning of the next child that is wanted to the top, or of the one before; false if there is none.
    pub fn go_to_child(&mut self, way: console::Way, wanted: impl Fn(u64) -> bool) -> bool {
        let Some((spot, _, _)) = self.topmost() else {
            return false;
        };
        let fits = |part: &usize| wanted(self.parts[*part].child.id);
        let found = match way {
            console::Way::Next => (spot.part + 1..self.parts.len()).find(fits),
            console::Way::Previous => (0..spot.part).rev().find(fits),
        };
        let Some(part) = found else {
            return false;
        };
        self.await_nothing();
        self.let_go();
        // Its beginning stands at the top even where less than a screen follows: that is the host whose keys these are.
        self.top = Top::At(Anchor::at(Spot {
            part,
            at: walk::At::Head,
        }));
        true
    }

    /// Whether the screen hangs on an end of which nothing is here, or nothing yet.
    fn is_at_unseen_end(&self) -> bool {
        let Some(part) = self.parts.last() else {
            return false;
        };
        let comes = part.child.end.offset > 0 || part.child.ending.is_none();
        !matches!(self.top, Top::At(_))
            && self.matching().is_none()
            && part.stretch.is_empty()
            && comes
    }

    /// Stands still where the screen is now.
    pub(super) fn stand_still(&mut self) {
        if !self.is_following() {
            return;
        }
        if self.is_at_unseen_end() {
            self.top = Top::Above(0);
        } else if let Some((spot, part, _)) = self.topmost() {
            self.top = Top::At(Anchor {
                spot,
                part,
                below: 0,
            });
        }
    }

    /// Shows a place: where it is if it is on the screen, else in the upper part of it.
    pub(super) fn show(&mut self, spot: Spot) {
        let on_screen = |line: &ScreenLine| matches!(line, ScreenLine::Of(at, _) if *at == spot);
        if self.screen().iter().any(on_screen) {
            self.stand_still();
            return;
        }
        self.top = Top::At(Anchor {
            spot,
            part: 0,
            below: usize::from(self.size.height) / 3,
        });
        self.set_up(self.size);
    }

    /// Hangs the screen on its first line as soon as that is known, so that nothing can move it any more.
    pub(super) fn settle(&mut self) {
        let anchor = match self.top {
            Top::End => return,
            Top::Above(_) if self.is_at_unseen_end() => return,
            Top::Above(usize::MAX) => return self.go_to_top(),
            Top::Above(lines) => return self.scroll(lines, Way::Up),
            Top::At(anchor) => anchor,
        };
        if anchor.below == 0 || self.row_is_missing(anchor.spot) {
            return;
        }
        if let Some((spot, part, 0)) = self.topmost() {
            self.hang(spot, part);
        }
    }

    /// After the screen, the width, or what is shown has changed.
    pub(super) fn set_up(&mut self, size: Size) {
        self.size = size;
        self.settle();
        if let Top::At(Anchor { below: 0, .. }) = self.top
            && let Some((spot, part, 0)) = self.topmost()
        {
            self.hang(spot, part);
        }
    }

    /// Puts a line at the top, or a later one at the bottom where nothing comes behind it.
    fn hang(&mut self, spot: Spot, part: usize) {
        let height = usize::from(self.size.height).max(1);
        let mut top = (spot, part);
        let down = self.walk(spot, part, height - 1, Way::Down);
        if down.left > 0 && down.stop == Some(Step::Edge) {
            let up = self.walk(spot, part, down.left, Way::Up);
            top = (up.spot, up.part);
        }
        self.top = Top::At(Anchor {
            spot: top.0,
            part: top.1,
            below: 0,
        });
    }

    /// About how many lines of a child there are behind a row that is the last one here; at least one.
    fn missing_lines(&self, spot: Spot) -> usize {
        let part = &self.parts[spot.part];
        let here = self.row(spot).map_or(0, |_| part.stretch.to().line);
        (part.child.end.line.saturating_sub(here) as usize).max(1)
    }

    fn row_is_missing(&self, spot: Spot) -> bool {
        matches!(spot.at, At::Body(_, Body::Row))
            && self
                .settled(spot)
                .is_none_or(|spot| self.row(spot).is_none())
    }

    /// Goes so many lines up or down, as far as there are any.
    fn walk(&self, mut spot: Spot, mut part: usize, lines: usize, way: Way) -> Walked {
        let mut left = lines;
        let mut stop = None;
        loop {
            let within = match way {
                Way::Down => self.lines_of(spot) - 1 - part,
                Way::Up => part,
            };
            let go = within.min(left);
            left -= go;
            match way {
                Way::Down => part += go,
                Way::Up => part -= go,
            }
            if left == 0 {
                break;
            }
            match self.step(spot, way) {
                Step::To(next) => {
                    spot = next;
                    part = match way {
                        Way::Down => 0,
                        Way::Up => self.lines_of(spot) - 1,
                    };
                    left -= 1;
                }
                end @ (Step::Missing(_) | Step::Edge) => {
                    stop = Some(end);
                    break;
                }
            }
        }
        Walked {
            spot,
            part,
            left,
            stop,
        }
    }

    /// How many lines of the screen a thing takes; at least one.
    pub(super) fn lines_of(&self, spot: Spot) -> usize {
        let wraps = self.settings.wrap == super::Wrap::Wrapped;
        match self.row(spot) {
            Some(row) if wraps => wrap::lines(row.line(), self.text_width()),
            Some(_) | None => 1,
        }
    }
}

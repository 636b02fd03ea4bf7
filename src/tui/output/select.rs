//! Choosing lines, and copying them: what was written, without hosts, numbers, times and marks.

use super::action::{OutputAction, Whole};
use super::scroll::{ScreenLine, Top};
use super::walk::{At, Spot, Step, Way};
use super::{Content, OutputView};
use crate::view::ansi::plain;
use crate::wire::look::RowKind;

/// More than this is not copied line by line, in bytes; `copy output` and `save` take everything.
const MOST: usize = 4 << 20;

/// The chosen rows: from one place to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    from: Spot,
    /// The end that moves.
    pub(super) cursor: Spot,
}

impl Selection {
    pub(super) fn contains(&self, spot: Spot) -> bool {
        let (first, last) = self.ends();
        (first..=last).contains(&spot)
    }

    pub(super) fn ends(&self) -> (Spot, Spot) {
        (self.from.min(self.cursor), self.from.max(self.cursor))
    }
}

impl OutputView {
    /// Begins or ends choosing.
    pub(super) fn select(&mut self) {
        if self.selection.take().is_none()
            && let Some(spot) = self.row_in_mind()
        {
            self.stand_still();
            self.selection = Some(Selection {
                from: spot,
                cursor: spot,
            });
        }
    }

    /// The row that a command for one row means: the match that was gone to, else the last row for who follows, else the
    /// first on the screen.
    fn row_in_mind(&self) -> Option<Spot> {
        let screen = self.screen();
        let mut shown = screen.iter().filter_map(|line| match line {
            ScreenLine::Of(spot, _) => Some(*spot),
            ScreenLine::Missing => None,
        });
        let current = self.search.as_ref().and_then(|search| search.current);
        if let Some(current) = current.filter(|current| shown.clone().any(|at| at == *current)) {
            return Some(current);
        }
        let is_row = |spot: &Spot| matches!(spot.at, At::Body(..));
        match self.top {
            Top::End | Top::Above(_) => shown.rev().find(is_row),
            Top::At(_) => shown.find(is_row),
        }
    }

    /// Moves the end of the selection by so many rows.
    pub(super) fn select_by(&mut self, rows: usize, way: Way) {
        let Some(selection) = self.selection else {
            return;
        };
        let to = self.places(selection.cursor, way).take(rows).last();
        self.select_to(to.unwrap_or(selection.cursor));
    }

    /// Moves the end of the selection to the first or last row.
    pub(super) fn select_edge(&mut self, way: Way) -> Vec<OutputAction> {
        let edge = match way {
            Way::Up => self.first(),
            Way::Down => self.last(),
        };
        match edge {
            Step::To(spot) => {
                self.select_to(spot);
                vec![]
            }
            Step::Missing(_) | Step::Edge => vec![self.too_much()],
        }
    }

    fn select_to(&mut self, spot: Spot) {
        if let Some(selection) = &mut self.selection {
            selection.cursor = spot;
        }
        self.bring_in(spot);
    }

    /// Scrolls no further than it takes to see a place.
    fn bring_in(&mut self, spot: Spot) {
        let Some((top, part, _)) = self.topmost() else {
            return;
        };
        let height = usize::from(self.size.height).max(1);
        let on_screen = |line: &ScreenLine| matches!(line, ScreenLine::Of(at, _) if *at == spot);
        if spot < top || (spot == top && part > 0) {
            self.top = Top::At(super::scroll::Anchor::at(spot));
        } else if !self.screen().iter().any(on_screen) {
            self.top = Top::At(super::scroll::Anchor {
                spot,
                part: 0,
                below: height - 1,
            });
            self.settle();
        }
    }

    /// Copies the chosen rows, or the one in mind.
    pub(super) fn copy_lines(&mut self) -> Vec<OutputAction> {
        let ends = match self.selection {
            Some(selection) => Some(selection.ends()),
            None => self.row_in_mind().map(|spot| (spot, spot)),
        };
        let Some((first, last)) = ends else {
            return vec![OutputAction::Say("there is nothing to copy".to_string())];
        };
        let (mut text, mut lines) = (String::new(), 0);
        let mut spot = first;
        loop {
            if let At::Body(_, super::walk::Body::Row) = spot.at {
                let Some(row) = self.row(spot) else {
                    return vec![self.too_much()];
                };
                match &row.row.what {
                    RowKind::Text { data, .. } => {
                        text.push_str(&plain(data));
                        // An open row goes on in the next one, unless the other stream came in between.
                        text.push('\n');
                    }
                    RowKind::Cut(count) => {
                        text.push_str(&super::draw::cut_words(*count));
                        text.push('\n');
                    }
                }
                lines += 1;
            }
            if text.len() > MOST {
                return vec![self.too_much()];
            }
            if spot >= last {
                break;
            }
            match self.step(spot, Way::Down) {
                Step::To(next) => spot = next,
                Step::Edge => break,
                Step::Missing(_) => return vec![self.too_much()],
            }
        }
        if lines == 1 {
            text.pop();
        }
        self.selection = None;
        vec![OutputAction::copy(text, lines)]
    }

    fn too_much(&self) -> OutputAction {
        let what = match self.content {
            Content::Text { .. } => "text",
            Content::Output => "output",
        };
        OutputAction::Say(format!(
            "not all of these lines are in memory; `copy output` and `save` take all of the {what}"
        ))
    }

    /// Hands over all there is.
    pub(super) fn whole(&self, what: Whole) -> OutputAction {
        match self.content {
            Content::Text { .. } => {
                let mut text = Vec::new();
                for row in self.parts[0].stretch.rows() {
                    text.extend_from_slice(row.sign.before());
                    text.extend_from_slice(row.data());
                    text.push(b'\n');
                }
                if what == Whole::Copy {
                    let lines = self.parts[0].stretch.rows().count();
                    return OutputAction::copy(plain_lines(&text), lines);
                }
                OutputAction::Text { text, what }
            }
            Content::Output => OutputAction::Whole {
                children: self.children().collect(),
                what,
            },
        }
    }
}

fn plain_lines(text: &[u8]) -> String {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let plain = lines.map(|line| plain(line.strip_suffix(b"\n").unwrap_or(line)));
    plain.flat_map(|line| [line, "\n".into()]).collect()
}

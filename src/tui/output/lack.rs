//! What the view lacks, as requests to the engine, and what it need not keep.

use super::part::Reading;
use super::scroll::Top;
use super::walk::{At, Body, CHUNK, Spot, Step, Way};
use super::{Content, OutputView};
use crate::wire::look::{Look, Place, Rows, Search};

/// So much is fetched before it is needed, on each side of the screen.
const AHEAD: usize = 128 << 10;
/// So much is kept on each side of the screen; more than what is fetched, so that nothing goes round in circles.
const KEPT: usize = 512 << 10;
/// What going on to the next child counts for: an answer each.
const PART_COST: usize = 2 << 10;
/// More chosen text than this is not kept.
const CHOSEN: usize = 4 << 20;

/// Something the view would like to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    Look(Look),
    /// Takes the place of any search before it, whose answers must not be handed in any more.
    Search(Search),
    /// The same holds for these.
    Rows(Rows),
}

/// The kinds of requests; of each there is at most one under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Look,
    Search,
    Rows,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) look: Option<Look>,
    /// Children and where they ended.
    pub(super) search: Option<Vec<(usize, u64)>>,
    pub(super) rows: Option<Vec<(u64, u64)>>,
    /// The last look that was answered, and where the output ended then: asking it again brings nothing.
    pub(super) answered: Option<(Look, u64)>,
}

impl OutputView {
    /// The next request, if anything is lacking.  It counts as under way until its answer is handed in: to
    /// [`seen`](Self::seen), [`found`](Self::found), [`rows`](Self::rows), or [`refused`](Self::refused).
    pub fn wants(&mut self) -> Option<Want> {
        if matches!(self.content, Content::Text { .. }) {
            return None;
        }
        if self.asked.look.is_none()
            && let Some(look) = self.look_lacks()
        {
            self.asked.look = Some(look);
            return Some(Want::Look(look));
        }
        if self.asked.rows.is_none()
            && let Some(rows) = self.rows_lack()
        {
            self.asked.rows = Some(rows.rows.clone());
            return Some(Want::Rows(rows));
        }
        if self.asked.search.is_none()
            && let Some(search) = self.search_lacks()
        {
            self.search_is_asked(&search);
            return Some(Want::Search(search));
        }
        None
    }

    /// What is to be looked at: first what is on the screen, then what may be next.
    fn look_lacks(&self) -> Option<Look> {
        if self.matching().is_some() {
            return None;
        }
        let look = match self.top {
            Top::End | Top::Above(_) => self.end_lacks().or_else(|| match self.last() {
                Step::To(last) => self.lacks(last, Way::Up),
                Step::Missing(look) => Some(look),
                Step::Edge => None,
            }),
            Top::At(anchor) => {
                let spot = self.settled(anchor.spot)?;
                let up = || self.lacks(spot, Way::Up);
                let down = || self.lacks(spot, Way::Down);
                let here = self.spot_lacks(spot);
                if anchor.below > 0 {
                    here.or_else(up).or_else(down)
                } else {
                    here.or_else(down).or_else(up)
                }
            }
        }?;
        let part = &self.parts[self.part(look.child)?];
        let again = self.asked.answered == Some((look, part.child.end.offset));
        (!again && part.reading == Reading::Possible).then_some(look)
    }

    /// Who follows wants the end.
    fn end_lacks(&self) -> Option<Look> {
        let part = self.parts.last()?;
        let (to, end) = (part.stretch.to().offset, part.child.end.offset);
        if to >= end && !part.stretch.is_empty() || end == 0 {
            return None;
        }
        let near = !part.stretch.is_empty() && end - to <= 2 * u64::from(CHUNK);
        let (at, before, behind) = if near {
            (Place::Offset(part.stretch.resume()), 0, CHUNK)
        } else {
            (Place::End, CHUNK, 0)
        };
        Some(Look {
            child: part.child.id,
            at,
            before,
            behind,
        })
    }

    /// A row that was gone to and is not here.
    fn spot_lacks(&self, spot: Spot) -> Option<Look> {
        let At::Body(offset, Body::Row) = spot.at else {
            return None;
        };
        let part = &self.parts[spot.part];
        if part.child.end.offset == 0 || part.stretch.covers(offset) {
            return None;
        }
        Some(Look {
            child: part.child.id,
            at: Place::Offset(offset),
            before: CHUNK / 2,
            behind: CHUNK,
        })
    }

    /// What is missing within what is fetched ahead.
    fn lacks(&self, spot: Spot, way: Way) -> Option<Look> {
        let (mut spot, mut cost) = (spot, 0);
        while cost < AHEAD {
            cost += self.cost(spot);
            match self.step(spot, way) {
                Step::To(next) => spot = next,
                Step::Missing(look) => return Some(look),
                Step::Edge => break,
            }
        }
        None
    }

    /// Forgets what is far from the screen.
    pub(super) fn forget_far_rows(&mut self) {
        let all: usize = self.parts.iter().map(|part| part.stretch.cost()).sum();
        if all <= 2 * KEPT + AHEAD {
            return;
        }
        let start = match (self.top, self.topmost()) {
            // A row that is on its way has nothing around it yet.
            (Top::At(anchor), None) => anchor.spot,
            (_, Some((spot, _, _))) => spot,
            (Top::End | Top::Above(_), None) => return,
        };
        let (mut first, mut last) = (self.far(start, Way::Up), self.far(start, Way::Down));
        let chosen = self.selection.map(|selection| selection.ends());
        if let Some((from, to)) = chosen
            && all <= 2 * KEPT + CHOSEN
        {
            (first, last) = (first.min(from), last.max(to));
        }
        let offset = |spot: Spot| match spot.at {
            At::Head => 0,
            At::Body(offset, _) => offset,
            At::End => u64::MAX,
        };
        for (number, part) in self.parts.iter_mut().enumerate() {
            if number < first.part || number > last.part {
                part.stretch.forget();
                continue;
            }
            let from = if number == first.part {
                offset(first)
            } else {
                0
            };
            let to = if number == last.part {
                offset(last).saturating_add(1)
            } else {
                u64::MAX
            };
            part.stretch.keep(from, to);
        }
    }

    /// The place up to which rows are kept.
    fn far(&self, start: Spot, way: Way) -> Spot {
        let (mut spot, mut cost) = (start, 0);
        while cost < KEPT {
            cost += self.cost(spot);
            match self.step(spot, way) {
                Step::To(next) => spot = next,
                // So that the edge itself is kept.
                Step::Missing(_) | Step::Edge => {
                    let at = match way {
                        Way::Up => At::Head,
                        Way::Down => At::End,
                    };
                    return Spot { at, ..spot };
                }
            }
        }
        spot
    }

    fn cost(&self, spot: Spot) -> usize {
        match spot.at {
            At::Head | At::End => PART_COST,
            At::Body(..) => self.row(spot).map_or(0, super::stretch::Cached::cost),
        }
    }
}

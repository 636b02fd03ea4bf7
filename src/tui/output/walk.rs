//! From one row to the next, over all that is shown: heads of children, rows, rules, ends.
//!
//! Places are known by child and offset, never by numbers of rows: what is written behind or loaded before changes no
//! place.

use super::OutputView;
use super::document::Sign;
use super::stretch::Cached;
use crate::wire::look::{Look, Place};

/// About how many bytes are asked for at once.
pub(super) const CHUNK: u32 = 64 << 10;

/// A place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    /// Which child, by its place in the document.
    pub(super) part: usize,
    pub(super) at: At,
}

/// A place in what is shown of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    Head,
    Body(u64, Body),
    End,
}

/// What begins at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Body {
    /// The rule with this number.
    Rule(usize),
    Row,
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    To(Spot),
    /// To a row that is not here; this is how to ask for it.
    Missing(Look),
    /// There is nothing further.
    Edge,
}

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Down,
    Up,
}

impl Spot {
    pub(super) fn row(part: usize, offset: u64) -> Self {
        Self {
            part,
            at: At::Body(offset, Body::Row),
        }
    }

    fn rule(part: usize, offset: u64, number: usize) -> Self {
        Self {
            part,
            at: At::Body(offset, Body::Rule(number)),
        }
    }

    fn head(part: usize) -> Self {
        Self { part, at: At::Head }
    }

    fn end(part: usize) -> Self {
        Self { part, at: At::End }
    }
}

/// Whether there is a row.
enum Found {
    At(u64),
    Missing(Look),
    None,
}

impl OutputView {
    pub(super) fn step(&self, spot: Spot, way: Way) -> Step {
        match way {
            Way::Down => self.next(spot),
            Way::Up => self.previous(spot),
        }
    }

    /// The places behind or before this one, as far as they are here.
    pub(super) fn places(&self, spot: Spot, way: Way) -> impl Iterator<Item = Spot> {
        std::iter::successors(Some(spot), move |spot| match self.step(*spot, way) {
            Step::To(next) => Some(next),
            Step::Missing(_) | Step::Edge => None,
        })
        .skip(1)
    }

    /// The first thing there is.
    pub(super) fn first(&self) -> Step {
        self.first_of(0)
    }

    /// The last thing there is.
    pub(super) fn last(&self) -> Step {
        self.last_before(self.parts.len())
    }

    fn next(&self, spot: Spot) -> Step {
        match spot.at {
            At::Head => self.body_from(spot.part, 0, 0),
            At::Body(offset, Body::Rule(number)) => self.body_from(spot.part, offset, number + 1),
            At::Body(offset, Body::Row) => {
                let rules = self.parts[spot.part].rules_to(offset);
                self.body_from(spot.part, offset + 1, rules)
            }
            At::End => self.first_of(spot.part + 1),
        }
    }

    fn previous(&self, spot: Spot) -> Step {
        let part = &self.parts[spot.part];
        match spot.at {
            At::Head => self.last_before(spot.part),
            At::Body(offset, Body::Rule(number)) => self.body_to(spot.part, offset, number),
            At::Body(offset, Body::Row) => self.body_to(spot.part, offset, part.rules_to(offset)),
            At::End => self.body_to(spot.part, u64::MAX, part.rules.len()),
        }
    }

    /// The first thing of this child or the ones behind it.
    fn first_of(&self, part: usize) -> Step {
        let mut shown = (part..self.parts.len()).filter(|part| self.is_shown(*part));
        match shown.next() {
            None => Step::Edge,
            Some(part) if self.has_heads() => Step::To(Spot::head(part)),
            Some(part) => self.body_from(part, 0, 0),
        }
    }

    /// The last thing of the children before this one.
    fn last_before(&self, part: usize) -> Step {
        match (0..part).rev().find(|part| self.is_shown(*part)) {
            None => Step::Edge,
            Some(part) if self.has_end(part) => Step::To(Spot::end(part)),
            Some(part) => self.body_to(part, u64::MAX, self.parts[part].rules.len()),
        }
    }

    /// The first row at or behind the offset, or the rule from this number on if that comes first.
    fn body_from(&self, part: usize, offset: u64, number: usize) -> Step {
        let found = self.row_from(part, offset);
        let rule = self.rule(part, number);
        match (found, rule) {
            (Found::At(row), Some(at)) if at <= row => Step::To(Spot::rule(part, at, number)),
            (Found::At(row), _) => Step::To(Spot::row(part, row)),
            // A rule right behind the rows that are here comes before those that are not.
            (Found::Missing(_), Some(at)) if self.is_within(part, offset, at) => {
                Step::To(Spot::rule(part, at, number))
            }
            (Found::Missing(look), _) => Step::Missing(look),
            (Found::None, Some(at)) => Step::To(Spot::rule(part, at, number)),
            (Found::None, None) if self.has_end(part) => Step::To(Spot::end(part)),
            (Found::None, None) => self.first_of(part + 1),
        }
    }

    /// The last row before the offset, or the last of so many rules if that comes later.
    fn body_to(&self, part: usize, offset: u64, rules: usize) -> Step {
        let number = rules.checked_sub(1);
        let rule = number.and_then(|number| Some((number, self.rule(part, number)?)));
        match (self.row_before(part, offset), rule) {
            (Found::At(row), Some((number, at))) if at > row => {
                Step::To(Spot::rule(part, at, number))
            }
            (Found::At(row), _) => Step::To(Spot::row(part, row)),
            (Found::Missing(look), _) => Step::Missing(look),
            (Found::None, Some((number, at))) => Step::To(Spot::rule(part, at, number)),
            (Found::None, None) if self.has_heads() => Step::To(Spot::head(part)),
            (Found::None, None) => self.last_before(part),
        }
    }

    fn row_from(&self, number: usize, offset: u64) -> Found {
        if let Some(matching) = self.matching() {
            let hits = matching.hits(number);
            let index = hits.partition_point(|hit| *hit < offset);
            return hits.get(index).map_or(Found::None, |hit| Found::At(*hit));
        }
        let part = &self.parts[number];
        let (stretch, limit) = (&part.stretch, self.limit(number));
        if stretch.covers(offset) {
            match stretch.get(stretch.behind(offset)) {
                Some(row) if row.row.at.offset < limit => return Found::At(row.row.at.offset),
                _ if stretch.to().offset >= limit => return Found::None,
                Some(_) | None => {}
            }
        } else if offset >= limit {
            return Found::None;
        }
        let known = stretch.covers(offset);
        Found::Missing(Look {
            child: part.child.id,
            at: Place::Offset(if known { stretch.resume() } else { offset }),
            before: 0,
            behind: CHUNK,
        })
    }

    fn row_before(&self, number: usize, offset: u64) -> Found {
        if let Some(matching) = self.matching() {
            let hits = matching.hits(number);
            let index = hits.partition_point(|hit| *hit < offset);
            let hit = index.checked_sub(1).map(|index| hits[index]);
            return hit.map_or(Found::None, Found::At);
        }
        let part = &self.parts[number];
        let (stretch, limit) = (&part.stretch, self.limit(number));
        let offset = offset.min(limit);
        if offset == 0 {
            return Found::None;
        }
        let look = |at| {
            Found::Missing(Look {
                child: part.child.id,
                at,
                before: CHUNK,
                behind: 0,
            })
        };
        if stretch.covers(offset) {
            return match stretch.behind(offset).checked_sub(1) {
                Some(index) => {
                    let row = stretch.get(index).expect("a row before another");
                    Found::At(row.row.at.offset)
                }
                None if stretch.begins() => Found::None,
                None => look(Place::Offset(stretch.from())),
            };
        }
        look(if offset >= part.child.end.offset {
            Place::End
        } else {
            Place::Offset(offset)
        })
    }

    /// Whether the rows between two offsets are here.
    fn is_within(&self, part: usize, from: u64, to: u64) -> bool {
        let stretch = &self.parts[part].stretch;
        stretch.covers(from) && to <= stretch.to().offset
    }

    /// How far a child is shown.
    fn limit(&self, number: usize) -> u64 {
        let part = &self.parts[number];
        let end = part.held.unwrap_or(part.child.end.offset);
        // Who follows sees what is here until the rest has come, and not a hole.
        let follows = self.is_following() && number + 1 == self.parts.len();
        if follows && !part.stretch.is_empty() {
            end.min(part.stretch.to().offset)
        } else {
            end
        }
    }

    fn rule(&self, part: usize, number: usize) -> Option<u64> {
        let shown = self.matching().is_none();
        let rule = self.parts[part].rules.get(number).filter(|_| shown);
        rule.map(|rule| rule.offset)
    }

    fn has_heads(&self) -> bool {
        self.parts.len() > 1
    }

    fn has_end(&self, number: usize) -> bool {
        let part = &self.parts[number];
        part.child.ending.is_some()
            && part.held.is_none()
            && self.matching().is_none()
            && self.limit(number) >= part.child.end.offset
    }

    /// Whether anything of a child is shown.
    fn is_shown(&self, part: usize) -> bool {
        self.matching()
            .is_none_or(|matching| !matching.hits(part).is_empty())
    }

    /// What is at a place, if it is a row and here.
    pub(super) fn row(&self, spot: Spot) -> Option<&Cached> {
        let At::Body(offset, Body::Row) = spot.at else {
            return None;
        };
        let here = self.parts[spot.part].stretch.at(offset);
        let here = here.map(|(_, row)| row).or_else(|| {
            let only = self.matching()?;
            only.row(spot.part, offset)
        });
        here.filter(|row| row.row.at.offset == offset)
    }

    /// Whether a row goes on a line that began in the row before.
    pub(super) fn goes_on(&self, spot: Spot) -> bool {
        let At::Body(offset, Body::Row) = spot.at else {
            return false;
        };
        let stretch = &self.parts[spot.part].stretch;
        let Some((index, row)) = stretch.at(offset) else {
            return false;
        };
        let before = index.checked_sub(1).and_then(|before| stretch.get(before));
        row.sign != Sign::Note
            && before
                .is_some_and(|before| before.is_open() && before.row.at.line == row.row.at.line)
    }

    /// The place nearest to this one that is shown by now: rows can be cut differently than they were, and where only
    /// rows that match are shown, it is one of those.
    pub(super) fn settled(&self, spot: Spot) -> Option<Spot> {
        if let Some(matching) = self.matching() {
            let shown = spot.at == At::Head && self.is_shown(spot.part);
            return if shown {
                Some(spot)
            } else {
                matching.nearest(spot)
            };
        }
        let At::Body(offset, Body::Row) = spot.at else {
            return Some(spot);
        };
        Some(match self.parts[spot.part].stretch.at(offset) {
            Some((_, row)) => Spot::row(spot.part, row.row.at.offset),
            None => spot,
        })
    }
}

//! Showing only the rows that match: they are fetched one by one.

use std::collections::BTreeMap;

use super::OutputView;
use super::action::OutputAction;
use super::scroll::{Anchor, Top};
use super::search::{Search, Shows};
use super::stretch::Cached;
use super::walk::{self, At, Spot};
use crate::wire::look;

/// How many rows that match are asked for at once, and kept in memory on each side.
const ROWS_AT_ONCE: usize = 64;
const ROWS_KEPT: usize = 256;

/// The rows that match, where only they are shown.
pub(super) struct Matching<'a> {
    search: &'a Search,
    rows: &'a BTreeMap<Spot, Cached>,
}

impl<'a> Matching<'a> {
    /// The first row that matches from a place on, or else the last before it.
    pub(super) fn nearest(&self, spot: Spot) -> Option<Spot> {
        self.search.from(spot).or_else(|| self.search.before(spot))
    }

    pub(super) fn hits(&self, part: usize) -> &'a [u64] {
        &self.search.hits[part]
    }

    pub(super) fn row(&self, part: usize, offset: u64) -> Option<&'a Cached> {
        self.rows.get(&Spot::row(part, offset))
    }
}

impl OutputView {
    /// Shows only rows that match, or all again.
    pub(super) fn show_matching(&mut self, typed: &str) -> Vec<OutputAction> {
        self.await_nothing();
        self.stand_still();
        let shown = self.topmost().map(|(spot, _, _)| spot);
        if typed.is_empty() && self.matching().is_some() {
            self.show_all();
            return vec![];
        }
        if !typed.is_empty() {
            self.show_all();
            self.search_from(typed, self.top);
        }
        let Some(search) = &mut self.search else {
            return vec![OutputAction::AskMatching];
        };
        search.shows = Shows::Matching(BTreeMap::new());
        self.selection = None;
        // The next match goes to the top; hits that are yet to come are put in around it.
        if let Some(spot) = shown {
            self.top = Top::At(Anchor::at(spot));
            self.set_up(self.size);
        }
        vec![]
    }

    /// Shows all rows again; the one at the top stays there.
    pub(super) fn show_all(&mut self) {
        if let Some(search) = &mut self.search
            && matches!(search.shows, Shows::Matching(_))
        {
            search.shows = Shows::All;
            self.asked.rows = None;
            self.selection = None;
        }
    }

    pub(super) fn matching(&self) -> Option<Matching<'_>> {
        let search = self.search.as_ref()?;
        match &search.shows {
            Shows::All => None,
            Shows::Matching(rows) => Some(Matching { search, rows }),
        }
    }

    /// The rows that match, are near the screen, and are not here.
    pub(super) fn rows_lack(&self) -> Option<look::Rows> {
        let matching = self.matching()?;
        let top = match self.top {
            Top::At(anchor) => matching.nearest(anchor.spot)?,
            Top::End | Top::Above(_) => matching.search.all().next_back()?,
        };
        let ask = |spot: Spot| match spot.at {
            At::Body(offset, _) if self.row(spot).is_none() => {
                Some((self.parts[spot.part].child.id, offset))
            }
            At::Body(..) | At::Head | At::End => None,
        };
        let height = usize::from(self.size.height).max(ROWS_AT_ONCE / 2);
        let below = self.places(top, walk::Way::Down).take(2 * height);
        let above = self.places(top, walk::Way::Up).take(height);
        let near = std::iter::once(top).chain(below).chain(above);
        let rows: Vec<_> = near.filter_map(ask).take(ROWS_AT_ONCE).collect();
        (!rows.is_empty()).then_some(look::Rows {
            rows,
            most: look::LONGEST_ROW as u32,
        })
    }

    /// Rows that were asked for; those left out are gone.
    pub fn rows(&mut self, rows: Vec<look::Row>) {
        let Some(asked) = self.asked.rows.take() else {
            return;
        };
        for row in rows {
            let part = self.part(row.child);
            if let (Some(part), Some(search)) = (part, &mut self.search)
                && let Shows::Matching(kept) = &mut search.shows
            {
                kept.insert(Spot::row(part, row.at.offset), Cached::new(row));
            }
        }
        for (child, offset) in asked {
            let Some(part) = self.part(child) else {
                continue;
            };
            let gone = self.row(Spot::row(part, offset)).is_none();
            if let (Some(search), true) = (&mut self.search, gone) {
                let before = search.hits[part].len();
                search.hits[part].retain(|hit| *hit != offset);
                search.total -= before - search.hits[part].len();
            }
        }
        self.forget_far_matches();
        self.settle();
        self.reveal();
    }

    fn forget_far_matches(&mut self) {
        let top = self.topmost().map(|(spot, _, _)| spot);
        if let (Some(top), Some(search)) = (top, &mut self.search)
            && let Shows::Matching(rows) = &mut search.shows
        {
            let above = rows
                .range(..top)
                .rev()
                .nth(ROWS_KEPT)
                .map(|(spot, _)| *spot);
            let below = rows.range(top..).nth(2 * ROWS_KEPT).map(|(spot, _)| *spot);
            rows.retain(|spot, _| {
                above.is_none_or(|above| *spot > above) && below.is_none_or(|below| *spot < below)
            });
        }
    }

    /// A child's output has grown: what was an open row may be longer.
    pub(super) fn forget_open_match(&mut self, part: usize) {
        if let Some(search) = &mut self.search
            && let Shows::Matching(rows) = &mut search.shows
        {
            rows.retain(|spot, row| spot.part != part || !row.is_open());
        }
    }
}

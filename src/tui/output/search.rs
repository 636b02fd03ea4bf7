//! Searching: the hits as they come, going from one to the next, and showing only the rows that match.

use std::collections::BTreeMap;

use super::action::OutputAction;
use super::pattern::Pattern;
use super::scroll::{ScreenLine, Top};
use super::stretch::Cached;
use super::walk::{At, Spot};
use super::{Content, OutputView};
use crate::command::console::Way;
use crate::view::count::{Noun, counted};
use crate::view::span;
use crate::wire::look;

/// More hits are not kept.
const MOST_HITS: usize = 200_000;
/// How many hits one request asks for.
const AT_ONCE: u32 = 10_000;

#[derive(Debug)]
pub(super) struct Search {
    pub(super) pattern: Pattern,
    pub(super) shows: Shows,
    /// By child: the offsets of the rows that match, in order.
    pub(super) hits: Vec<Vec<u64>>,
    pub(super) total: usize,
    progress: Vec<Progress>,
    /// The hit that was gone to last.
    pub(super) current: Option<Spot>,
    /// Where the screen was when the search began.
    origin: Top,
    /// A hit that has not been found yet is to be gone to.
    awaited: Awaited,
}

/// Which rows are shown.
#[derive(Debug)]
pub(super) enum Shows {
    All,
    /// Only those that match, which are fetched one by one.
    Matching(BTreeMap<Spot, Cached>),
}

/// How far one child has been searched.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    searched: u64,
    /// Where its output ended when it was asked for the last time, unless the answer stopped short.
    asked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Nothing,
    FirstFrom(Spot),
}

impl Search {
    fn new(pattern: Pattern, parts: usize, origin: Top) -> Self {
        Self {
            pattern,
            shows: Shows::All,
            hits: vec![Vec::new(); parts],
            total: 0,
            progress: vec![Progress::default(); parts],
            current: None,
            origin,
            awaited: Awaited::Nothing,
        }
    }

    fn add(&mut self, part: usize, offset: u64) {
        let hits = &mut self.hits[part];
        if self.total < MOST_HITS && hits.last().is_none_or(|last| *last < offset) {
            hits.push(offset);
            self.total += 1;
        }
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = Spot> {
        let parts = self.hits.iter().enumerate();
        parts.flat_map(|(part, hits)| hits.iter().map(move |hit| Spot::row(part, *hit)))
    }

    /// The first hit at or behind a place.
    pub(super) fn from(&self, spot: Spot) -> Option<Spot> {
        (spot.part..self.hits.len()).find_map(|part| {
            let hits = &self.hits[part];
            let index = hits.partition_point(|hit| Spot::row(part, *hit) < spot);
            hits.get(index).map(|hit| Spot::row(part, *hit))
        })
    }

    /// The last hit before a place.
    pub(super) fn before(&self, spot: Spot) -> Option<Spot> {
        (0..=spot.part).rev().find_map(|part| {
            let hits = &self.hits[part];
            let index = hits.partition_point(|hit| Spot::row(part, *hit) < spot);
            let index = index.checked_sub(1)?;
            Some(Spot::row(part, hits[index]))
        })
    }

    /// The number of a hit, from 1.
    fn number(&self, spot: Spot) -> usize {
        let earlier: usize = self.hits[..spot.part].iter().map(Vec::len).sum();
        let hits = &self.hits[spot.part];
        let within = hits.partition_point(|hit| Spot::row(spot.part, *hit) <= spot);
        earlier + within
    }
}

impl OutputView {
    /// Searches for what has been typed so far, and goes to the first hit from where the screen was when the search
    /// began.  Nothing typed: nothing is marked.
    pub fn search(&mut self, typed: &str) {
        let origin = self
            .search
            .as_ref()
            .map_or(self.top, |search| search.origin);
        self.search_from(typed, origin);
        self.go_to_first();
    }

    /// The search is as it should be: the next one begins where the screen is now.
    pub fn search_done(&mut self) {
        let top = self.top;
        if let Some(search) = &mut self.search {
            search.origin = top;
        }
    }

    /// Gives the search up and goes back to where it began.
    pub fn search_undone(&mut self) {
        if let Some(search) = self.search.take() {
            self.top = search.origin;
            self.forget_found();
        }
    }

    /// What is searched for.
    pub fn searched(&self) -> Option<&str> {
        let search = self.search.as_ref()?;
        Some(&search.pattern.typed)
    }

    pub(super) fn search_from(&mut self, typed: &str, origin: Top) {
        if self.searched().unwrap_or_default() == typed {
            return;
        }
        self.asked.search = None;
        self.asked.rows = None;
        self.forget_found();
        let pattern = Pattern::new(typed);
        self.search = pattern.map(|pattern| Search::new(pattern, self.parts.len(), origin));
        if let (Some(search), Content::Text { .. }) = (&mut self.search, &self.content) {
            for row in self.parts[0].stretch.rows() {
                if search.pattern.matches(row.data()) {
                    search.add(0, row.row.at.offset);
                }
            }
        }
    }

    fn go_to_first(&mut self) {
        let Some(search) = &mut self.search else {
            return;
        };
        self.top = search.origin;
        let Some((from, _, _)) = self.topmost() else {
            return;
        };
        if let Some(search) = &mut self.search {
            search.awaited = Awaited::FirstFrom(from);
        }
        self.go_to_awaited();
    }

    /// Goes to the hit that is waited for, if it is there.
    fn go_to_awaited(&mut self) {
        let Some(search) = &mut self.search else {
            return;
        };
        let Awaited::FirstFrom(from) = search.awaited else {
            return;
        };
        if let Some(hit) = search.from(from) {
            search.awaited = Awaited::Nothing;
            search.current = Some(hit);
            self.show(hit);
            self.reveal = Some(hit);
        }
    }

    /// Goes to the next or previous hit.
    pub(super) fn match_next(&mut self, way: Way) -> Vec<OutputAction> {
        let current = self.current_on_screen();
        let top = self.topmost().map(|(spot, _, _)| spot);
        self.await_nothing();
        let Some(search) = &self.search else {
            return vec![OutputAction::Say(
                "search for something first: /".to_string(),
            )];
        };
        let first = || search.all().next();
        let last = || search.all().next_back();
        let (hit, again) = match (way, current, top) {
            (
                Way::Next,
                Some(Spot {
                    part,
                    at: At::Body(offset, _),
                }),
                _,
            ) => (search.from(Spot::row(part, offset + 1)), first()),
            (Way::Next, _, Some(from)) => (search.from(from), first()),
            (Way::Previous, Some(from), _) | (Way::Previous, None, Some(from)) => {
                (search.before(from), last())
            }
            (_, _, None) => (first(), None),
        };
        let typed = &search.pattern.typed;
        let (hit, say) = match (hit, again) {
            (Some(hit), _) => (hit, None),
            (None, Some(hit)) => {
                let from = match way {
                    Way::Next => "top",
                    Way::Previous => "end",
                };
                (hit, Some(format!("search goes on from the {from}")))
            }
            (None, None) => {
                let so_far = if self.is_searching() { " so far" } else { "" };
                let say = format!("nothing matches \"{typed}\"{so_far}");
                return vec![OutputAction::Say(say)];
            }
        };
        if let Some(search) = &mut self.search {
            search.current = Some(hit);
        }
        self.show(hit);
        self.reveal = Some(hit);
        self.reveal();
        say.map(OutputAction::Say).into_iter().collect()
    }

    fn current_on_screen(&self) -> Option<Spot> {
        let current = self.search.as_ref()?.current?;
        let shown = |line: &ScreenLine| matches!(line, ScreenLine::Of(spot, _) if *spot == current);
        self.screen().iter().any(shown).then_some(current)
    }

    /// `3/17`, with a plus while there may be more; and how much is not shown.
    pub(super) fn search_words(&self) -> Vec<String> {
        let Some(search) = &self.search else {
            return vec![];
        };
        let more = if self.is_searching() || search.total >= MOST_HITS {
            "+"
        } else {
            ""
        };
        let total = span::count(search.total as u64);
        let typed = crate::view::text::cut(&search.pattern.typed, 20);
        let typed = crate::view::text::harmless(typed.as_bytes());
        let count = match search.current {
            Some(current) => format!(
                "{}/{total}{more}",
                span::count(search.number(current) as u64)
            ),
            None => format!("{total}{more} found"),
        };
        match search.shows {
            Shows::All => vec![format!("/{typed} {count}")],
            Shows::Matching(_) => {
                let hidden = self.lines().saturating_sub(search.total as u64);
                vec![
                    format!("&{typed} {count}"),
                    format!("{} hidden", counted(hidden, Noun::Line)),
                ]
            }
        }
    }

    /// Whether not all that is known to be there has been searched.
    fn is_searching(&self) -> bool {
        self.asked.search.is_some() || self.search_lacks().is_some()
    }

    /// What is to be searched next.
    pub(super) fn search_lacks(&self) -> Option<look::Search> {
        let search = self.search.as_ref()?;
        if search.total >= MOST_HITS || matches!(self.content, Content::Text { .. }) {
            return None;
        }
        let parts = self.parts.iter().zip(&search.progress);
        let children: Vec<_> = parts
            .filter(|(part, progress)| part.child.end.offset > progress.asked)
            .map(|(part, progress)| (part.child.id, progress.searched))
            .collect();
        (!children.is_empty()).then(|| look::Search {
            children,
            pattern: search.pattern.expression.clone(),
            case: search.pattern.case,
            limit: AT_ONCE,
        })
    }

    pub(super) fn search_is_asked(&mut self, asked: &look::Search) {
        let ends = asked.children.iter().filter_map(|(id, _)| {
            let part = self.part(*id)?;
            Some((part, self.parts[part].child.end.offset))
        });
        let ends: Vec<_> = ends.collect();
        if let Some(search) = &mut self.search {
            for (part, end) in &ends {
                search.progress[*part].asked = *end;
            }
        }
        self.asked.search = Some(ends);
    }

    /// Hits of the last search that was asked for; of an earlier one none may come any more.
    pub fn found(&mut self, found: look::Found) {
        if self.asked.search.is_none() {
            return;
        }
        for (child, point) in found.hits {
            if let (Some(part), Some(search)) = (self.part(child), &mut self.search) {
                search.add(part, point.offset);
            }
        }
        for (child, point) in found.searched {
            if let (Some(part), Some(search)) = (self.part(child), &mut self.search) {
                let searched = &mut search.progress[part].searched;
                *searched = point.offset.max(*searched);
            }
        }
        self.go_to_awaited();
        if found.last {
            let asked = self.asked.search.take().unwrap_or_default();
            if let (Some(search), true) = (&mut self.search, found.limited) {
                // Those it did not come to are asked for again.
                for (part, _) in asked {
                    let progress = &mut search.progress[part];
                    progress.asked = progress.searched;
                }
            } else {
                // What comes later is not waited for: the screen would move by itself.
                self.await_nothing();
            }
        }
        self.reveal();
    }

    /// The operator went elsewhere.
    pub(super) fn await_nothing(&mut self) {
        if let Some(search) = &mut self.search {
            search.awaited = Awaited::Nothing;
        }
    }

    fn forget_found(&mut self) {
        for part in &mut self.parts {
            part.stretch.forget_found();
        }
    }
}

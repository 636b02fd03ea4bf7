//! What children wrote, and other texts: looking at it, searching it, choosing from it.
//!
//! The view keeps a stretch of rows around what is on the screen and says what it lacks ([`OutputView::wants`]); whoever
//! talks to the engine fetches that and hands it in.  Nothing here does input or output, knows a clock or a key.  Four
//! things never happen: text moves while it is read, rows are shown that are not there, a hole is passed over in silence,
//! and memory grows with the output.
//!
//! ```text
//!  document   what is shown          stretch  rows in memory       walk    from row to row
//!  scroll     lines on the screen    lack     what is asked for    search  hits, only matching rows
//!  select     chosen rows, copying   draw     the picture          diff    two outputs as one text
//! ```

pub mod action;
mod cells;
pub mod diff;
pub mod document;
mod draw;
mod input;
mod lack;
mod matching;
mod part;
mod pattern;
mod scroll;
mod search;
mod select;
mod stretch;
pub mod styles;
#[cfg(test)]
pub(super) mod tests;
mod title;
mod walk;
mod wrap;

use std::collections::HashMap;

use jiff::tz::TimeZone;
use ratatui::layout::Size;

use self::document::{Document, Ending};
use self::lack::Asked;
use self::part::{Binary, Part, Reading};
use self::scroll::{Anchor, Top};
use self::search::Search;
use self::select::Selection;
use self::walk::Spot;
use crate::command::set::Times;
use crate::view::text::width;
use crate::wire::look::{Place, Point, Seen};

pub use self::lack::{Kind, Want};

/// A view of a document.
#[derive(Debug)]
pub struct OutputView {
    content: Content,
    /// The children, in order; a text is one without a name.
    parts: Vec<Part>,
    places: HashMap<u64, usize>,
    settings: Settings,
    /// Where local times are.
    zone: TimeZone,
    /// Of the text alone, without a title.
    size: Size,
    top: Top,
    search: Option<Search>,
    /// A row of which the match is to be brought into sight as soon as it is here.
    reveal: Option<Spot>,
    selection: Option<Selection>,
    asked: Asked,
    /// How many digits line numbers have room for; a new one would move the text.
    digits: usize,
    /// How many cells the longest name of a host takes.
    widest_host: usize,
}

/// What kind of document it is.
#[derive(Debug)]
enum Content {
    Output,
    Text { title: String },
}

/// How things are shown: what goes over to the next document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub wrap: Wrap,
    pub times: Times,
    pub prefix: Prefix,
    /// Cells that are scrolled out on the left.
    left: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wrap: Wrap::Cut,
            times: Times::Off,
            prefix: Prefix::Shown,
            left: 0,
        }
    }
}

/// What becomes of lines that are longer than the screen is wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    Cut,
    Wrapped,
}

/// Whether the host stands before each row where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    Shown,
    Hidden,
}

impl OutputView {
    /// A view of a document: of one child at the end, of the others at the beginning.
    pub fn new(document: Document, zone: TimeZone) -> Self {
        Self::with(document, zone, Settings::default())
    }

    /// Shows it in another way from the start.
    #[must_use]
    pub fn shown_as(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Where local times are, from now on.
    pub fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// A view of another document that shows it in the same way and searches for the same.
    #[must_use]
    pub fn for_other(&self, document: Document) -> Self {
        let mut other = Self::with(document, self.zone.clone(), self.settings);
        other.size = self.size;
        if let Some(typed) = self.searched() {
            other.search_from(typed, other.top);
        }
        other
    }

    fn with(document: Document, zone: TimeZone, settings: Settings) -> Self {
        let start = Top::At(Anchor::at(Spot::row(0, 0)));
        let (content, parts, top) = match document {
            Document::Child(child) => (Content::Output, vec![Part::new(child)], Top::End),
            Document::Children(children) => {
                let parts: Vec<_> = children.into_iter().map(Part::new).collect();
                (Content::Output, parts, start)
            }
            Document::Text { title, rows } => {
                (Content::Text { title }, vec![Part::text(rows)], start)
            }
        };
        let hosts = parts.iter().map(|part| width(&part.child.host));
        let widest_host = hosts.max().unwrap_or(0);
        let places = parts.iter().enumerate();
        let places = places.map(|(place, part)| (part.child.id, place)).collect();
        let mut view = Self {
            content,
            parts,
            places,
            settings,
            zone,
            size: Size::default(),
            top,
            search: None,
            reveal: None,
            selection: None,
            asked: Asked::default(),
            digits: 0,
            widest_host,
        };
        view.fit_numbers();
        if !view.is_following() {
            view.go_to_top();
        }
        view
    }

    /// Whose output is shown.
    pub fn children(&self) -> impl Iterator<Item = u64> {
        let output = matches!(self.content, Content::Output);
        self.parts
            .iter()
            .filter(move |_| output)
            .map(|part| part.child.id)
    }

    /// The child whose output is at the top of the screen.
    pub fn current_child(&self) -> Option<u64> {
        let part = match (self.selection, self.topmost()) {
            (Some(selection), _) => selection.cursor.part,
            (None, Some((spot, _, _))) => spot.part,
            (None, None) => 0,
        };
        self.children().nth(part)
    }

    /// How much room the text has, without a title.
    pub fn set_size(&mut self, size: Size) {
        if size != self.size {
            self.set_up(size);
        }
    }

    /// A child's output has grown up to here.
    pub fn grew(&mut self, child: u64, end: Point) {
        let Some(number) = self.part(child) else {
            return;
        };
        if end.offset <= self.parts[number].child.end.offset {
            return;
        }
        self.hold(number);
        self.parts[number].child.end = end;
        self.forget_open_match(number);
        if self.is_following() {
            self.digits = self.digits.max(digits(end.line + 1));
        }
    }

    /// A child has ended, or runs again.
    pub fn ended(&mut self, child: u64, ending: Option<Ending>) {
        let Some(number) = self.part(child) else {
            return;
        };
        let ending = ending.map(Ending::harmless);
        if self.parts[number].child.ending != ending {
            self.hold(number);
            self.parts[number].child.ending = ending;
        }
    }

    /// What was looked at.
    pub fn seen(&mut self, seen: Seen) {
        let asked = self.asked.look.take();
        let Some(number) = self.part(seen.child) else {
            return;
        };
        if seen.end.offset > self.parts[number].child.end.offset {
            self.grew(seen.child, seen.end);
        }
        let part = &mut self.parts[number];
        part.dropped = seen.dropped;
        if part.bytes == Binary::Unknown && !seen.rows.is_empty() {
            part.bytes = Binary::of(&seen.rows);
        }
        let from = part.stretch.from();
        let had = !part.stretch.is_empty();
        part.stretch.take(seen.rows, seen.to, seen.end);
        if let Some(look) = asked
            && look.child == seen.child
        {
            // Nothing before, although it was asked for: this is the beginning.
            let nothing = match look.at {
                Place::Offset(0) => true,
                Place::Offset(at) => {
                    had && at == from && look.before > 0 && part.stretch.from() == from
                }
                Place::End => false,
            };
            if nothing {
                part.stretch.say_it_begins();
            }
            self.asked.answered = Some((look, part.child.end.offset));
        }
        self.forget_far_rows();
        self.settle();
        self.reveal();
    }

    /// What was asked for will not come: it is gone, or nobody answers.
    pub fn refused(&mut self, kind: Kind) {
        match kind {
            Kind::Look => {
                let asked = self.asked.look.take();
                if let Some(number) = asked.and_then(|look| self.part(look.child)) {
                    self.parts[number].reading = Reading::Failed;
                }
            }
            Kind::Search => self.asked.search = None,
            Kind::Rows => _ = self.asked.rows.take(),
        }
    }

    /// The engine is there again: what could not be read may be read now.
    pub fn ask_again(&mut self) {
        for part in &mut self.parts {
            part.reading = Reading::Possible;
        }
        self.asked.answered = None;
    }

    /// Makes room for the line numbers there are now.
    fn fit_numbers(&mut self) {
        let lines = self.parts.iter().map(|part| part.child.end.line + 1).max();
        self.digits = digits(lines.unwrap_or(1));
    }

    fn part(&self, child: u64) -> Option<usize> {
        self.places.get(&child).copied()
    }

    /// Lines of all that is shown.
    fn lines(&self) -> u64 {
        self.parts.iter().map(|part| part.child.end.line).sum()
    }

    /// What comes from a child that stands above another on the screen is shown with the next key only.
    fn hold(&mut self, number: usize) {
        if self.parts.len() == 1 || self.is_following() || self.parts[number].held.is_some() {
            return;
        }
        let on_screen = self.screen();
        let parts = on_screen.iter().filter_map(|line| match line {
            scroll::ScreenLine::Of(spot, _) => Some(spot.part),
            scroll::ScreenLine::Missing => None,
        });
        let (mut here, mut below) = (false, false);
        for part in parts {
            here |= part == number;
            below |= part > number;
        }
        if here && below {
            self.parts[number].held = Some(self.parts[number].child.end.offset);
        }
    }

    /// Shows what was held back.
    fn let_go(&mut self) {
        for part in &mut self.parts {
            part.held = None;
        }
    }
}

/// How much room a line number gets: seldom more than at the beginning.
fn digits(line: u64) -> usize {
    line.to_string().len().max(4)
}

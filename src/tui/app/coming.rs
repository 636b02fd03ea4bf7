//! Keys that are pressed faster than rows come: a key is meant for what is on the screen, or for what was just opened.

use std::time::Duration;

use super::{App, Engine, Picture};
use crate::command::console::{Act, Place};
use crate::config::keys::Does;

/// How long moves wait for the children of what was just opened.
const PATIENCE: Duration = Duration::from_secs(1);

/// Moves that wait at most.
const MOST: usize = 64;

/// Rows that keys may be ahead of.
#[derive(Debug, Default)]
pub(super) struct Coming {
    /// Until when children of what was opened are waited for.
    until: Duration,
    /// Moves that wait for them.
    moves: Vec<Act>,
    /// The revision of the model that rows were computed of; nothing if a key has changed what is shown since.
    computed: Option<u64>,
    cursor: Cursor,
}

/// Whether somebody can have seen what the cursor is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cursor {
    #[default]
    Seen,
    /// It went there by itself, since the last picture.
    Unseen,
}

/// What a key needs of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// To know which there are, to move among them.
    Moving,
    /// The one under the cursor.
    Row,
    Nothing,
}

impl App {
    /// Whether what a key does is done now.  If not, it waits, or it is said why it is not done at all.
    pub(super) fn comes_in_time(&mut self, does: &Needed, keys: &str) -> bool {
        if self.place() != Place::Jobs {
            self.coming.moves.clear();
            return true;
        }
        self.compute_rows();
        match does.0 {
            Needs::Moving if self.is_coming() => {
                if self.coming.moves.len() < MOST {
                    self.coming.moves.extend(does.1.clone());
                }
                return false;
            }
            Needs::Moving => return true,
            Needs::Row if self.is_ahead() => {
                self.say(format!(
                    "{keys} was not done: what it is meant for was not on the screen yet; press it again"
                ));
                return false;
            }
            Needs::Row => {}
            Needs::Nothing => self.coming.moves.clear(),
        }
        self.coming.until = self.now.mono + PATIENCE;
        self.coming.computed = None;
        true
    }

    /// A picture is about to be drawn.
    pub(super) fn rows_are_shown(&mut self) {
        self.coming.computed = None;
        self.compute_rows();
        if self.place() != Place::Jobs {
            self.coming.moves.clear();
        }
        if !self.is_coming() {
            for act in std::mem::take(&mut self.coming.moves) {
                self.act(act);
            }
        }
        self.coming.cursor = Cursor::Seen;
    }

    /// When moves have waited long enough.
    pub(super) fn moves_at(&self) -> Option<Duration> {
        (!self.coming.moves.is_empty()).then_some(self.coming.until)
    }

    fn compute_rows(&mut self) {
        let revision = self.model.revision();
        if self.coming.computed == Some(revision) {
            return;
        }
        let before = self.tree.cursor();
        self.hide_what_is_being_removed();
        self.tree.rebuild(self.now, &self.model);
        self.coming.computed = Some(revision);
        if self.tree.cursor() != before {
            self.coming.cursor = Cursor::Unseen;
        }
    }

    /// Whether the cursor is not yet, or no longer, where who pressed a key saw it or wants it.
    fn is_ahead(&self) -> bool {
        !self.coming.moves.is_empty()
            || self.tree.is_seeking()
            || self.coming.cursor == Cursor::Unseen
    }

    /// Whether children of what was just opened are on their way.
    fn is_coming(&self) -> bool {
        self.now.mono < self.coming.until
            && self.engine == Engine::Heard
            && self.picture == Picture::Live
            && self.tree.lacks_children(&self.model)
    }
}

/// What a key needs, and what it does if that can be done later.
pub(super) struct Needed(Needs, Option<Act>);

impl Needed {
    pub(super) fn by(does: &Does) -> Self {
        match does {
            // Without words they are meant for the row under the cursor.
            Does::Verb(_) => Self(Needs::Row, None),
            Does::Act(act) => match needs(act) {
                Needs::Moving => Self(Needs::Moving, Some(act.clone())),
                needs @ (Needs::Row | Needs::Nothing) => Self(needs, None),
            },
        }
    }
}

fn needs(act: &Act) -> Needs {
    match act {
        Act::Down
        | Act::Up
        | Act::HalfDown
        | Act::HalfUp
        | Act::PageDown
        | Act::PageUp
        | Act::Top
        | Act::Bottom => Needs::Moving,
        Act::Open
        | Act::Expand
        | Act::Same
        | Act::Mark
        | Act::Range
        | Act::Merged
        | Act::Table { .. }
        | Act::Diff
        | Act::Copy { .. }
        | Act::Repeat
        | Act::Queue => Needs::Row,
        // They only fill the bar, or are not about a row.
        Act::Edit
        | Act::Limit
        | Act::Add
        | Act::Left
        | Act::Right
        | Act::LineStart
        | Act::LineEnd
        | Act::Back
        | Act::Leave
        | Act::Quit { .. }
        | Act::View { .. }
        | Act::Focus { .. }
        | Act::Help
        | Act::Bar { .. }
        | Act::Find
        | Act::Redraw
        | Act::Background
        | Act::Mouse
        | Act::Freeze
        | Act::Undo
        | Act::Zoom
        | Act::Reload
        | Act::Theme { .. }
        | Act::Set { .. }
        | Act::Collapse
        | Act::ExpandAll
        | Act::CollapseAll
        | Act::MarkAll
        | Act::Unmark
        | Act::Problem { .. }
        | Act::Problems
        | Act::Sort { .. }
        | Act::Columns
        | Act::Group { .. }
        | Act::Filter { .. }
        | Act::Follow
        | Act::Wrap
        | Act::Times
        | Act::Match { .. }
        | Act::Matching { .. }
        | Act::Sibling { .. }
        | Act::Rule
        | Act::Pager
        | Act::Save { .. }
        | Act::Pipe { .. }
        | Act::Select
        | Act::Prefix => Needs::Nothing,
    }
}

//! What changes something, and what only looks.

use super::Verb;
use super::console::Act;

impl Act {
    /// Whether this does something to the fleet, or opens the bar for that.  All else only looks.
    pub fn acts(&self) -> bool {
        match self {
            Self::Add | Self::Edit | Self::Limit | Self::Queue => true,
            Self::Down
            | Self::Up
            | Self::HalfDown
            | Self::HalfUp
            | Self::PageDown
            | Self::PageUp
            | Self::Top
            | Self::Bottom
            | Self::Left
            | Self::Right
            | Self::LineStart
            | Self::LineEnd
            | Self::Open
            | Self::Back
            | Self::Leave
            | Self::Quit { .. }
            | Self::View { .. }
            | Self::Focus { .. }
            | Self::Help
            | Self::Bar { .. }
            | Self::Find
            | Self::Redraw
            | Self::Background
            | Self::Mouse
            | Self::Freeze
            | Self::Undo
            | Self::Zoom
            | Self::Repeat
            | Self::Reload
            | Self::Theme { .. }
            | Self::Set { .. }
            | Self::Expand
            | Self::Collapse
            | Self::ExpandAll
            | Self::CollapseAll
            | Self::Mark
            | Self::Range
            | Self::MarkAll
            | Self::Unmark
            | Self::Problem { .. }
            | Self::Problems
            | Self::Same
            | Self::Sort { .. }
            | Self::Columns
            | Self::Table { .. }
            | Self::Group { .. }
            | Self::Filter { .. }
            | Self::Follow
            | Self::Wrap
            | Self::Times
            | Self::Match { .. }
            | Self::Matching { .. }
            | Self::Sibling { .. }
            | Self::Rule
            | Self::Pager
            | Self::Save { .. }
            | Self::Pipe { .. }
            | Self::Select
            | Self::Prefix
            | Self::Merged
            | Self::Diff
            | Self::Copy { .. } => false,
        }
    }
}

impl Verb {
    /// Whether this does something to the fleet or to jobs.  All else only looks.
    pub fn acts(&self) -> bool {
        match *self {
            Self::Run(_)
            | Self::Query(_)
            | Self::Receive(_)
            | Self::Answer(_)
            | Self::Stop(_)
            | Self::Remove(_)
            | Self::Rerun(_)
            | Self::Throttle(_)
            | Self::Pause(_)
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::Reconnect(_)
            | Self::Pin(_)
            | Self::Daemon(_)
            | Self::Demo(_) => true,
            Self::Connections(ref connections) => connections.close.is_some(),
            Self::Console(_)
            | Self::Jobs(_)
            | Self::Wait(_)
            | Self::History(_)
            | Self::Hosts(_)
            | Self::Audit(_)
            | Self::Doctor
            | Self::Tail(_)
            | Self::Grep(_)
            | Self::Fold(_)
            | Self::Rows(_)
            | Self::Diff(_)
            | Self::Sql(_)
            | Self::Queries(_)
            | Self::Keys(_)
            | Self::Themes(_)
            | Self::Config(_)
            | Self::Completions { .. }
            | Self::Man => false,
        }
    }
}

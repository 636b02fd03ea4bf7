//! What is painted: themes say how each of these looks, and nothing else in the program names a colour.

use crate::core::state::State;

/// What a piece of the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// All that is nothing else.
    Text,
    /// What matters less.
    Dim,
    /// A pane's title.
    Title,
    /// The title of the pane that has the keys.
    TitleFocused,
    /// Lines between panes and around dialogs.
    Border,
    /// The names of columns.
    Header,
    /// The row under the cursor, and chosen text.
    Selection,
    /// The sign of a marked row.
    Mark,
    /// Where a search matched.
    Match,
    /// The name of a key in hints and help.
    Key,
    /// What should be looked at.
    Warning,
    /// What went wrong.
    Error,
    /// What is said in passing.
    Notice,
    /// A state's word.
    State(State),
    /// The sign of a line on stdout.
    Stdout,
    /// The sign of a line on stderr.
    Stderr,
    /// The row that says what a cap, a filter or a fold leaves out.
    Cut,
    /// A line that was drawn into output, and its end.
    Rule,
    /// A progress bar.
    Progress,
    /// The sign before what is typed.
    Prompt,
    /// What would complete what is typed.
    Suggestion,
}

impl Role {
    pub const ALL: [Self; 30] = [
        Self::Text,
        Self::Dim,
        Self::Title,
        Self::TitleFocused,
        Self::Border,
        Self::Header,
        Self::Selection,
        Self::Mark,
        Self::Match,
        Self::Key,
        Self::Warning,
        Self::Error,
        Self::Notice,
        Self::State(State::NotStarted),
        Self::State(State::Connecting),
        Self::State(State::Running),
        Self::State(State::Blocked),
        Self::State(State::Suspended),
        Self::State(State::Stopping),
        Self::State(State::Disconnected),
        Self::State(State::Completed),
        Self::State(State::Failed),
        Self::State(State::Stopped),
        Self::Stdout,
        Self::Stderr,
        Self::Cut,
        Self::Rule,
        Self::Progress,
        Self::Prompt,
        Self::Suggestion,
    ];

    /// Its name in themes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Title => "title",
            Self::TitleFocused => "title-focused",
            Self::Border => "border",
            Self::Header => "header",
            Self::Selection => "selection",
            Self::Mark => "mark",
            Self::Match => "match",
            Self::Key => "key",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Notice => "notice",
            Self::State(state) => match state {
                State::NotStarted => "state-not-started",
                State::Connecting => "state-connecting",
                State::Running => "state-running",
                State::Blocked => "state-blocked",
                State::Suspended => "state-suspended",
                State::Stopping => "state-stopping",
                State::Disconnected => "state-disconnected",
                State::Completed => "state-completed",
                State::Failed => "state-failed",
                State::Stopped => "state-stopped",
            },
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Cut => "cut",
            Self::Rule => "rule",
            Self::Progress => "progress",
            Self::Prompt => "prompt",
            Self::Suggestion => "suggestion",
        }
    }

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        let state = |state| State::ALL.iter().position(|other| *other == state);
        match self {
            Self::Text => 0,
            Self::Dim => 1,
            Self::Title => 2,
            Self::TitleFocused => 3,
            Self::Border => 4,
            Self::Header => 5,
            Self::Selection => 6,
            Self::Mark => 7,
            Self::Match => 8,
            Self::Key => 9,
            Self::Warning => 10,
            Self::Error => 11,
            Self::Notice => 12,
            Self::State(one) => 13 + state(one).expect("every state is one of all"),
            Self::Stdout => 23,
            Self::Stderr => 24,
            Self::Cut => 25,
            Self::Rule => 26,
            Self::Progress => 27,
            Self::Prompt => 28,
            Self::Suggestion => 29,
        }
    }
}

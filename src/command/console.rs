//! What only the console knows: moving, looking, choosing.  Keys and the bar name these like verbs of the shell, so that
//! everything a key does can be typed, and everything that can be typed can have a key.
//!
//! Whatever acts on the fleet is a verb of the shell ([`super::Verb`]) and not here.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::select::parse_selector;
use super::set::Set;
use crate::core::select::Selector;

/// A line of the bar, or what a key stands for, where it is not a verb of the shell.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(
    name = "",
    no_binary_name = true,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub struct ActLine {
    #[command(subcommand)]
    pub act: Act,
}

/// Something the console does by itself.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Act {
    /// Go one row down
    Down,
    /// Go one row up
    Up,
    /// Go half a page down
    HalfDown,
    /// Go half a page up
    HalfUp,
    /// Go a page down
    PageDown,
    /// Go a page up
    PageUp,
    /// Go to the first row
    Top,
    /// Go to the last row; in output, follow what comes
    Bottom,
    /// Scroll to the left; in a table, go one column to the left
    Left,
    /// Scroll to the right; in a table, go one column to the right
    Right,
    /// Scroll to the beginning of the lines; in a table, go to the first column
    LineStart,
    /// Scroll to the end of the lines; in a table, go to the last column
    LineEnd,
    /// Open what the cursor is on; answer it if it asks
    Open,
    /// Go back one step; never leaves the console
    Back,
    /// Go back one step; from the first, leave the console
    Leave,
    /// Leave the console; jobs go on
    #[command(visible_alias = "q")]
    Quit {
        /// Do not ask
        #[arg(long)]
        now: bool,
    },
    /// Show a screen
    View { screen: Screen },
    /// Go to the next pane
    Focus { way: Way },
    /// Show the keys that work here
    Help,
    /// Open the bar, with this text in it
    Bar {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        text: Vec<String>,
    },
    /// Filter a list, search a text
    Find,
    /// Paint everything anew
    Redraw,
    /// Leave to the shell; `fg` comes back
    Background,
    /// Give the mouse to the console, or back to the terminal
    Mouse,
    /// Hold the picture still, or let it go on
    Freeze,
    /// Take back the last removal
    Undo,
    /// Give one pane the whole screen, or back
    Zoom,
    /// Do the last command again
    Repeat,
    /// Read the configuration again
    Reload,
    /// Choose a theme
    Theme { name: Option<String> },
    /// Set something for as long as this console is open
    Set {
        #[command(subcommand)]
        option: Set,
    },
    /// Open a job's children; in a list of groups, a group
    Expand,
    /// Close a job's children, or go to the job
    Collapse,
    /// Open all jobs
    ExpandAll,
    /// Close all jobs
    CollapseAll,
    /// Mark or unmark the row, and go on to the next
    Mark,
    /// Begin or end marking a range
    Range,
    /// Mark everything that is shown
    MarkAll,
    /// Unmark everything
    Unmark,
    /// Go to the next or previous child that has a problem
    Problem { way: Way },
    /// Show only what has a problem, or everything
    Problems,
    /// Put children together that came to the same, or take them apart
    Same,
    /// Sort by a column; again turns it round
    Sort {
        #[arg(allow_hyphen_values = true)]
        column: Option<String>,
    },
    /// Show the rows of jobs of one query as a table; a plain job's output line by line
    Table {
        #[arg(value_name = "JOB", value_parser = parse_selector)]
        select: Vec<Selector>,
    },
    /// Put rows together that are the same in a column, or take them apart
    Group {
        #[arg(value_name = "COLUMN", value_delimiter = ',')]
        columns: Vec<String>,
    },
    /// Choose the columns
    Columns,
    /// Show only rows with this text; !TEXT those without it, /REGEX/ what matches
    Filter {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        text: Vec<String>,
    },
    /// Follow the end of the output, or stand still
    Follow,
    /// Wrap long lines, or cut them
    Wrap,
    /// Show when lines came: not, by the clock, since the start
    Times,
    /// Go to the next or previous match
    Match { way: Way },
    /// Show only lines that match
    Matching {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        text: Vec<String>,
    },
    /// Go to the next or previous child of the job
    Sibling { way: Way },
    /// Draw a line under what is there now
    Rule,
    /// Read it in $PAGER
    Pager,
    /// Save all of the output
    #[command(visible_alias = "w")]
    Save { file: Option<PathBuf> },
    /// Send all of the output through a command on this computer
    Pipe {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Begin or end choosing lines
    Select,
    /// Show or hide the host before each line
    Prefix,
    /// Show the output of all children of the job, host by host
    Merged,
    /// Show where the child's output differs from what most children wrote
    #[command(name = "compare")]
    Diff,
    /// Copy
    Copy { what: Copied },
    /// Start something on hosts
    Add,
    /// Change the job's command line and run it again
    Edit,
    /// Say how many children of the job run at once
    Limit,
    /// Start no more of the job's queued children, or go on with them
    Queue,
}

/// The screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Screen {
    Jobs,
    Hosts,
    Queries,
    Events,
}

impl Screen {
    /// In the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Jobs, Self::Hosts, Self::Queries, Self::Events];

    pub fn word(self) -> &'static str {
        match self {
            Self::Jobs => "Jobs",
            Self::Hosts => "Hosts",
            Self::Queries => "Queries",
            Self::Events => "Events",
        }
    }
}

/// The columns of the tree of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    Id,
    /// The job's name; below it, the child's host.
    Name,
    State,
    /// How many of all children are final.
    Done,
    Exit,
    /// Lines nobody has received yet.
    New,
    Time,
    Started,
    Out,
    Err,
    Pid,
    Targets,
    /// A job's command; a child's last line, or what became of it.
    Last,
}

impl Column {
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::Name,
        Self::State,
        Self::Done,
        Self::Exit,
        Self::New,
        Self::Time,
        Self::Started,
        Self::Out,
        Self::Err,
        Self::Pid,
        Self::Targets,
        Self::Last,
    ];

    /// What is shown unless something else was chosen.
    pub const USUAL: [Self; 8] = [
        Self::Id,
        Self::Name,
        Self::State,
        Self::Done,
        Self::Exit,
        Self::New,
        Self::Time,
        Self::Last,
    ];

    /// The word for settings and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::State => "state",
            Self::Done => "done",
            Self::Exit => "exit",
            Self::New => "new",
            Self::Time => "time",
            Self::Started => "started",
            Self::Out => "out",
            Self::Err => "err",
            Self::Pid => "pid",
            Self::Targets => "targets",
            Self::Last => "last",
        }
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    Next,
    Previous,
}

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Copied {
    /// The row, or the line, or the chosen lines
    Line,
    Host,
    Id,
    /// The job's command
    Command,
    /// All of the output
    Output,
    /// What is shown of a table, as CSV
    Csv,
    /// The same as a Markdown table
    Markdown,
    /// The regatta command line that does what was done last
    Invocation,
}

/// Where keys mean something of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Place {
    /// Everywhere, unless the place says otherwise.
    Everywhere,
    /// The tree of jobs.
    Jobs,
    Hosts,
    Queries,
    Events,
    /// Rows of a query's jobs.
    Table,
    /// Output of a child or of a job, and other texts.
    Output,
}

impl Place {
    pub const ALL: [Self; 7] = [
        Self::Everywhere,
        Self::Jobs,
        Self::Hosts,
        Self::Queries,
        Self::Events,
        Self::Table,
        Self::Output,
    ];

    /// The name of its table of keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Jobs => "jobs",
            Self::Hosts => "hosts",
            Self::Queries => "queries",
            Self::Events => "events",
            Self::Table => "table",
            Self::Output => "output",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn what_the_console_does_is_no_verb_of_the_shell() {
        ActLine::command().debug_assert();
        let shell = super::super::Cli::command();
        for act in ActLine::command().get_subcommands() {
            for name in std::iter::once(act.get_name()).chain(act.get_all_aliases()) {
                assert!(shell.find_subcommand(name).is_none(), "{name} is both");
            }
        }
    }

    #[test]
    fn lines_are_read() {
        let cases = [
            (
                "view hosts",
                Act::View {
                    screen: Screen::Hosts,
                },
            ),
            ("problem next", Act::Problem { way: Way::Next }),
            ("expand-all", Act::ExpandAll),
        ];
        for (line, act) in cases {
            let read = ActLine::try_parse_from(line.split(' ')).map(|line| line.act);
            assert_eq!(read.expect("a line"), act, "{line}");
        }
    }
}

//! What the console is told, and what it wants done: the two ends of `App::update`.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use crossterm::event::{KeyEvent, MouseEvent};

use super::gather::{Gather, Gathered};
use super::output::diff::Comparing;
use super::output::document::Document;
use super::remembered::Remembered;
use super::table::arrange::{Arranged, Arranging};
use super::whole::Whole;
use crate::command::query::QueryRun;
use crate::command::set::Notify;
use crate::command::{Global, Run};
use crate::config::queries::Query;
use crate::core::spec::JobSpec;
use crate::secret::Named;
use crate::view::span::Zone;
use crate::wire::reply::{JobView, Jobs, News};
use crate::wire::request::Receive;
use crate::wire::{Reply, Request};

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Since the console began.
    pub mono: Duration,
    /// Milliseconds since the epoch.
    pub wall: i64,
    /// How the clock on the wall is read.
    pub zone: Zone,
}

/// Names something that was asked for, so that the answer finds who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    /// Columns and rows.
    Resize(u16, u16),
    /// Whether the terminal's window is the one that is typed into.
    Focus(Focus),
    /// All jobs, and what changes of them.
    Watched(Watched),
    /// One job's children, and what changes of them.
    Children(u64, Watched),
    /// An answer; some requests have several.
    Answer(Ticket, Result<Reply, Failure>),
    /// A receive is over, one way or the other.
    Received(Ticket, Result<Handed, Failure>),
    /// A program has ended.
    Ran(Ticket, Ran),
    /// A job that was typed, with its hosts looked up.
    Planned(Ticket, Result<Box<Planned>, Failure>),
    /// Something of the operator's machine: a file written, text copied.
    Done(Ticket, Result<String, String>),
    /// Rows that were read.
    Gathered(Ticket, Result<Gathered, Failure>),
    /// Rows that were put in order.
    Arranged(Ticket, Box<Arranged>),
    /// Where outputs differ.
    Compared(Ticket, Document),
    /// What `%JOB` stands for as a target.
    Expanded(Ticket, Result<String, Failure>),
    /// Output that was fetched to be copied.
    Fetched(Ticket, String),
    /// Something everybody has to know.
    Notice(String),
    /// The configuration was read again.
    Reloaded(Result<Box<super::config::Loaded>, String>),

    /// The time that [`super::app::App::wake`] named has come.
    Tick,
}

/// Whether the terminal has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}

/// What a watch brings.
#[derive(Clone, Debug)]
pub enum Watched {
    /// A part of what there is, from the beginning again; the last part says so.
    Listed(Jobs),
    News(News),
    /// The connection broke; it is tried again by itself.
    Lost(String),
}

/// A request that failed: what, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub hint: Option<String>,
}

/// What a receive handed over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Handed {
    pub bytes: u64,
    pub lines: u64,
    /// Children that had something.
    pub children: u64,
    /// What was selected and could not be received, and why.
    pub refused: Vec<String>,
}

/// A job that was typed.
#[derive(Clone, Debug)]
pub enum Wished {
    Run(Box<Run>),
    Query(Box<QueryRun>, Box<Query>),
}

/// A job that could be submitted.
#[derive(Clone, Debug)]
pub struct Planned {
    pub spec: JobSpec,
    /// What was given of its secrets; it asks for the others.
    pub secrets: Named,
    /// Settings of OpenSSH's that restrict and have no effect here.
    pub notes: Vec<String>,
}

/// What a program came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What it wrote, both streams as they came, cut at a bound.
    pub text: Bytes,
    /// Its exit code; `None` if it was killed or could not be started, and then `text` says why.
    pub exit: Option<i32>,
}

/// Something to be done by whoever carries the console.
#[derive(Clone, Debug)]
pub enum Action {
    /// Ask the engine.
    Ask(Ticket, Box<Request>),
    /// No answer is wanted any more.
    Forget(Ticket),
    /// Make a job's specification of what was typed: hosts, files and settings are looked up.
    Plan(Ticket, Wished, Box<Global>),
    /// Read the rows of children.
    Gather(Ticket, Gather),
    /// Put rows in order.
    Arrange(Ticket, Box<Arranging>),
    /// See where two outputs differ.
    Compare(Ticket, Box<Comparing>),
    /// Look up the hosts of earlier jobs: what stands behind a target's `%`.
    Expand(Ticket, String),
    /// Receive to the screen: what is handed over counts as received, and can be looked at.
    Receive(Ticket, Box<Receive>),
    /// Watch all jobs from the beginning again.
    WatchAnew,
    /// Watch a job's children, or let it be.
    Watch(u64),
    Unwatch(u64),
    /// Run this very program with these words, and catch what it says.
    Program(Ticket, Vec<String>),
    /// Give the terminal to a program that reads all output of these children: `$PAGER`, or a command line for `sh`.
    Through(Ticket, Whole, Through),
    /// Write all output of these children into a file.
    Save(Ticket, Whole, PathBuf),
    /// Copy text.
    Copy(Ticket, String),
    /// Fetch all output of these children, to be copied.
    Fetch(Ticket, Whole),
    /// Tell the operator, who looks elsewhere.
    Notify(Notify, String),
    /// Run the operator's command for a job that has ended.
    Hook(Box<JobView>),
    /// Name the window.
    Title(String),
    /// Give the mouse to the console or to the terminal.
    Mouse(Mouse),
    /// Remember a line of the bar.
    Remember(String),
    /// Remember how lists are sorted and narrowed.
    RememberLists(Box<Remembered>),
    Reload,
    Redraw,
    Suspend,
    Quit,
}

/// Where output goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    Pager,
    Command(String),
}

/// Who has the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    Console,
    Terminal,
}

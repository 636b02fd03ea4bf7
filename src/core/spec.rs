//! What a job is asked to do, and what a runner tells of it.

use std::num::NonZeroU32;
use std::time::Duration;

/// Everything that was asked of a job.  Never changes once the job exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpec {
    /// The master's name, if one was given.
    pub name: Option<String>,
    /// Which runner carries the children: `ssh`, `local`, ...
    pub runner: String,
    /// What runs on every host.
    pub payload: Payload,
    /// The hosts as they were asked for, folded.
    pub targets: String,
    /// One child each, in this order.
    pub hosts: Vec<Host>,
    /// How many children may be under way at once.
    pub fanout: NonZeroU32,
    pub limits: Limits,
    /// Exit codes that count as Completed.
    pub ok_exit: Vec<i32>,
    pub on_full: OnFull,
    /// Settings for the runner, which alone knows what they mean.
    pub options: Vec<(String, String)>,
    pub asking: Asking,
    pub ask_above: Above,
    /// How output is read as rows, as whoever reads it wrote it down; nothing here knows what that means.
    pub shape: Option<String>,
    /// What the script needs and is not told here.
    pub withheld: Vec<Withheld>,
}

/// A secret that a script needs as a variable: its name is part of the job, its value is asked for when a child starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// As the script calls it.
    pub name: String,
    /// What it is, for whoever is asked.
    pub doc: String,
}

/// Whether children may wait for an operator's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Asking {
    /// They wait as long as it takes.
    #[default]
    Allowed,
    /// They fail where they would have to ask.
    Never,
}

/// From how many hosts on the operator is asked before a job starts, for the first time or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Above {
    /// As many as the settings say.
    #[default]
    Configured,
    /// Any at all: it changes something.
    Any,
}

impl Above {
    /// The most hosts on which it starts without a question, where the settings say so many.
    pub fn quiet(self, configured: usize) -> usize {
        match self {
            Self::Configured => configured,
            Self::Any => 0,
        }
    }
}

/// What happens when a child has written as much as is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnFull {
    /// The middle is cut out and counted; the command never notices.
    #[default]
    Truncate,
    /// The command waits until somebody receives, as a job of PowerShell with `OutputBufferingMode` Block.
    Block,
    /// The command is stopped.
    Stop,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reaching one host and logging in.
    pub connect: Duration,
    /// One child's command; `None` is no limit.
    pub command: Option<Duration>,
    /// The whole job; `None` is no limit.
    pub job: Option<Duration>,
    /// Between TERM and KILL when a child is stopped.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: None,
            job: None,
            grace: Duration::from_secs(5),
        }
    }
}

/// What runs on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A command line for the login shell, as `ssh HOST COMMAND` runs it.
    Command(String),
    /// A script fed to an interpreter's standard input.
    Script {
        /// What to call it: a file name, or `-`.
        name: String,
        /// The interpreter's command line: `sh`, or what the script's `#!` line names.
        interpreter: String,
        text: String,
        /// What runs in its place where the login shell is one of Windows: PowerShell.
        powershell: Option<String>,
    },
}

impl Payload {
    /// What to show as the job's command.
    pub fn title(&self) -> &str {
        match self {
            Self::Command(line) => line,
            Self::Script { name, .. } => name,
        }
    }
}

/// One computer, as the operator named it, with what the inventory adds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Host {
    /// The name as it was written: what the child is called.
    pub name: String,
    /// The name without user and port: what a runner looks up.
    pub host: String,
    /// Where to connect, if that is not what looking the host up says.
    pub address: Option<String>,
    pub user: Option<String>,
    pub port: Option<u16>,
}

impl Host {
    /// A host of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            host: name.clone(),
            name,
            ..Self::default()
        }
    }
}

/// What finds a running command again on its computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The process that leads the command's group and session.
    pub pid: u32,
}

/// How a run ended, as its runner saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The command never ran, and why.
    NotStarted(super::reason::Reason),
    /// It was told to stop before the command ran.
    Aborted,
    /// The command ended by itself or by a signal somebody sent; the last of its output was delivered before this.
    Exited(i32),
    /// The command was killed; the signal's name is without `SIG`.
    Signaled(String),
    /// The connection broke while the command ran, and why.
    Lost(String),
}

/// What a probe found of a command and everything it started.  Zombies do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing is alive.
    Gone,
    /// These processes are alive.
    Alive(Vec<u32>),
    /// No probe was possible, and why.
    Unknown(String),
}

/// What the processes of a command that runs are told, to be taken back at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Motion {
    /// Stand still (STOP).
    Suspend,
    /// Go on (CONT).
    Resume,
}

/// What a probe saw of them afterwards.  Zombies do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// They all do what they were told.
    All,
    /// These do not.
    AllBut(Vec<u32>),
    /// There is none any more.
    Gone,
    /// No probe was possible, and why.
    Unknown(String),
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// To see what is alive, and leave it alone.
    Look,
    /// To end it: what is alive has `grace` to end by itself before it is killed.
    End { grace: Duration },
}

/// The rungs of the stop ladder that a runner carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Term,
    Kill,
}

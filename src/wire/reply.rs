//! What the engine answers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::connection::{ConnectionView, Disconnected};
use super::look::{Folded, Found, HostView, Question, Row, Seen};
use crate::core::output::{Count, Stream};
use crate::core::spec::Above;
use crate::core::state::State;
use crate::serial::{AboveDef, CountDef, StateDef, StreamDef};

/// One reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The job was made and its first children are on their way.
    Submitted(JobView),
    /// Jobs, whole or in part; more may follow in further replies of this kind until `last`.
    Jobs(Jobs),
    /// Settings of these jobs were changed.
    Changed {
        jobs: Vec<u64>,
        unknown: Vec<String>,
        refused: Vec<String>,
    },
    /// These children were told to stand still or to go on, and are as they are now; the queues of these jobs with them.
    Moved {
        jobs: Vec<u64>,
        children: Vec<ChildView>,
        unknown: Vec<String>,
        refused: Vec<String>,
    },
    /// What was waited for or stopped, as it is now.
    Settled(Settled),
    Removed {
        jobs: Vec<u64>,
        left: Vec<LeftBehind>,
        unknown: Vec<String>,
        refused: Vec<String>,
    },
    Rerun {
        jobs: Vec<JobView>,
        refused: Vec<String>,
    },
    /// Jobs of the history, newest first; more follow in further replies of this kind until `last`.
    History {
        jobs: Vec<PastView>,
        last: bool,
    },
    /// A piece of a child's output.
    Output {
        job: u64,
        child: u64,
        host: String,
        #[serde(with = "StreamDef")]
        stream: Stream,
        data: Bytes,
    },
    /// Output that was here and was cut out by the cap.
    Cut {
        job: u64,
        child: u64,
        host: String,
        #[serde(with = "CountDef")]
        dropped: Count,
    },
    /// A child has settled, and all that was asked for of its output has been sent.
    End(Box<ChildView>),
    /// Write out what came so far, then acknowledge.
    Checkpoint,
    /// The receive is over.
    Received {
        matched: u64,
        unknown: Vec<String>,
        busy: Vec<String>,
        /// Jobs whose output cannot be read, and why.
        unreadable: Vec<String>,
        jobs: Vec<JobView>,
    },
    Seen(Seen),
    Rows(Vec<Row>),
    /// More follow in further replies of this kind until `last`.
    Found(Found),
    Folded(Folded),
    /// Of each job that is there: what it was started with.
    Shapes(Vec<(u64, Option<String>)>),
    /// Computers in the order of their names; more follow in further replies of this kind until `last`.
    Hosts {
        hosts: Vec<HostView>,
        last: bool,
    },
    /// In the order of their hosts' names.
    Connections(Vec<ConnectionView>),
    Disconnected(Disconnected),
    /// A watcher's news.
    News(News),
    /// The open questions, oldest first.
    Questions(Vec<Question>),
    /// These were answered; what was not, and why.
    Answered {
        questions: Vec<u64>,
        refused: Vec<String>,
    },
    Status(Status),
    /// Something the operator has to know, whatever was asked; the reply itself follows.
    Notice(String),
    /// The daemon ends now.
    ShuttingDown,
    /// The request could not be carried out.
    Error {
        message: String,
        hint: Option<String>,
    },
}

/// A part of a list of jobs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Jobs {
    pub jobs: Vec<JobView>,
    pub children: Vec<ChildView>,
    pub unknown: Vec<String>,
    pub last: bool,
}

/// What has changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct News {
    pub jobs: Vec<JobView>,
    pub children: Vec<ChildView>,
    pub removed: Vec<u64>,
    /// All open questions, if they changed and everything is watched.
    pub questions: Option<Vec<Question>>,
}

impl News {
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
            && self.children.is_empty()
            && self.removed.is_empty()
            && self.questions.is_none()
    }
}

/// How a wait or a stop came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settled {
    /// Jobs that were selected whole.
    pub jobs: Vec<JobView>,
    /// Children that were selected by themselves, and of whole jobs those that did not complete.
    pub children: Vec<ChildView>,
    pub unknown: Vec<String>,
    pub timed_out: bool,
}

impl Settled {
    /// Whether nothing was selected.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.children.is_empty()
    }
}

/// A child that was removed although something of it may still run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftBehind {
    pub job: u64,
    pub host: String,
    pub reason: String,
}

/// A job as it is at one moment.  Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    pub id: u64,
    pub name: String,
    pub runner: String,
    pub command: String,
    pub targets: String,
    #[serde(with = "StateDef")]
    pub state: State,
    pub fanout: u32,
    pub paused: bool,
    /// Kept whatever its age.
    pub pinned: bool,
    /// From how many hosts on it is asked about before it runs again.
    #[serde(with = "AboveDef")]
    pub ask_above: Above,
    pub created: i64,
    pub began: Option<i64>,
    pub ended: Option<i64>,
    /// Seconds since it was made, until it settled.
    pub elapsed: f64,
    /// Whether output waits to be received.
    pub more: bool,
    #[serde(with = "CountDef")]
    pub waiting: Count,
    /// Children per state, in the order of [`State::ALL`].
    pub counts: [u32; 10],
    /// Children to which nothing more will happen by itself.
    pub settled: u32,
}

impl JobView {
    pub fn count(&self, state: State) -> u32 {
        self.counts[state as usize]
    }

    pub fn children(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// A job as the history remembers it.  Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastView {
    pub id: u64,
    pub name: String,
    pub command: String,
    pub targets: String,
    /// How many.
    pub hosts: u64,
    #[serde(with = "AboveDef")]
    pub ask_above: Above,
    #[serde(with = "StateDef")]
    pub state: State,
    pub created: i64,
    pub ended: Option<i64>,
    /// When it was removed, by somebody or by retention.
    pub removed: Option<i64>,
}

/// A child as it is at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildView {
    pub id: u64,
    pub job: u64,
    pub host: String,
    #[serde(with = "StateDef")]
    pub state: State,
    pub reason: Option<ReasonView>,
    /// What it waits for, while it is Blocked.
    pub need: Option<NeedView>,
    pub exit: Option<i32>,
    pub signal: Option<String>,
    /// The process that leads the command on its computer.
    pub pid: Option<u32>,
    pub began: Option<i64>,
    pub ended: Option<i64>,
    /// Seconds the command has run.
    pub elapsed: Option<f64>,
    pub more: bool,
    #[serde(with = "CountDef")]
    pub waiting: Count,
    #[serde(with = "CountDef")]
    pub out: Count,
    #[serde(with = "CountDef")]
    pub err: Count,
    #[serde(with = "CountDef")]
    pub dropped: Count,
}

/// Why a child is in its state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReasonView {
    pub kind: String,
    pub text: String,
    /// Whether it was not proved that the command is where its state says.
    pub unconfirmed: bool,
}

/// What a Blocked child waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedView {
    /// The question it waits with; none if it waits for a receiver of its output.
    pub question: Option<u64>,
    pub kind: String,
    pub text: String,
}

/// The engine as a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub pid: u32,
    pub version: String,
    /// Seconds.
    pub uptime: f64,
    pub jobs: u64,
    /// Jobs that are not settled.
    pub live: u64,
    pub children: u64,
    pub connections: u64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// What cannot be written at the moment, and why.
    pub trouble: Option<String>,
}

//! What a client asks of the engine.

use serde::{Deserialize, Serialize};

use super::connection::Disconnect;
use super::look::{Look, Rows, Search};
use crate::core::alike::Ignored;
use crate::core::fleet::Command;
use crate::core::output::{Stream, Streams};
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::spec::Asking;
use crate::core::state::State;
use crate::secret::Answer;
use crate::serial::{
    AskingDef, CommandDef, IgnoredDef, ModeDef, StreamDef, StreamsDef, selectors, states,
};

/// One request; a connection carries one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Anything the model itself answers, but for receives.
    Command(#[serde(with = "CommandDef")] Command),
    /// The jobs there are: `None` selects all and never fails.
    Jobs {
        select: Option<Wanted>,
        children: Children,
    },
    /// New jobs like old ones.
    Rerun {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        which: Rerun,
        #[serde(with = "AskingDef")]
        asking: Asking,
        /// As whom, if not as the old job.
        becomes: Option<String>,
    },
    Receive(Receive),
    /// Jobs that are here and jobs that were.
    History(History),
    /// Jobs, and from then on what changes, until the connection closes.
    Watch {
        select: Option<Wanted>,
        children: Children,
    },
    /// The questions that children wait with.
    Questions(Attend),
    /// Answer some of them.
    Answer {
        questions: Vec<u64>,
        answer: Answer,
    },
    /// A stretch of a child's output.
    Look(Look),
    /// Rows by their offsets.
    Rows(Rows),
    /// The last row of each of these children that is not empty, at most 512 bytes of it; at most 500 children.
    Tails {
        children: Vec<u64>,
    },
    /// Rows in which a pattern matches.
    Search(Search),
    /// A job's children by what they came to, but for what is ignored in their output.
    Fold {
        job: u64,
        #[serde(with = "IgnoredDef")]
        ignored: Ignored,
    },
    /// How the output of each of these jobs is read as rows.
    Shapes {
        jobs: Vec<u64>,
    },
    /// The computers the jobs know.
    Hosts,
    /// The connections that are open.
    Connections,
    Disconnect(Disconnect),
    Status,
    /// End the daemon.
    Shutdown(Shutdown),
}

/// For how long questions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attend {
    /// Those that are open now.
    Now,
    /// Those, and all that are open whenever that changes, until the connection closes.
    Follow,
}

/// A selection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted(#[serde(with = "selectors")] pub Vec<Selector>);

/// Whether children come with their jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Children {
    Without,
    With,
    /// If the selection comes to one job.
    OfOneJob,
}

/// Which children of a job run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rerun {
    /// Those that did not complete.  Children selected by themselves run again whatever became of them.
    Unsuccessful,
    All,
}

/// What is looked for in the history; what is empty matches everything.  Times are milliseconds since the epoch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    pub ids: Vec<u64>,
    /// Each is in the name or in the command.
    pub words: Vec<String>,
    /// Names and globs, of which one has to match a host.
    pub hosts: Option<Vec<String>>,
    #[serde(with = "states")]
    pub states: Vec<State>,
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// The newest so many.
    pub limit: u64,
}

/// A receive.  The replies are output, cuts and ends; after each [`super::Reply::Checkpoint`] the client answers with an
/// [`Ack`] once everything so far was written out, and only then does it count as received.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receive {
    #[serde(with = "selectors")]
    pub select: Vec<Selector>,
    pub hosts: Option<Vec<String>>,
    #[serde(with = "StreamsDef")]
    pub streams: Streams,
    #[serde(with = "ModeDef")]
    pub mode: Mode,
    pub until: ReceiveUntil,
}

/// When a receive is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceiveUntil {
    /// What is there now.
    Now,
    /// When everything selected has settled.
    Settled,
}

/// Everything up to the checkpoint was written out, but for the ends of these streams: lines that are not complete yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub held: Vec<Held>,
}

/// How much of a stream's end the client holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub child: u64,
    #[serde(with = "StreamDef")]
    pub stream: Stream,
    pub bytes: u64,
}

/// How a daemon ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shutdown {
    /// Not while jobs are live.
    IfIdle,
    /// Live jobs are stopped first, by proof.
    StopJobs,
}

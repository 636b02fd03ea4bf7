//! Looking at output without receiving it: stretches, rows, searches and folds, each bounded in size.
//!
//! A child's output is shown as **rows**.  A row ends with a newline, where the stream changes, and after
//! [`LONGEST_ROW`] bytes; a cut (what a cap took out) is a row of its own.  A row is known by the child and the offset
//! of its first byte, which never changes however much is written behind it.  A line that is longer than a row begins
//! its second row after [`LONGEST_ROW`] bytes and each further one where the offset is a multiple of that, so that its
//! rows are the same wherever one begins to look.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::reply::ReasonView;
use crate::core::output::{Count, Stream};
use crate::core::state::State;
use crate::serial::{CountDef, StateDef, StreamDef};

pub use crate::core::output::LONGEST_ROW;

/// A place in a child's output.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Point {
    /// Bytes of both streams before it, in arrival order; what was cut counts too.
    pub offset: u64,
    /// Newlines of both streams before it.
    pub line: u64,
}

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Offset(u64),
    End,
}

/// A stretch of one child's output around a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub child: u64,
    pub at: Place,
    /// About how many bytes before and behind the place; the answer begins and, unless the output ends there, ends where
    /// a row does.  Together at most 4 MiB, and at most 32,768 rows each; never without the row at the place itself.
    pub before: u32,
    pub behind: u32,
}

/// The answer to a [`Look`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub child: u64,
    /// In order.
    pub rows: Vec<Row>,
    /// Where the rows end.
    pub to: Point,
    /// Where the output ends by now, and what was cut out of it.
    pub end: Point,
    #[serde(with = "CountDef")]
    pub dropped: Count,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub child: u64,
    pub at: Point,
    /// When it arrived, to the second or so, in milliseconds since the epoch; output stored by earlier versions does not
    /// know.
    pub time: Option<i64>,
    pub what: RowKind,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowKind {
    Text {
        #[serde(with = "StreamDef")]
        stream: Stream,
        /// Without the newline.
        data: Bytes,
        ends: RowEnd,
    },
    /// Output that was here and was cut out.
    Cut(#[serde(with = "CountDef")] Count),
}

/// How a row of text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowEnd {
    Newline,
    /// No newline: the other stream came in between, the row became too long, or the output ends here (so far).
    Open,
}

/// Rows by their offsets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Child and offset of each; at most 1,000.  What is not there any more is left out of the answer.
    pub rows: Vec<(u64, u64)>,
    /// At most so many bytes of each; of many long ones less, so that all together are at most 16 MiB.
    pub most: u32,
}

/// The rows in which a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Children and the offsets from which on, searched one after another.
    pub children: Vec<(u64, u64)>,
    /// A regular expression of the `regex` crate, matched against each row as it reads: without escape sequences.
    pub pattern: String,
    pub case: Case,
    /// Stop after so many hits.
    pub limit: u32,
}

/// Whether capitals matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Case {
    Matters,
    Ignored,
}

/// Hits of a [`Search`], as they are found; more follow until `last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Child and place of each row, in order.
    pub hits: Vec<(u64, Point)>,
    /// How far each child has been searched, of those since the last answer; a row at the end that is still open counts
    /// as not searched, even if it was a hit, because it may go on.
    pub searched: Vec<(u64, Point)>,
    pub last: bool,
    /// Whether it ended because of the limit.
    pub limited: bool,
}

/// A job's children by what they came to: same state, exit, reason and output, but for what was ignored in that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    pub job: u64,
    /// Largest first.
    pub groups: Vec<Group>,
}

/// Children that came to the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// In host order.
    pub children: Vec<u64>,
    /// Their hosts in the shortest form.
    pub hosts: String,
    #[serde(with = "StateDef")]
    pub state: State,
    pub exit: Option<i32>,
    pub reason: Option<ReasonView>,
    /// How much each of them wrote; where something is ignored, how much the first of them did.
    #[serde(with = "CountDef")]
    pub output: Count,
    /// Whether some of that was cut, so that the same may differ in what is gone.
    pub cut: bool,
    /// The first line in which it differs from the largest group (of that: from the second largest); the last one that is
    /// not empty where there is no such line.  At most 256 bytes of it: its beginning, or, if the difference is further
    /// behind, what is around that, with `…` before it.
    pub sample: Bytes,
}

/// A computer, as the jobs know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostView {
    pub host: String,
    /// Children on it that are under way, by state word order of [`State::ALL`].
    pub counts: [u32; 10],
    /// Open connections to it.
    pub connections: u32,
    /// The way one of them takes, unless that is the direct one.
    pub via: Option<String>,
    /// The child there that changed last.
    pub last: Option<LastOutcome>,
    /// The last time it was reached or not, and by which child that is known.
    pub reached: Option<Reached>,
}

/// What came last on a computer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastOutcome {
    pub job: u64,
    pub name: String,
    pub child: u64,
    #[serde(with = "StateDef")]
    pub state: State,
    pub reason: Option<ReasonView>,
    /// Milliseconds since the epoch.
    pub at: i64,
}

/// Whether a computer could be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub child: u64,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// Why not; `None` if it was.
    pub failed: Option<String>,
}

/// A question some children wait for an answer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Names the question as long as it is open.
    pub id: u64,
    pub kind: QuestionKind,
    /// Who waits, in order of their ids.
    pub children: Vec<u64>,
    /// Their hosts in the shortest form.
    pub hosts: String,
    /// Milliseconds since the epoch.
    pub asked: i64,
    /// How many answers were wrong so far on these hosts.
    pub wrong: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuestionKind {
    /// The key of a host is not known: is it that host's?
    HostKey {
        /// As it would stand in known_hosts.
        host: String,
        /// `ssh-ed25519`, ...
        algorithm: String,
        /// `SHA256:...`.
        fingerprint: String,
        /// The file the key would be added to.
        file: String,
    },
    /// A key file is encrypted.
    Passphrase { file: String },
    /// A password to log in with: a user's name, and the hosts are those of the question.
    Password { account: String },
    /// The password that sudo wants of this account.
    Sudo { account: String },
    /// Something a server asks; its words, made harmless by whoever shows them.
    Prompt {
        account: String,
        prompt: String,
        /// Whether what is typed may be seen.
        echo: bool,
    },
}

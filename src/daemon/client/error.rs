//! Why the engine could not be asked, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{GREETING, PARTING};
use crate::daemon::place::PlaceError;
use crate::wire::frame::FrameError;
use crate::wire::{Greeting, PROTOCOL};

/// Why the engine could not be asked.
#[derive(Debug)]
pub enum ClientError {
    Place(PlaceError),
    /// None is running, and none was to be started.
    NoDaemon,
    /// One could not be started, why, and what it says can be done.
    Start {
        why: String,
        hint: Option<String>,
    },
    /// The one that runs speaks another protocol.
    OtherVersion(Greeting),
    /// Its socket is there and cannot be used.
    Unreachable {
        socket: PathBuf,
        error: io::Error,
    },
    /// It is not ours: somebody else's process has the socket.
    Stranger,
    /// It took the connection and says nothing.
    Silent {
        pid: u32,
    },
    /// The one that was there does not end.
    Lingers,
    /// The connection broke before the answer was complete.
    Lost {
        pid: u32,
    },
    Io(io::Error),
    Frame(FrameError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::NoDaemon => f.write_str("no daemon is running, so there are no jobs"),
            Self::Start { why, .. } => write!(f, "the daemon could not be started: {why}"),
            Self::OtherVersion(theirs) => write!(
                f,
                "the running daemon (pid {}, version {}) speaks protocol {}, this program speaks {PROTOCOL}",
                theirs.pid, theirs.version, theirs.protocol
            ),
            Self::Unreachable { socket, error } => {
                write!(
                    f,
                    "cannot reach the daemon at {}: {error}",
                    socket.display()
                )
            }
            Self::Stranger => f.write_str("the daemon's socket belongs to another user"),
            Self::Silent { pid } => write!(
                f,
                "the daemon (pid {pid}) does not answer, {} s after it was called",
                GREETING.as_secs()
            ),
            Self::Lingers => write!(
                f,
                "a daemon that no longer listens has not ended within {} s",
                PARTING.as_secs()
            ),
            Self::Lost { pid } => write!(f, "the daemon (pid {pid}) has gone away"),
            Self::Io(error) => write!(f, "talking to the daemon: {error}"),
            Self::Frame(error) => write!(f, "talking to the daemon: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl ClientError {
    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Place(error) => Some(error.hint().to_string()),
            Self::NoDaemon => Some("`regatta run` starts one".to_string()),
            Self::Start { hint: Some(hint), .. } => Some(hint.clone()),
            Self::Start { hint: None, .. } => {
                Some("`regatta daemon run` shows what it says; --no-daemon does without".to_string())
            }
            Self::OtherVersion(theirs) => Some(format!(
                "its jobs go on; when they may end, `regatta daemon stop` of version {} or `kill {}` ends it",
                theirs.version, theirs.pid
            )),
            Self::Lost { .. } => Some(
                "what ran on hosts was ended by its lifeline; the next command starts a new one, which has the jobs and \
                 their output and looks what became of them"
                    .to_string(),
            ),
            Self::Silent { pid } => Some(format!(
                "it may be stopped or overloaded; if it stays so, `kill -9 {pid}` ends it; the next one has its jobs"
            )),
            Self::Lingers => Some("try again, or look for its process; --no-daemon does without".to_string()),
            Self::Unreachable { .. } | Self::Stranger | Self::Io(_) | Self::Frame(_) => None,
        }
    }
}

impl From<FrameError> for ClientError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

//! What comes back for a command.

use std::fmt;

use super::ids::JobId;
use super::receive::Received;
use super::select::{Picked, Unknown};
use super::state::State;

/// The answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Submitted(JobId),
    /// Settings of these jobs were changed.
    Changed {
        jobs: Vec<JobId>,
        refused: Vec<Refusal>,
    },
    /// What was picked has settled, or the time ran out.
    Settled {
        picked: Picked,
        how: Settled,
    },
    Removed {
        jobs: Vec<JobId>,
        left: Vec<LeftBehind>,
        refused: Vec<Refusal>,
    },
    Received(Received),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// What was waited for came about.
    Reached,
    /// The time ran out first.
    TimedOut,
}

/// A child that was removed although something of it may still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    pub job: JobId,
    pub host: String,
    pub reason: super::reason::Reason,
}

/// Something that was selected and could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unknown(Unknown),
    /// Only whole jobs can be removed, pinned, throttled, paused and resumed.
    ChildAlone {
        job: JobId,
        host: String,
    },
    /// Not final, and not told to stop it first.
    NotFinal(JobId, State),
    /// Settled, so that no queue is left to change.
    Ended(JobId, State),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::ChildAlone { job, host } => {
                write!(
                    f,
                    "{job}.{host} is one child of a job; this is done to whole jobs only"
                )
            }
            Self::NotFinal(job, state) => {
                write!(f, "job {job} is {state}; stop it first, or use --force")
            }
            Self::Ended(job, state) => {
                write!(
                    f,
                    "job {job} has ended ({state}); nothing of it is left to start"
                )
            }
        }
    }
}

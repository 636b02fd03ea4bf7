//! What comes back for a command.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::blocked::Open;
use super::ids::{ChildId, JobId};
use super::question::{Question, QuestionId};
use super::receive::Received;
use super::select::{Picked, Unknown};
use super::spec::Motion;
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
    /// These children were told to stand still or to go on, and what they did is in their states; the queues of these
    /// jobs with them.
    Moved {
        jobs: Vec<JobId>,
        children: BTreeSet<ChildId>,
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
    /// These questions were answered; those who wait for them go on.
    Answered {
        answered: Vec<Open>,
        refused: Vec<Unanswered>,
    },
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
    /// Only whole jobs can be removed, pinned, throttled and paused.
    ChildAlone {
        job: JobId,
        host: String,
    },
    /// Not final, and not told to stop it first.
    NotFinal(JobId, State),
    /// Settled, so that no queue is left to change.
    Ended(JobId, State),
    /// Its command does not run, or is not suspended.
    Unfit {
        job: JobId,
        host: String,
        state: State,
        motion: Motion,
    },
    /// It is just being suspended, or resumed.
    Moving {
        job: JobId,
        host: String,
        motion: Motion,
    },
}

/// A question that was not answered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// There never was one of this id.
    Unknown(QuestionId),
    /// Somebody else was faster, or nobody waits for the answer any more.
    Closed(QuestionId),
    /// It asks for something else than was said.
    Unfit(QuestionId, Arc<Question>),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "there is no question {id}"),
            Self::Closed(id) => write!(
                f,
                "question {id} is not open any more: it was already answered, or nobody waits for the answer"
            ),
            Self::Unfit(id, question) if question.takes(super::question::Response::Accept) => {
                write!(f, "question {id} can be accepted or refused: {question}")
            }
            Self::Unfit(id, question) => {
                write!(f, "question {id} cannot be answered with yes: {question}")
            }
        }
    }
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
            Self::Unfit {
                job,
                host,
                state,
                motion,
            } => {
                let only = match motion {
                    Motion::Suspend => "only a command that runs can be suspended",
                    Motion::Resume => "only what is suspended can be resumed",
                };
                write!(f, "{job}.{host} is {state}; {only}")
            }
            Self::Moving { job, host, motion } => {
                let being = match motion {
                    Motion::Suspend => "suspended",
                    Motion::Resume => "resumed",
                };
                write!(f, "{job}.{host} is just being {being}; say it again")
            }
        }
    }
}

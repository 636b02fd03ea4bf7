//! A master and its children.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::ids::JobId;
use super::journal::Revision;
use super::output::Account;
use super::review::Review;
use super::spec::{JobSpec, Motion, Trace};
use super::state::{ChildState, State, Tally};
use super::time::Moment;

/// A master job: one command, one child per computer.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub spec: Arc<JobSpec>,
    /// In host order; the child at `i` runs on `spec.hosts[i]`.
    pub children: Vec<Child>,
    /// The limit in force: the spec's until it is changed.
    pub fanout: NonZeroU32,
    pub queue: Queue,
    pub pin: Pin,
    pub created: Moment,
    /// When the first child left the queue.
    pub began: Option<Moment>,
    /// When the last child settled.
    pub ended: Option<Moment>,
    pub(super) tally: Tally,
    /// Every child before this one has left the queue.
    pub(super) next: usize,
    /// Children with output that was not received.
    pub(super) unread: BTreeSet<usize>,
    /// When the whole job runs out of time, on the monotonic clock.
    pub(super) deadline: Option<Duration>,
    pub(super) revision: Revision,
}

/// Whether queued children are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Queue {
    #[default]
    Flowing,
    Paused,
}

/// Whether a job is kept whatever its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pin {
    #[default]
    Off,
    On,
}

/// One child of a job.
#[derive(Clone, Debug)]
pub struct Child {
    pub state: ChildState,
    /// What finds the command again on its computer, once it runs.
    pub trace: Option<Trace>,
    /// When the command began to run.
    pub began: Option<Moment>,
    /// When the child settled.
    pub ended: Option<Moment>,
    /// The exit code, whatever the state makes of it.
    pub exit: Option<i32>,
    /// The signal that killed the command, without `SIG`.
    pub signal: Option<String>,
    pub output: Account,
    /// The one timer a child can have at a time, on the monotonic clock.
    pub(super) timer: Option<Duration>,
    /// What its command was told and has not been seen to do yet.
    pub(super) moving: Option<Motion>,
    /// The look at an end that was not proved, while one is under way.
    pub(super) review: Option<Review>,
    /// Whether an outstanding lease covers this child's output.
    pub(super) leased: Leased,
    pub(super) revision: Revision,
    /// When anything of it last changed but how much it has written.
    pub(super) deeds: Revision,
}

/// Whether somebody is being handed this child's output right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Leased {
    #[default]
    Free,
    Out,
}

impl Job {
    /// The given name, or `JobN`.
    pub fn name(&self) -> String {
        self.spec
            .name
            .clone()
            .unwrap_or_else(|| format!("Job{}", self.id))
    }

    pub fn state(&self) -> State {
        self.tally.roll_up()
    }

    /// Whether nothing more will happen by itself.
    pub fn is_settled(&self) -> bool {
        self.tally.unsettled() == 0
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether any child has output that was not received.
    pub fn has_more(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The children with output that was not received, by index.
    pub fn unread(&self) -> impl Iterator<Item = usize> {
        self.unread.iter().copied()
    }

    /// When anything of this job last changed.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

impl Child {
    /// When anything of it last changed but how much it has written.
    pub fn deeds(&self) -> Revision {
        self.deeds
    }

    pub(super) fn queued(revision: Revision) -> Self {
        Self {
            state: ChildState::NotStarted,
            trace: None,
            began: None,
            ended: None,
            exit: None,
            signal: None,
            output: Account::default(),
            timer: None,
            moving: None,
            review: None,
            leased: Leased::Free,
            revision,
            deeds: revision,
        }
    }
}

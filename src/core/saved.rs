//! What of a job outlives the process that kept it, and how it comes back.
//!
//! A child that was under way comes back as Disconnected: its connection is gone, and a probe has to find out what became
//! of it.  A queue comes back paused: nothing is started that nobody has asked for now.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::fleet::{Effect, Fleet, Timer};
use super::ids::JobId;
use super::job::{Child, Job, Leased, Pin, Queue};
use super::journal::Revision;
use super::ladder::LIFELINE_GRACE;
use super::output::{Account, Streams};
use super::proof::proof_limit;
use super::reason::{Fate, Reason};
use super::spec::{Inquiry, JobSpec, Trace};
use super::state::{Cause, ChildState, Rung, Stopping, Tally};
use super::time::{Moment, Wall};

/// Probes that are under way at once after a restart; see [`Fleet::restore`].
pub const PROBES: usize = 64;

/// Why a child that was under way is Disconnected.
const WHY: &str = "the daemon that ran it has ended";

/// A job as it was last written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedJob {
    pub id: JobId,
    pub spec: Arc<JobSpec>,
    pub course: Course,
    /// In host order, by index; those left out never left the queue.
    pub children: Vec<(usize, SavedChild)>,
}

/// What changes of a job itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    pub fanout: NonZeroU32,
    pub queue: Queue,
    pub pin: Pin,
    pub created: Wall,
    pub began: Option<Wall>,
    pub ended: Option<Wall>,
}

/// A child as it was last written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedChild {
    pub state: SavedState,
    pub pid: Option<u32>,
    pub began: Option<Wall>,
    pub ended: Option<Wall>,
    pub exit: Option<i32>,
    pub signal: Option<String>,
    pub output: Account,
}

/// What matters of a child's state for another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedState {
    NotStarted,
    /// Connecting, Running, Blocked or Suspended: somebody has to look what became of it.
    Live,
    Stopping(Cause),
    Disconnected {
        why: String,
        fate: Fate,
    },
    Completed,
    Failed(Reason),
    Stopped(Reason),
}

impl SavedState {
    fn of(state: &ChildState) -> Self {
        match state {
            ChildState::NotStarted => Self::NotStarted,
            ChildState::Connecting
            | ChildState::Running
            | ChildState::Blocked(_)
            | ChildState::Suspended(_) => Self::Live,
            ChildState::Stopping(Stopping { cause, .. }) => Self::Stopping(*cause),
            ChildState::Disconnected { why, fate } => Self::Disconnected {
                why: why.clone(),
                fate: fate.clone(),
            },
            ChildState::Completed => Self::Completed,
            ChildState::Failed(reason) => Self::Failed(reason.clone()),
            ChildState::Stopped(reason) => Self::Stopped(reason.clone()),
        }
    }
}

impl Job {
    /// What to write down of the job itself.
    pub fn course(&self) -> Course {
        Course {
            fanout: self.fanout,
            queue: self.queue,
            pin: self.pin,
            created: self.created.wall,
            began: self.began.map(|at| at.wall),
            ended: self.ended.map(|at| at.wall),
        }
    }
}

impl Child {
    /// What to write down of the child.
    pub fn saved(&self) -> SavedChild {
        SavedChild {
            state: SavedState::of(&self.state),
            pid: self.trace.as_ref().map(|trace| trace.pid),
            began: self.began.map(|at| at.wall),
            ended: self.ended.map(|at| at.wall),
            exit: self.exit,
            signal: self.signal.clone(),
            output: self.output,
        }
    }
}

/// A moment of an earlier process, as far back as the wall clock says.  A clock that was set back makes it now.
fn earlier(now: Moment, wall: Wall) -> Moment {
    let back = Duration::from_millis(u64::try_from(now.wall.0 - wall.0).unwrap_or(0));
    Moment {
        mono: now.mono.saturating_sub(back),
        wall,
    }
}

impl Fleet {
    /// Brings back a job of an earlier process.  Probes are asked for all at once; whoever carries them out does so
    /// [`PROBES`] at a time, and the time each may take allows for that.
    pub(super) fn restore(&mut self, now: Moment, saved: SavedJob, effects: &mut Vec<Effect>) {
        let SavedJob {
            id,
            spec,
            course,
            children: written,
        } = saved;
        let mut children = vec![Child::queued(Revision::default()); spec.hosts.len()];
        let mut probes = Vec::new();
        for (index, saved) in written {
            let Some(child) = children.get_mut(index) else {
                continue;
            };
            *child = Child {
                state: ChildState::NotStarted,
                trace: saved.pid.map(|pid| Trace { pid }),
                began: saved.began.map(|at| earlier(now, at)),
                ended: saved.ended.map(|at| earlier(now, at)),
                exit: saved.exit,
                signal: saved.signal,
                output: saved.output,
                timer: None,
                moving: None,
                review: None,
                leased: Leased::Free,
                revision: Revision::default(),
                deeds: Revision::default(),
            };
            let turn = u32::try_from((self.probes_of_old + probes.len()) / PROBES);
            let patience = proof_limit(&spec.limits, LIFELINE_GRACE);
            let until = now.mono + patience.saturating_mul(turn.unwrap_or(u32::MAX) + 1);
            child.state = returned(saved.state, saved.pid, until);
            if is_looked_up(&child.state) {
                probes.push((index, until));
            }
        }
        self.probes_of_old += probes.len();
        let tally = Tally::of(children.iter().map(|child| &child.state));
        let queued = |child: &Child| child.state == ChildState::NotStarted;
        let unsettled = tally.unsettled() > 0;
        let created = earlier(now, course.created);
        let deadline = spec.limits.job.filter(|_| unsettled);
        let job = Job {
            id,
            fanout: course.fanout,
            queue: if children.iter().any(queued) {
                Queue::Paused
            } else {
                course.queue
            },
            pin: course.pin,
            created,
            began: course.began.map(|at| earlier(now, at)),
            ended: course
                .ended
                .map(|at| earlier(now, at))
                .filter(|_| !unsettled),
            tally,
            next: children.iter().position(queued).unwrap_or(children.len()),
            unread: (0..children.len())
                .filter(|index| children[*index].output.has_more(Streams::Both))
                .collect::<BTreeSet<_>>(),
            deadline: deadline.map(|limit| created.mono + limit),
            revision: Revision::default(),
            children,
            spec,
        };
        self.timers
            .extend(job.deadline.map(|at| (at, Timer::Job(id))));
        self.jobs.insert(id, job);
        self.changed.insert(id);
        for (index, until) in probes {
            self.set_timer(id, index, Some(until));
            let inquiry = Inquiry::End {
                grace: LIFELINE_GRACE,
            };
            effects.push(Effect::Prove(id.child(index), inquiry));
        }
    }
}

/// The state a child comes back in.
fn returned(saved: SavedState, pid: Option<u32>, until: Duration) -> ChildState {
    match saved {
        SavedState::NotStarted => ChildState::NotStarted,
        SavedState::Live => ChildState::Disconnected {
            why: WHY.to_string(),
            fate: Fate::Probing { pid },
        },
        SavedState::Stopping(cause) => ChildState::Stopping(Stopping {
            cause,
            rung: Rung::LateProof { until },
        }),
        SavedState::Disconnected { why, fate } => ChildState::Disconnected { why, fate },
        SavedState::Completed => ChildState::Completed,
        SavedState::Failed(reason) => ChildState::Failed(reason),
        SavedState::Stopped(reason) => ChildState::Stopped(reason),
    }
}

/// Whether a probe has to say what becomes of it.
fn is_looked_up(state: &ChildState) -> bool {
    match state {
        ChildState::Disconnected { fate, .. } => matches!(fate, Fate::Probing { .. }),
        ChildState::Stopping(_) => true,
        ChildState::NotStarted
        | ChildState::Connecting
        | ChildState::Running
        | ChildState::Blocked(_)
        | ChildState::Suspended(_)
        | ChildState::Completed
        | ChildState::Failed(_)
        | ChildState::Stopped(_) => false,
    }
}

#[cfg(test)]
mod tests;

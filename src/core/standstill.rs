//! Suspending commands and letting them go on: what was told counts only once a probe has seen it.
//!
//! A suspended child keeps its slot, so that nothing is started in its place, and its own time stands still with it; the
//! whole job's goes on.  Of a job that is suspended as a whole the queue is paused too, and goes on with it.

use std::collections::BTreeSet;

use super::answer::Refusal;
use super::fleet::{Effect, Fleet, Ticket};
use super::ids::JobId;
use super::job::{Child, Queue};
use super::question::Need;
use super::reason::Doubt;
use super::select::Selector;
use super::spec::{Motion, Moved};
use super::state::{ChildState, Standstill};
use super::time::Moment;
use super::wait::Pending;

/// What is to be done about one child.
enum Call {
    /// Tell it, and look.
    Tell,
    /// It does already, or will be seen to.
    Known,
    /// It cannot, which whoever chose it has to know.
    Unfit,
    /// It has nothing that could.
    Idle,
}

/// Whether a command runs in this state, if only as still as it was told.
pub(super) fn can_move(state: &ChildState) -> bool {
    match state {
        ChildState::Running | ChildState::Blocked(Need::Receiver) | ChildState::Suspended(_) => {
            true
        }
        ChildState::NotStarted
        | ChildState::Connecting
        | ChildState::Blocked(Need::Answer { .. })
        | ChildState::Stopping(_)
        | ChildState::Disconnected { .. }
        | ChildState::Completed
        | ChildState::Failed(_)
        | ChildState::Stopped(_) => false,
    }
}

impl Call {
    /// A child, chosen with its whole job.
    fn with_its_job(child: &Child, motion: Motion) -> Self {
        match (&child.state, motion) {
            // What a login shell printed waits, and no command runs yet.
            (ChildState::Blocked(Need::Receiver), Motion::Suspend) if child.began.is_none() => {
                Self::Unfit
            }
            (ChildState::Suspended(Standstill::Proved { .. }), Motion::Suspend) => Self::Known,
            (ChildState::Running | ChildState::Blocked(Need::Receiver), Motion::Suspend)
            | (ChildState::Suspended(_), Motion::Suspend | Motion::Resume) => Self::Tell,
            // These go on meanwhile, or may.
            (
                ChildState::Connecting
                | ChildState::Blocked(Need::Answer { .. })
                | ChildState::Stopping(_)
                | ChildState::Disconnected { .. },
                Motion::Suspend,
            ) => Self::Unfit,
            (
                ChildState::NotStarted
                | ChildState::Completed
                | ChildState::Failed(_)
                | ChildState::Stopped(_),
                Motion::Suspend,
            )
            | (
                ChildState::NotStarted
                | ChildState::Connecting
                | ChildState::Running
                | ChildState::Blocked(_)
                | ChildState::Stopping(_)
                | ChildState::Disconnected { .. }
                | ChildState::Completed
                | ChildState::Failed(_)
                | ChildState::Stopped(_),
                Motion::Resume,
            ) => Self::Idle,
        }
    }

    /// A child, chosen by itself: then what it cannot do is worth a word.
    fn by_itself(child: &Child, motion: Motion) -> Self {
        match Self::with_its_job(child, motion) {
            Self::Idle => Self::Unfit,
            call @ (Self::Tell | Self::Known | Self::Unfit) => call,
        }
    }
}

impl Fleet {
    pub(super) fn set_in_motion(
        &mut self,
        now: Moment,
        ticket: Ticket,
        select: &[Selector],
        motion: Motion,
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let mut refused: Vec<Refusal> = picked
            .unknown
            .iter()
            .cloned()
            .map(Refusal::Unknown)
            .collect();
        let work: Vec<(JobId, Vec<usize>)> = picked
            .touched(self)
            .into_iter()
            .map(|job| (job.id, picked.indexes(job)))
            .collect();
        let (mut jobs, mut children) = (Vec::new(), BTreeSet::new());
        for (id, indexes) in work {
            let whole = picked.jobs.contains(&id);
            if whole {
                if self.jobs[&id].is_settled() {
                    refused.push(Refusal::Ended(id, self.jobs[&id].state()));
                    continue;
                }
                self.set_queue(id, motion);
                jobs.push(id);
            }
            for index in indexes {
                let child = &self.jobs[&id].children[index];
                let (state, host) = (child.state.word(), &self.jobs[&id].spec.hosts[index].name);
                let call = if whole {
                    Call::with_its_job(child, motion)
                } else {
                    Call::by_itself(child, motion)
                };
                match (call, child.moving) {
                    (_, Some(other)) if other != motion => refused.push(Refusal::Moving {
                        job: id,
                        host: host.clone(),
                        motion: other,
                    }),
                    (Call::Known, _) | (Call::Tell, Some(_)) => {
                        _ = children.insert(id.child(index));
                    }
                    (Call::Tell, None) => {
                        children.insert(id.child(index));
                        effects.push(Effect::Move(id.child(index), motion));
                        if let Some(job) = self.jobs.get_mut(&id) {
                            job.children[index].moving = Some(motion);
                        }
                    }
                    (Call::Unfit, _) => refused.push(Refusal::Unfit {
                        job: id,
                        host: host.clone(),
                        state,
                        motion,
                    }),
                    (Call::Idle, _) => {}
                }
            }
            self.fill_slots(now, id, effects);
        }
        let pending = Pending::Moved {
            jobs,
            children,
            refused,
        };
        self.wait(now, ticket, pending, effects);
    }

    fn set_queue(&mut self, id: JobId, motion: Motion) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.queue = match motion {
                Motion::Suspend => Queue::Paused,
                Motion::Resume => Queue::Flowing,
            };
            self.touch_job(id);
        }
    }

    /// A probe has seen what a child does that was told to stand still, or to go on.
    pub(super) fn moved(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        motion: Motion,
        moved: Moved,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let child = &mut job.children[index];
        if child.moving != Some(motion) {
            return;
        }
        child.moving = None;
        let pid = child.trace.as_ref().map(|trace| trace.pid);
        let left = child.timer.map(|at| at.saturating_sub(now.mono));
        let rest = if let ChildState::Suspended(Standstill::Proved { rest }) = &child.state {
            *rest
        } else {
            None
        };
        let doubt = match moved {
            Moved::All => None,
            Moved::AllBut(pids) => Some(Doubt::Seen { motion, pids }),
            Moved::Unknown(why) => Some(Doubt::Unproved { motion, pid, why }),
            // How it ended comes by itself; until then it is where it was.
            Moved::Gone => return self.touch_child(id, index),
        };
        // What goes on, or may, has what was left of its time.
        if let Some(rest) = rest {
            self.set_timer(id, index, Some(now.mono + rest));
        }
        let state = match (doubt, motion) {
            (None, Motion::Suspend) => {
                self.set_timer(id, index, None);
                ChildState::Suspended(Standstill::Proved {
                    rest: rest.or(left),
                })
            }
            (None, Motion::Resume) => ChildState::Running,
            (Some(doubt), Motion::Suspend | Motion::Resume) => {
                ChildState::Suspended(Standstill::Doubted(doubt))
            }
        };
        self.set_state(now, id, index, state);
    }
}

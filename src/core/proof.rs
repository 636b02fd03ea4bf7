//! What a probe found.  Only one that found nothing alive makes a child plainly Stopped, and a lost one Failed.

use std::time::Duration;

use super::fleet::{Effect, Fleet};
use super::ids::JobId;
use super::reason::{Fate, Left, Reason};
use super::review::unproved;
use super::spec::{Limits, Proof, Signal, Trace};
use super::state::{Cause, ChildState, Rung, Stopping};
use super::time::Moment;

/// How long a probe may take beside the time to connect and the grace it gives.
const PROBE_WORK: Duration = Duration::from_secs(10);

/// When a probe counts as failed.
pub(super) fn proof_limit(limits: &Limits, grace: Duration) -> Duration {
    limits.connect + grace + PROBE_WORK
}

impl Fleet {
    /// A probe has answered.
    pub(super) fn proved(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        proof: Proof,
        effects: &mut Vec<Effect>,
    ) {
        let child = &self.jobs[&id].children[index];
        // Also an answer that nobody waits for any more is known from now on.
        if unproved(&child.state).is_some() {
            return self.reviewed(now, id, index, proof, effects);
        }
        let pid = child.trace.as_ref().map(|Trace { pid }| *pid);
        let state = match &child.state {
            ChildState::Stopping(Stopping {
                cause,
                rung: rung @ (Rung::Proof { .. } | Rung::LateProof { .. }),
            }) => {
                let killed = matches!(
                    rung,
                    Rung::Proof {
                        signal: Signal::Kill,
                        ..
                    }
                );
                let left = match proof {
                    Proof::Gone => Left::Nothing,
                    Proof::Alive(pids) => Left::Alive(pids),
                    Proof::Unknown(why) => Left::Unproved { pid, why },
                };
                match *cause {
                    Cause::Operator if killed && left == Left::Nothing => {
                        ChildState::Stopped(Reason::Killed)
                    }
                    Cause::Operator => ChildState::Stopped(Reason::Stopped(left)),
                    Cause::Limit { what, after } => ChildState::Failed(Reason::TimedOut {
                        what,
                        after,
                        left,
                        hop: None,
                    }),
                }
            }
            ChildState::Disconnected {
                why,
                fate: Fate::Probing { .. },
            } => {
                let why = why.clone();
                match proof {
                    Proof::Gone => ChildState::Failed(Reason::ConnectionLost {
                        why,
                        fate: Fate::Ended,
                    }),
                    Proof::Alive(pids) => ChildState::Disconnected {
                        why,
                        fate: Fate::Alive(pids),
                    },
                    Proof::Unknown(reason) => ChildState::Disconnected {
                        why,
                        fate: Fate::Unknown { pid, why: reason },
                    },
                }
            }
            ChildState::NotStarted
            | ChildState::Connecting
            | ChildState::Running
            | ChildState::Blocked(_)
            | ChildState::Suspended(_)
            | ChildState::Stopping(_)
            | ChildState::Disconnected { .. }
            | ChildState::Completed
            | ChildState::Failed(_)
            | ChildState::Stopped(_) => return,
        };
        self.set_timer(id, index, None);
        effects.push(Effect::Abandon(id.child(index)));
        self.set_state(now, id, index, state);
    }

    pub(super) fn probe_ran_out(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        effects: &mut Vec<Effect>,
    ) {
        self.proved(
            now,
            id,
            index,
            Proof::Unknown("the probe did not answer in time".to_string()),
            effects,
        );
    }
}

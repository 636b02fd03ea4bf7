//! Stopping: TERM, a grace period, KILL, and a probe, whose answer is the business of [`super::proof`].

use std::collections::BTreeSet;
use std::time::Duration;

use super::fleet::{Effect, Fleet, Ticket};
use super::ids::{ChildId, JobId};
use super::proof::proof_limit;
use super::reason::{Fate, Left, Limit, Reason};
use super::select::Selector;
use super::spec::{Ended, Inquiry, Signal};
use super::state::{Cause, ChildState, Rung, Stopping};
use super::time::Moment;
use super::wait::Pending;

/// How long after KILL the connection has to say that the command ended before the probe looks anyway.
pub const KILL_WAIT: Duration = Duration::from_secs(2);

/// How long a command whose connection broke has before a probe kills it: its lifeline gives it one second between
/// TERM and KILL.
pub const LIFELINE_GRACE: Duration = Duration::from_secs(2);

/// How a stop begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rigour {
    /// TERM first.
    Gentle,
    /// KILL at once.
    Kill,
}

/// One stop: why, how it begins, and what comes in place of the job's own grace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) cause: Cause,
    pub(super) rigour: Rigour,
    pub(super) grace: Option<Duration>,
}

impl Stop {
    /// As the job was told to be stopped.
    pub(super) fn usual(cause: Cause) -> Self {
        Self {
            cause,
            rigour: Rigour::Gentle,
            grace: None,
        }
    }
}

/// What the command was asked with before the probe, and what the probe leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Term { grace: Duration },
    Kill,
}

/// Whether a remove may stop what still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    FinalOnly,
    StopFirst,
}

impl Fleet {
    pub(super) fn stop(
        &mut self,
        now: Moment,
        ticket: Ticket,
        select: &[Selector],
        how: Stop,
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let work: Vec<_> = picked
            .touched(self)
            .into_iter()
            .map(|job| (job.id, picked.indexes(job)))
            .collect();
        let mut reviews = BTreeSet::new();
        for (id, indexes) in work {
            let grace = match how.rigour {
                Rigour::Gentle => how.grace.unwrap_or(self.jobs[&id].spec.limits.grace),
                Rigour::Kill => Duration::ZERO,
            };
            for index in indexes {
                reviews.extend(self.review(now, id, index, Inquiry::End { grace }, effects));
                self.stop_child(now, id, index, how, effects);
            }
            self.fill_slots(now, id, effects);
        }
        self.wait(now, ticket, Pending::Stopped { picked, reviews }, effects);
    }

    /// Puts a child on the ladder, or further up it.  On something final this does nothing.
    pub(super) fn stop_child(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        how: Stop,
        effects: &mut Vec<Effect>,
    ) {
        let Stop { cause, rigour, .. } = how;
        let job = &self.jobs[&id];
        let grace = how.grace.unwrap_or(job.spec.limits.grace);
        match &job.children[index].state {
            ChildState::NotStarted => {
                let state = match cause {
                    Cause::Operator => ChildState::Stopped(Reason::StoppedBeforeStart),
                    Cause::Limit { what, after } => ChildState::Failed(Reason::TimedOut {
                        what,
                        after,
                        left: Left::Nothing,
                        hop: None,
                    }),
                };
                self.set_state(now, id, index, state);
            }
            ChildState::Connecting
            | ChildState::Running
            | ChildState::Blocked(_)
            | ChildState::Suspended(_) => {
                let (signal, rung) = match rigour {
                    Rigour::Gentle => (
                        Signal::Term,
                        Rung::Term {
                            until: now.mono + grace,
                        },
                    ),
                    Rigour::Kill => (
                        Signal::Kill,
                        Rung::Kill {
                            until: now.mono + KILL_WAIT,
                        },
                    ),
                };
                effects.push(Effect::Signal(id.child(index), signal));
                self.climb(now, id, index, Stopping { cause, rung });
            }
            ChildState::Stopping(Stopping {
                cause,
                rung: Rung::Term { .. },
            }) if rigour == Rigour::Kill => {
                let cause = *cause;
                effects.push(Effect::Signal(id.child(index), Signal::Kill));
                self.climb(
                    now,
                    id,
                    index,
                    Stopping {
                        cause,
                        rung: Rung::Kill {
                            until: now.mono + KILL_WAIT,
                        },
                    },
                );
            }
            // Asked again, with another grace: TERM has been sent, and the new time begins now.
            ChildState::Stopping(Stopping {
                cause,
                rung: Rung::Term { .. },
            }) if how.grace.is_some() => {
                let (cause, until) = (*cause, now.mono + grace);
                let rung = Rung::Term { until };
                self.climb(now, id, index, Stopping { cause, rung });
            }
            ChildState::Disconnected { fate, .. } => {
                let probing = matches!(fate, Fate::Probing { .. });
                let until = now.mono + proof_limit(&job.spec.limits, grace);
                if !probing {
                    effects.push(Effect::Prove(id.child(index), Inquiry::End { grace }));
                }
                self.climb(
                    now,
                    id,
                    index,
                    Stopping {
                        cause,
                        rung: Rung::LateProof { until },
                    },
                );
            }
            ChildState::Stopping(_)
            | ChildState::Completed
            | ChildState::Failed(_)
            | ChildState::Stopped(_) => {}
        }
    }

    fn climb(&mut self, now: Moment, id: JobId, index: usize, stopping: Stopping) {
        let (Rung::Term { until }
        | Rung::Kill { until }
        | Rung::Proof { until, .. }
        | Rung::LateProof { until }) = stopping.rung;
        self.set_timer(id, index, Some(until));
        self.set_state(now, id, index, ChildState::Stopping(stopping));
    }

    /// The run of a child on the ladder is over: now it has to be proved that nothing is left.
    pub(super) fn ended_while_stopping(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        ended: &Ended,
        effects: &mut Vec<Effect>,
    ) {
        let ChildState::Stopping(Stopping { cause, rung }) = self.jobs[&id].children[index].state
        else {
            return;
        };
        match ended {
            Ended::NotStarted(_) | Ended::Aborted => {
                let state = match cause {
                    Cause::Operator => ChildState::Stopped(Reason::StoppedBeforeStart),
                    Cause::Limit { what, after } => ChildState::Failed(Reason::TimedOut {
                        what,
                        after,
                        left: Left::Nothing,
                        hop: None,
                    }),
                };
                self.set_timer(id, index, None);
                self.set_state(now, id, index, state);
            }
            Ended::Exited(_) | Ended::Signaled(_) | Ended::Lost(_) => match rung {
                Rung::Term { until } => {
                    let grace = until.saturating_sub(now.mono);
                    self.prove(now, id, index, cause, Asked::Term { grace }, effects);
                }
                Rung::Kill { .. } => self.prove(now, id, index, cause, Asked::Kill, effects),
                Rung::Proof { .. } | Rung::LateProof { .. } => self.touch_child(id, index),
            },
        }
    }

    fn prove(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        cause: Cause,
        asked: Asked,
        effects: &mut Vec<Effect>,
    ) {
        let (signal, grace) = match asked {
            Asked::Term { grace } => (Signal::Term, grace),
            Asked::Kill => (Signal::Kill, Duration::ZERO),
        };
        let until = now.mono + proof_limit(&self.jobs[&id].spec.limits, grace);
        effects.push(Effect::Prove(id.child(index), Inquiry::End { grace }));
        self.climb(
            now,
            id,
            index,
            Stopping {
                cause,
                rung: Rung::Proof { until, signal },
            },
        );
    }

    /// A child's timer has gone off: what that means depends on what it is doing.
    pub(super) fn child_ran_out(&mut self, now: Moment, child: ChildId, effects: &mut Vec<Effect>) {
        let Some((job, index)) = self.find_child(child) else {
            return;
        };
        let (id, limits) = (job.id, job.spec.limits);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.children[index].timer = None;
        }
        match self.jobs[&id].children[index].state.clone() {
            ChildState::Connecting
            | ChildState::Running
            | ChildState::Blocked(_)
            | ChildState::Suspended(_) => {
                let cause = Cause::Limit {
                    what: Limit::Command,
                    after: limits.command.unwrap_or_default(),
                };
                self.stop_child(now, id, index, Stop::usual(cause), effects);
            }
            ChildState::Stopping(Stopping { cause, rung }) => match rung {
                Rung::Term { .. } => {
                    effects.push(Effect::Signal(child, Signal::Kill));
                    let rung = Rung::Kill {
                        until: now.mono + KILL_WAIT,
                    };
                    self.climb(now, id, index, Stopping { cause, rung });
                }
                Rung::Kill { .. } => self.prove(now, id, index, cause, Asked::Kill, effects),
                Rung::Proof { .. } | Rung::LateProof { .. } => {
                    self.probe_ran_out(now, id, index, effects);
                }
            },
            // What has ended has a timer only while it is looked at again.
            ChildState::Disconnected { .. } | ChildState::Failed(_) | ChildState::Stopped(_) => {
                self.probe_ran_out(now, id, index, effects);
            }
            ChildState::NotStarted | ChildState::Completed => {}
        }
        self.fill_slots(now, id, effects);
    }

    /// A child has written more than is kept, and is not to go on.
    pub(super) fn output_is_full(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        effects: &mut Vec<Effect>,
    ) {
        let cause = Cause::Limit {
            what: Limit::Output,
            after: Duration::ZERO,
        };
        if self.jobs[&id].children[index].state.holds_slot() {
            self.stop_child(now, id, index, Stop::usual(cause), effects);
        }
    }

    /// The whole job has run out of time: everything that is not settled is stopped, the queue with it.
    pub(super) fn job_ran_out(&mut self, now: Moment, id: JobId, effects: &mut Vec<Effect>) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.deadline = None;
        let after = job.spec.limits.job.unwrap_or_default();
        let cause = Cause::Limit {
            what: Limit::Job,
            after,
        };
        for index in 0..job.children.len() {
            if !self.jobs[&id].children[index].state.is_settled() {
                self.stop_child(now, id, index, Stop::usual(cause), effects);
            }
        }
    }
}

//! Commands whose answer has to wait for something.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answer::{Answer, Refusal, Settled};
use super::fleet::{Effect, Fleet, Ticket, Timer};
use super::ids::{ChildId, JobId};
use super::receive::ReceiveAsk;
use super::select::Picked;
use super::time::Moment;

/// How many of the selected have to settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    All,
    Any,
}

/// An answer that is not due yet.
#[derive(Clone, Debug)]
pub enum Pending {
    /// Wait: until jobs and children have settled.
    Settled {
        picked: Picked,
        until: Until,
        deadline: Option<Duration>,
    },
    /// Stop: until what was stopped has settled, and what had an end that was not proved has been looked at again.
    Stopped {
        picked: Picked,
        reviews: BTreeSet<ChildId>,
    },
    /// Reconnect: until it is known what became of those that were looked for; others of the pick may go on.
    Looked {
        picked: Picked,
        looks: BTreeSet<ChildId>,
    },
    /// Suspend and resume: until it is known what became of those that were told to.
    Moved {
        jobs: Vec<JobId>,
        children: BTreeSet<ChildId>,
        refused: Vec<Refusal>,
    },
    /// Remove: until what was stopped for it has settled.
    Removal {
        jobs: BTreeSet<JobId>,
        refused: Vec<Refusal>,
    },
    /// Receive: until there is something to receive.
    Receive { ask: ReceiveAsk, picked: Picked },
}

impl Pending {
    /// Whether a change of one of these jobs can make the answer due.
    fn concerns(&self, changed: &BTreeSet<JobId>, fleet: &Fleet) -> bool {
        match self {
            Self::Settled { picked, .. }
            | Self::Stopped { picked, .. }
            | Self::Looked { picked, .. }
            | Self::Receive { picked, .. } => {
                !picked.jobs.is_disjoint(changed)
                    || picked
                        .children
                        .iter()
                        .any(|child| match fleet.find_child(*child) {
                            Some((job, _)) => changed.contains(&job.id),
                            None => true,
                        })
            }
            Self::Moved { children, .. } => children.iter().any(|child| {
                fleet
                    .find_child(*child)
                    .is_none_or(|(job, _)| changed.contains(&job.id))
            }),
            Self::Removal { jobs, .. } => !jobs.is_disjoint(changed),
        }
    }
}

impl Fleet {
    /// Answers a command if that is due already, and parks it if not.
    pub(super) fn wait(
        &mut self,
        now: Moment,
        ticket: Ticket,
        pending: Pending,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(answer) = self.answer_if_due(now, &pending, effects) {
            return effects.push(Effect::Answer(ticket, answer));
        }
        if let Pending::Settled {
            deadline: Some(at), ..
        } = pending
        {
            self.timers.insert((at, Timer::Wait(ticket)));
        }
        self.waits.insert(ticket, pending);
    }

    pub(super) fn forget_wait(&mut self, ticket: Ticket) {
        if let Some(Pending::Settled {
            deadline: Some(at), ..
        }) = self.waits.remove(&ticket)
        {
            self.timers.remove(&(at, Timer::Wait(ticket)));
        }
    }

    /// Answers everything that has become due by the input at hand.
    pub(super) fn answer_waits(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        // Answering can change jobs (a removal), which can make others due.
        while !self.changed.is_empty() {
            let changed = std::mem::take(&mut self.changed);
            let concerned: Vec<Ticket> = self
                .waits
                .iter()
                .filter(|(_, pending)| pending.concerns(&changed, self))
                .map(|(ticket, _)| *ticket)
                .collect();
            for ticket in concerned {
                let Some(pending) = self.waits.remove(&ticket) else {
                    continue;
                };
                match self.answer_if_due(now, &pending, effects) {
                    Some(answer) => {
                        if let Pending::Settled {
                            deadline: Some(at), ..
                        } = pending
                        {
                            self.timers.remove(&(at, Timer::Wait(ticket)));
                        }
                        effects.push(Effect::Answer(ticket, answer));
                    }
                    None => _ = self.waits.insert(ticket, pending),
                }
            }
        }
    }

    fn answer_if_due(
        &mut self,
        now: Moment,
        pending: &Pending,
        effects: &mut Vec<Effect>,
    ) -> Option<Answer> {
        match pending {
            Pending::Settled {
                picked,
                until,
                deadline,
            } => {
                let expired = deadline.is_some_and(|at| at <= now.mono);
                let how = if self.has_settled(picked, *until) {
                    Settled::Reached
                } else if expired {
                    Settled::TimedOut
                } else {
                    return None;
                };
                Some(Answer::Settled {
                    picked: picked.clone(),
                    how,
                })
            }
            Pending::Stopped { picked, reviews } => {
                let over = self.has_settled(picked, Until::All) && !self.any_looked_at(reviews);
                over.then(|| Answer::Settled {
                    picked: picked.clone(),
                    how: Settled::Reached,
                })
            }
            Pending::Looked { picked, looks } => {
                (!self.any_looked_at(looks)).then(|| Answer::Settled {
                    picked: picked.clone(),
                    how: Settled::Reached,
                })
            }
            Pending::Moved {
                jobs,
                children,
                refused,
            } => {
                let moving = |child: &ChildId| {
                    self.child(*child)
                        .is_some_and(|child| child.moving.is_some())
                };
                (!children.iter().any(moving)).then(|| Answer::Moved {
                    jobs: jobs.clone(),
                    children: children.clone(),
                    refused: refused.clone(),
                })
            }
            Pending::Removal { jobs, refused } => {
                let settled = jobs
                    .iter()
                    .filter_map(|id| self.jobs.get(id))
                    .all(super::job::Job::is_settled);
                settled.then(|| self.finish_removal(now, jobs, refused.clone(), effects))
            }
            Pending::Receive { ask, picked } => self.try_receive(ask, picked),
        }
    }

    /// Whether a look at any of these is under way.
    fn any_looked_at(&self, children: &BTreeSet<ChildId>) -> bool {
        children.iter().any(|child| {
            self.child(*child)
                .is_some_and(|child| !child.state.is_settled() || child.review.is_some())
        })
    }

    /// Whether all, or any, of what was picked has settled.  What is gone has.  A pick of nothing has.
    fn has_settled(&self, picked: &Picked, until: Until) -> bool {
        let mut items = picked
            .jobs
            .iter()
            .map(|id| self.jobs.get(id).is_none_or(super::job::Job::is_settled))
            .chain(
                picked
                    .children
                    .iter()
                    .map(|id| self.child(*id).is_none_or(|child| child.state.is_settled())),
            )
            .peekable();
        match until {
            _ if items.peek().is_none() => true,
            Until::All => items.all(|settled| settled),
            Until::Any => items.any(|settled| settled),
        }
    }

    pub(super) fn wait_ran_out(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        if let Some(Pending::Settled { picked, .. }) = self.waits.remove(&ticket) {
            effects.push(Effect::Answer(
                ticket,
                Answer::Settled {
                    picked,
                    how: Settled::TimedOut,
                },
            ));
        }
    }
}

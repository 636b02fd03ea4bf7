//! The queue, and what runners report of the children they carry.

use super::fleet::{Effect, Fleet, Report};
use super::ids::{ChildId, JobId};
use super::job::Queue;
use super::ladder::LIFELINE_GRACE;
use super::proof::proof_limit;
use super::question::Need;
use super::reason::{Fate, Reason};
use super::spec::{Ended, Inquiry};
use super::state::ChildState;
use super::time::Moment;

impl Fleet {
    /// Starts queued children, in host order, while there are slots.
    pub(super) fn fill_slots(&mut self, now: Moment, id: JobId, effects: &mut Vec<Effect>) {
        while let Some(job) = self.jobs.get_mut(&id)
            && job.queue == Queue::Flowing
            && job.tally.slots() < job.fanout.get()
            && job.next < job.children.len()
        {
            let index = job.next;
            job.next += 1;
            // A child stopped while it was queued is passed over.
            if job.children[index].state == ChildState::NotStarted {
                self.guard(now, id, index);
                self.set_state(now, id, index, ChildState::Connecting);
                effects.push(Effect::Start(id.child(index)));
            }
        }
    }

    /// A server that lets us in and then never starts the command must not outlast the command's own limit.
    pub(super) fn guard(&mut self, now: Moment, id: JobId, index: usize) {
        let limits = self.jobs[&id].spec.limits;
        let guard = limits
            .command
            .map(|limit| now.mono + limits.connect + limit);
        self.set_timer(id, index, guard);
    }

    pub(super) fn report(
        &mut self,
        now: Moment,
        child: ChildId,
        report: Report,
        effects: &mut Vec<Effect>,
    ) {
        let Some((job, index)) = self.find_child(child) else {
            return;
        };
        let (id, state) = (job.id, job.children[index].state.clone());
        match report {
            Report::Output { end, gap } => return self.output_arrived(id, index, end, gap),
            Report::Full => self.output_is_full(now, id, index, effects),
            Report::Began(trace) => {
                if let Some(child) = self.jobs.get_mut(&id).map(|job| &mut job.children[index]) {
                    child.trace = Some(trace);
                    child.began = Some(now);
                }
                if state == ChildState::Connecting {
                    let limit = self.jobs[&id].spec.limits.command;
                    self.set_timer(id, index, limit.map(|limit| now.mono + limit));
                    self.set_state(now, id, index, ChildState::Running);
                }
            }
            Report::Asks(question) => {
                if matches!(
                    state,
                    ChildState::Connecting | ChildState::Running | ChildState::Blocked(_)
                ) {
                    self.ask(now, id, index, question);
                }
            }
            Report::Held => {
                if matches!(state, ChildState::Connecting | ChildState::Running) {
                    self.set_state(now, id, index, ChildState::Blocked(Need::Receiver));
                }
            }
            Report::GoesOn => self.go_on(now, id, index),
            Report::Moved(motion, moved) => self.moved(now, id, index, motion, moved),
            Report::Ended(ended) => self.run_ended(now, id, index, ended, effects),
            Report::Proved(proof) => self.proved(now, id, index, proof, effects),
        }
        self.fill_slots(now, id, effects);
    }

    fn run_ended(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        ended: Ended,
        effects: &mut Vec<Effect>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let child = &mut job.children[index];
        match &ended {
            Ended::Exited(code) => child.exit = Some(*code),
            Ended::Signaled(name) => child.signal = Some(name.clone()),
            Ended::NotStarted(_) | Ended::Aborted | Ended::Lost(_) => {}
        }
        match &child.state {
            ChildState::Connecting
            | ChildState::Running
            | ChildState::Blocked(_)
            | ChildState::Suspended(_) => {}
            ChildState::Stopping(_) => {
                return self.ended_while_stopping(now, id, index, &ended, effects);
            }
            // The verdict has been given: a probe spoke before the connection did.
            ChildState::NotStarted
            | ChildState::Disconnected { .. }
            | ChildState::Completed
            | ChildState::Failed(_)
            | ChildState::Stopped(_) => return,
        }
        let state = match ended {
            Ended::Exited(code) if job.spec.ok_exit.contains(&code) => ChildState::Completed,
            Ended::Exited(code) => ChildState::Failed(Reason::Exit(code)),
            Ended::Signaled(name) => ChildState::Failed(Reason::Signal(name)),
            Ended::NotStarted(reason) => ChildState::Failed(reason),
            Ended::Aborted => ChildState::Stopped(Reason::StoppedBeforeStart),
            Ended::Lost(why) => {
                let pid = child.trace.as_ref().map(|trace| trace.pid);
                let until = now.mono + proof_limit(&job.spec.limits, LIFELINE_GRACE);
                self.set_timer(id, index, Some(until));
                let inquiry = Inquiry::End {
                    grace: LIFELINE_GRACE,
                };
                effects.push(Effect::Prove(id.child(index), inquiry));
                return self.set_state(
                    now,
                    id,
                    index,
                    ChildState::Disconnected {
                        why,
                        fate: Fate::Probing { pid },
                    },
                );
            }
        };
        self.set_timer(id, index, None);
        self.set_state(now, id, index, state);
    }
}

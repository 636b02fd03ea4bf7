//! Looking again at ends that were not proved.  The state is final and stays; what is known of what is left gets better.

use std::time::Duration;

use super::fleet::{Effect, Fleet};
use super::ids::{ChildId, JobId};
use super::proof::proof_limit;
use super::reason::Left;
use super::spec::{Inquiry, Proof};
use super::state::ChildState;
use super::time::Moment;

/// A look that is under way at an end that was not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Review {
    /// It ends nothing.
    Look,
    /// As `Look`; what it finds is to be ended, which was asked for meanwhile.
    LookThenEnd { grace: Duration },
    /// It ends what it finds.
    End,
}

/// What a stop is not proved to have ended of a child in this state.
pub(super) fn unproved(state: &ChildState) -> Option<&Left> {
    match state {
        ChildState::Failed(reason) | ChildState::Stopped(reason) => reason.unproved(),
        ChildState::NotStarted
        | ChildState::Connecting
        | ChildState::Running
        | ChildState::Blocked(_)
        | ChildState::Suspended(_)
        | ChildState::Stopping(_)
        | ChildState::Disconnected { .. }
        | ChildState::Completed => None,
    }
}

impl Fleet {
    /// Asks for another look at a child whose end was not proved, and names the child if that is one.
    pub(super) fn review(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        inquiry: Inquiry,
        effects: &mut Vec<Effect>,
    ) -> Option<ChildId> {
        let child = &mut self.jobs.get_mut(&id)?.children[index];
        unproved(&child.state)?;
        match (child.review, inquiry) {
            (None, inquiry) => self.begin_review(now, id, index, inquiry, effects),
            (Some(Review::Look), Inquiry::End { grace }) => {
                child.review = Some(Review::LookThenEnd { grace });
            }
            (Some(Review::Look), Inquiry::Look)
            | (Some(Review::LookThenEnd { .. } | Review::End), _) => {}
        }
        Some(id.child(index))
    }

    fn begin_review(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        inquiry: Inquiry,
        effects: &mut Vec<Effect>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let (review, grace) = match inquiry {
            Inquiry::Look => (Review::Look, Duration::ZERO),
            Inquiry::End { grace } => (Review::End, grace),
        };
        job.children[index].review = Some(review);
        let until = now.mono + proof_limit(&job.spec.limits, grace);
        self.set_timer(id, index, Some(until));
        effects.push(Effect::Prove(id.child(index), inquiry));
    }

    /// A probe has answered, or will not.  One that found nothing out takes away nothing that was seen before.
    pub(super) fn reviewed(
        &mut self,
        now: Moment,
        id: JobId,
        index: usize,
        proof: Proof,
        effects: &mut Vec<Effect>,
    ) {
        self.set_timer(id, index, None);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let child = &mut job.children[index];
        let pid = child.trace.as_ref().map(|trace| trace.pid);
        let left = match (proof, unproved(&child.state)) {
            (Proof::Gone, _) => Some(Left::Nothing),
            (Proof::Alive(pids), _) => Some(Left::Alive(pids)),
            (Proof::Unknown(why), Some(Left::Unproved { .. })) => Some(Left::Unproved { pid, why }),
            (Proof::Unknown(_), Some(Left::Alive(_) | Left::Nothing) | None) => None,
        };
        if let (Some(left), ChildState::Failed(reason) | ChildState::Stopped(reason)) =
            (left, &mut child.state)
        {
            reason.learn_left(left);
        }
        let review = child.review.take();
        let proved = unproved(&child.state).is_none();
        self.touch_child(id, index);
        if let (Some(Review::LookThenEnd { grace }), false) = (review, proved) {
            self.begin_review(now, id, index, Inquiry::End { grace }, effects);
        }
    }
}

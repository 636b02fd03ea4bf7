//! Children that wait for an answer, and the questions they wait with.
//!
//! A question is open as long as a child is Blocked with it: an answer, a stop, a limit or the end of the run takes the
//! child from it, and with the last one it is gone.  [`Fleet::set_state`] is the one place where that happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Answer, Unanswered};
use super::fleet::{Effect, Fleet, Ticket};
use super::ids::{ChildId, JobId};
use super::journal::Revision;
use super::question::{Need, Question, QuestionId, Response};
use super::state::ChildState;
use super::time::Moment;

/// A question that some children wait with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub id: QuestionId,
    pub question: Arc<Question>,
    /// Who waits; never empty.
    pub children: BTreeSet<ChildId>,
    /// When it was asked first.
    pub asked: Moment,
    scope: Option<JobId>,
}

/// All open questions.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<QuestionId, Open>,
    /// The same by what is asked, and of whom where that matters.
    index: BTreeMap<(Option<JobId>, Arc<Question>), QuestionId>,
    last: u64,
    changed: Revision,
}

impl Questions {
    /// Adds a child to those that ask; the same question is the same for all of them.
    fn ask(
        &mut self,
        now: Moment,
        job: JobId,
        child: ChildId,
        question: Question,
    ) -> (QuestionId, Arc<Question>) {
        let (scope, question) = (question.scope(job), Arc::new(question));
        let last = &mut self.last;
        let id = *self
            .index
            .entry((scope, Arc::clone(&question)))
            .or_insert_with(|| {
                *last += 1;
                QuestionId(*last)
            });
        let open = self.open.entry(id).or_insert_with(|| Open {
            id,
            question,
            children: BTreeSet::new(),
            asked: now,
            scope,
        });
        open.children.insert(child);
        (id, Arc::clone(&open.question))
    }

    /// A child does not wait any more.
    fn withdraw(&mut self, id: QuestionId, child: ChildId) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.children.remove(&child);
        if open.children.is_empty()
            && let Some(Open {
                scope, question, ..
            }) = self.open.remove(&id)
        {
            self.index.remove(&(scope, question));
        }
    }
}

/// The question a child in this state waits with.
pub(super) fn asked_in(state: &ChildState) -> Option<QuestionId> {
    match state {
        ChildState::Blocked(Need::Answer { id, .. }) => Some(*id),
        ChildState::Blocked(Need::Receiver)
        | ChildState::NotStarted
        | ChildState::Connecting
        | ChildState::Running
        | ChildState::Suspended(_)
        | ChildState::Stopping(_)
        | ChildState::Disconnected { .. }
        | ChildState::Completed
        | ChildState::Failed(_)
        | ChildState::Stopped(_) => None,
    }
}

impl Fleet {
    /// The open questions, oldest first.
    pub fn questions(&self) -> impl Iterator<Item = &Open> {
        self.questions.open.values()
    }

    /// When the set of open questions, or who waits with one, last changed.
    pub fn questions_changed(&self) -> Revision {
        self.questions.changed
    }

    /// Blocks a child with a question.  Before the command runs, the time an operator thinks counts
    /// against no limit but the whole job's.
    pub(super) fn ask(&mut self, now: Moment, id: JobId, index: usize, question: Question) {
        let child = id.child(index);
        let (asked, question) = self.questions.ask(now, id, child, question);
        if asked_in(&self.jobs[&id].children[index].state) == Some(asked) {
            return;
        }
        if self.jobs[&id].children[index].began.is_none() {
            self.set_timer(id, index, None);
        }
        let need = Need::Answer {
            id: asked,
            question,
        };
        self.set_state(now, id, index, ChildState::Blocked(need));
        self.questions.changed = self.revision();
    }

    /// Lets a blocked child go on where it was.
    pub(super) fn go_on(&mut self, now: Moment, id: JobId, index: usize) {
        let child = &self.jobs[&id].children[index];
        if !matches!(child.state, ChildState::Blocked(_)) {
            return;
        }
        if child.began.is_some() {
            self.set_state(now, id, index, ChildState::Running);
        } else {
            self.guard(now, id, index);
            self.set_state(now, id, index, ChildState::Connecting);
        }
    }

    /// A child does not wait any more with the question it may have waited with.
    pub(super) fn leave_question(&mut self, child: ChildId, asked: Option<QuestionId>) {
        if let Some(id) = asked {
            self.questions.withdraw(id, child);
            self.questions.changed = self.revision();
        }
    }

    /// Passes an answer on to everybody who waits for it.
    pub(super) fn answer_questions(
        &mut self,
        now: Moment,
        ticket: Ticket,
        questions: &[QuestionId],
        response: Response,
        effects: &mut Vec<Effect>,
    ) {
        let (mut answered, mut refused) = (Vec::new(), Vec::new());
        let wanted: BTreeSet<QuestionId> = questions.iter().copied().collect();
        for id in wanted {
            let Some(open) = self.questions.open.get(&id).cloned() else {
                refused.push(if id.0 == 0 || id.0 > self.questions.last {
                    Unanswered::Unknown(id)
                } else {
                    Unanswered::Closed(id)
                });
                continue;
            };
            if !open.question.takes(response) {
                refused.push(Unanswered::Unfit(id, open.question));
                continue;
            }
            for child in &open.children {
                effects.push(Effect::Reply(*child, response));
                if let Some((job, index)) = self.find_child(*child) {
                    let job = job.id;
                    self.go_on(now, job, index);
                }
            }
            answered.push(open);
        }
        effects.push(Effect::Answer(
            ticket,
            Answer::Answered { answered, refused },
        ));
    }
}

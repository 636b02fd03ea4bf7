//! Secrets of a job that was started here to see its table: asked for by themselves, and never of whoever is at something
//! else.

use super::App;
use super::answering::children_of;
use super::overlay::Overlay;
use super::pages::Content;
use crate::wire::look::{Question, QuestionKind};

/// A job whose table somebody waits for who has pressed no key since, but to answer it.
#[derive(Debug)]
pub(super) struct Awaited {
    job: u64,
    /// The last question of it that was opened; those before it were put off or are answered.
    opened: Option<u64>,
    dialog: Dialog,
}

/// Whether somebody can have seen a question that was opened by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialog {
    Seen,
    /// It was opened since the last picture: keys are not meant for it.
    Unseen,
}

impl App {
    /// Somebody has started a job, and waits for its table.
    pub(super) fn await_secrets(&mut self, job: u64) {
        self.awaited = Some(Awaited {
            job,
            opened: None,
            dialog: Dialog::Seen,
        });
    }

    /// A key, a click or pasted text: false if it came for what was on the screen before a question was.
    pub(super) fn is_meant_for_what_is_seen(&mut self) -> bool {
        if let (Some(awaited), Some(Overlay::Answer(_))) = (&self.awaited, &self.overlay) {
            return awaited.dialog == Dialog::Seen;
        }
        self.awaited = None;
        true
    }

    /// A picture is about to be drawn.
    pub(super) fn dialog_is_shown(&mut self) {
        if let Some(awaited) = &mut self.awaited {
            awaited.dialog = Dialog::Seen;
        }
    }

    /// Opens the next secret that is asked for, if nobody is at something else.
    pub(super) fn open_what_is_awaited(&mut self) {
        let Some(awaited) = &self.awaited else { return };
        if self.overlay.is_some() || self.bar.is_some() {
            return;
        }
        let job = awaited.job;
        let is_table = |content: &Content| matches!(content, Content::Table(_));
        let top = self.pages.last();
        if !top.is_some_and(|page| is_table(&page.content) && page.jobs.contains(&job)) {
            return;
        }
        let Some(entry) = self.model.job(job) else {
            return;
        };
        let children = children_of(&entry.job);
        let is_secret = |question: &&Question| {
            matches!(question.kind, QuestionKind::Secret { .. })
                && awaited.opened < Some(question.id)
                && question
                    .children
                    .iter()
                    .any(|child| children.contains(child))
        };
        let asked = self.model.questions().iter().filter(is_secret);
        let Some(next) = asked.min_by_key(|question| question.id).cloned() else {
            return;
        };
        self.awaited = Some(Awaited {
            job,
            opened: Some(next.id),
            dialog: Dialog::Unseen,
        });
        self.open_question(next);
    }
}

//! Answering what children wait for: which question is opened, and what the keys do in it.

use std::ops::RangeInclusive;

use ratatui::layout::Rect;

use super::asking::of;
use super::overlay::Overlay;
use super::verbs::deed;
use super::{Acting, App};
use crate::config::keys::{Code, Held, Key};
use crate::secret::{Answer, Secret};
use crate::tui::questions::Answering;
use crate::wire::Request;
use crate::wire::look::{Question, QuestionKind};
use crate::wire::reply::{JobView, Jobs};

impl App {
    pub(super) fn key_in_answer(
        &mut self,
        mut answering: Box<Answering>,
        key: Key,
    ) -> Option<Overlay> {
        let choice = answering.is_a_choice();
        let one = vec![answering.question.id];
        match (key.code, key.held) {
            (Code::Esc, _) => {
                self.awaited = None;
                self.say("not answered: it still waits");
                return None;
            }
            (Code::Char('c'), Held::CTRL) => {
                self.awaited = None;
                return None;
            }
            (Code::Char('y'), Held::NONE) if choice => self.give(one, Answer::Accept),
            (Code::Char('a'), Held::NONE) if choice && answering.alike.len() > 1 => {
                self.give(answering.alike.clone(), Answer::Accept);
            }
            (Code::Char('n'), Held::NONE) if choice => self.give(one, Answer::Refuse),
            (Code::Char('n'), Held::CTRL) if !choice => self.give(one, Answer::Refuse),
            // Nothing is no answer: Enter twice is a slip.
            (Code::Enter, _) if !choice && !answering.is_empty() => {
                let typed = answering.take();
                self.give(one, Answer::Secret(Secret::new(typed)));
            }
            (Code::Up | Code::Down | Code::PageUp | Code::PageDown, _) => {
                let area = Rect::new(0, 0, self.size.0, self.size.1);
                answering.scroll(
                    area,
                    if matches!(key.code, Code::Up | Code::PageUp) {
                        -1
                    } else {
                        1
                    },
                );
                return Some(Overlay::Answer(answering));
            }
            (Code::Char('u'), Held::CTRL) => {
                answering.erase_all();
                return Some(Overlay::Answer(answering));
            }
            (Code::Backspace, _) => {
                answering.erase();
                return Some(Overlay::Answer(answering));
            }
            (Code::Char(c), Held::NONE) if !choice => {
                answering.type_char(c);
                return Some(Overlay::Answer(answering));
            }
            _ => return Some(Overlay::Answer(answering)),
        }
        None
    }

    fn give(&mut self, questions: Vec<u64>, answer: Answer) {
        let request = Request::Answer { questions, answer };
        self.do_it(deed("answer".to_string(), "answer"), request);
    }

    /// Opens the question that a child waits for.
    pub(super) fn answer_child(&mut self, child: u64) -> bool {
        let Some(question) = self.model.question_of(child).cloned() else {
            return false;
        };
        self.open_question(question);
        true
    }

    /// Opens the oldest question that a job's children wait for.
    pub(super) fn answer_job(&mut self, job: u64) -> bool {
        let children = self.model.job(job).map(|entry| children_of(&entry.job));
        let Some(question) = children.and_then(|of| self.oldest(|child| of.contains(&child)))
        else {
            return false;
        };
        self.open_question(question);
        true
    }

    /// Opens the oldest question that the jobs of the table on top wait for.
    pub(super) fn answer_table(&mut self) -> bool {
        if self.table().is_none() {
            return false;
        }
        let jobs = self.pages.last().map(|page| page.jobs.clone());
        jobs.into_iter().flatten().any(|job| self.answer_job(job))
    }

    /// Opens the oldest question of what is looked at, or else of all.
    pub(super) fn answer_next(&mut self) {
        if self.answer_table() {
            return;
        }
        match self.oldest(|_| true) {
            Some(question) => self.open_question(question),
            None => self.say("nobody waits for an answer"),
        }
    }

    /// Opens the oldest question that what was selected waits for.
    pub(super) fn answer_selected(&mut self, found: &Jobs) {
        let selected = |child: u64| {
            found.jobs.iter().any(|job| {
                let mut chosen = found
                    .children
                    .iter()
                    .filter(|child| child.job == job.id)
                    .peekable();
                match chosen.peek() {
                    Some(_) => chosen.any(|chosen| chosen.id == child),
                    None => children_of(job).contains(&child),
                }
            })
        };
        match self.oldest(selected) {
            Some(question) => self.open_question(question),
            None => self.say(format!("nothing of {} waits for an answer", of(found))),
        }
    }

    /// The oldest open question that one of these children waits for.
    fn oldest(&self, waits: impl Fn(u64) -> bool) -> Option<Question> {
        let open = self.model.questions().iter();
        let asked = open.filter(|question| question.children.iter().any(|child| waits(*child)));
        asked.min_by_key(|question| question.id).cloned()
    }

    pub(super) fn open_question(&mut self, question: Question) {
        if self.flags.acting == Acting::ReadOnly {
            return self.say("read-only: answering is switched off");
        }
        let is_key = |kind: &QuestionKind| matches!(kind, QuestionKind::HostKey { .. });
        let alike = if is_key(&question.kind) {
            let keys = self
                .model
                .questions()
                .iter()
                .filter(|other| is_key(&other.kind));
            keys.map(|other| other.id).collect()
        } else {
            vec![question.id]
        };
        self.overlay = Some(Overlay::Answer(Box::new(Answering::new(question, alike))));
    }
}

/// The ids of a job's children.
pub(super) fn children_of(job: &JobView) -> RangeInclusive<u64> {
    job.id + 1..=job.id + u64::from(job.children())
}

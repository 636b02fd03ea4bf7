//! What the operator has done: carried out by the engine, told of when it holds, and entered with the command line that
//! does the same from a shell.

use super::asked::Purpose;
use super::{App, Quitting};
use crate::command::Begin;
use crate::config::queries::Query;
use crate::core::select::Selector;
use crate::tui::event::Action;
use crate::tui::events::{Happening, Weight};
use crate::tui::tree::RowId;
use crate::view::count::{Noun, counted};
use crate::wire::reply::{ChildView, Settled};
use crate::wire::{Reply, Request};

/// A deed that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    /// The command line that does the same.
    pub(super) line: String,
    /// What it is called where its outcome is told: `stop`, `rerun`, ...
    pub(super) verb: &'static str,
    pub(super) then: Then,
}

/// What follows once it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// The cursor goes to the job that came of it.
    GoToJob,
    /// As that, and its output is opened.
    OpenJob,
    /// As that, and its rows are shown.
    OpenTable,
    /// The console is left.
    Leave,
}

impl Then {
    pub(super) fn of(typed: Begin) -> Self {
        if typed.wait {
            Self::OpenJob
        } else {
            Self::GoToJob
        }
    }

    /// A query's output is rows, unless it says nothing of them.
    pub(super) fn of_query(typed: Begin, query: &Query) -> Self {
        match Self::of(typed) {
            Self::OpenJob if query.shape.is_some() => Self::OpenTable,
            then => then,
        }
    }
}

impl App {
    /// Has something done.
    pub(super) fn do_it(&mut self, deed: Deed, request: Request) {
        let ticket = self.asked.ticket(Purpose::Deed(deed));
        self.actions.push(Action::Ask(ticket, Box::new(request)));
    }

    /// What became of a deed.
    pub(super) fn was_done(&mut self, deed: &Deed, reply: Reply) {
        match reply {
            Reply::Submitted(job) => {
                let text = format!("job {} {} runs on {}", job.id, job.name, job.targets);
                self.enter(Some(job.id), text.clone(), deed, Weight::Ordinary);
                self.say(text);
                self.follow(job.id, deed.then);
            }
            Reply::Rerun { jobs, refused } => {
                for job in &jobs {
                    let text = format!("job {} {} runs again on {}", job.id, job.name, job.targets);
                    self.enter(Some(job.id), text.clone(), deed, Weight::Ordinary);
                    self.say(text);
                    self.follow(job.id, deed.then);
                }
                self.refused(deed, &refused);
            }
            Reply::Changed {
                jobs,
                unknown,
                refused,
            } => {
                if !jobs.is_empty() {
                    let text = format!("{}: {}", deed.verb, numbered(&jobs));
                    self.enter(jobs.first().copied(), text.clone(), deed, Weight::Ordinary);
                    self.say(text);
                }
                self.refused(deed, &unknown);
                self.refused(deed, &refused);
            }
            Reply::Moved {
                jobs,
                children,
                unknown,
                refused,
            } => {
                self.moved(deed, &jobs, &children);
                self.refused(deed, &unknown);
                self.refused(deed, &refused);
            }
            Reply::Settled(settled) => self.settled(deed, &settled),
            Reply::Removed {
                jobs,
                left,
                unknown,
                refused,
            } => {
                if !jobs.is_empty() {
                    let text = format!("removed {}", numbered(&jobs));
                    self.enter(None, text.clone(), deed, Weight::Ordinary);
                    self.say(text);
                }
                for left in left {
                    self.complain(format!("{}.{}: {}", left.job, left.host, left.reason));
                }
                self.refused(deed, &unknown);
                self.refused(deed, &refused);
            }
            Reply::Answered { questions, refused } => {
                if !questions.is_empty() {
                    let text = match questions.len() {
                        1 => "answered".to_string(),
                        count => format!("answered {}", counted(count, Noun::Question)),
                    };
                    self.enter(None, text.clone(), deed, Weight::Ordinary);
                    self.say(text);
                }
                self.refused(deed, &refused);
            }
            other => self.complain(format!(
                "{}: the engine answered out of turn: {other:?}",
                deed.verb
            )),
        }
        if deed.then == Then::Leave && self.quitting == Quitting::WhenStopped {
            self.leave_now();
        }
    }

    fn settled(&mut self, deed: &Deed, settled: &Settled) {
        let jobs: Vec<u64> = settled.jobs.iter().map(|job| job.id).collect();
        let what = if jobs.is_empty() {
            let children: Vec<String> = settled
                .children
                .iter()
                .map(|child| format!("{}.{} {}", child.job, child.host, child.state))
                .collect();
            capped(&children)
        } else {
            let jobs: Vec<String> = settled
                .jobs
                .iter()
                .map(|job| {
                    format!(
                        "{} {}: {}",
                        job.id,
                        job.name,
                        crate::view::table::counts(job)
                    )
                })
                .collect();
            capped(&jobs)
        };
        let text = format!("{}: {what}", deed.verb);
        self.enter(jobs.first().copied(), text.clone(), deed, Weight::Ordinary);
        self.say(text);
        self.unconfirmed(&settled.children);
        self.refused(deed, &settled.unknown);
    }

    /// What was told to stand still or to go on.
    fn moved(&mut self, deed: &Deed, jobs: &[u64], children: &[ChildView]) {
        if !jobs.is_empty() || !children.is_empty() {
            let each: Vec<String> = children
                .iter()
                .map(|child| format!("{}.{} {}", child.job, child.host, child.state))
                .collect();
            let what = if each.is_empty() {
                numbered(jobs)
            } else {
                capped(&each)
            };
            let text = format!("{}: {what}", deed.verb);
            let job = jobs
                .first()
                .copied()
                .or(children.first().map(|child| child.job));
            self.enter(job, text.clone(), deed, Weight::Ordinary);
            self.say(text);
        }
        self.unconfirmed(children);
    }

    /// What may still run is what matters most: it is said last, and stays.
    fn unconfirmed(&mut self, children: &[ChildView]) {
        let mut doubtful = children
            .iter()
            .filter_map(|child| Some((child, child.reason.as_ref().filter(|it| it.unconfirmed)?)));
        if let Some((first, reason)) = doubtful.next() {
            let others = match doubtful.count() {
                0 => String::new(),
                others => format!(" (and {others} more)"),
            };
            self.complain(format!(
                "{}.{}: {}{others}",
                first.job, first.host, reason.text
            ));
        }
    }

    fn refused(&mut self, deed: &Deed, refused: &[String]) {
        if !refused.is_empty() {
            self.complain(format!("{}: {}", deed.verb, capped(refused)));
        }
    }

    pub(super) fn follow(&mut self, job: u64, then: Then) {
        match then {
            Then::Nothing | Then::Leave => {}
            Then::GoToJob => self.tree.expect(RowId::Job(job)),
            Then::OpenJob => {
                self.tree.expect(RowId::Job(job));
                self.open_job(job);
            }
            Then::OpenTable => {
                self.await_secrets(job);
                self.tree.expect(RowId::Job(job));
                self.open_table(vec![Selector::new(job.to_string())]);
            }
        }
    }

    /// Enters a deed into the events.
    pub(super) fn enter(&mut self, job: Option<u64>, text: String, deed: &Deed, weight: Weight) {
        self.events.push(Happening {
            at: self.now.wall,
            job,
            text,
            line: Some(crate::command::line::for_shell(&deed.line)),
            weight,
        });
    }
}

/// `job 7`, `jobs 7, 9 and 12 more`.
fn numbered(jobs: &[u64]) -> String {
    let ids: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    format!("{} {}", Noun::Job.word(jobs.len()), capped(&ids))
}

/// The first few, and how many more there are.
pub(super) fn capped(texts: &[String]) -> String {
    const MOST: usize = 4;
    if texts.len() <= MOST {
        return texts.join(", ");
    }
    format!(
        "{} and {} more",
        texts[..MOST].join(", "),
        texts.len() - MOST
    )
}

//! What comes back: each answer to whoever asked.

use super::asked::{Purpose, Silence};
use super::deeds::Then;
use super::overlay::Overlay;
use super::{App, Quitting};
use crate::core::state::State;
use crate::tui::event::{Action, Failure, Handed, Planned, Ran, Ticket};
use crate::tui::events::{Happening, Weight};
use crate::view::count::{Noun, counted};
use crate::wire::look::Question;
use crate::wire::request::Attend;
use crate::wire::{Reply, Request};

impl App {
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Result<Reply, Failure>) {
        let Some(purpose) = self.asked.purpose(ticket).cloned() else {
            return;
        };
        let reply = match answer {
            Ok(reply) => reply,
            Err(failure) => {
                self.asked.take(ticket);
                return self.failed(&purpose, failure);
            }
        };
        match (purpose, reply) {
            (Purpose::Deed(deed), reply) => {
                self.asked.take(ticket);
                self.was_done(&deed, reply);
                self.leave_if_done();
            }
            (Purpose::Selection(mut selected), Reply::Jobs(jobs)) => {
                let last = jobs.last;
                selected.found.jobs.extend(jobs.jobs);
                selected.found.children.extend(jobs.children);
                selected.found.unknown.extend(jobs.unknown);
                self.asked.take(ticket);
                if last {
                    self.selected(*selected);
                } else {
                    self.asked.put_back(ticket, Purpose::Selection(selected));
                }
            }
            (Purpose::Tails, Reply::Rows(rows)) => {
                self.asked.take(ticket);
                self.model.set_tails(rows);
            }
            (Purpose::Fold(_, ignored), Reply::Folded(folded)) => {
                self.asked.take(ticket);
                // It may have been set anew meanwhile.
                if ignored == self.ignored {
                    self.model.set_fold(folded);
                }
            }
            (Purpose::Hosts, Reply::Hosts { hosts, last }) => {
                if last {
                    self.asked.take(ticket);
                }
                self.hosts.told(hosts, last);
            }
            (Purpose::Questions, Reply::Questions(questions)) => {
                self.asked.take(ticket);
                self.questions(questions);
            }
            (Purpose::Shapes, Reply::Shapes(shapes)) => {
                self.asked.take(ticket);
                self.shapes_told(shapes);
            }
            (Purpose::View(view, kind), reply) => self.view_answered(ticket, view, kind, reply),
            (Purpose::Difference(difference), reply) => {
                self.asked.take(ticket);
                self.difference_answered(*difference, reply);
            }
            (
                purpose @ (Purpose::Selection(_)
                | Purpose::Tails
                | Purpose::Fold(..)
                | Purpose::Hosts
                | Purpose::Questions
                | Purpose::Program { .. }
                | Purpose::Past
                | Purpose::Shapes
                | Purpose::Gather(_)
                | Purpose::Arrange(_)
                | Purpose::Compared { .. }
                | Purpose::Earlier(_)
                | Purpose::Local),
                reply,
            ) => {
                self.asked.take(ticket);
                let text = format!("{reply:?}");
                let kind: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
                self.complain(format!(
                    "the engine answered {purpose:?} out of turn: {kind}"
                ));
            }
        }
    }

    /// Nothing came of it.  What the console asks by itself is asked again by itself; the header says why.
    fn failed(&mut self, purpose: &Purpose, failure: Failure) {
        match purpose {
            Purpose::Deed(deed) => {
                let text = format!("{}: {}", deed.verb, sentence(failure));
                self.enter(None, text.clone(), deed, Weight::Problem);
                self.complain(text);
                if deed.then == Then::Leave && self.is_leaving() {
                    self.complain("not everything could be stopped, so the console stays");
                }
                if deed.then == Then::Leave || self.quitting == Quitting::WhenRemoved {
                    self.quitting = Quitting::No;
                }
            }
            Purpose::Selection(_)
            | Purpose::Program { .. }
            | Purpose::Local
            | Purpose::Shapes
            | Purpose::Difference(_) => {
                self.complain(sentence(failure));
            }
            Purpose::View(view, kind) => self.view_failed(*view, *kind, &sentence(failure)),
            Purpose::Tails
            | Purpose::Fold(..)
            | Purpose::Hosts
            | Purpose::Questions
            | Purpose::Gather(_)
            | Purpose::Arrange(_)
            | Purpose::Compared { .. }
            | Purpose::Earlier(_)
            | Purpose::Past => {}
        }
    }

    fn leave_if_done(&mut self) {
        let deeds = self
            .asked
            .any(|purpose| matches!(purpose, Purpose::Deed(_)));
        if self.quitting == Quitting::WhenRemoved && !deeds {
            self.actions.push(Action::Quit);
        }
    }

    pub(super) fn received(&mut self, ticket: Ticket, handed: Result<Handed, Failure>) {
        let Some(Purpose::Deed(deed)) = self.asked.take(ticket) else {
            return;
        };
        match handed {
            Ok(handed) => {
                let text = match handed.bytes {
                    0 => "nothing new to receive".to_string(),
                    bytes => format!(
                        "received {}, {}, from {}; `receive --all` has it again",
                        counted(handed.lines, Noun::Line),
                        crate::view::span::bytes(bytes),
                        counted(handed.children, Noun::Host),
                    ),
                };
                self.enter(None, text.clone(), &deed, Weight::Ordinary);
                self.say(text);
                for refusal in handed.refused {
                    self.complain(refusal);
                }
            }
            Err(failure) => self.failed(&Purpose::Deed(deed), failure),
        }
    }

    /// A program has ended: what it said is shown.
    pub(super) fn ran(&mut self, ticket: Ticket, ran: &Ran) {
        match self.asked.take(ticket) {
            Some(Purpose::Program { title, silence }) => {
                self.unsay();
                if ran.text.is_empty() {
                    return self.say(match (ran.exit, silence) {
                        (Some(0), Silence::Done) => format!("{title}: done"),
                        (Some(0 | 1), Silence::NothingMatches) => {
                            format!("{title}: nothing matches")
                        }
                        (Some(exit), _) => format!("{title}: exit {exit}"),
                        (None, _) => format!("{title}: killed"),
                    });
                }
                let title = match ran.exit {
                    Some(0) => title,
                    Some(exit) => format!("{title} (exit {exit})"),
                    None => format!("{title} (killed)"),
                };
                self.open_text(&title, &ran.text);
            }
            Some(Purpose::Past) => self.past_noted(past(&ran.text)),
            _ => {}
        }
    }

    /// What programs say that are still at work is not waited for any more; false if there are none.
    pub(super) fn let_go_of_programs(&mut self) -> bool {
        let any = self
            .asked
            .let_go(|purpose| matches!(purpose, Purpose::Program { .. }));
        if any {
            self.say("it goes on; what it says is not shown");
        }
        any
    }

    pub(super) fn done(&mut self, ticket: Ticket, done: Result<String, String>) {
        self.asked.take(ticket);
        match done {
            Ok(said) if said.is_empty() => {}
            Ok(said) => self.say(said),
            Err(why) => self.complain(why),
        }
    }

    pub(super) fn job_planned(&mut self, ticket: Ticket, planned: Result<Box<Planned>, Failure>) {
        let Some(Purpose::Deed(deed)) = self.asked.take(ticket) else {
            return;
        };
        match planned {
            Ok(_) if self.is_leaving() => {
                self.complain(format!(
                    "{} was not begun: the console is being left",
                    deed.line
                ));
            }
            Ok(planned) => self.planned(deed, *planned),
            Err(failure) => self.failed(&Purpose::Deed(deed), failure),
        }
    }

    /// The open questions are these now.
    pub(super) fn questions(&mut self, questions: Vec<Question>) {
        let fresh = questions.iter().filter(|question| {
            self.model
                .questions()
                .iter()
                .all(|known| known.id != question.id)
        });
        let fresh: Vec<Question> = fresh.cloned().collect();
        // Somebody else may have answered what is just being answered here.
        if let Some(Overlay::Answer(answering)) = &self.overlay
            && questions
                .iter()
                .all(|question| question.id != answering.question.id)
        {
            self.overlay = None;
            self.say("that question is not open any more");
        }
        self.model.set_questions(questions);
        if let Some(first) = fresh.first() {
            self.complain(crate::view::question::news(first));
        }
    }

    pub(super) fn ask_for_questions(&mut self) {
        self.ask(Purpose::Questions, Request::Questions(Attend::Now));
    }

    /// What was noted before the console began.
    pub(super) fn ask_for_the_past(&mut self) {
        let ticket = self.asked.ticket(Purpose::Past);
        let words = ["audit", "--json", "--limit", "200"].map(String::from);
        self.actions.push(Action::Program(ticket, words.to_vec()));
    }
}

pub(super) fn sentence(failure: Failure) -> String {
    match failure.hint {
        Some(hint) => format!("{}; {hint}", failure.message),
        None => failure.message,
    }
}

/// Entries of the audit log, one a line, as events, oldest first.
fn past(text: &[u8]) -> Vec<Happening> {
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| happening(&serde_json::from_slice(line).ok()?))
        .collect()
}

fn happening(entry: &serde_json::Value) -> Option<Happening> {
    let at: jiff::Timestamp = entry["time"].as_str()?.parse().ok()?;
    let what = entry["what"].as_str()?;
    let results = entry["results"].as_array();
    let details = match results {
        Some(results) => results.iter().map(outcome).collect(),
        None => ["command", "hosts"]
            .iter()
            .filter_map(|part| entry[*part].as_str().map(str::to_string))
            .collect::<Vec<_>>(),
    };
    let bad = [State::Failed, State::Disconnected].map(State::word);
    let is_bad = |result: &serde_json::Value| {
        let state = result["state"].as_str();
        state.is_some_and(|state| bad.contains(&state))
    };
    Some(Happening {
        at: at.as_millisecond(),
        job: entry["job"].as_u64(),
        text: format!("{what} {}", details.join("  "))
            .trim_end()
            .to_string(),
        line: None,
        weight: if results.is_some_and(|results| results.iter().any(is_bad)) {
            Weight::Problem
        } else {
            Weight::Ordinary
        },
    })
}

/// `web12 Failed: exit 3`.
fn outcome(result: &serde_json::Value) -> String {
    let part = |name: &str| result[name].as_str().unwrap_or_default();
    let reason = match part("reason") {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{} {}{reason}", part("hosts"), part("state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_becomes_events() {
        let log = br#"{"time":"2026-11-23T21:40:02.000+00:00","what":"run","who":{"user":"alice"},"job":7,"hosts":"web[01-12]","command":"uptime"}
{"time":"2026-11-23T21:40:04.000+00:00","what":"outcome","job":7,"hosts":"web[01-12]","results":[{"hosts":"web[01-11]","state":"Completed"},{"hosts":"web12","state":"Failed","reason":"exit 3"}]}
3 older entries match too
"#;
        let events = past(log);
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.job, event.text.as_str(), event.weight))
            .collect();
        assert_eq!(
            told,
            [
                (Some(7), "run uptime  web[01-12]", Weight::Ordinary),
                (
                    Some(7),
                    "outcome web[01-11] Completed  web12 Failed: exit 3",
                    Weight::Problem
                ),
            ]
        );
    }
}

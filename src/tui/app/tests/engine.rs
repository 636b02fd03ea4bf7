//! An engine that answers what the console asks at once, from jobs that stay as they are until somebody says otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;

use crate::core::alike::Ignored;
use crate::core::fleet::Command;
use crate::core::output::{Count, Stream};
use crate::core::state::State;
use crate::plan::gather::{Source, Written};
use crate::results::Shape;
use crate::tui::event::{Action, Event, Failure, Handed, Ran, Ticket, Watched};
use crate::tui::gather::Gathered;
use crate::tui::output::tests::store::Store;
use crate::tui::table::part::Part;
use crate::tui::tree::tests::{child, job};
use crate::wire::look::{
    Folded, Group, HostView, LastOutcome, Question, QuestionKind, Reached, Row, RowKind,
};
use crate::wire::reply::{ChildView, JobView, Jobs, Settled};
use crate::wire::request::Children;
use crate::wire::{Reply, Request};

/// When everything here happened.
pub(super) const EPOCH: i64 = 1_700_000_000_000;

/// See the module.
#[derive(Default)]
pub(super) struct Engine {
    pub(super) jobs: BTreeMap<u64, JobView>,
    pub(super) children: Vec<ChildView>,
    pub(super) questions: Vec<Question>,
    /// How the output of queries is read, by job.
    pub(super) shapes: BTreeMap<u64, Shape>,
    store: Store,
}

use State::{Blocked, Completed, Connecting, Disconnected, Failed, Running, Stopping, Suspended};

impl Engine {
    /// Nothing runs any more.
    pub(super) fn quiet() -> Self {
        let mut engine = Self::default();
        engine.add(20, "disks", &[Completed, Failed, Completed]);
        engine.add(30, "uptime", &[Completed, Completed]);
        engine
    }

    /// One job runs, and two wait for answers: 41 whether a host key is right, 51 for a password.
    pub(super) fn busy() -> Self {
        let mut engine = Self::quiet();
        engine.add(10, "patch", &[Running, Running, Completed]);
        engine.add(40, "keys", &[Blocked, Completed]);
        engine.add(50, "login", &[Blocked]);
        let key = QuestionKind::HostKey {
            host: "web01".to_string(),
            algorithm: "ssh-ed25519".to_string(),
            fingerprint: "SHA256:4cHyM7T8zEoLkDq5pXvLq0m1t9nR3sWbYz2aUeIjKfA".to_string(),
            file: "~/.ssh/known_hosts".to_string(),
        };
        let password = QuestionKind::Password {
            account: "deploy".to_string(),
        };
        engine.questions = vec![question(1, key, 41), question(2, password, 51)];
        engine
    }

    pub(super) fn add(&mut self, id: u64, name: &str, states: &[State]) {
        let any = |state: State| states.contains(&state);
        let worst = [
            Blocked,
            Running,
            Stopping,
            Suspended,
            Connecting,
            Disconnected,
            Failed,
        ];
        let mut job = JobView {
            state: worst
                .into_iter()
                .find(|state| any(*state))
                .unwrap_or(Completed),
            created: EPOCH,
            began: Some(EPOCH),
            elapsed: 61.0,
            ..job(id, name, states)
        };
        job.ended = job.ended.map(|_| EPOCH + 61_000);
        for (index, state) in states.iter().enumerate() {
            let mut child = child(id, index as u64, *state);
            let wrote = match state {
                Completed => format!("{name} on {}\nall is well\n", child.host),
                Failed => format!("{name} on {}\nno space left\n", child.host),
                _ => String::new(),
            };
            self.store.write(child.id, Stream::Out, &wrote);
            child.out = Count {
                bytes: wrote.len() as u64,
                lines: wrote.lines().count() as u64,
            };
            child.waiting = child.out;
            job.waiting += child.out;
            child.began = Some(EPOCH);
            child.ended = child.ended.map(|_| EPOCH + 1000);
            self.children.push(child);
        }
        self.jobs.insert(id, job);
    }

    /// What comes of an action.
    pub(super) fn answers(&self, action: &Action) -> Vec<Event> {
        match action {
            Action::Ask(ticket, request) => vec![Event::Answer(*ticket, self.reply(request))],
            Action::Watch(job) => {
                let part = self.whole(std::slice::from_ref(job), Vec::new());
                vec![Event::Children(*job, Watched::Listed(part))]
            }
            Action::WatchAnew => vec![self.listed()],
            Action::Program(ticket, words) => vec![ran(*ticket, words)],
            Action::Receive(ticket, _) => {
                let handed = Handed {
                    bytes: 20,
                    lines: 2,
                    children: 1,
                    refused: Vec::new(),
                };
                vec![Event::Received(*ticket, Ok(handed))]
            }
            Action::Gather(ticket, gather) => {
                let part = |child: &ChildView| self.part(child, &gather.sources[&child.job]);
                let gathered = Gathered {
                    parts: gather.children.iter().map(part).collect(),
                    last: true,
                };
                vec![Event::Gathered(*ticket, Ok(gathered))]
            }
            Action::Arrange(ticket, arranging) => {
                let arranged = arranging.as_ref().clone().run();
                vec![Event::Arranged(*ticket, Box::new(arranged))]
            }
            Action::Compare(ticket, comparing) => {
                #[expect(clippy::disallowed_methods, reason = "there is little to compare")]
                let until = std::time::Instant::now() + crate::view::diff::PATIENCE;
                vec![Event::Compared(*ticket, comparing.run(until))]
            }
            Action::Expand(ticket, text) => {
                let hosts = match text.as_str() {
                    "20.failed" => Ok("web02".to_string()),
                    other => Err(failure(&format!("{other}: no such job"))),
                };
                vec![Event::Expanded(*ticket, hosts)]
            }
            Action::Copy(ticket, _) | Action::Save(ticket, ..) | Action::Fetch(ticket, _) => {
                vec![Event::Done(*ticket, Ok(String::new()))]
            }
            // Jobs are made of hosts, files and settings, which are not here.
            Action::Plan(ticket, ..) => vec![Event::Planned(*ticket, Err(failure("not here")))],
            Action::Forget(_)
            | Action::Unwatch(_)
            | Action::Through(..)
            | Action::Notify(..)
            | Action::Hook(_)
            | Action::Title(_)
            | Action::Mouse(_)
            | Action::Remember(_)
            | Action::RememberLists(_)
            | Action::Reload
            | Action::Redraw
            | Action::Suspend
            | Action::Quit => Vec::new(),
        }
    }

    /// What a child wrote, read as rows.
    fn part(&self, child: &ChildView, source: &Source) -> Part {
        let look = crate::wire::look::Look {
            child: child.id,
            at: crate::wire::look::Place::Offset(0),
            before: 0,
            behind: 1 << 20,
        };
        let mut written = Written::default();
        let rows = self.store.look(look).rows;
        for row in &rows {
            written.look(&row.what);
        }
        Part::read(child, source, &written)
    }

    /// Output of children that have ended, in the place of what was written for them.
    pub(super) fn rows(&mut self, job: u64, shape: Shape, outputs: &[&str]) {
        self.shapes.insert(job, shape);
        let children = self.children.iter_mut().filter(|child| child.job == job);
        for (child, output) in children.zip(outputs) {
            self.store.rewrite(child.id, output);
            child.out = Count {
                bytes: output.len() as u64,
                lines: output.lines().count() as u64,
            };
        }
    }

    /// All jobs.
    pub(super) fn listed(&self) -> Event {
        Event::Watched(Watched::Listed(Jobs {
            jobs: self.jobs.values().cloned().collect(),
            last: true,
            ..Jobs::default()
        }))
    }

    fn reply(&self, request: &Request) -> Result<Reply, Failure> {
        Ok(match request {
            Request::Jobs { select, children } => {
                let words = select.iter().flat_map(|wanted| &wanted.0);
                let words = words.map(|selector| selector.text.clone());
                Reply::Jobs(self.select(words, *children))
            }
            Request::Fold { job, ignored } => Reply::Folded(self.fold(*job, *ignored)),
            Request::Tails { children } => {
                let tails = children.iter().filter_map(|child| self.tail(*child));
                Reply::Rows(tails.collect())
            }
            Request::Hosts => Reply::Hosts {
                hosts: self.hosts(),
                last: true,
            },
            Request::Shapes { jobs } => {
                let shape = |job: &u64| (*job, self.shapes.get(job).map(Shape::written));
                Reply::Shapes(jobs.iter().map(shape).collect())
            }
            Request::Questions(_) => Reply::Questions(self.questions.clone()),
            Request::Look(look) if self.children.iter().all(|child| child.id != look.child) => {
                return Err(failure("no such child"));
            }
            Request::Look(look) => Reply::Seen(self.store.look(*look)),
            Request::Search(search) => Reply::Found(self.store.search(search)),
            Request::Rows(rows) => Reply::Rows(self.store.rows(rows)),
            Request::Command(Command::Remove { select, .. }) => Reply::Removed {
                jobs: select
                    .iter()
                    .filter_map(|word| word.text.parse().ok())
                    .collect(),
                left: Vec::new(),
                unknown: Vec::new(),
                refused: Vec::new(),
            },
            Request::Answer { questions, .. } => Reply::Answered {
                questions: questions.clone(),
                refused: Vec::new(),
            },
            Request::Command(_) | Request::InEnvironment { .. } | Request::Submit { .. } => {
                Reply::Settled(Settled {
                    jobs: Vec::new(),
                    children: Vec::new(),
                    unknown: Vec::new(),
                    timed_out: false,
                })
            }
            Request::Rerun { .. } => Reply::Rerun {
                jobs: Vec::new(),
                refused: Vec::new(),
            },
            Request::Receive(_)
            | Request::History(_)
            | Request::Watch { .. }
            | Request::Status
            | Request::Connections
            | Request::Disconnect(_)
            | Request::Shutdown(_) => return Err(failure("the console asks no such thing")),
        })
    }

    /// Jobs by their ids, children by theirs or as `JOB.HOST`.
    fn select(&self, words: impl Iterator<Item = String>, children_too: Children) -> Jobs {
        let mut found = (Vec::new(), Vec::new(), Vec::new());
        for word in words {
            let child = self
                .children
                .iter()
                .find(|child| *word == format!("{}.{}", child.job, child.host));
            match (child, word.parse::<u64>()) {
                (Some(child), _) => found.1.push(child.clone()),
                (None, Ok(id)) if self.jobs.contains_key(&id) => found.0.push(id),
                (None, _) => found.2.push(format!("{word}: no such job")),
            }
        }
        let (mut jobs, children, unknown) = found;
        let whole = jobs.clone();
        jobs.extend(children.iter().map(|child| child.job));
        jobs.dedup();
        let mut part = self.whole(&jobs, children);
        if children_too == Children::Without {
            part.children.retain(|child| !whole.contains(&child.job));
        }
        part.unknown = unknown;
        part
    }

    /// Jobs with all their children, or with these only.
    fn whole(&self, jobs: &[u64], only: Vec<ChildView>) -> Jobs {
        let children = if only.is_empty() {
            let all = self.children.iter();
            all.filter(|child| jobs.contains(&child.job))
                .cloned()
                .collect()
        } else {
            only
        };
        Jobs {
            jobs: jobs
                .iter()
                .filter_map(|id| self.jobs.get(id).cloned())
                .collect(),
            children,
            unknown: Vec::new(),
            last: true,
        }
    }

    /// A group for each state; its line says what is ignored, if anything is.
    fn fold(&self, job: u64, ignored: Ignored) -> Folded {
        let children = || self.children.iter().filter(|child| child.job == job);
        let groups = State::ALL.into_iter().filter_map(|state| {
            let same: Vec<&ChildView> = children().filter(|child| child.state == state).collect();
            let first = same.first()?;
            let mut hosts = String::new();
            for child in &same {
                _ = write!(hosts, "{},", child.host);
            }
            Some(Group {
                children: same.iter().map(|child| child.id).collect(),
                hosts: hosts.trim_end_matches(',').to_string(),
                state,
                exit: first.exit,
                reason: first.reason.clone(),
                output: first.out,
                cut: false,
                sample: match self.tail(first.id).map(|row| row.what) {
                    _ if ignored != Ignored::NOTHING => format!("but for {ignored}").into(),
                    Some(RowKind::Text { data, .. }) => data,
                    Some(RowKind::Cut(_)) | None => Bytes::new(),
                },
            })
        });
        let mut groups: Vec<Group> = groups.collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.children.len()));
        Folded { job, groups }
    }

    fn tail(&self, child: u64) -> Option<Row> {
        let look = crate::wire::look::Look {
            child,
            at: crate::wire::look::Place::End,
            before: 1000,
            behind: 0,
        };
        self.store.look(look).rows.pop()
    }

    fn hosts(&self) -> Vec<HostView> {
        let mut hosts = BTreeMap::new();
        for child in &self.children {
            let host = hosts.entry(child.host.clone()).or_insert_with(|| HostView {
                host: child.host.clone(),
                counts: [0; 10],
                connections: 0,
                via: None,
                last: None,
                reached: None,
            });
            if child.state.is_final() {
                host.last = Some(LastOutcome {
                    job: child.job,
                    name: self.jobs[&child.job].name.clone(),
                    child: child.id,
                    state: child.state,
                    reason: child.reason.clone(),
                    at: EPOCH + 1000,
                });
                host.reached = Some(Reached {
                    child: child.id,
                    at: EPOCH,
                    failed: None,
                });
            } else {
                host.counts[child.state as usize] += 1;
                host.connections = 1;
            }
        }
        hosts.into_values().collect()
    }
}

fn question(id: u64, kind: QuestionKind, child: u64) -> Question {
    Question {
        id,
        kind,
        children: vec![child],
        hosts: "web01".to_string(),
        asked: EPOCH,
        wrong: 0,
    }
}

fn failure(why: &str) -> Failure {
    Failure {
        message: why.to_string(),
        hint: None,
    }
}

/// A program that says which it was; nothing happened before the console began.
fn ran(ticket: Ticket, words: &[String]) -> Event {
    let text = match words.first().map(String::as_str) {
        Some("audit") => String::new(),
        _ => format!("this is what {} says\n", words.join(" ")),
    };
    Event::Ran(
        ticket,
        Ran {
            text: Bytes::from(text),
            exit: Some(0),
        },
    )
}

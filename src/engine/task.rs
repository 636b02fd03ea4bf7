//! The engine's task: inputs in, effects out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, Id, JoinSet};

use super::carry::{EVENTS, Grown, News, carry};
use super::{Clock, Message, Runners};
use crate::core::answer::Answer;
use crate::core::fleet::{Effect, Fleet, Input, Report, Ticket};
use crate::core::ids::{ChildId, JobId};
use crate::core::journal::Revision;
use crate::core::reason::Reason;
use crate::core::receive::Delivery;
use crate::core::spec::{Ended as RunEnded, Inquiry, Payload, Proof, Signal};
use crate::runner::{Order, Runner};
use crate::store::{Log, Store};

/// News from children that wait for the engine before their runners have to.
const NEWS: usize = 1024;

/// Inputs taken in one turn before watchers are told: enough to make many changes one, few enough to stay prompt.
const TURN: usize = 512;

/// The engine's task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

pub(super) struct Task {
    fleet: Fleet,
    runners: Arc<Runners>,
    store: Arc<Store>,
    clock: Clock,
    revisions: watch::Sender<Revision>,
    news: mpsc::Sender<News>,
    inbound: mpsc::Receiver<News>,
    /// Every task started for a child.
    tasks: JoinSet<()>,
    /// Whose task it is, for the one that panics.
    owners: HashMap<Id, ChildId>,
    shared: HashMap<JobId, Shared>,
    runs: HashMap<ChildId, Run>,
    answers: HashMap<Ticket, oneshot::Sender<Answer>>,
    next_ticket: u64,
}

/// What all children of a job have in common.
#[derive(Clone)]
struct Shared {
    payload: Arc<Payload>,
    options: Arc<[(String, String)]>,
    runner: Option<Arc<dyn Runner>>,
}

/// A child that was started.
struct Run {
    order: Order,
    signal: watch::Sender<Option<Signal>>,
    log: Log,
    grown: Grown,
    task: AbortHandle,
}

impl Task {
    pub(super) fn new(
        runners: Arc<Runners>,
        store: Arc<Store>,
        clock: Clock,
        revisions: watch::Sender<Revision>,
    ) -> Self {
        let (news, inbound) = mpsc::channel(NEWS);
        Self {
            fleet: Fleet::default(),
            runners,
            store,
            clock,
            revisions,
            news,
            inbound,
            tasks: JoinSet::new(),
            owners: HashMap::new(),
            shared: HashMap::new(),
            runs: HashMap::new(),
            answers: HashMap::new(),
            next_ticket: 0,
        }
    }

    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) -> Ended {
        loop {
            let deadline = self.fleet.next_deadline();
            tokio::select! {
                biased;
                message = messages.recv() => match message {
                    Some(Message::Shutdown) | None => break,
                    Some(message) => self.take_message(message),
                },
                news = self.inbound.recv() => match news {
                    Some(news) => self.take_news(news),
                    None => break,
                },
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended),
                () = sleep_until(self.clock, deadline) => self.apply(Input::Tick),
            }
            self.take_what_waits();
            self.forget_the_gone();
            let revision = self.fleet.revision();
            self.revisions
                .send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        }
        self.tasks.shutdown().await;
        for runner in self.runners.values() {
            Arc::clone(runner).close().await;
        }
        Ended
    }

    /// Takes what has come in meanwhile, so that many changes make one revision.
    fn take_what_waits(&mut self) {
        for _ in 0..TURN {
            match self.inbound.try_recv() {
                Ok(news) => self.take_news(news),
                Err(_) => return,
            }
        }
    }

    /// Withdraws waits whose askers have gone.
    fn forget_the_gone(&mut self) {
        let gone: Vec<Ticket> = self
            .answers
            .iter()
            .filter(|(_, to)| to.is_closed())
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in gone {
            self.answers.remove(&ticket);
            self.apply(Input::Forget(ticket));
        }
    }

    fn take_message(&mut self, message: Message) {
        match message {
            Message::Command { command, answer } => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.answers.insert(ticket, answer);
                self.apply(Input::Command(ticket, command));
            }
            Message::Read(look) => look(&self.fleet),
            Message::Close(lease, delivery) => self.apply(Input::Delivered(lease, delivery)),
            Message::Shutdown => {}
        }
    }

    fn take_news(&mut self, news: News) {
        match news {
            News::Began(child, trace) => self.report(child, Report::Began(trace)),
            News::Grew(child) => self.account(child),
            News::Ended(child, ended) => {
                self.account(child);
                self.report(child, Report::Ended(ended));
                self.release(child);
            }
            News::Proved(child, proof) => {
                self.account(child);
                self.report(child, Report::Proved(proof));
                self.release(child);
            }
        }
    }

    /// Lets go of a run that nothing will be asked about any more.
    fn release(&mut self, child: ChildId) {
        if self
            .fleet
            .child(child)
            .is_none_or(|child| child.state.word().is_final())
        {
            self.runs.remove(&child);
        }
    }

    /// Brings the model's account of a child's output up to its log.
    fn account(&mut self, child: ChildId) {
        let Some(run) = self.runs.get(&child) else {
            return;
        };
        run.grown.seen();
        let extent = run.log.extent();
        self.report(
            child,
            Report::Output {
                end: extent.end,
                gap: extent.gap,
            },
        );
    }

    fn report(&mut self, child: ChildId, report: Report) {
        self.apply(Input::Runner(child, report));
    }

    fn apply(&mut self, input: Input) {
        for effect in self.fleet.apply(self.clock.now(), input) {
            match effect {
                Effect::Start(child) => self.start(child),
                Effect::Signal(child, signal) => {
                    if let Some(run) = self.runs.get(&child) {
                        run.signal.send_replace(Some(signal));
                    }
                }
                Effect::Prove(child, inquiry) => self.prove(child, inquiry),
                Effect::Abandon(child) => {
                    if let Some(run) = self.runs.get(&child) {
                        run.task.abort();
                    }
                }
                Effect::DropOutput(job) => self.drop_job(job),
                Effect::Answer(ticket, answer) => {
                    if let Some(to) = self.answers.remove(&ticket)
                        && let Err(Answer::Received(received)) = to.send(answer)
                        && let Some(lease) = received.lease
                    {
                        // Nobody is there to write it out.
                        self.apply(Input::Delivered(lease, Delivery::Broken));
                    }
                }
            }
        }
    }

    fn drop_job(&mut self, job: JobId) {
        self.store.drop_job(job);
        self.shared.remove(&job);
        // A removed job is final, so no run of it is under way.
        self.runs.retain(|_, run| run.order.job != job);
    }

    fn start(&mut self, child: ChildId) {
        let Some((job, index)) = self.fleet.find_child(child) else {
            return;
        };
        let shared = self.shared.entry(job.id).or_insert_with(|| Shared {
            payload: Arc::new(job.spec.payload.clone()),
            options: job.spec.options.clone().into(),
            runner: self.runners.get(job.spec.runner.as_str()).cloned(),
        });
        let order = Order {
            job: job.id,
            child,
            host: job.spec.hosts[index].clone(),
            payload: Arc::clone(&shared.payload),
            run: format!("{:032x}", rand::random::<u128>()).into(),
            connect_timeout: job.spec.limits.connect,
            options: Arc::clone(&shared.options),
        };
        let (signal, signals) = watch::channel(None);
        let (log, grown) = (self.store.log(job.id, child), Grown::default());
        let task = if let Some(runner) = &shared.runner {
            let (events, received) = mpsc::channel(EVENTS);
            let run = Arc::clone(runner).run(order.clone(), events, signals);
            self.tasks.spawn(carry(
                child,
                run,
                received,
                log.clone(),
                grown.clone(),
                self.news.clone(),
            ))
        } else {
            let reason =
                Reason::BadSettings(format!("there is no runner named {}", job.spec.runner));
            let news = self.news.clone();
            self.tasks.spawn(async move {
                _ = news
                    .send(News::Ended(child, RunEnded::NotStarted(reason)))
                    .await;
            })
        };
        self.owners.insert(task.id(), child);
        self.runs.insert(
            child,
            Run {
                order,
                signal,
                log,
                grown,
                task,
            },
        );
    }

    fn prove(&mut self, child: ChildId, inquiry: Inquiry) {
        let Some(run) = self.runs.get(&child) else {
            return;
        };
        let trace = self
            .fleet
            .child(child)
            .and_then(|child| child.trace.clone());
        let Some(runner) = self
            .shared
            .get(&run.order.job)
            .and_then(|shared| shared.runner.clone())
        else {
            return;
        };
        let (proof, news) = (
            runner.prove(run.order.clone(), trace, inquiry),
            self.news.clone(),
        );
        let task = self.tasks.spawn(async move {
            _ = news.send(News::Proved(child, proof.await)).await;
        });
        self.owners.insert(task.id(), child);
    }

    /// A child's task has ended.  It said so itself before, unless it panicked: a defect here is that child's failure.
    fn task_ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some(child) = self.owners.remove(&id) else {
            return;
        };
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%child, "a child's task panicked");
            self.account(child);
            self.report(
                child,
                Report::Ended(RunEnded::Lost("internal error: a task panicked".into())),
            );
            self.report(
                child,
                Report::Proved(Proof::Unknown("internal error: a task panicked".into())),
            );
        }
    }
}

/// Sleeps until a time on the monotonic clock; for ever without one.
async fn sleep_until(clock: Clock, deadline: Option<Duration>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
        None => std::future::pending().await,
    }
}

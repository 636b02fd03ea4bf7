//! The engine's task: inputs in, effects out.

mod children;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::{Interval, MissedTickBehavior};

use super::carry::News;
use super::{Clock, Message, Runners};
use crate::core::answer::Answer;
use crate::core::fleet::{Command, Effect, Fleet, Input, Report, Ticket};
use crate::core::ids::{ChildId, JobId};
use crate::core::journal::{Changed, Revision};
use crate::core::output::Stream;
use crate::core::receive::{Delivery, LeaseId};
use crate::core::retention::Retention;
use crate::core::saved::PROBES;
use crate::core::spec::{Motion, OnFull};
use crate::core::state::ChildState;
use crate::runner::Ask;
use crate::secret::{Answer as Said, Environment, Named};
use crate::store::{Saved, Store};
use children::{Run, Shared};

/// News from children that wait for the engine before their runners have to.
const NEWS: usize = 1024;

/// Inputs taken in one turn before watchers are told: enough to make many changes one, few enough to stay prompt.
const TURN: usize = 512;

/// How often it is looked whose time has come.
const REVIEW: Duration = Duration::from_secs(3600);

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
    /// Everything up to here has been given to the store.
    written: Revision,
    /// What this turn came to, and what follows once it is written down.
    starts: Vec<ChildId>,
    due: Vec<Due>,
    /// Places for probes of children that an earlier process started.
    old_probes: Arc<Semaphore>,
    keep: Retention,
    /// When to look whose time has come: now and then, and when a job has ended.
    review: Interval,
    ended: bool,
    /// What an operator says, while that is passed on: the model never sees it.
    said: Option<Said>,
    /// What goes to the hosts of each job that has not ended, in memory only.
    environments: HashMap<JobId, Arc<Environment>>,
    /// What comes with a job, while it is made: the model never sees it either.
    given: Option<(Environment, Named)>,
    questions: watch::Sender<Revision>,
}

/// Something to be said once what it is about is on disk.
enum Due {
    Answer(oneshot::Sender<Answer>, Answer),
    Closed(oneshot::Sender<()>),
}

impl Task {
    pub(super) fn new(
        runners: Arc<Runners>,
        store: Arc<Store>,
        clock: Clock,
        revisions: watch::Sender<Revision>,
        questions: watch::Sender<Revision>,
        saved: Saved,
        keep: Retention,
    ) -> Self {
        let (news, inbound) = mpsc::channel(NEWS);
        let mut review = tokio::time::interval(REVIEW);
        review.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut task = Self {
            fleet: Fleet::starting_at(saved.next_id.max(1), saved.removed),
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
            written: Revision::default(),
            starts: Vec::new(),
            due: Vec::new(),
            old_probes: Arc::new(Semaphore::new(PROBES)),
            keep,
            review,
            ended: false,
            said: None,
            environments: HashMap::new(),
            given: None,
            questions,
        };
        for job in saved.jobs {
            task.apply(Input::Restore(Box::new(job)));
        }
        task
    }

    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) -> Ended {
        let mut store = self.store.watch();
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
                () = store.changed() => self.take_cuts(),
                _ = self.review.tick() => self.review(),
                () = sleep_until(self.clock, deadline) => self.apply(Input::Tick),
            }
            self.take_what_waits();
            self.forget_the_gone();
            self.end_turn();
            if std::mem::take(&mut self.ended) {
                self.review();
                self.end_turn();
            }
            let asked = self.fleet.questions_changed();
            self.questions
                .send_if_modified(|seen| std::mem::replace(seen, asked) != asked);
            let revision = self.fleet.revision();
            self.revisions
                .send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        }
        self.end_turn();
        self.tasks.shutdown().await;
        // Nothing comes any more, and what has been cut by now is still to be written down.
        self.store.durable().await;
        self.take_cuts();
        for runner in self.runners.values() {
            Arc::clone(runner).close().await;
        }
        let store = Arc::clone(&self.store);
        // It ends by itself; a panic in it is in the log.
        _ = tokio::task::spawn_blocking(move || store.close()).await;
        Ended
    }

    /// Writes down what has changed, and lets what depends on that follow.
    fn end_turn(&mut self) {
        self.write_down();
        for child in std::mem::take(&mut self.starts) {
            self.start(child);
        }
        let due = std::mem::take(&mut self.due);
        if due.is_empty() {
            return;
        }
        let (store, news) = (Arc::clone(&self.store), self.news.clone());
        self.tasks.spawn(async move {
            store.durable().await;
            for due in due {
                if let Some(lease) = due.say() {
                    // Nobody is there to write it out.
                    _ = news.send(News::Unheard(lease)).await;
                }
            }
        });
    }

    /// Gives the store everything that changed since the last time.
    fn write_down(&mut self) {
        let now = self.fleet.revision();
        if now == self.written {
            return;
        }
        // Removals are written when they happen, so it does not matter if the journal has forgotten some.
        let changes = self.fleet.changes_since(self.written).unwrap_or_default();
        for change in changes {
            match change {
                Changed::Job(id) => {
                    if let Some(job) = self.fleet.job(id) {
                        self.store.put_job(job);
                        if job.state().is_final() {
                            self.ended = true;
                            // And with it what was answered in it.
                            self.shared.remove(&id);
                            self.environments.remove(&id);
                        }
                    }
                }
                Changed::Child(id) => {
                    if let Some((job, index)) = self.fleet.find_child(id)
                        && let child = &job.children[index]
                        && child.deeds() > self.written
                        && child.state != ChildState::NotStarted
                    {
                        self.store.put_child(id, child.saved());
                        if let Some(run) = self.runs.get(&id) {
                            let received = Stream::BOTH.map(|stream| child.output.received(stream));
                            let received: u64 = received.iter().map(|count| count.bytes).sum();
                            let (_, further) = self.store.room(job.children.len());
                            run.open_gate(received + further);
                        }
                    }
                }
                Changed::Removed(_) => {}
            }
        }
        self.written = now;
    }

    /// Brings the model's accounts up to what the store has cut.
    fn take_cuts(&mut self) {
        for (child, gap) in self.store.take_cuts() {
            if let Some(end) = self.fleet.child(child).map(|child| child.output.end) {
                let gap = Some(gap);
                self.report(child, Report::Output { end, gap });
                self.write_account(child);
            }
        }
    }

    /// Writes down once more how a child stands that has settled: nothing else will.
    fn write_account(&self, child: ChildId) {
        if let Some(now) = self.fleet.child(child)
            && now.state.is_settled()
        {
            self.store.put_child(child, now.saved());
        }
    }

    /// Lets go of jobs whose time has come.
    fn review(&mut self) {
        let (now, store) = (self.clock.now(), &self.store);
        let expired = self.fleet.expired(now, &self.keep, |job| store.size(job));
        if !expired.is_empty() {
            tracing::info!(jobs = ?expired, "retention takes jobs");
            self.apply(Input::Expire(expired));
        }
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
            Message::Command {
                command,
                environment,
                answer,
            } => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.answers.insert(ticket, answer);
                self.provide_again(&command, environment);
                self.apply(Input::Command(ticket, command));
            }
            Message::Submit {
                spec,
                environment,
                secrets,
                answer,
            } => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.answers.insert(ticket, answer);
                self.given = Some((environment, secrets));
                self.apply(Input::Command(ticket, Command::Submit(spec)));
                self.given = None;
            }
            Message::Answer {
                questions,
                said,
                answer,
            } => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.answers.insert(ticket, answer);
                let response = said.response();
                self.said = Some(said);
                let command = Command::Answer {
                    questions,
                    response,
                };
                self.apply(Input::Command(ticket, command));
                self.said = None;
            }
            Message::Read(look) => look(&self.fleet),
            Message::Close(lease, delivery, done) => {
                self.apply(Input::Delivered(lease, delivery));
                self.due.extend(done.map(Due::Closed));
            }
            Message::Shutdown => {}
        }
    }

    /// A job that outlived its daemon has lost what its commands find in their environment; whoever lets it go on brings
    /// his own.
    fn provide_again(&mut self, command: &Command, environment: Environment) {
        let environment = Arc::new(environment);
        if let Command::Move {
            select,
            motion: Motion::Resume,
        } = command
        {
            let picked = self.fleet.resolve(select);
            for job in picked.touched(&self.fleet) {
                if !job.state().is_final() {
                    let kept = self.environments.entry(job.id);
                    kept.or_insert_with(|| Arc::clone(&environment));
                }
            }
        }
    }

    fn take_news(&mut self, news: News) {
        match news {
            News::Began(child, trace) => self.report(child, Report::Began(trace)),
            News::Grew(child) => self.account(child),
            News::Full(child) => {
                self.account(child);
                self.report(child, Report::Held);
            }
            News::Room(child) | News::GoesOn(child) => self.report(child, Report::GoesOn),
            News::Asks(child, ask) => {
                let Ask { question, answer } = ask;
                if let Some(run) = self.runs.get_mut(&child) {
                    run.asked = Some(answer);
                    self.report(child, Report::Asks(question));
                }
            }
            News::Unheard(lease) => self.apply(Input::Delivered(lease, Delivery::Broken)),
            News::Ended(child, ended) => {
                self.account(child);
                self.report(child, Report::Ended(ended));
                self.release(child);
            }
            News::Moved(child, motion, moved) => self.report(child, Report::Moved(motion, moved)),
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
        let stops = self
            .shared
            .get(&run.job)
            .is_some_and(|shared| shared.on_full == OnFull::Stop);
        let children = self.fleet.job(run.job).map_or(1, |job| job.children.len());
        let (limit, _) = self.store.room(children);
        self.report(
            child,
            Report::Output {
                end: extent.end,
                gap: extent.gap,
            },
        );
        if stops && extent.end.offset() > limit {
            self.report(child, Report::Full);
        }
    }

    fn report(&mut self, child: ChildId, report: Report) {
        self.apply(Input::Runner(child, report));
    }

    fn apply(&mut self, input: Input) {
        for effect in self.fleet.apply(self.clock.now(), input) {
            match effect {
                Effect::Start(child) => self.starts.push(child),
                Effect::Signal(child, signal) => {
                    if let Some(run) = self.runs.get(&child) {
                        run.signal.send_replace(Some(signal));
                        // What ends need not wait for a receiver.
                        run.open_gate(u64::MAX);
                    }
                }
                Effect::Prove(child, inquiry) => self.prove(child, inquiry),
                Effect::Move(child, motion) => self.set_in_motion(child, motion),
                Effect::Reply(child, _) => {
                    let run = self.runs.get_mut(&child);
                    if let Some(asked) = run.and_then(|run| run.asked.take())
                        && let Some(said) = &self.said
                    {
                        // Whoever asked may have found another way meanwhile.
                        _ = asked.send(said.clone());
                    }
                }
                Effect::Abandon(child) => {
                    if let Some(run) = self.runs.get(&child) {
                        run.task.abort();
                    }
                }
                Effect::DropOutput(job) => self.drop_job(job),
                Effect::Answer(ticket, answer) => {
                    if let (Answer::Submitted(job), Some((environment, secrets))) =
                        (&answer, self.given.take())
                    {
                        self.environments.insert(*job, Arc::new(environment));
                        self.hand_in(*job, &secrets);
                    }
                    let to = self.answers.remove(&ticket);
                    self.due.extend(to.map(|to| Due::Answer(to, answer)));
                }
            }
        }
    }
}

impl Due {
    /// Says it; a lease is returned if nobody was there to hear of it.
    fn say(self) -> Option<LeaseId> {
        match self {
            Self::Answer(to, answer) => match to.send(answer) {
                Err(Answer::Received(received)) => received.lease,
                Ok(()) | Err(_) => None,
            },
            Self::Closed(to) => {
                // Whoever asked has what he wanted to know if he is gone.
                _ = to.send(());
                None
            }
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

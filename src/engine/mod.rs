//! The engine: the one owner of the [`Fleet`] and the only place that starts tasks for it.
//!
//! One task takes inputs one after another, applies them, and carries out the effects; nothing else can change a job.  It
//! never waits for anybody: answers go into one-shot channels, signals into watches, so that neither a slow client nor a
//! stuck host can hold up the rest.  Runners push back through bounded channels.

mod carry;
mod task;
mod views;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::core::answer::Answer;
use crate::core::fleet::{Command, Fleet};
use crate::core::journal::Revision;
use crate::core::question::QuestionId;
use crate::core::receive::{Delivery, LeaseId};
use crate::core::retention::Retention;
use crate::core::spec::JobSpec;
use crate::core::time::{Moment, Wall};
use crate::runner::Runner;
use crate::secret::{Answer as Said, Environment, Named};
use crate::store::{Saved, Store};

pub use crate::runner::{Carries, Connected, Disconnected, InUse, Through, Which};
pub use task::Ended;
pub use views::{child_view, job_view, question_view, reason_view};

/// Requests that wait for the engine before senders have to.
const INBOX: usize = 256;

/// Runners by the name jobs call them.
pub type Runners = HashMap<&'static str, Arc<dyn Runner>>;

/// A handle on the engine; cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    inbox: mpsc::Sender<Message>,
    revision: watch::Receiver<Revision>,
    questions: watch::Receiver<Revision>,
    store: Arc<Store>,
    runners: Arc<Runners>,
    clock: Clock,
}

/// What the engine's task is asked for.
enum Message {
    Command {
        command: Command,
        environment: Environment,
        answer: oneshot::Sender<Answer>,
    },
    Submit {
        spec: Box<JobSpec>,
        environment: Environment,
        secrets: Named,
        answer: oneshot::Sender<Answer>,
    },
    Answer {
        questions: Vec<QuestionId>,
        said: Said,
        answer: oneshot::Sender<Answer>,
    },
    Read(Box<dyn FnOnce(&Fleet) + Send>),
    Close(LeaseId, Delivery, Option<oneshot::Sender<()>>),
    Shutdown,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { command, .. } => write!(f, "Command({command:?})"),
            Self::Submit { spec, .. } => write!(f, "Submit({spec:?})"),
            Self::Answer {
                questions, said, ..
            } => write!(f, "Answer({questions:?}, {said:?})"),
            Self::Read(_) => f.write_str("Read"),
            Self::Close(lease, delivery, _) => write!(f, "Close({lease:?}, {delivery:?})"),
            Self::Shutdown => f.write_str("Shutdown"),
        }
    }
}

/// The engine is gone: it was shut down, or it crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the engine has been shut down")
    }
}

impl std::error::Error for Gone {}

impl Engine {
    /// Starts an engine with the jobs its store brought back.  The task it runs in ends after [`Engine::shutdown`].
    pub fn start(
        runners: Runners,
        store: Store,
        saved: Saved,
        keep: Retention,
    ) -> (Self, tokio::task::JoinHandle<Ended>) {
        let (inbox, messages) = mpsc::channel(INBOX);
        let (revisions, revision) = watch::channel(Revision::default());
        let (asked, questions) = watch::channel(Revision::default());
        let clock = Clock::start();
        let store = Arc::new(store);
        let runners = Arc::new(runners);
        let engine = Self {
            inbox,
            revision,
            questions,
            store: Arc::clone(&store),
            runners: Arc::clone(&runners),
            clock,
        };
        let task = task::Task::new(runners, store, clock, revisions, asked, saved, keep);
        (engine, tokio::spawn(task.run(messages)))
    }

    /// Gives a command and waits for its answer.  Dropping the future withdraws the wait, not the command.
    pub async fn command(&self, command: Command) -> Result<Answer, Gone> {
        self.command_in(command, Environment::default()).await
    }

    /// The same, with what goes to the hosts of the environment of whoever gives it: to those of a job that has lost its own
    /// because it outlived its daemon.
    pub async fn command_in(
        &self,
        command: Command,
        environment: Environment,
    ) -> Result<Answer, Gone> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Command {
            command,
            environment,
            answer,
        };
        self.send(message).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Makes a job, with what goes to its hosts of the environment of whoever wants it, and what is known of the secrets it
    /// needs.
    pub async fn submit(
        &self,
        spec: Box<JobSpec>,
        environment: Environment,
        secrets: Named,
    ) -> Result<Answer, Gone> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Submit {
            spec,
            environment,
            secrets,
            answer,
        };
        self.send(message).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Answers questions that children wait with, and returns what became of that.
    pub async fn answer(&self, questions: Vec<QuestionId>, said: Said) -> Result<Answer, Gone> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Answer {
            questions,
            said,
            answer,
        };
        self.send(message).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Looks at the fleet as it is between two inputs.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Fleet) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        let look = move |fleet: &Fleet| _ = answer.send(look(fleet));
        self.send(Message::Read(Box::new(look))).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Says what became of a hand-over; returns once that is written down.
    pub async fn close_lease(&self, lease: LeaseId, delivery: Delivery) -> Result<(), Gone> {
        let (done, closed) = oneshot::channel();
        self.send(Message::Close(lease, delivery, Some(done)))
            .await?;
        closed.await.map_err(|_| Gone)
    }

    /// As [`Engine::close_lease`], for a client that vanished and cannot be waited for.
    pub fn abandon_lease(&self, lease: LeaseId) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let close = Message::Close(lease, Delivery::Broken, None);
            _ = inbox.send(close).await;
        });
    }

    /// Lets go of every run and ends the engine's task.  What still runs is ended by its lifeline.
    pub async fn shutdown(&self) -> Result<(), Gone> {
        self.send(Message::Shutdown).await
    }

    /// Changes whenever a job does.
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.revision.clone()
    }

    /// Changes whenever the open questions do, or who waits with one.
    pub fn questions(&self) -> watch::Receiver<Revision> {
        self.questions.clone()
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// How many connections the runners have open.
    pub fn connections(&self) -> usize {
        self.runners
            .values()
            .map(|runner| runner.connections())
            .sum()
    }

    /// The connections the runners have open.
    pub fn connected(&self) -> Vec<Connected> {
        let runners = self.runners.values();
        runners.flat_map(|runner| runner.connected()).collect()
    }

    /// Closes connections of all runners.
    pub async fn disconnect(&self, which: &Which, in_use: InUse) -> Vec<Disconnected> {
        let mut all = Vec::new();
        for runner in self.runners.values() {
            all.extend(Arc::clone(runner).disconnect(which.clone(), in_use).await);
        }
        all
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    async fn send(&self, message: Message) -> Result<(), Gone> {
        self.inbox.send(message).await.map_err(|_| Gone)
    }
}

/// Both clocks, read in one place.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: tokio::time::Instant,
}

/// What the monotonic clock shows at the start: so far back reach the moments of jobs that an earlier process left.
const BEFORE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Clock {
    fn start() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the engine is where clocks are read"
    )]
    pub fn now(self) -> Moment {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        Moment {
            mono: BEFORE + self.start.elapsed(),
            wall: Wall(wall),
        }
    }

    /// How long the engine has run.
    pub fn uptime(self) -> Duration {
        self.start.elapsed()
    }

    /// The runtime's instant for a time on the monotonic clock.
    fn instant(self, mono: Duration) -> tokio::time::Instant {
        self.start + mono.saturating_sub(BEFORE)
    }
}

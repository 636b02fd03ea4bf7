//! Asking while a connection is made.
//!
//! Several runs may wait for one connection.  Its making asks at a [`Desk`]; everyone who waits passes the question on
//! ([`super::caller`]), and the first answer that comes back counts.  While somebody thinks, or it is not its turn yet, the time to connect
//! stands still.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::route::Target;
use super::wire::Fate;
use crate::core::ids::JobId;
use crate::core::question::{About, Question};
use crate::core::spec::Asking;
use crate::runner::{Ask, Carries, Pocket};
use crate::secret::{Answer, Secret};

/// Where the making of one connection asks.
pub(super) struct Desk {
    pub(super) asking: Asking,
    /// Whose job it is, the first one's if several wait.
    pub(super) job: JobId,
    pub(super) pause: watch::Sender<Option<Pause>>,
    /// What was answered so far, for the case that the server has not waited for it.
    given: Mutex<Vec<(Question, Answer)>>,
    /// Whether an answer came when the server had hung up already.
    late: AtomicBool,
    pub(super) pocket: Pocket,
    /// What the connection is called, if it leads to a hop.
    hop: Option<Box<str>>,
    /// What is waited for here before anything else.
    pub(super) before: Before,
}

/// The connection that must be there first, and is being made: that of the hop before.
#[derive(Debug, Default)]
pub(super) struct Before(Mutex<Option<Arc<Desk>>>);

impl Before {
    /// It is waited for from now on.
    pub(super) fn wait_for(&self, desk: &Arc<Desk>) {
        *self.lock() = Some(Arc::clone(desk));
    }

    /// It has come to an end, either way.
    pub(super) fn ended(&self) {
        *self.lock() = None;
    }

    /// The hop that does not answer, where one keeps all behind it waiting: the nearest to us of those that are waited
    /// for.
    pub(super) fn stalled_hop(&self) -> Option<String> {
        let desk = self.lock().clone()?;
        let nearer = desk.before.stalled_hop();
        nearer.or_else(|| desk.hop.as_deref().map(str::to_owned))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Desk>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the time stands still.
#[derive(Clone)]
pub(super) enum Pause {
    Asks(Arc<Pending>),
    /// Others are connected first.
    Queues,
}

/// A question nobody has answered yet.
pub(super) struct Pending {
    pub(super) question: Question,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl Pending {
    pub(super) fn answer(&self, answer: Answer) {
        let way = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(way) = way {
            // The connection may have come about without it.
            let _ = way.send(answer);
        }
    }
}

/// A pause lasts as long as somebody waits for its end.
struct Paused<'a>(&'a Desk);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.pause.send_replace(None);
    }
}

impl Desk {
    pub(super) fn new(asking: Asking, pocket: Pocket, job: JobId) -> Self {
        Self {
            asking,
            job,
            pause: watch::Sender::new(None),
            given: Mutex::default(),
            late: AtomicBool::new(false),
            pocket,
            hop: None,
            before: Before::default(),
        }
    }

    /// The desk of this target's connection.
    pub(super) fn making(self, target: &Target) -> Self {
        let hop = match target.key.carries {
            Carries::Commands => None,
            Carries::Connections => Some(target.name().into()),
        };
        Self { hop, ..self }
    }

    /// Whether there is somebody to ask.
    pub(super) fn may_ask(&self) -> bool {
        self.asking == Asking::Allowed
    }

    /// Whether an operator accepts this; not if nobody may be asked.
    pub(super) async fn accepts(&self, about: About, fate: &Fate) -> bool {
        matches!(
            self.ask(Question::first(about), fate).await,
            Some(Answer::Accept)
        )
    }

    /// The secret asked for; none if it is refused, or nobody may be asked.
    pub(super) async fn secret(&self, question: Question, fate: &Fate) -> Option<Secret> {
        match self.ask(question, fate).await? {
            Answer::Secret(secret) => Some(secret),
            Answer::Accept | Answer::Refuse => None,
        }
    }

    async fn ask(&self, question: Question, fate: &Fate) -> Option<Answer> {
        if let Some(answer) = self.given(&question) {
            return Some(answer);
        }
        if !self.may_ask() {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let paused = Paused(self);
        self.put(Ask {
            question: question.clone(),
            answer,
        });
        let answer = answered.await.ok()?;
        drop(paused);
        self.lock().push((question, answer.clone()));
        if fate.is_over() {
            self.came_late();
        }
        Some(answer)
    }

    /// Puts a question where all who wait see it.
    pub(super) fn put(&self, ask: Ask) {
        let Ask { question, answer } = ask;
        let answer = Mutex::new(Some(answer));
        let pending = Arc::new(Pending { question, answer });
        self.pause.send_replace(Some(Pause::Asks(pending)));
    }

    /// Waits for its turn.
    pub(super) async fn queue<T>(&self, turn: impl Future<Output = T>) -> T {
        self.pause.send_replace(Some(Pause::Queues));
        let _paused = Paused(self);
        turn.await
    }

    /// The server may not have waited for an answer.
    pub(super) fn came_late(&self) {
        self.late.store(true, Ordering::Release);
    }

    /// Whether it has not, so that trying once more may help.
    pub(super) fn take_late(&self) -> bool {
        self.late.swap(false, Ordering::AcqRel)
    }

    fn given(&self, question: &Question) -> Option<Answer> {
        let given = self.lock();
        let found = given.iter().find(|(asked, _)| asked == question);
        found.map(|(_, answer)| answer.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Question, Answer)>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `work` comes to, if that takes no longer than `limit` beside the time for answers.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        within(limit, self.pause.subscribe(), Option::is_some, work).await
    }
}

/// Never the answers.
impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("asking", &self.asking)
            .finish_non_exhaustive()
    }
}

/// What `work` comes to, unless it takes longer than `limit`, without the times in which it is paused.
pub(super) async fn within<T, W>(
    limit: Duration,
    mut pauses: watch::Receiver<W>,
    is_paused: impl Fn(&W) -> bool,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut left = limit;
    tokio::pin!(work);
    loop {
        let paused = is_paused(&pauses.borrow_and_update());
        let since = Instant::now();
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            changed = pauses.changed() => {
                if !paused {
                    left = left.saturating_sub(since.elapsed());
                }
                if changed.is_err() {
                    return tokio::time::timeout(left, work).await.ok();
                }
            }
            () = tokio::time::sleep(left), if !paused => return None,
        }
    }
}

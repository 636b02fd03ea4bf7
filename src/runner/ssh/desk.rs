//! Asking while a connection is made.
//!
//! Several runs may wait for one connection.  Its making asks at a [`Desk`]; every run that waits passes the question on
//! ([`Caller::attend`]), and the first answer that comes back counts.  Behind a hop, connections wait for a connection:
//! then a desk passes on what is asked at another.  While somebody thinks, or it is not its turn yet, the time to connect
//! stands still.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::route::Target;
use super::wire::Fate;
use crate::core::ids::JobId;
use crate::core::question::{About, Question};
use crate::core::spec::Asking;
use crate::runner::{Ask, Event, Order, Pocket, relay};
use crate::secret::{Answer, Secret};

/// Where the making of one connection asks.
pub(super) struct Desk {
    pub(super) asking: Asking,
    /// Whose job it is, the first one's if several wait.
    pub(super) job: JobId,
    pause: watch::Sender<Option<Pause>>,
    /// What was answered so far, for the case that the server has not waited for it.
    given: Mutex<Vec<(Question, Answer)>>,
    /// Whether an answer came when the server had hung up already.
    late: AtomicBool,
    pub(super) pocket: Pocket,
}

/// Why the time stands still.
#[derive(Clone)]
enum Pause {
    Asks(Arc<Pending>),
    /// Others are connected first.
    Queues,
}

/// A question nobody has answered yet.
struct Pending {
    question: Question,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl Pending {
    fn answer(&self, answer: Answer) {
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
        }
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
    fn put(&self, ask: Ask) {
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

/// Who wants a connection.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    to: Listener<'a>,
    pub(super) asking: Asking,
    pub(super) pocket: Pocket,
    pub(super) job: JobId,
    paused: watch::Sender<bool>,
}

/// Whom to tell that there is a question.
#[derive(Clone, Copy, Debug)]
enum Listener<'a> {
    /// For what must not wait.
    Nobody,
    Run(&'a mpsc::Sender<Event>),
    /// Where a connection is made that leads through the one that is waited for.
    Desk(&'a Desk),
}

impl<'a> Caller<'a> {
    /// The run of an order.
    pub(super) fn run(order: &Order, events: &'a mpsc::Sender<Event>) -> Self {
        Self::new(order, Listener::Run(events), order.asking)
    }

    /// Something that is done on the side and never asks.
    pub(super) fn aside(order: &Order) -> Self {
        Self::new(order, Listener::Nobody, Asking::Never)
    }

    /// The making of a connection that leads through another.
    pub(super) fn behind(desk: &'a Desk, hop: &Target) -> Self {
        Self {
            to: Listener::Desk(desk),
            asking: hop.asking(desk.asking),
            pocket: desk.pocket.clone(),
            job: desk.job,
            paused: watch::Sender::new(false),
        }
    }

    fn new(order: &Order, to: Listener<'a>, asking: Asking) -> Self {
        Self {
            to,
            asking,
            pocket: order.pocket.clone(),
            job: order.job,
            paused: watch::Sender::new(false),
        }
    }

    /// What `work` comes to, if that takes no longer than `limit` beside the time for answers.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        within(limit, self.paused.subscribe(), |paused| *paused, work).await
    }

    /// Waits for a connection that is being made, and passes on what is asked meanwhile.
    pub(super) async fn attend<T>(&self, desk: &Desk, work: impl Future<Output = T>) -> T {
        let mut pause = desk.pause.subscribe();
        // What was asked there already is news here.
        pause.mark_changed();
        let mut asked: Option<Asked> = None;
        tokio::pin!(work);
        loop {
            let mut answered = asked.as_mut().map(|asked| &mut asked.answered);
            tokio::select! {
                biased;
                done = &mut work => {
                    if asked.take().is_some() {
                        self.goes_on().await;
                    }
                    self.pauses(None);
                    return done;
                }
                answer = relay::optional(&mut answered) => {
                    if let Some(asked) = asked.take() {
                        self.pauses(None);
                        asked.pending.answer(answer.unwrap_or(Answer::Refuse));
                    }
                }
                // The desk outlives its connection's making.
                _ = pause.changed() => {
                    let now = pause.borrow_and_update().clone();
                    self.pauses(now.clone());
                    // A run has one question at a time.
                    let before = asked.take();
                    match now {
                        Some(Pause::Asks(pending)) => asked = Some(self.asks(pending).await),
                        Some(Pause::Queues) | None => {
                            if before.is_some() {
                                self.goes_on().await;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The time stands still here, too, for the same reason; or goes on.
    fn pauses(&self, why: Option<Pause>) {
        self.paused.send_replace(why.is_some());
        if let Listener::Desk(own) = self.to {
            own.pause.send_replace(match why {
                // It is put there as a question of its own.
                Some(Pause::Asks(_)) | None => None,
                Some(Pause::Queues) => why,
            });
        }
    }

    async fn asks(&self, pending: Arc<Pending>) -> Asked {
        let (answer, answered) = oneshot::channel();
        let question = pending.question.clone();
        let ask = Ask { question, answer };
        match self.to {
            Listener::Nobody => drop(ask),
            // Nobody listens any more to a run that is about to be dropped.
            Listener::Run(events) => _ = events.send(Event::Asks(ask)).await,
            Listener::Desk(own) => own.put(ask),
        }
        Asked { pending, answered }
    }

    async fn goes_on(&self) {
        match self.to {
            Listener::Run(events) => _ = events.send(Event::GoesOn).await,
            // Who waits at a desk sees that nothing is asked there any more.
            Listener::Nobody | Listener::Desk(_) => {}
        }
    }
}

/// A question that was passed on.
struct Asked {
    pending: Arc<Pending>,
    answered: oneshot::Receiver<Answer>,
}

/// What `work` comes to, unless it takes longer than `limit`, without the times in which it is paused.
async fn within<T, W>(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(asking: Asking) -> Desk {
        Desk::new(asking, Pocket::default(), JobId(1))
    }

    fn passphrase() -> About {
        About::Passphrase {
            file: "id".to_string(),
        }
    }

    fn wait_for<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.expect("a runtime").block_on(work)
    }

    /// A caller, and what it tells.
    fn caller(events: &mpsc::Sender<Event>) -> Caller<'_> {
        Caller {
            to: Listener::Run(events),
            asking: Asking::Allowed,
            pocket: Pocket::default(),
            job: JobId(1),
            paused: watch::Sender::new(false),
        }
    }

    #[test]
    fn the_first_answer_counts_and_the_others_go_on() {
        wait_for(async {
            let (desk, fate) = (desk(Asking::Allowed), Fate::default());
            let limit = Duration::from_secs(1);
            let (first, mut of_first) = mpsc::channel(4);
            let (second, mut of_second) = mpsc::channel(4);
            let (first, second) = (caller(&first), caller(&second));
            let (made, making) = watch::channel(None);
            let work = async {
                let secret = desk.secret(Question::first(passphrase()), &fate).await;
                made.send_replace(secret.map(|secret| secret.reveal().to_string()));
            };
            let wait = || {
                let mut making = making.clone();
                async move { making.wait_for(Option::is_some).await.is_ok() }
            };
            let operator = async {
                let Some(Event::Asks(ask)) = of_first.recv().await else {
                    panic!("it asks");
                };
                assert_eq!(ask.question, Question::first(passphrase()));
                let Some(Event::Asks(slow)) = of_second.recv().await else {
                    panic!("it asks, too");
                };
                // No limit runs out while somebody thinks.
                tokio::time::sleep(limit + Duration::from_millis(200)).await;
                let said = Answer::Secret(Secret::new("sesame".to_string()));
                ask.answer.send(said).expect("somebody waits");
                assert!(matches!(of_second.recv().await, Some(Event::GoesOn)));
                assert!(slow.answer.send(Answer::Refuse).is_err(), "too late");
            };
            let (_, one, two, ()) = tokio::join!(
                desk.within(limit, work),
                first.within(limit, first.attend(&desk, wait())),
                second.within(limit, second.attend(&desk, wait())),
                operator,
            );
            assert_eq!((one, two), (Some(true), Some(true)));
            assert_eq!(making.borrow().as_deref(), Some("sesame"));
            // The same question is not asked twice at one desk.
            let again = desk.secret(Question::first(passphrase()), &fate).await;
            assert!(again.is_some());
        });
    }

    #[test]
    fn nobody_is_asked_who_may_not_be_and_time_runs_as_ever() {
        wait_for(async {
            let (desk, fate) = (desk(Asking::Never), Fate::default());
            assert!(!desk.accepts(passphrase(), &fate).await);
            let never = std::future::pending::<()>();
            assert_eq!(desk.within(Duration::from_millis(5), never).await, None);
        });
    }
}

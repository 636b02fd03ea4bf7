//! Asking while a connection is made.
//!
//! Several runs may wait for one connection.  Its making asks at a [`Desk`]; every run that waits passes the question on
//! ([`Caller::attend`]), and the first answer that comes back counts.  While somebody thinks, the time to connect stands
//! still.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::wire::Fate;
use crate::core::question::{About, Question};
use crate::core::spec::Asking;
use crate::runner::{Ask, Event, Order, Pocket, relay};
use crate::secret::{Answer, Secret};

/// Where the making of one connection asks.
pub(super) struct Desk {
    asking: Asking,
    pending: watch::Sender<Option<Arc<Pending>>>,
    /// What was answered so far, for the case that the server has not waited for it.
    given: Mutex<Vec<(Question, Answer)>>,
    /// Whether an answer came when the server had hung up already.
    late: AtomicBool,
    pub(super) pocket: Pocket,
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

/// The question stands as long as somebody waits for its answer.
struct Standing<'a>(&'a Desk);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.pending.send_replace(None);
    }
}

impl Desk {
    pub(super) fn new(asking: Asking, pocket: Pocket) -> Self {
        Self {
            asking,
            pending: watch::Sender::new(None),
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
        let (way, answered) = oneshot::channel();
        let standing = Standing(self);
        self.pending.send_replace(Some(Arc::new(Pending {
            question: question.clone(),
            answer: Mutex::new(Some(way)),
        })));
        let answer = answered.await.ok()?;
        drop(standing);
        self.lock().push((question, answer.clone()));
        if fate.is_over() {
            self.came_late();
        }
        Some(answer)
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
        within(limit, self.pending.subscribe(), Option::is_some, work).await
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
    /// Whom to tell that there is a question; nobody for what must not wait.
    events: Option<&'a mpsc::Sender<Event>>,
    pub(super) asking: Asking,
    pub(super) pocket: Pocket,
    thinking: watch::Sender<bool>,
}

impl<'a> Caller<'a> {
    /// The run of an order.
    pub(super) fn run(order: &Order, events: &'a mpsc::Sender<Event>) -> Self {
        Self::new(order, Some(events), order.asking)
    }

    /// Something that is done on the side and never asks.
    pub(super) fn aside(order: &Order) -> Self {
        Self::new(order, None, Asking::Never)
    }

    fn new(order: &Order, events: Option<&'a mpsc::Sender<Event>>, asking: Asking) -> Self {
        Self {
            events,
            asking,
            pocket: order.pocket.clone(),
            thinking: watch::Sender::new(false),
        }
    }

    /// What `work` comes to, if that takes no longer than `limit` beside the time for answers.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        within(limit, self.thinking.subscribe(), |thinking| *thinking, work).await
    }

    /// Waits for a connection that is being made, and passes on what is asked meanwhile.
    pub(super) async fn attend<T>(&self, desk: &Desk, work: impl Future<Output = T>) -> T {
        let mut pending = desk.pending.subscribe();
        // What was asked there already is news here.
        pending.mark_changed();
        let mut asked: Option<(Arc<Pending>, oneshot::Receiver<Answer>)> = None;
        tokio::pin!(work);
        loop {
            let mut answered = asked.as_mut().map(|(_, answer)| answer);
            tokio::select! {
                biased;
                done = &mut work => {
                    if asked.is_some() {
                        self.tell(Event::GoesOn).await;
                    }
                    self.thinking.send_replace(false);
                    return done;
                }
                answer = relay::optional(&mut answered) => {
                    if let Some((question, _)) = asked.take() {
                        question.answer(answer.unwrap_or(Answer::Refuse));
                    }
                }
                // The desk outlives its connection's making.
                _ = pending.changed() => {
                    let now = pending.borrow_and_update().clone();
                    self.thinking.send_replace(now.is_some());
                    match now {
                        Some(question) => {
                            let (way, answered) = oneshot::channel();
                            let ask = Ask { question: question.question.clone(), answer: way };
                            asked = Some((question, answered));
                            self.tell(Event::Asks(ask)).await;
                        }
                        None => {
                            if asked.take().is_some() {
                                self.tell(Event::GoesOn).await;
                            }
                        }
                    }
                }
            }
        }
    }

    async fn tell(&self, event: Event) {
        if let Some(events) = self.events {
            // Nobody listens any more to a run that is about to be dropped.
            let _ = events.send(event).await;
        }
    }
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
        Desk::new(asking, Pocket::default())
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
            events: Some(events),
            asking: Asking::Allowed,
            pocket: Pocket::default(),
            thinking: watch::Sender::new(false),
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

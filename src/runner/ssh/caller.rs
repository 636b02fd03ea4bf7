//! Who waits for a connection, and passes on what its making asks: a run to its operator, and where a connection leads
//! through the one that is waited for, its own desk to those who wait there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::desk::{Before, Desk, Pause, Pending, within};
use super::route::Target;
use crate::core::ids::JobId;
use crate::core::spec::Asking;
use crate::runner::{Ask, Event, Order, Pocket, relay};
use crate::secret::Answer;

/// Who wants a connection.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    to: Listener<'a>,
    pub(super) asking: Asking,
    pub(super) pocket: Pocket,
    pub(super) job: JobId,
    paused: watch::Sender<bool>,
    /// The connection it waits for; at whose making there is a desk, that desk has it.
    before: Before,
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
            before: Before::default(),
        }
    }

    fn new(order: &Order, to: Listener<'a>, asking: Asking) -> Self {
        Self {
            to,
            asking,
            pocket: order.pocket.clone(),
            job: order.job,
            paused: watch::Sender::new(false),
            before: Before::default(),
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

    /// The hop that keeps it waiting, or did when it gave up.
    pub(super) fn stalled_hop(&self) -> Option<String> {
        self.before().stalled_hop()
    }

    fn before(&self) -> &Before {
        match self.to {
            Listener::Desk(own) => &own.before,
            Listener::Nobody | Listener::Run(_) => &self.before,
        }
    }

    /// Waits for a connection that is being made, and passes on what is asked meanwhile.
    pub(super) async fn attend<T>(&self, desk: &Arc<Desk>, work: impl Future<Output = T>) -> T {
        self.before().wait_for(desk);
        let done = self.listen(desk, work).await;
        // Not where this is dropped: who gives up wants to know what he waited for.
        self.before().ended();
        done
    }

    async fn listen<T>(&self, desk: &Desk, work: impl Future<Output = T>) -> T {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::question::{About, Question};
    use crate::runner::ssh::wire::Fate;
    use crate::secret::Secret;

    fn desk(asking: Asking) -> Arc<Desk> {
        Arc::new(Desk::new(asking, Pocket::default(), JobId(1)))
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
            before: Before::default(),
        }
    }

    /// Somebody nobody is told of.
    fn aside() -> Caller<'static> {
        Caller {
            to: Listener::Nobody,
            asking: Asking::Never,
            pocket: Pocket::default(),
            job: JobId(1),
            paused: watch::Sender::new(false),
            before: Before::default(),
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

    #[test]
    fn a_hops_question_goes_through_all_desks_and_its_answer_back() {
        wait_for(async {
            let fate = Fate::default();
            let (hop, near, far) = (
                desk(Asking::Allowed),
                desk(Asking::Allowed),
                desk(Asking::Allowed),
            );
            let behind = |desk| Caller {
                to: Listener::Desk(desk),
                ..aside()
            };
            let (events, mut told) = mpsc::channel(4);
            let (run, middle, last) = (caller(&events), behind(&far), behind(&near));
            let limit = Duration::from_millis(100);
            let making = hop.secret(Question::first(passphrase()), &fate);
            let near_made = last.attend(&hop, making);
            let far_made = middle.attend(&near, near_made);
            let operator = async {
                let Some(Event::Asks(ask)) = told.recv().await else {
                    panic!("it asks");
                };
                tokio::time::sleep(3 * limit).await;
                let said = Answer::Secret(Secret::new("sesame".to_string()));
                ask.answer.send(said).expect("somebody waits");
            };
            let (made, ()) = tokio::join!(
                run.within(limit, run.attend(&far, far.within(limit, far_made))),
                operator
            );
            let secret = made.flatten().flatten();
            assert_eq!(secret.expect("it was told").reveal(), "sesame");
            assert!(near.pause.borrow().is_none() && far.pause.borrow().is_none());
        });
    }

    #[test]
    fn who_waits_for_his_turn_loses_no_time() {
        wait_for(async {
            let (desk, limit) = (desk(Asking::Never), Duration::from_millis(50));
            let turn = desk.queue(tokio::time::sleep(3 * limit));
            let caller = aside();
            let made = caller.attend(&desk, desk.within(limit, turn));
            assert_eq!(caller.within(limit, made).await, Some(Some(())));
        });
    }
}

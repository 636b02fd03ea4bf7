//! One child's task: from its runner's events to the store and the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::core::ids::ChildId;
use crate::core::receive::LeaseId;
use crate::core::spec::{Ended, Proof, Trace};
use crate::runner::{Boxed, Event};
use crate::store::Log;

/// Events a runner may be ahead of the store.
pub(super) const EVENTS: usize = 16;

/// What a child's task tells the engine.
#[derive(Debug)]
pub(super) enum News {
    Began(ChildId, Trace),
    /// Its log has grown; how far, the log says.
    Grew(ChildId),
    Ended(ChildId, Ended),
    Proved(ChildId, Proof),
    /// Somebody who received has gone before the answer came.
    Unheard(LeaseId),
}

/// Tells the engine at most once that a log has grown until it has looked: however much a child writes, it has at most
/// one such message under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Grown(Arc<AtomicBool>);

impl Grown {
    /// Notes growth; true if the engine has to be told.
    fn note(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// The engine is about to look.
    pub(super) fn seen(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Carries one run from its first event to its end.
pub(super) async fn carry(
    child: ChildId,
    run: Boxed<Ended>,
    mut events: mpsc::Receiver<Event>,
    log: Log,
    grown: Grown,
    news: mpsc::Sender<News>,
) {
    let (mut run, mut ended) = (run, None);
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(Event::Began(trace)) => _ = news.send(News::Began(child, trace)).await,
                Some(Event::Output(stream, data)) => {
                    log.append(stream, &data).await;
                    if grown.note() {
                        _ = news.send(News::Grew(child)).await;
                    }
                }
                // The runner let go of its end: nothing more will come but how it ended.
                None => break,
            },
            verdict = &mut run, if ended.is_none() => ended = Some(verdict),
        }
    }
    let ended = match ended {
        Some(ended) => ended,
        None => run.await,
    };
    _ = news.send(News::Ended(child, ended)).await;
}

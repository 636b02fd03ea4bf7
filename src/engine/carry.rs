//! One child's task: from its runner's events to the store and the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::core::ids::ChildId;
use crate::core::output::Stream;
use crate::core::receive::LeaseId;
use crate::core::spec::{Ended, Motion, Moved, Proof, Trace};
use crate::runner::{Ask, Boxed, Event};
use crate::store::Log;

/// Events a runner may be ahead of the store.
pub(super) const EVENTS: usize = 16;

/// What a child's task tells the engine.
#[derive(Debug)]
pub(super) enum News {
    Began(ChildId, Trace),
    /// Its log has grown; how far, the log says.
    Grew(ChildId),
    /// It waits for an answer, and does not any more.
    Asks(ChildId, Ask),
    GoesOn(ChildId),
    /// It has to wait until somebody receives, and need not any more.
    Full(ChildId),
    Room(ChildId),
    Ended(ChildId, Ended),
    Proved(ChildId, Proof),
    Moved(ChildId, Motion, Moved),
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

/// How far a child may write: moved on when somebody receives, and to the end of all numbers when it is stopped.
#[derive(Clone, Debug)]
pub(super) struct Gate(Option<watch::Receiver<u64>>);

impl Gate {
    /// A gate that is always open.
    pub(super) fn open() -> Self {
        Self(None)
    }

    /// One that lets through what `limit` says.
    pub(super) fn at(limit: watch::Receiver<u64>) -> Self {
        Self(Some(limit))
    }

    /// Whether a child that has written this much has to wait.
    fn holds(&self, end: u64) -> bool {
        self.0.as_ref().is_some_and(|limit| end > *limit.borrow())
    }

    /// Returns once a child that has written this much may go on.
    async fn pass(&mut self, end: u64) {
        if let Some(limit) = &mut self.0 {
            // Whoever moves it has gone: then nobody holds anything back.
            _ = limit.wait_for(|limit| end <= *limit).await;
        }
    }
}

/// Carries one run from its first event to its end.
pub(super) async fn carry(
    child: ChildId,
    run: Boxed<Ended>,
    mut events: mpsc::Receiver<Event>,
    log: Log,
    mut gate: Gate,
    grown: Grown,
    news: mpsc::Sender<News>,
) {
    let (mut run, mut ended) = (run, None);
    // What has arrived and has to wait, and how far the output would go with it.
    let mut held: Option<(Stream, Bytes, u64)> = None;
    loop {
        tokio::select! {
            biased;
            () = gate.pass(held.as_ref().map_or(0, |(_, _, end)| *end)), if held.is_some() => {
                if let Some((stream, data, _)) = held.take() {
                    _ = news.send(News::Room(child)).await;
                    store(child, &log, stream, &data, &grown, &news).await;
                }
            }
            event = events.recv(), if held.is_none() => match event {
                Some(Event::Began(trace)) => _ = news.send(News::Began(child, trace)).await,
                Some(Event::Output(stream, data)) => {
                    let end = log.extent().end.offset() + data.len() as u64;
                    if gate.holds(end) {
                        held = Some((stream, data, end));
                        _ = news.send(News::Full(child)).await;
                    } else {
                        store(child, &log, stream, &data, &grown, &news).await;
                    }
                }
                Some(Event::Asks(ask)) => _ = news.send(News::Asks(child, ask)).await,
                Some(Event::GoesOn) => _ = news.send(News::GoesOn(child)).await,
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
    log.settle().await;
    _ = news.send(News::Ended(child, ended)).await;
}

/// Appends to a child's log, and tells the engine.
async fn store(
    child: ChildId,
    log: &Log,
    stream: Stream,
    data: &[u8],
    grown: &Grown,
    news: &mpsc::Sender<News>,
) {
    log.append(stream, data).await;
    if grown.note() {
        _ = news.send(News::Grew(child)).await;
    }
}

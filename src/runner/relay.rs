//! From a command's two output streams to the events of its run: finds the start, keeps the order, and says when to
//! stop reading because nobody takes what was read.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::Event;
use super::prologue::{BeganFinder, Found};
use crate::core::output::Stream;
use crate::core::spec::{Signal, Trace};

/// How much may wait for the receiver of the events before reading stops.
const LIMIT: usize = 256 * 1024;

/// How much may wait while something urgent has to get through.
const FLOOD: usize = 16 << 20;

/// What holding one piece costs beside its bytes, roughly: many tiny ones must not slip under the limit.
const OVERHEAD: usize = 128;

/// How much a login shell's profile may print before it is passed on although the command has not begun.
const HELD: usize = 16 * 1024;

/// How much of what a login shell complains about is looked at.
const COMPLAINT: usize = 2048;

/// Output on its way to whoever receives the events.
#[derive(Debug)]
pub(super) struct Relay {
    /// `None` once the command runs.
    finder: Option<BeganFinder>,
    trace: Option<Trace>,
    begun: watch::Sender<bool>,
    queue: VecDeque<Event>,
    bytes: usize,
    ended: bool,
    /// How standard error began, as long as the command has not.
    complaint: Vec<u8>,
}

/// Nobody receives the events any more.
#[derive(Debug)]
pub(super) struct Unheard;

impl Relay {
    pub(super) fn new(run: &str) -> Self {
        Self {
            finder: Some(BeganFinder::new(run)),
            trace: None,
            begun: watch::Sender::new(false),
            queue: VecDeque::new(),
            bytes: 0,
            ended: false,
            complaint: Vec::new(),
        }
    }

    /// Takes what was read.
    pub(super) fn read(&mut self, stream: Stream, data: Bytes) {
        if stream == Stream::Err && self.finder.is_some() {
            let room = COMPLAINT.saturating_sub(self.complaint.len());
            self.complaint
                .extend_from_slice(&data[..data.len().min(room)]);
        }
        let Some(finder) = self.finder.as_mut().filter(|_| stream == Stream::Out) else {
            return self.push(stream, data);
        };
        match finder.push(&data) {
            Found::Before(noise) => self.push(Stream::Out, noise),
            Found::Began { pid, before, after } => {
                self.finder = None;
                let trace = Trace { pid };
                self.push(Stream::Out, before);
                self.queue.push_front(Event::Began(trace.clone()));
                self.trace = Some(trace);
                self.begun.send_replace(true);
                self.push(Stream::Out, after);
            }
        }
    }

    /// Both streams have ended: what was held back goes on too.
    pub(super) fn end(&mut self) {
        if let Some(mut finder) = self.finder.take() {
            let rest = finder.finish();
            self.push(Stream::Out, rest);
        }
        self.ended = true;
    }

    /// What the login shell said on standard error before the command began.
    pub(super) fn complaint(&self) -> &[u8] {
        &self.complaint
    }

    /// What finds the command again, once it has begun.
    pub(super) fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// Becomes true when the command runs.
    pub(super) fn begun(&self) -> watch::Receiver<bool> {
        self.begun.subscribe()
    }

    /// Whether reading has to stop.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= LIMIT
    }

    /// Whether reading has to stop even when something urgent depends on it: a computer that floods us must not fill our
    /// memory meanwhile.
    pub(super) fn is_flooded(&self) -> bool {
        self.bytes >= FLOOD
    }

    /// Whether [`Relay::deliver`] has something to do.
    pub(super) fn is_ready(&self) -> bool {
        !self.queue.is_empty() && (self.trace.is_some() || self.ended || self.bytes > HELD)
    }

    /// Hands over the oldest event.  Nothing is lost when the future is dropped.
    pub(super) async fn deliver(&mut self, events: &mpsc::Sender<Event>) -> Result<(), Unheard> {
        let permit = events.reserve().await.map_err(|_| Unheard)?;
        if let Some(event) = self.queue.pop_front() {
            if let Event::Output(_, data) = &event {
                self.bytes -= data.len() + OVERHEAD;
            }
            permit.send(event);
        }
        Ok(())
    }

    /// Hands over everything, after the end.
    pub(super) async fn deliver_all(
        &mut self,
        events: &mpsc::Sender<Event>,
    ) -> Result<(), Unheard> {
        while self.is_ready() {
            self.deliver(events).await?;
        }
        Ok(())
    }

    fn push(&mut self, stream: Stream, data: Bytes) {
        if !data.is_empty() {
            self.bytes += data.len() + OVERHEAD;
            self.queue.push_back(Event::Output(stream, data));
        }
    }
}

/// The next signal that was asked for; never ends when nobody can ask any more.
pub(super) async fn next_signal(signal: &mut watch::Receiver<Option<Signal>>) -> Signal {
    loop {
        if signal.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if let Some(asked) = *signal.borrow_and_update() {
            return asked;
        }
    }
}

/// The next signal that may be sent.  TERM waits until the command runs: before that it could end the shell that is about
/// to become the command and tell nobody which process that was, so that nothing could be proved of it.
pub(super) async fn next_to_send(
    signal: &mut watch::Receiver<Option<Signal>>,
    begun: &mut watch::Receiver<bool>,
) -> Signal {
    let asked = next_signal(signal).await;
    if asked == Signal::Kill {
        return asked;
    }
    tokio::select! {
        biased;
        // It ended without ever running: then nobody reads what is sent, either.
        _ = begun.wait_for(|begun| *begun) => asked,
        higher = next_signal(signal) => higher,
    }
}

/// The signal that was already asked for, if any; [`next_signal`] then waits for a higher one.
pub(super) fn asked(signal: &mut watch::Receiver<Option<Signal>>) -> Option<Signal> {
    *signal.borrow_and_update()
}

/// Waits for a future that may not be there; without it, for ever.
pub(super) async fn optional<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

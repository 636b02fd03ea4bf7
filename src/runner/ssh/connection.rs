//! A connection that is logged in, and what the channels on it must know of each other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Disconnect, Error};
use tokio::sync::watch;
use tokio::time::Instant;

use super::host_key::Checker;
use super::proxy::Program;
use super::wire::Fate;

/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// How long the server may take to answer before the readers of its connection may rest again.
const URGENT: Duration = Duration::from_secs(5);

/// How long to wait, time and again, for a session to become free that the server still counts.
const PAUSES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(100)];

/// See the module.
pub(super) struct Connection {
    handle: Arc<Handle<Checker>>,
    fate: Arc<Fate>,
    /// What it leads through, where that is a `ProxyCommand`.
    program: Option<Program>,
    urgent: watch::Sender<usize>,
    stalled: AtomicUsize,
    made: Instant,
    /// The server has opened a session on it.
    gave_session: AtomicBool,
}

impl Connection {
    pub(super) fn new(handle: Arc<Handle<Checker>>, fate: Arc<Fate>) -> Self {
        Self {
            handle,
            fate,
            program: None,
            urgent: watch::Sender::new(0),
            stalled: AtomicUsize::new(0),
            made: Instant::now(),
            gave_session: AtomicBool::new(false),
        }
    }

    /// It leads through this program.
    pub(super) fn by(mut self, program: Program) -> Self {
        self.program = Some(program);
        self
    }

    /// When it was logged in.
    pub(super) fn made(&self) -> Instant {
        self.made
    }

    pub(super) fn handle(&self) -> &Handle<Checker> {
        &self.handle
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Bytes that came and went.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.fate.received), read(&self.fate.sent))
    }

    /// The first bytes the server sent.
    pub(super) fn greeting(&self) -> &[u8] {
        self.fate.greeting.get().map_or(&[], |greeting| greeting)
    }

    /// It is about to be ended on purpose, and this is why.
    pub(super) fn will_end(&self, why: &str) {
        // Unless it has already.
        let _ = self.fate.ended.set(why.to_owned());
    }

    /// Why it ended, in words.
    pub(super) fn why(&self) -> String {
        self.fate.why()
    }

    /// The same, with what the program had to say about it that it led through.
    pub(super) async fn whole_story(&self) -> String {
        let why = self.why();
        let more = match &self.program {
            Some(program) => program.failure().await,
            None => None,
        };
        match more {
            Some(more) => format!("{why}; {more}"),
            None => why,
        }
    }

    /// The words with which the server refused a channel with this code.
    pub(super) async fn refusal(&self, code: u32) -> String {
        self.fate.refusal(code).await
    }

    /// Opens a session.  A server counts one until it has cleaned up behind it, which may be after both sides have closed
    /// the channel, and refuses new ones as long as there are too many: so what is refused is asked for again.
    pub(super) async fn open_session(&self) -> Result<Channel<Msg>, Error> {
        let mut pauses = PAUSES.iter();
        loop {
            let opened = self.try_open_session().await;
            let Err(Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) = &opened else {
                return opened;
            };
            // One that never gave a session has none to clean up behind.
            let Some(pause) = pauses.next().filter(|_| self.gave_session()) else {
                return opened;
            };
            tokio::time::sleep(*pause).await;
            // It has seen what was closed before, when it has answered.
            self.answer().await;
        }
    }

    async fn try_open_session(&self) -> Result<Channel<Msg>, Error> {
        let _urgent = self.urgent();
        let channel = self.handle.channel_open_session().await?;
        self.gave_session.store(true, Ordering::Relaxed);
        Ok(channel)
    }

    /// Whether the server has ever opened a session on it.
    pub(super) fn gave_session(&self) -> bool {
        self.gave_session.load(Ordering::Relaxed)
    }

    /// Returns once the server has answered: what it said before that has been read.
    pub(super) async fn answer(&self) {
        let _urgent = self.urgent();
        let _ = tokio::time::timeout(URGENT, self.handle.send_ping()).await;
    }

    /// While it lives, a channel's reader is behind: nothing moves on this connection.
    pub(super) fn stall(&self) -> Stalled<'_> {
        self.stalled.fetch_add(1, Ordering::Relaxed);
        Stalled(self)
    }

    /// Whether some channel's reader is behind.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed) > 0
    }

    /// While it lives, readers go on although they are behind, because something must reach the server.
    pub(super) fn urgent(&self) -> Urgent<'_> {
        self.urgent.send_modify(|count| *count += 1);
        Urgent(self)
    }

    /// How many things must reach the server, for readers to watch.
    pub(super) fn urgency(&self) -> watch::Receiver<usize> {
        self.urgent.subscribe()
    }

    /// Tells the server, then ends it.
    pub(super) async fn close(&self) {
        let _urgent = self.urgent();
        let good_bye = async {
            let told = self
                .handle
                .disconnect(Disconnect::ByApplication, "", "")
                .await;
            if told.is_ok() {
                self.fate.over.notified().await;
            }
        };
        // A server that does not take it is gone, or as good as.
        let _ = tokio::time::timeout(GOOD_BYE, good_bye).await;
        self.fate.cut();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("fate", &self.fate)
            .finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.fate.cut();
    }
}

/// See [`Connection::stall`].
#[derive(Debug)]
pub(super) struct Stalled<'a>(&'a Connection);

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        self.0.stalled.fetch_sub(1, Ordering::Relaxed);
    }
}

/// See [`Connection::urgent`].
#[derive(Debug)]
pub(super) struct Urgent<'a>(&'a Connection);

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.urgent.send_modify(|count| *count -= 1);
    }
}

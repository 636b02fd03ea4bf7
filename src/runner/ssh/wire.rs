//! The stream under a connection, and what both ends of it tell each other about its fate.
//!
//! It reads ahead, because the SSH library reads every packet in two small pieces; it acknowledges at once while the
//! TCP connection is young, because `sshd` leaves Nagle's algorithm on and would wait for a delayed acknowledgement; it
//! remembers how the server introduced itself, for the error message of one that speaks something else; and it can be
//! cut, because the library's task would otherwise outlive whoever gave up on a server that fell silent.
//!
//! It is also what notices that: the library counts whole packets, and a line that is slow enough brings none while it
//! still brings bytes.  As for OpenSSH, each byte is a sign of life.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use russh::keys::PublicKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use super::proxy::Piped;
use super::tunnel::Tunnel;
use crate::core::reason::Reason;

/// Bytes read ahead.  4-16 KiB save 3-5 % of the wall time of a fan-out.
const READ_AHEAD: usize = 4096;

/// Reads after which a connection is no longer young: more than a handshake, a log-in and a first command take.
const YOUNG: u32 = 64;

/// Refusals whose words nobody has taken yet; there are never more channels being opened.
const REFUSALS: usize = 1024;

/// How long those words may take, which come with the refusal.
const WORDS: Duration = Duration::from_millis(200);

/// How much of a server's first words is remembered.
const GREETING: usize = 64;

/// What is known about one connection's fate, shared by everyone who holds a part of it.
#[derive(Debug, Default)]
pub(super) struct Fate {
    cut: AtomicBool,
    reader: AtomicWaker,
    /// The first bytes the server sent.
    pub(super) greeting: OnceLock<Box<[u8]>>,
    /// Why the server's key was not accepted.
    pub(super) rejected: OnceLock<Reason>,
    /// The keys that the server says it has, too, and told when it has said so.
    pub(super) announced: OnceLock<Vec<PublicKey>>,
    pub(super) heard: Notify,
    /// Whether an operator was asked about the server's key, who may have taken longer than the server waits.
    pub(super) asked: AtomicBool,
    /// Whether somebody is logged in: before that a limit of its own holds, and silence is none of ours.
    pub(super) logged_in: AtomicBool,
    /// Why the connection ended.
    pub(super) ended: OnceLock<String>,
    /// Told when it has.
    pub(super) over: Notify,
    /// Bytes that came and went.
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
    /// Why the server opened no channels, in its words, in the order in which it said so.
    refusals: Mutex<VecDeque<(u32, String)>>,
    refused: Notify,
}

impl Fate {
    /// Ends the connection now, without good-byes.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.ended.get().is_some()
    }

    /// The server opens no channel: the code and the words of RFC 4254, section 5.1.
    pub(super) fn refuses(&self, code: u32, words: String) {
        let mut refusals = self.refusals();
        if refusals.len() == REFUSALS {
            refusals.pop_front();
        }
        refusals.push_back((code, words));
        drop(refusals);
        self.refused.notify_waiters();
    }

    /// The words with which a channel was refused that had this code.  The library reports the refusal before its words
    /// and apart from them, both in the server's order.
    pub(super) async fn refusal(&self, code: u32) -> String {
        let words = async {
            loop {
                let more = self.refused.notified();
                if let Some(words) = self.take_refusal(code) {
                    return words;
                }
                more.await;
            }
        };
        let words = tokio::time::timeout(WORDS, words).await;
        words.unwrap_or_default()
    }

    fn take_refusal(&self, code: u32) -> Option<String> {
        let mut refusals = self.refusals();
        let at = refusals.iter().position(|(of, _)| *of == code)?;
        refusals.remove(at).map(|(_, words)| words)
    }

    fn refusals(&self) -> MutexGuard<'_, VecDeque<(u32, String)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the connection ended, in words.
    pub(super) fn why(&self) -> String {
        self.ended
            .get()
            .cloned()
            .unwrap_or_else(|| "the connection ended".to_owned())
    }
}

/// Cuts the connection when dropped: for whoever may give up on making it.
#[derive(Debug)]
pub(super) struct CutOnDrop(pub(super) Option<Arc<Fate>>);

impl CutOnDrop {
    /// The connection is made.
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        if let Some(fate) = &self.0 {
            fate.cut();
        }
    }
}

/// What the bytes go through.
#[derive(Debug)]
pub(super) enum Line {
    Tcp(TcpStream),
    /// Through a hop.
    Tunnel(Tunnel),
    /// A `ProxyCommand`.
    Piped(Piped),
}

/// A stream as described above.
#[derive(Debug)]
pub(super) struct Wire {
    line: Line,
    fate: Arc<Fate>,
    /// What was read and not asked for yet, from `start` on.  It has no room while there is nothing, because most
    /// connections are idle most of the time.
    ahead: Vec<u8>,
    start: usize,
    reads: u32,
    silence: Option<Silence>,
}

/// Watches for how long nothing comes while somebody waits for it.
#[derive(Debug)]
struct Silence {
    /// How long that may be.
    patience: Duration,
    since: Option<Instant>,
    /// Made when somebody waits first, and moved only when it is over: bytes come more often than timers are worth.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            since: None,
            timer: None,
        }
    }

    /// Whether it has lasted too long; whoever asks is woken when it has.
    fn lasts(&mut self, cx: &mut Context<'_>) -> bool {
        let due = *self.since.get_or_insert_with(Instant::now) + self.patience;
        let timer = (self.timer).get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        while timer.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                return true;
            }
            timer.as_mut().reset(due);
        }
        false
    }

    fn ends(&mut self) {
        self.since = None;
    }
}

impl Wire {
    /// A stream that may be silent for so long, if there is a limit.
    pub(super) fn new(line: Line, fate: Arc<Fate>, patience: Option<Duration>) -> Self {
        Self {
            line,
            fate,
            ahead: Vec::new(),
            silence: patience.map(Silence::new),
            start: 0,
            reads: 0,
        }
    }

    /// Hands over what was read ahead.
    fn serve(&mut self, out: &mut ReadBuf<'_>) {
        let rest = &self.ahead[self.start..];
        let length = out.remaining().min(rest.len());
        out.put_slice(&rest[..length]);
        self.start += length;
        if self.start == self.ahead.len() {
            self.ahead = Vec::new();
            self.start = 0;
        }
    }

    /// What came of reading, or that nothing has come for too long.
    fn listened(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let Some(silence) = &mut self.silence else {
            return polled;
        };
        match polled {
            Poll::Pending if self.fate.logged_in.load(Ordering::Acquire) && silence.lasts(cx) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(came) => {
                silence.ends();
                Poll::Ready(came)
            }
        }
    }

    /// Not sticky, hence set again after each read.
    #[cfg(target_os = "linux")]
    fn acknowledge_at_once(&mut self) {
        if self.reads < YOUNG {
            self.reads += 1;
            if let Line::Tcp(stream) = &self.line {
                // Only a matter of speed.
                let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge_at_once(&mut self) {
        self.reads += u32::from(self.reads < YOUNG);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.fate.reader.register(cx.waker());
        if wire.fate.cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if !wire.ahead.is_empty() {
            wire.serve(out);
            return Poll::Ready(Ok(()));
        }
        if out.remaining() >= READ_AHEAD {
            let before = out.filled().len();
            let polled = wire.line.poll_read(cx, out);
            count(&wire.fate.received, out.filled().len() - before);
            return wire.listened(cx, polled);
        }
        let mut space = [const { MaybeUninit::uninit() }; READ_AHEAD];
        let mut came = ReadBuf::uninit(&mut space);
        let polled = wire.line.poll_read(cx, &mut came);
        ready!(wire.listened(cx, polled))?;
        let came = came.filled();
        count(&wire.fate.received, came.len());
        wire.acknowledge_at_once();
        if wire.reads <= 1 {
            let length = came.len().min(GREETING);
            wire.fate.greeting.get_or_init(|| came[..length].into());
        }
        let (now, later) = came.split_at(out.remaining().min(came.len()));
        out.put_slice(now);
        wire.ahead.extend_from_slice(later);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.line.writer().poll_write(cx, data);
        if let Poll::Ready(Ok(written)) = polled {
            count(&self.fate.sent, written);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.writer().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.writer().poll_shutdown(cx)
    }
}

impl Line {
    fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Tunnel(tunnel) => Pin::new(tunnel).poll_read(cx, out),
            Self::Piped(piped) => Pin::new(piped).poll_read(cx, out),
        }
    }

    /// The side that is written to.
    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        Pin::new(match self {
            Self::Tcp(stream) => stream,
            Self::Tunnel(tunnel) => tunnel,
            Self::Piped(piped) => piped,
        })
    }
}

fn count(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(bytes as u64, Ordering::Relaxed);
}

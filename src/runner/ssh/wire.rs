//! The TCP stream under a connection, and what both ends of it tell each other about its fate.
//!
//! It reads ahead, because the SSH library reads every packet in two small pieces; it acknowledges at once while the
//! connection is young, because `sshd` leaves Nagle's algorithm on and would wait for a delayed acknowledgement; it
//! remembers how the server introduced itself, for the error message of one that speaks something else; and it can be
//! cut, because the library's task would otherwise outlive whoever gave up on a server that fell silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use russh::keys::PublicKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::core::reason::Reason;

/// Bytes read ahead.  4-16 KiB save 3-5 % of the wall time of a fan-out; idle connections keep their buffer.
const READ_AHEAD: usize = 4096;

/// Reads after which a connection is no longer young: more than a handshake, a log-in and a first command take.
const YOUNG: u32 = 64;

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
    /// Why the connection ended.
    pub(super) ended: OnceLock<String>,
    /// Told when it has.
    pub(super) over: Notify,
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

/// A TCP stream as described above.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    fate: Arc<Fate>,
    ahead: Box<[u8]>,
    start: usize,
    end: usize,
    reads: u32,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, fate: Arc<Fate>) -> Self {
        Self {
            stream,
            fate,
            ahead: vec![0; READ_AHEAD].into_boxed_slice(),
            start: 0,
            end: 0,
            reads: 0,
        }
    }

    /// Not sticky, hence set again after each read.
    #[cfg(target_os = "linux")]
    fn acknowledge_at_once(&mut self) {
        if self.reads < YOUNG {
            self.reads += 1;
            // Only a matter of speed.
            let _ = rustix::net::sockopt::set_tcp_quickack(&self.stream, true);
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
        if wire.start == wire.end {
            if out.remaining() >= wire.ahead.len() {
                return Pin::new(&mut wire.stream).poll_read(cx, out);
            }
            let mut ahead = ReadBuf::new(&mut wire.ahead);
            match Pin::new(&mut wire.stream).poll_read(cx, &mut ahead) {
                Poll::Ready(Ok(())) => {
                    wire.start = 0;
                    wire.end = ahead.filled().len();
                    wire.acknowledge_at_once();
                    if wire.reads <= 1 {
                        let length = wire.end.min(GREETING);
                        wire.fate
                            .greeting
                            .get_or_init(|| wire.ahead[..length].into());
                    }
                }
                other @ (Poll::Ready(Err(_)) | Poll::Pending) => return other,
            }
        }
        let length = out.remaining().min(wire.end - wire.start);
        out.put_slice(&wire.ahead[wire.start..wire.start + length]);
        wire.start += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

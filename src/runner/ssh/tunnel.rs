//! A stream to a host through a hop's connection (a `direct-tcpip` channel, RFC 4254, section 7.2).
//!
//! The library hands a connection's packets to its channels one after the other, and one that does not take its own holds
//! up all; it also opens a channel's window again whoever reads.  So every tunnel takes what comes at once and keeps it
//! until the connection inside reads on.  That is bounded by what the inner connection lets its server send ahead
//! ([`INNER_WINDOW`] for each command); a server that does not keep to that is cut off.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::task::AtomicWaker;
use russh::{ChannelMsg, ChannelOpenFailure, ChannelReadHalf, Error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::caller::Caller;
use super::channel::{CloseOnDrop, OpenChannel};
use super::failure::{Failure, Fault};
use super::pool::{Lease, Pool};
use super::route::{Target, at_hop};
use crate::core::reason::Reason;

/// What one channel of a connection inside a tunnel may receive before its window is opened again.
pub(super) const INNER_WINDOW: u32 = 512 << 10;

/// Bytes that wait in a tunnel: the windows of all channels of one connection, and three times that for what packets add
/// to them.
const MOST: usize = 16 << 20;

/// What keeping one piece costs beside its bytes, roughly.
const OVERHEAD: usize = 64;

/// How long a hop may take to open a tunnel before it is asked whether it is still there, and how long that may take.
const SILENCE: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(5);

/// Connections of a hop that are tried for one tunnel.
const ATTEMPTS: usize = 3;

/// See the module.
pub(super) struct Tunnel {
    kept: Arc<Kept>,
    /// It goes on by itself, and ends with this.
    pump: AbortHandle,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    /// Closes the channel, and gives the place on the hop's connection back.
    _open: CloseOnDrop,
}

/// What has come and was not read yet.
#[derive(Default)]
struct Kept {
    came: Mutex<Came>,
    reader: AtomicWaker,
}

#[derive(Default)]
struct Came {
    pieces: VecDeque<Bytes>,
    size: usize,
    ended: Option<End>,
}

#[derive(Clone, Debug)]
enum End {
    /// The host closed it.
    Closed,
    /// Something between here and the host did.
    Broken(String),
}

/// A tunnel to a host, over the leased connection of a hop or, where that turns out dead, another one.
pub(super) async fn open(
    pool: &Arc<Pool>,
    hop: &Arc<Target>,
    mut lease: Lease,
    to: (&str, u16),
    caller: &Caller<'_>,
    limit: Duration,
) -> Result<Tunnel, Failure> {
    for _ in 0..ATTEMPTS {
        let connection = lease.shared();
        match try_open(lease, to).await {
            Opened::Open(channel) => return Ok(Tunnel::new(hop.name(), channel)),
            Opened::Refused(kind, words) => return Err(refusal(hop, to, &kind, &words)),
            Opened::Dead => pool.discard(&hop.key, &connection),
        }
        tracing::debug!(
            hop = hop.name(),
            why = connection.why(),
            "a connection to a hop is of no use"
        );
        lease = pool
            .lease(hop, caller, limit)
            .await
            .map_err(Failure::lasting)?;
    }
    let gone = Reason::Unreachable("its connections do not last".to_owned());
    Err(Failure::lasting(at_hop(hop.name(), gone)))
}

/// What asking a hop for a tunnel came to.
enum Opened {
    Open(OpenChannel),
    Refused(ChannelOpenFailure, String),
    /// The hop's connection has ended, or the hop does not answer.
    Dead,
}

/// Asks for a channel.  That goes on when the caller does not: one that is opened after all has to be closed, and the
/// words of a refusal have to be taken.
async fn try_open(lease: Lease, (host, port): (&str, u16)) -> Opened {
    let connection = lease.shared();
    let host = host.to_owned();
    let (done, mut opened) = oneshot::channel();
    tokio::spawn(async move {
        let handle = lease.connection().handle();
        let opening = handle.channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0);
        let came_to = match opening.await {
            Ok(channel) => Opened::Open(OpenChannel::new(channel, lease)),
            Err(Error::ChannelOpenFailure(kind)) => {
                let words = lease.connection().refusal(kind.code()).await;
                Opened::Refused(kind, words)
            }
            Err(_) => Opened::Dead,
        };
        // Where nobody wants it any more, dropping it closes it.
        let _ = done.send(came_to);
    });
    loop {
        if let Ok(came_to) = tokio::time::timeout(SILENCE, &mut opened).await {
            return came_to.unwrap_or(Opened::Dead);
        }
        // The host may be slow, or the hop dead.
        let ping = connection.handle().send_ping();
        if tokio::time::timeout(ANSWER, ping).await.is_err() {
            return Opened::Dead;
        }
    }
}

/// Why a hop opened no tunnel, in plain words, and whether it may open one the next time.
fn refusal(
    hop: &Target,
    (host, port): (&str, u16),
    kind: &ChannelOpenFailure,
    words: &str,
) -> Failure {
    let said = words.trim_start_matches("connect failed: ");
    let (fault, why) = match kind {
        ChannelOpenFailure::ConnectFailed => match said.to_lowercase().as_str() {
            "connection refused" => (
                Fault::Refused,
                format!("connection refused by {host}:{port}"),
            ),
            "connection timed out" => (Fault::Refused, format!("no answer from {host}:{port}")),
            "" => (Fault::Refused, format!("no connection to {host}:{port}")),
            said => (
                Fault::Lasting,
                format!("no connection to {host}:{port}: {said}"),
            ),
        },
        ChannelOpenFailure::AdministrativelyProhibited => (
            Fault::Lasting,
            format!(
                "a connection to {host}:{port} is administratively prohibited there (AllowTcpForwarding, PermitOpen)"
            ),
        ),
        ChannelOpenFailure::UnknownChannelType => {
            (Fault::Lasting, "it does not pass on connections".to_owned())
        }
        ChannelOpenFailure::ResourceShortage => (
            Fault::Busy,
            format!("no connection to {host}:{port}: it is short of resources"),
        ),
        ChannelOpenFailure::Other { code, .. } => (
            Fault::Lasting,
            format!("no connection to {host}:{port}: {said} (code {code})"),
        ),
    };
    Failure {
        reason: Reason::Unreachable(format!("via {}: {why}", hop.name())),
        fault,
    }
}

impl Tunnel {
    fn new(hop: &str, open: OpenChannel) -> Self {
        let kept = Arc::new(Kept::default());
        let OpenChannel { read, write } = open;
        let connection = write.lease().shared();
        let (hop, into) = (hop.to_owned(), Arc::clone(&kept));
        let pump = tokio::spawn(async move {
            let end = match pump(read, &into).await {
                Ok(()) => End::Closed,
                Err(Cut::ByHop) => {
                    let why = connection.why();
                    End::Broken(format!("the connection to hop {hop} is lost: {why}"))
                }
                Err(Cut::TooMuch) => End::Broken("it sent far more than it may".to_owned()),
            };
            into.end(end);
        });
        Self {
            kept,
            pump: pump.abort_handle(),
            writer: Box::pin(write.half().make_writer()),
            _open: write,
        }
    }
}

/// Why a tunnel does not end as streams do.
enum Cut {
    /// With the hop's connection.
    ByHop,
    TooMuch,
}

/// Takes what comes until it ends.
async fn pump(mut read: ChannelReadHalf, into: &Kept) -> Result<(), Cut> {
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => into.push(data)?,
            ChannelMsg::Eof | ChannelMsg::Close => return Ok(()),
            // Window adjustments, and what is not said on such a channel.
            _ => {}
        }
    }
    Err(Cut::ByHop)
}

impl Kept {
    fn push(&self, data: Bytes) -> Result<(), Cut> {
        let mut came = self.came();
        came.size += data.len() + OVERHEAD;
        came.pieces.push_back(data);
        let fits = came.size <= MOST;
        drop(came);
        self.reader.wake();
        if fits { Ok(()) } else { Err(Cut::TooMuch) }
    }

    fn end(&self, end: End) {
        self.came().ended = Some(end);
        self.reader.wake();
    }

    fn came(&self) -> MutexGuard<'_, Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.kept.reader.register(cx.waker());
        let mut came = self.kept.came();
        if came.pieces.is_empty() {
            return match &came.ended {
                None => Poll::Pending,
                Some(End::Closed) => Poll::Ready(Ok(())),
                Some(End::Broken(why)) => Poll::Ready(Err(io::Error::other(why.clone()))),
            };
        }
        while out.remaining() > 0
            && let Some(piece) = came.pieces.front_mut()
        {
            let length = piece.len().min(out.remaining());
            out.put_slice(&piece[..length]);
            piece.advance(length);
            let spent = piece.is_empty();
            came.size -= length;
            if spent {
                came.pieces.pop_front();
                came.size -= OVERHEAD;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    /// Dropping the tunnel closes the channel; to wait for that here could only hide why the connection ended.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

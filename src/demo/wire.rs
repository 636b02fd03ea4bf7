//! A connection that can be cut from outside, whoever reads or writes it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The library's end of a connection.
#[derive(Debug)]
pub(super) struct Wire(Scissors);

/// Cuts a [`Wire`].
#[derive(Clone, Debug)]
pub(super) struct Scissors(Arc<Mutex<End>>);

#[derive(Debug)]
struct End {
    /// `None` once it was cut.
    stream: Option<TcpStream>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// As when a program ends: what was sent arrives, then the end.
    Close,
    /// As when a computer has forgotten the connection: what is under way is lost.
    Reset,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> (Self, Scissors) {
        let scissors = Scissors(Arc::new(Mutex::new(End {
            stream: Some(stream),
            reader: None,
            writer: None,
        })));
        (Self(scissors.clone()), scissors)
    }
}

impl Scissors {
    pub(super) fn cut(&self, how: Cut) {
        let mut end = self.lock();
        if let Some(stream) = end.stream.take()
            && how == Cut::Reset
        {
            // Without it the connection is closed instead, which ends it as well.
            _ = stream.set_zero_linger();
        }
        let sleepers = [end.reader.take(), end.writer.take()];
        drop(end);
        sleepers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, End> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(
        &self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut end = self.lock();
        let Some(stream) = &mut end.stream else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let polled = write(Pin::new(stream), context);
        if polled.is_pending() {
            end.writer = Some(context.waker().clone());
        }
        polled
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut end = self.0.lock();
        let Some(stream) = &mut end.stream else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let polled = Pin::new(stream).poll_read(context, buffer);
        if polled.is_pending() {
            end.reader = Some(context.waker().clone());
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .write(context, |stream, context| stream.poll_write(context, data))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.write(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.write(context, AsyncWrite::poll_shutdown)
    }
}

//! The two ends of one client's connection.

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadHalf, WriteHalf,
};

use super::notice::Notices;
use crate::engine::Gone;
use crate::wire::frame::{self, FrameError};
use crate::wire::request::Ack;
use crate::wire::{Reply, Request};

/// Bytes gathered before a frame goes to the socket.
const BUFFER: usize = 64 << 10;

/// Why a session ended early: nobody is left to tell.
#[derive(Debug)]
pub(super) enum Broken {
    Client(#[expect(dead_code, reason = "read through Debug, in the log")] FrameError),
    /// The client closed its end.
    Left,
    Engine(Gone),
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        Self::Client(error)
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Client(FrameError::Io(error))
    }
}

impl From<Gone> for Broken {
    fn from(gone: Gone) -> Self {
        Self::Engine(gone)
    }
}

/// A connection's two ends.
pub(super) struct Peer<S> {
    reader: ReadHalf<S>,
    writer: BufWriter<WriteHalf<S>>,
    notices: Notices,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S, notices: Notices) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader,
            writer: BufWriter::with_capacity(BUFFER, writer),
            notices,
        }
    }

    /// What the client wants; `None` if it left without a word, or said something that is no request.
    pub(super) async fn request(&mut self) -> Option<Request> {
        frame::read_wiped(&mut self.reader).await.ok().flatten()
    }

    /// Queues a reply, after what has to be known before it; it goes out with the next flush, or when there is much of
    /// it.
    pub(super) async fn queue(&mut self, reply: &Reply) -> Result<(), Broken> {
        self.queue_notices().await?;
        Ok(frame::write(&mut self.writer, reply).await?)
    }

    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        Ok(self.writer.flush().await?)
    }

    pub(super) async fn send(&mut self, reply: &Reply) -> Result<(), Broken> {
        self.queue(reply).await?;
        self.flush().await
    }

    /// Waits for the client's acknowledgement.
    pub(super) async fn ack(&mut self) -> Result<Ack, Broken> {
        frame::read(&mut self.reader).await?.ok_or(Broken::Left)
    }

    async fn queue_notices(&mut self) -> Result<(), Broken> {
        for notice in self.notices.due() {
            frame::write(&mut self.writer, &Reply::Notice(notice)).await?;
        }
        Ok(())
    }

    /// Waits for `work`, unless the client leaves first.  What has to be known meanwhile goes to the client at once.
    pub(super) async fn unless_left<T>(
        &mut self,
        work: impl Future<Output = Result<T, Gone>>,
    ) -> Result<T, Broken> {
        let mut byte = [0];
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done?),
                // The client has nothing to say now: this is its end of the connection, or a breach of the protocol.
                _ = self.reader.read(&mut byte) => return Err(Broken::Left),
                () = self.notices.changed() => {}
            }
            self.queue_notices().await?;
            self.flush().await?;
        }
    }
}

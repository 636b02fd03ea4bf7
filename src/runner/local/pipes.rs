//! The pipes between us and a command here.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::watch;

use super::ended;
use crate::core::spec::{Ended, Signal};
use crate::runner::sudo::{Heard, Talk};
use crate::runner::{probe, relay};

/// Read at once from a pipe.
const CHUNK: usize = 32 * 1024;

/// Writes the order, then the signals as they are asked for.  Dropping it ends the lifeline.
pub(super) async fn feed(
    mut pipe: ChildStdin,
    lines: Bytes,
    mut signal: watch::Receiver<Option<Signal>>,
    mut begun: watch::Receiver<bool>,
) {
    // A pipe that cannot be written has lost its reader, and the exit status says why.
    let mut written = pipe.write_all(&lines).await;
    while written.is_ok() {
        let asked = relay::next_to_send(&mut signal, &mut begun).await;
        written = pipe
            .write_all(format!("{}\n", probe::signal_name(asked)).as_bytes())
            .await;
    }
    std::future::pending::<()>().await;
}

/// sudo's words through pipes.
pub(super) struct Talking<'a> {
    pub(super) child: &'a mut Child,
    pub(super) stdin: &'a mut Option<ChildStdin>,
    pub(super) stdout: &'a mut Pipe<ChildStdout>,
    pub(super) stderr: &'a mut Pipe<ChildStderr>,
}

impl Talk for Talking<'_> {
    async fn hear(&mut self) -> Heard {
        tokio::select! {
            biased;
            data = self.stderr.read(), if self.stderr.is_open() => Heard::Err(data),
            data = self.stdout.read(), if self.stdout.is_open() => Heard::Out(data),
            status = self.child.wait(), if !self.stdout.is_open() && !self.stderr.is_open() => {
                Heard::End(match status {
                    Ok(status) => ended(status),
                    Err(error) => Ended::Lost(format!("its exit status was lost: {error}")),
                })
            }
        }
    }

    async fn say(&mut self, words: Bytes) {
        if let Some(stdin) = self.stdin {
            // A pipe that cannot be written has lost its reader, and how that ended is heard.
            let _ = stdin.write_all(&words).await;
        }
    }
}

/// One of the command's output pipes, until its end.
pub(super) struct Pipe<R> {
    pipe: Option<R>,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    pub(super) fn new(pipe: Option<R>) -> Self {
        Self {
            pipe,
            buffer: BytesMut::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// The next piece; empty at the end, after which the pipe is closed.  An error is an end.
    pub(super) async fn read(&mut self) -> Bytes {
        let Some(pipe) = &mut self.pipe else {
            return Bytes::new();
        };
        // Pieces share their buffer: a new one for every few bytes would hold far more than was read.
        if self.buffer.capacity() < CHUNK / 8 {
            self.buffer.reserve(CHUNK);
        }
        match pipe.read_buf(&mut self.buffer).await {
            Ok(length) if length > 0 => self.buffer.split().freeze(),
            Ok(_) | Err(_) => {
                self.pipe = None;
                Bytes::new()
            }
        }
    }
}

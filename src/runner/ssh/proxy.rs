//! A `ProxyCommand`: a program of the user's whose standard input and output are the stream to a server.
//!
//! It leads a process group of its own.  Nothing of the group outlives the connection: it is asked to end, then killed, and
//! its leader is waited for last, so that until then its number can mean nobody else.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};

use super::host_key::printable;
use super::route::ProxyCommand;

/// How long a program may take to end by itself once its stream is let go, and after TERM.
const GRACE: Duration = Duration::from_millis(500);

/// The same where nothing tells that it has.
const MOMENT: Duration = Duration::from_millis(100);

/// How long its end is waited for to say how it was.
const VERDICT: Duration = Duration::from_secs(2);

/// As much of its standard error is kept, from the end.
const WORDS: usize = 1024;

/// The program's input and output.  When this is dropped, the program is ended.
#[derive(Debug)]
pub(super) struct Piped {
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Told by being dropped.
    _held: oneshot::Sender<()>,
}

/// What is known of the program, also after its end.
#[derive(Clone, Debug)]
pub(super) struct Program {
    said: Arc<Mutex<Vec<u8>>>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

/// Starts the program as OpenSSH does: by the user's shell, which it replaces.
pub(super) fn start(command: &ProxyCommand, shell: Option<&str>) -> io::Result<(Piped, Program)> {
    let shell = shell.filter(|shell| Path::new(shell).is_absolute());
    let mut program = Command::new(shell.unwrap_or("/bin/sh"));
    program
        .arg("-c")
        .arg(format!("exec {}", command.line))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    match &command.agent {
        Some(agent) => program.env("SSH_AUTH_SOCK", agent),
        None => program.env_remove("SSH_AUTH_SOCK"),
    };
    let mut child = program.spawn()?;
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let stdin = child.stdin.take().ok_or_else(gone)?;
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let stderr = child.stderr.take().ok_or_else(gone)?;
    let (held, let_go) = oneshot::channel();
    let (end, ended) = watch::channel(None);
    let program = Program {
        said: Arc::default(),
        ended,
    };
    let said = Arc::clone(&program.said);
    // It ends soon after the stream does.
    tokio::spawn(async move {
        if let Some(status) = attend(child, stderr, let_go, &said).await {
            end.send_replace(Some(status));
        }
    });
    let piped = Piped {
        stdin,
        stdout,
        _held: held,
    };
    Ok((piped, program))
}

/// Listens to what a program says until its stream is let go, then ends it.
async fn attend(
    mut child: Child,
    mut stderr: ChildStderr,
    let_go: oneshot::Receiver<()>,
    said: &Mutex<Vec<u8>>,
) -> Option<ExitStatus> {
    let group = Group::of(&child);
    let listen = async {
        let mut piece = [0; 512];
        while let Ok(length @ 1..) = stderr.read(&mut piece).await {
            let mut said = locked(said);
            said.extend_from_slice(&piece[..length]);
            let surplus = said.len().saturating_sub(WORDS);
            said.drain(..surplus);
        }
    };
    tokio::pin!(listen);
    let mut silent = false;
    tokio::pin!(let_go);
    loop {
        tokio::select! {
            _ = &mut let_go => break,
            () = &mut listen, if !silent => silent = true,
        }
    }
    // When nobody holds its standard error any more, the program is about to end, and the whole group with it.
    for signal in [None, Some(Signal::TERM)] {
        if let Some(signal) = signal {
            group.signal(signal);
            if silent {
                tokio::time::sleep(MOMENT).await;
            }
        }
        if !silent {
            silent = tokio::time::timeout(GRACE, &mut listen).await.is_ok();
        }
    }
    drop(group);
    child.wait().await.ok()
}

/// The process group a child leads, killed when dropped.  The child is not waited for before.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Program {
    /// How it failed and what it said last, once its stream was let go; none if it did not.
    pub(super) async fn failure(&self) -> Option<String> {
        let mut ended = self.ended.clone();
        let status = tokio::time::timeout(VERDICT, ended.wait_for(Option::is_some)).await;
        let status = status.ok().and_then(|ended| *ended.ok()?);
        let said = locked(&self.said);
        let text = String::from_utf8_lossy(&said);
        let lines = text.lines().map(printable).filter(|line| !line.is_empty());
        let lines = lines.collect::<Vec<_>>();
        let how = match status.and_then(failed) {
            Some(how) => format!("the ProxyCommand ended with {how}"),
            None if lines.is_empty() => return None,
            None => "the ProxyCommand ended".to_owned(),
        };
        Some(match lines.as_slice() {
            [] => how,
            [.., before, last] => format!("{how}: {before}; {last}"),
            [last] => format!("{how}: {last}"),
        })
    }
}

/// How a program failed.  The signals that end it with its stream are ours.
fn failed(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;
    let ours = [Signal::TERM, Signal::KILL].map(Signal::as_raw);
    match (status.code(), status.signal()) {
        (Some(0), _) | (None, None) => None,
        (Some(code), _) => Some(format!("exit {code}")),
        (None, Some(signal)) if ours.contains(&signal) => None,
        (None, Some(signal)) => Some(format!("signal {signal}")),
    }
}

fn locked(said: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, out)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    /// Its input ends when this is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

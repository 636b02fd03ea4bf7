//! The client's end: reaching a daemon, starting one, and talking to it.

mod error;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::place::Place;
use super::session::Service;
use crate::wire::frame::{self, FrameError};
use crate::wire::request::Ack;
use crate::wire::{PROTOCOL, Reply, Request};

pub use error::ClientError;

/// Bytes in flight between the two ends of an in-process connection.
const PIPE: usize = 64 << 10;

/// How long a daemon may take to greet: it does so before it does anything else.
const GREETING: Duration = Duration::from_secs(10);

/// How long a daemon may take to end once it no longer listens.
const PARTING: Duration = Duration::from_secs(20);

/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// How a client gets at an engine.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Through the user's daemon.
    Daemon { place: Place, new: New },
    /// In this very process.
    InProcess(Arc<Service>),
}

/// What one that has to be started is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct New {
    /// The file of its settings, if not the usual one.
    pub config: Option<PathBuf>,
    /// Variables of this process that it does not inherit: there are secrets in them, and what it starts would have them.
    pub without: Vec<String>,
}

/// What to do when no daemon is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Start,
    /// Start one if an earlier one has left jobs.
    Recall,
    Fail,
}

/// A connection to an engine, for one request.
pub struct Connection {
    stream: Box<dyn Duplex>,
    /// The engine's process.
    pid: u32,
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl Reach {
    /// Connects and asks.
    pub async fn request(
        &self,
        request: &Request,
        absent: Absent,
    ) -> Result<Connection, ClientError> {
        let mut connection = match self {
            Self::Daemon { place, new } => {
                match greeted(connect(place, new, absent).await?).await {
                    // It was ending, and has not been asked anything yet.
                    Err(ClientError::Lost { .. }) if absent != Absent::Fail => {
                        greeted(start(place, new).await?).await?
                    }
                    greeted => greeted?,
                }
            }
            Self::InProcess(service) => {
                let (ours, theirs) = tokio::io::duplex(PIPE);
                let service = Arc::clone(service);
                // Ends when our half is dropped.
                tokio::spawn(async move { service.serve(theirs, Some(std::process::id())).await });
                greet(Box::new(ours), std::process::id()).await?
            }
        };
        connection.say(request).await?;
        Ok(connection)
    }
}

impl Connection {
    /// The engine's process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The next reply.  A connection that ends before the last one is an error: nothing is guessed.  Notices on the way
    /// go to stderr.
    pub async fn reply(&mut self) -> Result<Reply, ClientError> {
        loop {
            match self.reply_or_notice().await? {
                Reply::Notice(notice) => say(&notice),
                reply => return Ok(reply),
            }
        }
    }

    /// As [`Connection::reply`], with notices like any other reply: for whoever has a place of its own to show them.
    pub async fn reply_or_notice(&mut self) -> Result<Reply, ClientError> {
        match frame::read(&mut self.stream).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) | Err(FrameError::Io(_)) => Err(ClientError::Lost { pid: self.pid }),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the engine that everything so far was written out.
    pub async fn ack(&mut self, ack: &Ack) -> Result<(), ClientError> {
        self.say(ack).await
    }

    async fn say(&mut self, message: &impl serde::Serialize) -> Result<(), ClientError> {
        let pid = self.pid;
        frame::write_wiped(&mut self.stream, message)
            .await
            .map_err(|error| match error {
                FrameError::Io(_) => ClientError::Lost { pid },
                error => error.into(),
            })?;
        self.stream
            .flush()
            .await
            .map_err(|_| ClientError::Lost { pid })
    }
}

/// Tells the operator something that has to be known.  It may name a file, and so hold anything.
#[expect(
    clippy::print_stderr,
    reason = "it has to reach the operator before any answer"
)]
fn say(notice: &str) {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    eprintln!("regatta: {}", notice.chars().map(plain).collect::<String>());
}

/// A connection to a daemon, greetings exchanged.
async fn greeted(stream: UnixStream) -> Result<Connection, ClientError> {
    let pid = pid_of(&stream)?.unwrap_or_default();
    greet(Box::new(tokio::io::BufStream::new(stream)), pid).await
}

/// The process that listens at the other end, where the system says.
fn pid_of(stream: &UnixStream) -> Result<Option<u32>, ClientError> {
    let peer = stream.peer_cred().map_err(ClientError::Io)?;
    Ok(peer.pid().map(i32::cast_unsigned))
}

async fn greet(mut stream: Box<dyn Duplex>, pid: u32) -> Result<Connection, ClientError> {
    let theirs = match tokio::time::timeout(GREETING, frame::greet(&mut stream)).await {
        Ok(Ok(Some(theirs))) => theirs,
        Ok(Ok(None) | Err(FrameError::Io(_))) => return Err(ClientError::Lost { pid }),
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => return Err(ClientError::Silent { pid }),
    };
    tracing::debug!(
        pid = theirs.pid,
        version = %theirs.version,
        protocol = theirs.protocol,
        "greeted by the engine"
    );
    if theirs.protocol != PROTOCOL {
        return Err(ClientError::OtherVersion(theirs));
    }
    Ok(Connection {
        stream,
        pid: theirs.pid,
    })
}

async fn connect(place: &Place, new: &New, absent: Absent) -> Result<UnixStream, ClientError> {
    let socket = place.socket();
    if let Some(stream) = try_connect(place).await? {
        tracing::debug!(socket = %socket.display(), "a daemon answers");
        return Ok(stream);
    }
    tracing::debug!(socket = %socket.display(), "no daemon answers");
    match absent {
        Absent::Start => start(place, new).await,
        Absent::Recall if place.has_jobs() => start(place, new).await,
        Absent::Recall | Absent::Fail => Err(ClientError::NoDaemon),
    }
}

/// A connection, if a daemon answers on the socket.
async fn try_connect(place: &Place) -> Result<Option<UnixStream>, ClientError> {
    match UnixStream::connect(place.socket()).await {
        Ok(stream) => {
            let peer = stream.peer_cred().map_err(ClientError::Io)?;
            if peer.uid() == rustix::process::geteuid().as_raw() {
                Ok(Some(stream))
            } else {
                Err(ClientError::Stranger)
            }
        }
        // No socket, or one whose owner is gone; reset, when it goes this moment.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(ClientError::Unreachable {
            socket: place.socket(),
            error,
        }),
    }
}

/// Returns once the daemon `pid`, which was told to end, has ended.
pub async fn until_ended(place: &Place, pid: u32) -> Result<(), ClientError> {
    let _starting = starting(place).await?;
    until_gone(place, Some(pid)).await
}

/// Whoever holds this starts a daemon, or looks whether one has gone.
async fn starting(place: &Place) -> Result<File, ClientError> {
    let lock = place.start_lock().map_err(ClientError::Place)?;
    let locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    locked
        .map_err(|error| not_started(error.to_string()))?
        .map_err(ClientError::Io)
}

/// Returns once no daemon is left that is ending: nobody has the lock, or whoever has it listens and is not `ending`.
async fn until_gone(place: &Place, ending: Option<u32>) -> Result<(), ClientError> {
    let lock = place.daemon_lock().map_err(ClientError::Place)?;
    let gone = async {
        while lock.try_lock().is_err() {
            if let Some(stream) = try_connect(place).await?
                && (ending.is_none() || pid_of(&stream)? != ending)
            {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    let waited = tokio::time::timeout(PARTING, gone).await;
    waited.unwrap_or(Err(ClientError::Lingers))
}

/// Starts a daemon, one for however many ask at once: who holds the lock starts it, the others find it there.
async fn start(place: &Place, new: &New) -> Result<UnixStream, ClientError> {
    place.prepare().map_err(ClientError::Place)?;
    let _starting = starting(place).await?;
    if let Some(stream) = try_connect(place).await? {
        return Ok(stream);
    }
    // One that is ending still has the lock, and the new one would be refused.
    until_gone(place, None).await?;
    let failed = not_started;
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut command = tokio::process::Command::new(&program);
    for name in &new.without {
        command.env_remove(name);
    }
    let mut daemon = command
        .args(["daemon", "run", "--detach"])
        .args(
            (new.config.as_ref())
                .map(|file| [OsStr::new("--config"), file.as_os_str()])
                .iter()
                .flatten(),
        )
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("{}: {error}", program.display())))?;
    // It says `ready` once it listens, or why it cannot, and then lets go of the pipe.
    let mut said = String::new();
    if let Some(mut pipe) = daemon.stdout.take() {
        pipe.read_to_string(&mut said)
            .await
            .map_err(ClientError::Io)?;
    }
    match said.trim() {
        "ready" => {
            let stream = try_connect(place)
                .await?
                .ok_or_else(|| failed("it ended at once".to_string()))?;
            tracing::debug!(socket = %place.socket().display(), "a daemon was started now");
            Ok(stream)
        }
        "" => Err(failed(format!(
            "it ended without a word; see {}",
            place.log().display()
        ))),
        // What is wrong, and on a line of its own what to do about it.
        said => Err(match said.split_once('\n') {
            Some((why, hint)) => ClientError::Start {
                why: why.to_string(),
                hint: Some(hint.to_string()),
            },
            None => failed(said.to_string()),
        }),
    }
}

fn not_started(why: String) -> ClientError {
    ClientError::Start { why, hint: None }
}

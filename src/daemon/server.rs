//! The daemon process: one listener, one session per connection.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::place::{Place, PlaceError};
use super::session::Service;
use crate::store::OpenError;

/// How long sessions have to say goodbye when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a daemon could not start.
#[derive(Debug)]
pub enum ServerError {
    Place(PlaceError),
    /// Another one holds the lock.
    AlreadyRunning,
    Listen {
        path: PathBuf,
        error: io::Error,
    },
    /// What outlives a daemon cannot be used.
    Store(OpenError),
    Io(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::AlreadyRunning => f.write_str("a daemon is already running"),
            Self::Listen { path, error } => {
                write!(f, "cannot listen on {}: {error}", path.display())
            }
            Self::Store(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the daemon cannot begin: {error}"),
        }
    }
}

impl std::error::Error for ServerError {}

impl ServerError {
    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Place(error) => Some(error.hint().to_string()),
            Self::Store(error) => Some(error.hint()),
            Self::AlreadyRunning => Some("`regatta daemon status` shows it".to_string()),
            Self::Listen { .. } | Self::Io(_) => None,
        }
    }
}

/// A daemon that listens.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    place: Place,
    lock: Lock,
}

/// Holding it is what makes a daemon the only one.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, never looked at")] fs::File);

impl Server {
    /// Takes the lock and the socket.  A socket that was left over is replaced: its owner is gone, or it would hold the lock.
    pub fn bind(place: &Place) -> Result<Self, ServerError> {
        place.prepare().map_err(ServerError::Place)?;
        let lock = place.daemon_lock().map_err(ServerError::Place)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(ServerError::AlreadyRunning),
            Err(fs::TryLockError::Error(error)) => return Err(ServerError::Io(error)),
        }
        let socket = place.socket();
        let failed = |error| ServerError::Listen {
            path: place.socket(),
            error,
        };
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self {
            listener,
            place: place.clone(),
            lock: Lock(lock),
        })
    }

    /// Serves until the service or `end` says to end.  Whoever gets the lock keeps it until the engine has ended, too.
    pub async fn serve(self, service: Arc<Service>, end: impl Future<Output = ()>) -> Lock {
        let mut sessions = JoinSet::new();
        tokio::pin!(end);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Some(peer) = ours(&stream) {
                            let service = Arc::clone(&service);
                            let pid = peer.pid().map(i32::cast_unsigned);
                            sessions.spawn(async move { service.serve(stream, pid).await });
                        }
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: say so, and let some be closed before the next try.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = sessions.join_next() => {}
                () = service.ended() => break,
                () = &mut end => break,
            }
        }
        // New clients find nobody and start a daemon of their own, once the lock is free.
        drop(self.listener);
        _ = fs::remove_file(self.place.socket());
        let farewell = async { while sessions.join_next().await.is_some() {} };
        _ = tokio::time::timeout(FAREWELL, farewell).await;
        sessions.shutdown().await;
        self.lock
    }
}

/// The other end, if it belongs to the same user.  The directory's mode says so too; this does not rely on it.
fn ours(stream: &UnixStream) -> Option<UCred> {
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == rustix::process::geteuid().as_raw() => Some(peer),
        Ok(peer) => {
            tracing::warn!(uid = peer.uid(), "refused a connection of another user");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "refused a connection of an unknown user");
            None
        }
    }
}

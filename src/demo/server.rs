//! The SSH server in front of a simulated fleet: on 127.0.0.1 only, with keys that live as long as it does.
//!
//! The login name says which computer is meant, and one public key may log in.  As OpenSSH's server it takes ten
//! sessions on a connection (`MaxSessions`, sshd_config(5)).  For tests and benchmarks it can also misbehave as a real
//! server does not on demand: see [`Faults`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, ChannelOpenFailure, MethodKind, MethodSet, SshId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::computer::Computer;
use super::fleet::Fleet;
use super::session::Session;
use super::wire::{Cut, Scissors, Wire};

/// Sessions on one connection, as OpenSSH's default.
const MAX_SESSIONS: usize = 10;

/// What one channel may receive before the window is opened again: orders and signals, no bulk.
const WINDOW: u32 = 256 << 10;

/// How long nothing is accepted when there are no file descriptors left and no connection ends.
const BREATH: Duration = Duration::from_millis(100);

/// What a server needs.
#[derive(Clone, Debug)]
pub struct Config {
    pub fleet: Arc<Fleet>,
    /// The key that may log in, on every computer.
    pub client_key: PublicKey,
    pub faults: Faults,
}

/// How the server misbehaves, on every connection.  A capability of the simulated computers for tests; nothing on the
/// command line reaches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Faults {
    #[default]
    None,
    /// Accepts the connection and says nothing.
    SilentBeforeBanner,
    /// Answers as a web server and closes.
    NoBanner,
    /// Resets the connection when keys have been exchanged and the client wants to log in.
    ResetAfterKeyExchange,
    /// Closes the connection when a command has written something, or would end.
    DropInMidCommand,
    /// Never answers the request to run a command.
    ExecUnanswered,
}

/// A running server.  Dropping it ends it too, without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    host_key: PublicKey,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on a free port.
    ///
    /// # Errors
    /// No port is free, or the system has no randomness for a key.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let key = new_key()?;
        let host_key = key.public_key().clone();
        let library = russh::server::Config {
            server_id: SshId::Standard("SSH-2.0-regatta_demo".into()),
            methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![key],
            window_size: WINDOW,
            // Clients decide how long they stay, and the end of the server ends them all.
            inactivity_timeout: None,
            nodelay: true,
            ..russh::server::Config::default()
        };
        let shared = Arc::new(Shared {
            config,
            library: Arc::new(library),
        });
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            address,
            host_key,
            stop,
            task: tokio::spawn(accept(listener, shared, stopped)),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn host_key(&self) -> &PublicKey {
        &self.host_key
    }

    /// Cuts every connection and returns when all is over.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// A throw-away key.
///
/// # Errors
/// The system has no randomness.
pub fn new_key() -> io::Result<PrivateKey> {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).map_err(io::Error::other)
}

#[derive(Debug)]
struct Shared {
    config: Config,
    library: Arc<russh::server::Config>,
}

/// Serves connections until it is told to stop, or nobody could tell it any more.
async fn accept(listener: TcpListener, shared: Arc<Shared>, stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut stop = stopped.clone();
    let mut full = false;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => full = false,
            () = tokio::time::sleep(BREATH), if full => full = false,
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&shared), stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulated computers cannot accept a connection");
                    full = true;
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    // Slower without it, not worse.
    _ = stream.set_nodelay(true);
    match shared.config.faults {
        Faults::SilentBeforeBanner => {
            tokio::select! {
                () = outlast(stream) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        Faults::NoBanner => {
            let mut stream = stream;
            _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
            _ = stream.shutdown().await;
            tokio::select! {
                () = outlast(stream) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        Faults::None
        | Faults::ResetAfterKeyExchange
        | Faults::DropInMidCommand
        | Faults::ExecUnanswered => speak(stream, shared, stop).await,
    }
}

/// Reads until the client closes the connection.
async fn outlast(mut stream: TcpStream) {
    let mut buffer = [0; 256];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Speaks SSH.
async fn speak(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let (wire, scissors) = Wire::new(stream);
    let library = Arc::clone(&shared.library);
    let client = Client {
        shared,
        scissors: scissors.clone(),
        computer: None,
        places: Arc::new(Semaphore::new(MAX_SESSIONS)),
        sessions: JoinSet::new(),
    };
    let work = async {
        if let Ok(session) = russh::server::run_stream(library, wire, client).await {
            // How a client leaves is its own affair.
            _ = session.await;
        }
    };
    let cut = async {
        // An error is a server that was dropped, which is a stop, too.
        _ = stop.wait_for(|stop| *stop).await;
        scissors.cut(Cut::Close);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = work => {}
        () = cut => {}
    }
}

/// One connection, as the library calls on it.
struct Client {
    shared: Arc<Shared>,
    scissors: Scissors,
    /// Which computer it logged in to.
    computer: Option<Arc<Computer>>,
    places: Arc<Semaphore>,
    /// Ended with the connection, at the latest.
    sessions: JoinSet<()>,
}

impl Client {
    /// Whether this key opens this computer.
    fn judge(&mut self, user: &str, key: &PublicKey) -> Result<Auth, russh::Error> {
        self.reset_if_wanted()?;
        let config = &self.shared.config;
        let computer = config.fleet.get(user);
        Ok(match computer {
            Some(computer) if key.key_data() == config.client_key.key_data() => {
                self.computer = Some(Arc::clone(computer));
                Auth::Accept
            }
            Some(_) | None => Auth::reject(),
        })
    }

    fn reset_if_wanted(&self) -> Result<(), russh::Error> {
        if self.shared.config.faults == Faults::ResetAfterKeyExchange {
            self.scissors.cut(Cut::Reset);
            return Err(russh::Error::Disconnect);
        }
        Ok(())
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
        self.reset_if_wanted()?;
        Ok(Auth::reject())
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        self.judge(user, offer.public_key)
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.judge(user, key.public_key)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        while self.sessions.try_join_next().is_some() {}
        let place = Arc::clone(&self.places).try_acquire_owned();
        let (Some(computer), Ok(place)) = (self.computer.clone(), place) else {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        };
        reply.accept().await;
        let session = Session {
            computer,
            channel,
            connection: session.handle(),
            scissors: self.scissors.clone(),
            faults: self.shared.config.faults,
            place,
        };
        self.sessions.spawn(session.serve());
        Ok(())
    }
}

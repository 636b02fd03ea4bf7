//! The agent, and signing in general: by the agent, by a key in memory, or not at all.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding, Constraint};
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Error, HashAlg, PrivateKey};
use russh::{SendError, Signer};
use tokio::net::UnixStream;

use super::Report;
use crate::config::ssh_config::AddKeysToAgent;
use crate::runner::ssh::desk::Desk;
use crate::runner::ssh::pace::{Gate, Went};

/// How long an agent may take to be given a key.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often an agent is asked that has no place for one more, and the pause before the second time; twice as long before
/// each further one.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(20);

type Client = AgentClient<UnixStream>;

/// The agent, as one log-in talks to it: by short visits, each over a connection of its own that says which session it is
/// about.  However many log in at once, few are with the agent at a time, and nobody is while he waits for his server.
pub(super) struct Agent<'a> {
    socket: &'a Path,
    /// An agent may hold keys for certain hosts only.
    session: Option<AgentSessionBinding>,
    gate: Arc<Gate>,
    desk: &'a Desk,
}

/// What an agent is visited for.
enum Wish<'a> {
    Keys,
    Signature(&'a AgentIdentity, Option<HashAlg>, &'a [u8]),
    Keep(&'a PrivateKey, &'a [Constraint]),
}

enum Granted {
    Keys(Vec<AgentIdentity>),
    Signature(Vec<u8>),
    Kept,
}

/// Why a visit came to nothing.
enum Refused {
    /// It is not there, or has no place.
    Door(io::Error),
    Inside(Error),
}

impl Refused {
    /// Whether it may have been too much at once: the queue before it is full, or it hangs up without an answer.
    fn is_crowd(&self) -> bool {
        use io::ErrorKind as Kind;
        match self {
            Self::Door(error) => error.kind() == Kind::WouldBlock,
            Self::Inside(Error::IO(error)) => matches!(
                error.kind(),
                Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe
            ),
            Self::Inside(_) => false,
        }
    }
}

impl<'a> Agent<'a> {
    pub(super) fn new(
        (socket, gate): (&'a Path, Arc<Gate>),
        session: Option<AgentSessionBinding>,
        desk: &'a Desk,
    ) -> Self {
        Self {
            socket,
            session,
            gate,
            desk,
        }
    }

    /// What it holds; `None` if it cannot be asked.  What goes wrong is reported: `ssh` goes on without it, too.
    pub(super) async fn keys(&self, report: &mut Report) -> Option<Vec<AgentIdentity>> {
        match self.visit(Wish::Keys).await {
            Ok(Granted::Keys(held)) => Some(held),
            Ok(Granted::Signature(_) | Granted::Kept) => None,
            Err(Refused::Door(error)) => {
                report.skip(format!("no agent at {}: {error}", self.socket.display()));
                None
            }
            Err(Refused::Inside(error)) => {
                report.skip(format!("the agent does not answer: {error}"));
                None
            }
        }
    }

    /// Gives it a key that was used (`AddKeysToAgent`).  As for `ssh`, an agent that does not want it is no failure.
    pub(super) async fn add(&self, key: &PrivateKey, add: AddKeysToAgent) {
        let (lifetime, confirm) = match add {
            // Asked about by nobody, it is not given.
            AddKeysToAgent::No | AddKeysToAgent::Ask => return,
            AddKeysToAgent::Yes { lifetime } => (lifetime, None),
            AddKeysToAgent::Confirm { lifetime } => (lifetime, Some(Constraint::Confirm)),
        };
        let lifetime = lifetime.map(|lifetime| Constraint::KeyLifetime {
            seconds: u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX),
        });
        let constraints: Vec<Constraint> = lifetime.into_iter().chain(confirm).collect();
        let kept = self.visit(Wish::Keep(key, &constraints));
        match tokio::time::timeout(PATIENCE, kept).await {
            Ok(Ok(_)) => {}
            Ok(Err(refused)) => tracing::debug!(%refused, "the agent does not take a key"),
            Err(_) => tracing::debug!("the agent does not answer whether it takes a key"),
        }
    }

    async fn sign(
        &self,
        held: &AgentIdentity,
        hash: Option<HashAlg>,
        data: &[u8],
    ) -> Result<Vec<u8>, String> {
        match self.visit(Wish::Signature(held, hash, data)).await {
            Ok(Granted::Signature(signed)) => Ok(signed),
            Ok(Granted::Keys(_) | Granted::Kept) => Err("it answered something else".to_owned()),
            Err(refused) => Err(refused.to_string()),
        }
    }

    /// Asks for one thing, when it is our turn; once more after a while where there was no place.
    async fn visit(&self, wish: Wish<'_>) -> Result<Granted, Refused> {
        let mut tries = 1;
        loop {
            let place = match self.gate.try_enter() {
                Some(place) => place,
                None => self.desk.queue(self.gate.enter()).await,
            };
            let went = |came: &Result<Granted, Refused>| match came {
                Ok(_) => Went::Well,
                Err(refused) if refused.is_crowd() => Went::Dropped,
                Err(_) => Went::Otherwise,
            };
            match self.gate.within(place, self.talk(&wish), went).await {
                Err(refused) if refused.is_crowd() && tries < TRIES => {
                    let about = PAUSE * 2_u32.pow(tries - 1);
                    let pause = about.mul_f64(0.5 + rand::random::<f64>());
                    self.desk.queue(tokio::time::sleep(pause)).await;
                    tries += 1;
                }
                came => return came,
            }
        }
    }

    async fn talk(&self, wish: &Wish<'_>) -> Result<Granted, Refused> {
        let stream = UnixStream::connect(self.socket).await;
        let mut client: Client = AgentClient::connect(stream.map_err(Refused::Door)?);
        if let (Some(session), Wish::Keys | Wish::Signature(..)) = (&self.session, wish) {
            match client.bind_session(session, false).await {
                // Agents that do not know this say so, and sign nevertheless.
                Ok(()) | Err(Error::AgentFailure) => {}
                Err(error) => return Err(Refused::Inside(error)),
            }
        }
        let granted = match *wish {
            Wish::Keys => client.request_identities().await.map(Granted::Keys),
            Wish::Signature(held, hash, data) => {
                let signed = client.sign_request(held, hash, data.to_vec()).await;
                signed.map(Granted::Signature)
            }
            Wish::Keep(key, constraints) => {
                let kept = client.add_identity(key, constraints).await;
                kept.map(|()| Granted::Kept)
            }
        };
        granted.map_err(Refused::Inside)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Door(error) => error.fmt(f),
            Self::Inside(error) => error.fmt(f),
        }
    }
}

/// Who signs for what is offered.
pub(super) enum Signing<'a> {
    /// The agent, with this.
    Agent(&'a Agent<'a>, &'a AgentIdentity),
    Key(Arc<PrivateKey>),
    /// Nobody: to see whether a signature would be wanted.
    Nobody,
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum NotSigned {
    /// It was wanted, and nobody was to sign.
    Wanted,
    /// The connection is gone.
    Unsent,
    Failed(String),
}

impl From<SendError> for NotSigned {
    fn from(_: SendError) -> Self {
        Self::Unsent
    }
}

impl Signer for Signing<'_> {
    type Error = NotSigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, NotSigned> {
        match self {
            Self::Agent(agent, held) => {
                let comment = held.comment().to_owned();
                let signed = agent.sign(held, hash, &data).await;
                signed.map_err(|error| {
                    NotSigned::Failed(format!("the agent did not sign with {comment:?}: {error}"))
                })
            }
            Self::Key(key) => {
                let failed = |error: String| NotSigned::Failed(format!("it cannot sign: {error}"));
                let signature = sign(key, hash, &data).map_err(failed)?;
                let length =
                    u32::try_from(signature.len()).map_err(|error| failed(error.to_string()))?;
                data.extend(length.to_be_bytes());
                data.extend(signature);
                Ok(data)
            }
            Self::Nobody => Err(NotSigned::Wanted),
        }
    }
}

/// A signature as it travels.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, data: &[u8]) -> Result<Vec<u8>, String> {
    let signed: Result<Signature, _> = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(data),
        pair => pair.try_sign(data),
    };
    signed
        .map_err(|error| error.to_string())
        .and_then(|signature| Vec::try_from(signature).map_err(|error| error.to_string()))
}

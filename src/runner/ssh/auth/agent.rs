//! The agent, and signing in general: by the agent, by a key in memory, or not at all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::agent::{AgentIdentity, AgentSessionBinding, Constraint};
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};
use russh::{SendError, Signer};
use tokio::net::UnixStream;

use super::Report;
use crate::config::ssh_config::AddKeysToAgent;

pub(super) type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

/// How long an agent may take to be given a key.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the agent, tells it which session it is going to sign for (it may hold keys for certain hosts only), and asks
/// what it holds.  What goes wrong is reported: `ssh` goes on without it, too.
pub(super) async fn open(
    socket: &Path,
    session: Option<&AgentSessionBinding>,
    report: &mut Report,
) -> Option<(Agent, Vec<AgentIdentity>)> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => {
            report.skip(format!("no agent at {}: {error}", socket.display()));
            return None;
        }
    };
    let mut agent = AgentClient::connect(stream).dynamic();
    if let Some(session) = session {
        // Agents that do not know this say so, and sign nevertheless.
        let _ = agent.bind_session(session, false).await;
    }
    match agent.request_identities().await {
        Ok(held) => Some((agent, held)),
        Err(error) => {
            report.skip(format!("the agent does not answer: {error}"));
            None
        }
    }
}

/// Gives the agent a key that was used (`AddKeysToAgent`).  As for `ssh`, an agent that does not want it is no failure.
pub(super) async fn add(agent: &mut Agent, key: &PrivateKey, add: AddKeysToAgent) {
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
    let added = tokio::time::timeout(PATIENCE, agent.add_identity(key, &constraints)).await;
    match added {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the agent does not take a key"),
        Err(_) => tracing::debug!("the agent does not answer whether it takes a key"),
    }
}

/// Who signs for what is offered.
pub(super) enum Signing<'a> {
    /// The agent, with this.
    Agent(&'a mut Agent, &'a AgentIdentity),
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
                let signed = agent.sign_request(held, hash, data).await;
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

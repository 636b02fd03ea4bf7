//! Logging in with keys, in OpenSSH's order: keys that the agent holds and the configuration names, other keys of the
//! agent, then key files (pubkey_prepare in sshconnect2.c).  Each with its certificate first, if it has one.
//!
//! Deliberately not here yet: passwords, keyboard-interactive and passphrases, which need somebody to answer.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::ssh_key::{Certificate, PrivateKey};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{Error, MethodKind, MethodSet};
use tokio::net::UnixStream;

use super::host_key::Checker;
use super::identity::{Identity, Private};
use super::wire::Fate;
use crate::core::reason::Reason;

type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

/// What to log in with.
#[derive(Debug)]
pub(super) struct Credentials<'a> {
    pub(super) user: &'a str,
    /// The agent's socket.
    pub(super) agent: Option<&'a Path>,
    pub(super) identities: &'a [Arc<Identity>],
    /// Of the agent's keys only those among the identities.
    pub(super) identities_only: bool,
}

/// One key to try.
enum Candidate {
    Agent(Box<AgentIdentity>),
    File(Arc<PrivateKey>),
    FileCertificate(Arc<PrivateKey>, Box<Certificate>),
}

impl Candidate {
    fn is_rsa(&self) -> bool {
        match self {
            Self::Agent(identity) => identity.public_key().algorithm().is_rsa(),
            Self::File(key) | Self::FileCertificate(key, _) => key.algorithm().is_rsa(),
        }
    }
}

/// Logs in, or says what was tried.
pub(super) async fn log_in(
    handle: &mut Handle<Checker>,
    fate: &Fate,
    credentials: &Credentials<'_>,
) -> Result<(), Reason> {
    let mut report = Report::default();
    let mut agent = open_agent(credentials, &mut report).await;
    let held = match &mut agent {
        Some(agent) => agent.request_identities().await.unwrap_or_else(|error| {
            report.skip(format!("the agent does not answer: {error}"));
            Vec::new()
        }),
        None => Vec::new(),
    };
    let candidates = candidates(held, credentials, &mut report);
    let mut rsa_hash = None;
    let mut methods: Option<MethodSet> = None;
    for candidate in candidates {
        let mut hash = None;
        if candidate.is_rsa() {
            if rsa_hash.is_none() {
                rsa_hash = Some(best_rsa_hash(handle).await);
            }
            hash = rsa_hash.flatten();
            if hash.is_none() {
                report.skip("RSA keys: the server knows no signature safer than SHA-1".to_owned());
                continue;
            }
        }
        report.keys += 1;
        match attempt(handle, credentials.user, candidate, hash, agent.as_mut()).await {
            Ok(AuthResult::Success) => return Ok(()),
            Ok(AuthResult::Failure { .. }) if handle.is_closed() => {
                return Err(closed(fate, &report));
            }
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                report.partial |= partial_success;
                let more = remaining_methods.contains(&MethodKind::PublicKey);
                methods = Some(remaining_methods);
                if !more {
                    break;
                }
            }
            Err(why) => report.skip(why),
        }
    }
    if methods.is_none() {
        // Nothing could be tried: ask what the server would take.  It may even want nothing.
        match handle.authenticate_none(credentials.user).await {
            Ok(AuthResult::Success) => return Ok(()),
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) => methods = Some(remaining_methods),
            Err(_) => {}
        }
        if handle.is_closed() {
            return Err(closed(fate, &report));
        }
    }
    Err(Reason::AuthFailed(
        report.text(credentials.user, methods.as_ref()),
    ))
}

async fn open_agent(credentials: &Credentials<'_>, report: &mut Report) -> Option<Agent> {
    let socket = credentials.agent?;
    match UnixStream::connect(socket).await {
        Ok(stream) => Some(AgentClient::connect(stream).dynamic()),
        Err(error) => {
            report.skip(format!("no agent at {}: {error}", socket.display()));
            None
        }
    }
}

/// Everything to try, in order.
fn candidates(
    held: Vec<AgentIdentity>,
    credentials: &Credentials<'_>,
    report: &mut Report,
) -> Vec<Candidate> {
    let named = |key: &PublicKey| {
        credentials.identities.iter().position(|identity| {
            identity
                .public
                .as_ref()
                .is_some_and(|public| public.key_data() == key.key_data())
        })
    };
    let mut from_agent: Vec<(usize, AgentIdentity)> = held
        .into_iter()
        .filter_map(|identity| match named(&identity.public_key()) {
            Some(place) => Some((place, identity)),
            None if credentials.identities_only => None,
            None => Some((usize::MAX, identity)),
        })
        .collect();
    from_agent.sort_by_key(|(place, _)| *place);
    let in_agent: HashSet<usize> = from_agent.iter().map(|(place, _)| *place).collect();
    let mut candidates: Vec<Candidate> = from_agent
        .into_iter()
        .map(|(_, identity)| Candidate::Agent(Box::new(identity)))
        .collect();
    for (place, identity) in credentials.identities.iter().enumerate() {
        if in_agent.contains(&place) {
            continue;
        }
        match &identity.private {
            Private::Usable(key) => {
                if let Some(certificate) = &identity.certificate {
                    candidates.push(Candidate::FileCertificate(
                        Arc::clone(key),
                        Box::new(certificate.clone()),
                    ));
                }
                candidates.push(Candidate::File(Arc::clone(key)));
            }
            Private::Missing => {}
            Private::Unusable(why) => report.skip(format!("{}: {why}", identity.path.display())),
        }
    }
    candidates
}

/// The safest signature for RSA keys that the server knows; `None` if that is SHA-1.
async fn best_rsa_hash(handle: &Handle<Checker>) -> Option<HashAlg> {
    match handle.best_supported_rsa_hash().await {
        Ok(Some(hash)) => hash,
        // It does not say: servers that do not are old, and RFC 8332 lets one try.
        Ok(None) | Err(_) => Some(HashAlg::Sha512),
    }
}

/// Tries one key.  An error is a key that could not be tried, and why.
async fn attempt(
    handle: &mut Handle<Checker>,
    user: &str,
    candidate: Candidate,
    hash: Option<HashAlg>,
    agent: Option<&mut Agent>,
) -> Result<AuthResult, String> {
    let said = |error: Error| error.to_string();
    let identity = match candidate {
        Candidate::File(key) => {
            let key = PrivateKeyWithHashAlg::new(key, hash);
            return handle.authenticate_publickey(user, key).await.map_err(said);
        }
        Candidate::FileCertificate(key, certificate) => {
            let tried = handle.authenticate_openssh_cert(user, key, *certificate);
            return tried.await.map_err(said);
        }
        Candidate::Agent(identity) => identity,
    };
    let agent = agent.ok_or("the agent is gone")?;
    let comment = identity.comment().to_owned();
    match *identity {
        AgentIdentity::PublicKey { key, .. } => {
            handle
                .authenticate_publickey_with(user, key, hash, agent)
                .await
        }
        AgentIdentity::Certificate { certificate, .. } => {
            handle
                .authenticate_certificate_with(user, certificate, hash, agent)
                .await
        }
    }
    .map_err(|error| format!("the agent did not sign with {comment:?}: {error}"))
}

/// The server hung up while we logged in: after too many keys, say.
fn closed(fate: &Fate, report: &Report) -> Reason {
    Reason::AuthFailed(format!("{}; {}", report.tried(), fate.why()))
}

/// What was tried, for the message.
#[derive(Default)]
struct Report {
    keys: usize,
    partial: bool,
    skipped: Vec<String>,
}

impl Report {
    fn skip(&mut self, why: String) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }

    fn tried(&self) -> String {
        match self.keys {
            0 => "no key to try".to_owned(),
            1 => "publickey (1 key tried)".to_owned(),
            keys => format!("publickey ({keys} keys tried)"),
        }
    }

    fn text(&self, user: &str, methods: Option<&MethodSet>) -> String {
        let mut text = self.tried();
        if self.partial {
            text.push_str(", accepted in part");
        }
        if let Some(methods) = methods.filter(|methods| !methods.is_empty()) {
            let names: Vec<&'static str> = methods.iter().map(Into::into).collect();
            text.push_str("; the server takes ");
            text.push_str(&names.join(", "));
            text.push_str(" for ");
            text.push_str(user);
        }
        for why in &self.skipped {
            text.push_str("; not tried: ");
            text.push_str(why);
        }
        text
    }
}

//! Keys, in OpenSSH's order: those that the agent holds and the configuration names, other keys of the agent, then key
//! files (pubkey_prepare in sshconnect2.c).  Each with its certificate first, if it has one.
//!
//! An encrypted key is offered by its public half, and its passphrase asked for only when the server would take it; where
//! there is no public half to offer, it is asked for before.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::ssh_key::{Certificate, PrivateKey};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{Error, MethodKind, SendError, Signer};
use tokio::net::UnixStream;

use super::{Credentials, Login, Report, Step};
use crate::core::question::{About, Question};
use crate::runner::ssh::identity::{Identity, NotUnlocked, Private};

type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

/// One key to try.
enum Candidate {
    Agent(Box<AgentIdentity>),
    File(Arc<PrivateKey>),
    FileCertificate(Arc<PrivateKey>, Box<Certificate>),
    /// An encrypted file.
    Locked(Arc<Identity>),
}

impl Candidate {
    /// The files of an identity whose private part is there.
    fn of_file(key: &Arc<PrivateKey>, identity: &Identity) -> Vec<Self> {
        let certificate = identity.certificate.clone().map(Box::new);
        let certified = certificate.map(|it| Self::FileCertificate(Arc::clone(key), it));
        certified
            .into_iter()
            .chain([Self::File(Arc::clone(key))])
            .collect()
    }

    fn is_rsa(&self) -> bool {
        match self {
            Self::Agent(identity) => identity.public_key().algorithm().is_rsa(),
            Self::File(key) | Self::FileCertificate(key, _) => key.algorithm().is_rsa(),
            Self::Locked(identity) => identity
                .public
                .as_ref()
                .is_some_and(|public| public.algorithm().is_rsa()),
        }
    }
}

/// Why a locked key is not tried: what to do instead of giving its passphrase here.
const LOCKED: &str = "it is encrypted; add it to the agent with ssh-add";

impl Login<'_> {
    /// Tries all keys, as long as the server takes any.
    pub(super) async fn keys(&mut self) -> Step {
        let credentials = self.credentials;
        let mut agent = open_agent(credentials, &mut self.report).await;
        let held = match &mut agent {
            Some(agent) => agent.request_identities().await.unwrap_or_else(|error| {
                self.report
                    .skip(format!("the agent does not answer: {error}"));
                Vec::new()
            }),
            None => Vec::new(),
        };
        let mut rsa_hash = None;
        for candidate in candidates(held, credentials, &mut self.report) {
            let mut hash = None;
            if candidate.is_rsa() {
                if rsa_hash.is_none() {
                    rsa_hash = Some(self.best_rsa_hash().await);
                }
                hash = rsa_hash.flatten();
                if hash.is_none() {
                    self.report.skip(
                        "RSA keys: the server knows no signature safer than SHA-1".to_owned(),
                    );
                    continue;
                }
            }
            match candidate {
                Candidate::Locked(identity) => self.locked(&identity, hash).await?,
                candidate => self.offer(candidate, hash, agent.as_mut()).await?,
            }
            if self.methods.is_some() && !self.takes(MethodKind::PublicKey) {
                break;
            }
        }
        Step::Continue(())
    }

    /// Tries one key.
    async fn offer(
        &mut self,
        candidate: Candidate,
        hash: Option<HashAlg>,
        agent: Option<&mut Agent>,
    ) -> Step {
        self.report.keys += 1;
        match self.attempt(candidate, hash, agent).await {
            Ok(result) => _ = self.judge(result)?,
            Err(why) => self.report.skip(why),
        }
        Step::Continue(())
    }

    /// The safest signature for RSA keys that the server knows; `None` if that is SHA-1.
    async fn best_rsa_hash(&self) -> Option<HashAlg> {
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(hash)) => hash,
            // It does not say: servers that do not are old, and RFC 8332 lets one try.
            Ok(None) | Err(_) => Some(HashAlg::Sha512),
        }
    }

    /// An error is a key that could not be tried, and why.
    async fn attempt(
        &mut self,
        candidate: Candidate,
        hash: Option<HashAlg>,
        agent: Option<&mut Agent>,
    ) -> Result<AuthResult, String> {
        let (handle, user) = (&mut self.handle, self.credentials.user);
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
            Candidate::Locked(_) => return Err(LOCKED.to_owned()),
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

    /// Tries an encrypted key: opened already, or opened now by whoever knows its passphrase.
    async fn locked(&mut self, identity: &Arc<Identity>, hash: Option<HashAlg>) -> Step {
        let open = self.credentials.files.unlocked(&identity.path);
        let key = match open {
            Some(key) => key,
            None if !self.credentials.desk.may_ask() => {
                self.skip_locked(identity);
                return Step::Continue(());
            }
            None => {
                if !self.would_be_taken(identity, hash).await? {
                    return Step::Continue(());
                }
                match self.unlock(identity).await {
                    Some(key) => key,
                    None => return Step::Continue(()),
                }
            }
        };
        for candidate in Candidate::of_file(&key, identity) {
            self.offer(candidate, hash, None).await?;
        }
        Step::Continue(())
    }

    fn skip_locked(&mut self, identity: &Identity) {
        self.report
            .skip(format!("{}: {LOCKED}", identity.path.display()));
    }

    /// Offers the public halves of a key; true if the server would take one, or there is none to offer.
    async fn would_be_taken(&mut self, identity: &Identity, hash: Option<HashAlg>) -> Step<bool> {
        let Some(public) = &identity.public else {
            return Step::Continue(true);
        };
        let user = self.credentials.user;
        if let Some(certificate) = identity.certificate.clone() {
            let offered = self
                .handle
                .authenticate_certificate_with(user, certificate, hash, &mut OfferOnly)
                .await;
            match offered {
                Ok(result) => _ = self.judge(result)?,
                Err(Offered::Wanted) => return Step::Continue(true),
                Err(Offered::Unsent) => return self.closed(),
            }
        }
        let offered = self
            .handle
            .authenticate_publickey_with(user, public.clone(), hash, &mut OfferOnly)
            .await;
        match offered {
            Ok(result) => {
                self.report.keys += 1;
                self.judge(result)?;
                Step::Continue(false)
            }
            Err(Offered::Wanted) => Step::Continue(true),
            Err(Offered::Unsent) => self.closed(),
        }
    }

    /// Has the passphrase asked for until it is right, or nobody knows it.
    async fn unlock(&mut self, identity: &Identity) -> Option<Arc<PrivateKey>> {
        let credentials = self.credentials;
        let file = identity.path.display().to_string();
        for wrong in 0..credentials.prompts {
            // Another host's turn may have come first.
            if let Some(key) = credentials.files.unlocked(&identity.path) {
                return Some(key);
            }
            let about = About::Passphrase { file: file.clone() };
            let question = Question { about, wrong };
            let given = credentials.desk.secret(question, self.fate).await;
            // As for ssh, nothing typed means: leave this key out.
            let Some(passphrase) = given.filter(|given| !given.reveal().is_empty()) else {
                self.skip_locked(identity);
                return None;
            };
            match credentials.files.unlock(&identity.path, &passphrase).await {
                Ok(key) => return Some(key),
                Err(NotUnlocked::Wrong) => {}
                Err(NotUnlocked::Unreadable(why)) => {
                    self.report.skip(format!("{file}: {why}"));
                    return None;
                }
            }
        }
        self.report.skip(format!(
            "{file}: {} passphrases were wrong",
            credentials.prompts
        ));
        None
    }
}

/// Signs nothing: shows whether a signature would be wanted.
struct OfferOnly;

/// How offering a public key ends, when the server does not refuse it.
#[derive(Debug)]
enum Offered {
    Wanted,
    Unsent,
}

impl From<SendError> for Offered {
    fn from(_: SendError) -> Self {
        Self::Unsent
    }
}

impl Signer for OfferOnly {
    type Error = Offered;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        _to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Offered> {
        Err(Offered::Wanted)
    }
}

async fn open_agent(credentials: &Credentials<'_>, report: &mut Report) -> Option<Agent> {
    let socket: &Path = credentials.agent?;
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
            Private::Usable(key) => candidates.extend(Candidate::of_file(key, identity)),
            Private::Locked => candidates.push(Candidate::Locked(Arc::clone(identity))),
            Private::Missing => {}
            Private::Unusable(why) => report.skip(format!("{}: {why}", identity.path.display())),
        }
    }
    candidates
}

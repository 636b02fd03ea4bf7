//! Trying keys and certificates, one after the other.
//!
//! Everything is offered by its public half first.  The passphrase of an encrypted key is asked for only when the server
//! would take the key; where there is no public half to offer, it is asked for before.
//!
//! Deliberately not here: what is tried, and in which order; see [`super::candidates`].

use std::sync::Arc;

use russh::MethodKind;
use russh::client::AuthResult;
use russh::keys::{HashAlg, PrivateKey, PublicKey};

use super::agent::{Agent, NotSigned, Signing};
use super::candidates::{Candidate, Holder, Keys, Offer};
use super::{Login, Step};
use crate::core::question::{About, Question};
use crate::runner::ssh::identity::{Identity, NotUnlocked, Private};

/// Why a locked key is not tried: what to do instead of giving its passphrase here.
const LOCKED: &str = "it is encrypted; add it to the agent with ssh-add";

/// There is no way to sign with RSA that both sides want.
struct NoHash;

impl Login<'_> {
    /// Tries all keys, as long as the server takes any.
    pub(super) async fn keys(&mut self) -> Step {
        let credentials = self.credentials;
        let mut agent = credentials.agent.as_ref().map(|(socket, gate)| {
            let session = self.handle.agent_session_binding().cloned();
            Agent::new((socket, Arc::clone(gate)), session, credentials.desk)
        });
        let held = match &agent {
            Some(agent) => agent.keys(&mut self.report).await,
            None => None,
        };
        if held.is_none() {
            agent = None;
        }
        let keys = Keys {
            held: held.unwrap_or_default(),
            identities: credentials.identities,
            certificates: credentials.certificates,
            identities_only: credentials.identities_only,
        };
        let candidates = keys.candidates(&mut self.report);
        for candidate in candidates {
            if let Some(why) = candidate
                .offer
                .refusal(credentials.suite, credentials.rsa_size)
            {
                self.report.skip(format!("{}: {why}", candidate.holder));
                continue;
            }
            self.candidate(candidate, agent.as_ref()).await?;
            if self.methods.is_some() && !self.takes(MethodKind::PublicKey) {
                break;
            }
        }
        Step::Continue(())
    }

    async fn candidate(&mut self, candidate: Candidate, agent: Option<&Agent<'_>>) -> Step {
        let Candidate { offer, holder } = candidate;
        let Ok(hash) = self.hash(&offer).await else {
            self.report
                .skip("RSA keys: the server knows no signature that is accepted here".to_owned());
            return Step::Continue(());
        };
        let identity = match holder {
            Holder::Agent(held) => {
                let Some(agent) = agent else {
                    return Step::Continue(());
                };
                return self.offer(&offer, hash, Signing::Agent(agent, &held)).await;
            }
            Holder::File(identity) => identity,
        };
        let key = match &identity.private {
            Private::Usable(key) => Some(Arc::clone(key)),
            Private::Locked => self.open(&identity, &offer, hash).await?,
            // They are no candidates.
            Private::Missing | Private::Unusable(_) => None,
        };
        let Some(key) = key else {
            return Step::Continue(());
        };
        let (offer, hash) = match offer {
            Offer::Unknown => {
                let offer = Offer::Key(PublicKey::from(key.public_key().key_data().clone()));
                if offer
                    .refusal(self.credentials.suite, self.credentials.rsa_size)
                    .is_some()
                {
                    return Step::Continue(());
                }
                match self.hash(&offer).await {
                    Ok(hash) => (offer, hash),
                    Err(NoHash) => return Step::Continue(()),
                }
            }
            known => (known, hash),
        };
        let offered = self.offer(&offer, hash, Signing::Key(Arc::clone(&key)));
        let logged_in = offered.await;
        if let (Step::Break(Ok(())), Some(agent)) = (&logged_in, agent) {
            agent.add(&key, self.credentials.add_keys).await;
        }
        logged_in
    }

    /// Offers something, and has it signed for if the server wants that.
    async fn offer(&mut self, offer: &Offer, hash: Option<HashAlg>, by: Signing<'_>) -> Step {
        self.report.keys += 1;
        match self.show(offer, hash, by).await {
            Ok(result) => _ = self.judge(result)?,
            Err(NotSigned::Unsent) => return self.closed(),
            // Somebody signs, or says why not.
            Err(NotSigned::Wanted) => {}
            Err(NotSigned::Failed(why)) => self.report.skip(why),
        }
        Step::Continue(())
    }

    async fn show(
        &mut self,
        offer: &Offer,
        hash: Option<HashAlg>,
        mut by: Signing<'_>,
    ) -> Result<AuthResult, NotSigned> {
        let (handle, user) = (&mut self.handle, self.credentials.user);
        match offer {
            Offer::Key(key) => {
                handle
                    .authenticate_publickey_with(user, key.clone(), hash, &mut by)
                    .await
            }
            Offer::Certificate(certificate) => {
                let certificate = certificate.as_ref().clone();
                handle
                    .authenticate_certificate_with(user, certificate, hash, &mut by)
                    .await
            }
            Offer::Unknown => Err(NotSigned::Wanted),
        }
    }

    /// What to sign with: nothing special for most keys, for RSA keys the first hash that is wanted here and that the
    /// server knows.
    async fn hash(&mut self, offer: &Offer) -> Result<Option<HashAlg>, NoHash> {
        if !offer.is_rsa() {
            return Ok(None);
        }
        if self.rsa_hashes.is_empty() {
            let said = self.handle.best_supported_rsa_hash().await;
            self.rsa_hashes = match said {
                Ok(Some(Some(HashAlg::Sha256))) => vec![Some(HashAlg::Sha256), None],
                Ok(Some(None)) => vec![None],
                // Who knows the longest one knows them all.  Servers that do not say are old, and RFC 8332 lets one try.
                Ok(Some(Some(_)) | None) | Err(_) => {
                    vec![Some(HashAlg::Sha512), Some(HashAlg::Sha256), None]
                }
            };
        }
        let wanted = offer.rsa_hashes(self.credentials.suite);
        let known = wanted.into_iter().find(|it| self.rsa_hashes.contains(it));
        known.ok_or(NoHash)
    }

    /// Opens an encrypted key: opened already, or now by whoever knows its passphrase, if the server would take what is
    /// offered.
    async fn open(
        &mut self,
        identity: &Identity,
        offer: &Offer,
        hash: Option<HashAlg>,
    ) -> Step<Option<Arc<PrivateKey>>> {
        if let Some(key) = self.credentials.files.unlocked(&identity.path) {
            return Step::Continue(Some(key));
        }
        if self.left_out.contains(&identity.path) {
            return Step::Continue(None);
        }
        if !self.credentials.desk.may_ask() {
            self.leave_out(identity);
            return Step::Continue(None);
        }
        match self.show(offer, hash, Signing::Nobody).await {
            Ok(result) => {
                self.report.keys += 1;
                self.judge(result)?;
                return Step::Continue(None);
            }
            Err(NotSigned::Unsent) => return self.closed(),
            Err(NotSigned::Wanted | NotSigned::Failed(_)) => {}
        }
        Step::Continue(self.unlock(identity).await)
    }

    fn leave_out(&mut self, identity: &Identity) {
        self.report
            .skip(format!("{}: {LOCKED}", identity.path.display()));
        self.left_out.push(identity.path.clone());
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
                self.leave_out(identity);
                return None;
            };
            match credentials.files.unlock(&identity.path, &passphrase).await {
                Ok(key) => return Some(key),
                Err(NotUnlocked::Wrong) => {}
                Err(NotUnlocked::Unreadable(why)) => {
                    self.report.skip(format!("{file}: {why}"));
                    self.left_out.push(identity.path.clone());
                    return None;
                }
            }
        }
        self.report.skip(format!(
            "{file}: {} passphrases were wrong",
            credentials.prompts
        ));
        self.left_out.push(identity.path.clone());
        None
    }
}

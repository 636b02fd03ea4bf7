//! What to offer a server, and in which order: OpenSSH's (`pubkey_prepare` in its sshconnect2.c), lest a server that
//! takes few attempts (`MaxAuthTries`) hang up on other keys than it would on `ssh`'s.
//!
//! 1. certificates that `CertificateFile` names;
//! 2. what the agent holds and the configuration names, in the agent's order;
//! 3. what else the agent holds, unless `IdentitiesOnly`;
//! 4. key files in their order, each followed by the certificate beside it, if `CertificateFile` names none.

use std::fmt;
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::Report;
use crate::runner::ssh::algorithms::{Suite, certified_name, plain_name};
use crate::runner::ssh::identity::{Identity, Private};

/// Something to offer, and who can sign for it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) offer: Offer,
    pub(super) holder: Holder,
}

/// What a server is shown first.
#[derive(Clone, Debug)]
pub(super) enum Offer {
    Key(PublicKey),
    Certificate(Box<Certificate>),
    /// The public half is in an encrypted file, and nowhere else.
    Unknown,
}

/// Where the private half is.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    /// In the agent, under this.
    Agent(Box<AgentIdentity>),
    File(Arc<Identity>),
}

/// For messages.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(held) => write!(f, "{:?} of the agent", held.comment()),
            Self::File(identity) => identity.path.display().fmt(f),
        }
    }
}

impl Offer {
    fn public(&self) -> Option<&KeyData> {
        match self {
            Self::Key(key) => Some(key.key_data()),
            Self::Certificate(certificate) => Some(certificate.public_key()),
            Self::Unknown => None,
        }
    }

    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.public(), Some(KeyData::Rsa(_)))
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(one), Self::Key(other)) => one.key_data() == other.key_data(),
            (Self::Certificate(one), Self::Certificate(other)) => {
                // Comments are nobody's business.
                one.public_key() == other.public_key() && one.signature() == other.signature()
            }
            _ => false,
        }
    }

    /// The hashes an RSA key may sign with here, most wanted first.
    pub(super) fn rsa_hashes(&self, suite: &Suite) -> Vec<Option<HashAlg>> {
        match self {
            Self::Certificate(_) => suite.rsa_hashes(certified_name),
            Self::Key(_) | Self::Unknown => suite.rsa_hashes(plain_name),
        }
    }

    /// Why it must not be offered.
    pub(super) fn refusal(&self, suite: &Suite, rsa_size: u32) -> Option<String> {
        let public = self.public()?;
        if let KeyData::Rsa(key) = public {
            let bits = key.key_size();
            if bits < rsa_size {
                return Some(format!("its {bits} bits are fewer than RequiredRSASize"));
            }
            return self
                .rsa_hashes(suite)
                .is_empty()
                .then(|| "RSA is not among PubkeyAcceptedAlgorithms".to_owned());
        }
        let algorithm: Algorithm = public.algorithm();
        let name = match self {
            Self::Certificate(_) => certified_name(&algorithm),
            Self::Key(_) | Self::Unknown => plain_name(&algorithm),
        };
        (!suite.logs_in(&name)).then(|| format!("{name} is not among PubkeyAcceptedAlgorithms"))
    }
}

/// What candidates are made of.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    /// What the agent holds, in its order.
    pub(super) held: Vec<AgentIdentity>,
    /// `IdentityFile`
    pub(super) identities: &'a [Arc<Identity>],
    /// `CertificateFile`
    pub(super) certificates: &'a [Arc<Identity>],
    pub(super) identities_only: bool,
}

impl Keys<'_> {
    /// Everything to try, in order; what cannot be tried is reported.
    pub(super) fn candidates(self, report: &mut Report) -> Vec<Candidate> {
        let mut files = self.of_files(report);
        let mut named = Vec::new();
        let mut others = Vec::new();
        for held in &self.held {
            let candidate = Candidate {
                offer: offer_of(held),
                holder: Holder::Agent(Box::new(held.clone())),
            };
            let is_it = |file: &Candidate| file.offer.is_same(&candidate.offer);
            if files.iter().any(is_it) {
                files.retain(|file| !file.offer.is_same(&candidate.offer));
                named.push(candidate);
            } else if !self.identities_only {
                others.push(candidate);
            }
        }
        let keys: Vec<Candidate> = named.into_iter().chain(others).chain(files).collect();
        let mut all = self.of_certificate_files(&keys, report);
        for mut candidate in keys {
            // What was listed first is not offered twice.
            if all
                .iter()
                .any(|known| known.offer.is_same(&candidate.offer))
            {
                continue;
            }
            // The agent may hold the key of a certificate that lies beside a file.
            if let (Offer::Certificate(certificate), Holder::File(_)) =
                (&candidate.offer, &candidate.holder)
                && let Some(held) = self.held_key(certificate)
            {
                candidate.holder = held;
            }
            all.push(candidate);
        }
        all
    }

    /// The key files, and the certificates beside them.
    fn of_files(&self, report: &mut Report) -> Vec<Candidate> {
        let mut found = Vec::new();
        for identity in self.identities {
            let offers = self.offers(identity);
            let in_agent = |offer: &Offer| {
                let mut held = self.held.iter();
                held.any(|held| offer.public() == Some(held.public_key().key_data()))
            };
            match &identity.private {
                Private::Usable(_) | Private::Locked => {}
                Private::Missing | Private::Unusable(_) if offers.iter().any(in_agent) => {}
                Private::Missing => continue,
                Private::Unusable(why) => {
                    report.skip(format!("{}: {why}", identity.path.display()));
                    continue;
                }
            }
            found.extend(offers.into_iter().map(|offer| Candidate {
                offer,
                holder: Holder::File(Arc::clone(identity)),
            }));
        }
        found
    }

    fn offers(&self, identity: &Identity) -> Vec<Offer> {
        let key = match &identity.public {
            Some(key) => Some(Offer::Key(key.clone())),
            None if identity.is_locked() => Some(Offer::Unknown),
            None => None,
        };
        let beside = self.certificates.is_empty();
        let certificate = identity.certificate.as_ref();
        let certificate = certificate.filter(|it| beside && it.cert_type() == CertType::User);
        let certificate = certificate.map(|it| Offer::Certificate(Box::new(it.clone())));
        key.into_iter().chain(certificate).collect()
    }

    /// The certificates that are named, each with whoever has its key: the agent, or a file.
    fn of_certificate_files(&self, keys: &[Candidate], report: &mut Report) -> Vec<Candidate> {
        let mut found = Vec::new();
        for file in self.certificates {
            let path = file.path.display();
            let Some(certificate) = &file.certificate else {
                report.skip(format!("{path}: there is no certificate in it"));
                continue;
            };
            if certificate.cert_type() != CertType::User {
                report.skip(format!("{path}: it is not a user's certificate"));
                continue;
            }
            let signs = |key: &&Candidate| match &key.offer {
                Offer::Key(public) => public.key_data() == certificate.public_key(),
                Offer::Certificate(_) | Offer::Unknown => false,
            };
            match keys.iter().find(signs) {
                Some(key) => found.push(Candidate {
                    offer: Offer::Certificate(Box::new(certificate.clone())),
                    holder: key.holder.clone(),
                }),
                None => report.skip(format!("{path}: its private key is not there")),
            }
        }
        found
    }

    /// The agent, if it holds the plain key of a certificate.
    fn held_key(&self, certificate: &Certificate) -> Option<Holder> {
        let is_it = |held: &&AgentIdentity| match held {
            AgentIdentity::PublicKey { key, .. } => key.key_data() == certificate.public_key(),
            AgentIdentity::Certificate { .. } => false,
        };
        let held = self.held.iter().find(is_it)?;
        Some(Holder::Agent(Box::new(held.clone())))
    }
}

fn offer_of(held: &AgentIdentity) -> Offer {
    match held {
        AgentIdentity::PublicKey { key, .. } => Offer::Key(key.clone()),
        AgentIdentity::Certificate { certificate, .. } => {
            Offer::Certificate(Box::new(certificate.clone()))
        }
    }
}

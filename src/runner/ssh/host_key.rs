//! Whether the server is the one it should be: the library's callbacks for one connection.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh::client::{DisconnectReason, Handler, Session};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelId, ChannelOpenFailure, Error};

use super::desk::Desk;
use super::files::Files;
use super::host_certificate::{self, NotCertified};
use super::known_hosts::{HostKeys, KeyName, Naming, Verdict};
use super::route::Target;
use super::wire::Fate;
use crate::config::ssh_config::{HostSettings, Origin, StrictHostKeyChecking};
use crate::core::question::About;
use crate::core::reason::Reason;
use crate::core::spec::Asking;

/// Checks the server's key against what is known of the host, and records why the connection ended.
#[derive(Debug)]
pub(super) struct Checker {
    known: HostKeys,
    /// What the host is looked up under.
    name: KeyName,
    target: Arc<Target>,
    files: Arc<Files>,
    /// Where the operator is asked about a key that is unknown.
    desk: Arc<Desk>,
    /// The key that was accepted on this connection: keys are exchanged again later, and nobody is asked then.
    accepted: Option<KeyData>,
    certified: Certified,
    fate: Arc<Fate>,
    /// How long a silent server is waited for, for the message.
    patience: Option<std::time::Duration>,
}

/// Whether a certificate proved who the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certified {
    Yes,
    No,
}

/// More keys than any server has.
const ANNOUNCED: usize = 32;

impl Checker {
    pub(super) fn new(
        known: HostKeys,
        name: KeyName,
        target: Arc<Target>,
        files: Arc<Files>,
        desk: Arc<Desk>,
        fate: Arc<Fate>,
        patience: Option<std::time::Duration>,
    ) -> Self {
        Self {
            known,
            name,
            target,
            files,
            desk,
            accepted: None,
            certified: Certified::No,
            fate,
            patience,
        }
    }

    /// What is known of a key; `aside` is said with what is wrong.
    fn judge(&self, known: &HostKeys, key: &PublicKey, aside: &str) -> Result<(), Reason> {
        let what = format!(
            "{} {}",
            key_type(&key.algorithm()),
            key.fingerprint(HashAlg::Sha256)
        );
        let name = self.name.as_str();
        match known.check(key) {
            Verdict::Known => Ok(()),
            Verdict::Unknown => Err(Reason::HostKeyUnknown(format!(
                "{what} for {name}{aside}; {}",
                advice(self.target.settings(), self.desk.asking)
            ))),
            Verdict::Changed { at, known_type } => Err(Reason::HostKeyChanged(format!(
                "{name} presents {what}{aside}, but {at} has another {} key; if the change is meant, remove that line",
                key_type(&known_type)
            ))),
            Verdict::Revoked { at } => Err(Reason::HostKeyRevoked(format!(
                "{name} presents {what}, which {at} revokes"
            ))),
        }
    }

    /// Whether the server is the host it should be: by its certificate, or else by its key.
    async fn decide(&mut self, presented: &PublicKeyOrCertificate) -> Result<(), Reason> {
        let key = presented.public_key();
        if self.accepted.as_ref() == Some(key.key_data()) {
            return Ok(());
        }
        self.measure(&key)?;
        self.look_up_revoked(presented).await?;
        let Some(certificate) = presented.certificate() else {
            return self.decide_by_key(&key, "").await;
        };
        let settings = self.target.settings();
        let alias = settings.host_key_alias.as_ref();
        let name = alias.map_or(&settings.host_name.value, |alias| &alias.value);
        match host_certificate::judge(certificate, name, &self.known, &self.target.suite) {
            Ok(()) => {
                self.accepted = Some(key.key_data().clone());
                self.certified = Certified::Yes;
                Ok(())
            }
            Err(NotCertified::Revoked { at }) => Err(Reason::HostKeyRevoked(format!(
                "{} presents a certificate that {at} revokes",
                self.name.as_str()
            ))),
            Err(NotCertified::Because(why)) => {
                let aside = format!(" (its certificate does not count: {why})");
                self.decide_by_key(&key, &aside).await
            }
        }
    }

    /// Refuses what `RevokedHostKeys` lists; if that cannot be read, everything.
    async fn look_up_revoked(&self, presented: &PublicKeyOrCertificate) -> Result<(), Reason> {
        let Some(file) = &self.target.settings().revoked_host_keys else {
            return Ok(());
        };
        let Some(path) = &file.value.path else {
            return Ok(());
        };
        let signer = presented.certificate().map(Certificate::signature_key);
        let own = presented.public_key();
        let keys = [own.key_data()].into_iter().chain(signer).cloned();
        let revoked = self.files.revokes(path.clone(), keys.collect());
        match revoked.await {
            Ok(None) => Ok(()),
            Ok(Some(at)) => Err(Reason::HostKeyRevoked(format!(
                "{} presents a key that {at} revokes (RevokedHostKeys)",
                self.name.as_str()
            ))),
            Err(why) => Err(Reason::BadSettings(format!(
                "RevokedHostKeys {} ({}): {why}; without it no host key is accepted",
                path.display(),
                file.origin
            ))),
        }
    }

    /// Refuses RSA keys that are too short.
    fn measure(&self, key: &PublicKey) -> Result<(), Reason> {
        let wanted = &self.target.settings().required_rsa_size;
        match key.key_data() {
            KeyData::Rsa(rsa) if rsa.key_size() < wanted.value => Err(Reason::Protocol(format!(
                "its RSA host key has {} bits, fewer than RequiredRSASize {} ({})",
                rsa.key_size(),
                wanted.value,
                wanted.origin
            ))),
            _ => Ok(()),
        }
    }

    /// The same, and about a key that is unknown what `StrictHostKeyChecking` says: asks, or accepts it, and remembers it.
    async fn decide_by_key(&mut self, key: &PublicKey, aside: &str) -> Result<(), Reason> {
        let judged = self.judge(&self.known, key, aside);
        let Err(Reason::HostKeyUnknown(_)) = judged else {
            return judged;
        };
        // It may have been accepted meanwhile, for another connection.
        let target = Arc::clone(&self.target);
        let settings = target.settings();
        let known = self.files.known_hosts(settings).await.host(&self.name);
        let judged = self.judge(&known, key, aside);
        let Err(Reason::HostKeyUnknown(_)) = judged else {
            return judged;
        };
        let file = settings.user_known_hosts.value.first();
        let accepted = match settings.strict_host_key_checking.value {
            StrictHostKeyChecking::Yes => false,
            StrictHostKeyChecking::AcceptNew | StrictHostKeyChecking::No => true,
            StrictHostKeyChecking::Ask => {
                let about = About::HostKey {
                    host: self.name.as_str().to_owned(),
                    algorithm: key.algorithm().to_string(),
                    fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
                    file: file.map_or_else(String::new, |file| file.display().to_string()),
                };
                let asked = self.desk.accepts(about, &self.fate).await;
                self.fate.asked.store(asked, Ordering::Release);
                asked
            }
        };
        if !accepted {
            return judged;
        }
        self.accepted = Some(key.key_data().clone());
        if let Some(file) = file {
            let naming = Naming::configured(settings);
            let learnt = self
                .files
                .learn(file.clone(), self.name.clone(), key.clone(), naming)
                .await;
            if let Err(error) = learnt {
                // As ssh does: the key was accepted, and is unknown again the next time.
                tracing::warn!(%error, file = %file.display(), host = self.name.as_str(), "an accepted host key cannot be added");
            }
        }
        Ok(())
    }
}

/// How the operator gets a key accepted: by being asked, where only that is forbidden.  What the inventory or the target
/// says of a host `ssh` does not know, so that connecting with it would ask another server, or none.
fn advice(settings: &HostSettings, asking: Asking) -> String {
    let checking = settings.strict_host_key_checking.value;
    if (checking, asking) == (StrictHostKeyChecking::Ask, Asking::Never) {
        return "compare the fingerprint; without --batch and BatchMode regatta asks whether to accept it"
            .to_owned();
    }
    let (host, port) = (&settings.host_name, &settings.port);
    let ours = host.origin == Origin::CommandLine || port.origin == Origin::CommandLine;
    // Under an alias the key has another name than ssh-keyscan gives it.
    if !ours || settings.host_key_alias.is_some() {
        return "compare the fingerprint, then connect once with ssh to accept it".to_owned();
    }
    let port = match port.value {
        22 => String::new(),
        port => format!("-p {port} "),
    };
    format!(
        "fetch the key with `ssh-keyscan {port}{}`, compare the fingerprint, and append it to known_hosts",
        host.value
    )
}

/// The type of a key as `ssh` says it.
pub(super) fn key_type(algorithm: &Algorithm) -> Cow<'static, str> {
    match algorithm {
        Algorithm::Ed25519 => "ED25519".into(),
        Algorithm::Ecdsa { .. } => "ECDSA".into(),
        Algorithm::Rsa { .. } => "RSA".into(),
        Algorithm::Dsa => "DSA".into(),
        Algorithm::SkEd25519 => "ED25519-SK".into(),
        Algorithm::SkEcdsaSha2NistP256 => "ECDSA-SK".into(),
        other => other.to_string().into(),
    }
}

impl Handler for Checker {
    type Error = Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Error> {
        match self.decide(key).await {
            Ok(()) => Ok(true),
            Err(reason) => {
                // Keys are checked once; were it twice, the first finding stands.
                let _ = self.fate.rejected.set(reason);
                Ok(false)
            }
        }
    }

    async fn openssh_ext_host_keys_announced(
        &mut self,
        keys: Vec<PublicKey>,
        _session: &mut Session,
    ) -> Result<(), Error> {
        // Who is known by a certificate is not to be known by a key, and keys that would not be accepted are no use.
        if self.certified == Certified::No {
            let suite = &self.target.suite;
            let useful = keys
                .into_iter()
                .filter(|key| suite.takes_host_key(&key.algorithm()));
            // It says so once; were it twice, the first would stand.
            let _ = self.fate.announced.set(useful.take(ANNOUNCED).collect());
            self.fate.heard.notify_one();
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        let why = match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                format!("the server disconnected: {}", printable(&said.message))
            }
            DisconnectReason::Error(error) => ending(&error, self.patience),
        };
        let _ = self.fate.ended.set(why);
        self.fate.over.notify_one();
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _channel: ChannelId,
        kind: ChannelOpenFailure,
        words: &str,
        _language: &str,
        _session: &mut Session,
    ) -> Result<(), Error> {
        self.fate.refuses(kind.code(), printable(words));
        Ok(())
    }

    async fn auth_banner(&mut self, _banner: &str, _session: &mut Session) -> Result<(), Error> {
        // Meant for people who log in, not for programs; `ssh -q` drops it too.
        Ok(())
    }
}

/// Why an established connection ended, in words.
fn ending(error: &Error, patience: Option<std::time::Duration>) -> String {
    match error {
        Error::IO(error) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
                "the connection was reset".to_owned()
            }
            std::io::ErrorKind::TimedOut => match patience {
                Some(patience) => format!("no answer for {}s", patience.as_secs_f32()),
                None => "no answer".to_owned(),
            },
            std::io::ErrorKind::ConnectionAborted => "the connection was let go".to_owned(),
            _ => error.to_string(),
        },
        Error::Disconnect | Error::HUP => "the server closed the connection".to_owned(),
        Error::PacketSize(_) | Error::DecryptionError | Error::PacketAuth => {
            format!("what arrives was garbled on its way ({error})")
        }
        other => other.to_string(),
    }
}

/// A server's words, fit for one line of a message.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::advice;
    use crate::config::ssh_config::{ClientConfig, Commands, ConfigSource, LocalEnv, Overrides};
    use crate::core::spec::{Asking, Host};

    #[test]
    fn the_advice_is_to_be_asked_or_names_the_server_that_was_asked() {
        let env = LocalEnv::current();
        let config = ClientConfig::load(&ConfigSource::Nothing, &env).expect("nothing to read");
        let advice_for = |address: Option<&str>, port: Option<u16>, asking| {
            let host = Host {
                address: address.map(str::to_string),
                port,
                ..Host::named("web01")
            };
            let overrides = Overrides::of_host(&host, &env).expect("a plain host");
            advice(
                &config
                    .resolve("web01", &overrides, Commands::Skip)
                    .expect("a plain host"),
                asking,
            )
        };
        assert!(advice_for(None, None, Asking::Never).contains("without --batch"));
        assert!(advice_for(Some("10.0.0.3"), None, Asking::Never).contains("without --batch"));
        let say = |address, port| advice_for(address, port, Asking::Allowed);
        assert!(say(None, None).contains("connect once with ssh"));
        let cases = [
            (
                Some("10.0.0.3"),
                Some(2222),
                "`ssh-keyscan -p 2222 10.0.0.3`",
            ),
            (Some("10.0.0.3"), None, "`ssh-keyscan 10.0.0.3`"),
            (None, Some(2222), "`ssh-keyscan -p 2222 web01`"),
        ];
        for (address, port, command) in cases {
            let said = say(address, port);
            assert!(said.contains(command), "{said}");
        }
    }
}

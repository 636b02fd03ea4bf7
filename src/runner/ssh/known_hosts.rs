//! OpenSSH's `known_hosts` files: which key a server is known by (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
//!
//! Verdicts are those of OpenSSH's `check_host_key` (sshconnect.c, hostfile.c); the tests compare with `ssh-keygen`
//! and, where an sshd can be run, with `ssh` itself. Files are read once, and again when somebody else changes them; names without
//! wildcards are found through a map, hashed ones cost one HMAC each per look-up.
//!
//! Deliberately not here: judging certificates (`host_certificate` does that), comparing addresses
//! (`CheckHostIP`, off by default), and `KnownHostsCommand`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PublicKey};

use super::identity::stamp;
use crate::config::ssh_config::Location;

mod append;
mod file;
mod line;
mod revoked;
#[cfg(test)]
mod tests;

pub use append::Naming;
pub(in crate::runner::ssh) use append::append;
pub(super) use file::KnownFile;
use line::Names;
pub use revoked::revoking_line;

const DEFAULT_PORT: u16 = 22;
/// What a hashed name begins with.
const HASH_MAGIC: &str = "|1|";
/// The length of a salt, which is that of a SHA-1.
const HASH_LENGTH: usize = 20;

/// What some files say, in order.
#[derive(Debug, Default)]
pub struct KnownHosts(Vec<Arc<KnownFile>>);

/// What the files say about a key that a server presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This is a key of this host.
    Known,
    /// No key of this host is known.
    Unknown,
    /// The host is known by other keys only, of whatever type: OpenSSH's "REMOTE HOST IDENTIFICATION HAS CHANGED".
    Changed {
        /// The entry that OpenSSH names as the offending one.
        at: Location,
        known_type: Algorithm,
    },
    /// The key is marked `@revoked` for this host, whatever else is said about it.
    Revoked { at: Location },
}

/// A line or a file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// As in OpenSSH the line is skipped.
    Line { at: Location, reason: &'static str },
    /// The file is there but cannot be read.
    File { file: PathBuf, reason: String },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { at, reason } => write!(f, "{at}: skipped: {reason}"),
            Self::File { file, reason } => write!(f, "cannot read {}: {reason}", file.display()),
        }
    }
}

/// What a host is looked up under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    full: String,
    /// Tried when nothing at all is known under the full name: the host without its port.
    bare: Option<String>,
}

impl KeyName {
    /// `host`, or `[host]:port` when the port is not 22. `host` is the name or address connected to.
    pub fn new(host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        if port == DEFAULT_PORT || port == 0 {
            Self {
                full: host,
                bare: None,
            }
        } else {
            Self {
                full: format!("[{host}]:{port}"),
                bare: Some(host),
            }
        }
    }

    /// `HostKeyAlias`: this name whatever the port.
    pub fn alias(alias: &str) -> Self {
        Self {
            full: alias.to_ascii_lowercase(),
            bare: None,
        }
    }

    /// The name to put into a new entry.
    pub fn as_str(&self) -> &str {
        &self.full
    }
}

impl KnownHosts {
    /// Reads `files` in this order (the user's first). Missing files are fine; what cannot be used is noted.
    pub fn load<P: AsRef<Path>>(files: &[P]) -> Self {
        let read = |file: &P| Arc::new(KnownFile::read(file.as_ref(), stamp(file.as_ref())));
        Self(files.iter().map(read).collect())
    }

    /// Files that were read already.
    pub(super) fn of(files: Vec<Arc<KnownFile>>) -> Self {
        Self(files)
    }

    /// Everything the files say about the host of this name. Worth keeping: every hashed line costs an HMAC here
    /// (0.2 µs; 2 ms for 10,000 lines).
    pub fn host(&self, name: &KeyName) -> HostKeys {
        HostKeys {
            under_full_name: self.matching(&name.full),
            under_bare_name: name
                .bare
                .as_ref()
                .map(|bare| self.matching(bare))
                .unwrap_or_default(),
        }
    }

    /// Which of the keys that a host of this name says it has are to be learnt: those that are new, if the host is known
    /// by lines of its own and none of the keys is known for another (`client_input_hostkeys` in OpenSSH's
    /// clientloop.c).
    pub fn to_learn(&self, name: &KeyName, announced: &[PublicKey]) -> Vec<PublicKey> {
        let contents: Vec<_> = self.0.iter().map(|file| file.content()).collect();
        let lines: Vec<&Entry> = contents
            .iter()
            .flat_map(|content| content.entries_for(&name.full))
            .collect();
        let is_plain =
            |entry: &&Entry| entry.known.marker == Marker::HostKey && entry.names.is_one();
        if lines.is_empty() || !lines.iter().all(is_plain) {
            return Vec::new();
        }
        let is_known = |key: &PublicKey| lines.iter().any(|line| line.known.key == *key.key_data());
        let new = announced.iter().filter(|key| !is_known(key));
        let new: Vec<PublicKey> = new.cloned().collect();
        if new.is_empty() {
            return new;
        }
        let elsewhere = |entry: &Entry| {
            !entry.names.matches(&name.full)
                && announced
                    .iter()
                    .any(|key| entry.known.key == *key.key_data())
        };
        let mut entries = contents.iter().flat_map(|content| &content.entries);
        if entries.any(elsewhere) {
            return Vec::new();
        }
        new
    }

    /// What could not be used, in the order of the files.
    pub fn notes(&self) -> Vec<Note> {
        let notes = self.0.iter().map(|file| file.content().notes.clone());
        notes.flatten().collect()
    }

    /// The keys for a name, in the order of the files.
    fn matching(&self, name: &str) -> Vec<KnownKey> {
        let mut found = Vec::new();
        for file in &self.0 {
            let content = file.content();
            found.extend(content.entries_for(name).map(|entry| entry.known.clone()));
        }
        found
    }
}

/// What is known about one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostKeys {
    under_full_name: Vec<KnownKey>,
    /// Without the port, when it is not 22.
    under_bare_name: Vec<KnownKey>,
}

impl HostKeys {
    /// What to think of `key`, presented by this host.
    pub fn check(&self, key: &PublicKey) -> Verdict {
        let key = key.key_data();
        if let Some(at) = self.revocation(key) {
            return Verdict::Revoked { at: at.clone() };
        }
        let Some(last) = host_keys(&self.under_full_name).last() else {
            // A key known for the host without its port is accepted, another one is not held against it.
            let known = host_keys(&self.under_bare_name).any(|known| known.key == *key);
            return if known {
                Verdict::Known
            } else {
                Verdict::Unknown
            };
        };
        if host_keys(&self.under_full_name).any(|known| known.key == *key) {
            Verdict::Known
        } else {
            Verdict::Changed {
                at: last.at.clone(),
                known_type: last.key.algorithm(),
            }
        }
    }

    /// The types of the known keys, without revoked ones, in the order of the files: prefer these algorithms when
    /// connecting, lest a server with several keys seem changed (`order_hostkeyalgs` in OpenSSH's sshconnect2.c, which
    /// looks at the full name only). RSA comes without a hash and stands for `rsa-sha2-512` and `rsa-sha2-256`.
    pub fn types(&self) -> Vec<Algorithm> {
        let mut types = Vec::new();
        for known in host_keys(&self.under_full_name) {
            let algorithm = known.key.algorithm();
            if revocation(&self.under_full_name, &known.key).is_none()
                && !types.contains(&algorithm)
            {
                types.push(algorithm);
            }
        }
        types
    }

    /// The line that marks a key `@revoked` for this host.
    pub fn revocation(&self, key: &KeyData) -> Option<&Location> {
        // OpenSSH looks at the bare name only when nothing is known under the full one, and about a key revoked there
        // it asks; here revoked is revoked.
        revocation(&self.under_full_name, key).or_else(|| revocation(&self.under_bare_name, key))
    }

    /// The keys that may sign certificates for this host (`@cert-authority`), with its port or without. They are never
    /// host keys.
    pub fn authorities(&self) -> impl Iterator<Item = &KeyData> {
        self.under_full_name
            .iter()
            .chain(&self.under_bare_name)
            .filter(|known| known.marker == Marker::Authority)
            .map(|known| &known.key)
    }
}

fn host_keys(keys: &[KnownKey]) -> impl Iterator<Item = &KnownKey> {
    keys.iter().filter(|known| known.marker == Marker::HostKey)
}

/// The line that revokes `key`.
fn revocation<'a>(keys: &'a [KnownKey], key: &KeyData) -> Option<&'a Location> {
    keys.iter()
        .find(|known| known.marker == Marker::Revoked && known.key == *key)
        .map(|known| &known.at)
}

#[derive(Debug)]
struct Entry {
    names: Names,
    known: KnownKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownKey {
    marker: Marker,
    key: KeyData,
    at: Location,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    HostKey,
    /// `@cert-authority`
    Authority,
    /// `@revoked`
    Revoked,
}

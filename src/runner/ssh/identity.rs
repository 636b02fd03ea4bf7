//! Key files: what a private key file holds, with what its neighbours `.pub` and `-cert.pub` add.
//!
//! Private keys live in memory as long as they are used and are wiped by their own
//! type when dropped; the text they were parsed from is wiped at once.
//!
//! Deliberately not here: asking for a passphrase; who has one can [`unlock`] a key with it.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::ssh_key::{Certificate, PrivateKey};
use russh::keys::{self, Algorithm, PublicKey};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The header of a private key that is encrypted as OpenSSL did it before PKCS #8, and the start of those that the library
/// reads: RSA keys.
const ENCRYPTED_PEM: &str = "Proc-Type: 4,ENCRYPTED";
const READABLE_PEM: &str =
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,";

/// A key that may log in.
pub(super) struct Identity {
    pub(super) path: PathBuf,
    /// Known even if the private part cannot be used.
    pub(super) public: Option<PublicKey>,
    pub(super) private: Private,
    pub(super) certificate: Option<Certificate>,
}

/// The private part of an [`Identity`].
#[derive(Clone)]
pub(super) enum Private {
    Usable(Arc<PrivateKey>),
    /// It is encrypted.
    Locked,
    /// There is no such file; there may be its public part, whose private part an agent holds.
    Missing,
    /// The file is there and cannot be used, and why.
    Unusable(String),
}

/// Never the key itself.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What tells one state of a file from the next; `None` if it is not there.
pub(super) type Stamp = Option<Mark>;

/// The same of a file that is there: inode, length, and when it was changed.
pub(super) type Mark = (u64, u64, i64, i64);

/// The state of a file now.
pub(super) fn stamp(path: &Path) -> Stamp {
    fs::metadata(path).ok().map(|meta| mark(&meta))
}

/// The state of a file that is there.
pub(super) fn mark(meta: &fs::Metadata) -> Mark {
    (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec())
}

impl Identity {
    /// The state of the files it is read from.
    pub(super) fn stamps(path: &Path) -> [Stamp; 3] {
        Self::files(path).map(|file| stamp(&file))
    }

    /// Reads a key file of the user `uid`, and its neighbours.
    pub(super) fn read(path: &Path, uid: u32) -> Self {
        read(&Self::files(path), uid)
    }

    pub(super) fn is_locked(&self) -> bool {
        matches!(self.private, Private::Locked)
    }

    fn files(path: &Path) -> [PathBuf; 3] {
        [
            path.to_owned(),
            beside(path, ".pub"),
            beside(path, "-cert.pub"),
        ]
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn read([path, public, certificate]: &[PathBuf; 3], uid: u32) -> Identity {
    let (private, embedded) = read_private(path, uid);
    // The file may be a certificate itself.
    let certificate = [certificate, path]
        .into_iter()
        .find_map(|file| Certificate::from_openssh(fs::read_to_string(file).ok()?.trim()).ok());
    let public = embedded.or_else(|| {
        // `IdentityFile key.pub` names the public part alone, too.
        [public, path]
            .into_iter()
            .find_map(|file| PublicKey::from_openssh(fs::read_to_string(file).ok()?.trim()).ok())
    });
    Identity {
        path: path.clone(),
        public,
        private,
        certificate,
    }
}

/// The private part, and the public part if it could be read from it.
fn read_private(path: &Path, uid: u32) -> (Private, Option<PublicKey>) {
    let unusable = |why: String| (Private::Unusable(why), None);
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (Private::Missing, None),
        Err(error) => return unusable(error.to_string()),
    };
    let public = text.trim();
    if PublicKey::from_openssh(public).is_ok() || Certificate::from_openssh(public).is_ok() {
        return (Private::Missing, None);
    }
    if let Some(why) = fs::metadata(path)
        .ok()
        .and_then(|meta| too_open(&meta, uid))
    {
        return unusable(why);
    }
    if let Ok(key) = PrivateKey::from_openssh(text.as_bytes()) {
        let public = Some(key.public_key().clone());
        let private = if key.is_encrypted() {
            Private::Locked
        } else if matches!(
            key.algorithm(),
            Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
        ) {
            Private::Unusable(
                "it is on a security key; add it to the agent with ssh-add".to_owned(),
            )
        } else {
            Private::Usable(Arc::new(key))
        };
        return (private, public);
    }
    if text.contains(ENCRYPTED_PEM) && !text.contains(READABLE_PEM) {
        return unusable(
            "its old encrypted form cannot be read; rewrite it with `ssh-keygen -p`, or add it to the agent with ssh-add"
                .to_owned(),
        );
    }
    // The library takes it for one that is not encrypted, and fails.
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return (Private::Locked, None);
    }
    match keys::decode_secret_key(&text, None) {
        Ok(key) => {
            let public = Some(key.public_key().clone());
            (Private::Usable(Arc::new(key)), public)
        }
        Err(keys::Error::KeyIsEncrypted) => (Private::Locked, None),
        Err(error) => unusable(error.to_string()),
    }
}

/// Why a passphrase did not open a key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotUnlocked {
    Wrong,
    /// The file cannot be read any more, and why.
    Unreadable(String),
}

/// Decrypts a key file.  That takes a while, on purpose of whoever encrypted it.
pub(super) fn unlock(path: &Path, passphrase: &Secret) -> Result<Arc<PrivateKey>, NotUnlocked> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| NotUnlocked::Unreadable(error.to_string()))?;
    keys::decode_secret_key(&text, Some(passphrase.reveal()))
        .map(Arc::new)
        .map_err(|_| NotUnlocked::Wrong)
}

/// As OpenSSH refuses it: one's own key that others may read (sshkey_perm_ok in authfile.c).
fn too_open(meta: &Metadata, uid: u32) -> Option<String> {
    let mode = meta.mode() & 0o777;
    (meta.uid() == uid && mode & 0o077 != 0)
        .then(|| format!("its permissions {mode:04o} are too open; chmod 600 it"))
}

//! One line of a `known_hosts` file.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;
use sha1::Sha1;

use super::{HASH_LENGTH, HASH_MAGIC, Marker};
use crate::config::ssh_config::pattern::PatternList;

/// The hosts that a line is about.
pub(super) enum Names {
    Patterns(PatternList),
    /// `keyed` is the HMAC with the salt already in it.
    Hashed {
        keyed: Box<Hmac<Sha1>>,
        digest: [u8; HASH_LENGTH],
    },
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patterns(patterns) => patterns.fmt(f),
            Self::Hashed { .. } => f.write_str("[hashed name]"),
        }
    }
}

impl Names {
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.matches(name),
            Self::Hashed { keyed, digest } => {
                let mut mac = Hmac::clone(keyed);
                mac.update(name.as_bytes());
                mac.finalize().into_bytes()[..] == digest[..]
            }
        }
    }

    /// Whether it is one name, and not a list or a pattern.
    pub(super) fn is_one(&self) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.literals().is_some_and(|names| names.count() == 1),
            Self::Hashed { .. } => true,
        }
    }

    fn parse(field: &str) -> Result<Self, &'static str> {
        if !field.starts_with('|') {
            return Ok(Self::Patterns(PatternList::from_commas(
                &field.to_ascii_lowercase(),
            )));
        }
        let hashed = || {
            let (salt, digest) = field.strip_prefix(HASH_MAGIC)?.split_once('|')?;
            let (salt, digest) = (BASE64.decode(salt).ok()?, BASE64.decode(digest).ok()?);
            let salt: [u8; HASH_LENGTH] = salt.try_into().ok()?;
            Some(Self::Hashed {
                keyed: Box::new(Hmac::new_from_slice(&salt).ok()?),
                digest: digest.try_into().ok()?,
            })
        };
        hashed().ok_or("the hashed name is malformed")
    }
}

/// What a line says; `None` for blank lines and comments.
pub(super) fn parse_line(line: &str) -> Result<Option<(Marker, Names, KeyData)>, &'static str> {
    let mut words = line
        .split([' ', '\t', '\r'])
        .filter(|word| !word.is_empty())
        .peekable();
    let marker = match words.peek() {
        None => return Ok(None),
        Some(word) if word.starts_with('#') => return Ok(None),
        Some(&"@cert-authority") => Marker::Authority,
        Some(&"@revoked") => Marker::Revoked,
        Some(word) if word.starts_with('@') => {
            return Err("the marker is neither @cert-authority nor @revoked");
        }
        Some(_) => Marker::HostKey,
    };
    if marker != Marker::HostKey {
        words.next();
    }
    let names = words.next().ok_or("there is no host name")?;
    if names.starts_with('@') {
        return Err("only one marker is allowed");
    }
    let (Some(algorithm), Some(encoded)) = (words.next(), words.next()) else {
        return Err("there is no key");
    };
    let names = Names::parse(names)?;
    let key = PublicKey::from_openssh(&format!("{algorithm} {encoded}"))
        .map_err(|_| "the key cannot be read")?;
    match key.key_data() {
        KeyData::Other(_) => Err("the type of the key is not supported"),
        key => Ok(Some((marker, names, key.clone()))),
    }
}

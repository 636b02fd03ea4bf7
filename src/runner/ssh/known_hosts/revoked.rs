//! Keys that no host may have: the file that `RevokedHostKeys` names.
//!
//! Deliberately not here: key revocation lists (KRL), which the library does not read.  As with OpenSSH a file that cannot
//! be used lets no host in.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;

use crate::config::ssh_config::Location;

/// How a key revocation list begins.
const KRL_MAGIC: &[u8] = b"SSHKRL\n\0";

/// The line of the file that has one of these keys.
///
/// # Errors
/// Why the file cannot be used.
pub fn revoking_line(file: &Path, keys: &[&KeyData]) -> Result<Option<Location>, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    if bytes.starts_with(KRL_MAGIC) {
        return Err(
            "it is a key revocation list, which regatta cannot read; name a file of keys"
                .to_owned(),
        );
    }
    let text = String::from_utf8_lossy(&bytes);
    let is_one = |line: &str| {
        // As for OpenSSH, what is no key revokes none.
        PublicKey::from_openssh(line.trim()).is_ok_and(|key| keys.contains(&key.key_data()))
    };
    let found = (1..).zip(text.lines()).find(|(_, line)| is_one(line));
    Ok(found.map(|(line, _)| Location {
        file: Arc::from(file),
        line,
    }))
}

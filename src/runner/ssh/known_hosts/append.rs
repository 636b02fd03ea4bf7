//! Adding a line to a `known_hosts` file, as `ssh` does when a key is accepted.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use russh::keys::PublicKey;
use sha1::Sha1;

use crate::config::ssh_config::HostSettings;

use super::file::{Content, KnownFile};
use super::{HASH_LENGTH, HASH_MAGIC, KeyName, KnownHosts, Verdict};
use crate::runner::ssh::identity::mark;

/// How the name of a host is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Plain,
    /// `HashKnownHosts yes`
    Hashed,
}

impl Naming {
    /// As `HashKnownHosts` says.
    pub(in crate::runner::ssh) fn configured(settings: &HostSettings) -> Self {
        if settings.hash_known_hosts.value {
            Self::Hashed
        } else {
            Self::Plain
        }
    }
}

/// Adds the key of a host, unless the file has it already.  What is in the file stays as it is, byte for byte, and so do
/// its owner and mode; a new one is 0600, and a new directory for it 0700.  What is known of the file grows with it, and is
/// read again only if somebody else has changed it.
///
/// # Errors
/// The file cannot be opened or written; then it is as it was.
pub(in crate::runner::ssh) fn append(
    known: &Arc<KnownFile>,
    name: &KeyName,
    key: &PublicKey,
    naming: Naming,
) -> io::Result<()> {
    let path = known.path();
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        DirBuilder::new().mode(0o700).create(directory)?;
    }
    let mut open = File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    // Others of ours wait for us; where files cannot be locked, one write is still one line.
    let _ = open.lock();
    let before = open.metadata()?;
    if !before.is_file() {
        return open.write_all(line(name, key, naming)?.as_bytes());
    }
    if !known.is_at(Some(mark(&before))) {
        let mut bytes = Vec::new();
        open.read_to_end(&mut bytes)?;
        let read = Content::parse(path, &bytes, Some(mark(&before)));
        *known.change() = read;
    }
    if KnownHosts::of(vec![Arc::clone(known)])
        .host(name)
        .check(key)
        == Verdict::Known
    {
        return Ok(());
    }
    let mut text = line(name, key, naming)?;
    let ends = match before.len().checked_sub(1) {
        None => true,
        Some(last) => {
            let mut byte = [0];
            open.read_exact_at(&mut byte, last)?;
            byte == [b'\n']
        }
    };
    if !ends {
        text.insert(0, '\n');
    }
    if let Err(error) = open.write_all(text.as_bytes()) {
        // Half a line would spoil the next one.
        open.set_len(before.len())?;
        return Err(error);
    }
    let after = open.metadata()?;
    let expected = before.len() + text.len() as u64;
    // Who does not lock it may have written, too: then it is read again.
    let now = if after.len() == expected {
        Some(mark(&after))
    } else {
        None
    };
    known.change().grow(path, &text, now);
    Ok(())
}

/// A line that says that a host has this key.
fn line(name: &KeyName, key: &PublicKey, naming: Naming) -> io::Result<String> {
    let name = match naming {
        Naming::Plain => name.as_str().to_owned(),
        Naming::Hashed => hashed(name.as_str()),
    };
    let bare = PublicKey::from(key.key_data().clone());
    let key = bare.to_openssh().map_err(io::Error::other)?;
    Ok(format!("{name} {}\n", key.trim()))
}

/// A name as `ssh` hashes it (host_hash in hostfile.c).
fn hashed(name: &str) -> String {
    let mut salt = [0; HASH_LENGTH];
    rand::rng().fill_bytes(&mut salt);
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).expect("any length is a key");
    mac.update(name.as_bytes());
    let digest = mac.finalize().into_bytes();
    format!(
        "{HASH_MAGIC}{}|{}",
        BASE64.encode(salt),
        BASE64.encode(digest)
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use std::path::Path;

    use super::*;

    /// Adds to a file of which nothing is known yet.
    fn append(file: &Path, name: &KeyName, key: &PublicKey, naming: Naming) -> io::Result<()> {
        let known = Arc::new(KnownFile::of(file, b"", None));
        super::append(&known, name, key, naming)
    }

    fn key(number: u8) -> PublicKey {
        use russh::keys::ssh_key::private::Ed25519Keypair;
        let pair = Ed25519Keypair::from_seed(&[number; 32]);
        PublicKey::from(russh::keys::ssh_key::public::KeyData::Ed25519(pair.public))
    }

    #[test]
    fn a_line_is_added_once_and_the_rest_stays_as_it_is() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join(".ssh/known_hosts");
        let name = KeyName::new("Web01", 2222);
        for _ in 0..2 {
            append(&file, &name, &key(1), Naming::Plain).expect("it is added");
        }
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!(
            (mode(&file), mode(&home.path().join(".ssh"))),
            (0o600, 0o700)
        );
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(text.starts_with("[web01]:2222 ssh-ed25519 AAAA"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");

        // A last line without an end, and a mode that is not ours.
        let text = format!("# mine\n{}", text.trim_end());
        std::fs::write(&file, &text).expect("ours");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
        let other = KeyName::new("web02", 22);
        append(&file, &other, &key(2), Naming::Hashed).expect("it is added");
        let after = std::fs::read_to_string(&file).expect("it is there");
        let added = after.strip_prefix(&format!("{text}\n")).expect("untouched");
        assert!(added.starts_with("|1|") && added.ends_with('\n'), "{added}");
        assert_eq!((added.lines().count(), mode(&file)), (1, 0o644));
        let known = KnownHosts::load(&[&file]);
        assert!(known.notes().is_empty());
        assert_eq!(known.host(&name).check(&key(1)), Verdict::Known);
        assert_eq!(known.host(&other).check(&key(2)), Verdict::Known);
        // A second key of a host stands beside the first.
        append(&file, &other, &key(3), Naming::Plain).expect("it is added");
        let known = KnownHosts::load(&[&file]);
        assert_eq!(known.host(&other).check(&key(3)), Verdict::Known);
    }

    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        let name = KeyName::new("web01", 22);
        append(Path::new("/dev/null"), &name, &key(1), Naming::Plain).expect("it takes all");
        let kind = std::fs::metadata("/dev/null")
            .expect("it is there")
            .file_type();
        assert!(std::os::unix::fs::FileTypeExt::is_char_device(&kind));
    }

    #[test]
    fn what_is_known_of_a_file_grows_with_it_and_is_read_again_when_somebody_else_writes() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("known_hosts");
        std::fs::write(&file, "# mine\nweb00 ssh-ed25519 AAAA").expect("ours");
        let known = Arc::new(KnownFile::of(&file, b"", None));
        let name = |number: u8| KeyName::new(&format!("web{number:02}"), 22);
        let learn = |number: u8| {
            let naming = if number.is_multiple_of(2) {
                Naming::Plain
            } else {
                Naming::Hashed
            };
            super::append(&known, &name(number), &key(number), naming).expect("it is added");
        };
        for number in 1..=4 {
            learn(number);
        }
        let foreign = format!("web09 {}\n", key(9).to_openssh().expect("a key"));
        let mut open = File::options().append(true).open(&file).expect("ours");
        open.write_all(foreign.as_bytes()).expect("ours");
        learn(5);
        learn(9);
        // What grew is what a fresh look sees, to the line.
        let fresh = KnownHosts::load(&[&file]);
        let grown = KnownHosts::of(vec![Arc::clone(&known)]);
        for number in 1..=9 {
            assert_eq!(
                grown.host(&name(number)),
                fresh.host(&name(number)),
                "{number}"
            );
        }
        assert_eq!(grown.notes(), fresh.notes());
        assert_eq!(grown.host(&name(9)).check(&key(9)), Verdict::Known);
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(known.is_at(crate::runner::ssh::identity::stamp(&file)));
    }
}

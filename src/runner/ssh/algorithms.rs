//! Which algorithms a connection may use: those that are configured, as far as the library has them, or else what is best
//! here.
//!
//! A list of which the library has nothing is an error of that host, because going on without it could be less safe than
//! what was asked for.

use std::borrow::Cow;

use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

use super::known_hosts::HostKeys;
use crate::config::ssh_config::{HostSettings, Preference, Purpose};
use crate::core::reason::Reason;

/// Ciphers that need no MAC beside them.
const AUTHENTICATED: [cipher::Name; 3] = [
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
];

/// What one host's connections may use.
#[derive(Debug)]
pub(super) struct Suite {
    kex: Cow<'static, [kex::Name]>,
    ciphers: Cow<'static, [cipher::Name]>,
    macs: Cow<'static, [mac::Name]>,
    compression: &'static [compression::Name],
    host_keys: Vec<Algorithm>,
    /// The same as in certificates.
    host_certificates: Vec<Algorithm>,
    preference: Preference,
    /// Names of what may sign a certificate; `None` is OpenSSH's list.
    authorities: Option<Vec<String>>,
    /// Names of what may log in; `None` is OpenSSH's list.
    log_in: Option<Vec<String>>,
}

impl Suite {
    /// # Errors
    /// A list that names nothing the library has.
    pub(super) fn of(settings: &HostSettings) -> Result<Self, Reason> {
        let names = |purpose| {
            let list = settings.algorithms(purpose);
            list.map(|list| list.value.names.clone())
        };
        let kex = chosen(settings, Purpose::KeyExchange, kex::ALL_KEX_ALGORITHMS)?;
        let mut ciphers = chosen(settings, Purpose::Cipher, cipher::ALL_CIPHERS)?;
        let macs = match chosen(settings, Purpose::Mac, mac::ALL_MAC_ALGORITHMS) {
            Ok(macs) => macs.map_or(Preferred::DEFAULT.mac, Cow::Owned),
            // None of them is needed as long as the cipher is one of these.
            Err(why) => {
                let all = ciphers.unwrap_or_else(|| preferred_ciphers().into_owned());
                let kept = all.into_iter().filter(|it| AUTHENTICATED.contains(it));
                let kept: Vec<_> = kept.collect();
                if kept.is_empty() {
                    return Err(why);
                }
                ciphers = Some(kept);
                Cow::Borrowed(&[][..])
            }
        };
        let (host_keys, host_certificates) = host_keys(settings)?;
        let preference = settings
            .algorithms(Purpose::HostKey)
            .map_or(Preference::Built, |list| list.value.preference);
        Ok(Self {
            kex: kex.map_or(Preferred::DEFAULT.kex, with_extensions),
            ciphers: ciphers.map_or_else(preferred_ciphers, Cow::Owned),
            macs,
            compression: if settings.compression.value {
                &[compression::ZLIB_LEGACY, compression::NONE]
            } else {
                &[compression::NONE, compression::ZLIB_LEGACY]
            },
            host_keys,
            host_certificates,
            preference,
            authorities: names(Purpose::CaSignature),
            log_in: names(Purpose::PublicKey),
        })
    }

    /// What to agree on with a host of which this is known.
    pub(super) fn preferred(&self, known: &HostKeys) -> Preferred {
        // Certificates are wanted of a host whose authority is known, and where nothing else will do.
        let certified = known.authorities().next().is_some() || self.host_keys.is_empty();
        Preferred {
            kex: self.kex.clone(),
            key: Cow::Owned(self.host_keys(known)),
            host_key_certificates: if certified {
                Cow::Owned(self.host_certificates.clone())
            } else {
                Cow::Borrowed(&[])
            },
            cipher: self.ciphers.clone(),
            mac: self.macs.clone(),
            compression: Cow::Borrowed(self.compression),
        }
    }

    /// The host key algorithms to ask for: those of the known keys first, lest a server with several keys seem changed,
    /// unless the order was written or its first one will do (`order_hostkeyalgs` in OpenSSH's sshconnect2.c).
    fn host_keys(&self, known: &HostKeys) -> Vec<Algorithm> {
        let types = known.types();
        let is_known = |algorithm: &Algorithm| {
            types.iter().any(|known| match (known, algorithm) {
                (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
                (known, algorithm) => known == algorithm,
            })
        };
        match self.preference {
            Preference::AsListed => self.host_keys.clone(),
            Preference::Built => {
                let all = self.host_keys.iter().cloned();
                let (mut first, rest): (Vec<_>, Vec<_>) = all.partition(is_known);
                first.extend(rest);
                first
            }
        }
    }

    /// Whether a host may be known by a key of this type.
    pub(super) fn takes_host_key(&self, algorithm: &Algorithm) -> bool {
        self.host_keys.iter().any(|known| match (known, algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (known, algorithm) => known == algorithm,
        })
    }

    /// Whether a certificate may be signed in this way (`CASignatureAlgorithms`).
    pub(super) fn trusts_signature(&self, algorithm: &Algorithm) -> bool {
        match &self.authorities {
            Some(names) => names.iter().any(|name| name == algorithm.as_str()),
            None => *algorithm != Algorithm::Rsa { hash: None } && *algorithm != Algorithm::Dsa,
        }
    }

    /// Whether a key may log in by this algorithm (`PubkeyAcceptedAlgorithms`).
    pub(super) fn logs_in(&self, name: &str) -> bool {
        match &self.log_in {
            Some(names) => names.iter().any(|known| known == name),
            None => !name.starts_with("ssh-rsa") && !name.starts_with("ssh-dss"),
        }
    }

    /// The hashes RSA keys may sign with, most wanted first: as in `PubkeyAcceptedAlgorithms`, for plain keys or for
    /// those in certificates.
    pub(super) fn rsa_hashes(&self, name: impl Fn(&Algorithm) -> String) -> Vec<Option<HashAlg>> {
        let hashes = [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None];
        let named = hashes.map(|hash| (hash, name(&Algorithm::Rsa { hash })));
        let mut allowed: Vec<_> = named
            .into_iter()
            .filter(|(_, name)| self.logs_in(name))
            .collect();
        if let Some(names) = &self.log_in {
            allowed.sort_by_key(|(_, name)| names.iter().position(|known| known == name));
        }
        allowed.into_iter().map(|(hash, _)| hash).collect()
    }
}

/// AES in hardware first; the others as the library has them.
fn preferred_ciphers() -> Cow<'static, [cipher::Name]> {
    let first = cipher::AES_128_GCM;
    let rest = Preferred::DEFAULT.cipher;
    let rest = rest.iter().copied().filter(|name| *name != first);
    std::iter::once(first).chain(rest).collect()
}

/// The library negotiates its extensions among the key exchanges.
fn with_extensions(list: Vec<kex::Name>) -> Cow<'static, [kex::Name]> {
    let extensions = [
        kex::EXTENSION_SUPPORT_AS_CLIENT,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    ];
    list.into_iter().chain(extensions).collect()
}

/// What the library has of a list, in its order; `None` if none is set.
fn chosen<N: AsRef<str> + Copy>(
    settings: &HostSettings,
    purpose: Purpose,
    all: &[&N],
) -> Result<Option<Vec<N>>, Reason> {
    let Some(list) = settings.algorithms(purpose) else {
        return Ok(None);
    };
    let find = |name: &String| all.iter().find(|known| known.as_ref() == name);
    let chosen: Vec<N> = list
        .value
        .names
        .iter()
        .filter_map(find)
        .map(|n| **n)
        .collect();
    if chosen.is_empty() {
        let all = all.iter().map(AsRef::as_ref);
        return Err(none_of(settings, purpose, all));
    }
    Ok(Some(chosen))
}

/// The host key algorithms, plain and in certificates.  `ssh-rsa` with SHA-1 is left out unless it is asked for, as in
/// OpenSSH since 8.8.
fn host_keys(settings: &HostSettings) -> Result<(Vec<Algorithm>, Vec<Algorithm>), Reason> {
    let all = Preferred::DEFAULT.key;
    let Some(list) = settings.algorithms(Purpose::HostKey) else {
        let safe = all
            .iter()
            .filter(|it| **it != Algorithm::Rsa { hash: None });
        let safe: Vec<Algorithm> = safe.cloned().collect();
        return Ok((safe.clone(), safe));
    };
    let find = |called: fn(&Algorithm) -> String| {
        let names = list.value.names.iter();
        let found = names.filter_map(|name| all.iter().find(|known| called(known) == *name));
        found.cloned().collect::<Vec<Algorithm>>()
    };
    let (plain, certified) = (find(plain_name), find(certified_name));
    if plain.is_empty() && certified.is_empty() {
        let all = all
            .iter()
            .flat_map(|it| [plain_name(it), certified_name(it)]);
        return Err(none_of(settings, Purpose::HostKey, all));
    }
    Ok((plain, certified))
}

/// What an algorithm is called.
pub(super) fn plain_name(algorithm: &Algorithm) -> String {
    algorithm.as_str().to_owned()
}

/// What it is called where the key is in a certificate.
pub(super) fn certified_name(algorithm: &Algorithm) -> String {
    algorithm.to_certificate_type()
}

fn none_of(
    settings: &HostSettings,
    purpose: Purpose,
    all: impl Iterator<Item = impl AsRef<str>>,
) -> Reason {
    let origin = settings.algorithms(purpose).map(|list| &list.origin);
    let origin = origin.map_or_else(String::new, |origin| format!(" ({origin})"));
    // What encrypts nothing is no choice.
    let names: Vec<String> = all
        .map(|name| name.as_ref().to_owned())
        .filter(|name| !["none", "clear"].contains(&name.as_str()) && !name.contains("ext-info"))
        .filter(|name| !name.starts_with("kex-strict"))
        .collect();
    Reason::BadSettings(format!(
        "{} of {}{origin} names nothing that regatta has; it has {}",
        purpose.keyword(),
        settings.host,
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ssh_config::{ClientConfig, Commands, ConfigSource, LocalEnv, Overrides};

    fn settings(options: &[&str]) -> HostSettings {
        let env = LocalEnv::current();
        let config = ClientConfig::load(&ConfigSource::Nothing, &env).expect("nothing to read");
        let overrides = options.iter().fold(Overrides::default(), |set, option| {
            set.option(option, &env).expect("a good option")
        });
        let settings = config.resolve("web", &overrides, Commands::Skip);
        settings.expect("a plain host")
    }

    fn suite(options: &[&str]) -> Suite {
        Suite::of(&settings(options)).expect("the library has some of them")
    }

    fn names<N: AsRef<str>>(list: &[N]) -> Vec<&str> {
        list.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn what_is_set_is_used_as_far_as_it_is_there() {
        let set = suite(&[
            "Ciphers=3des-cbc,aes256-ctr,aes128-gcm@openssh.com",
            "MACs=umac-64@openssh.com,hmac-sha1",
            "KexAlgorithms=sntrup761x25519-sha512,ecdh-sha2-nistp256,curve25519-sha256",
        ]);
        assert_eq!(
            names(&set.ciphers),
            ["aes256-ctr", "aes128-gcm@openssh.com"]
        );
        assert_eq!(names(&set.macs), ["hmac-sha1"]);
        assert_eq!(
            names(&set.kex),
            [
                "ecdh-sha2-nistp256",
                "curve25519-sha256",
                "ext-info-c",
                "kex-strict-c-v00@openssh.com"
            ]
        );
    }

    #[test]
    fn a_list_with_nothing_in_it_names_the_option_and_what_there_is() {
        let refusal = |options: &[&str]| {
            let refused = Suite::of(&settings(options));
            refused.expect_err("nothing is there").to_string()
        };
        let said = refusal(&["Ciphers=3des-cbc"]);
        for part in [
            "Ciphers of web (command line)",
            "it has aes128-ctr",
            "chacha20",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("none,") && !said.contains("clear"), "{said}");
        let said = refusal(&["KexAlgorithms=sntrup761x25519-sha512"]);
        assert!(
            said.contains("KexAlgorithms") && !said.contains("ext-info"),
            "{said}"
        );
        let said = refusal(&["HostKeyAlgorithms=ssh-dss,sk-ssh-ed25519@openssh.com"]);
        assert!(said.contains("HostKeyAlgorithms"), "{said}");
        // Without a MAC there are ciphers that need none.
        let said = refusal(&["MACs=umac-64@openssh.com", "Ciphers=aes128-ctr"]);
        assert!(said.contains("MACs of web"), "{said}");
        let set = suite(&["MACs=umac-64@openssh.com"]);
        assert!(set.ciphers.iter().all(|name| AUTHENTICATED.contains(name)));
        assert_eq!(set.ciphers.len(), 3);
    }

    #[test]
    fn rsa_signs_as_it_is_allowed_to() {
        let hashes = |options: &[&str]| suite(options).rsa_hashes(plain_name);
        let (long, short) = (Some(HashAlg::Sha512), Some(HashAlg::Sha256));
        assert_eq!(hashes(&[]), [long, short]);
        assert_eq!(
            hashes(&["PubkeyAcceptedAlgorithms=^rsa-sha2-256"]),
            [short, long]
        );
        assert_eq!(
            hashes(&["PubkeyAcceptedAlgorithms=+ssh-rsa"]),
            [long, short, None]
        );
        assert_eq!(hashes(&["PubkeyAcceptedAlgorithms=ssh-ed25519"]), []);
        let set = suite(&["PubkeyAcceptedAlgorithms=rsa-sha2-512-cert-v01@openssh.com"]);
        assert_eq!(set.rsa_hashes(certified_name), [long]);
        assert_eq!(set.rsa_hashes(plain_name), []);
    }
}

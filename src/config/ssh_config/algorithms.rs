//! Lists of algorithms (`Ciphers` and the like): which names there are, and what a list, with its wildcards and a `+`,
//! `-` or `^` before it, makes of OpenSSH's own (`kex_assemble_names` in its kex.c).
//!
//! Deliberately not here: which of them regatta has; whoever connects looks at that.

use super::error::Problem;
use super::pattern::PatternList;

/// What a list of algorithms is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    CaSignature,
    Cipher,
    HostKey,
    KeyExchange,
    Mac,
    PublicKey,
}

/// What is set for a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithms {
    /// Most wanted first.
    pub names: Vec<String>,
    pub preference: Preference,
}

/// Whether the order of a list is what the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// It was written, or its head was (`^`).
    AsListed,
    /// It is OpenSSH's, with more (`+`) or less (`-`) in it.
    Built,
}

/// OpenSSH 9.2's; key exchanges begin with what newer ones begin with.
const CIPHERS: &[&str] = &[
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
];
const ALL_CIPHERS: &[&str] = &[
    "3des-cbc",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
];
const MACS: &[&str] = &[
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
];
const ALL_MACS: &[&str] = &[
    "hmac-sha1",
    "hmac-sha1-96",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-md5",
    "hmac-md5-96",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha1-96-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-md5-etm@openssh.com",
    "hmac-md5-96-etm@openssh.com",
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
];
const KEY_EXCHANGES: &[&str] = &[
    "mlkem768x25519-sha256",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];
const ALL_KEY_EXCHANGES: &[&str] = &[
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group-exchange-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "mlkem768x25519-sha256",
];
const KEYS: &[&str] = &[
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
const ALL_KEYS: &[&str] = &[
    "ssh-ed25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
    "ssh-dss-cert-v01@openssh.com",
    "ssh-rsa",
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-512-cert-v01@openssh.com",
];
const CA_SIGNATURES: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
const ALL_CA_SIGNATURES: &[&str] = &[
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
    "ssh-rsa",
    "rsa-sha2-256",
    "rsa-sha2-512",
];

/// Where `*` and `?` may stand for several names; after a `-` they may everywhere.
#[derive(PartialEq, Eq)]
enum Wildcards {
    Allowed,
    Refused,
}

impl Purpose {
    /// The option, as `ssh -G` prints it.
    pub fn option(self) -> &'static str {
        match self {
            Self::CaSignature => "casignaturealgorithms",
            Self::Cipher => "ciphers",
            Self::HostKey => "hostkeyalgorithms",
            Self::KeyExchange => "kexalgorithms",
            Self::Mac => "macs",
            Self::PublicKey => "pubkeyacceptedalgorithms",
        }
    }

    /// The option, as it is usually written.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::CaSignature => "CASignatureAlgorithms",
            Self::Cipher => "Ciphers",
            Self::HostKey => "HostKeyAlgorithms",
            Self::KeyExchange => "KexAlgorithms",
            Self::Mac => "MACs",
            Self::PublicKey => "PubkeyAcceptedAlgorithms",
        }
    }

    /// What OpenSSH takes unless it is told otherwise.
    fn default(self) -> &'static [&'static str] {
        match self {
            Self::CaSignature => CA_SIGNATURES,
            Self::Cipher => CIPHERS,
            Self::HostKey | Self::PublicKey => KEYS,
            Self::KeyExchange => KEY_EXCHANGES,
            Self::Mac => MACS,
        }
    }

    /// All that OpenSSH knows.
    fn all(self) -> &'static [&'static str] {
        match self {
            Self::CaSignature => ALL_CA_SIGNATURES,
            Self::Cipher => ALL_CIPHERS,
            Self::HostKey | Self::PublicKey => ALL_KEYS,
            Self::KeyExchange => ALL_KEY_EXCHANGES,
            Self::Mac => ALL_MACS,
        }
    }

    fn wildcards(self) -> Wildcards {
        match self {
            Self::CaSignature | Self::HostKey | Self::PublicKey => Wildcards::Allowed,
            Self::Cipher | Self::KeyExchange | Self::Mac => Wildcards::Refused,
        }
    }

    /// Whether OpenSSH accepts this part of a list that is not taken away.  It does so for key types also where the
    /// name is none but some key type's pattern.
    fn accepts(self, name: &str) -> bool {
        if self.wildcards() == Wildcards::Refused {
            return self.all().contains(&name);
        }
        // Whichever key option it is, any key algorithm is a name.
        let pattern = PatternList::from_commas(name.trim_start_matches('!'));
        ALL_KEYS.contains(&name) || ALL_KEYS.iter().any(|known| pattern.matches(known))
    }
}

impl Algorithms {
    /// Reads what is written after the option `name`.
    pub(super) fn parse(purpose: Purpose, name: &str, written: &str) -> Result<Self, Problem> {
        let bad = |expected| Problem::Value {
            name: name.to_owned(),
            value: written.to_owned(),
            expected,
        };
        let (sign, list) = match written.strip_prefix(['+', '-', '^']) {
            Some(list) => (written.chars().next(), list),
            None => (None, written),
        };
        let default = || purpose.default().iter().map(|name| (*name).to_owned());
        if sign == Some('-') {
            let less = PatternList::from_commas(list);
            return Ok(Self {
                names: default().filter(|name| !less.matches(name)).collect(),
                preference: Preference::Built,
            });
        }
        // As for OpenSSH, an empty part ends what is looked at for names that do not exist.
        let mut looked_at = list.split(',').take_while(|part| !part.is_empty());
        if list.is_empty() || !looked_at.all(|part| purpose.accepts(part)) {
            return Err(bad("names of algorithms that OpenSSH knows"));
        }
        let written = list.split(',').map(str::to_owned);
        let wanted: Vec<String> = match sign {
            Some('+') => default().chain(written).collect(),
            Some(_) => written.chain(default()).collect(),
            None => written.collect(),
        };
        let mut names: Vec<String> = Vec::new();
        for part in wanted {
            if part.starts_with('!') {
                return Err(bad("a list without negated names"));
            }
            let pattern = PatternList::from_commas(&part);
            let found = purpose.all().iter().filter(|name| pattern.matches(name));
            for name in found {
                if !names.iter().any(|known| known == name) {
                    names.push((*name).to_owned());
                }
            }
        }
        if names.is_empty() {
            return Err(bad("at least one algorithm"));
        }
        Ok(Self {
            names,
            preference: if sign == Some('+') {
                Preference::Built
            } else {
                Preference::AsListed
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_users_where_the_user_wrote_it() {
        let check = |written: &str, preference: Preference, first: &str| {
            let list = Algorithms::parse(Purpose::HostKey, "x", written).expect("a good list");
            assert_eq!(list.preference, preference, "{written}");
            assert_eq!(list.names[0], first, "{written}");
        };
        check("+ssh-rsa", Preference::Built, KEYS[0]);
        check("-*cert*", Preference::Built, "ssh-ed25519");
        check("^rsa-*", Preference::AsListed, "rsa-sha2-256");
        check("rsa-sha2-512,ssh-*", Preference::AsListed, "rsa-sha2-512");
    }

    #[test]
    fn openssh_knows_all_it_takes_by_default() {
        for purpose in [
            Purpose::CaSignature,
            Purpose::Cipher,
            Purpose::HostKey,
            Purpose::KeyExchange,
            Purpose::Mac,
            Purpose::PublicKey,
        ] {
            let unknown = |name: &&&str| !purpose.all().contains(name);
            assert_eq!(purpose.default().iter().find(unknown), None, "{purpose:?}");
        }
    }
}

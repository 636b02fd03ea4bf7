//! One option as written, with its value: those that regatta honours.

use std::time::Duration;

use super::algorithms::{Algorithms, Purpose};
use super::error::Problem;
use super::jump::jump_hops;
use super::keywords::{self, Keyword};
use super::value::Value;
use super::{
    AddKeysToAgent, AddressFamily, CanonicalizeHostname, JumpHop, LocalEnv, PubkeyAuthentication,
    StrictHostKeyChecking, UpdateHostKeys, words,
};

/// An option with a checked value, tokens not yet expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    AddKeysToAgent(AddKeysToAgent),
    AddressFamily(AddressFamily),
    Algorithms(Purpose, Algorithms),
    BatchMode(bool),
    BindAddress(String),
    CanonicalizeHostname(CanonicalizeHostname),
    CertificateFile(String),
    Compression(bool),
    ConnectionAttempts(u32),
    /// `none` sets nothing, not even against later lines; so in OpenSSH.
    ConnectTimeout(Option<Duration>),
    GlobalKnownHostsFile(Vec<String>),
    HashKnownHosts(bool),
    HostKeyAlias(String),
    HostName(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    IdentityFile(String),
    IgnoreUnknown(String),
    KbdInteractiveAuthentication(bool),
    NumberOfPasswordPrompts(u32),
    PasswordAuthentication(bool),
    Port(u16),
    PreferredAuthentications(String),
    ProxyCommand(String),
    /// No hops: `none`.
    ProxyJump(Vec<JumpHop>),
    PubkeyAuthentication(PubkeyAuthentication),
    /// Bytes, and time; what is `None` sets nothing.
    RekeyLimit(Option<u64>, Option<Duration>),
    RequiredRsaSize(u32),
    /// A file, or `none`.
    RevokedHostKeys(String),
    SendEnv(Vec<String>),
    ServerAliveCountMax(u32),
    ServerAliveInterval(Option<Duration>),
    /// `NAME=VALUE` each.
    SetEnv(Vec<String>),
    StrictHostKeyChecking(StrictHostKeyChecking),
    UpdateHostKeys(UpdateHostKeys),
    User(String),
    UserKnownHostsFile(Vec<String>),
    /// OpenSSH knows it, regatta does not act on it. The value is not checked.
    NotHonoured {
        keyword: &'static Keyword,
        name: String,
        value: String,
    },
    /// Nobody knows it; fine if `IgnoreUnknown` says so for the host.
    Unknown {
        name: String,
    },
}

impl Setting {
    /// Reads what follows `name` (as the user wrote it; case does not matter).
    pub(super) fn parse(name: &str, rest: &str, env: &LocalEnv) -> Result<Self, Problem> {
        let arguments = words::arguments(rest).map_err(|_| Problem::InvalidQuotes)?;
        let value = Value {
            name,
            arguments: &arguments,
        };
        let keyword = name.to_ascii_lowercase();
        Ok(match keyword.as_str() {
            "addkeystoagent" => Self::AddKeysToAgent(value.add_keys()?),
            "addressfamily" => Self::AddressFamily(value.choice(
                "any, inet or inet6",
                &[
                    ("any", AddressFamily::Any),
                    ("inet", AddressFamily::Inet),
                    ("inet6", AddressFamily::Inet6),
                ],
            )?),
            "batchmode" => Self::BatchMode(value.flag()?),
            "bindaddress" => Self::BindAddress(value.one()?.to_owned()),
            "canonicalizehostname" => Self::CanonicalizeHostname(value.choice(
                "yes, no or always",
                &[
                    ("true", CanonicalizeHostname::Yes),
                    ("false", CanonicalizeHostname::No),
                    ("yes", CanonicalizeHostname::Yes),
                    ("no", CanonicalizeHostname::No),
                    ("always", CanonicalizeHostname::Always),
                ],
            )?),
            "casignaturealgorithms" => value.algorithms(Purpose::CaSignature)?,
            "certificatefile" => Self::CertificateFile(value.one()?.to_owned()),
            "ciphers" => value.algorithms(Purpose::Cipher)?,
            "compression" => {
                Self::Compression(value.choice("yes or no", &[("yes", true), ("no", false)])?)
            }
            "connectionattempts" => Self::ConnectionAttempts(value.number()?),
            "connecttimeout" => Self::ConnectTimeout(value.time()?),
            "globalknownhostsfile" => Self::GlobalKnownHostsFile(value.files()?),
            "hashknownhosts" => Self::HashKnownHosts(value.flag()?),
            "hostkeyalgorithms" => value.algorithms(Purpose::HostKey)?,
            "hostkeyalias" => Self::HostKeyAlias(value.one()?.to_owned()),
            "hostname" => Self::HostName(value.one()?.to_owned()),
            "identitiesonly" => Self::IdentitiesOnly(value.flag()?),
            "identityagent" => Self::IdentityAgent(value.agent(env)?),
            "identityfile" | "identityfile2" => Self::IdentityFile(value.one()?.to_owned()),
            "ignoreunknown" => Self::IgnoreUnknown(value.one()?.to_owned()),
            // The last three are its old names.
            "kbdinteractiveauthentication"
            | "challengeresponseauthentication"
            | "skeyauthentication"
            | "tisauthentication" => Self::KbdInteractiveAuthentication(value.flag()?),
            "kexalgorithms" => value.algorithms(Purpose::KeyExchange)?,
            "macs" => value.algorithms(Purpose::Mac)?,
            "numberofpasswordprompts" => Self::NumberOfPasswordPrompts(value.number()?),
            "passwordauthentication" => Self::PasswordAuthentication(value.flag()?),
            "port" => Self::Port(value.port()?),
            "preferredauthentications" => Self::PreferredAuthentications(value.one()?.to_owned()),
            "proxycommand" => Self::ProxyCommand(
                rest.trim_start_matches([' ', '\t', '\r', '\n', '='])
                    .to_owned(),
            ),
            "proxyjump" => Self::ProxyJump(jump_hops(
                name,
                rest.trim_start_matches([' ', '\t', '\r', '\n', '=']),
            )?),
            "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => {
                value.algorithms(Purpose::PublicKey)?
            }
            // The last is its old name.
            "pubkeyauthentication" | "dsaauthentication" => {
                Self::PubkeyAuthentication(value.choice(
                    "yes, no, unbound or host-bound",
                    &[
                        ("true", PubkeyAuthentication::Yes),
                        ("false", PubkeyAuthentication::No),
                        ("yes", PubkeyAuthentication::Yes),
                        ("no", PubkeyAuthentication::No),
                        ("unbound", PubkeyAuthentication::Unbound),
                        ("host-bound", PubkeyAuthentication::HostBound),
                    ],
                )?)
            }
            "rekeylimit" => value.rekey_limit()?,
            "requiredrsasize" => Self::RequiredRsaSize(value.number()?),
            "revokedhostkeys" => Self::RevokedHostKeys(value.one()?.to_owned()),
            "sendenv" => Self::SendEnv(value.variable_names()?),
            "serveralivecountmax" => Self::ServerAliveCountMax(value.number()?),
            // The last two are Debian's old names for it.
            "serveraliveinterval" | "protocolkeepalives" | "setuptimeout" => {
                Self::ServerAliveInterval(value.time()?)
            }
            "setenv" => Self::SetEnv(value.variables()?),
            "stricthostkeychecking" => Self::StrictHostKeyChecking(value.choice(
                "yes, accept-new, ask or no",
                &[
                    ("yes", StrictHostKeyChecking::Yes),
                    ("true", StrictHostKeyChecking::Yes),
                    ("accept-new", StrictHostKeyChecking::AcceptNew),
                    ("ask", StrictHostKeyChecking::Ask),
                    ("no", StrictHostKeyChecking::No),
                    ("false", StrictHostKeyChecking::No),
                    ("off", StrictHostKeyChecking::No),
                ],
            )?),
            "updatehostkeys" => Self::UpdateHostKeys(value.choice(
                "yes, no or ask",
                &[
                    ("true", UpdateHostKeys::Yes),
                    ("false", UpdateHostKeys::No),
                    ("yes", UpdateHostKeys::Yes),
                    ("no", UpdateHostKeys::No),
                    ("ask", UpdateHostKeys::Ask),
                ],
            )?),
            "user" => Self::User(value.one()?.to_owned()),
            "userknownhostsfile" => Self::UserKnownHostsFile(value.files()?),
            keyword => match keywords::not_honoured(keyword) {
                Some(keyword) => Self::NotHonoured {
                    keyword,
                    name: name.to_owned(),
                    value: rest.to_owned(),
                },
                None => Self::Unknown {
                    name: name.to_owned(),
                },
            },
        })
    }
}

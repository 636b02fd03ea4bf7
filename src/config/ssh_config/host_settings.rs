//! The settings of one host.

use std::path::PathBuf;
use std::time::Duration;

use super::algorithms::{Algorithms, Purpose};
use super::error::ConfigError;
use super::resolve::failed;
use super::{
    AddKeysToAgent, AddressFamily, CanonicalizeHostname, IdentityAgent, KeyFile, Note, Proxy,
    PubkeyAuthentication, Sourced, StrictHostKeyChecking, UpdateHostKeys, Variable, expand,
};

pub(super) const AUTH_SOCK: &str = "SSH_AUTH_SOCK";

/// Everything regatta honours, for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The host as asked for.
    pub host: String,
    pub user: Sourced<String>,
    /// The name or address to connect to, lower-cased, addresses in their usual form.
    pub host_name: Sourced<String>,
    pub port: Sourced<u16>,
    pub add_keys_to_agent: Sourced<AddKeysToAgent>,
    pub address_family: Sourced<AddressFamily>,
    /// The lists of algorithms that are set.
    pub algorithms: Vec<(Purpose, Sourced<Algorithms>)>,
    /// Nobody is asked anything.
    pub batch_mode: Sourced<bool>,
    pub canonicalize_hostname: Sourced<CanonicalizeHostname>,
    pub compression: Sourced<bool>,
    /// How often to try to connect.
    pub connection_attempts: Sourced<u32>,
    pub hash_known_hosts: Sourced<bool>,
    /// Only the files below are tried, not whatever else the agent holds.
    pub identities_only: Sourced<bool>,
    /// Whether to answer what a server asks, and to log in with a password.
    pub kbd_interactive: Sourced<bool>,
    pub password: Sourced<bool>,
    /// Ways to log in, first to last; `None` is OpenSSH's order.
    pub preferred_authentications: Option<Sourced<String>>,
    pub public_key: Sourced<PubkeyAuthentication>,
    /// How often a passphrase, a password or an answer may be wrong.
    pub password_prompts: Sourced<u32>,
    /// After how many bytes, and how long, new keys are agreed on; zero is not set.
    pub rekey_bytes: Sourced<u64>,
    pub rekey_time: Sourced<Duration>,
    /// RSA keys that are shorter (in bits) are not used, and not accepted from hosts.
    pub required_rsa_size: Sourced<u32>,
    /// Keys that no host may have.
    pub revoked_host_keys: Option<Sourced<KeyFile>>,
    /// Patterns of the variables to send.
    pub send_env: Vec<Sourced<String>>,
    pub set_env: Vec<Sourced<Variable>>,
    pub strict_host_key_checking: Sourced<StrictHostKeyChecking>,
    pub update_host_keys: Sourced<UpdateHostKeys>,
    pub server_alive_count_max: Sourced<u32>,
    /// Zero, OpenSSH's default, is never.
    pub server_alive_interval: Sourced<Duration>,
    pub bind_address: Option<Sourced<String>>,
    /// The name host keys are looked up under instead, lower-cased.
    pub host_key_alias: Option<Sourced<String>>,
    /// `None`: not set, which means the socket that `SSH_AUTH_SOCK` names.
    pub identity_agent: Option<Sourced<IdentityAgent>>,
    pub identity_files: Vec<Sourced<KeyFile>>,
    pub certificate_files: Vec<Sourced<KeyFile>>,
    pub global_known_hosts: Sourced<Vec<PathBuf>>,
    pub user_known_hosts: Sourced<Vec<PathBuf>>,
    /// `None`: not set; the connector chooses. Zero is no limit.
    pub connect_timeout: Option<Sourced<Duration>>,
    pub proxy: Sourced<Proxy>,
    /// What is set for this host and not done.
    pub notes: Vec<Note>,
}

impl HostSettings {
    /// What `ProxyCommand` comes to for this host, for a shell to run; `None` if it is not reached like that.
    ///
    /// # Errors
    /// A token that is none.
    pub fn proxy_command(&self) -> Result<Option<String>, ConfigError> {
        let Proxy::Command(command) = &self.proxy.value else {
            return Ok(None);
        };
        let expanded = expand::proxy(command, self);
        expanded
            .map(Some)
            .map_err(|problem| failed(&self.host, self.proxy.origin.clone(), problem))
    }

    /// The list of algorithms that is set for a purpose.
    pub fn algorithms(&self, purpose: Purpose) -> Option<&Sourced<Algorithms>> {
        let set = self.algorithms.iter().find(|(set, _)| *set == purpose);
        set.map(|(_, list)| list)
    }
}

impl IdentityAgent {
    pub(super) fn new(value: String) -> Self {
        if value == "none" {
            return Self::Disabled;
        }
        match value.strip_prefix('$') {
            Some(variable) => Self::Variable(variable.to_owned()),
            None if value == AUTH_SOCK => Self::Variable(value),
            None => Self::Socket(PathBuf::from(value)),
        }
    }
}

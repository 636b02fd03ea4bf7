//! What has been set for one host so far: the first value of an option wins, key files and variables add up.

use std::time::Duration;

use super::algorithms::{Algorithms, Purpose};
use super::error::Problem;
use super::pattern::PatternList;
use super::setting::Setting;
use super::{
    AddKeysToAgent, AddressFamily, CanonicalizeHostname, JumpHop, Location, Origin,
    PubkeyAuthentication, Sourced, StrictHostKeyChecking, UpdateHostKeys, Variable,
};

/// OpenSSH's limit for `IdentityFile` and for `CertificateFile` (`SSH_MAX_IDENTITY_FILES`).
const KEY_FILES: usize = 100;

/// Where a setting being applied stands; becomes an [`Origin`] only if the setting wins.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    CommandLine,
    File(&'a Location),
}

impl Source<'_> {
    pub(super) fn origin(self) -> Origin {
        match self {
            Self::CommandLine => Origin::CommandLine,
            Self::File(at) => Origin::File(at.clone()),
        }
    }

    fn with<T>(self, value: T) -> Sourced<T> {
        Sourced {
            value,
            origin: self.origin(),
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Given {
    pub(super) add_keys_to_agent: Option<Sourced<AddKeysToAgent>>,
    pub(super) address_family: Option<Sourced<AddressFamily>>,
    pub(super) algorithms: Vec<(Purpose, Sourced<Algorithms>)>,
    pub(super) batch_mode: Option<Sourced<bool>>,
    pub(super) bind_address: Option<Sourced<String>>,
    pub(super) canonicalize_hostname: Option<Sourced<CanonicalizeHostname>>,
    pub(super) certificate_files: Vec<Sourced<String>>,
    pub(super) compression: Option<Sourced<bool>>,
    pub(super) connect_timeout: Option<Sourced<Duration>>,
    pub(super) connection_attempts: Option<Sourced<u32>>,
    pub(super) global_known_hosts: Option<Sourced<Vec<String>>>,
    pub(super) hash_known_hosts: Option<Sourced<bool>>,
    pub(super) host_key_alias: Option<Sourced<String>>,
    pub(super) host_name: Option<Sourced<String>>,
    pub(super) identities_only: Option<Sourced<bool>>,
    pub(super) identity_agent: Option<Sourced<String>>,
    pub(super) identity_files: Vec<Sourced<String>>,
    pub(super) ignore_unknown: Option<PatternList>,
    pub(super) kbd_interactive: Option<Sourced<bool>>,
    pub(super) password: Option<Sourced<bool>>,
    pub(super) password_prompts: Option<Sourced<u32>>,
    pub(super) port: Option<Sourced<u16>>,
    pub(super) preferred_authentications: Option<Sourced<String>>,
    pub(super) proxy_command: Option<Sourced<String>>,
    pub(super) proxy_jump: Option<Sourced<Vec<JumpHop>>>,
    pub(super) public_key: Option<Sourced<PubkeyAuthentication>>,
    pub(super) rekey_bytes: Option<Sourced<u64>>,
    pub(super) rekey_time: Option<Sourced<Duration>>,
    pub(super) required_rsa_size: Option<Sourced<u32>>,
    pub(super) revoked_host_keys: Option<Sourced<String>>,
    pub(super) send_env: Vec<Sourced<String>>,
    pub(super) server_alive_count_max: Option<Sourced<u32>>,
    pub(super) server_alive_interval: Option<Sourced<Duration>>,
    pub(super) set_env: Option<Vec<Sourced<Variable>>>,
    pub(super) strict_host_key_checking: Option<Sourced<StrictHostKeyChecking>>,
    pub(super) update_host_keys: Option<Sourced<UpdateHostKeys>>,
    pub(super) user: Option<Sourced<String>>,
    pub(super) user_known_hosts: Option<Sourced<Vec<String>>>,
}

impl Given {
    /// Takes what a line sets.
    pub(super) fn apply(&mut self, setting: &Setting, source: Source<'_>) -> Result<(), Problem> {
        match setting {
            Setting::AddKeysToAgent(add) => {
                first(&mut self.add_keys_to_agent, add, source);
            }
            Setting::AddressFamily(family) => first(&mut self.address_family, family, source),
            Setting::Algorithms(purpose, list) => {
                self.set_algorithms(*purpose, list, source);
            }
            Setting::BatchMode(batch) => first(&mut self.batch_mode, batch, source),
            Setting::BindAddress(address) => first(&mut self.bind_address, address, source),
            Setting::CanonicalizeHostname(canonicalize) => {
                first(&mut self.canonicalize_hostname, canonicalize, source);
            }
            Setting::CertificateFile(file) => {
                add_file(
                    &mut self.certificate_files,
                    file,
                    source,
                    "certificate files",
                )?;
            }
            Setting::Compression(compress) => {
                first(&mut self.compression, compress, source);
            }
            Setting::ConnectTimeout(Some(timeout)) => {
                first(&mut self.connect_timeout, timeout, source);
            }
            Setting::ConnectionAttempts(attempts) => {
                first(&mut self.connection_attempts, attempts, source);
            }
            Setting::GlobalKnownHostsFile(files) => {
                first(&mut self.global_known_hosts, files, source);
            }
            Setting::HashKnownHosts(hash) => first(&mut self.hash_known_hosts, hash, source),
            Setting::HostKeyAlias(alias) => first(&mut self.host_key_alias, alias, source),
            Setting::HostName(name) => first(&mut self.host_name, name, source),
            Setting::IdentitiesOnly(only) => first(&mut self.identities_only, only, source),
            Setting::IdentityAgent(agent) => first(&mut self.identity_agent, agent, source),
            Setting::IdentityFile(file) => {
                add_file(&mut self.identity_files, file, source, "identity files")?;
            }
            Setting::IgnoreUnknown(patterns) => {
                if self.ignore_unknown.is_none() {
                    self.ignore_unknown =
                        Some(PatternList::from_commas(&patterns.to_ascii_lowercase()));
                }
            }
            Setting::KbdInteractiveAuthentication(allowed) => {
                first(&mut self.kbd_interactive, allowed, source);
            }
            Setting::NumberOfPasswordPrompts(prompts) => {
                first(&mut self.password_prompts, prompts, source);
            }
            Setting::PasswordAuthentication(allowed) => {
                first(&mut self.password, allowed, source);
            }
            Setting::Port(port) => first(&mut self.port, port, source),
            Setting::PreferredAuthentications(methods) => {
                first(&mut self.preferred_authentications, methods, source);
            }
            // As OpenSSH 9.2 does it: a jump host shuts out a later command and a later jump host, a command shuts out
            // a later jump host, and "ProxyJump none" shuts out a later jump host but not a later command.
            Setting::ProxyCommand(command) => {
                if self
                    .proxy_jump
                    .as_ref()
                    .is_none_or(|jump| jump.value.is_empty())
                {
                    first(&mut self.proxy_command, command, source);
                }
            }
            Setting::ProxyJump(hops) => {
                if self.proxy_command.is_none() {
                    first(&mut self.proxy_jump, hops, source);
                }
            }
            Setting::PubkeyAuthentication(allowed) => {
                first(&mut self.public_key, allowed, source);
            }
            Setting::RekeyLimit(bytes, time) => {
                if let Some(bytes) = bytes {
                    first(&mut self.rekey_bytes, bytes, source);
                }
                if let Some(time) = time {
                    first(&mut self.rekey_time, time, source);
                }
            }
            Setting::RequiredRsaSize(bits) => {
                first(&mut self.required_rsa_size, bits, source);
            }
            Setting::RevokedHostKeys(file) => first(&mut self.revoked_host_keys, file, source),
            Setting::SendEnv(names) => self.add_send_env(names, source),
            Setting::ServerAliveCountMax(count) => {
                first(&mut self.server_alive_count_max, count, source);
            }
            Setting::ServerAliveInterval(Some(interval)) => {
                first(&mut self.server_alive_interval, interval, source);
            }
            Setting::SetEnv(variables) => self.add_set_env(variables, source),
            Setting::StrictHostKeyChecking(strict) => {
                first(&mut self.strict_host_key_checking, strict, source);
            }
            Setting::UpdateHostKeys(update) => {
                first(&mut self.update_host_keys, update, source);
            }
            Setting::User(user) => first(&mut self.user, user, source),
            Setting::UserKnownHostsFile(files) => first(&mut self.user_known_hosts, files, source),
            // Nothing is set by these; for the last two see the draft.
            Setting::ConnectTimeout(None)
            | Setting::ServerAliveInterval(None)
            | Setting::NotHonoured { .. }
            | Setting::Unknown { .. } => {}
        }
        Ok(())
    }

    /// Refuses an option that nobody knows, unless `IgnoreUnknown` says otherwise.
    pub(super) fn allow_unknown(&self, name: &str) -> Result<(), Problem> {
        let keyword = name.to_ascii_lowercase();
        let ignored = self.ignore_unknown.as_ref();
        if ignored.is_some_and(|patterns| patterns.matches(&keyword)) {
            return Ok(());
        }
        Err(Problem::UnknownOption {
            name: name.to_owned(),
        })
    }

    fn set_algorithms(&mut self, purpose: Purpose, list: &Algorithms, source: Source<'_>) {
        if !self.algorithms.iter().any(|(set, _)| *set == purpose) {
            self.algorithms.push((purpose, source.with(list.clone())));
        }
    }

    /// Later lines send more, and `-` before a pattern takes back what was to be sent.
    fn add_send_env(&mut self, names: &[String], source: Source<'_>) {
        for name in names {
            match name.strip_prefix('-') {
                Some(less) => {
                    let less = PatternList::one(less);
                    self.send_env.retain(|known| !less.matches(&known.value));
                }
                None => self.send_env.push(source.with(name.clone())),
            }
        }
    }

    /// The first line alone counts, and of a name its first value.
    fn add_set_env(&mut self, variables: &[String], source: Source<'_>) {
        if self.set_env.as_ref().is_some_and(|set| !set.is_empty()) {
            return;
        }
        let mut set: Vec<Sourced<Variable>> = Vec::new();
        for (name, value) in variables.iter().filter_map(|it| it.split_once('=')) {
            if !set.iter().any(|known| known.value.name == name) {
                set.push(source.with(Variable {
                    name: name.to_owned(),
                    value: value.to_owned(),
                }));
            }
        }
        self.set_env = Some(set);
    }
}

fn first<T: Clone>(slot: &mut Option<Sourced<T>>, value: &T, source: Source<'_>) {
    if slot.is_none() {
        *slot = Some(source.with(value.clone()));
    }
}

fn add_file(
    files: &mut Vec<Sourced<String>>,
    file: &String,
    source: Source<'_>,
    what: &'static str,
) -> Result<(), Problem> {
    if files.iter().any(|known| known.value == *file) {
        return Ok(());
    }
    if files.len() >= KEY_FILES {
        return Err(Problem::TooMany {
            name: what,
            limit: KEY_FILES,
        });
    }
    files.push(source.with(file.clone()));
    Ok(())
}

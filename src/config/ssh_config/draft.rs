//! Applying lines for one host: the first value of an option wins, key files add up.

use std::time::Duration;

use super::criteria::{Criterion, Subject};
use super::error::{ConfigError, Problem};
use super::expand;
use super::parse::{Condition, ConfigFile, Line};
use super::pattern::PatternList;
use super::resolve::failed;
use super::setting::Setting;
use super::{
    AddressFamily, JumpHop, LocalEnv, Location, Note, Origin, Sourced, StrictHostKeyChecking,
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
    fn origin(self) -> Origin {
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

/// What has been set so far.
pub(super) struct Draft<'a> {
    pub(super) host: &'a str,
    pub(super) env: &'a LocalEnv,
    pub(super) user: Option<Sourced<String>>,
    pub(super) host_name: Option<Sourced<String>>,
    pub(super) port: Option<Sourced<u16>>,
    pub(super) address_family: Option<Sourced<AddressFamily>>,
    pub(super) batch_mode: Option<Sourced<bool>>,
    pub(super) bind_address: Option<Sourced<String>>,
    pub(super) certificate_files: Vec<Sourced<String>>,
    pub(super) connect_timeout: Option<Sourced<Duration>>,
    pub(super) global_known_hosts: Option<Sourced<Vec<String>>>,
    pub(super) hash_known_hosts: Option<Sourced<bool>>,
    pub(super) host_key_alias: Option<Sourced<String>>,
    pub(super) identities_only: Option<Sourced<bool>>,
    pub(super) identity_agent: Option<Sourced<String>>,
    pub(super) identity_files: Vec<Sourced<String>>,
    pub(super) ignore_unknown: Option<PatternList>,
    pub(super) kbd_interactive: Option<Sourced<bool>>,
    pub(super) password: Option<Sourced<bool>>,
    pub(super) password_prompts: Option<Sourced<u32>>,
    pub(super) proxy_command: Option<Sourced<String>>,
    pub(super) proxy_jump: Option<Sourced<Vec<JumpHop>>>,
    pub(super) server_alive_count_max: Option<Sourced<u32>>,
    pub(super) server_alive_interval: Option<Sourced<Duration>>,
    pub(super) strict_host_key_checking: Option<Sourced<StrictHostKeyChecking>>,
    pub(super) user_known_hosts: Option<Sourced<Vec<String>>>,
    pub(super) notes: Vec<Note>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(host: &'a str, env: &'a LocalEnv) -> Self {
        Self {
            host,
            env,
            user: None,
            host_name: None,
            port: None,
            address_family: None,
            batch_mode: None,
            bind_address: None,
            certificate_files: Vec::new(),
            connect_timeout: None,
            global_known_hosts: None,
            hash_known_hosts: None,
            host_key_alias: None,
            identities_only: None,
            identity_agent: None,
            identity_files: Vec::new(),
            ignore_unknown: None,
            kbd_interactive: None,
            password: None,
            password_prompts: None,
            proxy_command: None,
            proxy_jump: None,
            server_alive_count_max: None,
            server_alive_interval: None,
            strict_host_key_checking: None,
            user_known_hosts: None,
            notes: Vec::new(),
        }
    }

    pub(super) fn apply_file(&mut self, file: &ConfigFile) -> Result<(), ConfigError> {
        for block in file.candidates(self.host) {
            let applies = match &block.condition {
                Condition::Always => true,
                Condition::Host(patterns) => patterns.matches(self.host),
                Condition::Match { criteria, at } => self.holds(criteria, at)?,
            };
            if !applies {
                continue;
            }
            for line in &block.lines {
                match line {
                    Line::Set(setting, at) => self.apply(setting, Source::File(at))?,
                    Line::Include(files) => {
                        files.iter().try_for_each(|file| self.apply_file(file))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a `Match` line applies to what is known so far. One that hangs on a criterion that is not evaluated
    /// does not, and is noted.
    fn holds(&mut self, criteria: &[Criterion], at: &Location) -> Result<bool, ConfigError> {
        let mut not_evaluated = None;
        for Criterion { negated, subject } in criteria {
            let matched = match subject {
                Subject::All => true,
                Subject::Host(patterns) => {
                    patterns.matches(&self.current_host_name()?.to_ascii_lowercase())
                }
                Subject::OriginalHost(patterns) => {
                    patterns.matches(&self.host.to_ascii_lowercase())
                }
                Subject::User(patterns) => patterns.matches(
                    self.user
                        .as_ref()
                        .map_or(&self.env.user, |user| &user.value),
                ),
                Subject::LocalUser(patterns) => patterns.matches(&self.env.user),
                Subject::NotEvaluated(name) => {
                    not_evaluated.get_or_insert(name);
                    continue;
                }
            };
            if matched == *negated {
                return Ok(false);
            }
        }
        if let Some(name) = not_evaluated {
            self.notes.push(Note::MatchNotEvaluated {
                criterion: name.clone(),
                at: at.clone(),
            });
        }
        Ok(not_evaluated.is_none())
    }

    pub(super) fn current_host_name(&self) -> Result<String, ConfigError> {
        match &self.host_name {
            None => Ok(self.host.to_owned()),
            Some(name) => expand::host_name(&name.value, self.host)
                .map_err(|problem| failed(self.host, name.origin.clone(), problem)),
        }
    }

    pub(super) fn apply(
        &mut self,
        setting: &Setting,
        source: Source<'_>,
    ) -> Result<(), ConfigError> {
        let wrong = |problem| failed(self.host, source.origin(), problem);
        match setting {
            Setting::AddressFamily(family) => first(&mut self.address_family, family, source),
            Setting::BatchMode(batch) => first(&mut self.batch_mode, batch, source),
            Setting::BindAddress(address) => first(&mut self.bind_address, address, source),
            Setting::CertificateFile(file) => {
                add_file(
                    &mut self.certificate_files,
                    file,
                    source,
                    "certificate files",
                )
                .map_err(wrong)?;
            }
            Setting::ConnectTimeout(None) | Setting::ServerAliveInterval(None) => {}
            Setting::ConnectTimeout(Some(timeout)) => {
                first(&mut self.connect_timeout, timeout, source);
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
                add_file(&mut self.identity_files, file, source, "identity files")
                    .map_err(wrong)?;
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
            Setting::ServerAliveCountMax(count) => {
                first(&mut self.server_alive_count_max, count, source);
            }
            Setting::ServerAliveInterval(Some(interval)) => {
                first(&mut self.server_alive_interval, interval, source);
            }
            Setting::StrictHostKeyChecking(strict) => {
                first(&mut self.strict_host_key_checking, strict, source);
            }
            Setting::User(user) => first(&mut self.user, user, source),
            Setting::UserKnownHostsFile(files) => first(&mut self.user_known_hosts, files, source),
            Setting::NotHonoured { name, value } => {
                let known = |note: &Note| match note {
                    Note::NotHonoured { name: noted, .. } => noted.eq_ignore_ascii_case(name),
                    Note::MatchNotEvaluated { .. } => false,
                };
                if !self.notes.iter().any(known) {
                    let origin = source.origin();
                    self.notes.push(Note::NotHonoured {
                        name: name.clone(),
                        value: value.clone(),
                        origin,
                    });
                }
            }
            Setting::Unknown { name } => {
                let keyword = name.to_ascii_lowercase();
                if !self
                    .ignore_unknown
                    .as_ref()
                    .is_some_and(|patterns| patterns.matches(&keyword))
                {
                    return Err(wrong(Problem::UnknownOption { name: name.clone() }));
                }
            }
        }
        Ok(())
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

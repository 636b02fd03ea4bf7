//! From parsed files to the settings of one host: what the lines set, then defaults, then tokens.

use std::path::PathBuf;
use std::time::Duration;

use super::criteria::Wants;
use super::draft::{Draft, Pass};
use super::error::{ConfigError, Problem};
use super::exec::Commands;
use super::expand::Tokens;
use super::given::Source;
use super::host_settings::HostSettings;
use super::names::{is_valid_host, is_valid_user, normal_host_name};
use super::parse::ConfigFile;
use super::{
    AddKeysToAgent, AddressFamily, CanonicalizeHostname, IdentityAgent, JumpHop, KeyFile, LocalEnv,
    Note, Origin, Overrides, Proxy, PubkeyAuthentication, Sourced, StrictHostKeyChecking,
    UpdateHostKeys,
};

pub(super) const DEFAULT_PORT: u16 = 22;
/// In the order `ssh -G` prints and `ssh` tries them (OpenSSH 9.2).
const DEFAULT_IDENTITY_FILES: [&str; 7] = [
    "id_rsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_xmss",
    "id_dsa",
];
/// The shortest RSA key that OpenSSH takes unless told otherwise, in bits.
const RSA_SIZE: u32 = 1024;
const DEFAULT_USER_KNOWN_HOSTS: [&str; 2] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL_KNOWN_HOSTS: [&str; 2] =
    ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

pub(super) fn resolve(
    files: &[ConfigFile],
    env: &LocalEnv,
    host: &str,
    overrides: &Overrides,
    commands: Commands<'_>,
) -> Result<HostSettings, ConfigError> {
    if !is_valid_host(host) {
        return Err(failed(host, Origin::CommandLine, Problem::HostName));
    }
    let mut draft = Draft::new(host, env, commands);
    for setting in &overrides.0 {
        draft.apply(setting, Source::CommandLine)?;
    }
    if let Some(user) = draft
        .given
        .user
        .as_ref()
        .filter(|user| !is_valid_user(&user.value))
    {
        let problem = Problem::UserName {
            name: user.value.clone(),
        };
        return Err(failed(host, user.origin.clone(), problem));
    }
    for file in files {
        draft.apply_file(file)?;
    }
    if draft.wants == Wants::AnotherPass || draft.canonicalizes() {
        let host_name = normal_host_name(&draft.current_host_name()?);
        draft.pass = Pass::Last { host_name };
        for file in files {
            draft.apply_file(file)?;
        }
    }
    draft.finish()
}

pub(super) fn failed(host: &str, origin: Origin, problem: Problem) -> ConfigError {
    ConfigError::Host {
        host: host.to_owned(),
        origin,
        problem,
    }
}

impl Draft<'_> {
    fn canonicalizes(&self) -> bool {
        match self.given.canonicalize_hostname.as_ref().map(|it| it.value) {
            Some(CanonicalizeHostname::Yes | CanonicalizeHostname::Always) => true,
            Some(CanonicalizeHostname::No) | None => false,
        }
    }

    /// What is honoured for some values only.
    fn note_what_is_done_in_part(&mut self) {
        let given = &self.given;
        let canonicalize = given.canonicalize_hostname.as_ref();
        let canonicalize = canonicalize.filter(|it| it.value != CanonicalizeHostname::No);
        let add = given.add_keys_to_agent.as_ref();
        let add = add.filter(|it| it.value == AddKeysToAgent::Ask);
        let update = given.update_host_keys.as_ref();
        let update = update.filter(|it| it.value == UpdateHostKeys::Ask);
        let in_part = [
            (
                "CanonicalizeHostname",
                canonicalize.map(|it| &it.origin),
                "names are not completed by CanonicalDomains, and CNAMEs are not followed; Match canonical and final hold",
            ),
            (
                "AddKeysToAgent",
                add.map(|it| &it.origin),
                "regatta does not ask about this, and adds no key",
            ),
            (
                "UpdateHostKeys",
                update.map(|it| &it.origin),
                "regatta does not ask about this, and learns no other keys of a host",
            ),
        ];
        let notes = in_part.into_iter().filter_map(|(name, origin, what)| {
            Some(Note::InPart {
                name,
                what,
                origin: origin?.clone(),
            })
        });
        self.notes.extend(notes);
    }

    /// Fills in the defaults and expands what is to be expanded.
    fn finish(mut self) -> Result<HostSettings, ConfigError> {
        self.note_what_is_done_in_part();
        let (host, env) = (self.host, self.env);
        let host_name = Sourced {
            value: normal_host_name(&self.current_host_name()?),
            origin: self
                .given
                .host_name
                .as_ref()
                .map_or(Origin::Default, |name| name.origin.clone()),
        };
        let given = self.given;
        let user = given.user.unwrap_or_else(|| by_default(env.user.clone()));
        let port = given.port.unwrap_or(by_default(DEFAULT_PORT));
        let host_key_alias = given.host_key_alias.map(|alias| Sourced {
            value: alias.value.to_ascii_lowercase(),
            ..alias
        });
        let tokens = Tokens {
            env,
            original_host: host,
            host_name: &host_name.value,
            key_alias: host_key_alias.as_ref().map_or(host, |alias| &alias.value),
            user: &user.value,
            port: port.value,
        };
        let expanded = |setting: Sourced<String>| match tokens.path(&setting.value) {
            Ok(value) => Ok(Sourced {
                value,
                origin: setting.origin,
            }),
            Err(problem) => Err(failed(host, setting.origin, problem)),
        };
        let key_files = |files: Vec<Sourced<String>>| {
            let key_file = |Sourced { value, origin }: Sourced<String>| {
                if value.eq_ignore_ascii_case("none") {
                    return Ok(Sourced {
                        value: KeyFile {
                            written: value,
                            path: None,
                        },
                        origin,
                    });
                }
                let path = expanded(Sourced {
                    value: value.clone(),
                    origin,
                })?;
                let file = KeyFile {
                    written: value,
                    path: Some(PathBuf::from(path.value)),
                };
                Ok(Sourced {
                    value: file,
                    origin: path.origin,
                })
            };
            files
                .into_iter()
                .map(key_file)
                .collect::<Result<Vec<_>, ConfigError>>()
        };
        let identity_files = if given.identity_files.is_empty() {
            DEFAULT_IDENTITY_FILES
                .map(|name| by_default(format!("~/.ssh/{name}")))
                .into()
        } else {
            given.identity_files
        };
        let user_known_hosts = given
            .user_known_hosts
            .unwrap_or_else(|| by_default(DEFAULT_USER_KNOWN_HOSTS.map(str::to_owned).into()));
        let update_host_keys = given
            .update_host_keys
            .unwrap_or(by_default(updates_by_default(&user_known_hosts)));
        let user_known_hosts = Sourced {
            value: files(user_known_hosts.value, |file| tokens.path(&file))
                .map_err(|problem| failed(host, user_known_hosts.origin.clone(), problem))?,
            origin: user_known_hosts.origin,
        };
        let global_known_hosts = given
            .global_known_hosts
            .unwrap_or_else(|| by_default(DEFAULT_GLOBAL_KNOWN_HOSTS.map(str::to_owned).into()));
        let global_known_hosts = Sourced {
            value: files(global_known_hosts.value, Ok)
                .map_err(|problem| failed(host, global_known_hosts.origin.clone(), problem))?,
            origin: global_known_hosts.origin,
        };
        let identity_agent = given
            .identity_agent
            .map(expanded)
            .transpose()?
            .map(|agent| Sourced {
                value: IdentityAgent::new(agent.value),
                origin: agent.origin,
            });
        if let Some(attempts) = given
            .connection_attempts
            .as_ref()
            .filter(|it| it.value == 0)
        {
            let problem = Problem::Value {
                name: "ConnectionAttempts".to_owned(),
                value: "0".to_owned(),
                expected: "at least 1",
            };
            return Err(failed(host, attempts.origin.clone(), problem));
        }
        let revoked_host_keys = given
            .revoked_host_keys
            .filter(|file| !file.value.eq_ignore_ascii_case("none"));
        let revoked_host_keys = key_files(revoked_host_keys.into_iter().collect())?.pop();
        let proxy = proxy(given.proxy_jump, given.proxy_command);
        if let Proxy::Jump(hops) = &proxy.value
            && let Some(hop) = hops.last()
            && hop.host == host_name.value
            && hop.port.unwrap_or(DEFAULT_PORT) == port.value
            && hop.user.as_ref().is_none_or(|name| *name == user.value)
        {
            return Err(failed(
                host,
                proxy.origin.clone(),
                Problem::JumpLoop {
                    via: hop.host.clone(),
                },
            ));
        }
        Ok(HostSettings {
            host: host.to_owned(),
            identity_files: key_files(identity_files)?,
            certificate_files: key_files(given.certificate_files)?,
            address_family: given
                .address_family
                .unwrap_or(by_default(AddressFamily::Any)),
            batch_mode: given.batch_mode.unwrap_or(by_default(false)),
            kbd_interactive: given.kbd_interactive.unwrap_or(by_default(true)),
            password: given.password.unwrap_or(by_default(true)),
            password_prompts: given.password_prompts.unwrap_or(by_default(3)),
            hash_known_hosts: given.hash_known_hosts.unwrap_or(by_default(false)),
            identities_only: given.identities_only.unwrap_or(by_default(false)),
            strict_host_key_checking: given
                .strict_host_key_checking
                .unwrap_or(by_default(StrictHostKeyChecking::Ask)),
            server_alive_count_max: given.server_alive_count_max.unwrap_or(by_default(3)),
            server_alive_interval: given
                .server_alive_interval
                .unwrap_or(by_default(Duration::ZERO)),
            bind_address: given.bind_address,
            connect_timeout: given.connect_timeout,
            add_keys_to_agent: given
                .add_keys_to_agent
                .unwrap_or(by_default(AddKeysToAgent::No)),
            algorithms: given.algorithms,
            canonicalize_hostname: given
                .canonicalize_hostname
                .unwrap_or(by_default(CanonicalizeHostname::No)),
            compression: given.compression.unwrap_or(by_default(false)),
            connection_attempts: given.connection_attempts.unwrap_or(by_default(1)),
            preferred_authentications: given.preferred_authentications,
            public_key: given
                .public_key
                .unwrap_or(by_default(PubkeyAuthentication::Yes)),
            rekey_bytes: given.rekey_bytes.unwrap_or(by_default(0)),
            rekey_time: given.rekey_time.unwrap_or(by_default(Duration::ZERO)),
            required_rsa_size: given.required_rsa_size.unwrap_or(by_default(RSA_SIZE)),
            revoked_host_keys,
            send_env: given.send_env,
            set_env: given.set_env.unwrap_or_default(),
            update_host_keys,
            notes: self.notes,
            user,
            host_name,
            port,
            host_key_alias,
            identity_agent,
            global_known_hosts,
            user_known_hosts,
            proxy,
        })
    }
}

/// The user's own file is kept up to date, any other only if that is asked for.
fn updates_by_default(user_known_hosts: &Sourced<Vec<String>>) -> UpdateHostKeys {
    match (&user_known_hosts.origin, user_known_hosts.value.as_slice()) {
        (Origin::Default, _) => UpdateHostKeys::Yes,
        (_, [only]) if only == DEFAULT_USER_KNOWN_HOSTS[0] => UpdateHostKeys::Yes,
        (_, _) => UpdateHostKeys::No,
    }
}

fn by_default<T>(value: T) -> Sourced<T> {
    Sourced {
        value,
        origin: Origin::Default,
    }
}

/// A list of known hosts files; `none` is an empty one.
fn files(
    written: Vec<String>,
    expanded: impl Fn(String) -> Result<String, Problem>,
) -> Result<Vec<PathBuf>, Problem> {
    if written
        .first()
        .is_some_and(|file| file.eq_ignore_ascii_case("none"))
    {
        return Ok(Vec::new());
    }
    written
        .into_iter()
        .map(|file| Ok(PathBuf::from(expanded(file)?)))
        .collect()
}

fn proxy(jump: Option<Sourced<Vec<JumpHop>>>, command: Option<Sourced<String>>) -> Sourced<Proxy> {
    match (jump, command) {
        (Some(jump), _) if !jump.value.is_empty() => Sourced {
            value: Proxy::Jump(jump.value),
            origin: jump.origin,
        },
        (_, Some(command)) if command.value.eq_ignore_ascii_case("none") => Sourced {
            value: Proxy::Direct,
            origin: command.origin,
        },
        (_, Some(command)) => Sourced {
            value: Proxy::Command(command.value),
            origin: command.origin,
        },
        (Some(none), None) => Sourced {
            value: Proxy::Direct,
            origin: none.origin,
        },
        (None, None) => by_default(Proxy::Direct),
    }
}

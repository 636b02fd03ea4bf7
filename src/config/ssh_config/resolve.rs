//! From parsed files to the settings of one host: what the lines set, then defaults, then tokens.

use std::path::PathBuf;
use std::time::Duration;

use super::draft::{Draft, Source};
use super::error::{ConfigError, Problem};
use super::expand::Tokens;
use super::host_settings::HostSettings;
use super::names::{is_valid_host, is_valid_user, normal_host_name};
use super::parse::ConfigFile;
use super::{
    AddressFamily, IdentityAgent, JumpHop, KeyFile, LocalEnv, Origin, Overrides, Proxy, Sourced,
    StrictHostKeyChecking,
};

const DEFAULT_PORT: u16 = 22;
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
const DEFAULT_USER_KNOWN_HOSTS: [&str; 2] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL_KNOWN_HOSTS: [&str; 2] =
    ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

pub(super) fn resolve(
    files: &[ConfigFile],
    env: &LocalEnv,
    host: &str,
    overrides: &Overrides,
) -> Result<HostSettings, ConfigError> {
    if !is_valid_host(host) {
        return Err(failed(host, Origin::CommandLine, Problem::HostName));
    }
    let mut draft = Draft::new(host, env);
    for setting in &overrides.0 {
        draft.apply(setting, Source::CommandLine)?;
    }
    if let Some(user) = draft
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
    /// Fills in the defaults and expands what is to be expanded.
    fn finish(self) -> Result<HostSettings, ConfigError> {
        let (host, env) = (self.host, self.env);
        let host_name = Sourced {
            value: normal_host_name(&self.current_host_name()?),
            origin: self
                .host_name
                .as_ref()
                .map_or(Origin::Default, |name| name.origin.clone()),
        };
        let user = self.user.unwrap_or_else(|| by_default(env.user.clone()));
        let port = self.port.unwrap_or(by_default(DEFAULT_PORT));
        let host_key_alias = self.host_key_alias.map(|alias| Sourced {
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
        let identity_files = if self.identity_files.is_empty() {
            DEFAULT_IDENTITY_FILES
                .map(|name| by_default(format!("~/.ssh/{name}")))
                .into()
        } else {
            self.identity_files
        };
        let user_known_hosts = self
            .user_known_hosts
            .unwrap_or_else(|| by_default(DEFAULT_USER_KNOWN_HOSTS.map(str::to_owned).into()));
        let user_known_hosts = Sourced {
            value: files(user_known_hosts.value, |file| tokens.path(&file))
                .map_err(|problem| failed(host, user_known_hosts.origin.clone(), problem))?,
            origin: user_known_hosts.origin,
        };
        let global_known_hosts = self
            .global_known_hosts
            .unwrap_or_else(|| by_default(DEFAULT_GLOBAL_KNOWN_HOSTS.map(str::to_owned).into()));
        let global_known_hosts = Sourced {
            value: files(global_known_hosts.value, Ok)
                .map_err(|problem| failed(host, global_known_hosts.origin.clone(), problem))?,
            origin: global_known_hosts.origin,
        };
        let identity_agent = self
            .identity_agent
            .map(expanded)
            .transpose()?
            .map(|agent| Sourced {
                value: IdentityAgent::new(agent.value),
                origin: agent.origin,
            });
        let proxy = proxy(self.proxy_jump, self.proxy_command);
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
            certificate_files: key_files(self.certificate_files)?,
            address_family: self
                .address_family
                .unwrap_or(by_default(AddressFamily::Any)),
            batch_mode: self.batch_mode.unwrap_or(by_default(false)),
            kbd_interactive: self.kbd_interactive.unwrap_or(by_default(true)),
            password: self.password.unwrap_or(by_default(true)),
            password_prompts: self.password_prompts.unwrap_or(by_default(3)),
            hash_known_hosts: self.hash_known_hosts.unwrap_or(by_default(false)),
            identities_only: self.identities_only.unwrap_or(by_default(false)),
            strict_host_key_checking: self
                .strict_host_key_checking
                .unwrap_or(by_default(StrictHostKeyChecking::Ask)),
            server_alive_count_max: self.server_alive_count_max.unwrap_or(by_default(3)),
            server_alive_interval: self
                .server_alive_interval
                .unwrap_or(by_default(Duration::ZERO)),
            bind_address: self.bind_address,
            connect_timeout: self.connect_timeout,
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

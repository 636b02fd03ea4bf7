//! The settings of one host, and how they are shown.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::resolve::failed;
use super::{
    AddressFamily, IdentityAgent, JumpHop, KeyFile, Note, Origin, Proxy, Sourced,
    StrictHostKeyChecking, expand,
};

const AUTH_SOCK: &str = "SSH_AUTH_SOCK";

/// Everything regatta honours, for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The host as asked for.
    pub host: String,
    pub user: Sourced<String>,
    /// The name or address to connect to, lower-cased, addresses in their usual form.
    pub host_name: Sourced<String>,
    pub port: Sourced<u16>,
    pub address_family: Sourced<AddressFamily>,
    /// Nobody is asked anything.
    pub batch_mode: Sourced<bool>,
    pub hash_known_hosts: Sourced<bool>,
    /// Only the files below are tried, not whatever else the agent holds.
    pub identities_only: Sourced<bool>,
    /// Whether to answer what a server asks, and to log in with a password.
    pub kbd_interactive: Sourced<bool>,
    pub password: Sourced<bool>,
    /// How often a passphrase, a password or an answer may be wrong.
    pub password_prompts: Sourced<u32>,
    pub strict_host_key_checking: Sourced<StrictHostKeyChecking>,
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

/// One line of `ssh -G`, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub name: &'static str,
    pub value: String,
    pub origin: Origin,
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

    /// Names and values as `ssh -G` prints them, in its order.
    pub fn render(&self) -> Vec<(&'static str, String)> {
        self.explain()
            .into_iter()
            .map(|line| (line.name, line.value))
            .collect()
    }

    /// The same with the origin of each.
    pub fn explain(&self) -> Vec<Explained> {
        let mut lines = Lines(Vec::new());
        lines.push("user", &self.user, String::clone);
        lines.push("hostname", &self.host_name, String::clone);
        lines.push("port", &self.port, u16::to_string);
        lines.push("addressfamily", &self.address_family, |family| {
            family.name().to_owned()
        });
        lines.push("batchmode", &self.batch_mode, yes_or_no);
        lines.push("hashknownhosts", &self.hash_known_hosts, yes_or_no);
        lines.push("identitiesonly", &self.identities_only, yes_or_no);
        lines.push(
            "kbdinteractiveauthentication",
            &self.kbd_interactive,
            yes_or_no,
        );
        lines.push("passwordauthentication", &self.password, yes_or_no);
        lines.push(
            "stricthostkeychecking",
            &self.strict_host_key_checking,
            |strict| strict.name().to_owned(),
        );
        lines.push(
            "numberofpasswordprompts",
            &self.password_prompts,
            u32::to_string,
        );
        lines.push(
            "serveralivecountmax",
            &self.server_alive_count_max,
            u32::to_string,
        );
        lines.push("serveraliveinterval", &self.server_alive_interval, seconds);
        lines.push_all("bindaddress", self.bind_address.as_slice(), String::clone);
        lines.push_all(
            "hostkeyalias",
            self.host_key_alias.as_slice(),
            String::clone,
        );
        lines.push_all(
            "identityagent",
            self.identity_agent.as_slice(),
            IdentityAgent::written,
        );
        lines.push_all("identityfile", &self.identity_files, |file| {
            file.written.clone()
        });
        lines.push_all("certificatefile", &self.certificate_files, |file| {
            file.written.clone()
        });
        lines.push("globalknownhostsfile", &self.global_known_hosts, file_list);
        lines.push("userknownhostsfile", &self.user_known_hosts, file_list);
        match &self.connect_timeout {
            Some(timeout) => lines.push("connecttimeout", timeout, seconds),
            None => lines.0.push(Explained {
                name: "connecttimeout",
                value: "none".to_owned(),
                origin: Origin::Default,
            }),
        }
        match &self.proxy.value {
            Proxy::Direct => {}
            Proxy::Command(command) => lines.push("proxycommand", &self.proxy, |_| command.clone()),
            Proxy::Jump(hops) => lines.push("proxyjump", &self.proxy, |_| jump_list(hops)),
        }
        lines.0
    }
}

struct Lines(Vec<Explained>);

impl Lines {
    fn push<T>(&mut self, name: &'static str, setting: &Sourced<T>, value: impl Fn(&T) -> String) {
        self.0.push(Explained {
            name,
            value: value(&setting.value),
            origin: setting.origin.clone(),
        });
    }

    fn push_all<T>(
        &mut self,
        name: &'static str,
        settings: &[Sourced<T>],
        value: impl Fn(&T) -> String,
    ) {
        for setting in settings {
            self.push(name, setting, &value);
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "passed to Lines::push")]
fn yes_or_no(flag: &bool) -> String {
    if *flag { "yes" } else { "no" }.to_owned()
}

fn seconds(duration: &Duration) -> String {
    duration.as_secs().to_string()
}

#[expect(clippy::ptr_arg, reason = "passed to Lines::push")]
fn file_list(files: &Vec<PathBuf>) -> String {
    if files.is_empty() {
        return "none".to_owned();
    }
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The last hop is printed from its parts, those before it as written.
fn jump_list(hops: &[JumpHop]) -> String {
    let mut list: Vec<String> = hops.iter().map(|hop| hop.written.clone()).collect();
    if let (Some(last), Some(hop)) = (list.last_mut(), hops.last()) {
        let is_address =
            hop.host.contains(':') || hop.host.bytes().all(|c| c.is_ascii_digit() || c == b'.');
        let user = hop
            .user
            .as_ref()
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        let host = if is_address {
            format!("[{}]", hop.host)
        } else {
            hop.host.clone()
        };
        let port = hop.port.map(|port| format!(":{port}")).unwrap_or_default();
        *last = format!("{user}{host}{port}");
    }
    list.join(",")
}

impl AddressFamily {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
        }
    }
}

impl StrictHostKeyChecking {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "true",
            Self::AcceptNew => "accept-new",
            Self::Ask => "ask",
            Self::No => "false",
        }
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

    fn written(&self) -> String {
        match self {
            Self::Disabled => "none".to_owned(),
            Self::Variable(name) if name == AUTH_SOCK => name.clone(),
            Self::Variable(name) => format!("${name}"),
            Self::Socket(path) => path.display().to_string(),
        }
    }
}

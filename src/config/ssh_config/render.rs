//! How the settings of a host are shown: as `ssh -G` prints them, and with the origin of each.

use std::path::PathBuf;
use std::time::Duration;

use super::host_settings::{AUTH_SOCK, HostSettings};
use super::{
    AddKeysToAgent, AddressFamily, CanonicalizeHostname, IdentityAgent, JumpHop, Origin, Proxy,
    PubkeyAuthentication, Sourced, StrictHostKeyChecking, UpdateHostKeys,
};

/// One line of `ssh -G`, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub name: &'static str,
    pub value: String,
    pub origin: Origin,
}

impl HostSettings {
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
        lines.push(
            "addkeystoagent",
            &self.add_keys_to_agent,
            AddKeysToAgent::written,
        );
        lines.push("addressfamily", &self.address_family, |family| {
            family.name().to_owned()
        });
        lines.push("batchmode", &self.batch_mode, yes_or_no);
        for (purpose, list) in &self.algorithms {
            lines.push(purpose.option(), list, |list| list.names.join(","));
        }
        lines.push(
            "canonicalizehostname",
            &self.canonicalize_hostname,
            |canonicalize| canonicalize.name().to_owned(),
        );
        lines.push("compression", &self.compression, yes_or_no);
        lines.push(
            "connectionattempts",
            &self.connection_attempts,
            u32::to_string,
        );
        lines.push("hashknownhosts", &self.hash_known_hosts, yes_or_no);
        lines.push("identitiesonly", &self.identities_only, yes_or_no);
        lines.push(
            "kbdinteractiveauthentication",
            &self.kbd_interactive,
            yes_or_no,
        );
        lines.push("passwordauthentication", &self.password, yes_or_no);
        lines.push_all(
            "preferredauthentications",
            self.preferred_authentications.as_slice(),
            String::clone,
        );
        lines.push("pubkeyauthentication", &self.public_key, |allowed| {
            allowed.name().to_owned()
        });
        lines.push("rekeylimit", &self.rekey_bytes, |bytes| {
            format!("{bytes} {}", self.rekey_time.value.as_secs())
        });
        lines.push("requiredrsasize", &self.required_rsa_size, u32::to_string);
        lines.push_all(
            "revokedhostkeys",
            self.revoked_host_keys.as_slice(),
            |file| file.written.clone(),
        );
        lines.push_all("sendenv", &self.send_env, String::clone);
        lines.push_all("setenv", &self.set_env, |variable| {
            format!("{}={}", variable.name, variable.value)
        });
        lines.push("updatehostkeys", &self.update_host_keys, |update| {
            update.name().to_owned()
        });
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
    fn written(&self) -> String {
        match self {
            Self::Disabled => "none".to_owned(),
            Self::Variable(name) if name == AUTH_SOCK => name.clone(),
            Self::Variable(name) => format!("${name}"),
            Self::Socket(path) => path.display().to_string(),
        }
    }
}

impl AddKeysToAgent {
    /// With a lifetime OpenSSH prints that instead of the word, and `confirm` before it.
    fn written(&self) -> String {
        let with = |lifetime: &Option<Duration>, word: &str, before: &str| match lifetime {
            None => word.to_owned(),
            Some(lifetime) => format!("{before}{}", lifetime.as_secs()),
        };
        match self {
            Self::No => "false".to_owned(),
            Self::Ask => "ask".to_owned(),
            Self::Yes { lifetime } => with(lifetime, "true", ""),
            Self::Confirm { lifetime } => with(lifetime, "confirm", "confirm "),
        }
    }
}

impl PubkeyAuthentication {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "true",
            Self::No => "false",
            Self::Unbound => "unbound",
            Self::HostBound => "host-bound",
        }
    }
}

impl UpdateHostKeys {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "true",
            Self::No => "false",
            Self::Ask => "ask",
        }
    }
}

impl CanonicalizeHostname {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "true",
            Self::No => "false",
            Self::Always => "always",
        }
    }
}

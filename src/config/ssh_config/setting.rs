//! One option as written: the keywords, which of them regatta honours, and the values they take.

use std::time::Duration;

use super::error::Problem;
use super::jump::jump_hops;
use super::{AddressFamily, JumpHop, LocalEnv, StrictHostKeyChecking, expand, words};

/// An option with a checked value, tokens not yet expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    AddressFamily(AddressFamily),
    BatchMode(bool),
    BindAddress(String),
    CertificateFile(String),
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
    ProxyCommand(String),
    /// No hops: `none`.
    ProxyJump(Vec<JumpHop>),
    ServerAliveCountMax(u32),
    ServerAliveInterval(Option<Duration>),
    StrictHostKeyChecking(StrictHostKeyChecking),
    User(String),
    UserKnownHostsFile(Vec<String>),
    /// OpenSSH knows it, regatta does not act on it. The value is not checked.
    NotHonoured {
        name: String,
        value: String,
    },
    /// Nobody knows it; fine if `IgnoreUnknown` says so for the host.
    Unknown {
        name: String,
    },
}

/// OpenSSH's limit for `UserKnownHostsFile` and `GlobalKnownHostsFile` (`SSH_MAX_HOSTS_FILES`).
const KNOWN_HOSTS_FILES: usize = 32;

/// Every other keyword of OpenSSH (readconf.c; deprecated and unsupported ones included).
const NOT_HONOURED: &[&str] = &[
    "addkeystoagent",
    "afstokenpassing",
    "bindinterface",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizehostname",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "casignaturealgorithms",
    "channeltimeout",
    "checkhostip",
    "cipher",
    "ciphers",
    "clearallforwardings",
    "compression",
    "compressionlevel",
    "connectionattempts",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "dsaauthentication",
    "dynamicforward",
    "enableescapecommandline",
    "enablesshkeysign",
    "escapechar",
    "exitonforwardfailure",
    "fallbacktorsh",
    "fingerprinthash",
    "forkafterauthentication",
    "forwardagent",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "globalknownhostsfile2",
    "gssapiauthentication",
    "gssapiclientidentity",
    "gssapidelegatecredentials",
    "gssapikexalgorithms",
    "gssapikeyexchange",
    "gssapirenewalforcesrekey",
    "gssapiserveridentity",
    "gssapitrustdns",
    "hostbasedacceptedalgorithms",
    "hostbasedauthentication",
    "hostbasedkeytypes",
    "hostkeyalgorithms",
    "ipqos",
    "kbdinteractivedevices",
    "keepalive",
    "kerberosauthentication",
    "kerberostgtpassing",
    "kexalgorithms",
    "knownhostscommand",
    "localcommand",
    "localforward",
    "loglevel",
    "logverbose",
    "macs",
    "nohostauthenticationforlocalhost",
    "obscurekeystroketiming",
    "permitlocalcommand",
    "permitremoteopen",
    "pkcs11provider",
    "preferredauthentications",
    "protocol",
    "proxyusefdpass",
    "pubkeyacceptedalgorithms",
    "pubkeyacceptedkeytypes",
    "pubkeyauthentication",
    "refuseconnection",
    "rekeylimit",
    "remotecommand",
    "remoteforward",
    "requesttty",
    "requiredrsasize",
    "revokedhostkeys",
    "rhostsauthentication",
    "rhostsrsaauthentication",
    "rsaauthentication",
    "securitykeyprovider",
    "sendenv",
    "sessiontype",
    "setenv",
    "smartcarddevice",
    "stdinnull",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tag",
    "tcpkeepalive",
    "tunnel",
    "tunneldevice",
    "updatehostkeys",
    "useblacklistedkeys",
    "useprivilegedport",
    "userknownhostsfile2",
    "useroaming",
    "usersh",
    "verifyhostkeydns",
    "versionaddendum",
    "visualhostkey",
    "warnweakcrypto",
    "xauthlocation",
];

impl Setting {
    /// Reads what follows `name` (as the user wrote it; case does not matter).
    pub(super) fn parse(name: &str, rest: &str, env: &LocalEnv) -> Result<Self, Problem> {
        let arguments = words::arguments(rest).map_err(|_| Problem::InvalidQuotes)?;
        let value = Value {
            name,
            arguments: &arguments,
        };
        Ok(match name.to_ascii_lowercase().as_str() {
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
            "certificatefile" => Self::CertificateFile(value.one()?.to_owned()),
            "connecttimeout" => Self::ConnectTimeout(value.time()?),
            "globalknownhostsfile" => Self::GlobalKnownHostsFile(value.files()?),
            "hashknownhosts" => Self::HashKnownHosts(value.flag()?),
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
            "numberofpasswordprompts" => Self::NumberOfPasswordPrompts(value.number()?),
            "passwordauthentication" => Self::PasswordAuthentication(value.flag()?),
            "port" => Self::Port(value.port()?),
            "proxycommand" => Self::ProxyCommand(
                rest.trim_start_matches([' ', '\t', '\r', '\n', '='])
                    .to_owned(),
            ),
            "proxyjump" => Self::ProxyJump(jump_hops(
                name,
                rest.trim_start_matches([' ', '\t', '\r', '\n', '=']),
            )?),
            "serveralivecountmax" => Self::ServerAliveCountMax(value.number()?),
            // The last two are Debian's old names for it.
            "serveraliveinterval" | "protocolkeepalives" | "setuptimeout" => {
                Self::ServerAliveInterval(value.time()?)
            }
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
            "user" => Self::User(value.one()?.to_owned()),
            "userknownhostsfile" => Self::UserKnownHostsFile(value.files()?),
            keyword if NOT_HONOURED.contains(&keyword) => Self::NotHonoured {
                name: name.to_owned(),
                value: rest.to_owned(),
            },
            _ => Self::Unknown {
                name: name.to_owned(),
            },
        })
    }
}

struct Value<'a> {
    name: &'a str,
    arguments: &'a [String],
}

impl<'a> Value<'a> {
    fn one(&self) -> Result<&'a str, Problem> {
        match self.arguments {
            [one] if !one.is_empty() => Ok(one),
            [] | [_] => Err(Problem::NoArgument {
                name: self.name.to_owned(),
            }),
            [_, _, ..] => Err(Problem::ExtraArguments {
                name: self.name.to_owned(),
            }),
        }
    }

    fn refused(&self, value: &str, expected: &'static str) -> Problem {
        Problem::Value {
            name: self.name.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }

    fn choice<T: Copy>(&self, expected: &'static str, choices: &[(&str, T)]) -> Result<T, Problem> {
        let word = self.one()?;
        choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, choice)| *choice)
            .ok_or_else(|| self.refused(word, expected))
    }

    fn flag(&self) -> Result<bool, Problem> {
        self.choice(
            "yes or no",
            &[
                ("yes", true),
                ("true", true),
                ("no", false),
                ("false", false),
            ],
        )
    }

    fn number(&self) -> Result<u32, Problem> {
        let word = self.one()?;
        word.parse::<i32>()
            .ok()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| self.refused(word, "a number"))
    }

    fn port(&self) -> Result<u16, Problem> {
        let word = self.one()?;
        port(word).ok_or_else(|| self.refused(word, "a port from 1 to 65535"))
    }

    fn time(&self) -> Result<Option<Duration>, Problem> {
        let word = self.one()?;
        if word == "none" {
            return Ok(None);
        }
        seconds(word)
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .ok_or_else(|| self.refused(word, "seconds, or a time such as 1m30s"))
    }

    /// A list of files; `none` must stand alone. Later files than the limit are refused when the option is applied
    /// in OpenSSH, here always.
    fn files(&self) -> Result<Vec<String>, Problem> {
        if let Some(empty) = self.arguments.iter().find(|file| file.is_empty()) {
            return Err(self.refused(empty, "file names"));
        }
        if self.arguments.is_empty() {
            return Err(Problem::NoArgument {
                name: self.name.to_owned(),
            });
        }
        let none = |file: &String| file.eq_ignore_ascii_case("none");
        if self.arguments.len() > 1 && self.arguments.iter().any(none) {
            return Err(self.refused("none", "\"none\" to stand alone"));
        }
        if self.arguments.len() > KNOWN_HOSTS_FILES {
            return Err(Problem::TooMany {
                name: "known hosts files",
                limit: KNOWN_HOSTS_FILES,
            });
        }
        Ok(self.arguments.to_vec())
    }

    fn agent(&self, env: &LocalEnv) -> Result<String, Problem> {
        let word = self.one()?;
        expand::variables(word, env)?;
        if let Some(variable) = word.strip_prefix('$').filter(|rest| !rest.starts_with('{'))
            && (variable.is_empty()
                || !variable
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'_'))
        {
            return Err(self.refused(word, "$ and the name of an environment variable"));
        }
        Ok(word.to_owned())
    }
}

/// 1 to 65535, or the service name `ssh`.
pub(super) fn port(word: &str) -> Option<u16> {
    match word {
        "ssh" => Some(22),
        number => number.parse().ok().filter(|&port| port != 0),
    }
}

/// OpenSSH's time format: numbers with an optional s, m, h, d or w, added up (sshd_config(5), TIME FORMATS).
fn seconds(text: &str) -> Option<u64> {
    let limit = u64::from(i32::MAX.unsigned_abs());
    let mut total = 0_u64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next();
        let scale = match unit {
            None | Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 60 * 60,
            Some('d' | 'D') => 24 * 60 * 60,
            Some('w' | 'W') => 7 * 24 * 60 * 60,
            Some(_) => return None,
        };
        total = total
            .checked_add(number.checked_mul(scale)?)
            .filter(|&total| total <= limit)?;
        rest = &rest[digits + unit.map_or(0, char::len_utf8)..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_by_openssh() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(seconds(text), expected, "{text}");
        check("0", Some(0));
        check("90", Some(90));
        check("1h30m", Some(5400));
        check("2D", Some(172_800));
        check("1w1", Some(604_801));
        check("", None);
        check("m", None);
        check("1x", None);
        check("-1", None);
        check("99999999999", None);
        check("2147483647", Some(2_147_483_647));
        check("2147483647s1", None);
    }

    #[test]
    fn keywords_are_listed_once_and_in_order() {
        assert!(NOT_HONOURED.is_sorted_by(|a, b| a < b));
    }
}

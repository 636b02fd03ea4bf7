//! OpenSSH's client configuration (ssh_config(5)): what `~/.ssh/config` and `/etc/ssh/ssh_config` say for a host.
//!
//! Files are read and checked once ([`ClientConfig::load`]); any number of hosts are then resolved from the parsed
//! form ([`ClientConfig::resolve`]). Every setting remembers where it comes from. Nothing is skipped in silence: an
//! option of OpenSSH's that regatta does not honour, and a `Match` block it cannot evaluate, come back as a [`Note`];
//! an option nobody knows is an error.
//!
//! Deliberately not here: evaluating `Match tagged`, `localnetwork` and the like; completing and looking up names
//! (`CanonicalDomains`); checking the values of options that are not honoured. The reference is OpenSSH 9.2;
//! `tests/ssh_config.rs` compares with `ssh -G`.

mod algorithms;
mod criteria;
mod current;
mod draft;
mod error;
mod exec;
mod expand;
mod given;
mod glob;
mod host_settings;
mod jump;
mod keywords;
mod names;
mod note;
mod parse;
pub(crate) mod pattern;
mod render;
mod resolve;
mod setting;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::core::spec::Host;

pub use algorithms::{Algorithms, Preference, Purpose};
pub use error::{ConfigError, Problem};
pub use exec::{Answers, Commands};
pub use host_settings::HostSettings;
pub use jump::Known;
pub use keywords::Loss;
pub use note::Note;
pub use render::Explained;

use parse::{ConfigFile, Permissions, Reader, Scope};
use pattern::PatternList;
use setting::Setting;

const SYSTEM_CONFIG: &str = "/etc/ssh/ssh_config";

/// Which files to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConfigSource {
    /// `~/.ssh/config`, then `/etc/ssh/ssh_config`; either may be missing.
    #[default]
    Standard,
    /// This one instead (`-F FILE`), which must exist.
    File(PathBuf),
    /// None at all (`-F none`).
    Nothing,
}

impl ConfigSource {
    /// What `-F` means: a file, or `none` in any case.
    pub fn from_option(value: &Path) -> Self {
        if value.as_os_str().eq_ignore_ascii_case("none") {
            Self::Nothing
        } else {
            Self::File(value.to_owned())
        }
    }
}

/// Who and where we are, for tokens and paths.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalEnv {
    /// The login name (`%u`, and the default remote user).
    pub user: String,
    /// The home directory (`~`, `%d`). It need not exist.
    pub home: PathBuf,
    /// The full host name (`%l`; `%L` is its part before the first dot).
    pub hostname: String,
    /// The user id (`%i`); also who must own the configuration.
    pub uid: u32,
    /// Environment variables for `${NAME}`.
    pub variables: HashMap<String, String>,
}

/// Environment variables can hold secrets: they are not shown.
impl fmt::Debug for LocalEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnv")
            .field("user", &self.user)
            .field("home", &self.home)
            .field("hostname", &self.hostname)
            .field("uid", &self.uid)
            .finish_non_exhaustive()
    }
}

/// The parsed files.
#[derive(Debug)]
pub struct ClientConfig {
    files: Vec<ConfigFile>,
    env: LocalEnv,
}

impl ClientConfig {
    /// Reads and checks every file, includes too.
    ///
    /// # Errors
    /// The first wrong line, an unreadable file, or a file that others may write to.
    pub fn load(source: &ConfigSource, env: &LocalEnv) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(env);
        let files = match source {
            ConfigSource::Standard => {
                let user = env.home.join(".ssh/config");
                let user = reader.read(&user, Scope::User, Permissions::Checked)?;
                let system = reader.read(
                    Path::new(SYSTEM_CONFIG),
                    Scope::System,
                    Permissions::AsTheyAre,
                )?;
                user.into_iter().chain(system).collect()
            }
            ConfigSource::File(path) => {
                let file = reader.read(path, Scope::User, Permissions::AsTheyAre)?;
                vec![file.ok_or_else(|| ConfigError::Unreadable {
                    file: path.clone(),
                    reason: "there is no such file".to_owned(),
                })?]
            }
            ConfigSource::Nothing => Vec::new(),
        };
        Ok(Self {
            files,
            env: env.clone(),
        })
    }

    /// What the files and the command line say for `host` (a name or address, without user and port). It takes as long
    /// as the commands of `Match exec` do, if they may run.
    ///
    /// # Errors
    /// Those that OpenSSH finds only when it knows the host: unset variables, unknown tokens, a jump host that is
    /// reached through itself, characters that could break out of a `ProxyCommand`.
    pub fn resolve(
        &self,
        host: &str,
        overrides: &Overrides,
        commands: Commands<'_>,
    ) -> Result<HostSettings, ConfigError> {
        resolve::resolve(&self.files, &self.env, host, overrides, commands)
    }

    /// Whether some `Match` has a command.
    pub fn has_commands(&self) -> bool {
        self.files.iter().any(ConfigFile::has_commands)
    }

    /// Whether some host may be sent this environment variable (`SendEnv`): whichever blocks apply to it.
    pub fn sends(&self, variable: &str) -> bool {
        let is_sent = |pattern: &str| PatternList::one(pattern).matches(variable);
        self.files.iter().any(|file| file.sends(&is_sent))
    }

    /// The settings of the hops that `ProxyJump` leads through to a host, the nearest to it first; the last of them is
    /// reached directly, or by a `ProxyCommand`.  What is `known` of a hop comes before its configuration.
    ///
    /// # Errors
    /// Those of the hops, and hops that lead in a circle.
    pub fn hops(
        &self,
        host: &HostSettings,
        commands: Commands<'_>,
        known: Known<'_>,
    ) -> Result<Vec<HostSettings>, ConfigError> {
        jump::hops(self, host, commands, known)
    }

    /// The names that some `ProxyJump` has for hops, whichever blocks apply; they may have tokens in them.
    pub fn hop_names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for file in &self.files {
            file.hop_names(&mut names);
        }
        names
    }
}

/// Options from the command line: they win over every file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(Vec<Setting>);

impl Overrides {
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.0.push(Setting::User(user.to_owned()));
        self
    }

    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.0.push(Setting::Port(port));
        self
    }

    /// As `-i`: tried before the files of the configuration.
    #[must_use]
    pub fn identity_file(mut self, file: &str) -> Self {
        self.0.push(Setting::IdentityFile(file.to_owned()));
        self
    }

    /// What the target and the inventory say of a host, which comes before every file.
    ///
    /// # Errors
    /// An address that is none.
    pub fn of_host(host: &Host, env: &LocalEnv) -> Result<Self, ConfigError> {
        let mut overrides = Self::default();
        if let Some(user) = &host.user {
            overrides = overrides.user(user);
        }
        if let Some(port) = host.port {
            overrides = overrides.port(port);
        }
        match &host.address {
            Some(address) => overrides.option(&format!("HostName={address}"), env),
            None => Ok(overrides),
        }
    }

    /// Any option, as after `ssh -o`: `Name=value` or `Name value`.
    ///
    /// # Errors
    /// What is wrong with it, and `Host`, `Match` and `Include`, which stand for files only.
    pub fn option(mut self, option: &str, env: &LocalEnv) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::CommandLine { problem };
        let (name, rest) = parse::keyword(option)
            .and_then(|found| {
                found.ok_or_else(|| Problem::NoArgument {
                    name: "-o".to_owned(),
                })
            })
            .map_err(wrong)?;
        if ["host", "match", "include"]
            .iter()
            .any(|keyword| name.eq_ignore_ascii_case(keyword))
        {
            return Err(wrong(Problem::NotOnCommandLine { name }));
        }
        match Setting::parse(&name, rest, env).map_err(wrong)? {
            Setting::Unknown { name } => Err(wrong(Problem::UnknownOption { name })),
            setting => {
                self.0.push(setting);
                Ok(self)
            }
        }
    }
}

/// A line of a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub file: Arc<Path>,
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    CommandLine,
    File(Location),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::CommandLine => f.write_str("command line"),
            Self::File(at) => at.fmt(f),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub origin: Origin,
}

/// What to do about host keys (`StrictHostKeyChecking`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrictHostKeyChecking {
    /// Refuse unknown and changed keys.
    Yes,
    /// Accept unknown keys, refuse changed ones.
    AcceptNew,
    /// Ask about unknown keys, refuse changed ones.
    Ask,
    /// Accept unknown keys; OpenSSH also goes on, restricted, with changed ones.
    No,
}

/// Whether keys may log in (`PubkeyAuthentication`). OpenSSH also signs the host's key where a server can have that; what
/// is signed here is the session, in which the host's key has a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PubkeyAuthentication {
    Yes,
    No,
    Unbound,
    HostBound,
}

/// An environment variable for commands (`SetEnv`).
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

/// The value can be a secret.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({})", self.name)
    }
}

/// Whether a key file that was used is given to the agent (`AddKeysToAgent`); no lifetime is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddKeysToAgent {
    No,
    Yes {
        lifetime: Option<Duration>,
    },
    Ask,
    /// The agent asks whenever it is used.
    Confirm {
        lifetime: Option<Duration>,
    },
}

/// Whether other keys that a known host has are learnt (`UpdateHostKeys`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateHostKeys {
    Yes,
    No,
    Ask,
}

/// Whether names are completed (`CanonicalizeHostname`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanonicalizeHostname {
    Yes,
    No,
    Always,
}

/// Which addresses to connect to (`AddressFamily`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    Any,
    Inet,
    Inet6,
}

/// Which agent to ask for keys (`IdentityAgent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityAgent {
    /// No agent at all.
    Disabled,
    /// The socket named by this environment variable.
    Variable(String),
    Socket(PathBuf),
}

/// A key or certificate file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// As the configuration has it, which is what `ssh -G` prints.
    pub written: String,
    /// With `~`, variables and tokens expanded; `None` for the word `none`, which stands for no file.
    pub path: Option<PathBuf>,
}

/// How the connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    Direct,
    /// `ProxyJump`: through these, first hop first; at least one.
    Jump(Vec<JumpHop>),
    /// `ProxyCommand`, tokens not yet expanded ([`HostSettings::proxy_command`]).
    Command(String),
}

/// One hop of `ProxyJump`. What is missing comes from the hop's own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHop {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    written: String,
}

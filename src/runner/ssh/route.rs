//! Where a host is and how it is reached: everything that is set for it, and for the hops before it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::algorithms::Suite;
use crate::config::ssh_config::pattern::PatternList;
use crate::config::ssh_config::{HostSettings, Note, Origin, Variable};
use crate::core::reason::Reason;
use crate::core::spec::Asking;
use crate::runner::Carries;
use crate::secret::{Environment, Secret};

/// Between two questions whether a silent server is still there, unless the configuration sets it.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// What each hop adds to the time in which a host has to be reached.
const HOP: Duration = Duration::from_secs(5);

/// A host, or a hop before one, with everything that is set for it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) key: Arc<Key>,
    pub(super) way: Way,
    pub(super) suite: Suite,
    settings: HostSettings,
    agent: Option<PathBuf>,
    /// What the host's commands find in their environment, if the server lets them.
    pub(super) environment: Vec<(String, Secret)>,
}

/// How a server is reached.
#[derive(Debug)]
pub(super) enum Way {
    Direct,
    /// By a stream through this hop's connection (`ProxyJump`).
    Through(Arc<Target>),
    /// By the standard input and output of a program (`ProxyCommand`).
    Command(ProxyCommand),
}

/// A `ProxyCommand`.
#[derive(Debug)]
pub(super) struct ProxyCommand {
    /// As it is configured: what it is known by when many hosts are reached with it.
    pub(super) written: Arc<str>,
    /// With its tokens expanded, for the user's shell.
    pub(super) line: String,
    /// The caller's agent, for an `ssh` in it.
    pub(super) agent: Option<PathBuf>,
}

/// What makes two targets the same connection: everything that matters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    user: Box<str>,
    host: Box<str>,
    port: u16,
    /// All other settings.
    settings: Box<str>,
    pub(super) carries: Carries,
    pub(super) via: Via,
}

/// What a connection leads through.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Via {
    Nothing,
    Hop(Arc<Key>),
    Command(Box<str>),
}

/// Settings can be secrets (`SetEnv`).
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}@{}:{})", self.user, self.host, self.port)
    }
}

impl Key {
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The name or address that is connected to.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The hop before it.
    pub(super) fn hop(&self) -> Option<&Arc<Self>> {
        match &self.via {
            Via::Hop(hop) => Some(hop),
            Via::Nothing | Via::Command(_) => None,
        }
    }

    /// The hops before it, the nearest first.
    pub(super) fn hops(&self) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(self.hop(), |key| key.hop())
    }

    /// How many hops there are before it.
    pub(super) fn depth(&self) -> usize {
        self.hops().count()
    }
}

impl Target {
    /// A host of a job, and the hops that lead to it, the nearest first.
    ///
    /// # Errors
    /// Settings that are wrong, or not carried out: a connection that ignores them could be another one than was asked
    /// for.
    pub(super) fn resolve(
        settings: HostSettings,
        hops: Vec<HostSettings>,
        agents: impl Fn(&HostSettings) -> Option<PathBuf>,
        callers: Option<&Path>,
    ) -> Result<Self, Reason> {
        // From the hop that is reached first to the host itself.
        let mut before = None;
        for hop in hops.into_iter().rev() {
            let agent = agents(&hop);
            let target = Self::new(hop, agent, callers, before, Carries::Connections)?;
            before = Some(Arc::new(target));
        }
        let agent = agents(&settings);
        Self::new(settings, agent, callers, before, Carries::Commands)
    }

    fn new(
        settings: HostSettings,
        agent: Option<PathBuf>,
        callers: Option<&Path>,
        hop: Option<Arc<Self>>,
        carries: Carries,
    ) -> Result<Self, Reason> {
        let wrong = Reason::BadSettings;
        let line = settings.proxy_command();
        let way = match (hop, line.map_err(|error| wrong(error.to_string()))?) {
            (Some(hop), _) => Way::Through(hop),
            (None, Some(line)) => {
                no_passing_of_sockets(&settings).map_err(wrong)?;
                Way::Command(ProxyCommand {
                    written: written(&settings).into(),
                    line,
                    agent: callers.map(Path::to_owned),
                })
            }
            (None, None) => Way::Direct,
        };
        let mut rest = format!("{agent:?}");
        for (name, value) in settings.render() {
            if !matches!(name, "user" | "hostname" | "port" | "connecttimeout") {
                rest.push('\n');
                rest.push_str(name);
                rest.push(' ');
                rest.push_str(&value);
            }
        }
        let via = match &way {
            Way::Through(hop) => Via::Hop(Arc::clone(&hop.key)),
            Way::Command(command) => Via::Command(command.line.as_str().into()),
            Way::Direct => Via::Nothing,
        };
        let key = Key {
            user: settings.user.value.as_str().into(),
            host: settings.host_name.value.as_str().into(),
            port: settings.port.value,
            settings: rest.into(),
            carries,
            via,
        };
        let suite = Suite::of(&settings).map_err(|reason| match carries {
            Carries::Commands => reason,
            Carries::Connections => at_hop(&settings.host, reason),
        })?;
        Ok(Self {
            key: Arc::new(key),
            way,
            suite,
            settings,
            agent,
            environment: Vec::new(),
        })
    }

    /// The same with variables for its commands: those of the caller that `SendEnv` names, then what `SetEnv` sets.
    pub(super) fn with_variables(self, callers: &Environment) -> Self {
        let sent = callers.iter().filter(|(name, _)| {
            let mut patterns = self.settings.send_env.iter();
            patterns.any(|pattern| PatternList::one(&pattern.value).matches(name))
        });
        let sent = sent.map(|(name, value)| (name.to_owned(), value.clone()));
        let set = self.settings.set_env.iter().map(|set| {
            let Variable { name, value } = &set.value;
            (name.clone(), Secret::new(value.clone()))
        });
        let environment = sent.chain(set).collect();
        Self {
            environment,
            ..self
        }
    }

    pub(super) fn settings(&self) -> &HostSettings {
        &self.settings
    }

    /// The agent's socket.
    pub(super) fn agent(&self) -> Option<&Path> {
        self.agent.as_deref()
    }

    /// The host as orders call it, a hop as the configuration does.
    pub(super) fn name(&self) -> &str {
        &self.settings.host
    }

    /// Whose password is asked for.  A hop is named: the hosts of the question are not that computer.
    pub(super) fn account(&self) -> String {
        let user = &self.settings.user.value;
        match self.key.carries {
            Carries::Commands => user.clone(),
            Carries::Connections => format!("{user}@{}", self.name()),
        }
    }

    /// Whether it may ask, where its job may.
    pub(super) fn asking(&self, allowed: Asking) -> Asking {
        if self.settings.batch_mode.value {
            Asking::Never
        } else {
            allowed
        }
    }

    /// A reason of this target's; a hop is named in it.
    pub(super) fn told(&self, reason: Reason) -> Reason {
        match self.key.carries {
            Carries::Commands => reason,
            Carries::Connections => at_hop(self.name(), reason),
        }
    }

    /// How long reaching the host may take: what is configured for it, or else `limit`, which bounds `ConnectTimeout 0`
    /// too: for ever is too long.  Each hop adds to it.
    pub(super) fn connect_timeout(&self, limit: Duration) -> Duration {
        let configured = self.settings.connect_timeout.as_ref();
        let configured = configured.map(|timeout| timeout.value);
        let own = configured.filter(|timeout| !timeout.is_zero());
        own.unwrap_or(limit) + HOP * self.key.depth() as u32
    }

    /// Between two keepalives, and how many may stay without answer.
    pub(super) fn keepalive(&self) -> (Option<Duration>, u32) {
        let interval = &self.settings.server_alive_interval;
        let interval = match (&interval.origin, interval.value) {
            (Origin::Default, _) => Some(KEEPALIVE),
            (Origin::CommandLine | Origin::File(_), Duration::ZERO) => None,
            (Origin::CommandLine | Origin::File(_), interval) => Some(interval),
        };
        (interval, self.settings.server_alive_count_max.value.max(1))
    }
}

/// A hop's failure is that of every host behind it, and says at which hop it was.
pub(super) fn at_hop(hop: &str, reason: Reason) -> Reason {
    let at = |text: String| format!("hop {hop}: {text}");
    match reason {
        Reason::Unreachable(why) => Reason::Unreachable(at(why)),
        Reason::Protocol(why) => Reason::Protocol(at(why)),
        Reason::HostKeyUnknown(what) => Reason::HostKeyUnknown(at(what)),
        Reason::HostKeyChanged(what) => Reason::HostKeyChanged(at(what)),
        Reason::HostKeyRevoked(what) => Reason::HostKeyRevoked(at(what)),
        Reason::AuthFailed(tried) => Reason::AuthFailed(at(tried)),
        Reason::Refused(why) => Reason::Refused(at(why)),
        Reason::BadSettings(what) => Reason::BadSettings(at(what)),
        Reason::TimedOut {
            what,
            after,
            left,
            hop: before,
        } => Reason::TimedOut {
            what,
            after,
            left,
            hop: before.or_else(|| Some(hop.to_owned())),
        },
        // Nothing of this happens before a command runs.
        reason @ (Reason::Exit(_)
        | Reason::Signal(_)
        | Reason::Stopped(_)
        | Reason::Killed
        | Reason::StoppedBeforeStart
        | Reason::ConnectionLost { .. }
        | Reason::Sudo(_)
        | Reason::Secret(_)
        | Reason::Unmoved(_)
        | Reason::Internal(_)) => reason,
    }
}

fn written(settings: &HostSettings) -> String {
    let mut lines = settings.render().into_iter();
    let line = lines.find(|(name, _)| *name == "proxycommand");
    line.map(|(_, command)| command).unwrap_or_default()
}

/// `ProxyUseFdpass` makes another use of the command, which is not made here.
fn no_passing_of_sockets(settings: &HostSettings) -> Result<(), String> {
    for note in &settings.notes {
        if let Note::NotHonoured { name, origin, .. } = note
            && name.eq_ignore_ascii_case("ProxyUseFdpass")
        {
            return Err(format!(
                "ProxyUseFdpass is set for {} ({origin}), and regatta only talks through a ProxyCommand's input and output; set ProxyUseFdpass no, and a command that passes the data on",
                settings.host
            ));
        }
    }
    Ok(())
}

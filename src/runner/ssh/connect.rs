//! From settings to a connection: name, TCP, key exchange, host key, log-in; and every way this can fail, in plain words.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::client;
use russh::{Error, Limits, SshId};
use tokio::net::{TcpSocket, TcpStream};

use super::algorithms::Suite;
use super::auth::{self, Credentials};
use super::connection::Connection;
use super::desk::Desk;
use super::files::Files;
use super::host_key::{Checker, printable};
use super::host_key_update;
use super::known_hosts::KeyName;
use super::wire::{CutOnDrop, Fate, Wire};
use crate::config::ssh_config::pattern::PatternList;
use crate::config::ssh_config::{AddressFamily, HostSettings, Origin, Proxy, Variable};
use crate::core::reason::{Left, Limit, Reason};

/// Between two questions whether a silent server is still there, unless the configuration sets it.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Bytes and time after which keys are exchanged again, at the latest (RFC 4253, section 9).
const REKEY_BYTES: usize = 1 << 30;
/// An exchange of keys takes some kilobytes itself.
const FEWEST_REKEY_BYTES: usize = 64 << 10;
const REKEY_TIME: Duration = Duration::from_secs(3600);

/// What one channel may receive before the window is opened again.
const WINDOW: u32 = 2 << 20;

/// Messages a channel holds before the whole connection waits for its reader.
const CHANNEL_BUFFER: usize = 32;

/// A host with everything that is set for it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) key: Arc<Key>,
    settings: HostSettings,
    pub(super) suite: Suite,
    agent: Option<PathBuf>,
    /// What the host's commands find in their environment, if the server lets them.
    pub(super) environment: Vec<Variable>,
}

/// What makes two targets the same connection: everything that matters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    user: Box<str>,
    host: Box<str>,
    port: u16,
    /// All other settings.
    settings: Box<str>,
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
}

impl Target {
    /// # Errors
    /// Settings that are not carried out: a connection that ignores them could be another one than was asked for.
    pub(super) fn new(
        settings: HostSettings,
        agent: Option<PathBuf>,
        variables: &[Variable],
    ) -> Result<Self, Reason> {
        let name = match &settings.proxy.value {
            Proxy::Direct => None,
            Proxy::Jump(_) => Some("ProxyJump"),
            Proxy::Command(_) => Some("ProxyCommand"),
        };
        if let Some(name) = name {
            return Err(Reason::BadSettings(format!(
                "{name} is set for {} ({}), and regatta cannot go that way yet; reach it directly, or set {name} none",
                settings.host, settings.proxy.origin
            )));
        }
        let mut rest = format!("{agent:?}");
        for (name, value) in settings.render() {
            if !matches!(name, "user" | "hostname" | "port" | "connecttimeout") {
                rest.push('\n');
                rest.push_str(name);
                rest.push(' ');
                rest.push_str(&value);
            }
        }
        let key = Key {
            user: settings.user.value.as_str().into(),
            host: settings.host_name.value.as_str().into(),
            port: settings.port.value,
            settings: rest.into(),
        };
        Ok(Self {
            key: Arc::new(key),
            suite: Suite::of(&settings)?,
            environment: environment(&settings, variables),
            settings,
            agent,
        })
    }

    pub(super) fn settings(&self) -> &HostSettings {
        &self.settings
    }

    /// The host as orders call it.
    pub(super) fn name(&self) -> &str {
        &self.settings.host
    }

    /// How long reaching the host may take: what is configured for it, or else `limit`, which bounds `ConnectTimeout 0`
    /// too: for ever is too long.
    pub(super) fn connect_timeout(&self, limit: Duration) -> Duration {
        self.settings
            .connect_timeout
            .as_ref()
            .map(|timeout| timeout.value)
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(limit)
    }

    /// When new keys are agreed on.
    fn limits(&self) -> Limits {
        let bytes = match usize::try_from(self.settings.rekey_bytes.value) {
            Ok(0) | Err(_) => REKEY_BYTES,
            Ok(bytes) => bytes.clamp(FEWEST_REKEY_BYTES, REKEY_BYTES),
        };
        let time = Some(self.settings.rekey_time.value);
        let time = time.filter(|time| !time.is_zero()).unwrap_or(REKEY_TIME);
        Limits::new(bytes, bytes, time)
    }

    /// Between two keepalives, and how many may stay without answer.
    fn keepalive(&self) -> (Option<Duration>, u32) {
        let interval = &self.settings.server_alive_interval;
        let interval = match (&interval.origin, interval.value) {
            (Origin::Default, _) => Some(KEEPALIVE),
            (Origin::CommandLine | Origin::File(_), Duration::ZERO) => None,
            (Origin::CommandLine | Origin::File(_), interval) => Some(interval),
        };
        (interval, self.settings.server_alive_count_max.value.max(1))
    }
}

/// The variables for the host's commands: those of the caller that `SendEnv` names, then what `SetEnv` sets.
fn environment(settings: &HostSettings, variables: &[Variable]) -> Vec<Variable> {
    let sent = variables.iter().filter(|variable| {
        let mut patterns = settings.send_env.iter();
        patterns.any(|pattern| PatternList::one(&pattern.value).matches(&variable.name))
    });
    let set = settings.set_env.iter().map(|set| &set.value);
    sent.chain(set).cloned().collect()
}

/// Connects and logs in, within `timeout` altogether beside the time for answers.
pub(super) async fn connect(
    target: Arc<Target>,
    files: Arc<Files>,
    desk: Arc<Desk>,
    timeout: Duration,
) -> Result<Connection, Reason> {
    let work = async {
        loop {
            let made = attempt(&target, &files, &desk).await;
            // A server waits two minutes for a login, an operator thinks for as long as it takes.  What was answered is
            // not asked again.
            if made.is_ok() || !desk.take_late() {
                return made;
            }
        }
    };
    desk.within(timeout, work)
        .await
        .unwrap_or(Err(Reason::TimedOut {
            what: Limit::Connect,
            after: timeout,
            left: Left::Nothing,
        }))
}

async fn attempt(
    target: &Arc<Target>,
    files: &Arc<Files>,
    desk: &Arc<Desk>,
) -> Result<Connection, Reason> {
    let settings = &target.settings;
    let resolved = files.resolve(settings).await;
    let name = match &settings.host_key_alias {
        Some(alias) => KeyName::alias(&alias.value),
        None => KeyName::new(&settings.host_name.value, settings.port.value),
    };
    let known = resolved.known_hosts.host(&name);
    let stream = dial(settings).await?;
    let (interval, count) = target.keepalive();
    let patience = interval.map(|interval| interval * count);
    tune(&stream, patience);
    let config = client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-regatta_",
            env!("CARGO_PKG_VERSION")
        ))),
        limits: target.limits(),
        window_size: WINDOW,
        channel_buffer_size: CHANNEL_BUFFER,
        keepalive_interval: interval,
        // The library gives up when one more would be due than this, and never for zero.
        keepalive_max: (count as usize - 1).max(1),
        preferred: target.suite.preferred(&known),
        ..client::Config::default()
    };
    let fate = Arc::new(Fate::default());
    let cut = CutOnDrop(Some(Arc::clone(&fate)));
    let checker = Checker::new(
        known,
        name.clone(),
        Arc::clone(target),
        Arc::clone(files),
        Arc::clone(desk),
        Arc::clone(&fate),
        patience,
    );
    let wire = Wire::new(stream, Arc::clone(&fate));
    let mut handle = client::connect_stream(Arc::new(config), wire, checker)
        .await
        .map_err(|error| {
            if fate.asked.load(Ordering::Acquire) {
                desk.came_late();
            }
            handshake_failed(&error, &fate)
        })?;
    let credentials = Credentials {
        user: &settings.user.value,
        agent: target.agent.as_deref(),
        identities: &resolved.identities,
        certificates: &resolved.certificates,
        identities_only: settings.identities_only.value,
        suite: &target.suite,
        rsa_size: settings.required_rsa_size.value,
        add_keys: settings.add_keys_to_agent.value,
        methods: auth::methods(settings),
        prompts: settings.password_prompts.value,
        files,
        desk,
    };
    auth::log_in(&mut handle, &fate, &credentials).await?;
    cut.disarm();
    let handle = Arc::new(handle);
    host_key_update::learn(&handle, &fate, target, files, name);
    Ok(Connection::new(handle, fate))
}

/// Finds the host and opens a TCP connection, trying its addresses in turn.
async fn dial(settings: &HostSettings) -> Result<TcpStream, Reason> {
    let (host, port) = (settings.host_name.value.as_str(), settings.port.value);
    let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![(address, port).into()],
        Err(_) => tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| Reason::Unreachable(no_such_host(host, &error)))?
            .collect(),
    };
    let family = settings.address_family.value;
    let mut failure = None;
    for address in addresses.into_iter().filter(|address| match family {
        AddressFamily::Any => true,
        AddressFamily::Inet => address.is_ipv4(),
        AddressFamily::Inet6 => address.is_ipv6(),
    }) {
        match dial_address(settings, address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(Reason::Unreachable(match failure {
        Some(error) => unreachable(&error),
        None => format!("{host} has no address of the family AddressFamily asks for"),
    }))
}

async fn dial_address(settings: &HostSettings, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(bind) = &settings.bind_address {
        let from: IpAddr = bind.value.parse().map_err(|_| {
            io::Error::other(format!(
                "BindAddress {} is not an address ({})",
                bind.value, bind.origin
            ))
        })?;
        socket.bind((from, 0).into())?;
    }
    socket.connect(address).await
}

/// Sends small packets at once, and gives up on a server that no longer acknowledges what was sent: keepalives alone
/// do not notice while a write is stuck.
fn tune(stream: &TcpStream, patience: Option<Duration>) {
    // Either only makes things better.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    if let Some(patience) = patience {
        let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
}

fn no_such_host(host: &str, error: &io::Error) -> String {
    let text = error.to_string();
    // The resolver's codes do not survive the standard library; a name server that is down is the one other case.
    if text.contains("Temporary failure") || text.contains("try again") {
        format!("{host} could not be looked up: {text}")
    } else {
        format!("no such host name: {host}")
    }
}

/// Why there is no TCP connection, in plain words.
fn unreachable(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "connection refused".to_owned(),
        Kind::HostUnreachable => "no route to host".to_owned(),
        Kind::NetworkUnreachable => "network unreachable".to_owned(),
        Kind::TimedOut => "no answer".to_owned(),
        Kind::ConnectionReset => "connection reset".to_owned(),
        Kind::PermissionDenied => "connecting is not permitted on this computer".to_owned(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            "too many open files on this computer: raise the limit (ulimit -n)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Why the handshake failed: the host key first, which the library reports as any other failure.
fn handshake_failed(error: &Error, fate: &Fate) -> Reason {
    if let Some(reason) = fate.rejected.get() {
        return reason.clone();
    }
    let greeting = fate.greeting.get().map_or(&[][..], |greeting| greeting);
    if !greeting.is_empty() && !speaks_ssh(greeting) {
        let line = String::from_utf8_lossy(greeting);
        let line = line.lines().next().unwrap_or_default();
        return Reason::Protocol(format!("it says {:?}", printable(line)));
    }
    let closed = match error {
        Error::IO(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Some("closed"),
            io::ErrorKind::ConnectionReset => Some("reset"),
            _ => None,
        },
        Error::Disconnect | Error::HUP => Some("closed"),
        _ => None,
    };
    match (closed, error) {
        (Some(how), _) => Reason::Unreachable(format!(
            "the connection was {how} during the handshake; the server may be too busy, or does not want this address"
        )),
        (None, Error::NoCommonAlgo { kind, theirs, .. }) => Reason::Protocol(format!(
            "nothing in common for {kind:?}; it offers {}",
            printable(&theirs.join(", "))
        )),
        (None, Error::Version) => Reason::Protocol("it does not speak SSH 2".to_owned()),
        (None, Error::IO(error)) => Reason::Unreachable(unreachable(error)),
        (None, error) => Reason::Protocol(error.to_string()),
    }
}

/// A server may send other lines before the one that begins with `SSH-` (RFC 4253, section 4.2).
fn speaks_ssh(greeting: &[u8]) -> bool {
    greeting
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"SSH-") || b"SSH-".starts_with(line) && !line.is_empty())
}

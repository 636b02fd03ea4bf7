//! From settings to a connection: name, TCP or a hop or a program, key exchange, host key, log-in; and every way this can
//! fail, in plain words.
//!
//! Who waits for his turn is [`super::pace`]'s; what was dropped or refused before the log-in is tried once more, and
//! what a server drops because it has too many log-ins a few times, within the same limit.  Nothing else is.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::client;
use russh::{Limits, SshId};

use super::auth::{self, Credentials};
use super::caller::Caller;
use super::connection::Connection;
use super::desk::Desk;
use super::dial::{addresses, dial, tune};
use super::failure::{Failure, Fault, handshake_failed, not_reached};
use super::host_key::Checker;
use super::host_key_update;
use super::known_hosts::KeyName;
use super::pace::{Site, Went};
use super::pool::Pool;
use super::proxy;
use super::route::{ProxyCommand, Target, Way};
use super::tunnel::{self, INNER_WINDOW};
use super::wire::{CutOnDrop, Fate, Line, Wire};
use crate::config::ssh_config::HostSettings;
use crate::core::reason::{Left, Limit, Reason};

/// Bytes and time after which keys are exchanged again, at the latest (RFC 4253, section 9).
const REKEY_BYTES: usize = 1 << 30;
/// An exchange of keys takes some kilobytes itself.
const FEWEST_REKEY_BYTES: usize = 64 << 10;
const REKEY_TIME: Duration = Duration::from_secs(3600);

/// What one channel may receive before the window is opened again.
const WINDOW: u32 = 2 << 20;

/// Messages a channel holds before the whole connection waits for its reader.
const CHANNEL_BUFFER: usize = 8;

/// Before the second try, give or take a half; twice as long before each further one, up to some seconds.
const PAUSE: Duration = Duration::from_millis(400);
const DOUBLINGS: u32 = 5;

/// Connects and logs in, within what is set for the target, or `limit`, altogether beside the time for answers and for its
/// turn.
pub(super) async fn connect(
    pool: Arc<Pool>,
    target: Arc<Target>,
    desk: Arc<Desk>,
    limit: Duration,
) -> Result<Connection, Reason> {
    let timeout = target.connect_timeout(limit);
    let work = async {
        let mut tries = 1;
        loop {
            let failure = match Box::pin(attempt(&pool, &target, &desk, limit)).await {
                Ok(made) => return Ok(made),
                Err(failure) => failure,
            };
            // A server waits two minutes for a login, an operator thinks for as long as it takes.  What was answered is
            // not asked again.
            if desk.take_late() {
                continue;
            }
            if tries
                > failure
                    .fault
                    .tries(target.settings().connection_attempts.value)
            {
                return Err(failure.told(tries));
            }
            tokio::time::sleep(pause(tries)).await;
            tries += 1;
        }
    };
    desk.within(timeout, work).await.unwrap_or_else(|| {
        Err(target.told(Reason::TimedOut {
            what: Limit::Connect,
            after: timeout,
            left: Left::Nothing,
            hop: desk.before.stalled_hop(),
        }))
    })
}

/// The pause before the next try; many hosts do not come back all at once.
fn pause(tries: u32) -> Duration {
    let about = PAUSE * 2_u32.pow(tries.min(DOUBLINGS) - 1);
    about.mul_f64(0.5 + rand::random::<f64>())
}

async fn attempt(
    pool: &Arc<Pool>,
    target: &Arc<Target>,
    desk: &Arc<Desk>,
    limit: Duration,
) -> Result<Connection, Failure> {
    match &target.way {
        Way::Direct => directly(pool, target, desk).await,
        Way::Through(hop) => through(hop, pool, target, desk, limit).await,
        Way::Command(command) => by_command(command, pool, target, desk).await,
    }
}

/// Over TCP, trying its addresses in turn.
async fn directly(
    pool: &Arc<Pool>,
    target: &Arc<Target>,
    desk: &Arc<Desk>,
) -> Result<Connection, Failure> {
    let settings = target.settings();
    let told = |failure: Failure| failure.at(target);
    let mut unreached = None;
    for address in addresses(settings).await.map_err(told)? {
        let reach = async {
            let stream = dial(settings, address)
                .await
                .map_err(|error| not_reached(&error))?;
            tune(&stream, patience(target));
            Box::pin(log_in(pool, target, desk, Line::Tcp(stream))).await
        };
        let reached = in_turn(pool, &Site::At(address), desk, reach).await;
        match reached.map_err(told) {
            Err(failure) if matches!(failure.fault, Fault::Unreached | Fault::Refused) => {
                unreached = Some(failure);
            }
            reached => return reached,
        }
    }
    Err(unreached.unwrap_or_else(|| {
        let host = &settings.host_name.value;
        let why = format!("{host} has no address of the family AddressFamily asks for");
        told(Failure::lasting(Reason::Unreachable(why)))
    }))
}

/// By a stream through a hop.
async fn through(
    hop: &Arc<Target>,
    pool: &Arc<Pool>,
    target: &Arc<Target>,
    desk: &Arc<Desk>,
    limit: Duration,
) -> Result<Connection, Failure> {
    let settings = target.settings();
    let caller = Caller::behind(desk, hop);
    let lease = pool.lease(hop, &caller, limit).await;
    let lease = lease.map_err(Failure::lasting)?;
    let to = (settings.host_name.value.as_str(), settings.port.value);
    let reach = async {
        let tunnel = tunnel::open(pool, hop, lease, to, &caller, limit).await?;
        let made = Box::pin(log_in(pool, target, desk, Line::Tunnel(tunnel))).await;
        made.map_err(|failure| failure.at(target))
    };
    in_turn(pool, &Site::Behind(Arc::clone(&hop.key)), desk, reach).await
}

/// By a program's input and output.
async fn by_command(
    command: &ProxyCommand,
    pool: &Arc<Pool>,
    target: &Arc<Target>,
    desk: &Arc<Desk>,
) -> Result<Connection, Failure> {
    let reach = async {
        let shell = pool.files().env().variables.get("SHELL");
        let (piped, program) =
            proxy::start(command, shell.map(String::as_str)).map_err(|error| {
                let why = format!("the ProxyCommand cannot be started: {error}");
                Failure::lasting(Reason::Unreachable(why))
            })?;
        let made = Box::pin(log_in(pool, target, desk, Line::Piped(piped))).await;
        let mut failure = match made {
            Ok(made) => return Ok(made.by(program)),
            Err(failure) => failure,
        };
        // The program may know better why there is no connection.
        if let Reason::Unreachable(why) = &mut failure.reason
            && let Some(better) = program.failure().await
        {
            *why = better;
        }
        Err(failure)
    };
    let site = Site::Command(Arc::clone(&command.written));
    let reached = in_turn(pool, &site, desk, reach).await;
    reached.map_err(|failure| failure.at(target))
}

/// Does `work` when there is a place for it.
async fn in_turn<T>(
    pool: &Arc<Pool>,
    site: &Site,
    desk: &Desk,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let gate = pool.gate(site);
    let place = match gate.try_enter() {
        Some(place) => place,
        None => desk.queue(gate.enter()).await,
    };
    let went = |done: &Result<T, Failure>| match done {
        Ok(_) => Went::Well,
        Err(failure) => failure.fault.went(),
    };
    gate.within(place, work, went).await
}

/// How long a silent server is waited for.
fn patience(target: &Target) -> Option<Duration> {
    let (interval, count) = target.keepalive();
    interval.map(|interval| interval * count)
}

/// From a stream to a connection: key exchange, host key, log-in.
async fn log_in(
    pool: &Arc<Pool>,
    target: &Arc<Target>,
    desk: &Arc<Desk>,
    line: Line,
) -> Result<Connection, Failure> {
    let (settings, files) = (target.settings(), pool.files());
    let resolved = files.resolve(settings).await;
    let name = match &settings.host_key_alias {
        Some(alias) => KeyName::alias(&alias.value),
        None => KeyName::new(&settings.host_name.value, settings.port.value),
    };
    let known = resolved.known_hosts.host(&name);
    let (interval, count) = target.keepalive();
    let config = client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-regatta_",
            env!("CARGO_PKG_VERSION")
        ))),
        limits: limits(settings),
        window_size: match line {
            Line::Tunnel(_) => INNER_WINDOW,
            Line::Tcp(_) | Line::Piped(_) => WINDOW,
        },
        channel_buffer_size: CHANNEL_BUFFER,
        keepalive_interval: interval,
        // Never: see `wire`.
        keepalive_max: 0,
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
        patience(target),
    );
    // One keepalive at least has time for its answer.
    let silence = interval.map(|interval| interval * count.max(2));
    let wire = Wire::new(line, Arc::clone(&fate), silence);
    let mut handle = client::connect_stream(Arc::new(config), wire, checker)
        .await
        .map_err(|error| {
            if fate.asked.load(Ordering::Acquire) {
                desk.came_late();
            }
            handshake_failed(&error, &fate)
        })?;
    let account = target.account();
    let credentials = Credentials {
        user: &settings.user.value,
        account: &account,
        agent: (target.agent()).map(|socket| (socket, pool.gate(&Site::Agent(socket.into())))),
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
    let logged_in = auth::log_in(&mut handle, &fate, &credentials).await;
    logged_in.map_err(Failure::lasting)?;
    fate.logged_in.store(true, Ordering::Release);
    cut.disarm();
    let handle = Arc::new(handle);
    host_key_update::learn(&handle, &fate, target, files, name);
    Ok(Connection::new(handle, fate))
}

/// When new keys are agreed on.
fn limits(settings: &HostSettings) -> Limits {
    let bytes = match usize::try_from(settings.rekey_bytes.value) {
        Ok(0) | Err(_) => REKEY_BYTES,
        Ok(bytes) => bytes.clamp(FEWEST_REKEY_BYTES, REKEY_BYTES),
    };
    let time = Some(settings.rekey_time.value);
    let time = time.filter(|time| !time.is_zero()).unwrap_or(REKEY_TIME);
    Limits::new(bytes, bytes, time)
}

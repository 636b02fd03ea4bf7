//! Connections that are kept and shared, as `ControlPersist` does for `ssh`.
//!
//! A connection carries several channels, up to what its server allows; whoever asks for a host that is being
//! connected waits for that and shares it.  A connection nobody uses is closed after a minute, or earlier when too many
//! are kept.  One task does that, and only while there is something to wait for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared, join_all};
use russh::Error;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::channel::OpenChannel;
use super::connect::{self, Key, Target};
use super::connection::Connection;
use super::desk::{Caller, Desk};
use super::files::Files;
use crate::core::reason::{Left, Limit, Reason};
use crate::core::spec::Asking;
use crate::runner::Connected;

/// Channels on one connection unless the server allows fewer: `MaxSessions` of sshd_config(5).
const CHANNELS: usize = 10;

/// Connections that are tried for one channel before giving up: kept ones may turn out dead or full.
const ATTEMPTS: usize = 4;

type Attempt = BoxFuture<'static, Result<Arc<Connection>, Reason>>;

/// How connections that nobody uses are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How long after the last use.
    pub idle: Duration,
    /// How many at most; the longest idle go first.
    pub most: usize,
}

/// A minute; 4,096 of them, or a quarter of the files that may be open if that is less.
impl Default for Keep {
    fn default() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let files = limit.current.unwrap_or(u64::MAX);
        Self {
            idle: Duration::from_secs(60),
            most: 4096.min(files / 4) as usize,
        }
    }
}

/// All connections.
pub(super) struct Pool {
    state: Mutex<State>,
    keep: Keep,
}

#[derive(Default)]
struct State {
    hosts: HashMap<Arc<Key>, Host>,
    /// Connections nobody uses, by the order in which they became idle.
    idle: BTreeMap<u64, Idle>,
    next_idle: u64,
    /// Closes what was kept long enough; `None` while nothing is.
    reaper: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Host {
    /// What orders call it.
    names: Vec<Box<str>>,
    connections: Vec<Shelf>,
    /// The attempt under way.
    connecting: Option<Connecting>,
    /// Channels its server allows on a connection, once it has refused one.
    channels: Option<usize>,
}

/// An attempt to connect.
struct Connecting {
    /// Who has another limit makes an attempt of his own, and so does who must not wait for answers, or may.
    limit: Duration,
    asking: Asking,
    desk: Weak<Desk>,
    made: WeakShared<Attempt>,
}

/// A connection and who uses it.
struct Shelf {
    connection: Arc<Connection>,
    used: usize,
    /// Its place among the idle ones, when nobody uses it.
    idle: Option<u64>,
}

struct Idle {
    since: Instant,
    key: Arc<Key>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(keep: Keep) -> Self {
        Self {
            state: Mutex::default(),
            keep,
        }
    }

    /// Connections that are open.
    pub(super) fn connections(&self) -> usize {
        let state = self.state();
        let all = state.hosts.values().flat_map(|host| &host.connections);
        all.filter(|shelf| shelf.connection.is_usable()).count()
    }

    /// The connections that are open, by where they lead to.
    pub(super) fn connected(&self) -> Vec<Connected> {
        let state = self.state();
        let all = state.hosts.iter().flat_map(|(key, host)| {
            let usable = host.connections.iter();
            let usable = usable.filter(|shelf| shelf.connection.is_usable());
            usable.map(|_| Connected {
                hosts: host.names.iter().map(ToString::to_string).collect(),
                user: key.user().to_string(),
                port: key.port(),
            })
        });
        all.collect()
    }

    /// Those of them that take no new channels for now, because a reader is behind.
    pub(super) fn stalled(&self) -> usize {
        let state = self.state();
        let all = state.hosts.values().flat_map(|host| &host.connections);
        all.filter(|shelf| shelf.connection.is_usable() && shelf.connection.is_stalled())
            .count()
    }

    /// A channel to the target, over a kept connection or a new one, within `timeout` altogether beside the time for
    /// answers.
    pub(super) async fn open(
        self: &Arc<Self>,
        target: &Arc<Target>,
        files: &Arc<Files>,
        caller: &Caller<'_>,
        timeout: Duration,
    ) -> Result<OpenChannel, Reason> {
        caller
            .within(timeout, self.try_open(target, files, caller, timeout))
            .await
            .unwrap_or(Err(Reason::TimedOut {
                what: Limit::Connect,
                after: timeout,
                left: Left::Nothing,
            }))
    }

    async fn try_open(
        self: &Arc<Self>,
        target: &Arc<Target>,
        files: &Arc<Files>,
        caller: &Caller<'_>,
        timeout: Duration,
    ) -> Result<OpenChannel, Reason> {
        let begun = Instant::now();
        let (mut refused, mut tries) = (None, 0);
        while tries < ATTEMPTS {
            let lease = self.lease(target, files, caller, timeout).await?;
            let opening = async {
                let _urgent = lease.connection().urgent();
                lease.connection().handle().channel_open_session().await
            };
            // Kept ones may have died in silence: they get a quarter of the time each, and half of it together, so that
            // the other half is left for a new one.  That one has all there is.
            let patience = if lease.connection().made() >= begun {
                timeout
            } else if begun.elapsed() < timeout / 2 {
                timeout / 4
            } else {
                self.discard(&lease);
                continue;
            };
            tries += 1;
            match tokio::time::timeout(patience, opening).await {
                Ok(Ok(channel)) => return Ok(OpenChannel::new(channel, lease)),
                Ok(Err(Error::ChannelOpenFailure(why))) => {
                    refused = Some(format!("the server opens no session ({why:?})"));
                    if !self.refused(&lease) {
                        break;
                    }
                }
                // It died while it was kept, or does not answer.  Others may still hope for it, nobody new does.
                Ok(Err(_)) | Err(_) => {
                    refused = Some(lease.connection().why());
                    self.discard(&lease);
                }
            }
        }
        Err(Reason::Refused(
            refused.unwrap_or_else(|| "no session could be opened".to_owned()),
        ))
    }

    /// Says good-bye on all connections.
    pub(super) async fn close_all(&self) {
        let (connections, reaper) = {
            let mut state = self.state();
            state.idle.clear();
            let hosts = std::mem::take(&mut state.hosts);
            let connections: Vec<_> = hosts
                .into_values()
                .flat_map(|host| host.connections)
                .map(|shelf| shelf.connection)
                .collect();
            (connections, state.reaper.take())
        };
        if let Some(reaper) = reaper {
            reaper.abort();
        }
        join_all(connections.iter().map(|connection| connection.close())).await;
    }

    /// A place on a connection to the target.
    async fn lease(
        self: &Arc<Self>,
        target: &Arc<Target>,
        files: &Arc<Files>,
        caller: &Caller<'_>,
        timeout: Duration,
    ) -> Result<Lease, Reason> {
        // However many wait, each new connection serves some of them; only those that die at once are counted.
        let mut died = 0;
        while died < ATTEMPTS {
            let (desk, attempt) = {
                let mut state = self.state();
                if let Some(connection) = state.take(&target.key) {
                    state.name(target);
                    return Ok(Lease {
                        pool: Arc::downgrade(self),
                        key: Arc::clone(&target.key),
                        connection,
                    });
                }
                state.attempt(target, files, caller, timeout)
            };
            let connection = caller.attend(&desk, attempt).await?;
            died += usize::from(!connection.is_usable());
            self.state().shelve(&target.key, connection);
        }
        Err(Reason::Unreachable(
            "the server closes every connection again".to_owned(),
        ))
    }

    /// Learns from a refused channel how many the server allows; false if it allows none at all.
    fn refused(&self, lease: &Lease) -> bool {
        let mut state = self.state();
        let Some(host) = state.hosts.get_mut(&lease.key) else {
            return true;
        };
        let used = host
            .connections
            .iter()
            .find(|shelf| Arc::ptr_eq(&shelf.connection, &lease.connection))
            .map_or(0, |shelf| shelf.used);
        // The place that was refused is counted among the used ones.
        host.channels = Some(used.saturating_sub(1).max(1));
        used > 1
    }

    /// Forgets a connection that is of no use.
    fn discard(&self, lease: &Lease) {
        let mut state = self.state();
        if let Some(host) = state.hosts.get_mut(&lease.key) {
            host.connections
                .retain(|shelf| !Arc::ptr_eq(&shelf.connection, &lease.connection));
        }
    }

    /// Takes back a place.
    fn release(self: &Arc<Self>, key: &Arc<Key>, connection: &Arc<Connection>) {
        let mut state = self.state();
        state.release(key, connection);
        let surplus = state.idle.len().saturating_sub(self.keep.most);
        let closing = state.take_idle(|place, _| place < surplus);
        let wanted = state.reaper.is_none() && !(state.idle.is_empty() && closing.is_empty());
        if wanted && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            state.reaper = Some(runtime.spawn(reap(Arc::downgrade(self), closing)));
        } else if !closing.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // Bounded in time by the good-bye itself.
            runtime.spawn(close(closing));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(reaper) = self.state().reaper.take() {
            reaper.abort();
        }
    }
}

impl State {
    /// A place on a connection that has one; dead connections are forgotten on the way.
    fn take(&mut self, key: &Arc<Key>) -> Option<Arc<Connection>> {
        let host = self.hosts.get_mut(key)?;
        let idle = &mut self.idle;
        host.connections.retain(|shelf| {
            let usable = shelf.connection.is_usable();
            if let Some(place) = shelf.idle.filter(|_| !usable) {
                idle.remove(&place);
            }
            usable
        });
        let channels = host.channels.unwrap_or(CHANNELS);
        let shelf = host
            .connections
            .iter_mut()
            .find(|shelf| shelf.used < channels && !shelf.connection.is_stalled())?;
        shelf.used += 1;
        if let Some(place) = shelf.idle.take() {
            self.idle.remove(&place);
        }
        Some(Arc::clone(&shelf.connection))
    }

    /// Notes what a host is called this time.
    fn name(&mut self, target: &Target) {
        let host = self.hosts.entry(Arc::clone(&target.key)).or_default();
        if !host.names.iter().any(|name| **name == *target.name()) {
            host.names.push(target.name().into());
        }
    }

    /// The attempt to connect that is under way, or a new one.
    fn attempt(
        &mut self,
        target: &Arc<Target>,
        files: &Arc<Files>,
        caller: &Caller<'_>,
        timeout: Duration,
    ) -> (Arc<Desk>, Shared<Attempt>) {
        self.name(target);
        let host = self.hosts.entry(Arc::clone(&target.key)).or_default();
        let shelved = |made: &Arc<Connection>| {
            host.connections
                .iter()
                .any(|shelf| Arc::ptr_eq(&shelf.connection, made))
        };
        // One that has come about and is on its shelf was found full by whoever asks here.
        if let Some(connecting) = &host.connecting
            && connecting.limit == timeout
            && connecting.asking == caller.asking
            && let (Some(desk), Some(attempt)) =
                (connecting.desk.upgrade(), connecting.made.upgrade())
            && attempt.peek().is_none_or(|made| {
                made.as_ref()
                    .is_ok_and(|made| made.is_usable() && !shelved(made))
            })
        {
            return (desk, attempt);
        }
        let desk = Arc::new(Desk::new(caller.asking, caller.pocket.clone()));
        let connecting = connect::connect(
            Arc::clone(target),
            Arc::clone(files),
            Arc::clone(&desk),
            timeout,
        );
        let attempt = connecting.map(|made| made.map(Arc::new)).boxed().shared();
        host.connecting = attempt.downgrade().map(|made| Connecting {
            limit: timeout,
            asking: caller.asking,
            desk: Arc::downgrade(&desk),
            made,
        });
        (desk, attempt)
    }

    /// Puts a new connection where it can be found; several may have waited for it.
    fn shelve(&mut self, key: &Arc<Key>, connection: Arc<Connection>) {
        let host = self.hosts.entry(Arc::clone(key)).or_default();
        let known = |shelf: &Shelf| Arc::ptr_eq(&shelf.connection, &connection);
        if !host.connections.iter().any(known) {
            host.connections.push(Shelf {
                connection,
                used: 0,
                idle: None,
            });
        }
    }

    fn release(&mut self, key: &Arc<Key>, connection: &Arc<Connection>) {
        let Some(host) = self.hosts.get_mut(key) else {
            return;
        };
        let Some(index) = host
            .connections
            .iter()
            .position(|shelf| Arc::ptr_eq(&shelf.connection, connection))
        else {
            return;
        };
        let shelf = &mut host.connections[index];
        shelf.used -= 1;
        if shelf.used > 0 {
            return;
        }
        if !shelf.connection.is_usable() {
            host.connections.swap_remove(index);
            self.forget_if_empty(key);
            return;
        }
        let place = self.next_idle;
        self.next_idle += 1;
        shelf.idle = Some(place);
        let idle = Idle {
            since: Instant::now(),
            key: Arc::clone(key),
        };
        self.idle.insert(place, idle);
    }

    /// Removes the longest idle connections as long as `old` says so of their rank and age.
    fn take_idle(&mut self, old: impl Fn(usize, &Idle) -> bool) -> Vec<Arc<Connection>> {
        let mut taken = Vec::new();
        while let Some(entry) = self.idle.first_entry() {
            if !old(taken.len(), entry.get()) {
                break;
            }
            let (place, idle) = entry.remove_entry();
            if let Some(host) = self.hosts.get_mut(&idle.key)
                && let Some(index) = host
                    .connections
                    .iter()
                    .position(|shelf| shelf.idle == Some(place))
            {
                taken.push(host.connections.swap_remove(index).connection);
            }
            self.forget_if_empty(&idle.key);
        }
        taken
    }

    fn forget_if_empty(&mut self, key: &Arc<Key>) {
        let empty = |host: &Host| {
            host.connections.is_empty()
                && host
                    .connecting
                    .as_ref()
                    .and_then(|connecting| connecting.made.upgrade())
                    .is_none()
        };
        if self.hosts.get(key).is_some_and(empty) {
            self.hosts.remove(key);
        }
    }
}

/// Closes what was kept long enough, until nothing is kept.
async fn reap(pool: Weak<Pool>, first: Vec<Arc<Connection>>) {
    close(first).await;
    loop {
        let (due, closing) = {
            let Some(pool) = pool.upgrade() else { return };
            let mut state = pool.state();
            let now = Instant::now();
            let closing =
                state.take_idle(|_, idle| now.duration_since(idle.since) >= pool.keep.idle);
            let due = state
                .idle
                .values()
                .next()
                .map(|idle| idle.since + pool.keep.idle);
            if due.is_none() {
                state.reaper = None;
            }
            (due, closing)
        };
        close(closing).await;
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => return,
        }
    }
}

async fn close(connections: Vec<Arc<Connection>>) {
    join_all(connections.iter().map(|connection| connection.close())).await;
}

/// A place on a connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Weak<Pool>,
    key: Arc<Key>,
    connection: Arc<Connection>,
}

impl Lease {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(&self.key, &self.connection);
        }
    }
}

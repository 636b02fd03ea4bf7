//! What the pool knows of each host: its connections and who uses them, the attempt under way, and what its server allows.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Pool;
use crate::core::ids::JobId;
use crate::core::reason::Reason;
use crate::core::spec::Asking;
use crate::runner::Carries;
use crate::runner::ssh::caller::Caller;
use crate::runner::ssh::connect;
use crate::runner::ssh::connection::Connection;
use crate::runner::ssh::desk::Desk;
use crate::runner::ssh::route::{Key, Target};

/// Channels on one connection unless the server allows fewer: `MaxSessions` of sshd_config(5).
const CHANNELS: usize = 10;

/// The same of a hop, where `MaxSessions` does not count: its `sshd` needs an open file for each, of which it may often
/// have 1,024.
const TUNNELS: usize = 512;

type Attempt = BoxFuture<'static, Result<Arc<Connection>, Reason>>;

#[derive(Default)]
pub(super) struct State {
    pub(super) hosts: HashMap<Arc<Key>, Host>,
    /// Connections nobody uses, by the order in which they became idle.
    pub(super) idle: BTreeMap<u64, Idle>,
    next_idle: u64,
    /// Closes what was kept long enough; `None` while nothing is.
    pub(super) reaper: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub(super) struct Host {
    /// What orders call it.
    pub(super) names: Vec<Box<str>>,
    pub(super) connections: Vec<Shelf>,
    /// The attempt under way.
    connecting: Option<Connecting>,
    /// Channels its server allows on a connection, once it has refused one.
    channels: Option<usize>,
    /// A hop that lets nobody in is not asked again by the other hosts of a job.
    turned_away: Option<(JobId, Asking, Reason)>,
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
pub(super) struct Shelf {
    pub(super) connection: Arc<Connection>,
    pub(super) used: usize,
    /// Its place among the idle ones, when nobody uses it.
    pub(super) idle: Option<u64>,
}

/// What a refused channel shared its connection with.
pub(super) enum Refusal {
    /// Others of ours; or it is on no shelf any more.
    Full,
    /// None of ours.
    Alone,
}

pub(super) struct Idle {
    pub(super) since: Instant,
    key: Arc<Key>,
}

impl State {
    /// A place on a connection that has one; dead connections are forgotten on the way.
    pub(super) fn take(&mut self, key: &Arc<Key>) -> Option<Arc<Connection>> {
        let host = self.hosts.get_mut(key)?;
        let idle = &mut self.idle;
        host.connections.retain(|shelf| {
            let usable = shelf.connection.is_usable();
            if let Some(place) = shelf.idle.filter(|_| !usable) {
                idle.remove(&place);
            }
            usable
        });
        let channels = host.channels.unwrap_or(match key.carries {
            Carries::Commands => CHANNELS,
            Carries::Connections => TUNNELS,
        });
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
    pub(super) fn name(&mut self, target: &Target) {
        let host = self.hosts.entry(Arc::clone(&target.key)).or_default();
        if !host.names.iter().any(|name| **name == *target.name()) {
            host.names.push(target.name().into());
        }
    }

    /// The attempt to connect that is under way, or a new one.
    pub(super) fn attempt(
        &mut self,
        pool: &Arc<Pool>,
        target: &Arc<Target>,
        caller: &Caller<'_>,
        limit: Duration,
    ) -> (Arc<Desk>, Shared<Attempt>) {
        self.name(target);
        let timeout = target.connect_timeout(limit);
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
        let desk =
            Arc::new(Desk::new(caller.asking, caller.pocket.clone(), caller.job).making(target));
        let connecting = connect::connect(
            Arc::clone(pool),
            Arc::clone(target),
            Arc::clone(&desk),
            limit,
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

    /// Why the target does not let this job in, if that was found already.
    pub(super) fn turned_away(&self, target: &Target, caller: &Caller<'_>) -> Option<Reason> {
        let (job, asking, reason) = self.hosts.get(&target.key)?.turned_away.as_ref()?;
        let same = *job == caller.job && *asking == caller.asking;
        same.then(|| reason.clone())
    }

    /// Notes why a hop lets nobody in: however many hosts are behind it, its key is judged and its password asked for
    /// once.
    pub(super) fn note_failure(&mut self, target: &Target, caller: &Caller<'_>, why: &Reason) {
        let lasts = matches!(
            why,
            Reason::HostKeyUnknown(_)
                | Reason::HostKeyChanged(_)
                | Reason::HostKeyRevoked(_)
                | Reason::AuthFailed(_)
        );
        if lasts
            && target.key.carries == Carries::Connections
            && let Some(host) = self.hosts.get_mut(&target.key)
        {
            host.turned_away = Some((caller.job, caller.asking, why.clone()));
        }
    }

    /// Learns from a refused channel how many the server allows.  What it refuses to one alone says nothing of that.
    pub(super) fn refused(&mut self, key: &Arc<Key>, connection: &Arc<Connection>) -> Refusal {
        let Some(host) = self.hosts.get_mut(key) else {
            return Refusal::Full;
        };
        let used = host
            .connections
            .iter()
            .find(|shelf| Arc::ptr_eq(&shelf.connection, connection))
            .map_or(0, |shelf| shelf.used);
        // The place that was refused is counted among the used ones.
        match used {
            0 => Refusal::Full,
            1 => Refusal::Alone,
            used => {
                let known = host.channels.unwrap_or(usize::MAX);
                host.channels = Some(known.min(used - 1));
                Refusal::Full
            }
        }
    }

    /// Takes a connection off its shelf.
    pub(super) fn discard(
        &mut self,
        key: &Arc<Key>,
        connection: &Arc<Connection>,
    ) -> Option<Arc<Connection>> {
        let host = self.hosts.get_mut(key)?;
        let is_it = |shelf: &Shelf| Arc::ptr_eq(&shelf.connection, connection);
        let place = host.connections.iter().position(is_it)?;
        let shelf = host.connections.swap_remove(place);
        if let Some(idle) = shelf.idle {
            self.idle.remove(&idle);
        }
        Some(shelf.connection)
    }

    /// All connections, by how many hops they lead through; the pool is empty then.
    pub(super) fn take_all(&mut self) -> BTreeMap<usize, Vec<Arc<Connection>>> {
        self.idle.clear();
        let mut all: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (key, host) in std::mem::take(&mut self.hosts) {
            let connections = host.connections.into_iter();
            let connections = connections.map(|shelf| shelf.connection);
            all.entry(key.depth()).or_default().extend(connections);
        }
        all
    }

    /// Puts a new connection where it can be found; several may have waited for it.
    pub(super) fn shelve(&mut self, key: &Arc<Key>, connection: Arc<Connection>) {
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

    pub(super) fn release(&mut self, key: &Arc<Key>, connection: &Arc<Connection>) {
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
    pub(super) fn take_idle(&mut self, old: impl Fn(usize, &Idle) -> bool) -> Vec<Arc<Connection>> {
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

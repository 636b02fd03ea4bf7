//! Connections that are kept and shared, as `ControlPersist` does for `ssh`.
//!
//! A connection carries several channels, up to what its server allows; whoever asks for a host that is being
//! connected waits for that and shares it.  A connection nobody uses is closed after a minute, or earlier when too many
//! are kept.  One task does that, and only while there is something to wait for.  What runs through a hop uses the hop's
//! connection, as a command uses its host's.

mod inspect;
mod shelves;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use russh::Error;
use tokio::time::Instant;

use super::caller::Caller;
use super::channel::OpenChannel;
use super::connection::Connection;
use super::files::Files;
use super::pace::{Gate, Paces, Site};
use super::route::{Key, Target};
use crate::core::reason::{Left, Limit, Reason};
use shelves::{Refusal, State};

/// Connections that are tried for one channel before giving up: kept ones may turn out dead or full.
const ATTEMPTS: usize = 4;

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
    files: Arc<Files>,
    paces: Paces,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(keep: Keep, files: Arc<Files>) -> Self {
        Self {
            state: Mutex::default(),
            keep,
            files,
            paces: Paces::default(),
        }
    }

    /// What is read from disk for connections.
    pub(super) fn files(&self) -> &Arc<Files> {
        &self.files
    }

    /// The way in where log-ins get into each other's way.
    pub(super) fn gate(&self, site: &Site) -> Arc<Gate> {
        self.paces.gate(site)
    }

    /// A channel to the target, over a kept connection or a new one, within what is set for the target, or `limit`,
    /// altogether beside the time for answers.
    pub(super) async fn open(
        self: &Arc<Self>,
        target: &Arc<Target>,
        caller: &Caller<'_>,
        limit: Duration,
    ) -> Result<OpenChannel, Reason> {
        let timeout = target.connect_timeout(limit);
        let opened = caller.within(timeout, self.try_open(target, caller, limit));
        opened.await.unwrap_or_else(|| {
            Err(Reason::TimedOut {
                what: Limit::Connect,
                after: timeout,
                left: Left::Nothing,
                hop: caller.stalled_hop(),
            })
        })
    }

    async fn try_open(
        self: &Arc<Self>,
        target: &Arc<Target>,
        caller: &Caller<'_>,
        limit: Duration,
    ) -> Result<OpenChannel, Reason> {
        let (begun, timeout) = (Instant::now(), target.connect_timeout(limit));
        let (mut refused, mut tries) = (None, 0);
        while tries < ATTEMPTS {
            let lease = self.lease(target, caller, limit).await?;
            let opening = lease.connection().open_session();
            // Kept ones may have died in silence: they get a quarter of the time each, and half of it together, so that
            // the other half is left for a new one.  That one has all there is.
            let patience = if lease.connection().made() >= begun {
                timeout
            } else if begun.elapsed() < timeout / 2 {
                timeout / 4
            } else {
                self.discard(&target.key, &lease.connection);
                continue;
            };
            tries += 1;
            match tokio::time::timeout(patience, opening).await {
                Ok(Ok(channel)) => return Ok(OpenChannel::new(channel, lease)),
                Ok(Err(Error::ChannelOpenFailure(why))) => {
                    refused = Some(format!("the server opens no session ({why:?})"));
                    match self.refused(&lease) {
                        Refusal::Full => {}
                        // Something of an earlier session keeps it: another connection has none.
                        Refusal::Alone if lease.connection().gave_session() => {
                            self.discard(&target.key, &lease.connection);
                        }
                        Refusal::Alone => break,
                    }
                }
                // It died while it was kept, or does not answer.  Others may still hope for it, nobody new does.
                Ok(Err(_)) | Err(_) => {
                    refused = Some(lease.connection().why());
                    self.discard(&target.key, &lease.connection);
                }
            }
        }
        Err(Reason::Refused(
            refused.unwrap_or_else(|| "no session could be opened".to_owned()),
        ))
    }

    /// Says good-bye on all connections, on those that run through others first.
    pub(super) async fn close_all(&self) {
        let (mut connections, reaper) = {
            let mut state = self.state();
            (state.take_all(), state.reaper.take())
        };
        if let Some(reaper) = reaper {
            reaper.abort();
        }
        while let Some((_, nearest)) = connections.pop_last() {
            close(nearest).await;
        }
    }

    /// A place on a connection to the target.
    pub(super) async fn lease(
        self: &Arc<Self>,
        target: &Arc<Target>,
        caller: &Caller<'_>,
        limit: Duration,
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
                if let Some(reason) = state.turned_away(target, caller) {
                    return Err(reason);
                }
                state.attempt(self, target, caller, limit)
            };
            let connection = match caller.attend(&desk, attempt).await {
                Ok(connection) => connection,
                Err(reason) => {
                    self.state().note_failure(target, caller, &reason);
                    return Err(reason);
                }
            };
            died += usize::from(!connection.is_usable());
            self.state().shelve(&target.key, connection);
        }
        let why = "the server closes every connection again".to_owned();
        Err(target.told(Reason::Unreachable(why)))
    }

    /// Learns from a refused channel how many the server allows.
    fn refused(&self, lease: &Lease) -> Refusal {
        self.state().refused(&lease.key, &lease.connection)
    }

    /// Forgets a connection that is of no use.
    pub(super) fn discard(&self, key: &Arc<Key>, connection: &Arc<Connection>) {
        let discarded = self.state().discard(key, connection);
        drop(discarded);
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

    /// The connection, without a place on it.
    pub(super) fn shared(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(&self.key, &self.connection);
        }
    }
}

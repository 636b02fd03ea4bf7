//! The connections there are, for an operator, who may also have them closed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::shelves::{Host, Shelf, State};
use super::{Pool, close};
use crate::runner::ssh::connection::Connection;
use crate::runner::ssh::route::{Key, Via};
use crate::runner::{Carries, Connected, Disconnected, InUse, Through, Which};

/// What a connection that somebody has closed is said to have ended by.
const CLOSED: &str = "it was closed by an operator";

impl Pool {
    /// How many connections are open.
    pub(in crate::runner::ssh) fn connections(&self) -> usize {
        self.state().usable().count()
    }

    /// The connections that are open, by where they lead to.
    pub(in crate::runner::ssh) fn connected(&self) -> Vec<Connected> {
        let (now, state) = (Instant::now(), self.state());
        let all = state.usable();
        all.map(|(key, shelf)| state.connected(key, shelf, now))
            .collect()
    }

    /// Those of them that take no new channels for now, because a reader is behind.
    pub(in crate::runner::ssh) fn stalled(&self) -> usize {
        let state = self.state();
        let stalled = |(_, shelf): &(_, &Shelf)| shelf.connection.is_stalled();
        state.usable().filter(stalled).count()
    }

    /// Closes connections, the farthest first, and says what became of each that was meant.
    pub(in crate::runner::ssh) async fn disconnect(
        &self,
        which: &Which,
        in_use: InUse,
    ) -> Vec<Disconnected> {
        let (told, mut closing) = self.state().take_meant(which, in_use, Instant::now());
        while let Some((_, farthest)) = closing.pop_last() {
            for connection in &farthest {
                connection.will_end(CLOSED);
            }
            close(farthest).await;
        }
        told
    }
}

/// Connections by how many hops they lead through.
type ByDepth = BTreeMap<usize, Vec<Arc<Connection>>>;

impl State {
    fn usable(&self) -> impl Iterator<Item = (&Arc<Key>, &Shelf)> {
        let all = self.hosts.iter();
        let all =
            all.flat_map(|(key, host)| host.connections.iter().map(move |shelf| (key, shelf)));
        all.filter(|(_, shelf)| shelf.connection.is_usable())
    }

    fn connected(&self, key: &Arc<Key>, shelf: &Shelf, now: Instant) -> Connected {
        let names = |host: &Host| host.names.iter().map(ToString::to_string).collect();
        let called = |hop: &Arc<Key>| {
            let name = self.hosts.get(hop).and_then(|host| host.names.first());
            name.map_or_else(|| hop.host().to_owned(), ToString::to_string)
        };
        let idle = shelf.idle.and_then(|place| self.idle.get(&place));
        let (received, sent) = shelf.connection.bytes();
        Connected {
            hosts: self.hosts.get(key).map(names).unwrap_or_default(),
            user: key.user().to_owned(),
            address: key.host().to_owned(),
            port: key.port(),
            through: match &key.via {
                Via::Command(line) => Through::Command(line.to_string()),
                Via::Nothing | Via::Hop(_) => {
                    let mut hops: Vec<_> = key.hops().map(called).collect();
                    hops.reverse();
                    Through::Hops(hops)
                }
            },
            carries: key.carries,
            channels: shelf.used,
            age: now.duration_since(shelf.connection.made()),
            idle: idle.map(|idle| now.duration_since(idle.since)),
            received,
            sent,
        }
    }

    /// Takes those that are meant off their shelves, as far as they may be closed.
    fn take_meant(
        &mut self,
        which: &Which,
        in_use: InUse,
        now: Instant,
    ) -> (Vec<Disconnected>, ByDepth) {
        let is_meant = |(key, host): (&Arc<Key>, &Host)| match which {
            Which::All => true,
            Which::Of(hosts) => hosts.iter().any(|wanted| {
                *wanted == *key.host() || host.names.iter().any(|name| **name == **wanted)
            }),
        };
        let named = self.hosts.iter().filter(|entry| is_meant(*entry));
        let named: HashSet<Arc<Key>> = named.map(|(key, _)| Arc::clone(key)).collect();
        let meant =
            |key: &Arc<Key>| named.contains(key) || key.hops().any(|hop| named.contains(hop));
        let busy = match in_use {
            InUse::Stays => self.busy(),
            InUse::IsClosed => HashSet::new(),
        };
        let mut told = Vec::new();
        let mut closing: Vec<(Arc<Key>, Arc<Connection>)> = Vec::new();
        for (key, shelf) in self.usable().filter(|(key, _)| meant(key)) {
            let connected = self.connected(key, shelf, now);
            let stays = match key.carries {
                Carries::Commands => in_use == InUse::Stays && shelf.used > 0,
                Carries::Connections => busy.contains(key),
            };
            if stays {
                told.push(Disconnected::InUse(connected));
            } else {
                told.push(Disconnected::Closed(connected));
                closing.push((Arc::clone(key), Arc::clone(&shelf.connection)));
            }
        }
        let mut taken = ByDepth::new();
        for (key, connection) in closing {
            self.discard(&key, &connection);
            taken.entry(key.depth()).or_default().push(connection);
        }
        (told, taken)
    }

    /// The hops that something runs through which is not itself idle, or is about to be made.
    fn busy(&self) -> HashSet<Arc<Key>> {
        let mut busy = HashSet::new();
        // How many of a hop's tunnels are known to be connections that are kept.
        let mut kept: std::collections::HashMap<&Arc<Key>, usize> =
            std::collections::HashMap::new();
        for (key, shelf) in self.usable() {
            if let Some(hop) = key.hop() {
                *kept.entry(hop).or_default() += 1;
            }
            if key.carries == Carries::Commands && shelf.used > 0 {
                busy.extend(key.hops().map(Arc::clone));
            }
        }
        for (key, host) in self
            .hosts
            .iter()
            .filter(|(key, _)| key.carries == Carries::Connections)
        {
            let used: usize = host.connections.iter().map(|shelf| shelf.used).sum();
            if used > kept.get(key).copied().unwrap_or_default() {
                busy.insert(Arc::clone(key));
                busy.extend(key.hops().map(Arc::clone));
            }
        }
        busy
    }
}

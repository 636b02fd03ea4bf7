//! The connections that are kept, for a client: which there are, and having them closed, which is noted in the audit log.

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};

use super::audit::Who;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::engine::{self, Connected, Gone, Through, Which};
use crate::targets::folded;
use crate::wire::Reply;
use crate::wire::connection::{Carries, ConnectionView, Disconnect, Disconnected, InUse};

impl Service {
    pub(super) async fn connections<S>(&self, peer: &mut Peer<S>) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let all = self.engine.connected().into_iter().map(view);
        peer.send(&Reply::Connections(sorted(all.collect()))).await
    }

    pub(super) async fn disconnect<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        disconnect: Disconnect,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (engine, audit, who) = (self.engine.clone(), self.audit.clone(), who.clone());
        // Noted even if the client leaves.
        let done = tokio::spawn(async move {
            let which = disconnect.hosts.map_or(Which::All, Which::Of);
            let in_use = match disconnect.in_use {
                InUse::Stays => engine::InUse::Stays,
                InUse::IsClosed => engine::InUse::IsClosed,
            };
            let told = engine.disconnect(&which, in_use).await;
            let (mut closed, mut stay) = (Vec::new(), Vec::new());
            for one in told {
                match one {
                    engine::Disconnected::Closed(connected) => closed.push(view(connected)),
                    engine::Disconnected::InUse(connected) => stay.push(view(connected)),
                }
            }
            if !closed.is_empty() {
                let hosts = closed.iter().filter_map(|one| one.hosts.first());
                let details = json!({
                    "hosts": folded(hosts.map(String::as_str)),
                    "commands": commands(&closed),
                });
                audit.note(&who, "disconnect", details).await;
            }
            Disconnected {
                closed: sorted(closed),
                in_use: sorted(stay),
            }
        });
        let done = peer
            .unless_left(async { done.await.map_err(|_| Gone) })
            .await?;
        peer.send(&Reply::Disconnected(done)).await
    }
}

/// How many commands ran over these.
fn commands(connections: &[ConnectionView]) -> u64 {
    let carry = |one: &&ConnectionView| one.carries == Carries::Commands;
    let channels = connections.iter().filter(carry).map(|one| one.channels);
    channels.sum()
}

fn sorted(mut all: Vec<ConnectionView>) -> Vec<ConnectionView> {
    all.sort_by(|one, other| {
        let key = |view: &ConnectionView| (view.hosts.clone(), view.via.clone(), view.user.clone());
        key(one).cmp(&key(other))
    });
    all
}

fn view(connected: Connected) -> ConnectionView {
    let (via, command) = match connected.through {
        Through::Hops(hops) => (hops, None),
        Through::Command(line) => (Vec::new(), Some(line)),
    };
    ConnectionView {
        hosts: connected.hosts,
        user: connected.user,
        address: connected.address,
        port: connected.port,
        via,
        command,
        carries: match connected.carries {
            engine::Carries::Commands => Carries::Commands,
            engine::Carries::Connections => Carries::Connections,
        },
        channels: connected.channels as u64,
        age: connected.age.as_secs_f64(),
        idle: connected.idle.map(|idle| idle.as_secs_f64()),
        received: connected.received,
        sent: connected.sent,
    }
}

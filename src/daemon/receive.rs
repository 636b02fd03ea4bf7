//! Handing output to a client, and believing that it was received only when the client says that it was written out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tokio::io::{AsyncRead, AsyncWrite};

use super::audit::Who;
use super::look::missing;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::answer::Answer;
use crate::core::fleet::Command;
use crate::core::ids::{ChildId, JobId};
use crate::core::journal::Revision;
use crate::core::receive::{Delivery, Held, LeaseId, Mode, Patience, ReceiveAsk, Received};
use crate::engine::{Engine, child_view, job_view};
use crate::store::Piece;
use crate::wire::Reply;
use crate::wire::request::{Ack, Purpose, Receive, ReceiveUntil};

/// Bytes read from the store at a time.
const BITE: usize = 256 << 10;

/// Children whose output was written out, in job order and host order.
type Delivered = BTreeMap<JobId, BTreeMap<ChildId, String>>;

/// A lease that goes back to the engine unless it was closed.
struct Lease<'a> {
    engine: &'a Engine,
    id: Option<LeaseId>,
}

impl Lease<'_> {
    async fn delivered(mut self, ack: Ack, unread: Vec<Held>) -> Result<(), Broken> {
        let held = ack.held.iter().map(|held| Held {
            child: ChildId(held.child),
            stream: held.stream,
            bytes: held.bytes,
        });
        let held = held.chain(unread);
        match self.id.take() {
            Some(id) => Ok(self
                .engine
                .close_lease(id, Delivery::Done(held.collect()))
                .await?),
            None => Ok(()),
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.engine.abandon_lease(id);
        }
    }
}

impl Service {
    pub(super) async fn receive<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        receive: Receive,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mode = receive.mode;
        let looks = receive.purpose == Purpose::Rows && mode == Mode::All;
        let mut delivered = Delivered::new();
        let done = self.deliver(peer, receive, &mut delivered).await;
        if looks {
            return done;
        }
        for (job, hosts) in delivered {
            let hosts: Vec<String> = hosts.into_values().collect();
            self.note_received(who, mode, job, &hosts).await;
        }
        done
    }

    /// Hands over what there is, to the end of the receive, and enters who was written out into `delivered`.
    async fn deliver<S>(
        &self,
        peer: &mut Peer<S>,
        receive: Receive,
        delivered: &mut Delivered,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ended: HashSet<ChildId> = HashSet::new();
        let mut seen = Revision::default();
        let mut held = BTreeMap::new();
        let mut unreadable = BTreeSet::new();
        loop {
            let ask = ReceiveAsk {
                select: receive.select.clone(),
                hosts: receive.hosts.clone(),
                streams: receive.streams,
                mode: receive.mode,
                patience: match receive.until {
                    ReceiveUntil::Now => Patience::Now,
                    ReceiveUntil::Settled => Patience::UntilNews(seen),
                },
                held: std::mem::take(&mut held),
            };
            let answer = peer
                .unless_left(self.engine.command(Command::Receive(ask)))
                .await?;
            let Answer::Received(received) = answer else {
                return Err(Broken::Left);
            };
            seen = received.revision;
            let lease = Lease {
                engine: &self.engine,
                id: received.lease,
            };
            let writing = received.windows.iter().map(|window| window.child);
            let hosts = self.hosts_of(writing.collect()).await?;
            let unread = self
                .hand_over(peer, &received, &hosts, &mut ended, &mut unreadable)
                .await?;
            if lease.id.is_some() {
                peer.queue(&Reply::Checkpoint).await?;
                peer.flush().await?;
                let ack = peer.ack().await?;
                let holds = ack.held.iter().map(|held| held.child);
                let holds: HashSet<u64> = holds
                    .chain(unread.iter().map(|held| held.child.0))
                    .collect();
                let windows = received.windows.iter();
                held = windows
                    .filter(|window| holds.contains(&window.child.0))
                    .map(|window| (window.child, window.to))
                    .collect();
                lease.delivered(ack, unread).await?;
            } else {
                peer.flush().await?;
            }
            for (child, (job, host)) in hosts {
                delivered.entry(job).or_default().insert(child, host);
            }
            if received.finished || receive.until == ReceiveUntil::Now {
                let end = self.end_of(&receive, received, unreadable).await?;
                peer.queue(&end).await?;
                return peer.flush().await;
            }
        }
    }

    /// Sends what was received: output first, then the ends of children whose output has all been sent.  What cannot be
    /// read is no reason to keep back the rest; it is returned, and does not count as received.
    async fn hand_over<S>(
        &self,
        peer: &mut Peer<S>,
        received: &Received,
        hosts: &HashMap<ChildId, (JobId, String)>,
        ended: &mut HashSet<ChildId>,
        unreadable: &mut BTreeSet<String>,
    ) -> Result<Vec<Held>, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut unread = Vec::new();
        for window in &received.windows {
            let Some((job, host)) = hosts.get(&window.child) else {
                continue;
            };
            let mut reader = self.engine.store().read(*job, *window);
            loop {
                let pieces = match reader.next(BITE).await {
                    Ok(pieces) if pieces.is_empty() => break,
                    Ok(pieces) => pieces,
                    Err(why) => {
                        unreadable.insert(why.to_string());
                        unread.extend(reader.left());
                        break;
                    }
                };
                for piece in pieces {
                    let (job, child, host) = (job.0, window.child.0, host.clone());
                    peer.queue(&match piece {
                        Piece::Data { stream, data } => Reply::Output {
                            job,
                            child,
                            host,
                            stream,
                            data,
                        },
                        Piece::Cut(dropped) => Reply::Cut {
                            job,
                            child,
                            host,
                            dropped,
                        },
                    })
                    .await?;
                }
            }
        }
        let busy: HashSet<&ChildId> = received.busy.iter().collect();
        let fresh: Vec<ChildId> = received
            .settled
            .iter()
            .copied()
            .filter(|child| !busy.contains(child) && ended.insert(*child))
            .collect();
        if fresh.is_empty() {
            return Ok(unread);
        }
        let views = self
            .look(move |fleet, now| {
                let found = fresh
                    .into_iter()
                    .filter_map(|child| fleet.find_child(child));
                found
                    .map(|(job, index)| child_view(job, index, now))
                    .collect::<Vec<_>>()
            })
            .await?;
        for view in views {
            peer.queue(&Reply::End(Box::new(view))).await?;
        }
        Ok(unread)
    }

    async fn hosts_of(
        &self,
        children: Vec<ChildId>,
    ) -> Result<HashMap<ChildId, (JobId, String)>, Broken> {
        if children.is_empty() {
            return Ok(HashMap::new());
        }
        let look = move |fleet: &crate::core::fleet::Fleet, _| {
            let found = children
                .into_iter()
                .filter_map(|child| Some((child, fleet.find_child(child)?)));
            found
                .map(|(child, (job, index))| (child, (job.id, job.spec.hosts[index].name.clone())))
                .collect()
        };
        Ok(self.look(look).await?)
    }

    /// The last word of a receive.
    async fn end_of(
        &self,
        receive: &Receive,
        received: Received,
        unreadable: BTreeSet<String>,
    ) -> Result<Reply, Broken> {
        let select = receive.select.clone();
        let hosts = receive.hosts.clone();
        let Received { busy, unknown, .. } = received;
        let reply = self.look(move |fleet, now| {
            let mut picked = fleet.resolve(&select);
            if let Some(hosts) = &hosts {
                picked.only_hosts(fleet, hosts);
            }
            let touched = picked.touched(fleet);
            let busy = busy.into_iter().filter_map(|child| fleet.find_child(child));
            Reply::Received {
                matched: touched
                    .iter()
                    .map(|job| picked.indexes(job).len() as u64)
                    .sum(),
                unknown: unknown.iter().map(missing).collect(),
                busy: busy
                    .map(|(job, index)| format!("{}.{}", job.id, job.spec.hosts[index].name))
                    .collect(),
                unreadable: unreadable.into_iter().collect(),
                jobs: touched.into_iter().map(|job| job_view(job, now)).collect(),
            }
        });
        Ok(reply.await?)
    }
}

//! The computers the jobs know, for a client: one row each, over all jobs.
//!
//! The engine is looked at some thousand children at a time, so that it never waits long for whoever counts.

use std::collections::HashMap;

use tokio::io::{AsyncRead, AsyncWrite};

use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::fleet::Fleet;
use crate::core::ids::JobId;
use crate::core::job::{Child, Job};
use crate::core::reason::{Limit, Reason};
use crate::core::spec::Host;
use crate::core::time::Wall;
use crate::engine::{Connected, Through, reason_view};
use crate::wire::Reply;
use crate::wire::look::{HostView, LastOutcome, Reached};

/// Children looked at while the engine waits.
const CHILDREN: usize = 5_000;

/// Computers in one frame.
const PAGE: usize = 2_000;

/// One computer, while the jobs are gone through.
#[derive(Clone, Debug)]
struct Seen {
    host: Host,
    counts: [u32; 10],
    last: Option<Told>,
    reached: Option<Told>,
}

/// Which child tells something, and when that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    at: Wall,
    job: JobId,
    index: usize,
}

type AllSeen = HashMap<String, Seen>;

impl Service {
    pub(super) async fn hosts<S>(&self, peer: &mut Peer<S>) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut next = Some((JobId(0), 0));
        let mut seen = AllSeen::new();
        while let Some(from) = next {
            (seen, next) = peer
                .unless_left(self.look(move |fleet, _| {
                    let mut seen = seen;
                    let next = go_through(fleet, from, &mut seen);
                    (seen, next)
                }))
                .await?;
        }
        let connected = self.engine.connected();
        let sorting = self.reading(peer, move |_| {
            let mut of_host: HashMap<&str, Vec<&Connected>> = HashMap::new();
            for one in &connected {
                for host in &one.hosts {
                    of_host.entry(host).or_default().push(one);
                }
            }
            let mut seen: Vec<(Seen, Open)> = seen
                .into_values()
                .map(|seen| {
                    let mut open = Open::default();
                    let all = of_host.get(&*seen.host.host).into_iter().flatten();
                    for one in all.filter(|one| is_of(one, &seen.host)) {
                        open.connections += 1;
                        open.via = open.via.or_else(|| way(&one.through));
                    }
                    (seen, open)
                })
                .collect();
            seen.sort_by(|(one, _), (other, _)| one.host.name.cmp(&other.host.name));
            seen
        });
        let mut seen = sorting.await?;
        loop {
            let rest = seen.split_off(seen.len().min(PAGE));
            let page = seen;
            let hosts = self
                .look(move |fleet, _| {
                    let views = page.into_iter().map(|(seen, open)| view(fleet, seen, open));
                    views.collect()
                })
                .await?;
            let last = rest.is_empty();
            peer.send(&Reply::Hosts { hosts, last }).await?;
            if last {
                return Ok(());
            }
            seen = rest;
        }
    }
}

/// Takes in some children from a job and a child's index on; says where to go on.
fn go_through(fleet: &Fleet, from: (JobId, usize), seen: &mut AllSeen) -> Option<(JobId, usize)> {
    let mut left = CHILDREN;
    for job in fleet.jobs_from(from.0) {
        let first = if job.id == from.0 { from.1 } else { 0 };
        for index in first..job.children.len() {
            if left == 0 {
                return Some((job.id, index));
            }
            left -= 1;
            take_in(job, index, seen);
        }
    }
    None
}

fn take_in(job: &Job, index: usize, seen: &mut AllSeen) {
    let host = &job.spec.hosts[index];
    // Most are known, and need no name of their own.
    if !seen.contains_key(&host.name) {
        let new = Seen {
            host: host.clone(),
            counts: [0; 10],
            last: None,
            reached: None,
        };
        seen.insert(host.name.clone(), new);
    }
    let Some(seen) = seen.get_mut(&host.name) else {
        return;
    };
    let child = &job.children[index];
    let told = |at: Wall| {
        Some(Told {
            at,
            job: job.id,
            index,
        })
    };
    if child.state.is_settled() {
        let at = child.ended.unwrap_or(job.created).wall;
        seen.last = seen.last.max(told(at));
    } else {
        seen.counts[child.state.word() as usize] += 1;
    }
    if let Some(at) = told_of_reach(child) {
        seen.reached = seen.reached.max(told(at));
    }
}

/// When a child came to tell whether its computer can be reached, if it does.
fn told_of_reach(child: &Child) -> Option<Wall> {
    let ended = child.ended.map(|at| at.wall);
    match child.began {
        Some(began) => Some(began.wall),
        None => ended.filter(|_| unreached(child).is_some()),
    }
}

/// Why a child's computer could not be reached, if that is why it failed.
fn unreached(child: &Child) -> Option<Reason> {
    let reason = child.state.reason()?;
    match &reason {
        Reason::Unreachable(_)
        | Reason::Protocol(_)
        | Reason::HostKeyUnknown(_)
        | Reason::HostKeyChanged(_)
        | Reason::HostKeyRevoked(_)
        | Reason::AuthFailed(_)
        | Reason::TimedOut {
            what: Limit::Connect,
            ..
        } => Some(reason),
        Reason::Exit(_)
        | Reason::Signal(_)
        | Reason::Sudo(_)
        | Reason::Secret(_)
        | Reason::Refused(_)
        | Reason::BadSettings(_)
        | Reason::TimedOut {
            what: Limit::Command | Limit::Job | Limit::Output,
            ..
        }
        | Reason::Stopped(_)
        | Reason::Killed
        | Reason::StoppedBeforeStart
        | Reason::ConnectionLost { .. }
        | Reason::Unmoved(_)
        | Reason::Internal(_) => None,
    }
}

/// The connections to a computer.
#[derive(Debug, Default)]
struct Open {
    connections: u32,
    via: Option<String>,
}

/// A way in a word, unless it is the direct one.
fn way(through: &Through) -> Option<String> {
    match through {
        Through::Hops(hops) if hops.is_empty() => None,
        Through::Hops(hops) => Some(hops.join(",")),
        Through::Command(_) => Some("ProxyCommand".to_string()),
    }
}

/// Whether a connection to a host of this name is one to this host: what was not said of the host may be anything.
fn is_of(connected: &Connected, host: &Host) -> bool {
    (host.user.as_ref()).is_none_or(|user| *user == connected.user)
        && host.port.is_none_or(|port| port == connected.port)
}

fn view(fleet: &Fleet, seen: Seen, open: Open) -> HostView {
    let Seen {
        host,
        counts,
        last,
        reached,
    } = seen;
    // What was removed meanwhile tells nothing any more.
    let child = |told: Told| {
        let job = fleet.job(told.job)?;
        Some((told, job, job.children.get(told.index)?))
    };
    let last = last.and_then(child).map(|(told, job, child)| LastOutcome {
        job: job.id.0,
        name: job.name(),
        child: job.id.child(told.index).0,
        state: child.state.word(),
        reason: child.state.reason().as_ref().map(reason_view),
        at: told.at.0,
    });
    let reached = reached.and_then(child).map(|(told, job, child)| Reached {
        child: job.id.child(told.index).0,
        at: told.at.0,
        failed: match child.began {
            Some(_) => None,
            None => unreached(child).map(|reason| reason.to_string()),
        },
    });
    HostView {
        host: host.name,
        counts,
        connections: open.connections,
        via: open.via,
        last,
        reached,
    }
}

//! A job's children by what they came to, for a client: same state, exit, reason and output.
//!
//! Children that are under way stand together by their state.  What outputs come to is worked out once for each child, by
//! [`super::digest`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::apart::{Told, Written, against, tell};
use super::digest::{Digest, Digester, Digests, Size, Sum};
use super::look::folded;
use super::looking::unreadable;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::fleet::Fleet;
use crate::core::ids::{ChildId, JobId};
use crate::core::job::Job;
use crate::core::output::Position;
use crate::core::spec::JobSpec;
use crate::core::state::State;
use crate::engine::reason_view;
use crate::store::{Store, Unreadable};
use crate::wire::Reply;
use crate::wire::look::{Folded, Group};
use crate::wire::reply::ReasonView;

/// Children looked at while the engine waits.
const CHILDREN: usize = 5_000;

/// Children, and about how many bytes of their output, that are digested before what came of it is kept.
const BATCH: usize = 2_000;
const BITE: u64 = 64 << 20;

/// A child as it stands.
struct Standing {
    index: u32,
    came_to: CameTo,
}

/// What a child has come to.
#[derive(Clone, PartialEq, Eq, Hash)]
enum CameTo {
    UnderWay(State),
    End {
        state: State,
        exit: Option<i32>,
        reason: Option<ReasonView>,
        end: Position,
        cut: Option<(Position, Position)>,
    },
}

impl CameTo {
    fn of(job: &Job, index: usize) -> Self {
        let child = &job.children[index];
        let state = child.state.word();
        if !child.state.is_settled() {
            return Self::UnderWay(state);
        }
        Self::End {
            state,
            exit: child.exit,
            reason: child.state.reason().as_ref().map(reason_view),
            end: child.output.end,
            cut: child.output.gap.map(|gap| (gap.from, gap.to)),
        }
    }

    /// How much output has to be read to know what it is.
    fn size(&self) -> Option<Size> {
        let Self::End { end, cut, .. } = self else {
            return None;
        };
        let cut = cut.map_or(0, |(from, to)| to.offset() - from.offset());
        let end = end.offset();
        (end > 0).then_some(Size { end, cut })
    }
}

/// Tells whoever digests that nobody waits for it any more.
#[derive(Default)]
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Service {
    pub(super) async fn fold<S>(&self, peer: &mut Peer<S>, job: JobId) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some((spec, standings)) = self.standings(job).await? else {
            let message = format!("there is no job {job}");
            let hint = None;
            return peer.send(&Reply::Error { message, hint }).await;
        };
        let mut known: HashMap<u32, Digest> = HashMap::new();
        let mut missing: Vec<(u32, Size)> = Vec::new();
        self.digests(|digests| {
            for Standing { index, came_to } in &standings {
                let Some(size) = came_to.size() else {
                    continue;
                };
                match digests.get(job, *index, size) {
                    Some(digest) => _ = known.insert(*index, digest),
                    None => missing.push((*index, size)),
                }
            }
        });
        // Outputs that are the same have one sample.
        let mut samples: HashMap<Sum, Bytes> = known
            .values()
            .map(|digest| (digest.sum, digest.sample.clone()))
            .collect();
        let left = Left::default();
        for batch in batches(missing) {
            let digesters: BTreeMap<ChildId, Digester> = self.digests(|digests| {
                let child =
                    |(index, _): &(u32, Size)| (job.child(*index as usize), digests.digester());
                batch.iter().map(child).collect()
            });
            let stop = Arc::clone(&left.0);
            let digested = self.reading(peer, move |store| digest(store, job, digesters, &stop));
            let digested = match digested.await? {
                Ok(digested) => digested,
                Err(why) => return peer.send(&unreadable(&why)).await,
            };
            let fresh: Vec<(u32, Digest)> = batch
                .into_iter()
                .zip(digested)
                .map(|((index, size), (sum, sample))| {
                    let sample = samples.entry(sum).or_insert_with(|| sample.into()).clone();
                    (index, Digest { size, sum, sample })
                })
                .collect();
            known.extend(fresh.iter().cloned());
            self.digests(|digests| digests.keep(job, fresh));
        }
        let before = self.digests(|digests| digests.told(job));
        let stop = Arc::clone(&left.0);
        let found = self.reading(peer, move |store| {
            let members = gathered(standings, &known);
            let told = tell(store, job, &written(job, &members), &before, &stop)?;
            Ok((groups(job, &spec, members, &known, &told), told))
        });
        let (groups, told) = match found.await? {
            Ok(found) => found,
            Err(why) => return peer.send(&unreadable(&why)).await,
        };
        self.digests(|digests| digests.keep_told(job, told));
        peer.send(&Reply::Folded(Folded { job: job.0, groups }))
            .await
    }

    /// How all children of a job stand; nothing if there is no such job.
    async fn standings(&self, job: JobId) -> Result<Option<(Arc<JobSpec>, Vec<Standing>)>, Broken> {
        let first = self.look(move |fleet, _| {
            let here: HashSet<JobId> = fleet.jobs().map(|job| job.id).collect();
            let spec = fleet.job(job).map(|job| Arc::clone(&job.spec));
            (here, spec)
        });
        let (here, spec) = first.await?;
        self.digests(|digests| digests.forget(|job| !here.contains(&job)));
        let Some(spec) = spec else {
            return Ok(None);
        };
        let mut standings: Vec<Standing> = Vec::with_capacity(spec.hosts.len());
        while standings.len() < spec.hosts.len() {
            let from = standings.len();
            let some = self.look(move |fleet, _| some_standings(fleet, job, from));
            let Some(some) = some.await? else {
                return Ok(None);
            };
            standings.extend(some);
        }
        Ok(Some((spec, standings)))
    }

    fn digests<T>(&self, with: impl FnOnce(&mut Digests) -> T) -> T {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        with(&mut digests)
    }
}

fn some_standings(fleet: &Fleet, job: JobId, from: usize) -> Option<Vec<Standing>> {
    let job = fleet.job(job)?;
    let to = job.children.len().min(from + CHILDREN);
    let standing = |index: usize| Standing {
        index: index as u32,
        came_to: CameTo::of(job, index),
    };
    Some((from..to).map(standing).collect())
}

/// Children whose output is digested together.
fn batches(missing: Vec<(u32, Size)>) -> Vec<Vec<(u32, Size)>> {
    let mut batches: Vec<Vec<(u32, Size)>> = Vec::new();
    let mut bytes = BITE;
    for (index, size) in missing {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes < BITE => batch.push((index, size)),
            _ => {
                bytes = 0;
                batches.push(vec![(index, size)]);
            }
        }
        bytes += size.end - size.cut;
    }
    batches
}

/// Digests these children's output, in order.
fn digest(
    store: &Store,
    job: JobId,
    mut digesters: BTreeMap<ChildId, Digester>,
    stop: &AtomicBool,
) -> Result<Vec<(Sum, Vec<u8>)>, Unreadable> {
    let children: Vec<ChildId> = digesters.keys().copied().collect();
    store.each_piece(job, &children, &mut |child, stream, data| {
        if let Some(digester) = digesters.get_mut(&child) {
            digester.piece(stream, data);
        }
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(digesters.into_values().map(Digester::finish).collect())
}

/// Children that came to the same: by their indexes, and what their output comes to, if there is any.
struct Members {
    came_to: CameTo,
    sum: Option<Sum>,
    indexes: Vec<u32>,
}

/// Children that came to the same, the most first.
fn gathered(standings: Vec<Standing>, known: &HashMap<u32, Digest>) -> Vec<Members> {
    let mut members: HashMap<(CameTo, Option<Sum>), Vec<u32>> = HashMap::new();
    for Standing { index, came_to } in standings {
        let sum = known.get(&index).map(|digest| digest.sum);
        members.entry((came_to, sum)).or_default().push(index);
    }
    let members = members.into_iter();
    let mut members: Vec<Members> = members
        .map(|((came_to, sum), indexes)| Members {
            came_to,
            sum,
            indexes,
        })
        .collect();
    members.sort_by_key(|members| {
        let indexes = &members.indexes;
        (std::cmp::Reverse(indexes.len()), indexes.first().copied())
    });
    members
}

/// What those that ended wrote, in order.
fn written(job: JobId, members: &[Members]) -> Vec<Written> {
    let ended = members
        .iter()
        .filter(|members| matches!(members.came_to, CameTo::End { .. }));
    let written = ended.filter_map(|members| {
        let first = members.indexes.first()?;
        Some(Written {
            sum: members.sum,
            child: job.child(*first as usize),
        })
    });
    written.collect()
}

fn groups(
    job: JobId,
    spec: &JobSpec,
    members: Vec<Members>,
    known: &HashMap<u32, Digest>,
    told: &Told,
) -> Vec<Group> {
    let written = written(job, &members);
    let apart = (0..written.len()).filter_map(|number| {
        let (pair, _) = against(&written, number)?;
        let line = told.get(&pair).filter(|line| !line.is_empty())?;
        Some((written[number].child, line.clone()))
    });
    let mut apart: HashMap<ChildId, Bytes> = apart.collect();
    let group = |members: Members| {
        let Members {
            came_to, indexes, ..
        } = members;
        let first = indexes.first();
        let line = first.and_then(|index| apart.remove(&job.child(*index as usize)));
        let last = first.and_then(|index| known.get(index));
        let sample = line.or_else(|| last.map(|digest| digest.sample.clone()));
        let sample = sample.unwrap_or_default();
        let name = |index: &u32| spec.hosts[*index as usize].name.as_str();
        let hosts = folded(indexes.iter().map(name));
        let child = |index: &u32| job.child(*index as usize).0;
        let children = indexes.iter().map(child).collect();
        match came_to {
            CameTo::UnderWay(state) => Group {
                children,
                hosts,
                state,
                exit: None,
                reason: None,
                output: crate::core::output::Count::default(),
                cut: false,
                sample,
            },
            CameTo::End {
                state,
                exit,
                reason,
                end,
                cut,
            } => Group {
                children,
                hosts,
                state,
                exit,
                reason,
                output: end.total(),
                cut: cut.is_some(),
                sample,
            },
        }
    };
    members.into_iter().map(group).collect()
}

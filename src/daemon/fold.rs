//! A job's children by what they came to, for a client: same state, exit, reason and output, but for what is ignored in
//! output.  What was cut out of it is not there to be compared: where output is compared to the byte, as much has to be
//! missing at the same place.
//!
//! Children that are under way stand together by their state.  What outputs come to is worked out once for each child, by
//! [`super::digest`].

mod standing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::apart::{Told, Written, against, tell};
use super::digest::{Digest, Digester, Digests, Size, Sum};
use super::looking::unreadable;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::alike::{Ignored, Reading};
use crate::core::fleet::Fleet;
use crate::core::ids::{ChildId, JobId};
use crate::core::spec::JobSpec;
use crate::store::{Store, Unreadable};
use crate::targets::folded;
use crate::wire::Reply;
use crate::wire::look::{Folded, Group};
use standing::{CameTo, Output, Standing};

/// Children looked at while the engine waits.
const CHILDREN: usize = 5_000;

/// Children, and about how many bytes of their output, that are digested before what came of it is kept.
const BATCH: usize = 2_000;
const BITE: u64 = 64 << 20;

/// Tells whoever digests that nobody waits for it any more.
#[derive(Default)]
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Service {
    pub(super) async fn fold<S>(
        &self,
        peer: &mut Peer<S>,
        job: JobId,
        ignored: Ignored,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some((spec, standings)) = self.standings(job, ignored).await? else {
            let message = format!("there is no job {job}");
            let hint = None;
            return peer.send(&Reply::Error { message, hint }).await;
        };
        let way = (job, ignored);
        let mut known: HashMap<u32, Digest> = HashMap::new();
        let mut missing: Vec<(u32, Size)> = Vec::new();
        self.digests(|digests| {
            for standing in &standings {
                let index = standing.index;
                let Some(size) = standing.size() else {
                    continue;
                };
                match digests.get(way, index, size) {
                    Some(digest) => _ = known.insert(index, digest),
                    None => missing.push((index, size)),
                }
            }
        });
        // Outputs that are the same have one sample.
        let mut samples: HashMap<Sum, Bytes> = known
            .values()
            .filter_map(|digest| Some((digest.sum?, digest.sample.clone())))
            .collect();
        let key = self.digests(|digests| digests.key());
        let left = Left::default();
        for batch in batches(missing) {
            let digester = |(index, _): &(u32, Size)| {
                let index = *index as usize;
                (
                    job.child(index),
                    key.digester(reading(&spec, index, ignored)),
                )
            };
            let digesters: BTreeMap<ChildId, Digester> = batch.iter().map(digester).collect();
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
                    let sample = match sum {
                        Some(sum) => samples.entry(sum).or_insert_with(|| sample.into()).clone(),
                        None => sample.into(),
                    };
                    (index, Digest { size, sum, sample })
                })
                .collect();
            known.extend(fresh.iter().cloned());
            self.digests(|digests| digests.keep(way, fresh));
        }
        let before = self.digests(|digests| digests.told(way));
        let stop = Arc::clone(&left.0);
        let found = self.reading(peer, move |store| {
            let members = gathered(standings, &known);
            let reading = |child: ChildId| {
                let index = job.index_of(child).expect("it is a child of this job");
                reading(&spec, index, ignored)
            };
            let told = tell(
                store,
                job,
                &written(job, &members),
                &reading,
                &before,
                &stop,
            )?;
            Ok((groups(job, &spec, members, &known, &told), told))
        });
        let (groups, told) = match found.await? {
            Ok(found) => found,
            Err(why) => return peer.send(&unreadable(&why)).await,
        };
        self.digests(|digests| digests.keep_told(way, told));
        peer.send(&Reply::Folded(Folded { job: job.0, groups }))
            .await
    }

    /// How all children of a job stand; nothing if there is no such job.
    async fn standings(
        &self,
        job: JobId,
        ignored: Ignored,
    ) -> Result<Option<(Arc<JobSpec>, Vec<Standing>)>, Broken> {
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
            let some = self.look(move |fleet, _| some_standings(fleet, job, from, ignored));
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

fn some_standings(
    fleet: &Fleet,
    job: JobId,
    from: usize,
    ignored: Ignored,
) -> Option<Vec<Standing>> {
    let job = fleet.job(job)?;
    let to = job.children.len().min(from + CHILDREN);
    let standing = |index| Standing::of(job, index, ignored);
    Some((from..to).map(standing).collect())
}

/// How the output of a job's child reads.
fn reading(spec: &JobSpec, index: usize, ignored: Ignored) -> Reading {
    Reading::new(ignored, &spec.hosts[index].host)
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

/// What an output comes to, and the beginning of its last line.
type Digested = (Option<Sum>, Vec<u8>);

/// Digests these children's output, in order.
fn digest(
    store: &Store,
    job: JobId,
    mut digesters: BTreeMap<ChildId, Digester>,
    stop: &AtomicBool,
) -> Result<Vec<Digested>, Unreadable> {
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
    /// Of the first of them.
    output: Output,
    indexes: Vec<u32>,
}

/// Children that came to the same, the most first.
fn gathered(standings: Vec<Standing>, known: &HashMap<u32, Digest>) -> Vec<Members> {
    let mut members: HashMap<(CameTo, Option<Sum>), (Output, Vec<u32>)> = HashMap::new();
    for standing in standings {
        let Standing {
            index,
            came_to,
            output,
        } = standing;
        let sum = known.get(&index).and_then(|digest| digest.sum);
        let with = members.entry((came_to, sum));
        let (_, indexes) = with.or_insert_with(|| (output, Vec::new()));
        indexes.push(index);
    }
    let members = members.into_iter();
    let mut members: Vec<Members> = members
        .map(|((came_to, sum), (output, indexes))| Members {
            came_to,
            sum,
            output,
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
            came_to,
            output,
            indexes,
            ..
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
        let (state, exit, reason) = match came_to {
            CameTo::UnderWay(state) => (state, None, None),
            CameTo::End {
                state,
                exit,
                reason,
                ..
            } => (state, exit, reason),
        };
        Group {
            children,
            hosts,
            state,
            exit,
            reason,
            output: output.end,
            cut: output.cut > 0,
            sample,
        }
    };
    members.into_iter().map(group).collect()
}

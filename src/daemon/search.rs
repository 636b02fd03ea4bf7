//! Searching output for a client: rows in which a pattern matches, streamed as they are found.
//!
//! The work is done beside the engine, a few megabytes at a time, and ends when the client leaves.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use regex::bytes::{Regex, RegexBuilder};
use tokio::io::{AsyncRead, AsyncWrite};

use super::looking::{point, unreadable};
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::ids::{ChildId, JobId};
use crate::store::{Row, RowEnd, RowKind, Spot, Store, Unreadable};
use crate::view::ansi::plain;
use crate::wire::Reply;
use crate::wire::look::{Case, Found, Search};

/// Bytes searched, hits found and children visited before the client hears of it.
const BITE: u64 = 2 << 20;
const HITS: usize = 4096;
const CHILDREN: usize = 1024;

/// Memory a compiled pattern may take: generous for what people write, and nothing that hurts.
const PATTERN: usize = 1 << 20;

impl Service {
    pub(super) async fn search<S>(&self, peer: &mut Peer<S>, search: Search) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let jobs = self
            .jobs_of(search.children.iter().map(|(child, _)| *child))
            .await?;
        let left = Left::default();
        let stop = Arc::clone(&left.0);
        let begun = self
            .reading(peer, move |_| Searcher::new(&search, &jobs, stop))
            .await?;
        let mut searcher = match begun {
            Ok(searcher) => searcher,
            Err(error) => {
                let (message, hint) = (error.to_string(), None);
                return peer.send(&Reply::Error { message, hint }).await;
            }
        };
        loop {
            let bite = self
                .reading(peer, move |store| {
                    let found = searcher.bite(store);
                    (searcher, found)
                })
                .await?;
            let found;
            (searcher, found) = bite;
            match found {
                Ok(found) => {
                    let last = found.last;
                    peer.send(&Reply::Found(found)).await?;
                    if last {
                        return Ok(());
                    }
                }
                Err(why) => return peer.send(&unreadable(&why)).await,
            }
        }
    }
}

/// Tells a search that its client has left, so that not even one bite is finished in vain.
#[derive(Default)]
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A search under way.
struct Searcher {
    pattern: Regex,
    children: VecDeque<(JobId, ChildId, u64)>,
    /// Hits that are still wanted.
    left: usize,
    stop: Arc<AtomicBool>,
}

impl Searcher {
    fn new(
        search: &Search,
        jobs: &BTreeMap<u64, JobId>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, regex::Error> {
        let pattern = RegexBuilder::new(&search.pattern)
            .case_insensitive(search.case == Case::Ignored)
            .size_limit(PATTERN)
            .build()?;
        let child = |(child, from): &(u64, u64)| Some((*jobs.get(child)?, ChildId(*child), *from));
        Ok(Self {
            pattern,
            children: search.children.iter().filter_map(child).collect(),
            left: search.limit as usize,
            stop,
        })
    }

    /// Searches on for a while.
    fn bite(&mut self, store: &Store) -> Result<Found, Unreadable> {
        let (mut hits, mut searched) = (Vec::new(), Vec::new());
        let mut budget = BITE;
        while budget > 0
            && self.left > 0
            && hits.len() < HITS
            && searched.len() < CHILDREN
            && !self.stop.load(Ordering::Relaxed)
            && let Some((job, child, from)) = self.children.front_mut()
        {
            let mut glance = store.glance(*job, *child);
            let end = Spot::from(glance.end()?);
            let to = from.saturating_add(budget);
            let (pattern, left, stop) = (&self.pattern, &mut self.left, &self.stop);
            let mut open = None;
            let room = HITS - hits.len();
            let before = hits.len();
            let mut reached = glance.rows(*from, to, &mut |row| {
                // The row that holds the place belongs to what was searched before, unless it begins there.
                if row.at.offset >= *from && matches(pattern, row) {
                    hits.push((child.0, point(row.at)));
                    *left -= 1;
                }
                open = is_open(row).then_some(row.at);
                if *left > 0 && hits.len() - before < room && !stop.load(Ordering::Relaxed) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            budget = budget.saturating_sub((reached.offset.saturating_sub(*from)).max(1));
            let finished = reached.offset >= end.offset;
            *from = reached.offset;
            if let Some(open) = open.filter(|_| finished) {
                reached = open;
            }
            searched.push((child.0, point(reached)));
            if finished {
                self.children.pop_front();
            }
        }
        Ok(Found {
            hits,
            searched,
            last: self.children.is_empty() || self.left == 0,
            limited: self.left == 0,
        })
    }
}

fn matches(pattern: &Regex, row: Row<'_>) -> bool {
    match row.what {
        RowKind::Text { data, .. } => pattern.is_match(plain(data).as_bytes()),
        RowKind::Cut(_) => false,
    }
}

/// Whether more may come to this row.
fn is_open(row: Row<'_>) -> bool {
    matches!(
        row.what,
        RowKind::Text {
            ends: RowEnd::Open,
            ..
        }
    )
}

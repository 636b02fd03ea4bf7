//! Looking at output for a client: stretches of one child's, rows by their offsets, last rows.  Nothing here is received.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Gap;
use crate::store::{self, Spot, Store, Unreadable};
use crate::wire::Reply;
use crate::wire::look::{Look, Place, Point, Row, RowEnd, RowKind, Rows, Seen};

/// Bytes around a place that are shown at once.
const MOST: u64 = 4 << 20;

/// Rows that are shown before a place, and behind it: a row takes more than its bytes.
const MOST_ROWS: usize = 32 << 10;

/// Rows and children of which one request may ask.
const ROWS: usize = 1_000;
const TAILS: usize = 500;

/// Bytes of all rows of a request for some.
const ALTOGETHER: usize = 16 << 20;

/// Bytes of a last row.
const TAIL: usize = 512;

impl Service {
    /// A stretch of a child's output.
    pub(super) async fn seen<S>(&self, peer: &mut Peer<S>, look: Look) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(job) = self.jobs_of([look.child]).await?.remove(&look.child) else {
            return peer.send(&no_such_child(look.child)).await;
        };
        let seen = self.reading(peer, move |store| stretch(store, job, look));
        let reply = seen.await?.map_or_else(|why| unreadable(&why), Reply::Seen);
        peer.send(&reply).await
    }

    /// Rows by their offsets.
    pub(super) async fn rows<S>(&self, peer: &mut Peer<S>, asked: Rows) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Rows { mut rows, most } = asked;
        rows.truncate(ROWS);
        let most = (most as usize).min(ALTOGETHER / rows.len().max(1));
        let jobs = self.jobs_of(rows.iter().map(|(child, _)| *child)).await?;
        let found = self.reading(peer, move |store| {
            let mut found = Vec::new();
            for (child, offset) in rows {
                let Some(job) = jobs.get(&child) else {
                    continue;
                };
                let mut glance = store.glance(*job, ChildId(child));
                glance.rows(offset, offset.saturating_add(1), &mut |row| {
                    if row.at.offset == offset {
                        found.push(view(child, row, most));
                    }
                    ControlFlow::Continue(())
                })?;
            }
            Ok(found)
        });
        let reply = found
            .await?
            .map_or_else(|why| unreadable(&why), Reply::Rows);
        peer.send(&reply).await
    }

    /// The last row of each child that is not empty.
    pub(super) async fn tails<S>(
        &self,
        peer: &mut Peer<S>,
        mut children: Vec<u64>,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        children.truncate(TAILS);
        let jobs = self.jobs_of(children.iter().copied()).await?;
        let found = self.reading(peer, move |store| {
            let mut found = Vec::new();
            for child in children {
                let Some(job) = jobs.get(&child) else {
                    continue;
                };
                let mut glance = store.glance(*job, ChildId(child));
                // One job's damaged file is no reason to show nothing of the others.
                let last = glance.last_row(|row| view(child, row, TAIL));
                found.extend(last.ok().flatten());
            }
            Ok(found)
        });
        let reply = found
            .await?
            .map_or_else(|why| unreadable(&why), Reply::Rows);
        peer.send(&reply).await
    }

    /// Which job each of these children belongs to; without those that are not there.
    pub(super) async fn jobs_of(
        &self,
        children: impl IntoIterator<Item = u64>,
    ) -> Result<BTreeMap<u64, JobId>, Broken> {
        let children: Vec<u64> = children.into_iter().collect();
        let found = self.look(move |fleet, _| {
            let job = |child: u64| Some((child, fleet.find_child(ChildId(child))?.0.id));
            children.into_iter().filter_map(job).collect()
        });
        Ok(found.await?)
    }

    /// Reads the store beside the engine, unless the client leaves first.
    pub(super) async fn reading<S, T>(
        &self,
        peer: &mut Peer<S>,
        read: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: Send + 'static,
    {
        let store = Arc::clone(self.engine.store());
        let reading = tokio::task::spawn_blocking(move || read(&store));
        peer.unless_left(async { Ok(reading.await.expect("reading does not panic")) })
            .await
    }
}

fn stretch(store: &Store, job: JobId, look: Look) -> Result<Seen, Unreadable> {
    let Look {
        child,
        at,
        before,
        behind,
    } = look;
    let mut glance = store.glance(job, ChildId(child));
    let extent = glance.extent()?;
    let end = Spot::from(extent.end);
    let before = u64::from(before).min(MOST);
    let behind = u64::from(behind).min(MOST - before);
    let at = match at {
        Place::Offset(offset) => offset.min(end.offset),
        Place::End => end.offset,
    };
    let (mut rows, mut rows_behind) = (VecDeque::new(), 0);
    let from = at.saturating_sub(before);
    let to = glance.rows(from, (at + behind).max(from + 1), &mut |row| {
        rows.push_back(view(child, row, usize::MAX));
        if row.at.offset < at {
            if rows.len() > MOST_ROWS {
                rows.pop_front();
            }
            return ControlFlow::Continue(());
        }
        rows_behind += 1;
        if rows_behind < MOST_ROWS {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(Seen {
        child,
        rows: rows.into(),
        to: point(to),
        end: point(end),
        dropped: extent.gap.map(Gap::size).unwrap_or_default(),
    })
}

/// A row as clients get it, at most so many bytes of its text.
fn view(child: u64, row: store::Row<'_>, most: usize) -> Row {
    Row {
        child,
        at: point(row.at),
        time: row.time.map(|time| time.0),
        what: match row.what {
            store::RowKind::Text { stream, data, ends } => RowKind::Text {
                stream,
                data: Bytes::copy_from_slice(&data[..data.len().min(most)]),
                ends: match ends {
                    store::RowEnd::Newline => RowEnd::Newline,
                    store::RowEnd::Open => RowEnd::Open,
                },
            },
            store::RowKind::Cut(count) => RowKind::Cut(count),
        },
    }
}

pub(super) fn point(spot: Spot) -> Point {
    Point {
        offset: spot.offset,
        line: spot.line,
    }
}

pub(super) fn unreadable(why: &Unreadable) -> Reply {
    Reply::Error {
        message: why.to_string(),
        hint: None,
    }
}

fn no_such_child(child: u64) -> Reply {
    Reply::Error {
        message: format!("there is no child {child}"),
        hint: None,
    }
}

#[cfg(test)]
mod tests;

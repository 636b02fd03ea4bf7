//! Looking at one child's output by offset, on disk and in memory, without receiving it.
//!
//! Everything here blocks; nothing holds up whoever writes.  What a row is, [`super::rows`] says.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::block::Block;
use super::log::ChildLog;
use super::output::{self, Order, Stretch};
use super::reader::{Connections, Unreadable};
use super::rows::{Cutter, LOOK_BACK, Row, RowKind, Spot};
use super::schema::Trouble;
use super::work::locked;
use super::{Extent, Store};
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Position;

/// How far back the last row that is not empty is looked for, in steps: mostly it is near.
const LAST: [u64; 3] = [1 << 10, 32 << 10, 512 << 10];

/// One child's output as it was when somebody looked: what has come since is not in it.  What is cut while it is looked
/// at may be missing.
#[derive(Debug)]
pub struct Glance {
    job: JobId,
    child: usize,
    /// What was in memory, and where that begins.
    memory: Vec<Arc<Block>>,
    memory_from: u64,
    /// As far as the log knows; of a child without one, once somebody has asked.
    extent: Option<Extent>,
    disk: Disk,
}

/// A connection to the job's file, made when it is needed.
#[derive(Debug)]
pub(super) struct Disk {
    connections: Arc<Connections>,
    path: PathBuf,
    db: Option<Connection>,
}

impl Disk {
    pub(super) fn get(&mut self) -> Result<Option<&Connection>, Trouble> {
        if self.db.is_none() {
            self.db = self.connections.take(&self.path)?;
        }
        Ok(self.db.as_ref())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            self.connections.give_back(&self.path, db);
        }
    }
}

impl Store {
    /// A look at a child's output.
    pub fn glance(&self, job: JobId, child: ChildId) -> Glance {
        let index = job.index_of(child).unwrap_or_default();
        Glance::new(job, index, self.live_log(child), self.disk(job))
    }

    pub(super) fn disk(&self, job: JobId) -> Disk {
        Disk {
            connections: Arc::clone(&self.readers),
            path: output::path(&self.dir, job.0),
            db: None,
        }
    }

    /// The log of a child that writes, or has just written.
    pub(super) fn live_log(&self, child: ChildId) -> Option<Arc<Mutex<ChildLog>>> {
        let logs = self
            .logs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        logs.get(child)
    }
}

impl Glance {
    fn new(job: JobId, child: usize, log: Option<Arc<Mutex<ChildLog>>>, disk: Disk) -> Self {
        // Memory comes first: what leaves it is on disk before.
        let (memory, memory_from, extent) = match log {
            Some(log) => {
                let log = locked(&log);
                let from = log.in_memory_from().offset();
                (log.snapshot(), from, Some(log.extent()))
            }
            None => (Vec::new(), u64::MAX, None),
        };
        Self {
            job,
            child,
            memory,
            memory_from,
            extent,
            disk,
        }
    }

    /// How far it goes, and what was cut out of it.
    pub fn extent(&mut self) -> Result<Extent, Unreadable> {
        let (child, job) = (self.child, self.job);
        let on_disk = match self.disk.get() {
            Ok(Some(db)) => output::extent(db, child),
            Ok(None) => Ok(Extent::default()),
            Err(trouble) => Err(trouble),
        };
        let on_disk = on_disk.map_err(|trouble| unreadable(job, &trouble))?;
        let extent = match self.extent {
            Some(Extent { end, gap }) => Extent {
                end,
                gap: output::both(gap, on_disk.gap),
            },
            None => on_disk,
        };
        self.extent = Some(extent);
        Ok(extent)
    }

    /// Where it ends.
    pub fn end(&mut self) -> Result<Position, Unreadable> {
        match self.extent {
            Some(extent) => Ok(extent.end),
            None => Ok(self.extent()?.end),
        }
    }

    /// Shows the rows that hold something of the bytes from `from` to before `to`, in order and each as a whole, for as
    /// long as `visit` wants more; says where the last of them ends.
    pub fn rows(
        &mut self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<Spot, Unreadable> {
        let job = self.job;
        let mut shown = None;
        let mut within = |row: Row<'_>| {
            if row.end.offset <= from {
                return ControlFlow::Continue(());
            }
            if row.at.offset >= to {
                return ControlFlow::Break(());
            }
            shown = Some(row.end);
            visit(row)?;
            if row.end.offset >= to {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        self.cut_rows(from, &mut within)
            .map_err(|trouble| unreadable(job, &trouble))?;
        match shown {
            Some(end) => Ok(end),
            None => Ok(self.end()?.into()),
        }
    }

    /// The last row that is not empty, if it is not far from the end.
    pub fn last_row<T>(
        &mut self,
        mut keep: impl FnMut(Row<'_>) -> T,
    ) -> Result<Option<T>, Unreadable> {
        let end = self.end()?.offset();
        for back in LAST {
            let (mut last, mut cut) = (None, None);
            self.rows(end.saturating_sub(back), end, &mut |row| {
                match row.what {
                    RowKind::Text { data, .. } if data.trim_ascii().is_empty() => {}
                    RowKind::Text { .. } => last = Some(keep(row)),
                    // Not a line: only if there is nothing else.
                    RowKind::Cut(_) => cut = Some(()),
                }
                ControlFlow::Continue(())
            })?;
            if last.is_some() {
                return Ok(last);
            }
            if back >= end || cut.is_some() {
                break;
            }
        }
        Ok(None)
    }

    /// Cuts everything from a place before `from` into rows; what comes before `from` may be cut amiss.
    fn cut_rows(
        &mut self,
        from: u64,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let (before, start) = self.before(from)?;
        let mut cutter = match (start, before.first()) {
            (Start::Amidst, Some(block)) => Cutter::amidst(block.start.into()),
            (Start::Amidst | Start::OfAll, _) => Cutter::at_line(Spot::default()),
        };
        let mut cut = |block: &Block| {
            let start = Spot::from(block.start);
            if start.offset > cutter.at().offset {
                cutter.cut(start, visit)?;
            }
            let mut runs = block.runs();
            runs.try_for_each(|(stream, data)| cutter.text(stream, data, block.at, visit))
        };
        for block in &before {
            if cut(block).is_break() {
                return Ok(());
            }
        }
        let next = before.last().map_or(0, |block| block.end.offset());
        if self.blocks_from(next, &mut cut)?.is_break() {
            return Ok(());
        }
        let end = self.extent.map(|extent| Spot::from(extent.end));
        if let Some(end) = end
            && end.offset > cutter.at().offset
        {
            _ = cutter.cut(end, visit);
        } else {
            _ = cutter.finish(visit);
        }
        Ok(())
    }

    /// As many blocks that begin before `from` as are needed to know where the row begins that holds it.
    fn before(&mut self, from: u64) -> Result<(Vec<Arc<Block>>, Start), Trouble> {
        let mut found: Vec<Arc<Block>> = Vec::new();
        let mut take = |block: Arc<Block>| {
            let start = block.start.offset();
            let next = found.last().map_or(from, |next| next.start.offset());
            let enough = block.end.offset() < next
                || begins_a_line(&block, from)
                || start + LOOK_BACK <= from;
            found.push(block);
            if start == 0 {
                ControlFlow::Break(Start::OfAll)
            } else if enough {
                ControlFlow::Break(Start::Amidst)
            } else {
                ControlFlow::Continue(())
            }
        };
        let in_memory = self.memory.iter().rev();
        let mut in_memory = in_memory.filter(|block| block.start.offset() < from);
        let mut flow = in_memory.try_for_each(|block| take(Arc::clone(block)));
        let to = from.min(self.memory_from);
        if flow.is_continue()
            && to > 0
            && let Some(db) = self.disk.get()?
        {
            let stretch = Stretch {
                child: self.child,
                from: 0,
                to,
            };
            output::each_block(db, stretch, Order::Backward, |block| {
                flow = take(Arc::new(block));
                match flow {
                    ControlFlow::Continue(()) => ControlFlow::Continue(()),
                    ControlFlow::Break(_) => ControlFlow::Break(()),
                }
            })?;
        }
        found.reverse();
        Ok((found, flow.break_value().unwrap_or(Start::OfAll)))
    }

    /// Hands over the blocks that begin at `from` or behind it.
    fn blocks_from(
        &mut self,
        from: u64,
        take: &mut dyn FnMut(&Block) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Trouble> {
        let mut flow = ControlFlow::Continue(());
        if from < self.memory_from
            && let Some(db) = self.disk.get()?
        {
            let stretch = Stretch {
                child: self.child,
                from,
                to: self.memory_from,
            };
            output::each_block(db, stretch, Order::Forward, |block| {
                flow = take(&block);
                flow
            })?;
        }
        if flow.is_continue() {
            let in_memory = self.memory.iter();
            let mut in_memory = in_memory.filter(|block| block.start.offset() >= from);
            flow = in_memory.try_for_each(|block| take(block));
        }
        Ok(flow)
    }

    /// Hands over all of it.
    pub(super) fn each_block(
        &mut self,
        take: &mut dyn FnMut(&Block) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Unreadable> {
        let job = self.job;
        self.blocks_from(0, take)
            .map_err(|trouble| unreadable(job, &trouble))
    }
}

/// What the first block that was found is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// The first there is, from the beginning or behind a cut.
    OfAll,
    /// One among others.
    Amidst,
}

/// Whether a line begins in the block, at `from` or before it, and not just with the block itself.
fn begins_a_line(block: &Block, from: u64) -> bool {
    let mut at = block.start.offset();
    let mut first = true;
    for (_, data) in block.runs() {
        if !first && at <= from {
            return true;
        }
        first = false;
        let seen = from.saturating_sub(at).min(data.len() as u64) as usize;
        if data[..seen].contains(&b'\n') {
            return true;
        }
        at += data.len() as u64;
    }
    false
}

pub(super) fn unreadable(job: JobId, trouble: &Trouble) -> Unreadable {
    Unreadable {
        job,
        why: trouble.to_string(),
    }
}

#[cfg(test)]
mod tests;

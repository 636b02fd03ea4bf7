//! What has to outlive this process: jobs, children, cursors, and output.
//!
//! A directory with `catalog.db` and, for each job that wrote something, `jobs/<id>.db`.  One thread writes, in batches, a
//! child's output always before what is said about the child; readers have connections of their own and never hold it
//! up.  What is not written yet is in memory, within a bound that is kept by letting writers wait.  A child keeps the
//! first and the last of what it wrote; what is cut out between is counted, never silently gone.
//!
//! The store knows nothing of cursors, states or jobs' lives: `core` decides what is received and what is removed.

mod append;
mod block;
mod bulk;
mod catalog;
pub mod check;
mod glance;
mod history;
mod log;
mod open;
mod output;
mod reader;
mod rows;
mod schema;
mod work;
mod writer;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::watch;

use crate::core::ids::{ChildId, JobId};
use crate::core::job::Job;
use crate::core::output::{Count, Gap, Position, Stream};
use crate::core::receive::Window;
use crate::core::saved::{SavedChild, SavedJob};
use crate::core::time::Wall;
use log::ChildLog;
use work::{Progress, Shared};

pub use append::Log;
pub use bulk::TakePiece;
pub use glance::Glance;
pub use history::{Past, Search};
pub use open::OpenError;
pub use reader::{Reader, Unreadable};
pub use rows::{Row, RowEnd, RowKind, Spot};
pub use schema::Trouble;

/// How much output is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes kept from a child's beginning.
    pub head: usize,
    /// Bytes kept from its end.
    pub tail: usize,
    /// Bytes kept of a job as a whole: beyond that every child's end shrinks, but never below [`Caps::floor`].
    pub job: u64,
}

impl Default for Caps {
    /// First 1 MiB, last 9 MiB, 2 GiB a job.
    fn default() -> Self {
        Self {
            head: 1 << 20,
            tail: 9 << 20,
            job: 2 << 30,
        }
    }
}

impl Caps {
    /// What a child keeps of its end however much the job has.
    fn floor(&self) -> u64 {
        (self.tail as u64).min(64 << 10)
    }

    /// What a child of so many keeps of its end in any case, however much the others write.
    fn share(&self, children: usize) -> u64 {
        let each = self.job / children.max(1) as u64;
        let tail = self.tail as u64;
        let left = each.saturating_sub(self.head as u64);
        if left >= tail {
            return tail;
        }
        // Ends are halved until all fits: the last time it is by half too much, at worst.
        (left / 2).max(self.floor())
    }
}

/// A store that is open.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    key: u64,
    caps: Caps,
    shared: Arc<Shared>,
    /// Held for look-ups only, never across an await and never while bytes are copied.
    logs: Mutex<Logs>,
    readers: Arc<reader::Connections>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Holding it is what makes us the only one.
    _lock: File,
    /// A directory that goes away with the store.
    temporary: Option<tempfile::TempDir>,
}

/// The logs of children that write, and of those that were just written: nobody holds them any more.
#[derive(Debug, Default)]
struct Logs {
    logs: BTreeMap<ChildId, Weak<Mutex<ChildLog>>>,
    /// How many there may be before those that are gone are looked for.
    limit: usize,
}

impl Logs {
    fn insert(&mut self, child: ChildId, log: &Arc<Mutex<ChildLog>>) {
        if self.logs.len() >= self.limit {
            self.logs.retain(|_, log| log.strong_count() > 0);
            self.limit = (2 * self.logs.len()).max(64);
        }
        self.logs.insert(child, Arc::downgrade(log));
    }

    fn get(&self, child: ChildId) -> Option<Arc<Mutex<ChildLog>>> {
        self.logs.get(&child).and_then(Weak::upgrade)
    }
}

/// What an earlier process left.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    pub jobs: Vec<SavedJob>,
    /// The first id that was never used.
    pub next_id: u64,
    /// When jobs were removed that the history remembers.
    pub removed: BTreeMap<JobId, Wall>,
}

/// How far a child's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extent {
    pub end: Position,
    /// What was cut out of the middle.
    pub gap: Option<Gap>,
}

/// A piece of a child's output, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Data {
        stream: Stream,
        data: Bytes,
    },
    /// Output that was here and was cut out.
    Cut(Count),
}

impl Store {
    /// A name for a child's run that no other run of any store has: 32 hexadecimal digits, always the same.
    pub fn run_name(&self, child: ChildId) -> String {
        format!("{:016x}{:016x}", self.key, child.0)
    }

    /// The log of a child that writes.
    pub fn log(&self, job: JobId, child: ChildId) -> Log {
        let log = Arc::new(Mutex::new(ChildLog::new(self.caps.head)));
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(child, &log);
        Log {
            job,
            child,
            log,
            shared: Arc::clone(&self.shared),
            kept: (self.caps.head + self.caps.tail) as u64,
        }
    }

    /// A reader of what `window` covers.
    pub fn read(&self, job: JobId, window: Window) -> Reader {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = logs.get(window.child);
        let path = output::path(&self.dir, job.0);
        Reader::new(Arc::clone(&self.readers), path, job, window, log)
    }

    /// Notes how a job stands; its specification is written when it is new.
    pub fn put_job(&self, job: &Job) {
        let row = work::JobRow {
            spec: Arc::clone(&job.spec),
            course: job.course(),
            state: job.state(),
        };
        self.shared
            .record(|records| _ = records.jobs.insert(job.id, row));
    }

    /// Notes how a child stands.
    pub fn put_child(&self, child: ChildId, saved: SavedChild) {
        self.shared
            .record(|records| _ = records.children.insert(child, saved));
    }

    /// Forgets a job with its output.
    pub fn remove_job(&self, job: JobId) {
        self.readers.forget(&output::path(&self.dir, job.0));
        self.shared
            .record(|records| _ = records.removed.insert(job));
    }

    /// Returns once everything noted so far, and the output before it, is on disk.  When that fails it returns too, and
    /// is tried again and again: see [`Store::trouble`].
    pub async fn durable(&self) {
        self.shared.durable().await;
    }

    /// How much a child of a job with so many may write beyond what was received of it without anything being cut, even if
    /// all of them write that much: before the first receive, and afterwards.
    pub fn room(&self, children: usize) -> (u64, u64) {
        // Whole blocks are cut.
        let tail = self
            .caps
            .share(children)
            .saturating_sub(block::BLOCK as u64);
        (self.caps.head as u64 + tail, tail)
    }

    /// Why nothing can be written at the moment.
    pub fn trouble(&self) -> Option<Trouble> {
        self.shared.progress().borrow().trouble.clone()
    }

    /// Changes when trouble comes or goes.
    pub fn watch(&self) -> Watch {
        let progress = self.shared.progress();
        let seen = seen(&progress.borrow());
        Watch { progress, seen }
    }

    /// What was cut out of children's output since this was last asked.
    pub fn take_cuts(&self) -> BTreeMap<ChildId, Gap> {
        self.shared.take_cuts()
    }

    /// What a job's output takes on disk, in bytes.
    pub fn size(&self, job: JobId) -> u64 {
        let file = fs::metadata(output::path(&self.dir, job.0));
        file.map_or(0, |file| file.len())
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes everything and ends the writer.  Blocks.
    pub fn close(&self) {
        self.shared.close();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // It logs what goes wrong; a panic of it is in the log as well.
            _ = writer.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
        // Only now: the writer has been in it.
        drop(self.temporary.take());
    }
}

/// How the writer gets on, to be waited for.
#[derive(Debug)]
pub struct Watch {
    progress: watch::Receiver<Progress>,
    /// Cuts and trouble as they were last told.  What comes between two calls of [`Watch::changed`] is news all the same.
    seen: (u64, Option<Trouble>),
}

impl Watch {
    /// Why nothing can be written at the moment.
    pub fn trouble(&self) -> Option<Trouble> {
        self.progress.borrow().trouble.clone()
    }

    /// Returns when there is trouble and `known` says that there is none, or the other way round.
    pub async fn trouble_is_not(&mut self, known: bool) {
        let differs = |progress: &Progress| progress.trouble.is_some() != known;
        if self.progress.wait_for(differs).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when output was cut, or when trouble has come or gone.
    pub async fn changed(&mut self) {
        let before = &self.seen;
        let differs =
            |progress: &Progress| progress.cuts != before.0 || progress.trouble != before.1;
        let changed = self.progress.wait_for(differs).await;
        let Some(now) = changed.ok().map(|progress| seen(&progress)) else {
            return std::future::pending().await;
        };
        self.seen = now;
    }
}

fn seen(progress: &Progress) -> (u64, Option<Trouble>) {
    (progress.cuts, progress.trouble.clone())
}

#[cfg(test)]
mod tests;

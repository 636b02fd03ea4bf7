//! What has to outlive this process: jobs, children, cursors, and output.
//!
//! A directory with `catalog.db` and, for each job that wrote something, `jobs/<id>.db`.  One thread writes, in batches, a
//! child's output always before what is said about the child; readers have connections of their own and never hold it
//! up.  What is not written yet is in memory, within a bound that is kept by letting writers wait.  A child keeps the
//! first and the last of what it wrote; what is cut out between is counted, never silently gone.
//!
//! The store knows nothing of cursors, states or jobs' lives: `core` decides what is received and what is removed.

mod block;
mod bulk;
mod catalog;
pub mod check;
mod glance;
mod history;
mod log;
mod output;
mod reader;
mod rows;
mod schema;
mod work;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
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
use catalog::Catalog;
use log::ChildLog;
use work::{Progress, Queue, Room, Shared, locked};
use writer::Writer;

pub use bulk::TakePiece;
pub use glance::Glance;
pub use history::{Past, Search};
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

/// Why a store cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it: its number, if it has said so.
    InUse {
        dir: PathBuf,
        pid: Option<u32>,
    },
    Io {
        path: PathBuf,
        error: io::Error,
    },
    File {
        path: PathBuf,
        trouble: Trouble,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir, pid } => {
                f.write_str("another daemon ")?;
                if let Some(pid) = pid {
                    write!(f, "(pid {pid}) ")?;
                }
                write!(f, "uses the store in {}", dir.display())
            }
            Self::Io { path, error } => write!(f, "cannot use {}: {error}", path.display()),
            Self::File { path, trouble } => write!(f, "cannot use {}: {trouble}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    /// What the operator can do.
    pub fn hint(&self) -> String {
        match self {
            Self::InUse { pid: Some(pid), .. } => format!(
                "its socket is elsewhere (another XDG_RUNTIME_DIR?): `kill {pid}` ends it, or set XDG_STATE_HOME to another directory"
            ),
            Self::InUse { pid: None, .. } => {
                "stop it, or set XDG_STATE_HOME to another directory".to_string()
            }
            Self::Io { .. }
            | Self::File {
                trouble: Trouble::Passing(_),
                ..
            } => "make the directory yours and writable, or set XDG_STATE_HOME to another".to_string(),
            Self::File {
                path,
                trouble: Trouble::Corrupt(_),
            } => format!(
                "move {} away; the jobs in it are lost then, the program works again",
                path.display()
            ),
            Self::File {
                trouble: Trouble::Newer { .. },
                ..
            } => "use that version, or set XDG_STATE_HOME to another directory; the file was left untouched".to_string(),
        }
    }
}

/// One child's output, to append to.
#[derive(Clone, Debug)]
pub struct Log {
    job: JobId,
    child: ChildId,
    log: Arc<Mutex<ChildLog>>,
    shared: Arc<Shared>,
    /// Beyond this something is cut, in bytes.
    kept: u64,
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
    /// Opens the store in `dir`, or makes it.  Blocks.
    pub fn open(dir: &Path, caps: Caps) -> Result<(Self, Saved), OpenError> {
        let jobs = dir.join("jobs");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io { path, error }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&jobs)
            .map_err(failed(&jobs))?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(failed(dir))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let said = lock.read_to_string(&mut text);
                let pid = said.ok().and_then(|_| text.trim().parse().ok());
                let dir = dir.to_owned();
                return Err(OpenError::InUse { dir, pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(dir)(error)),
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed(dir))?;
        let path = dir.join("catalog.db");
        let opened = Catalog::open(&path, writer::wall());
        let (catalog, contents) = opened.map_err(|trouble| OpenError::File { path, trouble })?;
        let mut saved = Saved {
            jobs: contents.jobs,
            next_id: contents.next_id,
            removed: contents.removed,
        };
        let corrected = reader::complete(dir, &mut saved.jobs);
        forget_strays(&jobs, &saved.jobs).map_err(failed(&jobs))?;
        let shared = Arc::new(Shared::new());
        if !corrected.is_empty() {
            shared.record(|records| records.children.extend(corrected));
        }
        let thread = Writer::new(Arc::clone(&shared), catalog, dir.to_owned(), caps);
        let spawned = std::thread::Builder::new()
            .name("store".to_string())
            .spawn(move || thread.run());
        let store = Self {
            dir: dir.to_owned(),
            key: contents.key,
            caps,
            shared,
            logs: Mutex::default(),
            readers: Arc::default(),
            writer: Mutex::new(Some(spawned.map_err(failed(dir))?)),
            _lock: lock,
            temporary: None,
        };
        Ok((store, saved))
    }

    /// A store that is gone when it is dropped.  Blocks.
    pub fn temporary(caps: Caps) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io {
            path: std::env::temp_dir(),
            error,
        };
        let directory = tempfile::Builder::new()
            .prefix("regatta-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(failed)?;
        let (mut store, _) = Self::open(directory.path(), caps)?;
        store.temporary = Some(directory);
        Ok(store)
    }

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

impl Log {
    /// Adds output at the end; waits while too much of all children's is in memory only.
    pub async fn append(&self, stream: Stream, data: &[u8]) -> Extent {
        let room = self.shared.room().await;
        let (extent, queue, shed) = {
            let mut log = locked(&self.log);
            let queue = if log.queue() {
                Queue::Enter
            } else {
                Queue::Entered
            };
            log.append(stream, data);
            let shed = match room {
                Room::Free => 0,
                Room::Shed => log.shed(block::BLOCK),
            };
            (log.extent(), queue, shed)
        };
        self.shared
            .grew(self.job, self.child, &self.log, data.len(), queue);
        if shed > 0 {
            self.shared.shed(shed);
        }
        extent
    }

    /// Returns once everything is on disk and what is too much has been cut, if there is too much: only then is it
    /// known how much that is.
    pub async fn settle(&self) {
        if self.extent().end.offset() > self.kept {
            self.shared.settle(self.child).await;
        }
    }

    pub fn extent(&self) -> Extent {
        locked(&self.log).extent()
    }
}

/// Takes a lock.  A process that was killed holds its locks a little longer than it answers: that is waited for.
fn take(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..50 {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => a_moment(),
            taken => return taken,
        }
    }
    lock.try_lock()
}

#[expect(
    clippy::disallowed_methods,
    reason = "opening a store blocks, and nobody can tell when another process lets go of a lock"
)]
fn a_moment() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}

/// Deletes the output of jobs that are not in the catalog: a crash came between removing one and deleting its file.
fn forget_strays(dir: &Path, jobs: &[SavedJob]) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let id = path
            .file_stem()
            .and_then(|name| name.to_str()?.parse().ok());
        let is_database = path.extension().is_some_and(|extension| extension == "db");
        if let Some(id) = id
            && is_database
            && jobs.binary_search_by_key(&JobId(id), |job| job.id).is_err()
            && let Err(trouble) = writer::delete(&path)
        {
            tracing::warn!(path = %path.display(), %trouble, "cannot delete a removed job's output");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

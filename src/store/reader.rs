//! Reading output, from disk and from memory, piece by piece.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::Piece;
use super::block::Block;
use super::log::ChildLog;
use super::output;
use super::schema::{self, Trouble};
use super::work::locked;
use crate::core::ids::{ChildId, JobId};
use crate::core::output::{Account, Count, Stream};
use crate::core::receive::{Held, Window};
use crate::core::saved::{SavedChild, SavedJob, SavedState};

/// Connections kept for the next reader.
const KEPT: usize = 8;

/// A job's output cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub job: JobId,
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the output of job {} cannot be read: {}",
            self.job, self.why
        )
    }
}

impl std::error::Error for Unreadable {}

/// Connections for reading that nobody uses just now.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<HashMap<PathBuf, Connection>>);

impl Connections {
    /// A connection to the file; `None` if there is no file, because nothing was ever written.
    pub(super) fn take(&self, path: &Path) -> Result<Option<Connection>, Trouble> {
        let kept = self.lock().remove(path);
        match kept {
            Some(db) => Ok(Some(db)),
            None if path.exists() => schema::open_to_read(path).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn give_back(&self, path: &Path, db: Connection) {
        let mut kept = self.lock();
        if kept.len() < KEPT && path.exists() {
            kept.insert(path.to_owned(), db);
        }
    }

    /// Lets go of a file that is about to be deleted.
    pub(super) fn forget(&self, path: &Path) {
        self.lock().remove(path);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one window piece by piece, each bounded in size, so that nobody has to hold a child's output as a whole.
#[derive(Debug)]
pub struct Reader {
    connections: Arc<Connections>,
    path: PathBuf,
    job: JobId,
    window: Window,
    /// What of it is perhaps not on disk yet.
    log: Option<Arc<Mutex<ChildLog>>>,
    /// How much of each stream has been read or is known to be gone.
    done: [Count; 2],
}

impl Reader {
    pub(super) fn new(
        connections: Arc<Connections>,
        path: PathBuf,
        job: JobId,
        window: Window,
        log: Option<Arc<Mutex<ChildLog>>>,
    ) -> Self {
        Self {
            connections,
            path,
            job,
            window,
            log,
            done: window.from,
        }
    }

    /// The next pieces, of about `limit` bytes together; empty at the end of the window.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Piece>, Unreadable> {
        if self.is_done() {
            return Ok(Vec::new());
        }
        if !self.is_in_memory() {
            let blocks = self.read_disk(limit).await?;
            let pieces = self.take(blocks.iter(), limit);
            if !pieces.is_empty() {
                return Ok(pieces);
            }
        }
        let mut pieces = Vec::new();
        if let Some(log) = self.log.clone() {
            pieces = self.take(locked(&log).blocks(), limit);
        }
        if pieces.is_empty() {
            pieces.extend(self.skip_to(self.window.to));
        }
        Ok(pieces)
    }

    /// What of the window has not been read.
    pub fn left(&self) -> Vec<Held> {
        let left = |stream: Stream| Held {
            child: self.window.child,
            stream,
            bytes: self.window.to[stream as usize].bytes - self.done[stream as usize].bytes,
        };
        self.wanted().map(left).collect()
    }

    fn is_done(&self) -> bool {
        self.wanted().next().is_none()
    }

    /// The streams of which there is more to read.
    fn wanted(&self) -> impl Iterator<Item = Stream> {
        let (done, to) = (self.done, self.window.to);
        self.window
            .streams
            .each()
            .filter(move |stream| done[*stream as usize].bytes < to[*stream as usize].bytes)
    }

    /// Whether everything that is left is in memory.
    fn is_in_memory(&self) -> bool {
        self.log.as_ref().is_some_and(|log| {
            let from = locked(log).in_memory_from();
            self.wanted()
                .all(|stream| self.done[stream as usize].bytes >= from.of(stream).bytes)
        })
    }

    /// What is next on disk.
    async fn read_disk(&self, limit: usize) -> Result<Vec<Block>, Unreadable> {
        let (connections, path) = (Arc::clone(&self.connections), self.path.clone());
        let (window, done) = (self.window, self.done);
        let child = self.job.index_of(window.child).unwrap_or_default();
        let read = tokio::task::spawn_blocking(move || {
            let Some(db) = connections.take(&path)? else {
                return Ok(Vec::new());
            };
            let blocks = output::read(&db, child, &window, &done, limit)?;
            connections.give_back(&path, db);
            Ok(blocks)
        });
        read.await
            .unwrap_or_else(|panic| Err(Trouble::corrupt(&panic.to_string())))
            .map_err(|trouble| Unreadable {
                job: self.job,
                why: trouble.to_string(),
            })
    }

    /// What blocks, in order, hold of the window.  Where one begins behind what was read, something was cut.
    fn take<'a>(&mut self, blocks: impl Iterator<Item = &'a Block>, limit: usize) -> Vec<Piece> {
        let (mut pieces, mut left) = (Vec::new(), limit);
        for block in blocks {
            if left == 0 {
                break;
            }
            if block.has_more(&self.window, &self.done) {
                let start = Stream::BOTH.map(|stream| block.start.of(stream));
                pieces.extend(self.skip_to(start));
                block.read(&self.window, &mut self.done, &mut left, &mut pieces);
            }
        }
        pieces
    }

    /// Moves on to a place; says what of the window lay between and is gone.
    fn skip_to(&mut self, to: [Count; 2]) -> Option<Piece> {
        let mut gone = Count::default();
        for stream in self.wanted().collect::<Vec<_>>() {
            let (done, end) = (
                &mut self.done[stream as usize],
                self.window.to[stream as usize],
            );
            let to = to[stream as usize];
            let to = if to.bytes < end.bytes { to } else { end };
            if to.bytes > done.bytes {
                gone += to - *done;
                *done = to;
            }
        }
        (gone.bytes > 0).then_some(Piece::Cut(gone))
    }
}

/// Brings accounts up to what is on disk: of children that were under way how far their output goes, of all of them what
/// was cut out.  Those that had settled and are not as the catalog has them are returned, to be written down again.
///
/// Only files that are looked at can say so: those of jobs with children under way, and those an earlier process had
/// open when it died.  One that cannot be read leaves accounts as they are: whoever receives learns of it.
pub(super) fn complete(dir: &Path, jobs: &mut [SavedJob]) -> Vec<(ChildId, SavedChild)> {
    let mut corrected = Vec::new();
    for job in jobs {
        let path = output::path(dir, job.id.0);
        let under_way = job.children.iter().any(|(_, child)| is_live(&child.state));
        if !(under_way && path.exists() || schema::is_in_use(&path)) {
            continue;
        }
        let look = |db: Connection| Ok((output::ends(&db)?, output::cuts(&db)?));
        let (ends, cuts) = match schema::open_to_read(&path).and_then(look) {
            Ok(found) => found,
            Err(trouble) => {
                tracing::error!(job = %job.id, %trouble, "the job's output cannot be read");
                continue;
            }
        };
        let ends: HashMap<_, _> = ends.into_iter().map(|(at, end, _)| (at, end)).collect();
        let cuts: HashMap<_, _> = cuts.into_iter().collect();
        for (index, child) in &mut job.children {
            let known = child.output;
            let gap = output::both(known.gap, cuts.get(index).copied());
            // Of what was cut to its end, nothing but that is there.
            let end = ends.get(index).copied().or(gap.map(|gap| gap.to));
            let live = is_live(&child.state);
            let end = end.filter(|_| live).unwrap_or(known.end);
            let received = Stream::BOTH.map(|stream| known.received(stream));
            child.output = Account::of(end, gap, received);
            if !live && child.output != known {
                corrected.push((job.id.child(*index), child.clone()));
            }
        }
    }
    corrected
}

/// Whether a child was under way, so that its account may be behind.
fn is_live(state: &SavedState) -> bool {
    match state {
        SavedState::Live | SavedState::Stopping(_) => true,
        SavedState::NotStarted
        | SavedState::Disconnected { .. }
        | SavedState::Completed
        | SavedState::Failed(_)
        | SavedState::Stopped(_) => false,
    }
}

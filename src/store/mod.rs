//! Where output lives.
//!
//! In memory for now, behind the interface a durable store will have: append, read a window in bounded pieces, drop a
//! job.  A child keeps the first and the last of what it wrote; what is cut out between is counted, never silently gone.
//! The store knows nothing of cursors, states or jobs' lives: `core` decides what is received and what is removed.

mod log;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::core::ids::{ChildId, JobId};
use crate::core::output::{Count, Gap, Position, Stream};
use crate::core::receive::Window;
use log::ChildLog;

/// How much of one child's output is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes kept from the beginning.
    pub head: usize,
    /// Bytes kept from the end.
    pub tail: usize,
}

impl Default for Caps {
    /// First 1 MiB, last 9 MiB.
    fn default() -> Self {
        Self {
            head: 1 << 20,
            tail: 9 << 20,
        }
    }
}

/// The output of all children.
#[derive(Debug, Default)]
pub struct Store {
    caps: Caps,
    /// Held for look-ups only, never across an await and never while bytes are copied.
    jobs: Mutex<HashMap<JobId, HashMap<ChildId, Log>>>,
}

/// One child's output, to append to.
#[derive(Clone, Debug)]
pub struct Log(Arc<Mutex<ChildLog>>);

/// How far a child's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extent {
    pub end: Position,
    /// What the cap has cut out of the middle.
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

/// Reads one window piece by piece, each bounded in size, so that nobody has to hold a child's output as a whole.
#[derive(Debug)]
pub struct Reader {
    log: Log,
    window: Window,
    /// How many bytes of each stream have been read.
    done: [u64; 2],
}

impl Store {
    pub fn new(caps: Caps) -> Self {
        Self {
            caps,
            jobs: Mutex::default(),
        }
    }

    /// The log of a child, made when it is first asked for.
    pub fn log(&self, job: JobId, child: ChildId) -> Log {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(job)
            .or_default()
            .entry(child)
            .or_insert_with(|| Log(Arc::new(Mutex::new(ChildLog::new(self.caps)))))
            .clone()
    }

    /// A reader of what `window` covers; `None` if that child never wrote anything or its job was dropped.
    pub fn read(&self, job: JobId, window: Window) -> Option<Reader> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = jobs.get(&job)?.get(&window.child)?.clone();
        let done = window.from.map(|from| from.bytes);
        Some(Reader { log, window, done })
    }

    /// Forgets a job's output.
    pub fn drop_job(&self, job: JobId) {
        let gone = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&job);
        // Freed after the lock is let go.
        drop(gone);
    }
}

impl Log {
    /// Adds output at the end.
    pub fn append(&self, stream: Stream, data: &[u8]) -> Extent {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.append(stream, data);
        log.extent()
    }

    pub fn extent(&self) -> Extent {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extent()
    }
}

impl Reader {
    /// The next pieces, of about `limit` bytes together; empty at the end of the window.
    pub fn next(&mut self, limit: usize) -> Vec<Piece> {
        let log = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.read(&self.window, &mut self.done, limit)
    }
}

#[cfg(test)]
mod tests;

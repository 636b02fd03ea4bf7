//! What waits to be written, and how others learn that it was: the one thing the engine and the writer share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::block::BLOCK;
use super::log::ChildLog;
use super::schema::Trouble;
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Gap;
use crate::core::saved::{Course, SavedChild};
use crate::core::spec::JobSpec;
use crate::core::state::State;

/// What waits is written after this time at the latest ...
const COMMIT_AFTER: Duration = Duration::from_millis(250);

/// ... or when this much output waits ...
const COMMIT_BYTES: usize = 4 << 20;

/// ... or at once when somebody waits for it, but for this time after the last commit: a commit costs as much as a third
/// of a key exchange, and whoever comes meanwhile shares it.
const PACE: Duration = Duration::from_millis(20);

/// A child's last bits wait this long for more of them to come, unless something is said about the child.
const GATHER: Duration = Duration::from_secs(1);

/// Output of all children that may be in memory only.  Whoever has more waits.
pub(super) const MEMORY: usize = 24 << 20;

/// After something went wrong, the next try.
const RETRY: Duration = Duration::from_secs(1);

/// Records that wait.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) jobs: BTreeMap<JobId, JobRow>,
    pub(super) children: BTreeMap<ChildId, SavedChild>,
    pub(super) removed: BTreeSet<JobId>,
}

/// What is to be known of a job.
#[derive(Clone, Debug)]
pub(super) struct JobRow {
    pub(super) spec: Arc<JobSpec>,
    pub(super) course: Course,
    pub(super) state: State,
}

impl Records {
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.children.is_empty() && self.removed.is_empty()
    }

    /// Puts back what could not be written, where nothing newer has come.
    fn put_back(&mut self, older: Self) {
        for (id, job) in older.jobs {
            self.jobs.entry(id).or_insert(job);
        }
        for (id, child) in older.children {
            self.children.entry(id).or_insert(child);
        }
        self.removed.extend(older.removed);
    }
}

/// A child with output that is not on disk.
#[derive(Clone, Debug)]
pub(super) struct Dirty {
    pub(super) job: JobId,
    pub(super) child: ChildId,
    pub(super) log: Arc<Mutex<ChildLog>>,
    since: Instant,
}

/// What the writer does at a time.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Records,
    pub(super) dirty: Vec<Dirty>,
    ticket: u64,
}

/// How far the writer has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// The newest ticket that is on disk.
    ticket: u64,
    pub(super) trouble: Option<Trouble>,
    /// Grows with every batch that failed.
    pub(super) tries: u64,
    /// Grows with every cut that was made.
    pub(super) cuts: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<Waiting>,
    wake: Condvar,
    progress: watch::Sender<Progress>,
    /// Told when memory has become free.
    room: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Records,
    dirty: Vec<Dirty>,
    /// Children whose output is to be written however little it is.
    forced: BTreeSet<ChildId>,
    /// When the first of it came.
    since: Option<Instant>,
    /// Bytes in memory only, and how many of them came since the last commit.
    unwritten: usize,
    fresh: usize,
    /// The newest ticket there is, the newest somebody waits for, and the newest the writer has taken.
    ticket: u64,
    asked: u64,
    taken: u64,
    /// When the last batch was written, and when one that failed is tried again.
    last: Option<Instant>,
    retry: Option<Instant>,
    closing: bool,
    /// What was cut since somebody looked.
    cuts: BTreeMap<ChildId, Gap>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "when to write is a matter of real time, and no business of the model's clock"
)]
fn now() -> Instant {
    Instant::now()
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
            room: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes records to be written.
    pub(super) fn record(&self, note: impl FnOnce(&mut Records)) {
        let mut state = self.lock();
        note(&mut state.records);
        state.ticket += 1;
        if state.since.is_none() {
            state.since = Some(now());
            self.wake.notify_one();
        }
    }

    /// Notes that a child's log has grown by this much; `queue` if the writer does not know of it yet.
    pub(super) fn grew(
        &self,
        job: JobId,
        child: ChildId,
        log: &Arc<Mutex<ChildLog>>,
        bytes: usize,
        queue: Queue,
    ) {
        let mut state = self.lock();
        state.unwritten += bytes;
        state.fresh += bytes;
        if queue == Queue::Enter {
            let since = now();
            state.dirty.push(Dirty {
                job,
                child,
                log: Arc::clone(log),
                since,
            });
            if state.since.is_none() {
                state.since = Some(since);
                self.wake.notify_one();
            }
        }
        if state.fresh >= COMMIT_BYTES {
            self.wake.notify_one();
        }
    }

    /// Waits until there is room for more output; while nothing can be written there always is, and the logs let go of
    /// their oldest.  Says whether that is so.
    pub(super) async fn room(&self) -> Room {
        loop {
            let freed = self.room.notified();
            let full = self.lock().unwritten >= MEMORY;
            match (full, &self.progress.borrow().trouble) {
                (false, _) => return Room::Free,
                (true, Some(_)) => return Room::Shed,
                (true, None) => {}
            }
            freed.await;
        }
    }

    /// Notes that a log let go of output that was never written.
    pub(super) fn shed(&self, bytes: usize) {
        let mut state = self.lock();
        state.unwritten = state.unwritten.saturating_sub(bytes);
    }

    /// Returns once everything noted so far is on disk, or that has failed: then it is tried again and again, and
    /// nobody waits for it.
    pub(super) async fn durable(&self) {
        let mut progress = self.progress.subscribe();
        let ticket = {
            let mut state = self.lock();
            let ticket = state.ticket;
            if ticket > state.asked {
                state.asked = ticket;
                self.wake.notify_one();
            }
            ticket
        };
        // The sender lives as long as `self`.
        _ = progress
            .wait_for(|progress| progress.ticket >= ticket || progress.trouble.is_some())
            .await;
    }

    /// As [`Shared::durable`], for everything a child has written.
    pub(super) async fn settle(&self, child: ChildId) {
        {
            let mut state = self.lock();
            state.forced.insert(child);
            state.ticket += 1;
            if state.since.is_none() {
                state.since = Some(now());
            }
        }
        self.durable().await;
    }

    /// How the writer gets on.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// What was cut since this was last asked.
    pub(super) fn take_cuts(&self) -> BTreeMap<ChildId, Gap> {
        std::mem::take(&mut self.lock().cuts)
    }

    /// Asks the writer to write everything and to end.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }

    /// What is to be written next; `None` when everything is and the store closes.  Waits for it.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            let now = now();
            let due = state.due();
            match due {
                _ if state.closing && state.is_empty() => return None,
                Some(at) if at <= now => return Some(state.take(now)),
                Some(at) => {
                    let wait = self.wake.wait_timeout(state, at - now);
                    state = wait.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => {
                    state = self
                        .wake
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// A batch is on disk, so many bytes of output with it.
    pub(super) fn written(&self, batch: &Batch, bytes: usize, cuts: &[(ChildId, Gap)]) {
        {
            let mut state = self.lock();
            state.unwritten = state.unwritten.saturating_sub(bytes);
            state.retry = None;
            state.last = Some(now());
            state.cuts.extend(cuts.iter().copied());
        }
        self.progress.send_modify(|progress| {
            progress.ticket = batch.ticket;
            progress.trouble = None;
            progress.cuts += cuts.len() as u64;
        });
        self.room.notify_waiters();
    }

    /// Of a batch that failed, this much was written before.
    pub(super) fn partly_written(&self, bytes: usize, cuts: Vec<(ChildId, Gap)>) {
        let mut state = self.lock();
        state.unwritten = state.unwritten.saturating_sub(bytes);
        state.cuts.extend(cuts);
    }

    /// A batch could not be written: it goes back, to be tried again before long.
    pub(super) fn failed(&self, batch: Batch, trouble: Trouble) -> Outlook {
        let closing = {
            let mut state = self.lock();
            state.records.put_back(batch.records);
            // One that has grown meanwhile is in the list already, and must not be written twice.
            let again = batch.dirty.into_iter();
            state
                .dirty
                .extend(again.filter(|dirty| locked(&dirty.log).queue()));
            let now = now();
            state.since = Some(now);
            state.retry = Some(now + RETRY);
            state.closing
        };
        self.progress.send_modify(|progress| {
            progress.trouble = Some(trouble);
            progress.tries += 1;
        });
        self.room.notify_waiters();
        if closing {
            Outlook::GiveUp
        } else {
            Outlook::TryAgain
        }
    }
}

/// Whether a log has to be entered into the list of those to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    Enter,
    Entered,
}

/// See [`Shared::room`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    Shed,
}

/// What is to be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    TryAgain,
    GiveUp,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.dirty.is_empty()
    }

    /// When there is something to do.
    fn due(&self) -> Option<Instant> {
        let since = self.since?;
        let at = if self.closing || self.fresh >= COMMIT_BYTES {
            since
        } else if self.asked > self.taken {
            self.last.map_or(since, |last| since.max(last + PACE))
        } else {
            since + COMMIT_AFTER
        };
        Some(self.retry.filter(|_| !self.closing).unwrap_or(at))
    }

    /// Takes all records, and of the output what belongs to them, is much, or has waited long.
    fn take(&mut self, now: Instant) -> Batch {
        let records = std::mem::take(&mut self.records);
        let forced = std::mem::take(&mut self.forced);
        let all = self.closing || self.unwritten >= MEMORY / 2;
        let (dirty, later) = std::mem::take(&mut self.dirty)
            .into_iter()
            .partition(|dirty| {
                all || forced.contains(&dirty.child)
                    || records.children.contains_key(&dirty.child)
                    || records.removed.contains(&dirty.job)
                    || now.duration_since(dirty.since) >= GATHER
                    || locked(&dirty.log).unwritten() >= BLOCK
            });
        self.dirty = later;
        self.since = (!self.dirty.is_empty()).then_some(now);
        self.fresh = 0;
        self.retry = None;
        self.taken = self.ticket;
        Batch {
            records,
            dirty,
            ticket: self.ticket,
        }
    }
}

/// A log behind its lock; what a panic left behind is still a log.
pub(super) fn locked(log: &Mutex<ChildLog>) -> MutexGuard<'_, ChildLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

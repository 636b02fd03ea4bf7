//! What changed, in order, each thing once: whoever watches asks for what is newer than what he has seen.
//!
//! A watcher that falls behind is told less often, never less, and never makes anybody wait: a thing that changed a
//! thousand times since is in the journal once.

use std::collections::BTreeMap;

use super::ids::{ChildId, JobId};

/// A number that grows with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// Something that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    Job(JobId),
    Child(ChildId),
    Removed(JobId),
}

/// How many removals are remembered; who was away for longer starts afresh.
const REMOVALS: usize = 10_000;

/// The newest change of everything.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    now: Revision,
    entries: BTreeMap<Revision, Changed>,
    removals: BTreeMap<Revision, JobId>,
    /// Removals up to here have been forgotten.
    forgotten: Revision,
}

impl Journal {
    pub fn now(&self) -> Revision {
        self.now
    }

    /// Notes that `what` changed; `last` is where it stood, and is moved up.
    pub fn touch(&mut self, what: Changed, last: &mut Revision) {
        self.entries.remove(last);
        self.now.0 += 1;
        *last = self.now;
        self.entries.insert(self.now, what);
    }

    /// Forgets something that is gone.
    pub fn forget(&mut self, last: Revision) {
        self.entries.remove(&last);
    }

    /// Notes that a job is gone.
    pub fn removed(&mut self, job: JobId) {
        self.now.0 += 1;
        self.removals.insert(self.now, job);
        if self.removals.len() > REMOVALS
            && let Some((revision, _)) = self.removals.pop_first()
        {
            self.forgotten = revision;
        }
    }

    /// Everything that changed after `seen`, oldest first; `None` if that can no longer be said and the caller has to
    /// start from the whole.
    pub fn since(&self, seen: Revision) -> Option<Vec<Changed>> {
        if seen < self.forgotten {
            return None;
        }
        let after = Revision(seen.0 + 1)..;
        let mut changes: Vec<(Revision, Changed)> = self
            .entries
            .range(after.clone())
            .map(|(revision, what)| (*revision, *what))
            .collect();
        changes.extend(
            self.removals
                .range(after)
                .map(|(revision, job)| (*revision, Changed::Removed(*job))),
        );
        changes.sort_unstable_by_key(|(revision, _)| *revision);
        Some(changes.into_iter().map(|(_, what)| what).collect())
    }
}

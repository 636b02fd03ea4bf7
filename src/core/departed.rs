//! Jobs that were removed: when, and of those that went just now how they were, for whoever keeps a record of what became
//! of jobs and is a moment behind.
//!
//! Everything else that is remembered of them is the history's business, in `store`.

use std::collections::{BTreeMap, VecDeque};

use super::ids::JobId;
use super::job::Job;
use super::time::Wall;

/// How many children the jobs may have that are kept here, all together; the newest job is kept however many it has.
const CHILDREN: usize = 4096;

/// A job that is gone, as it was last.
#[derive(Clone, Debug)]
pub struct Departed {
    pub job: Job,
    pub by: By,
}

/// Who removed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Operator,
    Retention,
}

/// The jobs that were removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Departures {
    /// When, of all that the history remembers.
    dates: BTreeMap<JobId, Wall>,
    /// The last of them, oldest first.
    jobs: VecDeque<Departed>,
    children: usize,
}

impl Departures {
    /// What earlier processes have removed.
    pub(super) fn of_old(dates: BTreeMap<JobId, Wall>) -> Self {
        Self {
            dates,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, now: Wall, job: Job, by: By) {
        self.dates.insert(job.id, now);
        self.children += job.children.len();
        self.jobs.push_back(Departed { job, by });
        while self.children > CHILDREN
            && self.jobs.len() > 1
            && let Some(oldest) = self.jobs.pop_front()
        {
            self.children -= oldest.job.children.len();
        }
    }

    pub(super) fn date(&self, id: JobId) -> Option<Wall> {
        self.dates.get(&id).copied()
    }

    pub(super) fn find(&self, id: JobId) -> Option<&Departed> {
        self.jobs.iter().rfind(|departed| departed.job.id == id)
    }
}

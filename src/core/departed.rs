//! Jobs that were removed just now, for whoever keeps a record of what became of jobs and is a moment behind.
//!
//! Only the last few: what is remembered for long is the history's business, in `store`.

use std::collections::VecDeque;

use super::ids::JobId;
use super::job::Job;

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

/// The last jobs that were removed, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Departures {
    jobs: VecDeque<Departed>,
    children: usize,
}

impl Departures {
    pub(super) fn add(&mut self, job: Job, by: By) {
        self.children += job.children.len();
        self.jobs.push_back(Departed { job, by });
        while self.children > CHILDREN
            && self.jobs.len() > 1
            && let Some(oldest) = self.jobs.pop_front()
        {
            self.children -= oldest.job.children.len();
        }
    }

    pub(super) fn find(&self, id: JobId) -> Option<&Departed> {
        self.jobs.iter().rfind(|departed| departed.job.id == id)
    }
}

//! How long jobs are kept, and which are kept for ever.

use std::time::Duration;

use super::answer::Answer;
use super::departed::By;
use super::fleet::{Effect, Fleet, Ticket};
use super::ids::JobId;
use super::job::{Job, Pin};
use super::journal::Changed;
use super::select::Selector;
use super::time::Moment;

/// What is kept of jobs that have ended: whichever limit is reached first takes the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub jobs: usize,
    pub age: Duration,
    /// Of output, all jobs together.
    pub bytes: u64,
}

impl Default for Retention {
    /// 100 jobs, 7 days, 10 GiB.
    fn default() -> Self {
        Self {
            jobs: 100,
            age: Duration::from_secs(7 * 24 * 3600),
            bytes: 10 << 30,
        }
    }
}

impl Fleet {
    /// The jobs that retention takes now, oldest first: never one that is pinned, or of which something may still happen
    /// or run.  The one that ended last goes by its age only, so that somebody can receive it.  `size` is what a job's
    /// output takes.
    pub fn expired(
        &self,
        now: Moment,
        keep: &Retention,
        size: impl Fn(JobId) -> u64,
    ) -> Vec<JobId> {
        let mut ended: Vec<(&Job, Moment)> = self
            .jobs
            .values()
            .filter(|job| job.pin == Pin::Off && job.state().is_final())
            .filter_map(|job| Some((job, job.ended?)))
            .collect();
        ended.sort_by_key(|(job, ended)| (ended.mono, job.id));
        let mut count = ended.len();
        let mut bytes: u64 = self.jobs.keys().map(|id| size(*id)).sum();
        let mut gone = Vec::new();
        for (job, ended) in ended {
            let much = count > 1 && (count > keep.jobs || bytes > keep.bytes);
            if !much && now.since(ended) <= keep.age {
                break;
            }
            count -= 1;
            bytes = bytes.saturating_sub(size(job.id));
            gone.push(job.id);
        }
        gone
    }

    /// Removes jobs whose time has come, unless that has changed since.
    pub(super) fn expire(&mut self, now: Moment, jobs: &[JobId], effects: &mut Vec<Effect>) {
        for id in jobs {
            let over = |job: &Job| job.pin == Pin::Off && job.state().is_final();
            if self.jobs.get(id).is_some_and(over) {
                self.erase(now, *id, By::Retention, effects);
            }
        }
    }

    pub(super) fn pin(
        &mut self,
        ticket: Ticket,
        select: &[Selector],
        pin: Pin,
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let refused = self.not_whole_jobs(&picked);
        for id in &picked.jobs {
            if let Some(job) = self.jobs.get_mut(id) {
                job.pin = pin;
                self.journal.touch(Changed::Job(*id), &mut job.revision);
            }
            self.changed.insert(*id);
        }
        let jobs = picked.jobs.into_iter().collect();
        effects.push(Effect::Answer(ticket, Answer::Changed { jobs, refused }));
    }
}

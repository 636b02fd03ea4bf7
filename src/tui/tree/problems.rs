//! The next child that has a problem, in jobs that are closed too.

use super::{RowId, Tree};
use crate::command::console::Way;
use crate::tui::event::Now;
use crate::tui::model::{Model, is_problem, problems};

impl Tree {
    /// Goes to the next problem, into jobs that are closed too; true if there is one, or one is on its way.
    pub fn seek_problem(&mut self, now: Now, model: &Model, way: Way) -> bool {
        let jobs: Vec<u64> = self.job_order();
        let Some(here) = self.cursor else {
            return false;
        };
        let at = jobs.iter().position(|job| *job == here.job()).unwrap_or(0);
        // First in this job, behind or before the cursor; then in the others, and in the end in this one from its edge.
        let others: Vec<u64> = match way {
            Way::Next => jobs[at..].iter().chain(&jobs[..=at]).copied().collect(),
            Way::Previous => {
                let before = jobs[..=at].iter().rev();
                before.chain(jobs[at..].iter().rev()).copied().collect()
            }
        };
        for (n, job) in others.into_iter().enumerate() {
            let Some(entry) = model.job(job) else {
                continue;
            };
            if problems(&entry.job) == 0 {
                continue;
            }
            if self.is_open(job).is_none() || !entry.is_complete() {
                self.open(job);
                self.seeking = Some((job, way));
                return true;
            }
            let edge = n > 0;
            if let Some(row) = self.problem_in(
                model,
                job,
                way,
                edge.then_some(())
                    .map_or(self.index, |()| self.edge(job, way)),
            ) {
                return self.go_to(now, row);
            }
        }
        false
    }

    /// Where a search that comes into a job from outside begins.
    pub(super) fn edge(&self, job: u64, way: Way) -> usize {
        let of_job = |row: &RowId| row.job() == job;
        match way {
            Way::Next => self.rows.iter().position(of_job).unwrap_or(0),
            Way::Previous => self
                .rows
                .iter()
                .rposition(of_job)
                .map_or(0, |last| last + 1),
        }
    }

    /// The next row behind or before `from` that is a child of `job` with a problem.
    pub(super) fn problem_in(
        &self,
        model: &Model,
        job: u64,
        way: Way,
        from: usize,
    ) -> Option<RowId> {
        let found = |row: &&RowId| match row {
            RowId::Child { job: of, child } if *of == job => model
                .child(*child)
                .is_some_and(|(_, entry)| is_problem(&entry.child)),
            RowId::Group { job: of, first } if *of == job => model
                .child(*first)
                .is_some_and(|(_, entry)| is_problem(&entry.child)),
            RowId::Job(_) | RowId::Child { .. } | RowId::Rest(_) | RowId::Group { .. } => false,
        };
        match way {
            Way::Next => self.rows.iter().skip(from + 1).find(found).copied(),
            Way::Previous => self.rows[..from.min(self.rows.len())]
                .iter()
                .rev()
                .find(found)
                .copied(),
        }
    }

    fn job_order(&self) -> Vec<u64> {
        let job = |row: &RowId| match row {
            RowId::Job(job) => Some(*job),
            RowId::Child { .. } | RowId::Rest(_) | RowId::Group { .. } => None,
        };
        self.rows.iter().filter_map(job).collect()
    }
}

//! Removing jobs: what is not final is stopped first, if that is wanted, and what may still run is said.

use std::collections::BTreeSet;

use super::answer::{Answer, LeftBehind, Refusal};
use super::departed::By;
use super::fleet::{Effect, Fleet, Ticket};
use super::ids::JobId;
use super::ladder::{Force, Stop};
use super::reason::Reason;
use super::select::Selector;
use super::state::Cause;
use super::time::Moment;
use super::wait::Pending;

impl Fleet {
    pub(super) fn remove(
        &mut self,
        now: Moment,
        ticket: Ticket,
        select: &[Selector],
        force: Force,
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let mut refused = self.not_whole_jobs(&picked);
        let mut jobs = BTreeSet::new();
        for id in picked.jobs {
            let state = self.jobs[&id].state();
            match force {
                Force::FinalOnly if !state.is_final() => refused.push(Refusal::NotFinal(id, state)),
                Force::FinalOnly => _ = jobs.insert(id),
                Force::StopFirst => {
                    jobs.insert(id);
                    for index in 0..self.jobs[&id].children.len() {
                        self.stop_child(now, id, index, Stop::usual(Cause::Operator), effects);
                    }
                }
            }
        }
        self.wait(now, ticket, Pending::Removal { jobs, refused }, effects);
    }

    /// Removes jobs whose children have all settled, and says what may still run of them.
    pub(super) fn finish_removal(
        &mut self,
        now: Moment,
        jobs: &BTreeSet<JobId>,
        refused: Vec<Refusal>,
        effects: &mut Vec<Effect>,
    ) -> Answer {
        let mut left = Vec::new();
        for job in jobs.iter().filter_map(|id| self.jobs.get(id)) {
            for (index, child) in job.children.iter().enumerate() {
                if let Some(reason) = child.state.reason().filter(Reason::unconfirmed) {
                    left.push(LeftBehind {
                        job: job.id,
                        host: job.spec.hosts[index].name.clone(),
                        reason,
                    });
                }
            }
        }
        let removed: Vec<JobId> = jobs
            .iter()
            .copied()
            .filter(|id| self.jobs.contains_key(id))
            .collect();
        for id in &removed {
            self.erase(now, *id, By::Operator, effects);
        }
        Answer::Removed {
            jobs: removed,
            left,
            refused,
        }
    }
}

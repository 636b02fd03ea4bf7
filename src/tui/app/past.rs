//! What becomes of jobs as events; and what happened before the console began: what was noted then, and of what was not,
//! what the first list still tells.

use super::App;
use crate::core::state::State;
use crate::tui::events::{Happening, told};
use crate::tui::model::{Change, Entry};
use crate::wire::reply::JobView;

/// What was noted and what is listed of one thing are no further apart, in milliseconds.
const SAME: u64 = 2_000;

/// Both have to be there, in whichever order they come.
#[derive(Debug, Default)]
pub(super) struct Past {
    noted: Option<Vec<Happening>>,
    listed: Option<Vec<Happening>>,
}

impl App {
    /// The audit log has been read.
    pub(super) fn past_noted(&mut self, noted: Vec<Happening>) {
        self.past.noted = Some(noted);
        self.enter_past();
    }

    /// The first list is complete.
    pub(super) fn past_listed(&mut self) {
        self.past.listed = Some(self.model.jobs().flat_map(life).collect());
        self.enter_past();
    }

    /// Enters changes of jobs into the events, and tells who looks elsewhere.
    pub(super) fn tell(&mut self, changes: &[Change]) {
        for change in changes {
            self.events.push(told(change, self.now.wall));
            self.notify(change);
            if let Change::New(job) = change
                && job.ended.is_some()
            {
                // It was over before it was heard of.
                let ended = end(job);
                self.events.push(told(&ended, self.now.wall));
                self.notify(&ended);
            }
        }
    }

    fn enter_past(&mut self) {
        let Past {
            noted: Some(noted),
            listed: Some(listed),
        } = &mut self.past
        else {
            return;
        };
        let mut past = std::mem::take(noted);
        let lacking: Vec<Happening> = std::mem::take(listed)
            .into_iter()
            .filter(|one| {
                past.iter()
                    .all(|other| other.job != one.job || other.at.abs_diff(one.at) > SAME)
            })
            .collect();
        past.extend(lacking);
        past.sort_by_key(|happening| happening.at);
        self.events.put_before(past);
        self.past = Past::default();
    }
}

/// When a job began, and what it came to.
fn life(entry: &Entry) -> impl Iterator<Item = Happening> {
    let job = &entry.job;
    let began = told(&Change::New(job.clone()), job.created);
    let ended = job.ended.map(|at| told(&end(job), at));
    std::iter::once(began).chain(ended)
}

/// The last that can be told of a job that is over.
fn end(job: &JobView) -> Change {
    Change::State {
        before: State::Running,
        job: job.clone(),
    }
}

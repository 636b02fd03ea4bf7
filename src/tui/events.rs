//! What happened: the jobs' lives and the operator's deeds, each deed with the command line that does the same.

use std::collections::VecDeque;

use super::model::Change;
use crate::core::state::State;
use crate::wire::reply::JobView;

/// What is remembered.
const MOST: usize = 2_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Milliseconds since the epoch.
    pub at: i64,
    pub job: Option<u64>,
    pub text: String,
    /// The command line that does the same.
    pub line: Option<String>,
    pub weight: Weight,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Ordinary,
    Problem,
}

/// Newest last.
#[derive(Debug, Default)]
pub struct Events {
    list: VecDeque<Happening>,
    /// How many have been let go of.
    gone: usize,
}

impl Events {
    pub fn push(&mut self, happening: Happening) {
        if self.list.len() == MOST {
            self.list.pop_front();
            self.gone += 1;
        }
        self.list.push_back(happening);
    }

    /// What came before the console began; it takes its place before everything else.
    pub fn put_before(&mut self, earlier: Vec<Happening>) {
        let room = MOST.saturating_sub(self.list.len());
        for happening in earlier.into_iter().rev().take(room) {
            self.list.push_front(happening);
        }
    }

    /// Newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Happening> {
        self.list.iter().rev()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many have been let go of.
    pub fn gone(&self) -> usize {
        self.gone
    }
}

/// What a change of a job is worth telling.
pub fn told(change: &Change, at: i64) -> Happening {
    let (job, text, weight) = match change {
        Change::New(job) => (
            job.id,
            format!("{} began on {}", job.name, hosts(job)),
            Weight::Ordinary,
        ),
        Change::State { job, .. } => {
            let weight = match job.state {
                State::Failed | State::Disconnected | State::Blocked => Weight::Problem,
                State::NotStarted
                | State::Connecting
                | State::Running
                | State::Suspended
                | State::Stopping
                | State::Completed
                | State::Stopped => Weight::Ordinary,
            };
            let text = match job.state {
                State::Blocked => format!("{} waits for an answer", job.name),
                state => format!(
                    "{} is {state}: {}",
                    job.name,
                    crate::view::table::counts(job)
                ),
            };
            (job.id, text, weight)
        }
        Change::Removed { id, name } => (*id, format!("{name} was removed"), Weight::Ordinary),
    };
    Happening {
        at,
        job: Some(job),
        text,
        line: None,
        weight,
    }
}

fn hosts(job: &JobView) -> String {
    match job.children() {
        1 => job.targets.clone(),
        count => format!("{count} hosts"),
    }
}

//! What the console knows of the jobs: a mirror of what the engine said last, and nothing of how it is shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::event::Now;
use crate::core::state::State;
use crate::view::text::harmless;
use crate::wire::look::{Folded, Question, Row, RowKind};
use crate::wire::reply::{ChildView, JobView, Jobs, News};

/// The jobs, and of those that are looked at their children.
#[derive(Debug, Default)]
pub struct Model {
    jobs: BTreeMap<u64, Entry>,
    questions: Vec<Question>,
    /// What is being listed anew; it takes the place of what was here when it is complete.
    listing: Option<BTreeMap<u64, JobView>>,
    /// Grows with every change, so that what was computed of it is known to be old.
    revision: u64,
}

/// One job.
#[derive(Debug)]
pub struct Entry {
    pub job: JobView,
    /// When the engine said so: times that go on are counted from here.
    said: Duration,
    /// Its children in host order, once they were asked for.
    children: Children,
    /// How its children fold, when that was asked last.
    fold: Option<Folded>,
    /// Its seconds when a child was last seen to settle.
    settled_at: Option<f64>,
}

/// Children of a job that is looked at.
#[derive(Debug, Default)]
struct Children {
    list: Vec<Option<ChildEntry>>,
    /// Whether all were listed.
    complete: Complete,
    /// Their hosts in the order of the alphabet, once all were listed: they never change.
    hosts: Arc<[String]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Complete {
    #[default]
    No,
    Yes,
}

/// One child.
#[derive(Debug)]
pub struct ChildEntry {
    pub child: ChildView,
    said: Duration,
    /// Its last line, as it reads.
    last: Option<String>,
}

impl Entry {
    fn new(job: JobView, now: Now) -> Self {
        Self {
            job,
            said: now.mono,
            children: Children::default(),
            fold: None,
            settled_at: None,
        }
    }

    /// Seconds since it was made, until it settled.
    pub fn elapsed(&self, now: Now) -> f64 {
        if is_live(&self.job) {
            self.job.elapsed + now.mono.saturating_sub(self.said).as_secs_f64()
        } else {
            self.job.elapsed
        }
    }

    /// Seconds that the rest may take as fast as children have settled so far; `None` where nothing was seen to settle, and
    /// where what is left has run longer than the others took.
    pub fn left(&self, now: Now) -> Option<f64> {
        let job = &self.job;
        let (settled, all) = (f64::from(job.settled), f64::from(job.children()));
        let at = self.settled_at?;
        let taken = at * f64::from(job.fanout.min(job.children())) / settled;
        let quiet = self.elapsed(now) - at;
        let left = (all - settled) * at / settled - quiet;
        (quiet <= taken && left >= 1.0).then_some(left)
    }

    /// The children that are known, in host order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &ChildEntry> {
        self.children.list.iter().flatten()
    }

    pub fn child(&self, id: u64) -> Option<&ChildEntry> {
        let index = usize::try_from(id.checked_sub(self.job.id + 1)?).ok()?;
        self.children.list.get(index)?.as_ref()
    }

    /// Whether all children are known.
    pub fn is_complete(&self) -> bool {
        self.children.complete == Complete::Yes
    }

    /// The hosts of all children, sorted; empty as long as not all are known.
    pub fn hosts(&self) -> Arc<[String]> {
        Arc::clone(&self.children.hosts)
    }

    pub fn fold(&self) -> Option<&Folded> {
        self.fold.as_ref()
    }

    fn put(&mut self, child: ChildView, now: Now) {
        let Some(index) = child.id.checked_sub(self.job.id + 1) else {
            return;
        };
        let index = index as usize;
        if index >= self.job.children() as usize {
            return;
        }
        let list = &mut self.children.list;
        if list.len() <= index {
            list.resize_with(index + 1, || None);
        }
        let last = list[index].take().and_then(|entry| entry.last);
        list[index] = Some(ChildEntry {
            child,
            said: now.mono,
            last,
        });
    }
}

impl ChildEntry {
    /// Seconds the command has run.
    pub fn elapsed(&self, now: Now) -> Option<f64> {
        let said = self.child.elapsed?;
        Some(match self.child.ended {
            Some(_) => said,
            None => said + now.mono.saturating_sub(self.said).as_secs_f64(),
        })
    }

    /// Its last line, if it was asked for.
    pub fn last_text(&self) -> Option<&str> {
        self.last.as_deref()
    }
}

/// Whether the job may still change by itself.
pub fn is_live(job: &JobView) -> bool {
    job.ended.is_none()
}

/// Whether somebody has to look at it.
pub fn is_problem(child: &ChildView) -> bool {
    match child.state {
        State::Failed | State::Disconnected | State::Blocked => true,
        // Something of it may still run.
        State::Stopped => child
            .reason
            .as_ref()
            .is_some_and(|reason| reason.unconfirmed),
        State::NotStarted
        | State::Connecting
        | State::Running
        | State::Suspended
        | State::Stopping
        | State::Completed => false,
    }
}

/// How many children of a job have come to something bad, or wait for an answer.
pub fn problems(job: &JobView) -> u32 {
    [State::Failed, State::Disconnected, State::Blocked]
        .map(|state| job.count(state))
        .iter()
        .sum()
}

impl Model {
    /// Of all jobs, by id.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.jobs.values()
    }

    pub fn job(&self, id: u64) -> Option<&Entry> {
        self.jobs.get(&id)
    }

    /// The job that has this child.
    pub fn job_of(&self, child: u64) -> Option<&Entry> {
        let (_, entry) = self.jobs.range(..child).next_back()?;
        (child <= entry.job.id + u64::from(entry.job.children())).then_some(entry)
    }

    pub fn child(&self, id: u64) -> Option<(&Entry, &ChildEntry)> {
        let entry = self.job_of(id)?;
        Some((entry, entry.child(id)?))
    }

    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The open question that a child waits for.
    pub fn question_of(&self, child: u64) -> Option<&Question> {
        self.questions
            .iter()
            .find(|question| question.children.contains(&child))
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many jobs are in which state.
    pub fn states(&self) -> HashMap<State, usize> {
        let mut states = HashMap::new();
        for entry in self.jobs.values() {
            *states.entry(entry.job.state).or_default() += 1;
        }
        states
    }

    /// Whether anything may still change by itself.
    pub fn is_live(&self) -> bool {
        self.jobs.values().any(|entry| is_live(&entry.job))
    }

    /// A part of the list of all jobs; says what changed of which jobs once it is complete.
    pub fn listed(&mut self, now: Now, part: Jobs) -> Vec<Change> {
        let listing = self.listing.get_or_insert_default();
        listing.extend(part.jobs.into_iter().map(|job| (job.id, job)));
        if !part.last {
            return Vec::new();
        }
        let listed = self.listing.take().unwrap_or_default();
        let gone: Vec<u64> = self
            .jobs
            .keys()
            .copied()
            .filter(|id| !listed.contains_key(id))
            .collect();
        let mut changes: Vec<Change> = gone.into_iter().map(|id| self.remove(id)).collect();
        for job in listed.into_values() {
            changes.extend(self.put_job(now, job));
        }
        self.revision += 1;
        changes
    }

    /// The connection broke: what was heard of a list so far is no part of the next one.
    pub fn lost(&mut self) {
        self.listing = None;
    }

    /// What has changed of all jobs, or of one.
    pub fn news(&mut self, now: Now, news: News) -> Vec<Change> {
        let mut changes = Vec::new();
        for job in news.jobs {
            changes.extend(self.put_job(now, job));
        }
        for child in news.children {
            self.put_child(now, child);
        }
        for id in news.removed {
            if self.jobs.contains_key(&id) {
                changes.push(self.remove(id));
            }
        }
        self.revision += 1;
        changes
    }

    /// What has changed of the children of a job that is looked at, and of itself.
    pub fn children_news(&mut self, now: Now, mut news: News) -> Vec<Change> {
        news.jobs.retain(|job| !self.is_behind(job));
        self.news(now, news)
    }

    /// A part of the list of a job's children; says what changed of the job.
    pub fn children_listed(&mut self, now: Now, id: u64, mut part: Jobs) -> Vec<Change> {
        part.jobs.retain(|job| !self.is_behind(job));
        let mut changes = Vec::new();
        for job in part.jobs {
            changes.extend(self.put_job(now, job));
        }
        for child in part.children {
            self.put_child(now, child);
        }
        if part.last
            && let Some(entry) = self.jobs.get_mut(&id)
        {
            let mut hosts: Vec<String> = entry
                .children()
                .map(|child| child.child.host.clone())
                .collect();
            hosts.sort();
            entry.children.hosts = hosts.into();
            entry.children.complete = Complete::Yes;
        }
        self.revision += 1;
        changes
    }

    /// Whether more is known of a job than this: two watches tell of it, and either may be late.
    fn is_behind(&self, job: &JobView) -> bool {
        self.jobs
            .get(&job.id)
            .is_some_and(|known| job.elapsed < known.job.elapsed)
    }

    /// The children are not watched any more, so that what is known of them grows old.
    pub fn forget_children(&mut self, id: u64) {
        if let Some(entry) = self.jobs.get_mut(&id) {
            entry.children = Children::default();
            self.revision += 1;
        }
    }

    pub fn set_questions(&mut self, questions: Vec<Question>) {
        self.questions = questions;
        self.revision += 1;
    }

    pub fn set_tails(&mut self, tails: Vec<Row>) {
        for row in tails {
            let Some(id) = self.job_of(row.child).map(|entry| entry.job.id) else {
                continue;
            };
            let entry = self.jobs.get_mut(&id).expect("it was just found");
            let index = (row.child - id - 1) as usize;
            if let Some(Some(child)) = entry.children.list.get_mut(index) {
                child.last = text_of(&row);
            }
        }
        self.revision += 1;
    }

    pub fn set_fold(&mut self, fold: Folded) {
        if let Some(entry) = self.jobs.get_mut(&fold.job) {
            entry.fold = Some(fold);
            self.revision += 1;
        }
    }

    fn put_job(&mut self, now: Now, job: JobView) -> Option<Change> {
        let Some(entry) = self.jobs.get_mut(&job.id) else {
            let change = Change::New(job.clone());
            self.jobs.insert(job.id, Entry::new(job, now));
            return Some(change);
        };
        let before = std::mem::replace(&mut entry.job, job);
        entry.said = now.mono;
        if before.settled < entry.job.settled {
            entry.settled_at = Some(entry.job.elapsed);
        }
        (before.state != entry.job.state).then(|| Change::State {
            before: before.state,
            job: entry.job.clone(),
        })
    }

    fn put_child(&mut self, now: Now, child: ChildView) {
        if let Some(entry) = self.jobs.get_mut(&child.job) {
            entry.put(child, now);
        }
    }

    fn remove(&mut self, id: u64) -> Change {
        let entry = self.jobs.remove(&id);
        Change::Removed {
            id,
            name: entry.map(|entry| entry.job.name).unwrap_or_default(),
        }
    }
}

/// A row as it reads.
fn text_of(row: &Row) -> Option<String> {
    match &row.what {
        RowKind::Text { data, .. } => Some(harmless(data).trim_end().to_string()),
        RowKind::Cut(_) => None,
    }
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    New(JobView),
    State { before: State, job: JobView },
    Removed { id: u64, name: String },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tree::tests::job;

    #[test]
    fn the_time_left_is_told_only_where_the_rest_goes_on_as_the_others_did() {
        use State::{Completed, Running};
        let at = |seconds| Now {
            mono: Duration::from_secs(seconds),
            ..Now::default()
        };
        let mut model = Model::default();
        let mut say = |elapsed: f64, states: &[State]| {
            let job = JobView {
                elapsed,
                fanout: 2,
                ended: None,
                ..job(7, "sleep", states)
            };
            let news = News {
                jobs: vec![job],
                ..News::default()
            };
            model.news(at(100 + elapsed as u64), news);
            let left = |seconds| model.job(7).and_then(|entry| entry.left(at(100 + seconds)));
            let asked = elapsed as u64;
            (left(asked), left(asked + 5), left(asked + 30))
        };
        assert_eq!(say(0.0, &[Running; 6]), (None, None, None));
        let half = [Completed, Completed, Running, Running, Running, Running];
        assert_eq!(say(10.0, &half), (Some(20.0), Some(15.0), None));
        // What is left runs on, and nothing says how long.
        let last = [
            Completed, Completed, Completed, Completed, Completed, Running,
        ];
        let (first, _, later) = say(30.0, &last);
        assert_eq!((first, later), (Some(6.0), None));
    }
}

//! The memory of what came of jobs: a line in the daemon's log for each child that did not complete, and for each job's
//! end, which goes into the audit log too, with what became of each host, as does what retention takes.
//!
//! It watches as clients do, so that nothing waits for it.  What changes twice between two looks is told once, as it is
//! then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::audit::Who;
use super::deed::about;
use super::session::Service;
use crate::core::departed::{By, Departed};
use crate::core::fleet::Fleet;
use crate::core::ids::{ChildId, JobId};
use crate::core::job::{Child, Job};
use crate::core::journal::{Changed, Revision};
use crate::core::spec::JobSpec;
use crate::core::state::State;
use crate::targets::folded;

/// The task that writes; it ends, after a last look, when this is told to.
#[derive(Debug)]
pub(super) struct Chronicle {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Chronicle {
    pub(super) fn begin(service: Arc<Service>) -> Self {
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(write(service, ended));
        Self { end, task }
    }

    /// Writes what has come about since the last look, and ends.
    pub(super) async fn end(self) {
        // Both fail only if the task has ended by itself, which it does when the engine has.
        _ = self.end.send(());
        _ = self.task.await;
    }
}

async fn write(service: Arc<Service>, mut ended: oneshot::Receiver<()>) {
    let mut revisions = service.engine.revisions();
    // What had ended before this process began was told by an earlier one.
    let Ok(mut told) = service.look(|fleet, _| Told::before(fleet)).await else {
        return;
    };
    loop {
        let last = tokio::select! {
            changed = revisions.changed() => changed.is_err(),
            _ = &mut ended => true,
        };
        let seen = told.seen;
        let looked = service.look(move |fleet, _| (changes(fleet, seen), fleet.revision()));
        let Ok((changes, now)) = looked.await else {
            return;
        };
        told.seen = now;
        for change in changes {
            for note in told.tell(change) {
                note.write(&service).await;
            }
        }
        if last {
            return;
        }
    }
}

/// Something worth a line, unless it has been told already.
enum Event {
    Child {
        child: ChildId,
        job: JobId,
        host: String,
        state: State,
        reason: String,
    },
    Job {
        job: JobId,
        name: String,
        end: End,
    },
    /// With what is known of it, if it has not gone long ago.
    Removed(JobId, Option<Gone>),
}

/// A job that was removed.
struct Gone {
    by: By,
    name: String,
    end: End,
    outcome: Outcome,
}

impl Gone {
    fn of(Departed { job, by }: &Departed) -> Self {
        Self {
            by: *by,
            name: job.name(),
            end: End::of(job),
            outcome: Outcome::of(job),
        }
    }
}

/// An entry for the audit log.
enum Note {
    /// How a job ended that is still there, unless it goes this moment.
    Ended(JobId),
    /// How a job ended that has gone before anybody could look.
    EndedAndGone(JobId, Outcome),
    /// Retention has taken a job.
    Expired(JobId, Arc<JobSpec>),
}

/// What has settled or gone after `seen`.
fn changes(fleet: &Fleet, seen: Revision) -> Vec<Event> {
    let changes = fleet.changes_since(seen).unwrap_or_default();
    let event = |change| match change {
        Changed::Child(id) => {
            let (job, index) = fleet.find_child(id)?;
            let state = &job.children[index].state;
            let reason = state.reason().filter(|_| state.is_settled())?;
            Some(Event::Child {
                child: id,
                job: job.id,
                host: job.spec.hosts[index].name.clone(),
                state: state.word(),
                reason: reason.to_string(),
            })
        }
        Changed::Job(id) => {
            let job = fleet.job(id).filter(|job| job.is_settled())?;
            Some(Event::Job {
                job: id,
                name: job.name(),
                end: End::of(job),
            })
        }
        Changed::Removed(id) => Some(Event::Removed(id, fleet.departed(id).map(Gone::of))),
    };
    changes.into_iter().filter_map(event).collect()
}

/// How and when a job ended: a job that could be looked up again ends a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    state: State,
    /// On the monotonic clock.
    at: Option<Duration>,
}

impl End {
    fn of(job: &Job) -> Self {
        Self {
            state: job.state(),
            at: job.ended.map(|at| at.mono),
        }
    }
}

/// What was told last of whom: receiving changes what has ended, and is no second end.
#[derive(Default)]
struct Told {
    seen: Revision,
    jobs: BTreeMap<JobId, Account>,
}

#[derive(Default)]
struct Account {
    end: Option<End>,
    children: BTreeMap<ChildId, State>,
}

impl Told {
    /// What an earlier process has seen.
    fn before(fleet: &Fleet) -> Self {
        let settled = fleet.jobs().filter(|job| job.is_settled());
        let account = |job: &Job| Account {
            end: Some(End::of(job)),
            children: (0..)
                .zip(&job.children)
                .map(|(index, child)| (job.id.child(index), child.state.word()))
                .collect(),
        };
        Self {
            seen: fleet.revision(),
            jobs: settled.map(|job| (job.id, account(job))).collect(),
        }
    }

    /// Writes a line, and says what is to be noted.
    fn tell(&mut self, event: Event) -> Vec<Note> {
        match event {
            Event::Child {
                child,
                job,
                host,
                state,
                reason,
            } => {
                let children = &mut self.jobs.entry(job).or_default().children;
                if children.insert(child, state) != Some(state) {
                    tracing::info!(%job, %child, host, %state, reason, "a child has ended");
                }
                Vec::new()
            }
            Event::Job { job, name, end } => {
                let fresh = self.ended(job, &name, end);
                fresh.then_some(Note::Ended(job)).into_iter().collect()
            }
            Event::Removed(job, gone) => {
                let mut notes = Vec::new();
                if let Some(gone) = gone {
                    let spec = Arc::clone(&gone.outcome.spec);
                    if self.ended(job, &gone.name, gone.end) {
                        notes.push(Note::EndedAndGone(job, gone.outcome));
                    }
                    match gone.by {
                        By::Retention => notes.push(Note::Expired(job, spec)),
                        // Whoever had it done is noted with it.
                        By::Operator => {}
                    }
                }
                self.jobs.remove(&job);
                tracing::info!(%job, "a job was removed");
                notes
            }
        }
    }

    /// Writes a line for the end of a job; false if it was told before.
    fn ended(&mut self, job: JobId, name: &str, end: End) -> bool {
        let account = self.jobs.entry(job).or_default();
        let fresh = account.end.replace(end) != Some(end);
        if fresh {
            tracing::info!(%job, name, state = %end.state, "a job has ended");
        }
        fresh
    }
}

/// How a job and its children ended, to be folded where nobody waits for it.
struct Outcome {
    spec: Arc<JobSpec>,
    state: State,
    /// In host order.
    children: Vec<(State, Option<String>)>,
}

impl Outcome {
    fn of(job: &Job) -> Self {
        let end = |child: &Child| {
            let reason = child.state.reason().map(|reason| reason.to_string());
            (child.state.word(), reason)
        };
        Self {
            spec: Arc::clone(&job.spec),
            state: job.state(),
            children: job.children.iter().map(end).collect(),
        }
    }

    /// The keys of its entry.
    fn details(&self, job: JobId) -> Value {
        json!({
            "job": job.0,
            "hosts": self.spec.targets,
            "command": self.spec.payload.title(),
            "state": self.state.word(),
            "results": self.results(),
        })
    }

    /// The hosts that ended alike, together.
    fn results(&self) -> Vec<Value> {
        let mut alike: BTreeMap<&(State, Option<String>), Vec<&str>> = BTreeMap::new();
        for (end, host) in self.children.iter().zip(&self.spec.hosts) {
            alike.entry(end).or_default().push(&host.name);
        }
        let result = |((state, reason), hosts): (&(State, Option<String>), Vec<&str>)| {
            let mut result = json!({"hosts": folded(hosts.into_iter()), "state": state.word()});
            if let Some(reason) = reason {
                result["reason"] = reason.as_str().into();
            }
            result
        };
        alike.into_iter().map(result).collect()
    }
}

impl Note {
    /// Writes it into the audit log.
    async fn write(self, service: &Service) {
        if !service.audit.is_kept() {
            return;
        }
        let (what, details) = match self {
            Self::Ended(job) => {
                let looked = service.look(move |fleet, _| {
                    let here = fleet.job(job);
                    let gone = || fleet.departed(job).map(|departed| &departed.job);
                    here.or_else(gone).map(Outcome::of)
                });
                let Ok(Some(outcome)) = looked.await else {
                    return;
                };
                ("outcome", outcome.details(job))
            }
            Self::EndedAndGone(job, outcome) => ("outcome", outcome.details(job)),
            Self::Expired(job, spec) => {
                let mut details = about(job, spec.targets.clone(), &spec);
                details.insert("by".to_string(), "retention".into());
                ("remove", details.into())
            }
        };
        service.audit.note(&Who::default(), what, details).await;
    }
}

//! The daemon's memory of what went wrong: a line in its log for each child that did not complete, and for each job's end.
//!
//! It watches as clients do, so that nothing waits for it.  What changes twice between two looks is told once, as it is
//! then.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::session::Service;
use crate::core::fleet::Fleet;
use crate::core::ids::{ChildId, JobId};
use crate::core::journal::{Changed, Revision};
use crate::core::state::State;

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
    let mut told = Told::default();
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
            told.tell(change);
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
        state: State,
    },
    Removed(JobId),
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
                state: job.state(),
            })
        }
        Changed::Removed(id) => Some(Event::Removed(id)),
    };
    changes.into_iter().filter_map(event).collect()
}

/// What was told last of whom: receiving changes what has ended, and is no second end.
#[derive(Default)]
struct Told {
    seen: Revision,
    jobs: BTreeMap<JobId, Account>,
}

#[derive(Default)]
struct Account {
    state: Option<State>,
    children: BTreeMap<ChildId, State>,
}

impl Told {
    fn tell(&mut self, event: Event) {
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
            }
            Event::Job { job, name, state } => {
                let account = self.jobs.entry(job).or_default();
                if account.state.replace(state) != Some(state) {
                    tracing::info!(%job, name, %state, "a job has ended");
                }
            }
            Event::Removed(job) => {
                self.jobs.remove(&job);
                tracing::info!(%job, "a job was removed");
            }
        }
    }
}

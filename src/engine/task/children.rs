//! Tasks of children: what runs, proves and moves one, and what is kept of it meanwhile.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, Id, JoinError};

use super::Task;
use crate::core::fleet::Report;
use crate::core::ids::{ChildId, JobId};
use crate::core::reason::Reason;
use crate::core::spec::{
    Asking, Ended as RunEnded, Inquiry, Motion, Moved, OnFull, Payload, Proof, Signal, Trace,
    Withheld,
};
use crate::engine::carry::{EVENTS, Gate, Grown, News, carry};
use crate::runner::{Order, Pocket, Runner, secrets};
use crate::secret::{Answer as Said, Secret};
use crate::store::Log;

/// What all children of a job have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) payload: Arc<Payload>,
    pub(super) options: Arc<[(String, String)]>,
    pub(super) asking: Asking,
    pub(super) pocket: Pocket,
    pub(super) withheld: Arc<[Withheld]>,
    pub(super) on_full: OnFull,
    pub(super) runner: Option<Arc<dyn Runner>>,
}

/// A child that was started.
pub(super) struct Run {
    pub(super) job: JobId,
    pub(super) signal: watch::Sender<Option<Signal>>,
    pub(super) log: Log,
    pub(super) grown: Grown,
    /// Where the answer to its question goes.
    pub(super) asked: Option<oneshot::Sender<Said>>,
    /// How far it may write, where it is to wait for its receivers.
    pub(super) gate: Option<watch::Sender<u64>>,
    pub(super) task: AbortHandle,
}

impl Run {
    /// Lets it write up to here.
    pub(super) fn open_gate(&self, limit: u64) {
        if let Some(gate) = &self.gate {
            gate.send_if_modified(|now| {
                let moves = limit > *now;
                *now = limit.max(*now);
                moves
            });
        }
    }
}

impl Task {
    pub(super) fn drop_job(&mut self, job: JobId) {
        self.shared.remove(&job);
        self.environments.remove(&job);
        self.store.remove_job(job);
        // A removed job is final, so no run of it is under way.
        self.runs.retain(|_, run| run.job != job);
    }

    /// What all children of a job have in common.
    fn shared(&mut self, job: JobId) -> Option<&Shared> {
        let job = self.fleet.job(job)?;
        Some(self.shared.entry(job.id).or_insert_with(|| Shared {
            payload: Arc::new(job.spec.payload.clone()),
            options: job.spec.options.clone().into(),
            asking: job.spec.asking,
            pocket: Pocket::default(),
            withheld: job.spec.withheld.clone().into(),
            on_full: job.spec.on_full,
            runner: self.runners.get(job.spec.runner.as_str()).cloned(),
        }))
    }

    /// A new job's secrets are at hand before its first child is started.
    pub(super) fn hand_in(&mut self, job: JobId, given: &[(String, Secret)]) {
        if given.is_empty() {
            return;
        }
        if let Some(Shared {
            pocket, withheld, ..
        }) = self.shared(job)
        {
            for (name, secret) in given {
                for wanted in withheld.iter().filter(|wanted| wanted.name == *name) {
                    pocket.give(&secrets::about(wanted), secret);
                }
            }
        }
    }

    /// What all children of a child's job have in common, and what this one is to do.
    fn order(&mut self, child: ChildId) -> Option<(Shared, Order)> {
        let id = self.fleet.find_child(child)?.0.id;
        let shared = self.shared(id)?.clone();
        let (job, index) = self.fleet.find_child(child)?;
        let order = Order {
            job: job.id,
            child,
            host: job.spec.hosts[index].clone(),
            payload: Arc::clone(&shared.payload),
            run: self.store.run_name(child).into(),
            connect_timeout: job.spec.limits.connect,
            options: Arc::clone(&shared.options),
            asking: shared.asking,
            pocket: shared.pocket.clone(),
            environment: self.environments.get(&job.id).cloned().unwrap_or_default(),
            secrets: Arc::default(),
        };
        Some((shared, order))
    }

    /// What is known of where a child runs.
    fn trace(&self, child: ChildId) -> Option<Trace> {
        self.fleet.child(child)?.trace.clone()
    }

    pub(super) fn start(&mut self, child: ChildId) {
        let Some((shared, mut order)) = self.order(child) else {
            return;
        };
        let job = order.job;
        let children = self.fleet.job(job).map_or(1, |job| job.children.len());
        let (signal, mut signals) = watch::channel(None);
        let (log, grown) = (self.store.log(job, child), Grown::default());
        let (gate, gated) = match shared.on_full {
            OnFull::Block => {
                let (gate, limit) = watch::channel(self.store.room(children).0);
                (Some(gate), Gate::at(limit))
            }
            OnFull::Truncate | OnFull::Stop => (None, Gate::open()),
        };
        let (store, news) = (Arc::clone(&self.store), self.news.clone());
        let task = if let Some(runner) = shared.runner {
            let (log, grown) = (log.clone(), grown.clone());
            self.tasks.spawn(async move {
                // Should we die now, the next process has to know that this was begun.
                store.durable().await;
                let (events, received) = mpsc::channel(EVENTS);
                let run = Box::pin(async move {
                    let withheld = &shared.withheld;
                    match secrets::gather(&order, withheld, &events, &mut signals).await {
                        Ok(secrets) => order.secrets = secrets.into(),
                        Err(ended) => return ended,
                    }
                    runner.run(order, events, signals).await
                });
                carry(child, run, received, log, gated, grown, news).await;
            })
        } else {
            let runner = self.fleet.job(job).map(|job| job.spec.runner.clone());
            let reason = Reason::BadSettings(format!(
                "there is no runner named {}",
                runner.unwrap_or_default()
            ));
            self.tasks.spawn(async move {
                _ = news
                    .send(News::Ended(child, RunEnded::NotStarted(reason)))
                    .await;
            })
        };
        self.owners.insert(task.id(), child);
        self.runs.insert(
            child,
            Run {
                job,
                signal,
                log,
                grown,
                asked: None,
                gate,
                task,
            },
        );
    }

    pub(super) fn prove(&mut self, child: ChildId, inquiry: Inquiry) {
        let Some((shared, order)) = self.order(child) else {
            return;
        };
        let trace = self.trace(child);
        let old = (!self.runs.contains_key(&child)).then(|| Arc::clone(&self.old_probes));
        let news = self.news.clone();
        let task = self.tasks.spawn(async move {
            let _place = match &old {
                Some(places) => places.acquire().await.ok(),
                None => None,
            };
            let proof = match shared.runner {
                Some(runner) => runner.prove(order, trace, inquiry).await,
                None => Proof::Unknown("its runner is not there any more".to_string()),
            };
            _ = news.send(News::Proved(child, proof)).await;
        });
        self.owners.insert(task.id(), child);
    }

    pub(super) fn set_in_motion(&mut self, child: ChildId, motion: Motion) {
        let Some((shared, order)) = self.order(child) else {
            return;
        };
        let trace = self.trace(child);
        let news = self.news.clone();
        let task = self.tasks.spawn(async move {
            let moved = match shared.runner {
                Some(runner) => runner.set_in_motion(order, trace, motion).await,
                None => Moved::Unknown("its runner is not there any more".to_string()),
            };
            _ = news.send(News::Moved(child, motion, moved)).await;
        });
        self.owners.insert(task.id(), child);
    }

    /// A child's task has ended.  It said so itself before, unless it panicked: a defect here is that child's failure.
    pub(super) fn task_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some(child) = self.owners.remove(&id) else {
            return;
        };
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%child, "a child's task panicked");
            self.account(child);
            self.report(
                child,
                Report::Ended(RunEnded::Lost("internal error: a task panicked".into())),
            );
            self.report(
                child,
                Report::Proved(Proof::Unknown("internal error: a task panicked".into())),
            );
        }
    }
}

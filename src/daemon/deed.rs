//! Commands that act, carried out and noted in the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::audit::{Audit, Who};
use super::session::Service;
use crate::core::answer::Answer;
use crate::core::fleet::{Command, Fleet};
use crate::core::ids::{ChildId, JobId};
use crate::core::job::{Job, Pin};
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::spec::{JobSpec, Motion};
use crate::core::state::State;
use crate::engine::{Engine, Gone};
use crate::secret::{Environment, Named};
use crate::targets::folded;

/// What of a command the log tells.
enum Deed {
    /// Something that may take long, and is noted before: whatever comes of it, it was asked for.
    Slow {
        what: &'static str,
        select: Vec<Selector>,
    },
    /// Something that is done at once, or not at all, to whole jobs.
    Change {
        what: &'static str,
        select: Vec<Selector>,
        details: Map<String, Value>,
    },
    /// Nothing is changed by it, or it is noted elsewhere.
    None,
}

impl Deed {
    fn of(command: &Command) -> Self {
        let change = |what, select: &[Selector], details: Value| Self::Change {
            what,
            select: select.to_vec(),
            details: match details {
                Value::Object(details) => details,
                _ => Map::new(),
            },
        };
        match command {
            Command::Stop { select, .. } => Self::Slow {
                what: "stop",
                select: select.clone(),
            },
            Command::Reconnect { select } => Self::Slow {
                what: "reconnect",
                select: select.clone(),
            },
            Command::Remove { select, .. } => change("remove", select, Value::Null),
            Command::Throttle { select, fanout } => {
                change("throttle", select, json!({"fanout": fanout}))
            }
            Command::Pause { select } => change("pause", select, Value::Null),
            Command::Move { select, motion } => Self::Slow {
                what: match motion {
                    Motion::Suspend => "suspend",
                    Motion::Resume => "resume",
                },
                select: select.clone(),
            },
            Command::Pin { select, pin } => {
                change("pin", select, json!({"pinned": *pin == Pin::On}))
            }
            Command::Submit(_)
            | Command::Wait { .. }
            | Command::Receive(_)
            | Command::Answer { .. } => Self::None,
        }
    }
}

/// The children of one job that something was done to.
pub(super) struct Subject {
    job: JobId,
    spec: Arc<JobSpec>,
    children: Picked,
}

enum Picked {
    All,
    Some(Vec<usize>),
}

impl Subject {
    fn new(job: &Job, indexes: Vec<usize>) -> Self {
        Self {
            job: job.id,
            spec: Arc::clone(&job.spec),
            children: if indexes.len() == job.children.len() {
                Picked::All
            } else {
                Picked::Some(indexes)
            },
        }
    }

    /// The entry's keys that say to what it was done.
    fn details(&self) -> Map<String, Value> {
        let hosts = match &self.children {
            Picked::All => self.spec.targets.clone(),
            Picked::Some(indexes) => folded(
                indexes
                    .iter()
                    .map(|index| self.spec.hosts[*index].name.as_str()),
            ),
        };
        about(self.job, hosts, &self.spec)
    }
}

/// The keys that name a job, its hosts and its command.
pub(super) fn about(job: JobId, hosts: String, spec: &JobSpec) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("job".to_string(), job.0.into());
    details.insert("hosts".to_string(), hosts.into());
    details.insert("command".to_string(), spec.payload.title().into());
    if let Some((_, user)) = spec.options.iter().find(|(name, _)| name == "sudo") {
        details.insert("as".to_string(), user.as_str().into());
    }
    details
}

/// The children that `select` means.
pub(super) fn subjects(
    fleet: &Fleet,
    select: &[Selector],
    wanted: impl Fn(State) -> bool,
) -> Vec<Subject> {
    let picked = fleet.resolve(select);
    let of = |job: &Job| {
        let mut indexes = picked.indexes(job);
        indexes.retain(|index| wanted(job.children[*index].state.word()));
        (!indexes.is_empty()).then(|| Subject::new(job, indexes))
    };
    picked.touched(fleet).into_iter().filter_map(of).collect()
}

impl Service {
    /// Has the engine carry out a command, and notes it.  What is noted afterwards is noted even if the client leaves.
    pub(super) async fn carry_out(
        &self,
        who: &Who,
        command: Command,
        environment: Environment,
    ) -> Result<Answer, Gone> {
        let deed = if self.audit.is_kept() {
            Deed::of(&command)
        } else {
            Deed::None
        };
        let (engine, audit, who) = (self.engine.clone(), self.audit.clone(), who.clone());
        match deed {
            Deed::None => engine.command_in(command, environment).await,
            Deed::Slow { what, select } => {
                let open = move |fleet: &Fleet| subjects(fleet, &select, |state| !state.is_final());
                for subject in engine.read(open).await? {
                    let details = Value::Object(subject.details());
                    audit.note(&who, what, details).await;
                }
                engine.command_in(command, environment).await
            }
            deed @ Deed::Change { .. } => {
                let command = (command, environment);
                let done = tokio::spawn(done_and_noted(engine, audit, who, command, deed));
                done.await.map_err(|_| Gone)?
            }
        }
    }

    /// Makes a job, and notes it, even if the client leaves meanwhile.
    pub(super) async fn submit(
        &self,
        who: &Who,
        spec: Box<JobSpec>,
        environment: Environment,
        secrets: Named,
    ) -> Result<Answer, Gone> {
        let (engine, audit, who) = (self.engine.clone(), self.audit.clone(), who.clone());
        let done = tokio::spawn(async move {
            let noted = audit.is_kept().then(|| JobSpec::clone(&spec));
            let answer = engine.submit(spec, environment, secrets).await?;
            if let (Answer::Submitted(job), Some(spec)) = (&answer, noted) {
                let details = about(*job, spec.targets.clone(), &spec);
                audit.note(&who, "run", Value::Object(details)).await;
            }
            Ok(answer)
        });
        done.await.map_err(|_| Gone)?
    }

    /// Notes that output of these hosts of a job was handed over.
    pub(super) async fn note_received(
        &self,
        who: &Who,
        mode: Mode,
        job: JobId,
        hosts: &[impl AsRef<str>],
    ) {
        let mode = match mode {
            Mode::Drain => "drain",
            Mode::Keep => "keep",
            Mode::All => "all",
        };
        let hosts = folded(hosts.iter().map(AsRef::as_ref));
        let details = json!({"job": job.0, "hosts": hosts, "mode": mode});
        self.audit.note(who, "receive", details).await;
    }

    /// Notes that `job` was made from an older one.
    pub(super) async fn note_rerun(&self, who: &Who, of: JobId, job: JobId, spec: &JobSpec) {
        let mut details = about(job, spec.targets.clone(), spec);
        details.insert("of".to_string(), of.0.into());
        self.audit.note(who, "rerun", Value::Object(details)).await;
    }
}

/// The jobs of these children, and their hosts in each.
pub(super) fn jobs_of(fleet: &Fleet, children: &BTreeSet<ChildId>) -> Vec<(JobId, String)> {
    let mut jobs: BTreeMap<JobId, Vec<&str>> = BTreeMap::new();
    for (job, index) in children.iter().filter_map(|id| fleet.find_child(*id)) {
        let hosts = jobs.entry(job.id).or_default();
        hosts.push(job.spec.hosts[index].name.as_str());
    }
    let entry = |(job, hosts): (JobId, Vec<&str>)| (job, folded(hosts.iter().copied()));
    jobs.into_iter().map(entry).collect()
}

async fn done_and_noted(
    engine: Engine,
    audit: Audit,
    who: Who,
    (command, environment): (Command, Environment),
    deed: Deed,
) -> Result<Answer, Gone> {
    let (what, before, more) = match deed {
        Deed::Slow { .. } | Deed::None => return engine.command_in(command, environment).await,
        Deed::Change {
            what,
            select,
            details,
        } => {
            // Afterwards there may be nothing left to look at.
            let look = move |fleet: &Fleet| subjects(fleet, &select, |_| true);
            (what, engine.read(look).await?, details)
        }
    };
    let answer = engine.command_in(command, environment).await?;
    let (jobs, left) = match &answer {
        Answer::Changed { jobs, .. } => (jobs.as_slice(), [].as_slice()),
        Answer::Removed { jobs, left, .. } => (jobs.as_slice(), left.as_slice()),
        Answer::Submitted(_)
        | Answer::Settled { .. }
        | Answer::Moved { .. }
        | Answer::Received(_)
        | Answer::Answered { .. } => return Ok(answer),
    };
    for subject in before {
        if !jobs.contains(&subject.job) {
            continue;
        }
        let mut details = subject.details();
        details.extend(more.clone());
        let left: Vec<Value> = left
            .iter()
            .filter(|left| left.job == subject.job)
            .map(|left| json!({"host": left.host, "reason": left.reason.to_string()}))
            .collect();
        if !left.is_empty() {
            details.insert("left".to_string(), left.into());
        }
        audit.note(&who, what, Value::Object(details)).await;
    }
    Ok(answer)
}

//! New jobs like old ones, on some of their hosts.

use tokio::io::{AsyncRead, AsyncWrite};

use super::audit::Who;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::answer::Answer;
use crate::core::fleet::Fleet;
use crate::core::ids::JobId;
use crate::core::select::{Selector, Unknown};
use crate::core::spec::{Asking, JobSpec};
use crate::core::state::State;
use crate::engine::job_view;
use crate::secret::{Environment, Named};
use crate::targets::folded;
use crate::wire::Reply;
use crate::wire::request::Rerun;

/// How jobs run again.
pub(super) struct Again {
    pub(super) which: Rerun,
    pub(super) asking: Asking,
    /// As whom, if not as before.
    pub(super) becomes: Option<String>,
    /// Whoever runs it again need not be whoever ran it first.
    pub(super) environment: Environment,
}

impl Service {
    pub(super) async fn rerun<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        select: Vec<Selector>,
        again: Again,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Again {
            which,
            asking,
            becomes,
            environment,
        } = again;
        let (mut specs, mut refused, unknown) = self
            .look(move |fleet, _| present(fleet, &select, which))
            .await?;
        for unknown in unknown {
            match self.past(&unknown, which).await {
                Ok(old) => specs.push(old),
                Err(why) => refused.push(why),
            }
        }
        let mut jobs = Vec::new();
        for (old, mut spec) in specs {
            // Whoever runs it again may not be whoever ran it first.
            spec.asking = asking;
            if let Some(user) = &becomes {
                spec.options.retain(|(name, _)| name != "sudo");
                spec.options.push(("sudo".to_string(), user.clone()));
            }
            let submitted =
                self.engine
                    .submit(Box::new(spec.clone()), environment.clone(), Named::new());
            if let Answer::Submitted(id) = submitted.await? {
                self.note_rerun(who, old, id, &spec).await;
                jobs.extend(
                    self.look(move |fleet, now| fleet.job(id).map(|job| job_view(job, now)))
                        .await?,
                );
            }
        }
        peer.send(&Reply::Rerun { jobs, refused }).await
    }

    /// A job that is only in the history any more, to be run on all its hosts; or why not.
    async fn past(&self, unknown: &Unknown, which: Rerun) -> Result<(JobId, JobSpec), String> {
        let Ok(id) = unknown.text.parse() else {
            return Err(unknown.to_string());
        };
        let found = self.engine.store().past_spec(JobId(id)).await;
        let spec = found
            .map_err(|trouble| format!("the history cannot be read: {trouble}"))?
            .ok_or_else(|| unknown.to_string())?;
        match which {
            Rerun::All => Ok((JobId(id), spec)),
            Rerun::Unsuccessful => Err(format!(
                "job {id} has been removed, and with it what became of its children; \
                 `regatta rerun --all {id}` runs it on all of {}",
                spec.targets
            )),
        }
    }
}

/// The jobs to submit for a rerun, one for each job touched, what is refused, and what could not be found.
///
/// Of a job selected whole, `which` children run again; children selected by themselves run again in any case.
fn present(
    fleet: &Fleet,
    select: &[Selector],
    which: Rerun,
) -> (Vec<(JobId, JobSpec)>, Vec<String>, Vec<Unknown>) {
    let picked = fleet.resolve(select);
    let (mut specs, mut refused) = (Vec::new(), Vec::new());
    for job in picked.touched(fleet) {
        let whole = picked.jobs.contains(&job.id);
        let mut spec = JobSpec::clone(&job.spec);
        spec.hosts = picked
            .indexes(job)
            .into_iter()
            .filter(|index| {
                !whole || which == Rerun::All || failed(job.children[*index].state.word())
            })
            .map(|index| job.spec.hosts[index].clone())
            .collect();
        if spec.hosts.is_empty() {
            refused.push(format!("job {} has no child that did not complete", job.id));
        } else {
            spec.targets = folded(spec.hosts.iter().map(|host| host.name.as_str()));
            specs.push((job.id, spec));
        }
    }
    (specs, refused, picked.unknown)
}

/// Whether a child has settled as anything but Completed.
fn failed(state: State) -> bool {
    match state {
        State::Failed | State::Stopped | State::Disconnected => true,
        State::NotStarted
        | State::Connecting
        | State::Running
        | State::Blocked
        | State::Suspended
        | State::Stopping
        | State::Completed => false,
    }
}

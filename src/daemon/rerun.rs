//! New jobs like old ones, on some of their hosts.

use super::look::folded;
use crate::core::fleet::Fleet;
use crate::core::ids::JobId;
use crate::core::select::Selector;
use crate::core::spec::JobSpec;
use crate::core::state::State;
use crate::wire::request::Rerun;

/// The jobs to submit for a rerun, one for each job touched, with that job, and what could not be found.
///
/// Of a job selected whole, `which` children run again; children selected by themselves run again in any case.
pub(super) fn specs(
    fleet: &Fleet,
    select: &[Selector],
    which: Rerun,
) -> (Vec<(JobId, JobSpec)>, Vec<String>) {
    let picked = fleet.resolve(select);
    let mut refused: Vec<String> = picked.unknown.iter().map(ToString::to_string).collect();
    let mut specs = Vec::new();
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
    (specs, refused)
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

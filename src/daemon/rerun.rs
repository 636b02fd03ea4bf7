//! New jobs like old ones, on some of their hosts.

use crate::core::fleet::Fleet;
use crate::core::select::Selector;
use crate::core::spec::JobSpec;
use crate::core::state::State;
use crate::targets::HostSet;
use crate::wire::request::Rerun;

/// The jobs to submit for a rerun, one for each job touched, and what could not be found.
///
/// Of a job selected whole, `which` children run again; children selected by themselves run again in any case.
pub(super) fn specs(
    fleet: &Fleet,
    select: &[Selector],
    which: Rerun,
) -> (Vec<JobSpec>, Vec<String>) {
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
            let names = spec.hosts.iter().map(|host| host.name.as_str());
            // Names were checked when the job was submitted; if one is odd all the same, it is shown as it is.
            spec.targets = HostSet::from_names(names.clone()).map_or_else(
                |_| names.collect::<Vec<_>>().join(","),
                |hosts| hosts.fold(),
            );
            specs.push(spec);
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

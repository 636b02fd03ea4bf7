//! Targets that are hosts of earlier jobs: `%7.failed`, `%patch.web[01-05]`, `%7.group:2`.
//!
//! Only a whole argument can be one, so that no host's name is taken for it.

use super::error::PlanError;
use crate::command::TargetArgs;
use crate::command::select::parse_selector;
use crate::core::select::Selector;
use crate::targets::HostSet;
use crate::wire::look::Folded;
use crate::wire::reply::Jobs;

/// Whoever can ask the engine.
pub trait Asks {
    type Error: From<PlanError>;

    /// The jobs and children of a selection, all of them; an error if there are none.
    fn picked(&self, select: &[Selector])
    -> impl Future<Output = Result<Jobs, Self::Error>> + Send;

    /// A job's children by what they came to.
    fn folded(&self, job: u64) -> impl Future<Output = Result<Folded, Self::Error>> + Send;
}

/// What a target names that is hosts of earlier jobs: what stands behind its `%`.
pub fn named(target: &str) -> Option<&str> {
    target.strip_prefix('%')
}

/// Puts the hosts in the place of what names jobs.
pub async fn expand<A: Asks>(engine: &A, on: &mut TargetArgs) -> Result<(), A::Error> {
    for text in on.targets.iter_mut().chain(&mut on.exclude) {
        if let Some(selector) = named(text) {
            *text = hosts(engine, selector).await?;
        }
    }
    Ok(())
}

/// The hosts of a selection in the shortest form.
pub async fn hosts<A: Asks>(engine: &A, text: &str) -> Result<String, A::Error> {
    if let Some((job, number)) = text.rsplit_once(".group:") {
        return group(engine, job, number).await;
    }
    let picked = engine.picked(&[selector(text)?]).await?;
    let names = picked.children.iter().map(|child| child.host.as_str());
    let set = HostSet::from_names(names).map_err(|error| PlanError::usage(error.to_string()))?;
    Ok(set.fold())
}

/// The hosts of one of the groups that `fold` makes of a job, counted from 1 in its order.
async fn group<A: Asks>(engine: &A, job: &str, number: &str) -> Result<String, A::Error> {
    let number: usize = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            let message = format!("{number:?} is no number of a group");
            PlanError::usage(message).or("`regatta fold JOB` shows them; the first is group:1")
        })?;
    let picked = engine.picked(&[selector(job)?]).await?;
    let [view] = picked.jobs.as_slice() else {
        let message = format!("%{job} is {} jobs, whose groups differ", picked.jobs.len());
        return Err(PlanError::usage(message).or("name one by its id").into());
    };
    let folded = engine.folded(view.id).await?;
    let count = folded.groups.len();
    let group = folded.groups.into_iter().nth(number - 1);
    let none = || {
        let message = format!("job {} has {count} groups, and no group:{number}", view.id);
        PlanError::nothing(message).or(format!("`regatta fold {}` shows them", view.id))
    };
    Ok(group.map(|group| group.hosts).ok_or_else(none)?)
}

fn selector(text: &str) -> Result<Selector, PlanError> {
    parse_selector(text).map_err(|error| PlanError::usage(format!("%{text}: {error}")))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::core::state::State;
    use crate::tui::tree::tests::{child, job};

    /// Job 7 on three hosts, of which one has failed; it makes no groups.
    struct Engine;

    impl Asks for Engine {
        type Error = PlanError;

        async fn picked(&self, select: &[Selector]) -> Result<Jobs, PlanError> {
            let states = [State::Completed, State::Failed, State::Completed];
            let children = states.iter().zip(0..);
            let mut children: Vec<_> = children.map(|(state, n)| child(7, n, *state)).collect();
            match select[0].text.as_str() {
                "7" => {}
                "7.failed" => children.retain(|child| child.state == State::Failed),
                other => return Err(PlanError::nothing(format!("{other}: no such job"))),
            }
            Ok(Jobs {
                jobs: vec![job(7, "seven", &states)],
                children,
                ..Jobs::default()
            })
        }

        async fn folded(&self, job: u64) -> Result<Folded, PlanError> {
            Ok(Folded {
                job,
                groups: Vec::new(),
            })
        }
    }

    #[test]
    fn hosts_stand_in_the_place_of_what_names_jobs() {
        let expanded = |targets: &[&str], exclude: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
            let mut on = TargetArgs {
                targets: owned(targets),
                exclude: owned(exclude),
            };
            let done = expand(&Engine, &mut on).now_or_never();
            match done.expect("nobody waits") {
                Ok(()) => format!("{} - {}", on.targets.join(" "), on.exclude.join(" ")),
                Err(error) => error.to_string(),
            }
        };
        let cases: [(&[&str], &[&str], &str); 6] = [
            (&["%7", "db1"], &["%7.failed"], "web[01-03] db1 - web02"),
            (&["x,%7"], &[], "x,%7 - "),
            (&["%9"], &[], "9: no such job"),
            (&["%7.group:0"], &[], "\"0\" is no number of a group"),
            (&["%7.group:2"], &[], "job 7 has 0 groups, and no group:2"),
            (&["web[01-02]"], &[], "web[01-02] - "),
        ];
        for (targets, exclude, want) in cases {
            assert_eq!(expanded(targets, exclude), want, "{targets:?} {exclude:?}");
        }
    }
}

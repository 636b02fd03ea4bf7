//! Targets that are hosts of earlier jobs: `%7.failed`, `%patch.web[01-05]`, `%7.group:2`.
//!
//! Only a whole argument can be one, so that no host's name is taken for it.

use super::context::{Context, unexpected};
use super::error::CliError;
use super::picked;
use crate::command::TargetArgs;
use crate::command::select::parse_selector;
use crate::core::alike::Ignored;
use crate::core::select::Selector;
use crate::daemon::client::Absent;
use crate::targets::HostSet;
use crate::wire::{Reply, Request};

/// Puts the hosts in the place of what names jobs.
pub(super) async fn expand(context: &Context, on: &mut TargetArgs) -> Result<(), CliError> {
    for text in on.targets.iter_mut().chain(&mut on.exclude) {
        if let Some(selector) = text.strip_prefix('%') {
            *text = hosts(context, selector).await?;
        }
    }
    Ok(())
}

/// The hosts of a selection in the shortest form.
async fn hosts(context: &Context, text: &str) -> Result<String, CliError> {
    if let Some((job, number)) = text.rsplit_once(".group:") {
        return group(context, job, number).await;
    }
    let select = [selector(text)?];
    let picked = picked::pick(context, &select).await?;
    let names = picked.children.iter().map(|child| child.host.as_str());
    let set = HostSet::from_names(names).map_err(|error| CliError::usage(error.to_string()))?;
    Ok(set.fold())
}

/// The hosts of one of the groups that `fold` makes of a job, counted from 1 in its order.
async fn group(context: &Context, job: &str, number: &str) -> Result<String, CliError> {
    let number: usize = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            let message = format!("{number:?} is no number of a group");
            CliError::usage(message).hint("`regatta fold JOB` shows them; the first is group:1")
        })?;
    let select = [selector(job)?];
    let picked = picked::pick(context, &select).await?;
    let [view] = picked.jobs.as_slice() else {
        let message = format!("%{job} is {} jobs, whose groups differ", picked.jobs.len());
        return Err(CliError::usage(message).hint("name one by its id"));
    };
    let request = Request::Fold {
        job: view.id,
        ignored: Ignored::NOTHING,
    };
    let folded = match context.ask(&request, Absent::Recall).await? {
        Reply::Folded(folded) => folded,
        reply => return Err(unexpected(&reply)),
    };
    let count = folded.groups.len();
    let group = folded.groups.into_iter().nth(number - 1);
    group.map(|group| group.hosts).ok_or_else(|| {
        CliError::nothing(format!(
            "job {} has {count} groups, and no group:{number}",
            view.id
        ))
        .hint(format!("`regatta fold {}` shows them", view.id))
    })
}

fn selector(text: &str) -> Result<Selector, CliError> {
    parse_selector(text).map_err(|error| CliError::usage(format!("%{text}: {error}")))
}

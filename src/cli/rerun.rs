//! `rerun`: a job again, where it did not complete.

use std::io::Write;

use super::confirm::confirm;
use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use super::history;
use super::run::stream;
use crate::command::Rerun;
use crate::daemon::client::Absent;
use crate::plan;
use crate::view::json;
use crate::wire::reply::Jobs;
use crate::wire::request::{self, Children, Wanted};
use crate::wire::{Reply, Request};

pub(super) async fn rerun(context: &Context, args: Rerun) -> Result<Exit, CliError> {
    ask_first(context, &args).await?;
    let asking = context.planner().asking();
    let request = plan::request::rerun(&args, asking);
    let request = context.planner().in_environment(request);
    let Reply::Rerun { jobs, refused } = context.ask(&request, Absent::Recall).await? else {
        return Err(CliError::failed("the engine answered out of turn"));
    };
    for refusal in &refused {
        Context::warn(refusal);
    }
    if jobs.is_empty() {
        return Err(CliError::nothing_selected(&args.pick.select, &refused));
    }
    let mut exit = if refused.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    };
    for job in &jobs {
        if args.wait || context.is_in_process() {
            let streamed = stream(context, job).await?;
            if streamed != Exit::Done {
                exit = streamed;
            }
        } else if context.global.json {
            context
                .terminal
                .json(&mut std::io::stdout(), &json::job(job, None))?;
        } else {
            writeln!(std::io::stdout(), "{}", job.id)?;
            context.note(&format!("job {} runs on {}", job.id, job.targets));
        }
    }
    Ok(exit)
}

/// As for `run`: many hosts are not run on by a slip.
async fn ask_first(context: &Context, args: &Rerun) -> Result<(), CliError> {
    let request = Request::Jobs {
        select: Some(Wanted(args.pick.select.clone())),
        children: Children::Without,
    };
    match context.ask(&request, Absent::Recall).await? {
        Reply::Jobs(list) => {
            ask_of_the_past(context, args, &list).await?;
            list.jobs.iter().try_for_each(|job| {
                let again = plan::request::runs_again(args, &list, job);
                confirm(
                    context,
                    job.ask_above,
                    again,
                    &format!("of job {}", job.id),
                    &job.command,
                )
            })
        }
        reply => Err(unexpected(&reply)),
    }
}

/// The same for jobs that are only in the history any more: they run on all their hosts or not at all.
async fn ask_of_the_past(context: &Context, args: &Rerun, list: &Jobs) -> Result<(), CliError> {
    let here = |id: &u64| {
        list.jobs.iter().any(|job| job.id == *id)
            || list.children.iter().any(|child| child.id == *id)
    };
    let words = args.pick.select.iter().map(|selector| &selector.text);
    let mut ids: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    ids.retain(|id| !here(id));
    if ids.is_empty() || !args.all {
        return Ok(());
    }
    let search = request::History {
        limit: ids.len() as u64,
        ids,
        ..request::History::default()
    };
    for job in history::fetch(context, search).await? {
        let again = usize::try_from(job.hosts).unwrap_or(usize::MAX);
        confirm(
            context,
            job.ask_above,
            again,
            &format!("of job {}", job.id),
            &job.command,
        )?;
    }
    Ok(())
}

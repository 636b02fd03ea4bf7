//! `wait`: returns when what was selected has settled.

use std::io::Write;

use super::attend::beside;
use super::context::{Context, unexpected};
use super::ends::{Ends, Label, is_unconfirmed};
use super::error::{CliError, Exit};
use crate::command::Wait;
use crate::core::state::State;
use crate::core::wait::Until;
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::view::{json, table};
use crate::wire::Reply;
use crate::wire::reply::Settled;

pub(super) async fn wait(context: &Context, args: Wait) -> Result<Exit, CliError> {
    let request = request::wait(&args);
    let settled = context.ask(&request, Absent::Recall);
    match beside(context, &args.pick.select, settled).await? {
        Reply::Settled(settled) => {
            print_settled(context, &settled)?;
            report_children(context, &settled);
            if settled.is_empty() && !settled.timed_out {
                return Err(CliError::nothing_selected(
                    &args.pick.select,
                    &settled.unknown,
                ));
            }
            Ok(verdict(&settled, request::until(&args)))
        }
        reply => Err(unexpected(&reply)),
    }
}

/// What a wait comes to.
fn verdict(settled: &Settled, until: Until) -> Exit {
    if settled.timed_out {
        return Exit::TimedOut;
    }
    let whole: Vec<u64> = settled.jobs.iter().map(|job| job.id).collect();
    let jobs = settled
        .jobs
        .iter()
        .map(|job| (job.state, job.settled == job.children()));
    let alone = settled
        .children
        .iter()
        .filter(|child| !whole.contains(&child.job));
    let alone = alone.map(|child| {
        (
            child.state,
            child.state.is_final() || child.state == State::Disconnected,
        )
    });
    let over: Vec<State> = jobs
        .chain(alone)
        .filter(|(_, over)| until == Until::All || *over)
        .map(|(state, _)| state)
        .collect();
    if settled.unknown.is_empty() && over.iter().all(|state| *state == State::Completed) {
        Exit::Done
    } else {
        Exit::Failed
    }
}

/// Prints the jobs waited for.
pub(super) fn print_settled(context: &Context, settled: &Settled) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let jobs = settled.jobs.iter().map(|job| {
            let children = settled
                .children
                .iter()
                .filter(|child| child.job == job.id)
                .cloned()
                .collect::<Vec<_>>();
            json::job(job, Some(&children))
        });
        let whole: Vec<u64> = settled.jobs.iter().map(|job| job.id).collect();
        let alone = settled
            .children
            .iter()
            .filter(|child| !whole.contains(&child.job))
            .map(json::child);
        let value = serde_json::json!({
            "timed_out": settled.timed_out,
            "jobs": jobs.collect::<Vec<_>>(),
            "children": alone.collect::<Vec<_>>(),
        });
        context.terminal.json(&mut out, &value)?;
    } else if !settled.jobs.is_empty() {
        for line in table::jobs(&settled.jobs).lines(context.terminal.width()) {
            writeln!(out, "{line}")?;
        }
    }
    warn_unknown(settled);
    Ok(())
}

/// Names what was selected and is not there.
pub(super) fn warn_unknown(settled: &Settled) {
    for unknown in &settled.unknown {
        Context::warn(unknown);
    }
}

/// Names the children that did not complete, and why.
pub(super) fn report_children(context: &Context, settled: &Settled) {
    if settled.timed_out {
        let waiting: Vec<String> = settled
            .jobs
            .iter()
            .filter(|job| job.settled < job.children())
            .map(|job| {
                format!(
                    "job {} has {} still to settle",
                    job.id,
                    job.children() - job.settled
                )
            })
            .collect();
        Context::warn(&format!("the time ran out: {}", waiting.join(", ")));
    }
    // What may still run comes last, where it is seen.
    let (unconfirmed, plain): (Vec<_>, Vec<_>) =
        (settled.children.iter()).partition(|child| is_unconfirmed(child));
    let whole = settled.jobs.iter().map(|job| job.id);
    let alone = settled.children.iter().map(|child| child.job);
    let mut ends = Ends::new(context, Label::among(whole.chain(alone)));
    for child in plain {
        ends.say(child);
    }
    ends.count();
    for child in unconfirmed {
        ends.say(child);
    }
}

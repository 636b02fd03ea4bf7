//! `receive`: takes output over.

use super::attend::beside;
use super::context::Context;
use super::ends::{Ends, Label};
use super::error::{CliError, Exit};
use super::follow::{Outcome, follow};
use super::picked::by_ids;
use super::sink::{Existing, Layout, Partial, Sink, Target};
use super::together::{self, Wished};
use super::{jobs, remove};
use crate::command::{Pick, Receive, Remove};
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::daemon::client::Absent;
use crate::plan::request as asks;
use crate::wire::Request;
use crate::wire::request::{self, Children, Wanted};

pub(super) async fn receive(context: &Context, args: Receive) -> Result<Exit, CliError> {
    let mut request = context.planner().receive(&args)?;
    let wished = Wished::of(context, &args.together)?;
    let mut missing = Vec::new();
    if args.wait {
        let hosts = request.hosts.take();
        (request.select, missing) = by_ids(context, &request.select, hosts.as_deref()).await?;
    }
    let mut outcome = match wished {
        _ if args.wait && request.select.is_empty() => Outcome::default(),
        Some(wished) => folded(context, &args, request, wished).await?,
        None => as_it_comes(context, &args, request).await?,
    };
    outcome.unknown.extend(missing);
    let exit = report(&outcome);
    if let Some(hosts) = &args.host
        && outcome.matched == 0
        && outcome.unknown.is_empty()
    {
        return Err(CliError::nothing(format!(
            "nothing that was selected runs on {hosts}"
        )));
    }
    if outcome.matched == 0 {
        return Err(CliError::nothing_selected(
            &args.pick.select,
            &outcome.unknown,
        ));
    }
    if args.remove {
        let final_jobs = outcome
            .jobs
            .iter()
            .filter(|job| job.state.is_final() && !job.more);
        let select: Vec<Selector> = final_jobs
            .map(|job| Selector::new(job.id.to_string()))
            .collect();
        for job in outcome
            .jobs
            .iter()
            .filter(|job| !job.state.is_final() || job.more)
        {
            Context::warn(&format!(
                "job {} is {} or has output left, so it was not removed",
                job.id, job.state
            ));
        }
        if !select.is_empty() {
            let settled = Remove {
                pick: Pick { select },
                force: false,
            };
            let removed = remove::ask(context, &asks::remove(&settled)).await?;
            removed.note(context);
            removed.warn();
        }
    }
    Ok(exit)
}

/// Prints what each host wrote, while it comes if that was asked for.
async fn as_it_comes(
    context: &Context,
    args: &Receive,
    request: request::Receive,
) -> Result<Outcome, CliError> {
    let mode = request.mode;
    // Ends are said as they come, so that it has to be known before how many jobs there are.
    let select = request.select.clone();
    let wanted = Wanted(select.clone());
    let several = jobs::fetch(context, Some(wanted), Children::Without).await?;
    let label = Label::among(several.jobs.iter().map(|job| job.id));
    let mut connection = context
        .open(&Request::Receive(request), Absent::Recall)
        .await?;
    let partial = if args.wait {
        Partial::Hold
    } else {
        Partial::Print
    };
    let mut sink = open_sink(context, args, mode, partial)?;
    let mut ends = Ends::new(context, label);
    let follow = follow(&mut connection, &mut sink, |child| ends.say(child));
    let outcome = if args.wait {
        beside(context, &select, follow).await?
    } else {
        follow.await?
    };
    ends.count();
    Ok(outcome)
}

/// Prints what hosts wrote once for all that came to the same.
async fn folded(
    context: &Context,
    args: &Receive,
    request: request::Receive,
    wished: Wished,
) -> Result<Outcome, CliError> {
    if args.wait {
        let settle = together::settle(context, &request.select, wished.ignored);
        beside(context, &request.select, settle).await?;
    }
    let sink = open_sink(context, args, request.mode, Partial::Print)?;
    together::receive(context, request, wished, sink).await
}

fn open_sink(
    context: &Context,
    args: &Receive,
    mode: Mode,
    partial: Partial,
) -> Result<Sink, CliError> {
    let existing = if mode == Mode::Drain {
        Existing::Append
    } else {
        Existing::Replace
    };
    let target = match (&args.output, &args.outdir) {
        (Some(file), _) => Target::File(file.clone(), existing),
        (None, Some(directory)) => Target::Directory(directory.clone(), existing),
        (None, None) => Target::Standard,
    };
    let layout = if args.ndjson {
        Layout::Ndjson
    } else if context.global.json {
        Layout::Json
    } else if args.headers || args.together.fold {
        Layout::Headers
    } else if args.no_prefix {
        Layout::Raw
    } else {
        Layout::Prefix
    };
    Sink::open(target, layout, partial, context.terminal)
        .map_err(|error| CliError::failed(format!("cannot write to {error}")))
}

/// Says what could not be received, and what it all comes to.
fn report(outcome: &Outcome) -> Exit {
    for unknown in &outcome.unknown {
        Context::warn(unknown);
    }
    for unreadable in &outcome.unreadable {
        Context::warn(unreadable);
    }
    for busy in &outcome.busy {
        Context::warn(&format!(
            "{busy} is being received by somebody else and was left out"
        ));
    }
    let clean = outcome.unsuccessful.is_empty()
        && outcome.unknown.is_empty()
        && outcome.busy.is_empty()
        && outcome.unreadable.is_empty();
    if clean { Exit::Done } else { Exit::Failed }
}

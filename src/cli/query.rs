//! `query`: makes a job of a named query, and shows its rows once it is done if that was asked for.

use super::attend::attend_job;
use super::confirm::confirm;
use super::context::{Context, config_directory, unexpected};
use super::earlier::expand;
use super::error::{CliError, Exit};
use super::rows::{check, show};
use super::run::{Manner, begin, interrupted, submit};
use crate::command::query::QueryRun;
use crate::command::rows::RowArgs;
use crate::config::queries::{self, SearchPath};
use crate::core::fleet::Command;
use crate::core::select::Selector;
use crate::core::spec::JobSpec;
use crate::core::wait::Until;
use crate::daemon::client::Absent;
use crate::secret::Named;
use crate::targets::nearest;
use crate::wire::{Reply, Request};

pub(super) async fn query(context: &Context, mut args: QueryRun) -> Result<Exit, CliError> {
    expand(context, &mut args.on).await?;
    let path = SearchPath::usual(config_directory().as_deref());
    let (known, mistakes) = queries::load(&path);
    for mistake in &mistakes {
        Context::warn(&mistake.to_string());
    }
    let Some(query) = known.iter().find(|query| query.name == args.query) else {
        let hint = nearest(&args.query, known.iter().map(|query| query.name.as_str())).map_or_else(
            || "`regatta queries` lists them".to_string(),
            |near| format!("did you mean {near}?"),
        );
        return Err(CliError::usage(format!("there is no query {:?}", args.query)).hint(hint));
    };
    if query.shape.is_none() && args.rows.is_asked() {
        let message = format!("{} has no columns: its output is text", query.name);
        return Err(CliError::usage(message).hint(format!(
            "`regatta rows` reads it by the line, once `regatta query {}` has run",
            query.name
        )));
    }
    if let Some(shape) = &query.shape {
        check(shape, &args.rows)?;
    }
    let planner = context.planner();
    let spec = planner.query(&args, query)?;
    let secrets = planner.secrets(&args, &spec.withheld)?;
    let manner = Manner::of(args.begin);
    let stays = manner == Manner::Staying || args.rows.is_asked() || context.is_in_process();
    if query.shape.is_some() && stays && manner != Manner::DryRun {
        return rows_of(context, spec, secrets, &args.rows).await;
    }
    begin(context, spec, secrets, manner).await
}

/// Runs a job to its end, asking what its children ask, and shows its rows.
async fn rows_of(
    context: &Context,
    spec: JobSpec,
    secrets: Named,
    args: &RowArgs,
) -> Result<Exit, CliError> {
    confirm(
        context,
        spec.ask_above,
        spec.hosts.len(),
        &spec.targets,
        spec.payload.title(),
    )?;
    let job = submit(context, spec, secrets).await?;
    context.note(&format!("job {}", job.id));
    let select = vec![Selector::new(job.id.to_string())];
    let wait = Request::Command(Command::Wait {
        select: select.clone(),
        until: Until::All,
        timeout: None,
    });
    tokio::select! {
        biased;
        settled = context.ask(&wait, Absent::Recall) => match settled? {
            Reply::Settled(_) => show(context, &select, args).await,
            reply => Err(unexpected(&reply)),
        },
        ended = attend_job(context, &job) => ended.map(|never| match never {}),
        _ = tokio::signal::ctrl_c() => interrupted(context, &job, select).await,
    }
}

//! `history`: all jobs the store remembers, also those that are gone.

use std::io::Write;

use jiff::Zoned;

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use super::when;
use crate::command::History;
use crate::daemon::client::Absent;
use crate::view::{json, table};
use crate::wire::reply::PastView;
use crate::wire::{Reply, Request, request};

pub(super) async fn history(context: &Context, args: &History) -> Result<Exit, CliError> {
    let now = Zoned::now();
    let time = |text: &Option<String>| {
        text.as_deref()
            .map(|text| when::parse(text, &now))
            .transpose()
    };
    let search = request::History {
        ids: Vec::new(),
        words: args.words.clone(),
        hosts: (args.host.as_deref())
            .map(|hosts| host_patterns(context, hosts))
            .transpose()?,
        states: args.state.clone(),
        since: time(&args.since)?,
        until: time(&args.until)?,
        limit: args.limit.get().into(),
    };
    let found = match fetch(context, search).await {
        // Where no daemon was ever started, there is no history.
        Err(error) if error.is_nothing() => Vec::new(),
        found => found?,
    };
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let jobs: Vec<_> = found.iter().map(json::past).collect();
        context
            .terminal
            .json(&mut out, &serde_json::Value::from(jobs))?;
    } else if !found.is_empty() {
        for line in table::history(&found).lines(context.terminal.width()) {
            writeln!(out, "{line}")?;
        }
    }
    if !found.is_empty() {
        Ok(Exit::Done)
    } else if is_filtered(args) {
        Err(CliError::nothing("no job of the history matches"))
    } else {
        context.note("no jobs");
        Ok(Exit::Done)
    }
}

fn is_filtered(args: &History) -> bool {
    let History {
        words,
        host,
        state,
        since,
        until,
        limit: _,
    } = args;
    !words.is_empty() || !state.is_empty() || [host, since, until].into_iter().any(Option::is_some)
}

/// The history's jobs that a search finds, newest first.
pub(super) async fn fetch(
    context: &Context,
    search: request::History,
) -> Result<Vec<PastView>, CliError> {
    let mut connection = context
        .open(&Request::History(search), Absent::Recall)
        .await?;
    let mut found = Vec::new();
    loop {
        match connection.first().await? {
            Reply::History { jobs, last } => {
                found.extend(jobs);
                if last {
                    return Ok(found);
                }
            }
            reply => return Err(unexpected(&reply)),
        }
    }
}

/// What hosts may be called.  Globs stay what they are: hosts of the past need not be known any more.
fn host_patterns(context: &Context, text: &str) -> Result<Vec<String>, CliError> {
    if text.contains(['*', '?']) && !text.contains(['[', '@']) {
        return Ok(text.split(',').map(str::to_string).collect());
    }
    let hosts = context.planner().resolve_one(text)?;
    Ok(hosts.iter().map(|host| host.as_str().to_string()).collect())
}

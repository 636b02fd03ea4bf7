//! `connections`: which are kept, and closing them as `ssh -O exit` does.

use std::io::Write;

use serde_json::{Value, json};

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use crate::command::connections::Connections;
use crate::daemon::client::Absent;
use crate::view::{json, table};
use crate::wire::connection::{ConnectionView, Disconnect, Disconnected, InUse};
use crate::wire::{Reply, Request};

/// The word for every connection.
const ALL: &str = "all";

pub(super) async fn connections(context: &Context, args: &Connections) -> Result<Exit, CliError> {
    match &args.close {
        None => list(context).await,
        Some(targets) => {
            let in_use = if args.force {
                InUse::IsClosed
            } else {
                InUse::Stays
            };
            close(context, targets, in_use).await
        }
    }
}

async fn list(context: &Context) -> Result<Exit, CliError> {
    let all = match context.ask(&Request::Connections, Absent::Fail).await {
        Ok(Reply::Connections(all)) => all,
        Ok(reply) => return Err(unexpected(&reply)),
        // Where no daemon runs, nothing is kept.
        Err(error) if error.is_nothing() => Vec::new(),
        Err(error) => return Err(error),
    };
    print(context, &all)?;
    if all.is_empty() {
        context.note("no connections");
    }
    Ok(Exit::Done)
}

fn print(context: &Context, all: &[ConnectionView]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let all: Vec<Value> = all.iter().map(json::connection).collect();
        context.terminal.json(&mut out, &Value::from(all))?;
    } else if !all.is_empty() {
        for line in table::connections(all).lines(context.terminal.width()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

async fn close(context: &Context, targets: &str, in_use: InUse) -> Result<Exit, CliError> {
    let hosts = if targets == ALL {
        None
    } else {
        let hosts = context.planner().resolve_one(targets)?;
        Some(hosts.iter().map(|host| host.host().to_string()).collect())
    };
    let request = Request::Disconnect(Disconnect { hosts, in_use });
    let Disconnected { closed, in_use } = match context.ask(&request, Absent::Fail).await {
        Ok(Reply::Disconnected(done)) => done,
        Ok(reply) => return Err(unexpected(&reply)),
        Err(error) => return Err(error),
    };
    if context.global.json {
        let all =
            |views: &[ConnectionView]| -> Value { views.iter().map(json::connection).collect() };
        let value = json!({"closed": all(&closed), "in_use": all(&in_use)});
        let mut out = std::io::stdout().lock();
        context.terminal.json(&mut out, &value)?;
    }
    for one in &in_use {
        Context::warn(&format!("{} is in use", title(one)));
    }
    if closed.is_empty() && in_use.is_empty() {
        let error = CliError::nothing(format!("no connection to {targets} is open"));
        return Err(error.hint("`regatta connections` lists them"));
    }
    let s = if closed.len() == 1 { "" } else { "s" };
    context.note(&format!("{} connection{s} closed", closed.len()));
    if in_use.is_empty() {
        return Ok(Exit::Done);
    }
    context.note("--force closes those in use, too; their commands are lost");
    Ok(Exit::Failed)
}

/// A connection in a message.
fn title(connection: &ConnectionView) -> String {
    let host = connection.hosts.first().unwrap_or(&connection.address);
    let carried = table::carried(connection);
    format!("the connection to {host} ({carried})")
}

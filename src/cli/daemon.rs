//! `daemon`: start, look at, end, or be the daemon.

use std::io::Write;

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use crate::command::DaemonAction;
use crate::daemon::client::{self, Absent, ClientError, Reach};
use crate::daemon::{assemble, place::Place};
use crate::view::text::harmless;
use crate::view::{json, span};
use crate::wire::reply::Status;
use crate::wire::request::Shutdown;
use crate::wire::{Reply, Request};

pub(super) async fn daemon(context: &Context, action: DaemonAction) -> Result<Exit, CliError> {
    let place = Context::place()?;
    let reach = context.through(&place);
    match action {
        DaemonAction::Start => match ask(&reach, Request::Status, Absent::Start).await? {
            Reply::Status(status) => {
                context.note(&format!("the daemon runs, pid {}", status.pid));
                Ok(Exit::Done)
            }
            reply => Err(unexpected(&reply)),
        },
        DaemonAction::Status => match ask(&reach, Request::Status, Absent::Fail).await {
            Ok(Reply::Status(status)) => print_status(context, &place, &status),
            Ok(reply) => Err(unexpected(&reply)),
            Err(ClientError::NoDaemon) => {
                if context.global.json {
                    writeln!(std::io::stdout(), "null")?;
                }
                Err(CliError::nothing("no daemon is running"))
            }
            Err(error) => Err(error.into()),
        },
        DaemonAction::Stop { force } => {
            let how = if force {
                Shutdown::StopJobs
            } else {
                Shutdown::IfIdle
            };
            match end(&reach, &place, how).await {
                Ok(Reply::ShuttingDown) => {
                    context.note("the daemon has been stopped");
                    Ok(Exit::Done)
                }
                Ok(Reply::Error { message, hint }) => Err(CliError::refused(message, hint)),
                Ok(reply) => Err(unexpected(&reply)),
                Err(ClientError::NoDaemon) => Err(CliError::nothing("no daemon is running")),
                Err(error) => Err(error.into()),
            }
        }
        DaemonAction::Run { detach } => {
            let terminal = if detach {
                assemble::Terminal::LetGo
            } else {
                assemble::Terminal::Keep
            };
            match assemble::daemon(&place, &context.settings, terminal, context.global.verbose)
                .await
            {
                Ok(()) => Ok(Exit::Done),
                Err(error) => {
                    let said = CliError::usage(error.to_string());
                    Err(match error.hint() {
                        Some(hint) => said.hint(hint),
                        None => said,
                    })
                }
            }
        }
    }
}

async fn ask(reach: &Reach, request: Request, absent: Absent) -> Result<Reply, ClientError> {
    reach.request(&request, absent).await?.reply().await
}

/// Asks the daemon to end, and waits until it has.
async fn end(reach: &Reach, place: &Place, how: Shutdown) -> Result<Reply, ClientError> {
    let mut connection = reach.request(&Request::Shutdown(how), Absent::Fail).await?;
    let reply = connection.reply().await?;
    if matches!(reply, Reply::ShuttingDown) {
        client::until_ended(place, connection.pid()).await?;
    }
    Ok(reply)
}

fn print_status(context: &Context, place: &Place, status: &Status) -> Result<Exit, CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        context.terminal.json(&mut out, &json::status(status))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "pid          {}", status.pid)?;
    writeln!(out, "version      {}", status.version)?;
    writeln!(out, "up           {}", span::seconds(status.uptime))?;
    writeln!(out, "jobs         {} ({} live)", status.jobs, status.live)?;
    writeln!(out, "children     {}", status.children)?;
    writeln!(out, "connections  {}", status.connections)?;
    writeln!(out, "memory       {}", span::bytes(status.rss))?;
    if let Some(trouble) = &status.trouble {
        writeln!(out, "trouble      {}", harmless(trouble.as_bytes()))?;
    }
    writeln!(out, "socket       {}", place.socket().display())?;
    Ok(Exit::Done)
}

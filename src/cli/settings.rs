//! `throttle` and `pause`: settings of a job's queue.

use std::io::Write;

use serde_json::json;

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use crate::command::{Pick, Throttle};
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::wire::{Reply, Request};

pub(super) async fn throttle(context: &Context, args: Throttle) -> Result<Exit, CliError> {
    let said = format!("runs at most {} at once", args.fanout);
    change(context, &args.pick, &request::throttle(&args), &said).await
}

pub(super) async fn pause(context: &Context, args: Pick) -> Result<Exit, CliError> {
    let request = request::pause(&args);
    change(context, &args, &request, "starts no more children").await
}

/// Changes whole jobs, and says what of them.
pub(super) async fn change(
    context: &Context,
    pick: &Pick,
    request: &Request,
    said: &str,
) -> Result<Exit, CliError> {
    match context.ask(request, Absent::Recall).await? {
        Reply::Changed {
            jobs,
            unknown,
            refused,
        } => {
            if context.global.json {
                let refused: Vec<&String> = unknown.iter().chain(&refused).collect();
                let value = json!({"changed": jobs, "refused": refused});
                writeln!(std::io::stdout(), "{value}")?;
            } else {
                for job in &jobs {
                    context.note(&format!("job {job} {said}"));
                }
            }
            for refusal in unknown.iter().chain(&refused) {
                Context::warn(refusal);
            }
            if jobs.is_empty() && refused.is_empty() {
                return Err(CliError::nothing_selected(&pick.select, &unknown));
            }
            let clean = unknown.is_empty() && refused.is_empty();
            Ok(if clean { Exit::Done } else { Exit::Failed })
        }
        reply => Err(unexpected(&reply)),
    }
}

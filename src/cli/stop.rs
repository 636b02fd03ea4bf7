//! `stop`: returns once everything selected has settled, with proof or without.

use super::context::{Context, unexpected};
use super::ends::is_unconfirmed;
use super::error::{CliError, Exit};
use super::wait::{print_settled, report_children, warn_unknown};
use crate::command::Stop;
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::wire::Reply;

pub(super) async fn stop(context: &Context, args: Stop) -> Result<Exit, CliError> {
    match context.ask(&request::stop(&args), Absent::Recall).await? {
        Reply::Settled(settled) => {
            // Whoever wants to hear little hears only of what may still run.
            if context.global.quiet && !context.global.json {
                warn_unknown(&settled);
            } else {
                print_settled(context, &settled)?;
            }
            report_children(context, &settled);
            if settled.is_empty() {
                return Err(CliError::nothing_selected(
                    &args.pick.select,
                    &settled.unknown,
                ));
            }
            let proved = !settled.children.iter().any(is_unconfirmed);
            Ok(if proved && settled.unknown.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            })
        }
        reply => Err(unexpected(&reply)),
    }
}

//! `reconnect`: looks again what became of children whose connection was lost, or whose end was not proved; it ends nothing.

use super::context::{Context, unexpected};
use super::ends::is_unconfirmed;
use super::error::{CliError, Exit};
use super::wait::{print_settled, report_children};
use crate::command::Pick;
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::wire::Reply;
use crate::wire::reply::{ChildView, Settled};

pub(super) async fn reconnect(context: &Context, args: Pick) -> Result<Exit, CliError> {
    match context
        .ask(&request::reconnect(&args), Absent::Recall)
        .await?
    {
        Reply::Settled(settled) => {
            print_settled(context, &settled)?;
            report_children(context, &settled);
            if settled.is_empty() {
                return Err(CliError::nothing_selected(&args.select, &settled.unknown));
            }
            Ok(verdict(&settled))
        }
        reply => Err(unexpected(&reply)),
    }
}

/// Whether it is known of every selected child that nothing of it runs any more.
fn verdict(settled: &Settled) -> Exit {
    let lost = |child: &ChildView| child.state == State::Disconnected || is_unconfirmed(child);
    if settled.unknown.is_empty() && !settled.children.iter().any(lost) {
        Exit::Done
    } else {
        Exit::Failed
    }
}

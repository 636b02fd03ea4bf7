//! `suspend` and `resume`: return once it is proved what the commands do, or said that it cannot be.

use std::io::Write as _;

use serde_json::json;

use super::context::{Context, unexpected};
use super::ends::{Ends, Label, is_unconfirmed};
use super::error::{CliError, Exit};
use crate::command::Pick;
use crate::core::spec::Motion;
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::view::json::child as json_child;
use crate::wire::Reply;
use crate::wire::reply::ChildView;

pub(super) async fn suspend(context: &Context, args: Pick) -> Result<Exit, CliError> {
    set_in_motion(context, &args, Motion::Suspend).await
}

pub(super) async fn resume(context: &Context, args: Pick) -> Result<Exit, CliError> {
    set_in_motion(context, &args, Motion::Resume).await
}

async fn set_in_motion(context: &Context, args: &Pick, motion: Motion) -> Result<Exit, CliError> {
    let request = request::set_in_motion(args, motion);
    let request = context.planner().in_environment(request);
    match context.ask(&request, Absent::Recall).await? {
        Reply::Moved {
            jobs,
            children,
            unknown,
            refused,
        } => {
            let refused: Vec<String> = unknown.iter().chain(&refused).cloned().collect();
            if context.global.json {
                let children: Vec<_> = children.iter().map(json_child).collect();
                let value = json!({"changed": jobs, "children": children, "refused": refused});
                writeln!(std::io::stdout(), "{value}")?;
            } else {
                let queue = match motion {
                    Motion::Suspend => "starts no more children",
                    Motion::Resume => "starts queued children again",
                };
                for job in &jobs {
                    context.note(&format!("job {job} {queue}"));
                }
            }
            report(context, &children);
            for refusal in &refused {
                Context::warn(refusal);
            }
            if jobs.is_empty() && children.is_empty() && refused.len() == unknown.len() {
                return Err(CliError::nothing_selected(&args.select, &unknown));
            }
            let done = refused.is_empty() && children.iter().all(|child| does(child, motion));
            Ok(if done { Exit::Done } else { Exit::Failed })
        }
        reply => Err(unexpected(&reply)),
    }
}

/// Whether the child is where it was told to go.  What has ended meanwhile needs to go nowhere.
fn does(child: &ChildView, motion: Motion) -> bool {
    let there = match motion {
        Motion::Suspend => child.state == State::Suspended,
        Motion::Resume => child.state != State::Suspended,
    };
    child.state.is_final() || there && !is_unconfirmed(child)
}

/// Names the children; what is not proved comes last, where it is seen.
fn report(context: &Context, children: &[ChildView]) {
    let (unconfirmed, plain): (Vec<_>, Vec<_>) =
        children.iter().partition(|child| is_unconfirmed(child));
    let mut ends = Ends::new(
        context,
        Label::among(children.iter().map(|child| child.job)),
    );
    for child in plain {
        ends.say(child);
    }
    ends.count();
    for child in unconfirmed {
        ends.say(child);
    }
}

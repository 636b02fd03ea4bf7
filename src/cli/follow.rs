//! Taking a receive's replies, and acknowledging only what was written out.

use super::context::unexpected;
use super::error::CliError;
use super::sink::{Origin, Sink};
use crate::daemon::client::Connection;
use crate::wire::Reply;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::Ack;

/// What a receive came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Children that were selected.
    pub(super) matched: u64,
    pub(super) unknown: Vec<String>,
    /// Children somebody else is receiving.
    pub(super) busy: Vec<String>,
    /// Jobs whose output cannot be read, and why.
    pub(super) unreadable: Vec<String>,
    pub(super) jobs: Vec<JobView>,
    /// Children that settled as anything but Completed.
    pub(super) unsuccessful: Vec<ChildView>,
}

/// Writes everything a receive hands over to `sink`.  `ended` is told of each child that settles.
pub(super) async fn follow(
    connection: &mut Connection,
    sink: &mut Sink,
    mut ended: impl FnMut(&ChildView),
) -> Result<Outcome, CliError> {
    let mut outcome = Outcome::default();
    loop {
        match connection.first().await? {
            Reply::Output {
                job,
                child,
                host,
                stream,
                data,
            } => {
                sink.output(
                    Origin {
                        job,
                        child,
                        host: &host,
                    },
                    stream,
                    &data,
                )?;
            }
            Reply::Cut {
                job,
                child,
                host,
                dropped,
            } => {
                sink.cut(
                    Origin {
                        job,
                        child,
                        host: &host,
                    },
                    dropped,
                )?;
            }
            Reply::End(child) => {
                sink.end(&child)?;
                if child.state != crate::core::state::State::Completed {
                    // What it wrote comes before what became of it, on whichever stream both are read.
                    sink.flush()?;
                    ended(&child);
                    outcome.unsuccessful.push(*child);
                }
            }
            Reply::Checkpoint => {
                let held = sink.checkpoint()?;
                connection.ack(&Ack { held }).await?;
                sink.resume();
            }
            Reply::Received {
                matched,
                unknown,
                busy,
                unreadable,
                jobs,
            } => {
                sink.finish()?;
                return Ok(Outcome {
                    matched,
                    unknown,
                    busy,
                    unreadable,
                    jobs,
                    ..outcome
                });
            }
            reply => return Err(unexpected(&reply)),
        }
    }
}

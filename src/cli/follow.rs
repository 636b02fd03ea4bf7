//! Taking a receive's replies, and acknowledging only what was written out.

use std::io;

use super::context::unexpected;
use super::error::CliError;
use super::sink::Origin;
use crate::core::output::{Count, Stream};
use crate::daemon::client::Connection;
use crate::wire::Reply;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::{Ack, Held};

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

/// Where what a receive hands over goes.
pub(super) trait Takes {
    /// A piece of output.
    fn output(&mut self, origin: Origin<'_>, stream: Stream, data: &[u8]) -> io::Result<()>;

    /// Output that is not there any more.
    fn cut(&mut self, origin: Origin<'_>, dropped: Count) -> io::Result<()>;

    /// A child has settled: what was held back of it is all there will be.
    fn end(&mut self, child: &ChildView) -> io::Result<()>;

    /// Makes sure that everything but what is held back was written out, and says what that is.
    fn checkpoint(&mut self) -> io::Result<Vec<Held>>;

    /// What was held back has not been acknowledged, so it will be sent again.
    fn resume(&mut self);

    /// Ends what is written.  A copy has no checkpoint before.
    fn finish(&mut self) -> io::Result<()>;

    /// Writes out what was gathered.
    fn flush(&mut self) -> io::Result<()>;
}

/// Writes everything a receive hands over to `sink`.  `ended` is told of each child that settles.
pub(super) async fn follow(
    connection: &mut Connection,
    sink: &mut impl Takes,
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

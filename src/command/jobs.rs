//! What is done with jobs there are: listing, receiving, waiting, stopping and the like.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::begin::Become;
use super::duration::parse_duration;
use super::look::Together;
use super::number::{parse_amount, parse_count};
use super::select::parse_selector;
use crate::core::output::Stream;
use crate::core::select::Selector;
use crate::core::state::State;

/// Jobs and children.
#[derive(Clone, Debug, Args)]
pub struct Pick {
    /// An id, a name or glob, JOB.HOST, JOB.STATE, all, last
    #[arg(value_name = "JOB", required = true, value_parser = parse_selector)]
    pub select: Vec<Selector>,
}

#[derive(Clone, Debug, Args)]
pub struct Jobs {
    /// An id, a name or glob, JOB.HOST, JOB.STATE, all, last
    #[arg(value_name = "JOB", value_parser = parse_selector)]
    pub select: Vec<Selector>,
    /// Show the children too
    #[arg(short, long)]
    pub children: bool,
    /// Only in this state
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<State>,
    /// Only with output that was not received
    #[arg(long)]
    pub more: bool,
    /// Only the newest N
    #[arg(long, value_name = "N", value_parser = parse_amount)]
    pub newest: Option<usize>,
    /// Only made before this time (2026-11-23T03:00, 03:00, or 2h for two hours ago)
    #[arg(long, value_name = "TIME")]
    pub before: Option<String>,
    /// Only made after this time
    #[arg(long, value_name = "TIME")]
    pub after: Option<String>,
    /// Go on and print every change as it happens
    #[arg(long, conflicts_with = "newest")]
    pub watch: bool,
}

#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each switch on the command line"
)]
pub struct Receive {
    #[command(flatten)]
    pub pick: Pick,
    /// Leave everything to be received again
    #[arg(long)]
    pub keep: bool,
    /// From the very beginning, what was received before too; moves nothing
    #[arg(long, conflicts_with = "keep")]
    pub all: bool,
    /// Go on until everything selected has settled
    #[arg(short, long, conflicts_with_all = ["keep", "all"])]
    pub wait: bool,
    /// Remove the jobs once everything was received and they are final
    #[arg(long, conflicts_with_all = ["keep", "all"])]
    pub remove: bool,
    /// Only this stream
    #[arg(long, value_name = "out|err", value_parser = parse_stream)]
    pub stream: Option<Stream>,
    /// Only children on these hosts
    #[arg(long, value_name = "TARGETS")]
    pub host: Option<String>,
    /// Write to this file
    #[arg(short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub together: Together,
    /// Write files JOB.HOST.out and JOB.HOST.err into this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "fold"])]
    pub outdir: Option<PathBuf>,
    /// Print a JSON record for each piece of output, one a line
    #[arg(long, conflicts_with_all = ["outdir", "diff"])]
    pub ndjson: bool,
    /// Print a header before each host's output instead of a prefix before each line
    #[arg(long, conflicts_with_all = ["ndjson", "outdir", "fold"])]
    pub headers: bool,
    /// Print output as it came, without host names
    #[arg(short = 'N', long, conflicts_with_all = ["ndjson", "headers", "fold"])]
    pub no_prefix: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Wait {
    #[command(flatten)]
    pub pick: Pick,
    /// Return when one of them has settled
    #[arg(long)]
    pub any: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
pub struct Answer {
    /// Only what these ask: an id, a name or glob, JOB.HOST, JOB.STATE, all, last
    #[arg(value_name = "JOB", value_parser = parse_selector)]
    pub select: Vec<Selector>,
    /// Refuse everything: the children fail as if nobody had been asked
    #[arg(long)]
    pub refuse: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Stop {
    #[command(flatten)]
    pub pick: Pick,
    /// How long a command has between TERM and KILL, in place of what the job was started with
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "kill")]
    pub grace: Option<Duration>,
    /// KILL at once, without TERM and grace
    #[arg(long)]
    pub kill: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Remove {
    #[command(flatten)]
    pub pick: Pick,
    /// Stop what is not final first
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Rerun {
    #[command(flatten)]
    pub pick: Pick,
    /// Run on all hosts of the job again, not just where it did not complete
    #[arg(long)]
    pub all: bool,
    /// Stay and print `host: line` as lines arrive
    #[arg(short, long)]
    pub wait: bool,
    #[command(flatten)]
    pub becomes: Become,
}

#[derive(Clone, Debug, Args)]
pub struct Throttle {
    #[command(flatten)]
    pub pick: Pick,
    /// How many children run at once
    #[arg(short, long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub fanout: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct History {
    /// Words that are all in the name or the command, in whatever case
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Only with one of these hosts: web[01-20], @db, or 'web*'
    #[arg(long, value_name = "TARGETS")]
    pub host: Option<String>,
    /// Only in this state
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<State>,
    /// Only made at this time or later (2026-11-23, 2026-11-23T03:00, 03:00, or 3d for three days ago)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only made at this time or earlier
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only the newest N
    #[arg(long, value_name = "N", default_value = "50", value_parser = parse_count, allow_negative_numbers = true)]
    pub limit: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
pub struct Pin {
    #[command(flatten)]
    pub pick: Pick,
    /// Let them go when their time comes, like others
    #[arg(long)]
    pub off: bool,
}

fn parse_stream(text: &str) -> Result<Stream, String> {
    let found = Stream::BOTH
        .into_iter()
        .find(|stream| stream.word() == text);
    found.ok_or_else(|| "not a stream; streams are out and err".to_string())
}

//! `query`: a named query as a job.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;

use super::begin::parse_name;
use super::duration::parse_duration;
use super::number::parse_count;
use super::{Become, Begin, TargetArgs};

#[derive(Clone, Debug, Args)]
pub struct QueryRun {
    /// The query's name; `regatta queries` lists them
    pub query: String,
    #[command(flatten)]
    pub on: TargetArgs,
    /// Name the job, if not like the query
    #[arg(short, long, value_parser = parse_name)]
    pub name: Option<String>,
    #[command(flatten)]
    pub begin: Begin,
    /// How many children run at once
    #[arg(short, long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub fanout: Option<NonZeroU32>,
    /// How long the query may run on a host, if not as long as it says itself
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub becomes: Become,
}

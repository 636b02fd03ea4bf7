//! Verbs that look at output without receiving it.

use std::num::NonZeroU32;

use clap::Args;

use super::Pick;
use super::number::parse_count;

#[derive(Clone, Debug, Args)]
pub struct Tail {
    #[command(flatten)]
    pub pick: Pick,
    /// How many of its last lines of each host
    #[arg(short = 'n', long, value_name = "N", default_value = "10", value_parser = parse_count, allow_negative_numbers = true)]
    pub lines: NonZeroU32,
    /// Print a JSON record for each line, one a line
    #[arg(long)]
    pub ndjson: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Grep {
    /// A regular expression; it sees lines as they read, without colours
    #[arg(value_name = "PATTERN", allow_hyphen_values = true)]
    pub pattern: String,
    #[command(flatten)]
    pub pick: Pick,
    /// Capitals do not matter
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Print how many lines match, of each host where any does
    #[arg(short, long)]
    pub count: bool,
    /// Print a JSON record for each line, one a line
    #[arg(long)]
    pub ndjson: bool,
}

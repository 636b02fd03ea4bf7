//! Verbs that look at output without receiving it.

use std::num::NonZeroU32;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::Pick;
use super::number::parse_count;
use crate::core::alike::{Ignored, Trifle};

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

#[derive(Clone, Debug, Args)]
pub struct Fold {
    #[command(flatten)]
    pub pick: Pick,
    /// Output counts as the same whatever it has of these
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = ignored())]
    pub ignore: Vec<Ignored>,
}

/// Whether output of many hosts is handed over once for all that came to the same.
#[derive(Clone, Debug, Default, Args)]
pub struct Together {
    /// Print the output of hosts that came to the same once, those of most hosts first
    #[arg(long)]
    pub fold: bool,
    /// Output counts as the same whatever it has of these
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = ignored(), requires = "fold")]
    pub ignore: Vec<Ignored>,
    /// Print in full only what most hosts wrote, and of the others how they differ from that
    #[arg(long, requires = "fold")]
    pub diff: bool,
}

/// What of each group is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Output,
    /// How it differs from the largest one's.
    Difference,
}

impl Together {
    /// What is ignored and what is shown, if anything is folded.
    pub fn wished(&self) -> Option<(Ignored, Shown)> {
        let shown = if self.diff {
            Shown::Difference
        } else {
            Shown::Output
        };
        let ignored = self.ignore.iter().copied().collect();
        self.fold.then_some((ignored, shown))
    }
}

/// Reads a word for what is ignored.
pub(super) fn ignored() -> impl TypedValueParser<Value = Ignored> {
    let trifles =
        Trifle::ALL.map(|trifle| PossibleValue::new(trifle.word()).help(trifle.meaning()));
    let nothing = PossibleValue::new(NOTHING).help("output is compared to the byte");
    PossibleValuesParser::new(trifles.into_iter().chain([nothing])).map(|word| {
        let mut trifles = Trifle::ALL.into_iter();
        let trifle = trifles.find(|trifle| trifle.word() == word);
        trifle.map_or(Ignored::NOTHING, Ignored::from)
    })
}

/// The word for ignoring nothing.
const NOTHING: &str = "nothing";

//! Verbs that read output as rows, and the options they share.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Pick;
use super::duration::parse_duration;
use super::select::parse_selector;
use crate::core::select::Selector;

/// Which rows, which columns, in which order, and how they are written.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rows")]
pub struct RowArgs {
    /// Only rows of which this holds: "used_pct > 80 and mount ~ '^/var'", "size > 10GB", "not (fs = tmpfs)"
    #[arg(long = "where", value_name = "CONDITION", allow_hyphen_values = true)]
    pub condition: Option<String>,
    /// Only these columns, in this order
    #[arg(long = "select", value_name = "COLUMNS", value_delimiter = ',')]
    pub chosen: Vec<String>,
    /// Order by these columns; a - before one puts the largest first: --sort -used_pct,host
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub sort: Vec<String>,
    /// Count the rows that are the same in these columns, and name their hosts
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub group: Vec<String>,
    #[command(flatten)]
    pub form: FormArgs,
}

impl RowArgs {
    /// Whether any of them was given.
    pub fn is_asked(&self) -> bool {
        let lists = [&self.chosen, &self.sort, &self.group];
        self.condition.is_some()
            || self.form.format.is_some()
            || lists.iter().any(|list| !list.is_empty())
    }
}

/// How rows are written.
#[derive(Clone, Debug, Default, Args)]
pub struct FormArgs {
    /// How rows are written; as a table without
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Write CSV fields as they are, also those a spreadsheet would take for formulas (= + - @)
    #[arg(long)]
    pub csv_raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// A list of objects
    Json,
    /// An object a line
    Ndjson,
    Csv,
    /// A Markdown table
    Md,
}

#[derive(Clone, Debug, Args)]
pub struct Rows {
    #[command(flatten)]
    pub pick: Pick,
    #[command(flatten)]
    pub rows: RowArgs,
}

#[derive(Clone, Debug, Args)]
pub struct Diff {
    /// The job before: an id or a name
    #[arg(value_name = "BEFORE", value_parser = parse_selector)]
    pub before: Selector,
    /// The job after: an id or a name
    #[arg(value_name = "AFTER", value_parser = parse_selector)]
    pub after: Selector,
    /// Compare also what always differs: times and counters that the query calls volatile
    #[arg(long)]
    pub all_columns: bool,
    #[command(flatten)]
    pub form: FormArgs,
}

#[derive(Clone, Debug, Args)]
pub struct Sql {
    /// One statement that reads: "select host, count(*) from services group by host"
    #[arg(value_name = "STATEMENT", allow_hyphen_values = true)]
    pub statement: String,
    /// Only rows of these jobs; of all without
    #[arg(value_name = "JOB", value_parser = parse_selector)]
    pub select: Vec<Selector>,
    /// How long the statement may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub time_limit: Duration,
    #[command(flatten)]
    pub form: FormArgs,
}

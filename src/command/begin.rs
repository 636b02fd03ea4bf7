//! Beginning a job: where, what and how.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration::parse_duration;
use super::look::Together;
use super::number::{parse_count, parse_exit_code};

/// Which hosts.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Hosts: web[1-20], @db, @all!@db; job 7's %7.failed, %7.group:2; - stdin, ^FILE
    #[arg(short, long, value_name = "TARGETS", action = clap::ArgAction::Append)]
    pub targets: Vec<String>,
    /// Leave these out
    #[arg(short = 'x', long, value_name = "TARGETS", action = clap::ArgAction::Append)]
    pub exclude: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub on: TargetArgs,
    /// Run on this computer instead of over SSH
    #[arg(long, conflicts_with_all = ["targets", "exclude"])]
    pub local: bool,
    /// Name the job
    #[arg(short, long, value_parser = parse_name)]
    pub name: Option<String>,
    /// Feed this script to sh, or to the interpreter its #! line names
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub script: Option<PathBuf>,
    #[command(flatten)]
    pub begin: Begin,
    #[command(flatten)]
    pub together: Together,
    /// How many children run at once
    #[arg(short, long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub fanout: Option<NonZeroU32>,
    /// How long reaching a host and logging in may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub connect_timeout: Option<Duration>,
    /// How long the command may run on a host
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// How long the whole job may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub job_timeout: Option<Duration>,
    /// How long a command has between TERM and KILL when it is stopped
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub grace: Option<Duration>,
    /// Exit codes that are fine
    #[arg(
        long,
        value_name = "CODES",
        value_delimiter = ',',
        default_value = "0",
        value_parser = parse_exit_code,
        allow_hyphen_values = true
    )]
    pub ok_exit: Vec<i32>,
    /// What to do with a host that writes more than is kept (first 1 MiB and last 9 MiB)
    #[arg(long, value_name = "HOW")]
    pub on_full: Option<OnFull>,
    #[command(flatten)]
    pub becomes: Become,
    /// Give the command a terminal, of this size if not 80x24; nothing can be typed on it
    #[arg(
        long,
        value_name = "COLSxROWS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "80x24",
        value_parser = parse_size,
        conflicts_with = "local"
    )]
    pub tty: Option<String>,
    /// The command, as ssh takes it; a single - reads a script from stdin
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<String>,
}

/// How a job is begun: neither means in the background.
#[derive(Clone, Copy, Debug, Args)]
pub struct Begin {
    /// Stay, and print lines as they arrive or a query's rows; Ctrl-C detaches, a second one stops
    #[arg(short, long)]
    pub wait: bool,
    /// List the hosts and contact none
    #[arg(long)]
    pub dry_run: bool,
}

/// As whom the command runs.
#[derive(Clone, Debug, Default, Args)]
pub struct Become {
    /// Run as root by sudo; a password is asked for once for all hosts
    #[arg(long)]
    pub sudo: bool,
    /// Run as this user by sudo
    #[arg(short = 'u', long, value_name = "USER", value_parser = parse_user)]
    pub sudo_user: Option<String>,
}

impl Become {
    /// The user the command is to run as, if that is not whoever logs in.
    pub fn user(&self) -> Option<&str> {
        self.sudo_user.as_deref().or(self.sudo.then_some("root"))
    }
}

/// A user's name, or `#` and a number, as sudo takes it.
fn parse_user(text: &str) -> Result<String, String> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control();
    if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
        return Err("not a user's name".to_string());
    }
    Ok(text.to_string())
}

/// A terminal's size, as `80x24`.
fn parse_size(text: &str) -> Result<String, String> {
    let side = |side: &str| side.parse::<u16>().ok().filter(|side| *side > 0);
    match text
        .split_once('x')
        .map(|(columns, rows)| (side(columns), side(rows)))
    {
        Some((Some(columns), Some(rows))) => Ok(format!("{columns}x{rows}")),
        Some(_) | None => Err("not a size: columns and rows, as in 80x24".to_string()),
    }
}

/// What happens when a host writes more than is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFull {
    /// Cut the middle out and count it
    #[default]
    Truncate,
    /// Let the command wait until its output is received
    Block,
    /// Stop the command
    Stop,
}

impl From<OnFull> for crate::core::spec::OnFull {
    fn from(how: OnFull) -> Self {
        match how {
            OnFull::Truncate => Self::Truncate,
            OnFull::Block => Self::Block,
            OnFull::Stop => Self::Stop,
        }
    }
}

/// A name by which the job can be selected again, and nothing else.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let why = if text.trim().is_empty() {
        "it could not be selected"
    } else if text.contains(char::is_control) {
        "it holds a control character"
    } else if text.contains(['*', '?']) {
        "* and ? stand for other characters when jobs are selected"
    } else if matches!(text, "all" | "last") {
        "that word selects other jobs"
    } else if text.parse::<u64>().is_ok() {
        "a number selects the job with that id"
    } else {
        return Ok(text.to_string());
    };
    Err(format!("{text:?} cannot be the name of a job: {why}"))
}

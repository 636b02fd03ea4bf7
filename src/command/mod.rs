//! Every verb once, as clap types: the shell parses them today, the console's bar and keys will use the same.
//!
//! These types hold what was typed, checked for form.  They do nothing: `cli` has one file per verb that does.

mod acting;
mod begin;
pub mod configure;
pub mod connections;
pub mod console;
pub mod duration;
mod jobs;
pub mod line;
pub mod look;
pub mod number;
pub mod query;
pub mod rows;
pub mod select;
pub mod set;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use begin::{Become, Begin, OnFull, Run, TargetArgs};
pub use jobs::{Answer, History, Jobs, Pick, Pin, Receive, Remove, Rerun, Stop, Throttle, Wait};

use configure::{Config, Keys, Queries, Themes};
use connections::Connections;
use look::{Grep, Tail};
use number::{parse_amount, parse_simulated};

/// Run a command on every computer of the fleet, in the background, and collect what comes back.
#[derive(Debug, Parser)]
#[command(
    name = "regatta",
    version,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 all completed, 1 some child failed, stopped or is lost, 2 bad usage or configuration,\n\
                  3 nothing matched, 124 a wait timed out, 130 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options for every command")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each switch on the command line"
)]
pub struct Global {
    /// Use this ssh_config instead of ~/.ssh/config and /etc/ssh/ssh_config
    #[arg(short = 'F', value_name = "FILE", global = true)]
    pub ssh_config: Option<PathBuf>,
    /// Use this configuration instead of ~/.config/regatta/config.toml
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Do not ask for confirmation
    #[arg(long, global = true)]
    pub yes: bool,
    /// Never ask anything; children of a job that is started so fail where they would have to ask
    #[arg(long, global = true)]
    pub batch: bool,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Colour,
    /// Say less: no notes, no summaries
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say on stderr what is done; twice for the SSH library's messages too, where SSH is spoken by this very command
    /// (--no-daemon, demo, daemon run)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Do without the daemon: the job lives and ends with this command
    #[arg(long, global = true)]
    pub no_daemon: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Start a job: one command, one child per computer
    Run(Run),
    /// Start a job that asks a named query
    Query(query::QueryRun),
    /// List jobs, or the children of a job
    #[command(visible_alias = "ls")]
    Jobs(Jobs),
    /// Take output over; it counts as received only once it was written out
    #[command(visible_alias = "recv")]
    Receive(Receive),
    /// Show the last lines of output; nothing is received
    Tail(Tail),
    /// Search output; nothing is received
    Grep(Grep),
    /// Show which hosts came to the same: state, exit code and output
    Fold(look::Fold),
    /// Show what jobs wrote as rows; nothing is received
    Rows(rows::Rows),
    /// Show what changed on each host between two jobs of one query
    Diff(rows::Diff),
    /// Ask the rows of jobs in SQL: a table for each query
    Sql(rows::Sql),
    /// Wait until jobs have settled
    Wait(Wait),
    /// Answer what children wait with: host keys, passphrases, passwords
    Answer(Answer),
    /// Stop jobs or children: TERM, then KILL, then proof
    #[command(visible_alias = "kill")]
    Stop(Stop),
    /// Delete jobs, their children and their output
    #[command(visible_alias = "rm")]
    Remove(Remove),
    /// Start a job again on the children that did not complete
    Rerun(Rerun),
    /// Change how many children of a job run at once
    Throttle(Throttle),
    /// Start no more of a job's queued children
    Pause(Pick),
    /// Let running commands stand still (STOP, then proof); of a whole job the queue too
    Suspend(Pick),
    /// Let suspended commands go on (CONT, then proof), and a paused queue of a whole job
    Resume(Pick),
    /// Search all jobs, also those that are gone
    History(History),
    /// Look again what became of children that are Disconnected or not proved to have ended; ends nothing
    Reconnect(Pick),
    /// Keep jobs until they are removed, whatever their age
    Pin(Pin),
    /// Expand, fold, count and explain hosts and groups
    Hosts(Hosts),
    /// List the connections that are kept, or close some
    Connections(Connections),
    /// Show who had what done on which hosts, and what came of it
    Audit(Audit),
    /// Look whether everything regatta needs is sound, and say what to do where it is not
    Doctor,
    /// List the queries there are, or show one
    Queries(Queries),
    /// Show what the console's keys do
    Keys(Keys),
    /// List the console's themes, or show how one looks
    Themes(Themes),
    /// Check or show what is configured
    Config(Config),
    /// Start, stop or look at the daemon
    Daemon(Daemon),
    /// Open the console: the live tree of jobs (regatta without a command does)
    Console(Console),
    /// Try everything on a simulated fleet inside this program
    Demo(Demo),
    /// Print a shell's completion script
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

impl Cli {
    /// Reads a command line.  Without a verb it is the console's.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let args: Vec<OsString> = args.into_iter().collect();
        Self::try_parse_from(&args).or_else(|error| {
            let mut with_verb = args.clone();
            with_verb.insert(1.min(args.len()), "console".into());
            // What the console's does not take either is wrong for the reason found first.
            Self::try_parse_from(with_verb).map_err(|_| error)
        })
    }
}

#[derive(Clone, Debug, Args)]
pub struct Console {
    /// Look only: nothing on the fleet or of the jobs can be changed
    #[arg(long)]
    pub read_only: bool,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each switch on the command line"
)]
pub struct Hosts {
    /// Hosts and groups; all known hosts without
    #[arg(value_name = "TARGETS")]
    pub targets: Vec<String>,
    /// Leave these out
    #[arg(short = 'x', long, value_name = "TARGETS", action = clap::ArgAction::Append)]
    pub exclude: Vec<String>,
    /// Print the shortest form instead of one host a line
    #[arg(short, long, conflicts_with_all = ["count", "groups", "explain"])]
    pub fold: bool,
    /// Print how many there are
    #[arg(short, long, conflicts_with_all = ["groups", "explain"])]
    pub count: bool,
    /// List the groups and their hosts
    #[arg(short, long, conflicts_with = "explain")]
    pub groups: bool,
    /// Show every SSH setting of each host and where it comes from
    #[arg(long)]
    pub explain: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Audit {
    /// Only entries with all of these in their command, their hosts, or what was done
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Only since this time (2026-11-23T03:00, 03:00, or 2h for two hours ago)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only up to this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only of the job with this id
    #[arg(long, value_name = "ID")]
    pub job: Option<u64>,
    /// At most the newest N
    #[arg(long, value_name = "N", default_value = "100", value_parser = parse_amount)]
    pub limit: usize,
}

#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Follow the jobs as text instead of in the console, as without a terminal
    #[arg(long)]
    pub text: bool,
    /// How many simulated computers
    #[arg(long, value_name = "N", default_value = "24", value_parser = parse_simulated, allow_negative_numbers = true)]
    pub hosts: u32,
}

#[derive(Clone, Debug, Args)]
pub struct Daemon {
    #[command(subcommand)]
    pub action: DaemonAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum DaemonAction {
    /// Start the daemon, if it is not running
    Start,
    /// Show whether it runs, and what it has
    Status,
    /// End the daemon
    Stop {
        /// Stop live jobs first
        #[arg(short, long)]
        force: bool,
    },
    /// Be the daemon, in the foreground
    Run {
        /// Let go of the terminal and say `ready` on stdout once it listens
        #[arg(long, hide = true)]
        detach: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_begins_with_the_first_word_that_is_no_option() {
        let run = |line: &str| -> Result<Run, clap::Error> {
            let typed = Cli::try_parse_from(line.split(' '))?;
            match typed.verb {
                Verb::Run(run) => Ok(run),
                other => panic!("{other:?}"),
            }
        };
        let cases = [
            ("regatta run -t web -f8 uptime -s", "uptime -s"),
            ("regatta run -t web -- -x --local", "-x --local"),
            ("regatta run -t web grep -- -x", "grep -- -x"),
            ("regatta run -t web -", "-"),
        ];
        for (line, command) in cases {
            let read = run(line).expect("a command line").command.join(" ");
            assert_eq!(read, command, "{line}");
        }
        assert_eq!(
            run("regatta run -t web -f8 uptime").expect("a line").fanout,
            std::num::NonZeroU32::new(8)
        );
        // A slip is not taken for the beginning of the command.
        let wrong =
            run("regatta run -t web --timeuot 5s -- uptime").expect_err("an unknown option");
        assert_eq!(wrong.kind(), clap::error::ErrorKind::UnknownArgument);
    }
}

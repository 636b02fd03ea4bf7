//! Every verb once, as clap types: the shell parses them today, the console's bar and keys will use the same.
//!
//! These types hold what was typed, checked for form.  They do nothing: `cli` has one file per verb that does.

mod acting;
pub mod configure;
pub mod console;
pub mod duration;
pub mod line;
pub mod look;
pub mod number;
pub mod query;
pub mod rows;
pub mod select;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::core::output::Stream;
use crate::core::select::Selector;
use crate::core::state::State;
use configure::{Config, Keys, Queries, Themes};
use duration::parse_duration;
use look::{Grep, Tail};
use number::{parse_amount, parse_count, parse_exit_code, parse_simulated};
use select::parse_selector;

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
    Fold(Pick),
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
    /// Start queued children again
    Resume(Pick),
    /// Search all jobs, also those that are gone
    History(History),
    /// Look again what became of Disconnected children; ends nothing
    Reconnect(Pick),
    /// Keep jobs until they are removed, whatever their age
    Pin(Pin),
    /// Expand, fold, count and explain hosts and groups
    Hosts(Hosts),
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

/// Which hosts.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Hosts and groups: web[01-20], @db, a,b, @all!@old; - reads stdin, ^FILE a file; of a job: %7.failed, %7.group:2
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
    /// The command, as ssh takes it; a single - reads a script from stdin
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<String>,
}

/// How a job is begun: neither means in the background.
#[derive(Clone, Copy, Debug, Args)]
pub struct Begin {
    /// Stay and print `host: line` as lines arrive; Ctrl-C detaches, a second one stops
    #[arg(short, long)]
    pub wait: bool,
    /// List the hosts and contact none
    #[arg(long)]
    pub dry_run: bool,
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
    /// Write files JOB.HOST.out and JOB.HOST.err into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    pub outdir: Option<PathBuf>,
    /// Print a JSON record for each piece of output, one a line
    #[arg(long, conflicts_with = "outdir")]
    pub ndjson: bool,
    /// Print a header before each host's output instead of a prefix before each line
    #[arg(long, conflicts_with_all = ["ndjson", "outdir"])]
    pub headers: bool,
    /// Print output as it came, without host names
    #[arg(short = 'N', long, conflicts_with_all = ["ndjson", "headers"])]
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

/// A name by which the job can be selected again, and nothing else.
fn parse_name(text: &str) -> Result<String, String> {
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

fn parse_stream(text: &str) -> Result<Stream, String> {
    let found = Stream::BOTH
        .into_iter()
        .find(|stream| stream.word() == text);
    found.ok_or_else(|| "not a stream; streams are out and err".to_string())
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
            NonZeroU32::new(8)
        );
        // A slip is not taken for the beginning of the command.
        let wrong =
            run("regatta run -t web --timeuot 5s -- uptime").expect_err("an unknown option");
        assert_eq!(wrong.kind(), clap::error::ErrorKind::UnknownArgument);
    }
}

//! `demo`: three jobs on a simulated fleet, by the same engine, service and client as all others, and what they came to.
//!
//! Settings, inventory and keys are private to it and removed at the end; nothing of the user's own is used.

use std::io;
use std::sync::Arc;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use super::console::{self, Setting};
use super::context::{Context, unexpected};
use super::ends::{end_line, job_line};
use super::error::{CliError, Exit};
use super::follow::follow;
use super::run::{spec, submit};
use super::sink::{Layout, Partial, Sink, Target};
use crate::command::{self, Cli, Demo, Global, Verb};
use crate::core::fleet::Command;
use crate::core::output::Streams;
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::state::State;
use crate::core::wait::Until;
use crate::daemon::assemble;
use crate::daemon::client::Absent;
use crate::demo::computer::Health;
use crate::demo::fleet::Fleet;
use crate::demo::place::Place;
use crate::demo::server::{Config, Faults, Server, new_key};
use crate::view::count::{Noun, agreeing, counted};
use crate::view::json;
use crate::wire::reply::{JobView, Settled};
use crate::wire::request::{Purpose, Receive, ReceiveUntil};
use crate::wire::{Reply, Request};

/// What the jobs are, as typed after `regatta`.
const JOBS: [&[&str]; 3] = [
    &["run", "-n", "uptime", "-t", "@*", "--", "uptime"],
    &[
        "run",
        "-n",
        "nginx",
        "-t",
        "@web",
        "--",
        "uname -r; systemctl is-active nginx",
    ],
    &[
        "run",
        "-n",
        "backup",
        "-t",
        "@nightly",
        "--",
        "echo backup of $REGATTA_HOST begins; sleep 2; echo half done; sleep 2; echo done",
    ],
];

/// In the console there is time to look: the last job goes on for a while.
const LONG: &[&str] = &[
    "run",
    "-n",
    "backup",
    "-t",
    "@nightly",
    "--",
    "echo backup of $REGATTA_HOST begins; sleep 20; echo a third; sleep 30; echo two thirds; sleep 40; echo done",
];

/// The job in which one computer differs from the others.
const ODD_ONE_IN: &str = "nginx";

/// What `systemctl is-active` exits with for a unit that is not (systemctl(1)).
const NOT_ACTIVE: i32 = 3;

/// What to try next.
const NEXT: [(&str, &str); 3] = [
    (
        "regatta run -t 'web[01-20]' --wait -- uptime",
        "your hosts, as ssh knows them; stays and streams",
    ),
    (
        "regatta run -n disks -t ^hosts.txt -- df -h",
        "in the background; hosts from a file",
    ),
    (
        "regatta receive disks --wait",
        "follow it, collect what it says, from any terminal",
    ),
];

/// Children of one job at once, if the system allows enough open files.
const FANOUT: u64 = 64;

/// Of the files that may be open, how many for each of a job's children at once.  Both ends of each connection are here,
/// three jobs run, and the pool keeps a quarter of the limit in idle connections.
const FILES_PER_CHILD: u64 = 32;

/// Sets the fleet up, performs, and takes everything down again, whatever happened.
pub(super) async fn demo(outer: &Context, args: &Demo) -> Result<Exit, CliError> {
    let global = &outer.global;
    if global.config.is_some() || global.ssh_config.is_some() {
        return Err(
            CliError::usage("demo brings its own configuration and hosts")
                .hint("leave --config and -F out"),
        );
    }
    let files = assemble::raise_descriptor_limit();
    let fanout = (files / FILES_PER_CHILD).clamp(1, FANOUT);
    let cannot = |error: io::Error| CliError::failed(format!("cannot set the demo up: {error}"));
    let fleet = Arc::new(Fleet::new(args.hosts as usize));
    let identity = new_key().map_err(cannot)?;
    let place = Place::create().map_err(cannot)?;
    let server = Server::start(Config {
        fleet: Arc::clone(&fleet),
        client_key: identity.public_key().clone(),
        faults: Faults::None,
    })
    .await
    .map_err(cannot)?;
    let furnished = place
        .furnish(&fleet, &server, &identity, fanout)
        .map_err(cannot)
        .and_then(|()| private(&place, global));
    let done = match furnished {
        Ok(context) => {
            let shown = context.terminal.out && context.terminal.input;
            let done = if shown && !args.text && !global.json && !global.quiet {
                // It sees to signals itself.
                watch(&context, &place).await
            } else {
                tokio::select! {
                    done = perform(&context, &fleet, &server) => done,
                    interrupted = interrupted() => interrupted.map_err(cannot),
                }
            };
            context.close().await;
            done
        }
        Err(error) => Err(error),
    };
    server.stop().await;
    done
}

/// A context of its own: private settings, and an engine in this process.
fn private(place: &Place, global: &Global) -> Result<Context, CliError> {
    Context::of_demo(Global {
        config: Some(place.config()),
        no_daemon: true,
        ..global.clone()
    })
}

/// Comes with Ctrl-C, and with what else asks programs to end.
async fn interrupted() -> io::Result<Exit> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Context::warn("the demo ends early");
    Ok(Exit::Interrupted)
}

/// The same jobs in the console.
async fn watch(context: &Context, place: &Place) -> Result<Exit, CliError> {
    let [fine, odd, _] = JOBS;
    for words in [fine, odd, LONG] {
        start(context, words).await?;
    }
    let setting = Setting {
        name: "regatta demo (simulated computers)",
        state: None,
        in_process: context
            .in_process()
            .map(|service| (service, place.path().join("run"))),
    };
    let args = command::Console {
        read_only: false,
        ascii: false,
    };
    let left = console::open(context, &args, setting).await;
    context.note("The demo is over, and nothing of it is left.  On real computers: regatta run -t 'web[01-20]' -- uptime");
    left
}

async fn perform(context: &Context, fleet: &Fleet, server: &Server) -> Result<Exit, CliError> {
    let count = fleet.computers().len();
    context.note(&format!(
        "{count} simulated {} {} on {}, inside this program; nothing else is contacted",
        Noun::Computer.word(count),
        agreeing(count, "answers", "answer"),
        server.address()
    ));
    let mut select = Vec::new();
    for words in JOBS {
        let job = start(context, words).await?;
        context.note(&format!("job {}: regatta {}", job.id, shown(words)));
        select.push(Selector::new(job.id.to_string()));
    }
    if !context.global.json {
        stream(context, select.clone()).await?;
    }
    let settled = settled(context, select).await?;
    let verdict = Verdict::of(&settled, fleet);
    if context.global.json {
        let jobs: Vec<_> = settled
            .jobs
            .iter()
            .map(|found| json::job(found, None))
            .collect();
        context
            .terminal
            .json(&mut io::stdout(), &serde_json::Value::from(jobs))?;
    }
    summarise(context, fleet, &settled);
    Ok(match verdict {
        Verdict::AsScripted => Exit::Done,
        Verdict::Otherwise(what) => {
            Context::warn(&format!("the demo did not go as it should: {what}"));
            Exit::Failed
        }
    })
}

/// Starts a job as its command line would.
async fn start(context: &Context, words: &[&str]) -> Result<JobView, CliError> {
    let typed = Cli::try_parse_from(["regatta"].iter().chain(words));
    match typed.map(|cli| cli.verb) {
        Ok(Verb::Run(run)) => submit(context, spec(context, &run)?, Vec::new()).await,
        Ok(_) | Err(_) => Err(CliError::failed(format!("{} is no job", shown(words)))),
    }
}

/// Writes what the jobs say, as it comes.
async fn stream(context: &Context, select: Vec<Selector>) -> Result<(), CliError> {
    let receive = Request::Receive(Receive {
        select,
        hosts: None,
        streams: Streams::Both,
        mode: Mode::Drain,
        until: ReceiveUntil::Settled,
        purpose: Purpose::HandOver,
    });
    let mut connection = context.open(&receive, Absent::Fail).await?;
    let mut sink = Sink::open(
        Target::Standard,
        Layout::Prefix,
        Partial::Hold,
        context.terminal,
    )?;
    follow(&mut connection, &mut sink, |child| {
        context.note(&end_line(child));
    })
    .await?;
    Ok(())
}

/// The jobs when they have settled.
async fn settled(context: &Context, select: Vec<Selector>) -> Result<Settled, CliError> {
    let wait = Request::Command(Command::Wait {
        select,
        until: Until::All,
        timeout: None,
    });
    match context.ask(&wait, Absent::Fail).await? {
        Reply::Settled(settled) => Ok(settled),
        reply => Err(unexpected(&reply)),
    }
}

/// Whether everything came out as the script has it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    AsScripted,
    Otherwise(String),
}

impl Verdict {
    /// The first and the last job complete; of the second one child fails, that on the sick computer.
    fn of(settled: &Settled, fleet: &Fleet) -> Self {
        let states: Vec<State> = settled.jobs.iter().map(|job| job.state).collect();
        if states != [State::Completed, State::Failed, State::Completed] {
            let states: Vec<&str> = states.into_iter().map(State::word).collect();
            return Self::Otherwise(format!("the jobs are {}", states.join(", ")));
        }
        let sick = fleet.names_of(Health::Sick);
        for child in &settled.children {
            if !sick.contains(&child.host.as_str()) || child.exit != Some(NOT_ACTIVE) {
                return Self::Otherwise(end_line(child));
            }
        }
        if settled.children.len() == sick.len() {
            Self::AsScripted
        } else {
            Self::Otherwise(format!("{} should have failed", sick.join(", ")))
        }
    }
}

/// Says what this was, what came of it, and what to do next.
fn summarise(context: &Context, fleet: &Fleet, settled: &Settled) {
    let count = fleet.computers().len();
    context.note(&format!(
        "\nSimulated: {}, with shell and processes, and all that was said there.\n\
         Real: the connections, SSH with its keys, the jobs, and all that regatta did with them.\n",
        counted(count, Noun::Computer)
    ));
    for job in &settled.jobs {
        context.note(&job_line(job));
        for child in settled.children.iter().filter(|child| child.job == job.id) {
            context.note(&format!(
                "  {}: its nginx is down, as planned",
                end_line(child)
            ));
        }
        if job.name == ODD_ONE_IN {
            for name in fleet.names_of(Health::Outdated) {
                context.note(&format!(
                    "  {name}: completed, but runs an older kernel than the others"
                ));
            }
        }
    }
    context.note("\nOn real computers, with your own ~/.ssh/config:");
    let width = NEXT.iter().map(|(command, _)| command.len()).max();
    for (command, what) in NEXT {
        context.note(&format!(
            "  {command:width$}  {what}",
            width = width.unwrap_or(0)
        ));
    }
}

/// A command line as it would be typed.
fn shown(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_@./".contains(c);
        if word.chars().all(plain) {
            (*word).to_string()
        } else {
            format!("'{word}'")
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

//! `run`: makes a job and returns, or stays and streams it.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::attend::{Whose, attend};
use super::confirm::confirm;
use super::context::{Context, unexpected};
use super::ends::{end_line, job_line};
use super::error::{CliError, Exit};
use super::follow::{Outcome, follow};
use super::sink::{Layout, Partial, Sink, Target};
use super::{inventory, ssh_notes};
use crate::command::Run;
use crate::core::fleet::Command;
use crate::core::ladder::Rigour;
use crate::core::output::Streams;
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::spec::{Host, JobSpec, Limits, Payload};
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::view::json;
use crate::wire::reply::JobView;
use crate::wire::request::{Receive, ReceiveUntil};
use crate::wire::{Reply, Request};

/// The largest script taken: it travels to every host.
const LARGEST_SCRIPT: usize = 4 << 20;

/// How long after the first Ctrl-C a second one stops the job.
const SECOND_THOUGHT: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, args: Run) -> Result<Exit, CliError> {
    let spec = spec(context, &args)?;
    let hosts: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
    if args.dry_run {
        return dry_run(context, &spec, &hosts);
    }
    confirm(context, hosts.len(), &spec.targets, spec.payload.title())?;
    let stay = args.wait || context.is_in_process();
    let job = submit(context, spec).await?;
    if stay {
        return stream(context, &job).await;
    }
    let mut out = io::stdout().lock();
    if context.global.json {
        context
            .terminal
            .json(&mut out, &json::submitted(&job, &hosts))?;
    } else {
        writeln!(out, "{}", job.id)?;
        context.note(&format!(
            "job {} runs on {}; `regatta receive {} --wait` follows it",
            job.id,
            count_of_hosts(hosts.len()),
            job.id
        ));
    }
    Ok(Exit::Done)
}

pub(super) async fn submit(context: &Context, spec: JobSpec) -> Result<JobView, CliError> {
    match context
        .ask(
            &Request::Command(Command::Submit(Box::new(spec))),
            Absent::Start,
        )
        .await?
    {
        Reply::Submitted(job) => Ok(job),
        reply => Err(unexpected(&reply)),
    }
}

/// Streams a job until it has settled.  Ctrl-C detaches; a second one stops the job.
pub(super) async fn stream(context: &Context, job: &JobView) -> Result<Exit, CliError> {
    let select = vec![Selector::new(job.id.to_string())];
    let receive = Receive {
        select: select.clone(),
        hosts: None,
        streams: Streams::Both,
        mode: Mode::Drain,
        until: ReceiveUntil::Settled,
    };
    let mut connection = context
        .open(&Request::Receive(receive), Absent::Recall)
        .await?;
    let layout = if context.global.json {
        Layout::Ndjson
    } else {
        Layout::Prefix
    };
    let mut sink = Sink::open(Target::Standard, layout, Partial::Hold, context.terminal)?;
    let followed = {
        let follow = follow(&mut connection, &mut sink, |child| {
            context.note(&end_line(child));
        });
        let attend = async {
            if context.global.batch {
                std::future::pending::<()>().await;
            }
            attend(context, Whose::of_job(job.id, job.children())).await
        };
        tokio::select! {
            biased;
            outcome = follow => Some(outcome?),
            ended = attend => match ended {
                Ok(never) => match never {},
                Err(error) => return Err(error),
            },
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    if let Some(outcome) = followed {
        Ok(summary(context, &outcome))
    } else {
        // What was not acknowledged waits for the next receive.
        drop(connection);
        interrupted(context, job, select).await
    }
}

async fn interrupted(
    context: &Context,
    job: &JobView,
    select: Vec<Selector>,
) -> Result<Exit, CliError> {
    let id = job.id;
    if context.is_in_process() {
        Context::warn(&format!("stopping job {id}"));
    } else {
        Context::warn(&format!(
            "detached; job {id} goes on. `regatta receive {id} --wait` follows it again, `regatta stop {id}` stops it; \
             Ctrl-C again within 2 s stops it now"
        ));
        if tokio::time::timeout(SECOND_THOUGHT, tokio::signal::ctrl_c())
            .await
            .is_err()
        {
            return Ok(Exit::Interrupted);
        }
        Context::warn(&format!("stopping job {id}"));
    }
    let stop = Request::Command(Command::Stop {
        select,
        rigour: Rigour::Gentle,
        grace: None,
    });
    if let Reply::Settled(settled) = context.ask(&stop, Absent::Recall).await? {
        super::wait::report_children(context, &settled);
    }
    Ok(Exit::Interrupted)
}

/// The last line of a streamed job: what became of it.
fn summary(context: &Context, outcome: &Outcome) -> Exit {
    for job in &outcome.jobs {
        context.note(&job_line(job));
    }
    let gone = outcome.jobs.is_empty();
    if gone {
        Context::warn("the job was removed while it was followed");
    }
    if !gone && outcome.jobs.iter().all(|job| job.state == State::Completed) {
        Exit::Done
    } else {
        Exit::Failed
    }
}

fn count_of_hosts(count: usize) -> String {
    format!("{count} host{}", if count == 1 { "" } else { "s" })
}

fn dry_run(context: &Context, spec: &JobSpec, hosts: &[String]) -> Result<Exit, CliError> {
    let mut out = io::stdout().lock();
    if context.global.json {
        let value =
            serde_json::json!({"targets": spec.targets, "count": hosts.len(), "hosts": hosts});
        context.terminal.json(&mut out, &value)?;
    } else {
        for host in hosts {
            writeln!(out, "{host}")?;
        }
        context.note(&format!(
            "{} ({}); none was contacted",
            count_of_hosts(hosts.len()),
            spec.targets
        ));
    }
    Ok(Exit::Done)
}

/// What was asked for, checked and complete.
pub(super) fn spec(context: &Context, args: &Run) -> Result<JobSpec, CliError> {
    let payload = payload(args)?;
    let name = args.name.clone();
    let (runner, targets, hosts) = if args.local {
        (
            "local",
            "localhost".to_string(),
            vec![Host::named("localhost")],
        )
    } else {
        let (targets, hosts) = hosts(context, args)?;
        ("ssh", targets, hosts)
    };
    if !args.local {
        ssh_notes::warn(context, &hosts)?;
    }
    let settings = &context.settings;
    Ok(JobSpec {
        name,
        runner: runner.to_string(),
        payload,
        targets,
        hosts,
        fanout: args.fanout.unwrap_or(settings.fanout),
        limits: Limits {
            connect: args.connect_timeout.unwrap_or(settings.connect_timeout),
            command: args.timeout.or(settings.timeout),
            job: args.job_timeout,
            grace: args.grace.unwrap_or(settings.grace),
        },
        ok_exit: args.ok_exit.clone(),
        on_full: args.on_full.unwrap_or_default().into(),
        options: if args.local {
            local_options()?
        } else {
            ssh_options(context, args)?
        },
        asking: context.asking(),
    })
}

fn hosts(context: &Context, args: &Run) -> Result<(String, Vec<Host>), CliError> {
    if args.on.targets.is_empty() {
        return Err(CliError::usage("no targets")
            .hint("name hosts with -t, as in -t web[01-20], or use --local"));
    }
    if args.on.targets.iter().all(|text| text.trim().is_empty()) {
        return Err(
            CliError::nothing("no targets: the expression is empty").hint("is a variable unset?")
        );
    }
    let inventory = inventory::load(context)?;
    let set = inventory::resolve(&inventory, &args.on)?;
    if set.is_empty() {
        let expression = args.on.targets.join(",");
        return Err(CliError::nothing(format!("{expression} matches no host"))
            .hint("`regatta hosts` lists the known ones"));
    }
    Ok((
        set.fold(),
        set.iter()
            .map(|name| inventory::host(&inventory, &name))
            .collect(),
    ))
}

/// What the SSH runner needs to know of the caller: the daemon's own environment is another one.
fn ssh_options(context: &Context, args: &Run) -> Result<Vec<(String, String)>, CliError> {
    let mut options = Vec::new();
    if let Some(file) = context.ssh_config()? {
        options.push(("ssh_config".to_string(), utf8(&file)?));
    }
    // As for ssh, what is said on the command line (the job's own limit) comes before ConnectTimeout in a file.
    if args.connect_timeout.is_some() {
        options.push(("connect_timeout".to_string(), "order".to_string()));
    }
    if let Some(agent) = std::env::var_os("SSH_AUTH_SOCK").filter(|agent| !agent.is_empty()) {
        options.push(("agent".to_string(), utf8(Path::new(&agent))?));
    }
    Ok(options)
}

/// What the local runner needs to know of the caller.
fn local_options() -> Result<Vec<(String, String)>, CliError> {
    let directory = std::env::current_dir().map_err(|error| {
        CliError::usage(format!("the current directory cannot be used: {error}"))
    })?;
    Ok(vec![("directory".to_string(), utf8(&directory)?)])
}

fn utf8(path: &Path) -> Result<String, CliError> {
    let text = path.to_str().map(str::to_string);
    text.ok_or_else(|| CliError::usage(format!("{} is not UTF-8", path.display())))
}

fn payload(args: &Run) -> Result<Payload, CliError> {
    match (&args.script, args.command.as_slice()) {
        (Some(path), _) => {
            let text = std::fs::read(path).map_err(|error| {
                CliError::usage(format!("cannot read {}: {error}", path.display()))
            })?;
            script(path.display().to_string(), text)
        }
        (None, [dash]) if dash == "-" => {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text)?;
            script("-".to_string(), text)
        }
        (None, []) => Err(CliError::usage("nothing to run")
            .hint("give a command after --, or --script FILE, or - for stdin")),
        (None, words) => {
            let line = words.join(" ");
            if line.trim().is_empty() {
                return Err(CliError::usage("the command is empty"));
            }
            if line.contains('\0') {
                return Err(CliError::usage("the command holds a NUL character"));
            }
            Ok(Payload::Command(line))
        }
    }
}

/// A script, with the interpreter its first line names.
fn script(name: String, text: Vec<u8>) -> Result<Payload, CliError> {
    if text.len() > LARGEST_SCRIPT {
        return Err(
            CliError::usage(format!("the script {name} is larger than 4 MiB"))
                .hint("copy it to the hosts and run it there"),
        );
    }
    let text = String::from_utf8(text)
        .map_err(|_| CliError::usage(format!("the script {name} is not UTF-8 text")))?;
    if text.contains('\0') {
        return Err(CliError::usage(format!(
            "the script {name} holds a NUL character"
        )));
    }
    if text.trim().is_empty() {
        return Err(CliError::usage(format!("the script {name} is empty")));
    }
    let first = text.lines().next().unwrap_or_default();
    let named = first
        .strip_prefix("#!")
        .map(str::trim)
        .filter(|named| !named.is_empty());
    Ok(Payload::Script {
        name,
        interpreter: named.unwrap_or("sh").to_string(),
        text,
    })
}

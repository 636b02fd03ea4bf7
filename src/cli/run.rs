//! `run`: makes a job and returns, or stays and streams it.

use std::io::{self, Write};
use std::time::Duration;

use super::attend::{ask_for_secrets, attend_job};
use super::confirm::confirm;
use super::context::{Context, unexpected};
use super::earlier::expand;
use super::ends::{end_line, job_line};
use super::error::{CliError, Exit};
use super::follow::{Outcome, follow};
use super::sink::{Layout, Partial, Sink, Target};
use super::together::{self, Wished};
use crate::command::{Begin, OnFull, Run};
use crate::core::fleet::Command;
use crate::core::ladder::Rigour;
use crate::core::output::Streams;
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::spec::JobSpec;
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::secret::{Environment, Named};
use crate::view::count::{Noun, counted};
use crate::view::json;
use crate::wire::reply::JobView;
use crate::wire::request::{Purpose, Receive, ReceiveUntil};
use crate::wire::{Reply, Request};

/// How long after the first Ctrl-C a second one stops the job.
const SECOND_THOUGHT: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, mut args: Run) -> Result<Exit, CliError> {
    expand(context, &mut args.on).await?;
    let spec = spec(context, &args)?;
    let manner = match Wished::of(context, &args.together)? {
        Some(wished) => folding(context, &args, wished)?,
        None => Manner::of(args.begin),
    };
    begin(context, spec, Named::new(), manner).await
}

/// How a job is begun whose results are put together.
fn folding(context: &Context, args: &Run, wished: Wished) -> Result<Manner, CliError> {
    if args.on_full == Some(OnFull::Block) {
        let message = "with --on-full block a command waits until its output is received, and --fold receives it at the end";
        return Err(CliError::usage(message).hint("leave one of them out"));
    }
    match Manner::of(args.begin) {
        Manner::InBackground if !context.is_in_process() => {
            let message = "--fold prints results, and a job in the background has none yet";
            Err(CliError::usage(message)
                .hint("add -w to stay, or `regatta receive JOB --wait --fold` later"))
        }
        Manner::InBackground | Manner::Staying => Ok(Manner::Folding(wished)),
        manner @ (Manner::DryRun | Manner::Folding(_)) => Ok(manner),
    }
}

/// How a job is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Not at all: it is only said where it would run.
    DryRun,
    InBackground,
    /// And followed to its end.
    Staying,
    /// And waited for, with its results put together.
    Folding(Wished),
}

impl Manner {
    pub(super) fn of(typed: Begin) -> Self {
        match (typed.dry_run, typed.wait) {
            (true, _) => Self::DryRun,
            (false, true) => Self::Staying,
            (false, false) => Self::InBackground,
        }
    }
}

/// Begins a job once it is confirmed.
pub(super) async fn begin(
    context: &Context,
    spec: JobSpec,
    secrets: Named,
    manner: Manner,
) -> Result<Exit, CliError> {
    let hosts: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
    if manner == Manner::DryRun {
        return dry_run(context, &spec, &hosts);
    }
    confirm(
        context,
        spec.ask_above,
        hosts.len(),
        &spec.targets,
        spec.payload.title(),
    )?;
    let job = submit(context, spec, secrets).await?;
    if let Manner::Folding(wished) = manner {
        return fold(context, &job, wished).await;
    }
    if manner == Manner::Staying || context.is_in_process() {
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
            counted(hosts.len(), Noun::Host),
            job.id
        ));
    }
    Ok(Exit::Done)
}

/// Makes a job; secrets of it that were not given are asked for, if somebody can be asked here.
pub(super) async fn submit(
    context: &Context,
    spec: JobSpec,
    mut secrets: Named,
) -> Result<JobView, CliError> {
    ask_for_secrets(context, &spec, &mut secrets).await?;
    let request = Request::Submit {
        spec: Box::new(spec),
        environment: Environment::default(),
        secrets,
    };
    let request = context.planner().in_environment(request);
    match context.ask(&request, Absent::Start).await? {
        Reply::Submitted(job) => Ok(job),
        reply => Err(unexpected(&reply)),
    }
}

/// Streams a job until it has settled.  Ctrl-C detaches; a second one stops the job.
pub(super) async fn stream(context: &Context, job: &JobView) -> Result<Exit, CliError> {
    let receive = everything(job);
    let select = receive.select.clone();
    let mut connection = context
        .open(&Request::Receive(receive), Absent::Recall)
        .await?;
    let mut sink = open_sink(context, Layout::Prefix, Partial::Hold)?;
    let followed = {
        let follow = follow(&mut connection, &mut sink, |child| {
            context.note(&end_line(child));
        });
        tokio::select! {
            biased;
            outcome = follow => Some(outcome?),
            ended = attend_job(context, job) => match ended {
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

/// Waits for a job and prints what its hosts came to.  Ctrl-C does what it does to one that is streamed.
async fn fold(context: &Context, job: &JobView, wished: Wished) -> Result<Exit, CliError> {
    let receive = everything(job);
    let select = receive.select.clone();
    let sink = open_sink(context, Layout::Headers, Partial::Print)?;
    match together::stay(context, job, receive, wished, sink).await? {
        Some(outcome) => Ok(summary(context, &outcome)),
        None => interrupted(context, job, select).await,
    }
}

/// All that a job's children write.
fn everything(job: &JobView) -> Receive {
    Receive {
        select: vec![Selector::new(job.id.to_string())],
        hosts: None,
        streams: Streams::Both,
        mode: Mode::Drain,
        until: ReceiveUntil::Settled,
        purpose: Purpose::HandOver,
    }
}

fn open_sink(context: &Context, text: Layout, partial: Partial) -> Result<Sink, CliError> {
    let layout = if context.global.json {
        Layout::Ndjson
    } else {
        text
    };
    Ok(Sink::open(
        Target::Standard,
        layout,
        partial,
        context.terminal,
    )?)
}

pub(super) async fn interrupted(
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
            counted(hosts.len(), Noun::Host),
            spec.targets
        ));
    }
    Ok(Exit::Done)
}

/// The job that was asked for; what it will not obey of the SSH configuration is said.
pub(super) fn spec(context: &Context, args: &Run) -> Result<JobSpec, CliError> {
    let planner = context.planner();
    let spec = planner.job(args)?;
    for note in planner.ssh_notes(&spec)? {
        Context::warn(&note);
    }
    Ok(spec)
}

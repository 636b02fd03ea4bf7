//! `jobs`: what there is, and with `--watch` what changes.

use std::collections::HashSet;
use std::io::Write;

use jiff::Zoned;

use super::attend::{Whose, open_questions};
use super::context::{Context, unexpected};
use super::ends::{NAMED, job_end_line, job_line};
use super::error::{CliError, Exit};
use super::when;
use crate::command::Jobs;
use crate::core::state::State;
use crate::daemon::client::{Absent, Connection};
use crate::view::{json, question, table};
use crate::wire::reply::{ChildView, JobView, Jobs as List, News};
use crate::wire::request::{Children, Wanted};
use crate::wire::{Reply, Request};

pub(super) async fn jobs(context: &Context, args: Jobs) -> Result<Exit, CliError> {
    let filter = Filter::new(&args)?;
    let select = (!args.select.is_empty()).then(|| Wanted(args.select.clone()));
    // A selection that is one job shows its children, as a directory does.
    let children = match (args.children, args.select.is_empty()) {
        (true, _) => Children::With,
        (false, true) => Children::Without,
        (false, false) => Children::OfOneJob,
    };
    if args.watch {
        return watch(context, select, children, &filter).await;
    }
    let mut list = match fetch(context, select, children).await {
        Ok(list) => list,
        // Without a daemon there are no jobs; only who asks for one has asked in vain.
        Err(error) if args.select.is_empty() && error.is_nothing() => {
            if context.global.json {
                context
                    .terminal
                    .json(&mut std::io::stdout(), &serde_json::json!([]))?;
            }
            context.note(&error.to_string());
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error),
    };
    let asked = !args.select.is_empty();
    let found = !list.jobs.is_empty();
    filter.apply(&mut list);
    // Where children belong, an empty list of them says that the filter took them all.
    let always = args.children || (asked && list.jobs.len() == 1);
    if found || !asked || context.global.json {
        print(context, &list, always)?;
    }
    if !context.global.json {
        note_questions(context, &list).await?;
    }
    for unknown in &list.unknown {
        Context::warn(unknown);
    }
    if asked && !found {
        return Err(CliError::nothing_selected(&args.select, &list.unknown));
    }
    Ok(if list.unknown.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

pub(super) async fn fetch(
    context: &Context,
    select: Option<Wanted>,
    children: Children,
) -> Result<List, CliError> {
    let mut connection = context
        .open(&Request::Jobs { select, children }, Absent::Recall)
        .await?;
    read(&mut connection).await
}

/// A list, to its last part.
async fn read(connection: &mut Connection) -> Result<List, CliError> {
    let mut list = List::default();
    loop {
        match connection.first().await? {
            Reply::Jobs(part) => {
                list.jobs.extend(part.jobs);
                list.children.extend(part.children);
                list.unknown.extend(part.unknown);
                if part.last {
                    return Ok(list);
                }
            }
            reply => return Err(unexpected(&reply)),
        }
    }
}

/// Which jobs, and which of their children, are shown.
struct Filter {
    states: Vec<State>,
    more: bool,
    newest: Option<usize>,
    before: Option<i64>,
    after: Option<i64>,
}

impl Filter {
    fn new(args: &Jobs) -> Result<Self, CliError> {
        let now = Zoned::now();
        let time = |text: &Option<String>| {
            text.as_deref()
                .map(|text| when::parse(text, &now))
                .transpose()
        };
        Ok(Self {
            states: args.state.clone(),
            more: args.more,
            newest: args.newest,
            before: time(&args.before)?,
            after: time(&args.after)?,
        })
    }

    /// A state or `more` is looked for in jobs where jobs are listed, and in children where children are.
    fn apply(&self, list: &mut List) {
        if list.children.is_empty() {
            list.jobs.retain(|job| self.takes(job.state, job.more));
        } else {
            list.children
                .retain(|child| self.takes(child.state, child.more));
        }
        list.jobs.retain(|job| self.takes_time(job));
        if let Some(newest) = self.newest {
            list.jobs.drain(..list.jobs.len().saturating_sub(newest));
        }
        let kept: HashSet<u64> = list.jobs.iter().map(|job| job.id).collect();
        list.children.retain(|child| kept.contains(&child.job));
    }

    fn takes(&self, state: State, more: bool) -> bool {
        (self.states.is_empty() || self.states.contains(&state)) && (!self.more || more)
    }

    fn takes_time(&self, job: &JobView) -> bool {
        self.before.is_none_or(|before| job.created < before)
            && self.after.is_none_or(|after| job.created > after)
    }
}

fn print(context: &Context, list: &List, always: bool) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let jobs: Vec<_> = list
            .jobs
            .iter()
            .map(|job| as_json(job, list, always))
            .collect();
        context
            .terminal
            .json(&mut out, &serde_json::Value::from(jobs))?;
        return Ok(());
    }
    let width = context.terminal.width();
    if list.jobs.is_empty() {
        context.note("no jobs");
        return Ok(());
    }
    for line in table::jobs(&list.jobs).lines(width) {
        writeln!(out, "{line}")?;
    }
    if !list.children.is_empty() {
        writeln!(out)?;
        for line in table::children(&list.children).lines(width) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// Says what jobs wait for that are listed without their children.
async fn note_questions(context: &Context, list: &List) -> Result<(), CliError> {
    let blocked = list.jobs.iter().filter(|job| job.state == State::Blocked);
    for job in blocked.filter(|job| !list.children.iter().any(|child| child.job == job.id)) {
        let whose = Whose::of_job(job.id, job.children());
        for asked in open_questions(context, &whose).await?.iter().take(NAMED) {
            let line = question::line(asked);
            context.note(&format!(
                "job {0}: {line}; answer with `regatta answer {0}`",
                job.id
            ));
        }
    }
    Ok(())
}

/// A job; with its children if there are any, or `always`.
fn as_json(job: &JobView, list: &List, always: bool) -> serde_json::Value {
    let own: Vec<ChildView> = list
        .children
        .iter()
        .filter(|child| child.job == job.id)
        .cloned()
        .collect();
    json::job(job, (always || !own.is_empty()).then_some(own.as_slice()))
}

/// Prints every change as a line: of jobs, of children, and removals.  It begins with what was selected, or else with
/// what is live.
async fn watch(
    context: &Context,
    select: Option<Wanted>,
    children: Children,
    filter: &Filter,
) -> Result<Exit, CliError> {
    let selected = select.is_some();
    let mut connection = context
        .open(&Request::Watch { select, children }, Absent::Recall)
        .await?;
    let List {
        mut jobs,
        mut children,
        unknown,
        ..
    } = read(&mut connection).await?;
    for unknown in &unknown {
        Context::warn(unknown);
    }
    if !selected {
        jobs.retain(is_live);
        let live: HashSet<u64> = jobs.iter().map(|job| job.id).collect();
        children.retain(|child| live.contains(&child.job));
    }
    let mut news = News {
        jobs,
        children,
        removed: Vec::new(),
        questions: None,
    };
    let mut out = std::io::stdout().lock();
    loop {
        let News {
            jobs,
            children,
            removed,
            // The children that wait say what they wait for.
            questions: _,
        } = news;
        let jobs = jobs
            .iter()
            .filter(|job| filter.takes(job.state, job.more) && filter.takes_time(job));
        let children = children
            .iter()
            .filter(|child| filter.takes(child.state, child.more));
        if context.global.json {
            for job in jobs {
                context
                    .terminal
                    .json(&mut out, &serde_json::json!({"job": json::job(job, None)}))?;
            }
            for child in children {
                context
                    .terminal
                    .json(&mut out, &serde_json::json!({"child": json::child(child)}))?;
            }
            for id in removed {
                context
                    .terminal
                    .json(&mut out, &serde_json::json!({"removed": id}))?;
            }
        } else {
            for job in jobs {
                writeln!(out, "{}", job_line(job))?;
            }
            for child in children {
                writeln!(out, "{}", job_end_line(child))?;
            }
            for id in removed {
                writeln!(out, "job {id}: removed")?;
            }
        }
        out.flush()?;
        news = match connection.first().await? {
            Reply::News(news) => news,
            reply => return Err(unexpected(&reply)),
        };
    }
}

/// Whether something of the job will still change by itself.
fn is_live(job: &JobView) -> bool {
    !job.state.is_final() && job.state != State::Disconnected
}

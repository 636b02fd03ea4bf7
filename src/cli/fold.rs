//! `fold`: which hosts came to the same.

use std::collections::HashSet;
use std::io::Write;

use super::context::{Context, unexpected};
use super::ends::Label;
use super::error::{CliError, Exit};
use super::picked;
use crate::command::look::Fold;
use crate::core::alike::Ignored;
use crate::daemon::client::Absent;
use crate::targets::folded as folded_hosts;
use crate::view::count::{Noun, counted};
use crate::view::text::harmless;
use crate::view::{json, span};
use crate::wire::look::{Folded, Group};
use crate::wire::{Reply, Request};

pub(super) async fn fold(context: &Context, args: &Fold) -> Result<Exit, CliError> {
    let picked = picked::pick(context, &args.pick.select).await?;
    let wanted: HashSet<u64> = picked.children.iter().map(|child| child.id).collect();
    let hosts = picked.by_id();
    let ignored = args.ignore.iter().copied().collect();
    let mut jobs = Vec::new();
    for job in &picked.jobs {
        let mut folded = ask(context, job.id, ignored).await?;
        only(&mut folded, &wanted, |child| {
            hosts.get(&child).map_or("", |child| &child.host)
        });
        jobs.push(folded);
    }
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let jobs: Vec<_> = jobs.iter().map(json::folded).collect();
        context
            .terminal
            .json(&mut out, &serde_json::Value::from(jobs))?;
    } else {
        let label = Label::among(jobs.iter().map(|folded| folded.job));
        for folded in &jobs {
            for group in &folded.groups {
                if label == Label::JobAndHost {
                    write!(out, "job {}  ", folded.job)?;
                }
                writeln!(out, "{}", line(group))?;
                if let Some(sample) = sample(group) {
                    writeln!(out, "    {sample}")?;
                }
            }
        }
    }
    Ok(if picked.unknown.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// How the children of a job fold.
pub(super) async fn ask(context: &Context, job: u64, ignored: Ignored) -> Result<Folded, CliError> {
    let request = Request::Fold { job, ignored };
    match context.ask(&request, Absent::Recall).await? {
        Reply::Folded(folded) => Ok(folded),
        reply => Err(unexpected(&reply)),
    }
}

/// Leaves out children that were not selected.
pub(super) fn only<'a>(folded: &mut Folded, wanted: &HashSet<u64>, host: impl Fn(u64) -> &'a str) {
    for group in &mut folded.groups {
        if group.children.iter().all(|child| wanted.contains(child)) {
            continue;
        }
        group.children.retain(|child| wanted.contains(child));
        group.hosts = folded_hosts(group.children.iter().map(|child| host(*child)));
    }
    folded.groups.retain(|group| !group.children.is_empty());
    folded
        .groups
        .sort_by_key(|group| std::cmp::Reverse(group.children.len()));
}

/// `10 hosts  exit 0  web[01-10]`
pub(super) fn line(group: &Group) -> String {
    let count = counted(group.children.len(), Noun::Host);
    let what = match (&group.reason, group.exit) {
        (Some(reason), _) => harmless(reason.text.as_bytes()),
        (None, Some(exit)) => format!("exit {exit}"),
        (None, None) => group.state.to_string(),
    };
    format!("{count}  {what}  {}", harmless(group.hosts.as_bytes()))
}

/// The line that tells it from the others, and how much there is in all.
pub(super) fn sample(group: &Group) -> Option<String> {
    if group.output.bytes == 0 {
        return None;
    }
    let before = match group.output.lines {
        0 | 1 => String::new(),
        lines => format!(
            " ({}, {})",
            counted(lines, Noun::Line),
            span::bytes(group.output.bytes)
        ),
    };
    let cut = if group.cut { " (cut)" } else { "" };
    let line = group.sample.strip_suffix(b"\r").unwrap_or(&group.sample);
    Some(format!("{}{before}{cut}", harmless(line)))
}

//! The children a selection comes to, for verbs that look at their output.

use std::collections::HashMap;

use super::context::Context;
use super::error::CliError;
use super::jobs;
use super::sink::Layout;
use crate::core::select::Selector;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::{Children, Wanted};

#[derive(Clone)]
pub(super) struct Picked {
    pub(super) jobs: Vec<JobView>,
    /// In job order and host order.
    pub(super) children: Vec<ChildView>,
    /// What was named and is not there.
    pub(super) unknown: Vec<String>,
}

/// Looks a selection up; an error if it comes to nothing.
pub(super) async fn pick(context: &Context, select: &[Selector]) -> Result<Picked, CliError> {
    let wanted = Wanted(select.to_vec());
    let list = jobs::fetch(context, Some(wanted), Children::With).await?;
    for unknown in &list.unknown {
        Context::warn(unknown);
    }
    if list.children.is_empty() {
        return Err(CliError::nothing_selected(select, &list.unknown));
    }
    Ok(Picked {
        jobs: list.jobs,
        children: list.children,
        unknown: list.unknown,
    })
}

/// Whether a child is of one of these hosts, if there are any.
pub(super) fn is_of(hosts: Option<&[String]>, child: &ChildView) -> bool {
    let is_its = |host: &String| host.eq_ignore_ascii_case(&child.host);
    hosts.is_none_or(|hosts| hosts.iter().any(is_its))
}

/// What a selection comes to now, by ids, and what of it is not there: names may mean others once it was waited for.
pub(super) async fn by_ids(
    context: &Context,
    select: &[Selector],
    hosts: Option<&[String]>,
) -> Result<(Vec<Selector>, Vec<String>), CliError> {
    let wanted = Wanted(select.to_vec());
    let children = match hosts {
        Some(_) => Children::With,
        None => Children::Without,
    };
    let list = jobs::fetch(context, Some(wanted), children).await?;
    let is_wanted = |child: &&ChildView| is_of(hosts, child);
    let alone = list.children.iter().filter(is_wanted).map(|child| child.id);
    let whole = |job: &u64| list.children.iter().all(|child| child.job != *job);
    let jobs = list.jobs.iter().map(|job| job.id).filter(whole);
    let ids = jobs.chain(alone).map(|id| Selector::new(id.to_string()));
    Ok((ids.collect(), list.unknown))
}

impl Picked {
    /// The children by their ids.
    pub(super) fn by_id(&self) -> HashMap<u64, &ChildView> {
        let children = self.children.iter();
        children.map(|child| (child.id, child)).collect()
    }
}

/// How rows are set: as text, or as records where that was asked for.
pub(super) fn layout(context: &Context, ndjson: bool) -> Layout {
    if ndjson {
        Layout::Ndjson
    } else if context.global.json {
        Layout::Json
    } else {
        Layout::Prefix
    }
}

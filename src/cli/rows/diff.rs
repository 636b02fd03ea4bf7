//! `diff`: what changed on each host between two jobs of one query.

use std::collections::BTreeSet;

use super::gather::{gather, sources};
use super::opened;
use super::print::print;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::picked;
use crate::command::rows::Diff;
use crate::core::select::Selector;
use crate::results::diff::{Compared, diff as changes};
use crate::results::{Shape, Table, Value};
use crate::targets::folded;
use crate::view::rows::field;

/// One of the two runs.
struct Run {
    job: u64,
    shape: Shape,
    table: Table,
    /// Hosts all of whose rows are there.
    whole: BTreeSet<String>,
    hosts: BTreeSet<String>,
}

pub(in crate::cli) async fn diff(context: &Context, args: &Diff) -> Result<Exit, CliError> {
    let mut before = run(context, &args.before).await?;
    let mut after = run(context, &args.after).await?;
    if before.shape.query != after.shape.query {
        let message = format!(
            "job {} asked {}, and job {} {}",
            before.job, before.shape.query, after.job, after.shape.query
        );
        return Err(CliError::usage(message).hint("compare two jobs of one query"));
    }
    before.shape = opened(before.shape, &mut [&mut before.table, &mut after.table]);
    // Rows that are not there because a host failed have not been removed.
    let both: BTreeSet<&str> = before
        .whole
        .intersection(&after.whole)
        .map(String::as_str)
        .collect();
    let only = |table: &Table| {
        let mut table = table.clone();
        table
            .rows
            .retain(|row| matches!(&row[0], Value::Text(host) if both.contains(&**host)));
        table
    };
    let compared = if args.all_columns {
        Compared::All
    } else {
        Compared::Constant
    };
    let (old, new) = (only(&before.table), only(&after.table));
    let mut changes = changes(&old, &new, &after.shape.key, compared);
    if context.is_for_people(&args.form) {
        tell_apart(&mut changes);
    }
    print(context, &changes, &args.form)?;
    let all = before.hosts.union(&after.hosts).map(String::as_str);
    let left: Vec<&str> = all.filter(|host| !both.contains(host)).collect();
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    Context::warn(&format!(
        "not compared, because they did not complete in both jobs: {}",
        folded(left.iter().copied())
    ));
    Ok(Exit::Failed)
}

/// What reads the same as it did and has changed is written exactly.
fn tell_apart(changes: &mut Table) {
    let place = |name: &str| {
        changes
            .columns
            .iter()
            .rposition(|column| column.name == name)
    };
    let (Some(before), Some(after)) = (place("before"), place("after")) else {
        return;
    };
    for row in &mut changes.rows {
        if field(&row[before]) == field(&row[after]) {
            for n in [before, after] {
                row[n] = Value::text(&row[n].to_string());
            }
        }
    }
}

async fn run(context: &Context, select: &Selector) -> Result<Run, CliError> {
    let select = [select.clone()];
    let picked = picked::pick(context, &select).await?;
    let [job] = picked.jobs.as_slice() else {
        let message = format!("{} is {} jobs", select[0].text, picked.jobs.len());
        return Err(CliError::usage(message).hint("compare two jobs by their ids"));
    };
    let sources = sources(context, &picked.jobs).await?;
    let Some(source) = sources.get(&job.id) else {
        return Err(CliError::nothing(format!(
            "job {} has been removed meanwhile",
            job.id
        )));
    };
    let mut table = Table::new(source.shape.all_columns());
    let report = gather(context, &select, &picked, &sources, |_, rows| {
        table.rows.extend(rows);
    })
    .await?;
    report.say(context);
    let hosts = picked.children.iter();
    let whole = hosts
        .clone()
        .filter(|child| report.whole.contains(&child.id));
    Ok(Run {
        job: job.id,
        shape: source.shape.clone(),
        whole: whole.map(|child| child.host.clone()).collect(),
        hosts: hosts.map(|child| child.host.clone()).collect(),
        table,
    })
}

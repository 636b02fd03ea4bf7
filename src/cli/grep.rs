//! `grep`: lines in which a pattern matches, of all output that is there; it is not received by that.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use super::follow::Takes as _;
use super::picked::{self, layout};
use super::sink::{Layout, Origin, Partial, Sink, Target};
use crate::command::look::Grep;
use crate::core::output::{LONGEST_ROW, Stream};
use crate::daemon::client::Absent;
use crate::view::json;
use crate::wire::look::{Case, Row, RowKind, Rows, Search};
use crate::wire::reply::ChildView;
use crate::wire::{Reply, Request};

/// Rows fetched at a time: so few that the longest of them come as a whole.
const ROWS: usize = 200;

pub(super) async fn grep(context: &Context, args: &Grep) -> Result<Exit, CliError> {
    let picked = picked::pick(context, &args.pick.select).await?;
    let children = picked.by_id();
    let layout = layout(context, args.ndjson);
    let mut sink = Sink::open(Target::Standard, layout, Partial::Print, context.terminal)?;
    let search = Search {
        children: picked.children.iter().map(|child| (child.id, 0)).collect(),
        pattern: args.pattern.clone(),
        case: if args.ignore_case {
            Case::Ignored
        } else {
            Case::Matters
        },
        limit: u32::MAX,
    };
    let mut connection = context
        .open(&Request::Search(search), Absent::Recall)
        .await?;
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    loop {
        let found = match connection.reply().await? {
            Reply::Found(found) => found,
            // Of all errors this one is the operator's to mend.
            Reply::Error { message, .. } => return Err(CliError::usage(message)),
            reply => return Err(unexpected(&reply)),
        };
        for (child, _) in &found.hits {
            *counts.entry(*child).or_default() += 1;
        }
        if !args.count {
            let places: Vec<(u64, u64)> = (found.hits.iter())
                .map(|(child, at)| (*child, at.offset))
                .collect();
            for places in places.chunks(ROWS) {
                for row in fetch(context, places.to_vec()).await? {
                    print(&mut sink, layout, &children, &row)?;
                }
            }
            sink.flush()?;
        }
        if found.last {
            break;
        }
    }
    if args.count {
        for child in &picked.children {
            if let Some(count) = counts.get(&child.id) {
                print_count(&mut sink, layout, child, *count)?;
            }
        }
    }
    sink.finish()?;
    Ok(if counts.is_empty() || !picked.unknown.is_empty() {
        Exit::Failed
    } else {
        Exit::Done
    })
}

async fn fetch(context: &Context, rows: Vec<(u64, u64)>) -> Result<Vec<Row>, CliError> {
    let most = LONGEST_ROW as u32;
    let request = Request::Rows(Rows { rows, most });
    match context.ask(&request, Absent::Recall).await? {
        Reply::Rows(rows) => Ok(rows),
        reply => Err(unexpected(&reply)),
    }
}

fn print(
    sink: &mut Sink,
    layout: Layout,
    children: &HashMap<u64, &ChildView>,
    row: &Row,
) -> Result<(), CliError> {
    let (Some(child), RowKind::Text { data, .. }) = (children.get(&row.child), &row.what) else {
        return Ok(());
    };
    match layout {
        Layout::Ndjson | Layout::Json => sink.record(&json::row(child.job, &child.host, row))?,
        // What was found goes one way, whichever stream it was written to.
        Layout::Prefix | Layout::Headers | Layout::Raw => {
            let line = [data, &b"\n"[..]].concat();
            sink.output(origin(child), Stream::Out, &line)?;
        }
    }
    Ok(())
}

fn print_count(
    sink: &mut Sink,
    layout: Layout,
    child: &ChildView,
    count: u64,
) -> Result<(), CliError> {
    match layout {
        Layout::Ndjson | Layout::Json => {
            sink.record(&json::matching(child.job, child.id, &child.host, count))?;
        }
        Layout::Prefix | Layout::Headers | Layout::Raw => {
            sink.output(origin(child), Stream::Out, format!("{count}\n").as_bytes())?;
        }
    }
    Ok(())
}

fn origin(child: &ChildView) -> Origin<'_> {
    Origin {
        job: child.job,
        child: child.id,
        host: &child.host,
    }
}

//! `tail`: the last lines of output, which is not received by that.

use std::collections::VecDeque;

use super::context::{Context, unexpected};
use super::error::{CliError, Exit};
use super::follow::Takes as _;
use super::picked::{self, layout};
use super::sink::{Layout, Origin, Partial, Sink, Target};
use crate::command::look::Tail;
use crate::daemon::client::Absent;
use crate::view::json;
use crate::wire::look::{Look, Place, Row, RowKind};
use crate::wire::{Reply, Request};

/// Bytes a line is guessed to take, and bytes asked for at once: at first a little more than is needed, then more.
const LINE: u32 = 200;
const FIRST: u32 = 4 << 10;
const MOST: u32 = 4 << 20;

pub(super) async fn tail(context: &Context, args: &Tail) -> Result<Exit, CliError> {
    let picked = picked::pick(context, &args.pick.select).await?;
    let layout = layout(context, args.ndjson);
    let mut sink = Sink::open(Target::Standard, layout, Partial::Print, context.terminal)?;
    for child in &picked.children {
        let origin = Origin {
            job: child.job,
            child: child.id,
            host: &child.host,
        };
        for row in last_rows(context, child.id, args.lines.get() as usize).await? {
            match (&row.what, layout) {
                (_, Layout::Ndjson | Layout::Json) => {
                    sink.record(&json::row(child.job, &child.host, &row))?;
                }
                (RowKind::Text { stream, data, .. }, _) => {
                    sink.output(origin, *stream, &[data, &b"\n"[..]].concat())?;
                }
                (RowKind::Cut(dropped), _) => sink.cut(origin, *dropped)?,
            }
        }
    }
    sink.finish()?;
    Ok(if picked.unknown.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// So many rows from the end of a child's output, or as many as there are.
async fn last_rows(
    context: &Context,
    child: u64,
    wanted: usize,
) -> Result<VecDeque<Row>, CliError> {
    let mut rows: VecDeque<Row> = VecDeque::new();
    let mut at = Place::End;
    let guess = u32::try_from(wanted).unwrap_or(MOST).saturating_mul(LINE);
    let mut before = guess.clamp(FIRST, MOST);
    loop {
        let look = Look {
            child,
            at,
            before,
            behind: 0,
        };
        let seen = match context.ask(&Request::Look(look), Absent::Recall).await? {
            Reply::Seen(seen) => seen,
            reply => return Err(unexpected(&reply)),
        };
        for row in seen.rows.into_iter().rev() {
            rows.push_front(row);
        }
        let first = rows.front().map_or(0, |row| row.at.offset);
        if rows.len() >= wanted || first == 0 {
            rows.drain(..rows.len().saturating_sub(wanted));
            return Ok(rows);
        }
        at = Place::Offset(first);
        before = before.saturating_mul(8).min(MOST);
    }
}

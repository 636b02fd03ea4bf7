//! Rows of children that have ended.  Their stored output is looked at: nothing is received, and nothing of it is noted.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::event::{Event, Failure, Ticket};
use super::table::part::Part;
use super::whole::{Unseen, look};
use crate::daemon::client::Reach;
use crate::plan::gather::{Source, Written};
use crate::wire::reply::ChildView;

/// Output that is read as rows before more of it is fetched.
const BITE: usize = 1 << 20;

/// Children whose rows are wanted, and how their output is read.
#[derive(Clone, Debug)]
pub struct Gather {
    pub children: Vec<ChildView>,
    /// By job.
    pub sources: Arc<BTreeMap<u64, Source>>,
}

/// Rows that were read.
#[derive(Clone, Debug)]
pub struct Gathered {
    pub parts: Vec<Part>,
    /// No more are to come.
    pub last: bool,
}

/// Reads children one after the other, and tells of them in bites.
pub(super) async fn gather(
    reach: &Reach,
    wanted: Gather,
    ticket: Ticket,
    events: &mpsc::Sender<Event>,
) -> Result<(), Failure> {
    let (mut whole, mut lost) = (Vec::new(), Vec::new());
    for child in wanted.children {
        match written(reach, &child).await {
            Ok(written) => whole.push((child, written)),
            Err(Unseen::Refused(why)) => lost.push(Part::lost(&child, &why)),
            Err(Unseen::Lost(failure)) => return Err(failure),
        }
        let bytes = whole
            .iter()
            .map(|(_, written): &(_, Written)| written.bytes());
        if bytes.sum::<usize>() >= BITE {
            let parts = read(std::mem::take(&mut whole), &wanted.sources).await?;
            let gathered = Gathered { parts, last: false };
            _ = events.send(Event::Gathered(ticket, Ok(gathered))).await;
        }
    }
    let mut parts = read(whole, &wanted.sources).await?;
    parts.extend(lost);
    let gathered = Gathered { parts, last: true };
    _ = events.send(Event::Gathered(ticket, Ok(gathered))).await;
    Ok(())
}

/// Everything that is stored of a child.
async fn written(reach: &Reach, child: &ChildView) -> Result<Written, Unseen> {
    let mut written = Written::default();
    if child.out.bytes + child.err.bytes == 0 {
        return Ok(written);
    }
    let mut from = 0;
    loop {
        let seen = look(reach, child.id, from).await?;
        for row in &seen.rows {
            written.look(&row.what);
        }
        if seen.to.offset >= seen.end.offset || seen.to.offset <= from {
            return Ok(written);
        }
        from = seen.to.offset;
    }
}

/// Beside the loop: there may be many rows.
async fn read(
    whole: Vec<(ChildView, Written)>,
    sources: &Arc<BTreeMap<u64, Source>>,
) -> Result<Vec<Part>, Failure> {
    let sources = Arc::clone(sources);
    let read = tokio::task::spawn_blocking(move || {
        let part = |(child, written): &(ChildView, Written)| {
            let source = sources.get(&child.job)?;
            Some(Part::read(child, source, written))
        };
        whole.iter().filter_map(part).collect()
    });
    read.await.map_err(|error| Failure {
        message: format!("rows could not be read: {error}"),
        hint: None,
    })
}

//! Rows of children that have ended, read from their stored output: nothing is received, and nothing is read on the loop.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::event::{Event, Failure, Ticket};
use super::link::{failure, out_of_turn};
use super::table::part::Part;
use crate::core::select::Selector;
use crate::daemon::client::{Absent, Reach};
use crate::plan::gather::{Gathering, Next, Source, Written, request};
use crate::wire::Reply;
use crate::wire::reply::ChildView;
use crate::wire::request::Ack;

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
    let ids = wanted.children.iter().map(|child| child.id.to_string());
    let request = request(ids.map(Selector::new).collect());
    let connection = reach.request(&request, Absent::Start).await;
    let mut connection = connection.map_err(|error| failure(&error))?;
    let children = wanted.children.into_iter();
    let mut left: HashMap<u64, ChildView> = children.map(|child| (child.id, child)).collect();
    let mut gathering = Gathering::default();
    let mut whole: Vec<(ChildView, Written)> = Vec::new();
    let unreadable = loop {
        let reply = connection.reply_or_notice().await;
        let reply = match reply.map_err(|error| failure(&error))? {
            Reply::Notice(notice) => {
                _ = events.send(Event::Notice(notice)).await;
                continue;
            }
            Reply::Error { message, hint } => return Err(Failure { message, hint }),
            reply => reply,
        };
        let next = gathering.take(reply, |child, written| {
            whole.extend(left.remove(&child).map(|child| (child, written)));
        });
        match next.map_err(|reply| out_of_turn(&reply))? {
            Next::Read => {}
            Next::Ack => {
                let told = connection.ack(&Ack::default()).await;
                told.map_err(|error| failure(&error))?;
            }
            Next::Over(unreadable) => break unreadable,
        }
        if whole
            .iter()
            .map(|(_, written)| written.bytes())
            .sum::<usize>()
            >= BITE
        {
            let parts = read(std::mem::take(&mut whole), &wanted.sources).await?;
            let gathered = Gathered { parts, last: false };
            _ = events.send(Event::Gathered(ticket, Ok(gathered))).await;
        }
    };
    // Those that wrote nothing are not among what was handed over, and neither is what cannot be read.
    let (silent, lost): (Vec<ChildView>, Vec<ChildView>) = left
        .into_values()
        .partition(|child| child.out.bytes + child.err.bytes == 0);
    whole.extend(silent.into_iter().map(|child| (child, Written::default())));
    let mut parts = read(whole, &wanted.sources).await?;
    let why = match unreadable.as_slice() {
        [] => "it was not handed over".to_string(),
        whys => whys.join("; "),
    };
    parts.extend(lost.iter().map(|child| Part::lost(child, &why)));
    let gathered = Gathered { parts, last: true };
    _ = events.send(Event::Gathered(ticket, Ok(gathered))).await;
    Ok(())
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

//! The history, for a client: jobs that are here and jobs that were.

use tokio::io::{AsyncRead, AsyncWrite};

use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::ids::JobId;
use crate::core::time::Wall;
use crate::store::{Past, Search};
use crate::wire::Reply;
use crate::wire::reply::PastView;
use crate::wire::request::History;

/// Jobs in one frame.
const PAGE: usize = 500;

impl Service {
    pub(super) async fn history<S>(&self, peer: &mut Peer<S>, search: History) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let search = Search {
            ids: search.ids.into_iter().map(JobId).collect(),
            words: search.words,
            hosts: search.hosts,
            states: search.states,
            since: search.since.map(Wall),
            until: search.until.map(Wall),
            limit: usize::try_from(search.limit).unwrap_or(usize::MAX),
        };
        let found = match self.engine.store().history(search).await {
            Ok(found) => found,
            Err(trouble) => {
                let message = format!("the history cannot be read: {trouble}");
                let hint = None;
                return peer.send(&Reply::Error { message, hint }).await;
            }
        };
        let mut jobs: Vec<PastView> = found.into_iter().map(view).collect();
        while jobs.len() > PAGE {
            let rest = jobs.split_off(PAGE);
            let jobs = std::mem::replace(&mut jobs, rest);
            peer.queue(&Reply::History { jobs, last: false }).await?;
        }
        peer.send(&Reply::History { jobs, last: true }).await
    }
}

fn view(past: Past) -> PastView {
    PastView {
        id: past.id.0,
        name: past.name,
        command: past.command,
        targets: past.targets,
        hosts: past.hosts as u64,
        ask_above: past.ask_above,
        state: past.state,
        created: past.created.0,
        ended: past.ended.map(|at| at.0),
        removed: past.removed.map(|at| at.0),
    }
}

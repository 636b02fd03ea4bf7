//! The way to the engine: tasks that watch and ask, and tell the loop through one bounded channel.
//!
//! When the channel is full the tasks wait, the engine's end of a watch then sends fewer and larger pieces of news: the
//! console is never flooded, and nobody waits for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::event::{Event, Failure, Handed, Ticket, Watched};
use super::gather::{Gather, gather};
use crate::core::output::Count;
use crate::core::select::Selector;
use crate::daemon::client::{Absent, ClientError, Connection, Reach};
use crate::wire::reply::{Jobs, Reply};
use crate::wire::request::{Ack, Children, Receive, Request, Wanted};

/// Events that wait for the loop before tasks have to.
const EVENTS: usize = 256;

/// How long after a connection broke it is tried again: first, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// How long what was asked for last is waited for when the console ends.
const PARTING: Duration = Duration::from_secs(2);

/// The console's end of the way to the engine.
#[derive(Debug)]
pub struct Link {
    reach: Arc<Reach>,
    events: mpsc::Sender<Event>,
    tasks: JoinSet<()>,
    /// The watch of all jobs.
    all: Option<AbortHandle>,
    /// Watches of jobs' children.
    watches: HashMap<u64, AbortHandle>,
    /// Requests that are under way.
    asked: HashMap<Ticket, AbortHandle>,
}

impl Link {
    /// Begins to watch all jobs; events come out of the receiver.
    pub fn start(reach: Reach) -> (Self, mpsc::Receiver<Event>) {
        let (events, inbound) = mpsc::channel(EVENTS);
        let mut link = Self {
            reach: Arc::new(reach),
            events,
            tasks: JoinSet::new(),
            all: None,
            watches: HashMap::new(),
            asked: HashMap::new(),
        };
        link.watch_anew();
        (link, inbound)
    }

    /// Watches all jobs from the beginning again, and no job's children any more.
    pub fn watch_anew(&mut self) {
        let watches = std::mem::take(&mut self.watches);
        for task in self.all.take().into_iter().chain(watches.into_values()) {
            task.abort();
        }
        self.all = Some(self.begin(Of::All));
    }

    fn begin(&mut self, of: Of) -> AbortHandle {
        let watch = Watch {
            reach: Arc::clone(&self.reach),
            events: self.events.clone(),
            of,
        };
        self.tasks.spawn(watch.run())
    }

    /// A way to tell the loop something.
    pub fn teller(&self) -> mpsc::Sender<Event> {
        self.events.clone()
    }

    pub fn reach(&self) -> Arc<Reach> {
        Arc::clone(&self.reach)
    }

    pub fn watch(&mut self, job: u64) {
        if self.watches.contains_key(&job) {
            return;
        }
        let task = self.begin(Of::Job(job));
        self.watches.insert(job, task);
    }

    pub fn unwatch(&mut self, job: u64) {
        if let Some(task) = self.watches.remove(&job) {
            task.abort();
        }
    }

    /// Asks; every reply becomes an [`Event::Answer`].
    pub fn ask(&mut self, ticket: Ticket, request: Request) {
        self.reap();
        let (reach, events) = (Arc::clone(&self.reach), self.events.clone());
        let task = self.tasks.spawn(async move {
            if let Err(failure) = answers(&reach, &request, ticket, &events).await {
                _ = events.send(Event::Answer(ticket, Err(failure))).await;
            }
        });
        self.asked.insert(ticket, task);
    }

    /// Receives: everything that is handed over counts as received, and can be looked at where it is stored.
    pub fn receive(&mut self, ticket: Ticket, receive: Receive) {
        let (reach, events) = (Arc::clone(&self.reach), self.events.clone());
        let task = self.tasks.spawn(async move {
            let handed = hand_over(&reach, receive, &events).await;
            _ = events.send(Event::Received(ticket, handed)).await;
        });
        self.asked.insert(ticket, task);
    }

    /// Reads the rows of children.
    pub fn gather(&mut self, ticket: Ticket, wanted: Gather) {
        self.reap();
        let (reach, events) = (Arc::clone(&self.reach), self.events.clone());
        let task = self.tasks.spawn(async move {
            if let Err(failure) = gather(&reach, wanted, ticket, &events).await {
                _ = events.send(Event::Gathered(ticket, Err(failure))).await;
            }
        });
        self.asked.insert(ticket, task);
    }

    /// No answer is wanted any more; closing the connection withdraws the request.
    pub fn forget(&mut self, ticket: Ticket) {
        if let Some(task) = self.asked.remove(&ticket) {
            task.abort();
        }
    }

    /// Gives what was asked last a moment to reach the engine: the console is about to be gone.
    pub async fn settle(&mut self) {
        let asked = std::mem::take(&mut self.asked);
        let done = async {
            while asked.values().any(|task| !task.is_finished()) {
                if self.tasks.join_next().await.is_none() {
                    break;
                }
            }
        };
        _ = tokio::time::timeout(PARTING, done).await;
    }

    /// Lets go of tasks that have ended.  What panicked is told as our own defect, never lost.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                let notice =
                    "a part of the console has failed; please report what you did".to_string();
                _ = self.events.try_send(Event::Notice(notice));
            }
        }
        self.asked.retain(|_, task| !task.is_finished());
    }
}

/// What is watched.
#[derive(Clone, Copy, Debug)]
enum Of {
    All,
    Job(u64),
}

/// A watch that is begun again whenever it breaks.
struct Watch {
    reach: Arc<Reach>,
    events: mpsc::Sender<Event>,
    of: Of,
}

impl Watch {
    async fn run(self) {
        let mut retry = FIRST_RETRY;
        loop {
            let lost = match self.connect().await {
                Ok(mut connection) => {
                    retry = FIRST_RETRY;
                    match self.follow(&mut connection).await {
                        Ok(()) => return,
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            let told = self.tell(Watched::Lost(lost.message)).await;
            if told.is_err() {
                return;
            }
            tokio::time::sleep(retry).await;
            retry = (retry * 2).min(LAST_RETRY);
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let (select, children) = match self.of {
            Of::All => (None, Children::Without),
            Of::Job(id) => (
                Some(Wanted(vec![Selector::new(id.to_string())])),
                Children::With,
            ),
        };
        let request = Request::Watch { select, children };
        // The console is there to start things: where no daemon runs, it brings one up.
        let connection = self.reach.request(&request, Absent::Start).await;
        connection.map_err(|error| failure(&error))
    }

    /// Passes everything on until the connection breaks; `Ok` if nobody listens any more, or the job is gone.
    async fn follow(&self, connection: &mut Connection) -> Result<(), Failure> {
        loop {
            let event = match connection
                .reply_or_notice()
                .await
                .map_err(|error| failure(&error))?
            {
                Reply::Jobs(jobs) => {
                    let gone = matches!(self.of, Of::Job(_)) && is_nothing(&jobs);
                    if gone {
                        return Ok(());
                    }
                    Watched::Listed(jobs)
                }
                Reply::News(news) => Watched::News(news),
                Reply::Notice(notice) => {
                    if self.events.send(Event::Notice(notice)).await.is_err() {
                        return Ok(());
                    }
                    continue;
                }
                Reply::Error { message, hint } => return Err(Failure { message, hint }),
                other => return Err(out_of_turn(&other)),
            };
            if self.tell(event).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn tell(&self, watched: Watched) -> Result<(), mpsc::error::SendError<Event>> {
        let event = match self.of {
            Of::All => Event::Watched(watched),
            Of::Job(id) => Event::Children(id, watched),
        };
        self.events.send(event).await
    }
}

/// Whether a selection came to nothing.
fn is_nothing(jobs: &Jobs) -> bool {
    jobs.last && jobs.jobs.is_empty() && jobs.children.is_empty()
}

/// Asks, and passes every reply on.
async fn answers(
    reach: &Reach,
    request: &Request,
    ticket: Ticket,
    events: &mpsc::Sender<Event>,
) -> Result<(), Failure> {
    let mut connection = reach
        .request(request, Absent::Start)
        .await
        .map_err(|error| failure(&error))?;
    loop {
        let reply = match connection
            .reply_or_notice()
            .await
            .map_err(|error| failure(&error))?
        {
            Reply::Notice(notice) => {
                _ = events.send(Event::Notice(notice)).await;
                continue;
            }
            Reply::Error { message, hint } => return Err(Failure { message, hint }),
            reply => reply,
        };
        let more = has_more(&reply);
        let told = events.send(Event::Answer(ticket, Ok(reply))).await;
        if !more || told.is_err() {
            return Ok(());
        }
    }
}

/// Whether further replies of its kind follow.
pub(super) fn has_more(reply: &Reply) -> bool {
    match reply {
        Reply::Jobs(jobs) => !jobs.last,
        Reply::Found(found) => !found.last,
        Reply::History { last, .. } | Reply::Hosts { last, .. } => !last,
        Reply::Submitted(_)
        | Reply::Changed { .. }
        | Reply::Moved { .. }
        | Reply::Settled(_)
        | Reply::Removed { .. }
        | Reply::Rerun { .. }
        | Reply::Output { .. }
        | Reply::Cut { .. }
        | Reply::End(_)
        | Reply::Checkpoint
        | Reply::Received { .. }
        | Reply::Seen(_)
        | Reply::Rows(_)
        | Reply::Folded(_)
        | Reply::Shapes(_)
        | Reply::Connections(_)
        | Reply::Disconnected(_)
        | Reply::Questions(_)
        | Reply::Answered { .. }
        | Reply::Status(_)
        | Reply::Notice(_)
        | Reply::ShuttingDown
        | Reply::News(_)
        | Reply::Error { .. } => false,
    }
}

/// Takes a receive to its end.  What is handed over is in the store and stays there to be looked at, so that it is
/// acknowledged as it comes, and only counted here.
async fn hand_over(
    reach: &Reach,
    receive: Receive,
    events: &mpsc::Sender<Event>,
) -> Result<Handed, Failure> {
    let request = Request::Receive(receive);
    let mut connection = reach
        .request(&request, Absent::Start)
        .await
        .map_err(|error| failure(&error))?;
    let mut handed = Handed::default();
    let (mut amount, mut from) = (Count::default(), HashSet::new());
    loop {
        match connection
            .reply_or_notice()
            .await
            .map_err(|error| failure(&error))?
        {
            Reply::Output { child, data, .. } => {
                amount += Count::of(&data);
                from.insert(child);
            }
            Reply::Cut { .. } | Reply::End(_) => {}
            Reply::Checkpoint => {
                connection
                    .ack(&Ack::default())
                    .await
                    .map_err(|error| failure(&error))?;
            }
            Reply::Received {
                unknown,
                busy,
                unreadable,
                ..
            } => {
                handed.refused.extend(unknown);
                let others = busy
                    .into_iter()
                    .map(|who| format!("somebody else is receiving {who}"));
                handed.refused.extend(others);
                handed.refused.extend(unreadable);
                handed.bytes = amount.bytes;
                handed.lines = amount.lines;
                handed.children = from.len() as u64;
                return Ok(handed);
            }
            Reply::Notice(notice) => {
                _ = events.send(Event::Notice(notice)).await;
            }
            Reply::Error { message, hint } => return Err(Failure { message, hint }),
            other => return Err(out_of_turn(&other)),
        }
    }
}

pub(super) fn failure(error: &ClientError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: error.hint(),
    }
}

pub(super) fn out_of_turn(reply: &Reply) -> Failure {
    let kind = format!("{reply:?}");
    let kind = kind
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    Failure {
        message: format!("the engine answered out of turn: {kind}"),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::look::Found;

    #[test]
    fn an_answer_in_parts_is_read_to_its_last_part() {
        let found = |last| {
            Reply::Found(Found {
                hits: Vec::new(),
                searched: Vec::new(),
                last,
                limited: false,
            })
        };
        let hosts = |last| Reply::Hosts {
            hosts: Vec::new(),
            last,
        };
        let jobs = |last| {
            Reply::Jobs(Jobs {
                last,
                ..Jobs::default()
            })
        };
        for reply in [found(false), hosts(false), jobs(false)] {
            assert!(has_more(&reply), "{reply:?}");
        }
        for reply in [found(true), hosts(true), jobs(true)] {
            assert!(!has_more(&reply), "{reply:?}");
        }
    }
}

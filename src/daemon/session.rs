//! One client's connection: greeting, one request, its replies.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::audit::{Audit, Who};
use super::chronicle::Chronicle;
use super::digest::Digests;
use super::look::{list, missing, news, settled, shapes, these};
use super::notice::Notices;
use super::peer::{Broken, Peer};
use super::rerun::Again;
use crate::core::answer::{Answer, Refusal};
use crate::core::fleet::{Command, Fleet};
use crate::core::ids::JobId;
use crate::core::ladder::Rigour;
use crate::core::select::Selector;
use crate::core::spec::JobSpec;
use crate::core::time::Moment;
use crate::engine::{Ended, Engine, Gone, job_view};
use crate::secret::{Environment, Named};
use crate::view::count::{Noun, agreeing, counted};
use crate::wire::frame;
use crate::wire::reply::{Jobs, LeftBehind};
use crate::wire::request::{Children, Shutdown};
use crate::wire::{PROTOCOL, Reply, Request};

/// Children in one frame of a list.
const PAGE: usize = 2_000;

/// What a session serves.
#[derive(Debug)]
pub struct Service {
    pub(super) engine: Engine,
    pub(super) audit: Audit,
    chronicle: Mutex<Option<Chronicle>>,
    /// What outputs came to, for folds.
    pub(super) digests: Mutex<Digests>,
    ended: watch::Sender<bool>,
    /// The engine's task, to be joined at the end.
    task: Mutex<Option<JoinHandle<Ended>>>,
}

impl Service {
    pub(super) fn new(engine: Engine, task: JoinHandle<Ended>, audit: Audit) -> Arc<Self> {
        let service = Arc::new(Self {
            engine,
            audit,
            chronicle: Mutex::default(),
            digests: Mutex::default(),
            ended: watch::Sender::new(false),
            task: Mutex::new(Some(task)),
        });
        if service.audit.is_kept() {
            let chronicle = Chronicle::begin(Arc::clone(&service));
            *taken_over(&service.chronicle) = Some(chronicle);
        }
        service
    }

    /// A service in front of any engine, whose commands are noted nowhere.
    pub fn unnoted(engine: Engine, task: JoinHandle<Ended>) -> Arc<Self> {
        Self::new(engine, task, Audit::none())
    }

    /// Returns once a client has asked the daemon to end.
    pub async fn ended(&self) {
        // The sender is ours, so the channel cannot close.
        _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Whether a client has asked the daemon to end.
    pub(super) fn was_told_to_end(&self) -> bool {
        *self.ended.borrow()
    }

    /// Ends the engine, and with it every run, once what has come about is noted.
    pub async fn close(&self) {
        let chronicle = taken_over(&self.chronicle).take();
        if let Some(chronicle) = chronicle {
            chronicle.end().await;
        }
        _ = self.engine.shutdown().await;
        let task = taken_over(&self.task).take();
        if let Some(task) = task {
            _ = task.await;
        }
        self.audit.close().await;
    }

    /// Serves one connection, of the process `pid` where that is known, to its end.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, pid: Option<u32>) {
        match frame::greet(&mut stream).await {
            // The client sees from our greeting that it cannot talk to us, and says so.
            Ok(Some(theirs)) if theirs.protocol != PROTOCOL => return,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
        let notices = Notices::new(self.engine.store(), &self.audit);
        let mut peer = Peer::new(stream, notices);
        let Some(request) = peer.request().await else {
            return;
        };
        if let Err(broken) = self.answer(&mut peer, request, pid).await {
            tracing::debug!(?broken, "a session ended early");
            if let Broken::Engine(gone) = broken {
                _ = peer
                    .send(&Reply::Error {
                        message: gone.to_string(),
                        hint: None,
                    })
                    .await;
            }
        }
    }

    async fn answer<S>(
        &self,
        peer: &mut Peer<S>,
        request: Request,
        pid: Option<u32>,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match request {
            Request::Command(command) => {
                self.command(peer, &Who::at(pid), command, Environment::default())
                    .await
            }
            Request::InEnvironment {
                command,
                environment,
            } => {
                self.command(peer, &Who::at(pid), command, environment)
                    .await
            }
            Request::Submit {
                spec,
                environment,
                secrets,
            } => {
                self.new_job(peer, &Who::at(pid), spec, (environment, secrets))
                    .await
            }
            Request::Jobs { select, children } => {
                let select = select.map(|wanted| wanted.0);
                let jobs = self
                    .look(move |fleet, now| list(fleet, select.as_deref(), children, now))
                    .await?;
                self.send_list(peer, jobs).await
            }
            Request::Rerun {
                select,
                which,
                asking,
                becomes,
                environment,
            } => {
                let again = Again {
                    which,
                    asking,
                    becomes,
                    environment,
                };
                self.rerun(peer, &Who::at(pid), select, again).await
            }
            Request::Questions(attend) => self.questions(peer, attend).await,
            Request::Answer { questions, answer } => {
                self.answer_questions(peer, &Who::at(pid), &questions, answer)
                    .await
            }
            Request::History(search) => self.history(peer, search).await,
            Request::Receive(receive) => self.receive(peer, &Who::at(pid), receive).await,
            Request::Watch { select, children } => {
                self.watch(peer, select.map(|wanted| wanted.0), children)
                    .await
            }
            Request::Look(look) => self.seen(peer, look).await,
            Request::Rows(rows) => self.rows(peer, rows).await,
            Request::Tails { children } => self.tails(peer, children).await,
            Request::Search(search) => self.search(peer, search).await,
            Request::Fold { job, ignored } => self.fold(peer, JobId(job), ignored).await,
            Request::Shapes { jobs } => {
                let shapes = self.look(move |fleet, _| shapes(fleet, &jobs)).await?;
                peer.send(&Reply::Shapes(shapes)).await
            }
            Request::Hosts => self.hosts(peer).await,
            Request::Connections => self.connections(peer).await,
            Request::Disconnect(disconnect) => {
                self.disconnect(peer, &Who::at(pid), disconnect).await
            }
            Request::Status => {
                let status = self.status().await?;
                peer.send(&Reply::Status(status)).await
            }
            Request::Shutdown(how) => self.shutdown(peer, &Who::at(pid), how).await,
        }
    }

    /// Looks at the fleet, with the time.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Fleet, Moment) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let clock = self.engine.clock();
        self.engine
            .read(move |fleet| look(fleet, clock.now()))
            .await
    }

    async fn new_job<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        spec: Box<JobSpec>,
        (environment, secrets): (Environment, Named),
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if spec.hosts.is_empty() {
            let message = "a job needs at least one host".to_string();
            return peer
                .send(&Reply::Error {
                    message,
                    hint: None,
                })
                .await;
        }
        let submit = self.submit(who, spec, environment, secrets);
        let answer = peer.unless_left(submit).await?;
        self.tell(peer, answer).await
    }

    async fn command<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        command: Command,
        environment: Environment,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let answer = peer
            .unless_left(self.carry_out(who, command, environment))
            .await?;
        self.tell(peer, answer).await
    }

    async fn tell<S>(&self, peer: &mut Peer<S>, answer: Answer) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let reply = match answer {
            Answer::Submitted(id) => self
                .look(move |fleet, now| {
                    fleet
                        .job(id)
                        .map(|job| Reply::Submitted(job_view(job, now)))
                })
                .await?
                .unwrap_or_else(|| removed_meanwhile(id)),
            Answer::Changed { jobs, refused } => {
                let (unknown, refused) = texts(&refused);
                Reply::Changed {
                    jobs: jobs.iter().map(|id| id.0).collect(),
                    unknown,
                    refused,
                }
            }
            Answer::Moved {
                jobs,
                children,
                refused,
            } => {
                let (unknown, refused) = texts(&refused);
                self.look(move |fleet, now| Reply::Moved {
                    jobs: jobs.iter().map(|id| id.0).collect(),
                    children: these(fleet, &children, now),
                    unknown,
                    refused,
                })
                .await?
            }
            Answer::Settled { picked, how } => {
                self.look(move |fleet, now| Reply::Settled(settled(fleet, &picked, how, now)))
                    .await?
            }
            Answer::Removed {
                jobs,
                left,
                refused,
            } => {
                let (unknown, refused) = texts(&refused);
                Reply::Removed {
                    jobs: jobs.iter().map(|id| id.0).collect(),
                    left: left
                        .into_iter()
                        .map(|left| LeftBehind {
                            job: left.job.0,
                            host: left.host,
                            reason: left.reason.to_string(),
                        })
                        .collect(),
                    unknown,
                    refused,
                }
            }
            // So have answers, because of the secrets in them.
            Answer::Answered { .. } => Reply::Error {
                message: "an answer to a question is a request of its own".into(),
                hint: None,
            },
            // Receives have a request of their own, because somebody has to write them out.
            Answer::Received(received) => {
                if let Some(lease) = received.lease {
                    self.engine.abandon_lease(lease);
                }
                Reply::Error {
                    message: "a receive is a request of its own".into(),
                    hint: None,
                }
            }
        };
        peer.send(&reply).await
    }

    async fn send_list<S>(&self, peer: &mut Peer<S>, mut jobs: Jobs) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while jobs.children.len() > PAGE {
            let rest = jobs.children.split_off(PAGE);
            let children = std::mem::replace(&mut jobs.children, rest);
            peer.queue(&Reply::Jobs(Jobs {
                children,
                ..Jobs::default()
            }))
            .await?;
        }
        peer.send(&Reply::Jobs(Jobs { last: true, ..jobs })).await
    }

    /// Sends what there is, and from then on what changes.  A slow client gets fewer and larger pieces of news.
    async fn watch<S>(
        &self,
        peer: &mut Peer<S>,
        select: Option<Vec<Selector>>,
        children: Children,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut revisions = self.engine.revisions();
        let wanted = select.clone();
        let (first, mut seen) = self
            .look(move |fleet, now| {
                (
                    list(fleet, wanted.as_deref(), children, now),
                    fleet.revision(),
                )
            })
            .await?;
        // It stays what the selection came to at first: a second job is no reason to fall silent about the first.
        let children = match children {
            Children::OfOneJob if first.jobs.len() == 1 => Children::With,
            Children::OfOneJob => Children::Without,
            Children::With | Children::Without => children,
        };
        let mut told: HashSet<u64> = first.jobs.iter().map(|job| job.id).collect();
        self.send_list(peer, first).await?;
        loop {
            peer.unless_left(async { revisions.changed().await.map_err(|_| Gone) })
                .await?;
            let select = select.clone();
            let (news, now_seen) = self
                .look(move |fleet, now| {
                    (
                        news(fleet, select.as_deref(), children, seen, now),
                        fleet.revision(),
                    )
                })
                .await?;
            seen = now_seen;
            let Some(mut news) = news else {
                continue;
            };
            // A job that is gone matches nothing any more; whether it was selected is known only from before.
            told.extend(news.jobs.iter().map(|job| job.id));
            news.removed.retain(|id| told.remove(id));
            if !news.is_empty() {
                peer.send(&Reply::News(news)).await?;
            }
        }
    }

    async fn shutdown<S>(&self, peer: &mut Peer<S>, who: &Who, how: Shutdown) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let live = self
            .look(|fleet, _| {
                let live = fleet.jobs().filter(|job| !job.is_settled());
                live.map(|job| job.id).collect::<Vec<JobId>>()
            })
            .await?;
        let trouble = self.engine.store().trouble();
        let objection = match live.len() {
            0 => trouble.map(|trouble| {
                format!("what has happened lately cannot be written ({trouble}) and would be lost")
            }),
            live => Some(format!("{} still live", jobs_are(live, "is", "are"))),
        };
        match (how, objection) {
            (Shutdown::IfIdle, Some(message)) => {
                let hint = "wait for that to change, or `regatta daemon stop --force` ends it all the same";
                return peer
                    .send(&Reply::Error {
                        message,
                        hint: Some(hint.to_string()),
                    })
                    .await;
            }
            (Shutdown::IfIdle, None) => {}
            (Shutdown::StopJobs, _) if live.is_empty() => {}
            (Shutdown::StopJobs, _) => {
                // Those that have ended are not looked at again: their hosts may be gone.
                let stop = Command::Stop {
                    select: live
                        .iter()
                        .map(|id| Selector::new(id.to_string()))
                        .collect(),
                    rigour: Rigour::Gentle,
                    grace: None,
                };
                peer.unless_left(self.carry_out(who, stop, Environment::default()))
                    .await?;
            }
        }
        self.audit.note(who, "daemon stop", Value::Null).await;
        self.ended.send_replace(true);
        peer.send(&Reply::ShuttingDown).await
    }
}

/// What is behind a lock; what a panic left behind is still good.
fn taken_over<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is not there, and what is there and was refused.
fn texts(refused: &[Refusal]) -> (Vec<String>, Vec<String>) {
    let (unknown, refused): (Vec<&Refusal>, Vec<&Refusal>) = refused
        .iter()
        .partition(|refusal| matches!(refusal, Refusal::Unknown(_)));
    let text = |refusal: &&Refusal| match refusal {
        Refusal::Unknown(unknown) => missing(unknown),
        refusal => refusal.to_string(),
    };
    let texts = |refusals: Vec<&Refusal>| refusals.iter().map(text).collect();
    (texts(unknown), texts(refused))
}

/// `1 job is`, `3 jobs are`.
fn jobs_are(count: usize, is: &'static str, are: &'static str) -> String {
    format!("{} {}", counted(count, Noun::Job), agreeing(count, is, are))
}

fn removed_meanwhile(id: JobId) -> Reply {
    Reply::Error {
        message: format!("job {id} has been removed meanwhile"),
        hint: None,
    }
}

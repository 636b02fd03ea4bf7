//! A daemon in this process with computers that sleep or write.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use regatta::core::fleet::Command;
use regatta::core::ladder::Force;
use regatta::core::output::Stream;
use regatta::core::retention::Retention;
use regatta::core::select::Selector;
use regatta::core::spec::{
    Asking, Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use regatta::core::wait::Until;
use regatta::daemon::client::{Absent, Reach};
use regatta::daemon::place::Place;
use regatta::daemon::{Service, assemble};
use regatta::engine::{Engine, Runners};
use regatta::runner::{Boxed, Event, Order, Runner};
use regatta::store::{Caps, Store};
use regatta::wire::{Reply, Request};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

pub(crate) struct Daemon {
    runtime: Runtime,
    service: Arc<Service>,
    dir: tempfile::TempDir,
}

/// A computer that knows `sleep MILLISECONDS` and `write BYTES`.
#[derive(Debug)]
struct Simulated;

impl Runner for Simulated {
    fn run(
        self: Arc<Self>,
        order: Order,
        events: mpsc::Sender<Event>,
        _signal: watch::Receiver<Option<Signal>>,
    ) -> Boxed<Ended> {
        Box::pin(async move {
            let pid = order.child.0 as u32;
            _ = events.send(Event::Began(Trace { pid })).await;
            let title = order.payload.title().to_string();
            let (what, number) = title.split_once(' ').expect("a command and a number");
            let number: u64 = number.parse().expect("a number");
            if what == "sleep" {
                tokio::time::sleep(Duration::from_millis(number)).await;
                return Ended::Exited(0);
            }
            let lines = number / line(0).len() as u64;
            for first in (0..lines).step_by(128) {
                let piece: String = (first..lines.min(first + 128)).map(line).collect();
                _ = events
                    .send(Event::Output(Stream::Out, Bytes::from(piece)))
                    .await;
            }
            Ended::Exited(0)
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }
}

/// A line of what is written.
pub(crate) fn line(number: u64) -> String {
    format!("{number:09} the quick brown fox jumps over the lazy dog\n")
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        // In the directory of the build: what is in memory would not be measured.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let dir = tempfile::tempdir_in(root).expect("a temporary directory");
        let guard = runtime.enter();
        let runners = Runners::from([("simulated", Arc::new(Simulated) as Arc<dyn Runner>)]);
        let caps = Caps {
            head: 2 << 30,
            job: 8 << 30,
            ..Caps::default()
        };
        let (store, saved) = Store::open(&dir.path().join("store"), caps).expect("our directory");
        let retention = Retention {
            jobs: usize::MAX,
            ..Retention::default()
        };
        let (engine, task) = Engine::start(runners, store, saved, retention);
        let service = Service::unnoted(engine, task);
        let place = Place::at(dir.path().join("regatta"));
        place.prepare().expect("our directory");
        drop(assemble::listen(&place, Arc::clone(&service)).expect("a socket"));
        drop(guard);
        Self {
            runtime,
            service,
            dir,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn ask(&self, command: Command) -> Reply {
        self.request(&Request::Command(command))
    }

    fn request(&self, request: &Request) -> Reply {
        let reach = Reach::InProcess(Arc::clone(&self.service));
        self.runtime.block_on(async {
            let opened = reach.request(request, Absent::Recall).await;
            let mut connection = opened.expect("a pipe in memory");
            connection.reply().await.expect("an answer")
        })
    }

    /// Starts a job on so many computers, and says its id.
    pub(crate) fn submit(&self, children: usize, command: &str, fanout: u32) -> u64 {
        let spec = JobSpec {
            name: None,
            runner: "simulated".into(),
            payload: Payload::Command(command.into()),
            targets: format!("n[00001-{children:05}]"),
            hosts: (1..=children)
                .map(|n| Host::named(format!("n{n:05}")))
                .collect(),
            fanout: NonZeroU32::new(fanout).expect("not zero"),
            limits: Limits::default(),
            ok_exit: vec![0],
            on_full: OnFull::Truncate,
            asking: Asking::Never,
            shape: None,
            withheld: Vec::new(),
            ask_above: regatta::core::spec::Above::Configured,
            options: Vec::new(),
        };
        let submit = Request::Submit {
            spec: Box::new(spec),
            environment: regatta::secret::Environment::default(),
            secrets: Vec::new(),
        };
        match self.request(&submit) {
            Reply::Submitted(job) => job.id,
            other => panic!("submitted, got {other:?}"),
        }
    }

    pub(crate) fn wait(&self, job: u64) {
        self.waits(job, None);
    }

    pub(crate) fn is_over(&self, job: u64) -> bool {
        self.waits(job, Some(Duration::ZERO))
    }

    fn waits(&self, job: u64, timeout: Option<Duration>) -> bool {
        let wait = Command::Wait {
            select: vec![Selector::new(job.to_string())],
            until: Until::All,
            timeout,
        };
        match self.ask(wait) {
            Reply::Settled(settled) => !settled.timed_out,
            other => panic!("settled, got {other:?}"),
        }
    }

    pub(crate) fn remove(&self, job: u64) {
        let remove = Command::Remove {
            select: vec![Selector::new(job.to_string())],
            force: Force::StopFirst,
        };
        drop(self.ask(remove));
    }
}

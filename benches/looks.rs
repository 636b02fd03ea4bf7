//! What looking at output costs, as a client sees it: a gigabyte opened at its end, 100 MB searched, the same said by
//! 10,000 computers, the last lines of many that write.
//!
//! Budgets: 50 ms to open, 1 s to search, 100 ms to fold again what was folded before, 2 ms for a child's last line.
//! Repeat with `cargo bench --bench looks`; a part of it with its name behind `--`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use regatta::core::alike::{Ignored, Trifle};
use regatta::core::fleet::Command;
use regatta::core::output::Stream;
use regatta::core::retention::Retention;
use regatta::core::select::Selector;
use regatta::core::spec::{
    Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use regatta::core::wait::Until;
use regatta::daemon::Service;
use regatta::daemon::client::{Absent, Connection, Reach};
use regatta::engine::{Engine, Runners};
use regatta::runner::{Boxed, Event, Order, Runner};
use regatta::store::{Caps, Store};
use regatta::wire::look::{Case, Look, Place, Search};
use regatta::wire::{Reply, Request};
use tokio::sync::{mpsc, watch};

#[path = "support/measure.rs"]
mod measure;

const PIECE: usize = 4096;

/// A computer that writes as many bytes as its command says, and waits the milliseconds it says between pieces.  Where
/// it says `apart`, each says who it is in its first line.
#[derive(Debug)]
struct Writer;

impl Runner for Writer {
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
            let mut words = title.split(' ');
            let mut number = || words.next().and_then(|word| word.parse().ok());
            let mut left = number().expect("how many bytes") as usize;
            let pause = Duration::from_millis(number().expect("how many milliseconds"));
            let mut line = 0;
            if words.next() == Some("apart") {
                line = pid as usize;
            }
            while left > 0 {
                let mut piece = String::with_capacity(PIECE);
                while piece.len() < left.min(PIECE) {
                    line += 1;
                    _ = writeln!(
                        piece,
                        "{line:09} the quick brown fox jumps over the lazy dog"
                    );
                }
                left = left.saturating_sub(piece.len());
                _ = events
                    .send(Event::Output(Stream::Out, Bytes::from(piece)))
                    .await;
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
            Ended::Exited(0)
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }
}

struct Fleet {
    service: Arc<Service>,
}

impl Fleet {
    fn start(dir: &Path) -> Self {
        let runners = Runners::from([("writer", Arc::new(Writer) as Arc<dyn Runner>)]);
        let caps = Caps {
            head: 2 << 30,
            job: 8 << 30,
            ..Caps::default()
        };
        let (store, saved) = Store::open(dir, caps).expect("a temporary directory");
        let (engine, task) = Engine::start(runners, store, saved, Retention::default());
        Self {
            service: Service::unnoted(engine, task),
        }
    }

    async fn open(&self, request: &Request) -> Connection {
        let reach = Reach::InProcess(Arc::clone(&self.service));
        let opened = reach.request(request, Absent::Recall).await;
        opened.expect("a pipe in memory")
    }

    async fn ask(&self, request: &Request) -> Reply {
        let mut connection = self.open(request).await;
        connection.reply().await.expect("an answer")
    }

    async fn job(&self, children: usize, bytes: usize, pause: u64) -> u64 {
        self.begin(children, format!("{bytes} {pause}")).await
    }

    async fn begin(&self, children: usize, command: String) -> u64 {
        let spec = JobSpec {
            name: None,
            runner: "writer".into(),
            payload: Payload::Command(command),
            targets: format!("n[1-{children}]"),
            hosts: (1..=children)
                .map(|n| Host::named(format!("n{n}")))
                .collect(),
            fanout: NonZeroU32::new(children as u32).expect("not zero"),
            limits: Limits::default(),
            ok_exit: vec![0],
            on_full: OnFull::Truncate,
            asking: regatta::core::spec::Asking::Never,
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
        match self.ask(&submit).await {
            Reply::Submitted(job) => job.id,
            other => panic!("submitted, got {other:?}"),
        }
    }

    async fn wait(&self, job: u64) {
        let wait = Command::Wait {
            select: vec![Selector::new(job.to_string())],
            until: Until::All,
            timeout: None,
        };
        self.ask(&Request::Command(wait)).await;
    }
}

/// The first screen of a large output, from its end and from its middle.
async fn opening(fleet: &Fleet) {
    const GIGABYTE: usize = 1 << 30;
    let job = fleet.job(1, GIGABYTE, 0).await;
    fleet.wait(job).await;
    for (what, at) in [
        ("its end", Place::End),
        ("its middle", Place::Offset(GIGABYTE as u64 / 2)),
    ] {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..20 {
            let begun = Instant::now();
            let look = Look {
                child: job + 1,
                at,
                before: 64 << 10,
                behind: 0,
            };
            match fleet.ask(&Request::Look(look)).await {
                Reply::Seen(seen) => assert!(seen.rows.len() > 1000),
                other => panic!("seen, got {other:?}"),
            }
            times.push(begun.elapsed());
        }
        let first = times[0];
        times.sort_unstable();
        println!(
            "1 GiB opened at {what}: first {first:?}, median {:?}",
            times[10]
        );
    }
}

async fn searching(fleet: &Fleet) {
    const SIZE: usize = 100_000_000;
    let job = fleet.job(1, SIZE, 0).await;
    fleet.wait(job).await;
    for pattern in [
        "4999 the",
        "^0000[0-9]+77 .*(cat|dog)$",
        "(?i)QUICK.*absent",
    ] {
        let search = Search {
            children: vec![(job + 1, 0)],
            pattern: pattern.to_string(),
            case: Case::Matters,
            limit: u32::MAX,
        };
        let begun = Instant::now();
        let mut connection = fleet.open(&Request::Search(search)).await;
        let (mut hits, mut last) = (0, false);
        while !last {
            match connection.reply().await.expect("an answer") {
                Reply::Found(found) => (hits, last) = (hits + found.hits.len(), found.last),
                other => panic!("found, got {other:?}"),
            }
        }
        let took = begun.elapsed();
        println!(
            "100 MB searched for {pattern:?}: {hits} hits in {took:?}, {:.0} MB/s",
            SIZE as f64 / 1e6 / took.as_secs_f64()
        );
    }
}

async fn folding(fleet: &Fleet) {
    for (said, groups) in [("the same", 1), ("apart", 10_000)] {
        let job = fleet.begin(10_000, format!("1024 0 {said}")).await;
        fleet.wait(job).await;
        for (how, ignored) in [
            ("exactly", Ignored::NOTHING),
            (
                "but for all that can be ignored",
                Trifle::ALL.into_iter().collect(),
            ),
        ] {
            for what in ["for the first time", "again"] {
                let begun = Instant::now();
                match fleet.ask(&Request::Fold { job, ignored }).await {
                    Reply::Folded(folded) if ignored == Ignored::NOTHING => {
                        assert_eq!(folded.groups.len(), groups);
                    }
                    Reply::Folded(folded) => assert_eq!(folded.groups.len(), 1),
                    other => panic!("folded, got {other:?}"),
                }
                println!(
                    "10,000 x 1 KB, {groups} kinds of result, folded {how} {what}: {:?}",
                    begun.elapsed()
                );
            }
        }
    }
    let begun = Instant::now();
    match fleet.ask(&Request::Hosts).await {
        Reply::Hosts { hosts, .. } => assert_eq!(hosts.len(), 2000, "of the first page"),
        other => panic!("hosts, got {other:?}"),
    }
    println!("the first of 10,000 hosts: {:?}", begun.elapsed());
}

async fn tails(fleet: &Fleet) {
    let job = fleet.job(1000, 4 << 20, 20).await;
    let mut times: Vec<Duration> = Vec::new();
    for n in 0..100 {
        let children: Vec<u64> = (0..50).map(|row| job + 1 + (n * 50 + row) % 1000).collect();
        let begun = Instant::now();
        match fleet.ask(&Request::Tails { children }).await {
            Reply::Rows(_) => {}
            other => panic!("rows, got {other:?}"),
        }
        times.push(begun.elapsed() / 50);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.sort_unstable();
    println!(
        "last lines of 50 of 1,000 children that write: a child median {:?}, 99th percentile {:?}",
        times[50], times[99]
    );
    let stop = Command::Remove {
        select: vec![Selector::new(job.to_string())],
        force: regatta::core::ladder::Force::StopFirst,
    };
    drop(fleet.open(&Request::Command(stop)).await);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // In the directory of the build: what is in memory would not be measured.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    for part in ["opening", "searching", "folding", "tails"] {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == part) {
            continue;
        }
        let dir = tempfile::tempdir_in(root).expect("a temporary directory");
        println!("-- {part}");
        let before = measure::Sample::now();
        runtime.block_on(async {
            let fleet = Fleet::start(dir.path());
            match part {
                "opening" => opening(&fleet).await,
                "searching" => searching(&fleet).await,
                "folding" => folding(&fleet).await,
                _ => tails(&fleet).await,
            }
        });
        println!("{}", measure::Sample::now().since(&before));
    }
}

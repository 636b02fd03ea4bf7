//! What durability costs: 1,000 children write 1 MB each at full speed; 100,000 finished children come back.
//!
//! Budgets: at most 5 CPU s a GB, 150 MB of memory, the tail of any child in 2 ms while it happens; from the start of a
//! process to its first answer 150 ms, `jobs` 50 ms.  Repeat with `cargo bench --bench store`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use regatta::core::answer::Answer;
use regatta::core::fleet::Command;
use regatta::core::ids::JobId;
use regatta::core::output::{Count, Stream, Streams};
use regatta::core::receive::Window;
use regatta::core::retention::Retention;
use regatta::core::select::Selector;
use regatta::core::spec::{
    Asking, Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use regatta::core::wait::Until;
use regatta::engine::{Engine, Runners, job_view};
use regatta::runner::{Boxed, Event, Order, Runner};
use regatta::store::{Caps, Store};
use tokio::sync::{mpsc, watch};

#[path = "support/measure.rs"]
mod measure;

const PIECE: usize = 4096;

/// A computer that writes as much as its command says.
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
            let bytes: usize = order.payload.title().parse().expect("a number");
            let line = format!("{:063}\n", order.child.0);
            let piece = Bytes::from(line.repeat(PIECE / 64));
            for _ in 0..bytes / PIECE {
                _ = events.send(Event::Output(Stream::Out, piece.clone())).await;
            }
            Ended::Exited(0)
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }
}

fn spec(children: usize, bytes: usize) -> JobSpec {
    JobSpec {
        name: None,
        runner: "writer".into(),
        payload: Payload::Command(bytes.to_string()),
        targets: format!("n[1-{children}]"),
        hosts: (1..=children)
            .map(|n| Host::named(format!("n{n}")))
            .collect(),
        fanout: NonZeroU32::new(children as u32).expect("not zero"),
        limits: Limits::default(),
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: Vec::new(),
        asking: Asking::Allowed,
        shape: None,
        withheld: Vec::new(),
        ask_above: regatta::core::spec::Above::Configured,
    }
}

fn open(dir: &Path) -> (Engine, tokio::task::JoinHandle<regatta::engine::Ended>) {
    let runners = Runners::from([("writer", Arc::new(Writer) as Arc<dyn Runner>)]);
    let (store, saved) = Store::open(dir, Caps::default()).expect("a temporary directory");
    let keep = Retention {
        jobs: 10_000,
        ..Retention::default()
    };
    Engine::start(runners, store, saved, keep)
}

async fn submit(engine: &Engine, spec: JobSpec) -> JobId {
    let submitted = engine.command(Command::Submit(Box::new(spec))).await;
    match submitted {
        Ok(Answer::Submitted(job)) => job,
        other => panic!("submitted, got {other:?}"),
    }
}

async fn wait(engine: &Engine, job: JobId) {
    let wait = Command::Wait {
        select: vec![Selector::new(job.to_string())],
        until: Until::All,
        timeout: None,
    };
    engine.command(wait).await.expect("the engine lives");
}

async fn close(engine: Engine, task: tokio::task::JoinHandle<regatta::engine::Ended>) {
    engine.shutdown().await.expect("the engine lives");
    task.await.expect("no panic");
}

/// Reads the last 64 KiB of one child after the other until `over`: the times it took, and the times it took to get a
/// turn on the runtime at all.
async fn tails(
    engine: Engine,
    job: JobId,
    over: watch::Receiver<bool>,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut times, mut turns) = (Vec::new(), Vec::new());
    while !*over.borrow() {
        let child = job.child(times.len() * 37 % 1000);
        let end = engine
            .read(move |fleet| fleet.child(child).map(|child| child.output.end.out))
            .await
            .ok()
            .flatten()
            .unwrap_or_default();
        let from = Count {
            bytes: end.bytes.saturating_sub(64 << 10),
            lines: 0,
        };
        let window = Window {
            child,
            streams: Streams::Only(Stream::Out),
            from: [from, Count::default()],
            to: [end, Count::default()],
        };
        let begun = Instant::now();
        let mut reader = engine.store().read(job, window);
        while !reader.next(64 << 10).await.expect("readable").is_empty() {}
        times.push(begun.elapsed());
        let begun = Instant::now();
        tokio::task::yield_now().await;
        turns.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times.sort_unstable();
    turns.sort_unstable();
    (times, turns)
}

async fn talkative(dir: &Path) {
    let (engine, task) = open(dir);
    let before = measure::Sample::now();
    let job = submit(&engine, spec(1000, 1 << 20)).await;
    let (over, looking) = watch::channel(false);
    let tails = tokio::spawn(tails(engine.clone(), job, looking));
    wait(&engine, job).await;
    let spent = measure::Sample::now().since(&before);
    over.send_replace(true);
    let (times, turns) = tails.await.expect("no panic");
    println!("1,000 children x 1 MiB: {spent}");
    println!(
        "the last 64 KiB of a child meanwhile: median {:?}, 99th percentile {:?} of {}",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times.len()
    );
    println!(
        "a turn on the runtime alone: median {:?}, 99th percentile {:?}",
        turns[turns.len() / 2],
        turns[turns.len() * 99 / 100]
    );
    println!(
        "on disk: {:.2} x what was written",
        engine.store().size(job) as f64 / f64::from(1000 << 20)
    );
    close(engine, task).await;
}

async fn many(dir: &Path) {
    let (engine, task) = open(dir);
    for _ in 0..100 {
        let job = submit(&engine, spec(1000, 0)).await;
        wait(&engine, job).await;
    }
    close(engine, task).await;
    let before = Instant::now();
    let (engine, task) = open(dir);
    let jobs = engine
        .read(|fleet| fleet.jobs().count())
        .await
        .expect("the engine lives");
    let first = before.elapsed();
    let clock = engine.clock();
    let before = Instant::now();
    let views = engine
        .read(move |fleet| {
            let now = clock.now();
            let views: Vec<_> = fleet.jobs().map(|job| job_view(job, now)).collect();
            views.len()
        })
        .await
        .expect("the engine lives");
    println!(
        "{jobs} jobs of 1,000 children: first answer after {first:?}, {views} rows of `jobs` in {:?}",
        before.elapsed()
    );
    close(engine, task).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // In the directory of the build: what is in memory would not be measured.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, children) in [("talkative", 1000), ("many", 100_000)] {
        let dir = tempfile::tempdir_in(root).expect("a temporary directory");
        println!("-- {name}: {children} children");
        match name {
            "talkative" => runtime.block_on(talkative(dir.path())),
            _ => runtime.block_on(many(dir.path())),
        }
    }
}

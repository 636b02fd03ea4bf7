//! What the engine itself costs: 10,000 children of a simulated runner start, write, and end.
//!
//! Budget: under 2 s of CPU and 150 MB.  Repeat with `cargo bench --bench children`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use regatta::core::answer::Answer;
use regatta::core::fleet::Command;
use regatta::core::output::Stream;
use regatta::core::retention::Retention;
use regatta::core::select::Selector;
use regatta::core::spec::{
    Asking, Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use regatta::core::wait::Until;
use regatta::engine::{Engine, Runners};
use regatta::runner::{Boxed, Event, Order, Runner};
use regatta::store::{Caps, Saved, Store};
use tokio::sync::{mpsc, watch};

#[path = "support/measure.rs"]
mod measure;

const CHILDREN: usize = 10_000;

/// A computer that answers at once.
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
            for n in 0..3 {
                tokio::task::yield_now().await;
                let line = Bytes::from(format!("{}: line {n}\n", order.host.name));
                _ = events.send(Event::Output(Stream::Out, line)).await;
            }
            Ended::Exited(0)
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }
}

fn spec(fanout: u32) -> JobSpec {
    JobSpec {
        name: None,
        runner: "simulated".into(),
        payload: Payload::Command("true".into()),
        targets: format!("n[1-{CHILDREN}]"),
        hosts: (1..=CHILDREN)
            .map(|n| Host::named(format!("n{n}")))
            .collect(),
        fanout: NonZeroU32::new(fanout).expect("not zero"),
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

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let runners = Runners::from([("simulated", Arc::new(Simulated) as Arc<dyn Runner>)]);
        let (engine, task) = Engine::start(
            runners,
            Store::temporary(Caps::default()).expect("a temporary directory"),
            Saved::default(),
            Retention::default(),
        );
        for fanout in [64, CHILDREN as u32] {
            let before = measure::Sample::now();
            let submitted = engine
                .command(Command::Submit(Box::new(spec(fanout))))
                .await;
            let Ok(Answer::Submitted(job)) = submitted else {
                panic!("submitted, got {submitted:?}")
            };
            let select = vec![Selector::new(job.to_string())];
            engine
                .command(Command::Wait {
                    select,
                    until: Until::All,
                    timeout: None,
                })
                .await
                .expect("the engine lives");
            let spent = measure::Sample::now().since(&before);
            println!("{CHILDREN} children, fanout {fanout}: {spent}");
        }
        engine.shutdown().await.expect("the engine lives");
        task.await.expect("no panic");
    });
}

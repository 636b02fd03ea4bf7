//! What the runner tests share: orders, jobs that collect their events, and waiting for what must come.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "each test binary uses its part, and says what it skips"
)]

pub mod sshd;

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use regatta::core::ids::{ChildId, JobId};
use regatta::core::output::Stream;
use regatta::core::spec::{
    Asking, Ended, Host, Inquiry, Motion, Moved, Payload, Proof, Signal, Trace,
};
use regatta::runner::{Ask, Event, Order, Pocket, Runner};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// No step of any test takes longer; whoever waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// The result of something that must come.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it must come in time")
}

/// Comes when `condition` holds; looks again and again.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let mut looked = 0_u32;
    while !condition() {
        looked += 1;
        if looked.is_multiple_of(100) {
            eprintln!("still waiting: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn command(line: &str) -> Payload {
    Payload::Command(line.to_owned())
}

pub fn script(interpreter: &str, text: &str) -> Payload {
    Payload::Script {
        name: "test".into(),
        interpreter: interpreter.into(),
        text: text.into(),
        powershell: None,
    }
}

/// An order with a run of its own.
pub fn on(host: &str, payload: Payload) -> Order {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    Order {
        job: JobId(7),
        child: ChildId(8),
        host: Host::named(host),
        payload: Arc::new(payload),
        run: format!(
            "{:016x}{number:016x}",
            u64::from(std::process::id()) ^ 0x5eed_0000_0000_0000
        )
        .into(),
        connect_timeout: Duration::from_secs(20),
        options: Arc::new([]),
        asking: Asking::Never,
        pocket: Pocket::default(),
        environment: std::sync::Arc::default(),
        secrets: Arc::default(),
    }
}

/// A run under way.  Dropping it drops the runner's future.
pub struct Job {
    order: Order,
    pub run: Arc<str>,
    pub pid: Option<u32>,
    events: mpsc::Receiver<Event>,
    signal: watch::Sender<Option<Signal>>,
    task: JoinHandle<Ended>,
    outcome: (Vec<u8>, Vec<u8>),
    asked: Vec<Ask>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    order: Order,
    pub run: Arc<str>,
    pub pid: Option<u32>,
    pub ended: Ended,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Job {
    pub fn start(runner: &Arc<dyn Runner>, order: Order) -> Self {
        let (sender, events) = mpsc::channel(1);
        let (signal, asked) = watch::channel(None);
        let task = tokio::spawn(Arc::clone(runner).run(order.clone(), sender, asked));
        Self {
            run: Arc::clone(&order.run),
            order,
            pid: None,
            events,
            signal,
            task,
            outcome: Default::default(),
            asked: Vec::new(),
        }
    }

    /// Asks for a signal.
    pub fn signal(&self, signal: Signal) {
        self.signal.send_replace(Some(signal));
    }

    /// Tells it to stand still or to go on.
    pub async fn set_in_motion(&self, runner: &Arc<dyn Runner>, motion: Motion) -> Moved {
        let trace = self.pid.map(|pid| Trace { pid });
        within(Arc::clone(runner).set_in_motion(self.order.clone(), trace, motion)).await
    }

    async fn next(&mut self) -> bool {
        match self.events.recv().await {
            Some(Event::Began(Trace { pid })) => {
                assert_eq!(self.pid, None, "a command begins once");
                self.pid = Some(pid);
                true
            }
            Some(Event::Output(Stream::Out, data)) => {
                self.outcome.0.extend_from_slice(&data);
                true
            }
            Some(Event::Output(Stream::Err, data)) => {
                self.outcome.1.extend_from_slice(&data);
                true
            }
            Some(Event::Asks(ask)) => {
                self.asked.push(ask);
                true
            }
            Some(Event::GoesOn) => true,
            None => false,
        }
    }

    /// Reads until it asks.
    pub async fn until_asked(&mut self) -> Ask {
        while self.asked.is_empty() {
            if !self.next().await {
                let ended = (&mut self.task).await;
                panic!("it ended without a question: {ended:?}");
            }
        }
        self.asked.remove(0)
    }

    pub async fn until_began(&mut self) {
        while self.pid.is_none() {
            assert!(self.next().await, "it ended before it began");
        }
    }

    /// Reads until standard output contains `text`.
    pub async fn until_output(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.outcome.0).contains(text) {
            let more = self.next().await;
            assert!(more, "it ended without {text:?}: {:?}", self.outcome);
        }
    }

    /// Reads everything and waits for the end.
    pub async fn finish(mut self) -> Outcome {
        while self.next().await {}
        let ended = (&mut self.task).await.expect("the runner does not panic");
        let (out, err) = std::mem::take(&mut self.outcome);
        Outcome {
            order: self.order.clone(),
            run: Arc::clone(&self.run),
            pid: self.pid,
            ended,
            out,
            err,
        }
    }
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    pub async fn prove(&self, runner: &Arc<dyn Runner>, grace: Duration) -> Proof {
        let trace = self.pid.map(|pid| Trace { pid });
        within(Arc::clone(runner).prove(self.order.clone(), trace, Inquiry::End { grace })).await
    }
}

/// The live processes that carry the run's name, in ascending order; without what its watcher waits with.
pub fn alive(run: &str) -> Vec<u32> {
    let name = format!("REGATTA_RUN={run}");
    let watch = format!("REGATTA_WATCH={run}");
    let carries =
        |text: &[u8]| contains(text, name.as_bytes()) && !contains(text, watch.as_bytes());
    let mut found: Vec<u32> = processes()
        .filter(|pid| environment(*pid).is_some_and(|text| carries(&text)))
        .collect();
    found.sort_unstable();
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for is another process, and the wait is bounded"
)]
/// The environment a process was started with.  In the middle of `execve` it is empty for an instant, hence the looking
/// again; kernel threads, which have none, have no program either.
fn environment(pid: u32) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for _ in 0..20 {
        text = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let user_program = || fs::read_link(format!("/proc/{pid}/exe")).is_ok();
        if !text.is_empty() || !user_program() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(text)
}

/// How much a process has written so far.
pub fn written(pid: u32) -> Option<u64> {
    count_in(pid, "io", "wchar: ")
}

/// How often a process has gone to sleep so far, and hence how often it was woken.
pub fn sleeps(pid: u32) -> Option<u64> {
    count_in(pid, "status", "voluntary_ctxt_switches:\t")
}

fn count_in(pid: u32, file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .parse()
        .ok()
}

/// The states of the live processes that carry the run's name, each once.
pub fn states(run: &str) -> BTreeSet<char> {
    let states = alive(run).into_iter().filter_map(stat);
    states.map(|stat| stat.state).collect()
}

/// The watchers in the group that `leader` led.
pub fn watchers(leader: u32) -> Vec<u32> {
    processes()
        .filter(|pid| *pid != leader && stat(*pid).is_some_and(|stat| stat.group == leader))
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|text| contains(&text, b"REGATTA_WATCH="))
        })
        .collect()
}

pub fn leads_session(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.session == pid)
}

pub fn kill(pid: u32) {
    signal_process(pid, rustix::process::Signal::KILL);
}

pub fn signal_process(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, signal).expect("the process is there");
}

pub struct Stat {
    pub state: char,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
}

pub fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let mut number = || fields.next()?.parse().ok();
    Some(Stat {
        state,
        parent: number()?,
        group: number()?,
        session: number()?,
    })
}

pub fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .expect("these tests need /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

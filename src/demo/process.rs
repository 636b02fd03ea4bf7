//! The processes of one simulated computer: ids, groups, signals, and the answers a probe gets.
//!
//! A command is one process that leads its group; its built-in commands run inside it.  What `setsid -f` starts is a
//! process in a group of its own that carries the run's name, ends when its time is up, and takes no part in anything
//! else.  Deliberately not here: parents, zombies, users.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long the probe waits after KILL before it says who is alive, as the real one.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// Signals that end a process that does not ignore them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Signal {
    Hangup,
    Interrupt,
    Quit,
    Kill,
    Terminate,
}

impl Signal {
    const ALL: [Self; 5] = [
        Self::Hangup,
        Self::Interrupt,
        Self::Quit,
        Self::Kill,
        Self::Terminate,
    ];

    /// Its name without `SIG`, as `kill -s` and SSH have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hangup => "HUP",
            Self::Interrupt => "INT",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
            Self::Terminate => "TERM",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }
}

/// Every process of a computer.
#[derive(Debug)]
pub(super) struct Processes {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug)]
struct Table {
    next: u32,
    processes: BTreeMap<u32, Process>,
    /// Rises whenever a process ends.
    ends: watch::Sender<u64>,
}

#[derive(Debug)]
struct Process {
    /// The run it carries in its environment.
    run: String,
    group: u32,
    ignored: BTreeSet<Signal>,
    /// The signal that ends it.
    ended_by: watch::Sender<Option<Signal>>,
    /// Whether it stands still.
    still: watch::Sender<bool>,
    /// When it ends by itself; `None` for what somebody carries out.
    until: Option<Instant>,
}

impl Process {
    fn is_alive(&self) -> bool {
        self.ended_by.borrow().is_none() && self.until.is_none_or(|until| until > Instant::now())
    }
}

/// A process that is carried out; it is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pid: u32,
    run: String,
    table: Arc<Mutex<Table>>,
    ended_by: watch::Receiver<Option<Signal>>,
    still: watch::Receiver<bool>,
}

/// What the probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Gone,
    Alive(Vec<u32>),
}

impl Finding {
    fn of(alive: Vec<u32>) -> Self {
        if alive.is_empty() {
            Self::Gone
        } else {
            Self::Alive(alive)
        }
    }
}

impl Processes {
    pub(super) fn new(first: u32) -> Self {
        Self {
            table: Arc::new(Mutex::new(Table {
                next: first,
                processes: BTreeMap::new(),
                ends: watch::Sender::new(0),
            })),
        }
    }

    /// Starts a process that leads a group of its own.
    pub(super) fn begin(&self, run: &str) -> Running {
        let (ended_by, receiver) = watch::channel(None);
        let (still, stands) = watch::channel(false);
        let pid = self.lock().add(run, ended_by, still, None);
        Running {
            pid,
            run: run.to_owned(),
            table: Arc::clone(&self.table),
            ended_by: receiver,
            still: stands,
        }
    }

    /// Sends a signal to those of a group that carry the run's name.
    pub(super) fn signal(&self, run: &str, group: u32, signal: Signal) {
        self.lock().signal(run, group, signal);
    }

    /// Lets those of a group that carry the run's name stand still or go on, and says how many they are.
    pub(super) fn set_still(&self, run: &str, group: u32, still: bool) -> usize {
        let table = self.lock();
        let members = table.members(run, group);
        for process in members.iter().filter_map(|pid| table.processes.get(pid)) {
            process.still.send_replace(still);
        }
        members.len()
    }

    /// What the probe does: gives the group this long, kills it, and says what of the run is alive.
    pub(super) async fn prove(&self, run: &str, group: u32, grace: Duration) -> Finding {
        self.gone(grace, |table| table.members(run, group)).await;
        self.signal(run, group, Signal::Kill);
        Finding::of(self.gone(AFTER_KILL, |table| table.carriers(run)).await)
    }

    /// What of the run is alive.
    pub(super) fn look(&self, run: &str) -> Finding {
        Finding::of(self.lock().carriers(run))
    }

    /// Waits until none of `which` is left, no longer than `patience`, and says which are.
    async fn gone(&self, patience: Duration, which: impl Fn(&Table) -> Vec<u32>) -> Vec<u32> {
        let deadline = Instant::now() + patience;
        let mut ends = self.lock().ends.subscribe();
        loop {
            let (left, next_end) = {
                let table = self.lock();
                let left = which(&table);
                let next_end = table.next_end(&left);
                (left, next_end)
            };
            if left.is_empty() || Instant::now() >= deadline {
                return left;
            }
            tokio::select! {
                // The sender is in the table, so this is an end and not the channel's.
                _ = ends.changed() => {}
                () = tokio::time::sleep_until(next_end.map_or(deadline, |end| end.min(deadline))) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

impl Running {
    /// Comes when a signal ends it.
    pub(super) async fn ended_by(&self) -> Signal {
        let mut ended_by = self.ended_by.clone();
        match ended_by
            .wait_for(Option::is_some)
            .await
            .map(|signal| *signal)
        {
            Ok(Some(signal)) => signal,
            // The sender is in the table as long as this is not dropped.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Whether it stands still, and when that changes.
    pub(super) fn still(&self) -> watch::Receiver<bool> {
        self.still.clone()
    }

    /// Sends a signal to its group.
    pub(super) fn signal(&self, signal: Signal) {
        lock(&self.table).signal(&self.run, self.pid, signal);
    }

    /// Ignores a signal from now on; KILL cannot be ignored.
    pub(super) fn ignore(&self, signal: Signal) {
        if signal != Signal::Kill
            && let Some(process) = lock(&self.table).processes.get_mut(&self.pid)
        {
            process.ignored.insert(signal);
        }
    }

    /// Leaves a process behind in a session of its own that ends after `time`.
    pub(super) fn leave_behind(&self, time: Duration) {
        let until = Instant::now() + time;
        let (ended_by, still) = (watch::Sender::new(None), watch::Sender::new(false));
        lock(&self.table).add(&self.run, ended_by, still, Some(until));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        table.processes.remove(&self.pid);
        table.ends.send_modify(|ends| *ends += 1);
    }
}

impl Table {
    fn add(
        &mut self,
        run: &str,
        ended_by: watch::Sender<Option<Signal>>,
        still: watch::Sender<bool>,
        until: Option<Instant>,
    ) -> u32 {
        // What has ended by itself while nobody looked.
        self.processes
            .retain(|_, process| process.until.is_none() || process.is_alive());
        let pid = self.next;
        // As Linux: up to pid_max, and not from 1 again (proc(5)).
        self.next = if pid >= 32_767 { 300 } else { pid + 1 };
        while self.processes.contains_key(&self.next) {
            self.next += 1;
        }
        let process = Process {
            run: run.to_owned(),
            group: pid,
            ignored: BTreeSet::new(),
            ended_by,
            still,
            until,
        };
        self.processes.insert(pid, process);
        pid
    }

    fn signal(&mut self, run: &str, group: u32, signal: Signal) {
        let of_group = self
            .processes
            .values()
            .filter(|process| process.group == group && process.run == run)
            .filter(|process| process.is_alive() && !process.ignored.contains(&signal));
        let mut ended = 0;
        for process in of_group {
            process.ended_by.send_replace(Some(signal));
            ended += 1;
        }
        if ended > 0 {
            self.ends.send_modify(|ends| *ends += ended);
        }
    }

    /// The living of a group that carry the run's name.
    fn members(&self, run: &str, group: u32) -> Vec<u32> {
        self.living(run)
            .filter(|(_, process)| process.group == group)
            .map(|(pid, _)| *pid)
            .collect()
    }

    /// Everything alive that carries the run's name.
    fn carriers(&self, run: &str) -> Vec<u32> {
        self.living(run).map(|(pid, _)| *pid).collect()
    }

    /// When the next of these ends by itself.
    fn next_end(&self, pids: &[u32]) -> Option<Instant> {
        pids.iter()
            .filter_map(|pid| self.processes.get(pid)?.until)
            .min()
    }

    fn living(&self, run: &str) -> impl Iterator<Item = (&u32, &Process)> {
        self.processes
            .iter()
            .filter(move |(_, process)| process.run == run && process.is_alive())
    }
}

/// The table behind its lock; what a panic left behind is still a table.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_ends_is_gone_and_what_lives_is_not() {
        let processes = Processes::new(700);
        let running = processes.begin("run");
        assert_eq!(running.pid, 700);
        running.ignore(Signal::Terminate);
        running.ignore(Signal::Kill);
        processes.signal("run", running.pid, Signal::Terminate);
        processes.signal("other", running.pid, Signal::Kill);
        assert!(
            tokio::time::timeout(MOMENT, running.ended_by())
                .await
                .is_err(),
            "TERM is ignored, and KILL was not meant for it"
        );
        assert_eq!(
            processes.prove("run", running.pid, MOMENT).await,
            Finding::Gone
        );
        assert_eq!(running.ended_by().await, Signal::Kill);
    }

    #[tokio::test]
    async fn a_process_id_alone_proves_nothing() {
        let processes = Processes::new(700);
        let running = processes.begin("run");
        assert_eq!(
            processes.prove("other", running.pid, MOMENT).await,
            Finding::Gone
        );
        assert!(
            tokio::time::timeout(MOMENT, running.ended_by())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn what_left_the_session_is_found_and_not_killed() {
        let processes = Processes::new(700);
        let running = processes.begin("run");
        let pid = running.pid;
        running.leave_behind(Duration::from_secs(600));
        drop(running);
        let began = Instant::now();
        assert_eq!(
            processes.prove("run", pid, MOMENT).await,
            Finding::Alive(vec![701])
        );
        assert!(began.elapsed() >= AFTER_KILL);
    }

    #[tokio::test]
    async fn what_left_the_session_is_gone_when_it_has_ended() {
        let processes = Processes::new(700);
        let running = processes.begin("run");
        running.leave_behind(MOMENT);
        assert_eq!(
            processes.prove("run", running.pid, MOMENT).await,
            Finding::Gone
        );
    }

    #[tokio::test]
    async fn the_grace_is_over_when_the_group_is() {
        let processes = Processes::new(700);
        let running = processes.begin("run");
        let pid = running.pid;
        let prove = processes.prove("run", pid, Duration::from_secs(600));
        let end = async {
            tokio::time::sleep(MOMENT).await;
            drop(running);
        };
        let both = async { tokio::join!(prove, end).0 };
        let found = tokio::time::timeout(Duration::from_secs(60), both).await;
        assert_eq!(found, Ok(Finding::Gone));
    }
}

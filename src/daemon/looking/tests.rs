//! Everything about output that a client can ask without receiving, over the wire, of simulated computers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::core::alike::{Ignored, Trifle};
use crate::core::fleet::Command;
use crate::core::output::Stream;
use crate::core::reason::Reason;
use crate::core::retention::Retention;
use crate::core::select::Selector;
use crate::core::spec::{
    Above, Asking, Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use crate::core::state::State;
use crate::core::wait::Until;
use crate::daemon::client::{Absent, Connection, Reach};
use crate::daemon::session::Service;
use crate::engine::{Carries, Connected, Engine, Runners, Through};
use crate::runner::{Boxed, Event, Order, Runner};
use crate::secret::Environment;
use crate::store::{Caps, Saved, Store};
use crate::wire::look::{
    Case, Folded, Found, HostView, Look, Place, Row, RowKind, Rows, Search, Seen,
};
use crate::wire::{Reply, Request};

/// Computers that do what their command says: write it, and end with 1 if they are called odd.
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
            if order.host.host.starts_with("down") {
                let why = "connection refused".to_string();
                return Ended::NotStarted(Reason::Unreachable(why));
            }
            _ = events.send(Event::Began(Trace { pid: 7 })).await;
            let text = order.payload.title().replace("HOST", &order.host.host);
            let text = Bytes::from(text);
            _ = events.send(Event::Output(Stream::Out, text)).await;
            if order.host.host.starts_with("slow") {
                std::future::pending::<()>().await;
            }
            Ended::Exited(i32::from(order.host.host.starts_with("odd")))
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }

    fn connected(&self) -> Vec<Connected> {
        let to = |host: &str| Connected {
            hosts: vec![host.to_string()],
            user: "root".to_string(),
            address: host.to_string(),
            port: 22,
            through: Through::Hops(vec!["gate".to_string()]),
            carries: Carries::Commands,
            channels: 1,
            age: Duration::from_secs(1),
            idle: None,
            received: 0,
            sent: 0,
        };
        vec![to("n1"), to("n1"), to("elsewhere")]
    }
}

struct Fleet {
    service: Arc<Service>,
}

impl Fleet {
    fn start() -> Self {
        let runners = Runners::from([("simulated", Arc::new(Simulated) as Arc<dyn Runner>)]);
        let store = Store::temporary(Caps::default()).expect("a temporary directory");
        let (engine, task) = Engine::start(runners, store, Saved::default(), Retention::default());
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

    /// Starts a job; its id.
    async fn job(&self, hosts: &[&str], text: &str) -> u64 {
        let spec = JobSpec {
            name: None,
            runner: "simulated".into(),
            payload: Payload::Command(text.into()),
            targets: hosts.join(","),
            hosts: hosts.iter().map(|host| Host::named(*host)).collect(),
            fanout: NonZeroU32::new(1000).expect("not zero"),
            limits: Limits::default(),
            ok_exit: vec![0],
            on_full: OnFull::Truncate,
            options: Vec::new(),
            asking: Asking::Never,
            shape: None,
            ask_above: Above::Configured,
            withheld: Vec::new(),
        };
        let submit = Request::Submit {
            spec: Box::new(spec),
            environment: Environment::default(),
            secrets: Vec::new(),
        };
        match self.ask(&submit).await {
            Reply::Submitted(job) => job.id,
            other => panic!("submitted, got {other:?}"),
        }
    }

    async fn finished_job(&self, hosts: &[&str], text: &str) -> u64 {
        let job = self.job(hosts, text).await;
        let wait = Command::Wait {
            select: vec![Selector::new(job.to_string())],
            until: Until::All,
            timeout: None,
        };
        self.ask(&Request::Command(wait)).await;
        job
    }

    async fn seen(&self, child: u64, at: Place, before: u32, behind: u32) -> Seen {
        let look = Look {
            child,
            at,
            before,
            behind,
        };
        match self.ask(&Request::Look(look)).await {
            Reply::Seen(seen) => seen,
            other => panic!("seen, got {other:?}"),
        }
    }

    /// A search's answers, put together.
    async fn found(&self, search: Search) -> Found {
        let mut connection = self.open(&Request::Search(search)).await;
        let mut all = Found {
            hits: Vec::new(),
            searched: Vec::new(),
            last: false,
            limited: false,
        };
        while !all.last {
            match connection.reply().await.expect("an answer") {
                Reply::Found(found) => {
                    all.hits.extend(found.hits);
                    all.searched.extend(found.searched);
                    (all.last, all.limited) = (found.last, found.limited);
                }
                other => panic!("found, got {other:?}"),
            }
        }
        all
    }

    async fn folded(&self, job: u64) -> Folded {
        self.folded_but_for(job, Ignored::NOTHING).await
    }

    async fn folded_but_for(&self, job: u64, ignored: Ignored) -> Folded {
        match self.ask(&Request::Fold { job, ignored }).await {
            Reply::Folded(folded) => folded,
            other => panic!("folded, got {other:?}"),
        }
    }

    async fn hosts(&self) -> Vec<HostView> {
        match self.ask(&Request::Hosts).await {
            Reply::Hosts { hosts, last: true } => hosts,
            other => panic!("hosts, got {other:?}"),
        }
    }

    /// Returns once a child of a job runs.
    async fn until_running(&self, job: u64) {
        let mut revisions = self.service.engine.revisions();
        loop {
            let running = self.service.look(move |fleet, _| {
                let job = fleet.job(crate::core::ids::JobId(job));
                job.is_some_and(|job| job.tally().count(State::Running) > 0 && job.has_more())
            });
            if running.await.expect("the engine lives") {
                return;
            }
            revisions.changed().await.expect("the engine lives");
        }
    }
}

fn text(row: &Row) -> String {
    match &row.what {
        RowKind::Text { data, .. } => String::from_utf8_lossy(data).into_owned(),
        RowKind::Cut(count) => format!("cut {}", count.bytes),
    }
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter().map(text).collect()
}

fn search(children: &[(u64, u64)], pattern: &str) -> Search {
    Search {
        children: children.to_vec(),
        pattern: pattern.to_string(),
        case: Case::Matters,
        limit: 1000,
    }
}

#[tokio::test]
async fn a_stretch_begins_and_ends_with_rows_and_can_be_gone_on_from() {
    let fleet = Fleet::start();
    let lines: String = (0..1000).map(|n| format!("line {n:04}\n")).collect();
    let job = fleet.finished_job(&["n1"], &lines).await;
    let child = job + 1;
    let end = fleet.seen(child, Place::End, 25, 0).await;
    assert_eq!(texts(&end.rows), ["line 0997", "line 0998", "line 0999"]);
    assert_eq!((end.end.offset, end.end.line), (10_000, 1000));
    assert_eq!((end.to, end.dropped.bytes), (end.end, 0));
    let first = end.rows[0].at;
    assert_eq!((first.offset, first.line), (9970, 997));
    let before = fleet.seen(child, Place::Offset(first.offset), 20, 0).await;
    assert_eq!(texts(&before.rows), ["line 0995", "line 0996"]);
    assert_eq!(before.to, first);
    let from = fleet.seen(child, Place::Offset(0), 0, 15).await;
    assert_eq!(texts(&from.rows), ["line 0000", "line 0001"]);
    let on = fleet.seen(child, Place::Offset(from.to.offset), 0, 1).await;
    assert_eq!(texts(&on.rows), ["line 0002"]);
    let just = fleet.seen(child, Place::Offset(5003), 0, 0).await;
    assert_eq!(texts(&just.rows), ["line 0500"]);
    let beyond = fleet.seen(child, Place::Offset(1 << 40), 0, 100).await;
    assert_eq!((beyond.rows, beyond.to), (Vec::new(), end.end));
    let all = fleet.seen(child, Place::End, u32::MAX, u32::MAX).await;
    assert_eq!(all.rows.len(), 1000);
    let asked = Look {
        child: job,
        at: Place::End,
        before: 1,
        behind: 1,
    };
    let none = fleet.ask(&Request::Look(asked)).await;
    assert!(matches!(none, Reply::Error { .. }), "{none:?}");
}

#[tokio::test]
async fn however_short_rows_are_an_answer_is_bounded() {
    let fleet = Fleet::start();
    let job = fleet.finished_job(&["n1"], &"\n".repeat(100_000)).await;
    let child = job + 1;
    let end = fleet.seen(child, Place::End, 100_000, 0).await;
    assert_eq!(end.rows.len(), super::MOST_ROWS);
    assert_eq!(end.to, end.end);
    let from = fleet.seen(child, Place::Offset(0), 0, 100_000).await;
    assert_eq!(from.rows.len(), super::MOST_ROWS);
    assert_eq!(from.to.offset, super::MOST_ROWS as u64);
}

#[tokio::test]
async fn rows_are_known_by_their_offsets_and_tails_are_their_last() {
    let fleet = Fleet::start();
    let job = fleet.finished_job(&["n1", "n2"], "one\ntwo\n\n").await;
    let rows = Rows {
        rows: vec![
            (job + 1, 4),
            (job + 2, 0),
            (job + 1, 5),
            (job + 9, 0),
            (job + 1, 99),
        ],
        most: 2,
    };
    match fleet.ask(&Request::Rows(rows)).await {
        Reply::Rows(rows) => assert_eq!(texts(&rows), ["tw", "on"], "whole rows only"),
        other => panic!("rows, got {other:?}"),
    }
    let silent = fleet.finished_job(&["n1"], "").await;
    let children = vec![job + 2, silent + 1, job + 1, 999];
    match fleet.ask(&Request::Tails { children }).await {
        Reply::Rows(rows) => {
            let found: Vec<(u64, String)> = rows.iter().map(|row| (row.child, text(row))).collect();
            let two = || "two".to_string();
            assert_eq!(found, [(job + 2, two()), (job + 1, two())]);
            assert!(rows.iter().all(|row| row.time.is_some()));
        }
        other => panic!("rows, got {other:?}"),
    }
}

#[tokio::test]
async fn searches_find_rows_in_order_and_stop_where_they_are_told() {
    let fleet = Fleet::start();
    // More than one bite.
    let lines: String = (0..300_000).map(|n| format!("line {n:06}\n")).collect();
    let job = fleet.finished_job(&["n1", "n2"], &lines).await;
    let both = [(job + 1, 0), (job + 2, 0)];
    let found = fleet.found(search(&both, "99999$")).await;
    let hits: Vec<(u64, u64)> = found
        .hits
        .iter()
        .map(|(child, at)| (*child, at.line))
        .collect();
    let want = |child| [(child, 99_999), (child, 199_999), (child, 299_999)];
    assert_eq!(hits, [want(job + 1), want(job + 2)].concat());
    assert!(!found.limited);
    let end = 300_000 * 12;
    let last = |child| {
        let searched = found.searched.iter().rfind(|(of, _)| *of == child);
        searched.map(|(_, to)| to.offset)
    };
    assert_eq!((last(job + 1), last(job + 2)), (Some(end), Some(end)));
    // From behind the first hit on, and no more than one.
    let behind = found.hits[0].1.offset + 12;
    let limited = Search {
        limit: 1,
        ..search(&[(job + 1, behind)], "99999$")
    };
    let limited = fleet.found(limited).await;
    assert_eq!(
        (&limited.hits[..], limited.limited),
        (&found.hits[1..2], true)
    );
    assert_eq!(
        limited.searched.last().map(|(_, to)| to.line),
        Some(200_000)
    );
    let every = Search {
        limit: u32::MAX,
        ..search(&both, "line")
    };
    assert_eq!(fleet.found(every).await.hits.len(), 600_000);
    let wrong = fleet.ask(&Request::Search(search(&both, "["))).await;
    assert!(matches!(wrong, Reply::Error { .. }), "{wrong:?}");
}

/// Whoever looks at a hit marks what matched in the row as it is seen.
#[tokio::test]
async fn searches_match_what_is_seen() {
    let fleet = Fleet::start();
    let text = "\x1b[31mer\x1b[0mror\na bell\x07 rings\n10%\r20%\nlong\x1b[2Kx\n";
    let job = fleet.finished_job(&["n1"], text).await;
    let cases = [
        ("^error$", vec![0]),
        (r"bell\\x07 r", vec![1]),
        ("\x07", vec![]),
        ("10", vec![]),
        ("^20%$", vec![2]),
        ("^x$", vec![3]),
    ];
    for (pattern, lines) in cases {
        let found = fleet.found(search(&[(job + 1, 0)], pattern)).await;
        let hits: Vec<u64> = found.hits.iter().map(|(_, at)| at.line).collect();
        assert_eq!(hits, lines, "{pattern}");
    }
}

/// A row at the end that is not complete may be a hit, and is searched again when it is.
#[tokio::test]
async fn an_open_row_counts_as_not_searched() {
    let fleet = Fleet::start();
    let job = fleet.job(&["slow"], "done\nerr").await;
    fleet.until_running(job).await;
    let found = fleet.found(search(&[(job + 1, 0)], "err")).await;
    let (hits, searched) = (
        &found.hits[0],
        found.searched.last().expect("it was searched"),
    );
    assert_eq!((hits, searched), (searched, hits));
    assert_eq!(searched.1.offset, 5);
}

#[tokio::test]
async fn children_that_came_to_the_same_are_folded() {
    let fleet = Fleet::start();
    let job = fleet
        .job(
            &["n1", "n2", "odd1", "n3", "down1", "odd2", "slow"],
            "a\nb\n",
        )
        .await;
    fleet.until_running(job).await;
    let folded = loop {
        let folded = fleet.folded(job).await;
        if folded.groups.len() == 4 && folded.groups[0].children.len() == 3 {
            break folded;
        }
        tokio::task::yield_now().await;
    };
    let said = folded.groups.iter().map(|group| {
        let sample = String::from_utf8_lossy(&group.sample);
        let (state, exit, bytes) = (group.state, group.exit, group.output.bytes);
        format!("{} {state} {exit:?} {bytes} {sample}", group.hosts)
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "n[1-3] Completed Some(0) 4 b",
            "odd[1-2] Failed Some(1) 4 b",
            "down1 Failed None 0 ",
            "slow Running None 0 ",
        ]
    );
    assert_eq!(folded.groups[0].children, [job + 1, job + 2, job + 4]);
    let reason = folded.groups[2].reason.as_ref();
    assert_eq!(reason.map(|reason| &*reason.kind), Some("unreachable"));
    assert_eq!(fleet.folded(job).await, folded, "from what is known now");
    let (job, ignored) = (99, Ignored::NOTHING);
    let none = fleet.ask(&Request::Fold { job, ignored }).await;
    assert!(matches!(none, Reply::Error { .. }), "{none:?}");
}

#[tokio::test]
async fn groups_are_told_by_the_first_line_that_differs() {
    let fleet = Fleet::start();
    let samples = async |job| {
        let folded = fleet.folded(job).await;
        let samples = folded.groups.iter();
        let samples: Vec<String> = samples
            .map(|group| String::from_utf8_lossy(&group.sample).into_owned())
            .collect();
        samples
    };
    let hosts = ["n1", "n2", "odd1"];
    let job = fleet
        .finished_job(&hosts, "begun\non HOST\nall is well\n")
        .await;
    for _ in 0..2 {
        assert_eq!(samples(job).await, ["on n1", "on n2", "on odd1"]);
    }
    // They differ in how they ended only, or there is nobody to differ from.
    let job = fleet.finished_job(&hosts, "begun\nall is well\n").await;
    assert_eq!(samples(job).await, ["all is well", "all is well"]);
    let job = fleet.finished_job(&["n1"], "begun\non HOST\nbye\n").await;
    assert_eq!(samples(job).await, ["bye"]);
}

#[tokio::test]
async fn what_is_ignored_folds_together() {
    let fleet = Fleet::start();
    let folds = async |job, ignored: &[Trifle]| {
        let folded = fleet.folded_but_for(job, ignored.iter().copied().collect());
        let groups = folded.await.groups.into_iter();
        let groups: Vec<String> = groups
            .map(|group| format!("{} {}", group.hosts, String::from_utf8_lossy(&group.sample)))
            .collect();
        groups
    };
    let text = "I am HOST, 7 users\nbye\n";
    let job = fleet.finished_job(&["n1", "n2", "m7", "odd1"], text).await;
    // Twice, because what was worked out is kept for each way by itself.
    for _ in 0..2 {
        let exact = folds(job, &[]).await;
        let lines = ["m7", "n1", "n2", "odd1"].map(|host| format!("{host} I am {host}, 7 users"));
        assert_eq!(exact.len(), 4);
        assert!(lines.iter().all(|line| exact.contains(line)), "{exact:?}");
        let numbers = folds(job, &[Trifle::Numbers]).await;
        let want = [
            "n[1-2] I am n1, 7 users",
            "m7 I am m7, 7 users",
            "odd1 I am odd1, 7 users",
        ];
        assert_eq!(numbers, want);
        // How they ended is never ignored.
        let host = folds(job, &[Trifle::Host]).await;
        assert_eq!(host, ["m7,n[1-2] bye", "odd1 bye"]);
    }
    let job = fleet.finished_job(&["n1", "n2"], " \n\t\n").await;
    assert_eq!(folds(job, &[Trifle::Space]).await, ["n[1-2] "]);
}

#[tokio::test]
async fn hosts_are_known_from_all_jobs() {
    let fleet = Fleet::start();
    let first = fleet.finished_job(&["down1", "n1"], "x").await;
    let second = fleet.finished_job(&["n1", "odd1"], "x").await;
    let third = fleet.job(&["slow", "n1"], "x").await;
    fleet.until_running(third).await;
    let wait = Command::Wait {
        select: vec![Selector::new(format!("{third}.n1"))],
        until: Until::All,
        timeout: None,
    };
    fleet.ask(&Request::Command(wait)).await;
    let hosts = fleet.hosts().await;
    let names: Vec<&str> = hosts.iter().map(|host| &*host.host).collect();
    assert_eq!(names, ["down1", "n1", "odd1", "slow"]);
    let [down, n1, odd, slow] = &hosts[..] else {
        panic!("four hosts");
    };
    assert_eq!(
        down.reached
            .as_ref()
            .and_then(|reached| reached.failed.as_deref()),
        Some("unreachable: connection refused")
    );
    assert_eq!(down.last.as_ref().map(|last| last.child), Some(first + 1));
    assert_eq!(n1.last.as_ref().map(|last| last.child), Some(third + 2));
    assert_eq!((n1.connections, down.connections), (2, 0));
    assert_eq!((n1.via.as_deref(), &down.via), (Some("gate"), &None));
    let odd_last = odd.last.as_ref().expect("it settled");
    assert_eq!((odd_last.job, odd_last.state), (second, State::Failed));
    assert_eq!(
        odd.reached
            .as_ref()
            .map(|reached| (reached.child, &reached.failed)),
        Some((second + 2, &None))
    );
    assert_eq!(slow.counts[State::Running as usize], 1);
    assert_eq!((slow.counts.iter().sum::<u32>(), &slow.last), (1, &None));
}

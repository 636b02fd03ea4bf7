use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;
use crate::core::fleet::{Command, Fleet, Input, Report, Ticket};
use crate::core::output::Streams;
use crate::core::saved::SavedState;
use crate::core::spec::{Above, Asking, Ended, Host, JobSpec, Limits, OnFull, Payload, Trace};
use crate::core::time::{Moment, Wall};

pub(super) const JOB: JobId = JobId(1);
pub(super) const CHILD: ChildId = ChildId(2);

fn window(child: ChildId, streams: Streams, from: [Count; 2], to: Position) -> Window {
    Window {
        child,
        streams,
        from,
        to: [to.out, to.err],
    }
}

/// Runs a test's future to its end.
pub(super) fn wait_for<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(what)
}

pub(super) fn temporary(caps: Caps) -> Store {
    Store::temporary(caps).expect("a temporary directory")
}

/// A fleet with one job of two children, the first of which runs.
pub(super) fn fleet() -> Fleet {
    let spec = JobSpec {
        name: Some("patch".to_string()),
        runner: "ssh".to_string(),
        payload: Payload::Command("uptime".to_string()),
        targets: "n[1-2]".to_string(),
        hosts: vec![Host::named("n1"), Host::named("n2")],
        fanout: NonZeroU32::MIN,
        limits: Limits::default(),
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: vec![("agent".to_string(), "/a".to_string())],
        asking: Asking::Allowed,
        shape: None,
        ask_above: Above::Configured,
        withheld: Vec::new(),
    };
    let mut fleet = Fleet::default();
    let now = Moment {
        wall: Wall(1_700_000_000_000),
        ..Moment::default()
    };
    fleet.apply(
        now,
        Input::Command(Ticket(1), Command::Submit(Box::new(spec))),
    );
    fleet.apply(now, Input::Runner(CHILD, Report::Began(Trace { pid: 77 })));
    fleet
}

/// Writes down how a job and its children stand.
async fn put(store: &Store, fleet: &Fleet) {
    let job = fleet.job(JOB).expect("it is there");
    store.put_job(job);
    for (index, child) in job.children.iter().enumerate() {
        store.put_child(JOB.child(index), child.saved());
    }
    store.durable().await;
}

/// Sees to it that a child's output is on disk.
pub(super) async fn flush(store: &Store, fleet: &Fleet) {
    put(store, fleet).await;
    assert_eq!(store.trouble(), None);
}

/// Reads a window in small bites: what came of each stream, and what was cut.
async fn read(store: &Store, window: Window, bite: usize) -> ([Vec<u8>; 2], Count) {
    let (mut got, mut cut) = ([Vec::new(), Vec::new()], Count::default());
    let mut reader = store.read(JOB, window);
    loop {
        let pieces = reader.next(bite).await.expect("it can be read");
        if pieces.is_empty() {
            return (got, cut);
        }
        for piece in pieces {
            match piece {
                Piece::Data { stream, data } => got[stream as usize].extend_from_slice(&data),
                Piece::Cut(count) => cut += count,
            }
        }
    }
}

#[test]
fn keeps_both_ends_and_counts_what_it_cut() {
    let store = temporary(Caps {
        head: 100,
        tail: 40_000,
        ..Caps::default()
    });
    wait_for(async {
        let (log, fleet) = (store.log(JOB, CHILD), fleet());
        for n in 0..20_000 {
            log.append(Stream::Out, format!("{n:07}\n").as_bytes())
                .await;
            if n % 1000 == 0 {
                flush(&store, &fleet).await;
            }
        }
        flush(&store, &fleet).await;
        let Extent { end, gap } = log.extent();
        let dropped = gap.expect("something was cut").size();
        assert_eq!(store.take_cuts().get(&CHILD).copied(), gap);
        assert_eq!((end.out.bytes, end.out.lines), (160_000, 20_000));
        let all = window(CHILD, Streams::Both, [Count::default(); 2], end);
        let (got, cut) = read(&store, all, 777).await;
        assert_eq!(cut, dropped);
        assert_eq!(got[0].len() as u64 + cut.bytes, 160_000);
        assert!(got[0].starts_with(b"0000000\n") && got[0].ends_with(b"0019999\n"));
        assert!(got[0].len() > 100 + 40_000 - 16_384 && got[0].len() <= 100 + 40_000);
    });
}

/// A job that has too much takes it from every child alike, and says so of each.
#[test]
fn a_job_as_a_whole_has_a_cap() {
    let store = temporary(Caps {
        head: 16 << 10,
        tail: 1 << 20,
        job: 1 << 20,
    });
    wait_for(async {
        let children: Vec<ChildId> = (0..4).map(|n| JOB.child(n)).collect();
        let logs: Vec<Log> = children
            .iter()
            .map(|child| store.log(JOB, *child))
            .collect();
        let chunk = vec![b'x'; 512 << 10];
        for log in &logs {
            log.append(Stream::Out, &chunk).await;
            log.append(Stream::Out, &chunk).await;
            store.shared.settle(log.child).await;
        }
        let cuts = store.take_cuts();
        let kept: u64 = logs
            .iter()
            .map(|log| {
                let Extent { end, gap } = log.extent();
                let told = cuts.get(&log.child).copied().or(gap);
                end.offset() - told.expect("each gives some").size().bytes
            })
            .sum();
        assert!(kept <= 1 << 20, "{kept} bytes are kept");
        assert!(kept >= 4 * (64 << 10), "nobody is cut to nothing: {kept}");
    });
}

/// Children that write no more than they have room for lose nothing of it, whatever their number and however the caps are.
#[test]
fn what_has_room_is_not_cut_although_all_children_take_it() {
    for (head, tail, job) in [
        (16 << 10, 1 << 20, 1 << 20),
        (1 << 10, 1 << 20, 3 << 20),
        (64 << 10, 300_000, 1 << 20),
        (256 << 10, 64 << 10, 1 << 20),
        (16 << 10, 1 << 20, 8 << 20),
    ] {
        let caps = Caps { head, tail, job };
        let store = temporary(caps);
        let (first, further) = store.room(4);
        wait_for(async {
            let logs: Vec<Log> = (0..4).map(|n| store.log(JOB, JOB.child(n))).collect();
            // Before anything is received, and twice when everything was.
            let mut received = Position::START;
            for size in [first, further, further] {
                let mut end = received;
                for log in &logs {
                    end = log
                        .append(Stream::Out, &vec![b'x'; size as usize])
                        .await
                        .end;
                    store.shared.settle(log.child).await;
                }
                for log in &logs {
                    let from = [received.out, received.err];
                    let waiting = window(log.child, Streams::Both, from, end);
                    let (_, cut) = read(&store, waiting, 1 << 20).await;
                    assert_eq!(cut.bytes, 0, "{caps:?}, {size} bytes after {received:?}");
                }
                received = end;
            }
        });
    }
}

#[test]
fn what_was_written_is_there_for_the_next_process() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let dir = home.path().join("state");
    let (store, saved) = Store::open(&dir, Caps::default()).expect("it is made");
    assert_eq!((saved.jobs.len(), saved.next_id), (0, 1));
    let name = store.run_name(CHILD);
    let fleet = fleet();
    let end = wait_for(async {
        let log = store.log(JOB, CHILD);
        log.append(Stream::Out, b"one\n").await;
        log.append(Stream::Err, b"two\n").await;
        let end = log.append(Stream::Out, b"three\n").await.end;
        flush(&store, &fleet).await;
        end
    });
    assert!(matches!(
        Store::open(&dir, Caps::default()),
        Err(OpenError::InUse { pid: Some(_), .. })
    ));
    drop(store);
    for file in ["catalog.db", "jobs/1.db"] {
        let mode = fs::metadata(dir.join(file))
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let mode = fs::metadata(&dir)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let (store, saved) = Store::open(&dir, Caps::default()).expect("it is opened again");
    assert_eq!((saved.next_id, store.run_name(CHILD)), (4, name));
    let job = fleet.job(JOB).expect("it is there");
    let [again] = &*saved.jobs else {
        panic!("one job: {saved:?}");
    };
    assert_eq!((&again.spec, again.course), (&job.spec, job.course()));
    let (index, child) = &again.children[0];
    assert_eq!((*index, &child.state), (0, &SavedState::Live));
    assert_eq!((child.pid, child.output.end), (Some(77), end));
    wait_for(async {
        let all = window(CHILD, Streams::Both, [Count::default(); 2], end);
        let (got, cut) = read(&store, all, 5).await;
        assert_eq!(cut, Count::default());
        assert_eq!(got, [b"one\nthree\n".to_vec(), b"two\n".to_vec()]);
        // Only one stream, and from the middle.
        let from = Count::of(b"one\n");
        let some = window(
            CHILD,
            Streams::Only(Stream::Out),
            [from, Count::default()],
            end,
        );
        assert_eq!(
            read(&store, some, 100).await.0,
            [b"three\n".to_vec(), vec![]]
        );
        store.remove_job(JOB);
        store.durable().await;
    });
    assert!(!dir.join("jobs/1.db").exists());
    drop(store);
    let (_, saved) = Store::open(&dir, Caps::default()).expect("it is opened again");
    assert_eq!(
        (saved.jobs.len(), saved.next_id),
        (0, 4),
        "ids are not used again"
    );
}

/// A crash between a cut and the account of it: the next process finds out, and so does the one after it.
#[test]
fn what_was_cut_last_is_counted_after_a_crash() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (dir, crashed) = (home.path().join("state"), home.path().join("crashed"));
    let caps = Caps {
        head: 16 << 10,
        tail: 1 << 20,
        job: 1 << 20,
    };
    let (store, _) = Store::open(&dir, caps).expect("it is made");
    let mut fleet = fleet();
    let mut cut = BTreeMap::new();
    wait_for(async {
        for child in [CHILD, JOB.child(1)] {
            let log = store.log(JOB, child);
            let mut report = |report| fleet.apply(Moment::default(), Input::Runner(child, report));
            report(Report::Began(Trace { pid: 77 }));
            log.append(Stream::Out, &vec![b'\n'; 900_000]).await;
            store.shared.settle(child).await;
            let Extent { end, gap } = log.extent();
            report(Report::Output { end, gap });
            report(Report::Ended(Ended::Exited(0)));
            flush(&store, &fleet).await;
            cut.extend(store.take_cuts());
        }
    });
    let told = fleet.child(CHILD).expect("it is there").output;
    assert_eq!(told.gap, None, "nobody has said so yet");
    assert!(cut[&CHILD].size().bytes > 0);
    // What a process leaves that dies now.
    fs::create_dir_all(crashed.join("jobs")).expect("ours");
    for entry in [&dir, &dir.join("jobs")] {
        for entry in fs::read_dir(entry).expect("it is there").flatten() {
            let path = entry.path();
            let to = crashed.join(path.strip_prefix(&dir).expect("it lies there"));
            if path.is_file() {
                fs::copy(&path, to).expect("ours");
            }
        }
    }
    for process in ["the next", "the one after"] {
        let (_, saved) = Store::open(&crashed, caps).expect("it is opened");
        for (index, child) in &saved.jobs[0].children {
            let gap = cut.get(&JOB.child(*index)).copied();
            assert_eq!(child.output.gap, gap, "child {index}, {process}");
            assert_eq!(child.output.end.out.bytes, 900_000);
        }
    }
}

#[test]
fn a_disk_that_takes_nothing_stops_nobody_and_recovers() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    let (jobs, away) = (home.path().join("jobs"), home.path().join("away"));
    fs::rename(&jobs, &away).expect("ours");
    wait_for(async {
        let (log, mut fleet) = (store.log(JOB, CHILD), fleet());
        let end = log.append(Stream::Out, b"before\n").await.end;
        put(&store, &fleet).await;
        assert!(matches!(store.trouble(), Some(Trouble::Passing(_))));
        let all = window(CHILD, Streams::Both, [Count::default(); 2], end);
        assert_eq!(read(&store, all, 100).await.0[0], b"before\n");
        let mut watch = store.watch();
        fs::rename(&away, &jobs).expect("ours");
        watch.changed().await;
        assert_eq!(store.trouble(), None);
        let exited = Report::Ended(Ended::Exited(0));
        fleet.apply(Moment::default(), Input::Runner(CHILD, exited));
        flush(&store, &fleet).await;
    });
    drop(store);
    let (store, saved) = Store::open(home.path(), Caps::default()).expect("it is opened again");
    let (_, child) = &saved.jobs[0].children[0];
    assert_eq!(child.state, SavedState::Completed);
    wait_for(async {
        let to = Position::START.after(Stream::Out, Count::of(b"before\n"));
        let all = window(CHILD, Streams::Both, [Count::default(); 2], to);
        assert_eq!(read(&store, all, 100).await.0[0], b"before\n");
    });
}

/// What could not be written is written once when it can be, although more has come meanwhile.
#[test]
fn what_waits_for_the_disk_is_written_once() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    let (jobs, away) = (home.path().join("jobs"), home.path().join("away"));
    let want: Vec<u8> = (0..40_000)
        .flat_map(|n| format!("{n}\n").into_bytes())
        .collect();
    wait_for(async {
        let (log, fleet) = (store.log(JOB, CHILD), fleet());
        fs::rename(&jobs, &away).expect("ours");
        let mut end = Position::START;
        for piece in want.chunks(10_000) {
            end = log.append(Stream::Out, piece).await.end;
            put(&store, &fleet).await;
            // Every piece is tried for itself, in vain, before the next one comes.
            let mut progress = store.shared.progress();
            let tried = progress.borrow_and_update().tries;
            let again = progress.wait_for(|now| now.tries > tried);
            _ = tokio::time::timeout(std::time::Duration::from_millis(200), again).await;
        }
        let mut watch = store.watch();
        fs::rename(&away, &jobs).expect("ours");
        watch.changed().await;
        flush(&store, &fleet).await;
        let all = window(CHILD, Streams::Both, [Count::default(); 2], end);
        assert!(read(&store, all, 1 << 20).await.0[0] == want);
    });
}

#[test]
fn memory_is_bounded_while_the_disk_takes_nothing() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    fs::rename(home.path().join("jobs"), home.path().join("away")).expect("ours");
    wait_for(async {
        let log = store.log(JOB, CHILD);
        put(&store, &fleet()).await;
        let chunk = vec![b'x'; 1 << 20];
        let mut end = Position::START;
        for _ in 0..2 * work::MEMORY / chunk.len() {
            end = log.append(Stream::Out, &chunk).await.end;
        }
        let Extent { gap, .. } = log.extent();
        let kept = end.offset() - gap.map_or(0, |gap| gap.size().bytes);
        assert!(kept <= work::MEMORY as u64, "{kept} bytes are in memory");
        let all = window(CHILD, Streams::Both, [Count::default(); 2], end);
        let (got, cut) = read(&store, all, 1 << 20).await;
        assert_eq!(got[0].len() as u64 + cut.bytes, end.offset());
    });
}

/// What had to be let go of meanwhile is known to the next process too.
#[test]
fn what_was_let_go_of_is_written_down_when_the_disk_takes_it_again() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let caps = Caps {
        tail: 1 << 30,
        ..Caps::default()
    };
    let (store, _) = Store::open(home.path(), caps).expect("it is made");
    let (jobs, away) = (home.path().join("jobs"), home.path().join("away"));
    let gap = wait_for(async {
        fs::rename(&jobs, &away).expect("ours");
        let (log, fleet) = (store.log(JOB, CHILD), fleet());
        put(&store, &fleet).await;
        for _ in 0..work::MEMORY >> 19 {
            log.append(Stream::Out, &vec![b'\n'; 1 << 20]).await;
        }
        let mut watch = store.watch();
        fs::rename(&away, &jobs).expect("ours");
        watch.changed().await;
        flush(&store, &fleet).await;
        log.extent().gap
    });
    assert!(gap.is_some());
    drop(store);
    // Its account was not: whoever keeps that had no time.
    let (_, saved) = Store::open(home.path(), caps).expect("it is opened again");
    assert_eq!(saved.jobs[0].children[0].1.output.gap, gap);
}

#[test]
fn one_damaged_file_is_one_jobs_trouble() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    let fleet = fleet();
    wait_for(async {
        store.log(JOB, CHILD).append(Stream::Out, b"lost\n").await;
        flush(&store, &fleet).await;
    });
    drop(store);
    let file = home.path().join("jobs/1.db");
    let mut damaged = fs::read(&file).expect("it is there");
    damaged[..2000].fill(0xa5);
    fs::write(&file, damaged).expect("ours");
    let (store, saved) = Store::open(home.path(), Caps::default()).expect("the rest works");
    assert_eq!(saved.jobs.len(), 1);
    wait_for(async {
        let to = Position::START.after(Stream::Out, Count::of(b"lost\n"));
        let all = window(CHILD, Streams::Both, [Count::default(); 2], to);
        let mut reader = store.read(JOB, all);
        let error = reader.next(100).await.expect_err("it is damaged");
        assert!(
            error.to_string().contains("job 1 cannot be read"),
            "{error}"
        );
        assert_eq!(reader.left()[0].bytes, 5);
        // What it writes now has nowhere to go, and others are not held up by that.
        store.log(JOB, CHILD).append(Stream::Out, b"gone\n").await;
        flush(&store, &fleet).await;
    });
}

#[test]
fn what_cannot_be_used_is_refused_and_left_alone() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = home.path().join("catalog.db");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    drop(store);
    let db = rusqlite::Connection::open(&file).expect("it is a database");
    db.pragma_update(None, "user_version", 99)
        .expect("it can be written");
    drop(db);
    let before = fs::read(&file).expect("it is there");
    let error = Store::open(home.path(), Caps::default()).expect_err("it is of a newer version");
    assert!(error.to_string().contains("newer regatta"), "{error}");
    assert!(error.hint().contains("left untouched"));
    assert_eq!(fs::read(&file).expect("it is there"), before);
    fs::write(&file, "this is no database, and long enough to be seen").expect("ours");
    let error = Store::open(home.path(), Caps::default()).expect_err("it is no database");
    assert!(error.hint().contains("catalog.db away"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is written in whatever pieces, to disk now or later, and received in whatever steps and streams: every
    /// byte comes once, in order, or is counted as cut, once.
    #[test]
    fn every_byte_comes_once_or_is_counted(
        writes in prop::collection::vec((any::<bool>(), 0..12_000usize, 0..4u8, 1..9_000usize, any::<bool>()), 1..30),
        head in 0..20_000usize,
        tail in 0..40_000usize,
    ) {
        let store = temporary(Caps { head, tail, ..Caps::default() });
        let (log, fleet) = (store.log(JOB, CHILD), fleet());
        let mut wrote: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
        let mut cursors = [Count::default(); 2];
        let mut accounted = [0u64; 2];
        let mut counter = 0u32;
        let done: Result<(), TestCaseError> = wait_for(async {
            for (err, size, receive, bite, write_now) in writes {
                let stream = if err { Stream::Err } else { Stream::Out };
                let mut data = Vec::new();
                while data.len() < size {
                    counter += 1;
                    data.extend_from_slice(format!("{counter}\n").as_bytes());
                }
                wrote[stream as usize].extend_from_slice(&data);
                let end = log.append(stream, &data).await.end;
                if write_now {
                    flush(&store, &fleet).await;
                }
                let streams = match receive {
                    0 => continue,
                    1 => Streams::Both,
                    2 => Streams::Only(Stream::Out),
                    _ => Streams::Only(Stream::Err),
                };
                let (got, cut) = read(&store, window(CHILD, streams, cursors, end), bite).await;
                let mut expected_cut = Count::default();
                for stream in Stream::BOTH.into_iter().filter(|stream| streams.contains(*stream)) {
                    let (all, got) = (&wrote[stream as usize], &got[stream as usize]);
                    let from = accounted[stream as usize] as usize;
                    let span = &all[from..];
                    prop_assert!(got.len() <= span.len());
                    // What came is the beginning and the end of the span, with one hole between.
                    let start = got.iter().zip(span).take_while(|(a, b)| a == b).count();
                    prop_assert!(span.ends_with(&got[start..]), "out of order or altered");
                    expected_cut += Count::of(span) - Count::of(got);
                    accounted[stream as usize] = all.len() as u64;
                    cursors[stream as usize] = end.of(stream);
                }
                prop_assert_eq!(cut, expected_cut);
            }
            flush(&store, &fleet).await;
            let extent = log.extent();
            let kept = extent.end.offset() - extent.gap.map_or(0, |gap| gap.size().bytes);
            prop_assert!(kept <= (head + tail) as u64);
            Ok(())
        });
        done?;
    }
}

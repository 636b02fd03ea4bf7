use proptest::prelude::*;

use super::super::schema::{OUTPUT, Step};
use super::super::tests::{CHILD, JOB, fleet, flush, temporary, wait_for};
use super::super::{Caps, RowEnd};
use super::*;
use crate::core::output::{LONGEST_ROW, Stream};
use crate::core::time::Wall;

/// A row that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    at: Spot,
    end: Spot,
    what: What,
}

#[derive(Clone, PartialEq, Eq)]
enum What {
    Text(Stream, Vec<u8>, RowEnd),
    Cut(u64, u64),
}

impl std::fmt::Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(stream, data, ends) => write!(
                f,
                "{stream:?} {} bytes {:?} {ends:?}",
                data.len(),
                String::from_utf8_lossy(&data[..data.len().min(20)])
            ),
            Self::Cut(bytes, lines) => write!(f, "cut {bytes} bytes, {lines} lines"),
        }
    }
}

fn keep(row: Row<'_>) -> Kept {
    Kept {
        at: row.at,
        end: row.end,
        what: match row.what {
            RowKind::Text { stream, data, ends } => What::Text(stream, data.to_vec(), ends),
            RowKind::Cut(count) => What::Cut(count.bytes, count.lines),
        },
    }
}

fn rows(store: &Store, from: u64, to: u64) -> Vec<Kept> {
    let mut found = Vec::new();
    let end = store
        .glance(JOB, CHILD)
        .rows(from, to, &mut |row| {
            found.push(keep(row));
            ControlFlow::Continue(())
        })
        .expect("readable");
    if let Some(last) = found.last() {
        assert_eq!(last.end, end);
    }
    found
}

/// Rows as the definition has them, of output from which nothing was cut.
fn expected(writes: &[(Stream, Vec<u8>)]) -> Vec<Kept> {
    const LONGEST: u64 = LONGEST_ROW as u64;
    let mut rows: Vec<Kept> = Vec::new();
    let mut line_from = 0;
    let mut at = Spot::default();
    let mut begin = true;
    for (stream, byte) in writes
        .iter()
        .flat_map(|(stream, data)| data.iter().map(move |byte| (*stream, *byte)))
    {
        if let Some(Kept {
            what: What::Text(last, _, RowEnd::Open),
            ..
        }) = rows.last()
            && *last != stream
        {
            (line_from, begin) = (at.offset, true);
        }
        let behind = at.offset - line_from;
        let full = behind == LONGEST || (behind > LONGEST && at.offset.is_multiple_of(LONGEST));
        if begin || full {
            rows.push(Kept {
                at,
                end: at,
                what: What::Text(stream, Vec::new(), RowEnd::Open),
            });
        }
        begin = byte == b'\n';
        at.offset += 1;
        at.line += u64::from(begin);
        let row = rows.last_mut().expect("one was begun");
        row.end = at;
        let What::Text(_, data, ends) = &mut row.what else {
            panic!("nothing is cut");
        };
        if begin {
            *ends = RowEnd::Newline;
            line_from = at.offset;
        } else {
            data.push(byte);
        }
    }
    rows
}

#[test]
fn rows_end_with_lines_and_where_the_stream_changes() {
    let store = temporary(Caps::default());
    wait_for(async {
        let log = store.log(JOB, CHILD);
        for (stream, text) in [
            (Stream::Out, "one\ntw"),
            (Stream::Err, "warning\n"),
            (Stream::Out, "o\n\nlast"),
        ] {
            log.append(stream, text.as_bytes()).await;
        }
        let text = |at: (u64, u64), end: (u64, u64), stream, data: &str, ends| Kept {
            at: Spot {
                offset: at.0,
                line: at.1,
            },
            end: Spot {
                offset: end.0,
                line: end.1,
            },
            what: What::Text(stream, data.into(), ends),
        };
        let want = [
            text((0, 0), (4, 1), Stream::Out, "one", RowEnd::Newline),
            text((4, 1), (6, 1), Stream::Out, "tw", RowEnd::Open),
            text((6, 1), (14, 2), Stream::Err, "warning", RowEnd::Newline),
            text((14, 2), (16, 3), Stream::Out, "o", RowEnd::Newline),
            text((16, 3), (17, 4), Stream::Out, "", RowEnd::Newline),
            text((17, 4), (21, 4), Stream::Out, "last", RowEnd::Open),
        ];
        // Not written yet, and written.
        for _ in 0..2 {
            assert_eq!(rows(&store, 0, u64::MAX), want);
            assert_eq!(rows(&store, 5, 7), want[1..3]);
            assert_eq!(rows(&store, 16, 17), want[4..5]);
            assert_eq!(rows(&store, 21, u64::MAX), []);
            flush(&store, &fleet()).await;
        }
        let last = store.glance(JOB, CHILD).last_row(keep).expect("readable");
        assert_eq!(last.as_ref(), want.last());
        log.append(Stream::Out, &b"\n".repeat(100_000)).await;
        let last = store.glance(JOB, CHILD).last_row(keep).expect("readable");
        assert_eq!(
            last.map(|row| row.what),
            Some(What::Text(Stream::Out, b"last".into(), RowEnd::Newline)),
            "empty rows are passed over"
        );
    });
}

#[test]
fn a_huge_line_has_the_same_rows_from_wherever_it_is_seen() {
    let store = temporary(Caps {
        head: 64 << 20,
        ..Caps::default()
    });
    wait_for(async {
        let log = store.log(JOB, CHILD);
        let mut writes = vec![(Stream::Out, b"before\n".to_vec())];
        writes.push((Stream::Out, vec![b'x'; 10_000_000]));
        writes.push((Stream::Out, b"\nbehind\n".to_vec()));
        for (stream, data) in &writes {
            log.append(*stream, data).await;
        }
        let whole = expected(&writes);
        assert!(whole.len() > 150);
        for _ in 0..2 {
            assert_eq!(rows(&store, 0, u64::MAX), whole);
            for from in [
                8, 70_000, 131_071, 131_080, 5_000_000, 9_999_999, 10_000_008,
            ] {
                let some: Vec<Kept> = whole
                    .iter()
                    .filter(|row| row.end.offset > from && row.at.offset < from + 100_000)
                    .cloned()
                    .collect();
                let seen = rows(&store, from, from + 100_000);
                assert_eq!(seen, some, "from {from}");
            }
            flush(&store, &fleet()).await;
        }
    });
}

#[test]
fn a_cut_is_a_row_and_what_is_left_is_there_after_a_restart() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let caps = Caps {
        head: 1000,
        tail: 50_000,
        ..Caps::default()
    };
    let (store, _) = Store::open(home.path(), caps).expect("it is made");
    let before = wait_for(async {
        let log = store.log(JOB, CHILD);
        for n in 0..20_000 {
            log.append(Stream::Out, format!("line {n:07}\n").as_bytes())
                .await;
        }
        flush(&store, &fleet()).await;
        let mut glance = store.glance(JOB, CHILD);
        let extent = glance.extent().expect("readable");
        let gap = extent.gap.expect("something was cut");
        let all = rows(&store, 0, u64::MAX);
        let cuts: Vec<&Kept> = all
            .iter()
            .filter(|row| matches!(row.what, What::Cut(..)))
            .collect();
        let [cut] = cuts[..] else {
            panic!("one cut: {cuts:?}");
        };
        assert_eq!(cut.at, gap.from.into());
        assert_eq!(cut.end, gap.to.into());
        assert_eq!(
            cut.what,
            What::Cut(gap.size().bytes, gap.size().lines),
            "it says how much"
        );
        let last = all.last().expect("rows");
        assert_eq!(last.end, extent.end.into());
        // From within the cut it is the first row.
        let amidst = u64::midpoint(gap.from.offset(), gap.to.offset());
        assert_eq!(rows(&store, amidst, amidst + 1), [(*cut).clone()]);
        all
    });
    drop(store);
    let (store, _) = Store::open(home.path(), caps).expect("it is opened again");
    assert_eq!(rows(&store, 0, u64::MAX), before);
    let end = store.glance(JOB, CHILD).end().expect("readable");
    assert_eq!(Some(Spot::from(end)), before.last().map(|row| row.end));
}

/// Output that an earlier version stored has no times, and the file need not be written to be read.
#[test]
fn output_of_the_layout_before_is_read_and_goes_on() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
    wait_for(flush(&store, &fleet()));
    drop(store);
    let path = output::path(home.path(), JOB.0);
    let db = Connection::open(&path).expect("a file");
    let Step::Change(first) = OUTPUT[0] else {
        panic!("the first step makes everything");
    };
    db.execute_batch(first)
        .and_then(|()| db.pragma_update(None, "user_version", 1))
        .and_then(|()| {
            db.execute(
                "INSERT INTO block VALUES (1, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, x'04000000', x'6f6c640a')",
                [],
            )
        })
        .expect("the layout before");
    drop(db);
    let times = |store: &Store| {
        let mut times: Vec<Option<Wall>> = Vec::new();
        let seen = store.glance(JOB, CHILD).rows(0, u64::MAX, &mut |row| {
            times.push(row.time);
            ControlFlow::Continue(())
        });
        seen.expect("readable");
        times
    };
    let (store, _) = Store::open(home.path(), Caps::default()).expect("it is opened");
    assert_eq!(times(&store), [None]);
    // Of the other child: the first one's output goes on elsewhere.
    wait_for(async {
        let other = JOB.child(1);
        store.log(JOB, other).append(Stream::Out, b"new\n").await;
        flush(&store, &fleet()).await;
    });
    assert_eq!(times(&store), [None]);
    let mut glance = store.glance(JOB, JOB.child(1));
    let time = glance.last_row(|row| row.time).expect("readable");
    let now = super::super::writer::wall();
    assert!(
        time.flatten()
            .is_some_and(|time| (now.0 - time.0).abs() < 600_000),
        "{time:?} is not about {now:?}"
    );
}

#[test]
fn all_output_of_several_children_comes_in_order() {
    let store = temporary(Caps::default());
    wait_for(async {
        let children = [JOB.child(0), JOB.child(1)];
        let logs = children.map(|child| store.log(JOB, child));
        for n in 0..5000 {
            for (log, stream) in logs.iter().zip(Stream::BOTH) {
                log.append(stream, format!("{n}\n").as_bytes()).await;
            }
        }
        let gathered = || {
            let mut got: std::collections::BTreeMap<(ChildId, Stream), Vec<u8>> =
                std::collections::BTreeMap::new();
            store
                .each_piece(JOB, &children, &mut |child, stream, data| {
                    got.entry((child, stream)).or_default().extend(data);
                    ControlFlow::Continue(())
                })
                .expect("readable");
            got
        };
        let want: Vec<u8> = (0..5000)
            .flat_map(|n| format!("{n}\n").into_bytes())
            .collect();
        let want = std::collections::BTreeMap::from([
            ((children[0], Stream::Out), want.clone()),
            ((children[1], Stream::Err), want),
        ]);
        assert!(gathered() == want, "in memory");
        flush(&store, &fleet()).await;
        assert!(gathered() == want, "written, while logs are held");
        drop(logs);
        assert!(gathered() == want, "on disk");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Any window shows the rows that the whole has there; and without cuts these are what the definition says.
    #[test]
    fn any_window_shows_the_rows_of_the_whole(
        writes in prop::collection::vec((any::<bool>(), 1..90_000usize, 1..100_000usize, any::<bool>()), 1..12),
        windows in prop::collection::vec((0.0..1.1f64, 1..200_000u64), 1..12),
        head in 0..40_000usize,
        tail in prop::sample::select(vec![20_000usize, 200_000, 4 << 20]),
    ) {
        let store = temporary(Caps { head, tail, ..Caps::default() });
        let done: Result<(), TestCaseError> = wait_for(async {
            let (log, fleet) = (store.log(JOB, CHILD), fleet());
            let mut written = Vec::new();
            for (err, size, line, write_now) in writes {
                let stream = if err { Stream::Err } else { Stream::Out };
                let data: Vec<u8> = (0..size)
                    .map(|n| if n % line == line - 1 { b'\n' } else { b'a' + (n % 26) as u8 })
                    .collect();
                log.append(stream, &data).await;
                written.push((stream, data));
                if write_now {
                    flush(&store, &fleet).await;
                }
            }
            let whole = rows(&store, 0, u64::MAX);
            let cut = whole.iter().any(|row| matches!(row.what, What::Cut(..)));
            if !cut {
                prop_assert_eq!(&whole, &expected(&written));
            }
            for (row, next) in whole.iter().zip(&whole[1..]) {
                prop_assert_eq!(row.end, next.at, "nothing is left out");
            }
            let end = log.extent().end;
            prop_assert_eq!(whole.last().map(|row| row.end), Some(Spot::from(end)));
            for (place, size) in windows {
                let from = (end.offset() as f64 * place) as u64;
                let to = from + size;
                let some: Vec<Kept> = whole
                    .iter()
                    .filter(|row| row.end.offset > from && row.at.offset < to)
                    .cloned()
                    .collect();
                prop_assert_eq!(rows(&store, from, to), some, "from {} to {}", from, to);
            }
            Ok(())
        });
        done?;
    }
}

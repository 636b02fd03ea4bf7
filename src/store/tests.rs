use proptest::prelude::*;

use super::*;
use crate::core::output::Streams;

const JOB: JobId = JobId(1);
const CHILD: ChildId = ChildId(2);

fn window(streams: Streams, from: [Count; 2], to: Position) -> Window {
    Window {
        child: CHILD,
        streams,
        from,
        to: [to.out, to.err],
    }
}

/// Reads a window in small bites: what came of each stream, and what was cut.
fn read(store: &Store, window: Window, bite: usize) -> ([Vec<u8>; 2], Count) {
    let (mut got, mut cut) = ([Vec::new(), Vec::new()], Count::default());
    let mut reader = store.read(JOB, window).expect("the child wrote something");
    loop {
        let pieces = reader.next(bite);
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
    let store = Store::new(Caps {
        head: 100,
        tail: 40_000,
    });
    let log = store.log(JOB, CHILD);
    for n in 0..20_000 {
        log.append(Stream::Out, format!("{n:07}\n").as_bytes());
    }
    let Extent { end, gap } = log.extent();
    let dropped = gap.expect("something was cut").size();
    assert_eq!((end.out.bytes, end.out.lines), (160_000, 20_000));
    let (got, cut) = read(
        &store,
        window(Streams::Both, [Count::default(); 2], end),
        777,
    );
    assert_eq!(cut, dropped);
    assert_eq!(got[0].len() as u64 + cut.bytes, 160_000);
    assert!(got[0].starts_with(b"0000000\n") && got[0].ends_with(b"0019999\n"));
    assert!(got[0].len() > 100 + 40_000 - 16_384 && got[0].len() <= 40_100);
}

#[test]
fn a_dropped_job_has_nothing_left() {
    let store = Store::default();
    let end = store.log(JOB, CHILD).append(Stream::Out, b"x").end;
    store.drop_job(JOB);
    assert!(
        store
            .read(JOB, window(Streams::Both, [Count::default(); 2], end))
            .is_none()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever is written in whatever pieces, and received in whatever steps and streams: every byte comes once, in
    /// order, or is counted as cut, once.
    #[test]
    fn every_byte_comes_once_or_is_counted(
        writes in prop::collection::vec((any::<bool>(), 0..12_000usize, 0..4u8, 1..9_000usize), 1..30),
        head in 0..20_000usize,
        tail in 0..40_000usize,
    ) {
        let store = Store::new(Caps { head, tail });
        let log = store.log(JOB, CHILD);
        let mut wrote: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
        let mut cursors = [Count::default(); 2];
        let mut accounted = [0u64; 2];
        let mut counter = 0u32;
        for (err, size, receive, bite) in writes {
            let stream = if err { Stream::Err } else { Stream::Out };
            let mut data = Vec::new();
            while data.len() < size {
                counter += 1;
                data.extend_from_slice(format!("{counter}\n").as_bytes());
            }
            wrote[stream as usize].extend_from_slice(&data);
            let end = log.append(stream, &data).end;
            let streams = match receive {
                0 => continue,
                1 => Streams::Both,
                2 => Streams::Only(Stream::Out),
                _ => Streams::Only(Stream::Err),
            };
            let (got, cut) = read(&store, window(streams, cursors, end), bite);
            let mut expected_cut = 0;
            for stream in Stream::BOTH.into_iter().filter(|stream| streams.contains(*stream)) {
                let (all, got) = (&wrote[stream as usize], &got[stream as usize]);
                let from = accounted[stream as usize] as usize;
                let span = &all[from..];
                prop_assert!(got.len() <= span.len());
                // What came is the beginning and the end of the span, with one hole between.
                let start = got.iter().zip(span).take_while(|(a, b)| a == b).count();
                prop_assert!(span.ends_with(&got[start..]), "out of order or altered");
                expected_cut += (span.len() - got.len()) as u64;
                accounted[stream as usize] = all.len() as u64;
                cursors[stream as usize] = end.of(stream);
            }
            prop_assert_eq!(cut.bytes, expected_cut);
        }
        let kept = log.extent().end.offset() - log.extent().gap.map_or(0, |gap| gap.size().bytes);
        prop_assert!(kept <= (head + tail) as u64);
    }
}

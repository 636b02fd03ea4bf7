use proptest::prelude::*;

use super::Trifle::{Host, Numbers, Space, Times};
use super::*;

fn reading(ignored: &[Trifle], host: &str) -> Reading {
    Reading::new(ignored.iter().copied().collect(), host)
}

/// How a line reads, with words for what is ignored.
fn reads(ignored: &[Trifle], host: &str, line: &str) -> String {
    let mut out = Vec::new();
    reading(ignored, host).line(line.as_bytes(), &mut out);
    let words = [(NUMBER, "<n>"), (TIME, "<t>"), (HOST, "<h>")];
    let mut text = String::new();
    let mut rest = out.as_slice();
    while let Some(first) = rest.first() {
        let found = words
            .iter()
            .find_map(|(mark, word)| Some((rest.strip_prefix(*mark)?, *word)));
        if let Some((behind, word)) = found {
            text.push_str(word);
            rest = behind;
        } else {
            text.push(char::from(*first));
            rest = &rest[1..];
        }
    }
    text
}

#[test]
fn white_space_reads_alike() {
    for (line, want) in [
        ("a  b\t \tc", "a b c"),
        ("  a b  ", "a b"),
        ("a\r", "a"),
        ("10%\r20%", "10% 20%"),
        (" \t\r", ""),
        ("", ""),
        ("a\u{a0}b", "a\u{c2}\u{a0}b"),
    ] {
        assert_eq!(reads(&[Space], "web01", line), want, "{line:?}");
    }
}

#[test]
fn numbers_read_alike() {
    for (line, want) in [
        ("80 users", "<n> users"),
        ("eth0: 1.5%", "eth<n>: <n>.<n>%"),
        ("-3 +4", "-<n> +<n>"),
        ("0x1F 0Xff 0x 0xg", "<n> <n> <n>x <n>xg"),
        ("at 0xdeadbeefcafe.", "at <n>."),
        ("beef a1b2", "beef a<n>b<n>"),
        ("007x8", "<n>x<n>"),
        ("1 234,5", "<n> <n>,<n>"),
        ("2026-11-28", "<n>-<n>-<n>"),
        ("web01", "web<n>"),
    ] {
        assert_eq!(reads(&[Numbers], "web01", line), want, "{line:?}");
    }
}

#[test]
fn times_read_alike() {
    for (line, want) in [
        // ISO 8601 and RFC 3339.
        ("2026-11-28", "<t>"),
        ("2026-11-28T22:39", "<t>"),
        ("2026-11-28T22:39:16Z up", "<t> up"),
        ("2026-11-28T22:39:16.123456+01:00", "<t>"),
        ("2026-11-28 22:39:16,123 +0100 x", "<t> x"),
        ("2026-11-28 22:39:16 x", "<t> x"),
        ("[2026-11-28t22:39:16-03:00]", "[<t>]"),
        ("20261128T223916Z", "<t>"),
        ("20261128T223916", "<t>"),
        ("backup-2026-11-28.tar", "backup-<t>.tar"),
        ("2026-11-28 is", "<t> is"),
        ("2026-11-28 22:39:99", "<t> 22:39:99"),
        // By the month's name.
        ("Nov 28 22:39:16 web01 sshd[7]: x", "<t> web01 sshd[7]: x"),
        ("Nov  8 22:39:16.5 x", "<t> x"),
        ("Sat Nov 28 22:40:56 UTC 2026", "<t>"),
        ("Sat, Nov 28 22:40:56 2026", "<t>"),
        ("Sat Nov 28 22:40:56 -03 2026", "<t>"),
        ("Nov 28 22:40 a", "<t> a"),
        ("Nov 28  2025 a", "<t> a"),
        ("Nov  8  2025", "<t>"),
        ("Nov 28 22:40:56 UTC", "<t> UTC"),
        // The time of day.
        (
            " 22:40:56 up 3 days,  4:05, 1 user",
            " <t> up 3 days,  <t>, 1 user",
        ),
        ("22:39:16.123", "<t>"),
        ("10:20-11:30.", "<t>-<t>."),
        ("at 00:00", "at <t>"),
        ("x=12:34:56;", "x=<t>;"),
    ] {
        assert_eq!(reads(&[Times], "web01", line), want, "{line:?}");
    }
}

#[test]
fn what_only_looks_like_a_time_stays() {
    for line in [
        "00:16:3e:12:34:56",
        "fe80::12:34",
        "1.2.3.4:22",
        "web:22",
        "25:00 12:60 12:34:61",
        "1:2 123:45 12:345",
        "2026-13-01 2026-11-32 2026-11",
        "12026-11-28 2026-11-280 2026-11-28x",
        "20261128 20261128T99",
        "1764369596",
        "Nov 28",
        "Nov 28th 2026 or November 28 22:39x",
        "Sat 28 May",
        "xNov 28 2026",
        "Nov 32 2026",
        "a22:40",
        "22:40b 22:40_",
    ] {
        let left = reads(&[Times], "web01", line);
        assert_eq!(left, line, "{line:?}");
    }
}

#[test]
fn the_own_name_reads_alike() {
    for (host, line, want) in [
        ("web01", "web01 WEB01 Web01:", "<h> <h> <h>:"),
        (
            "web01",
            "web011 xweb01 web01-a web01_ my-web01",
            "web011 xweb01 web01-a web01_ my-web01",
        ),
        ("web01", "web01.example.com", "<h>.example.com"),
        (
            "web01.example.com",
            "web01.example.com web01 web01.other",
            "<h> <h> <h>.other",
        ),
        ("web01.example.com", "example.com", "example.com"),
        (
            "op@web01.example.com:2222",
            "op@web01 web01.example.com:22",
            "op@<h> <h>:22",
        ),
        (
            "10.0.0.1",
            "10.0.0.1:22 10 10.0.0.1. 110.0.0.1 10.0.0.12",
            "<h>:22 10 <h>. 110.0.0.1 10.0.0.12",
        ),
        ("10.0.0.1", "10.0.0.1.5 5.10.0.0.1", "10.0.0.1.5 5.10.0.0.1"),
        ("[2001:db8::1]:22", "on 2001:DB8::1", "on <h>"),
        ("2001:db8::1", "on [2001:db8::1]", "on [<h>]"),
        ("7.example.com", "7 of 7.example.com", "7 of <h>"),
        ("", "a b", "a b"),
    ] {
        assert_eq!(reads(&[Host], host, line), want, "{host} {line:?}");
    }
}

#[test]
fn what_is_ignored_goes_together() {
    let all = Trifle::ALL;
    for (line, want) in [
        ("Nov  8 22:39:16  web01 eth0\t7 ", "<t> <h> eth<n> <n>"),
        ("1764369596 2026-11-28", "<n> <t>"),
        ("00:16:3e:12:34:56", "<n>:<n>:<n>e:<n>:<n>:<n>"),
    ] {
        assert_eq!(reads(&all, "web01", line), want, "{line:?}");
    }
    assert_eq!(reads(&[], "web01", " 7  web01 22:39 "), " 7  web01 22:39 ");
}

#[test]
fn what_is_ignored_is_named_and_written_down() {
    let some: Ignored = [Times, Numbers].into_iter().collect();
    assert_eq!(some.to_string(), "numbers, times");
    assert_eq!(Ignored::from_bits(some.bits()), some);
    assert_eq!(Ignored::from_bits(0xff).each().count(), 4);
    assert_eq!(Ignored::NOTHING.to_string(), "");
}

#[test]
fn places_are_found_again() {
    let reading = reading(&[Numbers, Space], "web01");
    let line = b"  up  1234 days and 7";
    let mut reads = Vec::new();
    reading.line(line, &mut reads);
    assert_eq!(reads, b"up \xfe# days and \xfe#");
    for (place, want) in [
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 6),
        (4, 6),
        (5, 10),
        (6, 11),
        (99, line.len()),
    ] {
        assert_eq!(reading.place_in(line, place), want, "{place}");
    }
}

/// An output in pieces, as it reads.
fn in_pieces(ignored: &[Trifle], pieces: &[&[u8]]) -> Vec<u8> {
    let mut reader = Reader::new(reading(ignored, "web01"));
    let mut reads = Vec::new();
    for piece in pieces {
        reader.piece(Stream::Out, piece, &mut reads);
    }
    reader.finish(Stream::Out, &mut reads);
    reads
}

#[test]
fn lines_end_where_they_end() {
    let cases: [(&[Trifle], &str, &str); 6] = [
        (&[Numbers], "a\n\nb", "a\n\nb"),
        (&[Numbers], "a\n\nb\n", "a\n\nb\n"),
        (&[Space], "a\n\n \t\nb", "a\nb\n"),
        (&[Space], "a\nb\n", "a\nb\n"),
        (&[Space], " \n\n", ""),
        (&[Space], "a\r\nb\r\n", "a\nb\n"),
    ];
    for (ignored, text, want) in cases {
        let reads = in_pieces(ignored, &[text.as_bytes()]);
        assert_eq!(
            String::from_utf8_lossy(&reads),
            want,
            "{ignored:?} {text:?}"
        );
    }
}

#[test]
fn streams_are_read_apart() {
    let mut reader = Reader::new(reading(&[Numbers], "web01"));
    let mut reads = Vec::new();
    reader.piece(Stream::Out, b"load 1", &mut reads);
    reader.piece(Stream::Err, b"line 2\n", &mut reads);
    assert_eq!(reads, b"line \xfe#\n");
    reads.clear();
    reader.piece(Stream::Out, b"23\n", &mut reads);
    assert_eq!(reads, b"load \xfe#\n");
}

/// A line of any length needs the memory of a part, and what it reads as follows from its bytes alone.
#[test]
fn endless_lines_are_read_in_parts() {
    let line = vec![b'7'; 3 * LONGEST_PART + 5];
    let whole = in_pieces(&[Numbers], &[&line, b"\n"]);
    assert_eq!(whole, b"\xfe#\xfe#\xfe#\xfe#\n");
    let mut reader = Reader::new(reading(&[Numbers], "web01"));
    let mut reads = Vec::new();
    for piece in line.chunks(1000) {
        reader.piece(Stream::Out, piece, &mut reads);
        assert!(reader.streams[0].part.capacity() <= 2 * LONGEST_PART);
    }
    reader.piece(Stream::Out, b"\n", &mut reads);
    assert_eq!(reads, whole);
    // The newline belongs to the line, even where a part ends with it.
    let exact = vec![b'x'; LONGEST_PART];
    let text = [&exact[..], b"\ny\n"].concat();
    assert_eq!(in_pieces(&[Numbers], &[&text]), text);
}

#[test]
fn anything_is_read_in_time_that_grows_with_it() {
    let lines: [Vec<u8>; 6] = [
        b"2026-11-28".repeat(LONGEST_PART / 10),
        b"12:".repeat(LONGEST_PART / 3),
        b"Nov ".repeat(LONGEST_PART / 4),
        b"web01-".repeat(LONGEST_PART / 6),
        b"0x".repeat(LONGEST_PART / 2),
        vec![0; LONGEST_PART],
    ];
    let reading = reading(&Trifle::ALL, "web01.example.com");
    for line in lines {
        let mut reads = Vec::new();
        reading.line(&line, &mut reads);
        assert!(!reads.is_empty() && reads.len() <= 2 * line.len());
    }
}

/// Bytes of which times, numbers, names and lines are often made.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"2026-11-28T22:39:16Z".to_vec()),
        Just(b"Nov  8 22:39".to_vec()),
        Just(b"web01".to_vec()),
        Just(b"0xff".to_vec()),
        Just(b"\n".to_vec()),
        Just(b" \t".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in bytes(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        bits in 0_u8..16,
    ) {
        let ignored: Vec<Trifle> = Ignored::from_bits(bits).each().collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        prop_assert_eq!(in_pieces(&ignored, &pieces), in_pieces(&ignored, &[&text]));
        // And it reads as its lines do.
        let reading = reading(&ignored, "web01");
        let mut lines = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let before = lines.len();
            reading.line(line.strip_suffix(b"\n").unwrap_or(line), &mut lines);
            let counts = lines.len() > before;
            let space = reading.ignored().has(Space);
            if (space && counts) || (!space && line.ends_with(b"\n")) {
                lines.push(b'\n');
            }
        }
        prop_assert_eq!(in_pieces(&ignored, &[&text]), lines);
    }

    #[test]
    fn ignoring_nothing_changes_nothing(text in bytes()) {
        prop_assert_eq!(in_pieces(&[], &[&text]), text);
    }

    #[test]
    fn every_place_is_within_the_line(line in bytes(), place in 0_usize..200, bits in 0_u8..16) {
        let ignored: Vec<Trifle> = Ignored::from_bits(bits).each().collect();
        prop_assert!(reading(&ignored, "web01").place_in(&line, place) <= line.len());
    }
}

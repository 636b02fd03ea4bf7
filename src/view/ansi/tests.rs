use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn line(row: impl AsRef<[u8]>) -> Line {
    Line::of(row.as_ref(), Pen::default()).0
}

fn text(line: &Line) -> String {
    line.spans.iter().map(|span| span.text.as_str()).collect()
}

#[test]
fn rows_read_as_on_a_terminal() {
    let cases: [(&[u8], &str); 28] = [
        (b"", ""),
        (b"plain", "plain"),
        (b"dos\r", "dos"),
        (b"10%\r20%\r100%", "100%"),
        (b"100% of it\rdone", "done of it"),
        (b"100% of it\r\x1b[Kdone", "done"),
        (b"100% of it\x1b[2Kdone", "done"),
        (b"100% of it\x1b[1Gdone", "done of it"),
        (b"|\x08/\x08-", "-"),
        (b"\x08\x08a", "a"),
        (b"N\x08Na\x08a", "Na"),
        (b"a\tb", "a       b"),
        (b"12345678\tb", "12345678        b"),
        (b"abcdefghij\r\tX", "abcdefghXj"),
        (b"a\tb\rxyz", "xyz     b"),
        (b"\x1b[2J\x1b[Hhome", "home"),
        (b"\x1b]0;title\x07a\x1b]52;c;aGVsbG8=\x1b\\b", "ab"),
        (b"\x1b]8;;http://example.org\x07link\x1b]8;;\x07", "link"),
        (b"\x1bP1$r0m\x1b\\a\x1b_apc\x1b\\b\x1b^pm\x1b\\c", "abc"),
        (b"\x1b(0lqqk\x1b(B\x1b=\x1b7\x1bc", "lqqk"),
        (b"a\x00b\x07c\x7f", "a\\x00b\\x07c\\x7f"),
        (
            b"caf\xc3\xa9 \xff\xfe \xe6\x97",
            "café \\xff\\xfe \\xe6\\x97",
        ),
        ("\u{9b}31mred".as_bytes(), "\\x9b31mred"),
        (
            "user\u{202e}txt.exe\u{200b}\u{feff}".as_bytes(),
            "user\\u{202e}txt.exe\\u{200b}\\u{feff}",
        ),
        ("日本\r国".as_bytes(), "国本"),
        ("日本\rx".as_bytes(), "x 本"),
        ("ab\r日".as_bytes(), "日"),
        ("⚠\u{fe0f} e\u{301}".as_bytes(), "⚠ e\u{301}"),
    ];
    for (row, want) in cases {
        assert_eq!(
            text(&line(row)),
            want,
            "{:?}",
            row.escape_ascii().to_string()
        );
    }
}

#[test]
fn tabs_stay_where_text_is_copied() {
    assert_eq!(plain(b"a\tb"), "a\tb");
    assert_eq!(plain(b"a\t\x1b[1mb\x1b[0m"), "a\tb");
    assert_eq!(plain("é\t日".as_bytes()), "é\t日");
}

#[test]
fn colours_are_taken_out_without_laying_the_row_out() {
    assert_eq!(
        uncoloured("\u{1b}[1;31mE:\u{1b}[0m\tno é\u{1b}[m").as_deref(),
        Some("E:\tno é")
    );
    for row in [
        "a\rb",
        "\u{1b}[2K",
        "\u{1b}[31",
        "\u{1b}]0;x\u{7}",
        "\u{1b}[>4m",
        "e\u{301}\u{1b}[m",
    ] {
        assert_eq!(uncoloured(row), None, "{row:?}");
    }
}

#[test]
fn text_that_is_nothing_but_text_is_not_copied() {
    for row in ["", "plain", "tab\tbed", "日本 é", "dos\r"] {
        assert!(matches!(plain(row.as_bytes()), Cow::Borrowed(_)), "{row}");
    }
}

#[test]
fn colours_and_attributes_are_kept() {
    let fg = |colour| Look {
        fg: Some(colour),
        ..Look::default()
    };
    let has = |attributes| Look {
        attributes,
        ..Look::default()
    };
    let cases = [
        ("31", fg(Colour::Indexed(1))),
        ("97", fg(Colour::Indexed(15))),
        ("38;5;208", fg(Colour::Indexed(208))),
        ("38:5:208", fg(Colour::Indexed(208))),
        ("38;2;1;2;3", fg(Colour::Rgb(1, 2, 3))),
        ("38:2:1:2:3", fg(Colour::Rgb(1, 2, 3))),
        ("38:2::1:2:3", fg(Colour::Rgb(1, 2, 3))),
        ("38;5;999", Look::default()),
        ("58;2;1;4;7", Look::default()),
        ("1;2;3;4;7;9;22;23;24;27;29", Look::default()),
        ("1;3", has(Attributes::BOLD | Attributes::ITALIC)),
        ("4:3", has(Attributes::UNDERLINE)),
        ("4:3;4:0", Look::default()),
        ("5;8;7", has(Attributes::REVERSE)),
        ("31;39;2", has(Attributes::DIM)),
        ("31;0;9", has(Attributes::STRIKE)),
        ("31;", Look::default()),
    ];
    for (sgr, want) in cases {
        let line = line(format!("\x1b[{sgr}mx"));
        assert_eq!(line.spans[0].look, want, "{sgr}");
        let background = sgr.replacen("38", "48", 1);
        if background != sgr {
            let look = self::line(format!("\x1b[{background}mx")).spans[0].look;
            assert_eq!((look.bg, look.fg), (want.fg, None), "{background}");
        }
    }
    // Not SGR, for all it ends in m.
    assert_eq!(line("\x1b[>4;1mx").spans[0].look, Look::default());
}

#[test]
fn a_colour_goes_on_in_the_next_row_and_nothing_else_does() {
    let (_, pen) = Line::of(b"\x1b[31mred", Pen::default());
    let (next, pen) = Line::of(b"still\x1b[0m not", pen);
    assert_eq!(next.spans.len(), 2);
    assert_eq!(next.spans[0].look.fg, Some(Colour::Indexed(1)));
    assert_eq!(pen, Pen::default());
    let (_, pen) = Line::of(b"\x1b]0;no end", pen);
    assert_eq!(text(&Line::of(b"seen", pen).0), "seen");
}

#[test]
fn marks_pile_up_only_so_high() {
    let row = format!("e{}", "\u{301}".repeat(50));
    let line = line(&row);
    assert!(text(&line).starts_with("e\u{301}\u{301}\u{301}\u{301}\\u{301}"));
    assert_eq!(line.cells, 1 + 46 * "\\u{301}".len());
}

#[test]
fn places_in_the_text_are_found_on_the_screen() {
    let text = plain("a\t日e\u{301}x\u{1b}[1my".as_bytes()).into_owned();
    let at = |piece: &str| {
        let from = text.find(piece).expect("a piece of it");
        cells_of(&text, std::iter::once(from..from + piece.len()))[0].clone()
    };
    assert_eq!(at("a"), 0..1);
    assert_eq!(at("\t"), 1..8);
    assert_eq!(at("日"), 8..10);
    assert_eq!(at("xy"), 11..13);
}

/// Pieces of which hostile rows are made.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[ -~]{0,12}".prop_map(String::into_bytes),
        "\\PC{0,6}".prop_map(String::into_bytes),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..6),
        "\u{1b}\\[[0-9:;?>]{0,8}[@-~]".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "\r",
            "\u{8}",
            "\t",
            "\u{1b}]52;c;",
            "\u{1b}\\",
            "\u{7}",
            "\u{1b}P",
            "日",
            "e\u{301}",
            "\u{301}",
            "\u{202e}",
            "\u{200d}",
            "\u{1f44d}\u{1f3fd}",
            "\u{fe0f}",
            "\u{1b}[K",
            "\u{1b}[31m",
            "\u{1b}[0m",
            "\u{1b}[38:2:1:2:3;4m",
            "\u{1b}[>4m",
            "\u{9b}",
            "\0"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_in_a_row_can_do_anything(row in hostile()) {
        let line = line(&row);
        let mut sum = 0;
        for span in &line.spans {
            for c in span.text.chars() {
                prop_assert!(!c.is_control(), "{c:?}");
                prop_assert!(!crate::view::text::is_deceptive(c), "{c:?}");
            }
            prop_assert!(!span.text.is_empty() && span.cells > 0);
            sum += span.cells;
        }
        prop_assert_eq!(sum, line.cells);
        let plain = plain(&row);
        prop_assert!(plain.chars().all(|c| c == '\t' || !c.is_control()));
        let end = cells_of(&plain, std::iter::once(plain.len()..plain.len()))[0].end;
        prop_assert_eq!(end, line.cells);
    }

    #[test]
    fn what_is_searched_is_what_is_seen_however_it_is_read(row in hostile()) {
        prop_assert_eq!(plain(&row), Grid::of(&row, Pen::default()).text());
    }

    #[test]
    fn the_pen_is_the_same_with_and_without_the_row(row in hostile()) {
        let (_, pen) = Line::of(&row, Pen::default());
        prop_assert_eq!(pen_after(&row, Pen::default()), pen);
    }

    #[test]
    fn every_cluster_is_as_wide_as_it_is_said_to_be(row in hostile()) {
        // What the widths of characters add up to is what a terminal is told cell by cell.
        for span in line(&row).spans {
            let sum: usize = span.text.chars().map(|c| c.width().unwrap_or(0)).sum();
            prop_assert_eq!(sum, span.cells, "{:?}", span.text);
        }
    }
}

#[test]
fn hostile_rows_cost_no_more_than_their_length() {
    let rows: [&[u8]; 9] = [
        b"\t",
        b"x\r",
        b"\x1b[2Kx",
        b"x\x1b[K",
        b"\x08",
        "e\u{301}\u{301}".as_bytes(),
        b"\xff",
        b"\x1b[31mx",
        b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20",
    ];
    for piece in rows {
        let row = piece.repeat((64 << 10) / piece.len());
        // Quadratic work would be in the thousands of millions of steps here: minutes, even for a slow machine's excuse.
        let took = time(|| _ = line(&row));
        assert!(took < Duration::from_secs(5), "{piece:?} took {took:?}");
    }
}

/// `cargo test --release --lib view::ansi -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, for a release build"]
fn forty_megabytes_a_second() {
    let coloured = "\x1b[32m2024-05-01T12:00:00\x1b[0m \x1b[1mINFO\x1b[0m listening on é 0.0.0.0:80, took 12 ms";
    let rows: [(&str, &str); 4] = [
        (
            "ascii",
            "2024-05-01T12:00:00 INFO listening on 0.0.0.0:80, took 12 ms, all is well",
        ),
        ("colours", coloured),
        ("wide", "日本語のテキストはここにあります、そして続きます"),
        (
            "progress",
            "[####      ] 40%\r[#####     ] 50%\r[######    ] 60%\r",
        ),
    ];
    for (name, row) in rows {
        let repeat = (40 << 20) / row.len();
        let took = time(|| {
            for _ in 0..repeat {
                std::hint::black_box(line(std::hint::black_box(row)));
            }
        });
        let speed = 40.0 * 1.048 / took.as_secs_f64();
        println!("{name}: {speed:.0} MB/s");
        assert!(speed > 40.0, "{name}: {speed:.0} MB/s");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is how long it takes"
)]
fn time(work: impl FnOnce()) -> Duration {
    let began = std::time::Instant::now();
    work();
    began.elapsed()
}

//! Pictures of the view at all sizes, and hostile output.

use std::fmt::Write as _;

use ratatui::layout::Size;

use super::*;
use crate::core::alike::{Ignored, Reading};
use crate::core::output::{Count, Stream};
use crate::tui::output::diff;
use crate::tui::output::styles::{Colours, Signs};
use crate::view::diff::Lines;

const SIZES: [Size; 4] = [
    Size::new(40, 10),
    Size::new(80, 24),
    Size::new(160, 50),
    Size::new(300, 100),
];

/// The title and the screen.
fn picture(view: &OutputView, size: Size) -> String {
    let title = view.title();
    let lines = screen(view, size).join("\n");
    let lines = lines.trim_end();
    format!("[{} | {}]\n{lines}\n", title.left, title.right)
}

fn upgrade() -> Store {
    let mut store = Store::of("+ apt-get -s upgrade\nNOTE: This is only a simulation!\n");
    store.write(
        1,
        Stream::Out,
        "      apt-get needs root privileges for real execution.\n",
    );
    store.write(
        1,
        Stream::Out,
        "\x1b[1mReading package lists...\x1b[0m \x1b[32mDone\x1b[0m\n",
    );
    store.write(
        1,
        Stream::Out,
        "fetching  10%\rfetching  60%\rfetching 100%\n",
    );
    store.cut(
        1,
        Count {
            bytes: 1_234_567,
            lines: 12_304,
        },
    );
    for package in ["libssl3", "openssl", "日本語-パッケージ"] {
        store.write(
            1,
            Stream::Out,
            &format!("Inst {package} [3.0.11-1] (3.0.13-1 Debian:12.5/stable [amd64]) and all that comes with it\n"),
        );
    }
    store.write(
        1,
        Stream::Err,
        "E: Could not get lock /var/lib/dpkg/lock-frontend (held by pid 8121)\n",
    );
    store.write(1, Stream::Out, "name\tsize\tdate\nopenssl\t12\ttoday\n");
    store
}

#[test]
fn a_child_at_all_sizes() {
    for size in SIZES {
        let mut store = upgrade();
        let child = store.child(1, Some("exit 100"));
        let mut view = open(Document::Child(child), &mut store, size);
        view.search("lock");
        store.serve(&mut view);
        let name = format!("child_{}x{}", size.width, size.height);
        insta::assert_snapshot!(name, picture(&view, size));
    }
}

#[test]
fn a_job_at_all_sizes() {
    for size in SIZES {
        let mut store = Store::default();
        for child in 1..=20 {
            store.write(child, Stream::Out, &format!("up {child} days\n"));
            store.write(
                child,
                Stream::Err,
                &format!("warning {}\n", "of something ".repeat(30)),
            );
        }
        let children =
            (1..=20).map(|child| store.child(child, (child % 3 > 0).then_some("exit 0")));
        let document = Document::Children(children.collect());
        let mut view = open(document, &mut store, size);
        press(&mut view, &mut store, &[Act::Times, Act::Wrap, Act::Rule]);
        let name = format!("job_{}x{}", size.width, size.height);
        insta::assert_snapshot!(name, picture(&view, size));
    }
}

#[test]
fn a_difference_at_all_sizes() {
    for size in SIZES {
        let reading = Reading::new(Ignored::NOTHING, "web03");
        let lines = |text: &'static str| Lines::of(text.lines().map(str::as_bytes), &reading);
        let theirs = lines("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten");
        let ours = lines("one\ntwo\nthree\nfour\n5\nsix\nseven\neight\nnine\nten\neleven");
        let document = diff::diff("web03 beside 10 others", &theirs, &ours, None);
        let view = open(document, &mut Store::default(), size);
        let name = format!("diff_{}x{}", size.width, size.height);
        insta::assert_snapshot!(name, picture(&view, size));
    }
}

#[test]
fn styles_are_what_the_output_and_the_view_say() {
    let size = Size::new(80, 14);
    let mut store = upgrade();
    store.write(1, Stream::Out, "not complete");
    let mut view = one(&mut store, size);
    view.search("lock");
    store.serve(&mut view);
    view.search_done();
    press(&mut view, &mut store, &[Act::Select, Act::Down]);
    let buffer = buffer(&view, size);
    let mut picture = String::new();
    for y in 0..size.height {
        let mut last = None;
        for x in 0..size.width {
            let cell = &buffer[(x, y)];
            let style = (cell.fg, cell.bg, cell.modifier);
            if last.replace(style) != Some(style) {
                _ = write!(picture, "\n{y:2}:{x:2} {style:?} ");
            }
            picture.push_str(cell.symbol());
        }
    }
    let picture: Vec<_> = picture.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("styles_80x14", picture.join("\n"));
}

#[test]
fn without_colours_attributes_stay_and_with_ascii_nothing_else_is_drawn() {
    let size = Size::new(60, 4);
    let mut store = Store::of("\x1b[1;31mred\x1b[0m\n");
    let child = store.child(1, Some("exit 0"));
    let mut view = open(Document::Child(child), &mut store, size);
    press(&mut view, &mut store, &[Act::Rule]);
    let styles = OutputStyles {
        colours: Colours::Dropped,
        signs: Signs::ASCII,
        ..OutputStyles::default()
    };
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buffer = Buffer::empty(area);
    view.draw(area, &mut buffer, &styles);
    for cell in buffer.content() {
        assert_eq!(cell.fg, ratatui::style::Color::Reset);
        assert!(cell.symbol().is_ascii(), "{}", cell.symbol());
    }
    let bold = ratatui::style::Modifier::BOLD;
    assert!(buffer[(8, 0)].modifier.contains(bold));
}

/// Check 6 of the console's: chrome intact, nothing reaches the terminal, tabs aligned.
#[test]
fn hostile_output_stays_within_its_lines() {
    let mut text = Vec::new();
    text.extend_from_slice(b"\x1b[2J\x1b[H\x1b[?1049l\x1b[10;10Hcleared\n");
    text.extend_from_slice(b"\x1b]52;c;aGVsbG8=\x07\x1b]0;title\x1b\\clip\n");
    text.extend_from_slice(b" 1%\r50%\r99%\n");
    text.extend_from_slice(b"a\tb\tc\nabcdefg\tb\tc\n");
    text.extend_from_slice("user\u{202e}txt.exe\u{2066}\n".as_bytes());
    text.extend_from_slice(format!("z{}\n", "\u{301}\u{302}".repeat(500)).as_bytes());
    text.extend_from_slice("👨\u{200d}👩\u{200d}👧 👍🏽 ⚠\u{fe0f} 日本\n".as_bytes());
    text.extend_from_slice(b"\xff\xfe\x80 \x9b31m\n");
    text.extend_from_slice(
        b"\x1bP+q544e\x1b\\\x1b_Gi=1;AAAA\x1b\\\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07\n",
    );
    text.extend_from_slice(b"\x1b]0;never ended\n");
    text.extend_from_slice(b"\x1b[31;8;5mhidden and blinking\n");
    text.extend_from_slice(b"goes on in red \x1b[0mand ends\n");
    for _ in 0..160 {
        text.extend_from_slice(&b"0123456789abcdef".repeat(4096));
    }
    text.push(b'\n');
    let mut store = Store::default();
    // As the engine cuts rows: none is longer than 64 KiB.
    for piece in text.chunks(64 << 10) {
        store.write_bytes(1, Stream::Out, piece);
    }
    for size in [Size::new(80, 16), Size::new(20, 3), Size::new(1, 1)] {
        let child = store.child(1, Some("exit 0\x1b[2J"));
        let mut view = open(Document::Child(child), &mut store, size);
        press(&mut view, &mut store, &[Act::Top]);
        for act in [
            Act::Left,
            Act::Wrap,
            Act::LineEnd,
            Act::Times,
            Act::PageDown,
            Act::Wrap,
            Act::LineEnd,
        ] {
            press(&mut view, &mut store, &[act]);
            let around = Rect::new(0, 0, size.width + 4, size.height + 2);
            let mut buffer = Buffer::empty(around);
            for cell in &mut buffer.content {
                cell.set_symbol("#");
            }
            let area = Rect::new(2, 1, size.width, size.height);
            for y in area.y..area.bottom() {
                for x in area.x..area.right() {
                    buffer[(x, y)].reset();
                }
            }
            view.draw(area, &mut buffer, &OutputStyles::default());
            for y in 0..around.height {
                for x in 0..around.width {
                    let symbol = buffer[(x, y)].symbol();
                    assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                    let inside = area.contains((x, y).into());
                    assert_eq!(symbol == "#", !inside, "{x},{y}: {symbol:?}");
                    let wide = crate::view::text::width(symbol) as u16;
                    assert!(wide <= 1 || x + wide <= area.right(), "{symbol} at {x},{y}");
                }
            }
        }
    }
    let size = Size::new(80, 14);
    let child = store.child(1, None);
    let mut view = open(Document::Child(child), &mut store, size);
    press(&mut view, &mut store, &[Act::Top]);
    insta::assert_snapshot!("hostile_80x14", picture(&view, size));
}

/// `cargo test --release --lib tui::output -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, for a release build"]
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is how long it takes"
)]
fn a_frame_takes_half_a_millisecond_at_most() {
    let size = Size::new(160, 50);
    let mut store = Store::default();
    for n in 0..5_000 {
        store.write(
            1,
            Stream::Out,
            &format!("\x1b[32m{n}\x1b[0m {}\n", "lock and more ".repeat(12)),
        );
    }
    let mut view = one(&mut store, size);
    view.search("lock");
    store.serve(&mut view);
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buffer = Buffer::empty(area);
    let styles = OutputStyles::default();
    view.draw(area, &mut buffer, &styles);
    let began = std::time::Instant::now();
    for _ in 0..1000 {
        view.draw(area, &mut buffer, &styles);
    }
    println!("a frame: {:?}", began.elapsed() / 1000);
    view.search_undone();
    view.follow();
    let began = std::time::Instant::now();
    for n in 0..5_000 {
        store.write(1, Stream::Out, &format!("one more, number {n}\n"));
        view.grew(1, store.end(1));
        while let Some(crate::tui::output::Want::Look(look)) = view.wants() {
            view.seen(store.look(look));
        }
    }
    println!("5,000 rows one by one: {:?}", began.elapsed());
}

//! Keys go in, and what is on the screen comes out.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crossterm::event::KeyEventKind;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::*;
use crate::command::line;
use crate::targets::{Groups, HostSet};

#[derive(Debug)]
struct SomeFiles;

impl Files for SomeFiles {
    fn list(&self, directory: &str) -> Vec<Entry> {
        let entry = |name: &str, is| Entry {
            name: name.to_string(),
            is,
        };
        match directory {
            "" => vec![
                entry(".hidden", Is::File),
                entry("check disks.sh", Is::File),
                entry("scripts", Is::Directory),
            ],
            "scripts/" => vec![entry("patch.sh", Is::File), entry("probe.sh", Is::File)],
            _ => Vec::new(),
        }
    }
}

fn set(text: &str) -> HostSet {
    text.parse().expect("hosts")
}

fn names() -> Names {
    let mut groups = Groups::new("inventory");
    groups.insert("inventory", "web", set("web[01-24]"));
    groups.insert("inventory", "web-canary", set("web[07,19]"));
    groups.insert("inventory", "db", set("db[1-3]"));
    groups.insert("ansible", "cache", set("cache1"));
    let named = |name: &str, doc: &str| Named {
        name: name.to_string(),
        doc: doc.to_string(),
    };
    Names {
        known: std::sync::Arc::new(Known::new(groups)),
        jobs: vec![
            JobName {
                id: 12,
                name: "patch-check".to_string(),
                doc: "Failed".to_string(),
                hosts: ["web01", "web02"].map(str::to_string).into(),
            },
            JobName {
                id: 7,
                name: "up time".to_string(),
                doc: String::new(),
                hosts: [].into(),
            },
        ],
        themes: vec![
            named("light", "for light terminals"),
            named("mono", "without colour"),
        ],
        columns: vec![named("state", ""), named("started", "")],
        files: std::sync::Arc::new(SomeFiles),
        ..Names::default()
    }
}

fn look() -> Look {
    Look {
        text: Style::new(),
        dim: Style::new().add_modifier(Modifier::DIM),
        title: Style::new(),
        border: Style::new(),
        chosen: Style::new().add_modifier(Modifier::REVERSED),
        error: Style::new().add_modifier(Modifier::BOLD),
        rule: "─",
    }
}

/// A bar at work.
struct Desk {
    bar: Bar,
    names: Names,
    history: History,
}

impl Desk {
    fn new() -> Self {
        Self::with(Bar::command())
    }

    fn with(bar: Bar) -> Self {
        let mut history = History::default();
        for line in [
            "jobs",
            "run -t web -- uptime",
            "stop 7",
            "run -t db -- df -h",
        ] {
            history.push(line);
        }
        Self {
            bar,
            names: names(),
            history,
        }
    }

    /// Presses keys: characters by themselves, others by name.
    fn press(&mut self, keys: &str) -> Outcome {
        let mut outcome = Outcome::Editing;
        for key in keys.split(' ') {
            outcome = self.bar.key(key_named(key), &self.names, &self.history);
        }
        outcome
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
            assert_eq!(
                self.bar.key(key, &self.names, &self.history),
                Outcome::Editing
            );
        }
    }

    fn drawn(&self, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        self.bar.draw(area, &mut buf, &look());
        let mut text = String::new();
        let mut marks = String::new();
        for y in 0..height {
            let (mut row, mut x) = (String::new(), 0);
            while x < width {
                let symbol = buf[(x, y)].symbol();
                row += symbol;
                // What is two cells wide leaves the second empty.
                x += crate::view::text::width(symbol).max(1) as u16;
            }
            text += row.trim_end();
            text.push('\n');
            for x in 0..width {
                let style = buf[(x, y)].modifier;
                if style.contains(Modifier::UNDERLINED) {
                    _ = writeln!(marks, "underlined at {x},{y}");
                }
            }
        }
        let cursor = self.bar.cursor(area).expect("a cursor");
        format!("{text}{marks}cursor at {},{}", cursor.x, cursor.y)
    }
}

fn key_named(name: &str) -> KeyEvent {
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    match name {
        "space" => plain(KeyCode::Char(' ')),
        "tab" => plain(KeyCode::Tab),
        "shift-tab" => KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT),
        "enter" => plain(KeyCode::Enter),
        "esc" => plain(KeyCode::Esc),
        "up" => plain(KeyCode::Up),
        "down" => plain(KeyCode::Down),
        "left" => plain(KeyCode::Left),
        "right" => plain(KeyCode::Right),
        "backspace" => plain(KeyCode::Backspace),
        _ => {
            let (held, key) = match name.strip_prefix("ctrl-") {
                Some(key) => (KeyModifiers::CONTROL, key),
                None => (KeyModifiers::NONE, name),
            };
            let mut chars = key.chars();
            let c = chars.next().expect("a key");
            assert_eq!(chars.next(), None, "{name} is no key");
            KeyEvent::new(KeyCode::Char(c), held)
        }
    }
}

#[test]
fn tab_puts_in_what_is_certain_and_then_goes_through_the_rest() {
    let cases = [
        // The text, the keys, what becomes of it.
        ("thr", "tab", "throttle "),
        ("ru", "tab", "run"),
        ("run -t @w", "tab", "run -t @web"),
        ("run -t @w", "tab tab", "run -t @web"),
        ("run -t @w", "tab tab tab", "run -t @web-canary"),
        ("run -t @w", "tab tab tab tab", "run -t @web"),
        ("run -t @w", "tab shift-tab", "run -t @web-canary"),
        ("run -t @w", "tab tab tab , d", "run -t @web-canary,d"),
        ("run -t @web!w", "tab", "run -t @web!web"),
        ("run -t @web&@d", "tab", "run -t @web&@db"),
        ("run -t @ansible:", "tab", "run -t @ansible:cache"),
        ("run -t ^scr", "tab", "run -t ^scripts/"),
        ("run -t web^d", "tab", "run -t web^db"),
        ("run --tar", "tab", "run --targets "),
        ("run --targets=c", "tab", "run --targets=cache1"),
        ("run -x c", "tab", "run -x cache1"),
        ("run -t 'd", "tab", "run -t 'db"),
        (
            "run --script sc",
            "tab p tab",
            "run --script scripts/patch.sh",
        ),
        ("run --script c", "tab", "run --script 'check disks.sh' "),
        ("run --script .h", "tab", "run --script .hidden "),
        ("run --on-full t", "tab", "run --on-full truncate "),
        (
            "jobs --state Failed,sto",
            "tab",
            "jobs --state Failed,Stopp",
        ),
        ("stop 1", "tab", "stop 12"),
        ("stop pa", "tab", "stop patch-check"),
        ("stop up", "tab", "stop 'up time'"),
        ("stop 12.w", "tab", "stop 12.web0"),
        ("stop 12.fa", "tab", "stop 12.Failed"),
        ("stop 7.db", "tab", "stop 7.db1"),
        ("receive 7 --stream o", "tab", "receive 7 --stream out "),
        ("receive 7 --host @d", "tab", "receive 7 --host @db"),
        ("hosts @db,c", "tab", "hosts @db,cache1"),
        ("view q", "tab", "view queries "),
        ("sort star", "tab", "sort started "),
        ("daemon star", "tab", "daemon start "),
        // Nothing there, nothing done.
        ("run -t nowhere", "tab", "run -t nowhere"),
        ("run -t web -- sy", "tab", "run -t web -- sy"),
        ("nonsense we", "tab", "nonsense we"),
        ("run -t web[0", "tab", "run -t web[0"),
        ("run uptime -t @w", "tab", "run uptime -t @w"),
    ];
    let mut report = String::new();
    for (text, keys, want) in cases {
        let mut desk = Desk::new();
        desk.type_text(text);
        desk.press(keys);
        if desk.bar.text() != want {
            _ = writeln!(
                report,
                "{text:?} {keys}: {:?}, not {want:?}",
                desk.bar.text()
            );
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn enter_gives_what_is_typed_and_nothing_that_is_only_shown() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.press("r u n space enter"),
        Outcome::Submit("run ".to_string())
    );
    let mut desk = Desk::new();
    desk.type_text("sto");
    assert_eq!(desk.press("enter"), Outcome::Submit("sto".to_string()));
    // A candidate that was gone to stands in the line.
    let mut desk = Desk::new();
    desk.type_text("run -t @w");
    assert_eq!(
        desk.press("tab tab tab enter"),
        Outcome::Submit("run -t @web-canary".to_string())
    );
    for keys in [
        "enter",
        "space enter",
        "esc",
        "ctrl-c",
        "backspace",
        "a backspace backspace",
    ] {
        assert_eq!(Desk::new().press(keys), Outcome::Cancel, "{keys}");
    }
    // An empty filter shows everything again.
    let mut desk = Desk::with(Bar::filter("x"));
    assert_eq!(
        desk.press("backspace enter"),
        Outcome::Submit(String::new())
    );
}

#[test]
fn a_paste_only_inserts() {
    let mut desk = Desk::new();
    desk.bar.paste("stop all\nrm -rf /\nreboot\n");
    assert_eq!(desk.bar.text(), "stop all rm -rf / reboot");
    assert_eq!(desk.bar.mode(), Mode::Command);
}

#[test]
fn the_history_is_gone_through_suggested_and_looked_through() {
    let cases = [
        ("up", "run -t db -- df -h"),
        ("up up", "stop 7"),
        ("up up down", "run -t db -- df -h"),
        ("up down", ""),
        ("r up", "run -t db -- df -h"),
        ("r up up", "run -t web -- uptime"),
        ("r up up up", "run -t web -- uptime"),
        ("r up up down down", "r"),
        ("x up", "x"),
        ("down", ""),
        // → takes the suggestion at the end of the line, and only there.
        ("s right", "stop 7"),
        ("s t left right", "st"),
        ("s t left right right", "stop 7"),
        ("ctrl-r w e b enter", "run -t web -- uptime"),
        ("ctrl-r - - ctrl-r enter", "run -t web -- uptime"),
        ("ctrl-r - - ctrl-r ctrl-r enter", "run -t web -- uptime"),
        ("j ctrl-r w e b esc", "j"),
        ("j ctrl-r q q enter", "j"),
        ("ctrl-r s t backspace backspace j enter", "jobs"),
    ];
    for (keys, want) in cases {
        let mut desk = Desk::new();
        assert_eq!(desk.press(keys), Outcome::Editing, "{keys}");
        assert_eq!(desk.bar.text(), want, "{keys}");
    }
    // What was run is remembered, but for what begins with a space.
    let mut desk = Desk::new();
    for line in ["jobs --more", " run secret"] {
        desk.type_text(line);
        let Outcome::Submit(line) = desk.press("enter") else {
            panic!("nothing submitted");
        };
        desk.history.push(&line);
        desk.bar = Bar::command();
    }
    desk.press("up");
    assert_eq!(desk.bar.text(), "jobs --more");
}

/// A line, and what it looks like in different widths.
fn pictures(prepare: impl Fn(&mut Desk)) -> String {
    let mut desk = Desk::new();
    prepare(&mut desk);
    [(40, 10), (80, 18), (160, 18)]
        .map(|(width, height)| format!("{width}x{height}\n{}\n", desk.drawn(width, height)))
        .join("\n")
}

#[test]
fn targets_are_completed_and_counted() {
    insta::assert_snapshot!(pictures(|desk| {
        desk.type_text("run --timeout 30s -t @w");
        desk.press("tab tab tab");
    }));
}

/// Of several values of one word, the last is completed.
#[test]
fn lists_of_values_are_completed() {
    for line in ["set ignore numbers,", "receive 7 --fold --ignore=numbers,"] {
        let mut desk = Desk::new();
        desk.type_text(&format!("{line}ti"));
        desk.press("tab");
        assert_eq!(desk.bar.text().trim_end(), format!("{line}times"));
    }
}

#[test]
fn an_empty_line_offers_every_command() {
    let mut desk = Desk::new();
    desk.bar.refresh(&desk.names, &desk.history);
    let offered = desk.bar.completion.candidates.iter();
    let offered: Vec<&str> = offered.map(|candidate| candidate.text.as_str()).collect();
    assert_eq!(offered[0], "run");
    for name in ["stop", "receive", "filter", "quit"] {
        assert!(offered.contains(&name), "{name} in {offered:?}");
    }
    assert!(desk.drawn(80, 24).contains("Start a job: one command"));
}

#[test]
fn what_can_follow_is_shown_before_it_is_typed() {
    insta::assert_snapshot!(pictures(|desk| desk.type_text("view ")));
}

#[test]
fn a_mistake_is_said_above_its_word() {
    insta::assert_snapshot!(pictures(|desk| {
        desk.type_text("remove --focre 7");
        let Outcome::Submit(line) = desk.press("enter") else {
            panic!("nothing submitted");
        };
        desk.bar
            .fail(line::parse(&line, &[]).expect_err("a mistake"));
    }));
}

#[test]
fn what_is_missing_is_said_at_the_end() {
    insta::assert_snapshot!(pictures(|desk| {
        desk.type_text("stop");
        desk.bar
            .fail(line::parse("stop", &[]).expect_err("a mistake"));
    }));
}

#[test]
fn a_mistake_in_an_expression_is_shown_before_anything_runs() {
    insta::assert_snapshot!(pictures(|desk| desk.type_text("run -t web01,@bd -- uptime")));
}

#[test]
fn the_beginning_of_a_name_is_no_mistake_yet() {
    let no_group = "there is no group";
    let cases = [
        ("run -t @w", false),
        ("run -t @", false),
        ("run -t web01,@web-c", false),
        ("run -t @db -x @we", false),
        ("run -t @x", true),
        ("run -t @w -- uptime", true),
        ("run -t @w,", true),
    ];
    for (line, wrong) in cases {
        let mut desk = Desk::new();
        desk.type_text(line);
        let drawn = desk.drawn(80, 18);
        let said = drawn.contains(no_group) || drawn.contains("underlined");
        assert_eq!(said, wrong, "{line}\n{drawn}");
    }
}

#[test]
fn a_long_line_is_shown_around_the_cursor() {
    insta::assert_snapshot!(pictures(|desk| {
        desk.type_text("run -t @db -- ");
        desk.type_text(&"日本 word ".repeat(20));
        desk.press("left left");
    }));
}

#[test]
fn the_history_is_searched_in_the_bar() {
    insta::assert_snapshot!(pictures(|desk| {
        desk.press("ctrl-r - -");
    }));
}

#[test]
fn ten_thousand_hosts_are_completed_at_once() {
    let mut groups = Groups::new("inventory");
    groups.insert("inventory", "all", set("node[00001-10000].example.com"));
    let mut desk = Desk::new();
    desk.names.known = std::sync::Arc::new(Known::new(groups));
    desk.type_text("run -t n");
    let completion = &desk.bar.completion;
    assert_eq!(completion.candidates.len(), complete::LISTED);
    assert_eq!(completion.more, 10_000 - complete::LISTED);
    assert_eq!(completion.common, "node");
    desk.press("tab");
    assert_eq!(desk.bar.text(), "run -t node");
    // The fastest of several, and generous: this is a build without optimisation beside other tests.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is asked is how long it takes"
    )]
    let fastest = (0..5)
        .map(|_| {
            let begin = Instant::now();
            _ = complete::complete("run -t node", 11, &desk.names);
            begin.elapsed()
        })
        .min();
    assert!(fastest < Some(Duration::from_millis(50)), "{fastest:?}");
}

fn keys() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select("runstopjobs -t@w,!&^[]'\"\\".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Enter,
            KeyCode::Esc,
        ]),
    ];
    let held = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (code, held).prop_map(|(code, held)| KeyEvent::new_with_kind(code, held, KeyEventKind::Press))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_keys_break_the_bar(
        keys in prop::collection::vec(keys(), 0..40),
        width in 0_u16..90,
        height in 0_u16..20,
    ) {
        let mut desk = Desk::new();
        for key in keys {
            let outcome = desk.bar.key(key, &desk.names, &desk.history);
            if let Outcome::Submit(line) = &outcome {
                prop_assert_eq!(line, desk.bar.text());
                if let Err(error) = line::parse(line, &[]) {
                    desk.bar.fail(error);
                }
            }
            let area = Rect::new(0, 0, width, height);
            let mut buf = Buffer::empty(area);
            desk.bar.draw(area, &mut buf, &look());
            if let Some(cursor) = desk.bar.cursor(area) {
                prop_assert!(area.contains(cursor), "{cursor:?} in {area:?}");
            }
        }
    }
}

//! The console in a real terminal: a pseudo-terminal on one side, a terminal's own reading of it on the other.

mod support;

use std::ffi::OsStr;
use std::num::NonZeroU16;

use rustix::process::Signal;
use serde_json::Value;
use support::pty::OnTerminal;
use support::{Home, until};

/// What takes the terminal over is undone at the end: the alternate screen, paste and focus modes, a hidden cursor.
const UNDONE: [&str; 4] = ["\x1b[?1049l", "\x1b[?2004l", "\x1b[?1004l", "\x1b[?25h"];

const ROWS: NonZeroU16 = NonZeroU16::new(30).expect("30 is not zero");
const COLUMNS: NonZeroU16 = NonZeroU16::new(100).expect("100 is not zero");

/// A console on a terminal of 100 columns and 30 rows.
struct Console {
    terminal: OnTerminal,
}

impl Console {
    fn open(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = home.command(arguments);
        command.envs(
            variables
                .iter()
                .map(|(name, value)| (OsStr::new(*name), OsStr::new(*value))),
        );
        Self {
            terminal: OnTerminal::of_size(command, 100, 30),
        }
    }

    /// The screen as a terminal shows it now.
    fn screen(&self) -> String {
        self.parsed().screen().contents()
    }

    fn parsed(&self) -> vt100::Parser {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        parser.process(&self.terminal.shown());
        parser
    }

    fn until_shown(&self, text: &str) {
        until(&format!("{text:?} on the screen"), || {
            self.screen().contains(text)
        });
    }

    fn until_gone(&self, text: &str) {
        until(&format!("no {text:?} on the screen"), || {
            !self.screen().contains(text)
        });
    }

    fn keys(&mut self, keys: &str) {
        self.terminal.types(keys);
    }

    /// It ends with this code, and the terminal is as it was.
    fn ends(self, code: i32) {
        let ran = self.terminal.finish().exits(code);
        let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
        for undone in UNDONE {
            assert!(shown.contains(undone), "{undone:?} in {shown:?}");
        }
    }
}

fn state(home: &Home, job: &str) -> Value {
    home.jobs(&[job])[0]["state"].clone()
}

#[test]
fn it_shows_what_there_is_and_leaves_the_terminal_as_it_was() {
    let home = Home::new();
    home.finished_job("echo hello; echo trouble >&2; exit 3");
    let mut console = Console::open(&home, &[], &[]);
    // The child's row, with its last line: which of the two came last is not known.
    until("the child's row", || {
        let screen = console.screen();
        let row = screen.lines().find(|line| line.contains("  localhost"));
        row.is_some_and(|row| row.contains("hello") || row.contains("trouble"))
    });
    console.keys("j\r");
    console.until_shown("end: exit 3");
    console.until_shown("hello");
    console.keys("q");
    console.until_shown("Jobs");
    console.keys("q");
    console.ends(0);
}

#[test]
fn signals_end_it_and_its_jobs_go_on() {
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let job = home.job("echo begun; exec sleep 1000").to_string();
        let console = Console::open(&home, &[], &[]);
        console.until_shown("Running");
        console.terminal.running().signal(signal);
        console.ends(0);
        assert_eq!(state(&home, &job), "Running");
        home.regatta(&["stop", "--kill", &job]).exits(0);
    }
}

#[test]
fn a_job_is_begun_watched_stopped_and_removed() {
    let home = Home::new();
    let mut console = Console::open(&home, &[], &[]);
    console.until_shown("no jobs yet");
    console.keys(":run --local -n work -- echo begun; exec sleep 1000\r");
    console.until_shown("Running");
    assert_eq!(state(&home, "work"), "Running");
    // The question is answered by its letter alone.
    console.keys("x");
    console.until_shown("Stop job");
    console.keys("\rx");
    console.until_shown("Stop job");
    console.keys("y");
    console.until_shown("stop: 1 work: 1 Stopped");
    assert_eq!(state(&home, "work"), "Stopped");
    console.keys("r");
    console.until_shown("received 1 lines");
    assert_eq!(home.jobs(&["work"])[0]["more"], false);
    console.keys("q");
    console.until_shown("work");
    console.keys("d");
    console.until_shown("u brings it back");
    assert_eq!(state(&home, "work"), "Stopped", "it is still there");
    console.keys("q");
    console.ends(0);
    home.regatta(&["jobs", "work"]).exits(3);
}

#[test]
fn leaving_while_something_runs_is_asked_about() {
    let home = Home::new();
    let job = home.job("exec sleep 1000").to_string();
    let mut console = Console::open(&home, &[], &[]);
    console.until_shown("Running");
    console.keys("q");
    console.until_shown("Leave the console?");
    console.keys("q\r");
    console.keys("n");
    console.until_gone("Leave the console?");
    console.keys("qd");
    console.ends(0);
    assert_eq!(state(&home, &job), "Running");
    home.regatta(&["stop", "--kill", &job]).exits(0);
}

#[test]
fn a_paste_begins_nothing() {
    let home = Home::new();
    home.finished_job("true");
    let mut console = Console::open(&home, &[], &[]);
    console.until_shown("Completed");
    console.keys("\x1b[200~run --local -- true\nx\ny\n\x1b[201~");
    console.until_shown(":run --local -- true");
    console.keys("\x1b");
    console.until_gone(":run --local");
    console.keys("q");
    console.ends(0);
    assert_eq!(home.jobs(&[]).as_array().map(Vec::len), Some(1));
}

#[test]
fn nothing_a_command_writes_commands_the_terminal() {
    let home = Home::new();
    home.finished_job(
        "printf '\\033[2J\\033]52;c;aGFja2Vk\\a\\033]0;owned\\a\\033[31mred\\033[0m 10%%\\r99%%\\n\\tt\\000x\\342\\200\\256y\\n'",
    );
    let mut console = Console::open(&home, &[], &[]);
    console.until_shown("Completed");
    console.keys("j\r");
    console.until_shown("── end: exit 0");
    let shown = console.terminal.shown();
    for hostile in ["\x1b]52;", "\x1b]0;", "\u{202e}"] {
        assert!(
            !support::contains(&shown, hostile.as_bytes()),
            "{hostile:?} reached the terminal"
        );
    }
    console.keys("qq");
    console.ends(0);
}

#[test]
fn without_colour_the_cursor_is_seen_all_the_same() {
    let home = Home::new();
    home.finished_job("echo hello");
    let mut console = Console::open(&home, &["--ascii"], &[("NO_COLOR", "1")]);
    console.until_shown("Completed");
    let parsed = console.parsed();
    let cells = (0..30).flat_map(|row| (0..100).map(move |column| (row, column)));
    let cells: Vec<_> = cells
        .filter_map(|(row, column)| parsed.screen().cell(row, column))
        .collect();
    assert!(cells.iter().any(|cell| cell.inverse()), "the cursor's row");
    assert!(
        cells
            .iter()
            .all(|cell| cell.fgcolor() == vt100::Color::Default)
    );
    assert!(console.screen().is_ascii(), "{}", console.screen());
    console.keys("q");
    console.ends(0);
}

#[test]
fn a_daemon_that_was_killed_is_missed_and_replaced() {
    let home = Home::new();
    home.finished_job("echo hello");
    let mut console = Console::open(&home, &[], &[]);
    console.until_shown("Completed");
    let pid = home.daemon_pid();
    support::kill(pid, Signal::KILL);
    until("another daemon", || {
        home.daemons().iter().any(|daemon| *daemon != pid)
    });
    console.until_gone("NO DAEMON");
    console.until_shown("Completed");
    console.keys("q");
    console.ends(0);
}

#[test]
fn the_demo_opens_it_and_leaves_nothing() {
    let home = Home::new();
    let mut console = Console::open(&home, &["demo"], &[]);
    console.until_shown("simulated computers");
    console.until_shown("backup");
    console.keys("q");
    console.until_shown("Leave the console?");
    console.keys("l");
    console.ends(0);
    assert!(!home.socket().exists());
}

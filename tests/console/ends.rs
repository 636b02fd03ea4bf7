//! Leaving the console, by all ways there are: the terminal is as before, and jobs go on.

use rustix::process::Signal;

use crate::screen::{Screen, USUAL, was_sent};
use crate::support::{Home, until};

const LONG: &str = "echo ready; exec sleep 1000";

#[test]
fn it_opens_and_q_leaves_it() {
    let home = Home::new();
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("0 jobs");
    assert!(
        screen.is_taken() && screen.is_raw(),
        "{}",
        screen.contents()
    );
    screen.keys("q");
    screen.left().gave_back(0);
}

#[test]
fn signals_end_it_and_jobs_go_on() {
    let home = Home::new();
    let job = home.job(LONG);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut screen = Screen::open(&home, USUAL, &[]);
        screen.until("1 Running");
        screen.signal(signal);
        screen.left().gave_back(0);
        assert_eq!(home.job_now(job)["state"], "Running", "{signal:?}");
    }
}

#[test]
fn leaving_asks_while_something_runs() {
    let home = Home::new();
    let job = home.job(LONG);
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("1 Running");
    screen.keys("q");
    screen.until("1 children of 1 job still run");
    // The key that asked answers nothing, nor does Enter.
    screen.keys("q\r");
    screen.keys("n");
    screen.until_gone("still run");
    screen.keys("q");
    screen.until("detach");
    screen.keys("d");
    screen.left().gave_back(0);
    assert_eq!(home.job_now(job)["state"], "Running");

    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("1 Running");
    screen.keys("q");
    screen.until("stop all");
    screen.keys("s");
    screen.left().gave_back(0);
    assert_eq!(home.job_now(job)["state"], "Stopped");
}

#[test]
fn a_shell_stops_it_and_brings_it_back() {
    let home = Home::new();
    home.finished_job("true");
    let mut screen = Screen::shell(&home);
    screen.until("shell> ");
    screen.keys(concat!(env!("CARGO_BIN_EXE_regatta"), "\n"));
    screen.until("1 Completed");
    screen.keys("\x1a");
    screen.until_it("the shell has the terminal", |now| {
        !now.alternate_screen() && now.contents().contains("Stopped")
    });
    assert!(screen.is_given_back() && !screen.is_raw());
    screen.keys("fg\n");
    screen.until_it("the console is back", |now| {
        now.alternate_screen() && now.contents().contains("1 Completed")
    });
    assert!(screen.is_taken() && screen.is_raw());
    screen.keys("q");
    screen.until_it("the shell is back", |now| !now.alternate_screen());
    screen.keys("exit\n");
    screen.left().gave_back(0);
}

/// Nobody asked it before: what it goes on with is a terminal that somebody else has used meanwhile.
#[test]
fn stopped_by_others_it_takes_the_terminal_again() {
    let home = Home::new();
    home.finished_job("true");
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("1 Completed");
    screen.signal(Signal::STOP);
    until("it has stopped", || {
        crate::fleet::stat(screen.pid()).is_some_and(|stat| stat.state == 'T')
    });
    screen.set_modes_of_before();
    let before = screen.sent().len();
    screen.signal(Signal::CONT);
    let again = crate::support::comes(|| {
        let sent = screen.sent();
        was_sent(&sent[before..], "\x1b[?1049h") && was_sent(&sent[before..], "Completed")
    });
    let sent = screen.sent();
    assert!(
        again,
        "not painted again: {:?}",
        String::from_utf8_lossy(&sent[before..])
    );
    assert!(screen.is_raw());
    screen.keys("q");
    screen.left().gave_back(0);
}

#[test]
fn the_demonstration_leaves_nothing_behind() {
    let home = Home::new();
    let temporary = home.path("temporary");
    std::fs::create_dir(&temporary).expect("a directory");
    let place = temporary.to_str().expect("UTF-8");
    let mut screen = Screen::open_with(&home, USUAL, &["demo"], &[("TMPDIR", place)]);
    screen.until("regatta demo (simulated computers)");
    screen.until("3 jobs");
    screen.keys("q");
    screen.until("leave, which ends them");
    screen.keys("l");
    screen.left().gave_back(0);
    let left: Vec<_> = std::fs::read_dir(&temporary)
        .expect("it is there")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(home.daemons(), Vec::<u32>::new());
}

/// Without a terminal there is no console, and what can be done instead is said.
#[test]
fn it_needs_a_terminal() {
    let home = Home::new();
    home.regatta(&[])
        .exits(2)
        .says(&["needs a terminal", "regatta jobs"]);
}

//! The console and the daemon it looks at.

use rustix::process::Signal;

use crate::fleet::sleeps;
use crate::screen::{Screen, USUAL};
use crate::support::{Home, kill, timed};

#[test]
fn a_killed_daemon_is_told_of_and_comes_back() {
    let home = Home::new();
    home.finished_job("exit 3");
    home.finished_job("true");
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("2 jobs");
    kill(home.daemon_pid(), Signal::KILL);
    screen.until("NO DAEMON");
    screen.until_gone("NO DAEMON");
    screen.until("2 jobs");
    screen.until("1 Failed");
    assert_eq!(home.jobs(&[]).as_array().map(Vec::len), Some(2));
    screen.keys("q");
    screen.left().gave_back(0);
}

/// Nothing happens, so nothing is done: not even the clock is drawn.
#[test]
fn an_idle_console_sleeps() {
    let home = Home::new();
    home.finished_job("true");
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("1 Completed");
    // What it asks for after its first picture is over when it answers a key again.
    screen.keys("?");
    screen.until("Keys");
    screen.keys("\x1b");
    screen.until_gone("Keys");
    let pid = screen.pid();
    let count = || sleeps(pid).expect("it runs");
    // The rest of what was asked for at the start comes when it comes; from then on it sleeps, however long that takes here.
    let mut woke = Vec::new();
    let quiet = crate::support::comes(|| {
        let before = count();
        let ((), took) = timed(|| {
            for _ in 0..20 {
                home.regatta(&["keys"]).exits(0);
            }
        });
        woke.push((count() - before, took));
        count() == before
    });
    assert!(quiet, "it never sleeps through 20 commands: {woke:?}");
    screen.keys("q");
    screen.left().gave_back(0);
}

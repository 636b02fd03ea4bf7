//! Working in the console with a job on this computer.

use crate::screen::{Screen, USUAL};
use crate::support::Home;

#[test]
fn output_is_opened_and_left_again() {
    let home = Home::new();
    home.finished_job("echo hello; echo trouble >&2; exit 3");
    let mut screen = Screen::open(&home, USUAL, &[]);
    // The child's last line: which of the two came last is not known.
    screen.until_it("the child's row", |now| {
        let contents = now.contents();
        let row = contents.lines().find(|line| line.contains("  localhost"));
        row.is_some_and(|row| row.contains("hello") || row.contains("trouble"))
    });
    screen.keys("j\r");
    screen.until("end: exit 3");
    screen.until("hello");
    screen.keys("q");
    screen.until("1 job");
    screen.keys("q");
    screen.left().gave_back(0);
}

#[test]
fn a_job_is_begun_watched_stopped_and_removed() {
    let home = Home::new();
    let state = || home.jobs(&["work"])[0]["state"].clone();
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("no jobs yet");
    screen.line("run --local -n work -- echo begun; exec sleep 1000");
    screen.until("1 Running");
    assert_eq!(state(), "Running");
    // The question is answered by its letter alone.
    screen.keys("x");
    screen.until("Stop job");
    screen.keys("\rx");
    screen.keys("y");
    screen.until("stop: 1 work: 1 Stopped");
    assert_eq!(state(), "Stopped");
    screen.keys("r");
    screen.until("received 1 lines");
    assert_eq!(home.jobs(&["work"])[0]["more"], false);
    screen.keys("q");
    screen.until("work");
    screen.keys("d");
    screen.until("u brings it back");
    assert_eq!(state(), "Stopped", "it is still there");
    screen.keys("q");
    screen.left().gave_back(0);
    home.regatta(&["jobs", "work"]).exits(3);
}

//! A disk that is full, and one that can only be read: jobs go on, the operator is told, and nothing is lost once it can
//! be written again.  Only root can have such disks made.

#![allow(clippy::print_stdout, reason = "it says what it skips")]

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Home, kill, until};

/// Something mounted over a directory, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None`, and a word about it, where nothing can be mounted.
    fn new(test: &str, directory: &Path, steps: &[&[&str]]) -> Option<Self> {
        let mut mount = None;
        for step in steps {
            let mut command = Command::new("mount");
            let ran = command.args(*step).arg(directory).output();
            match ran {
                Ok(ran) if ran.status.success() => {
                    mount.get_or_insert_with(|| Self(directory.to_owned()));
                }
                Ok(ran) => {
                    let why = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
                    println!("SKIPPED: {test}: {why}");
                    return None;
                }
                Err(error) => {
                    println!("SKIPPED: {test}: mount: {error}");
                    return None;
                }
            }
        }
        mount
    }

    /// A small file system of its own.
    fn small(test: &str, directory: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=6m,mode=0700", "regatta-test"];
        Self::new(test, directory, &[&options])
    }

    /// What is there, to be read only.  Files that are open can still be written.
    fn read_only(test: &str, directory: &Path) -> Option<Self> {
        let same = directory.to_str().expect("a UTF-8 path");
        let steps: [&[&str]; 2] = [&["--bind", same], &["-o", "remount,ro,bind"]];
        Self::new(test, directory, &steps)
    }

    /// Writes a file that takes all the room that is left.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = fs::File::create(&path).expect("ours");
        for size in [1 << 16, 1 << 10, 1] {
            loop {
                match file.write_all(&vec![0; size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a daemon may have files open there.
        let ran = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(ran.expect("there is umount").success());
    }
}

fn state(home: &Home) -> PathBuf {
    let state = home.path("home/.local/state/regatta");
    let mut directory = fs::DirBuilder::new();
    let made = directory.recursive(true).mode(0o700).create(&state);
    made.expect("a directory");
    state
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|number| format!("{number}\n")).collect()
}

const CANNOT: &str = "regatta: warning: the store cannot be written: ";

#[test]
fn a_full_disk_stops_nobody_and_nothing_is_lost() {
    let home = Home::new();
    let state = state(&home);
    let Some(disk) = Mount::small("a_full_disk_stops_nobody_and_nothing_is_lost", &state) else {
        return;
    };
    let before = home.finished_job("echo before");
    // One is under way when it happens, one is begun afterwards.
    let gates = ["first", "second"].map(|name| home.path(name));
    let line = |gate: usize, more: &str| {
        let gate = gates[gate].display();
        format!("seq 1 1000; until test -e {gate}; do sleep 0.02; done; {more}")
    };
    let early = home.job(&line(0, "seq 1001 20000"));
    until("its beginning is written", || {
        home.child_now(early)["lines"]["out"] == 1000
    });
    let filler = disk.fill();
    let follow = home.start(&["receive", "--wait", "-N", &early.to_string()]);
    fs::write(&gates[0], "").expect("ours");
    // It ends, and all it said is received, although nothing of it can be written.
    follow
        .finish()
        .exits(0)
        .prints(&numbers(1..=20_000))
        .says(&[CANNOT]);
    let late = home.job(&line(1, "seq 1001 2000"));
    home.regatta(&["jobs"]).exits(0).says(&[CANNOT]);
    let doctor = home.regatta(&["doctor"]).exits(1);
    assert!(doctor.out().contains("BAD   writing: "), "{doctor:?}");
    assert!(doctor.out().contains("BAD   space: "), "{doctor:?}");
    home.regatta(&["daemon", "stop"]).exits(1);
    until("it speaks", || home.child_now(late)["lines"]["out"] == 1000);

    fs::remove_file(filler).expect("ours");
    until("it can be written again", || {
        home.status()["trouble"].is_null()
    });
    fs::write(&gates[1], "").expect("ours");
    home.regatta(&["wait", &late.to_string()]).exits(0);
    // What was acknowledged is there after a crash, once.
    kill(home.daemon_pid(), Signal::KILL);
    until("it is gone", || home.daemons().is_empty());
    for (job, wanted) in [
        (before, "before\n".to_owned()),
        (early, numbers(1..=20_000)),
        (late, numbers(1..=2000)),
    ] {
        assert_eq!(home.job_now(job)["state"], "Completed");
        home.regatta(&["receive", "--all", "-N", &job.to_string()])
            .exits(0)
            .prints(&wanted);
        assert_eq!(home.child_now(job)["bytes"]["dropped"], 0);
    }
    assert_eq!(home.jobs(&[]).as_array().map(Vec::len), Some(3));
    // What was received while it could not be written stays received.
    home.regatta(&["receive", "-N", &early.to_string()])
        .exits(0)
        .prints("");
    let doctor = home.regatta(&["doctor", "--json"]).json();
    let store = |found: &&serde_json::Value| found["check"] == "store";
    let store = doctor.as_array().expect("a list").iter().find(store);
    assert_eq!(store.expect("it is checked")["verdict"], "ok");
}

#[test]
fn a_disk_that_can_only_be_read_is_noticed_and_nothing_is_lost() {
    const TEST: &str = "a_disk_that_can_only_be_read_is_noticed_and_nothing_is_lost";
    let home = Home::new();
    let state = state(&home);
    let before = home.finished_job("echo before");
    let Some(disk) = Mount::read_only(TEST, &state) else {
        return;
    };
    // Although nobody has tried to write anything.
    assert!(home.status()["trouble"].is_null());
    let doctor = home.regatta(&["doctor"]).exits(1);
    let line = format!("BAD   writing: {}", state.display());
    assert!(doctor.out().contains(&line), "{doctor:?}");
    let during = home.finished_job("echo during");
    home.regatta(&["receive", &during.to_string()])
        .exits(0)
        .prints("localhost: during\n")
        .says(&[CANNOT]);
    drop(disk);
    until("it can be written again", || {
        home.status()["trouble"].is_null()
    });
    let sound = home.regatta(&["doctor"]).exits(0);
    assert!(!sound.out().contains("writing"), "{sound:?}");
    home.regatta(&["daemon", "stop"]).exits(0);

    // A daemon that cannot write anything does not begin, and says what to do.
    let Some(disk) = Mount::read_only(TEST, &state) else {
        return;
    };
    home.regatta(&["jobs"]).exits(2).says(&[
        "cannot use ",
        "Read-only file system",
        "hint: make the directory yours and writable",
    ]);
    home.regatta(&["doctor"]).exits(1);
    drop(disk);
    for (job, wanted) in [(before, "before"), (during, "during")] {
        home.regatta(&["receive", "--all", &job.to_string()])
            .exits(0)
            .prints(&format!("localhost: {wanted}\n"));
    }
}

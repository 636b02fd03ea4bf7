//! The daemon is killed while its jobs run: clients are told, nothing is left running, and the next one works.

use rustix::process::Signal;
use serde_json::Value;

use crate::console::Console;
use crate::faults::Frozen;
use crate::support::{kill, until};

fn nothing_outlives_the_daemon(console: &Console, targets: &str, count: u64) {
    let job = console.background(
        &["-t", targets, "--fanout", "50"],
        "set -- $SSH_CONNECTION; case $3 in *[02468]) trap '' TERM;; esac; echo up; while :; do sleep 1; done",
    );
    until("all of them run", || {
        let now = console.now(&job);
        let children = now["children"].as_array().expect("asked for by its id");
        children.iter().all(|child| child["lines"]["out"] == 1)
    });
    assert!(console.remains(&job).len() as u64 >= count);
    let clients = [
        console.follow(&job),
        console.start_regatta(&["wait", &job]),
        console.start_regatta(&["jobs", "--watch", &job]),
    ];
    let receiving = &job;
    until("they are served", || {
        console.now(receiving)["more"] == false
    });
    let pid = console.daemon_pid();
    kill(pid, Signal::KILL);
    for client in clients {
        let words = format!("the daemon (pid {pid}) has gone away");
        client
            .finish()
            .exits(1)
            .says(&[&words, "was ended by its lifeline"]);
    }
    until("the lifelines have ended everything", || {
        console.remains(&job).is_empty()
    });
    // The next one knows them all, and looks what became of them.
    console.regatta(&["wait", &job]).exits(1);
    let after = console.now(&job);
    assert_eq!(after["counts"]["Failed"], count);
    for child in after["children"].as_array().expect("children") {
        assert_eq!(child["reason"]["kind"], "connection_lost");
        assert_eq!(child["lines"]["out"], 1, "its output is there");
    }
    let next = console.settled(0, &["-t", targets], "true");
    assert_eq!(next["counts"]["Completed"], count);
    assert_ne!(console.daemon_pid(), pid);
}

#[test]
fn nothing_outlives_a_killed_daemon() {
    if let Some(console) = Console::start("nothing_outlives_a_killed_daemon") {
        nothing_outlives_the_daemon(&console, "127.1.0.[1-20]", 20);
    }
}

#[test]
fn nothing_outlives_a_killed_daemon_as_another_user() {
    if let Some(console) =
        Console::start_with_other("nothing_outlives_a_killed_daemon_as_another_user")
    {
        let targets = format!("{}@127.1.0.[1-4]", console.other());
        nothing_outlives_the_daemon(&console, &targets, 4);
    }
}

#[test]
fn a_daemon_that_is_told_to_end_stops_its_jobs_first() {
    let Some(console) = Console::start("a_daemon_that_is_told_to_end_stops_its_jobs_first") else {
        return;
    };
    let job = console.background(
        &["-t", "127.1.0.[1-3]", "--grace", "300ms"],
        "trap '' TERM; while :; do sleep 0.2; done",
    );
    until("all of them run", || console.count(&job, "Running") == 3);
    console
        .regatta(&["daemon", "stop"])
        .exits(1)
        .says(&["1 job is still live"]);
    console.regatta(&["daemon", "stop", "--force"]).exits(0);
    assert_eq!(
        console.remains(&job),
        Vec::<u32>::new(),
        "as soon as it returns"
    );
}

/// What is still being looked up is not done, although it is Disconnected already.
#[test]
fn what_is_being_looked_up_is_not_done() {
    let Some(console) = Console::start("what_is_being_looked_up_is_not_done") else {
        return;
    };
    let options = ["-t", "127.1.0.[1-2]", "--connect-timeout", "30s"];
    let job = console.background(&options, "exec sleep 1000");
    until("both run", || console.count(&job, "Running") == 2);
    let listener = Frozen::new(console.fleet.listener());
    kill(console.daemon_pid(), Signal::KILL);
    until("it is gone", || console.daemons().is_empty());
    let table = console.regatta(&["jobs"]).exits(0).out();
    assert!(table.contains(" 0/2  2 Disconnected "), "{table}");
    let waiting = console.start_regatta(&["wait", &job]);
    drop(listener);
    waiting.finish().exits(1);
    let table = console.regatta(&["jobs"]).exits(0).out();
    assert!(table.contains(" 2/2  2 Failed "), "{table}");
}

#[test]
fn what_runs_without_a_daemon_ends_with_its_command() {
    let Some(console) = Console::start("what_runs_without_a_daemon_ends_with_its_command") else {
        return;
    };
    let line = "trap '' TERM; echo up; while :; do sleep 0.2; done";
    for (signal, code) in [
        (Signal::KILL, None),
        (Signal::TERM, None),
        (Signal::INT, Some(130)),
    ] {
        let config = console.config();
        let options = [
            "-F",
            &config,
            "--no-daemon",
            "run",
            "-t",
            "127.1.0.[1-2]",
            "--grace",
            "300ms",
        ];
        let command = console.start_regatta(&[&options[..], &["--", line]].concat());
        // Without a daemon every first job is number 1.
        until("both run", || console.remains("1").len() >= 2);
        command.signal(signal);
        let ran = command.finish();
        assert_eq!(ran.code(), code, "{ran:?}");
        until("nothing of it is left", || console.remains("1").is_empty());
    }
    assert_eq!(console.daemons(), Vec::<u32>::new());
}

#[test]
fn a_daemon_that_is_terminated_takes_its_jobs_along() {
    let Some(console) = Console::start("a_daemon_that_is_terminated_takes_its_jobs_along") else {
        return;
    };
    let job = console.background(
        &["-t", "127.1.0.[1-3]"],
        "trap '' TERM; echo up; while :; do sleep 0.2; done",
    );
    until("all of them run", || console.count(&job, "Running") == 3);
    let following = console.follow(&job);
    until("the follower has what they said", || {
        let now = console.now(&job);
        let children = now["children"].as_array().expect("a list");
        let taken = |child: &Value| child["bytes"]["out"] == 3 && child["more"] == false;
        children.iter().all(taken)
    });
    let pid = console.daemon_pid();
    kill(pid, Signal::TERM);
    following.finish().exits(1).says(&[]);
    until("it has ended", || console.daemons().is_empty());
    until("nothing of it is left", || console.remains(&job).is_empty());
    console.regatta(&["daemon", "status"]).exits(3);
}

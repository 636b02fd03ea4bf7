//! The daemon's life: started once, ended cleanly or not, and never needed twice.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::{Home, Running, kill, until};

#[test]
fn many_commands_at_once_start_one_daemon() {
    let home = Home::new();
    let runs: Vec<_> = (0..10)
        .map(|_| home.start(&["run", "--local", "--", "true"]))
        .collect();
    let ids: BTreeSet<u64> = runs
        .into_iter()
        .map(|run| run.finish().exits(0).out().trim().parse().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 10, "{ids:?}");
    assert_eq!(home.daemons(), [home.daemon_pid()]);
}

/// It keeps nothing of who started it: no terminal, no directory, no pipe.
#[test]
fn the_daemon_lets_go_of_its_starter() {
    let home = Home::new();
    // `finish` returns only when nobody holds the pipes any more.
    home.regatta(&["daemon", "start"]).exits(0);
    let pid = home.daemon_pid();
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).expect("a link");
    assert_eq!(link("cwd").to_str(), Some("/"));
    for descriptor in 0..3 {
        assert_eq!(
            link(&format!("fd/{descriptor}")).to_str(),
            Some("/dev/null")
        );
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat
        .rsplit_once(") ")
        .expect("a name")
        .1
        .split(' ')
        .collect();
    assert_eq!(
        (fields[3], fields[4]),
        (pid.to_string().as_str(), "0"),
        "a session of its own, without a terminal"
    );
    for file in fs::read_dir(home.runtime()).expect("its directory") {
        let file = file.expect("an entry");
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} is open to others", file.path());
    }
}

#[test]
fn a_daemon_that_was_killed_is_reported_and_replaced() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    let clients = [
        &["receive", "--wait", "1"][..],
        &["wait", "1"],
        &["jobs", "--watch"],
    ]
    .map(|arguments| home.start(arguments));
    until("the follower has taken the line", || {
        home.child_now(job)["more"] == false
    });
    let pid = home.daemon_pid();
    kill(pid, Signal::KILL);
    for client in clients {
        client
            .finish()
            .exits(1)
            .says(&[&format!("the daemon (pid {pid}) has gone away"), "hint: "]);
    }
    until("the lifeline ends the command", || {
        home.alive(job).is_empty()
    });
    assert!(home.socket().exists(), "the socket is left over");
    home.regatta(&["daemon", "status"])
        .exits(3)
        .says(&["no daemon is running"]);
    // The next one has the job, and found out what became of it.
    home.regatta(&["wait", "1"])
        .exits(1)
        .says(&["the daemon that ran it has ended; the command has ended, how is not known"]);
    home.regatta(&["receive", "--all", "1"])
        .exits(1)
        .prints("localhost: ready\n");
    home.regatta(&["run", "--local", "--wait", "--", "echo again"])
        .exits(0)
        .prints("localhost: again\n");
    assert_ne!(home.daemon_pid(), pid);
}

/// With `-v` a command says how it gets at the engine, without it nothing of the kind.
#[test]
fn a_verbose_command_says_whom_it_asks() {
    let home = Home::new();
    let socket = format!("socket={}", home.socket().display());
    let run = |options: &[&str]| {
        let line = ["run", "--local", "--wait", "--", "true"];
        home.regatta(&[options, &line].concat()).exits(0)
    };
    let first = run(&["-v"]).says(&["no daemon answers", &socket, "a daemon was started now"]);
    let pid = format!("pid={}", home.daemon_pid());
    assert!(first.err().contains(&pid), "{first:?}");
    let version = format!("version={}", env!("CARGO_PKG_VERSION"));
    let second = run(&["-v"]).says(&["a daemon answers", &socket, &pid, &version]);
    assert!(!second.err().contains("started now"), "{second:?}");
    assert!(!run(&[]).err().contains("socket="));
    let alone = run(&["-v", "--no-daemon"]).says(&["greeted by the engine"]);
    assert!(!alone.err().contains("socket="), "{alone:?}");
}

#[test]
fn a_log_that_has_become_long_begins_anew() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);
    let log = home.runtime().join("daemon.log");
    fs::write(&log, vec![b'x'; 6 << 20]).expect("ours");
    home.regatta(&["daemon", "start"]).exits(0);
    let length = |path: &std::path::Path| fs::metadata(path).expect("it is there").len();
    assert_eq!(length(&home.runtime().join("daemon.log.1")), 6 << 20);
    assert!(length(&log) < 1 << 20);
}

/// What went wrong can be read afterwards, once each, whatever happens to the jobs later.
#[test]
fn the_log_tells_of_ends_and_failures() {
    let home = Home::new();
    let bad = home.job_with(&["-n", "night"], "exit 3");
    home.regatta(&["wait", "all"]).exits(1);
    let good = home.finished_job("echo fine");
    let lost = home.job("echo ready; exec sleep 1000");
    home.until_output(lost, 6);
    home.regatta(&["stop", &lost.to_string()]).exits(0);
    home.regatta(&["receive", "all"]).exits(1);
    home.regatta(&["remove", &bad.to_string()]).exits(0);
    home.regatta(&["daemon", "stop", "--force"]).exits(0);
    let log = fs::read_to_string(home.runtime().join("daemon.log")).expect("a log");
    let lines = |parts: &[&str]| {
        let all = log.lines();
        all.filter(|line| parts.iter().all(|part| line.contains(part)))
            .count()
    };
    let of = |job: u64| format!("job={job} ");
    let failed = "host=\"localhost\" state=Failed reason=\"exit 3\"";
    assert_eq!(lines(&["INFO", &of(bad), failed]), 1, "{log}");
    assert_eq!(
        lines(&["INFO", &of(bad), "name=\"night\" state=Failed"]),
        1,
        "{log}"
    );
    assert_eq!(lines(&[&of(good), "state=Completed"]), 1, "{log}");
    assert_eq!(
        lines(&[&of(good)]),
        1,
        "what completed is no failure: {log}"
    );
    assert_eq!(lines(&[&of(lost), "state=Stopped"]), 2, "{log}");
    assert_eq!(lines(&[&format!("removed job={bad}")]), 1, "{log}");
}

#[test]
fn there_is_only_one_daemon() {
    let home = Home::new();
    home.regatta(&["daemon", "start"])
        .exits(0)
        .says(&["the daemon runs, pid "]);
    let pid = home.daemon_pid();
    home.regatta(&["daemon", "start"])
        .exits(0)
        .says(&[&format!("pid {pid}")]);
    home.regatta(&["daemon", "run"])
        .exits(2)
        .says(&["a daemon is already running"]);
    assert_eq!(home.daemon_pid(), pid);
}

#[test]
fn live_jobs_keep_the_daemon_unless_forced() {
    let home = Home::new();
    let job = home.job_with(
        &["--grace", "200ms"],
        "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    );
    home.until_output(job, 6);
    home.regatta(&["daemon", "stop"])
        .exits(1)
        .says(&["1 job is still live", "--force"]);
    assert_eq!(home.job_now(job)["state"], "Running");
    home.regatta(&["daemon", "stop", "--force"]).exits(0);
    assert_eq!(home.alive(job), Vec::<u32>::new());
    assert_eq!(home.daemons(), Vec::<u32>::new(), "stopped means ended");
    assert!(!home.socket().exists());
    home.regatta(&["daemon", "stop"])
        .exits(3)
        .says(&["no daemon is running"]);
    home.regatta(&["daemon", "status", "--json"])
        .exits(3)
        .prints("null\n");
}

/// A new one can start as soon as the old one said that it ended, and even before.
#[test]
fn stopping_and_starting_in_a_row_works() {
    let home = Home::new();
    for _ in 0..5 {
        home.regatta(&["run", "--local", "--wait", "--", "true"])
            .exits(0);
        home.regatta(&["daemon", "stop"]).exits(0);
    }
    for _ in 0..3 {
        home.regatta(&["daemon", "start"]).exits(0);
        kill(home.daemon_pid(), Signal::TERM);
        let run = home.regatta(&["run", "--local", "--wait", "--", "true"]);
        // Told to end while it was being asked, or once it had the job: that is said, and never anything else.
        if run.code() != Some(0) {
            let said = run.exits(1).err();
            let known = ["has gone away", "the daemon that ran it has ended"];
            assert!(known.iter().any(|text| said.contains(text)), "{said}");
        }
    }
}

#[test]
fn signals_end_a_daemon_in_the_foreground() {
    let home = Home::new();
    for signal in [Signal::TERM, Signal::INT] {
        let daemon = home.start(&["daemon", "run"]);
        until("it listens", || {
            home.regatta(&["daemon", "status"]).code() == Some(0)
        });
        assert_eq!(home.daemon_pid(), daemon.pid());
        let job = home.job("echo ready; exec sleep 1000");
        home.until_output(job, 6);
        daemon.signal(Signal::HUP);
        assert_eq!(home.job_now(job)["state"], "Running");
        daemon.signal(signal);
        daemon.finish().exits(0);
        assert!(!home.socket().exists());
        until("its commands end with it", || home.alive(job).is_empty());
    }
}

#[test]
fn a_limit_of_descriptors_is_no_end() {
    let home = Home::new();
    let mut shell = home.program("/bin/sh");
    shell.args([
        "-c",
        "ulimit -n 24 && exec \"$0\" daemon run",
        env!("CARGO_BIN_EXE_regatta"),
    ]);
    let daemon = Running::spawn(shell);
    until("it listens", || {
        home.regatta(&["daemon", "status"]).code() == Some(0)
    });
    // More clients than it has descriptors for, and all of them stay.
    let idle: Vec<_> = (0..40)
        .map(|_| {
            std::os::unix::net::UnixStream::connect(home.socket()).expect("the backlog takes it")
        })
        .collect();
    drop(idle);
    home.regatta(&["run", "--local", "--wait", "--", "echo still here"])
        .exits(0)
        .prints("localhost: still here\n");
    daemon.signal(Signal::TERM);
    daemon.finish().exits(0);
}

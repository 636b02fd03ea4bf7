//! `receive --fold` and `run -w --fold`: what came to the same is printed once, and received by that.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use crate::support::pty::OnTerminal;
use crate::support::{Home, Running};

#[test]
fn a_fold_prints_what_came_to_the_same_and_receives_it() {
    let home = Home::new();
    let job = home.finished_job("echo one; echo two; exit 3").to_string();
    let text = "==> 1 host  exit 3  localhost <==\none\ntwo\n";
    let keep = home
        .regatta(&["receive", "--fold", "--keep", &job])
        .exits(1);
    keep.prints(text);
    assert_eq!(home.jobs(&[&job])[0]["more"], true);
    let ran = home.regatta(&["receive", "--fold", &job]).exits(1);
    assert_eq!(ran.err(), "", "why it failed is said above its output");
    ran.prints(text);
    assert_eq!(home.jobs(&[&job])[0]["more"], false);
    // There is nothing more, and what became of it is said all the same.
    home.regatta(&["receive", "--fold", &job])
        .exits(1)
        .says(&["nothing new of 1 host", "--all"])
        .prints("==> 1 host  exit 3  localhost <==\n");
    home.regatta(&["receive", "--fold", "--all", &job])
        .exits(1)
        .prints(text);
    home.regatta(&["receive", "--fold", "--all", "--stream", "err", &job])
        .exits(1)
        .prints("==> 1 host  exit 3  localhost <==\n");
    let trouble = home.finished_job("echo oops >&2").to_string();
    home.regatta(&["receive", "--fold", &trouble])
        .exits(0)
        .prints("==> 1 host  exit 0  localhost <==\n==> localhost (stderr) <==\noops\n");
    let fine = home.finished_job("printf 'no end'").to_string();
    home.regatta(&["receive", "--fold", &job, &fine])
        .exits(1)
        .prints(
            "==> job 1  1 host  exit 3  localhost <==\n\n\
             ==> job 5  1 host  exit 0  localhost <==\nno end",
        );
    home.regatta(&["receive", "--fold", "77"]).exits(3);
    home.regatta(&["receive", "--fold", "--host", "web01", &job])
        .exits(3);
    let file = home.path("file");
    let name = file.to_str().expect("UTF-8");
    home.regatta(&["receive", "--fold", "--all", "-o", name, &fine])
        .exits(0)
        .prints("");
    let written = std::fs::read_to_string(&file).expect("it was written");
    assert_eq!(written, "==> 1 host  exit 0  localhost <==\nno end");
}

#[test]
fn a_fold_of_what_still_runs_says_so_and_waits_if_it_is_told_to() {
    let home = Home::new();
    let go = home.path("go");
    let line = format!(
        "echo begun; until [ -e {} ]; do sleep 0.05; done; echo done",
        go.display()
    );
    let job = home.job(&line);
    home.until_output(job, 6);
    let job = job.to_string();
    home.regatta(&["receive", "--fold", &job])
        .exits(0)
        .prints("==> 1 host  Running  localhost <==\nbegun\n");
    let waiting = home.start(&["receive", "--fold", "--wait", "--remove", "last", "99"]);
    std::fs::write(&go, "").expect("a file");
    waiting
        .finish()
        .exits(1)
        .says(&["no job or child has the id 99"])
        .prints("==> 1 host  exit 0  localhost <==\ndone\n");
    home.regatta(&["jobs", &job]).exits(3);
}

/// Where a cap took something out stays where it was, and a comparison says how much it saw.
#[test]
fn what_was_cut_is_said() {
    let home = Home::new();
    let job = home.finished_job("seq 3000000").to_string();
    let ran = home
        .regatta(&["receive", "--fold", "--keep", &job])
        .exits(0);
    let ran = ran.says(&["localhost: ... ", " of output cut here ...\n"]);
    let out = ran.out();
    assert!(out.starts_with("==> 1 host  exit 0  localhost <==\n1\n2\n"));
    assert!(out.ends_with("\n3000000\n"));
    let records = home
        .regatta(&["receive", "--fold", "--keep", "--ndjson", &job])
        .exits(0)
        .records();
    assert_eq!(records[0]["group"]["cut"], true);
    assert!(
        records
            .iter()
            .any(|record| record["dropped"]["bytes"].is_u64())
    );
}

/// A host that waits until its output is received, and who receives at its end, would wait for each other.
#[test]
fn a_fold_does_not_wait_for_what_waits_for_it() {
    let home = Home::new();
    let job = home
        .job_with(&["--on-full", "block"], "seq 3000000")
        .to_string();
    home.regatta(&["receive", "--wait", "--fold", &job])
        .exits(1)
        .prints("")
        .says(&[
            "1.localhost waits until its output is received",
            "without --fold",
        ]);
    let all = home
        .regatta(&["receive", "--wait", "-N", &job])
        .exits(0)
        .out();
    assert!(all.ends_with("\n3000000\n"));
}

#[test]
fn folds_are_records_where_that_is_asked_for() {
    let home = Home::new();
    let job = home.finished_job("echo 'ä'; exit 3").to_string();
    let group = json!({"job": 1, "group": {
        "hosts": "localhost", "children": [2], "state": "Failed", "reason": {"kind": "exit", "text": "exit 3"},
        "exit": 3, "output": {"bytes": 3, "lines": 1}, "cut": false,
    }});
    let output = json!({"job": 1, "child": 2, "host": "localhost", "stream": "out", "data": "ä\n"});
    let keep = ["receive", "--fold", "--keep", &job];
    let whole = home.regatta(&[&keep[..], &["--json"]].concat()).exits(1);
    assert_eq!(whole.json(), json!([group, output]));
    let lines = home.regatta(&[&keep[..], &["--ndjson"]].concat()).exits(1);
    assert_eq!(lines.records(), [group, output]);
    let run = ["run", "--local", "-w", "--fold", "--json", "--", "echo x"];
    let records = home.regatta(&run).exits(0).records();
    assert_eq!(records[0]["group"]["state"], "Completed");
    assert_eq!(records[1]["data"], "x\n");
}

#[test]
fn a_fold_that_cannot_be_written_receives_nothing() {
    let home = Home::new();
    let job = home.finished_job("seq 1 60000").to_string();
    let drain = ["receive", "--fold", &job];
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has /dev/full");
    let child = home
        .command(&drain)
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .expect("regatta starts");
    Running::of(child)
        .finish()
        .exits(1)
        .says(&["cannot write", "No space left"]);
    // What is printed later has to be kept until then; a directory that is none has no room.
    let large = home.finished_job("head -c 6000000 /dev/zero").to_string();
    let child = home
        .command(&["receive", "--fold", &large])
        .env("TMPDIR", "/no/such/place")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("regatta starts");
    Running::of(child)
        .finish()
        .exits(1)
        .prints("")
        .says(&["it cannot be kept in /no/such/place", "set TMPDIR"]);
    for job in [&job, &large] {
        assert_eq!(home.jobs(&[job])[0]["more"], true, "job {job}");
    }
    let all = home.regatta(&drain).exits(0).out();
    assert_eq!(all.lines().count(), 60_001);
}

#[test]
fn a_job_is_run_and_folded_at_its_end() {
    let home = Home::new();
    let run = |options: &[&str], line| {
        let words = [&["run", "--local", "-w", "--fold"], options, &["--", line]].concat();
        home.regatta(&words)
    };
    run(&[], "echo x; exit 4")
        .exits(1)
        .prints("==> 1 host  exit 4  localhost <==\nx\n")
        .says(&["job 1: Failed, 1 Failed\n"]);
    assert_eq!(home.jobs(&["1"])[0]["more"], false, "it was received");
    run(&["--no-daemon", "-q"], "echo x")
        .exits(0)
        .prints("==> 1 host  exit 0  localhost <==\nx\n");
    run(&["--dry-run"], "echo x").exits(0).prints("localhost\n");
}

#[test]
fn a_terminal_shows_what_hosts_came_to_so_far() {
    let home = Home::new();
    let go = home.path("go");
    let line = format!(
        "until [ -e {} ]; do sleep 0.05; done; echo done",
        go.display()
    );
    let run = [
        "run",
        "--local",
        "-w",
        "--fold",
        "--color=never",
        "--",
        &line,
    ];
    let screen = OnTerminal::of_size(home.command(&run), 80, 24);
    screen.until_shown("job 1: 0 of 1 host ended\r\n1 host  Running  localhost\r\n");
    std::fs::write(&go, "").expect("a file");
    let ran = screen.finish().exits(0);
    let shown = ran.out();
    // What was drawn is taken away before the result is printed.
    let end = "\u{1b}[2F\u{1b}[J==> 1 host  exit 0  localhost <==\r\ndone\r\njob 1: Completed, 1 Completed\r\n";
    assert!(shown.ends_with(end), "{shown:?}");

    // Ctrl-C lets go of it, and nothing was received.
    let run = [
        "run",
        "--local",
        "-w",
        "--fold",
        "--",
        "echo begun; exec sleep 1000",
    ];
    let screen = OnTerminal::of_size(home.command(&run), 80, 24);
    screen.until_shown("1 host  Running  localhost");
    screen.running().signal(rustix::process::Signal::INT);
    screen.until_shown("detached; job 3 goes on");
    screen.finish().exits(130);
    let job = home.job_now(3);
    assert_eq!(
        (&job["state"], &job["more"]),
        (&json!("Running"), &json!(true))
    );
    home.regatta(&["stop", "3"]).exits(0);
}

#[test]
fn folds_that_cannot_be_are_refused() {
    let home = Home::new();
    let run = |options: &[&str]| {
        let words = [&["run", "--local"], options, &["--", "echo x"]].concat();
        home.regatta(&words).exits(2)
    };
    run(&["--fold"]).says(&["a job in the background has none yet", "add -w"]);
    run(&["-w", "--fold", "--on-full", "block"]).says(&["until its output is received"]);
    run(&["-w", "--diff"]).says(&["--fold"]);
    run(&["-w", "--fold", "--ignore", "case"]).says(&["space, numbers, times, host, nothing"]);
    assert_eq!(home.jobs(&[]), json!([]), "nothing was started");
    let job = home.finished_job("echo x").to_string();
    for options in [
        &["--fold", "--outdir", "x"][..],
        &["--fold", "--headers"],
        &["--fold", "-N"],
        &["--ignore", "space"],
        &["--diff"],
        &["--fold", "--diff", "--ndjson"],
        &["--fold", "--diff", "--json"],
    ] {
        home.regatta(&[&["receive", &job], options].concat())
            .exits(2);
    }
    assert_eq!(home.jobs(&[&job])[0]["more"], true);
}

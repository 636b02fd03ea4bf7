//! The audit log: every deed and what came of it, whoever looks at it and however the disk is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, Running, kill, until};

fn log(home: &Home) -> PathBuf {
    home.path("home/.local/state/regatta/audit.jsonl")
}

/// The entries, but for those of the daemon's own life.
fn entries(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let ran = home.regatta(&[&["audit", "--json"], arguments].concat());
    let mut entries = ran.exits(0).records();
    entries.retain(|entry| {
        !entry["what"]
            .as_str()
            .expect("a word")
            .starts_with("daemon")
    });
    entries
}

fn words(home: &Home) -> Vec<(String, Value)> {
    let all = entries(home, &[]).into_iter();
    let word = |entry: &Value| entry["what"].as_str().expect("a word").to_string();
    all.map(|entry| (word(&entry), entry["job"].clone()))
        .collect()
}

/// An outcome is noted beside everything else: it comes before long.
fn until_outcome(home: &Home, job: u64) -> Value {
    let mut found = None;
    until(&format!("the outcome of job {job} is noted"), || {
        let entries = entries(home, &["outcome", "--job", &job.to_string()]);
        found = entries.last().cloned();
        found.is_some()
    });
    found.expect("just found")
}

#[test]
fn every_deed_is_noted_with_what_came_of_it() {
    let home = Home::new();
    let good = home.finished_job("echo out");
    let (job, id) = (json!(good), good.to_string());
    let outcome = until_outcome(&home, good);
    assert_eq!(
        outcome["results"],
        json!([{"hosts": "localhost", "state": "Completed"}])
    );
    home.regatta(&["receive", "--keep", &id]).exits(0);
    home.regatta(&["receive", &id]).exits(0);
    // Rows are looked at, and nothing is received by that.
    home.regatta(&["rows", &id]).exits(0);
    home.regatta(&["sql", "select * from lines"]).exits(0);
    home.regatta(&["diff", &id, &id]).exits(0);
    // Nothing is left to hand over, and nothing to note.
    home.regatta(&["receive", &id]).exits(0);
    let found = entries(&home, &["receive"]);
    let modes: Vec<&Value> = found.iter().map(|entry| &entry["mode"]).collect();
    assert_eq!(modes, ["keep", "drain"]);
    let bad = home.finished_job("exit 3");
    let outcome = until_outcome(&home, bad);
    assert_eq!(outcome["state"], "Failed");
    assert_eq!(
        outcome["results"],
        json!([{"hosts": "localhost", "state": "Failed", "reason": "exit 3"}])
    );
    let again = home.regatta(&["rerun", &bad.to_string()]).exits(0);
    let again: u64 = again.out().trim().parse().expect("an id");
    until_outcome(&home, again);
    assert_eq!(entries(&home, &["rerun"])[0]["of"], bad);
    let slow = home.job("echo ready; exec sleep 1000");
    home.until_output(slow, 6);
    let slow_id = slow.to_string();
    home.regatta(&["throttle", &slow_id, "-f", "3"]).exits(0);
    home.regatta(&["pause", &slow_id]).exits(0);
    home.regatta(&["resume", &slow_id]).exits(0);
    // What has ended is not stopped again.
    home.regatta(&["stop", "all"]);
    let outcome = until_outcome(&home, slow);
    assert_eq!(outcome["results"][0]["reason"], "stopped by operator");
    // Refused, and so not done.
    let live = home.job("exec sleep 1000");
    home.regatta(&["remove", &live.to_string()]).exits(1);
    home.regatta(&["remove", "--force", &live.to_string()])
        .exits(0);
    let outcome = until_outcome(&home, live);
    assert_eq!(outcome["results"][0]["reason"], "stopped by operator");
    let want = [
        ("run", &job),
        ("outcome", &job),
        ("receive", &job),
        ("receive", &job),
        ("run", &json!(bad)),
        ("outcome", &json!(bad)),
        ("rerun", &json!(again)),
        ("outcome", &json!(again)),
        ("run", &json!(slow)),
        ("throttle", &json!(slow)),
        ("pause", &json!(slow)),
        ("resume", &json!(slow)),
        ("stop", &json!(slow)),
        ("outcome", &json!(slow)),
        ("run", &json!(live)),
        ("remove", &json!(live)),
        ("outcome", &json!(live)),
    ];
    let mut want: Vec<(String, Value)> = want
        .into_iter()
        .map(|(what, job)| (what.to_string(), job.clone()))
        .collect();
    let mut words = words(&home);
    // Of the last two either may be first.
    for words in [&mut words, &mut want] {
        words[15..].sort_by_key(|(what, _)| what.clone());
    }
    assert_eq!(words, want);
    let ran = home.regatta(&["audit", "--limit", "1", "localhost", "uptime|out"]);
    ran.exits(0).prints("");
    let ran = home.regatta(&["audit", "run", "echo out"]).exits(0);
    let line = format!("run  job {good}  localhost  echo out\n");
    assert!(ran.out().ends_with(&line), "{ran:?}");
    let mode = fs::metadata(log(&home)).expect("it is there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn the_log_outlives_daemons_and_tells_of_each_end_once() {
    let home = Home::new();
    let job = home.finished_job("true");
    until_outcome(&home, job);
    home.regatta(&["daemon", "stop"]).exits(0);
    let printed = home.finished_job("echo out");
    until_outcome(&home, printed);
    // Receiving changes a job that an earlier daemon saw end, and is no second end.
    kill(home.daemon_pid(), Signal::KILL);
    home.regatta(&["receive", "all"]).exits(0);
    let last = home.finished_job("true");
    until_outcome(&home, last);
    let all = home.regatta(&["audit", "--json"]).exits(0).records();
    let count = |what: &str| all.iter().filter(|entry| entry["what"] == what).count();
    assert_eq!(count("daemon start"), 3);
    assert_eq!(count("daemon stop"), 1);
    assert_eq!(count("outcome"), 3);
    assert_eq!(count("receive"), 1);
}

#[test]
fn a_damaged_line_is_counted_and_spoils_no_other() {
    let home = Home::new();
    home.regatta(&["audit"]).exits(0).prints("");
    assert!(!log(&home).exists());
    home.finished_job("true");
    let mut text = fs::read(log(&home)).expect("it is there");
    text.splice(0..0, *b"{\"time\":\"2026-11\xff\n");
    fs::write(log(&home), text).expect("ours");
    let ran = home.regatta(&["audit", "--json", "run"]).exits(0);
    let ran = ran.says(&["1 line of ", "audit.jsonl cannot be read"]);
    assert_eq!(ran.records().len(), 1);
}

#[test]
fn commands_without_a_daemon_write_the_same_log() {
    let home = Home::new();
    home.regatta(&["--no-daemon", "run", "--local", "--", "exit 3"])
        .exits(1);
    assert!(home.daemons().is_empty());
    let all = home.regatta(&["audit", "--json"]).exits(0).records();
    let words: Vec<&Value> = all.iter().map(|entry| &entry["what"]).collect();
    assert!(words.contains(&&json!("run")) && words.contains(&&json!("outcome")));
    assert!(all.iter().all(|entry| entry["no_daemon"] == true));
    // Their numbers begin at 1 each time.
    home.regatta(&["audit", "--json", "--job", "1"])
        .exits(0)
        .prints("");
    // A log that cannot be written is said and stops nobody.
    let mut nowhere = home.command(&["--no-daemon", "run", "--local", "--", "true"]);
    nowhere.env("XDG_STATE_HOME", "/proc/nowhere");
    Running::spawn(nowhere)
        .finish()
        .exits(0)
        .says(&["warning: the audit log cannot be written"]);
    assert_eq!(
        home.regatta(&["audit", "--json"]).records().len(),
        all.len()
    );
}

#[test]
fn the_demo_leaves_no_trace() {
    let home = Home::new();
    home.regatta(&["demo", "--hosts", "3"]).exits(0);
    assert!(!log(&home).exists());
}

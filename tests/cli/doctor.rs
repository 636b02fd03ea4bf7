//! What `doctor` finds, on a home that is sound and on ones that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Home, Ran, Running, kill, until};

fn doctor(home: &Home) -> Ran {
    home.regatta(&["doctor"])
}

/// The checks of that name: verdict, text and hint.
fn found(home: &Home, check: &str) -> Vec<(String, String, String)> {
    let all: Value = home.regatta(&["doctor", "--json"]).json();
    let all = all.as_array().expect("a list").iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_string();
    all.filter(|finding| finding["check"] == check)
        .map(|finding| {
            let [verdict, what, hint] = ["verdict", "text", "hint"].map(|key| text(finding, key));
            (verdict, what, hint)
        })
        .collect()
}

#[track_caller]
fn is_bad(home: &Home, check: &str, parts: &[&str]) {
    doctor(home).exits(1);
    let found = found(home, check);
    let fits = |(verdict, text, hint): &(String, String, String)| {
        let said = format!("{text}; {hint}");
        verdict == "bad" && parts.iter().all(|part| said.contains(part))
    };
    assert!(found.iter().any(fits), "{check}: {found:?}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn a_sound_home_is_fine_with_a_daemon_and_without() {
    let home = Home::new();
    let ran = doctor(&home).exits(0);
    for line in [
        "ok    versions: regatta 0.",
        "note  agent: SSH_AUTH_SOCK is not set",
        "ok    store: there are no jobs yet",
        "ok    daemon: none runs",
    ] {
        assert!(ran.out().contains(line), "{line:?}: {ran:?}");
    }
    assert!(
        home.daemons().is_empty() && !home.runtime().exists(),
        "it starts and makes nothing"
    );
    home.finished_job("echo out");
    let pid = home.daemon_pid();
    let ran = doctor(&home).exits(0);
    for line in [
        "the catalog is sound and so is all output (files: 1)",
        &format!("ok    daemon: runs, pid {pid}, version "),
        "ok    leftovers: nothing is known",
        "ok    state: ",
        "ok    runtime: ",
        "ok    log: ",
    ] {
        assert!(ran.out().contains(line), "{line:?}: {ran:?}");
    }
    home.regatta(&["daemon", "stop"]).exits(0);
    let files = || fs::read_dir(home.path("home/.local/state/regatta/jobs")).expect("it is there");
    assert_eq!(files().count(), 1);
    doctor(&home).exits(0);
    assert!(home.daemons().is_empty());
    assert_eq!(files().count(), 1, "nothing is made by looking");
    // What was looked at is what it was.
    home.regatta(&["receive", "last"])
        .exits(0)
        .prints("localhost: out\n");
}

#[test]
fn what_others_can_read_is_bad() {
    let home = Home::new();
    home.finished_job("echo out");
    let state = home.path("home/.local/state/regatta");
    set_mode(&state.join("jobs/1.db"), 0o644);
    is_bad(&home, "state", &["1.db is open to others", "chmod -R go= "]);
    set_mode(&state.join("jobs/1.db"), 0o600);
    doctor(&home).exits(0);
    set_mode(&home.runtime().join("daemon.log"), 0o620);
    is_bad(&home, "runtime", &["daemon.log is open to others"]);
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let home = Home::new();
    let spoilt = home.finished_job("echo spoilt");
    home.finished_job("echo fine");
    home.regatta(&["daemon", "stop"]).exits(0);
    let file = home.path(&format!("home/.local/state/regatta/jobs/{spoilt}.db"));
    let file = fs::OpenOptions::new().write(true).open(file);
    file.and_then(|file| file.set_len(5000)).expect("ours");
    let name = format!("{spoilt}.db");
    let hint = format!("`regatta remove {spoilt}`");
    is_bad(&home, "store", &[&name, &hint]);
    home.regatta(&["daemon", "start"]).exits(0);
    is_bad(&home, "store", &[&name, &hint]);
    home.regatta(&["remove", &spoilt.to_string()]).exits(0);
    doctor(&home).exits(0);
}

#[test]
fn what_a_killed_daemon_leaves_is_told_apart_from_one_that_hangs() {
    let home = Home::new();
    home.finished_job("true");
    let pid = home.daemon_pid();
    kill(pid, Signal::KILL);
    until("it is gone", || home.daemons().is_empty());
    doctor(&home).exits(0);
    let socket = found(&home, "socket");
    assert_eq!(socket.len(), 1, "{socket:?}");
    assert_eq!(socket[0].0, "note");
    // Somebody holds the lock and listens nowhere.
    let lock = fs::File::open(home.runtime().join("daemon.lock")).expect("it is there");
    lock.lock().expect("nobody has it");
    is_bad(&home, "locks", &["does not listen"]);
    drop(lock);
    let store = home.path("home/.local/state/regatta/lock");
    let lock = fs::File::open(store).expect("it is there");
    lock.lock().expect("nobody has it");
    is_bad(&home, "locks", &["elsewhere", &pid.to_string()]);
}

#[test]
fn trouble_with_writing_is_shown() {
    let home = Home::new();
    home.finished_job("echo before");
    let state = home.path("home/.local/state/regatta");
    fs::rename(state.join("jobs"), state.join("away")).expect("ours");
    home.finished_job("echo out");
    until("the daemon has noticed", || {
        home.status()["trouble"].is_string()
    });
    is_bad(&home, "writing", &["the store cannot be written"]);
    fs::rename(state.join("away"), state.join("jobs")).expect("ours");
    until("it is over", || home.status()["trouble"].is_null());
    doctor(&home).exits(0);
    let log = || found(&home, "log")[0].1.clone();
    assert!(log().contains("the last warnings: "), "{}", log());
    // The next daemon has nothing to do with that.
    home.regatta(&["daemon", "stop"]).exits(0);
    home.regatta(&["daemon", "start"]).exits(0);
    assert!(!log().contains("the last warnings: "), "{}", log());
}

#[test]
fn what_may_still_run_is_named() {
    let home = Home::new();
    let pid_file = home.path("pid");
    let line = format!(
        "setsid sh -c 'echo $$ > {}; exec sleep 1000' & sleep 1000",
        pid_file.display()
    );
    let job = home.job(&line);
    let pid = || -> Option<u32> { fs::read_to_string(&pid_file).ok()?.trim().parse().ok() };
    until("it has left the session", || pid().is_some());
    home.regatta(&["stop", "--kill", &job.to_string()]).exits(1);
    let pid = pid().expect("just read");
    is_bad(
        &home,
        "leftovers",
        &[
            &format!("{job}.localhost: "),
            &pid.to_string(),
            &format!("`regatta remove {job}`"),
        ],
    );
    kill(pid, Signal::KILL);
}

#[test]
fn an_agent_is_asked_for_its_keys() {
    let home = Home::new();
    let with_agent = |socket: &Path| {
        let mut command: Command = home.command(&["doctor"]);
        command.env("SSH_AUTH_SOCK", socket);
        Running::spawn(command).finish()
    };
    let ran = with_agent(&home.path("nowhere")).exits(1);
    assert!(ran.out().contains("BAD   agent: "), "{ran:?}");
    // An agent without keys, in so many bytes: SSH_AGENT_IDENTITIES_ANSWER of draft-miller-ssh-agent.
    let socket = home.path("agent");
    let listener = UnixListener::bind(&socket).expect("a socket");
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for mut client in listener.incoming().flatten() {
            _ = client.read(&mut [0; 64]);
            _ = client.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0]);
        }
    });
    let ran = with_agent(&socket).exits(0);
    assert!(ran.out().contains("answers and has no keys"), "{ran:?}");
}

#[test]
fn a_limit_below_the_fanout_is_bad() {
    let home = Home::new();
    let line = format!(
        "ulimit -n 210; exec {} doctor",
        env!("CARGO_BIN_EXE_regatta")
    );
    let mut limited = home.program("sh");
    limited.args(["-c", &line]);
    let ran = Running::spawn(limited).finish().exits(1);
    assert!(
        ran.out()
            .contains("BAD   limits: 210 open files, 210 at most"),
        "{ran:?}"
    );
}

//! `regatta demo` from its first word to its last, as on a fresh computer: without home, agent or settings.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The program in an empty world; temporary files go to `temporary`.
fn demo(temporary: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
    command
        .arg("demo")
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("TMPDIR", temporary)
        .env("SSH_AUTH_SOCK", "/nonexistent/agent")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end, and sees that nothing is left behind.
fn performed(args: &[&str]) -> Output {
    let temporary = tempfile::tempdir().expect("a directory");
    let output = demo(temporary.path(), args).output().expect("it runs");
    let left: Vec<_> = fs::read_dir(temporary.path())
        .expect("it is there")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

/// The hosts' lines, of hosts whose names begin with `role`.
fn count(out: &str, role: &str, what: &str) -> usize {
    out.lines()
        .filter(|line| line.starts_with(role) && line.contains(what))
        .count()
}

#[test]
fn the_demonstration_goes_as_scripted() {
    for (hosts, webs, sick) in [("24", 12, "web07"), ("300", 151, "web007")] {
        let output = performed(&["--hosts", hosts]);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert_eq!(count(&out, "", "load average").to_string(), hosts);
        assert_eq!(count(&out, "web", "6.1.0-37-amd64"), webs - 1);
        assert_eq!(count(&out, "web", "6.1.0-21-amd64"), 1);
        assert_eq!(count(&out, "web", ": active"), webs - 1);
        assert_eq!(count(&out, sick, ": failed"), 1);
        assert_eq!(count(&out, "db", ": backup of db"), 4);
        assert_eq!(count(&out, "db", ": done"), 4);
        for said in [
            format!("{hosts} simulated computers answer on 127.0.0.1:"),
            format!("{sick}: Failed, exit 3\n"),
            format!("(uptime): Completed, {hosts} Completed"),
            format!("(nginx): Failed, {} Completed, 1 Failed", webs - 1),
            "(backup): Completed, 4 Completed".to_owned(),
            "Simulated:".to_owned(),
            "On real computers".to_owned(),
        ] {
            assert!(err.contains(&said), "{said:?} is missing: {err}");
        }
    }
}

#[test]
fn quiet_leaves_the_hosts_words_only() {
    let output = performed(&["--hosts", "2", "-q"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), String::new())
    );
    assert_eq!(count(&text(&output.stdout), "web0", "load average"), 2);
}

#[test]
fn json_prints_the_jobs() {
    let output = performed(&["--hosts", "24", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let jobs: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let told: Vec<_> = jobs
        .as_array()
        .expect("an array")
        .iter()
        .map(|job| (job["name"].as_str(), job["state"].as_str(), &job["counts"]))
        .collect();
    let counts = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
    let expected = [
        (
            Some("uptime"),
            Some("Completed"),
            &counts(r#"{"Completed":24}"#),
        ),
        (
            Some("nginx"),
            Some("Failed"),
            &counts(r#"{"Completed":11,"Failed":1}"#),
        ),
        (
            Some("backup"),
            Some("Completed"),
            &counts(r#"{"Completed":4}"#),
        ),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_interrupt_ends_it_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut child = demo(temporary.path(), &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        lines.next().expect("hosts answer").expect("in text");
        let looked_at = modes(temporary.path());
        assert!(looked_at > 7, "its own place and its store's: {looked_at}");
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("it is there");
        assert_eq!(
            child.wait().expect("it ends").code(),
            Some(130),
            "{signal:?}"
        );
        assert_eq!(
            fs::read_dir(temporary.path()).expect("it is there").count(),
            0
        );
    }
}

#[test]
fn wrong_usage_is_refused() {
    for args in [
        &["--hosts", "0"][..],
        &["--hosts", "10001"],
        &["-F", "none"],
        &["--config", "/dev/null"],
    ] {
        let output = performed(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

/// Sees to it that nothing below a directory is open to others; says how much there was.
fn modes(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).expect("it is there");
    let mut count = 0;
    for entry in entries.map(|entry| entry.expect("it can be looked at")) {
        // What the store has just put away is gone.
        let Ok(meta) = entry.metadata() else { continue };
        count += 1;
        if meta.is_dir() {
            assert_eq!(meta.mode() & 0o777, 0o700, "{entry:?}");
            count += modes(&entry.path());
        } else {
            assert_eq!(meta.mode() & 0o777, 0o600, "{entry:?}");
        }
    }
    count
}

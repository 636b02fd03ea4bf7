use std::fmt::Write as _;
use std::sync::Mutex;

use super::*;
use crate::demo::fleet::Fleet;
use crate::demo::process::Signal;

/// Keeps what was written.
#[derive(Default)]
struct Kept(Mutex<(Vec<u8>, Vec<u8>)>);

impl Output for Kept {
    async fn write(&self, stream: Stream, data: Bytes) -> Result<(), Unread> {
        let mut kept = self.0.lock().expect("no test panics while it writes");
        match stream {
            Stream::Out => kept.0.extend_from_slice(&data),
            Stream::Err => kept.1.extend_from_slice(&data),
        }
        Ok(())
    }
}

/// Runs a line on a computer of a fleet of 24.
async fn on(name: &str, line: &str) -> (String, String, u8) {
    let fleet = Fleet::new(24);
    let computer = fleet.get(name).expect("it is one of the fleet");
    let process = computer.processes.begin("run");
    let kept = Kept::default();
    let shell = Shell {
        computer,
        process: &process,
        variables: [
            ("REGATTA_HOST", name.to_owned()),
            ("REGATTA_JOB", "7".to_owned()),
            ("EMPTY", String::new()),
        ]
        .into(),
        output: &kept,
    };
    let code = shell.run(line).await;
    let (out, err) = kept.0.into_inner().expect("no test panics while it writes");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (text(out), text(err), code)
}

#[tokio::test]
async fn lines_mean_what_they_mean_to_sh() {
    let cases = [
        ("echo a b", "a b\n", 0),
        ("echo  'a  b'  \"c  d\"", "a  b c  d\n", 0),
        (
            "echo $REGATTA_HOST:${REGATTA_JOB}x '$REGATTA_JOB' \"<$REGATTA_JOB>\" \\$x",
            "web01:7x $REGATTA_JOB <7> $x\n",
            0,
        ),
        ("echo $EMPTY a \"$EMPTY\" $UNSET b", "a  b\n", 0),
        ("echo a; echo b", "a\nb\n", 0),
        ("echo a\necho b # not this\n\n", "a\nb\n", 0),
        ("#!/bin/sh\necho a", "a\n", 0),
        ("true && echo yes || echo no", "yes\n", 0),
        ("false && echo yes || echo no", "no\n", 0),
        ("false ||\n echo on", "on\n", 0),
        ("false; echo $?", "1\n", 0),
        ("false", "", 1),
        ("exit 3; echo never", "", 3),
        ("false; exit", "", 1),
        ("exit 259", "", 3),
        ("exit -1", "", 255),
        ("seq 2 4", "2\n3\n4\n", 0),
        ("seq 3", "1\n2\n3\n", 0),
        (
            "echo hidden >/dev/null; echo a > /dev/null 2>&1; echo b",
            "b\n",
            0,
        ),
        ("echo -n a", "a", 0),
        ("echo a#b it\\'s", "a#b it's\n", 0),
        ("hostname; whoami; uname -n", "web01\nops\nweb01\n", 0),
        ("systemctl is-active nginx", "active\n", 0),
        ("sleep 0.001 && sleep 0s", "", 0),
        ("", "", 0),
    ];
    for (line, out, code) in cases {
        assert_eq!(
            on("web01", line).await,
            (out.to_owned(), String::new(), code),
            "{line:?}"
        );
    }
}

#[tokio::test]
async fn what_this_shell_cannot_do_is_said_and_not_done() {
    let simulated = "(this computer is simulated)";
    let cases = [
        (
            "frobnicate -x",
            format!("sh: frobnicate: not found {simulated}\n"),
            127,
        ),
        (
            "echo a | cat",
            format!("sh: `|` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "sleep 1 &",
            format!("sh: `&` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "echo $(date)",
            format!("sh: `$(...)` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "echo *",
            format!("sh: `*` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "echo a > file",
            format!("sh: `>file` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "echo 'a",
            format!("sh: syntax error: ' has no end {simulated}\n"),
            2,
        ),
        (
            "echo \"a",
            format!("sh: syntax error: \" has no end {simulated}\n"),
            2,
        ),
        (
            "&& echo a",
            format!("sh: syntax error: a command is missing {simulated}\n"),
            2,
        ),
        (
            "true &&",
            format!("sh: syntax error: a command is missing {simulated}\n"),
            2,
        ),
        (
            "for i in 1; do echo a; done",
            format!("sh: `for` is more than this shell can do {simulated}\n"),
            2,
        ),
        (
            "cat /etc/shadow",
            "cat: /etc/shadow: No such file or directory\n".to_owned(),
            1,
        ),
        (
            "sleep soon",
            "sleep: invalid time interval 'soon'\n".to_owned(),
            1,
        ),
        (
            "df -i",
            format!("df: not with these arguments: \"-i\" {simulated}\n"),
            1,
        ),
        ("echo a >&2", "a\n".to_owned(), 0),
    ];
    for (line, err, code) in cases {
        let (_, said, exit) = on("web01", line).await;
        assert!(
            said.starts_with(&err) && exit == code,
            "{line:?}: {said:?}, {exit}"
        );
    }
}

#[tokio::test]
async fn computers_differ_where_the_demonstration_needs_it() {
    let line = "uname -r; systemctl is-active nginx";
    let (well, _, code) = on("web01", line).await;
    assert_eq!((well.as_str(), code), ("6.1.0-37-amd64\nactive\n", 0));
    assert_eq!(on("web12", line).await.0, well);
    assert_eq!(
        on("web07", line).await,
        ("6.1.0-37-amd64\nfailed\n".to_owned(), String::new(), 3)
    );
    assert_eq!(on("web03", line).await.0, "6.1.0-21-amd64\nactive\n");
    let units = [
        ("web01", "sshd.service", "active\n", 0),
        ("db1", "ssh", "active\n", 0),
        ("db1", "cron", "active\n", 0),
        ("web01", "logrotate", "inactive\n", 3),
        ("web07", "logrotate", "failed\n", 3),
        ("web01", "postgresql", "inactive\n", 4),
    ];
    for (name, unit, word, exit) in units {
        let line = format!("systemctl is-active {unit}");
        let (said, _, code) = on(name, &line).await;
        assert_eq!((said.as_str(), code), (word, exit), "{unit} on {name}");
    }
}

#[tokio::test]
async fn every_command_answers_on_every_kind_of_computer() {
    let commands = [
        "uptime",
        "uname",
        "uname -a",
        "uname -r",
        "hostname",
        "whoami",
        "id",
        "date",
        "date +%F",
        "df",
        "df -h",
        "free",
        "free -m",
        "free -h",
        "cat /etc/os-release",
        "pwd",
    ];
    for computer in Fleet::new(24).computers() {
        for command in commands {
            let (out, err, code) = on(computer.name(), command).await;
            assert!(
                out.ends_with('\n') && err.is_empty() && code == 0,
                "{command}: {out:?} {err:?} {code}"
            );
        }
    }
    assert!(
        on("gate", "cat /etc/os-release")
            .await
            .0
            .contains("simulated")
    );
}

#[tokio::test]
async fn large_output_is_complete() {
    let (out, _, code) = on("db1", "seq 1 100000; head -c 100000 /dev/zero").await;
    let mut expected = String::new();
    for number in 1..=100_000 {
        writeln!(expected, "{number}").expect("a String takes everything");
    }
    assert_eq!(code, 0);
    assert_eq!(out.len(), expected.len() + 100_000);
    assert!(out.starts_with(&expected));
}

#[tokio::test]
async fn a_trap_makes_a_process_ignore_term() {
    let fleet = Fleet::new(1);
    let computer = &fleet.computers()[0];
    let process = computer.processes.begin("run");
    let kept = Kept::default();
    let shell = Shell {
        computer,
        process: &process,
        variables: HashMap::new(),
        output: &kept,
    };
    assert_eq!(shell.run("trap '' TERM").await, 0);
    process.signal(Signal::Terminate);
    process.signal(Signal::Kill);
    assert_eq!(process.ended_by().await, Signal::Kill);
}

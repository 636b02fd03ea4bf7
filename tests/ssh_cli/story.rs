//! What the program is for: one process starts a job on many computers, others look at it, stop one child, and receive
//! what the rest said.

use std::fmt::Write as _;

use crate::console::{Console, came_to, child, said};
use crate::support::until;

const HOSTS: u64 = 50;

/// What each host prints before the gate, with its own address in every line.
fn lines(address: &str) -> String {
    let mut text = String::new();
    for number in 0..100 {
        writeln!(text, "{address} says {number} \u{e9}").expect("a String takes everything");
    }
    text
}

#[test]
fn one_starts_a_job_another_sees_it_a_third_receives_it() {
    let Some(console) = Console::start("one_starts_a_job_another_sees_it_a_third_receives_it")
    else {
        return;
    };
    let gate = console.gate();
    // The address comes from the server, so that the right computer must have been asked.
    let line = format!(
        r#"set -- $SSH_CONNECTION; n=0; while [ $n -lt 100 ]; do echo "$3 says $n é"; n=$((n+1)); done
        echo "$3 warns" >&2; : <{}; printf "$3 ends"; [ $3 != 127.1.0.9 ]"#,
        gate.path()
    );
    let options = [
        "-t",
        "127.1.0.[1-50]",
        "-n",
        "story",
        "--fanout",
        "50",
        "--json",
    ];
    let started = console.with(
        &console.config(),
        &[&["run"], &options[..], &["--", &line]].concat(),
    );
    let started = started.exits(0).json();
    let job = started["id"].to_string();
    assert_eq!(started["children"].as_array().map(Vec::len), Some(50));
    assert_eq!(started["children"][6]["host"], "127.1.0.7");

    // Another process sees it by its name.
    until("all of them run", || {
        console.count("story", "Running") == HOSTS
    });
    until("all of them have spoken", || {
        let now = console.now("story");
        let children = now["children"].as_array().expect("asked for by name");
        children.iter().all(|child| child["lines"]["err"] == 1)
    });
    assert!(
        console.remains(&job).len() >= 50,
        "they are found while they run"
    );
    assert_eq!(console.status()["connections"], HOSTS);
    assert_eq!(console.fleet.logins(), 50);

    // A third one receives, a fourth one stops a child meanwhile.
    let receiving = console.follow(&job);
    let stopped = format!("{job}.127.1.0.7");
    console
        .regatta(&["stop", &stopped])
        .exits(0)
        .says(&["127.1.0.7: Stopped, stopped by operator"]);
    let now = console.now(&job);
    came_to(
        child(&now, "127.1.0.7"),
        "Stopped",
        "stopped",
        &["stopped by operator"],
    );
    assert_eq!(now["counts"]["Running"], 49);

    let open = gate.open();
    let received = receiving.finish().exits(1);
    let waited = console.regatta(&["wait", &job]).exits(1);
    drop(open);
    assert!(
        waited.err().contains("127.1.0.9: Failed, exit 1"),
        "{waited:?}"
    );

    // Each byte once, from each host its own.
    let hosts = said(&received.records());
    assert_eq!(hosts.len() as u64, HOSTS);
    for (host, said) in &hosts {
        let (ends, state) = match host.as_str() {
            "127.1.0.7" => (String::new(), "Stopped"),
            "127.1.0.9" => (format!("{host} ends"), "Failed"),
            _ => (format!("{host} ends"), "Completed"),
        };
        assert_eq!(
            String::from_utf8_lossy(&said.out),
            lines(host) + &ends,
            "{host}"
        );
        assert_eq!(
            String::from_utf8_lossy(&said.err),
            format!("{host} warns\n")
        );
        assert_eq!(
            (said.dropped, said.ended.as_deref()),
            (0, Some(state)),
            "{host}"
        );
    }
    let again = console.regatta(&["receive", "--ndjson", &job]).exits(1);
    let again = said_nothing(&again.records());
    assert_eq!(
        again as u64, HOSTS,
        "the ends are shown again, the output is not"
    );
    let now = console.now(&job);
    assert_eq!(
        (&now["state"], &now["more"]),
        (&"Failed".into(), &false.into())
    );
    assert_eq!(now["counts"]["Completed"], 48);

    // No process is left, although the connections are, and a second job uses them.
    until("nothing of it is left", || console.remains(&job).is_empty());
    let second = console.settled(0, &["-t", "127.1.0.[1-50]"], "true");
    assert_eq!(second["counts"]["Completed"], HOSTS);
    assert_eq!(console.status()["connections"], HOSTS);
    assert_eq!(console.fleet.logins(), 50, "nobody logged in again");
}

/// How many hosts ended, none of which may have said anything.
fn said_nothing(records: &[serde_json::Value]) -> usize {
    let hosts = said(records);
    for (host, said) in &hosts {
        assert!(
            said.out.is_empty() && said.err.is_empty(),
            "{host} is received twice"
        );
    }
    hosts.len()
}

#[test]
fn run_wait_streams_and_tells_how_it_ended() {
    let Some(console) = Console::start("run_wait_streams_and_tells_how_it_ended") else {
        return;
    };
    let config = console.config();
    let run = |line: &str| {
        console.with(
            &config,
            &["run", "--wait", "-t", "127.1.0.[1-3]", "--", line],
        )
    };
    let ran = run("echo one; echo two").exits(0);
    let mut lines: Vec<String> = ran.out().lines().map(str::to_owned).collect();
    lines.sort();
    let want = [
        "127.1.0.1: one",
        "127.1.0.1: two",
        "127.1.0.2: one",
        "127.1.0.2: two",
    ];
    assert_eq!(
        (lines.len(), &lines[..4]),
        (6, &want.map(str::to_owned)[..])
    );
    run("set -- $SSH_CONNECTION; echo bad >&2; [ $3 = 127.1.0.1 ] || exit 4")
        .exits(1)
        .prints("")
        .says(&[
            "127.1.0.2: bad",
            "127.1.0.2: Failed, exit 4",
            "127.1.0.3: Failed, exit 4",
        ]);
    // Without a daemon the same, and nothing is left behind but the answer.
    console
        .with(
            &config,
            &["--no-daemon", "run", "-t", "127.1.0.4", "--", "echo alone"],
        )
        .exits(0)
        .prints("127.1.0.4: alone\n");
}

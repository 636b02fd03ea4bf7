//! Servers that go away while a command runs.

use std::time::Duration;

use rustix::process::Signal;

use crate::console::{Console, came_to, child};
use crate::fleet;
use crate::support::{timed, until};

/// A process that was stopped goes on when this is dropped.
pub struct Frozen(u32);

impl Frozen {
    pub fn new(pid: u32) -> Self {
        fleet::signal_process(pid, Signal::STOP);
        until("it has stopped", || {
            fleet::stat(pid).is_none_or(|stat| stat.state == 'T')
        });
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        crate::support::kill(self.0, Signal::CONT);
    }
}

/// The servers' process for the session of each of a job's children.
fn session_servers(console: &Console, job: &str) -> Vec<u32> {
    let now = console.now(job);
    let children = now["children"]
        .as_array()
        .expect("asked for by its id")
        .iter();
    let pids = children.map(|child| child["pid"].as_u64().expect("it runs") as u32);
    pids.map(|pid| fleet::stat(pid).expect("it runs").parent)
        .collect()
}

#[test]
fn a_server_that_hangs_up_is_asked_again_what_became_of_it() {
    let Some(console) = Console::start("a_server_that_hangs_up_is_asked_again_what_became_of_it")
    else {
        return;
    };
    let job = console.background(
        &["-t", "127.1.0.[1-3]"],
        "echo before; trap '' TERM; while :; do sleep 0.2; done",
    );
    until("all of them have spoken", || {
        let now = console.now(&job);
        let children = now["children"].as_array().expect("asked for by its id");
        children.iter().all(|child| child["lines"]["out"] == 1)
    });
    let following = console.follow(&job);
    let servers = session_servers(&console, &job);
    fleet::kill(servers[0]);
    fleet::kill(servers[1]);
    until("both are settled", || console.count(&job, "Failed") == 2);
    let now = console.now(&job);
    for host in ["127.1.0.1", "127.1.0.2"] {
        let words = [
            "connection lost: the ",
            "; the command has ended, how is not known",
        ];
        came_to(child(&now, host), "Failed", "connection_lost", &words);
    }
    assert_eq!(child(&now, "127.1.0.3")["state"], "Running");
    console.regatta(&["stop", &job]).exits(0);
    let said = crate::console::said(&following.finish().exits(1).records());
    assert!(
        said.values().all(|said| said.out == b"before\n"),
        "{said:?}"
    );
    assert_eq!(console.remains(&job), Vec::<u32>::new());
}

#[test]
fn a_server_that_falls_silent_is_given_up_in_time() {
    let Some(console) = Console::start("a_server_that_falls_silent_is_given_up_in_time") else {
        return;
    };
    let config = console.config_with("Host *\n ServerAliveInterval 1\n ServerAliveCountMax 4");
    let options = [
        "-t",
        "127.1.0.[1-2]",
        "--connect-timeout",
        "5s",
        "--grace",
        "500ms",
    ];
    let job = console.background_with(&config, &options, "echo before; exec sleep 1000");
    // Running is less: a session that freezes with a word on its tongue never says it.
    until("both have spoken", || {
        let now = console.now(&job);
        let children = now["children"].as_array().expect("asked for by its id");
        children.iter().all(|child| child["lines"]["out"] == 1)
    });

    // Only its session falls silent: over a new connection the command is found and ended.
    let servers = session_servers(&console, &job);
    let (frozen, took) = timed(|| {
        let frozen = Frozen::new(servers[0]);
        until("it is given up", || console.count(&job, "Failed") == 1);
        frozen
    });
    assert!(took < Duration::from_secs(20), "{took:?}");
    let now = console.now(&job);
    let words = [
        "connection lost: no answer for 4s",
        "; the command has ended, how is not known",
    ];
    came_to(
        child(&now, "127.1.0.1"),
        "Failed",
        "connection_lost",
        &words,
    );
    assert_eq!(
        child(&now, "127.1.0.2")["state"],
        "Running",
        "the other one is not touched"
    );
    drop(frozen);

    // The whole computer falls silent: nothing can be known, and that is said, with what to look for.
    let pid = child(&now, "127.1.0.2")["pid"].as_u64().expect("it runs");
    let frozen = [
        Frozen::new(console.fleet.listener()),
        Frozen::new(servers[1]),
    ];
    until("it is given up", || {
        console.count(&job, "Disconnected") == 1
    });
    console.regatta(&["wait", &job]).exits(1);
    let now = console.now(&job);
    let fate = format!("pid {pid} may still run");
    let words = [
        "connection lost: no answer for 4s",
        &fate,
        "connect timed out after 5s",
    ];
    came_to(
        child(&now, "127.1.0.2"),
        "Disconnected",
        "connection_lost",
        &words,
    );
    assert_eq!(now["state"], "Disconnected");
    // A stop cannot be proved now, and says so.
    let unproved = format!("stop unconfirmed, pid {pid}");
    console.regatta(&["stop", &job]).exits(1).says(&[&unproved]);
    drop(frozen);
    until("the lifeline has ended it", || {
        console.remains(&job).is_empty()
    });
    // What was said before all this is there.
    let received = console.regatta(&["receive", &job]).exits(1);
    assert_eq!(received.out(), "127.1.0.1: before\n127.1.0.2: before\n");
}

#[test]
fn what_is_disconnected_can_be_stopped_when_the_server_is_back() {
    let Some(console) =
        Console::start("what_is_disconnected_can_be_stopped_when_the_server_is_back")
    else {
        return;
    };
    let config = console.config_with("Host *\n ServerAliveInterval 1\n ServerAliveCountMax 4");
    let job = console.background_with(
        &config,
        &["-t", "127.1.0.1", "--connect-timeout", "5s"],
        "echo before; trap '' TERM; while :; do sleep 0.2; done",
    );
    until("it runs", || {
        console.now(&job)["children"][0]["lines"]["out"] == 1
    });
    let session = Frozen::new(session_servers(&console, &job)[0]);
    let listener = Frozen::new(console.fleet.listener());
    until("it is lost", || console.count(&job, "Disconnected") == 1);
    until("what became of it is not known", || {
        let now = console.now(&job);
        now["children"][0]["reason"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("may still run"))
    });
    assert!(!console.remains(&job).is_empty(), "it does");
    console
        .regatta(&["remove", &job])
        .exits(1)
        .says(&["Disconnected"]);
    drop(listener);
    console.regatta(&["stop", &job]).exits(0);
    came_to(
        &console.now(&job)["children"][0],
        "Stopped",
        "stopped",
        &["stopped by operator"],
    );
    assert_eq!(console.remains(&job), Vec::<u32>::new());
    drop(session);
}

#[test]
fn a_stop_that_could_not_be_proved_is_proved_when_the_server_is_back() {
    let test = "a_stop_that_could_not_be_proved_is_proved_when_the_server_is_back";
    let Some(console) = Console::start(test) else {
        return;
    };
    let config = console.config_with("Host *\n ServerAliveInterval 1\n ServerAliveCountMax 4");
    let job = console.background_with(
        &config,
        &["-t", "127.1.0.1", "--connect-timeout", "5s"],
        "echo before; trap '' TERM; while :; do sleep 0.2; done",
    );
    until("it runs", || {
        console.now(&job)["children"][0]["lines"]["out"] == 1
    });
    let session = Frozen::new(session_servers(&console, &job)[0]);
    let listener = Frozen::new(console.fleet.listener());
    for _ in 0..2 {
        console
            .regatta(&["stop", "--grace", "200ms", &job])
            .exits(1)
            .says(&["Stopped, stop unconfirmed"]);
    }
    assert!(!console.remains(&job).is_empty(), "it runs on");

    // The server is back: a look says what is there, and a stop ends it.
    drop(listener);
    console
        .regatta(&["reconnect", &job])
        .exits(1)
        .says(&["Stopped, stop unconfirmed", "still alive"]);
    assert!(!console.remains(&job).is_empty(), "a look ends nothing");
    console
        .regatta(&["stop", "--grace", "200ms", &job])
        .exits(0)
        .says(&["Stopped, stopped by operator"]);
    came_to(
        &console.now(&job)["children"][0],
        "Stopped",
        "stopped",
        &["stopped by operator"],
    );
    assert_eq!(console.remains(&job), Vec::<u32>::new());
    drop(session);
}

#[test]
fn what_became_of_the_lost_is_found_out_when_the_server_is_back() {
    let test = "what_became_of_the_lost_is_found_out_when_the_server_is_back";
    let Some(console) = Console::start(test) else {
        return;
    };
    let config = console.config_with("Host *\n ServerAliveInterval 1\n ServerAliveCountMax 4");
    let options = ["-t", "127.1.0.[1-3]", "--connect-timeout", "5s"];
    let job = console.background_with(&config, &options, "trap '' TERM; exec sleep 1000");
    until("all run", || console.count(&job, "Running") == 3);
    let servers = session_servers(&console, &job);
    let listener = Frozen::new(console.fleet.listener());
    let [first, second] = [servers[0], servers[1]].map(Frozen::new);
    until("two are lost, and nobody answers for them", || {
        let now = console.now(&job);
        let known = |host| {
            child(&now, host)["reason"]["text"]
                .as_str()
                .is_some_and(|text| text.contains("may still run"))
        };
        known("127.1.0.1") && known("127.1.0.2")
    });

    // Nobody answers yet.  The third one runs on, and is not waited for.
    let lost = "127.1.0.1: Disconnected, connection lost: ";
    let ran = console.regatta(&["reconnect", &job]).exits(1);
    assert!(ran.out().contains("2 Disconnected"), "{ran:?}");
    ran.says(&[lost, "may still run"]);

    // The server is back: both commands are found alive, and stay alive.
    drop(listener);
    let ran = console.regatta(&["reconnect", "--json", &job]).exits(1);
    let now = ran.json()["jobs"][0].clone();
    for host in ["127.1.0.1", "127.1.0.2"] {
        let pid = child(&now, host)["pid"].as_u64().expect("it ran");
        let alive = format!("; pid {pid} still alive");
        came_to(
            child(&now, host),
            "Disconnected",
            "connection_lost",
            &[&alive],
        );
    }
    ran.says(&[lost, "still alive"]);
    assert_eq!(console.count(&job, "Running"), 1);

    // One is stopped, by proof; the other ends by its lifeline, and that is found out.
    let [stopped, ended] = ["127.1.0.1", "127.1.0.2"].map(|host| format!("{job}.{host}"));
    console
        .regatta(&["stop", &stopped])
        .exits(0)
        .says(&["Stopped, stopped by operator"]);
    let pid = |host| child(&now, host)["pid"].as_u64().expect("it ran") as u32;
    assert!(fleet::stat(pid("127.1.0.1")).is_none_or(|stat| stat.state == 'Z'));
    drop(second);
    until("the lifeline ends it", || {
        fleet::stat(pid("127.1.0.2")).is_none_or(|stat| stat.state == 'Z')
    });
    console
        .regatta(&["reconnect", &ended])
        .exits(0)
        .says(&["Failed, connection lost: ", "the command has ended"]);
    console.regatta(&["reconnect", &job]).exits(0);
    console.regatta(&["reconnect", "999"]).exits(3);
    assert_eq!(console.count(&job, "Running"), 1);
    console.regatta(&["stop", &job]).exits(0);
    drop(first);
}

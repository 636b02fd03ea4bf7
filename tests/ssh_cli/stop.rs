//! Stopping and removing over SSH: what is stopped is gone, whoever it ran as.

use crate::console::{Console, came_to, child};
use crate::support::until;

/// What keeps TERM away from it, and how, by the last number of the address.  Each says `ready` when it is.
const STUBBORN: &str = r#"set -- $SSH_CONNECTION; case $3 in
    *.1) echo ready; exec sleep 1000;;
    *.2) sleep 1000 & echo ready; wait;;
    *.3) trap "" TERM; echo ready; while :; do sleep 0.2; done;;
    *.4) sh -c 'sh -c "sleep 1000" & echo ready; wait';;
    *.5) sh -c 'trap "" TERM; echo ready; while :; do sleep 0.2; done' & wait;;
    *.6) echo ready; kill -STOP $$;;
    esac"#;

/// Starts it on six hosts, and waits until all are ready.
fn stubborn(console: &Console, login: &str) -> String {
    let targets = format!("{login}127.1.0.[1-6]");
    let job = console.background(&["-t", &targets, "--grace", "500ms"], STUBBORN);
    until("all are ready", || {
        let now = console.now(&job);
        let children = now["children"].as_array().expect("asked for by its id");
        children.iter().all(|child| child["bytes"]["out"] == 6)
    });
    assert!(console.remains(&job).len() >= 6);
    job
}

fn everything_stops(console: &Console, login: &str) {
    let job = stubborn(console, login);
    // Removing is refused while it runs, and changes nothing.
    console
        .regatta(&["remove", &job])
        .exits(1)
        .says(&["Running"]);
    assert_eq!(console.count(&job, "Running"), 6);
    // Two at once, and again when it is done.
    let stops = [(); 2].map(|()| console.start_regatta(&["stop", &job]));
    for stop in stops {
        stop.finish()
            .exits(0)
            .says(&["Stopped, stopped by operator"]);
    }
    assert_eq!(
        console.remains(&job),
        Vec::<u32>::new(),
        "as soon as stop returns"
    );
    let before = console.now(&job);
    for number in 1..=6 {
        let host = format!("{login}127.1.0.{number}");
        came_to(
            child(&before, &host),
            "Stopped",
            "stopped",
            &["stopped by operator"],
        );
    }
    console.regatta(&["stop", &job]).exits(0);
    assert_eq!(
        console.now(&job),
        before,
        "a stop of what is stopped does nothing"
    );
    console.regatta(&["remove", &job]).exits(0);
    console.regatta(&["jobs", &job]).exits(3);

    // Removed by force: stopped first.
    let job = stubborn(console, login);
    console
        .regatta(&["remove", "--force", &job])
        .exits(0)
        .says(&["removed"]);
    assert_eq!(console.remains(&job), Vec::<u32>::new());
    console.regatta(&["receive", &job]).exits(3);
    assert_eq!(console.fleet.logins(), 6, "all of it over six connections");
}

#[test]
fn everything_stops_and_is_proved() {
    if let Some(console) = Console::start("everything_stops_and_is_proved") {
        everything_stops(&console, "");
    }
}

#[test]
fn everything_stops_for_another_user_too() {
    if let Some(console) = Console::start_with_other("everything_stops_for_another_user_too") {
        let login = format!("{}@", console.other());
        everything_stops(&console, &login);
    }
}

#[test]
fn what_escaped_is_named() {
    let Some(console) = Console::start("what_escaped_is_named") else {
        return;
    };
    let job = console.background(
        &["-t", "127.1.0.1", "--grace", "200ms"],
        "setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000",
    );
    until("it has escaped", || {
        console.now(&job)["children"][0]["lines"]["out"] == 1
    });
    let escaped = console
        .regatta(&["receive", "-N", &job])
        .out()
        .trim()
        .to_owned();
    let words = format!("stop unconfirmed, pid {escaped} still alive");
    console.regatta(&["stop", &job]).exits(1).says(&[&words]);
    came_to(
        &console.now(&job)["children"][0],
        "Stopped",
        "stop_unconfirmed",
        &[&words],
    );
    assert_eq!(
        console.remains(&job),
        [escaped.parse::<u32>().expect("a process id")]
    );
    crate::fleet::kill(escaped.parse().expect("a process id"));
}

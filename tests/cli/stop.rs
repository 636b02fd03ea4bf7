//! `stop` and `remove`: nothing is left, and it is proved.

use crate::support::{Home, timed};

/// What keeps TERM away from it, and how.  Each says `ready` when it is.
const STUBBORN: [(&str, &str); 6] = [
    ("a plain command", "echo ready; exec sleep 1000"),
    ("a child", "sleep 1000 & echo ready; wait"),
    (
        "a TERM-trapper",
        "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    ),
    (
        "a trapper that says so",
        "trap 'echo no' TERM INT HUP; echo ready; while :; do sleep 0.1; done",
    ),
    (
        "a grandchild",
        "sh -c 'sh -c \"sleep 1000\" & echo ready; wait'",
    ),
    (
        "a grandchild that traps",
        "sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done' & wait",
    ),
];

#[test]
fn stopped_means_stopped() {
    let home = Home::new();
    for (what, line) in STUBBORN {
        let job = home.job_with(&["--grace", "300ms"], line);
        home.until_output(job, 6);
        assert!(!home.alive(job).is_empty(), "{what}");
        home.regatta(&["stop", &job.to_string()])
            .exits(0)
            .says(&["localhost: Stopped, stopped by operator"]);
        assert_eq!(home.alive(job), Vec::<u32>::new(), "{what}");
        let child = home.child_now(job);
        assert_eq!(
            (&child["state"], &child["reason"]["kind"]),
            (&"Stopped".into(), &"stopped".into()),
            "{what}"
        );
    }
}

#[test]
fn kill_does_not_wait_for_grace() {
    let home = Home::new();
    let job = home.job_with(
        &["--grace", "50s"],
        "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    );
    home.until_output(job, 6);
    let (ran, took) = timed(|| home.regatta(&["stop", "--kill", &job.to_string()]));
    ran.exits(0);
    assert!(took.as_secs() < 25, "{took:?}");
    assert_eq!(home.alive(job), Vec::<u32>::new());
}

#[test]
fn a_stop_may_bring_another_grace() {
    let home = Home::new();
    let job = home.job_with(
        &["--grace", "50s"],
        "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    );
    home.until_output(job, 6);
    let id = job.to_string();
    let patient = home.start(&["stop", &id]);
    home.until_state(job, "Stopping");
    let (ran, took) = timed(|| home.regatta(&["stop", "--grace", "300ms", &id]));
    ran.exits(0)
        .says(&["localhost: Stopped, stopped by operator (KILL)"]);
    assert!(took.as_secs() < 25, "{took:?}");
    patient.finish().exits(0);
    assert_eq!(home.alive(job), Vec::<u32>::new());
    for wrong in [&["--grace", "soon"][..], &["--grace", "1s", "--kill"]] {
        home.regatta(&[&["stop", &id], wrong].concat())
            .exits(2)
            .says(&["--grace"]);
    }
}

#[test]
fn what_left_the_session_is_said_loudly() {
    let home = Home::new();
    let job = home.job_with(
        &["--grace", "200ms"],
        "setsid sh -c 'echo ready; exec sleep 1000 >/dev/null 2>&1' & sleep 1000",
    );
    home.until_output(job, 6);
    let ran = home
        .regatta(&["stop", &job.to_string()])
        .exits(1)
        .says(&["stop unconfirmed, pid "]);
    // Loudly even to those who want to hear little, and nothing but that.
    let quiet = home.regatta(&["stop", "-q", &job.to_string()]).exits(1);
    assert_eq!(quiet.out(), "");
    assert!(
        quiet
            .err()
            .starts_with("regatta: localhost: Stopped, stop unconfirmed, pid "),
        "{quiet:?}"
    );
    let left = home.alive(job);
    assert_eq!(left.len(), 1, "{ran:?}");
    assert_eq!(home.child_now(job)["reason"]["kind"], "stop_unconfirmed");
    crate::support::kill(left[0], rustix::process::Signal::KILL);
}

#[test]
fn stopping_again_or_too_late_is_no_error() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000").to_string();
    let twice = [home.start(&["stop", &job]), home.start(&["stop", &job])];
    for stop in twice {
        stop.finish().exits(0);
    }
    let quiet = home.regatta(&["stop", "-q", &job]).exits(0).prints("");
    assert_eq!(quiet.err(), "");
    let before = home.jobs(&[&job]);
    home.regatta(&["stop", &job]).exits(0);
    home.regatta(&["stop", "--kill", &job]).exits(0);
    assert_eq!(home.jobs(&[&job]), before);
    let done = home.finished_job("exit 3");
    home.regatta(&["stop", &done.to_string()]).exits(0);
    assert_eq!(home.child_now(done)["reason"]["text"], "exit 3");
}

#[test]
fn a_killed_stop_still_stops() {
    let home = Home::new();
    let job = home.job_with(
        &["--grace", "1s"],
        "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    );
    home.until_output(job, 6);
    let stop = home.start(&["stop", &job.to_string()]);
    home.until_state(job, "Stopping");
    stop.signal(rustix::process::Signal::KILL);
    stop.finish();
    home.regatta(&["wait", &job.to_string()]).exits(1);
    assert_eq!(home.job_now(job)["state"], "Stopped");
    assert_eq!(home.alive(job), Vec::<u32>::new());
}

#[test]
fn only_what_is_final_is_removed() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    let id = job.to_string();
    home.regatta(&["remove", &id])
        .exits(1)
        .says(&[&format!("job {job} is Running"), "--force"]);
    assert_eq!(home.job_now(job)["state"], "Running");
    home.regatta(&["remove", "--force", &id])
        .exits(0)
        .says(&[&format!("job {job} removed")]);
    assert_eq!(home.alive(job), Vec::<u32>::new());
    home.regatta(&["jobs", &id])
        .exits(3)
        .says(&[&format!("job {job} has been removed (20")]);
    home.regatta(&["receive", "--all", &id]).exits(3);
    // A child goes with its job, not alone.
    let done = home.finished_job("true");
    home.regatta(&["remove", &(done + 1).to_string()])
        .exits(1)
        .says(&["whole jobs only"]);
    home.regatta(&["pause", &(done + 1).to_string()])
        .exits(1)
        .says(&["whole jobs only"]);
    home.regatta(&["remove", &done.to_string()]).exits(0);
    // Its id is not used again.
    assert!(home.job("true") > done);
}

#[test]
fn many_removals_are_counted() {
    let home = Home::new();
    for _ in 0..21 {
        home.job("true");
    }
    home.regatta(&["wait", "all"]).exits(0);
    let ran = home.regatta(&["remove", "all"]).exits(0);
    assert_eq!(ran.err(), "removed 21 jobs\n");
}

/// Whoever follows a job that is removed under them is told, and not left waiting.
#[test]
fn removal_ends_those_who_wait_and_follow() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    let id = job.to_string();
    let wait = home.start(&["wait", &id]);
    let follow = home.start(&["receive", "--wait", &id]);
    crate::support::until("the follower has it all", || {
        home.child_now(job)["more"] == false
    });
    home.regatta(&["remove", "--force", &id]).exits(0);
    let wait = wait.finish();
    assert!(matches!(wait.code(), Some(1 | 3)), "{wait:?}");
    let follow = follow.finish();
    assert!(matches!(follow.code(), Some(1 | 3)), "{follow:?}");
    assert_eq!(follow.out(), "localhost: ready\n");
}

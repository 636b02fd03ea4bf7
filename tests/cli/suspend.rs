//! `suspend` and `resume`: running commands stand still and go on, and it is proved.

use crate::support::{Home, kill, until};
use rustix::process::Signal;
use serde_json::json;

#[test]
fn suspended_is_suspended_until_it_is_resumed_or_stopped() {
    let home = Home::new();
    let job = home.job("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.1; done");
    home.until_output(job, 6);
    let id = job.to_string();
    home.regatta(&["suspend", &id]).exits(0).says(&[
        &format!("job {id} starts no more children"),
        "localhost: Suspended",
    ]);
    assert_eq!(home.job_now(job)["state"], "Suspended");
    assert_eq!(home.child_now(job)["reason"], json!(null));
    let again = home.regatta(&["suspend", &id, "--json"]).exits(0).json();
    assert_eq!(
        (&again["changed"], &again["children"][0]["state"]),
        (&json!([job]), &json!("Suspended"))
    );
    home.regatta(&["resume", &id])
        .exits(0)
        .says(&["localhost: Running"]);
    assert_eq!(home.job_now(job)["state"], "Running");
    home.regatta(&["resume", &(job + 1).to_string()])
        .exits(1)
        .says(&["localhost is Running; only what is suspended can be resumed"]);
    home.regatta(&["suspend", &id]).exits(0);
    home.regatta(&["stop", &id])
        .exits(0)
        .says(&["localhost: Stopped, stopped by operator"]);
    home.regatta(&["receive", &id])
        .prints("localhost: ready\nlocalhost: bye\n");
    assert_eq!(home.alive(job), Vec::<u32>::new());
    home.regatta(&["suspend", &id])
        .exits(1)
        .says(&["has ended (Stopped)"]);
    home.regatta(&["suspend", "no*match"]).exits(3);
    let noted = home.regatta(&["audit", "--json"]).exits(0);
    let noted = noted.out();
    for what in ["suspend", "resume"] {
        assert!(noted.contains(&format!("\"what\":\"{what}\"")), "{noted}");
    }
}

/// Its lifeline is not suspended with it.
#[test]
fn a_daemon_that_dies_takes_what_is_suspended_with_it() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    home.regatta(&["suspend", &job.to_string()]).exits(0);
    kill(home.daemon_pid(), Signal::KILL);
    until("its lifeline has ended it", || home.alive(job).is_empty());
    home.regatta(&["wait", &job.to_string()])
        .exits(1)
        .says(&["Failed", "the command has ended, how is not known"]);
}

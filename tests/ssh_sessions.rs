//! A real OpenSSH server that gives few sessions on a connection, or uses them for something else than what is asked.

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, command, within};
use regatta::core::reason::Reason;
use regatta::core::spec::{Ended, Proof, Signal};
use regatta::runner::Runner;

const HOST: &str = "127.1.0.1";

/// Stops so many commands at once, proves each end at once, and runs another where it was; ten times.
async fn stop_and_go_on(fleet: &Fleet, together: usize) {
    let ssh = fleet.runner();
    let runner = Arc::clone(&ssh) as Arc<dyn Runner>;
    for round in 0..10 {
        let start = || Job::start(&runner, fleet.order(HOST, command("sleep 1260; :")));
        let mut jobs: Vec<_> = (0..together).map(|_| start()).collect();
        for job in &mut jobs {
            within(job.until_began()).await;
        }
        for job in &jobs {
            job.signal(Signal::Term);
        }
        let ends = jobs.into_iter().map(|job| async {
            let outcome = within(job.finish()).await;
            let proof = outcome.prove(&runner, Duration::ZERO).await;
            let next = Job::start(&runner, fleet.order(HOST, command("echo next")));
            (outcome.ended, proof, within(next.finish()).await.ended)
        });
        for end in futures_util::future::join_all(ends).await {
            let wanted = (
                Ended::Signaled("TERM".to_owned()),
                Proof::Gone,
                Ended::Exited(0),
            );
            assert_eq!(end, wanted, "round {round}, {together} together");
        }
    }
}

#[tokio::test]
async fn a_stop_is_proved_where_there_is_one_session_on_a_connection() {
    let test = "a_stop_is_proved_where_there_is_one_session_on_a_connection";
    if let Some(fleet) = Fleet::start(test, "MaxSessions 1") {
        stop_and_go_on(&fleet, 1).await;
    }
}

#[tokio::test]
async fn stops_together_are_proved_where_there_are_two_sessions_on_a_connection() {
    let test = "stops_together_are_proved_where_there_are_two_sessions_on_a_connection";
    if let Some(fleet) = Fleet::start(test, "MaxSessions 2") {
        stop_and_go_on(&fleet, 1).await;
        stop_and_go_on(&fleet, 5).await;
    }
}

#[tokio::test]
async fn what_a_forced_command_does_is_not_taken_for_the_command() {
    let test = "what_a_forced_command_does_is_not_taken_for_the_command";
    for (forced, out, code) in [
        ("echo forced: $SSH_ORIGINAL_COMMAND", "forced: exec sh", 0),
        ("echo no; exit 3", "no\n", 3),
    ] {
        let Some(fleet) = Fleet::start(test, &format!("ForceCommand {forced}")) else {
            return;
        };
        let runner = fleet.runner() as Arc<dyn Runner>;
        let job = Job::start(&runner, fleet.order(HOST, command("exit 9")));
        let outcome = within(job.finish()).await;
        assert!(outcome.text().starts_with(out), "{}", outcome.text());
        assert_eq!(outcome.pid, None);
        let Ended::NotStarted(Reason::Refused(why)) = &outcome.ended else {
            panic!("{:?}", outcome.ended);
        };
        let wanted = format!(
            "the host ran something else than the command (a forced command?), which ended with exit {code}"
        );
        assert_eq!(*why, wanted);
    }
    // One that runs what was asked for by a shell does no harm.
    let extra = "ForceCommand sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let fleet = Fleet::start(test, extra).expect("the first one started");
    let runner = fleet.runner() as Arc<dyn Runner>;
    let job = Job::start(&runner, fleet.order(HOST, command("exit 9")));
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(9));
}

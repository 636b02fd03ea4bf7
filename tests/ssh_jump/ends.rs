//! What runs behind hops: that it can be stopped, what happens when a hop dies, and how long connections are kept.

use std::time::Duration;

use regatta::core::spec::{Ended, Proof, Signal};
use regatta::runner::ssh::Keep;

use crate::fleet::{Job, alive, command, kill, processes, signal_process, stat, until, within};
use crate::lab::{BASTION, HOST, Lab, dynamic, run};

/// The process of the bastion's server that has its one connection.
fn session_of(lab: &Lab) -> u32 {
    let listener = lab.bastion().listener();
    let child =
        |parent: u32| processes().find(|pid| stat(*pid).is_some_and(|stat| stat.parent == parent));
    child(listener).expect("somebody is connected")
}

#[tokio::test]
async fn a_stop_through_hops_is_proved() {
    let test = "a_stop_through_hops_is_proved";
    let Some(lab) = Lab::start(test, "ProxyJump bastion,bastion2", &["", ""]) else {
        return;
    };
    let ssh = lab.runner();
    let cases = [
        (
            "echo ready; sleep 600",
            Signal::Term,
            Ended::Signaled("TERM".into()),
        ),
        (
            "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done",
            Signal::Term,
            Ended::Exited(7),
        ),
        (
            "trap '' TERM; echo ready; while :; do sleep 0.1; done",
            Signal::Kill,
            Ended::Signaled("KILL".into()),
        ),
        (
            "sleep 600 & sleep 600 & echo ready; wait",
            Signal::Term,
            Ended::Signaled("TERM".into()),
        ),
    ];
    for (line, last, ended) in cases {
        let mut job = Job::start(&dynamic(&ssh), lab.order(HOST, command(line)));
        within(job.until_output("ready")).await;
        job.signal(Signal::Term);
        job.signal(last);
        let outcome = within(job.finish()).await;
        assert_eq!(outcome.ended, ended, "{line}");
        let proof = outcome.prove(&dynamic(&ssh), Duration::ZERO).await;
        assert_eq!(proof, Proof::Gone, "{line}");
        assert!(alive(&outcome.run).is_empty(), "{line}");
    }
    assert_eq!(ssh.connections(), 3);
}

#[tokio::test]
async fn when_a_hop_dies_its_hosts_are_lost_and_nothing_is_left_running() {
    let test = "when_a_hop_dies_its_hosts_are_lost_and_nothing_is_left_running";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let ssh = lab.runner();
    let start = |host: &str| {
        Job::start(
            &dynamic(&ssh),
            lab.order(host, command("echo ready; sleep 600")),
        )
    };
    let mut jobs: Vec<_> = ["127.1.0.1", "127.1.0.2", "127.1.0.3"].map(start).into();
    for job in &mut jobs {
        within(job.until_output("ready")).await;
    }
    kill(session_of(&lab));
    for job in jobs {
        let outcome = within(job.finish()).await;
        let Ended::Lost(why) = &outcome.ended else {
            panic!("{:?}", outcome.ended)
        };
        assert!(
            why.contains("the connection to hop bastion is lost: "),
            "{why}"
        );
        let ended = until("the lifeline ends what ran", || {
            alive(&outcome.run).is_empty()
        });
        within(ended).await;
        // Which is found out over a new connection.
        let proof = outcome.prove(&dynamic(&ssh), Duration::ZERO).await;
        assert_eq!(proof, Proof::Gone);
    }
    assert_eq!(lab.bastion().logins(), 2);
}

#[tokio::test]
async fn a_hop_that_died_in_silence_is_replaced() {
    let test = "a_hop_that_died_in_silence_is_replaced";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let ssh = lab.runner();
    run(&ssh, lab.order(HOST, command("true"))).await;
    // It is there and does not answer: a new host has to notice.
    let session = session_of(&lab);
    signal_process(session, rustix::process::Signal::STOP);
    let child = processes().find(|pid| stat(*pid).is_some_and(|stat| stat.parent == session));
    if let Some(pid) = child {
        signal_process(pid, rustix::process::Signal::STOP);
    }
    let outcome = run(&ssh, lab.order("127.1.0.2", command("echo through"))).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("through\n", &Ended::Exited(0))
    );
    assert_eq!(lab.bastion().logins(), 2);
    for pid in child.into_iter().chain([session]) {
        signal_process(pid, rustix::process::Signal::CONT);
    }
}

#[tokio::test]
async fn a_hop_is_kept_as_long_as_something_runs_through_it() {
    let test = "a_hop_is_kept_as_long_as_something_runs_through_it";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let ssh = lab.runner_keeping(Keep {
        idle: Duration::from_millis(300),
        most: 100,
    });
    let gate = lab.hosts.path("gate");
    let line = format!("until [ -e {} ]; do sleep 0.05; done", gate.display());
    let mut busy = Job::start(&dynamic(&ssh), lab.order(HOST, command(&line)));
    within(busy.until_began()).await;
    run(&ssh, lab.order("127.1.0.2", command("true"))).await;
    assert_eq!(ssh.connections(), 3);
    within(until("the idle host is let go", || ssh.connections() == 2)).await;
    std::fs::write(&gate, "").expect("a directory of our own");
    assert_eq!(within(busy.finish()).await.ended, Ended::Exited(0));
    within(until("first the host, then its hop", || {
        ssh.connections() == 0
    }))
    .await;
    assert_eq!(lab.bastion().logins(), 1, "the hop was never made anew");
    // Good-byes are said from the far end on.
    run(&ssh, lab.order(HOST, command("true"))).await;
    ssh.close_all().await;
    assert_eq!(ssh.connections(), 0);
    within(until("the bastion has nobody", || {
        let listener = lab.bastion().listener();
        !processes()
            .any(|pid| stat(pid).is_some_and(|stat| stat.parent == listener && stat.state != 'Z'))
    }))
    .await;
}

#[tokio::test]
async fn more_commands_than_a_host_behind_a_hop_allows_need_more_connections() {
    let test = "more_commands_than_a_host_behind_a_hop_allows_need_more_connections";
    let Some(lab) = Lab::start_with(test, "ProxyJump bastion", &[""], "MaxSessions 2") else {
        return;
    };
    let ssh = lab.runner();
    let gate = lab.hosts.path("gate");
    let line = format!(
        "until [ -e {} ]; do sleep 0.05; done; echo through",
        gate.display()
    );
    let start = |_| Job::start(&dynamic(&ssh), lab.order(HOST, command(&line)));
    let mut jobs: Vec<_> = (0..5).map(start).collect();
    for job in &mut jobs {
        within(job.until_began()).await;
    }
    assert_eq!(ssh.connections(), 4, "two on each, through one hop");
    std::fs::write(&gate, "").expect("a directory of our own");
    for job in jobs {
        assert_eq!(within(job.finish()).await.text(), "through\n");
    }
}

#[tokio::test]
async fn a_reader_that_is_behind_stops_no_other_host_of_its_hop() {
    let test = "a_reader_that_is_behind_stops_no_other_host_of_its_hop";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let ssh = lab.runner();
    let floods = ["127.1.0.1", "127.1.0.2"].map(|host| async {
        let mut flood = Job::start(&dynamic(&ssh), lab.order(host, command("cat /dev/zero")));
        within(flood.until_began()).await;
        flood
    });
    let floods = futures_util::future::join_all(floods).await;
    // Another one on the bastion itself.
    let mut third = Job::start(&dynamic(&ssh), lab.order(BASTION, command("cat /dev/zero")));
    within(third.until_began()).await;
    within(until("their readers are behind", || ssh.stalled() == 3)).await;
    // Data and new connections go through all the same.
    let line = "head -c 3000000 /dev/zero";
    for host in ["127.1.0.3", "127.1.0.4"] {
        let outcome = run(&ssh, lab.order(host, command(line))).await;
        assert_eq!(
            (outcome.ended, outcome.out.len()),
            (Ended::Exited(0), 3_000_000)
        );
    }
    for flood in floods.into_iter().chain([third]) {
        flood.signal(Signal::Term);
        let outcome = within(flood.finish()).await;
        assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
        assert!(
            outcome.out.iter().all(|byte| *byte == 0),
            "what came is whole"
        );
    }
}

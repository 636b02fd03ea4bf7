//! `ProxyCommand`.

use std::fs;
use std::time::Duration;

use regatta::core::spec::Ended;

use crate::fleet::{Job, command, processes, until, within};
use crate::lab::{HOST, Lab, dynamic, fails, not_started, run};

/// The processes that carry a mark in their command lines.
fn marked(mark: &str) -> usize {
    let carries = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    processes().filter(carries).count()
}

#[tokio::test]
async fn a_program_is_the_way_and_ends_with_the_connection() {
    let test = "a_program_is_the_way_and_ends_with_the_connection";
    let Some(lab) = Lab::start(test, "ProxyCommand none", &[""]) else {
        return;
    };
    let way = format!(
        "ProxyCommand ssh -F {} -o User=%r -W %h:%p bastion",
        lab.config().display()
    );
    lab.configure(&way, "");
    let ssh = lab.runner();
    let outcome = run(&ssh, lab.order(HOST, command("echo through"))).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("through\n", &Ended::Exited(0))
    );
    assert_eq!((lab.bastion().logins(), lab.hosts.logins()), (1, 1));
    let mark = format!("-W {HOST}:{}", lab.hosts.port);
    let mark = mark.replace(' ', "\0");
    assert_eq!(marked(&mark), 1);
    // A second command on the same host needs no second program.
    let mut job = Job::start(
        &dynamic(&ssh),
        lab.order(HOST, command("echo ready; sleep 600")),
    );
    within(job.until_output("ready")).await;
    assert_eq!(marked(&mark), 1);
    // When the program dies, so does the connection.
    let pid = processes().find(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&mark)
    });
    crate::fleet::kill(pid.expect("it was counted"));
    assert!(matches!(within(job.finish()).await.ended, Ended::Lost(_)));
    let outcome = run(&ssh, lab.order(HOST, command("true"))).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    ssh.close_all().await;
    within(until("no program is left", || marked(&mark) == 0)).await;
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    let test = "a_program_that_fails_says_why";
    let Some(lab) = Lab::start(test, "ProxyCommand none", &[]) else {
        return;
    };
    let order = || lab.order(HOST, command("true"));
    let way = |command: &str| lab.configure(&format!("ProxyCommand {command}"), "");

    way("sh -c 'echo first >&2; echo no way to %%h >&2; exit 7'");
    let words =
        "unreachable: the ProxyCommand ended with exit 7: first; no way to %h (tried twice)";
    assert_eq!(not_started(&lab.runner(), order()).await.to_string(), words);

    way("no-such-program-here %h");
    fails(
        &lab.runner(),
        order(),
        &[
            "the ProxyCommand ended with exit 127",
            "no-such-program-here",
        ],
    )
    .await;

    way("sh -c \"printf 'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'; exec > /dev/null; cat\"");
    fails(
        &lab.runner(),
        order(),
        &["not a usable SSH server", "HTTP/1.1 400 Bad Request"],
    )
    .await;

    way("sh -c 'head -c 100000 /dev/urandom; exec > /dev/null; cat'");
    let reason = not_started(&lab.runner(), order()).await.to_string();
    assert!(!reason.contains(char::is_control), "{reason:?}");

    way("nc %q");
    fails(&lab.runner(), order(), &["bad settings", "%q"]).await;

    lab.configure("ProxyCommand nc -F %h %p\n ProxyUseFdpass yes", "");
    fails(
        &lab.runner(),
        order(),
        &[
            "bad settings",
            "ProxyUseFdpass is set for 127.1.0.1",
            "lab_config:",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_program_that_ends_in_the_middle_of_a_command_says_why() {
    let test = "a_program_that_ends_in_the_middle_of_a_command_says_why";
    let Some(lab) = Lab::start(test, "ProxyCommand none", &[""]) else {
        return;
    };
    let way = format!(
        "ProxyCommand sh -c 'ssh -F {} -o User=%r -W %h:%p bastion; echo the way is gone >&2; exit 3'",
        lab.config().display()
    );
    lab.configure(&way, "");
    let ssh = lab.runner();
    let order = lab.order(HOST, command("echo ready; sleep 600"));
    let mut job = Job::start(&dynamic(&ssh), order);
    within(job.until_output("ready")).await;
    let mark = format!("-W\0{HOST}:{}", lab.hosts.port);
    let inner = processes().find(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&mark)
    });
    crate::fleet::kill(inner.expect("the way leads through it"));
    match within(job.finish()).await.ended {
        Ended::Lost(why) => {
            let words = "; the ProxyCommand ended with exit 3: ";
            assert!(
                why.contains(words) && why.contains("the way is gone"),
                "{why}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_program_that_never_ends_is_ended_with_all_it_started() {
    let test = "a_program_that_never_ends_is_ended_with_all_it_started";
    let Some(lab) = Lab::start(test, "ProxyCommand none", &[]) else {
        return;
    };
    // Numbers nobody else sleeps for.
    let mark = format!("{}.{:09}", 600, std::process::id());
    for line in [
        format!("sh -c 'sleep {mark} & sleep {mark}'"),
        format!("sh -c \"trap '' TERM HUP PIPE; sleep {mark} & while :; do sleep {mark}; done\""),
        format!("sh -c 'exec 2>/dev/null; sleep {mark} & sleep {mark}'"),
    ] {
        lab.configure(&format!("ProxyCommand {line}"), "");
        let ssh = lab.runner();
        let mut order = lab.order(HOST, command("true"));
        order.connect_timeout = Duration::from_secs(2);
        let job = Job::start(&dynamic(&ssh), order);
        within(until("it has started", || marked(&mark) >= 2)).await;
        let ended = within(job.finish()).await.ended;
        assert!(matches!(ended, Ended::NotStarted(_)), "{ended:?}");
        within(until("nothing of it is left", || marked(&mark) == 0)).await;
    }
}

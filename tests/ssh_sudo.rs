//! Commands by sudo, against a real OpenSSH server and a real sudo: who they run as, what is asked, what is refused, and
//! that a stop reaches them.

#![allow(clippy::print_stdout, reason = "it says what it skips")]

mod fleet;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, Outcome, alive, command, script, until, within};
use regatta::core::question::{About, Question};
use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended, Motion, Moved, Payload, Proof, Signal};
use regatta::runner::local::Local;
use regatta::runner::ssh::Ssh;
use regatta::runner::{Ask, Order, Pocket, Runner};
use regatta::secret::{Answer, Secret};

const PASSWORD: &str = "open sesame 42";

/// A fleet with a login that sudo knows, or a word about why there is none.
fn fleet(test: &str, extra: &str) -> Option<Fleet> {
    if !Path::new("/etc/sudoers.d").is_dir() {
        println!("SKIPPED: {test}: sudo is not installed");
        return None;
    }
    Fleet::start_with_password(test, extra, "", PASSWORD)
}

fn name(fleet: &Fleet) -> &str {
    &fleet.other.as_ref().expect("it was made").name
}

fn may(fleet: &Fleet, rules: &str) {
    fleet.other.as_ref().expect("it was made").may(rules);
}

/// An order that is to be carried out as `user`, and may ask.
fn by_sudo(fleet: &Fleet, user: &str, payload: Payload) -> Order {
    let order = fleet.order_as(name(fleet), payload);
    let mut options = order.options.to_vec();
    options.push(("sudo".to_owned(), user.to_owned()));
    options.push(("ssh_option".to_owned(), "BatchMode=no".to_owned()));
    Order {
        options: options.into(),
        asking: Asking::Allowed,
        ..order
    }
}

fn never_asking(order: Order) -> Order {
    Order {
        asking: Asking::Never,
        ..order
    }
}

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

fn say(ask: Ask, words: &str) {
    let answer = Answer::Secret(Secret::new(words.to_owned()));
    ask.answer.send(answer).expect("it waits for the answer");
}

fn question(fleet: &Fleet, wrong: u32) -> Question {
    let account = name(fleet).to_owned();
    Question {
        about: About::Sudo { account },
        wrong,
    }
}

/// Why sudo did not let it run.
fn why(ended: Ended) -> String {
    match ended {
        Ended::NotStarted(Reason::Sudo(why)) => why,
        other => panic!("sudo let it run: {other:?}"),
    }
}

#[tokio::test]
async fn without_a_password_nothing_is_asked_and_all_is_as_without_sudo() {
    let test = "without_a_password_nothing_is_asked_and_all_is_as_without_sudo";
    let Some(fleet) = fleet(test, "") else {
        return;
    };
    may(&fleet, "ME ALL=(ALL) NOPASSWD: ALL");
    let ssh = fleet.runner();
    let cases = [
        ("root", "id -un", "root\n", Ended::Exited(0)),
        ("nobody", "id -un", "nobody\n", Ended::Exited(0)),
        (
            "#0",
            "echo out; echo err >&2; exit 7",
            "out\n",
            Ended::Exited(7),
        ),
        (
            "root",
            "cat; echo $REGATTA_HOST $REGATTA_JOB",
            "127.1.0.9 7\n",
            Ended::Exited(0),
        ),
        ("root", "kill -SEGV $$", "", Ended::Signaled("SEGV".into())),
    ];
    for (user, line, out, ended) in cases {
        // Also where nobody may be asked.
        for order in [
            by_sudo(&fleet, user, command(line)),
            never_asking(by_sudo(&fleet, user, command(line))),
        ] {
            let outcome = run(&ssh, order).await;
            assert_eq!(
                (outcome.text().as_str(), &outcome.ended),
                (out, &ended),
                "{user}: {line}"
            );
            let proof = outcome.prove(&dynamic(&ssh), Duration::ZERO).await;
            assert_eq!(proof, Proof::Gone, "{line}");
        }
    }
    let outcome = run(
        &ssh,
        by_sudo(
            &fleet,
            "nobody",
            script("/bin/sh", "id -un; echo \"$0\"; exit 3"),
        ),
    )
    .await;
    assert_eq!(
        (outcome.text().as_str(), outcome.ended),
        ("nobody\n/bin/sh\n", Ended::Exited(3))
    );
    let flood = "head -c 3000000 /dev/zero";
    assert_eq!(
        run(&ssh, by_sudo(&fleet, "root", command(flood)))
            .await
            .out
            .len(),
        3_000_000
    );
}

#[tokio::test]
async fn a_password_is_asked_once_and_comes_to_nobody_but_sudo() {
    let Some(fleet) = fleet("a_password_is_asked_once_and_comes_to_nobody_but_sudo", "") else {
        return;
    };
    may(&fleet, "ME ALL=(ALL) ALL");
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    let line = "tr '\\0' '\\n' </proc/self/environ; cat; echo ready; sleep 1000";
    let order = by_sudo(&fleet, "root", command(line));
    let pocket = Pocket::default();
    let order = Order {
        pocket: pocket.clone(),
        ..order
    };
    let mut job = Job::start(&runner, order.clone());
    let ask = within(job.until_asked()).await;
    assert_eq!(ask.question, question(&fleet, 0));
    assert!(!format!("{ask:?} {order:?}").contains(PASSWORD));
    say(ask, PASSWORD);
    within(job.until_output("ready")).await;
    // Nowhere in a process, but for what is between sudo and us.
    for pid in fleet::processes().filter(|pid| *pid != std::process::id()) {
        for file in ["cmdline", "environ"] {
            let text = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(PASSWORD), "{pid}: {text}");
        }
    }
    // Another host of the job asks nobody.
    let twin = Order {
        pocket: pocket.clone(),
        ..by_sudo(&fleet, "root", command("id -un"))
    };
    assert_eq!(run(&ssh, twin).await.text(), "root\n");
    // The probe has what the job was given.
    assert_eq!(
        job.set_in_motion(&runner, Motion::Suspend).await,
        Moved::All
    );
    assert_eq!(fleet::states(&job.run), BTreeSet::from(['T']));
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
    assert!(!outcome.text().contains(PASSWORD), "{outcome:?}");
    assert!(
        !String::from_utf8_lossy(&outcome.err).contains("regatta-sudo"),
        "{outcome:?}"
    );
    let proof = outcome.prove(&runner, Duration::from_secs(5)).await;
    assert_eq!(proof, Proof::Gone);
    // Whoever has it no more can prove nothing, and says so.
    let later = run(
        &ssh,
        Order {
            pocket: Pocket::default(),
            secrets: Arc::default(),
            ..never_asking(order)
        },
    )
    .await;
    assert!(why(later.ended).contains("needs a password, and nobody may be asked"));
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_asked_for_again() {
    let Some(fleet) = fleet("a_wrong_password_is_tried_once_and_asked_for_again", "") else {
        return;
    };
    may(&fleet, "ME ALL=(ALL) ALL");
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    let mut job = Job::start(&runner, by_sudo(&fleet, "root", command("id -un")));
    for wrong in 0..2 {
        let ask = within(job.until_asked()).await;
        assert_eq!(ask.question, question(&fleet, wrong));
        say(ask, if wrong == 0 { "no" } else { PASSWORD });
    }
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.text(), "root\n");
    // sudo's own limit.
    let mut job = Job::start(&runner, by_sudo(&fleet, "root", command("id -un")));
    for wrong in 0..3 {
        let ask = within(job.until_asked()).await;
        assert_eq!(ask.question, question(&fleet, wrong));
        say(ask, &format!("no {wrong}"));
    }
    let outcome = within(job.finish()).await;
    let text = format!("password rejected for {} (3 times)", name(&fleet));
    assert_eq!(why(outcome.ended), text);
    // Nobody wants to try again.
    let mut job = Job::start(&runner, by_sudo(&fleet, "root", command("id -un")));
    say(within(job.until_asked()).await, "no");
    drop(within(job.until_asked()).await);
    let text = format!("password rejected for {}", name(&fleet));
    assert_eq!(why(within(job.finish()).await.ended), text);
    let mut job = Job::start(&runner, by_sudo(&fleet, "root", command("id -un")));
    drop(within(job.until_asked()).await);
    let text = format!("no password was given for {}", name(&fleet));
    assert_eq!(why(within(job.finish()).await.ended), text);
    // A stop while it is asked runs nothing.
    let mut job = Job::start(&runner, by_sudo(&fleet, "root", command("id -un")));
    within(job.until_asked()).await;
    job.signal(Signal::Term);
    assert_eq!(within(job.finish()).await.ended, Ended::Aborted);
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let Some(fleet) = fleet("every_refusal_has_its_words", "") else {
        return;
    };
    let ssh = fleet.runner();
    let me = name(&fleet).to_owned();
    let cases = [
        (
            "# nothing",
            "root",
            format!("{me} is not in this host's sudoers"),
        ),
        (
            "ME ALL=(nobody) ALL",
            "root",
            format!("{me} may not run sh as root on this host, which starts every command"),
        ),
        (
            "ME ALL=(ALL) ALL",
            "no-such-user",
            "there is no user no-such-user on this host".to_owned(),
        ),
        (
            "Defaults:ME requiretty\nME ALL=(ALL) NOPASSWD: ALL",
            "root",
            "this host's sudoers wants a terminal (requiretty): add --tty".to_owned(),
        ),
    ];
    for (rules, user, text) in cases {
        may(&fleet, rules);
        let mut job = Job::start(&dynamic(&ssh), by_sudo(&fleet, user, command("id -un")));
        if !rules.contains("requiretty") && user == "root" {
            say(within(job.until_asked()).await, PASSWORD);
        }
        assert_eq!(why(within(job.finish()).await.ended), text, "{rules}");
    }
    may(&fleet, "ME ALL=(ALL) ALL");
    let outcome = run(&ssh, never_asking(by_sudo(&fleet, "root", command("true")))).await;
    assert!(why(outcome.ended).contains("nobody may be asked: without --batch"));
}

#[tokio::test]
async fn a_host_without_sudo_says_so() {
    let programs = tempfile::tempdir().expect("a directory");
    for program in ["sh", "sleep", "cat"] {
        let real = Path::new("/bin").join(program);
        std::os::unix::fs::symlink(real, programs.path().join(program))
            .expect("an empty directory");
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(programs.path(), mode).expect("ours");
    let path = format!(
        "ForceCommand PATH={} exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
        programs.path().display()
    );
    let Some(fleet) = fleet("a_host_without_sudo_says_so", &path) else {
        return;
    };
    let outcome = run(&fleet.runner(), by_sudo(&fleet, "root", command("true"))).await;
    let text = why(outcome.ended);
    assert!(text.contains("it is not installed there"), "{text}");
}

/// What a login may not signal ends all the same, with and without our asking.
#[tokio::test]
async fn what_runs_as_root_is_stopped_and_its_end_is_proved() {
    let Some(fleet) = fleet("what_runs_as_root_is_stopped_and_its_end_is_proved", "") else {
        return;
    };
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    for rules in ["ME ALL=(ALL) NOPASSWD: ALL", "ME ALL=(ALL) ALL"] {
        may(&fleet, rules);
        let begin = |line: &'static str| {
            let mut job = Job::start(&runner, by_sudo(&fleet, "root", command(line)));
            async move {
                if !rules.contains("NOPASSWD") {
                    say(within(job.until_asked()).await, PASSWORD);
                }
                within(job.until_output("ready")).await;
                job
            }
        };
        let trapper = "trap '' TERM; echo ready; while :; do sleep 0.2; done";
        let lines = [
            "echo ready; exec sleep 1000",
            "sleep 1000 | cat & echo ready; wait",
            trapper,
        ];
        for line in lines {
            let job = begin(line).await;
            job.signal(Signal::Term);
            if line == trapper {
                job.signal(Signal::Kill);
            }
            let outcome = within(job.finish()).await;
            assert!(
                matches!(outcome.ended, Ended::Signaled(_)),
                "{line}: {:?}",
                outcome.ended
            );
            let proof = outcome.prove(&runner, Duration::from_secs(2)).await;
            assert_eq!(proof, Proof::Gone, "{line}");
            assert_eq!(alive(&outcome.run), Vec::<u32>::new(), "{line}");
            // Nobody is there any more.
            let job = begin(line).await;
            let run = Arc::clone(&job.run);
            drop(job);
            within(until(line, || alive(&run).is_empty())).await;
        }
        let job = begin("setsid sleep 1000 >/dev/null 2>&1 & echo ready; sleep 1000").await;
        within(until("it has escaped", || {
            let escaped = |pid: &u32| fleet::leads_session(*pid) && Some(*pid) != job.pid;
            alive(&job.run).iter().any(escaped)
        }))
        .await;
        job.signal(Signal::Term);
        let outcome = within(job.finish()).await;
        let proof = outcome.prove(&runner, Duration::from_millis(100)).await;
        let left = alive(&outcome.run);
        assert_eq!((left.len(), proof), (1, Proof::Alive(left.clone())));
        fleet::kill(left[0]);
    }
}

#[tokio::test]
async fn here_it_is_the_same() {
    if !Path::new("/etc/sudoers.d").is_dir() || !rustix::process::getuid().is_root() {
        println!("SKIPPED: here_it_is_the_same: only root may use sudo without being asked");
        return;
    }
    let runner: Arc<dyn Runner> = Arc::new(Local::new());
    let begin = |line: &str| {
        let mut order = fleet::on("here", command(line));
        order.options = [("sudo".to_owned(), "nobody".to_owned())].into();
        Job::start(&runner, order)
    };
    let outcome = within(begin("id -un; exit 4").finish()).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("nobody\n", &Ended::Exited(4))
    );
    let mut job = begin("echo ready; sleep 1000");
    within(job.until_output("ready")).await;
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
    assert_eq!(
        outcome.prove(&runner, Duration::from_secs(2)).await,
        Proof::Gone
    );
}

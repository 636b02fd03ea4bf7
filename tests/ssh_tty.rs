//! Commands with a terminal, against a real OpenSSH server: what they find there, and that stops are proved all the same.

#![allow(clippy::print_stdout, reason = "it says what it skips")]

mod fleet;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, Outcome, alive, command, script, until, within};
use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended, Motion, Moved, Payload, Proof, Signal};
use regatta::runner::ssh::Ssh;
use regatta::runner::{Order, Runner};
use regatta::secret::{Answer, Secret};

const HOST: &str = "127.1.0.1";

fn with_tty(order: Order, more: &[(&str, &str)]) -> Order {
    let mut options = order.options.to_vec();
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    options.extend(more);
    if !options.iter().any(|(name, _)| name == "tty") {
        options.push(("tty".to_owned(), "80x24".to_owned()));
    }
    Order {
        options: options.into(),
        ..order
    }
}

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

#[tokio::test]
async fn a_command_finds_a_terminal_and_its_output_reads_as_without() {
    let test = "a_command_finds_a_terminal_and_its_output_reads_as_without";
    let Some(fleet) = Fleet::start(test, "") else {
        return;
    };
    let ssh = fleet.runner();
    let on = |payload: Payload| with_tty(fleet.order(HOST, payload), &[]);
    let cases = [
        (
            "test -t 0 && test -t 1 && test -t 2 && echo all three",
            "all three\n",
        ),
        ("stty size; echo $TERM", "24 80\nxterm\n"),
        ("echo out; echo err >&2; printf 'tail'", "out\nerr\ntail"),
        (
            "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e isig -e -echo",
            "isig\nicanon\n-echo\n",
        ),
        ("printf 'a\\rb\\r\\n'", "a\rb\r\n"),
        ("cat </dev/null; echo $REGATTA_HOST", "127.1.0.1\n"),
    ];
    for (line, out) in cases {
        let outcome = run(&ssh, on(command(line))).await;
        assert_eq!(
            (outcome.text().as_str(), &outcome.ended),
            (out, &Ended::Exited(0)),
            "{line}"
        );
        assert!(outcome.err.is_empty(), "{line}");
    }
    for (line, ended) in [
        ("exit 7", Ended::Exited(7)),
        ("kill -SEGV $$", Ended::Signaled("SEGV".into())),
    ] {
        assert_eq!(run(&ssh, on(command(line))).await.ended, ended, "{line}");
    }
    let wide = with_tty(
        fleet.order(HOST, command("stty size")),
        &[("tty", "132x50")],
    );
    assert_eq!(run(&ssh, wide).await.text(), "50 132\n");
    // An order is not a line that somebody types: it is as long as it is, and every byte arrives.
    let every_byte: String = (1..=0x2ff_u32).filter_map(char::from_u32).collect();
    let long = format!(
        "{}{every_byte}",
        "# a line that fills the script\n".repeat(2000)
    );
    let outcome = run(&ssh, on(script("sha256sum", &long))).await;
    let piped = run(&ssh, fleet.order(HOST, script("sha256sum", &long))).await;
    assert_eq!(outcome.text(), piped.text());
    let flood = run(&ssh, on(command("head -c 3000000 /dev/zero | tr '\\0' x"))).await;
    assert_eq!(flood.out.len(), 3_000_000);
}

#[tokio::test]
async fn a_server_that_gives_none_says_so() {
    let Some(fleet) = Fleet::start("a_server_that_gives_none_says_so", "PermitTTY no") else {
        return;
    };
    let ssh = fleet.runner();
    let order = with_tty(fleet.order(HOST, command("true")), &[]);
    match run(&ssh, order).await.ended {
        Ended::NotStarted(Reason::Refused(why)) => {
            assert!(why.contains("run it without --tty"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    let order = with_tty(fleet.order(HOST, command("true")), &[("tty", "wide")]);
    assert!(matches!(
        run(&ssh, order).await.ended,
        Ended::NotStarted(Reason::BadSettings(_))
    ));
}

async fn ends(runner: &Arc<dyn Runner>, line: &str, begin: impl AsyncFn(&str) -> Job) {
    // Told to.
    let job = begin(line).await;
    job.signal(Signal::Term);
    if line.contains("trap ''") {
        job.signal(Signal::Kill);
    }
    let outcome = within(job.finish()).await;
    let proof = outcome.prove(runner, Duration::from_secs(2)).await;
    assert_eq!(proof, Proof::Gone, "{line}: {:?}", outcome.ended);
    assert_eq!(alive(&outcome.run), Vec::<u32>::new(), "{line}");
    // Standing still.
    let job = begin(line).await;
    let moved = job.set_in_motion(runner, Motion::Suspend).await;
    assert_eq!(moved, Moved::All, "{line}");
    assert_eq!(fleet::states(&job.run), BTreeSet::from(['T']), "{line}");
    let moved = job.set_in_motion(runner, Motion::Resume).await;
    assert_eq!(moved, Moved::All, "{line}");
    job.set_in_motion(runner, Motion::Suspend).await;
    job.signal(Signal::Term);
    if line.contains("trap ''") {
        job.signal(Signal::Kill);
    }
    let outcome = within(job.finish()).await;
    let proof = outcome.prove(runner, Duration::from_secs(2)).await;
    assert_eq!(proof, Proof::Gone, "{line}: suspended, {:?}", outcome.ended);
    // Nobody is there any more.
    let job = begin(line).await;
    let run = Arc::clone(&job.run);
    drop(job);
    within(until(line, || alive(&run).is_empty())).await;
}

const LINES: [&str; 4] = [
    "echo ready; exec sleep 1000",
    "sleep 1000 | cat & echo ready; wait",
    "trap '' TERM HUP; echo ready; while :; do sleep 0.2; done",
    "exec nohup sh -c 'echo ready >/dev/tty; sleep 1000'",
];

#[tokio::test]
async fn what_has_a_terminal_is_stopped_and_its_end_is_proved() {
    let Some(fleet) = Fleet::start("what_has_a_terminal_is_stopped_and_its_end_is_proved", "")
    else {
        return;
    };
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    for line in LINES {
        ends(&runner, line, async |line| {
            let order = with_tty(fleet.order(HOST, command(line)), &[]);
            let mut job = Job::start(&runner, order);
            within(job.until_output("ready")).await;
            job
        })
        .await;
    }
}

/// Also where sudo insists on a terminal, and gives the command one of its own.
#[tokio::test]
async fn sudo_with_a_terminal_is_as_without() {
    let test = "sudo_with_a_terminal_is_as_without";
    if !Path::new("/etc/sudoers.d").is_dir() {
        println!("SKIPPED: {test}: sudo is not installed");
        return;
    }
    let Some(fleet) = Fleet::start_with_password(test, "", "", "sesame") else {
        return;
    };
    let other = fleet.other.as_ref().expect("it was made");
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    for defaults in ["requiretty, use_pty", "requiretty, !use_pty"] {
        for tag in ["", "NOPASSWD:"] {
            other.may(&format!("Defaults:ME {defaults}\nME ALL=(ALL) {tag} ALL"));
            let begin = async |line: &str| {
                let order = fleet.order_as(&other.name, command(line));
                let more = [("sudo", "root"), ("ssh_option", "BatchMode=no")];
                let order = Order {
                    asking: Asking::Allowed,
                    ..with_tty(order, &more)
                };
                let mut job = Job::start(&runner, order);
                if tag.is_empty() {
                    let ask = within(job.until_asked()).await;
                    let answer = Answer::Secret(Secret::new("sesame".to_owned()));
                    ask.answer.send(answer).expect("it waits");
                }
                job
            };
            let job = begin("id -un; test -t 0 && echo terminal; exit 3").await;
            let outcome = within(job.finish()).await;
            assert_eq!(
                (outcome.text().as_str(), &outcome.ended),
                ("root\nterminal\n", &Ended::Exited(3)),
                "{defaults} {tag}"
            );
            for line in LINES {
                ends(&runner, line, async |line| {
                    let mut job = begin(line).await;
                    within(job.until_output("ready")).await;
                    job
                })
                .await;
            }
        }
    }
}

//! The local runner, and through it the prologue and the probe, against real shells and real processes.

mod fleet;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Job, Outcome, alive, command, on, script, until, within};
use regatta::core::reason::Reason;
use regatta::core::spec::{Ended, Payload, Proof, Signal};
use regatta::runner::Runner;
use regatta::runner::local::Local;

fn local() -> Arc<dyn Runner> {
    Arc::new(Local::new())
}

async fn run(payload: Payload) -> Outcome {
    within(Job::start(&local(), on("here", payload)).finish()).await
}

#[tokio::test]
async fn commands_end_as_they_end() {
    let cases = [
        ("true", Ended::Exited(0)),
        ("exit 3", Ended::Exited(3)),
        ("exit 255", Ended::Exited(255)),
        ("exit 139", Ended::Exited(139)),
        ("no-such-command-here", Ended::Exited(127)),
        ("kill -SEGV $$", Ended::Signaled("SEGV".into())),
        ("kill -KILL $$", Ended::Signaled("KILL".into())),
        ("kill -TERM $$", Ended::Signaled("TERM".into())),
    ];
    for (line, ended) in cases {
        let outcome = run(command(line)).await;
        assert_eq!(outcome.ended, ended, "{line}");
        assert!(outcome.pid.is_some(), "{line}");
    }
}

#[tokio::test]
async fn output_is_byte_exact_and_told_apart() {
    let all = r"printf '%b' \\001\\200\\201\\210\\377\\n; printf 'no newline'; echo oops >&2";
    let outcome = run(command(all)).await;
    assert_eq!(outcome.out, b"\x01\x80\x81\x88\xff\nno newline");
    assert_eq!(outcome.err, b"oops\n");
}

#[tokio::test]
async fn the_command_finds_its_environment_and_an_empty_stdin() {
    let line = "echo $REGATTA_HOST $REGATTA_JOB $REGATTA_CHILD; readlink /proc/self/fd/0; cat";
    let outcome = run(command(line)).await;
    assert_eq!(outcome.text(), "here 7 8\n/dev/null\n");
    let outcome = run(command("ps -o pid=,pgid=,sid= -p $$")).await;
    let ids: BTreeSet<String> = outcome
        .text()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let leader = outcome.pid.expect("it began").to_string();
    assert_eq!(
        ids,
        BTreeSet::from([leader]),
        "it leads its group and its session"
    );
}

#[tokio::test]
async fn the_command_does_not_inherit_the_lifeline() {
    let line = "ls /proc/self/fd | cat";
    let direct = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .output()
        .expect("there is sh");
    for payload in [command(line), script("sh", line)] {
        assert_eq!(
            run(payload).await.text(),
            String::from_utf8_lossy(&direct.stdout)
        );
    }
}

/// Whatever stands in an order arrives as it is.
#[tokio::test]
async fn orders_arrive_byte_for_byte() {
    let every_byte: String = (1..=0x2ff_u32).filter_map(char::from_u32).collect();
    let texts = [
        "plain",
        "",
        "  blanks around  ",
        "\ttabs\t",
        r"back\slash \n \\ and a last one \",
        "quotes ' \" ` $HOME $(id) !x #y *",
        "\n\nempty lines\n\n",
        "ends with a newline\n",
        "carriage\r\nreturn\r",
        "E\nEOF\n$c",
        &every_byte,
    ];
    for text in texts {
        // The text is an argument in a here-document that nothing expands.
        let outcome = run(script("cat", text)).await;
        let expected = format!("{}\n", text.strip_suffix('\n').unwrap_or(text));
        assert_eq!(outcome.text(), expected, "as a script");
        let quoted = text.replace('\'', r"'\''");
        let outcome = run(command(&format!("printf %s '{quoted}'"))).await;
        assert_eq!(outcome.text(), text, "as a command");
    }
}

#[tokio::test]
async fn scripts_run_in_the_interpreter_they_name() {
    let cases = [
        ("sh", "echo $0\nexit 4", "sh\n", 4),
        (
            "/bin/bash -e",
            "[[ a == a ]] && echo yes\nfalse\necho no\n",
            "yes\n",
            1,
        ),
        (
            "/usr/bin/env python3",
            "import sys\nprint(6 * 7)\nsys.exit(5)\n",
            "42\n",
            5,
        ),
    ];
    for (interpreter, text, out, code) in cases {
        let outcome = run(script(interpreter, text)).await;
        assert_eq!(
            (outcome.text().as_str(), &outcome.ended),
            (out, &Ended::Exited(code)),
            "{interpreter}"
        );
    }
    let long = format!(
        "{}echo done; exit 9",
        "# a line that fills the script\n".repeat(5_000)
    );
    let outcome = run(script("sh", &long)).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("done\n", &Ended::Exited(9))
    );
}

/// What keeps TERM away from it, and how.  Each says `ready` when it is.
const STUBBORN: [(&str, &str); 5] = [
    ("plain", "echo ready; exec sleep 1000"),
    ("child of a shell", "sleep 1000 & echo ready; wait"),
    (
        "ignores TERM",
        "trap '' TERM; echo ready; while :; do sleep 0.2; done",
    ),
    (
        "grandchild",
        "sh -c 'sh -c \"sleep 1000\" & echo ready; wait'",
    ),
    (
        "grandchild ignores TERM",
        "sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.2; done' & wait",
    ),
];

#[tokio::test]
async fn a_stop_ends_everything_and_is_proved() {
    for (what, line) in STUBBORN {
        let runner = local();
        let mut job = Job::start(&runner, on("here", command(line)));
        within(job.until_output("ready")).await;
        job.signal(Signal::Term);
        job.signal(Signal::Kill);
        let outcome = within(job.finish()).await;
        assert!(
            matches!(outcome.ended, Ended::Signaled(_)),
            "{what}: {:?}",
            outcome.ended
        );
        assert_eq!(
            outcome.prove(&runner, Duration::ZERO).await,
            Proof::Gone,
            "{what}"
        );
        assert_eq!(alive(&outcome.run), Vec::<u32>::new(), "{what}");
    }
}

/// The probe alone ends what ignores TERM, after the grace period.
#[tokio::test]
async fn the_probe_kills_what_is_left_of_the_session() {
    let runner = local();
    let line = "(trap '' TERM; echo ready; exec >/dev/null 2>&1 </dev/null; while :; do sleep 0.2; done) & wait";
    let mut job = Job::start(&runner, on("here", command(line)));
    within(job.until_output("ready")).await;
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
    assert!(!alive(&outcome.run).is_empty(), "it ignores TERM");
    let proof = outcome.prove(&runner, Duration::from_millis(300)).await;
    assert_eq!((proof, alive(&outcome.run)), (Proof::Gone, vec![]));
}

/// However early it comes, while the shell that becomes the command still reads its order, say.
#[tokio::test]
async fn the_earliest_term_ends_it() {
    let runner = local();
    for pause in 0..30 {
        let job = Job::start(&runner, on("here", command("sleep 1000")));
        let run = job.run.clone();
        for _ in 0..pause {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        job.signal(Signal::Term);
        let outcome = within(job.finish()).await;
        assert!(
            matches!(&outcome.ended, Ended::Aborted | Ended::Signaled(_)),
            "{:?}",
            outcome.ended
        );
        assert_eq!(outcome.pid.is_none(), outcome.ended == Ended::Aborted);
        assert_eq!(
            (outcome.prove(&runner, Duration::ZERO).await, alive(&run)),
            (Proof::Gone, vec![])
        );
    }
}

#[tokio::test]
async fn what_left_the_session_is_reported_and_spared() {
    let runner = local();
    let mut job = Job::start(
        &runner,
        on(
            "here",
            command("setsid sleep 1000 >/dev/null 2>&1 & echo ready; sleep 1000"),
        ),
    );
    within(job.until_output("ready")).await;
    within(until("the escapee runs", || {
        alive(&job.run)
            .iter()
            .any(|pid| fleet::leads_session(*pid) && Some(*pid) != job.pid)
    }))
    .await;
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    let proof = outcome.prove(&runner, Duration::ZERO).await;
    let left = alive(&outcome.run);
    assert_eq!(left.len(), 1);
    fleet::kill(left[0]);
    assert_eq!(proof, Proof::Alive(left));
}

#[tokio::test]
async fn dropping_the_run_ends_the_command() {
    for (what, line) in STUBBORN {
        let mut job = Job::start(&local(), on("here", command(line)));
        within(job.until_output("ready")).await;
        let run = job.run.clone();
        drop(job);
        within(until(what, || alive(&run).is_empty())).await;
    }
}

#[tokio::test]
async fn what_was_left_behind_on_purpose_stays() {
    let runner = local();
    let outcome = run(command("nohup sleep 1000 >/dev/null 2>&1 & echo left")).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    let left = alive(&outcome.run);
    assert_eq!(
        left.len(),
        1,
        "the watcher is gone, the command's own child is not"
    );
    within(no_watcher(&outcome)).await;
    // A stop afterwards ends it all the same: it is still in the command's session.
    assert_eq!(outcome.prove(&runner, Duration::ZERO).await, Proof::Gone);
}

#[tokio::test]
async fn what_holds_the_output_open_can_still_be_stopped() {
    let runner = local();
    let mut job = Job::start(&runner, on("here", command("sleep 1000 & echo ready")));
    within(job.until_output("ready")).await;
    within(until("the command has ended", || {
        alive(&job.run).len() == 1
    }))
    .await;
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    assert_eq!(outcome.prove(&runner, Duration::ZERO).await, Proof::Gone);
}

#[tokio::test]
async fn a_run_nobody_knows_is_gone_and_a_strangers_process_is_safe() {
    let runner = local();
    let outcome = run(command("true")).await;
    assert_eq!(outcome.prove(&runner, Duration::ZERO).await, Proof::Gone);
    // The process id is somebody else's now: it leads a session without the run's name.
    let mut stranger = Command::new("setsid")
        .args(["sleep", "1000"])
        .stdin(Stdio::null())
        .spawn()
        .expect("setsid is installed");
    within(until("the stranger leads a session", || {
        fleet::leads_session(stranger.id())
    }))
    .await;
    let mut reused = outcome.clone();
    reused.pid = Some(stranger.id());
    assert_eq!(
        within(reused.prove(&runner, Duration::ZERO)).await,
        Proof::Gone
    );
    assert!(
        stranger.try_wait().expect("it is our child").is_none(),
        "the stranger lives on"
    );
    stranger.kill().expect("it is our child");
    stranger.wait().expect("it is our child");
}

#[tokio::test]
async fn a_flood_waits_for_its_reader() {
    let runner = local();
    let mut job = Job::start(
        &runner,
        on("here", command("head -c 30000000 /dev/zero; echo end >&2")),
    );
    within(job.until_began()).await;
    // Nobody reads: the command cannot get to its end.
    let outcome = within(job.finish()).await;
    assert_eq!(
        (outcome.out.len(), &*outcome.err),
        (30_000_000, &b"end\n"[..])
    );
}

#[tokio::test]
async fn wrong_options_are_named() {
    for (name, value, part) in [
        ("directory", "/no/such/place", "/no/such/place"),
        ("speed", "9", "speed"),
    ] {
        let mut order = on("here", command("true"));
        order.options = Arc::new([(name.to_owned(), value.to_owned())]);
        match within(Job::start(&local(), order).finish()).await.ended {
            Ended::NotStarted(Reason::BadSettings(why)) => assert!(why.contains(part), "{why}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Comes when the outcome's watcher has gone.
async fn no_watcher(outcome: &Outcome) {
    let leader = outcome.pid.expect("it began");
    until("its watcher has gone", || {
        fleet::watchers(leader).is_empty()
    })
    .await;
}

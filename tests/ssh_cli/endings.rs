//! How commands end, and what runs: exit codes, signals, scripts, limits, reruns.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use crate::console::{Console, came_to, child};
use crate::support::{Running, installed, skipped, timed, until};

#[test]
fn every_ending_has_its_words() {
    let Some(console) = Console::start("every_ending_has_its_words") else {
        return;
    };
    // What the last argument of the case is: the text of the reason.
    let line = r"set -- $SSH_CONNECTION; case $3 in
        *.1) true;; *.2) exit 3;; *.3) no-such-command-here;; *.4) exit 255;; *.5) kill -SEGV $$;;
        *.6) kill -KILL $$;; *.7) exit 139;; *.8) kill -USR2 $$;; esac";
    let now = console.settled(1, &["-t", "127.1.0.[1-8]"], line);
    assert_eq!(child(&now, "127.1.0.1")["state"], "Completed");
    let cases = [
        (2, "exit", "exit 3", Some(3), None),
        (3, "exit", "exit 127", Some(127), None),
        (4, "exit", "exit 255", Some(255), None),
        (5, "signal", "killed by SIGSEGV", None, Some("SEGV")),
        (6, "signal", "killed by SIGKILL", None, Some("KILL")),
        (7, "exit", "exit 139", Some(139), None),
        (8, "signal", "killed by SIGUSR2", None, Some("USR2")),
    ];
    for (host, kind, text, exit, signal) in cases {
        let child = child(&now, &format!("127.1.0.{host}"));
        came_to(child, "Failed", kind, &[text]);
        assert_eq!(child["reason"]["text"], text);
        assert_eq!(
            (child["exit"].as_i64(), child["signal"].as_str()),
            (exit, signal),
            "{child}"
        );
    }
    let received = console
        .regatta(&["receive", &now["id"].to_string()])
        .exits(1);
    received.says(&[
        "127.1.0.3: ",
        "no-such-command-here",
        "127.1.0.4: Failed, exit 255",
    ]);
    // Codes that are fine.
    console.settled(
        0,
        &["-t", "127.1.0.[1-2]", "--ok-exit", "0,3"],
        "set -- $SSH_CONNECTION; [ $3 = 127.1.0.1 ] || exit 3",
    );
}

#[test]
fn scripts_travel_whole_and_know_where_they_are() {
    let Some(console) = Console::start("scripts_travel_whole_and_know_where_they_are") else {
        return;
    };
    let config = console.config();
    let run = |file: &str| {
        console.with(
            &config,
            &["run", "--wait", "-t", "127.1.0.1", "--script", file],
        )
    };
    let long = "# a line that fills the script\n".repeat(10_000);
    let sh = format!(
        "#!/bin/sh\n{long}echo \"it's $((6*7)) \\\"quoted\\\" \\$HOME !\"\ncat <<'E'\nE'E $x\nE\n"
    );
    run(&console.file("sh", sh))
        .exits(0)
        .prints("127.1.0.1: it's 42 \"quoted\" $HOME !\n127.1.0.1: E'E $x\n");
    run(&console.file("plain", "echo plain; exit 4"))
        .exits(1)
        .prints("127.1.0.1: plain\n")
        .says(&["exit 4"]);
    let others = [
        (
            "bash",
            "#!/usr/bin/env bash\nset -e\na=(x y); echo ${a[1]} ${BASH_VERSION%%.*}\nfalse\necho not here\n",
            1,
            "127.1.0.1: y 5\n",
        ),
        (
            "python3",
            "#!/usr/bin/env python3\nimport os\nprint('\\\\', os.environ['REGATTA_HOST'])\n",
            0,
            "127.1.0.1: \\ 127.1.0.1\n",
        ),
    ];
    for (program, text, code, out) in others {
        if installed(program) {
            run(&console.file(program, text)).exits(code).prints(out);
        } else {
            skipped(&format!("a script in {program}: it is not installed"));
        }
    }
    // From standard input.
    let text = console.file(
        "stdin",
        "echo $REGATTA_HOST $REGATTA_JOB $REGATTA_CHILD ${#REGATTA_RUN}\n",
    );
    let mut command =
        console.command(&["-F", &config, "run", "--wait", "-t", "127.1.0.[1-2]", "-"]);
    command.stdin(Stdio::from(File::open(text).expect("just written")));
    let ran = Running::spawn(command).finish().exits(0);
    let newest = &console.jobs(&["last"])[0];
    let id = newest["id"].as_u64().expect("an id");
    let mut lines: Vec<_> = ran.out().lines().map(str::to_owned).collect();
    lines.sort();
    let line = |n: u64| format!("127.1.0.{n}: 127.1.0.{n} {id} {} 32", id + n);
    assert_eq!(lines, [line(1), line(2)]);
    // Standard input of the command itself is empty, not the console's.
    console
        .with(
            &config,
            &["run", "--wait", "-t", "127.1.0.1", "--", "cat; echo over"],
        )
        .exits(0)
        .prints("127.1.0.1: over\n");
    for (arguments, words) in [
        (
            ["run", "-t", "127.1.0.1", "--script", "/no/such/file"],
            "/no/such/file",
        ),
        (["run", "-t", "127.1.0.1", "--", ""], "the command is empty"),
    ] {
        let ran = console.with(&config, &arguments);
        assert!(matches!(ran.code(), Some(1 | 2)), "{ran:?}");
        ran.says(&[words]);
    }
}

#[test]
fn limits_end_what_takes_too_long() {
    let Some(console) = Console::start("limits_end_what_takes_too_long") else {
        return;
    };
    let stubborn = "trap '' TERM; echo started; while :; do sleep 0.2; done";
    let (now, took) = timed(|| {
        console.settled(
            1,
            &["-t", "127.1.0.[1-2]", "--timeout", "3s", "--grace", "300ms"],
            stubborn,
        )
    });
    assert!(took < Duration::from_secs(30), "{took:?}");
    for host in ["127.1.0.1", "127.1.0.2"] {
        came_to(
            child(&now, host),
            "Failed",
            "timed_out",
            &["timed out after 3s"],
        );
        assert_eq!(
            child(&now, host)["reason"]["text"],
            "timed out after 3s",
            "it is proved"
        );
    }
    let job = now["id"].to_string();
    assert_eq!(console.remains(&job), Vec::<u32>::new());
    let received = console.regatta(&["receive", &job]).exits(1);
    assert_eq!(
        received.out(),
        "127.1.0.1: started\n127.1.0.2: started\n",
        "what it said is there"
    );

    // Queued ones count, and are not contacted.
    let before = console.fleet.logins();
    let options = [
        "-t",
        "127.1.0.[11-14]",
        "--fanout",
        "1",
        "--job-timeout",
        "5s",
        "--grace",
        "300ms",
    ];
    let now = console.settled(1, &options, "exec sleep 1000");
    for host in 11..=14 {
        came_to(
            child(&now, &format!("127.1.0.{host}")),
            "Failed",
            "timed_out",
            &["job timed out after 5s"],
        );
    }
    assert_eq!(console.fleet.logins() - before, 1);
    assert_eq!(console.remains(&now["id"].to_string()), Vec::<u32>::new());

    // A wait that runs out says who is not there yet, and changes nothing.
    let job = console.background(&["-t", "127.1.0.1"], "exec sleep 1000");
    console
        .regatta(&["wait", "--timeout", "200ms", &job])
        .exits(124)
        .says(&["the time ran out", "1 still to settle"]);
    until("it runs on", || console.count(&job, "Running") == 1);
    console.regatta(&["stop", &job]).exits(0);
}

#[test]
fn a_rerun_takes_those_that_failed() {
    let Some(console) = Console::start("a_rerun_takes_those_that_failed") else {
        return;
    };
    let mark = console.path("repaired");
    let line = format!(
        "set -- $SSH_CONNECTION; case $3 in *.[23]) [ -e {} ] || exit 5;; esac; echo $3",
        mark.display()
    );
    let first = console.settled(
        1,
        &["-t", "127.1.0.[1-4]", "-n", "patch", "--timeout", "1m"],
        &line,
    );
    assert_eq!(first["counts"]["Failed"], 2);
    let id = first["id"].to_string();
    std::fs::write(&mark, "").expect("our directory");
    let again = console.regatta(&["rerun", "--wait", &id]).exits(0);
    let mut lines: Vec<_> = again.out().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["127.1.0.2: 127.1.0.2", "127.1.0.3: 127.1.0.3"]);
    let second = &console.jobs(&["last"])[0];
    assert_eq!(
        (&second["name"], &second["targets"]),
        (&"patch".into(), &"127.1.0.[2-3]".into())
    );
    assert_ne!(second["id"], first["id"]);
    // There is nothing to do again on those that completed.
    console
        .regatta(&["rerun", &second["id"].to_string()])
        .exits(3)
        .says(&["no child that did not complete"]);
    assert_eq!(console.fleet.logins(), 4, "over the same connections");
}

//! `run`: background and foreground, limits, how commands end, wrong usage.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;

use rustix::process::Signal;

use crate::support::pty::OnTerminal;
use crate::support::{Home, Running, installed, kill, skipped, until};

#[test]
fn exit_codes_are_those_of_the_contract() {
    let home = Home::new();
    let cases: &[(&[&str], i32)] = &[
        (&["run", "--local", "--wait", "--", "true"], 0),
        (&["run", "--local", "--wait", "--", "exit 3"], 1),
        (
            &[
                "run",
                "--local",
                "--wait",
                "--ok-exit",
                "0,3",
                "--",
                "exit 3",
            ],
            0,
        ),
        (
            &["run", "--local", "--wait", "--ok-exit", "3", "--", "true"],
            1,
        ),
        (&["run", "--local", "--", "exit 3"], 0),
        (&["jobs", "999"], 3),
        (&["jobs", "no-such-name"], 3),
        (&["wait", "no*match"], 3),
        (&["receive", "no*match"], 3),
        (&["stop", "no*match"], 3),
        (&["remove", "no*match"], 3),
        (&["rerun", "no*match"], 3),
        (&["pause", "no*match"], 3),
        (&["frobnicate"], 2),
        (&["run", "--local"], 2),
        (&["jobs", "--state", "Sleeping"], 2),
        (&["jobs", "--before", "yesterday"], 2),
        (&["wait", "1", "--timeout", "soon"], 2),
        (&["--config", "/no/such/file", "jobs"], 2),
    ];
    for (arguments, code) in cases {
        let ran = home.regatta(arguments).exits(*code);
        assert!(
            *code == 0 || !ran.err().is_empty(),
            "a failure without a word: {ran:?}"
        );
        ran.says(&[]);
    }
}

#[test]
fn how_commands_end_is_told_exactly() {
    let home = Home::new();
    for (line, state, exit, signal, reason) in [
        ("true", "Completed", Some(0), None, None),
        ("exit 1", "Failed", Some(1), None, Some("exit 1")),
        ("exit 255", "Failed", Some(255), None, Some("exit 255")),
        (
            "no-such-command-here",
            "Failed",
            Some(127),
            None,
            Some("exit 127"),
        ),
        ("/etc/passwd", "Failed", Some(126), None, Some("exit 126")),
        (
            "kill -SEGV $$",
            "Failed",
            None,
            Some("SEGV"),
            Some("killed by SIGSEGV"),
        ),
        (
            "kill -KILL $$",
            "Failed",
            None,
            Some("KILL"),
            Some("killed by SIGKILL"),
        ),
        ("exit 137", "Failed", Some(137), None, Some("exit 137")),
    ] {
        let child = home.child_now(home.finished_job(line));
        let seen = (
            child["state"].as_str(),
            child["exit"].as_i64(),
            child["signal"].as_str(),
            child["reason"]["text"].as_str(),
        );
        assert_eq!(seen, (Some(state), exit, signal, reason), "{line}");
    }
}

#[test]
fn a_job_outlives_the_shell_that_started_it() {
    let home = Home::new();
    let mut shell = home.program("/bin/sh");
    shell.args([
        "-c",
        "\"$0\" run --local -n outlives -- 'echo begun; exec sleep 1000'; exit 7",
        env!("CARGO_BIN_EXE_regatta"),
    ]);
    // A shell with job control gives each command line a group of its own, and hangs it up.
    shell.process_group(0);
    let shell = Running::spawn(shell);
    let group = shell.pid();
    let ran = shell.finish().exits(7);
    let job: u64 = ran.out().trim().parse().expect("the id");
    for signal in [Signal::HUP, Signal::TERM] {
        let group = rustix::process::Pid::from_raw(group.cast_signed()).expect("a group");
        _ = rustix::process::kill_process_group(group, signal);
    }
    // Seen from another process, and by its name.
    home.until_output(job, 6);
    assert_eq!(home.jobs(&["outlives"])[0]["state"], "Running");
    home.regatta(&["receive", "outlives"])
        .exits(0)
        .prints("localhost: begun\n");
    home.regatta(&["stop", "outlives"]).exits(0);
}

#[test]
fn ctrl_c_detaches_and_a_second_one_stops() {
    let home = Home::new();
    let line = "echo begun; exec sleep 1000";
    let first = home.start(&["run", "--local", "--wait", "--", line]);
    until("the job is there", || {
        home.daemons().len() == 1
            && home
                .jobs(&[])
                .as_array()
                .is_some_and(|jobs| jobs.len() == 1)
    });
    home.until_output(1, 6);
    until("it has been written out", || {
        home.job_now(1)["more"] == false
    });
    first.signal(Signal::INT);
    let ran =
        first
            .finish()
            .exits(130)
            .says(&["detached", "regatta receive 1 --wait", "regatta stop 1"]);
    assert_eq!(ran.out(), "localhost: begun\n");
    assert_eq!(home.job_now(1)["state"], "Running");

    let second = home
        .program("/bin/sh")
        .stderr(std::process::Stdio::piped())
        .args([
            "-c",
            "exec \"$0\" \"$@\" 2>said",
            env!("CARGO_BIN_EXE_regatta"),
            "run",
            "--local",
            "--wait",
            "--",
            line,
        ])
        .spawn();
    let second = Running::of(second.expect("a shell"));
    until("the second job is there", || {
        home.jobs(&[])
            .as_array()
            .is_some_and(|jobs| jobs.len() == 2)
    });
    home.until_output(3, 6);
    until("it has been written out, too", || {
        home.job_now(3)["more"] == false
    });
    second.signal(Signal::INT);
    until("it says that it detached", || {
        std::fs::read_to_string(home.path("said")).is_ok_and(|said| said.contains("detached"))
    });
    second.signal(Signal::INT);
    second.finish().exits(130);
    assert_eq!(home.job_now(3)["state"], "Stopped");
    assert_eq!(home.alive(3), Vec::<u32>::new());
}

#[test]
fn without_a_daemon_the_job_ends_with_the_command() {
    let home = Home::new();
    home.regatta(&[
        "--no-daemon",
        "run",
        "--local",
        "--",
        "echo out; echo err >&2",
    ])
    .exits(0)
    .prints("localhost: out\n")
    .says(&["localhost: err\n", "Completed"]);
    home.regatta(&["--no-daemon", "run", "--local", "--", "exit 4"])
        .exits(1)
        .says(&["localhost: Failed, exit 4"]);
    // Ctrl-C stops, for nobody would be left to look after it.
    let running = home.start(&[
        "--no-daemon",
        "run",
        "--local",
        "--",
        "echo begun; exec sleep 1000",
    ]);
    until("the command runs", || !home.alive(1).is_empty());
    running.signal(Signal::INT);
    running.finish().exits(130).says(&["stopping job 1"]);
    assert_eq!(home.alive(1), Vec::<u32>::new());
    // And what is killed outright takes its commands with it.
    let running = home.start(&["--no-daemon", "run", "--local", "--", "exec sleep 1000"]);
    until("the command runs", || !home.alive(1).is_empty());
    running.signal(Signal::KILL);
    assert_eq!(running.finish().signal(), Some(9));
    until("the lifeline ends the command", || home.alive(1).is_empty());
    assert_eq!(home.daemons(), Vec::<u32>::new(), "no daemon was started");
}

#[test]
fn limits_end_what_takes_too_long() {
    let home = Home::new();
    for (option, reason) in [
        ("--timeout", "timed out after 2s"),
        ("--job-timeout", "job timed out after 2s"),
    ] {
        let ran = home.regatta(&[
            "run",
            "--local",
            "--wait",
            option,
            "2s",
            "--",
            "echo begun; exec sleep 1000",
        ]);
        ran.exits(1)
            .says(&[&format!("localhost: Failed, {reason}\n")])
            .prints("localhost: begun\n");
        let job = home.jobs(&["last"])[0]["id"].as_u64().expect("an id");
        assert_eq!(home.child_now(job)["reason"]["kind"], "timed_out");
        assert_eq!(home.alive(job), Vec::<u32>::new());
    }
}

/// What the caller has set for SSH is no business of a command on this computer.
#[test]
fn ssh_settings_do_not_disturb_local_commands() {
    let home = Home::new();
    let mut command = home.command(&["run", "--local", "--wait", "-F", "none", "--", "echo fine"]);
    command.env("SSH_AUTH_SOCK", "/no/such/agent");
    Running::spawn(command)
        .finish()
        .exits(0)
        .prints("localhost: fine\n");
}

#[test]
fn the_command_runs_where_it_was_called() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    std::fs::create_dir(home.path("elsewhere")).expect("a directory");
    let mut command = home.command(&["run", "--local", "-w", "--", "pwd; cat; echo done"]);
    command.current_dir(home.path("elsewhere"));
    let ran = Running::spawn(command).finish().exits(0);
    assert!(
        ran.out().ends_with("/elsewhere\nlocalhost: done\n"),
        "{ran:?}"
    );
}

#[test]
fn scripts_come_from_files_and_from_stdin() {
    let home = Home::new();
    let script = home.file(
        "script",
        "#!/bin/sh -e\nfalse | true\nprintf '%s\\n' \"it's $0\" '!*\\'\nexit 5\n",
    );
    home.regatta(&["run", "--local", "-w", "--script", &script])
        .exits(1)
        .prints("localhost: it's /bin/sh\nlocalhost: !*\\\n")
        .says(&["exit 5"]);
    let stdin = std::fs::File::open(home.file("input", "read x; echo \"[$x]\"\n")).expect("a file");
    let mut command = home.command(&["run", "--local", "-w", "-"]);
    command.stdin(stdin);
    Running::spawn(command)
        .finish()
        .exits(0)
        .says(&["Completed"]);
    for (content, part) in [("", "empty"), ("\0", "NUL"), ("  \n", "empty")] {
        let script = home.file("bad", content);
        home.regatta(&["run", "--local", "--script", &script])
            .exits(2)
            .says(&[part]);
    }
    let script = home.file("bytes", b"echo \xff\n");
    home.regatta(&["run", "--local", "--script", &script])
        .exits(2)
        .says(&["not UTF-8"]);
    home.regatta(&["run", "--local", "--script", "/no/such/script"])
        .says(&["/no/such/script"])
        .exits(2);
}

#[test]
fn wrong_usage_is_explained_and_starts_nothing() {
    let home = Home::new();
    let cases: &[(&[&str], i32, &[&str])] = &[
        (
            &["run", "--", "true"],
            2,
            &["no targets", "-t web[01-20]", "--local"],
        ),
        (&["run", "--local"], 2, &["nothing to run", "hint: "]),
        (&["run", "--local", "--", " "], 2, &["the command is empty"]),
        (
            &["run", "-t", "web1!web1", "--", "true"],
            3,
            &["web1!web1 matches no host"],
        ),
        (
            &["run", "-t", "", "--", "true"],
            3,
            &["no targets: the expression is empty"],
        ),
        (
            &["run", "-t", "web[1-", "--", "true"],
            2,
            &["never closed", "\n  web[1-\n     ^\n"],
        ),
        (
            &["run", "-t", "web[3-1]", "--", "true"],
            2,
            &["web[3-1]", "^"],
        ),
        (&["run", "-t", "web]", "--", "true"], 2, &["^"]),
        (
            &["run", "-t", "@nope", "--", "true"],
            2,
            &["there is no group \"nope\"", "^"],
        ),
        (
            &["run", "-t", "web[1-99999999]", "--", "true"],
            2,
            &["99999999", "limit is 1000000", "^"],
        ),
        (
            &["run", "-t", "a[1-9999]b[1-9999]", "--", "true"],
            2,
            &["limit is 1000000"],
        ),
        (
            &["run", "-t", "^/no/such/file", "--", "true"],
            2,
            &["/no/such/file"],
        ),
        (
            &["run", "--local", "-t", "web1", "--", "true"],
            2,
            &["--local", "--targets"],
        ),
        (
            &["run", "--local", "--timeout", "0", "--", "true"],
            2,
            &["zero"],
        ),
        (
            &["run", "--local", "--fanout", "0", "--", "true"],
            2,
            &["--fanout", "expected a whole number from 1 on"],
        ),
        (
            &["run", "--local", "-f", "-1", "--", "true"],
            2,
            &["--fanout", "expected a whole number from 1 on"],
        ),
        (
            &["run", "--local", "--ok-exit", "x", "--", "true"],
            2,
            &["--ok-exit", "expected whole numbers, as in 0,3"],
        ),
        (
            &["demo", "--hosts", "abc"],
            2,
            &["--hosts", "expected a whole number from 1 to 10000"],
        ),
        (
            &["jobs", "--newest", "few"],
            2,
            &["--newest", "expected a whole number"],
        ),
        (&["run", "--local", "-n", "", "--", "true"], 2, &["name"]),
        (
            &["run", "--local", "-n", "all", "--", "true"],
            2,
            &["\"all\"", "name"],
        ),
        (
            &["run", "--local", "-n", "last", "--", "true"],
            2,
            &["\"last\"", "name"],
        ),
        (
            &["run", "--local", "-n", "17", "--", "true"],
            2,
            &["\"17\"", "id"],
        ),
        (
            &["run", "--local", "-n", "x\x1b[2J", "--", "true"],
            2,
            &["name"],
        ),
        (
            &["run", "-t", "a", "-F", "/no/such/config", "--", "true"],
            2,
            &["/no/such/config"],
        ),
    ];
    for (arguments, code, parts) in cases {
        home.regatta(arguments).exits(*code).says(parts).prints("");
    }
    assert_eq!(home.daemons(), Vec::<u32>::new());
}

#[test]
fn a_dry_run_contacts_nobody() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let config = home.file("ssh_config", format!("Host *\n Port {port}\n"));
    let ran = home
        .regatta(&[
            "run",
            "-F",
            &config,
            "-t",
            "127.0.0.[1-3]",
            "--dry-run",
            "--",
            "true",
        ])
        .exits(0);
    ran.prints("127.0.0.1\n127.0.0.2\n127.0.0.3\n")
        .says(&["3 hosts (127.0.0.[1-3]); none was contacted"]);
    home.regatta(&["run", "--local", "--dry-run", "--", "true"])
        .exits(0)
        .prints("localhost\n")
        .says(&["1 host (localhost); none was contacted"]);
    let ran = home
        .regatta(&["run", "--json", "-t", "b,a", "--dry-run", "--", "true"])
        .exits(0);
    assert_eq!(
        ran.json(),
        serde_json::json!({"targets": "a,b", "count": 2, "hosts": ["a", "b"]})
    );
    assert!(listener.accept().is_err(), "somebody called");
    assert_eq!(home.daemons(), Vec::<u32>::new());
}

/// Above fifty hosts the count is typed, on a terminal; the port answers nobody, so nothing is really run.
#[test]
fn many_hosts_are_confirmed_by_count() {
    let home = Home::new();
    let config = home.file("ssh_config", "Host *\n Port 1\n BatchMode yes\n");
    let arguments = ["run", "-F", &config, "-t", "127.0.0.[1-51]", "--", "true"];
    for (typed, started) in [
        ("\n", false),
        ("y\n", false),
        ("50\n", false),
        ("51\n", true),
    ] {
        let mut terminal = OnTerminal::spawn(home.command(&arguments));
        terminal.until_shown("Type 51 to go on: ");
        terminal.types(typed);
        let ran = terminal.finish();
        assert_eq!(
            ran.code(),
            Some(if started { 0 } else { 2 }),
            "{typed:?}: {ran:?}"
        );
        assert_eq!(home.daemons().len(), usize::from(started), "{typed:?}");
    }
    for options in [&["--yes"][..], &["--batch"]] {
        let terminal = OnTerminal::spawn(home.command(&[options, &arguments].concat()));
        let ran = terminal.finish().exits(0);
        assert!(!ran.out().contains("Type"), "{ran:?}");
    }
    // Fifty are not asked about.
    let fifty = ["run", "-F", &config, "-t", "127.0.0.[1-50]", "--", "true"];
    OnTerminal::spawn(home.command(&fifty)).finish().exits(0);
    home.regatta(&["wait", "all"]).exits(1);
    kill(home.daemon_pid(), Signal::TERM);
    until("the daemon ends", || home.daemons().is_empty());
}

/// A query that changes something, on however few hosts, and whichever way it is started.
#[test]
fn what_changes_something_does_not_start_where_nobody_can_be_asked() {
    let home = Home::new();
    std::fs::create_dir_all(home.path(".regatta/queries")).expect("a directory");
    let query = "doc = \"D\"\ncommand = \"echo changed >>log; true\"\nwrites = true\n";
    home.file(".regatta/queries/wr.toml", query);
    let starts = || home.jobs(&[]).as_array().expect("a list").len();
    let query = ["query", "wr", "--local"];
    for options in [&[][..], &["--batch"]] {
        home.regatta(&[options, &query].concat())
            .exits(2)
            .says(&["nobody can be asked", "--yes"]);
    }
    home.regatta(&["query", "wr", "--local", "--dry-run"])
        .exits(0);
    home.regatta(&["--yes", "query", "wr", "--local", "-w"])
        .exits(0);
    assert_eq!(starts(), 1);
    let rerun = ["rerun", "--all", "last"];
    home.regatta(&rerun)
        .exits(2)
        .says(&["nobody can be asked", "--yes"]);
    for (typed, code, jobs) in [("\n", 2, 1), ("1\n", 0, 2)] {
        let mut terminal = OnTerminal::spawn(home.command(&rerun));
        terminal.until_shown("Type 1 to go on: ");
        terminal.types(typed);
        assert_eq!(terminal.finish().code(), Some(code), "{typed:?}");
        assert_eq!(starts(), jobs);
    }
    // The history remembers it, too.
    home.regatta(&["wait", "all"]).exits(0);
    let first = home.jobs(&[]).as_array().expect("a list")[0]["id"].to_string();
    home.regatta(&["remove", "all"]).exits(0);
    home.regatta(&["rerun", "--all", &first])
        .exits(2)
        .says(&["nobody can be asked", "--yes"]);
}

#[test]
fn a_command_can_run_as_somebody_else() {
    if !installed("sudo") || !rustix::process::getuid().is_root() {
        return skipped("a_command_can_run_as_somebody_else: only root may use sudo unasked");
    }
    let home = Home::new();
    home.regatta(&["run", "--local", "-w", "-u", "nobody", "--", "id -un"])
        .exits(0)
        .prints("localhost: nobody\n");
    home.regatta(&["rerun", "--all", "-w", "last"])
        .exits(0)
        .prints("localhost: nobody\n");
    home.regatta(&["rerun", "--all", "-w", "--sudo", "last"])
        .exits(0)
        .prints("localhost: root\n");
    home.regatta(&["run", "--local", "-w", "-u", "no-such-user", "--", "id"])
        .exits(1)
        .says(&["sudo: there is no user no-such-user on this host"]);
    home.regatta(&["run", "--local", "-u", "", "--", "id"])
        .exits(2)
        .says(&["not a user's name"]);
    let noted = home.regatta(&["audit", "--json"]).exits(0).out();
    assert!(noted.contains("\"as\":\"nobody\""), "{noted}");
}

#[test]
fn a_terminal_has_a_size_and_is_on_another_computer() {
    let home = Home::new();
    for wrong in [
        &["--tty=wide", "-t", "h1"][..],
        &["--tty=0x24", "-t", "h1"],
        &["--tty", "--local"],
    ] {
        home.regatta(&[&["run"], wrong, &["--", "true"]].concat())
            .exits(2)
            .says(&["--tty"]);
    }
}

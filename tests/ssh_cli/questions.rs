//! Questions on their way from a server to the operator and back: on terminals, by the verb `answer`, and by several
//! people at once.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::console::{Console, came_to, child, log_everything, stands_nowhere};
use crate::fleet::sshd::Fleet;
use crate::support::pty::OnTerminal;
use crate::support::until;

/// A console of somebody who has never been here: no host key is known, and what is not known is asked for.
struct Stranger {
    console: Console,
    config: String,
    known: PathBuf,
}

impl Stranger {
    fn start(test: &str) -> Option<Self> {
        let console = Console::start(test)?;
        let known = console.path("known");
        let config = console.config_with(&format!(
            "Host *\n StrictHostKeyChecking ask\n BatchMode no\n UserKnownHostsFile {}",
            known.display()
        ));
        Some(Self {
            console,
            config,
            known,
        })
    }

    fn known(&self) -> String {
        std::fs::read_to_string(&self.known).unwrap_or_default()
    }

    fn run(&self, options: &[&str]) -> String {
        self.console
            .background_with(&self.config, options, "echo in")
    }

    fn until_asked(&self, questions: usize) -> Vec<Value> {
        until("it is asked", || {
            open(&self.console, &[]).len() == questions
        });
        open(&self.console, &[])
    }
}

pub fn open(console: &Console, select: &[&str]) -> Vec<Value> {
    let ran = console.regatta(&[&["answer", "--json"], select].concat());
    ran.exits(0).json().as_array().expect("a list").clone()
}

pub fn blocked(console: &Console, job: &str, children: u64) {
    until("children are blocked", || {
        console.count(job, "Blocked") == children
    });
}

/// Starts `regatta` with these arguments on a terminal.
pub fn on_terminal(console: &Console, arguments: &[&str]) -> OnTerminal {
    let plain = [&["--color", "never"], arguments].concat();
    OnTerminal::spawn(console.command(&plain))
}

#[test]
fn host_keys_are_accepted_on_the_terminal_that_waits_for_the_job() {
    let Some(here) =
        Stranger::start("host_keys_are_accepted_on_the_terminal_that_waits_for_the_job")
    else {
        return;
    };
    let console = &here.console;
    let alone = [
        "-F",
        &here.config,
        "run",
        "-w",
        "-t",
        "127.1.0.1",
        "--",
        "echo in",
    ];
    let mut terminal = on_terminal(console, &alone);
    terminal.until_shown("Accept the key of [127.1.0.1]:");
    terminal.types("perhaps\n");
    terminal.until_shown("Please type yes, no");
    let shown = String::from_utf8(terminal.shown()).expect("text");
    assert!(shown.contains("ssh-ed25519  SHA256:"), "{shown}");
    terminal.types("yes\n");
    let ran = terminal.finish().exits(0);
    assert!(ran.out().contains("127.1.0.1: in"), "{}", ran.out());
    // Several are shown before anybody can say yes to all.
    let job = here.run(&["-t", "127.1.0.[2-3]"]);
    blocked(console, &job, 2);
    let mut terminal = on_terminal(console, &["receive", "--wait", &job]);
    terminal.until_shown("The keys of 2 hosts are not known");
    terminal.until_shown("(yes/no/all/fingerprint)");
    terminal.types("all\n");
    let shown = terminal.finish().exits(0).out();
    assert!(
        shown.contains("127.1.0.2: in") && shown.contains("127.1.0.3: in"),
        "{shown}"
    );
    assert_eq!(here.known().lines().count(), 3, "{}", here.known());
    let ssh = std::process::Command::new("ssh")
        .args([
            "-F",
            &here.config,
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ])
        .args(["127.1.0.2", "true"])
        .output();
    assert!(ssh.expect("ssh is installed").status.success());
    let audit = here.console.regatta(&["audit", "answer"]).exits(0);
    assert!(
        audit.out().contains("accepted") && audit.out().contains("127.1.0.2"),
        "{}",
        audit.out()
    );
}

#[test]
fn a_job_in_the_background_says_what_it_waits_for_and_is_answered_later() {
    let Some(here) =
        Stranger::start("a_job_in_the_background_says_what_it_waits_for_and_is_answered_later")
    else {
        return;
    };
    let console = &here.console;
    let job = here.run(&["-t", "127.1.0.[1-8]"]);
    blocked(console, &job, 8);
    assert_eq!(console.now(&job)["state"], "Blocked");
    let questions = here.until_asked(8);
    assert!(
        questions
            .iter()
            .all(|question| question["kind"] == "host_key")
    );
    // The keys are part of the contract: names are added, never changed or removed.
    let keys = questions[0].as_object().expect("an object").keys();
    assert_eq!(
        keys.collect::<Vec<_>>(),
        [
            "id",
            "kind",
            "host",
            "algorithm",
            "fingerprint",
            "file",
            "hosts",
            "children",
            "wrong",
            "asked"
        ]
    );
    let now = console.now(&job);
    let first = child(&now, "127.1.0.1");
    assert_eq!(first["question"]["kind"], "host_key");
    assert_eq!(first["reason"], Value::Null);
    let hint = format!("`regatta answer {job}`");
    console
        .regatta(&["jobs"])
        .exits(0)
        .says(&[&hint, "SHA256:"]);
    assert!(
        console
            .regatta(&["jobs", &job])
            .exits(0)
            .out()
            .contains(&hint)
    );
    // A stop withdraws the question, and so does nothing else.
    console
        .regatta(&["stop", &format!("{job}.127.1.0.8")])
        .exits(0)
        .says(&["127.1.0.8: Stopped, stopped before it started"]);
    assert_eq!(open(console, &[&job]).len(), 7);
    // Nobody accepts for jobs that were not named, nor where there is no terminal.
    console.regatta(&["answer", "--yes"]).exits(2);
    console
        .regatta(&["answer", &job])
        .exits(2)
        .says(&["no terminal"]);
    assert_eq!(here.known(), "");
    // Two at the same time: the second is told.
    let mut two = [1, 2].map(|_| on_terminal(console, &["answer", &format!("{job}.127.1.0.7")]));
    for terminal in &two {
        terminal.until_shown("Accept the key of [127.1.0.7]:");
    }
    two[0].types("no\n");
    two[1].until_shown("answered meanwhile");
    for terminal in two {
        terminal.finish().exits(0);
    }
    let now = console.now(&job);
    came_to(
        child(&now, "127.1.0.7"),
        "Failed",
        "host_key_unknown",
        &["fingerprint"],
    );
    console.regatta(&["answer", "--yes", &job]).exits(0);
    console.regatta(&["wait", &job]).exits(1);
    assert_eq!(console.count(&job, "Completed"), 6);
    assert_eq!(here.known().lines().count(), 6);
}

#[test]
fn nobody_is_asked_in_batch_mode_and_a_removed_job_asks_no_more() {
    let Some(here) =
        Stranger::start("nobody_is_asked_in_batch_mode_and_a_removed_job_asks_no_more")
    else {
        return;
    };
    let console = &here.console;
    let job = here.run(&["--batch", "-t", "127.1.0.1"]);
    console.regatta(&["wait", &job]).exits(1);
    came_to(
        child(&console.now(&job), "127.1.0.1"),
        "Failed",
        "host_key_unknown",
        &[],
    );
    // Run again by somebody who can be asked, it asks; by a script, it does not.
    let again = console.regatta(&["--batch", "rerun", &job]).exits(0);
    console.regatta(&["wait", again.out().trim()]).exits(1);
    let again = console.regatta(&["rerun", &job]).exits(0);
    let again = again.out().trim().to_owned();
    blocked(console, &again, 1);
    console.regatta(&["answer", "--refuse", &again]).exits(0);
    console.regatta(&["wait", &again]).exits(1);
    let job = here.run(&["-t", "127.1.0.[1-2]"]);
    blocked(console, &job, 2);
    console.regatta(&["remove", "--force", &job]).exits(0);
    assert_eq!(open(console, &[]).len(), 0);
    assert_eq!(here.known(), "");
}

#[test]
fn a_daemon_that_ends_while_somebody_thinks_takes_the_question_along() {
    let Some(here) =
        Stranger::start("a_daemon_that_ends_while_somebody_thinks_takes_the_question_along")
    else {
        return;
    };
    let console = &here.console;
    let job = here.run(&["-t", "127.1.0.1"]);
    blocked(console, &job, 1);
    let daemon = console.daemon_pid();
    crate::support::kill(daemon, rustix::process::Signal::KILL);
    until("the daemon is gone", || {
        !Path::new(&format!("/proc/{daemon}")).exists()
            || std::fs::read(format!("/proc/{daemon}/cmdline")).is_ok_and(|line| line.is_empty())
    });
    // Nothing ran there; whether anything did is looked up, and nobody is asked for that.
    console.regatta(&["wait", &job]).exits(1);
    assert_eq!(open(console, &[]).len(), 0);
    came_to(
        child(&console.now(&job), "127.1.0.1"),
        "Disconnected",
        "connection_lost",
        &["host key unknown"],
    );
}

/// A key file with a passphrase that alone is let in.
fn locked(fleet: &Fleet, passphrase: &str) -> PathBuf {
    let key = fleet.path("locked");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen is installed").success());
    let public = std::fs::read(fleet.path("locked.pub")).expect("just made");
    std::fs::write(fleet.path("authorized_keys"), public).expect("ours");
    key
}

#[test]
fn a_secret_is_asked_once_and_stands_nowhere() {
    const WORDS: &str = "correct horse battery";
    const WRONG: &str = "wrong horse battery";
    let Some(console) = Console::start("a_secret_is_asked_once_and_stands_nowhere") else {
        return;
    };
    let key = locked(&console.fleet, WORDS);
    let config = console.config_with(&format!(
        "Host *\n BatchMode no\n IdentityFile {}",
        key.display()
    ));
    log_everything(&console);
    let job = console.background_with(&config, &["-t", "127.1.0.[1-5]"], "echo in");
    blocked(&console, &job, 5);
    let mut terminal = on_terminal(&console, &["wait", &job]);
    terminal.until_shown("locked (for 127.1.0.[1-5]): ");
    terminal.types(&format!("{WRONG}\n"));
    terminal.until_shown("That was wrong.");
    terminal.types(&format!("{WORDS}\n"));
    let ran = terminal.finish().exits(0);
    assert!(!ran.out().contains("horse"), "{}", ran.out());
    // Afterwards nobody is asked, not even in another job.
    console
        .with(
            &config,
            &["run", "--batch", "-w", "-t", "127.1.0.6", "--", "true"],
        )
        .exits(0);
    let audit = console.regatta(&["audit", "--json", "answer"]).exits(0);
    assert!(audit.out().contains("given") && audit.out().contains("passphrase"));
    stands_nowhere(&console, "horse");
}

#[test]
fn a_password_is_one_question_for_all_hosts_of_a_job_and_stands_nowhere() {
    const WORDS: &str = "correct horse battery";
    let Some(console) = Console::start_with_password(
        "a_password_is_one_question_for_all_hosts_of_a_job_and_stands_nowhere",
        WORDS,
    ) else {
        return;
    };
    let config = console.config_with("Host *\n BatchMode no");
    log_everything(&console);
    let user = console.other();
    // More hosts than run at once.
    let targets = (1..=8).map(|n| format!("{user}@127.1.0.{n}"));
    let targets = targets.collect::<Vec<_>>().join(",");
    let options = ["-t", &targets, "--fanout", "4"];
    let job = console.background_with(&config, &options, "id -un");
    blocked(&console, &job, 4);
    let questions = open(&console, &[]);
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert_eq!(
        (&questions[0]["kind"], &questions[0]["account"]),
        (&"password".into(), &user.into())
    );
    let mut terminal = on_terminal(&console, &["receive", "--wait", &job]);
    terminal.until_shown(&format!("Password of {user} on "));
    terminal.types("not this horse\n");
    terminal.until_shown("That was wrong.");
    terminal.types(&format!("{WORDS}\n"));
    let shown = terminal.finish().exits(0).out();
    assert_eq!(shown.matches(&format!(": {user}")).count(), 8, "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
    stands_nowhere(&console, "horse");
}

#[test]
fn sudo_asks_once_for_all_hosts_of_a_job_and_its_password_stands_nowhere() {
    const WORDS: &str = "correct horse battery";
    let test = "sudo_asks_once_for_all_hosts_of_a_job_and_its_password_stands_nowhere";
    let Some(console) = Console::start_with_sudo(test, WORDS) else {
        return;
    };
    let config = console.config_with("Host *\n BatchMode no");
    log_everything(&console);
    let user = console.other();
    let targets = (1..=6).map(|n| format!("{user}@127.1.0.{n}"));
    let targets = targets.collect::<Vec<_>>().join(",");
    // What is asked of root stays as it was; more hosts than run at once.
    let options = ["-t", &targets, "--fanout", "3", "-u", "root"];
    let line = "id -un; env; ps -eo args; cat";
    let job = console.background_with(&config, &options, line);
    blocked(&console, &job, 3);
    let questions = open(&console, &[]);
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert_eq!(
        (&questions[0]["kind"], &questions[0]["account"]),
        (&"sudo".into(), &user.into())
    );
    let mut terminal = on_terminal(&console, &["wait", &job]);
    terminal.until_shown(&format!("[sudo] Password of {user} on "));
    terminal.types("not this horse\n");
    terminal.until_shown("That was wrong.");
    terminal.types(&format!("{WORDS}\n"));
    terminal.finish().exits(0);
    let received = console.regatta(&["receive", "--keep", "-N", &job]).exits(0);
    assert_eq!(
        received
            .out()
            .lines()
            .filter(|line| *line == "root")
            .count(),
        6
    );
    assert!(!received.out().contains("horse"), "{}", received.out());
    // Whoever may not be asked is not, and a refusal is one.
    let user_host = format!("{user}@127.1.0.7");
    console
        .with(
            &config,
            &[
                "--batch", "run", "-w", "--sudo", "-t", &user_host, "--", "id",
            ],
        )
        .exits(1)
        .says(&["needs a password, and nobody may be asked"]);
    let job = console.background_with(&config, &["--sudo", "-t", &user_host], "sleep 1000");
    blocked(&console, &job, 1);
    console.regatta(&["answer", "--refuse", &job]).exits(0);
    console.regatta(&["wait", &job]).exits(1);
    let words = format!("no password was given for {user}");
    came_to(
        child(&console.now(&job), &user_host),
        "Failed",
        "sudo",
        &[&words],
    );
    // Who stops it needs no password again.
    let job = console.background_with(&config, &["--sudo", "-t", &user_host], "sleep 1000");
    blocked(&console, &job, 1);
    let mut terminal = on_terminal(&console, &["answer", &job]);
    terminal.until_shown("[sudo] Password of ");
    terminal.types(&format!("{WORDS}\n"));
    terminal.finish().exits(0);
    until("it runs", || console.count(&job, "Running") == 1);
    console
        .regatta(&["stop", &job])
        .exits(0)
        .says(&["Stopped, stopped by operator"]);
    assert_eq!(console.remains(&job), Vec::<u32>::new());
    stands_nowhere(&console, "horse");
}

#[test]
fn an_interrupted_question_leaves_the_terminal_as_it_was() {
    let Some(console) = Console::start("an_interrupted_question_leaves_the_terminal_as_it_was")
    else {
        return;
    };
    let key = locked(&console.fleet, "right");
    let config = console.config_with(&format!(
        "Host *\n BatchMode no\n IdentityFile {}",
        key.display()
    ));
    let job = console.background_with(&config, &["-t", "127.1.0.1"], "true");
    blocked(&console, &job, 1);
    for verb in [
        &["answer"][..],
        &["wait", &job],
        &["receive", "--wait", &job],
    ] {
        let terminal = on_terminal(&console, verb);
        let before = terminal.echoes();
        terminal.until_shown("locked (for 127.1.0.1): ");
        assert!(before && !terminal.echoes(), "{verb:?}");
        terminal.running().signal(rustix::process::Signal::INT);
        until("the terminal is right again", || terminal.echoes());
        terminal.finish().exits(130);
    }
    // Nothing was answered by that.
    assert_eq!(open(&console, &[&job]).len(), 1);
    console.regatta(&["answer", "--refuse", &job]).exits(0);
    console.regatta(&["wait", &job]).exits(1);
    came_to(
        child(&console.now(&job), "127.1.0.1"),
        "Failed",
        "auth_failed",
        &["it is encrypted"],
    );
}

//! Commands on hosts whose login shell is one of Windows.
//!
//! No Windows host is to be had here.  A real OpenSSH server has `fleet-windows.sh` as its login shell, which acts out
//! regatta's two PowerShell programs in sh; so what is tried is the way to them and from them, not the programs.

#![allow(clippy::print_stdout, reason = "it says what it skips")]

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, Outcome, alive, command, script, until, within};
use regatta::config::queries::{self, SearchPath};
use regatta::core::reason::Reason;
use regatta::core::spec::{Ended, Inquiry, Motion, Moved, Payload, Proof, Signal, Trace};
use regatta::results::Reading;
use regatta::runner::ssh::Ssh;
use regatta::runner::{Order, Runner};
use regatta::secret::Secret;
use tempfile::TempDir;

const HOST: &str = "127.1.0.1";

const SHELL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet-windows.sh");

const CMD: &str = "'exec' is not recognized as an internal or external command,";

/// In words that nobody knows.
const GERMAN: &str =
    "Der Befehl exec ist entweder falsch geschrieben oder konnte nicht gefunden werden.";

/// As the greeting of Microsoft's server has it.
const GREETING: &str = "VersionAddendum OpenSSH_for_Windows_9.5";

/// A fleet of them, and where it is noted what their login shell was told.
struct Windows {
    fleet: Fleet,
    notes: TempDir,
}

impl Windows {
    fn start(test: &str, words: &str, extra: &str) -> Option<Self> {
        let notes = tempfile::tempdir().expect("a directory");
        let log = notes.path().join("log");
        let extra = format!(
            "{extra}\nForceCommand sh {SHELL} {} \"{words}\"",
            log.display()
        );
        Fleet::start(test, &extra).map(|fleet| Self { fleet, notes })
    }

    /// What the login shell was told since it was last asked.
    fn told(&self) -> Vec<String> {
        let log = self.notes.path().join("log");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(&log);
        text.lines().map(str::to_owned).collect()
    }

    fn order(&self, line: &str) -> Order {
        self.fleet.order(HOST, command(line))
    }

    fn order_with(&self, payload: Payload, option: (&str, &str)) -> Order {
        let order = self.fleet.order(HOST, payload);
        let mut options = order.options.to_vec();
        options.push((option.0.to_owned(), option.1.to_owned()));
        Order {
            options: options.into(),
            ..order
        }
    }
}

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

async fn refused(ssh: &Arc<Ssh>, order: Order) -> String {
    match run(ssh, order).await.ended {
        Ended::NotStarted(Reason::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_command_is_run_the_other_way_and_the_way_is_remembered() {
    let test = "a_command_is_run_the_other_way_and_the_way_is_remembered";
    let Some(windows) = Windows::start(test, CMD, "") else {
        return;
    };
    let ssh = windows.fleet.runner();
    let line =
        "echo \"$REGATTA_HOST 'í' $REGATTA_JOB\"\necho wrong >&2; cat; exit 3 # not a comment";
    let outcome = run(&ssh, windows.order(line)).await;
    assert_eq!(outcome.ended, Ended::Exited(3), "{outcome:?}");
    assert!(
        outcome.text().starts_with(&format!("{HOST} 'í' ")),
        "{outcome:?}"
    );
    assert_eq!(outcome.err, b"wrong\n", "cmd's words are not the command's");
    assert!(outcome.pid.is_some());
    assert_eq!(windows.told(), ["posix", "program"]);
    assert_eq!(
        run(&ssh, windows.order("exit 0")).await.ended,
        Ended::Exited(0)
    );
    assert_eq!(windows.told(), ["program"]);
    assert_eq!(windows.fleet.logins(), 1);
}

#[tokio::test]
async fn the_server_of_windows_is_known_whatever_its_login_shell_says() {
    let test = "the_server_of_windows_is_known_whatever_its_login_shell_says";
    let Some(windows) = Windows::start(test, GERMAN, GREETING) else {
        return;
    };
    let ssh = windows.fleet.runner();
    let outcome = run(&ssh, windows.order("echo hello")).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("hello\n", &Ended::Exited(0))
    );
    assert_eq!(outcome.err, b"");
    // Somebody who knows nothing yet finds out with the probe, too.
    let mut job = Job::start(&dynamic(&ssh), windows.order("echo ready; exec sleep 1000"));
    within(job.until_output("ready")).await;
    let trace = job.pid.map(|pid| Trace { pid });
    let order = Order {
        run: Arc::clone(&job.run),
        ..windows.order("")
    };
    windows.told();
    let other = dynamic(&windows.fleet.runner());
    let proof = within(other.prove(order, trace, Inquiry::Look)).await;
    assert!(matches!(proof, Proof::Alive(_)), "{proof:?}");
    assert_eq!(windows.told(), ["posix", "probe look"]);
}

#[tokio::test]
async fn stops_reach_all_that_runs_and_are_proved() {
    let test = "stops_reach_all_that_runs_and_are_proved";
    let Some(windows) = Windows::start(test, CMD, "") else {
        return;
    };
    let ssh = windows.fleet.runner();
    for asked in [Signal::Term, Signal::Kill] {
        let line = "trap '' TERM; sleep 1000 & echo ready; wait";
        let mut job = Job::start(&dynamic(&ssh), windows.order(line));
        within(job.until_output("ready")).await;
        assert_eq!(alive(&job.run).len(), 2);
        job.signal(asked);
        let outcome = within(job.finish()).await;
        assert_eq!(outcome.ended, Ended::Exited(1));
        let proof = outcome.prove(&dynamic(&ssh), Duration::from_secs(1)).await;
        assert_eq!(proof, Proof::Gone);
        assert!(alive(&outcome.run).is_empty());
    }
}

#[tokio::test]
async fn a_lost_connection_ends_the_command() {
    let Some(windows) = Windows::start("a_lost_connection_ends_the_command", CMD, "") else {
        return;
    };
    let ssh = windows.fleet.runner();
    let line = "sleep 1000 & echo ready; wait";
    let mut job = Job::start(&dynamic(&ssh), windows.order(line));
    within(job.until_output("ready")).await;
    let run = Arc::clone(&job.run);
    drop(job);
    within(until("nothing of it is left", || alive(&run).is_empty())).await;
}

#[tokio::test]
async fn what_windows_has_not_is_refused_by_name() {
    let test = "what_windows_has_not_is_refused_by_name";
    let Some(windows) = Windows::start(test, GERMAN, GREETING) else {
        return;
    };
    let ssh = windows.fleet.runner();
    // Also by a host that is not known yet.
    let sudo = || windows.order_with(command("id"), ("sudo", "root"));
    let why = refused(&ssh, sudo()).await;
    assert!(why.contains("Windows") && why.contains("--sudo"), "{why}");
    let shell = windows.fleet.order(HOST, script("bash", "id\n"));
    let why = refused(&ssh, shell).await;
    assert!(why.contains("Windows") && why.contains("bash"), "{why}");
    let why = refused(&ssh, sudo()).await;
    assert!(why.contains("Windows") && why.contains("--sudo"), "{why}");
    let tty = windows.order_with(command("id"), ("tty", "80x24"));
    let why = refused(&ssh, tty).await;
    assert!(why.contains("Windows") && why.contains("--tty"), "{why}");
    assert!(!windows.told().contains(&"program".to_owned()));
    let mut job = Job::start(&dynamic(&ssh), windows.order("echo ready; exec sleep 1000"));
    within(job.until_output("ready")).await;
    match job.set_in_motion(&dynamic(&ssh), Motion::Suspend).await {
        Moved::Unknown(why) => assert!(why.contains("suspended"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// A script for sh, and what runs in its place on Windows.
fn query(text: &str, powershell: &str) -> Payload {
    Payload::Script {
        name: "q".into(),
        interpreter: "sh".into(),
        text: text.into(),
        powershell: Some(powershell.into()),
    }
}

#[tokio::test]
async fn each_host_of_a_job_runs_the_text_that_is_for_it() {
    let test = "each_host_of_a_job_runs_the_text_that_is_for_it";
    let (Some(windows), Some(unix)) = (Windows::start(test, CMD, ""), Fleet::start(test, ""))
    else {
        return;
    };
    let ssh = windows.fleet.runner();
    let payload = || query("echo unix $token.", "echo windows $token.; exit 3");
    // In no command line, no environment, and as it is, whatever quotes are in it.
    let secret = Secret::new("it's a 'secret'".to_owned());
    let given = |order: Order| Order {
        secrets: Arc::new([("token".to_owned(), secret.clone())]),
        ..order
    };
    let there = run(&ssh, given(windows.fleet.order(HOST, payload()))).await;
    assert_eq!(
        (there.text().as_str(), &there.ended),
        ("windows it's a 'secret'.\n", &Ended::Exited(3))
    );
    assert_eq!(windows.told(), ["posix", "program"]);
    let here = run(&ssh, given(unix.order(HOST, payload()))).await;
    assert_eq!(
        (here.text().as_str(), &here.ended),
        ("unix it's a 'secret'.\n", &Ended::Exited(0))
    );
    let plain = run(&ssh, windows.fleet.order(HOST, payload())).await;
    assert_eq!(plain.text(), "windows .\n");
}

/// The whole way of a compiled-in query but PowerShell itself, which is an answer in a file here.
#[tokio::test]
async fn the_bios_of_a_windows_host_becomes_a_row() {
    let test = "the_bios_of_a_windows_host_becomes_a_row";
    let Some(windows) = Windows::start(test, CMD, "") else {
        return;
    };
    let answer = r#"{"vendor":"Hewlett-Packard","version":"68CDD Ver. F.04","date":"2007-07-17","maker":"HP","model":"nc6320","serial":null}"#;
    let log = windows.notes.path().join("log");
    std::fs::write(log.with_extension("answer"), format!("{answer}\r\n")).expect("ours");
    let (queries, _) = queries::load(&SearchPath(Vec::new()));
    let bios = queries.iter().find(|query| query.name == "bios");
    let bios = bios.expect("it is compiled in");
    let order = windows
        .fleet
        .order(HOST, bios.payload(&[]).expect("no parameters"));
    let outcome = run(&windows.fleet.runner(), order).await;
    assert_eq!(outcome.ended, Ended::Exited(0), "{outcome:?}");
    let asked = std::fs::read_to_string(log.with_extension("asked")).expect("it was asked");
    assert!(asked.contains("Get-CimInstance -ClassName Win32_BIOS"));
    let shape = bios.shape.as_ref().expect("it has columns");
    let reading = Reading::new(shape).expect("it is sound");
    let parsed = reading.parse(&outcome.out, &[]).expect("rows");
    assert!(parsed.flaws.is_none(), "{}", parsed.flaws);
    let row = parsed.rows[0].iter().map(ToString::to_string);
    assert_eq!(
        row.collect::<Vec<_>>(),
        [
            "Hewlett-Packard",
            "68CDD Ver. F.04",
            "2007-07-17",
            "HP",
            "nc6320",
            ""
        ]
    );
}

#[tokio::test]
async fn a_host_without_powershell_is_tried_anew_each_time() {
    let test = "a_host_without_powershell_is_tried_anew_each_time";
    let Some(windows) = Windows::start(test, "deaf", GREETING) else {
        return;
    };
    let ssh = windows.fleet.runner();
    for _ in 0..2 {
        let why = refused(&ssh, windows.order("dir")).await;
        assert!(why.contains("'powershell' is not recognized"), "{why}");
        assert_eq!(windows.told(), ["posix"]);
    }
}

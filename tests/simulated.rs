//! The simulated computers against the SSH runner and the real `ssh`: they have to behave as real ones do, and to
//! misbehave when asked.

mod fleet;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use fleet::{Job, Outcome, command, script, sshd, within};
use regatta::config::queries::{self, SearchPath};
use regatta::core::reason::{Limit, Reason};
use regatta::core::spec::{Ended, Host, Inquiry, Motion, Moved, Payload, Proof, Signal};
use regatta::demo::fleet::Fleet;
use regatta::demo::place::Place;
use regatta::demo::server::{Config, Faults, Server, new_key};
use regatta::results::Reading;
use regatta::runner::ssh::Ssh;
use regatta::runner::{Order, Runner};
use tokio::process::Command;

/// A server, and all it takes to reach it.
struct Simulation {
    server: Server,
    place: Place,
    ssh: Arc<Ssh>,
}

impl Simulation {
    async fn start(faults: Faults) -> Self {
        let fleet = Arc::new(Fleet::new(24));
        let identity = new_key().expect("there is randomness");
        let config = Config {
            fleet: Arc::clone(&fleet),
            client_key: identity.public_key().clone(),
            faults,
        };
        let server = Server::start(config).await.expect("there is a free port");
        let place = Place::create().expect("a directory");
        place
            .furnish(&fleet, &server, &identity, 64)
            .expect("it can be written to");
        // No home: whatever is used is in the place.
        let ssh = Arc::new(Ssh::new(sshd::env(Path::new("/nonexistent"))));
        Self { server, place, ssh }
    }

    fn runner(&self) -> Arc<dyn Runner> {
        Arc::clone(&self.ssh) as Arc<dyn Runner>
    }

    fn order(&self, host: &str, payload: Payload) -> Order {
        let mut order = fleet::on(host, payload);
        order.host = Host {
            user: Some(host.to_owned()),
            ..Host::named(host)
        };
        let config = self.place.ssh_config().display().to_string();
        order.options = Arc::new([("ssh_config".to_owned(), config)]);
        order
    }

    fn job(&self, host: &str, payload: Payload) -> Job {
        Job::start(&self.runner(), self.order(host, payload))
    }

    async fn run(&self, host: &str, payload: Payload) -> Outcome {
        within(self.job(host, payload).finish()).await
    }

    async fn end(self) {
        self.ssh.close_all().await;
        within(self.server.stop()).await;
    }
}

#[tokio::test]
async fn commands_end_as_they_end() {
    let simulation = Simulation::start(Faults::None).await;
    let exited = Ended::Exited;
    let cases = [
        (command("true"), "", "", exited(0)),
        (command("exit 3"), "", "", exited(3)),
        (
            command("echo a; echo b >&2; false"),
            "a\n",
            "b\n",
            exited(1),
        ),
        (
            command("echo $REGATTA_HOST $REGATTA_JOB.$REGATTA_CHILD; hostname"),
            "web01 7.8\nweb01\n",
            "",
            exited(0),
        ),
        (
            command("lsblk"),
            "",
            "sh: lsblk: not found (this computer is simulated)\n",
            exited(127),
        ),
        (
            script("/bin/sh -e", "#!/bin/sh -e\n\necho one\necho two\n"),
            "one\ntwo\n",
            "",
            exited(0),
        ),
        (
            script("/usr/bin/python3", "print(1)"),
            "",
            "sh: python3: not found (this computer is simulated)\n",
            exited(127),
        ),
    ];
    for (payload, out, err, ended) in cases {
        let title = format!("{payload:?}");
        let outcome = simulation.run("web01", payload).await;
        assert_eq!(outcome.text(), out, "{title}");
        assert_eq!(String::from_utf8_lossy(&outcome.err), err, "{title}");
        assert_eq!(outcome.ended, ended, "{title}");
        assert!(outcome.pid.is_some(), "{title}");
        let proof = outcome.prove(&simulation.runner(), Duration::ZERO).await;
        assert_eq!(proof, Proof::Gone, "{title}");
    }
    simulation.end().await;
}

#[tokio::test]
async fn large_output_is_whole_and_a_reader_that_is_behind_is_waited_for() {
    let simulation = Simulation::start(Faults::None).await;
    let outcome = simulation.run("db1", command("seq 1 1000000")).await;
    let mut expected = String::new();
    for number in 1..=1_000_000 {
        writeln!(expected, "{number}").expect("a String takes everything");
    }
    assert!(
        outcome.text() == expected,
        "{} bytes came",
        outcome.out.len()
    );
    let mut job = simulation.job("db1", command("yes regatta"));
    within(job.until_output("regatta\n")).await;
    // Nobody reads now; TERM has to arrive all the same.
    job.signal(Signal::Term);
    assert_eq!(
        within(job.finish()).await.ended,
        Ended::Signaled("TERM".into())
    );
    simulation.end().await;
}

#[tokio::test]
async fn queries_are_answered_with_rows_or_refused_by_name() {
    let simulation = Simulation::start(Faults::None).await;
    let (queries, mistakes) = queries::load(&SearchPath(Vec::new()));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let fleet = Fleet::new(24);
    let hosts: Vec<&str> = (fleet.computers().iter())
        .map(|computer| computer.name())
        .collect();
    let mut refused = Vec::new();
    for query in &queries {
        let given: Vec<(String, String)> = match query.name.as_str() {
            "osquery" => vec![("sql".to_owned(), "select 1".to_owned())],
            _ => Vec::new(),
        };
        let payload = query.payload(&given).expect("nothing is missing");
        let mut said = BTreeSet::new();
        let runs = hosts
            .iter()
            .map(|host| simulation.run(host, payload.clone()));
        for outcome in join_all(runs).await {
            let complaint = String::from_utf8_lossy(&outcome.err);
            if outcome.ended == Ended::Exited(127) {
                let name = &query.name;
                let want = format!("the demo has no answer to the query {name}\n");
                assert_eq!((&*complaint, outcome.text().as_str()), (want.as_str(), ""));
                refused.push(name.as_str());
                continue;
            }
            assert_eq!(
                outcome.ended,
                Ended::Exited(0),
                "{}: {complaint}",
                query.name
            );
            let shape = query.shape.as_ref().expect("it has columns");
            let reading = Reading::new(shape).expect("it is sound");
            let parsed = reading.parse(&outcome.out, &[]).expect("rows");
            assert!(parsed.flaws.is_none(), "{}: {}", query.name, parsed.flaws);
            said.insert(outcome.out);
        }
        assert_ne!(said.len(), 1, "{} is the same everywhere", query.name);
    }
    refused.dedup();
    assert_eq!(
        refused.join(" "),
        "certificates containers cron interfaces kernel-messages logins mounts osquery routes ssh-keys"
    );
    simulation.end().await;
}

#[tokio::test]
async fn signals_on_the_lifeline_end_a_command() {
    let simulation = Simulation::start(Faults::None).await;
    for (line, signals, ended) in [
        ("echo ready; sleep 1000", vec![Signal::Term], "TERM"),
        ("echo ready; sleep 1000", vec![Signal::Kill], "KILL"),
        (
            "trap '' TERM; echo ready; sleep 1000",
            vec![Signal::Term, Signal::Kill],
            "KILL",
        ),
    ] {
        let mut job = simulation.job("web02", command(line));
        within(job.until_output("ready")).await;
        for signal in signals {
            job.signal(signal);
        }
        let outcome = within(job.finish()).await;
        assert_eq!(outcome.ended, Ended::Signaled(ended.into()), "{line}");
        let proof = outcome.prove(&simulation.runner(), Duration::ZERO).await;
        assert_eq!(proof, Proof::Gone, "{line}");
    }
    simulation.end().await;
}

#[tokio::test]
async fn commands_stand_still_go_on_and_become_somebody_else() {
    let simulation = Simulation::start(Faults::None).await;
    let runner = simulation.runner();
    let mut order = simulation.order("web02", command("echo ready; sleep 0.1; echo over"));
    let by_sudo = ("sudo".to_owned(), "root".to_owned());
    order.options = order.options.iter().cloned().chain([by_sudo]).collect();
    let mut job = Job::start(&runner, order);
    within(job.until_output("ready")).await;
    let moved = job.set_in_motion(&runner, Motion::Suspend).await;
    assert_eq!(moved, Moved::All);
    // It would be over by now.
    assert_eq!(
        job.set_in_motion(&runner, Motion::Suspend).await,
        Moved::All
    );
    let ended = tokio::time::timeout(Duration::from_millis(400), job.until_output("over")).await;
    assert!(ended.is_err(), "it stands still");
    assert_eq!(job.set_in_motion(&runner, Motion::Resume).await, Moved::All);
    let outcome = within(job.finish()).await;
    assert_eq!(
        (outcome.text().as_str(), outcome.ended),
        ("ready\nover\n", Ended::Exited(0))
    );
    simulation.end().await;
}

#[tokio::test]
async fn the_probe_tells_the_truth() {
    let simulation = Simulation::start(Faults::None).await;
    let runner = simulation.runner();
    // What lives in the group is killed, and is gone then.
    let order = simulation.order("web03", command("trap '' TERM; echo ready; sleep 1000"));
    let mut job = Job::start(&runner, order.clone());
    within(job.until_output("ready")).await;
    let trace = job.pid.map(|pid| regatta::core::spec::Trace { pid });
    let stranger = simulation.order("web03", command("true"));
    let proof = Arc::clone(&runner).prove(stranger, trace.clone(), end(Duration::ZERO));
    assert_eq!(within(proof).await, Proof::Gone, "it is not the stranger's");
    let proof = Arc::clone(&runner).prove(order, trace, end(Duration::ZERO));
    assert_eq!(within(proof).await, Proof::Gone);
    assert_eq!(
        within(job.finish()).await.ended,
        Ended::Signaled("KILL".into())
    );
    // What left the group is reported.
    let outcome = simulation
        .run("web03", command("setsid -f sleep 1000"))
        .await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    match outcome.prove(&runner, Duration::ZERO).await {
        Proof::Alive(pids) => assert!(!pids.contains(&outcome.pid.expect("it began")), "{pids:?}"),
        other => panic!("something is alive: {other:?}"),
    }
    simulation.end().await;
}

#[tokio::test]
async fn letting_go_ends_the_command() {
    let simulation = Simulation::start(Faults::None).await;
    let order = simulation.order("web04", command("echo ready; sleep 1000"));
    let mut job = Job::start(&simulation.runner(), order.clone());
    within(job.until_output("ready")).await;
    let trace = job.pid.map(|pid| regatta::core::spec::Trace { pid });
    drop(job);
    // Its grace is longer than a test may take: only the lifeline ends it in time.
    let proof = simulation
        .runner()
        .prove(order, trace, end(Duration::from_secs(600)));
    assert_eq!(within(proof).await, Proof::Gone);
    simulation.end().await;
}

#[tokio::test]
async fn a_connection_takes_ten_sessions() {
    let simulation = Simulation::start(Faults::None).await;
    let mut jobs = Vec::new();
    for _ in 0..25 {
        let mut job = simulation.job("gate", command("echo ready; sleep 1000"));
        within(job.until_output("ready")).await;
        jobs.push(job);
    }
    assert_eq!(simulation.ssh.connections(), 3);
    for job in jobs {
        job.signal(Signal::Term);
        assert_eq!(
            within(job.finish()).await.ended,
            Ended::Signaled("TERM".into())
        );
    }
    simulation.end().await;
}

#[tokio::test]
async fn only_the_fleet_is_there_and_only_the_key_opens_it() {
    let simulation = Simulation::start(Faults::None).await;
    let outcome = simulation.run("web99", command("true")).await;
    assert!(
        matches!(&outcome.ended, Ended::NotStarted(Reason::AuthFailed(_))),
        "{:?}",
        outcome.ended
    );
    let other = Simulation::start(Faults::None).await;
    let mut order = simulation.order("web01", command("true"));
    let config = simulation.place.ssh_config().display().to_string();
    let identity = other.place.path().join("id_ed25519");
    let options = [
        ("ssh_config", config),
        ("ssh_option", format!("IdentityFile={}", identity.display())),
    ];
    order.options = options.map(|(name, value)| (name.to_owned(), value)).into();
    let outcome = within(Job::start(&simulation.runner(), order.clone()).finish()).await;
    // ssh_config's own key is tried after the wrong one.
    assert_eq!(outcome.ended, Ended::Exited(0));
    std::fs::remove_file(simulation.place.path().join("id_ed25519")).expect("it was there");
    simulation.ssh.close_all().await;
    let fresh = Simulation {
        ssh: Arc::new(Ssh::new(sshd::env(Path::new("/nonexistent")))),
        ..simulation
    };
    let outcome = within(Job::start(&fresh.runner(), order).finish()).await;
    assert!(
        matches!(&outcome.ended, Ended::NotStarted(Reason::AuthFailed(_))),
        "{:?}",
        outcome.ended
    );
    fresh.end().await;
    other.end().await;
}

/// What a run against a server has to end with.
type Expected = fn(&Ended) -> bool;

#[tokio::test]
async fn servers_can_misbehave() {
    let cases: [(Faults, Expected, &str); 5] = [
        (
            Faults::SilentBeforeBanner,
            |ended| {
                matches!(
                    ended,
                    Ended::NotStarted(Reason::TimedOut {
                        what: Limit::Connect,
                        ..
                    })
                )
            },
            "",
        ),
        (
            Faults::NoBanner,
            |ended| matches!(ended, Ended::NotStarted(Reason::Protocol(said)) if said.contains("HTTP/1.0 400")),
            "",
        ),
        (
            Faults::ResetAfterKeyExchange,
            |ended| matches!(ended, Ended::NotStarted(reason) if reason.to_string().contains("reset")),
            "",
        ),
        (
            Faults::DropInMidCommand,
            |ended| matches!(ended, Ended::Lost(_)),
            "half of it\n",
        ),
        (
            Faults::ExecUnanswered,
            |ended| matches!(ended, Ended::NotStarted(Reason::Refused(said)) if said.contains("did not answer the request")),
            "",
        ),
    ];
    for (faults, expected, out) in cases {
        let simulation = Simulation::start(faults).await;
        let mut order = simulation.order("web05", command("echo half of it; sleep 1000"));
        order.connect_timeout = Duration::from_secs(4);
        let outcome = within(Job::start(&simulation.runner(), order).finish()).await;
        assert!(expected(&outcome.ended), "{faults:?}: {:?}", outcome.ended);
        assert_eq!(outcome.text(), out, "{faults:?}");
        assert_eq!(outcome.pid.is_some(), !out.is_empty(), "{faults:?}");
        simulation.end().await;
    }
}

#[tokio::test]
async fn a_server_can_leave_a_request_unanswered_until_it_ends() {
    let simulation = Simulation::start(Faults::ExecUnanswered).await;
    let mut job = simulation.job("web06", command("echo never"));
    let began = tokio::time::timeout(Duration::from_secs(1), job.until_began());
    assert!(began.await.is_err(), "nothing begins");
    within(simulation.server.stop()).await;
    let outcome = within(job.finish()).await;
    assert!(
        matches!(outcome.ended, Ended::Lost(_)),
        "{:?}",
        outcome.ended
    );
    assert_eq!((outcome.pid, outcome.out.len()), (None, 0));
    simulation.ssh.close_all().await;
}

#[tokio::test]
async fn stopping_the_server_cuts_what_is_open() {
    let simulation = Simulation::start(Faults::None).await;
    let mut jobs = Vec::new();
    for host in ["web01", "web02", "db1"] {
        // The talkative one is not read: its connection is stuck in a write.
        for line in ["echo ready; sleep 1000", "yes ready"] {
            let mut job = simulation.job(host, command(line));
            within(job.until_output("ready")).await;
            jobs.push(job);
        }
    }
    within(simulation.server.stop()).await;
    // All at once: a connection with a reader that is behind notices nothing.
    for outcome in within(join_all(jobs.into_iter().map(Job::finish))).await {
        assert!(
            matches!(outcome.ended, Ended::Lost(_)),
            "{:?}",
            outcome.ended
        );
    }
    simulation.ssh.close_all().await;
}

/// Runs the real `ssh`; nothing where there is none.
#[expect(clippy::print_stdout, reason = "a test that is left out has to say so")]
async fn real_ssh(
    simulation: &Simulation,
    login: &str,
    args: &[&str],
) -> Option<std::process::Output> {
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(simulation.place.ssh_config());
    ssh.args([
        "-o",
        "BatchMode=yes",
        "-o",
        "KexAlgorithms=curve25519-sha256",
        "-l",
        login,
        "simulated",
    ]);
    ssh.args(args)
        .stdin(Stdio::null())
        .env_remove("SSH_AUTH_SOCK")
        .kill_on_drop(true);
    match within(ssh.output()).await {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssh-client must be installed where CI is set"
            );
            println!("SKIPPED: ssh cannot be run: {error}");
            None
        }
    }
}

#[tokio::test]
async fn the_real_ssh_gets_answers_too() {
    let simulation = Simulation::start(Faults::None).await;
    let cases: [(&[&str], &str, &str, i32); 5] = [
        (&["hostname; echo a >&2; exit 7"], "db2\n", "a\n", 7),
        (
            &["sleep 0.1 && echo \"$HOSTNAME\" is up"],
            "db2 is up\n",
            "",
            0,
        ),
        (&["seq 1 3"], "1\n2\n3\n", "", 0),
        (
            &["vi"],
            "",
            "sh: vi: not found (this computer is simulated)\n",
            127,
        ),
        (
            &[],
            "",
            "this computer is simulated and has no terminal; give it a command\r\n",
            1,
        ),
    ];
    for (args, out, err, code) in cases {
        let Some(output) = real_ssh(&simulation, "db2", args).await else {
            break;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), out, "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).ends_with(err),
            "{args:?}: {output:?}"
        );
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
    simulation.end().await;
}

fn end(grace: Duration) -> Inquiry {
    Inquiry::End { grace }
}

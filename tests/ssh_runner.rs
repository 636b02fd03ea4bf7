//! The SSH runner against a real OpenSSH server: what must work, and everything that goes wrong on a fleet.

mod fleet;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::{self, Fleet};
use fleet::{Job, Outcome, alive, command, script, until, within};
use regatta::core::reason::{Limit, Reason};
use regatta::core::spec::{Ended, Motion, Moved, Proof, Signal};
use regatta::runner::ssh::{Keep, Ssh};
use regatta::runner::{Order, Runner};
use rustix::process::Signal as Sig;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

const HOST: &str = "127.1.0.1";

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

/// Why a command could not be started.
async fn not_started(ssh: &Arc<Ssh>, order: Order) -> Reason {
    match run(ssh, order).await.ended {
        Ended::NotStarted(reason) => reason,
        other => panic!("it should not start: {other:?}"),
    }
}

#[tokio::test]
async fn commands_end_as_they_end() {
    let Some(fleet) = Fleet::start("commands_end_as_they_end", "") else {
        return;
    };
    let ssh = fleet.runner();
    let cases = [
        ("true", Ended::Exited(0)),
        ("exit 3", Ended::Exited(3)),
        ("exit 255", Ended::Exited(255)),
        ("exit 139", Ended::Exited(139)),
        ("no-such-command-here", Ended::Exited(127)),
        ("kill -SEGV $$", Ended::Signaled("SEGV".into())),
        ("kill -KILL $$", Ended::Signaled("KILL".into())),
    ];
    for (line, ended) in cases {
        let outcome = run(&ssh, fleet.order(HOST, command(line))).await;
        assert_eq!(outcome.ended, ended, "{line}");
        assert!(outcome.pid.is_some(), "{line}");
        assert_eq!(
            outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
            Proof::Gone,
            "{line}"
        );
    }
    assert_eq!(ssh.connections(), 1, "all of them shared one connection");
}

#[tokio::test]
async fn output_arrives_as_it_was_written() {
    let Some(fleet) = Fleet::start("output_arrives_as_it_was_written", "") else {
        return;
    };
    let ssh = fleet.runner();
    let outcome = run(
        &ssh,
        fleet.order(HOST, command("echo out; echo err >&2; printf 'tail'")),
    )
    .await;
    assert_eq!(
        (&*outcome.out, &*outcome.err),
        (&b"out\ntail"[..], &b"err\n"[..])
    );
    let outcome = run(
        &ssh,
        fleet.order(HOST, command("head -c 10000000 /dev/zero | tr '\\0' x")),
    )
    .await;
    assert_eq!(outcome.out.len(), 10_000_000);
    assert!(
        outcome.out.iter().all(|byte| *byte == b'x'),
        "one long line"
    );
    let bytes = "python3 -c 'import os; os.write(1, bytes(range(256)) * 100)'";
    let outcome = run(&ssh, fleet.order(HOST, command(bytes))).await;
    assert_eq!(outcome.out, (0..=255).collect::<Vec<u8>>().repeat(100));
    let sets = "echo $REGATTA_HOST $REGATTA_JOB $REGATTA_CHILD; cat";
    assert_eq!(
        run(&ssh, fleet.order(HOST, command(sets))).await.text(),
        "127.1.0.1 7 8\n"
    );
}

#[tokio::test]
async fn scripts_travel_whole() {
    let Some(fleet) = Fleet::start("scripts_travel_whole", "") else {
        return;
    };
    let ssh = fleet.runner();
    let long = format!(
        "{}echo done; exit 9",
        "# a line that fills the script\n".repeat(20_000)
    );
    let cases = [
        ("sh", "echo \"$0\"; exit 4", "sh\n", 4),
        (
            "/bin/bash -e",
            "[[ a == a ]] && echo 'it is'\nfalse\n",
            "it is\n",
            1,
        ),
        ("/usr/bin/env python3", "print('\\\\ \"')\n", "\\ \"\n", 0),
        ("sh", &long, "done\n", 9),
    ];
    for (interpreter, text, out, code) in cases {
        let outcome = run(&ssh, fleet.order(HOST, script(interpreter, text))).await;
        assert_eq!(
            (outcome.text().as_str(), outcome.ended),
            (out, Ended::Exited(code)),
            "{interpreter}"
        );
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_says_why() {
    let Some(fleet) = Fleet::start("a_server_that_cannot_be_reached_says_why", "") else {
        return;
    };
    let ssh = fleet.runner();
    let elsewhere = |port: u16| {
        let mut order = fleet.order(HOST, command("true"));
        order.host.port = Some(port);
        order
    };
    let in_a_hurry = |port: u16| {
        let mut order = elsewhere(port);
        order.connect_timeout = Duration::from_millis(700);
        order
    };
    let refused = not_started(&ssh, elsewhere(sshd::free_port())).await;
    let why = "connection refused (tried twice)";
    assert_eq!(refused, Reason::Unreachable(why.into()));

    let order = fleet.order("no-such-host.invalid", command("true"));
    match not_started(&ssh, order).await {
        Reason::Unreachable(why) => assert!(why.contains("no-such-host.invalid"), "{why}"),
        other => panic!("{other:?}"),
    }

    // A full backlog: nobody takes the connection, and no answer comes.
    let full = rustix_listener();
    let port = full.local_addr().expect("it is bound").port();
    let fill: Vec<_> = (0..4).map(|_| connect_without_waiting(port)).collect();
    timed_out(&not_started(&ssh, in_a_hurry(port)).await);
    drop((full, fill));

    // Takes the connection and says nothing.
    let silent = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
    timed_out(
        &not_started(
            &ssh,
            in_a_hurry(silent.local_addr().expect("it is bound").port()),
        )
        .await,
    );

    let says: [(&[u8], &str); 3] = [
        (
            b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x16", "it says"),
        (b"SSH-1.5-old\r\n", "SSH"),
    ];
    for (words, part) in says {
        let port = server_that_says(words).await;
        match not_started(&ssh, elsewhere(port)).await {
            Reason::Protocol(why) => assert!(why.contains(part), "{why}"),
            // An SSH 1 server may still be waited for.
            other => assert!(words.starts_with(b"SSH"), "{words:?}: {other:?}"),
        }
    }
    match not_started(&ssh, elsewhere(server_that_says(b"").await)).await {
        Reason::Unreachable(why) => assert!(why.contains("during the handshake"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(ssh.connections(), 0);
}

fn timed_out(reason: &Reason) {
    match reason {
        Reason::TimedOut {
            what: Limit::Connect,
            after,
            ..
        } => assert_eq!(*after, Duration::from_millis(700)),
        other => panic!("{other:?}"),
    }
}

/// A listener that keeps one connection waiting and takes none.
fn rustix_listener() -> TcpListener {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(
        &listener,
        &std::net::SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
    )
    .expect("a port");
    listen(&listener, 0).expect("it is bound");
    TcpListener::from(listener)
}

fn connect_without_waiting(port: u16) -> Option<TcpStream> {
    TcpStream::connect_timeout(
        &(Ipv4Addr::LOCALHOST, port).into(),
        Duration::from_millis(50),
    )
    .ok()
}

/// A server that says something to everyone and hangs up.
async fn server_that_says(words: &'static [u8]) -> u16 {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn a_host_key_must_be_the_known_one() {
    let Some(fleet) = Fleet::start("a_host_key_must_be_the_known_one", "") else {
        return;
    };
    let ssh = fleet.runner();
    let none = format!("UserKnownHostsFile={}", fleet.path("nothing").display());
    // Nobody may be asked.
    for strict in ["yes", "ask"] {
        let strict = format!("StrictHostKeyChecking={strict}");
        match not_started(
            &ssh,
            fleet.order_with(HOST, command("true"), &[&none, &strict]),
        )
        .await
        {
            Reason::HostKeyUnknown(what) => assert!(what.starts_with("ED25519 SHA256:"), "{what}"),
            other => panic!("{strict}: {other:?}"),
        }
    }
    // Another key: that of the client will do.
    let other = std::fs::read_to_string(fleet.path("id_ed25519.pub")).expect("the fleet made it");
    let changed = fleet.path("changed");
    std::fs::write(
        &changed,
        format!("# a comment\n[127.*]:{} {other}", fleet.port),
    )
    .expect("a directory of our own");
    let option = format!("UserKnownHostsFile={}", changed.display());
    match not_started(&ssh, fleet.order_with(HOST, command("true"), &[&option])).await {
        Reason::HostKeyChanged(what) => {
            assert!(
                what.contains(&format!("{}:2", changed.display())) && what.contains("SHA256:"),
                "{what}"
            );
        }
        other => panic!("{other:?}"),
    }
    // The files are read again when they change, and an alias is what is looked up.
    let host_key =
        std::fs::read_to_string(fleet.path("host_ed25519.pub")).expect("the fleet made it");
    std::fs::write(&changed, format!("cluster {host_key}")).expect("a directory of our own");
    let again = async {
        loop {
            let order = fleet.order_with(HOST, command("true"), &[&option, "HostKeyAlias=cluster"]);
            if run(&ssh, order).await.ended == Ended::Exited(0) {
                break;
            }
        }
    };
    within(again).await;
}

#[tokio::test]
async fn a_failed_login_says_what_was_tried() {
    let Some(fleet) = Fleet::start("a_failed_login_says_what_was_tried", "") else {
        return;
    };
    let ssh = fleet.runner();
    for (name, passphrase) in [("wrong", ""), ("locked", "secret")] {
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
            .arg(fleet.path(name))
            .status();
        assert!(made.expect("ssh-keygen is installed").success());
    }
    let config = |keys: &[&str]| {
        let files: Vec<_> = keys
            .iter()
            .map(|key| format!("IdentityFile {}", fleet.path(key).display()))
            .collect();
        let files = files.join(
            "
",
        );
        let text = format!(
            "Port {}\nUserKnownHostsFile {}\nIdentitiesOnly yes\n{files}",
            fleet.port,
            fleet.path("known_hosts").display()
        );
        let path = fleet.path(&format!("config-{}", keys.join("-")));
        std::fs::write(&path, text).expect("a directory of our own");
        let mut order = fleet::on(HOST, command("true"));
        order.options = Arc::new([("ssh_config".to_owned(), path.display().to_string())]);
        order
    };
    match not_started(&ssh, config(&["wrong", "locked"])).await {
        Reason::AuthFailed(tried) => {
            assert!(
                tried.starts_with("publickey (1 key tried); the server takes publickey"),
                "{tried}"
            );
            assert!(tried.contains("locked: it is encrypted"), "{tried}");
        }
        other => panic!("{other:?}"),
    }
    match not_started(&ssh, config(&["missing"])).await {
        Reason::AuthFailed(tried) => assert!(
            tried.starts_with("no key to try; the server takes"),
            "{tried}"
        ),
        other => panic!("{other:?}"),
    }
    let outcome = run(&ssh, config(&["wrong", "id_ed25519"])).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
}

#[tokio::test]
async fn the_agent_logs_in() {
    let Some(fleet) = Fleet::start("the_agent_logs_in", "") else {
        return;
    };
    let socket = fleet.path("agent");
    let mut agent = tokio::process::Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("ssh-agent is installed");
    within(until("the agent listens", || socket.exists())).await;
    let add = |key: &str| {
        let added = std::process::Command::new("ssh-add")
            .arg("-q")
            .arg(fleet.path(key))
            .env("SSH_AUTH_SOCK", &socket)
            .status();
        assert!(added.expect("ssh-add is installed").success());
    };
    std::fs::copy(fleet.path("id_ed25519"), fleet.path("elsewhere")).expect("the fleet made it");
    let order = || {
        let mut order = fleet.order_with(HOST, command("true"), &[]);
        let config = fleet.path("agent-config");
        let text = format!(
            "Port {}\nUserKnownHostsFile {}\n",
            fleet.port,
            fleet.path("known_hosts").display()
        );
        std::fs::write(&config, text).expect("a directory of our own");
        order.options = Arc::new([
            ("ssh_config".to_owned(), config.display().to_string()),
            ("agent".to_owned(), socket.display().to_string()),
        ]);
        order
    };
    let ssh = fleet.runner();
    assert!(
        matches!(not_started(&ssh, order()).await, Reason::AuthFailed(_)),
        "the agent is empty"
    );
    add("elsewhere");
    assert_eq!(run(&ssh, order()).await.ended, Ended::Exited(0));
    agent.kill().await.expect("it is our child");
    match not_started(&fleet.runner(), order()).await {
        Reason::AuthFailed(tried) => assert!(tried.contains("no agent at"), "{tried}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn options_nobody_knows_are_refused() {
    let Some(fleet) = Fleet::start("options_nobody_knows_are_refused", "") else {
        return;
    };
    let ssh = fleet.runner();
    for (name, value) in [
        ("ssh_option", "Bogus=1"),
        ("speed", "9"),
        ("ssh_config", "/no/such/file"),
    ] {
        let mut order = fleet.order(HOST, command("true"));
        order.options = Arc::new([(name.to_owned(), value.to_owned())]);
        assert!(
            matches!(not_started(&ssh, order).await, Reason::BadSettings(_)),
            "{name}"
        );
    }
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

async fn stops_are_proved(ssh: &Arc<Ssh>, order: impl Fn(&str) -> Order) {
    let runner = dynamic(ssh);
    for (what, line) in STUBBORN {
        let mut job = Job::start(&runner, order(line));
        within(job.until_output("ready")).await;
        job.signal(Signal::Term);
        let stubborn = what.contains("ignores");
        if !stubborn {
            within(until(what, || alive(&job.run).is_empty())).await;
        }
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
        within(no_watcher(&outcome)).await;
    }
    let escapes = "setsid sleep 1000 >/dev/null 2>&1 & echo ready; sleep 1000";
    let mut job = Job::start(&runner, order(escapes));
    within(job.until_output("ready")).await;
    let escaped = |pid: &u32| fleet::leads_session(*pid) && Some(*pid) != job.pid;
    within(until("it has escaped", || {
        alive(&job.run).iter().any(escaped)
    }))
    .await;
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
    let proof = outcome.prove(&runner, Duration::from_millis(100)).await;
    let left = alive(&outcome.run);
    assert_eq!(left.len(), 1);
    fleet::kill(left[0]);
    assert_eq!(
        proof,
        Proof::Alive(left),
        "what left the session is reported"
    );
}

#[tokio::test]
async fn a_stop_ends_everything_and_is_proved() {
    let Some(fleet) = Fleet::start("a_stop_ends_everything_and_is_proved", "") else {
        return;
    };
    stops_are_proved(&fleet.runner(), |line| fleet.order(HOST, command(line))).await;
}

#[tokio::test]
async fn a_stop_as_another_user_ends_everything_too() {
    let Some(fleet) = Fleet::start_with_other("a_stop_as_another_user_ends_everything_too", "")
    else {
        return;
    };
    let Some(login) = &fleet.other else { return };
    stops_are_proved(&fleet.runner(), |line| {
        fleet.order_as(&login.name, command(line))
    })
    .await;
}

#[tokio::test]
async fn stopping_while_connecting_runs_nothing() {
    let Some(fleet) = Fleet::start("stopping_while_connecting_runs_nothing", "") else {
        return;
    };
    let ssh = fleet.runner();
    let silent = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
    let mut order = fleet.order(HOST, command("true"));
    order.host.port = Some(silent.local_addr().expect("it is bound").port());
    let job = Job::start(&dynamic(&ssh), order);
    let (taken, _) = within(tokio::task::spawn_blocking(move || silent.accept()))
        .await
        .expect("no panic")
        .expect("it connects");
    job.signal(Signal::Term);
    let outcome = within(job.finish()).await;
    assert_eq!((outcome.ended, outcome.pid), (Ended::Aborted, None));
    // And the server sees the end of it, although it never said a word.
    let closed =
        tokio::task::spawn_blocking(move || std::io::copy(&mut &taken, &mut std::io::sink()));
    let _ = within(closed).await.expect("no panic");

    let job = Job::start(&dynamic(&ssh), fleet.order(HOST, command("true")));
    job.signal(Signal::Term);
    assert_eq!(
        within(job.finish()).await.ended,
        Ended::Aborted,
        "before it was even asked for"
    );
}

/// Whatever it is made of: all of it stands still but what watches it.
#[tokio::test]
async fn what_is_suspended_stands_still_goes_on_and_ends_with_its_lifeline() {
    let test = "what_is_suspended_stands_still_goes_on_and_ends_with_its_lifeline";
    let Some(fleet) = Fleet::start(test, "") else {
        return;
    };
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    let lines = [
        "echo ready; exec sleep 1000",
        "(sleep 1000 | cat) & echo ready; wait",
        "trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.1; done",
        "exec bash -c 'set -m; sleep 1000 & echo ready; wait'",
    ];
    for line in lines {
        let mut job = Job::start(&runner, fleet.order(HOST, command(line)));
        within(job.until_output("ready")).await;
        for _ in 0..2 {
            let moved = job.set_in_motion(&runner, Motion::Suspend).await;
            assert_eq!(moved, Moved::All, "{line}");
            assert_eq!(fleet::states(&job.run), BTreeSet::from(['T']), "{line}");
            let moved = job.set_in_motion(&runner, Motion::Resume).await;
            assert_eq!(moved, Moved::All, "{line}");
            assert!(!fleet::states(&job.run).contains(&'T'), "{line}");
        }
        job.set_in_motion(&runner, Motion::Suspend).await;
        // What is told to end has to see it, and so goes on.
        job.signal(Signal::Term);
        let outcome = within(job.finish()).await;
        let said = outcome.text().contains("bye");
        let wanted = if line.contains("trap") {
            (Ended::Exited(4), true)
        } else {
            (Ended::Signaled("TERM".into()), false)
        };
        assert_eq!((outcome.ended.clone(), said), wanted, "{line}");
        let proof = outcome.prove(&runner, Duration::from_secs(5)).await;
        assert_eq!(proof, Proof::Gone, "{line}");
        // Nobody watches any more: its lifeline ends it, suspended or not.
        let mut job = Job::start(&runner, fleet.order(HOST, command(line)));
        within(job.until_output("ready")).await;
        job.set_in_motion(&runner, Motion::Suspend).await;
        let run = Arc::clone(&job.run);
        drop(job);
        within(until(line, || alive(&run).is_empty())).await;
    }
}

#[tokio::test]
async fn letting_go_ends_the_command() {
    let Some(fleet) = Fleet::start("letting_go_ends_the_command", "") else {
        return;
    };
    let ssh = fleet.runner();
    for (what, line) in STUBBORN {
        let mut job = Job::start(&dynamic(&ssh), fleet.order(HOST, command(line)));
        within(job.until_output("ready")).await;
        let run = job.run.clone();
        drop(job);
        within(until(what, || alive(&run).is_empty())).await;
    }
    // The connection is still good for others.
    assert_eq!(
        run(&ssh, fleet.order(HOST, command("true"))).await.ended,
        Ended::Exited(0)
    );
    assert_eq!(ssh.connections(), 1);
    // Closing everything ends the command as well.
    let mut job = Job::start(&dynamic(&ssh), fleet.order(HOST, command(STUBBORN[2].1)));
    within(job.until_output("ready")).await;
    within(ssh.close_all()).await;
    let outcome = within(job.finish()).await;
    assert!(
        matches!(outcome.ended, Ended::Lost(_)),
        "{:?}",
        outcome.ended
    );
    within(until("nobody watches it", || {
        alive(&outcome.run).is_empty()
    }))
    .await;
    assert_eq!(ssh.connections(), 0);
}

#[tokio::test]
async fn a_server_that_dies_leaves_nothing_running() {
    let Some(fleet) = Fleet::start("a_server_that_dies_leaves_nothing_running", "") else {
        return;
    };
    let ssh = fleet.runner();
    let mut job = Job::start(
        &dynamic(&ssh),
        fleet.order(
            HOST,
            command("echo ready; trap '' TERM; while :; do sleep 0.2; done"),
        ),
    );
    within(job.until_output("ready")).await;
    let server = fleet::stat(job.pid.expect("it began"))
        .expect("it runs")
        .parent;
    fleet::kill(server);
    let outcome = within(job.finish()).await;
    match &outcome.ended {
        Ended::Lost(why) => assert!(why.contains("closed") || why.contains("reset"), "{why}"),
        other => panic!("{other:?}"),
    }
    // The probe goes over a new connection.
    assert_eq!(
        outcome.prove(&dynamic(&ssh), Duration::from_secs(3)).await,
        Proof::Gone
    );
    assert_eq!(alive(&outcome.run), Vec::<u32>::new());
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    let Some(fleet) = Fleet::start("a_server_that_falls_silent_is_noticed", "") else {
        return;
    };
    let ssh = fleet.runner();
    let order = fleet.order_with(
        HOST,
        command("echo ready; exec sleep 1000"),
        &["ServerAliveInterval=1", "ServerAliveCountMax=4"],
    );
    let mut job = Job::start(&dynamic(&ssh), order);
    within(job.until_output("ready")).await;
    let server = fleet::stat(job.pid.expect("it began"))
        .expect("it runs")
        .parent;
    let stopped = Instant::now();
    fleet::signal_process(server, Sig::STOP);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Lost("no answer for 4s".into()));
    assert!(
        stopped.elapsed() < Duration::from_secs(20),
        "{:?}",
        stopped.elapsed()
    );
    // The server never noticed, so its end of the lifeline is still open: the probe ends the command.
    assert_eq!(alive(&outcome.run).len(), 1);
    assert_eq!(
        outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
        Proof::Gone
    );
    fleet::kill(server);
}

#[tokio::test]
async fn what_was_left_behind_on_purpose_stays() {
    let Some(fleet) = Fleet::start("what_was_left_behind_on_purpose_stays", "") else {
        return;
    };
    let ssh = fleet.runner();
    let outcome = run(
        &ssh,
        fleet.order(
            HOST,
            command("nohup sleep 1000 >/dev/null 2>&1 & echo left"),
        ),
    )
    .await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("left\n", &Ended::Exited(0))
    );
    assert_eq!(alive(&outcome.run).len(), 1);
    within(no_watcher(&outcome)).await;
    assert_eq!(
        outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
        Proof::Gone,
        "a stop ends it all the same"
    );
}

#[tokio::test]
async fn what_holds_the_output_open_can_still_be_stopped() {
    let Some(fleet) = Fleet::start("what_holds_the_output_open_can_still_be_stopped", "") else {
        return;
    };
    let ssh = fleet.runner();
    for (line, last) in [
        ("sleep 1000 & echo ready", Signal::Term),
        (
            "(trap '' TERM; while :; do sleep 0.2; done) & echo ready",
            Signal::Kill,
        ),
    ] {
        let mut job = Job::start(&dynamic(&ssh), fleet.order(HOST, command(line)));
        within(job.until_output("ready")).await;
        let leader = job.pid.expect("it began");
        within(until("the command has ended", || {
            fleet::stat(leader).is_none()
        }))
        .await;
        job.signal(Signal::Term);
        job.signal(last);
        let outcome = within(job.finish()).await;
        assert_eq!(outcome.ended, Ended::Exited(0), "{line}");
        assert_eq!(
            outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
            Proof::Gone,
            "{line}"
        );
    }
}

#[tokio::test]
async fn more_channels_than_the_server_allows_need_more_connections() {
    let Some(fleet) = Fleet::start(
        "more_channels_than_the_server_allows_need_more_connections",
        "MaxSessions 2",
    ) else {
        return;
    };
    let ssh = fleet.runner();
    let gate = fleet.path("gate");
    let line = format!(
        "until [ -e {} ]; do sleep 0.05; done; echo through",
        gate.display()
    );
    let mut jobs: Vec<_> = (0..5)
        .map(|_| Job::start(&dynamic(&ssh), fleet.order(HOST, command(&line))))
        .collect();
    for job in &mut jobs {
        within(job.until_began()).await;
    }
    assert_eq!(ssh.connections(), 3, "two on each");
    std::fs::write(&gate, "").expect("a directory of our own");
    for job in jobs {
        let outcome = within(job.finish()).await;
        assert_eq!(
            (outcome.text().as_str(), outcome.ended),
            ("through\n", Ended::Exited(0))
        );
    }
    let none = Fleet::start("no sessions at all", "MaxSessions 0").expect("the first one started");
    assert!(matches!(
        not_started(&none.runner(), none.order(HOST, command("true"))).await,
        Reason::Refused(_)
    ));
}

#[tokio::test]
async fn nothing_is_lost_where_keys_are_exchanged_every_megabyte_both_ways() {
    let test = "nothing_is_lost_where_keys_are_exchanged_every_megabyte_both_ways";
    let Some(fleet) = Fleet::start(test, "RekeyLimit 1M") else {
        return;
    };
    // As large as a script may be, and what it is to be known by.
    let text: String = (0..500_000).map(|n| format!("{:07x}\n", n * 37)).collect();
    let file = fleet.path("script");
    std::fs::write(&file, &text).expect("a directory of our own");
    let counted = std::process::Command::new("cksum")
        .stdin(std::fs::File::open(&file).expect("just written"))
        .output()
        .expect("cksum is installed");
    let numbers = 6_500_000;
    let script = script(&format!("sh -c 'seq {numbers}; cksum'"), &text);
    let ssh = fleet.runner();
    let outcome = run(&ssh, fleet.order_with(HOST, script, &["RekeyLimit=1M"])).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    let text = outcome.text();
    let counted = String::from_utf8_lossy(&counted.stdout);
    let written = text.strip_suffix(&*counted).expect("the script is whole");
    assert!(written.len() > 50_000_000, "{}", written.len());
    let mut lines = written.lines();
    let intact = (1..=numbers).all(|number| lines.next() == Some(&number.to_string()));
    assert!(intact && lines.next().is_none());
}

#[tokio::test]
async fn connections_are_shared_and_replaced() {
    let Some(fleet) = Fleet::start("connections_are_shared_and_replaced", "") else {
        return;
    };
    let ssh = fleet.runner();
    // Asked for at once: one connects, the others wait for it.
    let jobs: Vec<_> = (0..6)
        .map(|_| {
            Job::start(
                &dynamic(&ssh),
                fleet.order(HOST, command("echo $SSH_CONNECTION")),
            )
        })
        .collect();
    let mut ports = std::collections::BTreeSet::new();
    for job in jobs {
        ports.insert(within(job.finish()).await.text());
    }
    assert_eq!((ports.len(), ssh.connections()), (1, 1), "{ports:?}");
    // Another host, another user's settings: another connection.
    run(&ssh, fleet.order("127.1.0.2", command("true"))).await;
    run(
        &ssh,
        fleet.order_with(HOST, command("true"), &["ServerAliveInterval=7"]),
    )
    .await;
    assert_eq!(ssh.connections(), 3);
    // One that died while nobody used it is replaced.
    let server = run(&ssh, fleet.order(HOST, command("echo $PPID")))
        .await
        .text();
    fleet::kill(server.trim().parse().expect("a process id"));
    let outcome = run(&ssh, fleet.order(HOST, command("echo $SSH_CONNECTION"))).await;
    assert_eq!(outcome.ended, Ended::Exited(0));
    assert!(!ports.contains(&outcome.text()), "a new connection");
}

#[tokio::test]
async fn a_reader_that_is_behind_stops_nobody_else() {
    let Some(fleet) = Fleet::start("a_reader_that_is_behind_stops_nobody_else", "") else {
        return;
    };
    let ssh = fleet.runner();
    let runner = dynamic(&ssh);
    // On the same connection: one floods and is not read, the other runs.
    let mut sibling = Job::start(
        &runner,
        fleet.order(
            HOST,
            command("trap 'sleep 0.4; exit 7' TERM; echo ready; while :; do sleep 0.1; done"),
        ),
    );
    within(sibling.until_output("ready")).await;
    let mut flood = Job::start(&runner, fleet.order(HOST, command("cat /dev/zero")));
    within(flood.until_began()).await;
    assert_eq!(ssh.connections(), 1);
    // Nobody reads: the connection waits.  Then the flood cannot write any more, either, for as long as can be seen.
    within(until("its reader is behind", || ssh.stalled() == 1)).await;
    let pid = flood.pid.expect("it began");
    let (mut before, mut unchanged) = (None, 0);
    let stuck = until("the flood is stuck", || {
        let written = fleet::written(pid);
        unchanged = if written == before { unchanged + 1 } else { 0 };
        before = written;
        unchanged > 25
    });
    within(stuck).await;
    assert_eq!(ssh.stalled(), 1);
    // New work for the host gets another connection.
    let outcome = run(&ssh, fleet.order(HOST, command("true"))).await;
    assert_eq!((outcome.ended, ssh.connections()), (Ended::Exited(0), 2));
    // The sibling can be stopped all the same, although it takes its time, and so can the flood, unread.
    sibling.signal(Signal::Term);
    let outcome = within(sibling.finish()).await;
    assert_eq!(outcome.ended, Ended::Exited(7));
    flood.signal(Signal::Term);
    let run = flood.run.clone();
    within(until("the flood has dried up", || alive(&run).is_empty())).await;
    let outcome = within(flood.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".into()));
    assert!(outcome.out.iter().all(|byte| *byte == 0));
}

#[tokio::test]
async fn a_login_without_a_shell_says_so() {
    let Some(fleet) = Fleet::start(
        "a_login_without_a_shell_says_so",
        "ForceCommand echo not here; exit 1",
    ) else {
        return;
    };
    let ssh = fleet.runner();
    let outcome = run(&ssh, fleet.order(HOST, command("true"))).await;
    assert_eq!((outcome.text().as_str(), outcome.pid), ("not here\n", None));
    let Ended::NotStarted(Reason::Refused(why)) = &outcome.ended else {
        panic!("{:?}", outcome.ended);
    };
    assert!(
        why.contains("something else") && why.ends_with("exit 1"),
        "{why}"
    );
    assert!(matches!(
        outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
        Proof::Unknown(_)
    ));
}

/// Also where PowerShell does not start the command either.
#[tokio::test]
async fn a_login_shell_of_windows_is_named() {
    let says = "'exec' is not recognized as an internal or external command,";
    let forced = format!("ForceCommand echo \"{says}\" >&2; exit 1");
    let Some(fleet) = Fleet::start("a_login_shell_of_windows_is_named", &forced) else {
        return;
    };
    let ssh = fleet.runner();
    match not_started(&ssh, fleet.order(HOST, command("dir"))).await {
        Reason::Refused(why) => assert!(why.contains("one of Windows"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_children_that_reach_a_host_at_once_all_run() {
    let Some(fleet) = Fleet::start("many_children_that_reach_a_host_at_once_all_run", "") else {
        return;
    };
    let ssh = fleet.runner();
    let runs = (0..45).map(|_| run(&ssh, fleet.order(HOST, command("sleep 0.5; echo here"))));
    for outcome in futures_util::future::join_all(runs).await {
        assert_eq!(
            (outcome.text().as_str(), &outcome.ended),
            ("here\n", &Ended::Exited(0))
        );
    }
}

#[tokio::test]
async fn what_a_profile_prints_comes_first() {
    let extra = "ForceCommand echo Welcome; eval \"$SSH_ORIGINAL_COMMAND\"";
    let Some(fleet) = Fleet::start("what_a_profile_prints_comes_first", extra) else {
        return;
    };
    let ssh = fleet.runner();
    let outcome = run(&ssh, fleet.order(HOST, command("echo hello; exit 2"))).await;
    assert_eq!(
        (outcome.text().as_str(), &outcome.ended),
        ("Welcome\nhello\n", &Ended::Exited(2))
    );
    assert!(outcome.pid.is_some());
    assert_eq!(
        outcome.prove(&dynamic(&ssh), Duration::ZERO).await,
        Proof::Gone
    );
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let Some(fleet) = Fleet::start("idle_connections_are_closed", "") else {
        return;
    };
    let keep = Keep {
        idle: Duration::from_millis(400),
        most: 2,
    };
    let ssh = fleet.runner_keeping(keep);
    let gate = fleet.path("gate");
    let line = format!("until [ -e {} ]; do sleep 0.05; done", gate.display());
    let mut busy = Job::start(&dynamic(&ssh), fleet.order("127.1.0.9", command(&line)));
    within(busy.until_began()).await;
    for host in ["127.1.0.1", "127.1.0.2", "127.1.0.3", "127.1.0.4"] {
        run(&ssh, fleet.order(host, command("true"))).await;
        assert!(ssh.connections() <= 3, "two idle ones and the busy one");
    }
    within(until("only the busy one is left", || {
        ssh.connections() == 1
    }))
    .await;
    std::fs::write(&gate, "").expect("a directory of our own");
    assert_eq!(within(busy.finish()).await.ended, Ended::Exited(0));
    within(until("nothing is left", || ssh.connections() == 0)).await;
}

/// Comes when the outcome's watcher has gone.
async fn no_watcher(outcome: &Outcome) {
    let leader = outcome.pid.expect("it began");
    until("its watcher has gone", || {
        fleet::watchers(leader).is_empty()
    })
    .await;
}

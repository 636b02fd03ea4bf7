//! The SSH runner against a server that is not OpenSSH's: dropbear, as small computers have it.

#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod fleet;

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::{self, Login};
use fleet::{Job, Outcome, alive, command, script, until, within};
use regatta::core::reason::Reason;
use regatta::core::spec::{Ended, Payload, Proof, Signal};
use regatta::runner::ssh::Ssh;
use regatta::runner::{Order, Runner};
use tempfile::TempDir;

/// The kinds of host keys, as dropbearkey(1) and as known_hosts call them.
const KINDS: [(&str, &str); 3] = [
    ("ed25519", "ssh-ed25519"),
    ("ecdsa", "ecdsa-sha2-nistp256"),
    ("rsa", "ssh-rsa"),
];

const HOST: &str = "127.1.0.1";

/// A server with a key of each kind, and a login for the test.
struct Dropbear {
    server: Child,
    port: u16,
    login: Login,
    place: TempDir,
}

impl Dropbear {
    /// `None`, and a word about it, where there is none or nobody can be let in.
    async fn start(test: &str) -> Option<Self> {
        let Some(program) = program("dropbear") else {
            println!("SKIPPED: {test}: dropbear is not installed");
            return None;
        };
        let place = tempfile::tempdir().expect("a directory");
        let path = |name: &str| place.path().join(name);
        // It looks for authorized keys nowhere but in the home.
        let Some(login) = sshd::login_at(&path("home")) else {
            println!("SKIPPED: {test}: only root can let a second user in");
            return None;
        };
        std::fs::create_dir_all(path("home/.ssh")).expect("our directory");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(place.path(), open).expect("our directory");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path("identity"))
            .status();
        assert!(made.expect("openssh-client is installed").success());
        std::fs::copy(path("identity.pub"), path("home/.ssh/authorized_keys")).expect("two files");
        let port = sshd::free_port();
        let mut command = Command::new(program);
        command.args(["-F", "-E", "-s", "-p", &port.to_string(), "-P"]);
        command.arg(path("pid"));
        for (kind, name) in KINDS {
            let made = Command::new("dropbearkey")
                .args(["-t", kind, "-f"])
                .arg(path(kind))
                .output()
                .expect("it comes with dropbear");
            let said = String::from_utf8_lossy(&made.stdout).into_owned();
            let line = said.lines().find(|line| line.starts_with(name));
            let known = format!("[127.*]:{port} {}\n", line.expect("a public key"));
            std::fs::write(path(&format!("known_{kind}")), known).expect("our directory");
            command.arg("-r").arg(path(kind));
        }
        let server = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let dropbear = Self {
            server: server.expect("it is installed"),
            port,
            login,
            place,
        };
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        within(until("it listens", listens)).await;
        Some(dropbear)
    }

    fn runner(&self) -> Arc<Ssh> {
        Arc::new(Ssh::new(sshd::env(self.place.path())))
    }

    fn order(&self, payload: Payload) -> Order {
        self.order_knowing("ed25519", payload)
    }

    /// An order of somebody who knows its key of this kind.
    fn order_knowing(&self, kind: &str, payload: Payload) -> Order {
        let file = |name: &str| self.place.path().join(name).display().to_string();
        let settings = [
            format!("User={}", self.login.name),
            format!("Port={}", self.port),
            format!("IdentityFile={}", file("identity")),
            "IdentitiesOnly=yes".to_owned(),
            format!("UserKnownHostsFile={}", file(&format!("known_{kind}"))),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
        ];
        let option = |setting| ("ssh_option".to_owned(), setting);
        let mut order = fleet::on(HOST, payload);
        order.options = std::iter::once(("ssh_config".to_owned(), "/dev/null".to_owned()))
            .chain(settings.map(option))
            .collect();
        order
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where a program is; those for servers are not on everybody's path.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut all = std::env::split_paths(&path).chain(more);
    all.find_map(|place| Some(place.join(name)).filter(|file| Path::is_file(file)))
}

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

#[tokio::test]
async fn commands_run_and_end_as_they_end() {
    let Some(dropbear) = Dropbear::start("commands_run_and_end_as_they_end").await else {
        return;
    };
    let ssh = dropbear.runner();
    let cases = [
        ("true", Ended::Exited(0)),
        ("exit 3", Ended::Exited(3)),
        ("exit 255", Ended::Exited(255)),
        ("no-such-command-here", Ended::Exited(127)),
        ("kill -SEGV $$", Ended::Signaled("SEGV".into())),
        ("kill -KILL $$", Ended::Signaled("KILL".into())),
    ];
    for (line, ended) in cases {
        let outcome = run(&ssh, dropbear.order(command(line))).await;
        assert_eq!(outcome.ended, ended, "{line}");
        assert!(outcome.pid.is_some(), "{line}");
        let proof = outcome.prove(&dynamic(&ssh), Duration::ZERO).await;
        assert_eq!(proof, Proof::Gone, "{line}");
    }
    let both = "echo out; echo err >&2; printf 'tail'";
    let outcome = run(&ssh, dropbear.order(command(both))).await;
    assert_eq!(
        (&*outcome.out, &*outcome.err),
        (&b"out\ntail"[..], &b"err\n"[..])
    );
    let much = "head -c 5000000 /dev/zero | tr '\\0' x";
    let outcome = run(&ssh, dropbear.order(command(much))).await;
    assert_eq!(outcome.out, vec![b'x'; 5_000_000]);
    assert_eq!(ssh.connections(), 1, "all of them shared one connection");
    within(ssh.close_all()).await;
}

/// Its window is a hundredth of OpenSSH's.
#[tokio::test]
async fn scripts_travel_whole_through_a_small_window() {
    let Some(dropbear) = Dropbear::start("scripts_travel_whole_through_a_small_window").await
    else {
        return;
    };
    let ssh = dropbear.runner();
    let fill = "# a line that fills the script\n".repeat(20_000);
    let long = format!("{fill}echo done; exit 9");
    let outcome = run(&ssh, dropbear.order(script("sh", &long))).await;
    assert_eq!(
        (outcome.text().as_str(), outcome.ended),
        ("done\n", Ended::Exited(9))
    );
    within(ssh.close_all()).await;
}

#[tokio::test]
async fn its_host_key_must_be_a_known_one_of_any_kind() {
    let Some(dropbear) = Dropbear::start("its_host_key_must_be_a_known_one_of_any_kind").await
    else {
        return;
    };
    for (kind, _) in KINDS {
        let ssh = dropbear.runner();
        let order = dropbear.order_knowing(kind, command("echo fine"));
        let outcome = run(&ssh, order).await;
        assert_eq!(outcome.text(), "fine\n", "{kind}: {:?}", outcome.ended);
        within(ssh.close_all()).await;
    }
    let known = |kind: &str| dropbear.place.path().join(format!("known_{kind}"));
    let text = std::fs::read_to_string(known("ed25519")).expect("it was made");
    let (start, _) = text.split_once("AAAA").expect("a key");
    let other = dropbear.place.path().join("identity.pub");
    let other = std::fs::read_to_string(other).expect("it was made");
    let key = other.split(' ').nth(1).expect("a key");
    std::fs::write(known("changed"), format!("{start}{key}\n")).expect("our directory");
    let order = dropbear.order_knowing("changed", command("echo fine"));
    match run(&dropbear.runner(), order).await.ended {
        Ended::NotStarted(Reason::HostKeyChanged(what)) => {
            assert!(what.contains("known_changed:1"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

/// All commands of a connection are in one process group there, unless they leave it.
#[tokio::test]
async fn a_stop_ends_everything_and_nothing_else_and_is_proved() {
    let test = "a_stop_ends_everything_and_nothing_else_and_is_proved";
    let Some(dropbear) = Dropbear::start(test).await else {
        return;
    };
    let ssh = dropbear.runner();
    let runner = dynamic(&ssh);
    let neighbour = "echo ready; sleep 1000; echo on";
    let mut other = Job::start(&runner, dropbear.order(command(neighbour)));
    within(other.until_output("ready")).await;
    let cases = [
        ("echo ready; exec sleep 1000", "TERM"),
        ("sh -c 'sleep 1000 & echo ready; wait' & wait", "TERM"),
        (
            "trap '' TERM; echo ready; while :; do sleep 0.2; done",
            "KILL",
        ),
    ];
    for (line, signal) in cases {
        let mut job = Job::start(&runner, dropbear.order(command(line)));
        within(job.until_output("ready")).await;
        job.signal(Signal::Term);
        if signal == "KILL" {
            job.signal(Signal::Kill);
        }
        let outcome = within(job.finish()).await;
        assert_eq!(outcome.ended, Ended::Signaled(signal.into()), "{line}");
        let proof = outcome.prove(&runner, Duration::from_secs(5)).await;
        assert_eq!(proof, Proof::Gone, "{line}");
        assert_eq!(alive(&outcome.run), Vec::<u32>::new(), "{line}");
    }
    assert_eq!(ssh.connections(), 1, "all of it over one connection");
    assert_eq!(alive(&other.run).len(), 2, "its neighbour runs on");
    other.signal(Signal::Kill);
    let ended = within(other.finish()).await.ended;
    assert_eq!(ended, Ended::Signaled("KILL".into()));
    within(ssh.close_all()).await;
}

#[tokio::test]
async fn what_runs_when_its_connection_ends_is_ended() {
    let Some(dropbear) = Dropbear::start("what_runs_when_its_connection_ends_is_ended").await
    else {
        return;
    };
    let ssh = dropbear.runner();
    let order = dropbear.order(command("echo ready; exec sleep 1000"));
    let mut job = Job::start(&dynamic(&ssh), order);
    within(job.until_output("ready")).await;
    within(ssh.close_all()).await;
    let outcome = within(job.finish()).await;
    assert!(
        matches!(outcome.ended, Ended::Lost(_)),
        "{:?}",
        outcome.ended
    );
    within(until("it is ended", || alive(&outcome.run).is_empty())).await;
}

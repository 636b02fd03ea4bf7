//! 500 hosts behind one bastion, where the bastion's server and that of the hosts have OpenSSH's own `MaxStartups`, beside
//! clush with `ssh` and `ProxyJump`.
//!
//! Repeat with `cargo bench --bench bastion` (needs openssh-server; clush is measured where it is installed).  CPU is user
//! and system time of the client's whole process tree, the daemon included; the servers' is not.  clush is run twice: as it
//! comes, each `ssh` with a connection of its own to the bastion, and with a `ControlMaster` for that, which is what its
//! users do about it.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HOSTS: usize = 500;
const FANOUT: &str = "64";

/// One server on loopback addresses.
struct Server {
    dir: PathBuf,
    port: u16,
}

impl Server {
    fn start(dir: PathBuf, port: u16) -> Self {
        let server = Self { dir, port };
        assert!(server.script("start"), "openssh-server is needed");
        server
    }

    fn script(&self, verb: &str) -> bool {
        let status = Command::new("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet-sshd.sh"))
            .arg(verb)
            .env("FLEET_DIR", &self.dir)
            .env("FLEET_PORT", self.port.to_string())
            .env("FLEET_EXTRA", "MaxStartups 10:30:100")
            .stdout(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    /// What ssh_config(5) needs to know of it.
    fn settings(&self) -> String {
        let file = |name: &str| self.dir.join(name).display().to_string();
        format!(
            " Port {}\n IdentityFile {}\n UserKnownHostsFile {}\n",
            self.port,
            file("id_ed25519"),
            file("known_hosts")
        )
    }

    fn dropped(&self) -> usize {
        let log = std::fs::read_to_string(self.dir.join("sshd.log")).unwrap_or_default();
        let told = log
            .lines()
            .filter_map(|line| line.strip_suffix(" connections dropped"));
        let counts = told.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        counts.sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script("stop");
    }
}

struct Lab {
    dir: tempfile::TempDir,
    bastion: Server,
    hosts: Server,
}

impl Lab {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        for name in ["run", "home"] {
            std::fs::create_dir(path(name)).expect("our directory");
        }
        let lab = Self {
            bastion: Server::start(path("bastion"), 22623),
            hosts: Server::start(path("hosts"), 22624),
            dir,
        };
        lab.configure("ssh_config", "");
        let master = lab.path("master").display().to_string();
        let shared = format!(" ControlMaster auto\n ControlPath {master}\n ControlPersist 60\n");
        lab.configure("shared_config", &shared);
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A client configuration with more lines for the bastion.
    fn configure(&self, name: &str, bastion: &str) {
        let text = format!(
            "Host bastion\n HostName 127.9.0.1\n{}{bastion}Host 127.*\n ProxyJump bastion\n{}Host *\n IdentitiesOnly yes\n \
             GlobalKnownHostsFile /dev/null\n BatchMode yes\n LogLevel ERROR\n",
            self.bastion.settings(),
            self.hosts.settings()
        );
        std::fs::write(self.path(name), text).expect("our directory");
    }

    fn regatta(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
        command
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env_remove("XDG_STATE_HOME")
            .env_remove("SSH_AUTH_SOCK")
            .arg("-F")
            .arg(self.path("ssh_config"))
            .args(args)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn dropped(&self) -> usize {
        self.bastion.dropped() + self.hosts.dropped()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        _ = self.regatta(&["daemon", "stop", "--force"]).output();
    }
}

/// CPU time of all children that were waited for (proc(5): fields 16 and 17 of stat, in ticks of 10 ms).
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields[13..15]
        .iter()
        .map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// CPU time of a living process (the first field of schedstat, in nanoseconds, over its threads).
fn process_cpu(pid: u64) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn report(name: &str, cpu: Duration, wall: Duration, reached: usize, dropped: usize) {
    println!(
        "{name:<34} {:>8.2} ms CPU/host {:>7.2} s wall   {reached} of {HOSTS} hosts, {dropped} connections dropped",
        cpu.as_secs_f64() * 1e3 / HOSTS as f64,
        wall.as_secs_f64()
    );
}

fn lines(output: &[u8]) -> usize {
    let text = String::from_utf8_lossy(output);
    text.lines()
        .filter(|line| line.ends_with("through"))
        .count()
}

/// A fresh daemon, and then a second job over the same connections.
fn ours(lab: &Lab, list: &str) {
    let job = [
        "run",
        "--wait",
        "--yes",
        "--fanout",
        FANOUT,
        "-t",
        list,
        "--",
        "echo through",
    ];
    let mut used = Duration::ZERO;
    for name in ["regatta, fresh", "regatta, same hosts again"] {
        let (cpu, wall, dropped) = (children_cpu(), Instant::now(), lab.dropped());
        let output = lab.regatta(&job).output().expect("it starts");
        let wall = wall.elapsed();
        let status = lab.regatta(&["daemon", "status", "--json"]).output();
        let status = status.expect("it starts").stdout;
        let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
        let daemon = process_cpu(status["pid"].as_u64().expect("the daemon runs"));
        let cpu = children_cpu().saturating_sub(cpu) + daemon.saturating_sub(used);
        used = daemon;
        report(
            name,
            cpu,
            wall,
            lines(&output.stdout),
            lab.dropped() - dropped,
        );
    }
}

fn clush(lab: &Lab, list: &str, name: &str, config: &str) {
    let ssh = format!("-F {}", lab.path(config).display());
    let (cpu, wall, dropped) = (children_cpu(), Instant::now(), lab.dropped());
    let output = Command::new("clush")
        .args(["-f", FANOUT, "-o", &ssh, "-w", list, "echo through"])
        .env("HOME", lab.path("home"))
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        println!("{name:<34} not installed, not measured");
        return;
    };
    let wall = wall.elapsed();
    let cpu = children_cpu().saturating_sub(cpu);
    report(
        name,
        cpu,
        wall,
        lines(&output.stdout),
        lab.dropped() - dropped,
    );
}

fn main() {
    let measurable = Path::new("/proc/self/schedstat").exists();
    assert!(measurable, "Linux is needed to measure");
    let lab = Lab::start();
    let list: Vec<_> = (0..HOSTS)
        .map(|n| format!("127.1.{}.{}", n / 250, 1 + n % 250))
        .collect();
    let list = list.join(",");
    println!("{HOSTS} hosts behind one bastion, MaxStartups 10:30:100, fanout {FANOUT}, `echo`:");
    ours(&lab, &list);
    clush(&lab, &list, "clush", "ssh_config");
    clush(
        &lab,
        &list,
        "clush, bastion by ControlMaster",
        "shared_config",
    );
    _ = Command::new("ssh")
        .arg("-F")
        .arg(lab.path("shared_config"))
        .args(["-O", "exit", "bastion"])
        .output();
}

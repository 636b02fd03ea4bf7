//! A thousand hosts at once, a thousand connections that nobody uses, and many that write at once; real OpenSSH on loopback
//! addresses, bssh beside it where it is installed.
//!
//! Repeat with `cargo bench --bench thousand` (needs openssh-server).  CPU is user and system time of the client's whole
//! process tree, the daemon included; the server's is not.  What is measured once is so because a thousand log-ins of
//! `sshd` take longest by far.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

const HOSTS: usize = 1000;
const FANOUT: &str = "256";
const PORT: &str = "22625";

/// How long a thousand connections are watched doing nothing.
const WATCHED: Duration = Duration::from_secs(20);

const WRITERS: usize = 32;
const WRITTEN: usize = 10_000_000;

/// The fleet and everything of ours, in a directory that goes away with it.
struct Lab {
    dir: tempfile::TempDir,
}

/// What a process has used, and how large it is.
#[derive(Clone, Copy)]
struct Process {
    cpu: Duration,
    resident_kib: f64,
    peak_kib: f64,
}

impl Lab {
    fn start() -> Self {
        let lab = Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        };
        for name in ["run", "home"] {
            std::fs::create_dir(lab.path(name)).expect("our directory");
        }
        let started = lab.fleet("start").status().expect("sh").success();
        assert!(started, "openssh-server is needed");
        let config = std::fs::read_to_string(lab.path("ssh_config")).expect("it was made");
        let quiet = format!("Host *\n ServerAliveInterval 300\n{config}");
        std::fs::write(lab.path("quiet_config"), quiet).expect("our directory");
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn fleet(&self, verb: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet-sshd.sh"))
            .arg(verb)
            .env("FLEET_DIR", self.dir.path())
            .env("FLEET_PORT", PORT)
            .stdout(Stdio::null());
        command
    }

    fn regatta(&self, config: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
        command
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("SSH_AUTH_SOCK")
            .arg("-F")
            .arg(self.path(config))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs a job to its good end.
    fn run(&self, config: &str, fanout: &str, hosts: &str, line: &str) {
        let args = [
            "run",
            "--wait",
            "--yes",
            "--connect-timeout",
            "2m",
            "--fanout",
            fanout,
            "-t",
            hosts,
            "--",
            line,
        ];
        let status = self.regatta(config, &args).status().expect("it starts");
        assert!(status.success(), "{line} on {fanout} at once: {status}");
    }

    fn status(&self) -> serde_json::Value {
        let mut command = self.regatta("ssh_config", &["daemon", "status", "--json"]);
        let output = command.stdout(Stdio::piped()).output().expect("it starts");
        serde_json::from_slice(&output.stdout).expect("the daemon runs")
    }

    fn daemon(&self) -> Process {
        Process::of(self.status()["pid"].as_u64().expect("the daemon runs"))
    }

    fn stop_daemon(&self) {
        _ = self
            .regatta("ssh_config", &["daemon", "stop", "--force"])
            .status();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop_daemon();
        _ = self.fleet("stop").status();
    }
}

impl Process {
    /// From schedstat (its first field, in nanoseconds, of each thread) and status (VmRSS and VmHWM, in KiB) of proc(5).
    fn of(pid: u64) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
        let nanos = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        let cpu = Duration::from_nanos(nanos.sum());
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number
                .and_then(|number| number.parse().ok())
                .expect("Linux")
        };
        Self {
            cpu,
            resident_kib: kib("VmRSS:"),
            peak_kib: kib("VmHWM:"),
        }
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

/// The fleet's hosts: as targets, and each by itself.
fn hosts(count: usize) -> (String, Vec<String>) {
    let all: Vec<_> = (0..count)
        .map(|n| format!("127.1.{}.{}", n / 250, 1 + n % 250))
        .collect();
    (all.join(","), all)
}

fn report(name: &str, cpu: Duration, wall: Duration) {
    println!(
        "{name:<28} {:>8.2} ms CPU/host {:>7.2} s wall",
        cpu.as_secs_f64() * 1e3 / HOSTS as f64,
        wall.as_secs_f64()
    );
}

/// A fresh daemon runs `true` on a thousand hosts, twice; then its connections are left alone.
fn thousand(lab: &Lab, config: &str, how: &str) {
    lab.stop_daemon();
    let (all, _) = hosts(HOSTS);
    // The daemon itself, without its connections.
    lab.run(config, FANOUT, "127.9.0.1", "true");
    let warm = lab.daemon();
    let mut before = warm;
    let mut each = Vec::new();
    for name in ["regatta, fresh", "regatta, same hosts again"] {
        let (cpu, wall) = (children_cpu(), Instant::now());
        lab.run(config, FANOUT, &all, "true");
        let wall = wall.elapsed();
        let now = lab.daemon();
        report(
            name,
            children_cpu().saturating_sub(cpu) + now.cpu.saturating_sub(before.cpu),
            wall,
        );
        // What a job leaves to be written is written.
        std::thread::sleep(Duration::from_secs(3));
        before = lab.daemon();
        each.push((before.resident_kib - warm.resident_kib) / HOSTS as f64);
    }
    let open = lab.status()["connections"].as_u64().expect("a count");
    let idle = lab.daemon();
    std::thread::sleep(WATCHED);
    let later = lab.daemon();
    let still = lab.status()["connections"].as_u64().expect("a count");
    println!(
        "{open} connections nobody uses, {how}: {:.1} KiB each with the records of the job that made them, {:.1} KiB with those of \
         two (daemon {:.1} MB, {:.1} MB before), {:.0} ms CPU in {} s ({still} still open)",
        each[0],
        each[1],
        idle.resident_kib / 1024.0,
        warm.resident_kib / 1024.0,
        later.cpu.saturating_sub(idle.cpu).as_secs_f64() * 1e3,
        WATCHED.as_secs(),
    );
}

/// bssh takes no configuration file for hosts without an alias, so everything is said on its command line.
fn bssh(lab: &Lab) {
    let (_, all) = hosts(HOSTS);
    let with_port: Vec<_> = all.iter().map(|host| format!("{host}:{PORT}")).collect();
    let (cpu, wall) = (children_cpu(), Instant::now());
    let status = Command::new("bssh")
        .args(["-H", &with_port.join(","), "--parallel", FANOUT])
        .arg("-i")
        .arg(lab.path("id_ed25519"))
        .args(["--strict-host-key-checking", "no", "true"])
        .env("HOME", lab.path("home"))
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {
            report("bssh", children_cpu().saturating_sub(cpu), wall.elapsed());
        }
        Ok(status) => println!("{:<28} {status}", "bssh"),
        Err(_) => println!("{:<28} not installed, not measured", "bssh"),
    }
}

/// Many hosts write lines into the store of a fresh daemon.
fn writers(lab: &Lab) {
    lab.stop_daemon();
    let (all, _) = hosts(WRITERS);
    // Connected, so that only the output is measured.
    lab.run("ssh_config", FANOUT, &all, "true");
    let before = lab.daemon();
    let wall = Instant::now();
    let line = format!(
        "yes 'a line of a log, as programs write them, of no great length' | head -c {WRITTEN}"
    );
    let start = ["run", "--yes", "--fanout", FANOUT, "-t", &all, "--", &line];
    let started = lab.regatta("ssh_config", &start).status();
    assert!(started.expect("it starts").success());
    let ended = lab.regatta("ssh_config", &["wait", "last"]).status();
    assert!(ended.expect("it starts").success());
    let after = lab.daemon();
    println!(
        "{WRITERS} hosts x {} MB of lines to the store: {:.2} s CPU of the daemon, {:.2} s wall, peak {:.1} MB",
        WRITTEN / 1_000_000,
        after.cpu.saturating_sub(before.cpu).as_secs_f64(),
        wall.elapsed().as_secs_f64(),
        after.peak_kib / 1024.0
    );
}

fn main() {
    let measurable = Path::new("/proc/self/schedstat").exists();
    assert!(measurable, "Linux is needed to measure");
    // A daemon keeps connections for a quarter of the files it may have open.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("up to the hard limit anybody may");
    let lab = Lab::start();
    println!("{HOSTS} hosts, fanout {FANOUT}, `true`:");
    thousand(&lab, "quiet_config", "no keepalive due");
    bssh(&lab);
    thousand(&lab, "ssh_config", "keepalives as by default");
    writers(&lab);
}

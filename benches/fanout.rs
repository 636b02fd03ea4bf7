//! regatta beside its peers, against real OpenSSH on loopback addresses, in one run on one machine.
//!
//! Repeat with `cargo bench --bench fanout` (needs openssh-server; clush, pdsh, parallel-ssh, bssh and ansible are measured where
//! they are installed).  CPU is user and system time of the client's whole process tree, the daemon included; the server's
//! is not.  Medians of three.  Ratios hold from machine to machine, times do not.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HOSTS: usize = 200;
const FANOUT: &str = "64";
const ROUNDS: usize = 3;
const PORT: &str = "22622";
const GIGABYTE: u64 = 1_000_000_000;

/// The fleet and everything of ours, in a directory that goes away with it.
struct Lab {
    dir: tempfile::TempDir,
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
struct Spent {
    cpu: Duration,
    wall: Duration,
}

impl Lab {
    fn start() -> Self {
        let lab = Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        };
        assert!(
            lab.fleet("start").status().expect("sh").success(),
            "openssh-server is needed"
        );
        let hosts = lab
            .fleet("hosts")
            .arg(HOSTS.to_string())
            .output()
            .expect("sh")
            .stdout;
        std::fs::write(lab.path("hosts"), hosts).expect("our directory");
        std::fs::create_dir(lab.path("run")).expect("our directory");
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn fleet(&self, verb: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet-sshd.sh"))
            .arg(verb);
        command
            .env("FLEET_DIR", self.dir.path())
            .env("FLEET_PORT", PORT)
            .stdout(Stdio::piped());
        command
    }

    fn regatta(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
        command
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env_remove("SSH_AUTH_SOCK");
        command
            .arg("-F")
            .arg(self.path("ssh_config"))
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn daemon(&self) -> Option<u32> {
        let output = self
            .regatta(&["daemon", "status", "--json"])
            .stdout(Stdio::piped())
            .output()
            .ok()?;
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(status["pid"].as_u64()? as u32)
    }

    fn stop_daemon(&self) {
        _ = self.regatta(&["daemon", "stop", "--force"]).status();
    }

    fn target(&self) -> String {
        format!("^{}", self.path("hosts").display())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop_daemon();
        _ = self.fleet("stop").status();
    }
}

/// Runs a command to its end: its own time and its descendants'.
fn run(command: &mut Command) -> Spent {
    let (cpu, wall) = (children_cpu(), Instant::now());
    let status = command
        .stdin(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success(), "{command:?}: {status}");
    Spent {
        cpu: children_cpu().saturating_sub(cpu),
        wall: wall.elapsed(),
    }
}

/// CPU time of all children that were waited for (proc(5): fields 16 and 17 of stat, in ticks of 10 ms).
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .expect("a name in brackets")
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[13..15]
        .iter()
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}

/// CPU time of a living process (the first field of schedstat, in nanoseconds, over its threads).
fn process_cpu(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn peak_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux");
    line.split_whitespace()
        .next()
        .and_then(|kib| kib.parse::<f64>().ok())
        .expect("a number")
        / 1024.0
}

fn median(mut rounds: Vec<Spent>) -> Spent {
    rounds.sort_by_key(|spent| spent.cpu);
    rounds[rounds.len() / 2]
}

fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$0\"", program])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn report(name: &str, spent: Spent, ours: Spent) {
    println!(
        "{name:<28} {:>8.2} ms CPU/host {:>7.2} s wall   regatta's share of its CPU: 1/{:.1}",
        spent.cpu.as_secs_f64() * 1e3 / HOSTS as f64,
        spent.wall.as_secs_f64(),
        spent.cpu.as_secs_f64() / ours.cpu.as_secs_f64(),
    );
}

/// A fresh daemon connects to all hosts, and then runs a second job over the same connections.
fn ours(lab: &Lab) -> (Spent, Spent) {
    let (mut fresh, mut again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        lab.stop_daemon();
        let target = lab.target();
        let job = [
            "run", "--wait", "--yes", "--fanout", FANOUT, "-t", &target, "--", "true",
        ];
        let mut first = run(&mut lab.regatta(&job));
        let pid = lab.daemon().expect("the daemon runs");
        // The daemon is new, so all it has used is this job's.
        let used = process_cpu(pid);
        first.cpu += used;
        let mut second = run(&mut lab.regatta(&job));
        second.cpu += process_cpu(pid).saturating_sub(used);
        fresh.push(first);
        again.push(second);
    }
    (median(fresh), median(again))
}

fn peers(lab: &Lab, fresh: Spent) {
    let (config, hosts) = (lab.path("ssh_config"), lab.path("hosts"));
    let list = std::fs::read_to_string(&hosts)
        .expect("our file")
        .lines()
        .collect::<Vec<_>>()
        .join(",");
    let ssh_args = format!("-F {}", config.display());
    let peers: [(&str, Vec<String>); 5] = [
        (
            "clush",
            ["-f", FANOUT, "-o", &ssh_args, "-w", &list, "true"]
                .map(String::from)
                .to_vec(),
        ),
        (
            "pdsh",
            ["-R", "ssh", "-f", FANOUT, "-w", &list, "true"]
                .map(String::from)
                .to_vec(),
        ),
        (
            "parallel-ssh",
            [
                "-p",
                FANOUT,
                "-h",
                &hosts.display().to_string(),
                "-x",
                &ssh_args,
                "true",
            ]
            .map(String::from)
            .to_vec(),
        ),
        ("bssh", bssh_args(lab, &list)),
        (
            "ansible",
            ["all", "-i", &list, "-m", "raw", "-a", "true", "-f", FANOUT]
                .map(String::from)
                .to_vec(),
        ),
    ];
    for (program, args) in peers {
        if !installed(program) {
            println!("{program:<28} not installed, not measured");
            continue;
        }
        let spent = (0..ROUNDS).map(|_| {
            let mut command = Command::new(program);
            command
                .args(&args)
                .env("PDSH_SSH_ARGS", format!("{ssh_args} -2 -a -x -l%u %h"))
                // Its own, but without masters that would make the later rounds no fresh ones.
                .env("ANSIBLE_SSH_ARGS", format!("-C {ssh_args}"))
                .env("ANSIBLE_HOME", lab.path("ansible"))
                .env_remove("SSH_AUTH_SOCK");
            run(command.stdout(Stdio::null()).stderr(Stdio::null()))
        });
        report(program, median(spent.collect()), fresh);
    }
}

/// bssh takes no configuration file for hosts without an alias, so everything is said on its command line.
fn bssh_args(lab: &Lab, list: &str) -> Vec<String> {
    let with_port = list
        .split(',')
        .map(|host| format!("{host}:{PORT}"))
        .collect::<Vec<_>>()
        .join(",");
    let key = lab.path("id_ed25519").display().to_string();
    [
        "-H",
        &with_port,
        "-i",
        &key,
        "--parallel",
        FANOUT,
        "--strict-host-key-checking",
        "no",
        "true",
    ]
    .map(String::from)
    .to_vec()
}

/// One output of 1 GB into the daemon's store, beside what `ssh` delivers to a pipe.
fn one_gigabyte(lab: &Lab) {
    let make = format!("head -c {GIGABYTE} /dev/zero");
    let ssh = median(
        (0..ROUNDS)
            .map(|_| {
                let pipe = format!(
                    "ssh -F {} 127.1.0.1 '{make}' | cat >/dev/null",
                    lab.path("ssh_config").display()
                );
                run(Command::new("sh").args(["-c", &pipe]))
            })
            .collect(),
    );
    lab.stop_daemon();
    run(&mut lab.regatta(&["run", "--wait", "-t", "127.1.0.1", "--", "true"]));
    let pid = lab.daemon().expect("the daemon runs");
    let ours = median(
        (0..ROUNDS)
            .map(|_| {
                let before = process_cpu(pid);
                let wall = Instant::now();
                run(&mut lab.regatta(&["run", "-n", "big", "-t", "127.1.0.1", "--", &make]));
                run(&mut lab.regatta(&["wait", "last"]));
                let spent = Spent {
                    cpu: process_cpu(pid).saturating_sub(before),
                    wall: wall.elapsed(),
                };
                run(&mut lab.regatta(&["remove", "big"]));
                spent
            })
            .collect(),
    );
    let rate = |spent: Spent| GIGABYTE as f64 / 1e6 / spent.wall.as_secs_f64();
    println!(
        "1 GB: ssh to a pipe {:.0} MB/s, {:.2} s CPU; regatta to its store {:.0} MB/s ({:.2} of ssh's), {:.2} s CPU, daemon's peak {:.1} MB",
        rate(ssh),
        ssh.cpu.as_secs_f64(),
        rate(ours),
        rate(ours) / rate(ssh),
        ours.cpu.as_secs_f64(),
        peak_mb(pid)
    );
}

fn main() {
    assert!(
        Path::new("/proc/self/schedstat").exists(),
        "Linux is needed to measure"
    );
    let lab = Lab::start();
    let (fresh, again) = ours(&lab);
    println!("{HOSTS} hosts, fanout {FANOUT}, `true`:");
    report("regatta, fresh", fresh, fresh);
    report("regatta, same hosts again", again, fresh);
    println!(
        "{:<28} {:.2} (budget 0.4)",
        "again / fresh, CPU",
        again.cpu.as_secs_f64() / fresh.cpu.as_secs_f64()
    );
    peers(&lab, fresh);
    one_gigabyte(&lab);
}

//! What goes on on a computer, who is known there, and where it is reached.

use super::super::computer::{Computer, Distribution, Health};
use super::super::fleet::Role;
use super::{row, tenths};

/// People who have an account here and there: name, shell, full name.
const PEOPLE: [(&str, &str, &str); 4] = [
    ("ada", "/bin/bash", "Ada Berg"),
    ("ben", "/bin/bash", "Ben Costa"),
    ("chloe", "/usr/bin/zsh", "Chloe Dunn"),
    ("dara", "/bin/bash", "Dara Eng"),
];

/// How many computers come to one that a person has an account on.
const HAS_ACCOUNT: u64 = 5;

/// What serves is there and listens.
fn is_serving(computer: &Computer) -> bool {
    match computer.health() {
        Health::Sick => false,
        Health::Well | Health::Outdated => true,
    }
}

pub(super) fn processes(computer: &Computer) -> String {
    let (ssh, cron) = match computer.os().distribution {
        Distribution::Debian | Distribution::Ubuntu => {
            ("sshd: /usr/sbin/sshd -D [listener]", "/usr/sbin/cron -f")
        }
        Distribution::Rocky => ("/usr/sbin/sshd -D", "/usr/sbin/crond -n"),
    };
    let system = |pid, memory, command| Process {
        pid,
        parent: u64::from(pid > 1),
        user: "root",
        memory,
        busy: 4,
        command,
    };
    let mut list = vec![
        system(1, 13_000, "/sbin/init"),
        system(301, 22_000, "/lib/systemd/systemd-journald"),
        system(588, 3_000, cron),
        system(602, 9_000, ssh),
    ];
    if is_serving(computer) {
        list.extend(serving(computer));
    }
    list.iter().map(|process| process.line(computer)).collect()
}

/// The processes a computer is there for.
fn serving(computer: &Computer) -> Vec<Process> {
    let trade = computer.role().trade();
    let used = computer.memory().used;
    let workers = match trade.worker {
        Some(worker) => vec![worker; computer.processors().min(6) as usize],
        None => Vec::new(),
    };
    // One that starts as root to take low ports hands the work to its user.
    let leads = match computer.role() {
        Role::Web | Role::Gate => "root",
        Role::Db | Role::Cache | Role::Queue | Role::Monitor | Role::Build | Role::Backup => {
            trade.user.0
        }
    };
    let leader = Process {
        pid: 812,
        parent: 1,
        user: leads,
        memory: used / if workers.is_empty() { 2 } else { 8 },
        busy: 250,
        command: trade.leader,
    };
    let workers = (820..).zip(workers).map(|(pid, command)| Process {
        pid,
        parent: leader.pid,
        user: trade.user.0,
        memory: used / 20,
        busy: 400,
        command,
    });
    [leader].into_iter().chain(workers).collect()
}

/// A process, but for what differs between computers.
#[derive(Clone, Copy, Debug)]
struct Process {
    pid: u64,
    parent: u64,
    user: &'static str,
    /// In KiB.
    memory: u64,
    /// It takes less than so many thousandths of a processor.
    busy: u64,
    command: &'static str,
}

impl Process {
    /// Its line in what `ps` writes.
    fn line(&self, computer: &Computer) -> String {
        let place = |pid| match pid {
            0 | 1 => pid,
            pid => pid + computer.chance(50, 90),
        };
        let total = computer.memory().total;
        let memory = self.memory + computer.chance(51 + self.pid, 500);
        let cpu = tenths(computer.chance(60 + self.pid, self.busy));
        let share = tenths(memory * 1_000 / total);
        let up = computer.uptime().as_secs();
        let elapsed = format!(
            "{}-{:02}:{:02}:{:02}",
            up / 86_400,
            up / 3_600 % 24,
            up / 60 % 60,
            up % 60
        );
        format!(
            "{:>7} {:>7} {:<13} {cpu} {share} {memory:>8} {elapsed:>11} Ss {}\n",
            place(self.pid),
            place(self.parent),
            self.user,
            self.command
        )
    }
}

pub(super) fn listeners(computer: &Computer) -> String {
    let mut rows = vec![
        row(&[&"tcp", &"0.0.0.0", &22, &"sshd"]),
        row(&[&"tcp", &"::", &22, &"sshd"]),
    ];
    let trade = computer.role().trade();
    if is_serving(computer) {
        let ports = trade.ports.iter();
        rows.extend(ports.map(|port| row(&[&"tcp", &"0.0.0.0", port, &trade.process])));
    }
    if computer.os().distribution == Distribution::Rocky {
        rows.push(row(&[&"udp", &"127.0.0.1", &323, &"chronyd"]));
    }
    rows.sort();
    rows.concat()
}

pub(super) fn addresses(computer: &Computer) -> String {
    // Each has a number of its own, and each site a network.
    let number = computer.number() + 10;
    let site = (number % 3 + 1) * 10;
    let (high, low) = (number / 250, number % 250 + 1);
    row(&[&"lo", &"inet", &"127.0.0.1", &8, &"host"])
        + &row(&[&"lo", &"inet6", &"::1", &128, &"host"])
        + &row(&[
            &"ens3",
            &"inet",
            &format!("10.{site}.{high}.{low}"),
            &16,
            &"global",
        ])
        + &row(&[
            &"ens3",
            &"inet6",
            &format!("fe80::5054:ff:fe{high:02x}:{site:02x}{low:02x}"),
            &64,
            &"link",
        ])
}

pub(super) fn users(computer: &Computer) -> String {
    let nologin = "/usr/sbin/nologin";
    let trade = computer.role().trade();
    let (user, number) = trade.user;
    let home = format!("/var/lib/{user}");
    let mut text = row(&[&"root", &0, &0, &"/root", &"/bin/bash", &"root"])
        + &row(&[&"daemon", &1, &1, &"/usr/sbin", &nologin, &"daemon"])
        + &row(&[&"sshd", &74, &74, &"/run/sshd", &nologin, &""])
        + &row(&[&user, &number, &number, &home, &nologin, &""])
        + &row(&[
            &"ops",
            &1_000,
            &1_000,
            &"/home/ops",
            &"/bin/sh",
            &"Operators",
        ]);
    for (number, (name, shell, full)) in (1_001..).zip(PEOPLE) {
        if computer.chance(70 + number, HAS_ACCOUNT) == 0 {
            let home = format!("/home/{name}");
            text += &row(&[&name, &number, &number, &home, &shell, &full]);
        }
    }
    text
}

//! One simulated computer: what it says of itself, all derived from its number, and its processes.

use std::time::Duration;

use tokio::time::Instant;

use super::fleet::Role;
use super::process::Processes;

/// What is wrong with a computer, so that there is something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Well,
    /// Its service has failed.
    Sick,
    /// It runs an older kernel than the others of its role.
    Outdated,
}

/// A simulated computer.
#[derive(Debug)]
pub struct Computer {
    number: usize,
    name: String,
    role: Role,
    health: Health,
    /// When the simulation began; the computer was up before that.
    born: Instant,
    pub(super) processes: Processes,
}

/// A distribution, as `/etc/os-release` and `uname` tell it.
struct Os {
    id: &'static str,
    version: &'static str,
    pretty: &'static str,
    kernel: &'static str,
    old_kernel: &'static str,
}

const DEBIAN: Os = Os {
    id: "debian",
    version: "12",
    pretty: "Debian GNU/Linux 12 (bookworm)",
    kernel: "6.1.0-37-amd64",
    old_kernel: "6.1.0-21-amd64",
};

const UBUNTU: Os = Os {
    id: "ubuntu",
    version: "24.04",
    pretty: "Ubuntu 24.04.2 LTS",
    kernel: "6.8.0-60-generic",
    old_kernel: "6.8.0-31-generic",
};

const ROCKY: Os = Os {
    id: "rocky",
    version: "9.5",
    pretty: "Rocky Linux 9.5 (Blue Onyx)",
    kernel: "5.14.0-503.40.1.el9_5.x86_64",
    old_kernel: "5.14.0-427.13.1.el9_4.x86_64",
};

/// How a service is, in the words and exit codes of systemctl(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnitState {
    pub(super) word: &'static str,
    pub(super) exit: u8,
}

/// A file system, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub(super) device: &'static str,
    pub(super) mounted: &'static str,
    pub(super) size: u64,
    pub(super) used: u64,
}

/// Memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) cache: u64,
}

impl Computer {
    pub(super) fn new(
        number: usize,
        name: String,
        role: Role,
        health: Health,
        born: Instant,
    ) -> Self {
        let first_pid = 700 + (mix(number as u64) % 2_000) as u32;
        Self {
            number,
            name,
            role,
            health,
            born,
            processes: Processes::new(first_pid),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn health(&self) -> Health {
        self.health
    }

    /// Where it stands.
    pub fn site(&self) -> &'static str {
        ["fra", "ams", "nyc"][self.number % 3]
    }

    /// Its distribution, as `ID` in `/etc/os-release`.
    pub fn os_id(&self) -> &'static str {
        self.os().id
    }

    fn os(&self) -> &'static Os {
        match self.role {
            Role::Web | Role::Gate | Role::Backup => &DEBIAN,
            Role::Cache | Role::Queue | Role::Monitor => &UBUNTU,
            Role::Db | Role::Build => &ROCKY,
        }
    }

    pub(super) fn kernel(&self) -> &'static str {
        match self.health {
            Health::Well | Health::Sick => self.os().kernel,
            Health::Outdated => self.os().old_kernel,
        }
    }

    pub(super) fn os_release(&self) -> String {
        let Os {
            id,
            version,
            pretty,
            ..
        } = self.os();
        format!(
            "PRETTY_NAME=\"{pretty}, simulated\"\nID={id}\nVERSION_ID=\"{version}\"\nVARIANT=\"regatta demo\"\n"
        )
    }

    pub(super) fn uptime(&self) -> Duration {
        let before = 3_600 + self.chance(1, 200 * 86_400);
        Duration::from_secs(before) + self.born.elapsed()
    }

    /// The load averages in hundredths.
    pub(super) fn load(&self) -> [u64; 3] {
        let base = self.chance(2, 180);
        [base, base * 9 / 10 + 2, base * 8 / 10 + 3]
    }

    pub(super) fn disks(&self) -> Vec<Disk> {
        let used = |salt, size: u64| size * (18 + self.chance(salt, 60)) / 100;
        let (root, data) = (40 << 20, 400 << 20);
        let mut disks = vec![Disk {
            device: "/dev/vda1",
            mounted: "/",
            size: root,
            used: used(3, root),
        }];
        if matches!(self.role, Role::Db | Role::Backup | Role::Build) {
            disks.push(Disk {
                device: "/dev/vdb",
                mounted: "/srv",
                size: data,
                used: used(4, data),
            });
        }
        disks
    }

    pub(super) fn memory(&self) -> Memory {
        let total = match self.role {
            Role::Db | Role::Cache => 64 << 20,
            Role::Web | Role::Queue | Role::Monitor | Role::Build | Role::Backup => 16 << 20,
            Role::Gate => 4 << 20,
        };
        Memory {
            total,
            used: total * (20 + self.chance(5, 40)) / 100,
            cache: total * (10 + self.chance(6, 20)) / 100,
        }
    }

    pub(super) fn unit(&self, name: &str) -> UnitState {
        let own = match self.role {
            Role::Web => "nginx",
            Role::Db => "postgresql",
            Role::Cache => "redis-server",
            Role::Queue => "rabbitmq-server",
            Role::Gate => "haproxy",
            Role::Monitor => "prometheus",
            Role::Build => "gitlab-runner",
            Role::Backup => "borgmatic",
        };
        let name = name.strip_suffix(".service").unwrap_or(name);
        let (word, exit) = if name == own && self.health == Health::Sick {
            ("failed", 3)
        } else if name == own || matches!(name, "ssh" | "sshd" | "cron" | "systemd-journald") {
            ("active", 0)
        } else {
            ("inactive", 4)
        };
        UnitState { word, exit }
    }

    /// A number below `below` that is always the same for this computer and `salt`.
    fn chance(&self, salt: u64, below: u64) -> u64 {
        mix(self.number as u64 ^ (salt << 32)) % below
    }
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): nearby numbers come out far apart.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

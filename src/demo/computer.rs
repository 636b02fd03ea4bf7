//! One simulated computer: what it says of itself, all derived from its number, and its processes.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::fleet::Role;
use super::process::Processes;

/// What is wrong with a computer, so that there is something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Well,
    /// Its disk is full, and its service has failed.
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
    /// When it was started, by the calendar: the same however often one asks.
    booted: Timestamp,
    pub(super) processes: Processes,
}

/// A distribution, as `/etc/os-release` and `uname` tell it.
#[derive(Debug)]
pub(super) struct Os {
    pub(super) distribution: Distribution,
    pub(super) id: &'static str,
    pub(super) version: &'static str,
    pretty: &'static str,
    kernel: &'static str,
    old_kernel: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distribution {
    Debian,
    Ubuntu,
    Rocky,
}

const DEBIAN: Os = Os {
    distribution: Distribution::Debian,
    id: "debian",
    version: "12",
    pretty: "Debian GNU/Linux 12 (bookworm)",
    kernel: "6.1.0-37-amd64",
    old_kernel: "6.1.0-21-amd64",
};

const UBUNTU: Os = Os {
    distribution: Distribution::Ubuntu,
    id: "ubuntu",
    version: "24.04",
    pretty: "Ubuntu 24.04.2 LTS",
    kernel: "6.8.0-60-generic",
    old_kernel: "6.8.0-31-generic",
};

const ROCKY: Os = Os {
    distribution: Distribution::Rocky,
    id: "rocky",
    version: "9.5",
    pretty: "Rocky Linux 9.5 (Blue Onyx)",
    kernel: "5.14.0-503.40.1.el9_5.x86_64",
    old_kernel: "5.14.0-427.13.1.el9_4.x86_64",
};

/// What every kernel says of its build.
pub(super) const KERNEL_BUILD: &str = "#1 SMP simulated";

impl Os {
    /// Its full name, which hides nothing.
    pub(super) fn name(&self) -> String {
        format!("{}, simulated", self.pretty)
    }
}

/// A file system, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub(super) device: &'static str,
    pub(super) mounted: &'static str,
    pub(super) kind: &'static str,
    pub(super) size: u64,
    pub(super) used: u64,
}

impl Disk {
    /// How much of it is used, rounded up as df does.
    pub(super) fn percent(&self) -> u64 {
        (self.used * 100).div_ceil(self.size)
    }
}

/// Memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) cache: u64,
    pub(super) swap: u64,
    pub(super) swap_used: u64,
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
        let mut computer = Self {
            number,
            name,
            role,
            health,
            born,
            booted: Timestamp::now(),
            processes: Processes::new(first_pid),
        };
        computer.booted -= computer.up_before();
        computer
    }

    pub(super) fn number(&self) -> usize {
        self.number
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

    pub(super) fn os(&self) -> &'static Os {
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
        let os = self.os();
        let (name, id, version) = (os.name(), os.id, os.version);
        format!(
            "PRETTY_NAME=\"{name}\"\nID={id}\nVERSION_ID=\"{version}\"\nVARIANT=\"regatta demo\"\n"
        )
    }

    /// How long the simulation has gone on.
    pub(super) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    pub(super) fn uptime(&self) -> Duration {
        self.up_before() + self.age()
    }

    fn up_before(&self) -> Duration {
        Duration::from_secs(3_600 + self.chance(1, 200 * 86_400))
    }

    pub(super) fn booted(&self) -> Timestamp {
        self.booted
    }

    /// What its clock shows.
    pub(super) fn clock(&self) -> Timestamp {
        let wrong = Duration::from_secs(60 + self.chance(8, 600));
        let now = Timestamp::now();
        if self.in_step() { now } else { now - wrong }
    }

    /// Whether its clock is kept in step: that of a few is not, and is late.
    pub(super) fn in_step(&self) -> bool {
        self.chance(9, 14) != 0
    }

    /// Whether one of its file systems has no room left, which a few have, too.
    pub(super) fn is_full(&self) -> bool {
        match self.health {
            Health::Sick => true,
            Health::Well | Health::Outdated => self.chance(10, 17) == 0,
        }
    }

    /// How many commands can run at once.
    pub(super) fn processors(&self) -> u64 {
        match self.role {
            Role::Db | Role::Build => 16,
            Role::Cache | Role::Monitor => 8,
            Role::Web | Role::Queue | Role::Backup => 4,
            Role::Gate => 2,
        }
    }

    /// The load averages in hundredths.
    pub(super) fn load(&self) -> [u64; 3] {
        let base = self.chance(2, 180);
        [base, base * 9 / 10 + 2, base * 8 / 10 + 3]
    }

    pub(super) fn disks(&self) -> Vec<Disk> {
        let used = |salt, size: u64| size * (18 + self.chance(salt, 60)) / 100;
        let (root, data, run) = (40 << 20, 400 << 20, self.memory().total / 10);
        let kind = match self.os().distribution {
            Distribution::Debian | Distribution::Ubuntu => "ext4",
            Distribution::Rocky => "xfs",
        };
        let disk = |device, mounted, kind, size, used| Disk {
            device,
            mounted,
            kind,
            size,
            used,
        };
        let mut disks = vec![disk("/dev/vda1", "/", kind, root, used(3, root))];
        if matches!(self.role, Role::Db | Role::Backup | Role::Build) {
            disks.push(disk("/dev/vdb", "/srv", kind, data, used(4, data)));
        }
        if self.is_full()
            && let Some(last) = disks.last_mut()
        {
            last.used = last.size;
        }
        disks.push(disk(
            "tmpfs",
            "/run",
            "tmpfs",
            run,
            600 + self.chance(7, 900),
        ));
        disks
    }

    pub(super) fn memory(&self) -> Memory {
        let total = match self.role {
            Role::Db | Role::Cache => 64 << 20,
            Role::Web | Role::Queue | Role::Monitor | Role::Build | Role::Backup => 16 << 20,
            Role::Gate => 4 << 20,
        };
        let swap = match self.role {
            Role::Db | Role::Build | Role::Backup => 4 << 20,
            Role::Web | Role::Cache | Role::Queue | Role::Gate | Role::Monitor => 0,
        };
        Memory {
            total,
            used: total * (20 + self.chance(5, 40)) / 100,
            cache: total * (10 + self.chance(6, 20)) / 100,
            swap,
            swap_used: swap * self.chance(11, 30) / 100,
        }
    }

    /// A number below `below` that is always the same for this computer and `salt`.
    pub(super) fn chance(&self, salt: u64, below: u64) -> u64 {
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

//! The packages of simulated computers, and which of them wait for an update.
//!
//! While a demonstration goes on, one computer after the other installs the new version of one package: so two looks at
//! the packages differ.

use std::time::Duration;

use super::computer::{Computer, Distribution, Health};
use super::fleet::Role;

/// When every computer has installed the new version of [`ROLLED_OUT`].
const ROLL_OUT: Duration = Duration::from_secs(300);

/// What is updated while the demonstration goes on.
const ROLLED_OUT: &str = "curl";

/// How many computers come to one that has missed another update.
const MISSED: u64 = 9;

/// A package as it is published.
#[derive(Debug)]
struct Release {
    name: &'static str,
    version: &'static str,
    /// The version before, which some computers still have.
    before: Option<&'static str>,
}

/// A package that is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// What it could be updated to.
    pub(super) update: Option<&'static str>,
}

const fn lasting(name: &'static str, version: &'static str) -> Release {
    Release {
        name,
        version,
        before: None,
    }
}

const fn renewed(name: &'static str, before: &'static str, version: &'static str) -> Release {
    Release {
        name,
        version,
        before: Some(before),
    }
}

const DEBIAN: [Release; 14] = [
    lasting("adduser", "3.134"),
    lasting("apt", "2.6.1"),
    lasting("bash", "5.2.15-2+b8"),
    lasting("coreutils", "9.1-1"),
    renewed("curl", "7.88.1-10+deb12u8", "7.88.1-10+deb12u12"),
    renewed("libc6", "2.36-9+deb12u9", "2.36-9+deb12u10"),
    renewed("openssh-server", "1:9.2p1-2+deb12u5", "1:9.2p1-2+deb12u6"),
    renewed("openssl", "3.0.15-1~deb12u1", "3.0.16-1~deb12u1"),
    lasting("python3", "3.11.2-1+b1"),
    lasting("rsync", "3.2.7-1+deb12u2"),
    renewed("sudo", "1.9.13p3-1+deb12u1", "1.9.13p3-1+deb12u2"),
    lasting("systemd", "252.36-1~deb12u1"),
    lasting("tzdata", "2025b-0+deb12u1"),
    lasting("vim-tiny", "2:9.0.1378-2+deb12u2"),
];

const UBUNTU: [Release; 14] = [
    lasting("adduser", "3.137ubuntu1"),
    lasting("apt", "2.7.14build2"),
    lasting("bash", "5.2.21-2ubuntu4"),
    lasting("coreutils", "9.4-3ubuntu6"),
    renewed("curl", "8.5.0-2ubuntu10.4", "8.5.0-2ubuntu10.6"),
    renewed("libc6", "2.39-0ubuntu8.3", "2.39-0ubuntu8.4"),
    renewed(
        "openssh-server",
        "1:9.6p1-3ubuntu13.8",
        "1:9.6p1-3ubuntu13.11",
    ),
    renewed("openssl", "3.0.13-0ubuntu3.4", "3.0.13-0ubuntu3.5"),
    lasting("python3", "3.12.3-0ubuntu2"),
    lasting("rsync", "3.2.7-1ubuntu1.2"),
    renewed("sudo", "1.9.15p5-3ubuntu5", "1.9.15p5-3ubuntu5.24.04.1"),
    lasting("systemd", "255.4-1ubuntu8.6"),
    lasting("tzdata", "2025b-0ubuntu0.24.04.1"),
    lasting("vim-tiny", "2:9.1.0016-1ubuntu7.8"),
];

const ROCKY: [Release; 12] = [
    lasting("bash", "5.1.8-9.el9"),
    lasting("coreutils", "8.32-36.el9"),
    renewed("curl", "7.76.1-29.el9_4.1", "7.76.1-31.el9"),
    lasting("dnf", "4.14.0-17.el9"),
    renewed("glibc", "2.34-125.el9_5.3", "2.34-125.el9_5.8"),
    renewed("openssh-server", "8.7p1-43.el9", "8.7p1-45.el9_5"),
    renewed("openssl", "1:3.2.2-6.el9_5", "1:3.2.2-6.el9_5.1"),
    lasting("python3", "3.9.21-1.el9_5"),
    lasting("rsync", "3.2.3-20.el9_5.1"),
    renewed("sudo", "1.9.5p2-10.el9_3", "1.9.5p2-10.el9_5.1"),
    lasting("systemd", "252-46.el9_5.3"),
    lasting("tzdata", "2025b-1.el9"),
];

/// What a role's computers serve with.
fn own(role: Role) -> Release {
    match role {
        Role::Web => renewed("nginx", "1.22.1-9+deb12u1", "1.22.1-9+deb12u2"),
        Role::Db => renewed("postgresql-server", "13.18-1.el9_5", "13.20-1.el9_5"),
        Role::Cache => renewed(
            "redis-server",
            "5:7.0.15-1build2",
            "5:7.0.15-1ubuntu0.24.04.1",
        ),
        Role::Queue => lasting("rabbitmq-server", "3.12.1-1ubuntu1.2"),
        Role::Gate => renewed("haproxy", "2.6.12-1+deb12u1", "2.6.12-1+deb12u2"),
        Role::Monitor => lasting("prometheus", "2.45.3+ds-2ubuntu0.3"),
        Role::Build => renewed("gitlab-runner", "17.10.1-1", "17.11.1-1"),
        Role::Backup => lasting("borgmatic", "1.7.7-1"),
    }
}

/// The packages of a computer by name, when the simulation has gone on for `age`.
pub(super) fn packages(computer: &Computer, age: Duration) -> Vec<Package> {
    let usual: &[Release] = match computer.os().distribution {
        Distribution::Debian => &DEBIAN,
        Distribution::Ubuntu => &UBUNTU,
        Distribution::Rocky => &ROCKY,
    };
    let own = own(computer.role());
    let releases = usual.iter().chain([&own]).enumerate();
    let mut packages: Vec<Package> = releases
        .map(|(place, release)| installed(computer, age, place as u64, release))
        .collect();
    packages.sort_by_key(|package| package.name);
    packages
}

fn installed(computer: &Computer, age: Duration, place: u64, release: &Release) -> Package {
    let missed = match computer.health() {
        Health::Outdated => true,
        Health::Well | Health::Sick if release.name == ROLLED_OUT => {
            age.as_secs() < computer.chance(30, ROLL_OUT.as_secs())
        }
        Health::Well | Health::Sick => computer.chance(40 + place, MISSED) == 0,
    };
    match release.before.filter(|_| missed) {
        Some(before) => Package {
            name: release.name,
            version: before,
            update: Some(release.version),
        },
        None => Package {
            name: release.name,
            version: release.version,
            update: None,
        },
    }
}

/// What packages of a computer are made for.
pub(super) fn architecture(computer: &Computer) -> &'static str {
    match computer.os().distribution {
        Distribution::Debian | Distribution::Ubuntu => "amd64",
        Distribution::Rocky => "x86_64",
    }
}

/// Why a computer waits to be restarted, in the words of its tools; most do not.
pub(super) fn restart(computer: &Computer) -> Option<&'static str> {
    match (computer.health(), computer.os().distribution) {
        // The newer kernel is there and does not run.
        (Health::Outdated, _) => Some("linux-image-6.1.0-37-amd64"),
        (Health::Well | Health::Sick, _) if computer.chance(31, 10) != 0 => None,
        (Health::Well | Health::Sick, Distribution::Debian | Distribution::Ubuntu) => {
            Some("dbus libc6")
        }
        (Health::Well | Health::Sick, Distribution::Rocky) => Some("needs-restarting says so"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::fleet::Fleet;

    #[test]
    fn one_package_is_updated_on_one_computer_after_the_other_and_nothing_else_changes() {
        let fleet = Fleet::new(24);
        let at = |seconds| {
            let age = Duration::from_secs(seconds);
            let computers = fleet.computers().iter();
            let packages = computers.flat_map(|computer| {
                let packages = packages(computer, age).into_iter();
                packages.map(|package| (computer.name(), package))
            });
            packages.partition::<Vec<_>, _>(|(_, package)| package.name == ROLLED_OUT)
        };
        let waiting = |seconds| {
            let (rolled, _) = at(seconds);
            let old = rolled.iter().filter(|(_, curl)| curl.update.is_some());
            old.map(|(name, _)| *name).collect::<Vec<_>>()
        };
        let counts: Vec<usize> = [0, 60, 150].map(|seconds| waiting(seconds).len()).into();
        assert!(counts[0] > 20, "{counts:?}");
        assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
        assert_eq!(waiting(300), ["web03"], "it has missed every update");
        assert_eq!(at(0).1, at(300).1);
    }
}

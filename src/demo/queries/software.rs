//! What is installed on a computer, and what became of it.

use super::super::computer::{Computer, Distribution};
use super::super::service::{self, State};
use super::super::software;
use super::row;

pub(super) fn packages(computer: &Computer) -> String {
    let arch = software::architecture(computer);
    let packages = software::packages(computer, computer.age()).into_iter();
    packages
        .map(|package| row(&[&package.name, &package.version, &arch]))
        .collect()
}

/// dnf does not say what is installed.
pub(super) fn updates(computer: &Computer) -> String {
    let packages = software::packages(computer, computer.age()).into_iter();
    let updates = packages.filter_map(|package| {
        let current = match computer.os().distribution {
            Distribution::Debian | Distribution::Ubuntu => package.version,
            Distribution::Rocky => "",
        };
        Some(row(&[&package.name, &current, &package.update?]))
    });
    updates.collect()
}

pub(super) fn reboot_required(computer: &Computer) -> String {
    let (required, why) = match software::restart(computer) {
        Some(why) => ("yes", why),
        None => ("no", ""),
    };
    row(&[&required, &why, &computer.kernel()])
}

pub(super) fn services(computer: &Computer) -> String {
    let services = service::services(computer).into_iter();
    let rows = services.map(|service| {
        let (active, state) = match service.state {
            State::Running => ("active", "running"),
            State::Dead => ("inactive", "dead"),
            State::Failed => ("failed", "failed"),
        };
        row(&[&service.name, &active, &state, &service.description])
    });
    rows.collect()
}

//! Which simulated computers there are: names, groups and labels as in a small company, in the same proportions
//! however many.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::Instant;

use super::computer::{Computer, Health};

/// What a computer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Web,
    Db,
    Cache,
    Queue,
    Gate,
    Monitor,
    Build,
    Backup,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::Web,
        Self::Db,
        Self::Cache,
        Self::Queue,
        Self::Gate,
        Self::Monitor,
        Self::Build,
        Self::Backup,
    ];

    /// What computers of this role are called, and their group.
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Db => "db",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Gate => "gate",
            Self::Monitor => "monitor",
            Self::Build => "build",
            Self::Backup => "backup",
        }
    }
}

/// The roles of any 24 computers in a row, mixed so that few computers are a mixture, too.
const MIXTURE: [Role; 24] = {
    use Role::{Backup, Build, Cache, Db, Gate, Monitor, Queue, Web};
    [
        Web, Web, Db, Web, Web, Cache, Web, Db, Web, Gate, Web, Queue, //
        Web, Db, Web, Monitor, Web, Cache, Web, Db, Build, Web, Queue, Backup,
    ]
};

/// How many database servers are in the group `nightly`.
const NIGHTLY: usize = 4;

/// All simulated computers.
#[derive(Debug)]
pub struct Fleet {
    /// By role, then by number.
    computers: Vec<Arc<Computer>>,
    by_name: HashMap<String, Arc<Computer>>,
}

impl Fleet {
    /// `size` computers; those of one size are always the same.
    pub fn new(size: usize) -> Self {
        let born = Instant::now();
        let mut computers = Vec::with_capacity(size);
        for role in Role::ALL {
            let count = (0..size).filter(|place| mixture(*place) == role).count();
            // One web server in a large fleet is sick, another has missed its updates.
            let (sick, outdated) = (count.min(7), if count > 1 { count.min(3) } else { 0 });
            let outdated = if outdated == sick { 1 } else { outdated };
            for number in 1..=count {
                let health = match role {
                    Role::Web if number == sick => Health::Sick,
                    Role::Web if number == outdated => Health::Outdated,
                    _ => Health::Well,
                };
                let name = name(role, number, count);
                let computer = Computer::new(computers.len(), name, role, health, born);
                computers.push(Arc::new(computer));
            }
        }
        let by_name = computers
            .iter()
            .map(|computer| (computer.name().to_owned(), Arc::clone(computer)))
            .collect();
        Self { computers, by_name }
    }

    pub fn computers(&self) -> &[Arc<Computer>] {
        &self.computers
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Computer>> {
        self.by_name.get(name)
    }

    /// The computers that are in a state of health.
    pub fn names_of(&self, health: Health) -> Vec<&str> {
        self.computers
            .iter()
            .filter(|computer| computer.health() == health)
            .map(|computer| computer.name())
            .collect()
    }

    /// An `inventory.toml` that reaches every computer at `server`.
    pub fn inventory(&self, server: SocketAddr) -> String {
        let mut text = String::from("# Simulated computers of `regatta demo`.\n\n[hosts]\n");
        for computer in &self.computers {
            let name = computer.name();
            writeln!(
                text,
                "{name} = {{ address = \"{}\", port = {}, user = \"{name}\", labels = {{ role = \"{}\", site = \"{}\", os = \"{}\" }} }}",
                server.ip(),
                server.port(),
                computer.role().name(),
                computer.site(),
                computer.os_id(),
            )
            .expect("a String takes everything");
        }
        text.push_str("\n[groups]\n");
        for role in Role::ALL {
            let mut members = self.members(role);
            if members.next().is_some() {
                let role = role.name();
                writeln!(text, "{role} = {{ labels = {{ role = \"{role}\" }} }}")
                    .expect("a String takes everything");
            }
        }
        writeln!(text, "nightly = \"{}\"", self.nightly().join(","))
            .expect("a String takes everything");
        text
    }

    /// The group `nightly`: a few database servers, or the first computer if there are none.
    pub fn nightly(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.members(Role::Db).take(NIGHTLY).collect();
        if names.is_empty() {
            names.extend(self.computers.first().map(|computer| computer.name()));
        }
        names
    }

    fn members(&self, role: Role) -> impl Iterator<Item = &str> {
        self.computers
            .iter()
            .filter(move |computer| computer.role() == role)
            .map(|computer| computer.name())
    }
}

fn mixture(place: usize) -> Role {
    MIXTURE[place % MIXTURE.len()]
}

/// `web01`, `db1`, `gate`: web servers have two digits at least, and what there is only one of has none.
fn name(role: Role, number: usize, count: usize) -> String {
    let digits = count.to_string().len();
    let role_name = role.name();
    match role {
        Role::Web => format!("{role_name}{number:0width$}", width = digits.max(2)),
        Role::Gate | Role::Monitor | Role::Build | Role::Backup if count == 1 => {
            role_name.to_owned()
        }
        _ => format!("{role_name}{number:0digits$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::inventory::Inventory;
    use crate::targets::{Source, Targets};

    #[test]
    fn twenty_four_computers_are_a_small_company() {
        let fleet = Fleet::new(24);
        let names: Vec<&str> = fleet.computers().iter().map(|c| c.name()).collect();
        let expected = "web01 web02 web03 web04 web05 web06 web07 web08 web09 web10 web11 web12 db1 db2 db3 db4 \
                        cache1 cache2 queue1 queue2 gate monitor build backup";
        assert_eq!(names.join(" "), expected);
        assert_eq!(fleet.names_of(Health::Sick), ["web07"]);
        assert_eq!(fleet.names_of(Health::Outdated), ["web03"]);
        assert_eq!(fleet.nightly(), ["db1", "db2", "db3", "db4"]);
    }

    /// Never on a computer: there are no files in these inventories.
    struct NoFiles;

    impl Source for NoFiles {
        fn file(&mut self, path: &str) -> std::io::Result<String> {
            unreachable!("{path} is not asked for")
        }

        fn stdin(&mut self) -> std::io::Result<String> {
            unreachable!("stdin is not asked for")
        }
    }

    #[test]
    fn every_size_has_distinct_names_one_sick_computer_and_a_sound_inventory() {
        for size in [1, 2, 3, 4, 5, 9, 23, 24, 25, 300, 2_000] {
            let fleet = Fleet::new(size);
            assert_eq!(fleet.computers().len(), size);
            assert_eq!(fleet.by_name.len(), size, "names are distinct");
            assert_eq!(fleet.names_of(Health::Sick).len(), 1, "{size}");
            assert_eq!(
                fleet.names_of(Health::Outdated).len(),
                usize::from(size > 1),
                "{size}"
            );
            let text = fleet.inventory(([127, 0, 0, 1], 2222).into());
            let inventory = Inventory::parse(&text, "inventory.toml").expect("it is sound");
            for (targets, count) in [
                ("@*", size),
                ("@web", fleet.members(Role::Web).count()),
                ("@nightly", fleet.nightly().len()),
            ] {
                let set = Targets::new(inventory.groups(), &mut NoFiles)
                    .resolve(targets, None)
                    .expect("the groups are known");
                assert_eq!(set.iter().count(), count, "{targets} of {size}");
            }
        }
    }
}

//! `inventory.toml`: the computers one works with, what is special about them, and groups of them.
//!
//! The format is documented in config/inventory.toml ([`EXAMPLE`]), which is compiled in and parsed by a test. A file is accepted whole or
//! refused with its line. Other inventories (Ansible's, commands') are further sources in [`Inventory::groups_mut`], not read here;
//! and nothing here says how to connect: what is not given is left to the OpenSSH configuration.

mod error;
mod order;
mod read;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

pub use error::{InventoryError, Problem};
use order::GroupOrder;
use read::{File, GroupTable, HostTable, Placed};

use crate::targets::{Groups, HostName, HostSet, NoSource, Outline, TargetError, Targets};

/// The commented example that documents the format.
pub const EXAMPLE: &str = include_str!("../../config/inventory.toml");

/// The name of the group source that an inventory file is: `@inventory:web` is `@web`.
pub const SOURCE: &str = "inventory";

/// A validated inventory.
#[derive(Debug, Clone)]
pub struct Inventory {
    groups: Groups,
    /// Keys that name one host outright, joined into one description for each.
    single: HashMap<String, Settings>,
    /// All other keys, the one that counts most first.
    wide: Vec<Wide>,
}

/// What is known about a host. Where several places say it, the host name itself (`user@host:port`) comes first, then the narrowest key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    /// What to connect to, without user and port; the host's own name where nothing else is said.
    pub address: String,
    pub user: Option<String>,
    pub port: Option<u16>,
    pub labels: BTreeMap<String, String>,
}

/// A key that names several hosts, or has wildcards.
#[derive(Debug, Clone)]
struct Wide {
    hosts: HostSet,
    naming: Naming,
    settings: Settings,
}

/// How a key names its hosts. Outright counts more than by wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    Outright,
    ByWildcard,
}

#[derive(Debug, Clone, Default)]
struct Settings {
    address: Option<Addresses>,
    user: Option<String>,
    port: Option<u16>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
enum Addresses {
    Same(HostName),
    /// By host name.
    Each(HashMap<String, HostName>),
}

impl Addresses {
    fn of(&self, host: &str) -> Option<&HostName> {
        match self {
            Self::Same(address) => Some(address),
            Self::Each(addresses) => addresses.get(host),
        }
    }
}

impl Settings {
    /// Takes from `other` what is not set here.
    fn fill(&mut self, other: Self) {
        // A port can come with the address, and is then as good as one given by itself.
        if !matches!(&self.address, Some(Addresses::Same(address)) if address.port().is_some()) {
            self.port = self.port.or(other.port);
        }
        self.address = self.address.take().or(other.address);
        self.user = self.user.take().or(other.user);
        for (label, value) in other.labels {
            self.labels.entry(label).or_insert(value);
        }
    }
}

/// No hosts and no groups.
impl Default for Inventory {
    fn default() -> Self {
        Self {
            groups: Groups::new(SOURCE),
            single: HashMap::new(),
            wide: Vec::new(),
        }
    }
}

impl Inventory {
    /// Parses a file's text; `origin` names the file in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, InventoryError> {
        let file = File { text, origin };
        let tables = file.tables()?;
        let mut inventory = Self::default();
        inventory.learn_hosts(file, &tables.hosts, &tables.groups)?;
        for table in tables.hosts {
            inventory.add_host(file, table)?;
        }
        // A later line wins among equals, so it comes first; the sort is stable.
        inventory.wide.reverse();
        inventory
            .wide
            .sort_by_key(|wide| (wide.naming, wide.hosts.len()));
        GroupOrder::new(file, &tables.groups)?.resolve_into(&mut inventory)?;
        Ok(inventory)
    }

    /// The known hosts, and the groups of every source; this file's is the default one.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// For adding the groups of other sources.
    pub fn groups_mut(&mut self) -> &mut Groups {
        &mut self.groups
    }

    /// What is known about a host, be it in the inventory or not.
    pub fn host(&self, name: &HostName) -> HostEntry {
        let host = name.host();
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        let (mut user, mut port, mut address) = (name.user().map(str::to_owned), name.port(), None);
        for settings in self.settings(host) {
            let here = settings
                .address
                .as_ref()
                .and_then(|addresses| addresses.of(host));
            port = port.or(settings.port);
            if address.is_none()
                && let Some(here) = here
            {
                port = port.or(here.port());
                address = Some(here.host().to_owned());
            }
            user = user.or_else(|| settings.user.clone());
            for (label, value) in &settings.labels {
                labels.entry(label.clone()).or_insert_with(|| value.clone());
            }
        }
        HostEntry {
            address: address.unwrap_or_else(|| host.to_owned()),
            user,
            port,
            labels,
        }
    }

    /// The known hosts that have a label of this value.
    pub fn labelled(&self, label: &str, value: &str) -> HostSet {
        let mut found = HostSet::default();
        // From the widest key to the narrowest, each overriding those before.
        for Wide {
            hosts, settings, ..
        } in self.wide.iter().rev()
        {
            match settings.labels.get(label) {
                Some(here) if here == value => found = found.union(hosts),
                Some(_) => found = found.minus(hosts),
                None => {}
            }
        }
        let with = |wanted: bool| -> HostSet {
            let named = self.single.iter().filter(|(_, settings)| {
                settings
                    .labels
                    .get(label)
                    .is_some_and(|here| (here == value) == wanted)
            });
            named
                .filter_map(|(name, _)| HostName::parse(name).ok())
                .collect()
        };
        found.minus(&with(false)).union(&with(true))
    }

    /// What the keys say about the host, the narrowest first.
    fn settings(&self, host: &str) -> impl Iterator<Item = &Settings> {
        let wide = self
            .wide
            .iter()
            .filter(move |wide| wide.hosts.contains(host));
        self.single
            .get(host)
            .into_iter()
            .chain(wide.map(|wide| &wide.settings))
    }

    /// Makes known every host that is named outright.
    fn learn_hosts(
        &mut self,
        file: File<'_>,
        hosts: &[HostTable],
        groups: &[GroupTable],
    ) -> Result<(), InventoryError> {
        let mut known = Vec::new();
        for table in hosts {
            let key = format!("hosts.{}", table.names.value);
            let outline = outline(file, &key, &table.names)?;
            if !outline.groups.is_empty() {
                return Err(file.error(&table.names.at, Problem::GroupInHosts { key }));
            }
            if outline
                .hosts
                .iter()
                .any(|name| name.user().is_some() || name.port().is_some())
            {
                let error = file.error(&table.names.at, Problem::UserOrPortInHosts { key });
                let hint = Some("give them as user = \"...\" and port = ...".to_owned());
                return Err(InventoryError { hint, ..error });
            }
            if !outline.uses_known_hosts {
                known.push(self.resolve(file, &key, &table.names)?);
            }
        }
        for table in groups {
            let key = format!("groups.{}", table.name.value);
            for expression in table.hosts.iter().flatten() {
                known.push(outline(file, &key, expression)?.hosts);
            }
        }
        self.groups.add_hosts(&HostSet::union_of(&known));
        Ok(())
    }

    fn add_host(&mut self, file: File<'_>, table: HostTable) -> Result<(), InventoryError> {
        let key = format!("hosts.{}", table.names.value);
        let hosts = self.resolve(file, &key, &table.names)?;
        let address = table
            .address
            .map(|address| addresses(file, &key, &address, &hosts, table.port.is_some()))
            .transpose()?;
        let user = table
            .user
            .map(|user| checked_user(file, &key, user))
            .transpose()?;
        let settings = Settings {
            address,
            user,
            port: table.port.map(|port| port.value),
            labels: table.labels,
        };
        let naming = if outline(file, &key, &table.names)?.uses_known_hosts {
            Naming::ByWildcard
        } else {
            Naming::Outright
        };
        match hosts.iter().next() {
            Some(only) if hosts.len() == 1 && naming == Naming::Outright => {
                let mut settings = settings;
                let slot = self.single.entry(only.to_string()).or_default();
                settings.fill(std::mem::take(slot));
                *slot = settings;
            }
            _ => self.wide.push(Wide {
                hosts,
                naming,
                settings,
            }),
        }
        Ok(())
    }

    fn resolve(
        &self,
        file: File<'_>,
        key: &str,
        text: &Placed<String>,
    ) -> Result<HostSet, InventoryError> {
        let resolved = Targets::new(&self.groups, &mut NoSource).resolve(&text.value, None);
        resolved.map_err(|error| target_error(file, key, text, error))
    }
}

fn target_error(
    file: File<'_>,
    key: &str,
    text: &Placed<String>,
    error: TargetError,
) -> InventoryError {
    file.error(
        &text.at,
        Problem::Targets {
            key: key.to_owned(),
            error: Box::new(error),
        },
    )
}

fn outline(file: File<'_>, key: &str, text: &Placed<String>) -> Result<Outline, InventoryError> {
    Outline::of(&text.value).map_err(|error| target_error(file, key, text, error))
}

/// One address for all hosts, or one for each in order.
fn addresses(
    file: File<'_>,
    key: &str,
    text: &Placed<String>,
    hosts: &HostSet,
    port_is_given: bool,
) -> Result<Addresses, InventoryError> {
    let key = format!("{key}.address");
    let addresses: HostSet = text
        .value
        .parse()
        .map_err(|error| target_error(file, &key, text, error))?;
    if addresses
        .iter()
        .any(|address| address.user().is_some() || (port_is_given && address.port().is_some()))
    {
        return Err(file.error(&text.at, Problem::AddressParts { key }));
    }
    if addresses.len() == 1
        && let Some(only) = addresses.iter().next()
    {
        return Ok(Addresses::Same(only));
    }
    if addresses.len() != hosts.len() {
        let problem = Problem::AddressCount {
            key,
            hosts: hosts.len(),
            addresses: addresses.len(),
        };
        return Err(file.error(&text.at, problem));
    }
    Ok(Addresses::Each(
        hosts
            .iter()
            .map(|host| host.to_string())
            .zip(&addresses)
            .collect(),
    ))
}

/// A user is what may stand in front of an `@`.
fn checked_user(file: File<'_>, key: &str, user: Placed<String>) -> Result<String, InventoryError> {
    match HostName::parse(&format!("{}@host", user.value)) {
        Ok(_) => Ok(user.value),
        Err(why) => Err(file.error(
            &user.at,
            Problem::InvalidUser {
                key: format!("{key}.user"),
                why,
            },
        )),
    }
}

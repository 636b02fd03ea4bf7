//! From target expressions to hosts: inventory, node sets, files and standard input.

use std::io;

use super::Planner;
use super::caller::Files;
use super::error::PlanError;
use crate::command::TargetArgs;
use crate::config::inventory::Inventory;
use crate::config::settings::File;
use crate::core::spec::Host;
use crate::targets::{HostName, HostSet, Targets};

impl Planner<'_> {
    /// The inventory in force; an empty one if there is none.
    pub fn inventory(&self) -> Result<Inventory, PlanError> {
        let (path, required) = match &self.settings.inventory {
            File::Named(path) => (path, true),
            File::Usual(Some(path)) => (path, false),
            File::Usual(None) => return Ok(Inventory::default()),
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Inventory::parse(&text, &path.display().to_string())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {
                Ok(Inventory::default())
            }
            Err(error) => Err(PlanError::usage(format!(
                "cannot read {}: {error}",
                path.display()
            ))),
        }
    }

    /// The hosts that target options mean.  It can be none.
    pub fn resolve(&self, inventory: &Inventory, args: &TargetArgs) -> Result<HostSet, PlanError> {
        let exclude = (!args.exclude.is_empty()).then(|| args.exclude.join(","));
        let expression = args.targets.join(",");
        let mut files = Files(self.caller);
        let mut targets = Targets::new(inventory.groups(), &mut files);
        Ok(targets.resolve(&expression, exclude.as_deref())?)
    }

    /// The hosts of one expression, from the inventory in force.
    pub fn resolve_one(&self, expression: &str) -> Result<HostSet, PlanError> {
        let inventory = self.inventory()?;
        let mut files = Files(self.caller);
        Ok(Targets::new(inventory.groups(), &mut files).resolve(expression, None)?)
    }
}

/// A host with what the inventory says of it.
pub fn host(inventory: &Inventory, name: &HostName) -> Host {
    let entry = inventory.host(name);
    Host {
        name: name.as_str().to_string(),
        host: name.host().to_string(),
        // The host's own name is no address: what ssh_config says of the name goes on holding.
        address: Some(entry.address).filter(|address| address != name.host()),
        user: entry.user,
        port: entry.port,
    }
}

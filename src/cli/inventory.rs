//! From what was typed to hosts: inventory, node sets, stdin and files.

use std::io::{self, Read};

use super::context::Context;
use super::error::CliError;
use crate::command::TargetArgs;
use crate::config::inventory::Inventory;
use crate::config::settings::File;
use crate::core::spec::Host;
use crate::targets::{HostName, HostSet, Source, Targets};

/// Reads what expressions refer to.
struct Files;

impl Source for Files {
    fn file(&mut self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn stdin(&mut self) -> io::Result<String> {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text)?;
        Ok(text)
    }
}

/// The inventory in force; an empty one if there is none.
pub(super) fn load(context: &Context) -> Result<Inventory, CliError> {
    let (path, required) = match &context.settings.inventory {
        File::Named(path) => (path, true),
        File::Usual(Some(path)) => (path, false),
        File::Usual(None) => return Ok(Inventory::default()),
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Inventory::parse(&text, &path.display().to_string())?),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {
            Ok(Inventory::default())
        }
        Err(error) => Err(CliError::usage(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// The hosts that target options mean.
pub(super) fn resolve(inventory: &Inventory, args: &TargetArgs) -> Result<HostSet, CliError> {
    let exclude = (!args.exclude.is_empty()).then(|| args.exclude.join(","));
    let expression = args.targets.join(",");
    Ok(Targets::new(inventory.groups(), &mut Files).resolve(&expression, exclude.as_deref())?)
}

/// The hosts of one expression.
pub(super) fn resolve_one(inventory: &Inventory, expression: &str) -> Result<HostSet, CliError> {
    Ok(Targets::new(inventory.groups(), &mut Files).resolve(expression, None)?)
}

/// A host with what the inventory says of it.
pub(super) fn host(inventory: &Inventory, name: &HostName) -> Host {
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

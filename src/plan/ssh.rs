//! What of OpenSSH's configuration has to be known before anything runs: which file holds, which variables it sends, and
//! what in it has no effect here, which is said and never ignored silently.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Planner;
use super::error::PlanError;
use super::hosts::host;
use super::job::utf8;
use crate::command::Run;
use crate::config::inventory::Inventory;
use crate::config::ssh_config::{
    ClientConfig, Commands, ConfigError, ConfigSource, HostSettings, Loss, Overrides,
};
use crate::core::fleet::Command;
use crate::core::spec::{Host, JobSpec, Motion};
use crate::secret::Environment;
use crate::targets::HostName;
use crate::wire::Request;

impl Planner<'_> {
    /// The ssh_config to use instead of the user's, by its full path; `none` is OpenSSH's word for no file at all.
    pub fn ssh_config(&self) -> Result<Option<PathBuf>, PlanError> {
        let (typed, set) = (&self.global.ssh_config, &self.settings.ssh_config);
        match typed.as_ref().or(set.as_ref()) {
            None => Ok(None),
            Some(file) if file.as_os_str() == "none" => Ok(Some(file.clone())),
            Some(file) => {
                let full = std::fs::canonicalize(self.caller.path(file));
                full.map(Some).map_err(|error| {
                    PlanError::usage(format!("cannot read {}: {error}", file.display()))
                })
            }
        }
    }

    /// All of OpenSSH's configuration, as it holds here.
    pub fn client_config(&self) -> Result<ClientConfig, PlanError> {
        self.client_config_in(self.ssh_config()?.as_deref())
    }

    fn client_config_in(&self, file: Option<&Path>) -> Result<ClientConfig, PlanError> {
        let source = file.map_or(ConfigSource::Standard, ConfigSource::from_option);
        ClientConfig::load(&source, &self.caller.local)
            .map_err(|error| PlanError::usage(error.to_string()))
    }

    /// What is set for the job's hosts or for the hops before them, has no effect, and matters; nothing where no SSH is
    /// spoken.  A configuration
    /// that cannot be read is an error here, once, rather than every child's.
    pub fn ssh_notes(&self, job: &JobSpec) -> Result<Vec<String>, PlanError> {
        if job.runner != "ssh" {
            return Ok(Vec::new());
        }
        let (config, inventory) = (self.client_config()?, self.inventory()?);
        let mut notes = BTreeSet::new();
        for host in &job.hosts {
            // What is wrong with one host alone is that child's reason.
            let Ok(settings) = self.ssh_settings(&config, host, Commands::Skip) else {
                continue;
            };
            let hops = config.hops(&settings, Commands::Skip, &|name| hop(&inventory, name));
            let hops = hops.unwrap_or_default();
            let all = hops.iter().chain([&settings]);
            let notes_of_all = all.flat_map(|one| &one.notes);
            let losses = notes_of_all.filter(|note| note.loss() == Loss::Matters);
            notes.extend(losses.map(ToString::to_string));
        }
        Ok(notes.into_iter().collect())
    }

    /// Everything that is set for one host.
    pub fn ssh_settings(
        &self,
        config: &ClientConfig,
        host: &Host,
        commands: Commands<'_>,
    ) -> Result<HostSettings, ConfigError> {
        let overrides = Overrides::of_host(host, &self.caller.local)?;
        config.resolve(&host.host, &overrides, commands)
    }

    /// A request as it goes from here: what starts commands takes along the variables that `SendEnv` sends.  They are no
    /// part of the job, which is written down.
    pub fn in_environment(&self, request: Request) -> Request {
        match request {
            Request::Submit {
                spec,
                environment: _,
                secrets,
            } if spec.runner == "ssh" => {
                let file = spec.options.iter().find(|(name, _)| name == "ssh_config");
                let file = file.map(|(_, file)| PathBuf::from(file));
                Request::Submit {
                    environment: self.environment(Ok(file)),
                    spec,
                    secrets,
                }
            }
            // A queue goes on whose first environment may have ended with its daemon.
            Request::Command(
                command @ Command::Move {
                    motion: Motion::Resume,
                    ..
                },
            ) => Request::InEnvironment {
                environment: self.environment(self.ssh_config()),
                command,
            },
            Request::Rerun {
                select,
                which,
                asking,
                becomes,
                environment: _,
            } => Request::Rerun {
                select,
                which,
                asking,
                becomes,
                environment: self.environment(self.ssh_config()),
            },
            starts_nothing => starts_nothing,
        }
    }

    /// The caller's variables that some host may be sent; the runner knows which.  A configuration that cannot be read is
    /// every child's reason.
    fn environment(&self, file: Result<Option<PathBuf>, PlanError>) -> Environment {
        let Ok(config) = file.and_then(|file| self.client_config_in(file.as_deref())) else {
            return Environment::default();
        };
        let variables = self.caller.local.variables.iter();
        Environment::of(variables.filter(|(name, _)| config.sends(name)))
    }

    /// What the SSH runner needs to know of the caller.
    pub(super) fn ssh_options(
        &self,
        args: &Run,
        inventory: &Inventory,
        hosts: &[Host],
    ) -> Result<Vec<(String, String)>, PlanError> {
        let mut options = Vec::new();
        if let Some(file) = self.ssh_config()? {
            options.push(("ssh_config".to_string(), utf8(&file)?));
        }
        // As for ssh, what is said on the command line (the job's own limit) comes before ConnectTimeout in a file.
        if args.connect_timeout.is_some() {
            options.push(("connect_timeout".to_string(), "order".to_string()));
        }
        if let Some(agent) = &self.caller.agent {
            options.push(("agent".to_string(), utf8(agent)?));
        }
        let config = self.client_config()?;
        for (name, known) in self.hops_of(&config, inventory, hosts) {
            let port = known.port.map(|port| port.to_string());
            for (option, value) in [
                ("hop_address", known.address),
                ("hop_user", known.user),
                ("hop_port", port),
            ] {
                options.extend(value.map(|value| (option.to_string(), format!("{name} {value}"))));
            }
        }
        options.sort();
        Ok(options)
    }

    /// What the inventory says of hosts that others are reached through.  The runner may find more of them than are
    /// used, by the commands of `Match exec`, but none that is not named somewhere.
    fn hops_of(
        &self,
        config: &ClientConfig,
        inventory: &Inventory,
        hosts: &[Host],
    ) -> BTreeMap<String, Host> {
        let (made, plain): (Vec<_>, Vec<_>) = config
            .hop_names()
            .into_iter()
            .partition(|name| name.contains('%'));
        let found = RefCell::new(BTreeMap::new());
        let look = |name: &str| {
            let known = hop(inventory, name)?;
            found.borrow_mut().insert(name.to_string(), known.clone());
            Some(known)
        };
        for name in plain {
            look(name);
        }
        if !made.is_empty() {
            for host in hosts {
                // What is wrong with one host alone is that child's reason.
                if let Ok(settings) = self.ssh_settings(config, host, Commands::Skip) {
                    let _ = config.hops(&settings, Commands::Skip, &look);
                }
            }
        }
        found.into_inner()
    }
}

/// What the inventory says of a hop, if anything.
fn hop(inventory: &Inventory, name: &str) -> Option<Host> {
    let known = host(inventory, &HostName::parse(name).ok()?);
    let says = known.address.is_some() || known.user.is_some() || known.port.is_some();
    says.then_some(known)
}

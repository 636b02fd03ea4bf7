//! `hosts`: what target expressions and the inventory mean.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::{CliError, Exit};
use crate::command::{Hosts, TargetArgs};
use crate::config::inventory::Inventory;
use crate::config::ssh_config::{Answers, ClientConfig, Commands, HostSettings, Origin};
use crate::plan::{Planner, host};
use crate::targets::{HostName, HostSet};

/// Whether every setting is told, with where it comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Explain {
    Yes,
    No,
}

pub(super) fn hosts(context: &Context, args: &Hosts) -> Result<Exit, CliError> {
    let planner = context.planner();
    let inventory = planner.inventory()?;
    if args.groups {
        return groups(context, &inventory);
    }
    // Without an expression: everything known, but for what is left out.
    let targets = if args.targets.is_empty() {
        vec!["@*".to_string()]
    } else {
        args.targets.clone()
    };
    let set = planner.resolve(
        &inventory,
        &TargetArgs {
            targets,
            exclude: args.exclude.clone(),
        },
    )?;
    let mut out = std::io::stdout().lock();
    if args.count {
        if context.global.json {
            context
                .terminal
                .json(&mut out, &json!({"count": set.len()}))?;
        } else {
            writeln!(out, "{}", set.len())?;
        }
    } else if args.fold {
        if context.global.json {
            context
                .terminal
                .json(&mut out, &json!({"fold": set.fold(), "count": set.len()}))?;
        } else if !set.is_empty() {
            writeln!(out, "{}", set.fold())?;
        }
    } else if context.global.json {
        let explainer = Explainer::new(planner, &inventory)?;
        let explain = if args.explain {
            Explain::Yes
        } else {
            Explain::No
        };
        let hosts: Result<Vec<Value>, CliError> = set
            .iter()
            .map(|host| explainer.json(&host, explain))
            .collect();
        context.terminal.json(&mut out, &Value::from(hosts?))?;
    } else if args.explain {
        let explainer = Explainer::new(planner, &inventory)?;
        set.iter()
            .try_for_each(|host| explainer.text(&host, &mut out))?;
    } else {
        for host in &set {
            writeln!(out, "{}", host.as_str())?;
        }
    }
    if set.is_empty() {
        return Err(nothing(&args.targets));
    }
    Ok(Exit::Done)
}

/// What to say where no host is left.
fn nothing(targets: &[String]) -> CliError {
    if targets.is_empty() {
        return CliError::nothing("no host is known").hint("inventory.toml names hosts and groups");
    }
    let expression = targets.join(",");
    if expression.trim().is_empty() {
        return CliError::nothing("no targets: the expression is empty");
    }
    CliError::nothing(format!("{expression} matches no host"))
        .hint("`regatta hosts` lists the known ones")
}

fn groups(context: &Context, inventory: &Inventory) -> Result<Exit, CliError> {
    let groups: Vec<(&str, &HostSet)> = inventory.groups().of_source(None).collect();
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let groups: Vec<Value> = groups
            .iter()
            .map(
                |(name, hosts)| json!({"group": name, "count": hosts.len(), "hosts": hosts.fold()}),
            )
            .collect();
        context.terminal.json(&mut out, &Value::from(groups))?;
    } else {
        for (name, hosts) in &groups {
            writeln!(out, "@{name}  {}  {}", hosts.len(), hosts.fold())?;
        }
    }
    if groups.is_empty() {
        return Err(CliError::nothing("there are no groups").hint("inventory.toml names them"));
    }
    Ok(Exit::Done)
}

/// Hosts with everything that is set for them.
struct Explainer<'a> {
    inventory: &'a Inventory,
    planner: Planner<'a>,
    config: ClientConfig,
    answers: Answers,
}

impl<'a> Explainer<'a> {
    fn new(planner: Planner<'a>, inventory: &'a Inventory) -> Result<Self, CliError> {
        let config = planner.client_config()?;
        Ok(Self {
            inventory,
            planner,
            config,
            answers: Answers::default(),
        })
    }

    /// The commands of `Match exec` run only for whoever wants to know every setting.
    fn settings(&self, name: &HostName, explain: Explain) -> Result<HostSettings, CliError> {
        let host = host(self.inventory, name);
        let commands = match explain {
            Explain::Yes => Commands::Run(&self.answers),
            Explain::No => Commands::Skip,
        };
        let resolved = self.planner.ssh_settings(&self.config, &host, commands);
        resolved.map_err(|error| CliError::usage(format!("{}: {error}", name.as_str())))
    }

    fn json(&self, name: &HostName, explain: Explain) -> Result<Value, CliError> {
        let settings = self.settings(name, explain)?;
        let mut value = json!({
            "host": name.as_str(),
            "address": settings.host_name.value,
            "user": settings.user.value,
            "port": settings.port.value,
            "groups": groups_of(self.inventory, name),
        });
        if explain == Explain::Yes {
            let (mut ssh, mut origins) = (Map::new(), Map::new());
            for line in settings.explain() {
                // An option that is there several times is a list.
                match ssh.get_mut(line.name) {
                    None => _ = ssh.insert(line.name.to_string(), line.value.into()),
                    Some(Value::Array(list)) => list.push(line.value.into()),
                    Some(first) => *first = json!([first.take(), line.value]),
                }
                origins
                    .entry(line.name)
                    .or_insert_with(|| origin(&line.origin).into());
            }
            value["ssh"] = ssh.into();
            value["origins"] = origins.into();
            value["notes"] = settings.notes.iter().map(ToString::to_string).collect();
        }
        Ok(value)
    }

    fn text(&self, name: &HostName, out: &mut impl Write) -> Result<(), CliError> {
        let settings = self.settings(name, Explain::Yes)?;
        writeln!(out, "{}", name.as_str())?;
        for line in settings.explain() {
            writeln!(
                out,
                "    {:<28}  {:<40}  {}",
                line.name,
                line.value,
                origin(&line.origin)
            )?;
        }
        for note in &settings.notes {
            writeln!(out, "    note: {note}")?;
        }
        Ok(())
    }
}

/// The names of the groups a host is in, without their `@`.
fn groups_of(inventory: &Inventory, name: &HostName) -> Vec<String> {
    let groups = inventory.groups().containing(name.as_str());
    groups
        .into_iter()
        .map(|group| group.trim_start_matches('@').to_string())
        .collect()
}

/// Where a setting comes from.  What is set over the files comes from the target itself or from the inventory.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_string(),
        Origin::CommandLine => "target or inventory".to_string(),
        Origin::File(at) => at.to_string(),
    }
}

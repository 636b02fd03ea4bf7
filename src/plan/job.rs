//! `run`: what a job is made of.

use std::path::Path;

use super::Planner;
use super::error::PlanError;
use super::hosts::host;
use crate::command::Run;
use crate::command::look::Together;
use crate::command::query::QueryRun;
use crate::config::inventory::Inventory;
use crate::config::queries::{Effect, Query};
use crate::core::spec::{Above, Asking, Host, JobSpec, Limits, Payload};
use crate::results::Shape;

/// The largest script taken: it travels to every host.
const LARGEST_SCRIPT: usize = 4 << 20;

impl Planner<'_> {
    /// What was asked for, checked and complete.
    pub fn job(&self, args: &Run) -> Result<JobSpec, PlanError> {
        self.job_of(args, self.payload(args)?)
    }

    /// A query as a job: what the command line leaves open is as the query has it.
    pub fn query(&self, args: &QueryRun, query: &Query) -> Result<JobSpec, PlanError> {
        let mut on = args.on.clone();
        if on.targets.is_empty() && !args.local {
            let Some(usual) = &query.targets else {
                let message = format!("no targets, and {} has no usual ones", query.name);
                return Err(PlanError::usage(message).or("name hosts with -t, as in -t web[01-20]"));
            };
            on.targets.push(usual.clone());
        }
        let payload = query.payload(&args.param).map_err(|error| {
            PlanError::usage(error).or(format!("`regatta queries {}` shows it", query.name))
        })?;
        let run = Run {
            on,
            local: args.local,
            name: Some(args.name.clone().unwrap_or_else(|| query.name.clone())),
            script: None,
            begin: args.begin,
            together: Together::default(),
            fanout: args.fanout,
            connect_timeout: None,
            timeout: Some(args.timeout.unwrap_or(query.timeout)),
            job_timeout: None,
            grace: None,
            ok_exit: query.ok_exit.clone(),
            on_full: None,
            becomes: args.becomes.clone(),
            tty: None,
            command: Vec::new(),
        };
        let shape = query.shape.as_ref().map(Shape::written);
        Ok(JobSpec {
            shape,
            ask_above: match query.effect {
                Effect::Looks => Above::Configured,
                Effect::Writes => Above::Any,
            },
            withheld: query.withheld(),
            ..self.job_of(&run, payload)?
        })
    }

    fn job_of(&self, args: &Run, payload: Payload) -> Result<JobSpec, PlanError> {
        let (runner, targets, hosts, mut options) = if args.local {
            let host = Host::named("localhost");
            let options = self.local_options()?;
            ("local", "localhost".to_string(), vec![host], options)
        } else {
            let inventory = self.inventory()?;
            let (targets, hosts) = self.hosts(args, &inventory)?;
            let options = self.ssh_options(args, &inventory, &hosts)?;
            ("ssh", targets, hosts, options)
        };
        options.extend(shared_options(args));
        let settings = self.settings;
        Ok(JobSpec {
            name: args.name.clone(),
            runner: runner.to_string(),
            payload,
            targets,
            hosts,
            fanout: args.fanout.unwrap_or(settings.fanout),
            limits: Limits {
                connect: args.connect_timeout.unwrap_or(settings.connect_timeout),
                command: args.timeout.or(settings.timeout),
                job: args.job_timeout,
                grace: args.grace.unwrap_or(settings.grace),
            },
            ok_exit: args.ok_exit.clone(),
            on_full: args.on_full.unwrap_or_default().into(),
            options,
            asking: self.asking(),
            ask_above: Above::Configured,
            shape: None,
            withheld: Vec::new(),
        })
    }

    /// Whether children may wait for answers.
    pub fn asking(&self) -> Asking {
        if self.global.batch {
            Asking::Never
        } else {
            Asking::Allowed
        }
    }

    fn hosts(&self, args: &Run, inventory: &Inventory) -> Result<(String, Vec<Host>), PlanError> {
        if args.on.targets.is_empty() {
            return Err(PlanError::usage("no targets")
                .or("name hosts with -t, as in -t web[01-20], or use --local"));
        }
        if args.on.targets.iter().all(|text| text.trim().is_empty()) {
            return Err(PlanError::nothing("no targets: the expression is empty")
                .or("is a variable unset?"));
        }
        let set = self.resolve(inventory, &args.on)?;
        if set.is_empty() {
            let expression = args.on.targets.join(",");
            return Err(PlanError::nothing(format!("{expression} matches no host"))
                .or("`regatta hosts` lists the known ones"));
        }
        let hosts = set.iter().map(|name| host(inventory, &name)).collect();
        Ok((set.fold(), hosts))
    }

    /// What the local runner needs to know of the caller.
    fn local_options(&self) -> Result<Vec<(String, String)>, PlanError> {
        let directory = (self.caller.directory.as_ref()).map_err(|error| {
            PlanError::usage(format!("the current directory cannot be used: {error}"))
        })?;
        Ok(vec![("directory".to_string(), utf8(directory)?)])
    }

    fn payload(&self, args: &Run) -> Result<Payload, PlanError> {
        match (&args.script, args.command.as_slice()) {
            (Some(path), _) => {
                let text = std::fs::read(self.caller.path(path)).map_err(|error| {
                    PlanError::usage(format!("cannot read {}: {error}", path.display()))
                })?;
                script(path.display().to_string(), text)
            }
            (None, [dash]) if dash == "-" => {
                let text = self.caller.stdin().map_err(|error| {
                    PlanError::usage(format!("cannot read a script from stdin: {error}"))
                })?;
                script("-".to_string(), text)
            }
            (None, []) => Err(PlanError::usage("nothing to run")
                .or("give a command after --, or --script FILE, or - for stdin")),
            (None, words) => {
                let line = words.join(" ");
                if line.trim().is_empty() {
                    return Err(PlanError::usage("the command is empty"));
                }
                if line.contains('\0') {
                    return Err(PlanError::usage("the command holds a NUL character"));
                }
                Ok(Payload::Command(line))
            }
        }
    }
}

/// What every runner needs to know beside the job itself.
fn shared_options(args: &Run) -> impl Iterator<Item = (String, String)> {
    let sudo = args.becomes.user().map(|user| ("sudo", user.to_string()));
    let tty = args.tty.clone().map(|size| ("tty", size));
    let options = [sudo, tty].into_iter().flatten();
    options.map(|(name, value)| (name.to_string(), value))
}

/// A path as it travels to a runner.
pub(super) fn utf8(path: &Path) -> Result<String, PlanError> {
    let text = path.to_str().map(str::to_string);
    text.ok_or_else(|| PlanError::usage(format!("{} is not UTF-8", path.display())))
}

/// A script, with the interpreter its first line names.
fn script(name: String, text: Vec<u8>) -> Result<Payload, PlanError> {
    if text.len() > LARGEST_SCRIPT {
        return Err(
            PlanError::usage(format!("the script {name} is larger than 4 MiB"))
                .or("copy it to the hosts and run it there"),
        );
    }
    let text = String::from_utf8(text)
        .map_err(|_| PlanError::usage(format!("the script {name} is not UTF-8 text")))?;
    if text.contains('\0') {
        return Err(PlanError::usage(format!(
            "the script {name} holds a NUL character"
        )));
    }
    if text.trim().is_empty() {
        return Err(PlanError::usage(format!("the script {name} is empty")));
    }
    let first = text.lines().next().unwrap_or_default();
    let named = first
        .strip_prefix("#!")
        .map(str::trim)
        .filter(|named| !named.is_empty());
    Ok(Payload::Script {
        name,
        interpreter: named.unwrap_or("sh").to_string(),
        text,
        powershell: None,
    })
}

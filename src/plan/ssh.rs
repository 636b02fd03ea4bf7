//! What of OpenSSH's configuration has to be known before anything runs: which file holds, and what in it restricts and
//! has no effect here, which is said and never ignored silently.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Planner;
use super::error::PlanError;
use super::job::utf8;
use crate::command::Run;
use crate::config::ssh_config::{
    ClientConfig, ConfigError, ConfigSource, HostSettings, Note, Overrides,
};
use crate::core::spec::{Host, JobSpec};

/// Options (ssh_config(5)) whose being ignored could let something through that the user meant to forbid.
const RESTRICTING: [&str; 8] = [
    "ciphers",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "preferredauthentications",
    "pubkeyacceptedalgorithms",
    "pubkeyauthentication",
    "revokedhostkeys",
];

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
        let file = self.ssh_config()?;
        let source = file
            .as_deref()
            .map_or(ConfigSource::Standard, ConfigSource::from_option);
        ClientConfig::load(&source, &self.caller.local)
            .map_err(|error| PlanError::usage(error.to_string()))
    }

    /// The restrictions that are set for the job's hosts, or for the hops before them, and not obeyed; none where no SSH is spoken.  A configuration
    /// that cannot be read is an error here, once, rather than every child's.
    pub fn ssh_notes(&self, job: &JobSpec) -> Result<Vec<String>, PlanError> {
        if job.runner != "ssh" {
            return Ok(Vec::new());
        }
        let config = self.client_config()?;
        let mut notes = BTreeSet::new();
        for host in &job.hosts {
            // What is wrong with one host alone is that child's reason.
            let Ok(settings) = self.ssh_settings(&config, host) else {
                continue;
            };
            let hops = config.hops(&settings).unwrap_or_default();
            let all = hops.iter().chain([&settings]);
            let restricting = all.flat_map(|one| one.notes.iter().filter(|note| restricts(note)));
            notes.extend(restricting.map(ToString::to_string));
        }
        Ok(notes.into_iter().collect())
    }

    /// Everything that is set for one host.
    pub fn ssh_settings(
        &self,
        config: &ClientConfig,
        host: &Host,
    ) -> Result<HostSettings, ConfigError> {
        let overrides = Overrides::of_host(host, &self.caller.local)?;
        config.resolve(&host.host, &overrides)
    }

    /// What the SSH runner needs to know of the caller.
    pub(super) fn ssh_options(&self, args: &Run) -> Result<Vec<(String, String)>, PlanError> {
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
        Ok(options)
    }
}

fn restricts(note: &Note) -> bool {
    match note {
        Note::NotHonoured { name, .. } => RESTRICTING.contains(&name.to_lowercase().as_str()),
        Note::MatchNotEvaluated { .. } => true,
    }
}

//! Settings of OpenSSH's that restrict and have no effect here: said before anything runs, never ignored silently.

use std::collections::BTreeSet;

use super::context::Context;
use super::error::CliError;
use crate::config::ssh_config::{ClientConfig, ConfigSource, LocalEnv, Note, Overrides};
use crate::core::spec::Host;

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

/// Warns of restrictions that are set for these hosts and not obeyed.  A configuration that cannot be read is an error
/// here, once, rather than every child's.
pub(super) fn warn(context: &Context, hosts: &[Host]) -> Result<(), CliError> {
    let env = LocalEnv::current();
    let source = context
        .ssh_config()?
        .as_deref()
        .map_or(ConfigSource::Standard, ConfigSource::from_option);
    let config =
        ClientConfig::load(&source, &env).map_err(|error| CliError::usage(error.to_string()))?;
    let mut said = BTreeSet::new();
    for host in hosts {
        let resolved = Overrides::of_host(host, &env)
            .and_then(|overrides| config.resolve(&host.host, &overrides));
        // What is wrong with one host alone is that child's reason.
        let Ok(settings) = resolved else { continue };
        said.extend(
            settings
                .notes
                .iter()
                .filter(|note| restricts(note))
                .map(ToString::to_string),
        );
    }
    for note in said {
        Context::warn(&note);
    }
    Ok(())
}

fn restricts(note: &Note) -> bool {
    match note {
        Note::NotHonoured { name, .. } => RESTRICTING.contains(&name.to_lowercase().as_str()),
        Note::MatchNotEvaluated { .. } => true,
    }
}

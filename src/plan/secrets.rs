//! Secrets of a query that are not asked for, from where the caller has them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;

use zeroize::Zeroizing;

use super::Planner;
use super::error::PlanError;
use crate::command::query::{QueryRun, SecretFrom};
use crate::core::spec::Withheld;
use crate::secret::{Named, Secret};
use crate::targets::nearest;

/// The longest secret taken: it travels to every host.
const LONGEST: u64 = 64 * 1024;

impl Planner<'_> {
    /// What was given for these.
    pub fn secrets(&self, args: &QueryRun, withheld: &[Withheld]) -> Result<Named, PlanError> {
        let mut given = Named::new();
        let mut seen = BTreeSet::new();
        for (name, from) in &args.secret {
            if !withheld.iter().any(|wanted| wanted.name == *name) {
                let message = format!("{} has no secret {name}", args.query);
                let known = withheld.iter().map(|wanted| wanted.name.as_str());
                let next = nearest(name, known).map_or_else(
                    || format!("`regatta queries {}` shows what it takes", args.query),
                    |near| format!("did you mean {near}?"),
                );
                return Err(PlanError::usage(message).or(next));
            }
            if !seen.insert(name) {
                let message = format!("the secret {name} is given twice");
                return Err(PlanError::usage(message));
            }
            given.push((name.clone(), self.secret(name, from)?));
        }
        Ok(given)
    }

    /// One secret; a line's end behind it is none of it.
    fn secret(&self, name: &str, from: &SecretFrom) -> Result<Secret, PlanError> {
        let cannot = |what: String| PlanError::usage(format!("the secret {name}: {what}"));
        let bytes = match from {
            SecretFrom::Variable(variable) => {
                let value = (self.caller.local.variables.get(variable))
                    .ok_or_else(|| cannot(format!("the variable {variable} is not set")))?;
                Zeroizing::new(value.clone().into_bytes())
            }
            SecretFrom::File(path) => {
                let read = || {
                    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
                    fs::File::open(self.caller.path(path))?
                        .take(LONGEST + 1)
                        .read_to_end(&mut bytes)?;
                    std::io::Result::Ok(bytes)
                };
                read().map_err(|error| {
                    cannot(format!("{} cannot be read: {error}", path.display()))
                })?
            }
            SecretFrom::Stdin => {
                let read = self.caller.stdin();
                Zeroizing::new(read.map_err(|error| cannot(format!("from stdin: {error}")))?)
            }
        };
        if bytes.len() as u64 > LONGEST {
            return Err(cannot("it is longer than 64 KiB".to_string()));
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| cannot("it is not UTF-8 text".to_string()))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(cannot("it is empty".to_string()));
        }
        if text.contains('\0') {
            return Err(cannot("it holds a NUL character".to_string()));
        }
        Ok(Secret::new(text.to_string()))
    }
}

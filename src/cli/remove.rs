//! `remove`: deletes jobs; with `--force` after stopping them.

use serde_json::{Value, json};

use super::context::{Context, unexpected};
use super::ends::NAMED;
use super::error::{CliError, Exit};
use crate::command::Remove;
use crate::daemon::client::Absent;
use crate::plan::request;
use crate::view::count::{Noun, counted};
use crate::wire::reply::LeftBehind;
use crate::wire::{Reply, Request};

pub(super) async fn remove(context: &Context, args: Remove) -> Result<Exit, CliError> {
    let removed = ask(context, &request::remove(&args)).await?;
    if context.global.json {
        context
            .terminal
            .json(&mut std::io::stdout(), &removed.json())?;
    } else {
        removed.note(context);
    }
    removed.warn();
    if removed.jobs.is_empty() && removed.refused.is_empty() {
        return Err(CliError::nothing_selected(
            &args.pick.select,
            &removed.unknown,
        ));
    }
    Ok(if removed.is_clean() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// What became of a removal.
pub(super) struct Removed {
    jobs: Vec<u64>,
    left: Vec<LeftBehind>,
    unknown: Vec<String>,
    refused: Vec<String>,
}

/// Asks for the removal of jobs.
pub(super) async fn ask(context: &Context, removal: &Request) -> Result<Removed, CliError> {
    match context.ask(removal, Absent::Recall).await? {
        Reply::Removed {
            jobs,
            left,
            unknown,
            refused,
        } => Ok(Removed {
            jobs,
            left,
            unknown,
            refused,
        }),
        reply => Err(unexpected(&reply)),
    }
}

impl Removed {
    fn is_clean(&self) -> bool {
        self.left.is_empty() && self.unknown.is_empty() && self.refused.is_empty()
    }

    fn json(&self) -> Value {
        let left = self
            .left
            .iter()
            .map(|left| json!({"job": left.job, "host": left.host, "reason": left.reason}));
        let refused: Vec<&String> = self.unknown.iter().chain(&self.refused).collect();
        json!({"removed": self.jobs, "left": left.collect::<Vec<_>>(), "refused": refused})
    }

    pub(super) fn note(&self, context: &Context) {
        if self.jobs.len() > NAMED {
            return context.note(&format!("removed {}", counted(self.jobs.len(), Noun::Job)));
        }
        for job in &self.jobs {
            context.note(&format!("job {job} removed"));
        }
    }

    /// Says what may still run, and what was not removed.
    pub(super) fn warn(&self) {
        for left in &self.left {
            Context::warn(&format!("{}.{}: {}", left.job, left.host, left.reason));
        }
        for refusal in self.unknown.iter().chain(&self.refused) {
            Context::warn(refusal);
        }
    }
}

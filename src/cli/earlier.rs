//! Targets that are hosts of earlier jobs, looked up for the shell.

use super::context::Context;
use super::error::CliError;
use super::{fold, picked};
use crate::core::alike::Ignored;
use crate::core::select::Selector;
use crate::plan::earlier::Asks;
use crate::wire::look::Folded;
use crate::wire::reply::Jobs;

pub(super) use crate::plan::earlier::expand;

impl Asks for Context {
    type Error = CliError;

    async fn picked(&self, select: &[Selector]) -> Result<Jobs, CliError> {
        let picked = picked::pick(self, select).await?;
        Ok(Jobs {
            jobs: picked.jobs,
            children: picked.children,
            unknown: picked.unknown,
            last: true,
        })
    }

    async fn folded(&self, job: u64) -> Result<Folded, CliError> {
        fold::ask(self, job, Ignored::NOTHING).await
    }
}

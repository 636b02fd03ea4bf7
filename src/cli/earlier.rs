//! Targets that are hosts of earlier jobs, looked up for the shell.

use super::context::{Context, unexpected};
use super::error::CliError;
use super::picked;
use crate::core::select::Selector;
use crate::daemon::client::Absent;
use crate::plan::earlier::Asks;
use crate::wire::look::Folded;
use crate::wire::reply::Jobs;
use crate::wire::{Reply, Request};

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
        match self.ask(&Request::Fold { job }, Absent::Recall).await? {
            Reply::Folded(folded) => Ok(folded),
            reply => Err(unexpected(&reply)),
        }
    }
}

//! Targets that are hosts of earlier jobs, looked up for the console.

use super::event::Failure;
use super::link::{failure, has_more, out_of_turn};
use crate::core::alike::Ignored;
use crate::core::select::Selector;
use crate::daemon::client::{Absent, Reach};
use crate::plan::PlanError;
use crate::plan::earlier::Asks;
use crate::wire::look::Folded;
use crate::wire::reply::Jobs;
use crate::wire::request::{Children, Wanted};
use crate::wire::{Reply, Request};

impl Asks for Reach {
    type Error = Failure;

    async fn picked(&self, select: &[Selector]) -> Result<Jobs, Failure> {
        let request = Request::Jobs {
            select: Some(Wanted(select.to_vec())),
            children: Children::With,
        };
        let mut picked = Jobs::default();
        for reply in replies(self, &request).await? {
            match reply {
                Reply::Jobs(part) => {
                    picked.jobs.extend(part.jobs);
                    picked.children.extend(part.children);
                    picked.unknown.extend(part.unknown);
                }
                reply => return Err(out_of_turn(&reply)),
            }
        }
        if picked.children.is_empty() {
            let words: Vec<&str> = select.iter().map(|word| word.text.as_str()).collect();
            return Err(Failure {
                message: match picked.unknown.as_slice() {
                    [] => format!("no host matches %{}", words.join(" %")),
                    unknown => unknown.join("; "),
                },
                hint: None,
            });
        }
        Ok(picked)
    }

    async fn folded(&self, job: u64) -> Result<Folded, Failure> {
        let ignored = Ignored::NOTHING;
        match replies(self, &Request::Fold { job, ignored }).await?.pop() {
            Some(Reply::Folded(folded)) => Ok(folded),
            Some(reply) => Err(out_of_turn(&reply)),
            None => Err(Failure {
                message: "the engine answered nothing".to_string(),
                hint: None,
            }),
        }
    }
}

/// All replies to a request, but for notices, which everybody gets.
async fn replies(reach: &Reach, request: &Request) -> Result<Vec<Reply>, Failure> {
    let connection = reach.request(request, Absent::Start).await;
    let mut connection = connection.map_err(|error| failure(&error))?;
    let mut replies = Vec::new();
    loop {
        let reply = connection.reply_or_notice().await;
        match reply.map_err(|error| failure(&error))? {
            Reply::Notice(_) => {}
            Reply::Error { message, hint } => return Err(Failure { message, hint }),
            reply => {
                let more = has_more(&reply);
                replies.push(reply);
                if !more {
                    return Ok(replies);
                }
            }
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        super::perform::failure(&error)
    }
}

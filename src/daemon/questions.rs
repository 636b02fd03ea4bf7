//! Questions that children wait with, for a client: which there are, and what an operator says to them.
//!
//! Every answer is noted in the audit log before the client hears of it: which question, of whom, accepted or refused, and
//! never what was said.

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};

use super::audit::Who;
use super::deed::jobs_of;
use super::look::questions;
use super::peer::{Broken, Peer};
use super::session::Service;
use crate::core::answer::{Answer, Unanswered};
use crate::core::blocked::Open;
use crate::core::question::{QuestionId, Response};
use crate::engine::Gone;
use crate::secret::Answer as Said;
use crate::wire::Reply;
use crate::wire::request::Attend;

impl Service {
    /// Sends the open questions, and if wanted all of them again whenever they change.
    pub(super) async fn questions<S>(
        &self,
        peer: &mut Peer<S>,
        attend: Attend,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut changes = self.engine.questions();
        loop {
            changes.borrow_and_update();
            let open = self.look(|fleet, _| questions(fleet)).await?;
            peer.send(&Reply::Questions(open)).await?;
            match attend {
                Attend::Now => return Ok(()),
                Attend::Follow => {
                    peer.unless_left(async { changes.changed().await.map_err(|_| Gone) })
                        .await?;
                }
            }
        }
    }

    pub(super) async fn answer_questions<S>(
        &self,
        peer: &mut Peer<S>,
        who: &Who,
        questions: &[u64],
        said: Said,
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let response = said.response();
        let ids = questions.iter().map(|id| QuestionId(*id)).collect();
        let Answer::Answered { answered, refused } = self.engine.answer(ids, said).await? else {
            let message = "the engine answered out of turn".to_string();
            let hint = None;
            return peer.send(&Reply::Error { message, hint }).await;
        };
        for open in &answered {
            self.note_answer(who, open, response).await?;
        }
        peer.send(&Reply::Answered {
            questions: answered.iter().map(|open| open.id.0).collect(),
            refused: refused.iter().map(Unanswered::to_string).collect(),
        })
        .await
    }

    /// One entry for each job whose children waited.
    async fn note_answer(&self, who: &Who, open: &Open, response: Response) -> Result<(), Gone> {
        if !self.audit.is_kept() {
            return Ok(());
        }
        let answer = match response {
            Response::Accept => "accepted",
            Response::Secret => "given",
            Response::Refuse => "refused",
        };
        let children = open.children.clone();
        for (job, hosts) in self.look(move |fleet, _| jobs_of(fleet, &children)).await? {
            let details = json!({
                "job": job.0,
                "hosts": hosts,
                "question": open.question.kind(),
                "text": open.question.to_string(),
                "answer": answer,
            });
            self.audit.note(who, "answer", details).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

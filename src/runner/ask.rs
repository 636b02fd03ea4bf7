//! How runners ask: a question with a way back for its answer, and what a job need not be asked twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::core::question::{About, Question};
use crate::secret::{Answer, Secret};

/// A question, and where its answer goes.  Whoever asked has no use for an answer any more once the way is closed; a way
/// that is dropped without an answer is a refusal.
#[derive(Debug)]
pub struct Ask {
    pub question: Question,
    pub answer: oneshot::Sender<Answer>,
}

/// Secrets that have let a job in somewhere, for its other hosts that ask the same.  Emptied with the last handle, which
/// goes when the job has ended.
#[derive(Clone, Debug, Default)]
pub struct Pocket(Arc<Mutex<HashMap<About, Secret>>>);

impl Pocket {
    /// What was the right answer elsewhere.
    pub fn find(&self, about: &About) -> Option<Secret> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(about).cloned()
    }

    /// This was the right answer.
    pub fn keep(&self, about: About, secret: Secret) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(about, secret);
    }
}

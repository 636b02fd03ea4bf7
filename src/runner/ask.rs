//! How runners ask: a question with a way back for its answer, and what a job need not be asked twice.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Secrets that were given to a job, for its other hosts that ask the same.  Gone with the last handle, which goes when
/// the job has ended.
#[derive(Clone, Default)]
pub struct Pocket(Arc<Mutex<HashMap<About, Given>>>);

struct Given {
    secret: Secret,
    /// Whether it was right anywhere.
    proven: bool,
}

impl Pocket {
    /// What was given for this, and has not been wrong everywhere.
    pub fn find(&self, about: &About) -> Option<Secret> {
        self.lock().get(about).map(|given| given.secret.clone())
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// This was given.
    pub fn give(&self, about: &About, secret: &Secret) {
        let proven = false;
        let secret = secret.clone();
        self.lock().insert(about.clone(), Given { secret, proven });
    }

    /// It was right.
    pub fn right(&self, about: &About, secret: &Secret) {
        let proven = true;
        let secret = secret.clone();
        self.lock().insert(about.clone(), Given { secret, proven });
    }

    /// It was wrong on some host; what was right on another is still good for the rest.
    pub fn wrong(&self, about: &About, secret: &Secret) {
        let mut given = self.lock();
        if given
            .get(about)
            .is_some_and(|given| !given.proven && given.secret.is_same(secret))
        {
            given.remove(about);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<About, Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never what is in it.
impl fmt::Debug for Pocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pocket").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_right_somewhere_outlasts_being_wrong_elsewhere() {
        let about = About::Password {
            account: "ops".to_string(),
        };
        let (pocket, first) = (Pocket::default(), Secret::new("one".to_string()));
        pocket.give(&about, &first);
        pocket.wrong(&about, &first);
        assert!(pocket.is_empty(), "wrong where it was tried first");
        let second = Secret::new("two".to_string());
        pocket.give(&about, &second);
        pocket.wrong(&about, &first);
        assert!(pocket.find(&about).is_some(), "that was another one");
        pocket.right(&about, &second);
        pocket.wrong(&about, &second);
        assert!(
            pocket
                .find(&about)
                .is_some_and(|found| found.is_same(&second))
        );
        assert!(!format!("{pocket:?}").contains("two"));
    }
}

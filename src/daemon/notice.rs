//! What the operator is told at once, whatever was asked: that something cannot be written, and that it can be again.

use tokio::sync::watch;

use super::audit::Audit;
use crate::store::{Store, Watch};

/// One client's view of what is wrong.
#[derive(Debug)]
pub(super) struct Notices {
    store: Watch,
    audit: Option<watch::Receiver<Option<String>>>,
    told: Told,
}

/// Of which troubles the client knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    store: bool,
    audit: bool,
}

impl Notices {
    pub(super) fn new(store: &Store, audit: &Audit) -> Self {
        Self {
            store: store.watch(),
            audit: audit.trouble(),
            told: Told::default(),
        }
    }

    /// What has begun or ended since this was last asked.
    pub(super) fn due(&mut self) -> Vec<String> {
        let (store, audit) = (self.store.trouble(), self.audit_trouble());
        let now = Told {
            store: store.is_some(),
            audit: audit.is_some(),
        };
        let told = std::mem::replace(&mut self.told, now);
        let mut due = Vec::new();
        if told.store != now.store {
            due.push(match store {
                Some(why) => format!(
                    "warning: the store cannot be written: {why}; what arrives is kept in memory until it can"
                ),
                None => "the store can be written again".to_string(),
            });
        }
        if told.audit != now.audit {
            due.push(match audit {
                Some(why) => format!(
                    "warning: the audit log cannot be written: {why}; what is done is not noted until it can"
                ),
                None => "the audit log can be written again".to_string(),
            });
        }
        due
    }

    /// Returns once something is due.
    pub(super) async fn changed(&mut self) {
        let told = self.told;
        let audit = async {
            let differs = |why: &Option<String>| why.is_some() != told.audit;
            let open = match &mut self.audit {
                Some(audit) => audit.wait_for(differs).await.is_ok(),
                None => false,
            };
            if !open {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.store.trouble_is_not(told.store) => {}
            () = audit => {}
        }
    }

    fn audit_trouble(&self) -> Option<String> {
        self.audit.as_ref()?.borrow().clone()
    }
}

/// Everything that is wrong now, in a few words.
pub(super) fn troubles(store: &Store, audit: &Audit) -> Option<String> {
    let store = store.trouble();
    let store = store.map(|why| format!("the store cannot be written: {why}"));
    let audit = audit.trouble().and_then(|audit| audit.borrow().clone());
    let audit = audit.map(|why| format!("the audit log cannot be written: {why}"));
    let all: Vec<String> = store.into_iter().chain(audit).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

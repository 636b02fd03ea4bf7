//! Learning the other keys that a known host has (`UpdateHostKeys`), so that it is still known when its administrator
//! retires the one it was known by.
//!
//! A server announces its keys after the log-in (`hostkeys-00@openssh.com`), and proves on request that it has them.  As
//! with OpenSSH nothing is learnt of a host that is known by its certificate, by a pattern, or by a file that is not the
//! user's own.
//!
//! Deliberately not here: forgetting keys that a server has no more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use russh::client::Handle;

use super::files::Files;
use super::host_key::Checker;
use super::known_hosts::{KeyName, Naming};
use super::route::Target;
use super::wire::Fate;
use crate::config::ssh_config::UpdateHostKeys;

/// How long after the log-in a server may announce its keys, and how long it may take to prove that it has them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Learns what the server of a new connection announces, meanwhile.
pub(super) fn learn(
    handle: &Arc<Handle<Checker>>,
    fate: &Arc<Fate>,
    target: &Arc<Target>,
    files: &Arc<Files>,
    name: KeyName,
) {
    match target.settings().update_host_keys.value {
        UpdateHostKeys::Yes => {}
        // Nobody is asked about this.
        UpdateHostKeys::No | UpdateHostKeys::Ask => return,
    }
    let learner = Learner {
        // The connection ends when it wants to.
        handle: Arc::downgrade(handle),
        fate: Arc::clone(fate),
        target: Arc::clone(target),
        files: Arc::clone(files),
        name,
    };
    tokio::spawn(learner.learn());
}

struct Learner {
    handle: Weak<Handle<Checker>>,
    fate: Arc<Fate>,
    target: Arc<Target>,
    files: Arc<Files>,
    name: KeyName,
}

impl Learner {
    async fn learn(self) {
        if tokio::time::timeout(PATIENCE, self.fate.heard.notified())
            .await
            .is_err()
        {
            return;
        }
        let announced = self.fate.announced.get().map_or(&[][..], Vec::as_slice);
        let settings = self.target.settings();
        let user_files = &settings.user_known_hosts.value;
        let known = self.files.known(user_files.clone()).await;
        let new = known.to_learn(&self.name, announced);
        let (Some(file), Some(handle), false) =
            (user_files.first(), self.handle.upgrade(), new.is_empty())
        else {
            return;
        };
        let proof = tokio::time::timeout(PATIENCE, handle.hostkeys_prove(new.clone())).await;
        drop(handle);
        let host = self.name.as_str();
        match proof {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(host, %error, "a server announces host keys and does not prove that it has them");
                return;
            }
            Err(_) => return,
        }
        let naming = Naming::configured(settings);
        for key in new {
            let learnt = self
                .files
                .learn(file.clone(), self.name.clone(), key, naming);
            if let Err(error) = learnt.await {
                tracing::warn!(host, %error, file = %file.display(), "a host key cannot be added");
                return;
            }
        }
    }
}

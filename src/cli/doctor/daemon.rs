//! The daemon, what it knows of hosts, and what one that is gone has left.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::Finding;
use crate::daemon::client::{Absent, ClientError, New, Reach};
use crate::daemon::place::Place;
use crate::view::span;
use crate::wire::reply::{ChildView, Status};
use crate::wire::request::Children;
use crate::wire::{PROTOCOL, Reply, Request};

/// Leftovers that are told one by one.
const LEFTOVERS: usize = 20;

/// The daemon, what is left on hosts, and where nobody listens what is left of an earlier one.
pub(super) async fn daemon(place: &Place) -> Vec<Finding> {
    let reach = Reach::Daemon {
        place: place.clone(),
        new: New::default(),
    };
    let asked = match reach.request(&Request::Status, Absent::Fail).await {
        Ok(mut connection) => connection.reply().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(Reply::Status(status)) => {
            let mut findings = running(&status);
            findings.extend(leftovers(&reach).await);
            findings
        }
        Ok(reply) => vec![Finding::bad(
            "daemon",
            format!("it answers out of turn: {reply:?}"),
        )],
        Err(ClientError::NoDaemon) => absent(place),
        Err(error) => {
            let hint = error.hint();
            let finding = Finding::bad("daemon", error.to_string());
            vec![match hint {
                Some(hint) => finding.hint(hint),
                None => finding,
            }]
        }
    }
}

fn running(status: &Status) -> Vec<Finding> {
    let text = format!(
        "runs, pid {}, version {}, protocol {PROTOCOL}, up {}, {} in memory, jobs {} ({} live), connections {}",
        status.pid,
        status.version,
        span::seconds(status.uptime),
        span::bytes(status.rss),
        status.jobs,
        status.live,
        status.connections,
    );
    let ours = env!("CARGO_PKG_VERSION");
    let daemon = if status.version == ours {
        Finding::fine("daemon", text)
    } else {
        Finding::note("daemon", format!("{text}; this program is version {ours}")).hint(
            "`regatta daemon stop` when its jobs have ended; the next command starts the new one",
        )
    };
    let trouble = status.trouble.iter().map(|trouble| {
        Finding::bad("writing", trouble.as_str())
            .hint("make room or make it writable; what is kept in memory is written then")
    });
    std::iter::once(daemon).chain(trouble).collect()
}

/// Children of which something may still run.
async fn leftovers(reach: &Reach) -> Vec<Finding> {
    const CHECK: &str = "leftovers";
    let left = match unconfirmed(reach).await {
        Ok(left) => left,
        Err(error) => return vec![Finding::bad(CHECK, error.to_string())],
    };
    if left.is_empty() {
        return vec![Finding::fine(CHECK, "nothing is known to be left on hosts")];
    }
    let told = left.iter().take(LEFTOVERS).map(|child| {
        let reason = child.reason.as_ref();
        let reason = reason.map_or("", |reason| reason.text.as_str());
        let (job, host) = (child.job, &child.host);
        let again = format!(
            "`regatta reconnect {job}.{host}` looks again, `regatta stop {job}.{host}` ends what is there"
        );
        // What left its session on purpose is named and not ended.
        let hint = if child.state.is_final() {
            format!("{again}; what stays is yours to end, `regatta remove {job}` forgets it")
        } else {
            again
        };
        Finding::bad(CHECK, format!("{job}.{host}: {reason}")).hint(hint)
    });
    let more = left.len().saturating_sub(LEFTOVERS);
    let more = (more > 0).then(|| {
        Finding::bad(CHECK, format!("and {more} more"))
            .hint("`regatta jobs -c` shows them with their reasons")
    });
    told.chain(more).collect()
}

async fn unconfirmed(reach: &Reach) -> Result<Vec<ChildView>, ClientError> {
    let request = Request::Jobs {
        select: None,
        children: Children::With,
    };
    let mut connection = reach.request(&request, Absent::Fail).await?;
    let mut left = Vec::new();
    loop {
        let Reply::Jobs(part) = connection.reply().await? else {
            return Err(ClientError::Lost {
                pid: connection.pid(),
            });
        };
        let is_left = |child: &ChildView| child.reason.as_ref().is_some_and(|why| why.unconfirmed);
        left.extend(part.children.into_iter().filter(is_left));
        if part.last {
            return Ok(left);
        }
    }
}

/// Nobody listens: that is fine, unless something holds what a daemon needs.
fn absent(place: &Place) -> Vec<Finding> {
    let mut findings = vec![if place.has_jobs() {
        Finding::note(
            "daemon",
            "none runs; what may be left on hosts is known when one does",
        )
        .hint("`regatta jobs` starts it with the jobs of the last one")
    } else {
        Finding::fine("daemon", "none runs; `regatta run` starts one")
    }];
    if place.socket().exists() {
        findings.push(
            Finding::note(
                "socket",
                format!(
                    "{} is left over from one that is gone",
                    place.socket().display()
                ),
            )
            .hint("the next daemon replaces it"),
        );
    }
    // Whoever starts a daemon holds this meanwhile, so that a look at the others takes nothing from it.
    let starting = File::open(place.dir().join("start.lock"));
    if let Ok(lock) = &starting
        && lock.try_lock_shared().is_err()
    {
        findings.push(Finding::note(
            "locks",
            "a daemon is being started or is ending just now",
        ));
        return findings;
    }
    if is_held(&place.dir().join("daemon.lock")) {
        findings.push(
            Finding::bad("locks", "a daemon holds its lock and does not listen").hint(
                "if it stays so, look for its process (`pgrep -f 'regatta daemon run'`) and end it",
            ),
        );
    } else if is_held(&place.state().join("lock")) {
        let pid = std::fs::read_to_string(place.state().join("lock")).unwrap_or_default();
        findings.push(
            Finding::bad(
                "locks",
                format!(
                    "a daemon elsewhere (pid {}) uses the store in {}",
                    pid.trim(),
                    place.state().display()
                ),
            )
            .hint("it has another XDG_RUNTIME_DIR: use that one, or end it"),
        );
    }
    findings
}

/// Whether a process holds this lock.  Nothing is made where there is none.
fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

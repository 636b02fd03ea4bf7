//! What the system and the session give: programs, limits, the agent.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use russh::keys::agent::client::AgentClient;
use rustix::process::{Resource, getrlimit};

use super::Finding;
use crate::daemon::store_check;
use crate::view::count::{Noun, counted};

/// Descriptors that are not for connections: the store's files, clients, and what every process has.
const RESERVE: u64 = 200;

/// Where fewer hosts can be reached at once than this, it is worth knowing.
const MANY: u64 = 1_000;

/// How long the agent may take to list its keys.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn versions() -> Vec<Finding> {
    let ours = format!(
        "regatta {}, SQLite {}",
        env!("CARGO_PKG_VERSION"),
        store_check::sqlite_version()
    );
    // It says its version on stderr (ssh(1), -V).
    let ssh = Command::new("ssh").arg("-V").stdin(Stdio::null()).output();
    let theirs = match ssh {
        Ok(ran) if ran.status.success() => String::from_utf8_lossy(&ran.stderr).trim().to_string(),
        Ok(_) | Err(_) => "no OpenSSH client, which is not needed".to_string(),
    };
    vec![Finding::fine("versions", format!("{ours}; {theirs}"))]
}

/// How many hosts can be reached at once.
pub(super) fn open_files(fanout: NonZeroU32) -> Finding {
    let limit = getrlimit(Resource::Nofile);
    let number = |limit: Option<u64>| limit.map_or("no limit".to_string(), |n| n.to_string());
    let hosts = limit.maximum.unwrap_or(u64::MAX).saturating_sub(RESERVE);
    let text = format!(
        "{} open files, {} at most, to which the daemon raises it: room for {} at once",
        number(limit.current),
        number(limit.maximum),
        if limit.maximum.is_none() {
            "any number of connections".to_string()
        } else {
            format!("about {}", counted(hosts, Noun::Connection))
        }
    );
    let hint = "raise the hard limit (`ulimit -Hn`, limits.conf, LimitNOFILE=)";
    if hosts < u64::from(fanout.get()) {
        Finding::bad("limits", format!("{text}; a job's fanout is {fanout}")).hint(hint)
    } else if hosts < MANY {
        Finding::note("limits", text).hint(hint)
    } else {
        Finding::fine("limits", text)
    }
}

/// The agent that jobs started here would use.
pub(super) async fn agent() -> Finding {
    let Some(socket) = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()) else {
        return Finding::note(
            "agent",
            "SSH_AUTH_SOCK is not set: only key files are tried",
        )
        .hint(
            "a key with a passphrase is asked for, unless an agent has it (`ssh-agent`, `ssh-add`)",
        );
    };
    let path = Path::new(&socket);
    let keys = tokio::time::timeout(PATIENCE, async {
        let mut agent = AgentClient::connect_uds(path).await?;
        agent.request_identities().await
    });
    let name = path.display();
    let gone = "start one (`eval $(ssh-agent)`), or unset SSH_AUTH_SOCK";
    match keys.await {
        Ok(Ok(keys)) if keys.is_empty() => {
            Finding::note("agent", format!("{name} answers and has no keys"))
                .hint("`ssh-add` adds them")
        }
        Ok(Ok(keys)) => {
            let keys = counted(keys.len(), Noun::Key);
            Finding::fine("agent", format!("{name} answers and has {keys}"))
        }
        Ok(Err(error)) => {
            Finding::bad("agent", format!("{name} cannot be used: {error}")).hint(gone)
        }
        Err(_) => Finding::bad(
            "agent",
            format!("{name} does not answer within {} s", PATIENCE.as_secs()),
        )
        .hint(gone),
    }
}

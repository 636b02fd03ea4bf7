//! How the engine is as a process.

use super::notice::troubles;
use super::session::Service;
use crate::engine::Gone;
use crate::wire::reply::Status;

impl Service {
    pub(super) async fn status(&self) -> Result<Status, Gone> {
        let mut status = self
            .look(|fleet, _| Status {
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_string(),
                uptime: 0.0,
                jobs: fleet.jobs().count() as u64,
                live: fleet.jobs().filter(|job| !job.is_settled()).count() as u64,
                children: fleet.jobs().map(|job| job.children.len() as u64).sum(),
                connections: 0,
                rss: 0,
                trouble: None,
            })
            .await?;
        status.uptime = self.engine.clock().uptime().as_secs_f64();
        status.connections = self.engine.connections() as u64;
        status.rss = resident_memory();
        status.trouble = troubles(self.engine.store(), &self.audit);
        Ok(status)
    }
}

/// Resident memory of this process in bytes; 0 where the system does not say.
fn resident_memory() -> u64 {
    // Linux: the second field of statm is resident pages (proc(5)).
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

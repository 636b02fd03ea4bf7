//! Appending to one child's output.

use std::sync::{Arc, Mutex};

use super::Extent;
use super::block;
use super::log::ChildLog;
use super::work::{Queue, Room, Shared, locked};
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Stream;

/// One child's output, to append to.
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) job: JobId,
    pub(super) child: ChildId,
    pub(super) log: Arc<Mutex<ChildLog>>,
    pub(super) shared: Arc<Shared>,
    /// Beyond this something is cut, in bytes.
    pub(super) kept: u64,
}

impl Log {
    /// Adds output at the end; waits while too much of all children's is in memory only.
    pub async fn append(&self, stream: Stream, data: &[u8]) -> Extent {
        let room = self.shared.room().await;
        let (extent, queue, shed) = {
            let mut log = locked(&self.log);
            let queue = if log.queue() {
                Queue::Enter
            } else {
                Queue::Entered
            };
            log.append(stream, data);
            let shed = match room {
                Room::Free => 0,
                Room::Shed => log.shed(block::BLOCK),
            };
            (log.extent(), queue, shed)
        };
        self.shared
            .grew(self.job, self.child, &self.log, data.len(), queue);
        if shed > 0 {
            self.shared.shed(shed);
        }
        extent
    }

    /// Returns once everything is on disk and what is too much has been cut, if there is too much: only then is it
    /// known how much that is.
    pub async fn settle(&self) {
        if self.extent().end.offset() > self.kept {
            self.shared.settle(self.child).await;
        }
    }

    pub fn extent(&self) -> Extent {
        locked(&self.log).extent()
    }
}

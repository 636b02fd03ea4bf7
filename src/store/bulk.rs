//! All output of many children of a job, in one go: far cheaper than one child after the other.  Blocks.

use std::ops::ControlFlow;

use super::Store;
use super::block::Block;
use super::glance::unreadable;
use super::output;
use super::reader::Unreadable;
use super::schema::Trouble;
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Stream;

/// Is given a piece of a child's output, and says whether it wants more.
pub type TakePiece<'a> = dyn FnMut(ChildId, Stream, &[u8]) -> ControlFlow<()> + 'a;

impl Store {
    /// Hands over the output of these children, whose ids ascend, piece by piece; what one child wrote is in order.  What
    /// was cut is passed over.
    pub fn each_piece(
        &self,
        job: JobId,
        children: &[ChildId],
        take: &mut TakePiece<'_>,
    ) -> Result<(), Unreadable> {
        // Those whose logs are gone are on disk as a whole.
        let (live, written): (Vec<ChildId>, Vec<ChildId>) = children
            .iter()
            .partition(|child| self.live_log(**child).is_some());
        let mut flow = self
            .each_written(job, &written, take)
            .map_err(|trouble| unreadable(job, &trouble))?;
        for child in live {
            if flow.is_break() {
                break;
            }
            let mut glance = self.glance(job, child);
            flow = glance.each_block(&mut |block| pieces(child, block, take))?;
        }
        Ok(())
    }

    fn each_written(
        &self,
        job: JobId,
        children: &[ChildId],
        take: &mut TakePiece<'_>,
    ) -> Result<ControlFlow<()>, Trouble> {
        let mut flow = ControlFlow::Continue(());
        let mut disk = self.disk(job);
        let Some(db) = disk.get()? else {
            return Ok(flow);
        };
        let indexes: Vec<usize> = children
            .iter()
            .filter_map(|child| job.index_of(*child))
            .collect();
        for group in indexes.chunk_by(|one, next| one + 1 == *next) {
            if flow.is_continue()
                && let (Some(first), Some(last)) = (group.first(), group.last())
            {
                output::each_block_of(db, *first, *last, |index, block| {
                    flow = pieces(job.child(index), &block, take);
                    flow
                })?;
            }
        }
        Ok(flow)
    }
}

fn pieces(child: ChildId, block: &Block, take: &mut TakePiece<'_>) -> ControlFlow<()> {
    let mut runs = block.runs();
    runs.try_for_each(|(stream, data)| take(child, stream, data))
}

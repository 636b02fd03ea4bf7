//! What of a child's output is not on disk yet, and how far all of it goes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Extent;
use super::block::Block;
use super::writer::wall;
use crate::core::output::{Gap, Position, Stream};

/// The end of a child's output, in memory until it is written.
#[derive(Debug, Default)]
pub(super) struct ChildLog {
    extent: Extent,
    /// Complete, or handed to the writer; oldest first.
    sealed: VecDeque<Arc<Block>>,
    /// Still growing.
    open: Option<Block>,
    /// Whether the writer knows that there is something to write.
    queued: bool,
    /// Where the part ends that is never cut: so does a block.
    head: u64,
}

impl ChildLog {
    pub(super) fn new(head: usize) -> Self {
        Self {
            head: head as u64,
            ..Self::default()
        }
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    /// How many bytes are in memory only.
    pub(super) fn unwritten(&self) -> usize {
        self.blocks().map(Block::len).sum()
    }

    /// Says whether the writer has to be told, which it is now.
    pub(super) fn queue(&mut self) -> bool {
        !std::mem::replace(&mut self.queued, true)
    }

    pub(super) fn append(&mut self, stream: Stream, mut data: &[u8]) {
        while !data.is_empty() {
            let end = self.extent.end;
            let open = self
                .open
                .get_or_insert_with(|| Block::starting_at(end, wall()));
            let head_left = match self.head.saturating_sub(end.offset()) {
                0 => data.len(),
                left => data.len().min(left as usize),
            };
            let taken = open.add(stream, &data[..head_left]);
            self.extent.end = open.end;
            data = &data[taken..];
            if open.is_full() || open.end.offset() == self.head {
                self.seal();
            }
        }
    }

    fn seal(&mut self) {
        self.sealed.extend(self.open.take().map(Arc::new));
    }

    /// Everything that is not on disk.  It stays here until [`ChildLog::written`] is told.
    pub(super) fn take(&mut self) -> Vec<Arc<Block>> {
        self.queued = false;
        self.seal();
        self.sealed.iter().cloned().collect()
    }

    /// The oldest `count` blocks are on disk.
    pub(super) fn written(&mut self, count: usize) {
        self.sealed.drain(..count.min(self.sealed.len()));
    }

    /// What was cut out of the middle, on disk or here.
    pub(super) fn cut(&mut self, gap: Gap) {
        self.extent.gap = Some(gap);
    }

    /// Lets go of what has waited longest for a disk that takes nothing, until at most `keep` bytes are left; says how
    /// many bytes that freed.
    pub(super) fn shed(&mut self, keep: usize) -> usize {
        let before = self.unwritten();
        let mut left = before;
        while left > keep
            && let Some(block) = self.sealed.pop_front()
        {
            left -= block.len();
            let from = self.extent.gap.map_or(block.start, |gap| gap.from);
            self.extent.gap = Some(Gap {
                from,
                to: block.end,
            });
        }
        before - left
    }

    /// Where what is in memory begins.
    pub(super) fn in_memory_from(&self) -> Position {
        self.blocks()
            .next()
            .map_or(self.extent.end, |block| block.start)
    }

    /// What is in memory, as it is now: later appends do not touch it.
    pub(super) fn snapshot(&self) -> Vec<Arc<Block>> {
        let open = self.open.iter().map(|block| Arc::new(block.clone()));
        self.sealed.iter().cloned().chain(open).collect()
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sealed.iter().map(|block| &**block).chain(&self.open)
    }
}

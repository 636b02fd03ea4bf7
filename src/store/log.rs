//! One child's output: a head, a tail, and the gap between them.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Caps, Extent, Piece};
use crate::core::output::{Count, Gap, Position, Stream};
use crate::core::receive::Window;

/// Output that arrives in dribs is gathered into blocks of this size.
const BLOCK: usize = 16 << 10;

/// The bytes a child wrote, both streams in the order they arrived.
#[derive(Debug)]
pub(super) struct ChildLog {
    caps: Caps,
    head: VecDeque<Block>,
    head_size: usize,
    tail: VecDeque<Block>,
    tail_size: usize,
    /// Where the tail begins, once something was cut out before it.
    gap: Option<Gap>,
    end: Position,
}

/// A stretch of one stream.
#[derive(Debug)]
struct Block {
    start: Position,
    end: Position,
    stream: Stream,
    data: Vec<u8>,
}

impl ChildLog {
    pub(super) fn new(caps: Caps) -> Self {
        Self {
            caps,
            head: VecDeque::new(),
            head_size: 0,
            tail: VecDeque::new(),
            tail_size: 0,
            gap: None,
            end: Position::START,
        }
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            end: self.end,
            gap: self.gap,
        }
    }

    pub(super) fn append(&mut self, stream: Stream, mut data: &[u8]) {
        while !data.is_empty() {
            let room = self.caps.head.saturating_sub(self.head_size);
            let (blocks, size, data_here) = if room > 0 {
                (
                    &mut self.head,
                    &mut self.head_size,
                    &data[..data.len().min(room)],
                )
            } else {
                (&mut self.tail, &mut self.tail_size, data)
            };
            let taken = add(blocks, self.end, stream, data_here);
            *size += taken;
            self.end = blocks.back().map_or(self.end, |block| block.end);
            data = &data[taken..];
        }
        self.cut();
    }

    /// Drops whole blocks from the front of the tail until it is within its cap.
    fn cut(&mut self) {
        while self.tail_size > self.caps.tail
            && let Some(block) = self.tail.pop_front()
        {
            self.tail_size -= block.data.len();
            let from = self.gap.map_or(block.start, |gap| gap.from);
            self.gap = Some(Gap {
                from,
                to: block.end,
            });
        }
    }

    /// What `window` covers of each stream from `done` on, about `limit` bytes of it.  Moves `done` on; returns nothing at
    /// the end of the window.
    pub(super) fn read(&self, window: &Window, done: &mut [u64; 2], limit: usize) -> Vec<Piece> {
        let (mut pieces, mut left) = (Vec::new(), limit);
        for blocks in [&self.head, &self.tail] {
            if left == 0 {
                return pieces;
            }
            if std::ptr::eq(blocks, &raw const self.tail)
                && let Some(cut) = self.gap.and_then(|gap| cut_in(gap, window, done))
            {
                pieces.push(Piece::Cut(cut));
            }
            // Whole blocks that lie before: their ends only grow, so they can be found by halving.
            let before = |block: &Block| {
                let end = block.end;
                window
                    .streams
                    .each()
                    .all(|stream| end.of(stream).bytes <= done[stream as usize])
            };
            for block in blocks.range(blocks.partition_point(before)..) {
                if left == 0 {
                    return pieces;
                }
                let stream = block.stream;
                let (start, done) = (block.start.of(stream).bytes, &mut done[stream as usize]);
                let end = (start + block.data.len() as u64).min(window.to[stream as usize].bytes);
                if !window.streams.contains(stream) || end <= *done {
                    continue;
                }
                let from = (*done - start) as usize;
                let size = ((end - *done) as usize).min(left);
                pieces.push(Piece::Data {
                    stream,
                    data: Bytes::copy_from_slice(&block.data[from..from + size]),
                });
                left -= size;
                *done += size as u64;
            }
        }
        pieces
    }
}

/// How much of a gap the window covers beyond `done`, which is moved behind it; `None` if nothing.
fn cut_in(gap: Gap, window: &Window, done: &mut [u64; 2]) -> Option<Count> {
    let mut cut = Count::default();
    for stream in window.streams.each() {
        let (from, to) = (window.from[stream as usize], window.to[stream as usize]);
        let from = if from.bytes > gap.from.of(stream).bytes {
            from
        } else {
            gap.from.of(stream)
        };
        let to = if to.bytes < gap.to.of(stream).bytes {
            to
        } else {
            gap.to.of(stream)
        };
        let done = &mut done[stream as usize];
        if to.bytes > *done {
            // Read up to the gap before it was cut, so that what is cut is known to begin there.
            cut += Count {
                bytes: to.bytes - (*done).max(from.bytes),
                lines: (to - from).lines,
            };
            *done = to.bytes;
        }
    }
    (cut.bytes > 0).then_some(cut)
}

/// Adds a piece of output that begins at `start`, as much of it as fits the last block; says how much that was.
fn add(blocks: &mut VecDeque<Block>, start: Position, stream: Stream, data: &[u8]) -> usize {
    let fits = |block: &&mut Block| block.stream == stream && block.data.len() < BLOCK;
    if let Some(block) = blocks.back_mut().filter(fits) {
        let data = &data[..data.len().min(BLOCK - block.data.len())];
        block.data.extend_from_slice(data);
        block.end = block.end.after(stream, Count::of(data));
        return data.len();
    }
    let data = &data[..data.len().min(BLOCK)];
    let end = start.after(stream, Count::of(data));
    blocks.push_back(Block {
        start,
        end,
        stream,
        data: data.to_vec(),
    });
    data.len()
}

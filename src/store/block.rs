//! A stretch of a child's output: pieces of both streams in the order they arrived.

use bytes::Bytes;

use super::Piece;
use crate::core::output::{Count, Position, Stream};
use crate::core::receive::Window;
use crate::core::time::Wall;

/// Output that arrives in dribs is gathered into blocks of this size.
pub(super) const BLOCK: usize = 16 << 10;

/// The bit of a run's length that says which stream it belongs to, as written on disk.
const ERR: u32 = 1 << 31;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) start: Position,
    pub(super) end: Position,
    /// When its first byte came, unless a version that did not ask wrote it.
    pub(super) at: Option<Wall>,
    /// How many bytes of which stream follow each other.
    runs: Vec<(Stream, u32)>,
    data: Vec<u8>,
}

impl Block {
    pub(super) fn starting_at(start: Position, at: Wall) -> Self {
        Self {
            start,
            end: start,
            at: Some(at),
            runs: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Adds as much as fits, and says how much that was.
    pub(super) fn add(&mut self, stream: Stream, data: &[u8]) -> usize {
        let data = &data[..data.len().min(BLOCK.saturating_sub(self.data.len()))];
        if data.is_empty() {
            return 0;
        }
        match self.runs.last_mut() {
            Some((last, length)) if *last == stream => *length += data.len() as u32,
            _ => self.runs.push((stream, data.len() as u32)),
        }
        self.data.extend_from_slice(data);
        self.end = self.end.after(stream, Count::of(data));
        data.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.data.len() >= BLOCK
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// What it holds, in order.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Stream, &[u8])> {
        let mut rest = &*self.data;
        self.runs.iter().map(move |(stream, length)| {
            let (run, behind) = rest.split_at(*length as usize);
            rest = behind;
            (*stream, run)
        })
    }

    /// The runs as they are written on disk: 32 bits each, the highest of them for standard error.
    pub(super) fn written_runs(&self) -> Vec<u8> {
        let run = |(stream, length): &(Stream, u32)| match stream {
            Stream::Out => length.to_le_bytes(),
            Stream::Err => (length | ERR).to_le_bytes(),
        };
        self.runs.iter().flat_map(run).collect()
    }

    /// A block as it was written on disk; `None` if the parts do not belong together.
    pub(super) fn read_back(
        start: Position,
        end: Position,
        at: Option<Wall>,
        runs: &[u8],
        data: Vec<u8>,
    ) -> Option<Self> {
        let (runs, rest) = runs.as_chunks::<4>();
        let runs: Vec<(Stream, u32)> = runs
            .iter()
            .map(|run| match u32::from_le_bytes(*run) {
                run if run & ERR == 0 => (Stream::Out, run),
                run => (Stream::Err, run & !ERR),
            })
            .collect();
        let lengths: u64 = runs.iter().map(|(_, length)| u64::from(*length)).sum();
        let sound = rest.is_empty()
            && lengths == data.len() as u64
            && end.offset().checked_sub(start.offset()) == Some(lengths);
        sound.then_some(Self {
            start,
            end,
            at,
            runs,
            data,
        })
    }

    /// Whether it holds something of `window` behind `done`.
    pub(super) fn has_more(&self, window: &Window, done: &[Count; 2]) -> bool {
        window.streams.each().any(|stream| {
            let done = done[stream as usize].bytes;
            let to = window.to[stream as usize].bytes;
            self.end.of(stream).bytes > done && to > done && to > self.start.of(stream).bytes
        })
    }

    /// Appends what it holds of `window` behind `done` to `pieces`, at most `left` bytes; moves both on.
    pub(super) fn read(
        &self,
        window: &Window,
        done: &mut [Count; 2],
        left: &mut usize,
        pieces: &mut Vec<Piece>,
    ) {
        let mut at = Stream::BOTH.map(|stream| self.start.of(stream).bytes);
        let mut offset = 0;
        for (stream, length) in &self.runs {
            let (start, end) = (
                at[*stream as usize],
                at[*stream as usize] + u64::from(*length),
            );
            let from = done[*stream as usize].bytes.max(start);
            let to = end.min(window.to[*stream as usize].bytes);
            if window.streams.contains(*stream) && from < to && *left > 0 {
                let size = ((to - from) as usize).min(*left);
                let first = offset + (from - start) as usize;
                let data = &self.data[first..first + size];
                done[*stream as usize] += Count::of(data);
                *left -= size;
                pieces.push(Piece::Data {
                    stream: *stream,
                    data: Bytes::copy_from_slice(data),
                });
            }
            at[*stream as usize] = end;
            offset += *length as usize;
        }
    }
}

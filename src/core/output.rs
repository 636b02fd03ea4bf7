//! Output accounting: how much a child wrote, what a cap dropped, and what was received.
//! The bytes themselves live in `store`; here are only positions in them.

use std::ops::{Add, AddAssign, Sub};

/// Output is shown in rows, and no row is longer, in bytes: a line beyond that goes on in the next row.
pub const LONGEST_ROW: usize = 64 << 10;

/// One of a command's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    Out,
    Err,
}

impl Stream {
    /// Both, in the order of their indexes.
    pub const BOTH: [Self; 2] = [Self::Out, Self::Err];

    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
        }
    }
}

/// Bytes and the newlines among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Count {
    pub bytes: u64,
    pub lines: u64,
}

impl Count {
    /// Counts a piece of output.
    #[expect(
        clippy::naive_bytecount,
        reason = "core has no dependencies, and the compiler vectorises this"
    )]
    pub fn of(data: &[u8]) -> Self {
        Self {
            bytes: data.len() as u64,
            lines: data.iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            lines: self.lines + other.lines,
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Count {
    type Output = Self;

    /// What lies between two positions of one stream; zero if they are the wrong way round.
    fn sub(self, earlier: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            lines: self.lines.saturating_sub(earlier.lines),
        }
    }
}

/// A place in a child's output: how much of each stream came before it, both streams in arrival order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Position {
    pub out: Count,
    pub err: Count,
}

impl Position {
    /// The beginning.
    pub const START: Self = Self {
        out: Count { bytes: 0, lines: 0 },
        err: Count { bytes: 0, lines: 0 },
    };

    /// How many bytes of either stream came before.  Orders the positions of one child.
    pub fn offset(self) -> u64 {
        self.out.bytes + self.err.bytes
    }

    /// How much of `stream` came before.
    pub fn of(self, stream: Stream) -> Count {
        match stream {
            Stream::Out => self.out,
            Stream::Err => self.err,
        }
    }

    /// This position moved on by a piece of `stream`.
    #[must_use]
    pub fn after(mut self, stream: Stream, count: Count) -> Self {
        match stream {
            Stream::Out => self.out += count,
            Stream::Err => self.err += count,
        }
        self
    }

    /// Both streams together.
    pub fn total(self) -> Count {
        self.out + self.err
    }
}

/// What a cap cut out of the middle of a child's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: Position,
    pub to: Position,
}

impl Gap {
    /// How much was cut.
    pub fn size(self) -> Count {
        self.to.total() - self.from.total()
    }

    /// How much of `stream` was cut behind `received`.
    fn behind(self, stream: Stream, received: Count) -> Count {
        let (from, to) = (self.from.of(stream), self.to.of(stream));
        to - if received.bytes > from.bytes {
            received
        } else {
            from
        }
    }
}

/// Which streams a receive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Streams {
    #[default]
    Both,
    Only(Stream),
}

impl Streams {
    pub fn contains(self, stream: Stream) -> bool {
        match self {
            Self::Both => true,
            Self::Only(only) => only == stream,
        }
    }

    /// The streams that are taken.
    pub fn each(self) -> impl Iterator<Item = Stream> {
        Stream::BOTH
            .into_iter()
            .filter(move |stream| self.contains(*stream))
    }
}

/// What is known of one child's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Account {
    /// The end: everything that ever arrived.
    pub end: Position,
    /// What a cap cut out of the middle.
    pub gap: Option<Gap>,
    /// How much of each stream was received.
    received: [Count; 2],
}

impl Account {
    /// The account of output that is already there.
    pub fn of(end: Position, gap: Option<Gap>, received: [Count; 2]) -> Self {
        Self { end, gap, received }
    }

    /// How much of `stream` was received.
    pub fn received(&self, stream: Stream) -> Count {
        self.received[stream as usize]
    }

    /// How much a cap cut out of the middle.
    pub fn dropped(&self) -> Count {
        self.gap.map_or_else(Count::default, Gap::size)
    }

    /// Whether a receive would hand over anything of `streams`.
    pub fn has_more(&self, streams: Streams) -> bool {
        streams
            .each()
            .any(|stream| self.end.of(stream).bytes > self.received(stream).bytes)
    }

    /// What a receive of `streams` would hand over: what arrived, without what was received and what was cut.
    pub fn waiting(&self, streams: Streams) -> Count {
        let waiting = |stream| {
            let received = self.received(stream);
            let cut = self
                .gap
                .map_or_else(Count::default, |gap| gap.behind(stream, received));
            (self.end.of(stream) - received) - cut
        };
        streams
            .each()
            .map(waiting)
            .fold(Count::default(), Count::add)
    }

    /// Marks `stream` as received up to `to`.  A cursor never moves back.
    pub fn mark_received(&mut self, stream: Stream, to: Count) {
        let cursor = &mut self.received[stream as usize];
        if to.bytes > cursor.bytes {
            *cursor = to;
        }
    }
}

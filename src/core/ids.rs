//! Ids: one counter numbers masters and children alike, and never goes back.

use std::fmt;
use std::str::FromStr;

/// The id of a master job.  Its children carry the ids right after it, in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// The id of one child: the part of a job that runs on one computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(pub u64);

impl JobId {
    /// The child at `index` (host order, from 0): a master is numbered first, its children next.
    pub fn child(self, index: usize) -> ChildId {
        ChildId(self.0 + 1 + index as u64)
    }

    /// The index of `child` under this master, if the id lies behind the master's.
    pub fn index_of(self, child: ChildId) -> Option<usize> {
        child.0.checked_sub(self.0 + 1).map(|index| index as usize)
    }
}

/// Hands out ids.  An id is never handed out twice, so a removed job's id stays unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdCounter {
    next: u64,
}

impl IdCounter {
    /// A counter whose first id is `next`.
    pub fn starting_at(next: u64) -> Self {
        Self { next }
    }

    /// The id the next job will get.
    pub fn peek(self) -> u64 {
        self.next
    }

    /// Takes one id for a master and `children` ids behind it.
    pub fn take_job(&mut self, children: usize) -> JobId {
        let id = JobId(self.next);
        self.next += 1 + children as u64;
        id
    }
}

impl Default for IdCounter {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

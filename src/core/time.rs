//! Time as an argument: nothing in `core` reads a clock.

use std::time::Duration;

/// Wall-clock time in milliseconds since the Unix epoch.  For showing and filtering only: it may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub i64);

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Moment {
    /// Time since the engine started, on a clock that never jumps.  Every timeout is measured on it.
    pub mono: Duration,
    /// What the wall clock said.
    pub wall: Wall,
}

impl Moment {
    /// How long after `earlier` this moment is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }
}

//! States, and the rule that makes a master's state out of its children's.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::question::Need;
use super::reason::{Doubt, Fate, Limit, Reason};
use super::spec::Signal;

/// The words for states, on the screen and in JSON.  Order is the order of columns and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    NotStarted,
    Connecting,
    Running,
    Blocked,
    Suspended,
    Stopping,
    Disconnected,
    Completed,
    Failed,
    Stopped,
}

impl State {
    pub const ALL: [Self; 10] = [
        Self::NotStarted,
        Self::Connecting,
        Self::Running,
        Self::Blocked,
        Self::Suspended,
        Self::Stopping,
        Self::Disconnected,
        Self::Completed,
        Self::Failed,
        Self::Stopped,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Connecting => "Connecting",
            Self::Running => "Running",
            Self::Blocked => "Blocked",
            Self::Suspended => "Suspended",
            Self::Stopping => "Stopping",
            Self::Disconnected => "Disconnected",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    /// Whether the state can never change again.
    pub fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Stopped => true,
            Self::NotStarted
            | Self::Connecting
            | Self::Running
            | Self::Blocked
            | Self::Suspended
            | Self::Stopping
            | Self::Disconnected => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    /// Any capitalisation, as PowerShell's `-State` takes it.
    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.word().eq_ignore_ascii_case(text))
            .ok_or(UnknownState)
    }
}

/// The text is no state's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownState;

impl fmt::Display for UnknownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a state; states are ")?;
        for (n, state) in State::ALL.into_iter().enumerate() {
            write!(f, "{}{state}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownState {}

/// What one child is doing, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// In the queue.
    NotStarted,
    /// Reaching the host and logging in.
    Connecting,
    Running,
    /// Needs something of the operator.
    Blocked(Need),
    Suspended(Standstill),
    Stopping(Stopping),
    /// The connection broke; [`Reason::ConnectionLost`] says what is known of the command.
    Disconnected {
        why: String,
        fate: Fate,
    },
    Completed,
    Failed(Reason),
    Stopped(Reason),
}

/// How well a command that was suspended stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// All of it was seen to.  So does its own time: `rest` is what was left of it.
    Proved { rest: Option<Duration> },
    /// That was not seen, or it was told to go on and not seen to.  Its own time runs.
    Doubted(Doubt),
}

/// A child on the stop ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopping {
    pub cause: Cause,
    pub rung: Rung,
}

/// Why a child is being stopped: it decides the final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked: it ends as Stopped.
    Operator,
    /// A limit ran out: it ends as Failed.
    Limit { what: Limit, after: Duration },
}

/// How far the ladder has been climbed.  Times are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// TERM was sent; KILL follows at `until`.
    Term { until: Duration },
    /// KILL was sent; the probe follows at `until`, whatever the connection says.
    Kill { until: Duration },
    /// A probe is under way after `signal` was sent; at `until` it counts as failed.
    Proof { until: Duration, signal: Signal },
    /// As `Proof`, for a run whose connection had broken before: it gave its slot back then.
    LateProof { until: Duration },
}

impl ChildState {
    pub fn word(&self) -> State {
        match self {
            Self::NotStarted => State::NotStarted,
            Self::Connecting => State::Connecting,
            Self::Running => State::Running,
            Self::Blocked(_) => State::Blocked,
            Self::Suspended(_) => State::Suspended,
            Self::Stopping(_) => State::Stopping,
            Self::Disconnected { .. } => State::Disconnected,
            Self::Completed => State::Completed,
            Self::Failed(_) => State::Failed,
            Self::Stopped(_) => State::Stopped,
        }
    }

    /// Whether nothing more will happen by itself: final, or Disconnected with nothing left to find out.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Disconnected { fate, .. } => !matches!(fate, Fate::Probing { .. }),
            Self::Completed | Self::Failed(_) | Self::Stopped(_) => true,
            Self::NotStarted
            | Self::Connecting
            | Self::Running
            | Self::Blocked(_)
            | Self::Suspended(_)
            | Self::Stopping(_) => false,
        }
    }

    /// Whether the child holds one of its job's slots.
    pub fn holds_slot(&self) -> bool {
        match self {
            Self::Connecting | Self::Running | Self::Blocked(_) | Self::Suspended(_) => true,
            Self::Stopping(Stopping { rung, .. }) => !matches!(rung, Rung::LateProof { .. }),
            Self::NotStarted
            | Self::Disconnected { .. }
            | Self::Completed
            | Self::Failed(_)
            | Self::Stopped(_) => false,
        }
    }

    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Failed(reason) | Self::Stopped(reason) => Some(reason.clone()),
            Self::Suspended(Standstill::Doubted(doubt)) => Some(Reason::Unmoved(doubt.clone())),
            Self::Disconnected { why, fate } => Some(Reason::ConnectionLost {
                why: why.clone(),
                fate: fate.clone(),
            }),
            Self::NotStarted
            | Self::Connecting
            | Self::Running
            | Self::Blocked(_)
            | Self::Suspended(Standstill::Proved { .. })
            | Self::Stopping(_)
            | Self::Completed => None,
        }
    }
}

/// How many children are in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    counts: [u32; State::ALL.len()],
    /// Disconnected children whose fate is still being looked up.
    probing: u32,
    /// Slots in use.
    slots: u32,
}

impl Tally {
    pub fn of<'a>(children: impl IntoIterator<Item = &'a ChildState>) -> Self {
        let mut tally = Self::default();
        for child in children {
            tally.add(child);
        }
        tally
    }

    pub fn add(&mut self, child: &ChildState) {
        self.counts[child.word() as usize] += 1;
        self.probing += u32::from(child.word() == State::Disconnected && !child.is_settled());
        self.slots += u32::from(child.holds_slot());
    }

    pub fn take(&mut self, child: &ChildState) {
        self.counts[child.word() as usize] -= 1;
        self.probing -= u32::from(child.word() == State::Disconnected && !child.is_settled());
        self.slots -= u32::from(child.holds_slot());
    }

    pub fn count(&self, state: State) -> u32 {
        self.counts[state as usize]
    }

    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Children that hold a slot.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Children that will still change by themselves.
    pub fn unsettled(&self) -> u32 {
        let settled = self.count(State::Completed)
            + self.count(State::Failed)
            + self.count(State::Stopped)
            + (self.count(State::Disconnected) - self.probing);
        self.total() - settled
    }

    /// The master's state: a function of the children's states alone, never of the order in which they came about.
    ///
    /// A blocked child blocks the master.  While some child is not settled the master is Running (Stopping if every such
    /// child is being stopped, Suspended if every such child is).  Then the worst outcome wins: Disconnected, Failed,
    /// Stopped, and Completed only if every child completed.
    pub fn roll_up(&self) -> State {
        let unsettled = self.unsettled();
        if self.count(State::Blocked) > 0 {
            State::Blocked
        } else if unsettled == 0 {
            [State::Disconnected, State::Failed, State::Stopped]
                .into_iter()
                .find(|state| self.count(*state) > 0)
                .unwrap_or(State::Completed)
        } else if self.count(State::Stopping) == unsettled {
            State::Stopping
        } else if self.count(State::Suspended) == unsettled {
            State::Suspended
        } else {
            State::Running
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reason::Left;

    fn child(letter: char) -> ChildState {
        let why = String::new();
        match letter {
            'n' => ChildState::NotStarted,
            'c' => ChildState::Connecting,
            'r' => ChildState::Running,
            'b' => ChildState::Blocked(Need::Receiver),
            'u' => ChildState::Suspended(Standstill::Proved { rest: None }),
            't' => ChildState::Stopping(Stopping {
                cause: Cause::Operator,
                rung: Rung::Term {
                    until: Duration::ZERO,
                },
            }),
            'p' => ChildState::Disconnected {
                why,
                fate: Fate::Probing { pid: None },
            },
            'd' => ChildState::Disconnected {
                why,
                fate: Fate::Unknown {
                    pid: None,
                    why: String::new(),
                },
            },
            'C' => ChildState::Completed,
            'F' => ChildState::Failed(Reason::Exit(1)),
            'S' => ChildState::Stopped(Reason::Stopped(Left::Nothing)),
            other => panic!("no state for {other}"),
        }
    }

    #[test]
    fn a_master_is_what_its_children_make_it() {
        let table = [
            ("n", State::Running),
            ("c", State::Running),
            ("CCr", State::Running),
            ("FFFr", State::Running),
            ("bCF", State::Blocked),
            ("btn", State::Blocked),
            ("tCS", State::Stopping),
            ("tr", State::Running),
            ("tn", State::Running),
            ("uuC", State::Suspended),
            ("ur", State::Running),
            ("pC", State::Running),
            ("dr", State::Running),
            ("dFSC", State::Disconnected),
            ("FSC", State::Failed),
            ("SC", State::Stopped),
            ("SS", State::Stopped),
            ("CCC", State::Completed),
        ];
        for (children, want) in table {
            let states: Vec<_> = children.chars().map(child).collect();
            assert_eq!(Tally::of(&states).roll_up(), want, "{children}");
            let reversed: Vec<_> = children.chars().rev().map(child).collect();
            assert_eq!(Tally::of(&reversed).roll_up(), want, "{children} reversed");
        }
    }

    #[test]
    fn words_round_trip_in_any_capitalisation() {
        for state in State::ALL {
            assert_eq!(state.word().to_lowercase().parse(), Ok(state));
        }
        assert!("done".parse::<State>().is_err());
    }
}

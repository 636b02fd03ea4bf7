//! The job model: a deterministic state machine without clock, IO or async.
//!
//! Reading order: [`ids`], [`time`], [`spec`], [`output`], [`reason`], [`question`] and [`state`] are the vocabulary; [`job`] is what
//! there is, [`select`] how it is named, [`alike`] when outputs count as the same, [`fleet`] how it changes; [`progress`], [`blocked`], [`ladder`], [`standstill`], [`proof`], [`removal`], [`receive`],
//! [`wait`] and [`saved`] are the parts of that, [`answer`] what comes back, and [`journal`] how others keep up.

pub mod alike;
pub mod answer;
pub mod blocked;
pub mod departed;
pub mod fleet;
pub mod ids;
pub mod job;
pub mod journal;
pub mod ladder;
pub mod output;
mod progress;
mod proof;
pub mod question;
pub mod reason;
pub mod receive;
mod reconnect;
mod removal;
pub mod retention;
mod review;
pub mod saved;
pub mod select;
pub mod spec;
mod standstill;
pub mod state;
pub mod time;
pub mod wait;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;

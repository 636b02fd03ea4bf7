//! From what was typed to what the engine is asked, for both faces: hosts out of the inventory, limits out of the
//! settings, what runs out of words, files and standard input.  And from what children wrote to rows.
//!
//! Everything it needs to know of its surroundings comes in with a [`Planner`]; nothing here reads the process's
//! environment by itself, except [`Caller::current`], which is where it is read.  Not here: asking for confirmation,
//! talking to the engine, and telling what came of it, which each face does its own way.

mod caller;
pub mod earlier;
mod error;
pub mod gather;
mod hosts;
mod job;
pub mod request;
mod secrets;
mod ssh;

#[cfg(test)]
mod tests;

pub use caller::{Caller, Stdin};
pub use error::PlanError;
pub use hosts::host;

use crate::command::Global;
use crate::config::settings::Settings;

/// Where a command is typed: the settings in force, the options before its verb, and who types it.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    pub settings: &'a Settings,
    pub global: &'a Global,
    pub caller: &'a Caller,
}

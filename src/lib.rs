//! Ask every computer in the fleet at once, in the background, and watch the answers come in.

pub mod cli;
pub mod command;
pub mod config;
pub mod core;
pub mod daemon;
pub mod demo;
pub mod engine;
pub mod plan;
pub mod results;
pub mod runner;
pub mod secret;
mod serial;
pub mod store;
pub mod targets;
pub mod tui;
pub mod view;
pub mod wire;

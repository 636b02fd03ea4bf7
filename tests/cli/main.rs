//! The real binary and its real daemon, as a shell uses them: exit codes, output, background jobs, bad input.
//!
//! Everything here runs on this computer (`--local`); what needs several computers is tested elsewhere.

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod bytes;
mod configure;
mod daemon;
mod disk;
mod doctor;
mod durable;
mod help;
mod history;
mod jobs;
mod look;
mod places;
mod protocol;
mod receive;
mod run;
mod stop;
mod suspend;
mod together;

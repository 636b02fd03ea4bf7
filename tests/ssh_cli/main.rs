//! The whole program over real SSH: the binary, its daemon and OpenSSH servers on loopback addresses, as a shell uses
//! them.  What the runner does by itself is tested in `ssh_runner`, what needs no other computer in `cli`.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../support/mod.rs"]
mod support;

mod connections;
mod console;
mod daemon;
mod endings;
mod faults;
mod hostile;
mod impostor;
mod login;
mod output;
mod questions;
mod rows;
mod stop;
mod stops;
mod story;
mod targets;
mod together;
mod unreachable;

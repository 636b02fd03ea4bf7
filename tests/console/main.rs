//! The console in a real terminal: what the screen says, what is sent to the terminal for it, and what the terminal is
//! like when the console has gone.  Its state without a terminal is tested beside it in `src/tui`.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

#[path = "../ssh_cli/console.rs"]
#[allow(dead_code, reason = "another test binary uses the rest")]
mod console;
#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../support/mod.rs"]
mod support;

mod daemon;
mod ends;
mod hosts;
mod picture;
mod screen;
mod work;

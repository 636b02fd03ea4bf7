//! The SSH runner by way of others: hops (`ProxyJump`) and programs (`ProxyCommand`), against real OpenSSH servers.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

#[path = "../fleet/mod.rs"]
mod fleet;

mod command;
mod ends;
mod hops;
mod lab;
mod pace;

//! Logging in and host keys, beside OpenSSH: the same server, the same configuration and keys, once for `ssh` and once
//! for regatta; whoever gets in with the one must get in with the other, and be shown the same keys on the way.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

#[path = "../fleet/mod.rs"]
mod fleet;

mod agents;
mod agreed;
mod both;
mod certificates;
mod hosts;
mod keys;
mod material;

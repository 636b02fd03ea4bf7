//! The engine as a process of its own, one per user, so that jobs outlive the terminal that started them.
//!
//! [`place`] says where its files are, [`server`] is the process, [`session`] one client's connection to it, [`client`]
//! the other end, which starts a daemon if there is none.  Without a daemon the same session serves the same client over
//! a pipe in memory.

mod apart;
pub mod assemble;
mod audit;
mod chronicle;
pub mod client;
mod connections;
mod deed;
pub(crate) mod digest;
mod fold;
mod history;
mod hosts;
mod look;
mod looking;
mod notice;
mod peer;
pub mod place;
mod questions;
mod receive;
mod rerun;
mod search;
pub mod server;
mod session;
mod status;

pub use crate::store::{OpenError, check as store_check};
pub use session::Service;

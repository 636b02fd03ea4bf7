//! What clients and the engine say to each other.
//!
//! A connection carries one [`Request`] and the [`Reply`]s to it, the last of which says so by its kind.  Frames are
//! length-prefixed ([`frame`]); the first one each way is a greeting in JSON that every version can read, the rest is
//! MessagePack between equal protocol versions.  Closing the connection withdraws the request.

pub mod connection;
pub mod frame;
pub mod look;
pub mod reply;
pub mod request;

pub use reply::{ChildView, JobView, Reply};
pub use request::Request;

use serde::{Deserialize, Serialize};

/// Grows with every change to what goes over the wire.
pub const PROTOCOL: u32 = 13;

/// The first frame in either direction.  Its form never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    pub protocol: u32,
    /// The program's version, for messages.
    pub version: String,
    pub pid: u32,
}

impl Greeting {
    /// This program's own.
    pub fn ours() -> Self {
        Self {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_string(),
            pid: std::process::id(),
        }
    }
}

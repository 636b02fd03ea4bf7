//! Connections that are kept: which there are, and having them closed.

use serde::{Deserialize, Serialize};

/// A connection that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// What it leads to: a host by all its names, or a hop.
    pub hosts: Vec<String>,
    pub user: String,
    /// The name or address that was connected to.
    pub address: String,
    pub port: u16,
    /// The hops it leads through, the first one first.
    pub via: Vec<String>,
    /// The `ProxyCommand` it leads through.
    pub command: Option<String>,
    pub carries: Carries,
    /// How many of them now.
    pub channels: u64,
    /// Seconds since it was made.
    pub age: f64,
    /// Seconds in which nobody has used it; none while somebody does.
    pub idle: Option<f64>,
    /// Bytes that came and went.
    pub received: u64,
    pub sent: u64,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carries {
    Commands,
    /// Those to the hosts behind a hop.
    Connections,
}

/// Connections that are to be closed, and with them those that lead through them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// Those to these hosts and hops; all without.
    pub hosts: Option<Vec<String>>,
    pub in_use: InUse,
}

/// What happens to a connection that carries commands, or connections that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InUse {
    Stays,
    IsClosed,
}

/// What became of those that were meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disconnected {
    pub closed: Vec<ConnectionView>,
    pub in_use: Vec<ConnectionView>,
}

//! What can be wrong with an inventory, and on which line.

use std::fmt;

use crate::targets::{InvalidName, TargetError};

/// Something is wrong in an inventory file. `Display` is one sentence that begins with file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryError {
    /// The file, as it was named to [`super::Inventory::parse`].
    pub origin: String,
    /// Counted from 1.
    pub line: usize,
    pub problem: Problem,
    /// What to do next, where that can be told.
    pub hint: Option<String>,
}

/// The kinds of [`InventoryError`]. A `key` is the whole path: `hosts.web01.port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not TOML; the parser's words.
    Syntax(String),
    UnknownKey {
        key: String,
    },
    WrongType {
        key: String,
        expected: &'static str,
        found: &'static str,
    },
    /// A host key, an address or a group does not parse or does not resolve.
    Targets {
        key: String,
        error: Box<TargetError>,
    },
    /// A host key refers to groups, whose members can depend on it.
    GroupInHosts {
        key: String,
    },
    /// A host key carries a user or a port; those have settings of their own.
    UserOrPortInHosts {
        key: String,
    },
    /// Neither one address nor as many as there are hosts.
    AddressCount {
        key: String,
        hosts: usize,
        addresses: usize,
    },
    /// The user is given in the address, or the port both in the address and by itself.
    AddressParts {
        key: String,
    },
    InvalidUser {
        key: String,
        why: InvalidName,
    },
    InvalidPort {
        key: String,
    },
    InvalidGroupName {
        name: String,
    },
    /// The names from a group back to itself: `["a", "b", "a"]`.
    Cycle {
        path: Vec<String>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => f.write_str(message),
            Self::UnknownKey { key } => write!(f, "unknown key {}", key.escape_debug()),
            Self::WrongType {
                key,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{} is {found}, but must be {expected}",
                    key.escape_debug()
                )
            }
            Self::Targets { key, error } => write!(f, "{}: {error}", key.escape_debug()),
            Self::GroupInHosts { key } => write!(
                f,
                "{}: a key of [hosts] cannot refer to groups",
                key.escape_debug()
            ),
            Self::UserOrPortInHosts { key } => {
                write!(
                    f,
                    "{}: a key of [hosts] cannot hold a user or a port",
                    key.escape_debug()
                )
            }
            Self::AddressCount {
                key,
                hosts,
                addresses,
            } => {
                write!(
                    f,
                    "{} gives {addresses} addresses for {hosts} hosts",
                    key.escape_debug()
                )
            }
            Self::AddressParts { key } => {
                write!(
                    f,
                    "{} holds a user, or a port that is also given by itself",
                    key.escape_debug()
                )
            }
            Self::InvalidUser { key, why } => {
                write!(f, "{} is not a user name: {why}", key.escape_debug())
            }
            Self::InvalidPort { key } => {
                write!(f, "{} is not a port from 1 to 65535", key.escape_debug())
            }
            Self::InvalidGroupName { name } => {
                write!(
                    f,
                    "{name:?} is no group name: letters, digits and . _ - + make one"
                )
            }
            Self::Cycle { path } => write!(f, "a group contains itself: @{}", path.join(" -> @")),
        }
    }
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}",
            self.origin.escape_debug(),
            self.line,
            self.problem
        )?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InventoryError {}

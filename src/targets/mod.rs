//! Which hosts: ClusterShell's NodeSet grammar, host names, groups, and folding names back to the shortest text.
//!
//! [`Targets::resolve`] turns `web[01-20]!@broken` into a [`HostSet`]; [`HostSet::fold`] turns any set of names back.
//! Behaviour follows ClusterShell 1.9.1 (`man nodeset`, its NodeSet and RangeSet modules) and is compared with the real `nodeset`
//! by tests/nodeset.rs, which also lists every deliberate difference with its reason.
//!
//! Not here: reading files or standard input (the caller's [`Source`] does), the formats groups come from (`config`
//! fills [`Groups`]), and looking names up in the DNS.

mod error;
mod fold;
mod grid;
mod groups;
mod hostname;
mod hostset;
mod index;
mod nearest;
mod outline;
mod parse;
mod resolve;
mod wildcard;

#[cfg(test)]
mod tests;

pub use error::{ErrorKind, TargetError};
pub use groups::Groups;
pub use hostname::{HostName, InvalidName};
pub use hostset::{HostSet, Iter, folded};
pub use nearest::nearest;
pub use outline::{GroupReference, Outline};
pub use resolve::{MAX_HOSTS, NoSource, Source, Targets};

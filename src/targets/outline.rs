//! What an expression refers to, without resolving it: for whoever must resolve several in the right order.

use super::error::{ErrorKind, TargetError};
use super::grid::Op;
use super::hostset::{Builder, HostSet};
use super::parse::{OperandKind, parse};
use super::resolve::MAX_HOSTS;
use super::wildcard;

/// What an expression names and refers to.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The hosts written out that it could contain: not those after `!` or `&`.
    pub hosts: HostSet,
    /// The groups it refers to, without `@*`.
    pub groups: Vec<GroupReference>,
    /// Whether it matches wildcards against the known hosts, or takes all of them by `@*`.
    pub uses_known_hosts: bool,
}

/// A group in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReference {
    /// `None` for the default source.
    pub source: Option<String>,
    /// Can hold wildcards.
    pub name: String,
}

impl GroupReference {
    /// Whether it refers to the group of this name, given that the source is the right one.
    pub fn matches(&self, group: &str) -> bool {
        wildcard::matches(&self.name, group)
    }
}

impl Outline {
    /// Outlines an expression that stands in a file of settings, where `^FILE` and `-` are refused.
    pub fn of(text: &str) -> Result<Self, TargetError> {
        let mut outline = Self::default();
        let mut hosts = Builder::default();
        for (op, operand) in parse(text, MAX_HOSTS)?.patterns.into_iter().flatten() {
            match operand.kind {
                OperandKind::Hosts(term) => match op {
                    Op::Union | Op::Xor => term.add_to(&mut hosts),
                    Op::Minus | Op::And => {}
                },
                OperandKind::Masks(_) => outline.uses_known_hosts = true,
                OperandKind::Groups { source, names } => {
                    for name in &names {
                        if source.is_none() && name.as_str() == "*" {
                            outline.uses_known_hosts = true;
                        } else {
                            let name = name.to_string();
                            outline.groups.push(GroupReference {
                                source: source.clone(),
                                name,
                            });
                        }
                    }
                }
                OperandKind::File(_) | OperandKind::Stdin => {
                    let kind = ErrorKind::NestedSource;
                    return Err(TargetError {
                        origin: None,
                        text: text.to_owned(),
                        at: operand.at,
                        kind,
                        hint: None,
                    });
                }
            }
        }
        outline.hosts = hosts.build();
        Ok(outline)
    }
}

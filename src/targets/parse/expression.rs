//! What an expression is made of.

use std::ops::Range;

use crate::targets::grid::{Grid, Op};
use crate::targets::hostset::{Builder, HostSet, Shape};

/// A parsed expression.
#[derive(Debug)]
pub(in crate::targets) struct Expression {
    pub(in crate::targets) patterns: Vec<Pattern>,
}

/// Operands to be worked off from left to right; the first one's operator is a union with nothing.
pub(in crate::targets) type Pattern = Vec<(Op, Operand)>;

#[derive(Debug)]
pub(in crate::targets) struct Operand {
    /// The bytes of the expression it was read from.
    pub(in crate::targets) at: Range<usize>,
    pub(in crate::targets) kind: OperandKind,
}

#[derive(Debug)]
pub(in crate::targets) enum OperandKind {
    /// Names written out, as ranges.
    Hosts(Term),
    /// Masks with `*` and `?`, to be matched against the known hosts.
    Masks(HostSet),
    /// Groups by name or mask, of the named source or of the one in force.
    Groups {
        source: Option<String>,
        names: HostSet,
    },
    File(String),
    Stdin,
}

/// The product of ranges in the slots of a name.
#[derive(Debug)]
pub(in crate::targets) struct Term {
    pub(super) shape: Shape,
    pub(super) axes: Vec<Grid>,
}

impl Term {
    pub(in crate::targets) fn add_to(self, builder: &mut Builder) {
        builder.add_product(self.shape, &self.axes);
    }

    /// How many names, saturating.
    pub(super) fn len(&self) -> u64 {
        self.axes.iter().fold(1_u64, |product, axis| {
            product.saturating_mul(axis.len() as u64)
        })
    }

    pub(super) fn expand(self) -> HostSet {
        let mut builder = Builder::default();
        self.add_to(&mut builder);
        builder.build()
    }
}

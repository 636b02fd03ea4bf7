//! Sets of number tuples, and their algebra: what the numbers of one name shape (`r1n7`, `r1n8`, ...) can be.
//!
//! A [`Grid`] is kept in one canonical form: along the first number, disjoint ascending slabs, each with the
//! grid of the remaining numbers; neighbouring slabs with the same remainder are one. A million machines in
//! one run are a handful of slabs, two equal sets compare equal, and every operation is one sweep over both sides.

use std::cmp::Ordering;
use std::sync::Arc;

use super::index::{Index, Span};

/// A set of tuples, never empty where it is a [`Rest`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Grid {
    slabs: Vec<Slab>,
}

/// A run of values of the first number, and what the numbers after it can be for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slab {
    pub(super) span: Span,
    pub(super) rest: Rest,
}

/// What follows a number: `None` when it was the last one.
pub(super) type Rest = Option<Arc<Grid>>;

/// The four operations on sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Union,
    Minus,
    And,
    Xor,
}

impl Op {
    fn keeps_left_only(self) -> bool {
        match self {
            Self::Union | Self::Minus | Self::Xor => true,
            Self::And => false,
        }
    }

    pub(super) fn keeps_right_only(self) -> bool {
        match self {
            Self::Union | Self::Xor => true,
            Self::Minus | Self::And => false,
        }
    }

    fn keeps_both(self) -> bool {
        match self {
            Self::Union | Self::And => true,
            Self::Minus | Self::Xor => false,
        }
    }
}

impl Grid {
    /// The numbers of `spans`, in any order and overlapping or not, in one dimension.
    pub(super) fn line(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable_by_key(|span| (span.width, span.lo));
        let mut grid = Self::default();
        for mut span in spans {
            if let Some(last) = grid.slabs.last().map(|slab| slab.span)
                && last.width == span.width
            {
                if span.hi <= last.hi {
                    continue;
                }
                span.lo = span.lo.max(last.hi + 1);
            }
            grid.push(span, None);
        }
        grid
    }

    /// The product of one-dimensional grids, the first number first; `None` for no numbers at all.
    pub(super) fn product(axes: &[Self]) -> Rest {
        let mut rest = None;
        for axis in axes.iter().rev() {
            let mut grid = Self::default();
            for slab in &axis.slabs {
                grid.push(slab.span, rest.clone());
            }
            rest = Some(Arc::new(grid));
        }
        rest
    }

    /// The grid of sorted tuples, duplicates allowed, looking only at the numbers from `depth` on.
    pub(super) fn from_sorted_tuples(tuples: &[&[Index]], depth: usize) -> Rest {
        let width = tuples.first()?.len();
        if depth == width {
            return None;
        }
        let mut grid = Self::default();
        for run in tuples.chunk_by(|a, b| a[depth] == b[depth]) {
            grid.push(
                Span::one(run[0][depth]),
                Self::from_sorted_tuples(run, depth + 1),
            );
        }
        Some(Arc::new(grid))
    }

    pub(super) fn slabs(&self) -> &[Slab] {
        &self.slabs
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slabs.is_empty()
    }

    /// The only value of the first number, if there is only one.
    pub(super) fn single(&self) -> Option<Index> {
        match &*self.slabs {
            [Slab { span, .. }] if span.lo == span.hi => Some(span.first()),
            _ => None,
        }
    }

    /// How many tuples, saturating.
    pub(super) fn len(&self) -> usize {
        self.slabs.iter().fold(0_usize, |sum, slab| {
            sum.saturating_add(slab.span.len().saturating_mul(count(&slab.rest)))
        })
    }

    /// The slab that holds `index`.
    fn slab_at(&self, index: Index) -> Option<&Slab> {
        let at = self
            .slabs
            .binary_search_by(|slab| {
                if slab.span.last() < index {
                    Ordering::Less
                } else if slab.span.first() > index {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                }
            })
            .ok()?;
        self.slabs.get(at)
    }

    /// Appends a slab that lies above all others, joined with the last one where that changes nothing.
    fn push(&mut self, span: Span, rest: Rest) {
        if let Some(last) = self.slabs.last_mut()
            && last.span.width == span.width
            && last.span.hi + 1 == span.lo
            && last.rest == rest
        {
            last.span.hi = span.hi;
        } else {
            self.slabs.push(Slab { span, rest });
        }
    }

    /// One sweep along the first number of both sides.
    pub(super) fn combine(&self, other: &Self, op: Op) -> Self {
        let mut out = Self::default();
        let mut emit = |span: Span, left: Option<&Rest>, right: Option<&Rest>| {
            if let Some(rest) = combine(left, right, op) {
                out.push(span, rest);
            }
        };
        let (mut lefts, mut rights) = (self.slabs.iter(), other.slabs.iter());
        let (mut left, mut right) = (lefts.next().cloned(), rights.next().cloned());
        loop {
            match (&mut left, &mut right) {
                (None, None) => return out,
                (Some(l), None) => {
                    emit(l.span, Some(&l.rest), None);
                    left = lefts.next().cloned();
                }
                (None, Some(r)) => {
                    emit(r.span, None, Some(&r.rest));
                    right = rights.next().cloned();
                }
                (Some(l), Some(r)) if l.span.last() < r.span.first() => {
                    emit(l.span, Some(&l.rest), None);
                    left = lefts.next().cloned();
                }
                (Some(l), Some(r)) if r.span.last() < l.span.first() => {
                    emit(r.span, None, Some(&r.rest));
                    right = rights.next().cloned();
                }
                // From here on the two overlap, so they are of one width.
                (Some(l), Some(r)) if l.span.lo < r.span.lo => {
                    emit(
                        Span {
                            hi: r.span.lo - 1,
                            ..l.span
                        },
                        Some(&l.rest),
                        None,
                    );
                    l.span.lo = r.span.lo;
                }
                (Some(l), Some(r)) if r.span.lo < l.span.lo => {
                    emit(
                        Span {
                            hi: l.span.lo - 1,
                            ..r.span
                        },
                        None,
                        Some(&r.rest),
                    );
                    r.span.lo = l.span.lo;
                }
                (Some(l), Some(r)) => {
                    let hi = l.span.hi.min(r.span.hi);
                    emit(Span { hi, ..l.span }, Some(&l.rest), Some(&r.rest));
                    let (left_ends, right_ends) = (l.span.hi == hi, r.span.hi == hi);
                    l.span.lo = hi + 1;
                    r.span.lo = hi + 1;
                    if left_ends {
                        left = lefts.next().cloned();
                    }
                    if right_ends {
                        right = rights.next().cloned();
                    }
                }
            }
        }
    }
}

/// `left op right`, where a side may be absent; `None` when nothing is left. Both sides have the same number of dimensions.
pub(super) fn combine(left: Option<&Rest>, right: Option<&Rest>, op: Op) -> Option<Rest> {
    match (left, right) {
        (None, None) => None,
        (Some(left), None) => op.keeps_left_only().then(|| left.clone()),
        (None, Some(right)) => op.keeps_right_only().then(|| right.clone()),
        (Some(Some(left)), Some(Some(right))) if !Arc::ptr_eq(left, right) => {
            let grid = left.combine(right, op);
            (!grid.is_empty()).then(|| Some(Arc::new(grid)))
        }
        (Some(left), Some(_)) => op.keeps_both().then(|| left.clone()),
    }
}

/// The union of many, joined in pairs so that each tuple is copied only a logarithmic number of times.
pub(super) fn union_all(mut all: Vec<Rest>) -> Option<Rest> {
    while all.len() > 1 {
        all = all
            .chunks(2)
            .filter_map(|pair| combine(pair.first(), pair.get(1), Op::Union))
            .collect();
    }
    all.pop()
}

/// How many tuples, saturating; nothing after the last number counts as one.
pub(super) fn count(rest: &Rest) -> usize {
    rest.as_ref().map_or(1, |grid| grid.len())
}

/// Whether the tuple is in the set.
pub(super) fn contains(mut rest: &Rest, tuple: &[Index]) -> bool {
    for &index in tuple {
        let Some(slab) = rest.as_ref().and_then(|grid| grid.slab_at(index)) else {
            return false;
        };
        rest = &slab.rest;
    }
    rest.is_none()
}

/// The tuples in ascending order, the first number varying slowest.
#[derive(Debug)]
pub(super) struct Tuples<'a> {
    /// One cursor for each number; empty once exhausted.
    cursors: Vec<Cursor<'a>>,
    tuple: Vec<Index>,
    state: Progress,
}

#[derive(Debug)]
struct Cursor<'a> {
    slabs: &'a [Slab],
    value: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Fresh,
    Under,
    Done,
}

impl<'a> Tuples<'a> {
    pub(super) fn new(rest: &'a Rest) -> Self {
        let mut tuples = Self {
            cursors: Vec::new(),
            tuple: Vec::new(),
            state: Progress::Fresh,
        };
        tuples.descend(rest);
        tuples
    }

    /// The next tuple; the slice is valid until the next call.
    pub(super) fn next_tuple(&mut self) -> Option<&[Index]> {
        match self.state {
            Progress::Fresh => self.state = Progress::Under,
            Progress::Under => self.advance(),
            Progress::Done => {}
        }
        (self.state != Progress::Done).then_some(&*self.tuple)
    }

    fn descend(&mut self, mut rest: &'a Rest) {
        while let Some(grid) = rest {
            let Some(first) = grid.slabs.first() else {
                return self.state = Progress::Done;
            };
            self.cursors.push(Cursor {
                slabs: &grid.slabs,
                value: first.span.lo,
            });
            self.tuple.push(first.span.first());
            rest = &first.rest;
        }
    }

    fn advance(&mut self) {
        while let (Some(cursor), Some(_)) = (self.cursors.last_mut(), self.tuple.pop()) {
            if cursor.value < cursor.slabs[0].span.hi {
                cursor.value += 1;
            } else {
                cursor.slabs = &cursor.slabs[1..];
                let Some(slab) = cursor.slabs.first() else {
                    self.cursors.pop();
                    continue;
                };
                cursor.value = slab.span.lo;
            }
            let slab: &'a Slab = &cursor.slabs[0];
            self.tuple.push(Index {
                width: slab.span.width,
                value: cursor.value,
            });
            return self.descend(&slab.rest);
        }
        self.state = Progress::Done;
    }
}

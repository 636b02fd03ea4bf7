//! From a set back to its shortest text, as `nodeset -f` writes it.
//!
//! Names with one number fold by joining neighbours. Names with several fold by joining boxes (products of ranges) that differ
//! in one number only, largest first, until nothing joins; the order in which that is tried decides which of several
//! equally good texts comes out, so it follows ClusterShell's `RangeSetND` step by step.

use std::cmp::Reverse;

use super::grid::{self, Grid, Op, Rest, Tuples};
use super::hostset::{HostSet, Shape};
use super::index::{Index, Span};

/// Up to so many names of one shape with several numbers, folding starts from single names as ClusterShell does.
/// More start from the boxes the set is made of: the text then says the same but may group it otherwise.
const FOLD_BY_NAME: usize = 10_000;

/// The last pass compares every box with every other one. Beyond so many it is left out: the text may then be longer than need be.
const FOLD_BY_PAIRS: usize = 4_000;

impl HostSet {
    /// The shortest form: `web[01-20,30],r[1-4]n[1-32]`. Parsing it gives the same set; the empty set is the empty text.
    /// Steps are not used, as ClusterShell does not use them unless asked to.
    pub fn fold(&self) -> String {
        let mut out = String::new();
        for (shape, rest) in self.shapes() {
            for axes in boxes(rest) {
                if !out.is_empty() {
                    out.push(',');
                }
                shape_with_ranges(shape, &axes, &mut out);
            }
        }
        out
    }
}

/// A box: the product of one line for each number.
type Axes = Vec<Grid>;

fn shape_with_ranges(shape: &Shape, axes: &[Grid], out: &mut String) {
    shape.write_with(out, |out, i| {
        let axis = &axes[i];
        if axis.single().is_some() {
            write_ranges(axis, out);
        } else {
            out.push('[');
            write_ranges(axis, out);
            out.push(']');
        }
    });
}

/// The text of one line: `1-3,5,007`.
///
/// A run of unpadded numbers goes on past 9, 99, ...; a padded one cannot. Once a padded number was seen, a run of numbers as long does
/// not go on past its width either until a run of two or more has ended: so ClusterShell decides, and so `09,99,100` is not `09,99-100`.
fn write_ranges(axis: &Grid, out: &mut String) {
    let mut run: Option<(Index, Index)> = None;
    let mut padded = None;
    let mut write_run = |(first, last): (Index, Index), comma: bool| {
        first.write_to(out);
        if first != last {
            out.push('-');
            last.write_to(out);
        }
        if comma {
            out.push(',');
        }
    };
    for span in axis.slabs().iter().map(|slab| slab.span) {
        let (first, last) = (span.first(), span.last());
        let width_if_padded = first.is_padded().then_some(span.width);
        let Some((run_first, run_last)) = run else {
            run = Some((first, last));
            padded = width_if_padded;
            continue;
        };
        let mismatch = padded.map_or(first.is_padded(), |width| width != span.width);
        if !mismatch && first.value == run_last.value + 1 {
            run = Some((run_first, last));
            continue;
        }
        if mismatch || run_first != run_last {
            padded = width_if_padded;
        }
        write_run((run_first, run_last), true);
        run = Some((first, last));
    }
    if let Some(run) = run {
        write_run(run, false);
    }
}

/// The boxes whose union is the set, in the order they are written.
fn boxes(rest: &Rest) -> Vec<Axes> {
    if let Some(single) = as_product(rest) {
        return vec![single];
    }
    let mut boxes = if grid::count(rest) <= FOLD_BY_NAME {
        single_names(rest)
    } else {
        canonical_boxes(rest)
    };
    until_stable(&mut boxes, join_neighbours);
    if boxes.len() <= FOLD_BY_PAIRS {
        until_stable(&mut boxes, join_pairs);
    }
    boxes
}

/// Sorts and makes a pass, again and again until a pass joins nothing.
fn until_stable(boxes: &mut Vec<Axes>, pass: fn(Vec<Axes>) -> Vec<Axes>) {
    loop {
        boxes.sort_by_cached_key(sort_key);
        let before = boxes.len();
        *boxes = pass(std::mem::take(boxes));
        if boxes.len() == before {
            return;
        }
    }
}

/// The set as one product, if it is one.
fn as_product(mut rest: &Rest) -> Option<Axes> {
    let mut axes = Vec::new();
    while let Some(grid) = rest {
        let (first, others) = grid.slabs().split_first()?;
        if others.iter().any(|slab| slab.rest != first.rest) {
            return None;
        }
        axes.push(Grid::line(
            grid.slabs().iter().map(|slab| slab.span).collect(),
        ));
        rest = &first.rest;
    }
    Some(axes)
}

fn single_names(rest: &Rest) -> Vec<Axes> {
    let mut tuples = Tuples::new(rest);
    let mut boxes = Vec::new();
    while let Some(tuple) = tuples.next_tuple() {
        boxes.push(
            tuple
                .iter()
                .map(|&index| Grid::line(vec![Span::one(index)]))
                .collect(),
        );
    }
    boxes
}

fn canonical_boxes(rest: &Rest) -> Vec<Axes> {
    if let Some(single) = as_product(rest) {
        return vec![single];
    }
    let mut boxes = Vec::new();
    for slab in rest.iter().flat_map(|grid| grid.slabs()) {
        for mut tail in canonical_boxes(&slab.rest) {
            tail.insert(0, Grid::line(vec![slab.span]));
            boxes.push(tail);
        }
    }
    boxes
}

type SortKey = (Reverse<usize>, Vec<(Reverse<usize>, String, String)>);

/// Larger boxes first, then by each number: longer ranges first, then by the first and last element. ClusterShell 1.9 compares
/// those as text (`10` before `9`), and so does this.
fn sort_key(axes: &Axes) -> SortKey {
    let size = axes
        .iter()
        .fold(1_usize, |product, axis| product.saturating_mul(axis.len()));
    let text = |index: Option<Index>| {
        let mut text = String::new();
        if let Some(index) = index {
            index.write_to(&mut text);
        }
        text
    };
    let axis_key = |axis: &Grid| {
        let first = axis.slabs().first().map(|slab| slab.span.first());
        let last = axis.slabs().last().map(|slab| slab.span.last());
        (Reverse(axis.len()), text(first), text(last))
    };
    (Reverse(size), axes.iter().map(axis_key).collect())
}

/// Joins each box with the ones right after it for as long as that works.
fn join_neighbours(boxes: Vec<Axes>) -> Vec<Axes> {
    let mut joined: Vec<Axes> = Vec::with_capacity(boxes.len());
    for axes in boxes {
        if !joined.last_mut().is_some_and(|last| join(last, &axes)) {
            joined.push(axes);
        }
    }
    joined
}

/// Joins each box with every later one that fits.
fn join_pairs(mut boxes: Vec<Axes>) -> Vec<Axes> {
    let mut joined = Vec::with_capacity(boxes.len());
    boxes.reverse();
    while let Some(mut first) = boxes.pop() {
        // Backwards, because the next box is the last of the reversed list.
        let mut kept = Vec::with_capacity(boxes.len());
        while let Some(other) = boxes.pop() {
            if !join(&mut first, &other) {
                kept.push(other);
            }
        }
        kept.reverse();
        boxes = kept;
        joined.push(first);
    }
    joined
}

/// Makes `a` the union of both if that is a box again. The two are disjoint, so it is one when they differ in exactly one number.
fn join(a: &mut Axes, b: &Axes) -> bool {
    let mut differing = (0..a.len()).filter(|&i| a[i] != b[i]);
    let (Some(axis), None) = (differing.next(), differing.next()) else {
        return false;
    };
    a[axis] = a[axis].combine(&b[axis], Op::Union);
    true
}

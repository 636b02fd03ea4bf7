//! An ordered set of host names, kept as name shapes and the numbers in them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use super::error::TargetError;
use super::grid::{self, Grid, Op, Rest, Tuples};
use super::hostname::{HostName, InvalidName};
use super::index::{Index, MAX_DIGITS, Span};
use super::{Groups, NoSource, Targets};

/// A set of host names, without duplicates, in one order.
///
/// The order, which is also the host order of a job, is by the name's shape (the name with its numbers left out), then by
/// its numbers from left to right, fewer digits before more and smaller before larger: `db1, web, web1, web2, web01, web10`.
/// ClusterShell expands in the same order, except that it lists names with several numbers term by term of their folded form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSet {
    shapes: BTreeMap<Shape, Rest>,
    len: usize,
}

/// A name with [`SLOT`] in place of each number: `r#n#-ib#`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shape(String);

/// Stands for a number. No host name has it, and it sorts before everything one has, as ClusterShell's `%s` does.
const SLOT: char = '#';

impl Shape {
    pub(super) fn push_text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn push_slot(&mut self) {
        self.0.push(SLOT);
    }

    pub(super) fn new() -> Self {
        Self(String::new())
    }

    /// Writes the shape with `slot` called for each number, given its position.
    pub(super) fn write_with(&self, out: &mut String, mut slot: impl FnMut(&mut String, usize)) {
        for (i, text) in self.0.split(SLOT).enumerate() {
            if i > 0 {
                slot(out, i - 1);
            }
            out.push_str(text);
        }
    }

    /// Its length in bytes, a number counting as one.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains_colon(&self) -> bool {
        self.0.contains(':')
    }
}

impl Borrow<str> for Shape {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Splits a name into its shape and numbers, appending to both. A bracketed address is all text, so that
/// folding never puts brackets into brackets.
pub(super) fn split_name(name: &str, shape: &mut String, numbers: &mut Vec<Index>) {
    if name.contains('[') {
        shape.push_str(name);
        return;
    }
    for run in name
        .as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
    {
        let run = std::str::from_utf8(run)
            .expect("a cut beside or between ASCII digits is a character boundary");
        match Index::from_digits(run) {
            Some(number) => {
                shape.push(SLOT);
                numbers.push(number);
            }
            None => shape.push_str(run),
        }
    }
}

/// Names of hosts in the shortest form.  They were checked when they became hosts; if one is none all the same, they are
/// listed as they are.
pub fn folded<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    HostSet::from_names(names.clone()).map_or_else(
        |_| names.collect::<Vec<_>>().join(","),
        |hosts| hosts.fold(),
    )
}

impl HostSet {
    /// The set of these names.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidName> {
        let mut builder = Builder::default();
        for name in names {
            builder.add_name(HostName::parse(name)?.as_str());
        }
        Ok(builder.build())
    }

    /// The union of many sets, without copying each host more than a few times.
    pub fn union_of<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut builder = Builder::default();
        sets.into_iter().for_each(|set| builder.add_set(set));
        builder.build()
    }

    /// How many hosts.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// Whether exactly this name, spelled this way, is in the set.
    pub fn contains(&self, name: &str) -> bool {
        let (mut shape, mut numbers) = (String::new(), Vec::new());
        split_name(name, &mut shape, &mut numbers);
        self.shapes
            .get(shape.as_str())
            .is_some_and(|rest| grid::contains(rest, &numbers))
    }

    /// The names in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            shapes: self.shapes.iter(),
            current: None,
        }
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, Op::Union)
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, Op::Minus)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, Op::And)
    }

    /// What is in exactly one of the two.
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        self.combine(other, Op::Xor)
    }

    /// Whether every host of `other` is here.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.minus(self).is_empty()
    }

    pub(super) fn combine(&self, other: &Self, op: Op) -> Self {
        let mut shapes = BTreeMap::new();
        for (shape, rest) in &self.shapes {
            if let Some(rest) = grid::combine(Some(rest), other.shapes.get(shape), op) {
                shapes.insert(shape.clone(), rest);
            }
        }
        let only_right = if op.keeps_right_only() {
            Some(&other.shapes)
        } else {
            None
        };
        for (shape, rest) in only_right.into_iter().flatten() {
            if !self.shapes.contains_key(shape) {
                shapes.insert(shape.clone(), rest.clone());
            }
        }
        Self::from_shapes(shapes)
    }

    fn from_shapes(shapes: BTreeMap<Shape, Rest>) -> Self {
        let len = shapes
            .values()
            .fold(0_usize, |sum, rest| sum.saturating_add(grid::count(rest)));
        Self { shapes, len }
    }

    pub(super) fn shapes(&self) -> impl Iterator<Item = (&Shape, &Rest)> {
        self.shapes.iter()
    }
}

/// Parses an expression of plain hosts: no groups are known, and files and standard input are refused.
impl FromStr for HostSet {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Targets::new(&Groups::default(), &mut NoSource).resolve(text, None)
    }
}

impl FromIterator<HostName> for HostSet {
    fn from_iter<I: IntoIterator<Item = HostName>>(names: I) -> Self {
        let mut builder = Builder::default();
        for name in names {
            builder.add_name(name.as_str());
        }
        builder.build()
    }
}

impl<'a> IntoIterator for &'a HostSet {
    type Item = HostName;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The folded form, as [`HostSet::fold`] gives it.
impl fmt::Display for HostSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fold())
    }
}

/// The names of a [`HostSet`], in order.
#[derive(Debug)]
pub struct Iter<'a> {
    shapes: std::collections::btree_map::Iter<'a, Shape, Rest>,
    current: Option<(&'a Shape, Tuples<'a>)>,
}

impl Iterator for Iter<'_> {
    type Item = HostName;

    fn next(&mut self) -> Option<HostName> {
        loop {
            if let Some((shape, tuples)) = &mut self.current
                && let Some(tuple) = tuples.next_tuple()
            {
                let mut name = String::with_capacity(shape.0.len() + 4 * tuple.len());
                shape.write_with(&mut name, |out, i| tuple[i].write_to(out));
                return Some(HostName::from_checked(name));
            }
            let (shape, rest) = self.shapes.next()?;
            self.current = Some((shape, Tuples::new(rest)));
        }
    }
}

/// Collects names and products of ranges in any order, and sorts them once.
#[derive(Debug, Default)]
pub(super) struct Builder {
    buckets: HashMap<Shape, Bucket>,
    /// Kept to save an allocation for each name.
    shape: String,
    numbers: Vec<Index>,
}

#[derive(Debug, Default)]
struct Bucket {
    /// The numbers of single names, one name after the other.
    numbers: Vec<Index>,
    /// How many numbers a name has.
    dimensions: usize,
    products: Vec<Rest>,
}

impl Builder {
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Adds one name, unchecked.
    pub(super) fn add_name(&mut self, name: &str) {
        self.shape.clear();
        self.numbers.clear();
        split_name(name, &mut self.shape, &mut self.numbers);
        let bucket = match self.buckets.get_mut(self.shape.as_str()) {
            Some(bucket) => bucket,
            None => self.buckets.entry(Shape(self.shape.clone())).or_default(),
        };
        bucket.dimensions = self.numbers.len();
        bucket.numbers.extend_from_slice(&self.numbers);
    }

    /// Adds every combination of `axes` in the slots of `shape`.
    pub(super) fn add_product(&mut self, shape: Shape, axes: &[Grid]) {
        let bucket = self.buckets.entry(shape).or_default();
        bucket.dimensions = axes.len();
        if axes.iter().all(|axis| axis.single().is_some()) {
            bucket.numbers.extend(axes.iter().filter_map(Grid::single));
        } else {
            bucket.products.push(Grid::product(axes));
        }
    }

    pub(super) fn add_set(&mut self, set: &HostSet) {
        for (shape, rest) in &set.shapes {
            self.buckets
                .entry(shape.clone())
                .or_default()
                .products
                .push(rest.clone());
        }
    }

    pub(super) fn build(self) -> HostSet {
        let shapes = self
            .buckets
            .into_iter()
            .map(|(shape, bucket)| (shape, bucket.build()))
            .collect();
        HostSet::from_shapes(shapes)
    }
}

impl Bucket {
    fn build(mut self) -> Rest {
        match self.dimensions {
            0 => {}
            1 => {
                let spans: Vec<Span> = self.numbers.into_iter().map(Span::one).collect();
                if !spans.is_empty() {
                    self.products.push(Grid::product(&[Grid::line(spans)]));
                }
            }
            dimensions => {
                let mut tuples: Vec<&[Index]> = self.numbers.chunks_exact(dimensions).collect();
                if !tuples.is_empty() {
                    tuples.sort_unstable();
                    self.products.push(Grid::from_sorted_tuples(&tuples, 0));
                }
            }
        }
        // A name without numbers is there by its bucket alone, and so is the empty rest.
        grid::union_all(self.products).unwrap_or_default()
    }
}

const _: () = assert!(MAX_DIGITS < 20, "an index must fit a u64");

//! Where some lines differ from others, for both faces: by what the lines read as, with what is ignored.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use crate::core::alike::Reading;

/// So many lines that are the same are shown around those that are not.
const AROUND: usize = 3;
/// With more lines than this on one side, only what is before the first and behind the last difference is taken as the
/// same: finding more would take too long.
pub const MOST: usize = 20_000;

/// So long differences are looked for that are as small as can be; then they may be larger.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Lines that are compared.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    texts: Vec<&'a [u8]>,
    /// As what each of them reads.
    reads: Vec<Cow<'a, [u8]>>,
}

/// Differences that are close to each other, with the lines around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// Which of their lines and of ours, of those that count, from 0.
    pub theirs: Range<usize>,
    pub ours: Range<usize>,
    pub rows: Vec<(Change, &'a [u8])>,
}

/// What a line is in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// In both; as it is in ours.
    Same,
    /// Only in theirs.
    Removed,
    /// Only in ours.
    Added,
}

impl<'a> Lines<'a> {
    /// Those of some lines that count, without their newlines.
    pub fn of(lines: impl IntoIterator<Item = &'a [u8]>, reading: &Reading) -> Self {
        let mut all = Self::default();
        for text in lines {
            let reads = reading.reads(text);
            if reading.counts(&reads) {
                all.texts.push(text);
                all.reads.push(reads);
            }
        }
        all
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// Where `ours` differs from `theirs`; nothing if it does not.  What is found after a time may be more than has to differ,
/// and is right all the same.
pub fn hunks<'a>(theirs: &Lines<'a>, ours: &Lines<'a>, until: Option<Instant>) -> Vec<Hunk<'a>> {
    let ops = compare(&theirs.reads, &ours.reads, until);
    let grouped = group_diff_ops(ops, AROUND).into_iter();
    let changed = |ops: &Vec<DiffOp>| ops.iter().any(|op| !matches!(op, DiffOp::Equal { .. }));
    grouped
        .filter(changed)
        .map(|ops| hunk(theirs, ours, &ops))
        .collect()
}

fn hunk<'a>(theirs: &Lines<'a>, ours: &Lines<'a>, ops: &[DiffOp]) -> Hunk<'a> {
    let mut hunk = Hunk {
        theirs: spans(ops.iter().map(DiffOp::old_range)),
        ours: spans(ops.iter().map(DiffOp::new_range)),
        rows: Vec::new(),
    };
    for op in ops {
        let (old, new) = (&theirs.texts[op.old_range()], &ours.texts[op.new_range()]);
        if let DiffOp::Equal { .. } = op {
            hunk.rows
                .extend(new.iter().map(|text| (Change::Same, *text)));
            continue;
        }
        hunk.rows
            .extend(old.iter().map(|text| (Change::Removed, *text)));
        hunk.rows
            .extend(new.iter().map(|text| (Change::Added, *text)));
    }
    hunk
}

/// From where the first of some ranges begins to where the last one ends.
fn spans(mut ranges: impl Iterator<Item = Range<usize>>) -> Range<usize> {
    let first = ranges.next().unwrap_or_default();
    let end = ranges.last().map_or(first.end, |last| last.end);
    first.start..end
}

fn compare(
    theirs: &[Cow<'_, [u8]>],
    ours: &[Cow<'_, [u8]>],
    until: Option<Instant>,
) -> Vec<DiffOp> {
    if theirs.len().max(ours.len()) <= MOST {
        // Patience finds what people would call the same lines, and does not grow with the square of what differs.
        return capture_diff_slices_deadline(Algorithm::Patience, theirs, ours, until);
    }
    let same = |(one, other): &(&Cow<'_, [u8]>, &Cow<'_, [u8]>)| one == other;
    let before = theirs.iter().zip(ours).take_while(same).count();
    let rest = (theirs[before..].iter().rev()).zip(ours[before..].iter().rev());
    let behind = rest.take_while(same).count();
    let (old_end, new_end) = (theirs.len() - behind, ours.len() - behind);
    let mut ops = Vec::new();
    let mut equal = |old_index, new_index, len| {
        if len > 0 {
            ops.push(DiffOp::Equal {
                old_index,
                new_index,
                len,
            });
        }
    };
    equal(0, 0, before);
    let replaced = DiffOp::Replace {
        old_index: before,
        old_len: old_end - before,
        new_index: before,
        new_len: new_end - before,
    };
    if old_end > before || new_end > before {
        ops.push(replaced);
    }
    if behind > 0 {
        ops.push(DiffOp::Equal {
            old_index: old_end,
            new_index: new_end,
            len: behind,
        });
    }
    ops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alike::Trifle;

    fn lines<'a>(text: &'a str, ignored: &[Trifle], host: &str) -> Lines<'a> {
        let reading = Reading::new(ignored.iter().copied().collect(), host);
        Lines::of(text.lines().map(str::as_bytes), &reading)
    }

    fn shown(hunk: &Hunk<'_>) -> Vec<String> {
        let rows = hunk.rows.iter().map(|(change, text)| {
            let sign = match change {
                Change::Same => ' ',
                Change::Removed => '-',
                Change::Added => '+',
            };
            format!("{sign}{}", String::from_utf8_lossy(text))
        });
        rows.collect()
    }

    #[test]
    fn what_is_ignored_is_no_difference() {
        let all = [Trifle::Numbers, Trifle::Space, Trifle::Host];
        let theirs = lines("I am a\nup 7\n\nsame\nx\n", &all, "a");
        let ours = lines("I am b\nup  100\nsame\ny\n", &all, "b");
        let hunks = hunks(&theirs, &ours, None);
        let [hunk] = hunks.as_slice() else {
            panic!("one difference, got {hunks:?}");
        };
        assert_eq!((&hunk.theirs, &hunk.ours), (&(0..4), &(0..4)));
        assert_eq!(shown(hunk), [" I am b", " up  100", " same", "-x", "+y"]);
        assert!(super::hunks(&ours, &ours, None).is_empty());
    }

    #[test]
    fn what_is_far_apart_is_shown_apart() {
        let text = |changed: [usize; 2]| {
            let line = |n| {
                if changed.contains(&n) {
                    format!("{n}!\n")
                } else {
                    format!("{n}\n")
                }
            };
            (0..100).map(line).collect::<String>()
        };
        let (theirs, ours) = (text([200, 201]), text([10, 90]));
        let [theirs, ours] = [&theirs, &ours].map(|text| lines(text, &[], "a"));
        let hunks = hunks(&theirs, &ours, None);
        let at: Vec<_> = hunks
            .iter()
            .map(|hunk| (hunk.theirs.clone(), hunk.ours.clone()))
            .collect();
        assert_eq!(at, [(7..14, 7..14), (87..94, 87..94)]);
    }

    /// The worst case for whoever looks for the fewest differences.
    #[test]
    fn comparing_ends_when_the_time_is_over() {
        let text = |words: [&str; 3]| (0..MOST).map(|n| words[n % 3]).collect::<String>();
        let (theirs, ours) = (text(["a\n", "b\n", "b\n"]), text(["c\n", "c\n", "a\n"]));
        let [theirs, ours] = [&theirs, &ours].map(|text| lines(text, &[Trifle::Space], "a"));
        #[expect(clippy::disallowed_methods, reason = "the time is over at once")]
        let over = Instant::now();
        let hunks = hunks(&theirs, &ours, Some(over));
        assert!(over.elapsed().as_secs() < 5, "{:?}", over.elapsed());
        let removed: usize = hunks
            .iter()
            .flat_map(|hunk| &hunk.rows)
            .filter(|(change, _)| *change == Change::Removed)
            .count();
        assert!(removed >= MOST * 2 / 3, "{removed}");
    }
}

//! Where one output differs from another, as a text.

use bytes::Bytes;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::document::{Document, Sign, TextRow};
use crate::view::span;

/// So many rows that are the same are shown around those that are not.
const AROUND: usize = 3;
/// With more rows than this on one side, only what is before the first and behind the last difference is taken as the
/// same: finding more would take too long.
const MOST: usize = 20_000;

/// What `theirs` has that `ours` has not, and the other way round: `+` is only in ours, `-` only in theirs.
pub fn diff(title: impl Into<String>, theirs: &[Bytes], ours: &[Bytes]) -> Document {
    let ops = compare(theirs, ours);
    let mut rows = Vec::new();
    let row = |sign, data: &Bytes| TextRow {
        sign,
        data: data.clone(),
    };
    for group in group_diff_ops(ops, AROUND) {
        let first = group.first().map_or(0, |op| op.new_range().start);
        let words = format!("@@ from line {} @@", span::count(first as u64 + 1));
        rows.push(row(Sign::Note, &Bytes::from(words)));
        for op in group {
            if let DiffOp::Equal { new_index, len, .. } = op {
                let same = &ours[new_index..new_index + len];
                rows.extend(same.iter().map(|data| row(Sign::Plain, data)));
                continue;
            }
            let (removed, added) = (&theirs[op.old_range()], &ours[op.new_range()]);
            rows.extend(removed.iter().map(|data| row(Sign::Removed, data)));
            rows.extend(added.iter().map(|data| row(Sign::Added, data)));
        }
    }
    if rows.is_empty() {
        rows.push(row(
            Sign::Note,
            &Bytes::from_static(b"there is no difference"),
        ));
    }
    Document::Text {
        title: title.into(),
        rows,
    }
}

fn compare(theirs: &[Bytes], ours: &[Bytes]) -> Vec<DiffOp> {
    if theirs.len().max(ours.len()) <= MOST {
        // Patience finds what people would call the same lines, and does not grow with the square of what differs.
        return capture_diff_slices(Algorithm::Patience, theirs, ours);
    }
    let same = |(one, other): &(&Bytes, &Bytes)| one == other;
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

    fn lines(text: &str) -> Vec<Bytes> {
        text.split_whitespace()
            .map(|line| Bytes::copy_from_slice(line.as_bytes()))
            .collect()
    }

    fn check(theirs: &[Bytes], ours: &[Bytes], want: &[&str]) {
        let Document::Text { rows, .. } = diff("a diff", theirs, ours) else {
            panic!("a diff is a text");
        };
        let sign = |row: &TextRow| match row.sign {
            Sign::Plain => ' ',
            Sign::Added => '+',
            Sign::Removed => '-',
            Sign::Note => '@',
        };
        let got: Vec<_> = rows
            .iter()
            .map(|row| format!("{}{}", sign(row), String::from_utf8_lossy(&row.data)))
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn what_differs_is_shown_with_what_is_around_it() {
        let theirs = lines("a b c d e f g h i j");
        let ours = lines("a b c d e X g h i j");
        let want = [
            "@@@ from line 3 @@",
            " c",
            " d",
            " e",
            "-f",
            "+X",
            " g",
            " h",
            " i",
        ];
        check(&theirs, &ours, &want);
        check(&theirs, &theirs, &["@there is no difference"]);
        check(&[], &lines("a"), &["@@@ from line 1 @@", "+a"]);
        check(&[], &[], &["@there is no difference"]);
    }

    #[test]
    fn much_output_is_compared_roughly_and_at_once() {
        let theirs: Vec<_> = (0..50_000)
            .map(|n| Bytes::from(format!("line {n}")))
            .collect();
        let mut ours = theirs.clone();
        ours[20_000] = Bytes::from_static(b"other");
        ours.push(Bytes::from_static(b"last"));
        let Document::Text { rows, .. } = diff("a diff", &theirs, &ours) else {
            panic!("a diff is a text");
        };
        assert_eq!(
            rows.first().map(|row| &row.data[..]),
            Some(&b"@@ from line 19,998 @@"[..])
        );
        let added = rows.iter().filter(|row| row.sign == Sign::Added).count();
        assert_eq!(added, ours.len() - 20_000);
    }
}

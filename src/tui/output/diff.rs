//! Where one output differs from another, as a text.

use std::time::Instant;

use bytes::Bytes;

use super::document::{Document, Sign, TextRow};
use crate::core::alike::{Ignored, Reading};
use crate::view::diff::{Change, Lines, hunks};
use crate::view::span;

/// Two outputs to be compared, beside the loop: they may be long.
#[derive(Clone, Debug)]
pub struct Comparing {
    pub title: String,
    pub ignored: Ignored,
    pub ours: Written,
    pub theirs: Written,
}

/// What a host wrote, by the line.
#[derive(Clone, Debug)]
pub struct Written {
    pub host: String,
    pub lines: Vec<Bytes>,
}

impl Comparing {
    /// Takes until then, and not much longer.
    pub fn run(&self, until: Instant) -> Document {
        let [ours, theirs] = [&self.ours, &self.theirs].map(|written| {
            let reading = Reading::new(self.ignored, &written.host);
            Lines::of(written.lines.iter().map(AsRef::as_ref), &reading)
        });
        diff(self.title.as_str(), &theirs, &ours, Some(until))
    }
}

/// What `theirs` has that `ours` has not, and the other way round: `+` is only in ours, `-` only in theirs.  What is found
/// after a time may be more than has to differ.
pub fn diff(
    title: impl Into<String>,
    theirs: &Lines<'_>,
    ours: &Lines<'_>,
    until: Option<Instant>,
) -> Document {
    let mut rows = Vec::new();
    let row = |sign, data: &[u8]| TextRow {
        sign,
        data: Bytes::copy_from_slice(data),
    };
    for hunk in hunks(theirs, ours, until) {
        let words = format!(
            "@@ from line {} @@",
            span::count(hunk.ours.start as u64 + 1)
        );
        rows.push(row(Sign::Note, words.as_bytes()));
        rows.extend(hunk.rows.into_iter().map(|(change, text)| {
            let sign = match change {
                Change::Same => Sign::Plain,
                Change::Removed => Sign::Removed,
                Change::Added => Sign::Added,
            };
            row(sign, text)
        }));
    }
    if rows.is_empty() {
        rows.push(row(Sign::Note, b"there is no difference"));
    }
    Document::Text {
        title: title.into(),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Bytes> {
        text.split_whitespace()
            .map(|line| Bytes::copy_from_slice(line.as_bytes()))
            .collect()
    }

    fn exact(lines: &[Bytes]) -> Lines<'_> {
        let reading = Reading::new(Ignored::NOTHING, "web01");
        Lines::of(lines.iter().map(AsRef::as_ref), &reading)
    }

    fn check(theirs: &[Bytes], ours: &[Bytes], want: &[&str]) {
        let document = diff("a diff", &exact(theirs), &exact(ours), None);
        let Document::Text { rows, .. } = document else {
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

    /// The worst case for whoever looks for the fewest differences, and the time is over.
    #[test]
    fn comparing_ends_when_the_time_is_over() {
        let written = |host: &str, words: [&'static str; 3]| Written {
            host: host.to_string(),
            lines: (0..20_000)
                .map(|n| Bytes::from_static(words[n % 3].as_bytes()))
                .collect(),
        };
        let comparing = Comparing {
            title: "a diff".to_string(),
            ignored: Ignored::NOTHING,
            ours: written("web01", ["a", "b", "b"]),
            theirs: written("web02", ["c", "c", "a"]),
        };
        #[expect(clippy::disallowed_methods, reason = "the time is over at once")]
        let over = Instant::now();
        let Document::Text { rows, .. } = comparing.run(over) else {
            panic!("a diff is a text");
        };
        assert!(over.elapsed().as_secs() < 1, "{:?}", over.elapsed());
        let removed = rows.iter().filter(|row| row.sign == Sign::Removed).count();
        assert!(removed >= 13_000, "{removed}");
    }

    #[test]
    fn much_output_is_compared_roughly_and_at_once() {
        let theirs: Vec<_> = (0..50_000)
            .map(|n| Bytes::from(format!("line {n}")))
            .collect();
        let mut ours = theirs.clone();
        ours[20_000] = Bytes::from_static(b"other");
        ours.push(Bytes::from_static(b"last"));
        let document = diff("a diff", &exact(&theirs), &exact(&ours), None);
        let Document::Text { rows, .. } = document else {
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

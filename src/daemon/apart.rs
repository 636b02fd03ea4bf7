//! By which line groups of a fold are told apart: the first one in which a group differs from the largest.
//!
//! Outputs are compared stream by stream and line by line, as their lines read with what is ignored: how the two streams
//! came between each other differs from run to run.  Only so many groups, and only the beginning of each output, are looked at; whoever differs later, or only in what
//! it lacks, is told by its last line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::digest::{SAMPLE, Sum};
use crate::core::alike::Reading;
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Stream;
use crate::store::{RowEnd, RowKind, Store, Unreadable};

/// Groups that are told apart, the largest ones.
const GROUPS: usize = 500;

/// Bytes of each output that are compared.
const COMPARED: u64 = 64 << 10;

/// Of a line that is shown from its middle, so many bytes stand before where it differs.
const BEFORE: usize = 64;

/// What stands for the beginning of a line.
const LEFT_OUT: &str = "…";

/// What a group wrote: what that comes to, if it is anything, and a child that wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) sum: Option<Sum>,
    pub(super) child: ChildId,
}

/// The lines that tell outputs from others: of what comes to the first, where it first differs from the second.  Nothing
/// where no line does.
pub(super) type Told = HashMap<(Sum, Option<Sum>), Bytes>;

/// What tells each of these groups from the largest, which is the first, and that one from the second.  `before` is what
/// this came to the last time.
pub(super) fn tell(
    store: &Store,
    job: JobId,
    groups: &[Written],
    reading: &dyn Fn(ChildId) -> Reading,
    before: &Told,
    stop: &AtomicBool,
) -> Result<Told, Unreadable> {
    let mut told = Told::new();
    let mut largest = None;
    for (number, group) in groups.iter().take(GROUPS).enumerate() {
        let Some((pair, other)) = against(groups, number) else {
            continue;
        };
        if let Some(line) = before.get(&pair) {
            told.insert(pair, line.clone());
            continue;
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let own = Text::of(store, job, *group, reading)?;
        let line = if number == 0 {
            own.differs_from(&Text::of(store, job, other, reading)?)
        } else {
            let largest = match &mut largest {
                Some(largest) => largest,
                none @ None => none.insert(Text::of(store, job, other, reading)?),
            };
            own.differs_from(largest)
        };
        told.insert(pair, line.into());
    }
    Ok(told)
}

/// Which other group a group is told from; none if there is nothing to tell.
pub(super) fn against(groups: &[Written], number: usize) -> Option<((Sum, Option<Sum>), Written)> {
    let own = groups.get(number)?.sum?;
    let other = groups.get(usize::from(number == 0))?;
    (other.sum != Some(own)).then_some(((own, other.sum), *other))
}

/// The beginning of an output, by stream.
struct Text {
    reading: Reading,
    streams: [Vec<u8>; 2],
    extent: Extent,
}

/// A line that counts.
struct Line<'a> {
    text: &'a [u8],
    /// As what it reads.
    reads: Cow<'a, [u8]>,
}

/// How much of an output a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    All,
    Beginning,
}

impl Text {
    fn of(
        store: &Store,
        job: JobId,
        written: Written,
        reading: &dyn Fn(ChildId) -> Reading,
    ) -> Result<Self, Unreadable> {
        let mut text = Self {
            reading: reading(written.child),
            streams: Default::default(),
            extent: Extent::All,
        };
        if written.sum.is_none() {
            return Ok(text);
        }
        let mut glance = store.glance(job, written.child);
        let end = glance.end()?.offset();
        if end > COMPARED {
            text.extent = Extent::Beginning;
        }
        glance.rows(0, end.min(COMPARED), &mut |row| match row.what {
            RowKind::Text { stream, data, ends } => {
                let text = &mut text.streams[stream as usize];
                text.extend_from_slice(data);
                if ends == RowEnd::Newline {
                    text.push(b'\n');
                }
                ControlFlow::Continue(())
            }
            RowKind::Cut(_) => {
                text.extent = Extent::Beginning;
                ControlFlow::Break(())
            }
        })?;
        Ok(text)
    }

    /// The lines that are here as a whole, and count.
    fn lines(&self, stream: Stream) -> impl Iterator<Item = Line<'_>> {
        let text = self.streams[stream as usize].as_slice();
        let whole = match (self.extent, text.iter().rposition(|byte| *byte == b'\n')) {
            (Extent::All, _) => text.strip_suffix(b"\n").unwrap_or(text),
            (Extent::Beginning, Some(last)) => &text[..last],
            (Extent::Beginning, None) => &[],
        };
        let lines = (!whole.is_empty() || text.first() == Some(&b'\n'))
            .then(|| whole.split(|byte| *byte == b'\n'));
        let lines = lines.into_iter().flatten().map(|text| Line {
            text,
            reads: self.reading.reads(text),
        });
        lines.filter(|line| self.reading.counts(&line.reads))
    }

    /// What there is to see of the first line that the other has not there, and that is not empty; nothing if there is
    /// none.
    fn differs_from(&self, other: &Self) -> Vec<u8> {
        let mut streams = Stream::BOTH.into_iter();
        let found = streams.find_map(|stream| self.differs_in(stream, other));
        found.unwrap_or_default()
    }

    fn differs_in(&self, stream: Stream, other: &Self) -> Option<Vec<u8>> {
        let (mut own, mut others) = (self.lines(stream), other.lines(stream));
        let (first, place) = loop {
            let line = own.next()?;
            match (others.next(), other.extent) {
                (Some(same), _) if same.reads == line.reads => {}
                // It may well go on with just this.
                (None, Extent::Beginning) => return None,
                (Some(differs), _) => {
                    let same = line.reads.iter().zip(&*differs.reads);
                    let same = same.take_while(|(one, other)| one == other).count();
                    break (line.text, self.reading.place_in(line.text, same));
                }
                (None, Extent::All) => break (line.text, 0),
            }
        };
        let is_empty = |line: &[u8]| line.trim_ascii().is_empty();
        if !is_empty(first) {
            return Some(around(first, place));
        }
        let line = own.find(|line| !is_empty(line.text))?;
        Some(around(line.text, 0))
    }
}

/// What of a line is shown that differs at this place: its beginning, or, if that were not seen then, what is around it.
fn around(line: &[u8], place: usize) -> Vec<u8> {
    if place + BEFORE <= SAMPLE {
        return line[..line.len().min(SAMPLE)].to_vec();
    }
    let room = SAMPLE - LEFT_OUT.len();
    let mut from = (place - BEFORE).min(line.len().saturating_sub(room));
    // In UTF-8, not in the middle of a character.
    let is_within = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    from += line[from..]
        .iter()
        .take(3)
        .take_while(|byte| is_within(byte))
        .count();
    let shown = &line[from..line.len().min(from + room)];
    [LEFT_OUT.as_bytes(), shown].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alike::{Ignored, Trifle};

    fn text(out: &str, err: &str, extent: Extent) -> Text {
        read(Ignored::NOTHING, "web01", out, err, extent)
    }

    fn read(ignored: Ignored, host: &str, out: &str, err: &str, extent: Extent) -> Text {
        Text {
            reading: Reading::new(ignored, host),
            streams: [out, err].map(|text| text.as_bytes().to_vec()),
            extent,
        }
    }

    #[test]
    fn outputs_are_told_by_the_first_line_that_differs() {
        use Extent::{All, Beginning};
        let cases = [
            (("a\nb\nz\n", "", All), ("a\nc\nz\n", "", All), "b"),
            (("a\nb\n", "", All), ("", "", All), "a"),
            (("a\nb\n", "", All), ("a\n", "", All), "b"),
            // What is lacking is no line.
            (("a\n", "", All), ("a\nb\n", "", All), ""),
            (("a\n", "E: x\n", All), ("a\nb\n", "", All), "E: x"),
            (("", "E: x\n", All), ("a\n", "E: y\n", All), "E: x"),
            // With and without a newline at the end.
            (("a\nb", "", All), ("a\nb\n", "", All), ""),
            (("\n\na\n", "", All), ("x\ny\nz\n", "", All), "a"),
            (("a\n\n  \n", "", All), ("a\n", "", All), ""),
            // What is not here may be the same.
            (("a\nbcd\n", "", All), ("a\nb", "", Beginning), ""),
            (("a\nb", "", Beginning), ("a\nbcd\n", "", All), ""),
            (("a\nb\nc", "", Beginning), ("a\nx\nc", "", Beginning), "b"),
            (("b", "", Beginning), ("x\nc", "", Beginning), ""),
        ];
        for ((out, err, extent), (other, other_err, its), want) in cases {
            let (own, other) = (text(out, err, extent), text(other, other_err, its));
            let line = own.differs_from(&other);
            assert_eq!(String::from_utf8_lossy(&line), want, "{out:?} {err:?}");
        }
        let long = text(&"x".repeat(1000), "", All);
        assert_eq!(long.differs_from(&text("", "", All)).len(), SAMPLE);
    }

    #[test]
    fn what_is_ignored_tells_nobody_apart() {
        use Trifle::{Host, Numbers, Space};
        let cases: [(&[Trifle], &str, &str, &str); 5] = [
            (&[Numbers], "up 1\nb 2 x\n", "up 77\nb 3 y\n", "b 2 x"),
            (&[Numbers], "up 1\n", "up 2\n", ""),
            (&[Space], "a\n\n  b\nc\n", "a\nb\n\nd", "c"),
            (&[Space], "a\n\n", "a", ""),
            (&[Host], "I am web01\nx", "I am web02\ny", "x"),
        ];
        for (ignored, out, other, want) in cases {
            let ignored = ignored.iter().copied().collect();
            let own = read(ignored, "web01", out, "", Extent::All);
            let other = read(ignored, "web02", other, "", Extent::All);
            let line = own.differs_from(&other);
            assert_eq!(String::from_utf8_lossy(&line), want, "{out:?}");
        }
    }

    /// Lines that begin alike for longer than is shown are shown where they differ.
    #[test]
    fn long_lines_are_shown_where_they_differ() {
        let shown = |same: &str, own: &str, other: &str| {
            let texts = [own, other].map(|end| text(&format!("{same}{end}"), "", Extent::All));
            let line = texts[0].differs_from(&texts[1]);
            assert!(line.len() <= SAMPLE, "{}", line.len());
            String::from_utf8(line).expect("whole characters")
        };
        let near = "x".repeat(SAMPLE - BEFORE);
        assert!(shown(&near, "A", "B").starts_with("xxx"));
        let far = "x".repeat(SAMPLE - BEFORE + 1);
        let all = SAMPLE - LEFT_OUT.len();
        let line = shown(&far, &"A".repeat(300), "B");
        assert_eq!(
            line,
            format!("…{}{}", "x".repeat(BEFORE), "A".repeat(all - BEFORE))
        );
        // Of what is short behind that, more is shown before it.
        assert_eq!(
            shown(&"x".repeat(1000), "A", "B"),
            format!("…{}A", "x".repeat(all - 1))
        );
        for width in 0..4 {
            let far = format!("{}{}", "x".repeat(width), "ä€𝄞".repeat(200));
            assert!(shown(&far, "A", "B").ends_with('A'));
        }
        // By the place in the line, not in what it reads as.
        let numbers = [Trifle::Numbers].into_iter().collect();
        let text = |end: &str| {
            let line = format!("{} {end}", "1234567 ".repeat(100));
            read(numbers, "web01", &line, "", Extent::All)
        };
        let line = text("A").differs_from(&text("B"));
        assert!(line.ends_with(b"1234567  A"), "{line:?}");
    }
}

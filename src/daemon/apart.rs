//! By which line groups of a fold are told apart: the first one in which a group differs from the largest.
//!
//! Outputs are compared stream by stream and line by line: how the two streams came between each other differs from run to
//! run.  Only so many groups, and only the beginning of each output, are looked at; whoever differs later, or only in what
//! it lacks, is told by its last line.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::digest::{SAMPLE, Sum};
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Stream;
use crate::store::{RowEnd, RowKind, Store, Unreadable};

/// Groups that are told apart, the largest ones.
const GROUPS: usize = 500;

/// Bytes of each output that are compared.
const COMPARED: u64 = 64 << 10;

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
        let own = Text::of(store, job, *group)?;
        let line = if number == 0 {
            Bytes::copy_from_slice(own.differs_from(&Text::of(store, job, other)?))
        } else {
            let largest = match &mut largest {
                Some(largest) => largest,
                none @ None => none.insert(Text::of(store, job, other)?),
            };
            Bytes::copy_from_slice(own.differs_from(largest))
        };
        told.insert(pair, line);
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
#[derive(Default)]
struct Text {
    streams: [Vec<u8>; 2],
    extent: Extent,
}

/// How much of an output a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extent {
    #[default]
    All,
    Beginning,
}

impl Text {
    fn of(store: &Store, job: JobId, written: Written) -> Result<Self, Unreadable> {
        let mut text = Self::default();
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

    /// The lines that are here as a whole.
    fn lines(&self, stream: Stream) -> impl Iterator<Item = &[u8]> {
        let text = self.streams[stream as usize].as_slice();
        let whole = match (self.extent, text.iter().rposition(|byte| *byte == b'\n')) {
            (Extent::All, _) => text.strip_suffix(b"\n").unwrap_or(text),
            (Extent::Beginning, Some(last)) => &text[..last],
            (Extent::Beginning, None) => &[],
        };
        let lines = (!whole.is_empty() || text.first() == Some(&b'\n'))
            .then(|| whole.split(|byte| *byte == b'\n'));
        lines.into_iter().flatten()
    }

    /// The beginning of the first line that the other has not there, and that is not empty; nothing if there is none.
    fn differs_from(&self, other: &Self) -> &[u8] {
        let stream = Stream::BOTH.into_iter();
        let mut found = stream.filter_map(|stream| self.differs_in(stream, other));
        let line = found.next().unwrap_or_default();
        &line[..line.len().min(SAMPLE)]
    }

    fn differs_in(&self, stream: Stream, other: &Self) -> Option<&[u8]> {
        let (mut own, mut others) = (self.lines(stream), other.lines(stream));
        let first = loop {
            let line = own.next()?;
            match (others.next(), other.extent) {
                (Some(same), _) if same == line => {}
                // It may well go on with just this.
                (None, Extent::Beginning) => return None,
                (Some(_), _) | (None, Extent::All) => break line,
            }
        };
        std::iter::once(first)
            .chain(own)
            .find(|line| !line.trim_ascii().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(out: &str, err: &str, extent: Extent) -> Text {
        Text {
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
            assert_eq!(String::from_utf8_lossy(line), want, "{out:?} {err:?}");
        }
        let long = text(&"x".repeat(1000), "", All);
        assert_eq!(long.differs_from(&Text::default()).len(), SAMPLE);
    }
}

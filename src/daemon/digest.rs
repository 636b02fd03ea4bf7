//! What outputs come to, in a few bytes each: outputs with the same digest are the same, but for what was ignored.
//!
//! Each output is read once for each way of ignoring, when somebody first folds its job so after the child settled, and
//! kept here in digested form, for a bounded number of children.
//!
//! A digest is HMAC-SHA1 of both streams under a key of this process.  Whoever writes output does not know the key, so
//! that he cannot make two outputs with one digest; by chance it does not happen.  If it did, two hosts would stand in one
//! group on a screen: nothing is ever stored, compared or acted upon by these digests.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::apart::Told;
use crate::core::alike::{Ignored, Reader, Reading};
use crate::core::ids::JobId;
use crate::core::output::Stream;

/// Children whose digests are kept: some 20 MB.
const KEPT: usize = 200_000;

/// Bytes of a line that is shown.
pub(super) const SAMPLE: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Digests {
    key: Key,
    jobs: BTreeMap<Way, OfJob>,
    children: usize,
    /// Counts folds, for who was folded longest ago.
    folds: u64,
}

/// Whose outputs, and what of them is ignored.
pub(super) type Way = (JobId, Ignored);

/// Digests by the child's index.
#[derive(Debug, Default)]
struct OfJob {
    digests: HashMap<u32, Digest>,
    /// What told the groups apart when it was folded last.
    told: Told,
    folded: u64,
}

/// One child's output, for as long as it does not change.
#[derive(Clone, Debug)]
pub(super) struct Digest {
    pub(super) size: Size,
    /// Nothing where all of it is ignored.
    pub(super) sum: Option<Sum>,
    /// The beginning of the last line that is not empty.
    pub(super) sample: Bytes,
}

/// How much there is of an output, in bytes, and how much was cut out of it: with either it is another output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) end: u64,
    pub(super) cut: u64,
}

/// Both streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sum([u8; 20]);

/// What digests are made with.
#[derive(Clone, Debug)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Begins to digest an output that reads so.
    pub(crate) fn digester(&self, reading: Reading) -> Digester {
        let mac = Hmac::new_from_slice(&self.0).expect("a key of any length will do");
        Digester {
            streams: [mac.clone(), mac.clone()],
            both: mac,
            wrote: Wrote::Nothing,
            reader: (reading.ignored() != Ignored::NOTHING).then(|| Reader::new(reading)),
            reads: Vec::new(),
            last: LastLine::default(),
        }
    }
}

impl Default for Digests {
    fn default() -> Self {
        Self {
            key: Key::random(),
            jobs: BTreeMap::new(),
            children: 0,
            folds: 0,
        }
    }
}

impl Digests {
    pub(super) fn key(&self) -> Key {
        self.key.clone()
    }

    /// What is known of a child's output, if it is still of this size.
    pub(super) fn get(&self, way: Way, child: u32, size: Size) -> Option<Digest> {
        let digest = self.jobs.get(&way)?.digests.get(&child)?;
        (digest.size == size).then(|| digest.clone())
    }

    /// Keeps digests; if there are too many, those of jobs that were folded longest ago go.
    pub(super) fn keep(&mut self, way: Way, digests: impl IntoIterator<Item = (u32, Digest)>) {
        self.folds += 1;
        let of_job = self.jobs.entry(way).or_default();
        of_job.folded = self.folds;
        for (child, digest) in digests {
            // A job that is too large by itself is kept in part.
            if of_job.digests.len() < KEPT && of_job.digests.insert(child, digest).is_none() {
                self.children += 1;
            }
        }
        while self.children > KEPT {
            let others = self.jobs.iter().filter(|(other, _)| **other != way);
            let oldest = others.min_by_key(|(_, of_job)| of_job.folded);
            let Some(oldest) = oldest.map(|(oldest, _)| *oldest) else {
                break;
            };
            self.let_go(|other| other == oldest);
        }
    }

    /// What told a job's groups apart the last time.
    pub(super) fn told(&self, way: Way) -> Told {
        let of_job = self.jobs.get(&way);
        of_job.map_or_else(Told::default, |of_job| of_job.told.clone())
    }

    pub(super) fn keep_told(&mut self, way: Way, told: Told) {
        if let Some(of_job) = self.jobs.get_mut(&way) {
            of_job.told = told;
        }
    }

    /// Lets go of jobs.
    pub(super) fn forget(&mut self, gone: impl Fn(JobId) -> bool) {
        self.let_go(|(job, _)| gone(job));
    }

    fn let_go(&mut self, goes: impl Fn(Way) -> bool) {
        self.jobs.retain(|way, _| !goes(*way));
        self.children = self.jobs.values().map(|job| job.digests.len()).sum();
    }
}

/// Digests one output.
pub(crate) struct Digester {
    streams: [Hmac<Sha1>; 2],
    both: Hmac<Sha1>,
    wrote: Wrote,
    /// Unless it is taken to the byte.
    reader: Option<Reader>,
    /// How the last piece read.
    reads: Vec<u8>,
    last: LastLine,
}

/// Whether anything of an output counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    Nothing,
    Something,
}

impl Digester {
    /// The next piece of it.
    pub(crate) fn piece(&mut self, stream: Stream, data: &[u8]) {
        self.last.piece(stream, data);
        match &mut self.reader {
            None => self.add(stream, data),
            Some(reader) => {
                let mut reads = std::mem::take(&mut self.reads);
                reads.clear();
                reader.piece(stream, data, &mut reads);
                self.add(stream, &reads);
                self.reads = reads;
            }
        }
    }

    /// The digest, if anything counts, and the beginning of the last line.
    pub(crate) fn finish(mut self) -> (Option<Sum>, Vec<u8>) {
        if let Some(mut reader) = self.reader.take() {
            for stream in Stream::BOTH {
                self.reads.clear();
                reader.finish(stream, &mut self.reads);
                let rest = std::mem::take(&mut self.reads);
                self.add(stream, &rest);
            }
        }
        for stream in self.streams {
            self.both.update(&stream.finalize().into_bytes());
        }
        let sum = Sum(self.both.finalize().into_bytes().into());
        (
            (self.wrote == Wrote::Something).then_some(sum),
            self.last.line,
        )
    }

    fn add(&mut self, stream: Stream, reads: &[u8]) {
        if !reads.is_empty() {
            self.wrote = Wrote::Something;
            self.streams[stream as usize].update(reads);
        }
    }
}

/// The last line that is not empty, while output goes by.
#[derive(Default)]
struct LastLine {
    line: Vec<u8>,
    /// The stream that may go on with it.
    open: Option<Stream>,
}

impl LastLine {
    fn piece(&mut self, stream: Stream, data: &[u8]) {
        let mut lines = data.rsplit(|byte| *byte == b'\n').enumerate();
        let last = lines.find(|(_, line)| !line.trim_ascii().is_empty());
        let Some((behind, line)) = last else {
            if data.contains(&b'\n') || self.open != Some(stream) {
                self.open = None;
            }
            return;
        };
        // The first line of a piece may be the rest of one that was begun.
        let goes_on = self.open == Some(stream) && line.as_ptr() == data.as_ptr();
        if !goes_on {
            self.line.clear();
        }
        let room = SAMPLE - self.line.len();
        self.line.extend_from_slice(&line[..line.len().min(room)]);
        self.open = (behind == 0).then_some(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alike::Trifle;

    fn digest(digests: &Digests, pieces: &[(Stream, &str)]) -> (Option<Sum>, Vec<u8>) {
        digest_but_for(digests, Ignored::NOTHING, "web01", pieces)
    }

    fn digest_but_for(
        digests: &Digests,
        ignored: Ignored,
        host: &str,
        pieces: &[(Stream, &str)],
    ) -> (Option<Sum>, Vec<u8>) {
        let mut digester = digests.key().digester(Reading::new(ignored, host));
        for (stream, data) in pieces {
            digester.piece(*stream, data.as_bytes());
        }
        digester.finish()
    }

    #[test]
    fn digests_tell_streams_apart_and_not_how_they_came() {
        use Stream::{Err, Out};
        let digests = Digests::default();
        let of = |pieces: &[(Stream, &str)]| digest(&digests, pieces).0;
        let one = of(&[(Out, "ab"), (Err, "x"), (Out, "c")]);
        assert_eq!(one, of(&[(Out, "a"), (Out, "bc"), (Err, "x")]));
        assert_ne!(one, of(&[(Out, "abcx")]));
        assert_ne!(one, of(&[(Err, "abc"), (Out, "x")]));
        let other = Digests::default();
        assert_ne!(one, digest(&other, &[(Out, "abc"), (Err, "x")]).0);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn digests_leave_out_what_is_ignored() {
        use Stream::{Err, Out};
        use Trifle::{Host, Numbers, Space};
        let digests = Digests::default();
        let of = |ignored: &[Trifle], host, pieces: &[(Stream, &str)]| {
            let ignored = ignored.iter().copied().collect();
            digest_but_for(&digests, ignored, host, pieces).0
        };
        let one = of(
            &[Numbers, Host],
            "web01",
            &[(Out, "web01: 1"), (Err, "x"), (Out, "2\n")],
        );
        assert_eq!(
            one,
            of(
                &[Numbers, Host],
                "web02",
                &[(Out, "web02: 345\n"), (Err, "x")]
            )
        );
        assert_ne!(
            one,
            of(
                &[Numbers, Host],
                "web02",
                &[(Out, "web01: a\n"), (Err, "x")]
            )
        );
        assert_eq!(of(&[Space], "a", &[(Out, " \n"), (Err, "\n")]), None);
        assert_ne!(of(&[Numbers], "a", &[(Out, " \n"), (Err, "\n")]), None);
        let (_, sample) = digest_but_for(
            &digests,
            [Numbers].into_iter().collect(),
            "a",
            &[(Out, "up 7\n")],
        );
        assert_eq!(sample, b"up 7", "as it was written");
    }

    #[test]
    fn the_sample_is_the_last_line_that_is_not_empty() {
        use Stream::{Err, Out};
        let digests = Digests::default();
        let cases: [(&[(Stream, &str)], &str); 7] = [
            (&[], ""),
            (&[(Out, "one\ntwo\n")], "two"),
            (&[(Out, "one\ntwo\n\n  \n"), (Out, "\n")], "two"),
            (&[(Out, "one\ntw"), (Out, "o")], "two"),
            (&[(Out, "one\ntw"), (Out, "o\nthree")], "three"),
            (&[(Out, "one\ntw"), (Err, "o\n")], "o"),
            (&[(Out, "one"), (Out, "\n"), (Out, "two")], "two"),
        ];
        for (pieces, want) in cases {
            let (_, sample) = digest(&digests, pieces);
            assert_eq!(String::from_utf8_lossy(&sample), want, "{pieces:?}");
        }
        let long = "x".repeat(300);
        let (_, sample) = digest(&digests, &[(Out, &long), (Out, &long)]);
        assert_eq!(sample.len(), SAMPLE);
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_folded_longest_ago_goes() {
        let mut digests = Digests::default();
        let size = Size { end: 1, cut: 0 };
        let sum = None;
        let way = |job| (JobId(job), Ignored::NOTHING);
        let some = |count: usize| {
            (0..count as u32).map(move |child| {
                let sample = Bytes::new();
                (child, Digest { size, sum, sample })
            })
        };
        digests.keep(way(1), some(KEPT / 2));
        digests.keep(way(2), some(KEPT / 2));
        digests.keep(way(1), None);
        assert!(digests.get(way(2), 7, size).is_some());
        assert!(digests.get(way(2), 7, Size { end: 2, cut: 0 }).is_none());
        digests.keep(way(3), some(1));
        assert!(digests.get(way(1), 7, size).is_some());
        assert!(digests.get(way(2), 7, size).is_none());
        // Another way of ignoring is another job.
        let numbers = (JobId(3), [Trifle::Numbers].into_iter().collect());
        assert!(digests.get(numbers, 0, size).is_none());
        digests.keep(way(4), some(2 * KEPT));
        assert_eq!(digests.children, KEPT);
        digests.forget(|job| job == JobId(4));
        assert_eq!(digests.children, 0);
    }
}

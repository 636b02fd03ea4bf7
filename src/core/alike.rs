//! When outputs count as the same: to the byte, or but for trifles that are ignored.
//!
//! Output is read line by line, and what is ignored in a line reads alike wherever it stands:
//!
//! | ignored | reads alike |
//! | --- | --- |
//! | space | runs of blanks (space, tab, carriage return, form feed) as one; none at both ends of a line; no blank lines; the newline at the very end |
//! | numbers | runs of digits, and `0x` with the hexadecimal digits behind it, each as one number: `eth0` and `eth12` read alike, `1.5` is two numbers |
//! | times | ISO 8601 dates and times, `Nov 28 22:39:16` and what `date` says, and the time of day (see [`times`]), each as one |
//! | host | the name of the host, and that up to its first dot, as whole words in any capitals |
//!
//! At one place the first that fits is taken, in the order times, host, numbers, space.  A line is taken in parts of
//! [`LONGEST_PART`] bytes, so that no output needs more memory than that; what lies across the seam of two parts is not
//! recognised.  Parts begin where the line does, however the output came in pieces.

mod name;
mod times;

use std::borrow::Cow;

use super::output::{LONGEST_ROW, Stream};
use name::{Name, names};

/// How much of a line is looked at together.
pub const LONGEST_PART: usize = LONGEST_ROW;

/// What stands for something that is ignored.  In UTF-8 there is no such byte, so that no text reads like it by chance.
const NUMBER: &[u8] = b"\xfe#";
const TIME: &[u8] = b"\xfe@";
const HOST: &[u8] = b"\xfeh";

/// Something in which outputs may differ and still count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trifle {
    Space,
    Numbers,
    Times,
    Host,
}

impl Trifle {
    pub const ALL: [Self; 4] = [Self::Space, Self::Numbers, Self::Times, Self::Host];

    /// The word for settings and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Space => "space",
            Self::Numbers => "numbers",
            Self::Times => "times",
            Self::Host => "host",
        }
    }

    /// What it is, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Space => "how much white space there is, and blank lines",
            Self::Numbers => "which number it is: 80 and 81, eth0 and eth1",
            Self::Times => "which date or time of day it is",
            Self::Host => "the name of the host itself",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What is ignored when outputs are compared; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ignored(u8);

impl Ignored {
    pub const NOTHING: Self = Self(0);

    pub fn has(self, trifle: Trifle) -> bool {
        self.0 & trifle.bit() != 0
    }

    pub fn each(self) -> impl Iterator<Item = Trifle> {
        Trifle::ALL
            .into_iter()
            .filter(move |trifle| self.has(*trifle))
    }

    /// As a number, for whoever writes it down.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The other way round; bits that mean nothing are left out.
    pub fn from_bits(bits: u8) -> Self {
        let known = Trifle::ALL.into_iter().map(Trifle::bit);
        Self(bits & known.sum::<u8>())
    }
}

impl FromIterator<Trifle> for Ignored {
    fn from_iter<T: IntoIterator<Item = Trifle>>(trifles: T) -> Self {
        trifles.into_iter().map(Self::from).collect()
    }
}

impl From<Trifle> for Ignored {
    fn from(trifle: Trifle) -> Self {
        Self(trifle.bit())
    }
}

/// All that any of them ignores.
impl FromIterator<Self> for Ignored {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        Self(all.into_iter().fold(0, |bits, Self(more)| bits | more))
    }
}

/// `numbers, times`.
impl std::fmt::Display for Ignored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.each().map(Trifle::word).collect();
        f.write_str(&words.join(", "))
    }
}

/// How the lines of one host read.
#[derive(Clone, Debug)]
pub struct Reading {
    ignored: Ignored,
    /// What the host is called, the longest first.
    names: Vec<Name>,
    /// Where something may begin that is ignored.
    begins: [bool; 256],
}

impl Reading {
    /// Of a host with this name, which may have a user before it and a port behind it.
    pub fn new(ignored: Ignored, host: &str) -> Self {
        let names = if ignored.has(Trifle::Host) {
            names(host)
        } else {
            Vec::new()
        };
        let begins = std::array::from_fn(|byte| {
            let byte = byte as u8;
            (ignored.has(Trifle::Space) && is_blank(byte))
                || (ignored.has(Trifle::Numbers) && byte.is_ascii_digit())
                || (ignored.has(Trifle::Times) && times::may_begin(byte))
                || names.iter().any(|name| name.may_begin(byte))
        });
        Self {
            ignored,
            names,
            begins,
        }
    }

    pub fn ignored(&self) -> Ignored {
        self.ignored
    }

    /// Appends how a line, or a part of one, reads.  Nothing is appended for a line that does not count.
    pub fn line(&self, line: &[u8], reads: &mut Vec<u8>) {
        self.parts(line, |_, part| {
            reads.extend_from_slice(part);
            true
        });
    }

    /// As what a line, or a part of one, reads.
    pub fn reads<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        if self.ignored == Ignored::NOTHING {
            return Cow::Borrowed(line);
        }
        let mut reads = Vec::with_capacity(line.len());
        self.line(line, &mut reads);
        Cow::Owned(reads)
    }

    /// Whether a line that reads so counts.
    pub fn counts(&self, reads: &[u8]) -> bool {
        !reads.is_empty() || !self.ignored.has(Trifle::Space)
    }

    /// Where in a line stands what reads as the byte at `place` of how the line reads; the line's end if it is shorter.
    pub fn place_in(&self, line: &[u8], place: usize) -> usize {
        let (mut before, mut found) = (0, line.len());
        self.parts(line, |at, part| {
            if place < before + part.len() {
                let within = place - before;
                // What is ignored is one thing, however many bytes stand for it.
                let plain = line.get(at..at + part.len()) == Some(part);
                found = if plain { at + within } else { at };
                return false;
            }
            before += part.len();
            true
        });
        found
    }

    /// Hands over what a line reads as, with the place in the line where each part stands, as long as `take` wants more.
    fn parts(&self, line: &[u8], mut take: impl FnMut(usize, &[u8]) -> bool) {
        let (mut at, mut end) = (0, line.len());
        if self.ignored.has(Trifle::Space) {
            end = line.trim_ascii_end().len();
            at = end - line[..end].trim_ascii_start().len();
        }
        let mut plain = at;
        while at < end {
            let found = if self.begins[usize::from(line[at])] {
                self.ignored_at(&line[..end], at)
            } else {
                None
            };
            let Some((length, reads)) = found else {
                at += 1;
                continue;
            };
            if (plain < at && !take(plain, &line[plain..at])) || !take(at, reads) {
                return;
            }
            at += length;
            plain = at;
        }
        if plain < end {
            take(plain, &line[plain..end]);
        }
    }

    /// What begins here and is ignored: how long it is, and as what it reads.
    fn ignored_at(&self, line: &[u8], at: usize) -> Option<(usize, &'static [u8])> {
        if self.ignored.has(Trifle::Times)
            && let Some(length) = times::time_at(line, at)
        {
            return Some((length, TIME));
        }
        if let Some(name) = self.names.iter().find(|name| name.stands_at(line, at)) {
            return Some((name.len(), HOST));
        }
        let rest = &line[at..];
        if self.ignored.has(Trifle::Numbers) && rest[0].is_ascii_digit() {
            return Some((number(rest), NUMBER));
        }
        if self.ignored.has(Trifle::Space) && is_blank(rest[0]) {
            return Some((run(rest, is_blank), b" "));
        }
        None
    }
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() && byte != b'\n'
}

fn run(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    let end = text.iter().position(|byte| !is(*byte));
    end.unwrap_or(text.len())
}

/// How long the number is that begins here.
fn number(text: &[u8]) -> usize {
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        let digits = run(rest, |byte| byte.is_ascii_hexdigit());
        if digits > 0 {
            return 2 + digits;
        }
    }
    run(text, |byte| byte.is_ascii_digit())
}

/// Reads one host's output while it comes, in whatever pieces.
#[derive(Clone, Debug)]
pub struct Reader {
    reading: Reading,
    streams: [Line; 2],
}

/// The line that a stream is in.
#[derive(Clone, Debug, Default)]
struct Line {
    /// What came of its current part.
    part: Vec<u8>,
    so_far: SoFar,
}

/// What a line read as before its current part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SoFar {
    #[default]
    Nothing,
    Something,
}

impl Reader {
    pub fn new(reading: Reading) -> Self {
        let streams = Default::default();
        Self { reading, streams }
    }

    /// The next piece; appends how reads what is whole by now.
    pub fn piece(&mut self, stream: Stream, mut data: &[u8], reads: &mut Vec<u8>) {
        let Self { reading, streams } = self;
        let line = &mut streams[stream as usize];
        while !data.is_empty() {
            let room = LONGEST_PART - line.part.len();
            let near = &data[..data.len().min(room)];
            match near.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    line.take(reading, &data[..at], reads);
                    line.end(reading, reads);
                    data = &data[at + 1..];
                }
                None if near.len() == room => {
                    line.take(reading, near, reads);
                    data = &data[room..];
                }
                None => {
                    line.part.extend_from_slice(data);
                    return;
                }
            }
        }
    }

    /// A stream has ended.
    pub fn finish(&mut self, stream: Stream, reads: &mut Vec<u8>) {
        let Self { reading, streams } = self;
        let line = &mut streams[stream as usize];
        line.take(reading, &[], reads);
        if reading.ignored.has(Trifle::Space) {
            line.end(reading, reads);
        }
    }
}

impl Line {
    /// The rest of its part has come.
    fn take(&mut self, reading: &Reading, rest: &[u8], reads: &mut Vec<u8>) {
        let before = reads.len();
        if self.part.is_empty() {
            reading.line(rest, reads);
        } else {
            self.part.extend_from_slice(rest);
            reading.line(&self.part, reads);
            self.part.clear();
        }
        if reads.len() > before {
            self.so_far = SoFar::Something;
        }
    }

    fn end(&mut self, reading: &Reading, reads: &mut Vec<u8>) {
        if std::mem::take(&mut self.so_far) == SoFar::Something
            || !reading.ignored.has(Trifle::Space)
        {
            reads.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests;

//! Dates and times of day in a line of text.
//!
//! - ISO 8601 and RFC 3339: `2026-11-28`, `2026-11-28T22:39`, `2026-11-28 22:39:16.123`, each time also with `Z`, `+01:00`
//!   or ` +0100` behind it, and `20261128T223916Z`.
//! - By the month's name, as in logs, of `date` and of `ls`: `Nov 28 22:39`, `Nov  8 22:39:16.123`, `Nov 28 2026`, with the
//!   day of the week before it, and a zone and the year behind it.
//! - The time of day: `22:39`, `4:05`, `22:39:16`, `22:39:16.123`.
//!
//! Each stands as a whole: there is no letter, no digit and no underscore beside it, and a time of day is no part of what
//! has more colons, such as the address of an interface.  Seconds since the epoch are numbers like others.

use std::ops::RangeInclusive;

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// Whether a time can begin so.
pub(super) fn may_begin(byte: u8) -> bool {
    byte.is_ascii_digit() || names().any(|name| name[0] == byte)
}

fn names() -> impl Iterator<Item = &'static [u8]> {
    MONTHS.into_iter().chain(DAYS)
}

/// How long the time is that stands here, if one does.
pub(super) fn time_at(line: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| line[before]);
    if before.is_some_and(is_word) {
        return None;
    }
    let text = &line[at..];
    let rest = if !text[0].is_ascii_digit() {
        by_name(text)
    } else if let Some(rest) = iso(text) {
        Some(rest)
    } else if before.is_some_and(|byte| matches!(byte, b':' | b'.')) {
        None
    } else {
        whole(clock(text, 1))
    };
    rest.map(|rest| text.len() - rest.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What is behind something, if it may end there.
type Rest<'a> = Option<&'a [u8]>;

/// The first of some ends, the furthest first, at which what went before stands as a whole.
fn whole<'a>(ends: impl IntoIterator<Item = Rest<'a>>) -> Rest<'a> {
    let fits = |rest: &&[u8]| match rest {
        [b':', next, ..] => !next.is_ascii_digit(),
        [next, ..] => !is_word(*next),
        [] => true,
    };
    ends.into_iter().flatten().find(fits)
}

/// A number of so many digits that is not out of bounds.
fn number(text: &[u8], digits: usize, bounds: RangeInclusive<u32>) -> Rest<'_> {
    let (number, rest) = text.split_at_checked(digits)?;
    let add = |sum: u32, byte: &u8| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    };
    let number = number.iter().try_fold(0, add)?;
    bounds.contains(&number).then_some(rest)
}

fn byte<'a>(text: &'a [u8], any_of: &[u8]) -> Rest<'a> {
    let (first, rest) = text.split_first()?;
    any_of.contains(first).then_some(rest)
}

/// One or two blanks.
fn blank(text: &[u8]) -> Rest<'_> {
    let rest = byte(text, b" ")?;
    Some(byte(rest, b" ").unwrap_or(rest))
}

/// A time of day whose hour has at least so many digits: with a fraction, with seconds, without.
fn clock(text: &[u8], hour: usize) -> [Rest<'_>; 3] {
    let hour = (hour..=2).rev().find_map(|digits| {
        let rest = number(text, digits, 0..=24)?;
        byte(rest, b":")
    });
    let minute = hour.and_then(|rest| number(rest, 2, 0..=59));
    let second = minute.and_then(|rest| number(byte(rest, b":")?, 2, 0..=60));
    [second.and_then(fraction), second, minute]
}

fn fraction(text: &[u8]) -> Rest<'_> {
    let rest = byte(text, b".,")?;
    let digits = super::run(rest, |byte| byte.is_ascii_digit());
    (digits > 0).then(|| &rest[digits..])
}

/// `Z`, `+01:00`, ` +0100`.
fn zone(text: &[u8]) -> Rest<'_> {
    if let Some(rest) = byte(text, b"Zz") {
        return Some(rest);
    }
    let text = byte(text, b" ").unwrap_or(text);
    let hour = number(byte(text, b"+-")?, 2, 0..=14)?;
    let minute = byte(hour, b":").unwrap_or(hour);
    whole([number(minute, 2, 0..=59)])
}

fn iso(text: &[u8]) -> Rest<'_> {
    if let Some(rest) = number(text, 4, 0..=9999).and_then(|rest| byte(rest, b"-")) {
        let month = byte(number(rest, 2, 1..=12)?, b"-")?;
        let day = number(month, 2, 1..=31)?;
        let times = byte(day, b"Tt ").map(|rest| clock(rest, 2));
        let zoned = times.and_then(|times| times.into_iter().flatten().find_map(zone));
        let [fraction, second, minute] = times.unwrap_or_default();
        return whole([zoned, fraction, second, minute, Some(day)]);
    }
    let month = number(text, 4, 0..=9999).and_then(|rest| number(rest, 2, 1..=12));
    let day = month.and_then(|rest| byte(number(rest, 2, 1..=31)?, b"T"))?;
    let minute = number(number(day, 2, 0..=24)?, 2, 0..=59);
    let second = minute.and_then(|rest| number(rest, 2, 0..=60));
    let zoned = second.or(minute).and_then(zone);
    whole([zoned, second.and_then(fraction), second, minute])
}

/// `[Sat ]Nov 28` with a time of day, a year, or both behind it.
fn by_name(text: &[u8]) -> Rest<'_> {
    let named = |text: &'static [&'static [u8]], of| -> Rest<'_> {
        text.iter().find_map(|name| <[u8]>::strip_prefix(of, *name))
    };
    let month = match named(&DAYS, text) {
        Some(rest) => blank(byte(rest, b",").unwrap_or(rest))?,
        None => text,
    };
    let day = blank(named(&MONTHS, month)?)?;
    let behind = |digits| number(day, digits, 1..=31).and_then(blank);
    let behind = behind(2).or_else(|| behind(1))?;
    let year = |text| number(blank(text)?, 4, 1900..=2100);
    let times = clock(behind, 2);
    let furthest = times.into_iter().flatten().next();
    let zoned = furthest.and_then(|rest| {
        let rest = blank(rest)?;
        let letters = super::run(rest, |byte| byte.is_ascii_uppercase());
        let zone = (2..=5).contains(&letters).then(|| &rest[letters..]);
        year(zone.or_else(|| zone_by_number(rest))?)
    });
    let [fraction, second, minute] = times;
    let only_year = number(behind, 4, 1900..=2100);
    whole([
        zoned,
        furthest.and_then(year),
        fraction,
        second,
        minute,
        only_year,
    ])
}

/// `+01`, `-0300`: what `date` says where a zone has no name.
fn zone_by_number(text: &[u8]) -> Rest<'_> {
    let rest = byte(text, b"+-")?;
    let digits = super::run(rest, |byte| byte.is_ascii_digit());
    (digits == 2 || digits == 4).then(|| &rest[digits..])
}

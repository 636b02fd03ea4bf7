//! Reading a field of a known kind from text: numbers with units, lengths of time, moments.

use super::{Kind, Value};

/// Units of sizes, and what they are worth in bytes.  A single letter is what `df -h` and `ls -h` mean by it.
const SIZES: [(&str, f64); 18] = [
    ("B", 1.0),
    ("K", 1024.0),
    ("Ki", 1024.0),
    ("KiB", 1024.0),
    ("M", 1_048_576.0),
    ("Mi", 1_048_576.0),
    ("MiB", 1_048_576.0),
    ("G", 1_073_741_824.0),
    ("Gi", 1_073_741_824.0),
    ("GiB", 1_073_741_824.0),
    ("T", 1_099_511_627_776.0),
    ("Ti", 1_099_511_627_776.0),
    ("TiB", 1_099_511_627_776.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("PB", 1e15),
];

/// Units of time, and what they are worth in seconds.
const TIMES: [(&str, f64); 20] = [
    ("s", 1.0),
    ("sec", 1.0),
    ("secs", 1.0),
    ("second", 1.0),
    ("seconds", 1.0),
    ("ms", 1e-3),
    ("us", 1e-6),
    ("ns", 1e-9),
    ("m", 60.0),
    ("min", 60.0),
    ("mins", 60.0),
    ("minute", 60.0),
    ("minutes", 60.0),
    ("h", 3600.0),
    ("hour", 3600.0),
    ("hours", 3600.0),
    ("d", 86400.0),
    ("day", 86400.0),
    ("days", 86400.0),
    ("w", 604_800.0),
];

/// How the fields of one column are read.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    kind: Kind,
    /// What a number without a unit is worth.
    scale: f64,
}

impl Reader {
    /// For fields of a kind whose bare numbers are in `unit`; an error if numbers of that kind cannot be.
    pub fn new(kind: Kind, unit: Option<&str>) -> Result<Self, String> {
        let scale = match (kind, unit) {
            (Kind::Bytes, Some(unit)) => size(unit)
                .ok_or_else(|| format!("{unit:?} is no unit of sizes; write B, KiB, MB"))?,
            (Kind::Duration, Some(unit)) => time(unit)
                .ok_or_else(|| format!("{unit:?} is no unit of time; write s, ms, min, h, d"))?,
            (Kind::Timestamp, Some("ms")) => 1e-3,
            (Kind::Timestamp, Some(unit)) if unit != "s" => {
                return Err(format!(
                    "moments are in s or ms since 1970, not in {unit:?}"
                ));
            }
            // Of others it is only shown.
            _ => 1.0,
        };
        Ok(Self { kind, scale })
    }

    /// The field in this text; `None` if it is none of this kind.  Nothing, and a lone `-`, is empty.
    pub fn read(self, text: &str) -> Option<Value> {
        let text = trimmed(text);
        if text.is_empty() || text == "-" {
            return Some(Value::Empty);
        }
        match self.kind {
            Kind::Text => Some(Value::text(text)),
            Kind::Version => Some(Value::Version(text.into())),
            Kind::Integer => text.parse().ok().map(Value::Integer),
            Kind::Float => float(text.strip_suffix('%').unwrap_or(text)).map(Value::Float),
            Kind::Bool => truth(text).map(Value::Bool),
            Kind::Bytes => self.bytes(text),
            Kind::Duration => self.duration(text).map(Value::Duration),
            Kind::Timestamp => self.moment(text).map(Value::Timestamp),
        }
    }

    /// A number that a document has as a number.
    pub fn number(self, number: f64) -> Option<Value> {
        if !number.is_finite() {
            return None;
        }
        let scaled = number * self.scale;
        match self.kind {
            Kind::Bytes => (0.0..1e19)
                .contains(&scaled)
                .then_some(Value::Bytes(scaled as u64)),
            Kind::Duration => Some(Value::Duration(scaled)),
            Kind::Timestamp => {
                (scaled.abs() < 1e12).then_some(Value::Timestamp((scaled * 1e3) as i64))
            }
            Kind::Float => Some(Value::Float(number)),
            Kind::Integer => (number.fract() == 0.0 && number.abs() < 9e18)
                .then_some(Value::Integer(number as i64)),
            Kind::Bool => match number {
                0.0 => Some(Value::Bool(false)),
                1.0 => Some(Value::Bool(true)),
                _ => None,
            },
            Kind::Text => Some(Value::text(&number.to_string())),
            Kind::Version => Some(Value::Version(number.to_string().into())),
        }
    }

    fn bytes(self, text: &str) -> Option<Value> {
        if let Ok(bytes) = text.parse::<u64>() {
            // Exact, which a float is not beyond 2^53.
            return bytes.checked_mul(self.scale as u64).map(Value::Bytes);
        }
        let (number, unit) = split(text);
        let worth = if unit.is_empty() {
            self.scale
        } else {
            size(unit)?
        };
        let bytes = float(number)? * worth;
        (0.0..1e19)
            .contains(&bytes)
            .then_some(Value::Bytes(bytes.round() as u64))
    }

    /// `90`, `1.5s`, `2h 3m`, `01:02:03`, `4-01:02:03` as ps writes it.
    fn duration(self, text: &str) -> Option<f64> {
        if text.contains(':') {
            return clock(text);
        }
        let mut rest = text;
        let mut sum = 0.0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-');
            let (number, after) = rest.split_at(digits.unwrap_or(rest.len()));
            let after = after.trim_start();
            let letters = after
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            // Only a number that stands alone may do without.
            let alone = unit.is_empty() && after.is_empty() && rest.len() == text.len();
            let worth = if alone { self.scale } else { time(unit)? };
            sum += float(number)? * worth;
            rest = after.trim_start_matches([' ', ',']);
        }
        Some(sum)
    }

    /// RFC 3339, a date, a date and a time (in UTC), seconds since 1970, or what PowerShell makes of a date in JSON; in
    /// milliseconds.
    fn moment(self, text: &str) -> Option<i64> {
        if let Some(millis) = text.strip_prefix("/Date(") {
            return millis.strip_suffix(")/")?.parse().ok();
        }
        if let Some(seconds) = float(text) {
            let millis = seconds * self.scale * 1e3;
            return (millis.abs() < 1e15).then_some(millis as i64);
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(at.as_millisecond());
        }
        let local = text.trim_end_matches(" UTC").trim_end_matches('Z');
        let local: jiff::civil::DateTime = local.parse().ok()?;
        let at = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(at.timestamp().as_millisecond())
    }
}

/// Most fields have nothing around them, which shows without decoding it.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

fn float(text: &str) -> Option<f64> {
    // `inf` and `nan` are words to Rust, and no numbers here.
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let number: f64 = text.bytes().all(plain).then(|| text.parse().ok())??;
    // A zero has no sign here.
    number.is_finite().then_some(number + 0.0)
}

fn truth(text: &str) -> Option<bool> {
    const YES: [&str; 6] = ["true", "yes", "on", "1", "y", "enabled"];
    const NO: [&str; 6] = ["false", "no", "off", "0", "n", "disabled"];
    let is = |words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is(YES), is(NO)) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// The number a text begins with, and the rest without space around it.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    (number, unit.trim())
}

fn size(unit: &str) -> Option<f64> {
    worth(&SIZES, unit)
}

fn time(unit: &str) -> Option<f64> {
    worth(&TIMES, unit)
}

fn worth(units: &[(&str, f64)], unit: &str) -> Option<f64> {
    let found = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit));
    found.map(|(_, worth)| *worth)
}

/// `[[days-]hours:]minutes:seconds`.
fn clock(text: &str) -> Option<f64> {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = 0.0;
    let mut parts = 0;
    for part in rest.split(':') {
        seconds = seconds * 60.0 + float(part).filter(|part| *part >= 0.0)?;
        parts += 1;
    }
    let days = float(days).filter(|days| *days >= 0.0)?;
    (parts <= 3).then_some(days * 86400.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, unit: Option<&str>, text: &str) -> Option<String> {
        let reader = Reader::new(kind, unit).expect("a unit");
        reader.read(text).map(|value| value.to_string())
    }

    #[test]
    fn fields_are_read_as_programs_write_them() {
        let cases = [
            (Kind::Text, None, " a b ", "a b"),
            (Kind::Text, None, "-", ""),
            (Kind::Integer, None, "-12", "-12"),
            (Kind::Float, None, "83%", "83"),
            (Kind::Float, None, "-0.0", "0"),
            (Kind::Bool, None, "Yes", "true"),
            (Kind::Bool, None, "disabled", "false"),
            (
                Kind::Bytes,
                None,
                "18446744073709551615",
                "18446744073709551615",
            ),
            (Kind::Bytes, None, "1.5G", "1610612736"),
            (Kind::Bytes, None, "1.5 GB", "1500000000"),
            (Kind::Bytes, Some("KiB"), "4", "4096"),
            (Kind::Bytes, Some("KiB"), "4 B", "4"),
            (Kind::Duration, None, "90", "90"),
            (Kind::Duration, Some("ms"), "90", "0.09"),
            (Kind::Duration, None, "2 days, 3 hours", "183600"),
            (Kind::Duration, None, "1h30m", "5400"),
            (Kind::Duration, None, "2-01:00:01", "176401"),
            (Kind::Duration, None, "05:07", "307"),
            (
                Kind::Timestamp,
                None,
                "1764081724",
                "2025-11-25T14:42:04.000+00:00",
            ),
            (
                Kind::Timestamp,
                Some("ms"),
                "1764081724500",
                "2025-11-25T14:42:04.500+00:00",
            ),
            (
                Kind::Timestamp,
                None,
                "2025-11-25T15:42:04+01:00",
                "2025-11-25T14:42:04.000+00:00",
            ),
            (
                Kind::Timestamp,
                None,
                "2025-11-25 14:42:04",
                "2025-11-25T14:42:04.000+00:00",
            ),
            (
                Kind::Timestamp,
                None,
                "2025-11-25",
                "2025-11-25T00:00:00.000+00:00",
            ),
            (
                Kind::Timestamp,
                None,
                "/Date(1764081724500)/",
                "2025-11-25T14:42:04.500+00:00",
            ),
            (Kind::Version, None, "1.10-2", "1.10-2"),
        ];
        for (kind, unit, text, want) in cases {
            assert_eq!(
                read(kind, unit, text).as_deref(),
                Some(want),
                "{kind:?} {text}"
            );
        }
    }

    #[test]
    fn what_is_of_another_kind_is_not_guessed_at() {
        let cases = [
            (Kind::Integer, "1.5"),
            (Kind::Integer, "99999999999999999999"),
            (Kind::Float, "nan"),
            (Kind::Float, "inf"),
            (Kind::Float, "1e999"),
            (Kind::Bool, "maybe"),
            (Kind::Bytes, "-4"),
            (Kind::Bytes, "4 apples"),
            (Kind::Duration, "4 apples"),
            (Kind::Duration, "1:2:3:4"),
            (Kind::Duration, "1m 5"),
            (Kind::Timestamp, "yesterday"),
            (Kind::Timestamp, "1e300"),
            (Kind::Timestamp, "/Date(x)/"),
            (Kind::Timestamp, "/Date(99999999999999999999)/"),
        ];
        for (kind, text) in cases {
            assert_eq!(read(kind, None, text), None, "{kind:?} {text}");
        }
        assert!(Reader::new(Kind::Bytes, Some("apples")).is_err());
        assert!(Reader::new(Kind::Timestamp, Some("h")).is_err());
    }
}

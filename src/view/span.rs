//! Times and sizes for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `3.2s`, `1m05s`, `2h03m`, `4d07h`.
pub fn seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..10 => format!("{:.1}s", seconds.max(0.0)),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3600..86400 => format!("{}h{:02}m", whole / 3600, whole % 3600 / 60),
        _ => format!("{}d{:02}h", whole / 86400, whole % 86400 / 3600),
    }
}

/// `0`, `812 B`, `12.3 KB`, `1.2 MB`: powers of 1000, as disks and networks count.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if value < 999.5 || unit == "TB" {
            return match unit {
                "B" => format!("{bytes} B"),
                _ if value < 10.0 => format!("{value:.1} {unit}"),
                _ => format!("{value:.0} {unit}"),
            };
        }
        value /= 1000.0;
    }
    unreachable!("the last unit takes everything")
}

/// `12,304`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Which clock on the wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    #[default]
    Local,
    Utc,
}

impl Zone {
    pub fn time_zone(self) -> TimeZone {
        match self {
            Self::Local => TimeZone::system(),
            Self::Utc => TimeZone::UTC,
        }
    }
}

/// `12:02:20`, as the clock on the wall there shows it.
pub fn clock(millis: i64, zone: &TimeZone) -> String {
    let stamp = Timestamp::from_millisecond(millis).unwrap_or_default();
    let time = stamp.to_zoned(zone.clone()).time();
    format!(
        "{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// RFC 3339 with milliseconds and the local offset.
pub fn rfc3339(millis: i64) -> String {
    let stamp = Timestamp::from_millisecond(millis).unwrap_or_default();
    stamp
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

/// Date and time to the minute, as the clock on the wall shows them.
pub fn minute(millis: i64) -> String {
    let stamp = Timestamp::from_millisecond(millis).unwrap_or_default();
    stamp
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let cases = [
            (0.04, "0.0s"),
            (9.96, "10.0s"),
            (59.9, "59s"),
            (65.0, "1m05s"),
            (7380.0, "2h03m"),
            (372_000.0, "4d07h"),
        ];
        for (value, want) in cases {
            assert_eq!(seconds(value), want);
        }
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (12_345, "12 KB"),
            (999_600, "1.0 MB"),
            (1_200_000_000, "1.2 GB"),
        ];
        for (value, want) in cases {
            assert_eq!(bytes(value), want);
        }
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ];
        for (value, want) in cases {
            assert_eq!(count(value), want);
        }
        assert_eq!(clock(1_700_000_000_123, &TimeZone::UTC), "22:13:20");
    }

    #[test]
    fn times_carry_their_offset() {
        let text = rfc3339(1_700_000_000_123);
        let back: Timestamp = text.parse().expect("RFC 3339");
        assert_eq!(back.as_millisecond(), 1_700_000_000_123);
        assert!(text.contains(".123"));
    }
}

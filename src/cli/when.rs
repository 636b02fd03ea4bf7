//! Points in time as they are typed: `2026-11-23T03:00`, `03:00` (today), `2h` (ago).

use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, Zoned};

use super::error::CliError;
use crate::command::duration::parse_duration;

/// Milliseconds since the epoch of the time that `text` means, seen from `now`.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<i64, CliError> {
    if let Ok(ago) = parse_duration(text) {
        return Ok(now.timestamp().as_millisecond() - ago.as_millis() as i64);
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp.as_millisecond());
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| {
            text.parse::<Time>()
                .map(|time| now.date().to_datetime(time))
        })
        .ok()
        .and_then(|civil| civil.to_zoned(now.time_zone().clone()).ok());
    civil
        .map(|at| at.timestamp().as_millisecond())
        .ok_or_else(|| {
            CliError::usage(format!("{text:?} is not a time"))
                .hint("write 2026-11-23T03:00, 03:00, or 2h for two hours ago")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let now: Zoned = "2026-11-23T12:00:00+01:00[+01:00]".parse().expect("a time");
        let noon = now.timestamp().as_millisecond();
        let cases = [
            ("2h", Some(noon - 7_200_000)),
            ("03:00", Some(noon - 9 * 3_600_000)),
            ("2026-11-23", Some(noon - 12 * 3_600_000)),
            ("2026-11-23T11:00", Some(noon - 3_600_000)),
            ("2026-11-23T11:00:00Z", Some(noon)),
            ("yesterday", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text, &now).ok(), want, "{text}");
        }
    }
}

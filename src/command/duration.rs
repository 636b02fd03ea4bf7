//! Durations as people type them: `30`, `30s`, `1.5m`, `2h`, `1d`, `500ms`, `1m30s`.

use std::time::Duration;

/// The longest duration taken: a year.
const MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Parses a duration; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time; write 30s, 5m, 2h, 500ms");
    let (mut rest, mut total) = (text.trim(), 0.0_f64);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return Err(wrong()),
        };
        rest = &rest[letters..];
        total += number * unit;
    }
    match Duration::try_from_secs_f64(total) {
        Ok(duration) if duration.is_zero() => {
            Err("a time of zero leaves no time for anything".to_string())
        }
        Ok(duration) if duration <= MAX => Ok(duration),
        Ok(_) | Err(_) => Err("longer than a year".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let cases = [
            ("30", Some(30_000)),
            ("30s", Some(30_000)),
            ("1.5m", Some(90_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("", None),
            ("s", None),
            ("5x", None),
            ("-5", None),
            ("1.2.3", None),
            ("0", None),
            ("99999d", None),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text).ok(),
                millis.map(Duration::from_millis),
                "{text:?}"
            );
        }
    }
}

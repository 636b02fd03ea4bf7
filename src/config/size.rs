//! Sizes as people type them: `4096`, `512KiB`, `1.5 GiB`, `10GB`.

/// Units and what they are worth; without one it is bytes.
const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// The largest size taken: no disk is larger, and every count of bytes holds it.
const MAX: f64 = (1_u64 << 50) as f64;

/// Parses a size in bytes.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size; write 512KiB, 10MiB, 2GiB");
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim();
    let (_, worth) = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .ok_or_else(wrong)?;
    let bytes = number * *worth as f64;
    if bytes < 1.0 {
        Err("a size of zero leaves no room for anything".to_string())
    } else if bytes > MAX {
        Err("larger than any disk".to_string())
    } else {
        Ok(bytes as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let cases = [
            ("4096", Some(4096)),
            ("512KiB", Some(512 << 10)),
            ("1.5 GiB", Some(3 << 29)),
            ("10GB", Some(10_000_000_000)),
            ("9mib", Some(9 << 20)),
            ("", None),
            ("MiB", None),
            ("10 parsecs", None),
            ("-1", None),
            ("1.2.3", None),
            ("0", None),
            ("9999TiB", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text).ok(), bytes, "{text:?}");
        }
    }
}

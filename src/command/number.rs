//! Numbers as people type them, and what to say when they are none.

use std::num::{IntErrorKind, NonZeroU32, ParseIntError};
use std::str::FromStr;

/// The most computers a demo simulates.
const MOST_SIMULATED: u32 = 10_000;

/// How many of something there may be: at least one.
pub fn parse_count(text: &str) -> Result<NonZeroU32, String> {
    parse(text, "a whole number from 1 on")
}

/// How many of something to show.
pub fn parse_amount(text: &str) -> Result<usize, String> {
    parse(text, "a whole number")
}

/// A command's exit code.
pub fn parse_exit_code(text: &str) -> Result<i32, String> {
    parse(text, "whole numbers, as in 0,3")
}

/// How many computers to simulate.
pub fn parse_simulated(text: &str) -> Result<u32, String> {
    let range = format!("a whole number from 1 to {MOST_SIMULATED}");
    let number = parse(text, &range)?;
    if (1..=MOST_SIMULATED).contains(&number) {
        Ok(number)
    } else {
        Err(format!("expected {range}"))
    }
}

fn parse<T: FromStr<Err = ParseIntError>>(text: &str, expected: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => format!("expected {expected}, and a smaller one"),
            _ => format!("expected {expected}"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_the_rest_is_explained_to_people() {
        assert_eq!(parse_count("7").map(NonZeroU32::get), Ok(7));
        for text in ["0", "-1", "x", "", "1.5"] {
            assert_eq!(
                parse_count(text),
                Err("expected a whole number from 1 on".to_string()),
                "{text:?}"
            );
        }
        let large = parse_count("99999999999").expect_err("more than anybody has");
        assert!(large.ends_with("and a smaller one"), "{large}");
        assert_eq!(parse_exit_code("255"), Ok(255));
        assert!(parse_exit_code("x").is_err());
        assert_eq!(parse_simulated("10000"), Ok(10_000));
        for text in ["0", "10001", "abc"] {
            assert_eq!(
                parse_simulated(text),
                Err("expected a whole number from 1 to 10000".to_string()),
                "{text:?}"
            );
        }
    }
}

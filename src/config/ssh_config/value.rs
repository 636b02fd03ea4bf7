//! The values that options take, each read from what stands after its name.

use std::time::Duration;

use super::algorithms::{Algorithms, Purpose};
use super::error::Problem;
use super::setting::Setting;
use super::{AddKeysToAgent, LocalEnv, expand};

/// OpenSSH's limit for `UserKnownHostsFile` and `GlobalKnownHostsFile` (`SSH_MAX_HOSTS_FILES`).
const KNOWN_HOSTS_FILES: usize = 32;

/// What stands after an option's name.
pub(super) struct Value<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a [String],
}

impl<'a> Value<'a> {
    pub(super) fn one(&self) -> Result<&'a str, Problem> {
        match self.arguments {
            [one] if !one.is_empty() => Ok(one),
            [] | [_] => Err(Problem::NoArgument {
                name: self.name.to_owned(),
            }),
            [_, _, ..] => Err(Problem::ExtraArguments {
                name: self.name.to_owned(),
            }),
        }
    }

    fn refused(&self, value: &str, expected: &'static str) -> Problem {
        Problem::Value {
            name: self.name.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }

    pub(super) fn choice<T: Copy>(
        &self,
        expected: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, Problem> {
        let word = self.one()?;
        choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, choice)| *choice)
            .ok_or_else(|| self.refused(word, expected))
    }

    pub(super) fn flag(&self) -> Result<bool, Problem> {
        self.choice(
            "yes or no",
            &[
                ("yes", true),
                ("true", true),
                ("no", false),
                ("false", false),
            ],
        )
    }

    pub(super) fn number(&self) -> Result<u32, Problem> {
        let word = self.one()?;
        word.parse::<i32>()
            .ok()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| self.refused(word, "a number"))
    }

    pub(super) fn port(&self) -> Result<u16, Problem> {
        let word = self.one()?;
        port(word).ok_or_else(|| self.refused(word, "a port from 1 to 65535"))
    }

    pub(super) fn time(&self) -> Result<Option<Duration>, Problem> {
        let word = self.one()?;
        if word == "none" {
            return Ok(None);
        }
        seconds(word)
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .ok_or_else(|| self.refused(word, "seconds, or a time such as 1m30s"))
    }

    /// A list of files; `none` must stand alone. Later files than the limit are refused when the option is applied
    /// in OpenSSH, here always.
    pub(super) fn files(&self) -> Result<Vec<String>, Problem> {
        if let Some(empty) = self.arguments.iter().find(|file| file.is_empty()) {
            return Err(self.refused(empty, "file names"));
        }
        if self.arguments.is_empty() {
            return Err(Problem::NoArgument {
                name: self.name.to_owned(),
            });
        }
        let none = |file: &String| file.eq_ignore_ascii_case("none");
        if self.arguments.len() > 1 && self.arguments.iter().any(none) {
            return Err(self.refused("none", "\"none\" to stand alone"));
        }
        if self.arguments.len() > KNOWN_HOSTS_FILES {
            return Err(Problem::TooMany {
                name: "known hosts files",
                limit: KNOWN_HOSTS_FILES,
            });
        }
        Ok(self.arguments.to_vec())
    }

    pub(super) fn agent(&self, env: &LocalEnv) -> Result<String, Problem> {
        let word = self.one()?;
        expand::variables(word, env)?;
        if let Some(variable) = word.strip_prefix('$').filter(|rest| !rest.starts_with('{'))
            && (variable.is_empty()
                || !variable
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'_'))
        {
            return Err(self.refused(word, "$ and the name of an environment variable"));
        }
        Ok(word.to_owned())
    }
}

/// The whole words that `AddKeysToAgent` takes.
const ADD_KEYS: &[(&str, AddKeysToAgent)] = &[
    ("true", AddKeysToAgent::Yes { lifetime: None }),
    ("false", AddKeysToAgent::No),
    ("yes", AddKeysToAgent::Yes { lifetime: None }),
    ("no", AddKeysToAgent::No),
    ("ask", AddKeysToAgent::Ask),
    ("confirm", AddKeysToAgent::Confirm { lifetime: None }),
];

impl Value<'_> {
    pub(super) fn algorithms(&self, purpose: Purpose) -> Result<Setting, Problem> {
        let list = Algorithms::parse(purpose, self.name, self.one()?)?;
        Ok(Setting::Algorithms(purpose, list))
    }

    /// A word, a time, or `confirm` and a time.
    pub(super) fn add_keys(&self) -> Result<AddKeysToAgent, Problem> {
        let expected = "yes, no, ask, confirm or a time";
        let lifetime = |word: &str| {
            let seconds = seconds(word).ok_or_else(|| self.refused(word, expected))?;
            // No time at all is no limit.
            Ok(Some(Duration::from_secs(seconds)).filter(|time| !time.is_zero()))
        };
        let known = |word: &str| {
            let known = ADD_KEYS.iter();
            known
                .clone()
                .find(|(name, _)| name.eq_ignore_ascii_case(word))
                .map(|(_, add)| *add)
        };
        match self.arguments {
            [word, time] => match known(word) {
                Some(AddKeysToAgent::Confirm { .. }) => Ok(AddKeysToAgent::Confirm {
                    lifetime: lifetime(time)?,
                }),
                _ => Err(self.refused(word, expected)),
            },
            _ => match known(self.one()?) {
                Some(add) => Ok(add),
                None => Ok(AddKeysToAgent::Yes {
                    lifetime: lifetime(self.one()?)?,
                }),
            },
        }
    }

    /// Bytes, and a time if it is there.
    pub(super) fn rekey_limit(&self) -> Result<Setting, Problem> {
        let (bytes, time) = match self.arguments {
            [bytes] => (bytes, None),
            [bytes, time] => (bytes, Some(time)),
            [] => return Err(self.missing()),
            [_, _, ..] => {
                return Err(Problem::ExtraArguments {
                    name: self.name.to_owned(),
                });
            }
        };
        let limit = if bytes == "default" {
            0
        } else {
            scaled(bytes)
                .filter(|limit| *limit == 0 || *limit >= 16)
                .ok_or_else(|| self.refused(bytes, "16 bytes or more, such as 512M, or default"))?
        };
        let time = time.filter(|time| *time != "none");
        let time = time.map(|time| {
            seconds(time)
                .map(Duration::from_secs)
                .ok_or_else(|| self.refused(time, "seconds, or a time such as 1m30s"))
        });
        Ok(Setting::RekeyLimit(Some(limit), time.transpose()?))
    }

    /// What `SendEnv` takes: patterns, and with `-` before them what to leave out again.
    pub(super) fn variable_names(&self) -> Result<Vec<String>, Problem> {
        let is_bad = |word: &&String| word.is_empty() || word.contains('=');
        match self.arguments.iter().find(is_bad) {
            Some(bad) => Err(self.refused(bad, "names of environment variables")),
            None => Ok(self.arguments.to_vec()),
        }
    }

    /// What `SetEnv` takes.
    pub(super) fn variables(&self) -> Result<Vec<String>, Problem> {
        match self.arguments.iter().find(|word| !word.contains('=')) {
            Some(bad) => Err(self.refused(bad, "NAME=VALUE")),
            None => Ok(self.arguments.to_vec()),
        }
    }

    fn missing(&self) -> Problem {
        Problem::NoArgument {
            name: self.name.to_owned(),
        }
    }
}

/// A number of bytes, with a fraction and a unit (`scan_scaled` in OpenSSH's fmt_scaled.c).
fn scaled(text: &str) -> Option<u64> {
    let (number, shift) = match text.char_indices().next_back()? {
        (end, unit) if unit.is_ascii_alphabetic() => {
            let at = "BKMGTPE".find(unit.to_ascii_uppercase())?;
            (&text[..end], 10 * u32::try_from(at).ok()?)
        }
        _ => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = 1_u128 << shift;
    let digits = fraction.get(..19).unwrap_or(fraction);
    let value = |part: &str| -> Option<u128> {
        if part.is_empty() {
            return Some(0);
        }
        part.parse().ok()
    };
    let part = value(digits)? * scale / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    let bytes = value(whole)?.checked_mul(scale)? + part;
    // OpenSSH counts in 64 bits with a sign.
    i64::try_from(bytes).ok().map(i64::unsigned_abs)
}

/// 1 to 65535, or the service name `ssh`.
pub(super) fn port(word: &str) -> Option<u16> {
    match word {
        "ssh" => Some(22),
        number => number.parse().ok().filter(|&port| port != 0),
    }
}

/// OpenSSH's time format: numbers with an optional s, m, h, d or w, added up (sshd_config(5), TIME FORMATS).
fn seconds(text: &str) -> Option<u64> {
    let limit = u64::from(i32::MAX.unsigned_abs());
    let mut total = 0_u64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next();
        let scale = match unit {
            None | Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 60 * 60,
            Some('d' | 'D') => 24 * 60 * 60,
            Some('w' | 'W') => 7 * 24 * 60 * 60,
            Some(_) => return None,
        };
        total = total
            .checked_add(number.checked_mul(scale)?)
            .filter(|&total| total <= limit)?;
        rest = &rest[digits + unit.map_or(0, char::len_utf8)..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_by_openssh() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(seconds(text), expected, "{text}");
        check("0", Some(0));
        check("90", Some(90));
        check("1h30m", Some(5400));
        check("2D", Some(172_800));
        check("1w1", Some(604_801));
        check("", None);
        check("m", None);
        check("1x", None);
        check("-1", None);
        check("99999999999", None);
        check("2147483647", Some(2_147_483_647));
        check("2147483647s1", None);
    }

    #[test]
    fn sizes_are_read_as_by_openssh() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(scaled(text), expected, "{text}");
        check("0", Some(0));
        check("1K", Some(1024));
        check("1m", Some(1 << 20));
        check("1.5G", Some(1_610_612_736));
        check("16B", Some(16));
        check("M", None);
        check("1MB", None);
        check("-5", None);
        check("99999999999999999999", None);
        check("9E", None);
    }
}

//! The form of config.toml: which tables and keys there are, of which type.  What values mean is not looked at here.

use std::fmt;
use std::num::NonZeroU32;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) inventory: Option<Spanned<String>>,
    pub(super) ssh_config: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) run: WrittenRun,
    #[serde(default)]
    pub(super) keep: WrittenKeep,
    #[serde(default)]
    pub(super) buffer: WrittenBuffer,
    #[serde(default)]
    pub(super) console: WrittenConsole,
    #[serde(default)]
    pub(super) confirm: WrittenConfirm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRun {
    #[serde(default, deserialize_with = "count")]
    pub(super) fanout: Option<NonZeroU32>,
    pub(super) connect_timeout: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) grace: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "amount")]
    pub(super) confirm_above: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenKeep {
    #[serde(default, deserialize_with = "count")]
    pub(super) jobs: Option<NonZeroU32>,
    pub(super) age: Option<Spanned<String>>,
    pub(super) output: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenBuffer {
    pub(super) head: Option<Spanned<String>>,
    pub(super) tail: Option<Spanned<String>>,
    pub(super) job: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenConsole {
    pub(super) theme: Option<String>,
    pub(super) mouse: Option<bool>,
    pub(super) ascii: Option<Spanned<String>>,
    pub(super) utc: Option<bool>,
    pub(super) columns: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) open: Option<Vec<Spanned<String>>>,
    pub(super) notify: Option<Spanned<String>>,
    pub(super) notify_after: Option<Spanned<String>>,
    pub(super) notify_command: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenConfirm {
    pub(super) stop: Option<bool>,
    pub(super) kill: Option<bool>,
    pub(super) remove: Option<bool>,
    pub(super) quit: Option<bool>,
}

/// How many there may be: at least one.
fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NonZeroU32>, D::Error> {
    let take = |number| u32::try_from(number).ok().and_then(NonZeroU32::new);
    from.deserialize_i64(Whole("a whole number from 1 on", take))
        .map(Some)
}

/// A number that may be zero.
fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    let take = |number| usize::try_from(number).ok();
    from.deserialize_i64(Whole("a whole number from 0 on", take))
        .map(Some)
}

/// A whole number: which, in words for people, and how it is taken.
struct Whole<T>(&'static str, fn(i64) -> Option<T>);

impl<T> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        (self.1)(number).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

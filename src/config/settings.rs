//! `config.toml`: the user's settings over the compiled-in defaults, which are the reference documentation of the format.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::size::parse_size;
use crate::command::duration::parse_duration;
use crate::core::retention::Retention;
use crate::targets::nearest;

/// The defaults, with every setting explained.
pub const DEFAULT: &str = include_str!("../../config/config.toml");

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub fanout: NonZeroU32,
    pub connect_timeout: Duration,
    pub timeout: Option<Duration>,
    pub grace: Duration,
    /// Above this many hosts a run asks for the count to be typed.
    pub confirm_above: usize,
    /// The inventory; one that was named has to exist.
    pub inventory: File,
    pub ssh_config: Option<PathBuf>,
    pub keep: Retention,
    pub buffer: Buffer,
    /// The file these came from, if any.
    pub origin: Option<PathBuf>,
}

/// How much output is kept, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Of a child's beginning.
    pub head: u64,
    /// Of its end.
    pub tail: u64,
    /// Of a job as a whole.
    pub job: u64,
}

/// A file that settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// Named, so it has to be there.
    Named(PathBuf),
    /// Where it is looked for without being named; it may be missing.
    Usual(Option<PathBuf>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    inventory: Option<String>,
    ssh_config: Option<String>,
    #[serde(default)]
    run: WrittenRun,
    #[serde(default)]
    keep: WrittenKeep,
    #[serde(default)]
    buffer: WrittenBuffer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRun {
    #[serde(default, deserialize_with = "count")]
    fanout: Option<NonZeroU32>,
    connect_timeout: Option<String>,
    timeout: Option<String>,
    grace: Option<String>,
    #[serde(default, deserialize_with = "amount")]
    confirm_above: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKeep {
    #[serde(default, deserialize_with = "count")]
    jobs: Option<NonZeroU32>,
    age: Option<String>,
    output: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBuffer {
    head: Option<String>,
    tail: Option<String>,
    job: Option<String>,
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

/// Keys at the top of the file.
/// Output is cut by blocks of 16 KiB and arrives in pieces of up to 32: an end must hold a few of them.
const SMALLEST_TAIL: u64 = 64 << 10;

const TOP: [&str; 5] = ["inventory", "ssh_config", "run", "keep", "buffer"];

/// Keys of tables.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "run",
        &[
            "fanout",
            "connect_timeout",
            "timeout",
            "grace",
            "confirm_above",
        ],
    ),
    ("keep", &["jobs", "age", "output"]),
    ("buffer", &["head", "tail", "job"]),
];

/// What is wrong with the configuration.
#[derive(Debug)]
pub struct SettingsError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads `named`, or else `config.toml` in the user's configuration directory if there is one.
    pub fn load(named: Option<&Path>, directory: Option<&Path>) -> Result<Self, SettingsError> {
        let usual = directory.map(|directory| directory.join("config.toml"));
        let (path, text) = match (named, &usual) {
            (Some(path), _) => (path, std::fs::read_to_string(path)),
            (None, Some(path)) if path.exists() => (path.as_path(), std::fs::read_to_string(path)),
            (None, _) => return Ok(Self::defaults(directory)),
        };
        let text = text.map_err(|error| SettingsError {
            path: path.to_path_buf(),
            what: error.to_string(),
        })?;
        Self::parse(&text, path, directory)
    }

    /// What holds without any file.
    pub fn defaults(directory: Option<&Path>) -> Self {
        let mut settings = Self::parse(DEFAULT, Path::new("the built-in config.toml"), directory)
            .expect("the built-in configuration is tested");
        settings.origin = None;
        settings
    }

    fn parse(text: &str, path: &Path, directory: Option<&Path>) -> Result<Self, SettingsError> {
        let wrong = |what: String| SettingsError {
            path: path.to_path_buf(),
            what,
        };
        let written: Written =
            toml::from_str(text).map_err(|error| wrong(explain(&error, text)))?;
        let time = |key: &str, value: Option<String>| {
            value
                .map(|value| parse_duration(&value))
                .transpose()
                .map_err(|error| wrong(format!("{key}: {error}")))
        };
        let size = |key: &str, value: Option<String>, usual: u64| {
            value
                .map_or(Ok(usual), |value| parse_size(&value))
                .map_err(|error| wrong(format!("{key}: {error}")))
        };
        let (keep, buffer) = (written.keep, written.buffer);
        let buffer = Buffer {
            head: size("buffer.head", buffer.head, 1 << 20)?,
            tail: size("buffer.tail", buffer.tail, 9 << 20)?,
            job: size("buffer.job", buffer.job, 2 << 30)?,
        };
        if buffer.tail < SMALLEST_TAIL {
            return Err(wrong(
                "buffer.tail: less than 64KiB would keep next to nothing".to_string(),
            ));
        }
        if buffer.job < buffer.head.saturating_add(buffer.tail) {
            return Err(wrong(
                "buffer.job: smaller than what one child may keep, head and tail together"
                    .to_string(),
            ));
        }
        let usual = Retention::default();
        // Paths in a file are relative to it.
        let beside = |file: &str| path.parent().unwrap_or(Path::new("")).join(file);
        Ok(Self {
            fanout: written
                .run
                .fanout
                .unwrap_or(NonZeroU32::new(64).expect("64 is not zero")),
            connect_timeout: time("run.connect_timeout", written.run.connect_timeout)?
                .unwrap_or(Duration::from_secs(10)),
            timeout: time("run.timeout", written.run.timeout)?,
            grace: time("run.grace", written.run.grace)?.unwrap_or(Duration::from_secs(5)),
            confirm_above: written.run.confirm_above.unwrap_or(50),
            inventory: match written.inventory {
                Some(file) => File::Named(beside(&file)),
                None => File::Usual(directory.map(|directory| directory.join("inventory.toml"))),
            },
            ssh_config: written.ssh_config.as_deref().map(beside),
            keep: Retention {
                jobs: keep.jobs.map_or(usual.jobs, |jobs| jobs.get() as usize),
                age: time("keep.age", keep.age)?.unwrap_or(usual.age),
                bytes: size("keep.output", keep.output, usual.bytes)?,
            },
            buffer,
            origin: Some(path.to_path_buf()),
        })
    }
}

/// The error with its line, and where the key belongs or which was probably meant.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let message = error.message();
    let hint = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
        .map_or_else(String::new, |(key, _)| place_of(key));
    match line {
        Some(line) => format!("line {line}: {message}{hint}"),
        None => format!("{message}{hint}"),
    }
}

/// What to say of a key that is not known where it stands.
fn place_of(key: &str) -> String {
    if let Some((table, _)) = TABLES.iter().find(|(_, keys)| keys.contains(&key)) {
        format!("; {key} belongs in [{table}]")
    } else if TOP.contains(&key) {
        format!("; {key} belongs at the top of the file")
    } else {
        let keys = TABLES.iter().flat_map(|(_, keys)| keys.iter().copied());
        nearest(key, TOP.into_iter().chain(keys))
            .map_or_else(String::new, |key| format!("; did you mean {key}?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/etc/r/config.toml"), None)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let empty = parse("").expect("an empty file is fine");
        assert_eq!(
            Settings {
                origin: None,
                ..empty
            },
            Settings::defaults(None)
        );
        // Every setting that is commented out parses, too.
        let all: Vec<&str> = DEFAULT
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect();
        let settings = parse(&all.join("\n")).expect("the documented form is valid");
        assert_eq!(
            settings.inventory,
            File::Named("/etc/r/inventory.toml".into())
        );
    }

    #[test]
    fn mistakes_name_the_line_and_the_likely_key() {
        let cases = [
            ("[run]\nfanuot = 3\n", "line 2", "did you mean fanout?"),
            ("[run]\ngrace = \"soon\"\n", "run.grace", "not a time"),
            (
                "[run]\nfanout = 0\n",
                "line 2",
                "expected a whole number from 1 on",
            ),
            (
                "[run]\nfanout = \"many\"\n",
                "line 2",
                "expected a whole number from 1 on",
            ),
            (
                "[run]\nconfirm_above = -1\n",
                "line 2",
                "expected a whole number from 0 on",
            ),
            ("grace = \"9s\"\n", "line 1", "; grace belongs in [run]"),
            (
                "[keep]\njobs = 0\n",
                "line 2",
                "expected a whole number from 1 on",
            ),
            ("[keep]\nage = \"never\"\n", "keep.age", "not a time"),
            ("[keep]\noutput = \"much\"\n", "keep.output", "not a size"),
            ("[buffer]\ntail = \"0\"\n", "buffer.tail", "leaves no room"),
            (
                "[buffer]\ntail = \"2KiB\"\n",
                "buffer.tail",
                "less than 64KiB",
            ),
            ("[buffer]\njob = \"1MiB\"\n", "buffer.job", "smaller than"),
            (
                "[buffer]\nage = \"1d\"\n",
                "line 2",
                "; age belongs in [keep]",
            ),
            ("[keep]\noutputs = 1\n", "line 2", "did you mean output?"),
            (
                "[run]\nfanout = 3\ninventory = \"i\"\n",
                "line 3",
                "; inventory belongs at the top of the file",
            ),
            ("inventory = [\n", "line", ""),
        ];
        for (text, one, other) in cases {
            let error = parse(text).expect_err("a mistake");
            assert!(error.contains(one) && error.contains(other), "{error}");
        }
    }
}

//! `config.toml`: the user's settings over the compiled-in defaults, which are the reference documentation of the format.
//!
//! Reading is all there is: it can be done again while the program runs, and whoever does it keeps the old settings where the
//! new ones are wrong.

mod console;
mod place;
mod shown;
mod written;

#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

pub use console::{Ascii, Asked, Confirm, Console};
pub use shown::{Shown, shown};
use written::Written;

use super::size::parse_size;
use crate::command::duration::parse_duration;
use crate::core::retention::Retention;

/// The defaults, with every setting explained.
pub const DEFAULT: &str = include_str!("../../../config/config.toml");

/// The user's file in the configuration directory.
const FILE: &str = "config.toml";

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
    pub console: Console,
    pub confirm: Confirm,
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

/// Output is cut by blocks of 16 KiB and arrives in pieces of up to 32: an end must hold a few of them.
const SMALLEST_TAIL: u64 = 64 << 10;

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
        match text_of(named, directory)? {
            Some((path, text)) => Self::parse(&text, &path, directory),
            None => Ok(Self::defaults(directory)),
        }
    }

    /// What holds without any file.
    pub fn defaults(directory: Option<&Path>) -> Self {
        let mut settings = Self::parse(DEFAULT, Path::new("the built-in config.toml"), directory)
            .expect("the built-in configuration is tested");
        settings.origin = None;
        settings
    }

    fn parse(text: &str, path: &Path, directory: Option<&Path>) -> Result<Self, SettingsError> {
        let source = Source { text, path };
        let written: Written =
            toml::from_str(text).map_err(|error| source.wrong(place::explain(&error, text)))?;
        let (run, keep, buffer) = (written.run, written.keep, written.buffer);
        let buffer = Buffer {
            head: source.size("buffer.head", buffer.head, 1 << 20)?,
            tail: source.size("buffer.tail", buffer.tail, 9 << 20)?,
            job: source.size("buffer.job", buffer.job, 2 << 30)?,
        };
        if buffer.tail < SMALLEST_TAIL {
            return Err(
                source.wrong("buffer.tail: less than 64KiB would keep next to nothing".to_string())
            );
        }
        if buffer.job < buffer.head.saturating_add(buffer.tail) {
            return Err(source.wrong(
                "buffer.job: smaller than what one child may keep, head and tail together"
                    .to_string(),
            ));
        }
        let usual = Retention::default();
        // Paths in a file are relative to it.
        let beside =
            |file: &Spanned<String>| path.parent().unwrap_or(Path::new("")).join(file.get_ref());
        Ok(Self {
            fanout: run
                .fanout
                .unwrap_or(NonZeroU32::new(64).expect("64 is not zero")),
            connect_timeout: source
                .time("run.connect_timeout", run.connect_timeout)?
                .unwrap_or(Duration::from_secs(10)),
            timeout: source.time("run.timeout", run.timeout)?,
            grace: source
                .time("run.grace", run.grace)?
                .unwrap_or(Duration::from_secs(5)),
            confirm_above: run.confirm_above.unwrap_or(50),
            inventory: match &written.inventory {
                Some(file) => File::Named(beside(file)),
                None => File::Usual(directory.map(|directory| directory.join("inventory.toml"))),
            },
            ssh_config: written.ssh_config.as_ref().map(beside),
            keep: Retention {
                jobs: keep.jobs.map_or(usual.jobs, |jobs| jobs.get() as usize),
                age: source.time("keep.age", keep.age)?.unwrap_or(usual.age),
                bytes: source.size("keep.output", keep.output, usual.bytes)?,
            },
            buffer,
            console: Console::read(source, written.console)?,
            confirm: Confirm::read(&written.confirm),
            origin: Some(path.to_path_buf()),
        })
    }
}

/// The file that settings are read from, and its text; `None` where there is none and none is needed.
fn text_of(
    named: Option<&Path>,
    directory: Option<&Path>,
) -> Result<Option<(PathBuf, String)>, SettingsError> {
    let usual = || {
        directory
            .map(|directory| directory.join(FILE))
            .filter(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_path_buf).or_else(usual) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) => Err(SettingsError {
            path,
            what: error.to_string(),
        }),
    }
}

/// The file as written, for what is wrong in it.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn wrong(self, what: String) -> SettingsError {
        SettingsError {
            path: self.path.to_path_buf(),
            what,
        }
    }

    /// What is wrong with a value.
    fn wrong_value(self, key: &str, value: &Spanned<String>, what: &str) -> SettingsError {
        let line = place::line(self.text, &value.span());
        self.wrong(format!("line {line}: {key}: {what}"))
    }

    fn time(
        self,
        key: &str,
        value: Option<Spanned<String>>,
    ) -> Result<Option<Duration>, SettingsError> {
        let Some(value) = value else { return Ok(None) };
        parse_duration(value.get_ref())
            .map(Some)
            .map_err(|error| self.wrong_value(key, &value, &error))
    }

    fn size(
        self,
        key: &str,
        value: Option<Spanned<String>>,
        usual: u64,
    ) -> Result<u64, SettingsError> {
        let Some(value) = value else { return Ok(usual) };
        parse_size(value.get_ref()).map_err(|error| self.wrong_value(key, &value, &error))
    }

    /// One of a few words.
    fn word<T: Copy>(
        self,
        key: &str,
        value: &Spanned<String>,
        words: &[(&'static str, T)],
    ) -> Result<T, SettingsError> {
        let text = value.get_ref();
        let found = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = place::meant(text, &known);
            self.wrong_value(key, value, &format!("{text:?} is not known here; {hint}"))
        })
    }
}

//! What can be wrong with a client configuration, said so that the user knows what to change where.

use std::fmt;
use std::path::PathBuf;

use super::{Location, Origin};

/// Why a configuration cannot be used, for all hosts (from loading) or for one (from resolving).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A file that must be there cannot be read.
    Unreadable { file: PathBuf, reason: String },
    /// Others could change the file. OpenSSH refuses it too ("Bad owner or permissions").
    Permissions { file: PathBuf },
    /// A line that is wrong whatever the host.
    Line { at: Location, problem: Problem },
    /// An option given on the command line is wrong.
    CommandLine { problem: Problem },
    /// What the configuration says for this host cannot be used.
    Host {
        host: String,
        origin: Origin,
        problem: Problem,
    },
}

/// What is wrong, without the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    UnknownOption {
        name: String,
    },
    NoArgument {
        name: String,
    },
    ExtraArguments {
        name: String,
    },
    InvalidQuotes,
    NotUtf8,
    Value {
        name: String,
        value: String,
        expected: &'static str,
    },
    Match {
        reason: String,
    },
    /// A command of `Match exec` that came to nothing.
    MatchExec {
        command: String,
        reason: String,
    },
    IncludeDepth,
    NotOnCommandLine {
        name: String,
    },
    TooMany {
        name: &'static str,
        limit: usize,
    },
    /// `%x` that the option does not know, or a `%` at the end.
    Token {
        token: String,
        value: String,
    },
    Environment {
        name: String,
        value: String,
    },
    OtherUsersHome {
        value: String,
    },
    HostName,
    UserName {
        name: String,
    },
    JumpLoop {
        via: String,
    },
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, reason } => write!(
                f,
                "cannot read the ssh configuration {}: {reason}",
                file.display()
            ),
            Self::Permissions { file } => {
                let file = file.display();
                write!(
                    f,
                    "bad owner or permissions on {file}: it must be yours (or root's) and writable by nobody else; run: chmod go-w {file}"
                )
            }
            Self::Line { at, problem } => write!(f, "{at}: {problem}"),
            Self::CommandLine { problem } => write!(f, "ssh option on the command line: {problem}"),
            Self::Host {
                host,
                origin,
                problem,
            } => write!(f, "ssh configuration of {host} ({origin}): {problem}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOption { name } => write!(
                f,
                "bad configuration option: {name} (IgnoreUnknown {name} would skip it)"
            ),
            Self::NoArgument { name } => write!(f, "{name} needs an argument"),
            Self::ExtraArguments { name } => write!(f, "extra arguments after {name}"),
            Self::InvalidQuotes => write!(f, "a quote is not closed"),
            Self::NotUtf8 => write!(f, "the line is not valid UTF-8"),
            Self::Value {
                name,
                value,
                expected,
            } => write!(f, "{name} cannot be {value:?}: expected {expected}"),
            Self::Match { reason } => write!(f, "bad Match condition: {reason}"),
            Self::MatchExec { command, reason } => {
                write!(f, "Match exec {command:?} cannot be decided: {reason}")
            }
            Self::IncludeDepth => write!(
                f,
                "Include is nested too deeply (limit {}): does a file include itself?",
                super::parse::INCLUDE_DEPTH
            ),
            Self::NotOnCommandLine { name } => write!(f, "{name} stands for files only"),
            Self::TooMany { name, limit } => write!(f, "more than {limit} {name}"),
            Self::Token { token, value } => write!(
                f,
                "{token:?} in {value:?} is not a token this option knows (write %% for a percent sign)"
            ),
            Self::Environment { name, value } => write!(
                f,
                "environment variable ${{{name}}} in {value:?} is not set or not closed by }}"
            ),
            Self::OtherUsersHome { value } => write!(
                f,
                "{value:?}: only ~/ (your own home) is expanded, write the path in full"
            ),
            Self::HostName => write!(f, "the host name contains characters that ssh refuses"),
            Self::UserName { name } => write!(
                f,
                "the user name {name:?} contains characters that ssh refuses"
            ),
            Self::JumpLoop { via } => write!(
                f,
                "jump host loop: {via} is reached through itself; exclude it with \"Host !{via} *\""
            ),
        }
    }
}

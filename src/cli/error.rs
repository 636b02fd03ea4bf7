//! How commands end.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::config::Mistake;
use crate::config::settings::SettingsError;
use crate::core::select::Selector;
use crate::daemon::client::ClientError;
use crate::plan::PlanError;
use crate::view::text::harmless_lines;

/// The exit codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for completed.
    Done,
    /// Some child failed, stopped or is lost; or something could not be done.
    Failed,
    /// Bad usage or configuration.
    Usage,
    /// The selection matched nothing.
    Nothing,
    /// A wait timed out.
    TimedOut,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Nothing => 3,
            Exit::TimedOut => 124,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub struct CliError {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl CliError {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: Exit::Usage,
        }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: Exit::Failed,
        }
    }

    pub(super) fn nothing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: Exit::Nothing,
        }
    }

    /// Ctrl-C, after which nothing is left to say.
    pub(super) fn interrupted() -> Self {
        Self {
            message: String::new(),
            hint: None,
            exit: Exit::Interrupted,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// An engine's refusal.
    pub(super) fn refused(message: String, hint: Option<String>) -> Self {
        Self {
            message,
            hint,
            exit: Exit::Failed,
        }
    }

    /// A selection that came to nothing.  Words that name what is not there were reported one by one; patterns that match
    /// nothing, and `all` and `last` where there are no jobs, were not.
    pub(super) fn nothing_selected(select: &[Selector], unknown: &[String]) -> Self {
        if !unknown.is_empty() {
            return Self::nothing("");
        }
        let any = |selector: &Selector| matches!(selector.text.as_str(), "all" | "last");
        if select.iter().any(any) {
            return Self::nothing("there are no jobs");
        }
        let words: Vec<&str> = select
            .iter()
            .map(|selector| selector.text.as_str())
            .collect();
        Self::nothing(format!("nothing matches {}", words.join(" ")))
    }

    /// Whether there was simply nothing there.
    pub(super) fn is_nothing(&self) -> bool {
        self.exit == Exit::Nothing
    }

    /// Says what is wrong, unless nobody listens.
    #[expect(
        clippy::print_stderr,
        reason = "this is where errors reach the operator"
    )]
    pub(super) fn report(self) -> Exit {
        if !self.message.is_empty() {
            eprintln!("regatta: {}", harmless_lines(&self.message));
        }
        if let Some(hint) = self.hint {
            eprintln!("hint: {}", harmless_lines(&hint));
        }
        self.exit
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let exit = match error {
            ClientError::NoDaemon => Exit::Nothing,
            ClientError::Place(_)
            | ClientError::Start { .. }
            | ClientError::Lingers
            | ClientError::Unreachable { .. }
            | ClientError::OtherVersion(_)
            | ClientError::Stranger => Exit::Usage,
            ClientError::Lost { .. }
            | ClientError::Silent { .. }
            | ClientError::Io(_)
            | ClientError::Frame(_) => Exit::Failed,
        };
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit,
        }
    }
}

/// A terminal has room for the place that is wrong in an expression.
impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Usage { message, hint } => Self {
                message,
                hint,
                exit: Exit::Usage,
            },
            PlanError::Nothing { message, hint } => Self {
                message,
                hint,
                exit: Exit::Nothing,
            },
            PlanError::Failed { message, hint } => Self {
                message,
                hint,
                exit: Exit::Failed,
            },
            PlanError::Targets(error) => Self::usage(error.with_caret()),
        }
    }
}

/// Everything that is wrong in a file, one mistake a line.
impl From<Vec<Mistake>> for CliError {
    fn from(mistakes: Vec<Mistake>) -> Self {
        let mistakes: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        Self::usage(mistakes.join("\n"))
    }
}

impl From<SettingsError> for CliError {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}

/// Writing to stdout failed: a closed pipe is the reader's choice and no error.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self {
                message: String::new(),
                hint: None,
                exit: Exit::Done,
            }
        } else {
            Self::failed(format!("cannot write output: {error}"))
        }
    }
}

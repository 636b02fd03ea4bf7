//! Why nothing can be asked of the engine.

use std::fmt;

use crate::config::inventory::InventoryError;
use crate::targets::TargetError;

/// What is wrong with what was typed, or with the files it refers to.  `Display` is the sentence, without the hint.
#[derive(Debug)]
pub enum PlanError {
    /// Bad usage or configuration.
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// It is well formed and names nothing.
    Nothing {
        message: String,
        hint: Option<String>,
    },
    /// It is right, and cannot be done.
    Failed {
        message: String,
        hint: Option<String>,
    },
    /// A target expression is wrong at one place.
    Targets(Box<TargetError>),
}

impl PlanError {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn nothing(message: impl Into<String>) -> Self {
        Self::Nothing {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            hint: None,
        }
    }

    /// Says what to do next.
    pub(super) fn or(mut self, next: impl Into<String>) -> Self {
        match &mut self {
            Self::Usage { hint, .. } | Self::Nothing { hint, .. } | Self::Failed { hint, .. } => {
                *hint = Some(next.into());
            }
            Self::Targets(error) => error.hint = Some(next.into()),
        }
        self
    }

    /// What to do next, where the sentence does not say it already.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Usage { hint, .. } | Self::Nothing { hint, .. } | Self::Failed { hint, .. } => {
                hint.as_deref()
            }
            Self::Targets(_) => None,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { message, .. }
            | Self::Nothing { message, .. }
            | Self::Failed { message, .. } => f.write_str(message),
            Self::Targets(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}

impl From<TargetError> for PlanError {
    fn from(error: TargetError) -> Self {
        Self::Targets(Box::new(error))
    }
}

impl From<InventoryError> for PlanError {
    fn from(error: InventoryError) -> Self {
        Self::usage(error.to_string())
    }
}

//! What a configuration asks for and does not get.

use std::fmt;

use super::{Location, Loss, Origin};

/// Something the configuration asks for that regatta does not do; to be told to the user.
#[derive(Clone, PartialEq, Eq)]
pub enum Note {
    /// An option of OpenSSH's that is set for this host and has no effect here. Only its first setting is noted.
    NotHonoured {
        name: String,
        value: String,
        loss: Loss,
        origin: Origin,
    },
    /// An option that has less effect than it should.
    InPart {
        name: &'static str,
        what: &'static str,
        origin: Origin,
    },
    /// A block that was skipped because of a criterion that is not evaluated.
    MatchNotEvaluated { criterion: String, at: Location },
}

impl Note {
    /// What it means for whoever runs something on the host.
    pub fn loss(&self) -> Loss {
        match self {
            Self::NotHonoured { loss, .. } => *loss,
            Self::InPart { .. } | Self::MatchNotEvaluated { .. } => Loss::Matters,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHonoured {
                name,
                value: _,
                loss: _,
                origin,
            } => write!(f, "{origin}: {name} has no effect in regatta"),
            Self::InPart { name, what, origin } => write!(f, "{origin}: {name}: {what}"),
            Self::MatchNotEvaluated { criterion, at } => {
                write!(
                    f,
                    "{at}: this Match block is skipped, regatta does not evaluate \"{criterion}\""
                )
            }
        }
    }
}

/// Values can be secrets (a `LocalCommand`): only what [`fmt::Display`] shows.
impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Note({self})")
    }
}

//! Why a statement has no answer, in SQLite's words where they say it best.

use std::fmt;

use super::sheet::Sheet;
use crate::targets::nearest;

/// Why a statement has no answer, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// It is wrong.
    Statement(String),
    /// It would do something.
    Writes,
    /// It was stopped.
    Stopped,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(what) => f.write_str(what),
            Self::Writes => f.write_str("rows can only be read: one SELECT is all there is"),
            Self::Stopped => f.write_str("the statement took too long and was stopped"),
        }
    }
}

impl std::error::Error for SqlError {}

impl SqlError {
    /// The same with what was probably meant.
    pub(super) fn meant(self, sheets: &[Sheet]) -> Self {
        let Self::Statement(what) = self else {
            return self;
        };
        let tables = || sheets.iter().map(|sheet| sheet.name.as_str());
        let columns = || {
            let columns = sheets.iter().flat_map(|sheet| &sheet.columns);
            columns.map(|column| column.name.as_str())
        };
        let hint = if let Some(name) = what.strip_prefix("no such table: ") {
            match nearest(name, tables()) {
                Some(near) => format!("; did you mean {near}?"),
                None => format!("; there are {}", tables().collect::<Vec<_>>().join(", ")),
            }
        } else if let Some(name) = what.strip_prefix("no such column: ") {
            let name = name.rsplit('.').next().unwrap_or(name);
            nearest(name, columns())
                .map_or_else(String::new, |near| format!("; did you mean {near}?"))
        } else {
            String::new()
        };
        Self::Statement(format!("{what}{hint}"))
    }
}

/// What SQLite complains of.
pub(super) fn wrong(error: rusqlite::Error) -> SqlError {
    use rusqlite::ErrorCode::{AuthorizationForStatementDenied, OperationInterrupted, ReadOnly};
    match error.sqlite_error_code() {
        Some(AuthorizationForStatementDenied | ReadOnly) => return SqlError::Writes,
        Some(OperationInterrupted) => return SqlError::Stopped,
        _ => {}
    }
    let said = match error {
        rusqlite::Error::SqlInputError { msg, .. }
        | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg,
        other => other.to_string(),
    };
    // Of functions it has no code for that.
    if said.starts_with("not authorized") {
        SqlError::Writes
    } else {
        SqlError::Statement(said)
    }
}

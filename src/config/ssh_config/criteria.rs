//! The criteria of a `Match` line.

use super::error::Problem;
use super::pattern::PatternList;
use super::words;

/// One criterion of a `Match` line.
#[derive(Debug)]
pub(super) struct Criterion {
    pub(super) negated: bool,
    pub(super) subject: Subject,
}

#[derive(Debug)]
pub(super) enum Subject {
    All,
    /// The host name as it stands at this point of the configuration.
    Host(PatternList),
    OriginalHost(PatternList),
    User(PatternList),
    LocalUser(PatternList),
    /// The command, tokens not yet expanded.
    Exec(String),
    /// `final` or `canonical`: the configuration is gone through for the last time.
    LastPass {
        wants: Wants,
    },
    /// `tagged` and the like: known to OpenSSH, not evaluated here.
    NotEvaluated(String),
}

/// Whether a criterion makes the configuration be gone through again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    AnotherPass,
    Nothing,
}

/// Reads what follows `Match`.
pub(super) fn match_criteria(rest: &str) -> Result<Vec<Criterion>, Problem> {
    let bad = |reason: String| Problem::Match { reason };
    let quotes = |_| Problem::InvalidQuotes;
    words::arguments(rest).map_err(quotes)?;
    let mut rest = Some(rest);
    let mut criteria = Vec::new();
    while let Some(word) = words::next_delimited(&mut rest).map_err(quotes)? {
        if word.is_empty() || word.starts_with('#') {
            break;
        }
        let (negated, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let name = name.to_ascii_lowercase();
        let subject = match name.as_str() {
            "all" => {
                let next = words::next_delimited(&mut rest)
                    .map_err(quotes)?
                    .unwrap_or_default();
                if criteria.len() > 1 || !(next.is_empty() || next.starts_with('#')) {
                    return Err(bad(
                        "\"all\" cannot be combined with other criteria".to_owned()
                    ));
                }
                criteria.push(Criterion {
                    negated,
                    subject: Subject::All,
                });
                return Ok(criteria);
            }
            "canonical" => Subject::LastPass {
                wants: Wants::Nothing,
            },
            "final" => Subject::LastPass {
                wants: Wants::AnotherPass,
            },
            "host" | "originalhost" | "user" | "localuser" | "exec" | "localnetwork" | "tagged"
            | "command" | "version" | "sessiontype" => {
                let argument = words::next_delimited(&mut rest)
                    .map_err(quotes)?
                    .unwrap_or_default();
                if argument.is_empty() || argument.starts_with('#') {
                    return Err(bad(format!("{name} needs an argument")));
                }
                match name.as_str() {
                    "host" => {
                        Subject::Host(PatternList::from_commas(&argument.to_ascii_lowercase()))
                    }
                    "originalhost" => Subject::OriginalHost(PatternList::from_commas(
                        &argument.to_ascii_lowercase(),
                    )),
                    "user" => Subject::User(PatternList::from_commas(&argument)),
                    "exec" => Subject::Exec(argument),
                    "localuser" => Subject::LocalUser(PatternList::from_commas(&argument)),
                    _ => Subject::NotEvaluated(name),
                }
            }
            _ => return Err(bad(format!("OpenSSH knows no criterion {name:?}"))),
        };
        criteria.push(Criterion { negated, subject });
    }
    if criteria.is_empty() {
        return Err(bad("it has no criteria".to_owned()));
    }
    Ok(criteria)
}

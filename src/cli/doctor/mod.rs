//! `doctor`: one look at everything regatta needs, and what to do where something is wrong.
//!
//! It changes nothing and starts nothing.

mod daemon;
mod files;
mod system;

use std::io::Write;

use serde_json::json;

use super::context::Context;
use super::error::{CliError, Exit};
use crate::view::text::harmless;

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// Worth knowing.
    Note,
    /// Something will not work, or is not safe.
    Bad,
}

impl Verdict {
    /// What people read, in one width.
    fn mark(self) -> &'static str {
        match self {
            Self::Fine => "ok  ",
            Self::Note => "note",
            Self::Bad => "BAD ",
        }
    }

    /// The word in JSON.
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    text: String,
    /// What to do.
    hint: Option<String>,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            text: text.into(),
            hint: None,
        }
    }

    fn fine(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fine, text)
    }

    fn note(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Note, text)
    }

    fn bad(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Bad, text)
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

pub(super) async fn doctor(context: &Context) -> Result<Exit, CliError> {
    let place = Context::place()?;
    let mut findings = system::versions();
    findings.push(system::open_files(context.settings.fanout));
    findings.push(system::agent().await);
    findings.extend(files::directories(&place));
    findings.extend(files::unwritable(&place));
    findings.extend(files::space(&place));
    findings.extend(files::store(&place));
    findings.extend(daemon::daemon(&place).await);
    findings.extend(files::log(&place));
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let all: Vec<_> = findings
            .iter()
            .map(|finding| {
                json!({
                    "check": finding.check,
                    "verdict": finding.verdict.word(),
                    "text": finding.text,
                    "hint": finding.hint,
                })
            })
            .collect();
        context.terminal.json(&mut out, &all.into())?;
    } else {
        for finding in &findings {
            let mut line = format!(
                "{}  {}: {}",
                finding.verdict.mark(),
                finding.check,
                finding.text
            );
            if let Some(hint) = &finding.hint {
                line = format!("{line}; {hint}");
            }
            writeln!(out, "{}", harmless(line.as_bytes()))?;
        }
    }
    let sound = findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Bad);
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

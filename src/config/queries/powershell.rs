//! What runs of a query on Windows: its text, with parameters as PowerShell's variables before it, and around it what
//! makes rows of objects and one line of an error.
//!
//! Nothing here was ever read by a PowerShell: see the manual.  It is written for 5.1, which every Windows has.

use std::fmt::Write as _;

use crate::results::{Parser, Shape};

/// Variables that PowerShell sets itself or lets nobody set, in small letters: it does not tell these from capitals.
const ITS_OWN: [&str; 29] = [
    "args",
    "consolefilename",
    "enabledexperimentalfeatures",
    "error",
    "erroractionpreference",
    "event",
    "executioncontext",
    "false",
    "foreach",
    "home",
    "host",
    "input",
    "lastexitcode",
    "matches",
    "myinvocation",
    "null",
    "ofs",
    "pid",
    "profile",
    "psculture",
    "pshome",
    "psuiculture",
    "psversiontable",
    "pwd",
    "sender",
    "shellid",
    "switch",
    "this",
    "true",
];

/// What stands before the text: its first error is its end.
const BEFORE: &str = "$ErrorActionPreference='Stop'\ntry{&{\n";

/// What stands behind it: as of sh, its exit code is that of the program that came last.
const BEHIND: &str = "\nif(-not $? -and $LASTEXITCODE){exit $LASTEXITCODE}\n}";

/// Objects become JSON, one a line; what is text already stays as it is.
const TO_LINES: &str = "|ForEach-Object{if($_ -is [string]){$_}elseif($null -ne $_){ConvertTo-Json -Compress -InputObject $_}}";

/// An error is one line.
const AT_THE_END: &str = "\n}catch{[Console]::Error.WriteLine((\"$($_.Exception.Message)\" -replace '\\s+',' '));exit 1}\nexit 0\n";

/// Whether a variable of this name would be in PowerShell's way.
pub(super) fn is_its_own(name: &str) -> bool {
    ITS_OWN.contains(&name)
}

/// The whole of what runs.  What a query without columns writes is text, and PowerShell makes that of objects.
pub(super) fn framed(text: &str, shape: Option<&Shape>) -> String {
    let lines = shape.map_or("", |_| TO_LINES);
    format!("{BEFORE}{}{BEHIND}{lines}{AT_THE_END}", text.trim_end())
}

/// Whether objects as lines have to be told from what this parser reads.
pub(super) fn differs(parser: &Parser) -> bool {
    match parser {
        // What it writes is as it is elsewhere.
        Parser::Json { .. } | Parser::JsonLines | Parser::Objects => false,
        Parser::Csv { .. }
        | Parser::Tsv { .. }
        | Parser::Pairs { .. }
        | Parser::Words { .. }
        | Parser::Widths { .. }
        | Parser::Regex { .. }
        | Parser::Lines => true,
    }
}

/// The lines that set variables.
pub(super) fn assignments(values: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (name, value) in values {
        assign(&mut lines, name, value);
    }
    lines
}

/// The lines that take them from the environment, where a POSIX shell exported them.
pub(super) fn from_environment<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut lines = String::new();
    for name in names {
        _ = writeln!(lines, "${name}=\"$env:{name}\"");
    }
    lines
}

/// The most bytes that [`assign`] adds for a name and a value.
pub fn room(name: &str, value: &str) -> usize {
    name.len() + 2 * value.len() + 5
}

/// Adds the line that sets a variable.  Between single quotes PowerShell reads nothing but their end, which may be written
/// with any of these, and a double one is one that is meant.
pub fn assign(lines: &mut String, name: &str, value: &str) {
    lines.push('$');
    lines.push_str(name);
    lines.push_str("='");
    for c in value.chars() {
        lines.push(c);
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            lines.push(c);
        }
    }
    lines.push_str("'\n");
}

#[cfg(test)]
mod tests;

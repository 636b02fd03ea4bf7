//! One script for computers of several kinds: which one it is on, it asks `uname`.  A Windows whose login shell is one of
//! its own never reads it: there the runner takes PowerShell's text.

use std::fmt::Write as _;

use super::parameter::{Parameter, Secrecy, quoted};
use super::powershell;

/// A kind of computer that has a script of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Linux,
    Bsd,
    Macos,
    /// Its script is PowerShell's.
    Windows,
}

impl Platform {
    pub(super) const ALL: [Self; 4] = [Self::Linux, Self::Bsd, Self::Macos, Self::Windows];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Bsd => "bsd",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.word() == word)
    }

    /// What `uname -s` says there, as a pattern of the shell's.
    fn pattern(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Bsd => "*BSD | DragonFly",
            Self::Macos => "Darwin",
            Self::Windows => "MINGW* | MSYS* | CYGWIN* | Windows*",
        }
    }
}

/// What runs on Windows, where a POSIX shell is logged in to: paths in it are left alone by MSYS.
const POWERSHELL: &str = "MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='*' powershell.exe -NoProfile -NonInteractive -Command";

/// What stands before the text there: output in UTF-8.
const UTF_8: &str = "try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{}\n";

/// The script that is each platform's own there, and `other` elsewhere.  `powershell` is the whole of what Windows runs.
pub(super) fn joined(
    platforms: &[(Platform, String)],
    other: Option<&str>,
    powershell: Option<&str>,
    parameters: &[Parameter],
) -> String {
    let mut text = "case $(uname -s) in\n".to_string();
    for (platform, script) in platforms {
        _ = writeln!(text, "{})", platform.pattern());
        match platform {
            Platform::Windows => {
                let secret = |parameter: &&Parameter| parameter.secrecy == Secrecy::Secret;
                if let Some(parameter) = parameters.iter().find(secret) {
                    // It would have to be in a command line or an environment.
                    let name = &parameter.name;
                    _ = writeln!(
                        text,
                        "echo 'the secret {name} does not reach PowerShell through this shell' >&2\nexit 1"
                    );
                } else {
                    let names = parameters.iter().map(|parameter| parameter.name.as_str());
                    let set = powershell::from_environment(names);
                    let script = powershell.unwrap_or(script);
                    let script = quoted(&format!("{UTF_8}{set}{script}"));
                    _ = writeln!(text, "{POWERSHELL} {script} </dev/null");
                }
            }
            Platform::Linux | Platform::Bsd | Platform::Macos => {
                _ = writeln!(text, "{}", script.trim_end());
            }
        }
        text.push_str(";;\n");
    }
    text.push_str("*)\n");
    let unknown = || "echo \"this query does not know $(uname -s)\" >&2\nexit 1".to_string();
    let other = other.map_or_else(unknown, |script| script.trim_end().to_string());
    _ = writeln!(text, "{other}");
    text.push_str(";;\nesac\n");
    text
}

//! One script for computers of several kinds: which one it is on, it asks `uname`.

use std::fmt::Write as _;

use super::parameter::quoted;

/// A kind of computer that has a script of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Linux,
    Bsd,
    Macos,
    /// Windows with a POSIX shell to log in to; its script is PowerShell's.
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

/// The script that is each platform's own there, and `other` elsewhere.
pub(super) fn joined(platforms: &[(Platform, String)], other: Option<&str>) -> String {
    let mut text = "case $(uname -s) in\n".to_string();
    for (platform, script) in platforms {
        _ = writeln!(text, "{})", platform.pattern());
        match platform {
            Platform::Windows => {
                let script = quoted(script.trim());
                _ = writeln!(
                    text,
                    "powershell.exe -NoProfile -NonInteractive -Command {script} </dev/null"
                );
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

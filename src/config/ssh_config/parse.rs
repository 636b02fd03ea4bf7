//! Files into blocks: every line of every file is read and checked once, whichever host is asked for later.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use super::criteria::{Criterion, Subject, match_criteria};
use super::error::{ConfigError, Problem};
use super::pattern::PatternList;
use super::setting::Setting;
use super::{LocalEnv, Location, expand, glob, words};

/// How deep `Include` may nest (`READCONF_MAX_DEPTH` in OpenSSH's readconf.c).
pub(super) const INCLUDE_DEPTH: usize = 16;

/// One file: its blocks in order, and where to find those that can matter to a host without trying all.
#[derive(Debug)]
pub(super) struct ConfigFile {
    blocks: Vec<Block>,
    /// Blocks whose `Host` line is nothing but names.
    by_name: HashMap<String, Vec<usize>>,
    /// All others.
    to_try: Vec<usize>,
}

/// The lines up to the next `Host` or `Match`.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) condition: Condition,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) enum Condition {
    Always,
    Host(PatternList),
    Match {
        criteria: Vec<Criterion>,
        at: Location,
    },
}

#[derive(Debug)]
pub(super) enum Line {
    Set(Setting, Location),
    Include(Vec<ConfigFile>),
}

/// Which directory relative includes belong to, and whether `~` may be used: OpenSSH tells the user's
/// configuration (and `-F`) from the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    User,
    System,
}

/// Whether a file must be safe from others' changes. OpenSSH asks this of `~/.ssh/config` and of every included
/// file, not of `-F` nor of the system's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permissions {
    Checked,
    AsTheyAre,
}

impl ConfigFile {
    /// The blocks that may apply to a host of this name, in the order they stand in the file.
    pub(super) fn candidates(&self, host: &str) -> impl Iterator<Item = &Block> {
        let mut named = self
            .by_name
            .get(host)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .copied()
            .peekable();
        let mut tried = self.to_try.iter().copied().peekable();
        std::iter::from_fn(move || match (named.peek(), tried.peek()) {
            (Some(a), Some(b)) if a < b => named.next(),
            (Some(_), None) => named.next(),
            (_, Some(_)) => tried.next(),
            (None, None) => None,
        })
        .map(|at| &self.blocks[at])
    }

    /// Whether some `Match` has a command.
    pub(super) fn has_commands(&self) -> bool {
        let has_command = |block: &Block| match &block.condition {
            Condition::Always | Condition::Host(_) => false,
            Condition::Match { criteria, .. } => criteria
                .iter()
                .any(|criterion| matches!(criterion.subject, Subject::Exec(_))),
        };
        self.blocks.iter().any(has_command) || self.included().any(Self::has_commands)
    }

    /// Whether some `SendEnv` has a pattern of this kind.
    pub(super) fn sends(&self, is_sent: &dyn Fn(&str) -> bool) -> bool {
        let lines = self.blocks.iter().flat_map(|block| &block.lines);
        let mut set = lines.filter_map(|line| match line {
            Line::Set(Setting::SendEnv(names), _) => Some(names),
            Line::Set(..) | Line::Include(_) => None,
        });
        set.any(|names| names.iter().any(|name| is_sent(name)))
            || self.included().any(|file| file.sends(is_sent))
    }

    /// Adds the names of all hops.
    pub(super) fn hop_names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        for line in self.blocks.iter().flat_map(|block| &block.lines) {
            match line {
                Line::Set(Setting::ProxyJump(hops), _) => {
                    names.extend(hops.iter().map(|hop| hop.host.as_str()));
                }
                Line::Include(files) => files.iter().for_each(|file| file.hop_names(names)),
                Line::Set(..) => {}
            }
        }
    }

    fn included(&self) -> impl Iterator<Item = &Self> {
        let lines = self.blocks.iter().flat_map(|block| &block.lines);
        lines.flat_map(|line| match line {
            Line::Include(files) => files.as_slice(),
            Line::Set(..) => &[],
        })
    }

    fn new(blocks: Vec<Block>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut to_try = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            let names = match &block.condition {
                Condition::Host(patterns) => patterns.literals(),
                Condition::Always | Condition::Match { .. } => None,
            };
            let Some(names) = names else {
                to_try.push(at);
                continue;
            };
            for name in names {
                let blocks = by_name.entry(name.to_owned()).or_default();
                if blocks.last() != Some(&at) {
                    blocks.push(at);
                }
            }
        }
        Self {
            blocks,
            by_name,
            to_try,
        }
    }
}

/// Reads files and remembers which unknown options `IgnoreUnknown` has been seen to cover.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    env: &'a LocalEnv,
    ignore_unknown: Vec<PatternList>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(env: &'a LocalEnv) -> Self {
        Self {
            env,
            ignore_unknown: Vec::new(),
        }
    }

    /// `None` if there is no such file.
    pub(super) fn read(
        &mut self,
        path: &Path,
        scope: Scope,
        permissions: Permissions,
    ) -> Result<Option<ConfigFile>, ConfigError> {
        self.read_at_depth(path, scope, permissions, 0)
    }

    fn read_at_depth(
        &mut self,
        path: &Path,
        scope: Scope,
        permissions: Permissions,
        depth: usize,
    ) -> Result<Option<ConfigFile>, ConfigError> {
        let Some(bytes) = read_bytes(path, permissions, self.env)? else {
            return Ok(None);
        };
        let path: Arc<Path> = Arc::from(path);
        let mut blocks = vec![Block {
            condition: Condition::Always,
            lines: Vec::new(),
        }];
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let at = Location {
                file: Arc::clone(&path),
                line: number,
            };
            let wrong = |problem| ConfigError::Line {
                at: at.clone(),
                problem,
            };
            let text = match std::str::from_utf8(line) {
                Ok(text) => text,
                Err(_) if line.trim_ascii_start().starts_with(b"#") => continue,
                Err(_) => return Err(wrong(Problem::NotUtf8)),
            };
            let Some((name, rest)) = keyword(text).map_err(wrong)? else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "host" => {
                    let condition = Condition::Host(host_patterns(&name, rest).map_err(wrong)?);
                    blocks.push(Block {
                        condition,
                        lines: Vec::new(),
                    });
                }
                "match" => {
                    let criteria = match_criteria(rest).map_err(wrong)?;
                    let condition = Condition::Match {
                        criteria,
                        at: at.clone(),
                    };
                    blocks.push(Block {
                        condition,
                        lines: Vec::new(),
                    });
                }
                "include" => {
                    let files = self.include(&name, rest, scope, depth, &at)?;
                    last(&mut blocks).push(Line::Include(files));
                }
                _ => {
                    let setting = Setting::parse(&name, rest, self.env).map_err(wrong)?;
                    self.check_known(&setting).map_err(wrong)?;
                    last(&mut blocks).push(Line::Set(setting, at));
                }
            }
        }
        Ok(Some(ConfigFile::new(blocks)))
    }

    fn include(
        &mut self,
        name: &str,
        rest: &str,
        scope: Scope,
        depth: usize,
        at: &Location,
    ) -> Result<Vec<ConfigFile>, ConfigError> {
        let wrong = |problem| ConfigError::Line {
            at: at.clone(),
            problem,
        };
        let patterns = words::arguments(rest).map_err(|_| wrong(Problem::InvalidQuotes))?;
        let mut files = Vec::new();
        for pattern in patterns {
            if pattern.is_empty() {
                return Err(wrong(Problem::NoArgument {
                    name: name.to_owned(),
                }));
            }
            let pattern = match scope {
                _ if pattern.starts_with('/') => pattern,
                Scope::User if pattern.starts_with('~') => {
                    expand::tilde(&pattern, self.env).map_err(wrong)?
                }
                Scope::User => format!("{}/.ssh/{pattern}", self.env.home.display()),
                Scope::System if pattern.starts_with('~') => {
                    let expected = "a path without ~ in the system's configuration";
                    return Err(wrong(Problem::Value {
                        name: name.to_owned(),
                        value: pattern,
                        expected,
                    }));
                }
                Scope::System => format!("/etc/ssh/{pattern}"),
            };
            for path in glob::expand(&pattern) {
                if depth == INCLUDE_DEPTH {
                    return Err(wrong(Problem::IncludeDepth));
                }
                files.extend(self.read_at_depth(&path, scope, Permissions::Checked, depth + 1)?);
            }
        }
        Ok(files)
    }

    /// Refuses an unknown option that no `IgnoreUnknown` before it covers; whether that one applies to a host is
    /// seen when the host is resolved.
    fn check_known(&mut self, setting: &Setting) -> Result<(), Problem> {
        match setting {
            Setting::IgnoreUnknown(patterns) => {
                self.ignore_unknown
                    .push(PatternList::from_commas(&patterns.to_ascii_lowercase()));
                Ok(())
            }
            Setting::Unknown { name } => {
                let keyword = name.to_ascii_lowercase();
                if self
                    .ignore_unknown
                    .iter()
                    .any(|patterns| patterns.matches(&keyword))
                {
                    Ok(())
                } else {
                    Err(Problem::UnknownOption { name: name.clone() })
                }
            }
            _ => Ok(()),
        }
    }
}

fn last(blocks: &mut [Block]) -> &mut Vec<Line> {
    &mut blocks
        .last_mut()
        .expect("a file starts with a block of its own")
        .lines
}

/// The keyword as written and what follows it; `None` for blank lines and comments.
pub(super) fn keyword(line: &str) -> Result<Option<(String, &str)>, Problem> {
    let mut rest = Some(words::trim_start(words::trim_end(line)));
    let mut next = || words::next_delimited(&mut rest).map_err(|_| Problem::InvalidQuotes);
    let mut name = next()?.unwrap_or_default();
    if name.is_empty() {
        // OpenSSH lets a line begin with "=".
        name = next()?.unwrap_or_default();
    }
    if name.is_empty() || name.starts_with('#') {
        return Ok(None);
    }
    match rest.map(words::trim_start) {
        None | Some("") => Err(Problem::NoArgument { name }),
        Some(rest) => Ok(Some((name, rest))),
    }
}

fn host_patterns(name: &str, rest: &str) -> Result<PatternList, Problem> {
    let patterns = words::arguments(rest).map_err(|_| Problem::InvalidQuotes)?;
    if patterns.iter().any(String::is_empty) {
        return Err(Problem::NoArgument {
            name: name.to_owned(),
        });
    }
    Ok(PatternList::from_words(&patterns))
}

fn read_bytes(
    path: &Path,
    permissions: Permissions,
    env: &LocalEnv,
) -> Result<Option<Vec<u8>>, ConfigError> {
    let unreadable = |error: &io::Error| ConfigError::Unreadable {
        file: path.to_owned(),
        reason: error.to_string(),
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if permissions == Permissions::Checked && !is_safe(&metadata, env) {
        return Err(ConfigError::Permissions {
            file: path.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    // An included directory reads as empty in OpenSSH.
    if !metadata.is_dir() {
        file.read_to_end(&mut bytes)
            .map_err(|error| unreadable(&error))?;
    }
    Ok(Some(bytes))
}

/// Owned by the user or root, and writable by nobody else (`secure_permissions` in OpenSSH's misc.c). Debian also
/// accepts files writable by the user's private group; this does not.
fn is_safe(metadata: &fs::Metadata, env: &LocalEnv) -> bool {
    (metadata.uid() == 0 || metadata.uid() == env.uid) && metadata.mode() & 0o022 == 0
}

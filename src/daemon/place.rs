//! Where the daemon's socket, locks and log are.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest path of a socket: `sun_path` of unix(7) without the byte that ends it.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The audit log's name in the state directory.
const AUDIT: &str = "audit.jsonl";

/// What the daemon says in its log when it begins: everything before that is an earlier one's.
pub const BEGINS: &str = "the daemon begins";

/// The directories of one user's daemon: 0700, their files 0600.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    dir: PathBuf,
    /// What outlives the daemon.
    state: PathBuf,
}

/// Why there is no usable place.
#[derive(Debug)]
pub enum PlaceError {
    /// No variable says where it could be.
    Nowhere,
    Io {
        doing: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    /// The system takes no socket with such a path.
    TooLong { socket: PathBuf },
    /// The directory is somebody else's, or open to others.
    Unsafe { path: PathBuf, why: String },
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("no place for the daemon's socket: neither XDG_RUNTIME_DIR nor XDG_STATE_HOME nor HOME is set"),
            Self::Io { doing, path, error } => write!(f, "cannot {doing} {}: {error}", path.display()),
            Self::TooLong { socket } => write!(
                f,
                "{} is too long for the path of a socket, which has at most {LONGEST} bytes",
                socket.display()
            ),
            Self::Unsafe { path, why } => write!(f, "{} {why}; the daemon's socket cannot be there", path.display()),
        }
    }
}

impl std::error::Error for PlaceError {}

impl PlaceError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Nowhere => "set HOME or XDG_RUNTIME_DIR, or use --no-daemon",
            Self::Io { .. } => {
                "set XDG_RUNTIME_DIR to a directory you can write to, or use --no-daemon"
            }
            Self::TooLong { .. } => {
                "set XDG_RUNTIME_DIR to a shorter directory, or use --no-daemon"
            }
            Self::Unsafe { .. } => {
                "make it yours alone (chmod 700), or set XDG_RUNTIME_DIR to a directory that is"
            }
        }
    }
}

impl Place {
    /// `$XDG_RUNTIME_DIR/regatta`, or else `run` under the state directory, which is `$XDG_STATE_HOME/regatta` or
    /// `~/.local/state/regatta`.
    pub fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PlaceError> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let place = match (absolute("XDG_RUNTIME_DIR"), state(absolute)) {
            (Some(runtime), Some(state)) => Self {
                dir: runtime.join("regatta"),
                state,
            },
            (Some(runtime), None) => Self::at(runtime.join("regatta")),
            (None, Some(state)) => Self {
                dir: state.join("run"),
                state,
            },
            (None, None) => return Err(PlaceError::Nowhere),
        };
        if place.socket().as_os_str().len() > LONGEST {
            return Err(PlaceError::TooLong {
                socket: place.socket(),
            });
        }
        Ok(place)
    }

    /// A place in a directory of the caller's choice.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        Self {
            state: dir.join("state"),
            dir,
        }
    }

    /// Makes the directory if need be, and makes sure that it is ours alone.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        let failed = |doing| {
            move |error| PlaceError::Io {
                doing,
                path: self.dir.clone(),
                error,
            }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(failed("create"))?;
        let meta = fs::symlink_metadata(&self.dir).map_err(failed("look at"))?;
        let wrong = |why: &str| {
            Err(PlaceError::Unsafe {
                path: self.dir.clone(),
                why: why.to_string(),
            })
        };
        if !meta.is_dir() {
            return wrong("is not a directory");
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return wrong("belongs to somebody else");
        }
        if meta.mode() & 0o077 != 0 {
            return wrong("can be entered by others");
        }
        Ok(())
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the store is, and what else outlives the daemon.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Whether an earlier daemon has left jobs.
    pub fn has_jobs(&self) -> bool {
        self.state.join("catalog.db").exists()
    }

    /// Who had what done, for good.
    pub fn audit(&self) -> PathBuf {
        self.state.join(AUDIT)
    }

    /// The audit log of whoever does without a daemon, and so without a socket.
    pub fn audit_without_daemon(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        state(absolute)
            .or_else(|| absolute("XDG_RUNTIME_DIR").map(|run| Self::at(run.join("regatta")).state))
            .map(|state| state.join(AUDIT))
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// Held by the daemon as long as it lives.
    pub fn daemon_lock(&self) -> Result<File, PlaceError> {
        self.open("daemon.lock")
    }

    /// Held by whoever is starting a daemon.
    pub fn start_lock(&self) -> Result<File, PlaceError> {
        self.open("start.lock")
    }

    fn open(&self, name: &str) -> Result<File, PlaceError> {
        let path = self.dir.join(name);
        let opened = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        opened.map_err(|error| PlaceError::Io {
            doing: "open",
            path,
            error,
        })
    }
}

/// `$XDG_STATE_HOME/regatta` or `~/.local/state/regatta`.
fn state(absolute: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("regatta"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_directory_comes_first_and_relative_ones_do_not_count() {
        type Case = (
            &'static [(&'static str, &'static str)],
            Option<&'static str>,
        );
        let cases: [Case; 5] = [
            (
                &[("XDG_RUNTIME_DIR", "/run/u"), ("HOME", "/h")],
                Some("/run/u/regatta"),
            ),
            (
                &[("XDG_RUNTIME_DIR", "run"), ("HOME", "/h")],
                Some("/h/.local/state/regatta/run"),
            ),
            (
                &[("XDG_STATE_HOME", "/s"), ("HOME", "/h")],
                Some("/s/regatta/run"),
            ),
            (&[("HOME", "/h")], Some("/h/.local/state/regatta/run")),
            (&[], None),
        ];
        for (variables, want) in cases {
            let find = |name: &str| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| PathBuf::from(value))
            };
            assert_eq!(
                Place::find(find).ok().map(|place| place.dir),
                want.map(PathBuf::from),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn a_directory_others_can_enter_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().expect("a temporary directory");
        let place = Place::at(temp.path().join("regatta"));
        place.prepare().expect("made 0700");
        place.prepare().expect("found as it was made");
        fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755)).expect("ours");
        assert!(matches!(place.prepare(), Err(PlaceError::Unsafe { .. })));
    }
}

//! Opening a store: its directory, the lock that makes us the only one, and what an earlier process left.

use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::catalog::Catalog;
use super::schema::Trouble;
use super::work::Shared;
use super::writer::{self, Writer};
use super::{Caps, Saved, Store, reader};
use crate::core::ids::JobId;
use crate::core::saved::SavedJob;

/// Why a store cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it: its number, if it has said so.
    InUse {
        dir: PathBuf,
        pid: Option<u32>,
    },
    Io {
        path: PathBuf,
        error: io::Error,
    },
    File {
        path: PathBuf,
        trouble: Trouble,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir, pid } => {
                f.write_str("another daemon ")?;
                if let Some(pid) = pid {
                    write!(f, "(pid {pid}) ")?;
                }
                write!(f, "uses the store in {}", dir.display())
            }
            Self::Io { path, error } => write!(f, "cannot use {}: {error}", path.display()),
            Self::File { path, trouble } => write!(f, "cannot use {}: {trouble}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    /// What the operator can do.
    pub fn hint(&self) -> String {
        match self {
            Self::InUse { pid: Some(pid), .. } => format!(
                "its socket is elsewhere (another XDG_RUNTIME_DIR?): `kill {pid}` ends it, or set XDG_STATE_HOME to another directory"
            ),
            Self::InUse { pid: None, .. } => {
                "stop it, or set XDG_STATE_HOME to another directory".to_string()
            }
            Self::Io { .. }
            | Self::File {
                trouble: Trouble::Passing(_),
                ..
            } => "make the directory yours and writable, or set XDG_STATE_HOME to another".to_string(),
            Self::File {
                path,
                trouble: Trouble::Corrupt(_),
            } => format!(
                "move {} away; the jobs in it are lost then, the program works again",
                path.display()
            ),
            Self::File {
                trouble: Trouble::Newer { .. },
                ..
            } => "use that version, or set XDG_STATE_HOME to another directory; the file was left untouched".to_string(),
        }
    }
}

impl Store {
    /// Opens the store in `dir`, or makes it.  Blocks.
    pub fn open(dir: &Path, caps: Caps) -> Result<(Self, Saved), OpenError> {
        let jobs = dir.join("jobs");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io { path, error }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&jobs)
            .map_err(failed(&jobs))?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(failed(dir))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let said = lock.read_to_string(&mut text);
                let pid = said.ok().and_then(|_| text.trim().parse().ok());
                let dir = dir.to_owned();
                return Err(OpenError::InUse { dir, pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(dir)(error)),
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed(dir))?;
        let path = dir.join("catalog.db");
        let opened = Catalog::open(&path, writer::wall());
        let (catalog, contents) = opened.map_err(|trouble| OpenError::File { path, trouble })?;
        let mut saved = Saved {
            jobs: contents.jobs,
            next_id: contents.next_id,
            removed: contents.removed,
        };
        let corrected = reader::complete(dir, &mut saved.jobs);
        forget_strays(&jobs, &saved.jobs).map_err(failed(&jobs))?;
        let shared = Arc::new(Shared::new());
        if !corrected.is_empty() {
            shared.record(|records| records.children.extend(corrected));
        }
        let thread = Writer::new(Arc::clone(&shared), catalog, dir.to_owned(), caps);
        let spawned = std::thread::Builder::new()
            .name("store".to_string())
            .spawn(move || thread.run());
        let store = Self {
            dir: dir.to_owned(),
            key: contents.key,
            caps,
            shared,
            logs: Mutex::default(),
            readers: Arc::default(),
            writer: Mutex::new(Some(spawned.map_err(failed(dir))?)),
            _lock: lock,
            temporary: None,
        };
        Ok((store, saved))
    }

    /// A store that is gone when it is dropped.  Blocks.
    pub fn temporary(caps: Caps) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io {
            path: std::env::temp_dir(),
            error,
        };
        let directory = tempfile::Builder::new()
            .prefix("regatta-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(failed)?;
        let (mut store, _) = Self::open(directory.path(), caps)?;
        store.temporary = Some(directory);
        Ok(store)
    }
}

/// Takes a lock.  A process that was killed holds its locks a little longer than it answers: that is waited for.
fn take(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..50 {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => a_moment(),
            taken => return taken,
        }
    }
    lock.try_lock()
}

#[expect(
    clippy::disallowed_methods,
    reason = "opening a store blocks, and nobody can tell when another process lets go of a lock"
)]
fn a_moment() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}

/// Deletes the output of jobs that are not in the catalog: a crash came between removing one and deleting its file.
fn forget_strays(dir: &Path, jobs: &[SavedJob]) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let id = path
            .file_stem()
            .and_then(|name| name.to_str()?.parse().ok());
        let is_database = path.extension().is_some_and(|extension| extension == "db");
        if let Some(id) = id
            && is_database
            && jobs.binary_search_by_key(&JobId(id), |job| job.id).is_err()
            && let Err(trouble) = writer::delete(&path)
        {
            tracing::warn!(path = %path.display(), %trouble, "cannot delete a removed job's output");
        }
    }
    Ok(())
}

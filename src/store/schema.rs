//! The files' layouts and their versions, and how they are opened.
//!
//! `user_version` of each file says which layout it has.  An older one is brought up to date step by step, a newer one is
//! refused and left untouched.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// One step from the version before to the next; the first one makes everything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// These statements.
    Change(&'static str),
    /// What was taken out before goes from the file, too: in pages that are free it can still be read.
    Rewrite,
}

/// The catalog: jobs and children.  `state` and `command` are there for people who look at the file; `body` holds what
/// [`super::catalog`] writes down of a child.
pub(super) const CATALOG: &[Step] = &[
    Step::Change("
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL, command TEXT NOT NULL, targets TEXT NOT NULL, spec TEXT NOT NULL,
        state TEXT NOT NULL, fanout INTEGER NOT NULL, paused INTEGER NOT NULL, pinned INTEGER NOT NULL,
        created INTEGER NOT NULL, began INTEGER, ended INTEGER, removed INTEGER
    );
    CREATE TABLE child (id INTEGER PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL);
"),
    // What the operator's environment sent along stood here once; it may be secret, and is in memory only.
    Step::Change("
    UPDATE job SET spec = json_set(spec, '$.options', json((
        SELECT json_group_array(json(value)) FROM json_each(spec, '$.options') WHERE value ->> 0 <> 'env'
    ))) WHERE spec LIKE '%\"env\"%';
"),
    Step::Rewrite,
];

/// A job's output.  `start` counts the bytes of both streams before the block; the other numbers say it for each stream.
pub(super) const OUTPUT: &[Step] = &[
    Step::Change(
        "
    CREATE TABLE block (
        id INTEGER PRIMARY KEY, child INTEGER NOT NULL, start INTEGER NOT NULL,
        out_bytes INTEGER NOT NULL, out_lines INTEGER NOT NULL,
        err_bytes INTEGER NOT NULL, err_lines INTEGER NOT NULL,
        out_bytes_end INTEGER NOT NULL, out_lines_end INTEGER NOT NULL,
        err_bytes_end INTEGER NOT NULL, err_lines_end INTEGER NOT NULL,
        runs BLOB NOT NULL, data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX block_order ON block (child, start);
    CREATE TABLE cut (
        child INTEGER PRIMARY KEY,
        out_bytes INTEGER NOT NULL, out_lines INTEGER NOT NULL,
        err_bytes INTEGER NOT NULL, err_lines INTEGER NOT NULL,
        out_bytes_end INTEGER NOT NULL, out_lines_end INTEGER NOT NULL,
        err_bytes_end INTEGER NOT NULL, err_lines_end INTEGER NOT NULL
    );
",
    ),
    // When the block's first byte came, in milliseconds since the epoch.
    Step::Change("ALTER TABLE block ADD COLUMN at INTEGER"),
];

/// What to select for the time of a block: a file that nobody writes any more keeps its layout.
pub(super) fn time_of_block(db: &Connection) -> rusqlite::Result<&'static str> {
    let layout: i64 = db
        .prepare_cached("PRAGMA user_version")?
        .query_row([], |row| row.get(0))?;
    Ok(if layout < 2 { "NULL" } else { "at" })
}

/// Bytes of a page: SQLite's own choice for small rows; for blocks of output such that one takes few pages and little is
/// left over.
const CATALOG_PAGE: u32 = 4096;
const OUTPUT_PAGE: u32 = 8192;

/// How long to wait for somebody else who looks into a file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Why a file of the store cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing can be written, for want of space or of permission; that can pass.
    Passing(String),
    /// The file is damaged, or no database at all.
    Corrupt(String),
    /// A newer version of regatta made it.
    Newer { found: i64, known: usize },
}

impl Trouble {
    pub(super) fn corrupt(what: &str) -> Self {
        Self::Corrupt(what.to_string())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing(why) | Self::Corrupt(why) => f.write_str(why),
            Self::Newer { found, known } => write!(
                f,
                "a newer regatta wrote it (layout {found}, this one knows {known})"
            ),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
            other => other.to_string(),
        };
        match error.sqlite_error_code() {
            // Without a code, what was read is not what was written.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => {
                Self::Corrupt(text)
            }
            Some(_) => Self::Passing(text),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

/// The catalog, for its one writer: every commit is on the disk when it returns.
pub(super) fn open_catalog(path: &Path) -> Result<Connection, Trouble> {
    let db = open(path, CATALOG, CATALOG_PAGE)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    Ok(db)
}

/// A job's output, for its one writer: a commit outlives this process; a loss of power can take the last of them.
pub(super) fn open_output(path: &Path) -> Result<Connection, Trouble> {
    let db = open(path, OUTPUT, OUTPUT_PAGE)?;
    // Twice the usual: what stays hot, the index, is written back half as often.
    db.pragma_update(None, "wal_autocheckpoint", 2000)?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(db)
}

/// A file for reading, beside its writer.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

/// Whether somebody has a file open, or had when he died: the log beside it goes when the last one closes it well.
pub(super) fn is_in_use(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

fn open(path: &Path, steps: &[Step], page: u32) -> Result<Connection, Trouble> {
    // The files beside it get their mode from it.
    File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY)?;
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = steps.len();
    let at = match usize::try_from(found) {
        Ok(found) if found <= known => found,
        _ => return Err(Trouble::Newer { found, known }),
    };
    // Means something for a file that is still empty only.
    db.pragma_update(None, "page_size", page)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    bring_up_to_date(&mut db, steps, at)?;
    Ok(db)
}

/// Takes the steps from `found` on: what follows on each other in one transaction.
fn bring_up_to_date(db: &mut Connection, steps: &[Step], found: usize) -> rusqlite::Result<()> {
    let mut at = found;
    while at < steps.len() {
        let transaction = db.transaction()?;
        while let Some(step) = steps.get(at) {
            match step {
                Step::Change(statements) => transaction.execute_batch(statements)?,
                Step::Rewrite if found == 0 => {}
                Step::Rewrite => break,
            }
            at += 1;
        }
        transaction.pragma_update(None, "user_version", at as i64)?;
        transaction.commit()?;
        if at < steps.len() {
            // The log is part of the file: what went stands there until it is emptied.
            db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
            at += 1;
            db.pragma_update(None, "user_version", at as i64)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_is_brought_up_to_date_and_a_newer_one_is_not_touched() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.db");
        let old: &[Step] = &[Step::Change(
            "CREATE TABLE word (text TEXT); INSERT INTO word VALUES ('kept')",
        )];
        let new: &[Step] = &[
            old[0],
            Step::Change("ALTER TABLE word ADD COLUMN length INTEGER DEFAULT 4"),
        ];
        drop(open(&path, old, 4096).expect("it is made"));
        let db = open(&path, new, 4096).expect("it is brought up to date");
        let found = db.query_row("SELECT text, length FROM word", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(found.expect("it is there"), ("kept".to_string(), 4));
        drop(db);
        let refused = open(&path, old, 4096).expect_err("it is newer");
        assert_eq!(refused, Trouble::Newer { found: 2, known: 1 });
    }

    #[test]
    fn what_an_environment_sent_along_goes_and_all_else_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("catalog.db");
        let db = open(&path, &CATALOG[..1], CATALOG_PAGE).expect("it is made");
        let insert = |id: i64, spec: &str| {
            db.execute(
                "INSERT INTO job VALUES (?1, '', '', '', ?2, '', 1, 0, 0, 0, NULL, NULL, NULL)",
                (id, spec),
            )
            .expect("a job");
        };
        let with = r#"{"name":null,"options":[["agent","/a b"],["env","LC_X=hush"],["env","B=hush"],["tty","80x24"]],"asking":"Allowed"}"#;
        let without = r#"{"name":"env","options":[["agent","env"]]}"#;
        insert(1, with);
        insert(2, without);
        drop(db);
        let db = open_catalog(&path).expect("it is brought up to date");
        let spec = |id: i64| {
            db.query_row("SELECT spec FROM job WHERE id = ?1", [id], |row| {
                row.get::<_, String>(0)
            })
        };
        let kept =
            r#"{"name":null,"options":[["agent","/a b"],["tty","80x24"]],"asking":"Allowed"}"#;
        assert_eq!(spec(1).as_deref(), Ok(kept));
        assert_eq!(spec(2).as_deref(), Ok(without));
        // Nor in pages that are free now, nor in the log beside the file.
        for entry in std::fs::read_dir(dir.path()).expect("ours") {
            let file = entry.expect("ours").path();
            let text = std::fs::read(&file).expect("ours");
            let hush = text.windows(4).any(|bytes| bytes == b"hush");
            assert!(!hush, "{}", file.display());
        }
    }
}

//! Looks whether the files of a store are sound, beside whoever writes them: nothing is changed and nobody is held up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::schema::{BUSY, CATALOG, OUTPUT};

pub use super::schema::Trouble;

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCheck {
    pub path: PathBuf,
    /// With what is beside it.
    pub bytes: u64,
    /// Which layout it has.
    pub layout: Option<i64>,
    pub trouble: Option<Trouble>,
}

/// The version of SQLite in this program.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Checks every file of the store in `dir`, the catalog first; nothing where there is no store.  Blocks, and reads all of
/// it.
pub fn check(dir: &Path) -> io::Result<Vec<FileCheck>> {
    let catalog = dir.join("catalog.db");
    if !catalog.try_exists()? {
        return Ok(Vec::new());
    }
    let mut checks = vec![check_file(&catalog, CATALOG.len(), "integrity_check")];
    let mut jobs = Vec::new();
    for entry in fs::read_dir(dir.join("jobs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            jobs.push(path);
        }
    }
    jobs.sort();
    for path in jobs {
        // Without a look at each index, which for much output takes many times as long.
        let check = check_file(&path, OUTPUT.len(), "quick_check");
        // A job may be removed at any time.
        if path.try_exists()? {
            checks.push(check);
        }
    }
    Ok(checks)
}

fn check_file(path: &Path, known: usize, check: &str) -> FileCheck {
    let mut layout = None;
    let trouble = sound(path, known, check, &mut layout).err();
    let size = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::metadata(name).map_or(0, |file| file.len())
    };
    FileCheck {
        path: path.to_owned(),
        bytes: ["", "-wal", "-shm"].into_iter().map(size).sum(),
        layout,
        trouble,
    }
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// Somebody may be writing it.
    Writer,
    /// Nobody has it open.  It is not even locked, and nothing is made beside it.
    Nobody,
}

fn sound(path: &Path, known: usize, check: &str, layout: &mut Option<i64>) -> Result<(), Trouble> {
    // Whoever writes has such a file.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let mut beside = if log.try_exists()? {
        Beside::Writer
    } else {
        Beside::Nobody
    };
    loop {
        match examine(path, beside, known, check, layout) {
            // Somebody may have begun to write meanwhile.
            Err(_) if beside == Beside::Nobody && log.try_exists()? => beside = Beside::Writer,
            examined => return examined,
        }
    }
}

fn examine(
    path: &Path,
    beside: Beside,
    known: usize,
    check: &str,
    layout: &mut Option<i64>,
) -> Result<(), Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(uri(path, beside)?, flags)?;
    db.busy_timeout(BUSY)?;
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    *layout = Some(found);
    if usize::try_from(found).is_ok_and(|found| found > known) {
        return Err(Trouble::Newer { found, known });
    }
    let said: String = db.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))?;
    match said.as_str() {
        "ok" => Ok(()),
        // Of several lines the first says where, the next what.
        said => Err(Trouble::corrupt(&said.replace('\n', " "))),
    }
}

/// The file's name as SQLite takes it with parameters (sqlite.org/uri.html).
fn uri(path: &Path, beside: Beside) -> Result<String, Trouble> {
    let name = std::path::absolute(path)?;
    let name = name
        .to_str()
        .ok_or_else(|| Trouble::Passing("its path is not UTF-8".to_string()))?;
    let name = name
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Ok(match beside {
        Beside::Writer => format!("file://{name}"),
        Beside::Nobody => format!("file://{name}?immutable=1"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Caps, Store};
    use super::*;

    #[test]
    fn what_is_damaged_or_newer_is_found_beside_the_writer() {
        let home = tempfile::Builder::new()
            .prefix("odd #?% name")
            .tempdir()
            .expect("a temporary directory");
        assert_eq!(check(home.path()).expect("nothing is there"), []);
        let (store, _) = Store::open(home.path(), Caps::default()).expect("it is made");
        let jobs = home.path().join("jobs");
        for (name, layout) in [("1.db", 1), ("2.db", 99), ("3.db", 1)] {
            let db = Connection::open(jobs.join(name)).expect("ours");
            let text = format!(
                "CREATE TABLE word (text TEXT); INSERT INTO word VALUES (hex(zeroblob(20000))); \
                 PRAGMA user_version = {layout}"
            );
            db.execute_batch(&text).expect("ours");
        }
        let damaged = jobs.join("3.db");
        let mut bytes = fs::read(&damaged).expect("it is there");
        bytes[4096..8192].fill(0xa5);
        fs::write(&damaged, bytes).expect("ours");
        let found = check(home.path()).expect("it can be read");
        let troubles: Vec<_> = found.iter().map(|file| &file.trouble).collect();
        assert!(
            matches!(
                troubles.as_slice(),
                [
                    None,
                    None,
                    Some(Trouble::Newer { found: 99, .. }),
                    Some(Trouble::Corrupt(_))
                ]
            ),
            "{troubles:?}"
        );
        assert!(found.iter().all(|file| file.bytes > 0));
        drop(store);
        let names = || -> BTreeSet<_> {
            let entries = fs::read_dir(&jobs).expect("it is there").flatten();
            entries.map(|entry| entry.file_name()).collect()
        };
        let before = names();
        let again = check(home.path()).expect("it can be read");
        let fine = again.iter().filter(|file| file.trouble.is_none());
        assert_eq!(fine.count(), 2, "{again:?}");
        assert_eq!(names(), before, "nothing is made by looking");
    }
}

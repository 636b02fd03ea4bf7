//! What is on disk: modes, room, the store, the daemon's log.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::Finding;
use crate::daemon::place::{BEGINS, Place};
use crate::daemon::store_check::{self, FileCheck};
use crate::view::span;

/// With less room than this, it is time to look for some ...
const LITTLE: u64 = 1 << 30;

/// ... and with less than this, output is about to be lost.
const TOO_LITTLE: u64 = 64 << 20;

/// A log that is larger than this has not been looked at for long.
const LARGE_LOG: u64 = 100 << 20;

/// How much of the log's end is read.
const LOG_END: u64 = 64 << 10;

/// How many of its warnings are shown.
const WARNINGS: usize = 3;

/// Whether the directories and what is in them are the user's alone.
pub(super) fn directories(place: &Place) -> Vec<Finding> {
    let jobs = place.state().join("jobs");
    vec![
        private("state", &[place.state(), &jobs]),
        private("runtime", &[place.dir()]),
    ]
}

fn private(check: &'static str, directories: &[&Path]) -> Finding {
    let first = directories[0].display();
    if !directories[0].exists() {
        return Finding::fine(check, format!("{first} is not there yet"));
    }
    let mut open = Vec::new();
    let mut foreign = Vec::new();
    let mut unseen = Vec::new();
    let mut judge = |path: &Path, meta: io::Result<Metadata>| match meta {
        Ok(meta) if meta.uid() != rustix::process::geteuid().as_raw() => {
            foreign.push(path.to_owned());
        }
        Ok(meta) if meta.mode() & 0o077 != 0 && !meta.file_type().is_symlink() => {
            open.push(path.to_owned());
        }
        Ok(_) => {}
        // A job may be removed at any time.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => unseen.push(format!("{}: {error}", path.display())),
    };
    for directory in directories {
        judge(directory, fs::symlink_metadata(directory));
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            judge(&entry.path(), entry.metadata());
        }
    }
    if !foreign.is_empty() {
        let text = format!("{} belongs to somebody else", names(&foreign));
        return Finding::bad(check, text).hint(format!(
            "`chown` it, or move it away: {first} has to be yours alone"
        ));
    }
    if !open.is_empty() {
        return Finding::bad(check, format!("{} is open to others", names(&open)))
            .hint(format!("`chmod -R go= {first}`"));
    }
    if !unseen.is_empty() {
        return Finding::bad(check, unseen.join(", ")).hint("make it yours");
    }
    Finding::fine(check, format!("{first} and what is in it is yours alone"))
}

/// The first of them, and how many there are.
fn names(paths: &[PathBuf]) -> String {
    match paths {
        [] => String::new(),
        [one] => one.display().to_string(),
        [first, rest @ ..] => format!("{} (and {} more)", first.display(), rest.len()),
    }
}

/// Directories that cannot be written now, whether or not anybody has tried.
pub(super) fn unwritable(place: &Place) -> Vec<Finding> {
    let jobs = place.state().join("jobs");
    let directories = [place.state(), &jobs, place.dir()];
    let refused = |path: &&Path| {
        let error = rustix::fs::access(*path, Access::WRITE_OK | Access::EXEC_OK).err()?;
        // What is not there yet is made when it is needed.
        (error != Errno::NOENT).then(|| {
            Finding::bad(
                "writing",
                format!(
                    "{} cannot be written: {}",
                    path.display(),
                    io::Error::from(error)
                ),
            )
            .hint("make it writable: look at its mode and how it is mounted")
        })
    };
    directories.iter().filter_map(refused).collect()
}

/// Room for output.
pub(super) fn space(place: &Place) -> Option<Finding> {
    let existing = place.state().ancestors().find(|path| path.exists())?;
    let name = existing.display();
    let found = match rustix::fs::statvfs(existing) {
        Ok(found) => found,
        Err(error) => return Some(Finding::note("space", format!("{name}: {error}"))),
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let text = format!("{} free in {name}", span::bytes(free));
    let hint = "make room, or remove jobs (`regatta remove`)";
    // Some file systems have no fixed number of files, and say 0 of 0.
    Some(if found.f_files > 0 && found.f_favail == 0 {
        Finding::bad("space", format!("no more files can be made in {name}")).hint(hint)
    } else if free < TOO_LITTLE {
        Finding::bad("space", text).hint(hint)
    } else if free < LITTLE {
        Finding::note("space", text).hint(hint)
    } else {
        Finding::fine("space", text)
    })
}

/// Whether what outlives the daemon can be read.
pub(super) fn store(place: &Place) -> Vec<Finding> {
    const CHECK: &str = "store";
    let state = place.state();
    let files = match store_check::check(state) {
        Ok(files) => files,
        Err(error) => {
            return vec![
                Finding::bad(CHECK, format!("{}: {error}", state.display()))
                    .hint("make the directory yours and readable"),
            ];
        }
    };
    let Some(catalog) = files.first() else {
        return vec![Finding::fine(CHECK, "there are no jobs yet")];
    };
    let bad: Vec<Finding> = files.iter().filter_map(damage).collect();
    if !bad.is_empty() {
        return bad;
    }
    let bytes = files.iter().map(|file| file.bytes).sum();
    vec![Finding::fine(
        CHECK,
        format!(
            "layout {}, the catalog is sound and so is all output (files: {}), {} in all",
            catalog.layout.unwrap_or_default(),
            files.len() - 1,
            span::bytes(bytes)
        ),
    )]
}

fn damage(file: &FileCheck) -> Option<Finding> {
    use store_check::Trouble;
    let trouble = file.trouble.as_ref()?;
    let path = file.path.display();
    let finding = Finding::bad("store", format!("{path}: {trouble}"));
    let job = file.path.file_stem().and_then(|name| name.to_str());
    let job = job.filter(|name| name.parse::<u64>().is_ok());
    Some(finding.hint(match (trouble, job) {
        (Trouble::Newer { .. }, _) => "use that version, or another XDG_STATE_HOME".to_string(),
        (Trouble::Passing(_), _) => "look at its mode and owner, and try again".to_string(),
        (Trouble::Corrupt(_), Some(job)) => {
            format!("`regatta receive --all {job}` saves what can be read, `regatta remove {job}` removes it")
        }
        (Trouble::Corrupt(_), None) => {
            format!("`regatta daemon stop`, then move {path} away; the jobs in it are lost then")
        }
    }))
}

/// The daemon's log, and what it warned of last.
pub(super) fn log(place: &Place) -> Option<Finding> {
    const CHECK: &str = "log";
    let path = place.log();
    let (bytes, end) = match end_of(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Finding::note(CHECK, format!("{}: {error}", path.display()))),
    };
    let text = format!("{} of {}", span::bytes(bytes), path.display());
    // Time, level, target, message, as the daemon's subscriber writes them.
    let is_warning = |line: &&str| {
        let level = line.split_whitespace().nth(1);
        matches!(level, Some("WARN" | "ERROR"))
    };
    // Those of the daemon that wrote last, which is the one that runs if one does.
    let begins = |line: &str| {
        let message = line.split_once(": ").map(|(_, message)| message);
        message.is_some_and(|message| message.starts_with(BEGINS))
    };
    let lines: Vec<&str> = end.lines().collect();
    let since = lines.iter().rposition(|line| begins(line)).unwrap_or(0);
    let warnings: Vec<&str> = lines[since..].iter().copied().filter(is_warning).collect();
    let last = &warnings[warnings.len().saturating_sub(WARNINGS)..];
    Some(if bytes > LARGE_LOG {
        Finding::note(CHECK, text).hint("it can be emptied at any time: `: > FILE`")
    } else if last.is_empty() {
        Finding::fine(CHECK, text)
    } else {
        let last = last.join(" | ");
        Finding::note(CHECK, format!("{text}; the last warnings: {last}"))
    })
}

/// A file's size, and the last of it as text.
fn end_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(LOG_END)))?;
    let mut end = Vec::new();
    file.take(LOG_END).read_to_end(&mut end)?;
    Ok((bytes, String::from_utf8_lossy(&end).into_owned()))
}

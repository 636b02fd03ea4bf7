//! The file that history is kept in: one line each, added at its end, so that several consoles lose nothing to each other.
//!
//! Backslashes and control characters are escaped, so that a line is a line.  What cannot be read as one is passed over.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::history::KEPT;
use crate::tui::remembered::make_directory;

/// Bytes at the file's end that are read.
const READ: u64 = 4 << 20;

/// Lines in the file that make it worth cutting down to what is kept.
const CROWDED: usize = 2 * KEPT;

/// The lines in the file, oldest first; none if there is no such file.
pub(super) fn read(path: &Path) -> Vec<String> {
    let bytes = File::open(path).and_then(|mut file| {
        flock(&file, FlockOperation::LockShared)?;
        read_end(&mut file)
    });
    let bytes = bytes.unwrap_or_default();
    let lines = lines(&bytes);
    let surplus = lines.len().saturating_sub(KEPT);
    lines[surplus..].iter().map(|line| unescape(line)).collect()
}

/// Adds a line.  A file that has grown too long is cut down at its beginning, under the same lock.
pub(super) fn append(path: &Path, line: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    let mut entry = escape(line);
    entry.push('\n');
    file.write_all(entry.as_bytes())?;
    let bytes = read_end(&mut file)?;
    let lines = lines(&bytes);
    if lines.len() > CROWDED {
        // In place, not by another file: whoever waits for the lock has this one open.  And shortened last, so that a full
        // disk costs nothing.
        let mut kept = lines[lines.len() - KEPT..].join("\n");
        kept.push('\n');
        let mut whole = OpenOptions::new().write(true).open(path)?;
        whole.write_all(kept.as_bytes())?;
        whole.set_len(kept.len() as u64)?;
    }
    Ok(())
}

fn read_end(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(READ)))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What of this is a line of text.
fn lines(bytes: &[u8]) -> Vec<&str> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| !line.is_empty())
        .collect()
}

fn escape(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// What was written is read again; anything else is left as it stands.
fn unescape(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escaped = rest.strip_prefix("\\u{").and_then(|tail| {
            let (code, tail) = tail.split_once('}')?;
            let c = u32::from_str_radix(code, 16)
                .ok()
                .and_then(char::from_u32)?;
            Some((c, tail))
        });
        let (c, tail) = match (escaped, rest.strip_prefix("\\\\")) {
            (Some(found), _) => found,
            (None, Some(tail)) => ('\\', tail),
            (None, None) => ('\\', &rest[1..]),
        };
        out.push(c);
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_read_as_they_were_added_by_whoever_added_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state").join("history");
        assert_eq!(read(&path), Vec::<String>::new());
        thread::scope(|scope| {
            for console in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..50 {
                        append(path, &format!("console {console} line {n}\nrest \\n \u{7}"))
                            .expect("room");
                    }
                });
            }
        });
        let lines = read(&path);
        assert_eq!(lines.len(), 200);
        for console in 0..4 {
            for n in 0..50 {
                let line = format!("console {console} line {n}\nrest \\n \u{7}");
                assert!(lines.contains(&line), "{line:?}");
            }
        }
        let mode = std::fs::metadata(&path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_has_grown_too_long_is_cut_down() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history");
        let many: String = (0..CROWDED).map(|n| format!("run {n}\n")).collect();
        std::fs::write(&path, many).expect("a file");
        append(&path, "the last").expect("room");
        let lines = read(&path);
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines.last().map(String::as_str), Some("the last"));
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(text.lines().count(), KEPT);
    }

    #[test]
    fn a_broken_file_gives_what_can_be_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history");
        std::fs::write(&path, b"jobs\n\xff\xfe\0\n\n\\u{zz} \\x \\\nstop 7").expect("a file");
        assert_eq!(read(&path), ["jobs", "\\u{zz} \\x \\", "stop 7"]);
        assert_eq!(read(directory.path()), Vec::<String>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_was_escaped_is_read_again(line in any::<String>()) {
            let escaped = escape(&line);
            prop_assert!(!escaped.contains(char::is_control));
            prop_assert_eq!(unescape(&escaped), line);
        }
    }
}

//! The audit log: who had what done on which hosts, and what came of it.
//!
//! One JSON object a line, in `audit.jsonl` of the state directory, only ever appended to.  One thread writes; whoever notes
//! something waits until it is written, so that what was acknowledged is in the log.  A disk that takes nothing stops
//! nobody: the operator is told, and a line says later how many entries are missing.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Zoned;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Entries that wait to be written before those who note them have to wait for a place.
const QUEUE: usize = 256;

/// How often a log that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// A handle on the log; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Audit(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    queue: mpsc::Sender<Message>,
    trouble: watch::Receiver<Option<String>>,
    user: String,
    span: Span,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// How long the jobs live that the log tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// They outlive the commands that start them, and their ids are never used again.
    Lasting,
    /// They end with the process, and their ids mean nothing to the next one.
    Passing,
}

enum Message {
    /// A line, and who waits until it is written.
    Entry(String, oneshot::Sender<()>),
    End,
}

/// Who asks for something, as far as the system knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// The terminal it was typed on.
    tty: Option<String>,
    /// The address somebody logged in from.
    from: Option<String>,
    /// The user behind sudo(8).
    sudo: Option<String>,
}

impl Who {
    /// The user at the process `pid`; where the system does not say, only that it is our user.
    pub(super) fn at(pid: Option<u32>) -> Self {
        let Some(pid) = pid else {
            return Self::default();
        };
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let tty = ["fd/0", "fd/2", "fd/1"].into_iter().find_map(|fd| {
            let link = fs::read_link(proc.join(fd)).ok()?;
            let name = link.to_str()?.strip_prefix("/dev/")?;
            let is_terminal = name.starts_with("pts/") || name.starts_with("tty");
            is_terminal.then(|| name.to_string())
        });
        let environment = fs::read(proc.join("environ")).unwrap_or_default();
        let variable = |name: &str| {
            let mut all = environment.split(|byte| *byte == 0);
            let value = all.find_map(|entry| {
                let entry = std::str::from_utf8(entry).ok()?;
                entry.strip_prefix(name)?.strip_prefix('=')
            });
            value.filter(|value| !value.is_empty()).map(str::to_string)
        };
        Self {
            tty,
            // ssh(1): address and port of the client, address and port of the server.
            from: variable("SSH_CONNECTION")
                .and_then(|text| text.split(' ').next().map(str::to_string)),
            sudo: variable("SUDO_USER"),
        }
    }
}

impl Audit {
    /// A log that keeps nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The log in the file `path` of `user`, which is made with the first entry.
    pub(super) fn in_file(path: PathBuf, user: String, span: Span) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let (said, trouble) = watch::channel(None);
        let file = LogFile {
            path,
            missing: 0,
            trouble: said,
        };
        let writer = tokio::task::spawn_blocking(move || file.write_all(messages));
        Self(Some(Arc::new(Open {
            queue,
            trouble,
            user,
            span,
            writer: Mutex::new(Some(writer)),
        })))
    }

    /// Whether anything is kept.
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Why the log cannot be written at the moment.
    pub(super) fn trouble(&self) -> Option<watch::Receiver<Option<String>>> {
        self.0.as_ref().map(|open| open.trouble.clone())
    }

    /// Notes that `who` had `what` done; `details` are the entry's other keys.  Returns once it is written, or could not
    /// be.
    pub(super) async fn note(&self, who: &Who, what: &str, details: Value) {
        let Some(open) = &self.0 else {
            return;
        };
        let mut entry = entry(what);
        entry.insert(
            "who".to_string(),
            json!({
                "uid": rustix::process::geteuid().as_raw(),
                "user": open.user,
                "tty": who.tty,
                "from": who.from,
                "sudo": who.sudo,
            }),
        );
        if let Value::Object(details) = details {
            entry.extend(details);
        }
        if open.span == Span::Passing {
            entry.insert("no_daemon".to_string(), true.into());
        }
        let (written, done) = oneshot::channel();
        let message = Message::Entry(Value::Object(entry).to_string(), written);
        // Both fail only once the log is closed, with the process about to end.
        if open.queue.send(message).await.is_ok() {
            _ = done.await;
        }
    }

    /// Writes what was noted so far, and ends the writer.
    pub(super) async fn close(&self) {
        let Some(open) = &self.0 else {
            return;
        };
        _ = open.queue.send(Message::End).await;
        let writer = open
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            _ = writer.await;
        }
    }
}

/// What every entry begins with.
fn entry(what: &str) -> Map<String, Value> {
    let time = Zoned::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string();
    let mut entry = Map::new();
    entry.insert("time".to_string(), time.into());
    entry.insert("what".to_string(), what.into());
    entry
}

/// The file, for its one writer in this process.  Others may append to it at the same time.
struct LogFile {
    path: PathBuf,
    /// Entries that could not be written.
    missing: u64,
    trouble: watch::Sender<Option<String>>,
}

impl LogFile {
    fn write_all(mut self, mut messages: mpsc::Receiver<Message>) {
        let runtime = Handle::current();
        loop {
            let next = if self.missing == 0 {
                Ok(messages.blocking_recv())
            } else {
                // That it can be written again is worth knowing although nothing is to be written.
                runtime.block_on(async { timeout(RETRY, messages.recv()).await })
            };
            match next {
                Ok(Some(Message::Entry(line, written))) => {
                    self.write(Some(&line));
                    // Whoever noted it may have gone.
                    _ = written.send(());
                }
                Ok(Some(Message::End) | None) => break,
                Err(_) => self.write(None),
            }
        }
        if self.missing > 0 {
            self.write(None);
        }
    }

    /// Writes how many entries are missing, if any are, and a new one.
    fn write(&mut self, line: Option<&str>) {
        let mut lines = Vec::new();
        if self.missing > 0 {
            let mut gap = entry("gap");
            gap.insert("missing".to_string(), self.missing.into());
            lines.push(Value::Object(gap).to_string());
        }
        lines.extend(line.map(str::to_string));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        match append(&self.path, text) {
            Ok(()) => {
                self.missing = 0;
                self.trouble
                    .send_if_modified(|trouble| trouble.take().is_some());
            }
            Err(error) => {
                self.missing += u64::from(line.is_some());
                let path = self.path.display();
                self.trouble.send_if_modified(|trouble| {
                    let fresh = trouble.is_none();
                    if fresh {
                        tracing::warn!(%error, %path, "the audit log cannot be written");
                        *trouble = Some(format!("{path}: {error}"));
                    }
                    fresh
                });
            }
        }
    }
}

/// Appends whole lines in one piece.  The file is opened each time, so that it can be moved away and deleted meanwhile.
fn append(path: &Path, mut text: String) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let mut file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    // The end of a line that was cut off by a full disk would spoil this one too.
    let mut last = [b'\n'];
    if let Some(at) = file.metadata()?.len().checked_sub(1) {
        file.read_at(&mut last, at)?;
    }
    if last != *b"\n" {
        text.insert(0, '\n');
    }
    match file.write(text.as_bytes())? {
        all if all == text.len() => Ok(()),
        _ => Err(io::ErrorKind::StorageFull.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for<T>(work: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build();
        runtime.expect("a runtime").block_on(work)
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).expect("it is there");
        let parse = |line: &str| serde_json::from_str(line).unwrap_or(Value::Null);
        text.lines().map(parse).collect()
    }

    #[test]
    fn entries_come_in_order_and_a_disk_that_takes_nothing_is_told() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().join("state/audit.jsonl");
        wait_for(async {
            // A file where the directory should be.
            fs::write(home.path().join("state"), "").expect("ours");
            let audit = Audit::in_file(path.clone(), "ops".to_string(), Span::Lasting);
            let trouble = audit.trouble().expect("it is kept");
            for _ in 0..2 {
                audit.note(&Who::default(), "run", json!({"job": 1})).await;
            }
            assert!(trouble.borrow().is_some());
            fs::remove_file(home.path().join("state")).expect("ours");
            // Nobody has to note something for that to be noticed.
            let mut over = trouble.clone();
            let over = over.wait_for(Option::is_none).await.map(|_| ());
            over.expect("it is still open");
            audit.note(&Who::default(), "run", json!({"job": 2})).await;
            assert_eq!(*trouble.borrow(), None);
            audit.note(&Who::default(), "stop", json!({"job": 2})).await;
            audit.close().await;
        });
        let found: Vec<(Value, Value)> = lines(&path)
            .into_iter()
            .map(|line| (line["what"].clone(), line["missing"].clone()))
            .collect();
        let none = Value::Null;
        assert_eq!(
            found,
            [
                ("gap".into(), 2.into()),
                ("run".into(), none.clone()),
                ("stop".into(), none)
            ]
        );
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().join("audit.jsonl");
        fs::write(&path, "{\"time\":").expect("ours");
        append(&path, "{}\n".to_string()).expect("it is appended");
        append(&path, "{}\n".to_string()).expect("it is appended");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "{\"time\":\n{}\n{}\n");
    }
}

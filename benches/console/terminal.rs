//! The program on a pseudo-terminal, with the time at which each of its pictures was there.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::daemon::Daemon;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;

/// How a picture ends: with the end of a synchronised update.
const PICTURE: &[u8] = b"\x1b[?2026l";

/// For what must come, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    shown: mpsc::Receiver<(Instant, Vec<u8>)>,
    rest: Vec<u8>,
    emulator: vt100::Parser,
}

impl Terminal {
    pub(crate) fn open(daemon: &Daemon) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("its other end");
        unlockpt(&master).expect("its other end");
        let size = Winsize {
            ws_col: COLUMNS,
            ws_row: ROWS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a terminal has a size");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let name = name.into_string().expect("a UTF-8 name");
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_regatta")]);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        command
            .env("HOME", daemon.dir())
            .env("XDG_RUNTIME_DIR", daemon.dir());
        let open = || -> Stdio {
            // The bench has no terminal of its own to lose to it: setsid takes it.
            File::options()
                .read(true)
                .write(true)
                .open(&name)
                .expect("its other end")
                .into()
        };
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("the program starts");
        drop(command);
        let keyboard = File::from(master);
        let mut tube = keyboard.try_clone().expect("a second handle");
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut piece = vec![0; 64 << 10];
            while let Ok(length @ 1..) = tube.read(&mut piece) {
                if sender
                    .send((Instant::now(), piece[..length].to_vec()))
                    .is_err()
                {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            shown,
            rest: Vec::new(),
            emulator: vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0),
        }
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    pub(crate) fn contents(&self) -> String {
        self.emulator.screen().contents()
    }

    pub(crate) fn write(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Waits for a picture that is like this, and says when it was there.
    pub(crate) fn until(&mut self, what: &str, like: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let mut at = Instant::now();
        if like(self.emulator.screen()) {
            return at;
        }
        loop {
            while let Some(end) = position(&self.rest, PICTURE) {
                let picture: Vec<u8> = self.rest.drain(..end + PICTURE.len()).collect();
                self.emulator.process(&picture);
                if like(self.emulator.screen()) {
                    return at;
                }
            }
            let Ok((time, bytes)) = self.shown.recv_timeout(PATIENCE) else {
                panic!("in vain: {what}\n{}", self.contents());
            };
            at = time;
            self.rest.extend(bytes);
        }
    }

    /// From a key to a picture that is like this.
    pub(crate) fn key(
        &mut self,
        key: &str,
        what: &str,
        like: impl Fn(&vt100::Screen) -> bool,
    ) -> Duration {
        let begun = Instant::now();
        self.write(key);
        self.until(what, like).saturating_duration_since(begun)
    }

    /// From a key to a picture with the cursor elsewhere.
    pub(crate) fn cursor(&mut self, key: &str) -> Duration {
        let before = cursor(self.emulator.screen());
        self.key(key, "the cursor elsewhere", |screen| {
            cursor(screen) != before
        })
    }

    /// From a key to the next picture.
    pub(crate) fn anything(&mut self, key: &str) -> Duration {
        let begun = Instant::now();
        self.write(key);
        let first = std::cell::Cell::new(true);
        let at = self.until("a picture", |_| !first.replace(false));
        at.saturating_duration_since(begun)
    }
}

/// The row in reverse video below the title.
fn cursor(screen: &vt100::Screen) -> Option<u16> {
    (1..ROWS).find(|&row| screen.cell(row, 8).is_some_and(vt100::Cell::inverse))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// A process as proc(5) shows it.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

pub(crate) struct Status(String);

impl Process {
    pub(crate) fn cpu(self) -> Duration {
        // In nanoseconds, where `stat` has hundredths of a second.
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).expect("it lives");
        let spent = threads.flatten().map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ')
                .next()
                .and_then(|first| first.parse().ok())
                .unwrap_or(0)
        });
        Duration::from_nanos(spent.sum())
    }

    pub(crate) fn peak_mb(self) -> f64 {
        let status =
            Status(fs::read_to_string(format!("/proc/{}/status", self.0)).expect("it lives"));
        status.number("VmHWM:") as f64 / 1024.0
    }

    pub(crate) fn threads(self) -> impl Iterator<Item = Status> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).expect("it lives");
        threads.flatten().map(|thread| {
            Status(fs::read_to_string(thread.path().join("status")).unwrap_or_default())
        })
    }
}

impl Status {
    pub(crate) fn number(&self, name: &str) -> u64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    }
}

pub(crate) fn until(what: &str, mut it: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !it() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("some cells")
}

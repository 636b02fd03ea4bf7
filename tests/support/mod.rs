//! What the tests of the real binary share: a home of their own for each test, runs with a deadline, and a guard that
//! leaves no process behind.
//!
//! Every process of a test carries `REGATTA_TEST=<mark>` in its environment, so that what is left of it can be found.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod pty;

use std::fs::{self, DirBuilder};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// No step of any test takes longer; whoever waits longer waits in vain.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One test's home directory, runtime directory and daemon.
pub struct Home {
    dir: tempfile::TempDir,
    mark: String,
}

impl Home {
    pub fn new() -> Self {
        static HOMES: AtomicU32 = AtomicU32::new(0);
        let number = HOMES.fetch_add(1, Ordering::Relaxed);
        let home = Self {
            // Short, because a socket's path is.
            dir: tempfile::Builder::new()
                .prefix("rg")
                .tempdir()
                .expect("a temporary directory"),
            mark: format!("{}-{number}", std::process::id()),
        };
        for name in ["home", "run"] {
            DirBuilder::new()
                .mode(0o700)
                .create(home.path(name))
                .expect("a directory");
        }
        home
    }

    /// A path in this test's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The daemon's directory.
    pub fn runtime(&self) -> PathBuf {
        self.path("run/regatta")
    }

    pub fn socket(&self) -> PathBuf {
        self.runtime().join("socket")
    }

    /// Writes a file and says where it is.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("a file is written");
        path.to_str().expect("a UTF-8 path").to_string()
    }

    /// `program` in this test's environment and in no other.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
            )
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("SHELL", "/bin/sh")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm")
            .env("REGATTA_TEST", &self.mark)
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        if let Some(run) = std::env::var_os("REGATTA_TEST_RUN") {
            command.env("REGATTA_TEST_RUN", run);
        }
        command
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_regatta"));
        command.args(arguments);
        command
    }

    /// Runs regatta to its end.
    pub fn regatta(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).finish()
    }

    /// Starts regatta with pipes for its output.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::spawn(self.command(arguments))
    }

    /// Starts a job on this computer in the background; its id.
    pub fn job(&self, line: &str) -> u64 {
        self.job_with(&[], line)
    }

    /// The same, with options.
    pub fn job_with(&self, options: &[&str], line: &str) -> u64 {
        let arguments = [&["run", "--local"], options, &["--", line]].concat();
        self.regatta(&arguments)
            .exits(0)
            .out()
            .trim()
            .parse()
            .expect("run prints the id")
    }

    /// The same, once it has settled.
    pub fn finished_job(&self, line: &str) -> u64 {
        let job = self.job(line);
        let ran = self.regatta(&["wait", &job.to_string()]);
        assert!(matches!(ran.code(), Some(0 | 1)), "{ran:?}");
        job
    }

    /// What `jobs --json` says with these arguments.
    pub fn jobs(&self, arguments: &[&str]) -> Value {
        self.regatta(&[&["jobs", "--json"], arguments].concat())
            .exits(0)
            .json()
    }

    /// One job as `jobs --json` shows it, children included.
    pub fn job_now(&self, job: u64) -> Value {
        self.jobs(&[&job.to_string()])[0].clone()
    }

    /// A job's only child.
    pub fn child_now(&self, job: u64) -> Value {
        self.job_now(job)["children"][0].clone()
    }

    pub fn until_state(&self, job: u64, state: &str) {
        until(&format!("job {job} is {state}"), || {
            self.job_now(job)["state"] == state
        });
    }

    /// Waits until a job's command has written at least this much.
    pub fn until_output(&self, job: u64, bytes: u64) {
        until(&format!("job {job} has written {bytes} bytes"), || {
            let out = self.child_now(job)["bytes"]["out"].as_u64();
            out.is_some_and(|out| out >= bytes)
        });
    }

    pub fn status(&self) -> Value {
        self.regatta(&["daemon", "status", "--json"])
            .exits(0)
            .json()
    }

    pub fn daemon_pid(&self) -> u32 {
        self.status()["pid"]
            .as_u64()
            .and_then(|pid| pid.try_into().ok())
            .expect("a pid")
    }

    /// Live processes of this test: `(pid, environment)`.
    fn processes(&self) -> Vec<(u32, Vec<u8>)> {
        let mark = format!("REGATTA_TEST={}\0", self.mark);
        processes_with(mark.as_bytes())
    }

    /// Live processes of this test's daemons.
    pub fn daemons(&self) -> Vec<u32> {
        let all = self.processes().into_iter().map(|(pid, _)| pid);
        all.filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            contains(&line, b"daemon\0run")
        })
        .collect()
    }

    /// Live processes that a job started.
    pub fn alive(&self, job: u64) -> Vec<u32> {
        let mark = format!("REGATTA_JOB={job}\0");
        let ours = self.processes().into_iter();
        ours.filter(|(_, environment)| contains(environment, mark.as_bytes()))
            .map(|(pid, _)| pid)
            .collect()
    }

    fn kill_everything(&self) {
        let deadline = now() + Duration::from_secs(10);
        while now() < deadline {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for (pid, _) in left {
                kill(pid, Signal::KILL);
            }
            a_moment();
        }
    }
}

/// A daemon that is told to end leaves nothing running: every test checks that by the way.
impl Drop for Home {
    fn drop(&mut self) {
        if thread::panicking() {
            return self.kill_everything();
        }
        let mut stop = self.command(&["daemon", "stop", "--force"]);
        let stopped = stop
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Running::of);
        _ = stopped.map(Running::finish);
        let deadline = now() + Duration::from_secs(20);
        while !self.processes().is_empty() && now() < deadline {
            a_moment();
        }
        let left: Vec<String> = self
            .processes()
            .iter()
            .map(|(pid, _)| describe(*pid))
            .collect();
        self.kill_everything();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

fn describe(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!(
        "{pid} {}",
        String::from_utf8_lossy(&line).replace('\0', " ")
    )
}

/// Live processes with `mark` in their environment, and that environment.
fn processes_with(mark: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let all = fs::read_dir("/proc").expect("these tests need /proc");
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id())
        .filter_map(|pid| Some((pid, fs::read(format!("/proc/{pid}/environ")).ok()?)))
        .filter(|(_, environment)| contains(environment, mark))
        .collect()
}

pub fn kill(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may be gone already, which is what was wanted.
        _ = kill_process(pid, signal);
    }
}

pub fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Returns when `condition` holds, which it must before long.
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(comes(condition), "in vain: {what}");
}

/// Waits until `condition` holds; whether it ever did.
pub fn comes(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = now() + PATIENCE;
    while !condition() {
        if now() >= deadline {
            return false;
        }
        a_moment();
    }
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "the deadline of a test is real time"
)]
fn now() -> Instant {
    Instant::now()
}

/// Between two looks at something that cannot be waited for.
#[expect(
    clippy::disallowed_methods,
    reason = "the state of other processes can only be looked at again"
)]
pub fn a_moment() {
    thread::sleep(Duration::from_millis(10));
}

/// How long `work` took, and what came of it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let result = work();
    (result, now() - start)
}

/// A program under way, its output being read.  Dropping it kills it.
pub struct Running {
    child: Option<Child>,
    pid: u32,
    what: String,
    out: Option<thread::JoinHandle<Vec<u8>>>,
    err: Option<thread::JoinHandle<Vec<u8>>>,
}

impl Running {
    pub fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = format!("{command:?}");
        let mut running = Self::of(command.spawn().expect("the program starts"));
        running.what = what;
        running
    }

    /// A program that was started elsewhere; pipes that are still there are read.
    pub fn of(mut child: Child) -> Self {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Self {
            pid: child.id(),
            what: String::new(),
            out: out.map(|pipe| thread::spawn(move || read_all(pipe))),
            err: err.map(|pipe| thread::spawn(move || read_all(pipe))),
            child: Some(child),
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal);
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        let child = self.child.as_mut().expect("there until it is finished");
        child.try_wait().expect("it is our child").is_none()
    }

    /// Waits for its end; a program that takes too long is killed, and the test fails.
    pub fn finish(mut self) -> Ran {
        let mut child = self.child.take().expect("finished once");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait()));
        let Ok(status) = receiver.recv_timeout(PATIENCE) else {
            kill(self.pid, Signal::KILL);
            panic!("it does not end: {}", self.what);
        };
        let read = |pipe: Option<thread::JoinHandle<Vec<u8>>>| {
            pipe.map_or_else(Vec::new, |reader| {
                reader.join().expect("the reader does not panic")
            })
        };
        Ran {
            what: std::mem::take(&mut self.what),
            status: status.expect("it is our child"),
            stdout: read(self.out.take()),
            stderr: read(self.err.take()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut data = Vec::new();
    // What came before an error is worth showing too.
    _ = pipe.read_to_end(&mut data);
    data
}

/// A program that has ended.
pub struct Ran {
    what: String,
    status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Ran {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{self:?}");
        self
    }

    /// Standard error has all of these in it, and nothing that only a defect prints.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        let text = self.err();
        for part in parts {
            assert!(text.contains(part), "{part:?} is missing: {self:?}");
        }
        for defect in [
            "panicked",
            "RUST_BACKTRACE",
            "internal error",
            "out of turn",
        ] {
            assert!(!text.contains(defect), "{self:?}");
        }
        self
    }

    #[track_caller]
    pub fn prints(self, out: &str) -> Self {
        assert_eq!(self.out(), out, "{self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// One JSON value a line.
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
        };
        self.out().lines().map(parse).collect()
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start =
            |data: &[u8]| String::from_utf8_lossy(&data[..data.len().min(4_000)]).into_owned();
        write!(
            f,
            "{}\n{}\n--- stdout, {} bytes\n{}\n--- stderr\n{}",
            self.what,
            self.status,
            self.stdout.len(),
            start(&self.stdout),
            start(&self.stderr)
        )
    }
}

/// Says aloud that a test cannot run here, and why.  `tests/run` collects these lines, and in CI they are failures.
#[expect(clippy::print_stdout, reason = "tests/run reads it there")]
pub fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// Whether a program is installed.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|directory: PathBuf| Path::new(&directory).join(program).is_file())
}

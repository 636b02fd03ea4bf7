//! Stops in every shape a command can have: afterwards nothing of it is left, or the reason says what is.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::console::{Console, came_to};
use crate::support::{contains, installed, skipped, until};

/// One shape.
#[derive(Clone, Copy)]
struct Shape {
    what: &'static str,
    /// Where, and as whom.
    on: Where,
    /// Says `ready`, and behind it the processes that will escape, if any.
    line: &'static str,
    stop: How,
    left: Left,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Plain,
    /// A login that is not root.
    Other,
    /// As that, and by sudo as root.
    Sudo,
    Terminal,
    SudoTerminal,
    /// A host whose login shell, and whose `sh`, is this.
    Shell(&'static str),
    /// A host with neither `ps` nor `setsid`.
    Bare,
    /// One without `grep` besides.
    Blind,
    /// One that has nothing but busybox, with all that this has or with the least of it.
    Busybox,
    LeastBusybox,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Stop,
    /// Two at the same time.
    Twice,
    Kill,
    /// When it has been suspended.
    Suspended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// What the command named, and the reason names.
    Escaped,
    /// That cannot be told, and why.
    Unproved(&'static str),
}

const fn shape(what: &'static str, on: Where, line: &'static str) -> Shape {
    Shape {
        what,
        on,
        line,
        stop: How::Stop,
        left: Left::Nothing,
    }
}

const fn stopped(stop: How, shape: Shape) -> Shape {
    Shape { stop, ..shape }
}

const fn leaving(left: Left, shape: Shape) -> Shape {
    Shape { left, ..shape }
}

const PLAIN: &str = "echo ready; exec sleep 1000";
const CHILD: &str = "sleep 1000 & echo ready; wait";
const TRAPPER: &str = "trap '' TERM INT HUP; echo ready; while :; do sleep 0.2; done";
const GRANDCHILD: &str =
    "sh -c 'trap \"\" TERM HUP; echo ready; while :; do sleep 0.2; done' & wait";
/// The one that escapes says who it is once it has.
const ESCAPEE: &str = "setsid sh -c 'echo ready $$; exec sleep 1000 >/dev/null 2>&1' & sleep 1000";

const SHAPES: [Shape; 46] = [
    shape("one process", Where::Plain, PLAIN),
    shape("a child in the background", Where::Plain, CHILD),
    shape("a TERM-trapper", Where::Plain, TRAPPER),
    shape(
        "a trap that tidies up",
        Where::Plain,
        "trap 'sleep 0.1; exit 0' TERM; echo ready; while :; do sleep 0.1; done",
    ),
    shape(
        "a grandchild",
        Where::Plain,
        "sh -c 'sh -c \"sleep 1000\" & echo ready; wait'",
    ),
    shape("a grandchild that traps", Where::Plain, GRANDCHILD),
    shape(
        "one that stopped itself",
        Where::Plain,
        "echo ready; kill -STOP $$",
    ),
    shape(
        "a child that stopped itself",
        Where::Plain,
        "sh -c 'echo ready; kill -STOP $$; sleep 1000' & wait",
    ),
    shape(
        "a trapper that stopped itself",
        Where::Plain,
        "trap '' TERM; echo ready; kill -STOP $$; sleep 1000",
    ),
    shape(
        "a double fork",
        Where::Plain,
        "( ( sleep 1000 & ) & ); echo ready; sleep 1000",
    ),
    shape(
        "a double fork that outlives its leader",
        Where::Plain,
        "( ( sleep 1000 & ) & ); echo ready; exit 0",
    ),
    shape("nohup", Where::Plain, "nohup sleep 1000 & echo ready; wait"),
    shape(
        "several in the background",
        Where::Plain,
        "sleep 1000 & sleep 1001 & sleep 1002 & echo ready; wait",
    ),
    shape(
        "a pipeline",
        Where::Plain,
        "(echo ready; sleep 1000) | cat | cat",
    ),
    shape(
        "a pipeline of trappers",
        Where::Plain,
        "trap '' TERM; (echo ready; sleep 1000) | cat | cat",
    ),
    shape(
        "job control",
        Where::Plain,
        "exec bash -c 'set -m; sleep 1000 & echo ready; wait'",
    ),
    shape(
        "a fork each moment",
        Where::Plain,
        "trap '' TERM; echo ready; while :; do sleep 0.01 & wait; done",
    ),
    shape(
        "many",
        Where::Plain,
        "for n in 1 2 3 4 5 6 7 8 9; do sleep 100$n & done; echo ready; wait",
    ),
    shape(
        "zombies",
        Where::Plain,
        "exec python3 -c 'import os,time\nfor n in range(9): os.fork() or os._exit(0)\nprint(\"ready\",flush=True)\ntime.sleep(1000)'",
    ),
    shape(
        "a shell in a shell",
        Where::Plain,
        "sh -c 'sh -c \"sh -c \\\"echo ready; sleep 1000; true\\\"; true\"; true'; true",
    ),
    shape(
        "a subshell with its output closed",
        Where::Plain,
        "(exec >/dev/null 2>&1; sleep 1000) & echo ready; wait",
    ),
    leaving(Left::Escaped, shape("an escapee", Where::Plain, ESCAPEE)),
    leaving(
        Left::Escaped,
        shape(
            "an escapee without its parent",
            Where::Plain,
            "(setsid sh -c 'echo ready $$; exec sleep 1000 >/dev/null 2>&1' &); sleep 1000",
        ),
    ),
    stopped(How::Kill, shape("killed at once", Where::Plain, CHILD)),
    stopped(
        How::Kill,
        shape("a trapper killed at once", Where::Plain, TRAPPER),
    ),
    stopped(How::Twice, shape("stopped twice", Where::Plain, CHILD)),
    stopped(
        How::Twice,
        shape("a trapper stopped twice", Where::Plain, TRAPPER),
    ),
    stopped(How::Suspended, shape("suspended", Where::Plain, CHILD)),
    stopped(
        How::Suspended,
        shape("a trapper that is suspended", Where::Plain, TRAPPER),
    ),
    shape("another login", Where::Other, CHILD),
    shape("another login's trapper", Where::Other, GRANDCHILD),
    shape("by sudo", Where::Sudo, CHILD),
    shape("a trapper by sudo", Where::Sudo, TRAPPER),
    leaving(
        Left::Escaped,
        shape("an escapee by sudo", Where::Sudo, ESCAPEE),
    ),
    stopped(
        How::Suspended,
        shape("suspended by sudo", Where::Sudo, CHILD),
    ),
    shape("with a terminal", Where::Terminal, CHILD),
    shape("a trapper with a terminal", Where::Terminal, TRAPPER),
    shape("by sudo with a terminal", Where::SudoTerminal, GRANDCHILD),
    shape("without ps and setsid", Where::Bare, GRANDCHILD),
    leaving(
        Left::Unproved("neither /proc nor ps shows the processes"),
        shape("without grep besides", Where::Blind, CHILD),
    ),
    shape("in a shell of its own", Where::Shell("dash"), GRANDCHILD),
    shape("busybox alone", Where::Busybox, GRANDCHILD),
    leaving(
        Left::Escaped,
        shape("an escapee of busybox", Where::Busybox, ESCAPEE),
    ),
    stopped(
        How::Suspended,
        shape("suspended with busybox alone", Where::Busybox, CHILD),
    ),
    shape("the least of busybox", Where::LeastBusybox, GRANDCHILD),
    stopped(
        How::Suspended,
        shape(
            "suspended with the least of busybox",
            Where::LeastBusybox,
            CHILD,
        ),
    ),
];

/// Every login shell that is installed runs these, too.
const SHELLS: [&str; 7] = ["dash", "busybox", "bash", "zsh", "mksh", "ksh", "yash"];

/// A fleet with hosts of each kind, by their addresses.
struct Hosts {
    console: Console,
    _programs: tempfile::TempDir,
}

impl Hosts {
    fn start(test: &str) -> Option<Self> {
        let programs = tempfile::tempdir().expect("a directory");
        let place = |name: &str, programs_there: &[(&str, &str)]| -> PathBuf {
            let place = programs.path().join(name);
            fs::create_dir(&place).expect("a new one");
            for (link, program) in programs_there {
                symlink(program_path(program), place.join(link)).expect("a new one");
            }
            place
        };
        let readable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(programs.path(), readable).expect("ours");
        let mut extra = String::new();
        let mut host = |address: &str, place: &Path, path: &str| {
            let shell = place.join("sh");
            let (shell, place) = (shell.display(), place.display());
            _ = write!(
                extra,
                "\nMatch LocalAddress {address}\n ForceCommand SHELL={shell} PATH={place}{path} exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""
            );
        };
        for (at, shell) in SHELLS
            .into_iter()
            .enumerate()
            .filter(|(_, shell)| installed(shell))
        {
            let place = place(shell, &[("sh", shell)]);
            host(&format!("127.3.0.{}", at + 1), &place, ":$PATH");
        }
        let bare = [("sh", "dash"), ("sleep", "sleep"), ("grep", "grep")];
        host("127.3.1.1", &place("bare", &bare), "");
        host("127.3.1.2", &place("blind", &bare[..2]), "");
        if installed("busybox") {
            let applet = |name| (name, "busybox");
            let least = ["sh", "sleep", "grep"].map(applet);
            let more = ["ps", "setsid", "kill", "cat", "stty", "id"].map(applet);
            host(
                "127.3.1.3",
                &place("applets", &[&least[..], &more[..]].concat()),
                "",
            );
            host("127.3.1.4", &place("least", &least), "");
        }
        let console = Console::start_with_other_and(test, &extra)?;
        let login = console.fleet.other.as_ref().expect("started with one");
        if installed("sudo") {
            // What is left is found by its mark.
            login.may("Defaults:ME env_keep += REGATTA_TEST\nME ALL=(ALL) NOPASSWD: ALL");
        }
        Some(Self {
            console,
            _programs: programs,
        })
    }

    /// What to say to `run`; none where it cannot be tried.
    fn options(&self, on: Where, number: usize) -> Option<Vec<String>> {
        let plain = format!("127.1.0.{}", number + 1);
        let other = format!("{}@{plain}", self.console.other());
        let words: &[&str] = match on {
            Where::Plain => &["-t", &plain],
            Where::Other => &["-t", &other],
            Where::Terminal => &["-t", &plain, "--tty"],
            Where::Sudo if installed("sudo") => &["-t", &other, "--sudo"],
            Where::SudoTerminal if installed("sudo") => &["-t", &other, "--sudo", "--tty"],
            Where::Sudo | Where::SudoTerminal => return None,
            Where::Shell(shell) => {
                let at = SHELLS
                    .iter()
                    .position(|it| *it == shell)
                    .filter(|_| installed(shell))?;
                return Some(vec!["-t".to_owned(), format!("127.3.0.{}", at + 1)]);
            }
            Where::Bare => &["-t", "127.3.1.1"],
            Where::Blind => &["-t", "127.3.1.2"],
            Where::Busybox | Where::LeastBusybox if !installed("busybox") => return None,
            Where::Busybox => &["-t", "127.3.1.3"],
            Where::LeastBusybox => &["-t", "127.3.1.4"],
        };
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }
}

fn program_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("there is a search path");
    std::env::split_paths(&path)
        .map(|place| place.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is installed"))
}

/// One that runs.
struct Begun<'a> {
    shape: &'a Shape,
    job: String,
    /// Who has escaped.
    escaped: Vec<u32>,
}

fn child_of(console: &Console, job: &str) -> Value {
    console.now(job)["children"][0].clone()
}

fn begin<'a>(hosts: &Hosts, shapes: impl Iterator<Item = &'a Shape>) -> Vec<Begun<'a>> {
    let console = &hosts.console;
    let begun: Vec<(&Shape, String)> = shapes
        .enumerate()
        .filter_map(|(number, shape)| {
            let Some(options) = hosts.options(shape.on, number) else {
                skipped(&format!("{}: it is not installed", shape.what));
                return None;
            };
            let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
            options.extend(["--grace", "500ms", "-n", "shape"]);
            Some((shape, console.background(&options, shape.line)))
        })
        .collect();
    let said = |(shape, job): (&'a Shape, String)| {
        until(shape.what, || child_of(console, &job)["lines"]["out"] == 1);
        let said = console.regatta(&["receive", "-N", &job]).out();
        let words = said.trim().strip_prefix("ready").expect(shape.what);
        let escaped = words
            .split_ascii_whitespace()
            .map(|pid| pid.parse().expect("a process id"));
        Begun {
            shape,
            escaped: escaped.collect(),
            job,
        }
    };
    begun.into_iter().map(said).collect()
}

fn stop_all(console: &Console, begun: &[Begun<'_>]) {
    for one in begun.iter().filter(|one| one.shape.stop == How::Suspended) {
        console
            .regatta(&["suspend", &one.job])
            .exits(0)
            .says(&["Suspended"]);
    }
    let stops: Vec<_> = begun
        .iter()
        .flat_map(|one| {
            let words: &[&str] = match one.shape.stop {
                How::Stop | How::Suspended => &["stop"],
                How::Twice => &["stop", "stop"],
                How::Kill => &["stop --kill"],
            };
            words.iter().map(move |word| {
                let words: Vec<&str> = word.split(' ').chain([one.job.as_str()]).collect();
                (one, console.start_regatta(&words))
            })
        })
        .collect();
    for (one, stop) in stops {
        let proved = one.shape.left == Left::Nothing;
        let ran = stop.finish();
        assert_eq!(
            ran.code(),
            Some(i32::from(!proved)),
            "{}: {}",
            one.shape.what,
            ran.err()
        );
    }
}

/// What is left of it, and what is said of that.
fn judge(console: &Console, one: &Begun<'_>) {
    let (what, child) = (one.shape.what, child_of(console, &one.job));
    let remains = console.remains(&one.job);
    match one.shape.left {
        Left::Nothing => {
            assert_eq!(remains, Vec::<u32>::new(), "{what}: {child}");
            came_to(&child, "Stopped", "stopped", &["stopped by operator"]);
        }
        Left::Escaped => {
            assert_eq!(remains, one.escaped, "{what}: {child}");
            let words = format!("stop unconfirmed, pid {} still alive", one.escaped[0]);
            came_to(&child, "Stopped", "stop_unconfirmed", &[&words]);
            crate::fleet::kill(one.escaped[0]);
        }
        Left::Unproved(why) => {
            // Its watcher has ended it, but nobody there could see that; so it waits a minute for what ignores TERM.
            for pid in remains {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                assert!(
                    contains(&environment, b"\0REGATTA_WATCH="),
                    "{what}: {child}"
                );
                crate::fleet::kill(pid);
            }
            came_to(&child, "Stopped", "stop_unconfirmed", &[why]);
        }
    }
}

#[test]
fn every_shape_of_command_is_stopped() {
    let Some(hosts) = Hosts::start("every_shape_of_command_is_stopped") else {
        return;
    };
    let begun = begin(&hosts, SHAPES.iter());
    stop_all(&hosts.console, &begun);
    for one in &begun {
        judge(&hosts.console, one);
    }
}

#[test]
fn every_login_shell_lets_itself_be_stopped() {
    let Some(hosts) = Hosts::start("every_login_shell_lets_itself_be_stopped") else {
        return;
    };
    let lines = [
        ("one process", PLAIN),
        ("a child in the background", CHILD),
        ("a trapper", TRAPPER),
        ("a grandchild that traps", GRANDCHILD),
    ];
    let shapes: Vec<Shape> = SHELLS
        .into_iter()
        .flat_map(|shell| lines.map(|(what, line)| shape(what, Where::Shell(shell), line)))
        .collect();
    let begun = begin(&hosts, shapes.iter());
    stop_all(&hosts.console, &begun);
    for one in &begun {
        judge(&hosts.console, one);
    }
}

/// Whenever it comes: before the command runs, while it begins, and just behind.
#[test]
fn a_stop_may_come_at_any_moment() {
    let Some(hosts) = Hosts::start("a_stop_may_come_at_any_moment") else {
        return;
    };
    let console = &hosts.console;
    for number in 1..=12 {
        let target = format!("127.1.1.{number}");
        let job = console.background(&["-t", &target, "--grace", "500ms"], TRAPPER);
        if number % 3 == 0 {
            until("it begins", || {
                child_of(console, &job)["state"] != "Connecting"
            });
        }
        console.regatta(&["stop", &job]).exits(0);
        let child = child_of(console, &job);
        came_to(&child, "Stopped", "stopped", &["stopped"]);
        assert_eq!(console.remains(&job), Vec::<u32>::new(), "{child}");
    }
}

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use super::super::prologue;
use super::super::shells::{self, LOGIN_SHELLS, SH, finish, sh_is, start};
use super::*;

#[test]
fn the_program_means_the_same_to_every_login_shell() {
    assert_eq!(PROGRAM.find(['\'', '\\', '!', '\n']), None);
    assert!(
        PROGRAM.contains(prologue::WATCHER),
        "the probe knows the watcher by its name"
    );
}

#[test]
fn answers_are_read_behind_whatever_a_profile_printed() {
    let run = "0123456789abcdef0123456789abcdef";
    let unreadable =
        |answer: &str| Proof::Unknown(format!("the probe's answer cannot be read: {answer:?}"));
    let silent = || Proof::Unknown("the probe gave no answer".to_owned());
    let cases = [
        ("gone\n", Proof::Gone),
        ("alive 12 345\n", Proof::Alive(vec![12, 345])),
        (
            "unknown it cannot be told: 7\n",
            Proof::Unknown("it cannot be told: 7".to_owned()),
        ),
        ("alive\n", unreadable("alive")),
        ("alive x\n", unreadable("alive x")),
        ("fine\n", unreadable("fine")),
        // A truncated answer is none.
        ("alive 12 3", silent()),
    ];
    for (answer, proof) in cases {
        let output = format!("Welcome\nto {ANSWER} {run} {answer}");
        assert_eq!(parse(run, output.as_bytes()), proof, "{answer:?}");
    }
    let other_run = format!("{ANSWER} ffff gone\n");
    for output in ["", "gone\n", &other_run] {
        assert_eq!(parse(run, output.as_bytes()), silent(), "{output:?}");
    }
}

/// A process that leads a group of its own under the run's name, and has said that it is ready.  As where the server forces
/// a command, its environment holds the one that was asked for.
fn leader(run: &str, line: &str) -> Child {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("REGATTA_RUN", run)
        .env("SSH_ORIGINAL_COMMAND", prologue::exec_line())
        .process_group(0)
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("there is sh");
    let mut ready = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut ready)
        .expect("it says so");
    child
}

fn probe(sh: &str, processes: &str, run: &str, pid: u32, task: Task) -> Proof {
    let sh = sh_is(sh).expect("it was found before");
    let request = request_from(processes, run, Some(&Trace { pid }), task);
    let output = finish(start("sh", &exec_line(), Some(&sh), request.as_bytes()));
    parse(run, &output.stdout)
}

/// Through /proc and through `ps`, with every `sh`: what is ours is found and ended, what is a stranger's is spared.
#[test]
fn it_finds_and_ends_what_is_ours() {
    const NOW: Task = Task::Prove(Inquiry::End {
        grace: Duration::ZERO,
    });
    for (at, sh) in SH
        .into_iter()
        .enumerate()
        .filter(|(_, sh)| shells::find(sh).is_some())
    {
        for processes in ["/proc", "/nowhere"] {
            let run = format!("{:032x}", u64::from(std::process::id()) << 8 | at as u64);
            let what = format!("{sh} with {processes}");
            let mut child = leader(&run, "trap '' TERM; sleep 1000 & echo ready; wait");
            let pid = child.id();
            let seen = probe(sh, processes, &run, pid, Task::Prove(Inquiry::Look));
            assert!(
                matches!(&seen, Proof::Alive(pids) if pids.contains(&pid)),
                "{what}: {seen:?}"
            );
            // A signal alone ends what obeys it, and says nothing about the rest.
            let sent = probe(sh, processes, &run, pid, Task::Send(Signal::Term));
            assert!(
                matches!(&sent, Proof::Unknown(why) if why.contains("signalled")),
                "{what}: {sent:?}"
            );
            assert!(
                child.try_wait().expect("it is our child").is_none(),
                "{what}: it ignores TERM"
            );
            // Nobody has waited for the leader, so that it stays behind as a zombie: it does not count.
            assert_eq!(probe(sh, processes, &run, pid, NOW), Proof::Gone, "{what}");
            child.wait().expect("it is our child");
            assert_eq!(
                probe(sh, processes, &run, pid, NOW),
                Proof::Gone,
                "{what}: again"
            );

            let mut stranger = leader("another-run", "sleep 1000 & echo ready; wait");
            let judged = probe(sh, processes, &run, stranger.id(), NOW);
            assert_eq!(judged, Proof::Gone, "{what}: somebody else's process");
            assert!(
                stranger.try_wait().expect("it is our child").is_none(),
                "{what}: it is spared"
            );
            assert_eq!(
                probe(sh, processes, "another-run", stranger.id(), NOW),
                Proof::Gone,
                "{what}"
            );
            stranger.wait().expect("it is our child");
        }
    }
}

/// Where the server forces a command, all that a run leaves behind has the prologue in its environment; here without the
/// run's name besides.  It is neither a stranger's nor the watcher.
#[test]
fn what_a_forced_command_hands_down_hides_nothing() {
    for sh in SH.into_iter().filter(|sh| shells::find(sh).is_some()) {
        for processes in ["/proc", "/nowhere"] {
            let what = format!("{sh} with {processes}");
            // Of this test alone: whatever has it in its environment is looked at.
            let run = "f04ced00f04ced00f04ced00f04ced00";
            let left = "unset REGATTA_RUN; sleep 1000 >/dev/null 2>&1 & echo $!";
            let order = format!("{run}\nweb01\n7\n8\n\n1\n{left}\n{run}\n");
            let directory = sh_is(sh).expect("it was found before");
            let quoted = prologue::exec_line().replace('\'', r"'\''");
            let forced = format!("SSH_ORIGINAL_COMMAND='{quoted}' exec sh -c '{quoted}'");
            let mut child = start("sh", &forced, Some(&directory), order.as_bytes());
            // Its lifeline stays open: the watcher is there.
            let lifeline = child.stdin.take();
            let pid = child.id();
            let said = child.wait_with_output().expect("it is our child");
            let said = String::from_utf8_lossy(&said.stdout);
            let sleeper: u32 = (said.lines().last())
                .and_then(|pid| pid.parse().ok())
                .unwrap_or_else(|| panic!("{what}: {said}"));
            let look = Task::Prove(Inquiry::Look);
            let found = probe(sh, processes, run, pid, look);
            assert_eq!(found, Proof::Alive(vec![sleeper]), "{what}");
            let end = Task::Prove(Inquiry::End {
                grace: Duration::ZERO,
            });
            assert_eq!(probe(sh, processes, run, pid, end), Proof::Gone, "{what}");
            let command = std::fs::read(format!("/proc/{sleeper}/cmdline"));
            assert_eq!(command.unwrap_or_default(), b"", "{what}: it runs");
            drop(lifeline);
        }
    }
}

#[test]
fn grace_is_given() {
    let run = "00000000000000000000000000009ace";
    let mut child = leader(run, "echo ready; sleep 0.5; exit 7");
    let task = Task::Prove(Inquiry::End {
        grace: Duration::from_secs(30),
    });
    assert_eq!(probe("dash", "/proc", run, child.id(), task), Proof::Gone);
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(7), "it ended by itself");
}

#[test]
fn every_login_shell_runs_it_the_same_way() {
    let run = "0123456789abcdef0123456789abcdef";
    let request = request(
        run,
        None,
        Task::Prove(Inquiry::End {
            grace: Duration::ZERO,
        }),
    );
    for shell in LOGIN_SHELLS
        .into_iter()
        .filter(|shell| shells::find(shell).is_some())
    {
        let output = finish(start(shell, &exec_line(), None, request.as_bytes()));
        assert_eq!(
            parse(run, &output.stdout),
            Proof::Gone,
            "{shell}: {output:?}"
        );
    }
}

/// A child of the leader counts in a file, so that it can be seen whether it moves.
const COUNTER: &str = "while :; do echo >>$COUNT; sleep 0.02; done & echo ready; wait";

/// Through /proc and through `ps`, with every `sh`: all of the group but its watcher stands still, and goes on.
#[test]
fn it_lets_what_is_ours_stand_still_and_go_on() {
    let scratch = tempfile::tempdir().expect("a directory");
    for (at, sh) in SH
        .into_iter()
        .enumerate()
        .filter(|(_, sh)| shells::find(sh).is_some())
    {
        for processes in ["/proc", "/nowhere"] {
            let run = format!("{:031x}{at}", u64::from(std::process::id()));
            let what = format!("{sh} with {processes}");
            let count = scratch.path().join(format!("{sh}{}", processes.len()));
            let line = format!("COUNT={}; {COUNTER}", count.display());
            let mut child = leader(&run, &line);
            let pid = child.id();
            let size = || std::fs::metadata(&count).map_or(0, |file| file.len());
            let probe = |motion| moved(sh, processes, &run, pid, motion);
            assert_eq!(probe(Motion::Suspend), Moved::All, "{what}");
            let before = size();
            assert_eq!(probe(Motion::Suspend), Moved::All, "{what}: again");
            assert_eq!(size(), before, "{what}: it stands still");
            assert_eq!(probe(Motion::Resume), Moved::All, "{what}");
            while size() == before {
                std::thread::yield_now();
            }
            assert_eq!(
                moved(sh, processes, "another-run", pid, Motion::Suspend),
                Moved::Gone,
                "{what}: somebody else's"
            );
            assert_eq!(probe(Motion::Suspend), Moved::All, "{what}");
            // TERM alone would wait for CONT.
            let sent = self::probe(sh, processes, &run, pid, Task::Send(Signal::Term));
            assert!(matches!(sent, Proof::Unknown(_)), "{what}: {sent:?}");
            let status = child.wait().expect("it is our child");
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&status),
                Some(15)
            );
            assert_eq!(probe(Motion::Suspend), Moved::Gone, "{what}");
        }
    }
}

fn moved(sh: &str, processes: &str, run: &str, pid: u32, motion: Motion) -> Moved {
    let sh = sh_is(sh).expect("it was found before");
    let request = request_from(processes, run, Some(&Trace { pid }), Task::Move(motion));
    let output = finish(start("sh", &exec_line(), Some(&sh), request.as_bytes()));
    parse_moved(run, &output.stdout)
}

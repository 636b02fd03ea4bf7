//! For tests of the two `sh` programs: real shells, in process groups of their own.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// What may be somebody's login shell.
pub(super) const LOGIN_SHELLS: [&str; 10] = [
    "sh", "dash", "bash", "zsh", "fish", "tcsh", "csh", "mksh", "ksh", "yash",
];

/// What `sh` may be.
pub(super) const SH: [&str; 7] = ["dash", "bash", "busybox", "zsh", "mksh", "ksh", "yash"];

/// Where a program is; where it is not, that is said.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").expect("there is a search path");
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("SKIPPED: {program} is not installed");
    }
    found
}

/// A directory for the front of the search path, in which `sh` is `program`.
pub(super) fn sh_is(program: &str) -> Option<TempDir> {
    let directory = tempfile::tempdir().expect("a directory");
    symlink(find(program)?, directory.path().join("sh")).expect("an empty directory");
    Some(directory)
}

/// `shell -c line` in a process group of its own, reading `input`; its standard input stays open.
pub(super) fn start(shell: &str, line: &str, sh: Option<&TempDir>, input: &[u8]) -> Child {
    let mut command = Command::new(shell);
    command
        .args(["-c", line])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.env("SHELL", "/bin/sh");
    if let Some(directory) = sh {
        let path = std::env::var_os("PATH").expect("there is a search path");
        let path = std::iter::once(directory.path().to_owned()).chain(std::env::split_paths(&path));
        command.env(
            "PATH",
            std::env::join_paths(path).expect("they were paths before"),
        );
    }
    let mut child = command.spawn().expect("the shell is installed");
    child
        .stdin
        .as_mut()
        .expect("it is piped")
        .write_all(input)
        .expect("the shell reads it");
    child
}

/// What it wrote and how it ended, its standard input open all the while.
pub(super) fn finish(mut child: Child) -> Output {
    let lifeline = child.stdin.take();
    let output = child.wait_with_output().expect("it is our child");
    drop(lifeline);
    output
}

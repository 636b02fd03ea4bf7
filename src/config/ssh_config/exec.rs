//! The commands of `Match exec`: run by the user's shell as OpenSSH does (`execute_in_shell` in its readconf.c), each
//! once, and no longer than they may take.
//!
//! Deliberately not here: whose turn it is. Whoever resolves a host says whether commands may run.

use std::collections::HashMap;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::LocalEnv;
use super::error::Problem;

/// How long a command may take; `ssh` would wait for ever, with somebody before it who can interrupt it.
const LIMIT: Duration = Duration::from_secs(10);

/// What the commands of `Match exec` came to, each of them once.
#[derive(Debug, Default)]
pub struct Answers(Mutex<HashMap<String, Result<bool, Problem>>>);

/// Whether the commands of `Match exec` may run.
#[derive(Clone, Copy, Debug)]
pub enum Commands<'a> {
    /// They may, and this is what is known already.
    Run(&'a Answers),
    /// They may not: what hangs on one does not apply.
    Skip,
}

impl Answers {
    /// Forgets everything.
    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Whether the command ends with 0.
    pub(super) fn ask(&self, command: &str, env: &LocalEnv) -> Result<bool, Problem> {
        let known =
            |answers: &HashMap<String, Result<bool, Problem>>| answers.get(command).cloned();
        if let Some(answer) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return answer;
        }
        // Hosts do not wait for each other's commands; the first answer stands.
        let answer = run(command, env, LIMIT);
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(command.to_owned()).or_insert(answer).clone()
    }
}

fn run(command: &str, env: &LocalEnv, limit: Duration) -> Result<bool, Problem> {
    let failed = |reason: String| Problem::MatchExec {
        command: command.to_owned(),
        reason,
    };
    let shell = env.variables.get("SHELL").map_or("/bin/sh", String::as_str);
    let child = Command::new(shell)
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Whatever it starts ends with it when it takes too long.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(format!("cannot run {shell}: {error}")))?;
    let group = child_group(&child);
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let mut child = child;
        // Nobody may wait any more.
        let _ = sender.send(child.wait());
    });
    match ended.recv_timeout(limit) {
        Ok(Ok(status)) => match status.code() {
            Some(code) => Ok(code == 0),
            None => Err(failed(format!("it ended by {status}"))),
        },
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            if let Some(group) = group {
                // It may have ended just now.
                let _ = kill_process_group(group, Signal::KILL);
            }
            Err(failed(format!(
                "it took longer than {}s",
                limit.as_secs_f32()
            )))
        }
    }
}

fn child_group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> LocalEnv {
        LocalEnv {
            variables: HashMap::new(),
            ..LocalEnv::current()
        }
    }

    #[test]
    fn a_command_runs_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ran");
        let answers = Answers::default();
        let command = format!("echo ran >> {}; test -s /dev/null", file.display());
        for _ in 0..3 {
            assert_eq!(answers.ask(&command, &env()), Ok(false));
        }
        assert_eq!(answers.ask("true", &env()), Ok(true));
        let ran = std::fs::read_to_string(file).expect("it ran");
        assert_eq!(ran, "ran\n");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_all_it_started() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        let command = format!("mkfifo {0}; (exec 3<>{0}; cat <&3) & wait", pipe.display());
        let error = run(&command, &env(), Duration::from_millis(300)).expect_err("it must end");
        assert!(error.to_string().contains("longer than 0.3s"), "{error}");
    }

    #[test]
    fn a_command_that_dies_is_an_error_as_in_openssh() {
        assert!(run("kill -KILL $$", &env(), LIMIT).is_err());
        let mut env = env();
        env.variables
            .insert("SHELL".to_owned(), "/nonexistent/shell".to_owned());
        assert!(run("true", &env, LIMIT).is_err());
    }
}

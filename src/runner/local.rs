//! Commands on this computer: the same prologue and the same probe as over SSH, with pipes for a channel.
//!
//! The command leads a session of its own (through `setsid`, which every Linux has; elsewhere a process group of its
//! own), so that it shares neither terminal nor group with whoever started it.  When this process is gone, for whatever
//! reason, the pipe that is the lifeline ends and with it the command.
//!
//! Options ([`Order::options`]): `directory`, where to run; the current directory otherwise.  `sudo`, the user to become.
//! Deliberately not here: limits, terminals.

mod pipes;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::{mpsc, watch};

use self::pipes::{Pipe, Talking, feed};
use super::probe::{self, Task};
use super::relay::{self, Relay};
use super::sudo::{self, Climb};
use super::{Boxed, Event, Order, Runner, prologue};
use crate::core::output::Stream;
use crate::core::reason::Reason;
use crate::core::spec::{Ended, Inquiry, Motion, Moved, Proof, Signal, Trace};

/// Runs commands on this computer.
#[derive(Debug)]
pub struct Local {
    /// Makes the command lead a session, where there is such a program.
    setsid: Option<PathBuf>,
    /// Whose password sudo asks for.
    account: String,
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner for Local {
    fn run(
        self: Arc<Self>,
        order: Order,
        events: mpsc::Sender<Event>,
        signal: watch::Receiver<Option<Signal>>,
    ) -> Boxed<Ended> {
        Box::pin(async move { self.carry_out(&order, &events, signal).await })
    }

    fn prove(
        self: Arc<Self>,
        order: Order,
        trace: Option<Trace>,
        inquiry: Inquiry,
    ) -> Boxed<Proof> {
        Box::pin(async move {
            let answer = self.ask(&order, trace.as_ref(), Task::Prove(inquiry)).await;
            probe::proof(&order.run, answer)
        })
    }

    fn set_in_motion(
        self: Arc<Self>,
        order: Order,
        trace: Option<Trace>,
        motion: Motion,
    ) -> Boxed<Moved> {
        Box::pin(async move {
            let answer = self.ask(&order, trace.as_ref(), Task::Move(motion)).await;
            probe::moved(&order.run, answer)
        })
    }
}

impl Local {
    /// Looks for `setsid` on the search path, and who we are.
    pub fn new() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
        let setsid = std::env::split_paths(&path)
            .map(|directory| directory.join("setsid"))
            .find(|program| program.is_file());
        let named = ["LOGNAME", "USER"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok());
        Self {
            setsid,
            account: named.unwrap_or_else(|| "this user".to_owned()),
        }
    }

    async fn carry_out(
        &self,
        order: &Order,
        events: &mpsc::Sender<Event>,
        mut signal: watch::Receiver<Option<Signal>>,
    ) -> Ended {
        let (lines, directory) = match (prologue::order_lines(order), directory(order)) {
            (Ok(lines), Ok(directory)) => (lines, directory),
            (Err(reason), _) | (_, Err(reason)) => return Ended::NotStarted(reason),
        };
        if relay::asked(&mut signal).is_some() {
            return Ended::Aborted;
        }
        let mut command = self.shell(order, prologue::PROGRAM, prologue::NAME);
        command.stderr(Stdio::piped());
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ended::NotStarted(cannot_start(&error)),
        };
        let mut relay = Relay::new(&order.run);
        let mut stdout = Pipe::new(child.stdout.take());
        let mut stderr = Pipe::new(child.stderr.take());
        let mut stdin = child.stdin.take();
        if let Some(climb) = climb(order, &self.account) {
            let mut talking = Talking {
                child: &mut child,
                stdin: &mut stdin,
                stdout: &mut stdout,
                stderr: &mut stderr,
            };
            match climb
                .make(
                    (prologue::PROGRAM, prologue::NAME),
                    &mut talking,
                    Some(events),
                    &mut signal,
                )
                .await
            {
                Ok(besides) => {
                    relay.read(Stream::Out, besides.out);
                    relay.read(Stream::Err, besides.err);
                }
                Err(ended) => return ended,
            }
        }
        let mut lifeline =
            stdin.map(|pipe| Box::pin(feed(pipe, lines, signal.clone(), relay.begun())));
        let mut status = None;
        let mut sweep = None;
        while status.is_none() || stdout.is_open() || stderr.is_open() {
            let room = !relay.is_full();
            tokio::select! {
                data = stdout.read(), if room && stdout.is_open() => relay.read(Stream::Out, data),
                data = stderr.read(), if room && stderr.is_open() => relay.read(Stream::Err, data),
                delivered = relay.deliver(events), if relay.is_ready() => {
                    if delivered.is_err() {
                        return Ended::Lost("nobody takes its output".to_owned());
                    }
                }
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended);
                    lifeline = None;
                }
                () = relay::optional(&mut lifeline) => {}
                () = relay::optional(&mut sweep) => {}
            }
            // The command may have ended before its first words were read, and they tell where to look.
            let words_are_read = relay.trace().is_some() || !stdout.is_open();
            if status.is_some() && words_are_read && sweep.is_none() {
                sweep = Some(Box::pin(self.sweep_up(
                    order,
                    relay.trace().cloned(),
                    signal.clone(),
                )));
            }
        }
        drop(sweep);
        relay.end();
        if relay.deliver_all(events).await.is_err() {
            return Ended::Lost("nobody takes its output".to_owned());
        }
        match status.expect("the loop ends with a status") {
            Ok(status) => ended(status),
            Err(error) => Ended::Lost(format!("its exit status was lost: {error}")),
        }
    }

    /// Passes signals on when the command has ended and what it left behind holds its output open.  The probe that
    /// follows a stop finds out whether this helped.
    async fn sweep_up(
        &self,
        order: &Order,
        trace: Option<Trace>,
        mut signal: watch::Receiver<Option<Signal>>,
    ) {
        loop {
            let asked = relay::next_signal(&mut signal).await;
            let _ = self.ask(order, trace.as_ref(), Task::Send(asked)).await;
        }
    }

    /// Runs the probe and returns what it wrote.
    async fn ask(
        &self,
        order: &Order,
        trace: Option<&Trace>,
        task: Task,
    ) -> Result<Vec<u8>, String> {
        let request = probe::request(&order.run, trace, task);
        let cannot = |error: io::Error| format!("the probe could not be run: {error}");
        let talk = async {
            let mut command = self.shell(order, probe::PROGRAM, probe::ANSWER);
            command.stderr(Stdio::piped()).kill_on_drop(true);
            let mut child = command.spawn().map_err(cannot)?;
            let mut stdin = child.stdin.take();
            let mut stdout = Pipe::new(child.stdout.take());
            let mut stderr = Pipe::new(child.stderr.take());
            if let Some(climb) = climb(order, &self.account) {
                let mut talking = Talking {
                    child: &mut child,
                    stdin: &mut stdin,
                    stdout: &mut stdout,
                    stderr: &mut stderr,
                };
                let (_never, mut signal) = watch::channel(None);
                let made = climb
                    .aside()
                    .make(
                        (probe::PROGRAM, probe::ANSWER),
                        &mut talking,
                        None,
                        &mut signal,
                    )
                    .await;
                made.map_err(|ended| sudo::why(&ended))?;
            }
            if let Some(mut stdin) = stdin {
                stdin.write_all(request.as_bytes()).await.map_err(cannot)?;
            }
            let mut answer = Vec::new();
            while stdout.is_open() {
                answer.extend_from_slice(&stdout.read().await);
            }
            child.wait().await.map_err(cannot)?;
            Ok(answer)
        };
        tokio::time::timeout(probe::patience(task), talk)
            .await
            .unwrap_or_else(|_| Err("the probe did not answer in time".to_owned()))
    }

    /// `sh -c program name` as the leader of a session, with pipes for standard input and output; by sudo, if the order
    /// wants that.
    fn shell(&self, order: &Order, program: &str, name: &str) -> Command {
        let mut command = if let Some(setsid) = &self.setsid {
            let mut command = Command::new(setsid);
            command.arg("sh");
            command
        } else {
            let mut command = Command::new("sh");
            command.process_group(0);
            command
        };
        match sudo::target(order) {
            Some(_) => command.args(sudo::ARGUMENTS),
            None => command.args(["-c", program, name]),
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }
}

/// How long sudo may take before it asks or starts the program.
const SUDO_LIMIT: Duration = Duration::from_secs(30);

/// Who is to become somebody else, if that is wanted.
fn climb<'a>(order: &'a Order, account: &'a str) -> Option<Climb<'a>> {
    let user = sudo::target(order)?;
    Some(Climb::new(order, user, account, SUDO_LIMIT))
}

fn directory(order: &Order) -> Result<Option<PathBuf>, Reason> {
    let mut directory = None;
    for (name, value) in order.options.iter() {
        match name.as_str() {
            "directory" => directory = Some(PathBuf::from(value)),
            sudo::OPTION => {}
            _ => {
                return Err(Reason::BadSettings(format!(
                    "the local runner has no option {name:?}; it has directory and sudo"
                )));
            }
        }
    }
    match directory {
        Some(path) if !path.is_dir() => Err(Reason::BadSettings(format!(
            "directory: {} is not there",
            path.display()
        ))),
        directory => Ok(directory),
    }
}

fn cannot_start(error: &io::Error) -> Reason {
    Reason::Refused(format!("sh could not be started: {error}"))
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(number)) => Ended::Signaled(signal_name(number)),
        (None, None) => Ended::Lost("it ended with neither exit code nor signal".to_owned()),
    }
}

/// The name of a signal without `SIG`; numbers differ between systems, hence the constants.
fn signal_name(number: i32) -> String {
    use rustix::process::Signal as S;
    let names = [
        (S::HUP, "HUP"),
        (S::INT, "INT"),
        (S::QUIT, "QUIT"),
        (S::ILL, "ILL"),
        (S::TRAP, "TRAP"),
        (S::ABORT, "ABRT"),
        (S::BUS, "BUS"),
        (S::FPE, "FPE"),
        (S::KILL, "KILL"),
        (S::USR1, "USR1"),
        (S::SEGV, "SEGV"),
        (S::USR2, "USR2"),
        (S::PIPE, "PIPE"),
        (S::ALARM, "ALRM"),
        (S::TERM, "TERM"),
        (S::XCPU, "XCPU"),
        (S::XFSZ, "XFSZ"),
        (S::SYS, "SYS"),
    ];
    names
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

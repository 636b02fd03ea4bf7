//! What a simulated computer does with a session channel: the prologue, the probe, or a command as `ssh` sends it.
//!
//! The first two are known by their constant command lines and are carried out by what they mean, not by interpreting
//! their text; [`crate::runner`] says what that is.  A plain command has no lifeline: it ends when its channel does.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use russh::Channel;
use russh::server::{Handle, Msg};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::channel::{Input, Item, Request, ToChannel, to_ssh};
use super::computer::Computer;
use super::process::{Finding, Signal};
use super::server::Faults;
use super::shell::{Output, Shell, Stream, Unread};
use super::wire::{Cut, Scissors};
use crate::runner::{probe, prologue, sudo};

/// What the prologue and the probe exit with when their orders are not whole.
const BAD_ORDERS: u8 = 125;

/// Between TERM and KILL when the lifeline has ended, as in the prologue.
const LIFELINE_GRACE: Duration = Duration::from_secs(1);

static PROLOGUE: LazyLock<String> = LazyLock::new(prologue::exec_line);
static PROBE: LazyLock<String> = LazyLock::new(probe::exec_line);
static SUDO: LazyLock<String> = LazyLock::new(sudo::exec_line);

/// A session channel that was opened.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) computer: Arc<Computer>,
    pub(super) channel: Channel<Msg>,
    pub(super) connection: Handle,
    pub(super) scissors: Scissors,
    pub(super) faults: Faults,
    /// One of the connection's places for sessions, given back before the channel is closed.
    pub(super) place: OwnedSemaphorePermit,
}

/// How a command ended.
enum Ended {
    Code(u8),
    Signal(Signal),
    /// Nobody is left to be told.
    Unheard,
}

impl Session {
    /// Serves the channel to its end.
    pub(super) async fn serve(self) {
        let (connection, id) = (self.connection, self.channel.id());
        let (read, write) = self.channel.split();
        let mut input = Input::new(read);
        let Some(request) = input.request(&connection, id).await else {
            return;
        };
        let drops = match self.faults {
            Faults::ExecUnanswered => return input.closed().await,
            Faults::DropInMidCommand => true,
            Faults::None
            | Faults::SilentBeforeBanner
            | Faults::NoBanner
            | Faults::ResetAfterKeyExchange => false,
        };
        if connection.channel_success(id).await.is_err() {
            return;
        }
        let output = ToChannel::new(
            write,
            drops.then(|| (connection.clone(), self.scissors.clone())),
        );
        let ended = match request {
            Request::Exec(line) => exec(&self.computer, &line, &mut input, &output).await,
            Request::Interactive => {
                let text = "this computer is simulated and has no terminal; give it a command\r\n";
                match output
                    .write(Stream::Err, Bytes::from_static(text.as_bytes()))
                    .await
                {
                    Ok(()) => Ended::Code(1),
                    Err(Unread) => Ended::Unheard,
                }
            }
        };
        if drops {
            return self.scissors.cut(Cut::Close);
        }
        let told = match ended {
            Ended::Code(code) => connection.exit_status_request(id, code.into()).await,
            Ended::Signal(signal) => {
                let none = String::new;
                connection
                    .exit_signal_request(id, to_ssh(signal), false, none(), none())
                    .await
            }
            Ended::Unheard => return,
        };
        drop(self.place);
        // A connection that has ended meanwhile needs no good-bye.
        if told.is_ok() && connection.eof(id).await.is_ok() {
            _ = connection.close(id).await;
        }
    }
}

async fn exec(computer: &Computer, line: &[u8], input: &mut Input, output: &ToChannel) -> Ended {
    if line == PROLOGUE.as_bytes() {
        run_order(computer, input, output).await
    } else if line == PROBE.as_bytes() {
        run_probe(computer, input, output).await
    } else if line == SUDO.as_bytes() {
        run_by_sudo(computer, input, output).await
    } else {
        run_plain(computer, &String::from_utf8_lossy(line), input, output).await
    }
}

/// sudo, which lets everybody become anybody and asks nothing.
async fn run_by_sudo(computer: &Computer, input: &mut Input, output: &ToChannel) -> Ended {
    let Some([run, _user, _mode]) = input.lines().await else {
        return Ended::Code(BAD_ORDERS);
    };
    if output.write_own(sudo::runs_line(&run)).await.is_err() {
        return Ended::Unheard;
    }
    match input.lines().await {
        Some([line]) if sudo::launches_prologue(&line) => run_order(computer, input, output).await,
        Some(_) => run_probe(computer, input, output).await,
        None => Ended::Code(BAD_ORDERS),
    }
}

/// The prologue: reads an order, runs it as a process, and obeys the lifeline.
async fn run_order(computer: &Computer, input: &mut Input, output: &ToChannel) -> Ended {
    let Some(order) = input.order().await else {
        return Ended::Code(BAD_ORDERS);
    };
    let process = computer.processes.begin(&order.run);
    let began = prologue::began_line(&order.run, process.pid);
    if output.write_own(began).await.is_err() {
        return Ended::Unheard;
    }
    let mut variables = environment(computer);
    variables.extend([
        ("REGATTA_HOST", order.host),
        ("REGATTA_JOB", order.job),
        ("REGATTA_CHILD", order.child),
        ("REGATTA_RUN", order.run),
    ]);
    let shell = Shell {
        computer,
        process: &process,
        variables,
        output,
    };
    let mut work = std::pin::pin!(shell.interpret(&order.interpreter, &order.text));
    let mut lifeline = true;
    let mut kill_at = None;
    let mut still = process.still();
    loop {
        let moves = !*still.borrow_and_update();
        tokio::select! {
            biased;
            signal = process.ended_by() => return Ended::Signal(signal),
            code = &mut work, if moves => return Ended::Code(code),
            Ok(()) = still.changed() => {}
            item = input.next(), if lifeline => match item {
                Item::Line(name) => {
                    if let Some(signal) = Signal::named(&String::from_utf8_lossy(&name)) {
                        process.signal(signal);
                    }
                }
                Item::Signal(signal) => process.signal(signal),
                Item::End | Item::Closed => {
                    lifeline = false;
                    process.signal(Signal::Terminate);
                    kill_at = Some(Instant::now() + LIFELINE_GRACE);
                }
            },
            () = at(kill_at) => {
                kill_at = None;
                process.signal(Signal::Kill);
            }
        }
    }
}

/// The probe: reads its request and answers by the state of the processes.
async fn run_probe(computer: &Computer, input: &mut Input, output: &ToChannel) -> Ended {
    let Some([run, group, signal, tenths, _processes, end]) = input.lines().await else {
        return Ended::Code(BAD_ORDERS);
    };
    let (Ok(group), Ok(tenths), true) = (group.parse(), tenths.parse::<u32>(), end == run) else {
        return Ended::Code(BAD_ORDERS);
    };
    let processes = &computer.processes;
    let answer = if signal == "0" || signal == probe::LOOK {
        let grace = Duration::from_millis(100) * tenths;
        let finding = async {
            if signal == probe::LOOK {
                processes.look(&run)
            } else {
                processes.prove(&run, group, grace).await
            }
        };
        // Without the client nobody wants the answer.
        let finding = tokio::select! {
            finding = finding => finding,
            () = input.closed() => return Ended::Unheard,
        };
        match finding {
            Finding::Gone => "gone".to_owned(),
            Finding::Alive(pids) => pids
                .iter()
                .fold("alive".to_owned(), |text, pid| format!("{text} {pid}")),
        }
    } else if let "STOP" | "CONT" = signal.as_str() {
        match processes.set_still(&run, group, signal == "STOP") {
            0 => "gone".to_owned(),
            _ => "done".to_owned(),
        }
    } else {
        if let Some(signal) = Signal::named(&signal) {
            processes.signal(&run, group, signal);
        }
        "signalled".to_owned()
    };
    match output.write_own(probe::answer_line(&run, &answer)).await {
        Ok(()) => Ended::Code(0),
        Err(Unread) => Ended::Unheard,
    }
}

/// A command line as `ssh` sends it.
async fn run_plain(
    computer: &Computer,
    line: &str,
    input: &mut Input,
    output: &ToChannel,
) -> Ended {
    let process = computer.processes.begin("");
    let shell = Shell {
        computer,
        process: &process,
        variables: environment(computer),
        output,
    };
    let mut work = std::pin::pin!(shell.run(line));
    loop {
        tokio::select! {
            biased;
            signal = process.ended_by() => return Ended::Signal(signal),
            code = &mut work => return Ended::Code(code),
            signal = input.signal() => match signal {
                Some(signal) => process.signal(signal),
                None => return Ended::Unheard,
            },
        }
    }
}

fn environment(computer: &Computer) -> HashMap<&'static str, String> {
    [
        ("HOME", "/home/ops"),
        ("USER", "ops"),
        ("LOGNAME", "ops"),
        ("SHELL", "/bin/sh"),
        ("PATH", "/usr/bin:/bin"),
        ("HOSTNAME", computer.name()),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

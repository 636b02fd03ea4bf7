//! One command on one channel: the order goes in, output and the verdict come out.
//!
//! The library opens a channel's window again as soon as data arrive, so what bounds memory is not reading: then the
//! whole connection waits, and with it the other channels on it.  Whoever has something urgent to say (a signal) makes
//! all readers of the connection go on for that long, and a connection that waits takes no new channels.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use russh::{ChannelMsg, ChannelWriteHalf, Sig, client};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::channel::OpenChannel;
use super::connection::Connection;
use super::{Order, Ssh, windows};
use crate::core::output::Stream;
use crate::core::reason::Reason;
use crate::core::spec::{Ended, Signal, Trace};
use crate::runner::Event;
use crate::runner::probe::{self, Task};
use crate::runner::relay::{self, Relay};
use crate::runner::sudo::Besides;
use crate::secret::Secret;

/// When to look, after a signal has arrived, whether the command's end waits behind what somebody else does not read.
/// Each look makes others read some megabytes, so there are few.
const LOOKS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1300)];

/// How much of an order is written at once: whether a server takes it is seen part by part.
const PART: usize = 16 * 1024;

/// More than any answer of a probe, whatever a profile prints before it.
const ANSWER: usize = 256 * 1024;

/// What has been heard of a channel's end.
#[derive(Debug, Default)]
struct Verdict {
    refused: bool,
    status: Option<Ended>,
    eof: bool,
    closed: bool,
}

impl Verdict {
    /// Whether the server has nothing more to say.
    fn is_final(&self) -> bool {
        self.closed || self.refused
    }

    async fn ended(self, connection: &Connection, began: bool) -> Ended {
        match (self.status, self.closed) {
            (None, _) if self.refused && !began => Ended::NotStarted(Reason::Refused(
                "the server does not run commands for this login".to_owned(),
            )),
            (Some(status), true) => status,
            // Everything was said but the good-bye.
            (Some(status), false) if self.eof => status,
            (Some(Ended::Exited(code)), false) => Ended::Lost(format!(
                "{}; the command ended with exit {code}, the end of its output is missing",
                connection.whole_story().await
            )),
            (Some(_) | None, false) => Ended::Lost(connection.whole_story().await),
            (None, true) => Ended::Lost(
                "the server closed the channel without saying how the command ended".to_owned(),
            ),
        }
    }
}

/// How the program comes to run on a channel.
#[derive(Debug)]
pub(super) enum Start {
    /// By this command line.
    With(String),
    /// It runs already, behind sudo, and this was said before.
    Behind(Besides),
}

/// Who is expected to read the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Unix,
    Windows,
}

/// How it went.
#[derive(Debug)]
pub(super) enum Outcome {
    Ended(Ended),
    /// The login shell is not the expected one; it said this, and nothing ran.
    OtherShell(Vec<u8>),
}

/// How signals reach the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signals {
    /// As lines of its standard input, which its watcher reads.
    Lifeline,
    /// On a channel of their own, because its standard input is a terminal.
    Probe,
}

/// What is asked of the server.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) start: Start,
    pub(super) shell: Shell,
    /// Variables for the command; a server takes those it likes.  Nobody else's command has them: sudo would drop them.
    pub(super) environment: Vec<(String, Secret)>,
    /// What goes to the prologue.
    pub(super) lines: Bytes,
    /// How long the answer to the request itself may take, and each part of the order.
    pub(super) patience: Duration,
    pub(super) signals: Signals,
}

/// Runs the order on its channel.
pub(super) async fn run(
    ssh: &Ssh,
    order: &Order,
    mut channel: OpenChannel,
    mut request: Request,
    events: &mpsc::Sender<Event>,
    signal: watch::Receiver<Option<Signal>>,
) -> Outcome {
    let connection = channel.write.lease().connection();
    let mut relay = Relay::new(&order.run);
    let mut verdict = Verdict::default();
    let exited = AtomicBool::new(false);
    let mut answered = false;
    let (patience, signals, shell) = (request.patience, request.signals, request.shell);
    let mut untaken = request.lines.len();
    let left = AtomicUsize::new(untaken);
    if let Start::Behind(besides) = &mut request.start {
        answered = true;
        relay.read(Stream::Out, std::mem::take(&mut besides.out));
        relay.read(Stream::Err, std::mem::take(&mut besides.err));
    }
    {
        let feed = feed(
            channel.write.half(),
            connection,
            request,
            &left,
            &exited,
            signal.clone(),
            relay.begun(),
        );
        tokio::pin!(feed);
        let mut urgency = connection.urgency();
        let mut sweep = None;
        let unanswered = tokio::time::sleep(patience);
        tokio::pin!(unanswered);
        while !verdict.is_final() {
            let urgent = *urgency.borrow_and_update() > 0;
            let reading = !relay.is_full() || urgent && !relay.is_flooded();
            let _stalled = (!reading).then(|| connection.stall());
            tokio::select! {
                message = channel.read.wait(), if reading => match message {
                    Some(message) => {
                        if !matches!(message, ChannelMsg::WindowAdjusted { .. }) {
                            answered = true;
                        }
                        hear(message, &mut relay, &mut verdict);
                    }
                    None => break,
                },
                delivered = relay.deliver(events), if relay.is_ready() => {
                    if delivered.is_err() {
                        return Outcome::Ended(unheard());
                    }
                }
                () = &mut feed => {}
                _ = urgency.changed(), if !reading => {}
                () = relay::optional(&mut sweep) => {}
                () = &mut unanswered, if !answered
                    || relay.trace().is_none() && left.load(Ordering::Relaxed) > 0 =>
                {
                    let still = left.load(Ordering::Relaxed);
                    // The answer, or room for the order, may wait behind somebody else's output.
                    if connection.is_stalled() || answered && still < untaken {
                        untaken = still;
                        unanswered.as_mut().reset(Instant::now() + patience);
                        continue;
                    }
                    let why = if answered {
                        "takes no input for the command: nothing"
                    } else {
                        "did not answer the request to run the command"
                    };
                    let reason = Reason::Refused(format!(
                        "the server {why} within {}s",
                        patience.as_secs_f32()
                    ));
                    return Outcome::Ended(Ended::NotStarted(reason));
                }
            }
            if verdict.status.is_some() {
                exited.store(true, Ordering::Relaxed);
            }
            // The command may have ended before its first words came, and they tell where to look.
            let words_are_read = relay.trace().is_some() || verdict.eof;
            let unheard = verdict.status.is_some() || signals == Signals::Probe;
            if unheard && words_are_read && sweep.is_none() {
                sweep = Some(Box::pin(sweep_up(
                    ssh,
                    order,
                    relay.trace().cloned(),
                    signal.clone(),
                )));
            }
        }
    }
    relay.end();
    if relay.trace().is_none()
        && let Some(Ended::Exited(_)) = verdict.status
        && (shell == Shell::Windows || windows::is_shell(connection, relay.complaint()))
    {
        if verdict.closed {
            channel.write.closed_by_server();
        }
        return Outcome::OtherShell(relay.complaint().to_vec());
    }
    if relay.deliver_all(events).await.is_err() {
        return Outcome::Ended(unheard());
    }
    let (closed, began) = (verdict.closed, relay.trace().is_some());
    let ended = verdict.ended(channel.write.lease().connection(), began);
    let ended = match ended.await {
        // What was told to stop may have ended before its first words came.
        Ended::Exited(code) if !began && signal.borrow().is_none() => something_else(code),
        ended => ended,
    };
    if closed {
        channel.write.closed_by_server();
    }
    Outcome::Ended(ended)
}

/// What ended was not the command: that would have said that it began.
fn something_else(code: i32) -> Ended {
    Ended::NotStarted(Reason::Refused(format!(
        "the host ran something else than the command (a forced command?), which ended with exit {code}"
    )))
}

fn unheard() -> Ended {
    Ended::Lost("nobody takes its output".to_owned())
}

/// Takes one message of the server's.
fn hear(message: ChannelMsg, relay: &mut Relay, verdict: &mut Verdict) {
    match message {
        ChannelMsg::Data { data } => relay.read(Stream::Out, data),
        ChannelMsg::ExtendedData { data, .. } => relay.read(Stream::Err, data),
        ChannelMsg::ExitStatus { exit_status } => {
            verdict.status = Some(Ended::Exited(exit_status as i32));
        }
        ChannelMsg::ExitSignal { signal_name, .. } => {
            verdict.status = Some(Ended::Signaled(signal_word(&signal_name)));
        }
        ChannelMsg::Failure => verdict.refused = true,
        ChannelMsg::Eof => verdict.eof = true,
        ChannelMsg::Close => verdict.closed = true,
        // Success, window adjustments, and what only a client sends.
        _ => {}
    }
}

/// Writes the order and says how much of it is `left`, then the signals as they are asked for, as long as the command lives.
async fn feed(
    half: &ChannelWriteHalf<client::Msg>,
    connection: &Connection,
    request: Request,
    left: &AtomicUsize,
    exited: &AtomicBool,
    mut signal: watch::Receiver<Option<Signal>>,
    mut begun: watch::Receiver<bool>,
) {
    // What cannot be written has lost its connection, and the reading side says why.
    let mut written = match request.start {
        Start::With(line) => {
            let mut written = Ok(());
            for (name, value) in request.environment {
                if written.is_ok() {
                    written = half.set_env(false, name, value.reveal()).await;
                }
            }
            match written {
                Ok(()) => half.exec(true, line).await,
                Err(error) => Err(error),
            }
        }
        Start::Behind(_) => Ok(()),
    };
    let mut lines = request.lines;
    while written.is_ok() && !lines.is_empty() {
        let part = lines.split_to(PART.min(lines.len()));
        written = half.data_bytes(part).await;
        left.store(lines.len(), Ordering::Relaxed);
    }
    let mut looks = [].iter();
    while written.is_ok() && request.signals == Signals::Lifeline {
        let asked = loop {
            let next = relay::next_to_send(&mut signal, &mut begun);
            let Some(pause) = looks.next() else {
                break next.await;
            };
            match tokio::time::timeout(*pause, next).await {
                Ok(asked) => break asked,
                Err(_) if connection.is_stalled() => connection.answer().await,
                Err(_) => {}
            }
        };
        if exited.load(Ordering::Relaxed) {
            break;
        }
        looks = LOOKS.iter();
        let _urgent = connection.urgent();
        written = half
            .data_bytes(format!("{}\n", probe::signal_name(asked)))
            .await;
        // An answer to what was said after the signal means that the signal has arrived.
        connection.answer().await;
    }
    std::future::pending::<()>().await;
}

/// Passes signals on where nothing can be written for the command: it has a terminal, or has ended and what it left behind
/// holds its output open, so that the server no longer passes on what we write.  The probe that follows a stop finds out whether this helped.
async fn sweep_up(
    ssh: &Ssh,
    order: &Order,
    trace: Option<Trace>,
    mut signal: watch::Receiver<Option<Signal>>,
) {
    loop {
        let asked = relay::next_signal(&mut signal).await;
        let _ = ssh.ask(order, trace.as_ref(), Task::Send(asked)).await;
    }
}

/// Runs a program that answers a request, and returns what it wrote to standard output.
pub(super) async fn converse(
    mut channel: OpenChannel,
    start: Start,
    request: String,
) -> Result<Vec<u8>, String> {
    let half = channel.write.half();
    let sent = async {
        if let Start::With(line) = start {
            half.exec(true, line).await?;
        }
        half.data_bytes(request.into_bytes()).await
    };
    sent.await
        .map_err(|_: russh::Error| channel.write.lease().connection().why())?;
    let mut answer = Vec::new();
    while let Some(message) = channel.read.wait().await {
        match message {
            ChannelMsg::Data { data } if answer.len() + data.len() <= ANSWER => {
                answer.extend_from_slice(&data);
            }
            ChannelMsg::Data { .. } => return Err("the probe's answer is too long".to_owned()),
            ChannelMsg::Failure => {
                return Err("the server does not run commands for this login".to_owned());
            }
            ChannelMsg::Close => {
                channel.write.closed_by_server();
                return Ok(answer);
            }
            _ => {}
        }
    }
    Err(channel.write.lease().connection().why())
}

/// A signal's name without `SIG`.
pub(super) fn signal_word(signal: &Sig) -> String {
    match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        // OpenSSH names the standard signals only; all others are `SIG@openssh.com` (sig2name in session.c).
        Sig::Custom(name) => match name.split('@').next().unwrap_or_default() {
            "" | "SIG" => "?",
            name => return super::host_key::printable(name),
        },
    }
    .to_owned()
}

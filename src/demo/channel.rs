//! A session channel as the commands on a simulated computer see it: lines and signals in, two streams out.

use bytes::Bytes;
use russh::server::{Handle, Msg};
use russh::{ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};

use super::process::Signal;
use super::shell::{Output, Stream, Unread};
use super::wire::{Cut, Scissors};

/// An order, or one line, is not larger than this.
const LARGEST: usize = 8 << 20;

/// SSH's code for standard error (RFC 4254, section 5.2).
const STDERR: u32 = 1;

/// What the client sends.
#[derive(Debug)]
pub(super) struct Input {
    read: ChannelReadHalf,
    /// The beginning of the next line.
    held: Vec<u8>,
}

/// What was asked for.
#[derive(Debug)]
pub(super) enum Request {
    Exec(Vec<u8>),
    /// A shell to type at.
    Interactive,
}

/// What comes on standard input, or beside it.
#[derive(Debug)]
pub(super) enum Item {
    /// Without its end.
    Line(Vec<u8>),
    Signal(Signal),
    /// The end of standard input; also a line that is too long to be one.
    End,
    Closed,
}

/// What the prologue reads before it runs anything.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) run: String,
    pub(super) host: String,
    pub(super) job: String,
    pub(super) child: String,
    /// Empty for a command line.
    pub(super) interpreter: String,
    pub(super) text: String,
}

impl Input {
    pub(super) fn new(read: ChannelReadHalf) -> Self {
        Self {
            read,
            held: Vec::new(),
        }
    }

    /// Waits until something is asked for; nothing comes on a channel that is closed before.
    pub(super) async fn request(&mut self, connection: &Handle, id: ChannelId) -> Option<Request> {
        loop {
            match self.read.wait().await? {
                ChannelMsg::Exec { command, .. } => return Some(Request::Exec(command)),
                ChannelMsg::RequestShell { .. } => return Some(Request::Interactive),
                ChannelMsg::RequestPty { .. } | ChannelMsg::RequestSubsystem { .. } => {
                    connection.channel_failure(id).await.ok()?;
                }
                ChannelMsg::Close => return None,
                // Nothing else matters before there is a command, environment variables included.
                _ => {}
            }
        }
    }

    /// The next line or signal.  Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Item {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let rest = self.held.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.held, rest);
                line.pop();
                return Item::Line(line);
            }
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) if self.held.len() + data.len() > LARGEST => {
                    return Item::End;
                }
                Some(ChannelMsg::Data { data }) => self.held.extend_from_slice(&data),
                Some(ChannelMsg::Signal { signal }) => {
                    if let Some(signal) = from_ssh(&signal) {
                        return Item::Signal(signal);
                    }
                }
                Some(ChannelMsg::Eof) => return Item::End,
                Some(ChannelMsg::Close) | None => return Item::Closed,
                // Window adjustments and the like.
                Some(_) => {}
            }
        }
    }

    /// The next signal, of a command that does not read its standard input; nothing once the channel is closed.
    pub(super) async fn signal(&mut self) -> Option<Signal> {
        loop {
            match self.read.wait().await? {
                ChannelMsg::Signal { signal } => {
                    if let Some(signal) = from_ssh(&signal) {
                        return Some(signal);
                    }
                }
                ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }

    /// Comes when the client has closed the channel.
    pub(super) async fn closed(&mut self) {
        while self.signal().await.is_some() {}
    }

    /// A line of text; nothing if there is none.
    async fn line(&mut self) -> Option<String> {
        loop {
            match self.next().await {
                Item::Line(line) => return String::from_utf8(line).ok(),
                // The programs ignore them while they read their orders.
                Item::Signal(_) => {}
                Item::End | Item::Closed => return None,
            }
        }
    }

    /// So many lines.
    pub(super) async fn lines<const N: usize>(&mut self) -> Option<[String; N]> {
        let mut lines = Vec::with_capacity(N);
        for _ in 0..N {
            lines.push(self.line().await?);
        }
        lines.try_into().ok()
    }

    /// An order as [`crate::runner::prologue`] writes it; nothing if it is not whole.
    pub(super) async fn order(&mut self) -> Option<Order> {
        let [run, host, job, child, interpreter, count] = self.lines().await?;
        let count: usize = count.parse().ok().filter(|count| *count > 0)?;
        let mut text = self.line().await?;
        for _ in 1..count {
            text.push('\n');
            text.push_str(&self.line().await?);
            if text.len() > LARGEST {
                return None;
            }
        }
        (self.line().await? == run).then_some(Order {
            run,
            host,
            job,
            child,
            interpreter,
            text,
        })
    }
}

/// What the client reads.
#[derive(Debug)]
pub(super) struct ToChannel {
    write: ChannelWriteHalf<Msg>,
    /// Cuts the connection behind the command's first output.
    cut_after: Option<(Handle, Scissors)>,
}

impl ToChannel {
    pub(super) fn new(write: ChannelWriteHalf<Msg>, cut_after: Option<(Handle, Scissors)>) -> Self {
        Self { write, cut_after }
    }

    /// What is not the command's output.
    pub(super) async fn write_own(&self, line: String) -> Result<(), Unread> {
        self.write.data_bytes(line).await.map_err(|_| Unread)
    }
}

impl Output for ToChannel {
    async fn write(&self, stream: Stream, data: Bytes) -> Result<(), Unread> {
        let written = match stream {
            Stream::Out => self.write.data_bytes(data).await,
            Stream::Err => self.write.extended_data_bytes(STDERR, data).await,
        };
        if let Some((connection, scissors)) = &self.cut_after {
            // Its answer, whatever it is, comes after everything was read.
            _ = connection.channel_open_forwarded_tcpip("", 0, "", 0).await;
            scissors.cut(Cut::Close);
        }
        written.map_err(|_| Unread)
    }
}

fn from_ssh(signal: &Sig) -> Option<Signal> {
    match signal {
        Sig::HUP => Some(Signal::Hangup),
        Sig::INT => Some(Signal::Interrupt),
        Sig::QUIT => Some(Signal::Quit),
        Sig::KILL => Some(Signal::Kill),
        Sig::TERM => Some(Signal::Terminate),
        // Nothing here handles or dies of the others.
        _ => None,
    }
}

pub(super) fn to_ssh(signal: Signal) -> Sig {
    match signal {
        Signal::Hangup => Sig::HUP,
        Signal::Interrupt => Sig::INT,
        Signal::Quit => Sig::QUIT,
        Signal::Kill => Sig::KILL,
        Signal::Terminate => Sig::TERM,
    }
}

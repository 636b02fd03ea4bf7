//! How a child runs on a computer: job types are an extension point, and this trait is it.
//!
//! A runner knows nothing of masters, queues, states or stores.  It is handed one [`Order`], reports what happens through
//! a bounded channel (a full channel is backpressure: the runner stops reading), obeys the signals it is told to send, and
//! says how the run ended.  Everything above treats all runners alike.

mod ask;
pub mod local;
pub mod ssh;

pub(crate) mod probe;
pub(crate) mod prologue;
mod relay;
pub(crate) mod secrets;
#[cfg(test)]
mod shells;
pub(crate) mod sudo;
mod windows;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::core::ids::{ChildId, JobId};
use crate::core::output::Stream;
use crate::core::spec::{
    Asking, Ended, Host, Inquiry, Motion, Moved, Payload, Proof, Signal, Trace,
};

use crate::secret::{Environment, Secret};

pub use ask::{Ask, Pocket};

/// A boxed future, so that runners can be held behind `dyn`.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A way to run commands on a computer.
pub trait Runner: fmt::Debug + Send + Sync + 'static {
    /// Runs `order` from its first packet to its last.
    ///
    /// Sends [`Event::Began`] once the command runs, then its output; the future ends after the last event was accepted.
    /// A login shell that never comes to the command (`nologin`, a forced command) may write without it, and ends as
    /// [`Ended::NotStarted`]; a profile that prints more than is held back is passed on before it.
    /// `signal` starts as `None` and only ever rises (`Term`, then `Kill`): before the command runs it means
    /// [`Ended::Aborted`], afterwards the signal goes to the whole process group.  When the future is dropped the
    /// connection is let go, and what still runs is ended by its lifeline.
    fn run(
        self: Arc<Self>,
        order: Order,
        events: mpsc::Sender<Event>,
        signal: watch::Receiver<Option<Signal>>,
    ) -> Boxed<Ended>;

    /// Finds out what of `order` is alive.  To end it ([`Inquiry::End`]), processes of its session get their grace, then
    /// KILL; what left the session is looked for and reported, not killed.
    fn prove(self: Arc<Self>, order: Order, trace: Option<Trace>, inquiry: Inquiry)
    -> Boxed<Proof>;

    /// Lets the command of `order` stand still, or go on, and finds out whether it does: all of its session but what
    /// watches it, so that a command that is suspended still ends with its lifeline.  What left the session is neither
    /// told nor looked at.
    fn set_in_motion(
        self: Arc<Self>,
        order: Order,
        trace: Option<Trace>,
        motion: Motion,
    ) -> Boxed<Moved> {
        let _ = (order, trace, motion);
        Box::pin(async { Moved::Unknown("its runner suspends nothing".to_owned()) })
    }

    /// How many connections it has open, in use or kept.
    fn connections(&self) -> usize {
        0
    }

    /// Where they lead to.
    fn connected(&self) -> Vec<Connected> {
        Vec::new()
    }

    /// Closes connections, and says which; those that are in use may stay.
    fn disconnect(self: Arc<Self>, which: Which, in_use: InUse) -> Boxed<Vec<Disconnected>> {
        let _ = (which, in_use);
        Box::pin(async { Vec::new() })
    }

    /// Lets go of everything it keeps between runs.
    fn close(self: Arc<Self>) -> Boxed<()> {
        Box::pin(async {})
    }
}

/// A connection that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The hosts it leads to, as orders call them: several names may mean one.  A hop is called as the configuration
    /// does.
    pub hosts: Vec<String>,
    pub user: String,
    /// The name or address that was connected to.
    pub address: String,
    pub port: u16,
    pub through: Through,
    pub carries: Carries,
    /// How many commands or connections it carries now.
    pub channels: usize,
    pub age: Duration,
    /// How long nobody has used it; `None` while somebody does.
    pub idle: Option<Duration>,
    /// Bytes that came and went.
    pub received: u64,
    pub sent: u64,
}

/// What a connection leads through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    /// These hops, the first one first; none is a direct connection.
    Hops(Vec<String>),
    /// A program.
    Command(String),
}

/// What a connection is for.  One that carries others carries nothing else: a command whose output nobody takes may keep
/// its own connection waiting, but not the hosts behind a bastion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carries {
    Commands,
    Connections,
}

/// Connections to be closed, and with them those that run through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those to these hosts and hops, by any of their names.
    Of(Vec<String>),
}

/// What is done about a connection that carries commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUse {
    Stays,
    /// Its commands are lost, and ended by their lifelines.
    IsClosed,
}

/// What became of a connection that was to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    Closed(Connected),
    /// It carries commands, or connections that do.
    InUse(Connected),
}

/// One child's work.
#[derive(Clone, Debug)]
pub struct Order {
    pub job: JobId,
    pub child: ChildId,
    pub host: Host,
    pub payload: Arc<Payload>,
    /// A random name for this run, 32 hexadecimal digits.  Every process the command starts inherits it in its
    /// environment as `REGATTA_RUN`, so that a probe finds them.
    pub run: Arc<str>,
    /// How long reaching the host and logging in may take.
    pub connect_timeout: Duration,
    /// The job's settings for its runner.
    pub options: Arc<[(String, String)]>,
    /// Whether it may ask.
    pub asking: Asking,
    /// What was answered in this job.
    pub pocket: Pocket,
    /// What the operator's environment sends along, where a host is sent it.
    pub environment: Arc<Environment>,
    /// What the script needs beside its text, as variables.
    pub secrets: Arc<[(String, Secret)]>,
}

/// What a runner reports of its run.
#[derive(Debug)]
pub enum Event {
    /// The command runs.
    Began(Trace),
    /// It wrote this.
    Output(Stream, Bytes),
    /// It needs an operator's answer to go on, and waits for it.
    Asks(Ask),
    /// It needs none any more: it has one, or has found another way.
    GoesOn,
}

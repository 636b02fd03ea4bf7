//! Hosts whose login shell is one of Windows: which ones they are, and how commands run there.
//!
//! Every host is taken for one of Unix until its login shell did not come to the prologue and said so as cmd or PowerShell
//! do, or its server is Microsoft's, in whose case the words may be in any language.  Then the order is tried once more the
//! other way ([`crate::runner::windows`]), and the way is remembered until it fails.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use super::caller::Caller;
use super::channel::OpenChannel;
use super::connection::Connection;
use super::host_key::printable;
use super::route::{Key, Target};
use super::session::{self, Outcome, Request, Shell, Signals, Start};
use super::{Opened, Ssh, tty};
use crate::core::reason::Reason;
use crate::core::spec::{Ended, Signal, Trace};
use crate::runner::probe::{self, Task};
use crate::runner::{Event, Order, relay, sudo, windows};

/// How many hosts are remembered.  One that is forgotten costs a command line more.
const MOST: usize = 4096;

/// The hosts that were found to be Windows.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashSet<Arc<Key>>>);

impl Windows {
    pub(super) fn has(&self, target: &Target) -> bool {
        self.known().contains(&target.key)
    }

    pub(super) fn learn(&self, target: &Target) {
        let mut known = self.known();
        if known.len() < MOST {
            known.insert(Arc::clone(&target.key));
        }
    }

    fn forget(&self, target: &Target) {
        self.known().remove(&target.key);
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Arc<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a login shell that did not come to the prologue, and said this, is one of Windows.
pub(super) fn is_shell(connection: &Connection, complaint: &[u8]) -> bool {
    windows::is_greeting(connection.greeting()) || windows::is_complaint(complaint)
}

/// Whether the server at the other end is Microsoft's.
pub(super) fn is_server(channel: &OpenChannel) -> bool {
    windows::is_greeting(channel.write.lease().connection().greeting())
}

/// How an order ended whose sudo did not come to the prologue: Windows has none.
pub(super) fn without_sudo(channel: &OpenChannel, ended: Ended) -> Ended {
    match ended {
        Ended::NotStarted(_) if is_server(channel) => Ended::NotStarted(no("--sudo")),
        ended => ended,
    }
}

fn no(what: &str) -> Reason {
    Reason::Refused(format!(
        "this is a Windows host, where there is no {what}: run it without"
    ))
}

/// What of the order is not to be had there.
fn refusal(order: &Order) -> Result<(), Reason> {
    if sudo::target(order).is_some() {
        return Err(no("--sudo"));
    }
    match tty::wanted(order)? {
        Some(_) => Err(no("--tty")),
        None => Ok(()),
    }
}

impl Ssh {
    /// Runs the order on a host that was just found to be Windows.
    pub(super) async fn run_again(
        &self,
        order: &Order,
        events: &mpsc::Sender<Event>,
        mut signal: watch::Receiver<Option<Signal>>,
    ) -> Ended {
        let opened = tokio::select! {
            biased;
            _ = relay::next_signal(&mut signal) => return Ended::Aborted,
            opened = self.open(order, Caller::run(order, events)) => opened,
        };
        match opened {
            Ok(opened) => self.run_on_windows(order, opened, events, signal).await,
            Err(reason) => Ended::NotStarted(reason),
        }
    }

    /// Runs the order on a host that is known to be Windows.
    pub(super) async fn run_on_windows(
        &self,
        order: &Order,
        opened: Opened,
        events: &mpsc::Sender<Event>,
        signal: watch::Receiver<Option<Signal>>,
    ) -> Ended {
        let Opened {
            channel,
            patience,
            target,
        } = opened;
        let lines = match refusal(order).and_then(|()| windows::order_lines(order)) {
            Ok(lines) => lines,
            Err(reason) => return Ended::NotStarted(reason),
        };
        let request = Request {
            start: Start::With(windows::exec_line()),
            shell: Shell::Windows,
            environment: target.environment.clone(),
            lines,
            patience,
            signals: Signals::Lifeline,
        };
        match session::run(self, order, channel, request, events, signal).await {
            Outcome::Ended(ended) => ended,
            Outcome::OtherShell(said) => {
                self.windows.forget(&target);
                let said = printable(&String::from_utf8_lossy(&said));
                Ended::NotStarted(Reason::Refused(format!(
                    "the login shell is one of Windows, and its PowerShell did not start the command; it said {said:?}"
                )))
            }
        }
    }

    /// Runs the probe on a host that was just found to be Windows.
    pub(super) async fn ask_again(
        &self,
        order: &Order,
        trace: Option<&Trace>,
        task: Task,
    ) -> Result<Vec<u8>, String> {
        let opened = self.open(order, Caller::aside(order)).await;
        let opened = opened.map_err(|reason| reason.to_string())?;
        ask(order, opened.channel, trace, task).await
    }
}

/// Runs the probe on a host that is known to be Windows, and returns what it wrote.
pub(super) async fn ask(
    order: &Order,
    channel: OpenChannel,
    trace: Option<&Trace>,
    task: Task,
) -> Result<Vec<u8>, String> {
    let request = windows::request(&order.run, trace, task)?;
    let talk = session::converse(channel, Start::With(windows::probe_line()), request);
    tokio::time::timeout(probe::patience(task), talk)
        .await
        .map_err(|_| "the probe did not answer in time".to_owned())?
}

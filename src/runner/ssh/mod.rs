//! Commands on other computers over SSH, spoken in this process (russh); no `ssh` is started.
//!
//! One [`Ssh`] serves all jobs: it resolves a host as OpenSSH would ([`crate::config::ssh_config`]), connects or takes a connection
//! from its pool, and runs the prologue on a channel of its own.  Host keys are strict; what only an operator can know is
//! asked for, if the order may ask.
//!
//! Options ([`Order::options`]), all may be missing:
//! - `ssh_config`: the file to read instead of the user's and the system's configuration, as `ssh -F`; `none` for none.
//! - `ssh_option`: a setting as after `ssh -o`, `Name=value`; may be given several times.
//! - `connect_timeout`: `order`, if the order's own limit comes before any `ConnectTimeout` in a file.
//! - `agent`: the agent's socket, the `SSH_AUTH_SOCK` of whoever asks.
//! - `hop_address`, `hop_user`, `hop_port`: what an inventory says of a hop that `ProxyJump` names, `NAME VALUE`; each may
//!   be given for several hops.
//! - `sudo`: the user to become there, see [`super::sudo`].
//! - `tty`: a terminal for the command, of this size.
//!
//! Deliberately not here: forwarding of any kind.

mod algorithms;
mod auth;
mod caller;
mod channel;
mod connect;
mod connection;
mod desk;
mod dial;
mod failure;
mod files;
mod host_certificate;
mod host_key;
mod host_key_update;
mod identity;
pub mod known_hosts;
mod pace;
mod pool;
mod proxy;
mod route;
mod session;
mod sudo;
mod tty;
mod tunnel;
mod windows;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::probe::{self, Task};
use super::sudo::Climb;
use super::{Boxed, Connected, Disconnected, Event, InUse, Order, Runner, Which, prologue, relay};
use crate::config::ssh_config::{ConfigError, HostSettings, IdentityAgent, LocalEnv, Overrides};
use crate::core::reason::Reason;
use crate::core::spec::{Ended, Host, Inquiry, Motion, Moved, Proof, Signal, Trace};
use caller::Caller;
use channel::OpenChannel;
use files::Files;
use pool::Pool;
use route::Target;
use session::{Outcome, Shell, Start};
use windows::Windows;

pub use pool::Keep;

/// Keeps connections to other computers and runs commands on them.
#[derive(Debug)]
pub struct Ssh {
    files: Arc<Files>,
    pool: Arc<Pool>,
    windows: Windows,
}

impl Runner for Ssh {
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

    fn connections(&self) -> usize {
        Self::connections(self)
    }

    fn connected(&self) -> Vec<Connected> {
        self.pool.connected()
    }

    fn disconnect(self: Arc<Self>, which: Which, in_use: InUse) -> Boxed<Vec<Disconnected>> {
        Box::pin(async move { self.pool.disconnect(&which, in_use).await })
    }

    fn close(self: Arc<Self>) -> Boxed<()> {
        Box::pin(async move { self.close_all().await })
    }
}

/// A channel, and whose it is.
struct Opened {
    channel: OpenChannel,
    /// How long reaching the host could have taken, and how long what follows may.
    patience: Duration,
    /// Where it leads, and who is logged in there.
    target: Arc<Target>,
}

/// Takes in what an option says of a hop.
fn learn_hop(hops: &mut HashMap<String, Host>, option: &str, value: &str) -> Result<(), Reason> {
    let wrong = || Reason::BadSettings(format!("the ssh runner reads {option} as NAME VALUE"));
    let (name, value) = value.split_once(' ').ok_or_else(wrong)?;
    let hop = (hops.entry(name.to_owned())).or_insert_with(|| Host::named(name));
    match option {
        "hop_user" => hop.user = Some(value.to_owned()),
        "hop_port" => hop.port = Some(value.parse().map_err(|_| wrong())?),
        _ => hop.address = Some(value.to_owned()),
    }
    Ok(())
}

/// Gives the channel the terminal that the order wants, if any.
async fn terminal(
    order: &Order,
    channel: &mut OpenChannel,
    patience: Duration,
) -> Result<(), Reason> {
    match tty::wanted(order)? {
        Some(size) => tty::allocate(channel, size, patience).await,
        None => Ok(()),
    }
}

impl Ssh {
    /// A runner for the user and the computer that `env` describes, without connections yet.
    pub fn new(env: LocalEnv) -> Self {
        Self::keeping(Keep::default(), env)
    }

    /// The same, which keeps connections in its own way.
    pub fn keeping(keep: Keep, env: LocalEnv) -> Self {
        let files = Arc::new(Files::new(env));
        Self {
            pool: Arc::new(Pool::new(keep, Arc::clone(&files))),
            files,
            windows: Windows::default(),
        }
    }

    /// How many connections are open, in use or kept.
    pub fn connections(&self) -> usize {
        self.pool.connections()
    }

    /// How many of them take no new commands for now, because somebody does not take the output of one.
    pub fn stalled(&self) -> usize {
        self.pool.stalled()
    }

    /// Says good-bye to every server and closes all connections; what still runs over them is ended by its lifeline.
    pub async fn close_all(&self) {
        self.pool.close_all().await;
    }

    async fn carry_out(
        &self,
        order: &Order,
        events: &mpsc::Sender<Event>,
        mut signal: watch::Receiver<Option<Signal>>,
    ) -> Ended {
        let lines = match prologue::order_lines(order) {
            Ok(lines) => lines,
            Err(reason) => return Ended::NotStarted(reason),
        };
        if relay::asked(&mut signal).is_some() {
            return Ended::Aborted;
        }
        let opened = tokio::select! {
            biased;
            _ = relay::next_signal(&mut signal) => return Ended::Aborted,
            opened = self.open(order, Caller::run(order, events)) => opened,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(reason) => return Ended::NotStarted(reason),
        };
        if self.windows.has(&opened.target) {
            return self.run_on_windows(order, opened, events, signal).await;
        }
        let Opened {
            mut channel,
            patience,
            target,
        } = opened;
        if let Err(reason) = terminal(order, &mut channel, patience).await {
            return Ended::NotStarted(reason);
        }
        let start = match super::sudo::target(order) {
            None => Start::With(prologue::exec_line()),
            Some(user) => {
                let climb = Climb::new(order, user, target.key.user(), patience);
                let program = (prologue::PROGRAM, prologue::NAME);
                match sudo::climb(climb, program, &mut channel, Some(events), &mut signal).await {
                    Ok(besides) => Start::Behind(besides),
                    Err(ended) => return windows::without_sudo(&channel, ended),
                }
            }
        };
        let request = session::Request {
            start,
            shell: Shell::Unix,
            environment: target.environment.clone(),
            lines,
            patience,
            signals: match tty::wanted(order) {
                Ok(None) => session::Signals::Lifeline,
                Ok(Some(_)) | Err(_) => session::Signals::Probe,
            },
        };
        match session::run(self, order, channel, request, events, signal.clone()).await {
            Outcome::Ended(ended) => ended,
            Outcome::OtherShell(_) => {
                self.windows.learn(&target);
                self.run_again(order, events, signal).await
            }
        }
    }

    /// A channel to the order's host, over a kept connection or a new one.
    async fn open(&self, order: &Order, mut caller: Caller<'_>) -> Result<Opened, Reason> {
        let target = Arc::new(self.target(order).await?);
        caller.asking = target.asking(caller.asking);
        let limit = order.connect_timeout;
        let channel = self.pool.open(&target, &caller, limit).await?;
        Ok(Opened {
            channel,
            patience: target.connect_timeout(limit),
            target,
        })
    }

    /// Runs the probe on a channel of its own and returns what it wrote.
    async fn ask(
        &self,
        order: &Order,
        trace: Option<&Trace>,
        task: Task,
    ) -> Result<Vec<u8>, String> {
        let opened = self
            .open(order, Caller::aside(order))
            .await
            .map_err(|reason| reason.to_string())?;
        if self.windows.has(&opened.target) {
            return windows::ask(order, opened.channel, trace, task).await;
        }
        let Opened {
            mut channel,
            patience,
            target,
        } = opened;
        let windows = windows::is_server(&channel);
        let request = probe::request(&order.run, trace, task);
        let talk = async {
            let start = match super::sudo::target(order) {
                None => Start::With(probe::exec_line()),
                Some(user) => {
                    // What sudo wanted for the command it wants for the probe.
                    terminal(order, &mut channel, patience)
                        .await
                        .map_err(|reason| reason.to_string())?;
                    let climb = Climb::new(order, user, target.key.user(), patience).aside();
                    let program = (probe::PROGRAM, probe::ANSWER);
                    let (_never, mut signal) = watch::channel(None);
                    match sudo::climb(climb, program, &mut channel, None, &mut signal).await {
                        Ok(besides) => Start::Behind(besides),
                        Err(ended) => return Err(super::sudo::why(&ended)),
                    }
                }
            };
            session::converse(channel, start, request).await
        };
        let output = tokio::time::timeout(probe::patience(task), talk)
            .await
            .map_err(|_| "the probe did not answer in time".to_owned())??;
        if windows && !probe::is_answered(&order.run, &output) {
            self.windows.learn(&target);
            return self.ask_again(order, trace, task).await;
        }
        Ok(output)
    }

    /// Everything that is set for the order's host.
    async fn target(&self, order: &Order) -> Result<Target, Reason> {
        self.files.for_job(order.job);
        let host = &order.host;
        let env = self.files.env();
        let wrong = |error: ConfigError| Reason::BadSettings(error.to_string());
        let mut overrides = Overrides::of_host(host, env).map_err(wrong)?;
        let mut set = Vec::new();
        let mut hops = HashMap::new();
        let (mut config, mut agent, mut own_limit) = (None, None, false);
        for (name, value) in order.options.iter() {
            match name.as_str() {
                "ssh_config" => config = Some(PathBuf::from(value)),
                "ssh_option" => set.push(value.clone()),
                "agent" => agent = Some(PathBuf::from(value)),
                "hop_address" | "hop_user" | "hop_port" => learn_hop(&mut hops, name, value)?,
                // What is run over the connection, not how it is made.
                super::sudo::OPTION | tty::OPTION => {}
                "connect_timeout" if value == "order" => own_limit = true,
                _ => {
                    return Err(Reason::BadSettings(format!(
                        "the ssh runner has no option {name:?}; it has ssh_config, ssh_option, agent, hop_address, hop_user, hop_port, sudo, tty and connect_timeout = order"
                    )));
                }
            }
        }
        for option in set {
            overrides = overrides.option(&option, env).map_err(wrong)?;
        }
        let config = self.files.config(config).await.map_err(wrong)?;
        let resolved = self
            .files
            .settings(&config, &host.host, overrides, hops)
            .await;
        let (mut settings, hops) = resolved.map_err(wrong)?;
        if own_limit {
            settings.connect_timeout = None;
        }
        let callers = agent.as_deref();
        let agents = |settings: &HostSettings| -> Option<PathBuf> {
            match settings.identity_agent.as_ref().map(|agent| &agent.value) {
                None => agent.clone(),
                Some(IdentityAgent::Disabled) => None,
                Some(IdentityAgent::Socket(path)) => Some(path.clone()),
                Some(IdentityAgent::Variable(name)) if name == "SSH_AUTH_SOCK" => agent.clone(),
                Some(IdentityAgent::Variable(name)) => env.variables.get(name).map(PathBuf::from),
            }
        };
        let target = Target::resolve(settings, hops, agents, callers)?;
        Ok(target.with_variables(&order.environment))
    }
}

//! Where the parts are put together: runners, store, engine, service, and the daemon process around them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::audit::{Audit, Span, Who};
use super::place::{BEGINS, Place};
use super::server::{Server, ServerError};
use super::session::Service;
use crate::config::settings::Settings;
use crate::config::ssh_config::LocalEnv;
use crate::engine::{Engine, Runners};
use crate::runner::Runner;
use crate::runner::local::Local;
use crate::runner::ssh::Ssh;
use crate::store::{Caps, OpenError, Saved, Store};

/// A log that is longer begins anew with the next daemon.
const LONGEST_LOG: u64 = 5 << 20;

/// What a daemon does with the terminal it was started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    Keep,
    /// Says `ready` on stdout, and lets go.
    LetGo,
}

/// A service whose jobs end with this process; who had what done is noted in the file `audit`.
pub fn passing_service(
    settings: &Settings,
    audit: Option<PathBuf>,
) -> Result<Arc<Service>, OpenError> {
    let store = Store::temporary(caps(settings))?;
    let env = LocalEnv::current();
    let audit = audit.map_or_else(Audit::none, |file| {
        Audit::in_file(file, env.user.clone(), Span::Passing)
    });
    Ok(service(store, Saved::default(), settings, env, audit))
}

fn caps(settings: &Settings) -> Caps {
    let in_memory = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    Caps {
        head: in_memory(settings.buffer.head),
        tail: in_memory(settings.buffer.tail),
        job: settings.buffer.job,
    }
}

/// An engine with everything it needs, and the service in front of it.
fn service(
    store: Store,
    saved: Saved,
    settings: &Settings,
    env: LocalEnv,
    audit: Audit,
) -> Arc<Service> {
    let runners = Runners::from([
        ("ssh", Arc::new(Ssh::new(env)) as Arc<dyn Runner>),
        ("local", Arc::new(Local::new()) as Arc<dyn Runner>),
    ]);
    let (engine, task) = Engine::start(runners, store, saved, settings.keep);
    Service::new(engine, task, audit)
}

/// Serves a service of this process on a socket as well, for programs that this one starts; until the task is aborted.
pub fn listen(
    place: &Place,
    service: Arc<Service>,
) -> Result<tokio::task::JoinHandle<()>, ServerError> {
    let server = Server::bind(place)?;
    Ok(tokio::spawn(async move {
        drop(server.serve(service, std::future::pending()).await);
    }))
}

/// Is the daemon until it is told to end.
pub async fn daemon(
    place: &Place,
    settings: &Settings,
    terminal: Terminal,
    verbose: u8,
) -> Result<(), ServerError> {
    let refused = |error: ServerError| {
        if terminal == Terminal::LetGo {
            // Whoever starts us reads this.
            let hint = error.hint().map(|hint| format!("\n{hint}"));
            let said = format!("{error}{}", hint.unwrap_or_default());
            _ = std::io::stdout().write_all(said.as_bytes());
        }
        error
    };
    let server = Server::bind(place).map_err(refused)?;
    log_daemon(place, terminal, verbose);
    tracing::info!(
        pid = std::process::id(),
        version = env!("CARGO_PKG_VERSION"),
        "{BEGINS}"
    );
    raise_descriptor_limit();
    let opened = Store::open(place.state(), caps(settings));
    let (store, saved) = opened.map_err(ServerError::Store).map_err(refused)?;
    let env = LocalEnv::current();
    let audit = Audit::in_file(place.audit(), env.user.clone(), Span::Lasting);
    let who = Who::at(Some(std::process::id()));
    audit.note(&who, "daemon start", Value::Null).await;
    let service = service(store, saved, settings, env, audit.clone());
    if terminal == Terminal::LetGo {
        let_go().map_err(ServerError::Io)?;
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Io)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Io)?;
    // A terminal that goes away is no reason to end: outliving it is what a daemon is for.
    let mut hangup = signal(SignalKind::hangup()).map_err(ServerError::Io)?;
    let end = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => {}
            }
        }
    };
    let lock = server.serve(Arc::clone(&service), end).await;
    if !service.was_told_to_end() {
        // Whoever sent the signal is not known.
        audit
            .note(&Who::default(), "daemon stop", Value::Null)
            .await;
    }
    service.close().await;
    // The next daemon begins when this one has nothing left.
    drop(lock);
    Ok(())
}

/// Says that we listen, and becomes a process of its own: own session, no terminal, no pipe to whoever started it.
fn let_go() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(b"ready\n")?;
    out.flush()?;
    // Fails only for a leader of a process group, which is then without a terminal of ours anyway.
    _ = rustix::process::setsid();
    let null = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// What is logged: the usual, or by how often `-v` was given, unless `REGATTA_LOG` says otherwise.
fn filter(usual: &str, verbose: u8) -> EnvFilter {
    let default = match verbose {
        0 => usual,
        1 => "warn,regatta=debug",
        _ => "warn,regatta=debug,russh=debug",
    };
    EnvFilter::try_from_env("REGATTA_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}

/// The daemon's log is a file, or stderr where it keeps the terminal.
fn log_daemon(place: &Place, terminal: Terminal, verbose: u8) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter("warn,regatta=info,russh=error", verbose))
        .with_ansi(false);
    let too_long = std::fs::metadata(place.log()).is_ok_and(|log| log.len() > LONGEST_LOG);
    if too_long {
        // The one before it goes; if that fails, the log grows on.
        _ = std::fs::rename(place.log(), place.log().with_extension("log.1"));
    }
    let log = std::fs::File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(place.log());
    // Without a log the daemon still works; a second subscriber in one process is nobody's fault.
    _ = match (terminal, log) {
        (Terminal::LetGo, Ok(log)) => builder.with_writer(std::sync::Mutex::new(log)).try_init(),
        _ => builder.with_writer(std::io::stderr).try_init(),
    };
}

/// A command with `-v` says on stderr what it does; without it, nothing.
pub fn log_command(verbose: u8) {
    if verbose > 0 {
        // A second subscriber in one process is nobody's fault.
        _ = tracing_subscriber::fmt()
            .with_env_filter(filter("off", verbose))
            .with_ansi(false)
            .with_writer(std::io::stderr)
            .try_init();
    }
}

/// Takes all the descriptors the system allows, each connection is one, and says how many that is.
pub fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    ) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

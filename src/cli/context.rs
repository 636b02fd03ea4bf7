//! What every verb needs: settings, a way to the engine, and the terminal.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::CliError;
use super::terminal::Terminal;
use super::together::Area;
use crate::command::Global;
use crate::config::settings::Settings;
use crate::daemon::client::{Absent, Connection, New, Reach};
use crate::daemon::place::Place;
use crate::daemon::{OpenError, Service, assemble};
use crate::plan::{Caller, Planner, Stdin};
use crate::view::text;
use crate::wire::{Reply, Request};

pub(super) struct Context {
    pub(super) global: Global,
    pub(super) settings: Settings,
    pub(super) terminal: Terminal,
    /// Where what goes on is drawn.
    pub(super) area: Area,
    caller: Caller,
    reach: Result<Reach, crate::daemon::place::PlaceError>,
    in_process: Option<Arc<Service>>,
}

impl Context {
    pub(super) fn new(global: Global) -> Result<Self, CliError> {
        let audit = Place::audit_without_daemon(variable);
        Self::with(global, audit)
    }

    /// A context that leaves no trace of the user's own.
    pub(super) fn of_demo(global: Global) -> Result<Self, CliError> {
        Self::with(global, None)
    }

    fn with(global: Global, audit: Option<PathBuf>) -> Result<Self, CliError> {
        let settings = Settings::load(global.config.as_deref(), config_directory().as_deref())?;
        let cannot = |error: OpenError| {
            CliError::usage(error.to_string()).hint("set TMPDIR to a directory with room")
        };
        let in_process = (global.no_daemon)
            .then(|| assemble::passing_service(&settings, audit))
            .transpose()
            .map_err(cannot)?;
        let reach = match &in_process {
            Some(service) => Ok(Reach::InProcess(Arc::clone(service))),
            None => Place::find(variable).map(|place| through_daemon(place, &global)),
        };
        Ok(Self {
            terminal: Terminal::new(global.color),
            area: Area::default(),
            caller: Caller::current(Stdin::Read),
            global,
            settings,
            reach,
            in_process,
        })
    }

    /// The way through the daemon at a place.
    pub(super) fn through(&self, place: &Place) -> Reach {
        through_daemon(place.clone(), &self.global)
    }

    /// A daemon that has to be started does not inherit these variables: there are secrets in them.
    pub(super) fn withhold(&mut self, variables: Vec<String>) {
        if let Ok(Reach::Daemon { new, .. }) = &mut self.reach {
            new.without = variables;
        }
    }

    /// Where the daemon is, for those that are about the daemon itself.
    pub(super) fn place() -> Result<Place, CliError> {
        Place::find(variable).map_err(|error| CliError::usage(error.to_string()).hint(error.hint()))
    }

    /// What makes requests of what was typed.
    pub(super) fn planner(&self) -> Planner<'_> {
        Planner {
            settings: &self.settings,
            global: &self.global,
            caller: &self.caller,
        }
    }

    /// Asks the engine, and reads the first reply.
    pub(super) async fn ask(&self, request: &Request, absent: Absent) -> Result<Reply, CliError> {
        self.open(request, absent).await?.first().await
    }

    /// Asks the engine something that has many replies.
    pub(super) async fn open(
        &self,
        request: &Request,
        absent: Absent,
    ) -> Result<Connection, CliError> {
        match &self.reach {
            Ok(reach) => Ok(reach.request(request, absent).await?),
            Err(error) => Err(CliError::usage(error.to_string()).hint(error.hint())),
        }
    }

    /// Says something beside the data.
    #[expect(clippy::print_stderr, reason = "stderr is where commands talk")]
    pub(super) fn note(&self, text: &str) {
        if !self.global.quiet {
            eprintln!("{}", text::harmless_lines(text));
        }
    }

    /// Says something an operator is about to be asked about.
    #[expect(clippy::print_stderr, reason = "stderr is where commands talk")]
    pub(super) fn say(text: &str) {
        eprintln!("{}", text::harmless_lines(text));
    }

    /// Says something that has to be known, even if little is to be said.
    #[expect(clippy::print_stderr, reason = "stderr is where commands talk")]
    pub(super) fn warn(text: &str) {
        eprintln!("regatta: {}", text::harmless_lines(text));
    }

    /// Lets go of an engine in this process, and with it of everything that still runs.
    pub(super) async fn close(&self) {
        if let Some(service) = &self.in_process {
            service.close().await;
        }
    }

    /// The way to the engine.
    pub(super) fn reach(&self) -> Result<Reach, CliError> {
        match &self.reach {
            Ok(reach) => Ok(reach.clone()),
            Err(error) => Err(CliError::usage(error.to_string()).hint(error.hint())),
        }
    }

    /// The engine in this process, if there is one.
    pub(super) fn in_process(&self) -> Option<Arc<Service>> {
        self.in_process.clone()
    }

    /// Whether the job ends with this command.
    pub(super) fn is_in_process(&self) -> bool {
        self.in_process.is_some()
    }
}

impl Connection {
    /// The first reply, with a refusal turned into an error.
    pub(super) async fn first(&mut self) -> Result<Reply, CliError> {
        match self.reply().await? {
            Reply::Error { message, hint } => Err(CliError::refused(message, hint)),
            reply => Ok(reply),
        }
    }
}

/// A reply that this request cannot have.
pub(super) fn unexpected(reply: &Reply) -> CliError {
    CliError::failed(format!("the engine answered out of turn: {reply:?}"))
}

/// The daemon stands in another directory, so the file of settings is named by its full path.
fn through_daemon(place: Place, global: &Global) -> Reach {
    let full = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let new = New {
        config: global.config.as_ref().map(full),
        without: Vec::new(),
    };
    Reach::Daemon { place, new }
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// `$XDG_CONFIG_HOME/regatta`, or `~/.config/regatta`.
pub(super) fn config_directory() -> Option<PathBuf> {
    let config = variable("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let config = config.or_else(|| variable("HOME").map(|home| home.join(".config")))?;
    Some(config.join("regatta"))
}

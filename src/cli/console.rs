//! `console`: the dashboard, and with it `regatta` without a verb.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::error::{CliError, Exit};
use crate::command;
use crate::config::queries::SearchPath;
use crate::config::settings::Ascii;
use crate::config::theme;
use crate::daemon::client::Reach;
use crate::daemon::place::Place;
use crate::daemon::{Service, assemble};
use crate::plan::{Caller, Stdin};
use crate::tui::app::{Acting, Colour, Flags, Leaving};
use crate::tui::config::{Files, Loaded};
use crate::tui::perform::Planning;
use crate::tui::view::Glyphs;
use crate::tui::{Console, Program};

/// What differs between the consoles there are.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Lines of the bar, and how lists were left, are remembered in this directory.
    pub(super) state: Option<PathBuf>,
    /// An engine in this process, and a directory for a socket of its own: the verbs that only print are programs of their
    /// own, and have to reach it.
    pub(super) in_process: Option<(Arc<Service>, PathBuf)>,
}

pub(super) async fn console(context: &Context, args: &command::Console) -> Result<Exit, CliError> {
    let private = tempfile::Builder::new().prefix("regatta-").tempdir();
    let (in_process, _private) = match (context.in_process(), private) {
        (None, _) => (None, None),
        (Some(service), Ok(private)) => (Some((service, private.path().to_owned())), Some(private)),
        (Some(_), Err(error)) => return Err(CliError::from(error)),
    };
    let state = Context::place().ok().map(|place| place.state().to_owned());
    let setting = Setting {
        name: "regatta",
        state,
        in_process,
    };
    open(context, args, setting).await
}

/// Opens a console on the context's engine, and returns when it was left.
pub(super) async fn open(
    context: &Context,
    args: &command::Console,
    setting: Setting,
) -> Result<Exit, CliError> {
    if !context.terminal.out || !context.terminal.input {
        return Err(CliError::usage("the console needs a terminal")
            .hint("`regatta jobs` prints the jobs; `regatta --help` shows all commands"));
    }
    let reach = context.reach()?;
    let directory = super::context::config_directory();
    let files = Files {
        config: context.global.config.clone(),
        queries: SearchPath::usual(directory.as_deref()),
        directory,
        working: std::env::current_dir().ok(),
    };
    let planning = Planning {
        global: context.global.clone(),
        caller: Caller::current(Stdin::Keys),
    };
    let loaded =
        Loaded::load(&files, |settings| planning.inventory(settings)).map_err(CliError::usage)?;
    let flags = Flags {
        acting: if args.read_only {
            Acting::ReadOnly
        } else {
            Acting::Allowed
        },
        colour: colour(context),
        glyphs: glyphs(args, loaded.settings.console.ascii),
        name: setting.name,
        leaving: match reach {
            Reach::Daemon { .. } => Leaving::Detaches,
            Reach::InProcess(_) => Leaving::Ends,
        },
        asking: context.planner().asking(),
    };
    let mut listening = None;
    let program = match &setting.in_process {
        Some((service, directory)) => {
            let place = Place::at(directory.join("regatta"));
            let server = assemble::listen(&place, Arc::clone(service));
            listening = Some(server.map_err(|error| CliError::failed(error.to_string()))?);
            program(context, Some(directory))?
        }
        None => program(context, None)?,
    };
    let console = Console {
        reach,
        flags,
        files,
        loaded,
        planning,
        program,
        state: setting.state,
    };
    let left = crate::tui::run(console).await;
    if let Some(listening) = listening {
        listening.abort();
    }
    left?;
    Ok(Exit::Done)
}

/// This program with the options it was started with, and where it finds an engine in this process.
fn program(context: &Context, directory: Option<&Path>) -> Result<Program, CliError> {
    let path = std::env::current_exe()
        .map_err(|error| CliError::failed(format!("this program does not find itself: {error}")))?;
    let global = &context.global;
    let mut options: Vec<OsString> = vec!["--color=never".into()];
    // It has no terminal to ask on; what the children of its jobs ask is answered in the console.
    if global.batch {
        options.push("--batch".into());
    }
    if let Some(file) = &global.ssh_config {
        options.extend(["-F".into(), file.into()]);
    }
    if let Some(file) = &global.config {
        options.extend(["--config".into(), file.into()]);
    }
    let variables = match directory {
        Some(directory) => vec![
            ("XDG_RUNTIME_DIR".into(), directory.into()),
            ("XDG_STATE_HOME".into(), directory.join("state").into()),
        ],
        None => Vec::new(),
    };
    Ok(Program {
        path,
        options,
        variables,
    })
}

/// Without colour where that is asked for, or the terminal has none.
fn colour(context: &Context) -> Colour {
    let fitting = theme::fitting("coloured", context.global.color, |name| {
        std::env::var_os(name)
    });
    if fitting == theme::MONO {
        Colour::None
    } else {
        Colour::Allowed
    }
}

/// Boxes are drawn with more than ASCII where the locale says that can be shown.
fn glyphs(args: &command::Console, ascii: Ascii) -> Glyphs {
    // The first that is set decides (locale(7)).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .unwrap_or_default();
    let locale = locale.to_string_lossy().to_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    match (args.ascii, ascii) {
        (true, _) | (false, Ascii::Always) => Glyphs::ASCII,
        (false, Ascii::Auto) if !utf8 => Glyphs::ASCII,
        (false, Ascii::Auto | Ascii::Never) => Glyphs::BOXES,
    }
}

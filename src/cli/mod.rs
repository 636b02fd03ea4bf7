//! The command line: one file per verb, all of them clients of the engine.

mod answer;
mod attend;
mod audit;
mod config;
mod confirm;
mod connections;
mod console;
mod context;
mod daemon;
mod demo;
mod doctor;
mod earlier;
mod ends;
mod error;
mod fold;
mod follow;
mod generate;
mod grep;
mod history;
mod hosts;
mod jobs;
mod keys;
mod picked;
mod pin;
mod queries;
mod query;
mod receive;
mod reconnect;
mod remove;
mod rerun;
mod rows;
mod run;
mod settings;
mod sink;
mod stop;
mod suspend;
mod tail;
mod terminal;
mod themes;
mod together;
mod tty;
mod wait;
mod when;

pub use error::{CliError, Exit};

use crate::command::configure::{Config, ConfigAction};
use crate::command::{Cli, Daemon, DaemonAction, Verb};
use crate::daemon::assemble;
use context::Context;

/// A runtime fit for what was asked.  One thread carries an engine: its work is many small steps that wake each other,
/// and waking other threads costs more CPU a host than it saves time (a tenth of a fresh connection, measured).  The
/// demo has the whole fleet beside it in one process.
pub fn runtime(cli: &Cli) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match &cli.verb {
        Verb::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        // The engine must not wait for pictures, nor keys for the engine.
        Verb::Console(_) if cli.global.no_daemon => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

/// Carries out what was asked.
pub async fn main(cli: Cli) -> Exit {
    match &cli.verb {
        // It has a log of its own.
        Verb::Daemon(Daemon {
            action: DaemonAction::Run { .. },
        }) => {}
        _ => assemble::log_command(cli.global.verbose),
    }
    // It has to say all that is wrong, and the settings may be.
    if let Verb::Config(Config {
        action: ConfigAction::Check,
    }) = &cli.verb
    {
        return config::check(&cli.global).unwrap_or_else(CliError::report);
    }
    let mut context = match Context::new(cli.global) {
        Ok(context) => context,
        Err(error) => return error.report(),
    };
    let done = match cli.verb {
        Verb::Console(args) => console::console(&context, &args).await,
        Verb::Run(args) => run::run(&context, args).await,
        Verb::Query(args) => {
            context.withhold(args.secret_variables());
            query::query(&context, args).await
        }
        Verb::Jobs(args) => jobs::jobs(&context, args).await,
        Verb::Receive(args) => receive::receive(&context, args).await,
        Verb::Tail(args) => tail::tail(&context, &args).await,
        Verb::Grep(args) => grep::grep(&context, &args).await,
        Verb::Fold(args) => fold::fold(&context, &args).await,
        Verb::Rows(args) => rows::rows(&context, &args).await,
        Verb::Diff(args) => rows::diff::diff(&context, &args).await,
        Verb::Sql(args) => rows::sql::sql(&context, &args).await,
        Verb::Wait(args) => wait::wait(&context, args).await,
        Verb::Answer(args) => answer::answer(&context, args).await,
        Verb::Stop(args) => stop::stop(&context, args).await,
        Verb::Remove(args) => remove::remove(&context, args).await,
        Verb::Rerun(args) => rerun::rerun(&context, args).await,
        Verb::Throttle(args) => settings::throttle(&context, args).await,
        Verb::Pause(args) => settings::pause(&context, args).await,
        Verb::Suspend(args) => suspend::suspend(&context, args).await,
        Verb::Resume(args) => suspend::resume(&context, args).await,
        Verb::History(args) => history::history(&context, &args).await,
        Verb::Reconnect(args) => reconnect::reconnect(&context, args).await,
        Verb::Pin(args) => pin::pin(&context, args).await,
        Verb::Hosts(args) => hosts::hosts(&context, &args),
        Verb::Connections(args) => connections::connections(&context, &args).await,
        Verb::Demo(args) => demo::demo(&context, &args).await,
        Verb::Audit(args) => audit::audit(&context, &args),
        Verb::Doctor => doctor::doctor(&context).await,
        Verb::Queries(args) => queries::queries(&context, &args),
        Verb::Keys(args) => keys::keys(&context, &args),
        Verb::Themes(args) => themes::themes(&context, &args),
        Verb::Config(args) => config::config(&context, args.action),
        Verb::Daemon(args) => daemon::daemon(&context, args.action).await,
        Verb::Completions { shell } => generate::completions(shell),
        Verb::Man => generate::man(),
    };
    context.close().await;
    done.unwrap_or_else(CliError::report)
}

//! Completions and the manual page, made from the same types that parse the command line.

use std::io::{self, Write};

use clap::CommandFactory;

use super::error::{CliError, Exit};
use crate::command::Cli;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "regatta", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

/// One page for the program and all its verbs.
pub(super) fn man() -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for verb in command
        .get_subcommands()
        .filter(|verb| verb.get_name() != "help")
    {
        let name = format!("regatta-{}", verb.get_name());
        clap_mangen::Man::new(verb.clone().name(name)).render(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(Exit::Done)
}

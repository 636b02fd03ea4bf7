//! The `regatta` program: parses the command line and hands it to the face that was asked for.

use std::process::ExitCode;

use clap::Parser;
use regatta::cli;
use regatta::command::Cli;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let cli = Cli::parse();
    let runtime = cli::runtime(&cli)?;
    let exit = runtime.block_on(cli::main(cli));
    Ok(exit.into())
}

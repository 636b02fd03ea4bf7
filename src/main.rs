//! The `regatta` program: parses the command line and hands it to the face that was asked for.

use std::process::ExitCode;

use regatta::cli;
use regatta::command::Cli;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let runtime = cli::runtime(&cli)?;
    let exit = runtime.block_on(cli::main(cli));
    Ok(exit.into())
}

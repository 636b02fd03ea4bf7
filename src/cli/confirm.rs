//! Asking before something runs on many computers.

use std::io::{self, BufRead, Write};

use super::context::Context;
use super::error::CliError;
use crate::view::count::{Noun, counted};

/// From how many hosts on something is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// As many as the settings say.
    Configured,
    /// Any at all: it changes something.
    Any,
}

/// Above that number of hosts, has the count typed.  Not asked with `--yes`, nor where nobody could answer.
#[expect(
    clippy::print_stderr,
    reason = "a question goes to the operator, not into the data"
)]
pub(super) fn confirm(
    context: &Context,
    above: Above,
    count: usize,
    targets: &str,
    what: &str,
) -> Result<(), CliError> {
    let global = &context.global;
    let quiet = match above {
        Above::Configured => context.settings.confirm_above,
        Above::Any => 0,
    };
    if count <= quiet || global.yes || global.batch {
        return Ok(());
    }
    if !context.terminal.input || !context.terminal.err {
        return Ok(());
    }
    eprintln!("{what}");
    let hosts = counted(count, Noun::Host);
    eprint!("This runs on {hosts} ({targets}). Type {count} to go on: ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == count.to_string() {
        Ok(())
    } else {
        Err(CliError::usage("not started: the count was not typed").hint("--yes does not ask"))
    }
}

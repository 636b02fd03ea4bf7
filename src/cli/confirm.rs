//! Asking before something runs on many computers.

use std::io::{self, BufRead, Write};

use super::context::Context;
use super::error::CliError;
use crate::core::spec::Above;
use crate::view::count::{Noun, counted};

/// Above that number of hosts, has the count typed.  Not asked with `--yes`.  Where nobody can be asked, what changes
/// something does not start, and all else does.
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
    if count <= above.quiet(context.settings.confirm_above) || global.yes {
        return Ok(());
    }
    if global.batch || !context.terminal.input || !context.terminal.err {
        return match above {
            Above::Configured => Ok(()),
            Above::Any => Err(CliError::usage(format!(
                "not started on {targets}: {what} changes something, and nobody can be asked"
            ))
            .hint("--yes starts it without a question")),
        };
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

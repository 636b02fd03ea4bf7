//! `pin`: which jobs are kept whatever their age.

use super::context::Context;
use super::error::{CliError, Exit};
use super::settings::change;
use crate::command::Pin;
use crate::core::fleet::Command;
use crate::core::job;

pub(super) async fn pin(context: &Context, args: Pin) -> Result<Exit, CliError> {
    let (pin, said) = if args.off {
        (job::Pin::Off, "goes when its time comes")
    } else {
        (job::Pin::On, "is kept until it is removed")
    };
    let command = |select| Command::Pin { select, pin };
    change(context, args.pick.select, command, said).await
}

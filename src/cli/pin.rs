//! `pin`: which jobs are kept whatever their age.

use super::context::Context;
use super::error::{CliError, Exit};
use super::settings::change;
use crate::command::Pin;
use crate::plan::request;

pub(super) async fn pin(context: &Context, args: Pin) -> Result<Exit, CliError> {
    let said = if args.off {
        "goes when its time comes"
    } else {
        "is kept until it is removed"
    };
    change(context, &args.pick, &request::pin(&args), said).await
}

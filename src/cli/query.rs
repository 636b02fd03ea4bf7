//! `query`: makes a job of a named query.

use super::context::{Context, config_directory};
use super::error::{CliError, Exit};
use super::run::{Manner, begin};
use crate::command::query::QueryRun;
use crate::config::queries::{self, SearchPath};
use crate::targets::nearest;

pub(super) async fn query(context: &Context, args: QueryRun) -> Result<Exit, CliError> {
    let path = SearchPath::usual(config_directory().as_deref());
    let (known, mistakes) = queries::load(&path);
    for mistake in &mistakes {
        Context::warn(&mistake.to_string());
    }
    let Some(query) = known.iter().find(|query| query.name == args.query) else {
        let hint = nearest(&args.query, known.iter().map(|query| query.name.as_str())).map_or_else(
            || "`regatta queries` lists them".to_string(),
            |near| format!("did you mean {near}?"),
        );
        return Err(CliError::usage(format!("there is no query {:?}", args.query)).hint(hint));
    };
    let spec = context.planner().query(&args, query)?;
    begin(context, spec, Manner::of(args.begin)).await
}

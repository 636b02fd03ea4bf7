//! `rows`, and what every verb that reads rows does: narrow a table as asked, and write it.

pub(super) mod diff;
mod gather;
mod print;
pub(super) mod sql;

use super::context::Context;
use super::error::{CliError, Exit};
use super::picked;
use crate::command::rows::{RowArgs, Rows};
use crate::core::select::Selector;
use crate::plan::gather::{left_out, shape_of, usual_columns};
use crate::results::open::Opened;
use crate::results::table::NoColumn;
use crate::results::{Filter, Shape, Table};
use crate::targets::folded;
use gather::{gather, sources};
use print::print;

pub(super) async fn rows(context: &Context, args: &Rows) -> Result<Exit, CliError> {
    show(context, &args.pick.select, &args.rows).await
}

/// Shows the rows of jobs of one query.
pub(super) async fn show(
    context: &Context,
    select: &[Selector],
    args: &RowArgs,
) -> Result<Exit, CliError> {
    let picked = picked::pick(context, select).await?;
    let sources = sources(context, &picked.jobs).await?;
    let Some(shape) = shape_of(&sources)?.cloned() else {
        return Err(CliError::nothing_selected(select, &picked.unknown));
    };
    let mut table = Table::new(shape.all_columns());
    // What is wrong with the condition is said before anything is read, but where nobody knows the columns yet.
    let known = if shape.is_open() {
        None
    } else {
        filter(&shape, args)?
    };
    let report = gather(context, select, &picked, &sources, |_, rows| {
        let rows = rows.into_iter();
        table
            .rows
            .extend(rows.filter(|row| known.as_ref().is_none_or(|filter| filter.takes(row))));
    })
    .await?;
    let shape = opened(shape, &mut [&mut table]);
    if sources.values().any(|source| source.shape.is_open())
        && let Some(filter) = filter(&shape, args)?
    {
        table.filter(&filter);
    }
    let shown = if context.is_for_people(&args.form) {
        Shown::Usual {
            jobs: picked.jobs.len(),
        }
    } else {
        Shown::Everything
    };
    let table = shaped(table, &shape, args, shown)?;
    print(context, &table, &args.form)?;
    report.say(context);
    let sound = report.is_sound() && picked.unknown.is_empty();
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// The shape with the columns that all the rows in these tables have, where they were not known; the tables have them, too.
fn opened(shape: Shape, tables: &mut [&mut Table]) -> Shape {
    if !shape.is_open() {
        return shape;
    }
    let opened = Opened::of(tables.iter().flat_map(|table| &table.rows));
    if opened.beyond > 0 {
        Context::warn(&left_out(opened.beyond));
    }
    let shape = Shape {
        columns: opened.columns.clone(),
        ..shape
    };
    for table in tables {
        let rows = table.rows.iter().map(|row| opened.row(row)).collect();
        table.columns = shape.all_columns();
        table.rows = rows;
    }
    shape
}

/// Whether a query's rows can be shown as asked: before it runs anywhere.
pub(super) fn check(shape: &Shape, args: &RowArgs) -> Result<(), CliError> {
    if shape.is_open() {
        return Ok(());
    }
    filter(shape, args).map(drop)
}

/// The condition; what is asked of columns is looked at on a table without rows.
fn filter(shape: &Shape, args: &RowArgs) -> Result<Option<Filter>, CliError> {
    let empty = Table::new(shape.all_columns());
    let text = args.condition.as_deref();
    let parsed = text.map(|text| Filter::parse(text, &empty.columns));
    let filter = parsed.transpose();
    let filter = filter.map_err(|error| CliError::usage(format!("--where: {error}")))?;
    shaped(empty, shape, args, Shown::Everything)?;
    Ok(filter)
}

/// The table in the order, with the columns, and in the groups that were asked for.
fn shaped(
    mut table: Table,
    shape: &Shape,
    args: &RowArgs,
    shown: Shown,
) -> Result<Table, CliError> {
    if !args.group.is_empty() {
        let mut grouped = table
            .group(&args.group, |hosts| folded(hosts.iter().copied()))
            .map_err(no_column)?;
        if !args.sort.is_empty() {
            grouped.sort(&args.sort).map_err(no_column)?;
        }
        if !args.chosen.is_empty() {
            grouped.select(&args.chosen).map_err(no_column)?;
        }
        return Ok(grouped);
    }
    table.sort(&args.sort).map_err(no_column)?;
    if !args.chosen.is_empty() {
        table.select(&args.chosen).map_err(no_column)?;
        return Ok(table);
    }
    let Shown::Usual { jobs } = shown else {
        return Ok(table);
    };
    let names = usual_columns(shape, jobs);
    table.select(&names).map_err(no_column)?;
    Ok(table)
}

/// What is shown where no columns were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// All there is, for programs.
    Everything,
    /// What people are shown of so many jobs.
    Usual { jobs: usize },
}

fn no_column(error: NoColumn) -> CliError {
    CliError::usage(error.0)
}

//! `sql`: the rows of jobs, asked in SQL.

use std::collections::BTreeMap;

use super::gather::{gather, sources};
use super::print::print;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::picked::{self, Picked};
use crate::command::rows::Sql;
use crate::core::select::Selector;
use crate::plan::gather::Source;
use crate::results::Shape;
use crate::results::open::Opened;
use crate::results::parse::Row;
use crate::results::sql::{Database, Sheet, SqlError};

/// Rows of an answer; what is behind them is said to be there.
const MOST: usize = 1_000_000;

pub(in crate::cli) async fn sql(context: &Context, args: &Sql) -> Result<Exit, CliError> {
    let select = if args.select.is_empty() {
        vec![Selector::new("all".to_string())]
    } else {
        args.select.clone()
    };
    let picked = picked::pick(context, &select).await?;
    let sources = sources(context, &picked.jobs).await?;
    let opened = opened(context, &args.statement, &picked, &sources).await?;
    let columns_of = |shape: &Shape| match opened.get(&Sheet::named(&shape.query)) {
        Some(opened) if shape.is_open() => Shape {
            columns: opened.columns.clone(),
            ..shape.clone()
        }
        .all_columns(),
        _ => shape.all_columns(),
    };
    let mut sheets: BTreeMap<String, Sheet> = BTreeMap::new();
    for (job, source) in &sources {
        let name = Sheet::named(&source.shape.query);
        let sheet = sheets.entry(name.clone()).or_insert_with(|| Sheet {
            name,
            columns: Vec::new(),
            jobs: Vec::new(),
        });
        sheet.jobs.push(*job);
        // A query whose file has changed has the columns of all its versions; the newest says what they are.
        for column in columns_of(&source.shape) {
            match sheet
                .columns
                .iter_mut()
                .find(|known| known.name.eq_ignore_ascii_case(&column.name))
            {
                Some(known) => *known = column,
                None => sheet.columns.push(column),
            }
        }
    }
    let sheets: Vec<Sheet> = sheets.into_values().collect();
    let mut database = Database::new(sheets.clone()).map_err(|error| said(&error))?;
    let needed = database
        .needed(&args.statement)
        .map_err(|error| said(&error))?;
    let jobs: Vec<u64> = needed
        .iter()
        .flat_map(|needed| &needed.jobs)
        .copied()
        .collect();
    let mut sound = picked.unknown.is_empty();
    if !jobs.is_empty() {
        let wanted: Vec<Selector> = if args.select.is_empty() {
            jobs.iter()
                .map(|job| Selector::new(job.to_string()))
                .collect()
        } else {
            select
        };
        let mut picked = picked;
        picked.jobs.retain(|job| jobs.contains(&job.id));
        picked.children.retain(|child| jobs.contains(&child.job));
        let mut wrong = None;
        let report = gather(context, &wanted, &picked, &sources, |job, rows| {
            let name = Sheet::named(&sources[&job].shape.query);
            let Some(sheet) = sheets.iter().position(|sheet| sheet.name == name) else {
                return;
            };
            let shape = &sources[&job].shape;
            let own = columns_of(shape);
            let rows: Vec<Row> = match opened.get(&name) {
                Some(opened) if shape.is_open() => rows.iter().map(|row| opened.row(row)).collect(),
                _ => rows,
            };
            let place = |column: &usize| {
                let name = &sheets[sheet].columns[*column].name;
                Some((
                    *column,
                    own.iter()
                        .position(|own| own.name.eq_ignore_ascii_case(name))?,
                ))
            };
            let places = needed[sheet].columns.iter().filter_map(place).collect();
            if let Err(error) = database.fill(sheet, &places, &rows) {
                wrong.get_or_insert(error);
            }
        })
        .await?;
        if let Some(error) = wrong {
            return Err(said(&error));
        }
        report.say(context);
        sound &= report.is_sound();
    }
    let limit = args.time_limit;
    let began = tokio::time::Instant::now();
    let enough = move || began.elapsed() > limit;
    let answer = database
        .ask(&args.statement, MOST, enough)
        .map_err(|error| match error {
            SqlError::Stopped => {
                CliError::failed(format!("{error} after {} s", limit.as_secs_f64()))
                    .hint("--time-limit gives it more")
            }
            SqlError::Statement(_) | SqlError::Writes => said(&error),
        })?;
    print(context, &answer.table, &args.form)?;
    if answer.more {
        Context::warn(&format!(
            "there are more than {MOST} rows; the rest is left out"
        ));
        sound = false;
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// The columns of queries that have those that come, by their tables; of those that the statement may speak of.
async fn opened(
    context: &Context,
    statement: &str,
    picked: &Picked,
    sources: &BTreeMap<u64, Source>,
) -> Result<BTreeMap<String, Opened>, CliError> {
    let text = statement.to_ascii_lowercase();
    let mut jobs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (job, Source { shape, .. }) in sources {
        let name = Sheet::named(&shape.query);
        if shape.is_open() && text.contains(&name) {
            jobs.entry(name).or_default().push(*job);
        }
    }
    let mut opened = BTreeMap::new();
    for (name, jobs) in jobs {
        let select: Vec<Selector> = (jobs.iter())
            .map(|job| Selector::new(job.to_string()))
            .collect();
        let mut own = picked.clone();
        own.jobs.retain(|job| jobs.contains(&job.id));
        own.children.retain(|child| jobs.contains(&child.job));
        let mut all = Vec::new();
        // What is wrong with their output is said when they are read to be filled in.
        gather(context, &select, &own, sources, |_, rows| all.extend(rows)).await?;
        opened.insert(name, Opened::of(all.iter()));
    }
    Ok(opened)
}

fn said(error: &SqlError) -> CliError {
    CliError::usage(error.to_string())
}

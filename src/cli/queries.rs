//! `queries`: which there are, and what one of them runs.

use std::io::Write;

use serde_json::{Value, json};

use super::context::{Context, config_directory};
use super::error::{CliError, Exit};
use crate::command::configure::Queries;
use crate::config::queries::{self, Effect, Parameter, Query, SearchPath, Secrecy};
use crate::core::spec::Payload;
use crate::results::{Column, Constancy};
use crate::targets::nearest;
use crate::view::table::{Align, Table};
use crate::view::text::harmless_lines;

pub(super) fn queries(context: &Context, args: &Queries) -> Result<Exit, CliError> {
    let (all, mistakes) = queries::load(&SearchPath::usual(config_directory().as_deref()));
    for mistake in &mistakes {
        Context::warn(&mistake.to_string());
    }
    match &args.name {
        Some(name) => one(context, &all, name)?,
        None => list(context, &all)?,
    }
    let sound = mistakes.is_empty();
    Ok(if sound { Exit::Done } else { Exit::Usage })
}

fn list(context: &Context, all: &[Query]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let value: Value = all.iter().map(json_of).collect();
        context.terminal.json(&mut out, &value)?;
        return Ok(());
    }
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("FROM", Align::Left),
        ("FOR", Align::Left),
        ("WHAT IT ASKS", Align::Left),
    ]);
    for query in all {
        let platforms = query.platforms.join(" ");
        table.push(&[
            query.name.clone(),
            from(query),
            platforms,
            query.doc.clone(),
        ]);
    }
    for line in table.lines(context.terminal.width()) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn one(context: &Context, all: &[Query], name: &str) -> Result<(), CliError> {
    let Some(query) = all.iter().find(|query| query.name == name) else {
        let error = CliError::nothing(format!("there is no query {name:?}"));
        let names = all.iter().map(|query| query.name.as_str());
        return Err(match nearest(name, names) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("`regatta queries` lists them"),
        });
    };
    let mut out = std::io::stdout().lock();
    if context.global.json {
        context.terminal.json(&mut out, &json_of(query))?;
    } else if context.terminal.out {
        write!(out, "{}", harmless_lines(&text_of(query)))?;
    } else {
        write!(out, "{}", text_of(query))?;
    }
    Ok(())
}

/// A query's file, and where it is.
fn text_of(query: &Query) -> String {
    format!("# {}, {}\n{}", query.name, from(query), query.text)
}

/// Where it is from, and whose place it takes.
fn from(query: &Query) -> String {
    let hidden: Vec<String> = query.hides.iter().map(ToString::to_string).collect();
    if hidden.is_empty() {
        query.origin.to_string()
    } else {
        format!("{}, hides: {}", query.origin, hidden.join(", "))
    }
}

fn json_of(query: &Query) -> Value {
    let (command, script, powershell) = match &query.payload {
        Payload::Command(line) => (Some(line), None, None),
        Payload::Script {
            text, powershell, ..
        } => (None, Some(text), powershell.as_ref()),
    };
    json!({
        "name": query.name,
        "doc": query.doc,
        "command": command,
        "script": script,
        "powershell": powershell,
        "platforms": query.platforms,
        "targets": query.targets,
        "timeout": query.timeout.as_secs_f64(),
        "ok_exit": query.ok_exit,
        "writes": query.effect == Effect::Writes,
        "parameters": query.parameters.iter().map(parameter).collect::<Value>(),
        "columns": query.shape.iter().flat_map(|shape| &shape.columns).map(column).collect::<Value>(),
        "origin": query.origin.to_string(),
        "hides": query.hides.iter().map(ToString::to_string).collect::<Value>(),
    })
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "doc": parameter.doc,
        "default": parameter.default,
        "type": parameter.kind.word(),
        "pattern": parameter.pattern,
        "choices": parameter.choices,
        "secret": parameter.secrecy == Secrecy::Secret,
    })
}

fn column(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.kind.word(),
        "unit": column.unit,
        "volatile": column.constancy == Constancy::Volatile,
        "doc": column.doc,
    })
}

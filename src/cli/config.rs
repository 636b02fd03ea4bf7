//! `config`: whether everything that is configured can be read, and what is in force.

use std::io::Write;

use serde_json::{Value, json};

use super::context::{Context, config_directory};
use super::error::{CliError, Exit};
use super::terminal::Terminal;
use crate::command::Global;
use crate::command::configure::ConfigAction;
use crate::config::check;
use crate::config::queries::SearchPath;
use crate::config::settings::{Shown, shown};
use crate::view::table::{Align, Table};
use crate::view::text::harmless_lines;

pub(super) fn config(context: &Context, action: ConfigAction) -> Result<Exit, CliError> {
    match action {
        ConfigAction::Check => check(&context.global),
        ConfigAction::Show => show(context),
    }
}

/// Reads every file there is.  Needs no [`Context`], which would not come to be with wrong settings.
pub(super) fn check(global: &Global) -> Result<Exit, CliError> {
    let directory = config_directory();
    let path = SearchPath::usual(directory.as_deref());
    let checked = check::check(global.config.as_deref(), directory.as_deref(), &path);
    let mut out = std::io::stdout().lock();
    if global.json {
        let files: Vec<String> = checked
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let value = json!({"files": files, "mistakes": checked.mistakes});
        Terminal::new(global.color).json(&mut out, &value)?;
    } else {
        for file in &checked.files {
            writeln!(out, "{}", harmless_lines(&file.display().to_string()))?;
        }
        for mistake in &checked.mistakes {
            Context::warn(mistake);
        }
        if checked.files.is_empty() && !global.quiet {
            writeln!(out, "nothing is configured: the defaults hold")?;
        }
    }
    let sound = checked.mistakes.is_empty();
    Ok(if sound { Exit::Done } else { Exit::Usage })
}

fn show(context: &Context) -> Result<Exit, CliError> {
    let all = shown(
        context.global.config.as_deref(),
        config_directory().as_deref(),
    )?;
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let value: Value = all.iter().map(json_of).collect();
        context.terminal.json(&mut out, &value)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("VALUE", Align::Left),
        ("FROM", Align::Left),
    ]);
    for setting in &all {
        let value = setting
            .value
            .as_ref()
            .map_or_else(|| "-".to_string(), ToString::to_string);
        table.push(&[setting.key.clone(), value, setting.origin.to_string()]);
    }
    for line in table.lines(context.terminal.width()) {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Done)
}

fn json_of(setting: &Shown) -> Value {
    json!({
        "key": setting.key,
        "value": setting.value,
        "origin": setting.origin.to_string(),
    })
}

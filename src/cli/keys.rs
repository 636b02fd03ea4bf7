//! `keys`: what the console's keys do, from the table that decides it.

use std::io::Write;

use serde_json::{Value, json};

use super::context::{Context, config_directory};
use super::error::{CliError, Exit};
use crate::command::configure::Keys;
use crate::command::console::Place;
use crate::config::keys::{Binding, Keymap, Sequence};
use crate::view::table::{Align, Table};

pub(super) fn keys(context: &Context, args: &Keys) -> Result<Exit, CliError> {
    let keymap = Keymap::load(config_directory().as_deref())?;
    let bindings: Vec<(&Sequence, &Binding)> = match args.place {
        Some(place) => keymap.bindings(place),
        // Each place with what is said there.
        None => Place::ALL
            .into_iter()
            .flat_map(|place| {
                let all = keymap.bindings(place).into_iter();
                all.filter(move |(_, binding)| binding.place == place)
            })
            .collect(),
    };
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let value: Value = bindings
            .iter()
            .map(|(keys, binding)| json_of(keys, binding))
            .collect();
        context.terminal.json(&mut out, &value)?;
        return Ok(Exit::Done);
    }
    for line in table(&bindings).lines(context.terminal.width()) {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Done)
}

/// Keys for the same thing stand in one line.
fn table(bindings: &[(&Sequence, &Binding)]) -> Table {
    let mut table = Table::new(&[
        ("PLACE", Align::Left),
        ("KEYS", Align::Left),
        ("COMMAND", Align::Left),
        ("FROM", Align::Left),
        ("WHAT IT DOES", Align::Left),
    ]);
    let same = |one: &(&Sequence, &Binding), other: &(&Sequence, &Binding)| {
        let what = |(_, binding): &(&Sequence, &Binding)| {
            (binding.place, binding.line.clone(), binding.origin.clone())
        };
        what(one) == what(other)
    };
    for group in bindings.chunk_by(same) {
        let keys: Vec<String> = group.iter().map(|(keys, _)| keys.to_string()).collect();
        let binding = group[0].1;
        table.push(&[
            binding.place.word().to_string(),
            keys.join(", "),
            binding.line.clone(),
            binding.origin.to_string(),
            binding.doc.clone(),
        ]);
    }
    table
}

fn json_of(keys: &Sequence, binding: &Binding) -> Value {
    json!({
        "place": binding.place.word(),
        "keys": keys.to_string(),
        "command": binding.line,
        "doc": binding.doc,
        "acts": binding.acts(),
        "origin": binding.origin.to_string(),
    })
}

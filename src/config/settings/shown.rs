//! Every setting with its value and where that comes from, as it is written.

use std::path::Path;

use super::{DEFAULT, Settings, SettingsError, place, text_of};
use crate::config::Origin;

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// `run.fanout`
    pub key: String,
    /// `None` where nothing is set and there is no default.
    pub value: Option<toml::Value>,
    pub origin: Origin,
}

/// All settings in force, in the order of their documentation.
pub fn shown(named: Option<&Path>, directory: Option<&Path>) -> Result<Vec<Shown>, SettingsError> {
    let (said, origin) = match text_of(named, directory)? {
        Some((path, text)) => {
            Settings::parse(&text, &path, directory)?;
            let said: toml::Table = text.parse().expect("it was just read");
            (said, Origin::File(path))
        }
        None => (toml::Table::new(), Origin::BuiltIn),
    };
    let defaults: toml::Table = DEFAULT.parse().expect("the defaults are tested");
    let one = |key: String| {
        let own = find(&said, &key);
        Shown {
            origin: own.as_ref().map_or(Origin::BuiltIn, |_| origin.clone()),
            value: own.or_else(|| find(&defaults, &key)),
            key,
        }
    };
    Ok(keys().into_iter().map(one).collect())
}

/// The value of `run.fanout`.
fn find(table: &toml::Table, key: &str) -> Option<toml::Value> {
    match key.split_once('.') {
        Some((table_name, key)) => table.get(table_name)?.get(key).cloned(),
        None => table.get(key).cloned(),
    }
}

/// The names of all settings, in the order of their documentation.
fn keys() -> Vec<String> {
    let (mut keys, mut table) = (Vec::new(), String::new());
    for line in place::documented().lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            table = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push(format!("{table}{key}"));
        }
    }
    keys
}

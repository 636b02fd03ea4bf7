//! From TOML to tables with known keys and right types, each value with its place. Names are not looked at here.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{InventoryError, Problem};
use crate::targets::nearest;

/// A text and where it stands in the file, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}

/// The file as written.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// In the order of the file.
    pub(super) hosts: Vec<HostTable>,
    /// In the order of the file.
    pub(super) groups: Vec<GroupTable>,
}

#[derive(Debug)]
pub(super) struct HostTable {
    pub(super) names: Placed<String>,
    pub(super) address: Option<Placed<String>>,
    pub(super) user: Option<Placed<String>>,
    pub(super) port: Option<Placed<u16>>,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct GroupTable {
    pub(super) name: Placed<String>,
    /// The expressions whose union is meant; `None` for all known hosts.
    pub(super) hosts: Option<Vec<Placed<String>>>,
    /// What the hosts must have; empty for no condition.
    pub(super) labels: BTreeMap<String, String>,
}

/// Knows the text, for lines, and its name, for errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) text: &'a str,
    pub(super) origin: &'a str,
}

impl File<'_> {
    pub(super) fn error(self, at: &Range<usize>, problem: Problem) -> InventoryError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        InventoryError {
            origin: self.origin.to_owned(),
            line,
            problem,
            hint: None,
        }
    }

    /// The tables of the file, or the first thing wrong with it.
    pub(super) fn tables(self) -> Result<Tables, InventoryError> {
        let root = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            self.error(
                &at,
                Problem::Syntax(error.message().trim_end().replace('\n', ", ")),
            )
        })?;
        let mut tables = Tables::default();
        for (key, value) in root.get_ref() {
            match &**key.get_ref() {
                "hosts" => {
                    for (names, settings) in self.table("hosts", value)? {
                        tables.hosts.push(self.host(&placed_key(names), settings)?);
                    }
                }
                "groups" => {
                    for (name, members) in self.table("groups", value)? {
                        tables.groups.push(self.group(&placed_key(name), members)?);
                    }
                }
                unknown => {
                    return Err(self.unknown_key(&key.span(), "", unknown, &["hosts", "groups"]));
                }
            }
        }
        tables.hosts.sort_by_key(|host| host.names.at.start);
        tables.groups.sort_by_key(|group| group.name.at.start);
        Ok(tables)
    }

    fn host(
        self,
        names: &Placed<String>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<HostTable, InventoryError> {
        let path = format!("hosts.{}", names.value);
        let mut host = HostTable {
            names: names.clone(),
            address: None,
            user: None,
            port: None,
            labels: BTreeMap::new(),
        };
        for (key, value) in self.table(&path, value)? {
            let name = &**key.get_ref();
            let path = format!("{path}.{name}");
            match name {
                "address" => host.address = Some(self.string(&path, value)?),
                "user" => host.user = Some(self.string(&path, value)?),
                "port" => host.port = Some(self.port(&path, value)?),
                "labels" => host.labels = self.labels(&path, value)?,
                unknown => {
                    let known = ["address", "user", "port", "labels"];
                    let parent = format!("hosts.{}.", names.value);
                    return Err(self.unknown_key(&key.span(), &parent, unknown, &known));
                }
            }
        }
        Ok(host)
    }

    fn group(
        self,
        name: &Placed<String>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<GroupTable, InventoryError> {
        let path = format!("groups.{}", name.value);
        let mut group = GroupTable {
            name: name.clone(),
            hosts: None,
            labels: BTreeMap::new(),
        };
        let DeValue::Table(table) = value.get_ref() else {
            group.hosts = Some(self.expressions(&path, value)?);
            return Ok(group);
        };
        for (key, value) in table {
            let name = &**key.get_ref();
            let path = format!("{path}.{name}");
            match name {
                "hosts" => group.hosts = Some(self.expressions(&path, value)?),
                "labels" => group.labels = self.labels(&path, value)?,
                unknown => {
                    let parent = format!("groups.{}.", group.name.value);
                    return Err(self.unknown_key(
                        &key.span(),
                        &parent,
                        unknown,
                        &["hosts", "labels"],
                    ));
                }
            }
        }
        if group.hosts.is_none() && group.labels.is_empty() {
            let found = "a table without hosts and labels";
            return Err(self.error(
                &group.name.at,
                Problem::WrongType {
                    key: path,
                    expected: "hosts, labels or both",
                    found,
                },
            ));
        }
        Ok(group)
    }

    /// One string or several.
    fn expressions(
        self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<Placed<String>>, InventoryError> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.string(key, item)).collect(),
            DeValue::String(_) => Ok(vec![self.string(key, value)?]),
            _ => Err(self.wrong_type(key, "a string, a list of strings or a table", value)),
        }
    }

    fn labels(
        self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, String>, InventoryError> {
        self.table(key, value)?
            .iter()
            .map(|(label, value)| {
                let value = self.string(&format!("{key}.{}", label.get_ref()), value)?;
                Ok((label.get_ref().to_string(), value.value))
            })
            .collect()
    }

    fn table<'t, 'i>(
        self,
        key: &str,
        value: &'t Spanned<DeValue<'i>>,
    ) -> Result<&'t DeTable<'i>, InventoryError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong_type(key, "a table", value)),
        }
    }

    fn string(
        self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Placed<String>, InventoryError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Placed {
                value: text.to_string(),
                at: value.span(),
            }),
            _ => Err(self.wrong_type(key, "a string", value)),
        }
    }

    fn port(self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Placed<u16>, InventoryError> {
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(self.wrong_type(key, "a number", value));
        };
        let port = u16::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|&port| port > 0);
        let port = port.ok_or_else(|| {
            self.error(
                &value.span(),
                Problem::InvalidPort {
                    key: key.to_owned(),
                },
            )
        })?;
        Ok(Placed {
            value: port,
            at: value.span(),
        })
    }

    fn wrong_type(
        self,
        key: &str,
        expected: &'static str,
        value: &Spanned<DeValue<'_>>,
    ) -> InventoryError {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let error = self.error(
            &value.span(),
            Problem::WrongType {
                key: key.to_owned(),
                expected,
                found,
            },
        );
        let unquoted = expected == "a string" && found != "a list" && found != "a table";
        InventoryError {
            hint: unquoted.then(|| "put it in quotes".to_owned()),
            ..error
        }
    }

    fn unknown_key(
        self,
        at: &Range<usize>,
        parent: &str,
        key: &str,
        known: &[&str],
    ) -> InventoryError {
        let hint = nearest(key, known.iter().copied()).map_or_else(
            || format!("known here: {}", known.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        let error = self.error(
            at,
            Problem::UnknownKey {
                key: format!("{parent}{key}"),
            },
        );
        InventoryError {
            hint: Some(hint),
            ..error
        }
    }
}

fn placed_key(key: &Spanned<toml::de::DeString<'_>>) -> Placed<String> {
    Placed {
        value: key.get_ref().to_string(),
        at: key.span(),
    }
}

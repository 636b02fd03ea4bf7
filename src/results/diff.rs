//! What changed between two runs of one query, host by host.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::Row;
use super::shape::{Column, Constancy, GIVEN};
use super::table::Table;
use super::value::{Kind, Value};

/// The rows of a host by the fields of their key; of rows with the same key, in their order.
type Keyed<'a> = BTreeMap<(Vec<&'a Value>, usize), &'a Row>;

/// The columns that two runs are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Those that are not volatile in the later run; all where there are no others.
    Constant,
    All,
}

impl Compared {
    /// Whether a column is, among all of these.
    fn has(self, column: &Column, all: &[Column]) -> bool {
        let volatile = |column: &Column| column.constancy == Constancy::Volatile;
        self == Self::All || !volatile(column) || all.iter().all(volatile)
    }
}

/// Every change as a row: the host, the key of what changed, and what it was and is.  Rows are found again by the columns
/// in `key`.  Where it is empty, the one row of a host is the same one, and of several those are that are the same in all
/// of their own columns.  Both tables have the columns of every row, then their own.
pub fn diff(before: &Table, after: &Table, key: &[String], compared: Compared) -> Table {
    let all = &after.columns[GIVEN.len()..];
    let single = all.len() > 1 && is_single(before) && is_single(after);
    let is_key = |column: &Column| match key {
        [] => !single,
        names => names.contains(&column.name),
    };
    let own = all.iter().filter(|column| compared.has(column, all));
    let (keys, rest): (Vec<&Column>, Vec<&Column>) = own.partition(|column| is_key(column));
    let mut columns = vec![
        Column::new("host", Kind::Text),
        Column::new("change", Kind::Text),
    ];
    columns.extend(keys.iter().map(|column| (*column).clone()));
    if !rest.is_empty() {
        columns.extend(["column", "before", "after"].map(|name| Column::new(name, Kind::Text)));
    }
    let mut changes = Table::new(columns);
    let (old, new) = (by_host(before, &keys), by_host(after, &keys));
    let hosts: BTreeSet<&Value> = old.keys().chain(new.keys()).copied().collect();
    let nothing = Keyed::new();
    for host in hosts {
        let (old, new) = (
            old.get(host).unwrap_or(&nothing),
            new.get(host).unwrap_or(&nothing),
        );
        let mut push = |change: &str, key: &[&Value], fields: Option<[Value; 3]>| {
            let mut row = vec![host.clone(), Value::text(change)];
            row.extend(key.iter().map(|value| (*value).clone()));
            if !rest.is_empty() {
                row.extend(fields.unwrap_or_default());
            }
            changes.rows.push(row.into());
        };
        let whole = |table: &Table, row: &Row| {
            let field = |column: &&Column| {
                let value = place(table, &column.name).map(|place| row[place].to_string());
                format!("{}={}", column.name, value.unwrap_or_default())
            };
            Value::text(&rest.iter().map(field).collect::<Vec<_>>().join(" "))
        };
        for (key, row) in old {
            match new.get(key) {
                None => push(
                    "removed",
                    &key.0,
                    Some([Value::Empty, whole(before, row), Value::Empty]),
                ),
                Some(now) => {
                    for column in &rest {
                        let was = field(before, row, &column.name);
                        let is = field(after, now, &column.name);
                        if was != is {
                            push(
                                "changed",
                                &key.0,
                                Some([Value::text(&column.name), was.clone(), is.clone()]),
                            );
                        }
                    }
                }
            }
        }
        for (key, row) in new {
            if !old.contains_key(key) {
                push(
                    "added",
                    &key.0,
                    Some([Value::Empty, Value::Empty, whole(after, row)]),
                );
            }
        }
    }
    changes
}

/// Whether no host has more than one row.
fn is_single(table: &Table) -> bool {
    let mut hosts = BTreeSet::new();
    table.rows.iter().all(|row| hosts.insert(&row[0]))
}

fn place(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.name == name)
}

/// A field by its column's name; empty if there is no such column.
fn field<'a>(table: &Table, row: &'a Row, name: &str) -> &'a Value {
    const EMPTY: &Value = &Value::Empty;
    place(table, name).map_or(EMPTY, |place| &row[place])
}

fn by_host<'a>(table: &'a Table, keys: &[&Column]) -> BTreeMap<&'a Value, Keyed<'a>> {
    const EMPTY: &Value = &Value::Empty;
    let mut hosts: BTreeMap<&Value, Keyed<'_>> = BTreeMap::new();
    let places: Vec<Option<usize>> = keys
        .iter()
        .map(|column| place(table, &column.name))
        .collect();
    let mut seen: BTreeMap<(&Value, Vec<&Value>), usize> = BTreeMap::new();
    for row in &table.rows {
        let key: Vec<&Value> = places
            .iter()
            .map(|place| place.map_or(EMPTY, |place| &row[place]))
            .collect();
        let again = seen.entry((&row[0], key.clone())).or_insert(0);
        hosts.entry(&row[0]).or_default().insert((key, *again), row);
        *again += 1;
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Shape;

    fn table(shape: &Shape, rows: &[(&str, &[&str])]) -> Table {
        let mut table = Table::new(shape.all_columns());
        for (host, fields) in rows {
            let given = [Value::text(host), Value::Integer(7), Value::Empty];
            table.rows.push(
                given
                    .into_iter()
                    .chain(fields.iter().map(|field| Value::text(field)))
                    .collect(),
            );
        }
        table
    }

    fn shown(table: &Table) -> Vec<String> {
        let row = |row: &Row| {
            row.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("|")
        };
        table.rows.iter().map(row).collect()
    }

    #[test]
    fn changes_are_told_by_key_host_by_host() {
        let mut shape = Shape::lines();
        shape.columns = ["name", "version", "arch"]
            .map(|name| Column::new(name, Kind::Text))
            .into();
        let key = ["name".to_string()];
        let before = table(
            &shape,
            &[
                ("a", &["bash", "5.1", "amd64"]),
                ("a", &["vim", "9", "all"]),
                ("b", &["bash", "5.1", "amd64"]),
            ],
        );
        let after = table(
            &shape,
            &[
                ("a", &["bash", "5.2", "amd64"]),
                ("a", &["nano", "7", "all"]),
                ("b", &["bash", "5.1", "amd64"]),
            ],
        );
        let changes = diff(&before, &after, &key, Compared::All);
        assert_eq!(
            shown(&changes),
            [
                "a|changed|bash|version|5.1|5.2",
                "a|removed|vim||version=9 arch=all|",
                "a|added|nano|||version=7 arch=all",
            ]
        );
        assert!(diff(&before, &before, &key, Compared::All).rows.is_empty());
    }

    #[test]
    fn the_one_row_of_a_host_has_changed() {
        let mut shape = Shape::lines();
        shape.columns = ["id", "version"]
            .map(|name| Column::new(name, Kind::Text))
            .into();
        let before = table(
            &shape,
            &[("a", &["debian", "12"]), ("b", &["debian", "12"])],
        );
        let after = table(
            &shape,
            &[("a", &["debian", "13"]), ("b", &["debian", "12"])],
        );
        assert_eq!(
            shown(&diff(&before, &after, &[], Compared::All)),
            ["a|changed|version|12|13"]
        );
    }

    #[test]
    fn volatile_columns_are_compared_only_if_that_is_asked_for() {
        let mut shape = Shape::lines();
        shape.columns = ["id", "up", "size"]
            .map(|name| Column::new(name, Kind::Text))
            .into();
        shape.columns[1].constancy = Constancy::Volatile;
        let told = |shape: &Shape, compared: Compared| {
            let before = table(shape, &[("a", &["x", "1", "7"])]);
            let after = table(shape, &[("a", &["x", "2", "8"])]);
            shown(&diff(&before, &after, &["id".to_string()], compared))
        };
        assert_eq!(told(&shape, Compared::Constant), ["a|changed|x|size|7|8"]);
        let all = ["a|changed|x|up|1|2", "a|changed|x|size|7|8"];
        assert_eq!(told(&shape, Compared::All), all);
        // Where nothing else is there, that is what changed.
        for column in &mut shape.columns {
            column.constancy = Constancy::Volatile;
        }
        assert_eq!(told(&shape, Compared::Constant), all);
    }

    #[test]
    fn text_is_told_by_its_lines() {
        let shape = Shape::lines();
        let before = table(&shape, &[("a", &["x"]), ("a", &["same"]), ("a", &["same"])]);
        let after = table(&shape, &[("a", &["same"]), ("a", &["y"])]);
        assert_eq!(
            shown(&diff(&before, &after, &[], Compared::All)),
            ["a|removed|same", "a|removed|x", "a|added|y"]
        );
    }
}

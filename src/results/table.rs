//! One table over all hosts: rows that are filtered, ordered, narrowed to columns, and grouped.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::filter::Filter;
use super::parse::Row;
use super::shape::Column;
use super::value::{Kind, Value};

/// Rows, and what their fields are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Each has a field for each column.
    pub rows: Vec<Row>,
}

/// A column that is not there, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoColumn(pub String);

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    pub fn filter(&mut self, filter: &Filter) {
        self.rows.retain(|row| filter.takes(row));
    }

    /// Orders rows by columns: see [`Order`].
    pub fn sort(&mut self, by: &[String]) -> Result<(), NoColumn> {
        let order = Order::by(by, &self.columns)?;
        self.rows.sort_by(|a, b| order.compare(a, b));
        Ok(())
    }

    /// Leaves only these columns, in this order.
    pub fn select(&mut self, names: &[String]) -> Result<(), NoColumn> {
        let places = self.places(names)?;
        self.columns = places
            .iter()
            .map(|place| self.columns[*place].clone())
            .collect();
        for row in &mut self.rows {
            *row = places.iter().map(|place| row[*place].clone()).collect();
        }
        Ok(())
    }

    /// A row for each combination of values in these columns, the most frequent first: how many rows have it, and on which
    /// hosts, as `fold` writes their names.
    pub fn group(
        &self,
        names: &[String],
        fold: impl Fn(&[&str]) -> String,
    ) -> Result<Self, NoColumn> {
        let places = self.places(names)?;
        let groups = groups(self.rows.iter(), &places, self.find("host").ok());
        let mut columns = vec![
            Column::new("count", Kind::Integer),
            Column::new("hosts", Kind::Text),
        ];
        columns.extend(places.iter().map(|place| self.columns[*place].clone()));
        let mut table = Self::new(columns);
        for group in groups {
            let given = [
                Value::Integer(group.rows.len() as i64),
                Value::text(&fold(&group.hosts)),
            ];
            let fields = group.key.into_iter().cloned();
            table.rows.push(given.into_iter().chain(fields).collect());
        }
        Ok(table)
    }

    fn places(&self, names: &[String]) -> Result<Vec<usize>, NoColumn> {
        names.iter().map(|name| self.find(name)).collect()
    }

    fn find(&self, name: &str) -> Result<usize, NoColumn> {
        place(&self.columns, name).ok_or_else(|| NoColumn(unknown(&self.columns, name)))
    }
}

/// Rows that are the same in some columns.
#[derive(Debug)]
pub struct Group<'a> {
    /// What they have there.
    pub key: Vec<&'a Value>,
    /// Their places among all rows.
    pub rows: Vec<usize>,
    /// Each host once, in the order of the alphabet.
    pub hosts: Vec<&'a str>,
}

/// The rows by what they have in the columns at these places, the most frequent first; `host` is the place of their host.
pub fn groups<'a>(
    rows: impl Iterator<Item = &'a Row>,
    places: &[usize],
    host: Option<usize>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<Vec<&Value>, usize> = HashMap::new();
    for (n, row) in rows.enumerate() {
        let key: Vec<&Value> = places.iter().map(|place| &row[*place]).collect();
        let group = *known.entry(key).or_insert_with_key(|key| {
            groups.push(Group {
                key: key.clone(),
                rows: Vec::new(),
                hosts: Vec::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[group];
        group.rows.push(n);
        // A host's rows stand together, so that few are there twice.
        if let Some(Value::Text(name)) = host.map(|host| &row[host])
            && group.hosts.last() != Some(&name.as_ref())
        {
            group.hosts.push(name);
        }
    }
    for group in &mut groups {
        group.hosts.sort_unstable();
        group.hosts.dedup();
    }
    groups.sort_by(|a, b| {
        let largest = b.rows.len().cmp(&a.rows.len());
        largest.then_with(|| a.key.cmp(&b.key))
    });
    groups
}

/// By which columns rows are ordered, `-used_pct,host`: a `-` puts the largest first.  What is empty comes last either
/// way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(Vec<(usize, Direction)>);

impl Order {
    pub fn by(names: &[String], columns: &[Column]) -> Result<Self, NoColumn> {
        let find =
            |name: &str| place(columns, name).ok_or_else(|| NoColumn(unknown(columns, name)));
        let keys = names.iter().map(|name| match name.strip_prefix('-') {
            Some(name) => Ok((find(name)?, Direction::Falling)),
            None => Ok((find(name)?, Direction::Rising)),
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }

    /// As they come.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn compare(&self, a: &[Value], b: &[Value]) -> Ordering {
        self.0
            .iter()
            .map(|(column, direction)| direction.order(&a[*column], &b[*column]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Rising,
    Falling,
}

impl Direction {
    fn order(self, a: &Value, b: &Value) -> Ordering {
        let empty = |value: &Value| matches!(value, Value::Empty);
        match (empty(a), empty(b), self) {
            (false, false, Self::Rising) => a.cmp(b),
            (false, false, Self::Falling) => b.cmp(a),
            (one, other, _) => one.cmp(&other),
        }
    }
}

/// The column of this name, whatever its capitals.
pub fn place(columns: &[Column], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|column| column.name == name);
    exact.or_else(|| {
        columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
    })
}

/// That there is no such column, and which may be meant.
pub(super) fn unknown(columns: &[Column], name: &str) -> String {
    let names = || columns.iter().map(|column| column.name.as_str());
    let hint = match crate::targets::nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("there is no column {}; {hint}", name.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [
            ("host", Kind::Text),
            ("fs", Kind::Text),
            ("used", Kind::Integer),
        ];
        let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).into());
        for (host, fs, used) in [
            ("web02", "ext4", Some(5)),
            ("web01", "xfs", Some(90)),
            ("web01", "ext4", None),
            ("web03", "ext4", Some(40)),
        ] {
            let used = used.map_or(Value::Empty, Value::Integer);
            table
                .rows
                .push([Value::text(host), Value::text(fs), used].into());
        }
        table
    }

    fn shown(table: &Table) -> Vec<String> {
        let row = |row: &Row| {
            row.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        table.rows.iter().map(row).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_are_ordered_by_several_columns_and_what_is_empty_comes_last() {
        let mut sorted = table();
        sorted.sort(&names(&["-used"])).expect("a column");
        assert_eq!(
            shown(&sorted),
            [
                "web01 xfs 90",
                "web03 ext4 40",
                "web02 ext4 5",
                "web01 ext4 "
            ]
        );
        sorted.sort(&names(&["fs", "-host"])).expect("columns");
        assert_eq!(
            shown(&sorted),
            [
                "web03 ext4 40",
                "web02 ext4 5",
                "web01 ext4 ",
                "web01 xfs 90"
            ]
        );
        let wrong = sorted.sort(&names(&["-usde"])).expect_err("no column");
        assert_eq!(wrong.0, "there is no column usde; did you mean used?");
    }

    #[test]
    fn columns_are_chosen_and_rows_filtered() {
        let mut chosen = table();
        let filter =
            Filter::parse("used > 4 and host != web03", &chosen.columns).expect("a condition");
        chosen.filter(&filter);
        chosen.select(&names(&["used", "host"])).expect("columns");
        assert_eq!(shown(&chosen), ["5 web02", "90 web01"]);
    }

    #[test]
    fn groups_are_counted_and_name_their_hosts() {
        let fold = |hosts: &[&str]| hosts.join("+");
        let grouped = table().group(&names(&["fs"]), fold).expect("a column");
        assert_eq!(shown(&grouped), ["3 web01+web02+web03 ext4", "1 web01 xfs"]);
        let names: Vec<&str> = grouped
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["count", "hosts", "fs"]);
    }
}

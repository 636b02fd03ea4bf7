//! One table over all hosts: rows that are filtered, ordered, narrowed to columns, and grouped.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::filter::Filter;
use super::parse::Row;
use super::shape::Column;
use super::value::{Kind, Value};

/// Rows, and what their fields are.
#[derive(Clone, Debug, Default)]
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

    /// Orders rows by columns, `-used_pct,host`: a `-` puts the largest first.  What is empty comes last either way, and
    /// equal rows stay as they are.
    pub fn sort(&mut self, by: &[String]) -> Result<(), NoColumn> {
        let keys: Vec<(usize, Direction)> = by
            .iter()
            .map(|name| match name.strip_prefix('-') {
                Some(name) => Ok((self.find(name)?, Direction::Falling)),
                None => Ok((self.find(name)?, Direction::Rising)),
            })
            .collect::<Result<_, _>>()?;
        self.rows.sort_by(|a, b| {
            keys.iter()
                .map(|(column, direction)| direction.order(&a[*column], &b[*column]))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
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
        let host = self.find("host").ok();
        let mut groups: Vec<(usize, Vec<&str>)> = Vec::new();
        let mut known: HashMap<Vec<&Value>, usize> = HashMap::new();
        let mut firsts = Vec::new();
        for row in &self.rows {
            let key = places.iter().map(|place| &row[*place]).collect();
            let group = *known.entry(key).or_insert_with(|| {
                groups.push((0, Vec::new()));
                firsts.push(row);
                groups.len() - 1
            });
            let (count, hosts) = &mut groups[group];
            *count += 1;
            // A host's rows stand together, so that few are there twice.
            if let Some(Value::Text(name)) = host.map(|host| &row[host])
                && hosts.last() != Some(&name.as_ref())
            {
                hosts.push(name);
            }
        }
        let mut columns = vec![
            Column::new("count", Kind::Integer),
            Column::new("hosts", Kind::Text),
        ];
        columns.extend(places.iter().map(|place| self.columns[*place].clone()));
        let mut table = Self::new(columns);
        for ((count, mut hosts), first) in groups.into_iter().zip(firsts) {
            hosts.sort_unstable();
            hosts.dedup();
            let given = [Value::Integer(count as i64), Value::text(&fold(&hosts))];
            let fields = places.iter().map(|place| first[*place].clone());
            table.rows.push(given.into_iter().chain(fields).collect());
        }
        table
            .rows
            .sort_by(|a, b| b[0].cmp(&a[0]).then_with(|| a[2..].cmp(&b[2..])));
        Ok(table)
    }

    fn places(&self, names: &[String]) -> Result<Vec<usize>, NoColumn> {
        names.iter().map(|name| self.find(name)).collect()
    }

    fn find(&self, name: &str) -> Result<usize, NoColumn> {
        place(&self.columns, name).ok_or_else(|| NoColumn(unknown(&self.columns, name)))
    }
}

#[derive(Clone, Copy)]
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
pub(super) fn place(columns: &[Column], name: &str) -> Option<usize> {
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

//! What is shown of a table, to be written elsewhere: computed by whoever writes it, and not on the loop.

use std::path::Path;
use std::sync::Arc;

use super::arrange::RowId;
use super::part::Rows;
use super::{Item, Level, TableView, trouble};
use crate::command::rows::Format;
use crate::results::{Column, Kind, Table, Value};
use crate::view::rows::{Guard, csv, csv_header, lines, markdown, object};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub format: Format,
    pub what: What,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Some columns of some rows.
    Rows {
        columns: Vec<(usize, Column)>,
        parts: Vec<(u64, Rows)>,
        rows: Vec<RowId>,
    },
    /// Groups, or hosts and what is said of them.
    Ready(Arc<Table>),
}

impl Export {
    pub fn text(&self) -> String {
        let table = self.table();
        let mut text = match self.format {
            Format::Table => lines(&table, None),
            Format::Md => markdown(&table),
            Format::Csv => {
                let rows = table.rows.iter().map(|row| csv(row, Guard::Formulas));
                std::iter::once(csv_header(&table)).chain(rows).collect()
            }
            Format::Ndjson => {
                let objects = table.rows.iter().map(|row| object(&table, row).to_string());
                objects.collect()
            }
            Format::Json => {
                let objects = table.rows.iter().map(|row| object(&table, row));
                vec![objects.collect::<serde_json::Value>().to_string()]
            }
        }
        .join("\n");
        text.push('\n');
        text
    }

    fn table(&self) -> Arc<Table> {
        let (columns, parts, rows) = match &self.what {
            What::Ready(table) => return Arc::clone(table),
            What::Rows {
                columns,
                parts,
                rows,
            } => (columns, parts, rows),
        };
        let mut table = Table::new(columns.iter().map(|(_, column)| column.clone()).collect());
        for id in rows {
            let part = parts.binary_search_by_key(&id.child, |(child, _)| *child);
            let Some(row) = part.ok().and_then(|part| parts[part].1.get(id.at as usize)) else {
                continue;
            };
            let fields = columns.iter().map(|(column, _)| row[*column].clone());
            table.rows.push(fields.collect());
        }
        Arc::new(table)
    }
}

impl TableView {
    /// What is shown, to be written elsewhere.
    pub(super) fn export(&self, format: Format) -> Export {
        let what = match &self.level {
            Level::Rows | Level::Within(_) => {
                let rows = self.list().keys().iter().filter_map(|item| match item {
                    Item::Row(id) => Some(*id),
                    Item::Group(_) | Item::Host(_) => None,
                });
                let columns = self.grid.columns();
                What::Rows {
                    columns: columns
                        .map(|column| (column, self.columns[column].clone()))
                        .collect(),
                    parts: self.shared(),
                    rows: rows.collect(),
                }
            }
            Level::Groups => What::Ready(Arc::new(self.table_of_groups())),
            Level::Troubles(_) => What::Ready(Arc::new(self.table_of_troubles())),
        };
        Export { format, what }
    }

    fn table_of_groups(&self) -> Table {
        let mut columns = vec![
            Column::new("count", Kind::Integer),
            Column::new("hosts", Kind::Text),
        ];
        columns.extend(self.by.iter().map(|column| self.columns[*column].clone()));
        let mut table = Table::new(columns);
        for group in &self.found {
            let count = Value::Integer(group.rows.len() as i64);
            let given = [count, Value::text(&group.hosts)];
            let key = group.key.iter().cloned();
            table.rows.push(given.into_iter().chain(key).collect());
        }
        table
    }

    fn table_of_troubles(&self) -> Table {
        let columns = [("host", Kind::Text), ("what", Kind::Text)];
        let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).into());
        for part in self.parts.values().filter(|part| part.is_trouble()) {
            let fields = [Value::text(&part.host), Value::text(&trouble(part))];
            table.rows.push(fields.into());
        }
        table
    }
}

/// The format that a file's name asks for, CSV where it asks for none; or which endings there are.
pub fn format_of(file: &Path) -> Result<Format, String> {
    let extension = file.extension().and_then(|extension| extension.to_str());
    Ok(
        match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
            "md" | "markdown" => Format::Md,
            "json" => Format::Json,
            "ndjson" | "jsonl" => Format::Ndjson,
            "txt" => Format::Table,
            "csv" | "" => Format::Csv,
            other => {
                let other = other.escape_debug();
                return Err(format!(
                    "rows are not saved as .{other}, but as .csv, .json, .ndjson, .md, .txt"
                ));
            }
        },
    )
}

//! Rows asked in SQL: a table for each query, in a database in memory that can only be read.
//!
//! A statement is first read against empty tables, which says whose rows it needs; only those are filled in.  When it has
//! taken too long is the caller's to say.

mod error;
mod sheet;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Batch, Connection};

use super::parse::Row;
use super::shape::Column;
use super::table::Table;
pub use error::SqlError;
use error::wrong;
pub use sheet::{Needed, Sheet};
use value::{declared, fitting, kind, settle, value};

/// Bytes of one value, or of the statement.
const LARGEST: i32 = 64 << 20;

/// Steps of SQLite's machine between two looks at the clock: well under a millisecond.
const STEPS: i32 = 10_000;

/// What a statement came to.
#[derive(Debug)]
pub struct Answer {
    pub table: Table,
    /// Whether there is more than was taken.
    pub more: bool,
}

/// What a statement reads, as SQLite says while it prepares it: table, column, and the view through which.
type Reads = Arc<Mutex<BTreeSet<(String, String, Option<String>)>>>;

/// See the module.
#[derive(Debug)]
pub struct Database {
    db: Connection,
    sheets: Vec<Sheet>,
}

impl Database {
    pub fn new(sheets: Vec<Sheet>) -> Result<Self, SqlError> {
        let db = Connection::open_in_memory().map_err(wrong)?;
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
        )
        .map_err(wrong)?;
        for limit in [Limit::SQLITE_LIMIT_LENGTH, Limit::SQLITE_LIMIT_SQL_LENGTH] {
            db.set_limit(limit, LARGEST).map_err(wrong)?;
        }
        let this = Self { db, sheets };
        for sheet in &this.sheets {
            let columns: Vec<String> = sheet
                .columns
                .iter()
                .map(|column| format!("{} {}", quoted(&column.name), declared(column.kind)))
                .collect();
            let name = quoted(&sheet.name);
            let mut make = format!("CREATE TABLE {name} ({});", columns.join(", "));
            for job in &sheet.jobs {
                let view = quoted(&format!("{}_{job}", sheet.name));
                _ = write!(
                    make,
                    "CREATE VIEW IF NOT EXISTS {view} AS SELECT * FROM {name} WHERE job = {job};"
                );
            }
            this.db.execute_batch(&make).map_err(wrong)?;
        }
        Ok(this)
    }

    /// What a statement needs of each sheet, in their order; an error if it is wrong or would do more than read.
    pub fn needed(&mut self, statement: &str) -> Result<Vec<Needed>, SqlError> {
        let reads = Reads::default();
        self.guarded(&reads, |this| this.prepared(statement, |_| Ok(())))?;
        let reads = reads.lock().unwrap_or_else(PoisonError::into_inner);
        let text = statement.to_ascii_lowercase();
        let needed = |sheet: &Sheet| {
            let own = reads
                .iter()
                .filter(|(table, _, _)| sheet.name.eq_ignore_ascii_case(table));
            let read = own.map(|(_, column, through)| (column.as_str(), through.as_deref()));
            sheet.needed(read, &text)
        };
        Ok(self.sheets.iter().map(needed).collect())
    }

    /// Fills in rows of a sheet; `places` says where each of the sheet's columns stands in them, of those that are needed.
    pub fn fill(
        &mut self,
        sheet: usize,
        places: &BTreeMap<usize, usize>,
        rows: &[Row],
    ) -> Result<(), SqlError> {
        let sheet = &self.sheets[sheet];
        let names: Vec<String> = places
            .keys()
            .map(|column| quoted(&sheet.columns[*column].name))
            .collect();
        let holes = vec!["?"; names.len()];
        let insert = if names.is_empty() {
            format!("INSERT INTO {} DEFAULT VALUES", quoted(&sheet.name))
        } else {
            format!(
                "INSERT INTO {} ({}) VALUES ({})",
                quoted(&sheet.name),
                names.join(", "),
                holes.join(", ")
            )
        };
        let all = self.db.transaction().map_err(wrong)?;
        {
            let mut insert = all.prepare(&insert).map_err(wrong)?;
            for row in rows {
                for (n, (column, place)) in places.iter().enumerate() {
                    let field = fitting(&row[*place], sheet.columns[*column].kind);
                    insert.raw_bind_parameter(n + 1, field).map_err(wrong)?;
                }
                insert.raw_execute().map_err(wrong)?;
            }
        }
        all.commit().map_err(wrong)
    }

    /// Runs a statement until it has this many rows, or `stop` says that it is enough.
    pub fn ask(
        &mut self,
        statement: &str,
        most: usize,
        stop: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Answer, SqlError> {
        self.db.progress_handler(STEPS, Some(stop)).map_err(wrong)?;
        self.guarded(&Reads::default(), |this| {
            this.prepared(statement, |statement| {
                let columns: Vec<Column> = statement
                    .columns()
                    .map(|column| Column::new(column.name(), kind(column.decl_type())))
                    .collect();
                let mut table = Table::new(columns);
                let mut more = false;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if table.rows.len() == most {
                        more = true;
                        break;
                    }
                    let field =
                        |(n, column): (usize, &Column)| Ok(value(row.get_ref(n)?, column.kind));
                    let fields = table.columns.iter().enumerate().map(field);
                    let fields = fields.collect::<rusqlite::Result<Row>>()?;
                    table.rows.push(fields);
                }
                drop(rows);
                settle(&mut table);
                Ok(Answer { table, more })
            })
        })
    }

    /// Does something while nothing but reading is allowed, and notes what is read.
    fn guarded<T>(
        &mut self,
        reads: &Reads,
        work: impl FnOnce(&Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let noted = Arc::clone(reads);
        let guard = move |context: AuthContext<'_>| match context.action {
            AuthAction::Read {
                table_name,
                column_name,
            } => {
                let read = (
                    table_name.to_string(),
                    column_name.to_string(),
                    context.accessor.map(str::to_string),
                );
                noted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(read);
                Authorization::Allow
            }
            AuthAction::Select | AuthAction::Recursive => Authorization::Allow,
            AuthAction::Function { function_name } if function_name != "load_extension" => {
                Authorization::Allow
            }
            _ => Authorization::Deny,
        };
        self.db.authorizer(Some(guard)).map_err(wrong)?;
        let done = work(self);
        let none = None::<fn(AuthContext<'_>) -> Authorization>;
        self.db.authorizer(none).map_err(wrong)?;
        done
    }

    fn said(&self, error: rusqlite::Error) -> SqlError {
        wrong(error).meant(&self.sheets)
    }

    /// The one statement, prepared.
    fn prepared<T>(
        &self,
        text: &str,
        work: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, SqlError> {
        let mut batch = Batch::new(&self.db, text);
        let first = batch.next().map_err(|error| self.said(error))?;
        let mut first =
            first.ok_or_else(|| SqlError::Statement("there is no statement".to_string()))?;
        match batch.next() {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => {
                return Err(SqlError::Statement(
                    "one statement at a time; leave out what is behind the first ;".to_string(),
                ));
            }
        }
        if !first.readonly() || first.column_count() == 0 {
            return Err(SqlError::Writes);
        }
        work(&mut first).map_err(|error| self.said(error))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;

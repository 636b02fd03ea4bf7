//! Rows asked in SQL: a table for each query, in a database in memory that can only be read.
//!
//! A statement is first read against empty tables, which says whose rows it needs; only those are filled in.  When it has
//! taken too long is the caller's to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, ToSql};

use super::parse::Row;
use super::shape::Column;
use super::table::Table;
use super::value::{Kind, Value};
use crate::targets::nearest;

/// Bytes of one value, or of the statement.
const LARGEST: i32 = 64 << 20;

/// Steps of SQLite's machine between two looks at the clock: well under a millisecond.
const STEPS: i32 = 10_000;

/// One table: the rows of all jobs of a query, and each job's as a view `QUERY_JOB`.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub name: String,
    pub columns: Vec<Column>,
    pub jobs: Vec<u64>,
}

impl Sheet {
    /// The name a query's table has: what SQL takes without quotes.
    pub fn named(query: &str) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let name: String = query.chars().map(plain).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("q_{name}")
        } else {
            name
        }
    }
}

/// What a statement needs of one sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    pub jobs: BTreeSet<u64>,
    /// The places of its columns.
    pub columns: BTreeSet<usize>,
}

/// What a statement came to.
#[derive(Debug)]
pub struct Answer {
    pub table: Table,
    /// Whether there is more than was taken.
    pub more: bool,
}

/// Why a statement has no answer, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// It is wrong.
    Statement(String),
    /// It would do something.
    Writes,
    /// It was stopped.
    Stopped,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(what) => f.write_str(what),
            Self::Writes => f.write_str("rows can only be read: one SELECT is all there is"),
            Self::Stopped => f.write_str("the statement took too long and was stopped"),
        }
    }
}

impl std::error::Error for SqlError {}

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
        let mut needed = vec![Needed::default(); self.sheets.len()];
        for (table, column, through) in reads.iter() {
            let Some(n) = self
                .sheets
                .iter()
                .position(|sheet| sheet.name.eq_ignore_ascii_case(table))
            else {
                continue;
            };
            let sheet = &self.sheets[n];
            needed[n].columns.extend(
                sheet
                    .columns
                    .iter()
                    .position(|known| known.name.eq_ignore_ascii_case(column)),
            );
            let of = through
                .as_deref()
                .and_then(|view| view.rsplit_once('_')?.1.parse().ok());
            match of {
                Some(job) if sheet.jobs.contains(&job) => _ = needed[n].jobs.insert(job),
                _ => needed[n].jobs.extend(&sheet.jobs),
            }
        }
        // Of columns that USING and NATURAL join by, SQLite does not say that they are read.
        let text = statement.to_ascii_lowercase();
        if text.contains("join") {
            for (needed, sheet) in needed.iter_mut().zip(&self.sheets) {
                let jobs = mentioned(&text, sheet);
                if !jobs.is_empty() {
                    needed.jobs.extend(jobs);
                    needed.columns.extend(0..sheet.columns.len());
                }
            }
        }
        Ok(needed)
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
                for (n, place) in places.values().enumerate() {
                    insert
                        .raw_bind_parameter(n + 1, &row[*place])
                        .map_err(wrong)?;
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

    /// What SQLite complains of, with what was probably meant.
    fn said(&self, error: rusqlite::Error) -> SqlError {
        let error = wrong(error);
        let SqlError::Statement(what) = error else {
            return error;
        };
        let tables = || self.sheets.iter().map(|sheet| sheet.name.as_str());
        let columns = || {
            self.sheets
                .iter()
                .flat_map(|sheet| &sheet.columns)
                .map(|column| column.name.as_str())
        };
        let hint = if let Some(name) = what.strip_prefix("no such table: ") {
            match nearest(name, tables()) {
                Some(near) => format!("; did you mean {near}?"),
                None => format!("; there are {}", tables().collect::<Vec<_>>().join(", ")),
            }
        } else if let Some(name) = what.strip_prefix("no such column: ") {
            let name = name.rsplit('.').next().unwrap_or(name);
            nearest(name, columns())
                .map_or_else(String::new, |near| format!("; did you mean {near}?"))
        } else {
            String::new()
        };
        SqlError::Statement(format!("{what}{hint}"))
    }
}

/// The jobs whose rows a text in small letters may speak of: those of views it names, and all where it names the table.
fn mentioned(text: &str, sheet: &Sheet) -> BTreeSet<u64> {
    let mut jobs = BTreeSet::new();
    for (at, name) in text.match_indices(&sheet.name) {
        let after = &text[at + name.len()..];
        let digits = after.strip_prefix('_').map_or("", |after| {
            let end = after.find(|c: char| !c.is_ascii_digit());
            &after[..end.unwrap_or(after.len())]
        });
        match digits.parse() {
            Ok(job) if sheet.jobs.contains(&job) => _ = jobs.insert(job),
            _ => jobs.extend(&sheet.jobs),
        }
    }
    jobs
}

fn wrong(error: rusqlite::Error) -> SqlError {
    use rusqlite::ErrorCode::{AuthorizationForStatementDenied, OperationInterrupted, ReadOnly};
    match error.sqlite_error_code() {
        Some(AuthorizationForStatementDenied | ReadOnly) => return SqlError::Writes,
        Some(OperationInterrupted) => return SqlError::Stopped,
        _ => {}
    }
    let said = match error {
        rusqlite::Error::SqlInputError { msg, .. }
        | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg,
        other => other.to_string(),
    };
    // Of functions it has no code for that.
    if said.starts_with("not authorized") {
        SqlError::Writes
    } else {
        SqlError::Statement(said)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a column is declared as: its first word says its kind, and the rest how SQLite is to store it.
fn declared(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Integer => "INTEGER",
        Kind::Float => "REAL",
        Kind::Bool => "BOOL INTEGER",
        Kind::Bytes => "BYTES INTEGER",
        Kind::Duration => "DURATION REAL",
        Kind::Timestamp => "TIMESTAMP TEXT",
        Kind::Version => "VERSION TEXT",
    }
}

fn kind(declared: Option<&str>) -> Kind {
    let word = declared
        .and_then(|declared| declared.split(' ').next())
        .unwrap_or_default();
    match word {
        "INTEGER" => Kind::Integer,
        "REAL" => Kind::Float,
        "BOOL" => Kind::Bool,
        "BYTES" => Kind::Bytes,
        "DURATION" => Kind::Duration,
        "TIMESTAMP" => Kind::Timestamp,
        "VERSION" => Kind::Version,
        // What was worked out has no kind yet.
        _ => Kind::Text,
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = |value| Ok(ToSqlOutput::Borrowed(value));
        match self {
            Self::Empty => borrowed(ValueRef::Null),
            Self::Text(text) | Self::Version(text) => borrowed(ValueRef::Text(text.as_bytes())),
            Self::Integer(number) => borrowed(ValueRef::Integer(*number)),
            Self::Bool(truth) => borrowed(ValueRef::Integer(i64::from(*truth))),
            Self::Bytes(bytes) => {
                borrowed(ValueRef::Integer(i64::try_from(*bytes).unwrap_or(i64::MAX)))
            }
            Self::Float(number) | Self::Duration(number) => borrowed(ValueRef::Real(*number)),
            Self::Timestamp(_) => Ok(ToSqlOutput::from(self.to_string())),
        }
    }
}

fn value(field: ValueRef<'_>, kind: Kind) -> Value {
    match (field, kind) {
        (ValueRef::Null, _) => Value::Empty,
        (ValueRef::Integer(number), Kind::Bytes) => {
            u64::try_from(number).map_or(Value::Integer(number), Value::Bytes)
        }
        (ValueRef::Integer(number), Kind::Bool) => Value::Bool(number != 0),
        (ValueRef::Integer(number), Kind::Duration) => Value::Duration(number as f64),
        (ValueRef::Integer(number), _) => Value::Integer(number),
        (ValueRef::Real(number), Kind::Duration) => Value::Duration(number),
        (ValueRef::Real(number), _) if number.is_finite() => Value::Float(number),
        (ValueRef::Real(number), _) => Value::text(&number.to_string()),
        (ValueRef::Text(text), Kind::Version) => {
            Value::Version(String::from_utf8_lossy(text).into())
        }
        (ValueRef::Text(text) | ValueRef::Blob(text), _) => {
            Value::text(&String::from_utf8_lossy(text))
        }
    }
}

/// Columns that were worked out are set like numbers if all their fields are.
fn settle(table: &mut Table) {
    for (n, column) in table.columns.iter_mut().enumerate() {
        let number = |row: &Row| matches!(row[n], Value::Integer(_) | Value::Float(_));
        if column.kind == Kind::Text && !table.rows.is_empty() && table.rows.iter().all(number) {
            column.kind = Kind::Float;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::shape::GIVEN;

    fn sheet(name: &str, jobs: &[u64], own: &[(&str, Kind)]) -> Sheet {
        let columns = GIVEN
            .iter()
            .chain(own)
            .map(|(name, kind)| Column::new(name, *kind));
        Sheet {
            name: name.into(),
            columns: columns.collect(),
            jobs: jobs.into(),
        }
    }

    /// Two jobs that asked for file systems, and one for memory.
    fn database() -> Database {
        let sheets = vec![
            sheet(
                "filesystems",
                &[7, 9],
                &[("mount", Kind::Text), ("size", Kind::Bytes)],
            ),
            sheet(
                "memory",
                &[11],
                &[("total", Kind::Bytes), ("version", Kind::Version)],
            ),
        ];
        let mut database = Database::new(sheets).expect("tables");
        let row = |host: &str, job: i64, own: [Value; 2]| -> Row {
            let given = [
                Value::text(host),
                Value::Integer(job),
                Value::Timestamp(1_764_081_724_000),
            ];
            given.into_iter().chain(own).collect()
        };
        let all = (0..5).map(|n| (n, n)).collect();
        let files = [
            row("a", 7, [Value::text("/"), Value::Bytes(10)]),
            row("b", 7, [Value::text("/"), Value::Bytes(20)]),
            row("a", 9, [Value::text("/"), Value::Bytes(15)]),
            row("b", 9, [Value::text("/"), Value::Empty]),
        ];
        database.fill(0, &all, &files).expect("rows");
        let memory = [row(
            "a",
            11,
            [Value::Bytes(4), Value::Version("1.10".into())],
        )];
        database.fill(1, &all, &memory).expect("rows");
        database
    }

    fn ask(statement: &str) -> Result<Vec<String>, SqlError> {
        let answer = database().ask(statement, 100, || false)?;
        let row = |row: &Row| {
            row.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        Ok(answer.table.rows.iter().map(row).collect())
    }

    #[test]
    fn jobs_are_joined() {
        let grown = "select b.host, a.size - b.size from filesystems_7 b join filesystems_9 a using (host, mount) \
                     where a.size is not null";
        assert_eq!(ask(grown), Ok(vec!["a 5".to_string()]));
        let across = "select f.host, sum(f.size), total, version from filesystems f join memory using (host)";
        assert_eq!(ask(across), Ok(vec!["a 25 4 1.10".to_string()]));
        let at = "select distinct at, strftime('%Y', at) from memory";
        assert_eq!(ask(at), Ok(vec!["2025-11-25T14:42:04Z 2025".to_string()]));
    }

    #[test]
    fn columns_keep_their_kinds() {
        let answer = database().ask("select size, memory.at, version, size * 2, count(*) as n from filesystems, memory group by size", 100, || false);
        let kinds: Vec<Kind> = answer
            .expect("rows")
            .table
            .columns
            .iter()
            .map(|column| column.kind)
            .collect();
        // One of the products is empty, so that they are no column of numbers.
        assert_eq!(
            kinds,
            [
                Kind::Bytes,
                Kind::Timestamp,
                Kind::Version,
                Kind::Text,
                Kind::Float
            ]
        );
    }

    #[test]
    fn only_what_is_read_is_needed() {
        let mut database = database();
        let needed = database
            .needed("select host from filesystems_9 where size > 3")
            .expect("a statement");
        assert_eq!(needed[0].jobs, [9].into());
        // The host, the job of the view, and the size; views read all they select, whatever is asked of them.
        assert!(needed[0].columns.contains(&0) && needed[0].columns.contains(&4));
        assert_eq!(needed[1], Needed::default());
        let needed = database
            .needed("select count(*) from filesystems")
            .expect("a statement");
        assert_eq!(needed[0].jobs, [7, 9].into());
        assert_eq!(needed[1], Needed::default());
    }

    #[test]
    fn what_is_joined_by_name_is_needed_too() {
        let mut database = database();
        let needed = database
            .needed("SELECT count(f.size) FROM Memory NATURAL JOIN filesystems_7 f")
            .expect("a statement");
        assert_eq!(needed[0].jobs, [7].into());
        assert_eq!(needed[1].jobs, [11].into());
        assert!(needed[1].columns.contains(&0), "the host joins");
        let needed = database
            .needed("select total from memory join filesystems using (host)")
            .expect("a statement");
        assert_eq!(needed[0].jobs, [7, 9].into());
        assert!(needed[0].columns.contains(&0));
    }

    #[test]
    fn nothing_but_reading_is_done() {
        let cases = [
            "delete from filesystems",
            "insert into memory (host) values ('x')",
            "update memory set host = 'x'",
            "drop table memory",
            "create table x (y)",
            "create temp table x (y)",
            "attach database '/tmp/regatta-x.db' as x",
            "vacuum into '/tmp/regatta-x.db'",
            "pragma journal_mode",
            "select * from pragma_database_list",
            "select load_extension('x')",
            "begin",
            "with x as (select 1) delete from memory",
        ];
        for statement in cases {
            let refused = ask(statement);
            assert_eq!(refused, Err(SqlError::Writes), "{statement}");
        }
        assert!(matches!(
            ask("select 1; delete from memory"),
            Err(SqlError::Statement(_))
        ));
        assert!(matches!(ask(" "), Err(SqlError::Statement(_))));
        assert!(!std::path::Path::new("/tmp/regatta-x.db").exists());
    }

    #[test]
    fn what_runs_for_ever_is_stopped() {
        let for_ever = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";
        let mut looks = 0;
        let enough = move || {
            looks += 1;
            looks > 10
        };
        let stopped = database().ask(for_ever, 100, enough).expect_err("stopped");
        assert_eq!(stopped, SqlError::Stopped);
        let many =
            "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n";
        let answer = database().ask(many, 100, || false).expect("the first rows");
        assert_eq!((answer.table.rows.len(), answer.more), (100, true));
        let huge = ask("select length(zeroblob(1000000000))");
        assert!(matches!(huge, Err(SqlError::Statement(_))), "{huge:?}");
    }

    #[test]
    fn mistakes_name_what_was_meant() {
        let cases = [
            (
                "select * from filesystem",
                "no such table: filesystem; did you mean filesystems?",
            ),
            (
                "select * from x",
                "no such table: x; there are filesystems, memory",
            ),
            (
                "select m.totl from memory m",
                "no such column: m.totl; did you mean total?",
            ),
            ("selct 1", "near \"selct\": syntax error"),
        ];
        for (statement, want) in cases {
            assert_eq!(ask(statement), Err(SqlError::Statement(want.to_string())));
        }
        assert_eq!(Sheet::named("reboot-required"), "reboot_required");
        assert_eq!(Sheet::named("2fa"), "q_2fa");
    }
}

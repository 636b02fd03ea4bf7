//! What rows cost: reading them from output, counting them in groups, asking them in SQL.
//!
//! Budgets: 200 MB/s for JSON lines and for words in columns; a million rows counted in groups by SQL in 1 s.
//! Repeat with `cargo bench --bench rows`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use regatta::results::parse::Row;
use regatta::results::sql::{Database, Sheet};
use regatta::results::{Also, Column, Filter, Header, Kind, Parser, Reading, Shape, Table, Value};

/// As many rows as are taken of one host.
const ROWS: usize = 100_000;

const MILLION: usize = 1_000_000;

fn main() {
    let json = output(|text, n| {
        writeln!(
            text,
            r#"{{"mount":"/srv/data/{n}","fs":"ext4","source":"/dev/mapper/vg0-data{n}","size":{},"used":{},"used_pct":{}}}"#,
            1_000_000 + n,
            n * 7,
            n % 100
        )
    });
    let words = output(|text, n| {
        writeln!(
            text,
            "/srv/data/{n}   ext4  /dev/mapper/vg0-data{n}   {}  {}  {}%",
            1_000_000 + n,
            n * 7,
            n % 100
        )
    });
    let tabs = words
        .split('\n')
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join("\t"));
    let tabs = tabs.collect::<Vec<_>>().join("\n");
    parsing("JSON lines", Parser::JsonLines, &json, 200.0);
    parsing(
        "words",
        Parser::Words {
            header: Header::None,
        },
        &words,
        200.0,
    );
    parsing(
        "tabs",
        Parser::Tsv {
            header: Header::None,
        },
        &tabs,
        200.0,
    );
    let mut table = Table::new(shape(Parser::JsonLines).all_columns());
    for host in 0..10 {
        table.rows.extend(read(
            &Reading::new(&shape(Parser::JsonLines)).expect("a shape"),
            &json,
            host,
        ));
    }
    asking(&table);
    let (filtered, time) = timed(|| {
        let mut table = table.clone();
        let filter =
            Filter::parse("used_pct > 80 and mount ~ '9$'", &table.columns).expect("a condition");
        let began = Instant::now();
        table.filter(&filter);
        (table.rows.len(), began.elapsed())
    })
    .0;
    println!(
        "condition: {MILLION} rows in {:.0} ms, {filtered} are left",
        millis(time)
    );
    let (groups, time) = timed(|| {
        let names = ["used_pct".to_string()];
        table
            .group(&names, |hosts| hosts.join(","))
            .expect("a column")
            .rows
            .len()
    });
    println!(
        "group: {MILLION} rows in {groups} groups in {:.0} ms",
        millis(time)
    );
}

fn output(mut line: impl FnMut(&mut String, usize) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for n in 0..ROWS {
        line(&mut text, n).expect("a String takes everything");
    }
    text
}

fn shape(parser: Parser) -> Shape {
    let columns = [
        ("mount", Kind::Text),
        ("fs", Kind::Text),
        ("source", Kind::Text),
        ("size", Kind::Bytes),
        ("used", Kind::Bytes),
        ("used_pct", Kind::Float),
    ];
    Shape {
        query: "filesystems".to_string(),
        parser,
        columns: columns.map(|(name, kind)| Column::new(name, kind)).into(),
        key: Vec::new(),
        also: Also::Nothing,
    }
}

fn read(reading: &Reading, text: &str, host: i64) -> Vec<Row> {
    let given = [
        Value::text(&format!("web{host:02}")),
        Value::Integer(7),
        Value::Timestamp(1_764_081_724_000),
    ];
    let parsed = reading.parse(text.as_bytes(), &given).expect("rows");
    assert!(
        parsed.flaws.is_none() && parsed.rows.len() == ROWS,
        "{}",
        parsed.flaws
    );
    parsed.rows
}

fn parsing(what: &str, parser: Parser, text: &str, budget: f64) {
    let reading = Reading::new(&shape(parser)).expect("a shape");
    let best = (0..5)
        .map(|_| timed(|| read(&reading, text, 1)).1)
        .min()
        .expect("some");
    let rate = text.len() as f64 / 1e6 / best.as_secs_f64();
    let rows = ROWS as f64 / 1e6 / best.as_secs_f64();
    println!("{what}: {rate:.0} MB/s, {rows:.1} million rows/s (budget {budget:.0} MB/s)");
}

fn asking(table: &Table) {
    let statement = "select used_pct, count(*), sum(size) from filesystems group by used_pct";
    let sheet = Sheet {
        name: "filesystems".to_string(),
        columns: table.columns.clone(),
        jobs: vec![7],
    };
    let mut database = Database::new(vec![sheet]).expect("a table");
    let (needed, _) = timed(|| database.needed(statement).expect("a statement").remove(0));
    let places = needed
        .columns
        .iter()
        .map(|column| (*column, *column))
        .collect();
    let ((), filling) = timed(|| database.fill(0, &places, &table.rows).expect("rows"));
    let (answer, asking) = timed(|| database.ask(statement, 1000, || false).expect("an answer"));
    assert_eq!(answer.table.rows.len(), 100);
    println!(
        "SQL: {MILLION} rows filled in in {:.0} ms, grouped in {:.0} ms (budget 1000 ms)",
        millis(filling),
        millis(asking)
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

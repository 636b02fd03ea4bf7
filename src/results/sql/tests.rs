use super::*;
use crate::results::shape::GIVEN;
use crate::results::value::{Kind, Value};

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
fn what_is_no_number_is_no_large_number_either() {
    let mut database = database();
    let all = (0..5).map(|n| (n, n)).collect();
    let given = [Value::text("c"), Value::Integer(7), Value::Empty];
    let own = [Value::text("/"), Value::text("unknown")];
    let odd: Row = given.into_iter().chain(own).collect();
    database.fill(0, &all, &[odd]).expect("rows");
    let mut hosts = |condition: &str| {
        let statement = format!("select host from filesystems where {condition}");
        let answer = database.ask(&statement, 100, || false).expect("rows");
        let hosts: Vec<String> = answer
            .table
            .rows
            .iter()
            .map(|row| row[0].to_string())
            .collect();
        hosts
    };
    assert_eq!(hosts("size > 999999"), [""; 0]);
    assert_eq!(hosts("host = 'c' and size is null"), ["c"]);
}

#[test]
fn jobs_are_joined() {
    let grown = "select b.host, a.size - b.size from filesystems_7 b join filesystems_9 a using (host, mount) \
                 where a.size is not null";
    assert_eq!(ask(grown), Ok(vec!["a 5".to_string()]));
    let across =
        "select f.host, sum(f.size), total, version from filesystems f join memory using (host)";
    assert_eq!(ask(across), Ok(vec!["a 25 4 1.10".to_string()]));
    let at = "select distinct at, strftime('%Y', at) from memory";
    assert_eq!(
        ask(at),
        Ok(vec!["2025-11-25T14:42:04.000+00:00 2025".to_string()])
    );
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
    let for_ever =
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";
    let mut looks = 0;
    let enough = move || {
        looks += 1;
        looks > 10
    };
    let stopped = database().ask(for_ever, 100, enough).expect_err("stopped");
    assert_eq!(stopped, SqlError::Stopped);
    let many = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n";
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

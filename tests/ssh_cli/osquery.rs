//! Queries whose columns are what comes: `osquery`, asked of a stand-in that says what osqueryi would.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::console::Console;

/// Says which statement came as its one argument, as osqueryi writes it: a list of objects, all of whose values are text.
const OSQUERYI: &str = r#"#!/bin/sh
[ "$#" = 2 ] && [ "$1" = --json ] || { echo "Error: unknown option $1" >&2; exit 2; }
case $2 in
*nothing*) printf '[\n\n]\n' ;;
*version*) set -- $SSH_CONNECTION
    printf '[\n  {"name":"bash","pid":"12","version":"5.2"},\n'
    printf '  {"name":"vim","pid":"7","version":"9.%s"}\n]\n' "${3##*.}" ;;
*uptime*) printf '[\n  {"days":"3","total_seconds":"270000"}\n]\n' ;;
*) echo 'Error: near line 1: no such table: nowhere' >&2; exit 1 ;;
esac
"#;

#[test]
fn statements_of_osquery_become_rows_with_the_columns_that_come() {
    let test = "statements_of_osquery_become_rows_with_the_columns_that_come";
    let Some(console) = Console::start(test) else {
        return;
    };
    let config = console.config();
    let bin = console.fleet.path("bin");
    let query = |sql: &str, more: &[&str]| {
        let sql = format!("sql={sql}");
        let query = ["query", "osquery", "-p", &sql, "-t", "127.1.0.[1-2]"];
        console.with(&config, &[&query, more].concat())
    };
    let none = query("select 1", &["--format", "csv"]).exits(1);
    none.says(&["osqueryi is not here: osquery is not installed"]);

    fs::create_dir(&bin).expect("a directory");
    let file = bin.join("osqueryi");
    fs::write(&file, OSQUERYI).expect("ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    // The query as it is compiled in, with the stand-in's directory on its search path.
    let own = console.path("home/.config/regatta/queries");
    fs::create_dir_all(&own).expect("a directory");
    let text = include_str!("../../config/queries/osquery.toml");
    let text = text.replace("/opt/osquery/bin", bin.to_str().expect("UTF-8"));
    fs::write(own.join("osquery.toml"), text).expect("ours");

    // No shell reads it, and it is no option.
    let sql = "--x; select 'a' \"b\" $(touch /nowhere) from version";
    let rows = query(sql, &["--where", "pid > 7", "--format", "csv"]).exits(0);
    assert_eq!(
        rows.out().lines().map(|line| line.split(',').count()).max(),
        Some(6)
    );
    let select = ["--select", "host,name,version,pid", "--format", "csv"];
    let sorted = [&["--sort", "pid,host"][..], &select].concat();
    query("select * from version", &sorted).exits(0).prints(
        "host,name,version,pid\n127.1.0.1,vim,9.1,7\n127.1.0.2,vim,9.2,7\n127.1.0.1,bash,5.2,12\n127.1.0.2,bash,5.2,12\n",
    );
    // The newest one is the last.
    let job = |n: usize| {
        let jobs = console.jobs(&[]);
        let jobs = jobs.as_array().expect("a list");
        jobs[jobs.len() - 1 - n]["id"].to_string()
    };
    let table = console.regatta(&["rows", &job(0)]).exits(0).out();
    assert!(
        table.starts_with("HOST       NAME  PID  VERSION\n"),
        "{table}"
    );
    // Rows of other statements have other columns, in SQL and in tables over several jobs.
    query("select * from uptime", &["-w"]).exits(0);
    let (uptime, version) = (job(0), job(1));
    let join = format!(
        "select u.host, u.days, v.version from osquery_{uptime} u join osquery_{version} v using (host) \
         where v.name = 'vim' and u.days < 4"
    );
    console
        .regatta(&["sql", &join, "--format", "csv"])
        .exits(0)
        .prints("host,days,version\n127.1.0.1,3,9.1\n127.1.0.2,3,9.2\n");
    console
        .regatta(&["diff", &version, &version, "--format", "csv"])
        .exits(0)
        .prints("host,change,name,pid,version\n");
    query("select nothing", &["--format", "csv"])
        .exits(0)
        .prints("host,job,at\n");
    query("select * from nowhere", &["--format", "csv"])
        .exits(1)
        .says(&["no such table: nowhere"]);
    query("select * from uptime", &["--where", "dayz > 1"])
        .exits(2)
        .says(&["there is no column dayz; did you mean days?"]);
}

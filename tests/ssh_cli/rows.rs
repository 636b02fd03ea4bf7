//! Queries whose output becomes rows, on fifty computers: conditions, SQL over two jobs, what changed between them.

use std::fs;

use rustix::process::Signal;

use crate::console::Console;
use crate::support::until;

/// What a host wrote into a file of its own; the flag decides what the seventh has in it.
const RELEASE: &str = r#"
doc = "What os-release says"
parser = "pairs"
script = '''
set -- $SSH_CONNECTION
version=12
[ "$3" = 127.1.0.7 ] && [ -e "FLAG" ] && version=13
printf 'ID=debian\nVERSION_ID="%s"\n' "$version"
[ "$3" = 127.1.0.9 ] && echo 'Warning: no pair'
:
'''
key = ["id"]

[[columns]]
name = "id"
from = "ID"
[[columns]]
name = "version"
type = "version"
from = "VERSION_ID"
"#;

/// What is no JSON on one host, and fails on another.
const JSON: &str = r#"
doc = "A document"
parser = "json"
script = '''
set -- $SSH_CONNECTION
case $3 in
    127.1.0.2) printf '[{"name": "half' ;;
    127.1.0.3) echo 'no such thing' >&2; exit 4 ;;
    *) echo '[{"name": "=1+1", "size": 5}, {"name": "b", "size": 20000000000}]' ;;
esac
'''
[[columns]]
name = "name"
[[columns]]
name = "size"
type = "bytes"
"#;

const HOSTS: &str = "127.1.0.[1-50]";

fn configure(console: &Console, name: &str, text: &str) {
    let directory = console.path("home/.config/regatta/queries");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join(name), text).expect("a file");
}

#[test]
fn fifty_computers_give_one_table() {
    let Some(console) = Console::start("fifty_computers_give_one_table") else {
        return;
    };
    let flag = console.path("flag");
    configure(
        &console,
        "release.toml",
        &RELEASE.replace("FLAG", flag.to_str().expect("UTF-8")),
    );
    let config = console.config();
    let query = |arguments: &[&str]| {
        console.with(&config, &[&["query"], arguments, &["-t", HOSTS]].concat())
    };

    // One that is compiled in, narrowed and ordered.
    let full = query(&[
        "filesystems",
        "--where",
        "mount = / and used_pct >= 0",
        "--sort",
        "-used_pct,host",
        "--format",
        "json",
    ]);
    let rows = full.exits(0).json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 50);
    assert!(
        rows.iter()
            .all(|row| row["mount"] == "/" && row["size"].is_u64() && row["at"].is_string())
    );

    // Two runs of one query, one host altered in between.
    let first = query(&[
        "release",
        "--where",
        "version > 11",
        "--group",
        "id,version",
    ])
    .exits(0);
    let grouped = first.out();
    assert!(
        grouped
            .lines()
            .nth(1)
            .is_some_and(|line| line.ends_with("50  127.1.0.[1-50]  debian  12")
                || line.contains("127.1.0.[1-50]")),
        "{grouped}"
    );
    let said = first.err();
    assert!(
        said.contains("127.1.0.9: 1 line is no row; the first is line 3: Warning: no pair"),
        "{said}"
    );
    fs::write(&flag, "").expect("a file");
    query(&["release", "-w"]).exits(0);
    let jobs = console.jobs(&[]);
    let ids: Vec<String> = jobs
        .as_array()
        .expect("a list")
        .iter()
        .filter(|job| job["name"] == "release")
        .map(|job| job["id"].to_string())
        .collect();
    let [before, after] = [&ids[0], &ids[1]];
    let changed = console
        .regatta(&["diff", before, after, "--format", "csv"])
        .exits(0);
    changed.prints("host,change,id,column,before,after\n127.1.0.7,changed,debian,version,12,13\n");
    console
        .regatta(&["diff", before, before, "--format", "csv"])
        .exits(0)
        .prints("host,change,id,column,before,after\n");

    // The same by a join, and a join across queries.
    let join = format!(
        "select host, a.version as was, b.version as is_now from release_{before} a join release_{after} b using (host, id) \
         where a.version <> b.version"
    );
    console
        .regatta(&["sql", &join, "--format", "csv"])
        .exits(0)
        .prints("host,was,is_now\n127.1.0.7,12,13\n");
    let across = "select count(distinct r.host) n from release r join filesystems f using (host) where f.size > 0";
    console
        .regatta(&["sql", across, "--format", "ndjson"])
        .exits(0)
        .prints("{\"n\":50}\n");
    console
        .regatta(&["sql", "drop table release"])
        .exits(2)
        .says(&["rows can only be read"]);
    let for_ever =
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";
    console
        .regatta(&["sql", "--time-limit", "200ms", for_ever])
        .exits(1)
        .says(&["took too long and was stopped after 0.2 s"]);

    // Rows are read from what is stored, whatever has become of the query and the daemon, and nothing is received.
    fs::remove_file(console.path("home/.config/regatta/queries/release.toml"))
        .expect("it was there");
    console.regatta(&["daemon", "stop"]).exits(0);
    let rows = console.regatta(&[
        "rows",
        after,
        "--where",
        "version = 13",
        "--select",
        "host,version",
        "--format",
        "csv",
    ]);
    rows.exits(0).prints("host,version\n127.1.0.7,13\n");
    assert_eq!(console.now(after)["more"], true, "looking is not receiving");
}

#[test]
fn hosts_that_give_no_rows_are_named() {
    let Some(console) = Console::start("hosts_that_give_no_rows_are_named") else {
        return;
    };
    configure(&console, "document.toml", JSON);
    let config = console.config();
    let asked = console.with(
        &config,
        &[
            "query",
            "document",
            "-t",
            "127.1.0.[1-4]",
            "--format",
            "csv",
            "--select",
            "host,name,size",
        ],
    );
    let asked = asked.exits(1).says(&[
        "127.1.0.2: its output cannot be read as document: line 1: EOF while parsing a string, at its byte",
        "127.1.0.3: Failed, exit 4: no such thing",
        "2 of the hosts gave no rows, or not all",
    ]);
    // No spreadsheet takes a field for a formula, unless that is wanted.
    let row =
        "127.1.0.1,'=1+1,5\n127.1.0.1,b,20000000000\n127.1.0.4,'=1+1,5\n127.1.0.4,b,20000000000\n";
    asked.prints(&format!("host,name,size\n{row}"));
    let raw = console.regatta(&[
        "rows",
        "document",
        "--format",
        "csv",
        "--csv-raw",
        "--where",
        "size < 1KB",
        "--select",
        "name",
    ]);
    raw.exits(1).prints("name\n=1+1\n=1+1\n");
    let table = console
        .regatta(&[
            "rows",
            "document",
            "--where",
            "size > 10GB",
            "--sort",
            "host",
        ])
        .exits(1);
    table.prints("HOST       NAME   SIZE\n127.1.0.1  b     20 GB\n127.1.0.4  b     20 GB\n");

    // What came of it can be the next targets.
    let dry =
        |targets: &str| console.with(&config, &["run", "--dry-run", "-t", targets, "--", "true"]);
    dry("%document.failed").exits(0).prints("127.1.0.3\n");
    dry("%document.127.1.0.[1-2]")
        .exits(0)
        .prints("127.1.0.1\n127.1.0.2\n");
    dry("%document.group:1")
        .exits(0)
        .prints("127.1.0.1\n127.1.0.4\n");
    dry("%document.group:9")
        .exits(3)
        .says(&["has 3 groups, and no group:9"]);
    dry("%document.group:x")
        .exits(2)
        .says(&["\"x\" is no number of a group"]);
    dry("%nothing").exits(3);

    // A mistake is shown at its place, before anything is read.
    let wrong = console
        .regatta(&["rows", "document", "--where", "size > 1 and nam = b"])
        .exits(2);
    wrong.says(&[
        "there is no column nam; did you mean name?",
        "\n  size > 1 and nam = b\n               ^",
    ]);
    console
        .regatta(&["rows", "document", "--sort", "siez"])
        .exits(2)
        .says(&["did you mean size?"]);
    console.regatta(&["rows", "nothing"]).exits(3);

    // Text has rows, too: a line each; and two queries have no table in common.
    let job = console.settled(0, &["-t", "127.1.0.[1-2]"], "echo a; echo b >&2; echo a")["id"]
        .to_string();
    console
        .regatta(&["rows", &job, "--group", "line", "--format", "csv"])
        .exits(0)
        .prints("count,hosts,line\n4,127.1.0.[1-2],a\n");
    console
        .regatta(&["rows", &job, "document"])
        .exits(2)
        .says(&["their rows have other columns"]);
}

#[test]
fn ctrl_c_leaves_a_query_that_goes_on() {
    let Some(console) = Console::start("ctrl_c_leaves_a_query_that_goes_on") else {
        return;
    };
    configure(
        &console,
        "slow.toml",
        "doc = \"Slow\"\nparser = \"lines\"\nscript = \"sleep 1000\"\n[[columns]]\nname = \"line\"\n",
    );
    let query = console.start_regatta(&[
        "-F",
        &console.config(),
        "query",
        "slow",
        "-w",
        "-t",
        "127.1.0.1",
    ]);
    until("it runs", || console.jobs(&[])[0]["counts"]["Running"] == 1);
    query.signal(Signal::INT);
    query
        .finish()
        .exits(130)
        .says(&["detached", "regatta receive 1 --wait", "regatta stop 1"]);
    assert_eq!(console.count("1", "Running"), 1);
}

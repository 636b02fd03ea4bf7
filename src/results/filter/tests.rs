use super::*;
use crate::results::value::Kind;

fn columns() -> Vec<Column> {
    let mut columns: Vec<Column> = [
        ("host", Kind::Text),
        ("mount", Kind::Text),
        ("used_pct", Kind::Float),
        ("size", Kind::Bytes),
        ("up", Kind::Duration),
        ("ok", Kind::Bool),
        ("version", Kind::Version),
        ("count", Kind::Integer),
    ]
    .map(|(name, kind)| Column::new(name, kind))
    .into();
    columns[3].unit = Some("KiB".into());
    columns
}

fn row() -> Vec<Value> {
    vec![
        Value::text("web01"),
        Value::text("/var/log"),
        Value::Float(83.0),
        Value::Bytes(20_000_000_000),
        Value::Duration(90_000.0),
        Value::Bool(true),
        Value::Version("1.10".into()),
        Value::Empty,
    ]
}

#[test]
fn conditions_mean_what_they_say() {
    let cases = [
        ("used_pct > 80", true),
        (
            "used_pct>80 and mount ~ '^/var' and not (host = web02)",
            true,
        ),
        ("used_pct > 80 AND mount !~ ^/var", false),
        ("used_pct <= 83.0 && !(size < 10GB)", true),
        ("size > 20GB or size >= '20 GB'", true),
        ("size > 100", true),
        ("up < 2d and up > 1d", true),
        ("up > 26h", false),
        ("ok", true),
        ("not ok or ok = no", false),
        ("(ok)", true),
        ("ok and host", true),
        ("version > 1.9 and version < 1.11", true),
        ("version = 1.10", true),
        ("mount in (/, '/var/log')", true),
        ("mount not in (/, /var/log)", false),
        ("count is empty and host is not empty", true),
        ("count > 5 or count <= 5", false),
        ("count != 5", true),
        ("count", false),
        ("host = 'web01' or nonsense_is_not_reached = 1", false),
        ("HOST = web01", true),
        ("host > web00", true),
        ("mount = ''", false),
        ("host = 'we''b'", false),
    ];
    let columns = columns();
    for (text, want) in cases {
        match Filter::parse(text, &columns) {
            Ok(filter) => assert_eq!(filter.takes(&row()), want, "{text}"),
            Err(error) => assert!(text.contains("nonsense"), "{text}: {error}"),
        }
    }
}

#[test]
fn a_field_that_is_not_of_its_kind_is_neither_more_nor_less() {
    let columns = columns();
    let mut row = row();
    row[2] = Value::text("n/a");
    for text in ["used_pct > 80", "used_pct < 80", "used_pct = 80"] {
        let filter = Filter::parse(text, &columns).expect("a condition");
        assert!(!filter.takes(&row), "{text}");
    }
}

#[test]
fn mistakes_point_at_their_character() {
    let cases = [
        (
            "used_pc > 80",
            0,
            "there is no column used_pc; did you mean used_pct?",
        ),
        (
            "ok and humidity = 1",
            7,
            "there is no column humidity; there are host, mount, used_pct",
        ),
        (
            "used_pct > many",
            11,
            "used_pct is of kind float, and \"many\" is not; write 1.5",
        ),
        ("size > 10apples", 7, "write 10GB, 512KiB"),
        ("ok and", 6, "a condition is missing here"),
        (
            "used_pct >",
            10,
            "something to compare with is missing here",
        ),
        ("(ok", 3, "a closing parenthesis is missing here"),
        ("ok) or ok", 2, "unexpected )"),
        ("mount ~ '['", 8, "no regular expression"),
        ("mount = 'é", 8, "this quote is never closed"),
        ("mount = é é", 10, "unexpected é here"),
        ("= 5", 0, "the name of a column should stand here, not ="),
        ("mount & host", 6, "& compares nothing"),
        ("mount in /", 9, "a list stands in parentheses"),
        ("mount not host", 10, "only in (...) follows not here"),
        ("", 0, "a condition is missing here"),
    ];
    let columns = columns();
    for (text, at, what) in cases {
        let error = Filter::parse(text, &columns).expect_err(text);
        assert!(error.what.contains(what), "{text}: {}", error.what);
        assert_eq!(error.at, at, "{text}: {}", error.what);
    }
    let error = Filter::parse("ok\nand x = 1", &columns).expect_err("no x");
    let shown = error.to_string();
    let mark = "\n  ok and x = 1\n         ^";
    assert!(shown.ends_with(mark), "{shown}");
    let deep = format!("{}ok{}", "(".repeat(5_000), ")".repeat(5_000));
    let error = Filter::parse(&deep, &columns).expect_err("deep");
    assert!(error.what.contains("too many parentheses"), "{error}");
}

use super::*;
use crate::results::shape::Header;
use crate::results::value::Kind;

fn shape(parser: Parser, columns: &[(&str, Kind)]) -> Shape {
    Shape {
        query: "q".into(),
        parser,
        columns: columns
            .iter()
            .map(|(name, kind)| Column::new(name, *kind))
            .collect(),
        key: Vec::new(),
        also: Also::Nothing,
    }
}

fn parse(
    parser: Parser,
    columns: &[(&str, Kind)],
    text: impl AsRef<[u8]>,
) -> Result<Parsed, Unreadable> {
    let reading = Reading::new(&shape(parser, columns)).expect("a shape");
    reading.parse(text.as_ref(), &[])
}

/// The rows with `|` between their fields.
fn shown(parsed: &Parsed) -> Vec<String> {
    let row = |row: &Row| {
        row.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("|")
    };
    parsed.rows.iter().map(row).collect()
}

const MOUNT: [(&str, Kind); 2] = [("mount", Kind::Text), ("used", Kind::Integer)];

#[test]
fn every_parser_makes_the_same_rows() {
    let json = r#"[{"used": 83, "mount": "/", "more": [1, {"x": 2}]}, {"mount": "/var lib", "used": "5"}]"#;
    let cases = [
        (Parser::Json { path: vec![] }, json.to_string()),
        (
            Parser::Json {
                path: vec!["a".into(), "b".into()],
            },
            format!("{{\"z\": 1, \"a\": {{\"b\": {json}}}}}"),
        ),
        (
            Parser::JsonLines,
            "{\"mount\":\"/\",\"used\":83}\n\n{\"used\":5,\"mount\":\"/var lib\"}\n".into(),
        ),
        (
            Parser::Csv {
                header: Header::None,
            },
            "/,83\r\n\"/var lib\",5\r\n".into(),
        ),
        (
            Parser::Csv {
                header: Header::Names,
            },
            "used,x,mount\n83,,/\n5,\"a\nb\",/var lib".into(),
        ),
        (
            Parser::Tsv {
                header: Header::None,
            },
            "/\t83\n/var lib\t5\n".into(),
        ),
        (
            Parser::Tsv {
                header: Header::Names,
            },
            "used\tmount\n83\t/\n5\t/var lib\n".into(),
        ),
        (
            Parser::Pairs { by: '=' },
            "mount=/\nother=1\nused=83\n\n\nused=5\nmount=\"/var lib\"".into(),
        ),
        (
            Parser::Pairs { by: ':' },
            "mount: /\nused: 83\n\nused : 5\nmount: /var lib\n".into(),
        ),
        (
            Parser::Widths {
                header: Header::Skip,
                widths: vec![10],
            },
            "MOUNT     USED\n/         83\n/var lib    5\n".into(),
        ),
        (
            Parser::Regex {
                pattern: r"^(?<used>\d+)% of (?<mount>/.*)$".into(),
            },
            "83% of /\n5% of /var lib\n".into(),
        ),
    ];
    for (parser, text) in cases {
        let parsed = parse(parser.clone(), &MOUNT, &text).expect("rows");
        assert_eq!(shown(&parsed), ["/|83", "/var lib|5"], "{parser:?}");
        assert!(parsed.flaws.is_none(), "{parser:?}: {}", parsed.flaws);
    }
    let columns = [("used", Kind::Integer), ("mount", Kind::Text)];
    for (header, text) in [
        (Header::None, "  83   /\n5 /var lib \n"),
        (Header::Skip, "Use Mounted on\n83 /\n5 /var lib\n"),
        (Header::Names, "x used mount\n. 83 /\n. 5 /var lib\n"),
    ] {
        let parsed = parse(Parser::Words { header }, &columns, text).expect("rows");
        assert_eq!(shown(&parsed), ["83|/", "5|/var lib"], "{header:?}");
    }
    let parsed = parse(Parser::Lines, &[("line", Kind::Text)], "a\n b \n").expect("rows");
    assert_eq!(shown(&parsed), ["a", " b "], "blanks are a part of a line");
    let object = r#"{"mount": "/", "used": 1}"#;
    let parsed = parse(Parser::Json { path: vec![] }, &MOUNT, object).expect("rows");
    assert_eq!(shown(&parsed), ["/|1"], "an object is one row");
}

#[test]
fn malformed_json_is_said_with_its_place() {
    let json = Parser::Json { path: vec![] };
    let half = "[{\"mount\": \"/\", \"used\": 1},\n {\"mount\": \"/v";
    let error = parse(json.clone(), &MOUNT, half).expect_err("half a document");
    assert_eq!(error.line, 2);
    assert!(
        error.to_string().contains("EOF while parsing a string"),
        "{error}"
    );
    let error = parse(json.clone(), &MOUNT, "sh: lsblk: not found\n").expect_err("no JSON");
    assert_eq!(error.to_string(), "line 1: expected value, at its byte 1");
    let error = parse(json.clone(), &MOUNT, " \n").expect_err("nothing");
    assert!(
        error
            .to_string()
            .contains("nothing, where a JSON document should be"),
        "{error}"
    );
    let error = parse(
        Parser::Json {
            path: vec!["a".into()],
        },
        &MOUNT,
        "{}",
    )
    .expect_err("no a");
    assert_eq!(error.what, "nothing at \"a\"");
    let deep = "[".repeat(100_000);
    assert!(parse(json, &MOUNT, deep).is_err(), "no stack is that deep");
    // By the line, one bad line is no reason to lose the others.
    let lines = "{\"mount\": \"/\", \"used\": 1}\n{\"mount\": \"/v\nnot json\n{\"mount\": \"/x\"} {\n[1]\n{\"mount\":\"/y\"}\n";
    let parsed = parse(Parser::JsonLines, &MOUNT, lines).expect("rows");
    assert_eq!(shown(&parsed), ["/|1", "/y|"]);
    let loose: Vec<usize> = parsed.loose.iter().map(|loose| loose.line).collect();
    assert_eq!((loose, parsed.flaws.loose), (vec![2, 3, 4, 5], 4));
    assert_eq!(parsed.loose[1].text, "not json");
}

#[test]
fn what_is_not_as_it_should_be_is_kept_and_counted() {
    // A field of another kind.
    let parsed = parse(
        Parser::JsonLines,
        &MOUNT,
        "{\"mount\": 5, \"used\": \"many\"}",
    )
    .expect("rows");
    assert_eq!(
        (shown(&parsed), parsed.flaws.odd),
        (vec!["5|many".to_string()], 1)
    );
    // A key twice: the last one counts.
    for (parser, text) in [
        (
            Parser::JsonLines,
            "{\"mount\": \"a\", \"used\": 1, \"mount\": \"b\"}",
        ),
        (Parser::Pairs { by: '=' }, "mount=a\nused=1\nmount=b"),
    ] {
        let parsed = parse(parser, &MOUNT, text).expect("rows");
        assert_eq!(
            (shown(&parsed), parsed.flaws.twice),
            (vec!["b|1".to_string()], 1)
        );
    }
    // Columns that are missing.
    let parsed = parse(
        Parser::Tsv {
            header: Header::Names,
        },
        &MOUNT,
        "mount\tx\n/\t1\n",
    )
    .expect("rows");
    assert_eq!(shown(&parsed), ["/|"]);
    let error = parse(
        Parser::Tsv {
            header: Header::Names,
        },
        &MOUNT,
        "a\tb\n1\t2\n",
    )
    .expect_err("no names");
    assert_eq!(
        error.what,
        "none of its names is that of a column (mount, used)"
    );
    // Lines that are no rows.
    for (parser, text) in [
        (
            Parser::Tsv {
                header: Header::None,
            },
            "/\t1\nWarning!\n",
        ),
        (
            Parser::Csv {
                header: Header::None,
            },
            "/,1\nWarning!\n",
        ),
        (
            Parser::Csv {
                header: Header::None,
            },
            "/,1\n\"never closed, 1\n",
        ),
        (
            Parser::Words {
                header: Header::None,
            },
            "/ 1\nWarning!\n",
        ),
        (Parser::Pairs { by: '=' }, "mount=/\nWarning!\nused=1\n"),
    ] {
        let parsed = parse(parser.clone(), &MOUNT, text).expect("rows");
        assert_eq!(shown(&parsed), ["/|1"], "{parser:?}");
        assert_eq!(
            (parsed.loose[0].line, parsed.flaws.loose),
            (2, 1),
            "{parser:?}"
        );
    }
    // Bytes that are no text.
    let parsed = parse(
        Parser::Tsv {
            header: Header::None,
        },
        &MOUNT,
        b"a\xff\xfeb\t1\n\xc3\t2\n",
    )
    .expect("rows");
    assert_eq!(parsed.flaws.garbled, 3);
    assert_eq!(shown(&parsed), ["a\u{fffd}\u{fffd}b|1", "\u{fffd}|2"]);
    assert_eq!(parsed.flaws.to_string(), "3 places are not UTF-8");
}

/// What `Get-CimInstance ... | ConvertTo-Json` writes: one object is no list, nothing is nothing at all, dates are words,
/// and what lies deeper than it looks is the name of a type.
#[test]
fn json_of_powershell_makes_rows() {
    let columns = [
        ("name", Kind::Text),
        ("size", Kind::Bytes),
        ("made", Kind::Timestamp),
        ("on", Kind::Bool),
        ("more", Kind::Text),
    ];
    let parse = |text: &str| parse(Parser::Json { path: vec![] }, &columns, text);
    let one = "{\r\n    \"name\":  \"C:\",\r\n    \"size\":  1000,\r\n    \"made\":  \"\\/Date(1764081724500)\\/\",\r\n    \
               \"on\":  true,\r\n    \"more\":  \"System.Object[]\"\r\n}\r\n";
    let row = "C:|1000|2025-11-25T14:42:04.500+00:00|true|System.Object[]";
    assert_eq!(shown(&parse(one).expect("a row")), [row]);
    let marked = format!("\u{feff}[{one},{one}]");
    assert_eq!(shown(&parse(&marked).expect("rows")), [row, row]);
    let nested = r#"[{"name":null,"made":{"value":"\/Date(0)\/","DateTime":"x"},"more":{"CimClass":{"a":[1]}}}]"#;
    let parsed = parse(nested).expect("a row");
    // Something may have been added to a date, which makes it an object.
    assert_eq!(
        shown(&parsed),
        [r#"||1970-01-01T00:00:00.000+00:00||{"CimClass":{"a":[1]}}"#]
    );
    assert!(parsed.flaws.is_none());
    assert_eq!(shown(&parse("[]").expect("none")), [""; 0]);
    assert_eq!(shown(&parse("null").expect("none")), [""; 0]);
    assert!(parse("").is_err(), "nothing is no JSON");
}

#[test]
fn caps_count_what_they_take() {
    let huge = "é".repeat(LONGEST_FIELD);
    let parsed = parse(
        Parser::Tsv {
            header: Header::None,
        },
        &MOUNT,
        format!("{huge}\t1\n"),
    )
    .expect("rows");
    assert_eq!(parsed.flaws.cut, 1);
    assert_eq!(parsed.rows[0][0].to_string().len(), LONGEST_FIELD);
    for (parser, line) in [
        (Parser::JsonLines, "{\"mount\":\"/\"}\n"),
        (
            Parser::Tsv {
                header: Header::None,
            },
            "/\t1\n",
        ),
        (
            Parser::Words {
                header: Header::None,
            },
            "/ 1\n",
        ),
    ] {
        let parsed = parse(parser, &MOUNT, line.repeat(1_000_000)).expect("rows");
        assert_eq!(
            (parsed.rows.len(), parsed.flaws.beyond),
            (MOST_ROWS, 900_000)
        );
    }
    let list = format!("[{}0]", "{\"mount\":\"/\"},".repeat(MOST_ROWS + 5));
    let parsed = parse(Parser::Json { path: vec![] }, &MOUNT, list).expect("rows");
    assert_eq!((parsed.rows.len(), parsed.flaws.beyond), (MOST_ROWS, 6));
    let parsed = parse(Parser::JsonLines, &MOUNT, "x\n".repeat(5_000)).expect("no rows");
    assert_eq!(
        (parsed.loose.len(), parsed.flaws.loose),
        (MOST_LOOSE, 5_000)
    );
}

#[test]
fn what_repeats_is_counted_each_time() {
    let tsv = Parser::Tsv {
        header: Header::None,
    };
    let parsed = parse(tsv, &MOUNT, "/\tx\n/\tx\n /\t3\n/\t\n").expect("rows");
    assert_eq!(shown(&parsed), ["/|x", "/|x", "/|3", "/|"]);
    assert_eq!(parsed.flaws.odd, 2);
}

#[test]
fn rows_begin_with_what_is_given() {
    let reading = Reading::new(&shape(Parser::Lines, &[("line", Kind::Text)])).expect("a shape");
    let given = [Value::text("web01"), Value::Integer(7)];
    let parsed = reading.parse(b"x\n", &given).expect("rows");
    assert_eq!(shown(&parsed), ["web01|7|x"]);
}

#[test]
fn a_shape_that_cannot_be_read_with_says_why() {
    let error = Reading::new(&shape(
        Parser::Regex {
            pattern: "(".into(),
        },
        &MOUNT,
    ))
    .expect_err("a pattern");
    assert!(error.starts_with("pattern: "), "{error}");
    let mut wrong = shape(Parser::Lines, &[("size", Kind::Bytes)]);
    wrong.columns[0].unit = Some("apples".into());
    let error = Reading::new(&wrong).expect_err("a unit");
    assert!(
        error.starts_with("column size: \"apples\" is no unit"),
        "{error}"
    );
    let kept = Shape::kept(&wrong.written()).expect("it was written here");
    assert_eq!(kept, wrong);
    assert_eq!(Shape::kept("{\"parser\": \"Oracle\"}"), None);
}

#[test]
fn objects_are_read_in_the_place_of_lines_where_they_may_come() {
    let parser = Parser::Words {
        header: Header::None,
    };
    let columns = [
        ("pid", Kind::Integer),
        ("memory", Kind::Bytes),
        ("idle", Kind::Bool),
        ("command", Kind::Text),
    ];
    let mut shape = shape(parser, &columns);
    shape.columns[1].unit = Some("KiB".into());
    shape.columns[3].from = Some("Command line".into());
    let read = |shape: &Shape, text: &str| {
        let reading = Reading::new(shape).expect("it is sound");
        let parsed = reading.parse(text.as_bytes(), &[]).expect("rows");
        let flaws = (parsed.flaws.loose, parsed.flaws.odd);
        (parsed.rows, flaws)
    };
    let objects = "\u{feff}{\"pid\":4,\"memory\":2,\"idle\":true,\"command\":\"a\\tb \\\"c\"}\r\n\
                   {\"pid\":8,\"memory\":null,\"idle\":false}\r\nAccess is denied\r\n";
    let words = "4 2 yes a b\n";
    assert_eq!(read(&shape, objects).1, (3, 0), "words like others");
    let by_words = read(&shape, words);
    shape.also = Also::Objects;
    assert_eq!(read(&shape, words), by_words);
    let row = |pid, memory, idle, command| {
        Row::from([Value::Integer(pid), memory, Value::Bool(idle), command])
    };
    let (rows, flaws) = read(&shape, objects);
    assert_eq!(
        rows,
        [
            row(4, Value::Bytes(2048), true, Value::text("a\tb \"c")),
            row(8, Value::Empty, false, Value::Empty),
        ]
    );
    assert_eq!(flaws, (1, 0));
    // What was kept before there were such.
    let written = shape.written().replace(",\"also\":\"Objects\"", "");
    let kept = Shape::kept(&written).expect("it can be read");
    assert_eq!(kept.also, Also::Nothing);
}

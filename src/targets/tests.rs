use std::collections::BTreeSet;
use std::io;

use proptest::prelude::*;

use super::*;

/// Files and standard input that are given beforehand.
struct Given;

impl Source for Given {
    fn file(&mut self, path: &str) -> io::Result<String> {
        match path {
            "hosts" => Ok("# all of them\nweb[1-2] db1  # two kinds\n\n  a!a,b \r\n".to_owned()),
            "groups" => Ok("@web\n".to_owned()),
            "bad" => Ok("web1\nweb[2-1]\n".to_owned()),
            "nested" => Ok("^hosts".to_owned()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn stdin(&mut self) -> io::Result<String> {
        Ok("s1 s2\ns3\n".to_owned())
    }
}

fn known() -> Groups {
    let mut groups = Groups::new("inventory");
    for (source, name, hosts) in [
        ("inventory", "web", "web[1-3]"),
        ("inventory", "db", "db[1-2]"),
        ("inventory", "rack1", "web1,db1"),
        ("inventory", "rack2", "web[2-3],db2"),
        ("ansible", "web", "aw[1-2]"),
        ("ansible", "west", "aw2,ax1"),
    ] {
        groups.insert(source, name, hosts.parse().unwrap());
    }
    groups.add_hosts(&"lonely".parse().unwrap());
    groups
}

fn resolve(expression: &str, exclude: Option<&str>) -> Result<HostSet, TargetError> {
    Targets::new(&known(), &mut Given).resolve(expression, exclude)
}

#[test]
fn every_rule_of_the_grammar() {
    let cases = [
        // Plain names and ranges.
        ("", ""),
        ("web", "web"),
        ("web[01-20,30-40/2]", "web[01-20,30,32,34,36,38,40]"),
        ("r[1-4]n[1-32]", "r[1-4]n[1-32]"),
        ("n[1-3]-ib0", "n[1-3]-ib0"),
        ("n[1-3,01]", "n[1-3,01]"),
        ("n[08-12]", "n[08-12]"),
        ("n1[8-11]", "n[18-19,110-111]"),
        ("n[1-3]5", "n[15,25,35]"),
        // Operators, left to right.
        ("b,a,b", "a,b"),
        ("n[1-9]!n[2-8]", "n[1,9]"),
        ("n[1-9]&n[5-20]", "n[5-9]"),
        ("n[1-3]^n[2-4]", "n[1,4]"),
        ("n[1-3],n5!n2,n2", "n[1-3,5]"),
        ("n1 , n2 ! n1", "n2"),
        // A blank separates patterns, each worked off by itself.
        ("n1 n2!n1", "n[1-2]"),
        ("n1,n2!n1", "n2"),
        ("a\n\tb\r\nc", "a,b,c"),
        // Groups.
        ("@web", "web[1-3]"),
        ("@inventory:web", "web[1-3]"),
        ("@ansible:web", "aw[1-2]"),
        ("@rack[1-2]", "db[1-2],web[1-3]"),
        ("@rack*", "db[1-2],web[1-3]"),
        ("@ansible:we*", "aw[1-2],ax1"),
        ("@ansible:*", "aw[1-2],ax1"),
        ("@nosuch*", ""),
        ("@*", "aw[1-2],ax1,db[1-2],lonely,web[1-3]"),
        ("@*!@web!@ansible:*", "db[1-2],lonely"),
        ("@web&@rack1", "web1"),
        // Wildcards against the known hosts.
        ("*1", "aw1,ax1,db1,web1"),
        ("?b*", "db[1-2]"),
        ("w*[1-2]", "web[1-2]"),
        ("nothing*", ""),
        ("web*!web2", "web[1,3]"),
        // Files and standard input; every line is an expression of its own.
        ("^hosts", "b,db1,web[1-2]"),
        ("^hosts!web1", "b,db1,web2"),
        ("x,^hosts", "b,db1,web[1-2],x"),
        ("^groups", "web[1-3]"),
        ("-", "s[1-3]"),
        ("-,s9!s2", "s[1,3,9]"),
        // Users, ports and addresses.
        ("root@web[1-2]:2222", "root@web[1-2]:2222"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:22", "[::1]:22"),
        ("[::1]:22,[::2]:22", "[::1]:22,[::2]:22"),
        ("root@[fe80::1%eth0]:22!a", "root@[fe80::1%eth0]:22"),
        ("root@[2001:db8::1]", "root@2001:db8::1"),
        ("2001:db8::[1-3]", "2001:db8::[1-3]"),
        ("root@[1-3]", "root@[1-3]"),
        ("[1-3]", "[1-3]"),
    ];
    for (expression, folded) in cases {
        let set = resolve(expression, None).unwrap_or_else(|e| panic!("{}", e.with_caret()));
        assert_eq!(set.fold(), folded, "{expression}");
    }
}

#[test]
fn exclusion_is_a_second_expression() {
    let cases = [
        ("n[1-5]", "n2,n3", "n[1,4-5]"),
        ("@web", "web*", ""),
        ("n[1-3]", "", "n[1-3]"),
        ("n[1-3]", "n[1-3]!n2", "n2"),
        ("b db1", "^hosts", ""),
    ];
    for (expression, exclude, folded) in cases {
        assert_eq!(
            resolve(expression, Some(exclude)).unwrap().fold(),
            folded,
            "{expression} -x {exclude}"
        );
    }
}

#[test]
fn every_error_points_at_its_place() {
    use ErrorKind as K;
    let name = |c| K::InvalidName(InvalidName::BadCharacter(c));
    let missing = |operator| K::MissingOperand { operator };
    let nan = |text: &str| K::NotANumber { text: text.into() };
    let cases = [
        (",a", missing(','), ","),
        ("a,,b", missing(','), ","),
        ("a,b ! ", missing('!'), "!"),
        ("!a", missing('!'), "!"),
        ("a&", missing('&'), "&"),
        ("^ a", K::MissingFileName, "^"),
        ("a,n[1-3", K::UnclosedBracket, "["),
        ("root@[::1", K::UnclosedBracket, "["),
        ("n1]", K::StrayBracket { bracket: ']' }, "]"),
        ("n[1]]", K::StrayBracket { bracket: ']' }, "]"),
        ("n[1[2]]", K::StrayBracket { bracket: '[' }, "["),
        ("n[1][2]", K::AdjacentBrackets, "["),
        ("n[1]0[2]", K::AdjacentBrackets, "["),
        ("n[]", K::EmptyRange, "[]"),
        ("n[1, ,2]", K::EmptyRange, ", ,"),
        ("n[1,\u{3000}]", K::EmptyRange, ",\u{3000}]"),
        ("n[1-]", nan(""), ""),
        ("n[1-3x]", nan("3x"), "3x"),
        ("n[1-9/x]", nan("x"), "x"),
        ("n[1-2-3]", nan("2-3"), "2-3"),
        ("n[-3]", K::NegativeRange, "-3"),
        ("n[3--4]", K::NegativeRange, "3--4"),
        ("n[7,1-010]", K::PaddingMismatch, "1-010"),
        ("n[01-100]", K::PaddingMismatch, "01-100"),
        ("n[5-1]", K::ReversedRange, "5-1"),
        ("n[1-9/0]", K::ZeroStep, "1-9/0"),
        ("n[5/2]", K::StepWithoutRange, "5/2"),
        (
            "n[1234567890123456789]",
            K::TooManyDigits,
            "1234567890123456789",
        ),
        (
            "n1[100000000000000000-100000000000000009]9",
            K::TooManyDigits,
            "100000000000000000-100000000000000009",
        ),
        ("web$1", name('$'), "$"),
        ("web[1-2];x", name(';'), ";"),
        ("a,é", name('é'), "é"),
        ("a\u{7f}b", name('\u{7f}'), "\u{7f}"),
        ("a,-b", K::InvalidName(InvalidName::BadStart('-')), "-b"),
        ("x@-b", K::InvalidName(InvalidName::BadStart('-')), "x@-b"),
        (
            "web1:[65535-65536]",
            K::InvalidName(InvalidName::BadPort("65536".into())),
            "web1:[65535-65536]",
        ),
        (
            "a [x:y]",
            K::InvalidName(InvalidName::NotAnAddress("x:y".into())),
            "[x:y]",
        ),
        ("@", K::InvalidGroup, "@"),
        ("@@web", K::InvalidGroup, "@"),
        ("@:web", K::InvalidGroup, "@:"),
        ("@a/b", K::InvalidGroup, "/"),
        ("n1,@wbe", K::UnknownGroup { name: "wbe".into() }, "@wbe"),
        (
            "@ansibel:web",
            K::UnknownSource {
                name: "ansibel".into(),
            },
            "@ansibel:web",
        ),
        (
            "n[1-2000000]",
            K::TooManyHosts {
                count: 2_000_000,
                limit: MAX_HOSTS,
            },
            "1-2000000",
        ),
        (
            "n[1-100000000000/10]",
            K::TooManyHosts {
                count: 10_000_000_000,
                limit: MAX_HOSTS,
            },
            "1-100000000000/10",
        ),
        (
            "a,r[1-2000]n[1-2000]",
            K::TooManyHosts {
                count: 4_000_000,
                limit: MAX_HOSTS,
            },
            "r[1-2000]n[1-2000]",
        ),
        (
            "^nosuch",
            K::Unreadable {
                what_and_why: "\"nosuch\": no such file".into(),
            },
            "^nosuch",
        ),
    ];
    for (expression, kind, marked) in cases {
        let error = resolve(expression, None).expect_err(expression);
        assert_eq!(error.kind, kind, "{expression}");
        assert_eq!(&expression[error.at.clone()], marked, "{expression}");
        assert_eq!(error.text, expression);
        assert!(!error.with_caret().is_empty());
    }
}

#[test]
fn a_set_over_the_limit_is_refused_with_its_count() {
    let groups = known();
    let mut targets_source = Given;
    let mut targets = Targets::new(&groups, &mut targets_source).limit(5);
    assert_eq!(targets.resolve("n[1-3],n[3-5]", None).unwrap().len(), 5);
    let error = targets.resolve("n[1-3],m[1-3]", None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooManyHosts { count: 6, limit: 5 });
    assert_eq!(
        error.to_string(),
        "this names 6 hosts, and the limit is 5, in \"n[1-3],m[1-3]\""
    );
}

#[test]
fn endless_names_are_refused() {
    for part in ["1a", "1:", "*1", "@1a", "[1]a", "a"] {
        let group = if part.starts_with('@') { "@" } else { "" };
        let text = format!("{group}{}", part.trim_start_matches('@').repeat(100_000));
        let error = resolve(&text, None).unwrap_err();
        assert_eq!(
            error.kind,
            ErrorKind::InvalidName(InvalidName::TooLong),
            "{part}"
        );
    }
}

#[test]
fn errors_read_as_sentences() {
    let cases = [
        (
            "@wbe",
            "there is no group \"wbe\", in \"@wbe\"; did you mean @web?",
        ),
        (
            "@ansible:wst",
            "there is no group \"wst\", in \"@ansible:wst\"; did you mean @ansible:west?",
        ),
        (
            "@ansibel:web",
            "there is no group source \"ansibel\", in \"@ansibel:web\"; did you mean @ansible:web?",
        ),
        (
            "n[01-100]",
            "both ends of a zero-padded range need the same number of digits, in \"n[01-100]\"; write 001-100",
        ),
        (
            "!web1",
            "the operator '!' needs hosts on both sides, in \"!web1\"; begin with what to take, as in @*!web3",
        ),
        (
            "^bad",
            "bad:2: the range ends before it begins, in \"web[2-1]\"",
        ),
        (
            "^nested",
            "nested:1: files and standard input cannot be named here, in \"^hosts\"",
        ),
    ];
    for (expression, sentence) in cases {
        assert_eq!(resolve(expression, None).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn the_caret_form_marks_the_place() {
    let error = resolve("ok,web[9-1]", None).unwrap_err();
    assert_eq!(
        error.with_caret(),
        "the range ends before it begins, in \"ok,web[9-1]\"\n  ok,web[9-1]\n         ^^^"
    );
    let hostile = resolve("a\u{1b}[1]", None).unwrap_err();
    assert!(!hostile.with_caret().contains('\u{1b}'));
    let long = format!("{},@x", vec!["web1"; 100].join(","));
    let shown = resolve(&long, None).unwrap_err().with_caret();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[1].len() < 90 && lines[1].ends_with(",@x"), "{shown}");
    assert_eq!(
        lines[2].len() - lines[2].trim_start().len(),
        lines[1].len() - 2,
        "{shown}"
    );
}

#[test]
fn hosts_come_in_numeric_order() {
    let set: HostSet = "web10,web2,web01,web,db1,r10n1,r2n10,r2n9".parse().unwrap();
    let names: Vec<String> = set.iter().map(|name| name.to_string()).collect();
    assert_eq!(
        names,
        [
            "db1", "r2n9", "r2n10", "r10n1", "web", "web2", "web01", "web10"
        ]
    );
}

#[test]
fn groups_tell_what_they_hold() {
    let groups = known();
    assert_eq!(
        groups.sources().collect::<Vec<_>>(),
        ["inventory", "ansible"]
    );
    assert_eq!(groups.containing("web1"), ["@rack1", "@web"]);
    assert_eq!(groups.containing("aw2"), ["@ansible:web", "@ansible:west"]);
    assert_eq!(
        groups.regroup(&"web[1-3],db1,x[1-2]".parse().unwrap()),
        "@web,db1,x[1-2]"
    );
    assert_eq!(
        groups.regroup(&"web[1-3],db[1-2]".parse().unwrap()),
        "@rack[1-2]"
    );
    assert_eq!(groups.regroup(&HostSet::default()), "");
}

#[test]
fn outlines_tell_what_an_expression_refers_to() {
    let outline = Outline::of("a[1-2]^b!c&d @web,@x:y*!@* z*").unwrap();
    assert_eq!(outline.hosts.fold(), "a[1-2],b");
    assert!(outline.uses_known_hosts);
    let groups: Vec<(Option<&str>, &str)> = outline
        .groups
        .iter()
        .map(|group| (group.source.as_deref(), group.name.as_str()))
        .collect();
    assert_eq!(groups, [(None, "web"), (Some("x"), "y*")]);
    for refused in ["^hosts", "a,-"] {
        assert_eq!(
            Outline::of(refused).unwrap_err().kind,
            ErrorKind::NestedSource
        );
    }
}

#[test]
fn a_million_hosts_fold_to_one_term() {
    let set: HostSet = "n[1-1000000]".parse().unwrap();
    assert_eq!(
        (set.len(), set.fold()),
        (1_000_000, "n[1-1000000]".to_owned())
    );
    let grid: HostSet = "r[1-1000]n[1-1000]".parse().unwrap();
    assert_eq!(
        (grid.len(), grid.fold()),
        (1_000_000, "r[1-1000]n[1-1000]".to_owned())
    );
    let holes = grid.minus(&"r[10-900/7]n[3-990/11]".parse().unwrap());
    assert_eq!(holes.fold().parse::<HostSet>().unwrap(), holes);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        (0_u32..14).prop_map(|n| format!("n{n}")),
        (0_u32..14).prop_map(|n| format!("n{n:02}")),
        (0_u32..4, 0_u32..4).prop_map(|(r, n)| format!("r{r}n{n}")),
        (0_u32..3, 0_u32..3, 0_u32..3).prop_map(|(x, y, z)| format!("x{x}y{y}z{z:02}")),
        (1_u32..4).prop_map(|n| format!("root@[fe80::{n}%eth0]:22")),
    ]
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set(name(), 0..40)
}

fn set_of(names: &BTreeSet<String>) -> HostSet {
    HostSet::from_names(names.iter().map(String::as_str)).unwrap()
}

fn names_of(set: &HostSet) -> BTreeSet<String> {
    set.iter().map(|name| name.to_string()).collect()
}

proptest! {
    #[test]
    fn folding_and_expanding_is_the_same_set(names in names()) {
        let set = set_of(&names);
        prop_assert_eq!(&names_of(&set), &names);
        prop_assert_eq!(set.len(), names.len());
        let back: HostSet = set.fold().parse().unwrap();
        prop_assert_eq!(back, set);
    }

    #[test]
    fn the_algebra_is_that_of_sets(a in names(), b in names()) {
        let (left, right) = (set_of(&a), set_of(&b));
        let strings = |names: Vec<&String>| names.into_iter().cloned().collect::<BTreeSet<_>>();
        for (ours, theirs) in [
            (left.union(&right), strings(a.union(&b).collect())),
            (left.minus(&right), strings(a.difference(&b).collect())),
            (left.and(&right), strings(a.intersection(&b).collect())),
            (left.xor(&right), strings(a.symmetric_difference(&b).collect())),
        ] {
            prop_assert_eq!(ours.len(), theirs.len());
            // One set has one form, however it was made.
            prop_assert_eq!(&ours, &set_of(&theirs));
            prop_assert!(theirs.iter().all(|name| ours.contains(name)));
            prop_assert_eq!(names_of(&ours), theirs);
        }
        prop_assert_eq!(left.is_superset(&right), a.is_superset(&b));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9\\[\\],!&^@:*?%/ \\-\u{e9}\u{3000}]{0,24}") {
        match resolve(&text, None) {
            Ok(set) => {
                prop_assert!(set.iter().all(|name| HostName::parse(name.as_str()).is_ok()));
                prop_assert_eq!(set.fold().parse::<HostSet>().unwrap(), set);
            }
            Err(error) => {
                prop_assert!(error.text.get(error.at.clone()).is_some());
                error.with_caret();
            }
        }
    }

    #[test]
    fn nor_does_any_other(text in any::<String>()) {
        if let Err(error) = resolve(&text, None) {
            error.with_caret();
        }
    }
}

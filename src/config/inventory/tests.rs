use std::fmt::Write as _;

use super::*;

fn parse(text: &str) -> Inventory {
    Inventory::parse(text, "inventory.toml").unwrap_or_else(|e| panic!("{e}"))
}

fn group(inventory: &Inventory, name: &str) -> String {
    inventory
        .groups()
        .get(None, name)
        .unwrap_or_else(|| panic!("no group {name}"))
        .fold()
}

fn host(inventory: &Inventory, name: &str) -> HostEntry {
    inventory.host(&HostName::parse(name).unwrap())
}

#[test]
fn the_example_means_what_its_comments_say() {
    let inventory = parse(EXAMPLE);
    let groups = [
        ("web", "web[01-20]"),
        ("front", "gate,web[01-03]"),
        ("canary", "db1,web01"),
        ("databases", "db[1-4]"),
        ("frankfurt", "db[1-4],web[01-19]"),
        ("web-ams", "web20"),
        ("edges", "edge[1-3]"),
        ("careful", "db[1-4],edge[1-3],gate"),
        ("rest", "printer[1-2].example.org,web[01-20]"),
        ("printers", "printer[1-2].example.org"),
    ];
    for (name, folded) in groups {
        assert_eq!(group(&inventory, name), folded, "{name}");
    }
    assert_eq!(inventory.groups().of_source(None).count(), groups.len());
    assert_eq!(
        inventory.groups().hosts().fold(),
        "db[1-4],edge[1-3],gate,printer[1-2].example.org,web[01-20]"
    );

    let hosts = [
        ("web01", "web01", "deploy", None),
        ("db3", "10.0.7.13", "deploy", None),
        ("gate", "gate.example.org", "deploy", Some(2222)),
        ("edge2", "2001:db8::e", "ops", Some(22)),
        ("root@edge2:99", "2001:db8::e", "root", Some(99)),
    ];
    for (name, address, user, port) in hosts {
        let entry = host(&inventory, name);
        assert_eq!(
            (entry.address.as_str(), entry.user.as_deref(), entry.port),
            (address, Some(user), port),
            "{name}"
        );
    }
    let labels: Vec<(String, String)> = host(&inventory, "web20").labels.into_iter().collect();
    assert_eq!(
        labels,
        [
            ("role".to_owned(), "web".to_owned()),
            ("site".to_owned(), "ams".to_owned())
        ]
    );
}

#[test]
fn an_unlisted_host_is_itself() {
    let entry = host(&parse(""), "root@[::1]:22");
    let expected = HostEntry {
        address: "::1".into(),
        user: Some("root".into()),
        port: Some(22),
        labels: BTreeMap::new(),
    };
    assert_eq!(entry, expected);
}

#[test]
fn the_narrowest_key_wins_then_the_later_line() {
    let inventory = parse(
        r#"
        [hosts]
        "n[1-9]" = { user = "nine", port = 9, labels = { a = "nine", b = "nine" } }
        "n[4-6]" = { user = "three", labels = { a = "three" } }
        "n[5-7]" = { user = "later", address = "10.0.0.[5-7]:70" }
        "n[1]" = { user = "first", port = 1 }
        n1 = { user = "second", address = "one:11" }
        "n*" = { user = "any", port = 1000, labels = { c = "all" } }
        "n1*" = { user = "masked" }
        [groups]
        nines = { labels = { a = "nine" } }
        threes = { labels = { a = "three", c = "all" } }
        "#,
    );
    let cases = [
        ("n1", "one", "second", 11),
        ("n2", "n2", "nine", 9),
        ("n4", "n4", "three", 9),
        ("n5", "10.0.0.5", "later", 70),
        ("n7", "10.0.0.7", "later", 70),
    ];
    for (name, address, user, port) in cases {
        let entry = host(&inventory, name);
        let found = (entry.address.as_str(), entry.user.as_deref(), entry.port);
        assert_eq!(found, (address, Some(user), Some(port)), "{name}");
    }
    assert_eq!(group(&inventory, "nines"), "n[1-3,7-9]");
    assert_eq!(group(&inventory, "threes"), "n[4-6]");
}

#[test]
fn groups_are_resolved_in_any_order() {
    let inventory = parse(
        r#"
        [groups]
        all = "@part*,@inventory:zed"
        part1 = "a[1-3]"
        part2 = "@zed!z1"
        zed = ["z1", "z[2-3]", "@part1&a1"]
        known = "*"
        some = "a*^z1"
        "#,
    );
    for (name, folded) in [
        ("all", "a[1-3],z[1-3]"),
        ("part2", "a1,z[2-3]"),
        ("zed", "a1,z[1-3]"),
        ("known", "a[1-3],z[1-3]"),
        ("some", "a[1-3],z1"),
    ] {
        assert_eq!(group(&inventory, name), folded, "{name}");
    }
}

#[test]
fn groups_of_other_sources_are_added() {
    let mut inventory = parse("[groups]\nweb = 'w1'");
    inventory
        .groups_mut()
        .insert("ansible", "web", "aw1".parse().unwrap());
    let resolved =
        Targets::new(inventory.groups(), &mut NoSource).resolve("@web,@ansible:web", None);
    assert_eq!(resolved.unwrap().fold(), "aw1,w1");
}

#[test]
fn deep_groups_need_no_stack() {
    let mut text = "[groups]\ng0 = 'a'\n".to_owned();
    for n in 1..2_000 {
        writeln!(text, "g{n} = '@g{}'", n - 1).unwrap();
    }
    assert_eq!(group(&parse(&text), "g1999"), "a");
}

#[test]
fn every_error_names_its_line_and_what_to_do() {
    let cases = [
        (
            "[hosts]\nweb1 = { usr = 'x' }",
            "2: unknown key hosts.web1.usr; did you mean user?",
        ),
        ("[host]\n", "1: unknown key host; did you mean hosts?"),
        (
            "[hosts]\n[zebra]\n",
            "2: unknown key zebra; known here: hosts, groups",
        ),
        (
            "[groups]\na = { label = {} }",
            "2: unknown key groups.a.label; did you mean labels?",
        ),
        (
            "[hosts]\n\nweb1 = 'x'",
            "3: hosts.web1 is a string, but must be a table",
        ),
        (
            "[hosts]\nweb1.port = '22'",
            "2: hosts.web1.port is a string, but must be a number",
        ),
        (
            "[hosts]\nweb1.port = 0",
            "2: hosts.web1.port is not a port from 1 to 65535",
        ),
        (
            "[hosts]\nweb1.port = 70000",
            "2: hosts.web1.port is not a port from 1 to 65535",
        ),
        (
            "[hosts]\nweb1.labels = { rack = 7 }",
            "2: hosts.web1.labels.rack is a number, but must be a string; put it in quotes",
        ),
        (
            "[groups]\na = 7",
            "2: groups.a is a number, but must be a string, a list of strings or a table",
        ),
        (
            "[groups]\na = ['x', 7]",
            "2: groups.a is a number, but must be a string; put it in quotes",
        ),
        (
            "[groups]\na = {}",
            "2: groups.a is a table without hosts and labels, but must be hosts, labels or both",
        ),
        (
            "[hosts]\n'web[2-1]' = {}",
            "2: hosts.web[2-1]: the range ends before it begins, in \"web[2-1]\"",
        ),
        (
            "[hosts]\n'@web' = {}",
            "2: hosts.@web: a key of [hosts] cannot refer to groups",
        ),
        (
            "[hosts]\n'root@web' = {}",
            "2: hosts.root@web: a key of [hosts] cannot hold a user or a port; give them as user = \"...\" and port = ...",
        ),
        (
            "[hosts]\n'-x' = {}",
            "2: hosts.-x: a host or user name cannot begin with '-', in \"-x\"",
        ),
        (
            "[hosts]\n'w[1-3]'.address = '10.0.0.[1-2]'",
            "2: hosts.w[1-3].address gives 2 addresses for 3 hosts",
        ),
        (
            "[hosts]\nw = { address = 'a:1', port = 2 }",
            "2: hosts.w.address holds a user, or a port that is also given by itself",
        ),
        (
            "[hosts]\nw.user = '-l'",
            "2: hosts.w.user is not a user name: a host or user name cannot begin with '-'",
        ),
        (
            "[groups]\n'a b' = 'x'",
            "2: \"a b\" is no group name: letters, digits and . _ - + make one",
        ),
        (
            "[groups]\nweb = 'x'\nall = '@wbe'",
            "3: groups.all: there is no group \"wbe\", in \"@wbe\"; did you mean @web?",
        ),
        (
            "[groups]\nall = '^file'",
            "2: groups.all: files and standard input cannot be named here, in \"^file\"",
        ),
        (
            "[groups]\na = '@b'\nb = ['x', '@c']\nc = '@a'",
            "2: a group contains itself: @a -> @b -> @c -> @a",
        ),
        (
            "[groups]\nx = '@loop'\nloop = '@l*'",
            "3: a group contains itself: @loop -> @loop",
        ),
    ];
    for (text, expected) in cases {
        let error = Inventory::parse(text, "inventory.toml")
            .map(drop)
            .expect_err(text);
        assert_eq!(error.to_string(), format!("inventory.toml:{expected}"));
    }
    let syntax = Inventory::parse("[hosts]\nweb1 = {\nx y", "inventory.toml")
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(syntax.problem, Problem::Syntax(_)) && syntax.line >= 2,
        "{syntax}"
    );
    let twice = Inventory::parse("[groups]\na = 'x'\na = 'y'", "inventory.toml")
        .map(drop)
        .unwrap_err();
    assert_eq!(twice.line, 3, "{twice}");
}

//! What is configured: `queries`, `keys`, `themes`, `config`.

use crate::support::Home;

/// Writes a file of the user's configuration.
fn configure(home: &Home, file: &str, text: &str) {
    let path = home.path("home/.config/regatta").join(file);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file");
}

#[test]
fn queries_are_listed_and_shown_as_files() {
    let home = Home::new();
    let list = home.regatta(&["queries"]).exits(0).out();
    let uptime = list.lines().find(|line| line.starts_with("uptime "));
    assert!(
        uptime.is_some_and(|line| line.contains("built in")),
        "{list}"
    );
    configure(
        &home,
        "queries/mine.toml",
        "doc = \"Mine\"\ncommand = \"echo \\\"'''\\\"\"\n",
    );
    let list = home.regatta(&["queries"]).exits(0).out();
    let mine = list.lines().find(|line| line.contains("queries/mine.toml"));
    let words: Vec<&str> = mine.into_iter().flat_map(str::split_whitespace).collect();
    assert!(words.ends_with(&["any", "Mine"]), "{list}");
    let bios = list.lines().find(|line| line.starts_with("bios "));
    assert!(
        bios.is_some_and(|line| line.contains("  unix windows  ")),
        "{list}"
    );
    // What is printed is a file that means the same.
    for name in ["reboot-required", "mine", "updates"] {
        let shown = home.regatta(&["queries", name]).exits(0).out();
        let value = home.regatta(&["queries", "--json", name]).exits(0).json();
        configure(&home, &format!("queries/copy-of-{name}.toml"), &shown);
        let copy = home
            .regatta(&["queries", "--json", &format!("copy-of-{name}")])
            .exits(0)
            .json();
        for key in [
            "doc",
            "command",
            "script",
            "powershell",
            "platforms",
            "targets",
            "timeout",
            "ok_exit",
        ] {
            assert_eq!(copy[key], value[key], "{name}: {key}\n{shown}");
        }
    }
    let none = home.regatta(&["queries", "uptme"]).exits(3);
    assert!(none.err().contains("did you mean uptime?"), "{none:?}");
    // A bad one is named, and the others are there all the same.
    configure(&home, "queries/bad.toml", "doc = \"D\"\ncomand = \"c\"\n");
    let some = home.regatta(&["queries"]).exits(2);
    assert!(
        some.err()
            .contains("bad.toml:2: unknown key comand; did you mean command?"),
        "{some:?}"
    );
    assert!(some.out().contains("uptime"), "{some:?}");
}

#[test]
fn keys_are_those_in_force() {
    let home = Home::new();
    configure(
        &home,
        "keys.toml",
        "[jobs]\n\"F9\" = \"stop --kill\"\n\"d\" = false\n",
    );
    let all = home.regatta(&["keys"]).exits(0).out();
    let line = |start: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = all.lines().map(words).find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {all}"))
    };
    assert_eq!(
        line("everywhere j,"),
        "everywhere j, down down built in Go one row down"
    );
    assert!(
        line("jobs f9 stop --kill")
            .ends_with("keys.toml Stop jobs or children; KILL at once, without TERM and grace")
    );
    assert!(!all.contains("remove"), "{all}");
    // At a place, what works everywhere too.
    let jobs = home.regatta(&["keys", "jobs"]).exits(0).out();
    assert!(
        jobs.contains("half-down") && !jobs.contains("line-end"),
        "{jobs}"
    );
    let bad = home.regatta(&["keys", "tree"]).exits(2);
    assert!(
        bad.err().contains("[possible values: everywhere, jobs"),
        "{bad:?}"
    );
    configure(
        &home,
        "keys.toml",
        "[jobs]\n\"F9\" = \"stpo\"\n\"F13\" = \"stop\"\n",
    );
    let bad = home.regatta(&["keys"]).exits(2).err();
    assert!(
        bad.contains("keys.toml:2: f9: there is no command \"stpo\"; did you mean stop?"),
        "{bad}"
    );
    assert!(bad.contains("keys.toml:3: unknown key \"F13\""), "{bad}");
}

#[test]
fn themes_are_listed_and_painted() {
    let home = Home::new();
    let used = |args: &[&str]| {
        let value = home.regatta(args).exits(0).json();
        let used = value
            .as_array()
            .expect("a list")
            .iter()
            .find(|theme| theme["used"] == true);
        used.expect("one is used")["name"]
            .as_str()
            .map(str::to_string)
    };
    assert_eq!(used(&["themes", "--json"]).as_deref(), Some("dark"));
    assert_eq!(
        used(&["themes", "--json", "--color", "never"]).as_deref(),
        Some("mono")
    );
    configure(
        &home,
        "themes/mine.toml",
        "warning = \"bold 9 on #102030\"\n",
    );
    configure(&home, "config.toml", "[console]\ntheme = \"mine\"\n");
    assert_eq!(used(&["themes", "--json"]).as_deref(), Some("mine"));
    let plain = home.regatta(&["themes", "mine"]).exits(0).out();
    assert!(
        plain.contains("warning             bold 9 on #102030\n"),
        "{plain}"
    );
    assert!(!plain.contains('\x1b'), "{plain}");
    let painted = home
        .regatta(&["themes", "mine", "--color", "always"])
        .exits(0)
        .out();
    let warning = "\x1b[1m\x1b[38;5;9m\x1b[48;2;16;32;48mwarning\x1b[0m";
    assert!(painted.contains(warning), "{painted:?}");
    let none = home.regatta(&["themes", "mien"]).exits(2);
    assert!(none.err().contains("did you mean mine?"), "{none:?}");
}

#[test]
fn a_check_says_everything_that_is_wrong() {
    let home = Home::new();
    home.regatta(&["config", "check"])
        .exits(0)
        .prints("nothing is configured: the defaults hold\n");
    configure(&home, "config.toml", "[run]\nfanout = 3\n");
    configure(&home, "queries/q.toml", "doc = \"D\"\ncommand = \"c\"\n");
    let fine = home.regatta(&["config", "check"]).exits(0).out();
    assert!(
        fine.contains("config.toml\n") && fine.contains("queries/q.toml\n"),
        "{fine}"
    );
    // Settings that no other command would start with do not keep the rest from being looked at.
    configure(&home, "config.toml", "[run]\nfanuot = 3\n");
    configure(&home, "keys.toml", "[job]\n");
    configure(&home, "inventory.toml", "[groups]\nweb = 3\n");
    let bad = home.regatta(&["config", "check"]).exits(2).err();
    for want in [
        "did you mean fanout?",
        "did you mean jobs?",
        "inventory.toml:2: ",
    ] {
        assert!(bad.contains(want), "{bad}");
    }
    let value = home.regatta(&["config", "check", "--json"]).exits(2).json();
    assert_eq!(
        value["mistakes"].as_array().map(Vec::len),
        Some(3),
        "{value}"
    );
    home.regatta(&["config", "show"]).exits(2);
}

#[test]
fn settings_are_shown_with_their_origin() {
    let home = Home::new();
    configure(&home, "config.toml", "[run]\nfanout = 3\n");
    let shown = home.regatta(&["config", "show"]).exits(0).out();
    let words = |key: &str| {
        let line = shown
            .lines()
            .find(|line| line.starts_with(key))
            .expect("it is shown");
        line.split_whitespace()
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(words("run.fanout")[1], "3");
    assert!(words("run.fanout")[2].ends_with("regatta/config.toml"));
    assert_eq!(words("run.grace")[1..], ["\"5s\"", "built", "in"]);
    assert_eq!(words("run.timeout")[1], "-");
    // A file that is named is the one that counts.
    let other = home.file("other.toml", "[run]\nfanout = 4\n");
    let named = home
        .regatta(&["config", "show", "--config", &other])
        .exits(0)
        .out();
    assert!(
        named
            .lines()
            .any(|line| line.contains("run.fanout") && line.contains("other.toml")),
        "{named}"
    );
}

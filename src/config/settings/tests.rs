use super::*;
use crate::command::console::Column;
use crate::command::set::Notify;
use crate::config::Origin;
use crate::core::state::State;

fn parse(text: &str) -> Result<Settings, String> {
    Settings::parse(text, Path::new("/etc/r/config.toml"), None).map_err(|error| error.to_string())
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let empty = parse("").expect("an empty file is fine");
    assert_eq!(
        Settings {
            origin: None,
            ..empty
        },
        Settings::defaults(None)
    );
    // Every setting that is commented out parses, too.
    let settings = parse(&place::documented()).expect("the documented form is valid");
    assert_eq!(
        settings.inventory,
        File::Named("/etc/r/inventory.toml".into())
    );
}

#[test]
fn mistakes_name_the_line_and_the_likely_key() {
    let cases = [
        ("[run]\nfanuot = 3\n", "line 2", "did you mean fanout?"),
        ("[run]\ngrace = \"soon\"\n", "run.grace", "not a time"),
        (
            "[run]\nfanout = 0\n",
            "line 2",
            "expected a whole number from 1 on",
        ),
        (
            "[run]\nfanout = \"many\"\n",
            "line 2",
            "expected a whole number from 1 on",
        ),
        (
            "[run]\nconfirm_above = -1\n",
            "line 2",
            "expected a whole number from 0 on",
        ),
        ("grace = \"9s\"\n", "line 1", "; grace belongs in [run]"),
        (
            "[keep]\njobs = 0\n",
            "line 2",
            "expected a whole number from 1 on",
        ),
        ("[keep]\nage = \"never\"\n", "keep.age", "not a time"),
        ("[keep]\noutput = \"much\"\n", "keep.output", "not a size"),
        ("[buffer]\ntail = \"0\"\n", "buffer.tail", "leaves no room"),
        (
            "[buffer]\ntail = \"2KiB\"\n",
            "buffer.tail",
            "less than 64KiB",
        ),
        ("[buffer]\njob = \"1MiB\"\n", "buffer.job", "smaller than"),
        (
            "[buffer]\nage = \"1d\"\n",
            "line 2",
            "; age belongs in [keep]",
        ),
        (
            "[run]\n\ngrace = \"soon\"\n",
            "line 3: run.grace",
            "not a time",
        ),
        (
            "[console]\nnotify = \"bel\"\n",
            "line 2: console.notify: \"bel\" is not known here",
            "; did you mean bell?",
        ),
        ("[console]\nascii = true\n", "line 2", "expected a string"),
        (
            "[console]\nascii = \"sometimes\"\n",
            "line 2: console.ascii",
            "; write one of auto, always, never",
        ),
        (
            "[console]\ncolumns = [\"name\",\n  \"stat\"]\n",
            "line 3: console.columns",
            "; did you mean state?",
        ),
        (
            "[console]\ncolumns = [\"name\", \"id\", \"id\"]\n",
            "line 2: console.columns",
            "\"id\" is there twice",
        ),
        (
            "[console]\ncolumns = [\"id\"]\n",
            "line 2: console.columns",
            "without \"name\"",
        ),
        (
            "[console]\nopen = [\"runing\"]\n",
            "line 2: console.open",
            "; did you mean Running?",
        ),
        (
            "[console]\nnotify_after = \"never\"\n",
            "line 2: console.notify_after",
            "not a time",
        ),
        ("[confirm]\nstopp = false\n", "line 2", "did you mean stop?"),
        (
            "[console]\nquit = false\n",
            "line 2",
            "; quit belongs in [confirm]",
        ),
        ("[consle]\n", "line 1", "did you mean console?"),
        ("[keep]\noutputs = 1\n", "line 2", "did you mean output?"),
        (
            "[run]\nfanout = 3\ninventory = \"i\"\n",
            "line 3",
            "; inventory belongs at the top of the file",
        ),
        ("inventory = [\n", "line", ""),
    ];
    for (text, one, other) in cases {
        let error = parse(text).expect_err("a mistake");
        assert!(error.contains(one) && error.contains(other), "{error}");
    }
}

#[test]
fn the_console_is_as_it_is_said() {
    let console = parse(
        "[console]\ntheme = \"mine\"\nmouse = true\nascii = \"always\"\nutc = true\ncolumns = [\"Name\", \"exit\"]\nopen = []\n\
         notify = \"osc777\"\nnotify_after = \"1m\"\nnotify_command = \"true\"\n[confirm]\nkill = false\n",
    )
    .expect("settings");
    let want = Console {
        theme: "mine".into(),
        mouse: true,
        ascii: Ascii::Always,
        utc: true,
        columns: vec![Column::Name, Column::Exit],
        open: vec![],
        notify: Notify::Osc777,
        notify_after: Duration::from_secs(60),
        notify_command: Some("true".into()),
    };
    assert_eq!(console.console, want);
    let asked = [Asked::Stop, Asked::Kill, Asked::Remove, Asked::Quit];
    let asked = asked.map(|what| console.confirm.asks(what));
    assert_eq!(asked, [true, false, true, true]);
    let usual = Settings::defaults(None);
    assert_eq!(usual.console.open[0], State::Running);
    assert!(usual.confirm.asks(Asked::Kill));
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.toml");
    std::fs::write(&path, "[run]\nfanout = 3\n[confirm]\nquit = false\n").expect("a file");
    let all = shown(None, Some(directory.path())).expect("settings");
    let one = |key: &str| {
        let found = all
            .iter()
            .find(|shown| shown.key == key)
            .expect("it is shown");
        (
            found.value.as_ref().map(ToString::to_string),
            found.origin.clone(),
        )
    };
    let own = Origin::File(path);
    assert_eq!(one("run.fanout"), (Some("3".into()), own.clone()));
    assert_eq!(one("run.grace"), (Some("\"5s\"".into()), Origin::BuiltIn));
    assert_eq!(one("run.timeout"), (None, Origin::BuiltIn));
    assert_eq!(one("inventory"), (None, Origin::BuiltIn));
    assert_eq!(one("confirm.quit"), (Some("false".into()), own));
    let documented: toml::Table = place::documented().parse().expect("it parses");
    let count = |value: &toml::Value| value.as_table().map_or(1, toml::Table::len);
    assert_eq!(all.len(), documented.values().map(count).sum::<usize>());
    // Wrong settings are not shown.
    std::fs::write(directory.path().join("config.toml"), "[run]\nfanout = 0\n").expect("a file");
    assert!(shown(None, Some(directory.path())).is_err());
}

/// Reading again sees what has changed.
#[test]
fn settings_can_be_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.toml");
    let load = || Settings::load(None, Some(directory.path()));
    assert!(!load().expect("defaults").console.mouse);
    std::fs::write(&path, "[console]\nmouse = true\n").expect("a file");
    assert!(load().expect("settings").console.mouse);
    std::fs::write(&path, "[console]\nmouse = 3\n").expect("a file");
    assert!(load().is_err());
}

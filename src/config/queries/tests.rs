mod catalogue;

use std::collections::BTreeSet;
use std::io::{Seek as _, Write as _};
use std::process::Command;

use super::*;
use crate::results::parse::Row;
use crate::results::{Also, Column, Kind, Parser, Reading, Value};

/// Directories with files of queries.
fn directories(all: &[&[(&str, &str)]]) -> (tempfile::TempDir, SearchPath) {
    let root = tempfile::tempdir().expect("a directory");
    let mut path = Vec::new();
    for (n, files) in all.iter().enumerate() {
        let directory = root.path().join(n.to_string());
        std::fs::create_dir(&directory).expect("a directory");
        for (name, text) in *files {
            std::fs::write(directory.join(name), text).expect("a file");
        }
        path.push(directory);
    }
    path.push(root.path().join("missing"));
    (root, SearchPath(path))
}

fn one<'a>(queries: &'a [Query], name: &str) -> &'a Query {
    let found = queries.iter().find(|query| query.name == name);
    found.unwrap_or_else(|| panic!("{name} is not there"))
}

#[test]
fn the_built_in_queries_are_sound() {
    let (queries, mistakes) = load(&SearchPath(Vec::new()));
    assert_eq!(mistakes, []);
    let names: Vec<&str> = queries.iter().map(|query| query.name.as_str()).collect();
    assert_eq!(
        names,
        BUILT_IN.map(|(name, _)| name),
        "in the order of their names"
    );
    for query in &queries {
        assert!(
            query.doc.len() < 80 && !query.doc.ends_with('.'),
            "{}",
            query.doc
        );
        assert_eq!(query.origin, Origin::BuiltIn);
    }
}

/// On this computer, by every shell there is and as a runner feeds them: each gives rows with all of its columns, or says
/// in one line of its own what is not there.
#[test]
fn the_built_in_queries_answer_in_rows() {
    let (queries, _) = load(&SearchPath(Vec::new()));
    let shells: [&[&str]; 3] = [&["sh"], &["bash", "--posix"], &["busybox", "sh"]];
    let (mut answered, mut gave) = (0, BTreeSet::new());
    // What packages there are may take minutes to find out.
    for query in queries.iter().filter(|query| query.name != "updates") {
        let shape = query.shape.as_ref().expect("a built-in query has columns");
        let needed = (query.parameters.iter()).filter(|parameter| parameter.default.is_none());
        let given: Vec<_> = needed
            .map(|parameter| (parameter.name.clone(), "select 1".to_string()))
            .collect();
        let reading = Reading::new(shape).expect("a built-in query is sound");
        for shell in shells {
            let Some((code, out, err)) =
                fed(shell, &query.payload(&given).expect("it is complete"))
            else {
                continue;
            };
            answered += 1;
            if code != Some(0) {
                let said = out.is_empty() && err.lines().count() == 1 && !err.contains("sh:");
                assert!(said, "{} by {shell:?}: {out}{err}", query.name);
                continue;
            }
            assert_eq!(err, "", "{} by {shell:?}", query.name);
            let parsed = reading.parse(out.as_bytes(), &[]).expect("rows");
            let flaws = parsed.flaws;
            assert!(
                flaws.is_none(),
                "{} by {shell:?}: {flaws}\n{out}",
                query.name
            );
            for row in &parsed.rows {
                assert_eq!(row.len(), shape.columns.len(), "{}: {row:?}", query.name);
            }
            let key = shape
                .columns
                .iter()
                .position(|column| shape.key.first() == Some(&column.name));
            let named = |row: &Row| key.is_none_or(|key| row[key] != Value::Empty);
            assert!(
                parsed.rows.iter().all(named),
                "{} by {shell:?}: {out}",
                query.name
            );
            if !parsed.rows.is_empty() {
                gave.insert(query.name.as_str());
            }
        }
    }
    assert!(answered >= 26, "{answered}");
    if cfg!(target_os = "linux") {
        let everywhere = [
            "cpu",
            "filesystems",
            "kernel",
            "load",
            "memory",
            "mounts",
            "os",
            "processes",
            "reboot-required",
            "time",
            "uptime",
            "users",
        ];
        for name in everywhere {
            assert!(gave.contains(name), "{name} gave no row");
        }
    }
}

/// A script goes to a shell's standard input, as the prologue has it; its exit code, output and complaints.
fn fed(shell: &[&str], payload: &Payload) -> Option<(Option<i32>, String, String)> {
    let Payload::Script { text, .. } = payload else {
        panic!("a built-in query is a script");
    };
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("room");
    file.rewind().expect("a file");
    let run = Command::new(shell[0])
        .args(&shell[1..])
        .arg("-u")
        .stdin(file)
        .output()
        .ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((run.status.code(), text(&run.stdout), text(&run.stderr)))
}

#[test]
fn each_platform_has_its_own_script() {
    let text = "doc = \"D\"\nscript = \"echo other\"\n[platform]\nlinux = \"echo on linux\"\nwindows = \"echo 'a'\"\n";
    let (_root, path) = directories(&[&[("q.toml", text)]]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let payload = one(&queries, "q").payload(&[]).expect("no parameters");
    let (_, out, _) = fed(&["sh"], &payload).expect("there is sh");
    let here = if cfg!(target_os = "linux") {
        "on linux\n"
    } else {
        "other\n"
    };
    assert_eq!(out, here);
    let Payload::Script {
        text,
        powershell: Some(windows),
        ..
    } = &payload
    else {
        panic!("a script with a text for Windows");
    };
    assert!(windows.contains("\necho 'a'\n"), "{windows}");
    // For the shell it is one word, whatever is in it.
    let word = parameter::quoted(windows);
    let (_, word) = word.split_once('\'').expect("it is quoted");
    assert!(text.contains(&format!("{word} </dev/null\n")), "{text}");
    // It says where it is not known.
    let text = "doc = \"D\"\n[platform]\nmacos = \"true\"\n";
    let (_root, path) = directories(&[&[("q.toml", text)]]);
    let (queries, _) = load(&path);
    let payload = one(&queries, "q").payload(&[]).expect("no parameters");
    if cfg!(target_os = "linux") {
        let want = (
            Some(1),
            String::new(),
            "this query does not know Linux\n".to_string(),
        );
        assert_eq!(fed(&["sh"], &payload), Some(want));
    }
}

const PARAMETERS: &str = "doc = \"D\"\nscript = 'printf %s. \"$what\" \"$count\"'
[[parameters]]\nname = \"what\"
[[parameters]]\nname = \"count\"\ndefault = \"5\"\npattern = \"[0-9]+\"
[[parameters]]\nname = \"how\"\ndefault = \"fast\"\nchoices = [\"fast\", \"slow\"]\n";

#[test]
fn parameters_are_data_and_never_run() {
    let (root, path) = directories(&[&[("q.toml", PARAMETERS)]]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let mark = root.path().join("ran");
    let touch = format!("touch {}", mark.display());
    let values = [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("'; {touch}; '"),
        format!("\"; {touch}; \""),
        format!("a\n{touch}\nEOF\nE\n{touch}"),
        "two  words\ttab\\ \\n * ~ ${HOME} é".to_string(),
        format!("'\\''; {touch} #"),
        String::new(),
    ];
    for shell in [&["sh"][..], &["bash", "--posix"], &["busybox", "sh"]] {
        for value in &values {
            let given = [("what".to_string(), value.clone())];
            let payload = one(&queries, "q")
                .payload(&given)
                .expect("any text is fine");
            let Some((_, out, err)) = fed(shell, &payload) else {
                continue;
            };
            assert_eq!(
                (out, err),
                (format!("{value}.5."), String::new()),
                "{shell:?}"
            );
            assert!(!mark.exists(), "{value:?} was run by {shell:?}");
        }
    }
}

#[test]
fn parameters_are_variables_on_windows_too() {
    let text = format!("{PARAMETERS}[platform]\nwindows = '\"$what. $count.\"'\n");
    let (_root, path) = directories(&[&[("q.toml", &text)]]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let given = [("what".to_string(), "it's \u{2019}; exit".to_string())];
    let payload = one(&queries, "q").payload(&given).expect("it is complete");
    let (text, windows) = both(payload);
    let set = "$what='it''s \u{2019}\u{2019}; exit'\n$count='5'\n$how='fast'\n";
    assert!(windows.starts_with(set), "{windows}");
    // A POSIX shell there exports them.
    assert!(text.contains("\n$what=\"$env:what\"\n"), "{text}");
}

/// A script's texts for Unix and for Windows.
fn both(payload: Payload) -> (String, String) {
    match payload {
        Payload::Script {
            text,
            powershell: Some(windows),
            ..
        } => (text, windows),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_for_which_platform_is_said() {
    let windows = "doc = \"D\"\nparser = \"tsv\"\n[platform]\nwindows = \"w\"\n";
    let columns = "[[columns]]\nname = \"a\"\n";
    let files = [
        ("a.toml", "doc = \"D\"\ncommand = \"c\"\n".to_string()),
        ("b.toml", "doc = \"D\"\nscript = \"c\"\n".to_string()),
        ("c.toml", format!("script = \"s\"\n{windows}{columns}")),
        ("d.toml", format!("{windows}linux = \"l\"\n{columns}")),
        (
            "e.toml",
            format!("{windows}{columns}").replace("tsv", "json-lines"),
        ),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (_root, path) = directories(&[&files]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let objects = Some(Also::Objects);
    let cases: [(&str, &[&str], Option<Also>); 5] = [
        ("a", &["any"], None),
        ("b", &["unix"], None),
        ("c", &["unix", "windows"], objects),
        ("d", &["linux", "windows"], objects),
        ("e", &["windows"], Some(Also::Nothing)),
    ];
    for (name, platforms, also) in cases {
        let query = one(&queries, name);
        assert_eq!(query.platforms, platforms, "{name}");
        assert_eq!(query.shape.as_ref().map(|shape| shape.also), also, "{name}");
    }
}

/// It would have to be in a command line, or in an environment.
#[test]
fn a_secret_does_not_go_through_a_posix_shell_to_powershell() {
    let text = "doc = \"D\"\n[[parameters]]\nname = \"key\"\nsecret = true\n[platform]\nwindows = '\"$key\"'\n";
    let (_root, path) = directories(&[&[("q.toml", text)]]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let payload = one(&queries, "q").payload(&[]).expect("it is asked for");
    let (text, windows) = both(payload);
    assert!(!text.contains("powershell.exe"), "{text}");
    assert!(text.contains("the secret key does not reach"), "{text}");
    assert!(windows.contains("\n\"$key\"\n"), "{windows}");
}

#[test]
fn parameters_are_checked() {
    let (_root, path) = directories(&[&[("q.toml", PARAMETERS)]]);
    let (queries, _) = load(&path);
    let refused = |given: &[(&str, &str)]| {
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| ((*name).to_string(), (*value).to_string()))
            .collect();
        one(&queries, "q").payload(&given).expect_err("wrong")
    };
    assert_eq!(
        refused(&[]),
        "q needs a what; give it with --param what=..."
    );
    let cases = [
        ("waht", "x", "q has no parameter waht; did you mean what?"),
        (
            "other",
            "x",
            "q has no parameter other; it has what, count, how",
        ),
        (
            "count",
            "5; reboot",
            "count cannot be \"5; reboot\"; it has to match [0-9]+",
        ),
        (
            "count",
            "5\n6",
            "count cannot be \"5\\n6\"; it has to match [0-9]+",
        ),
        (
            "how",
            "Fast",
            "how cannot be \"Fast\"; it is one of fast, slow",
        ),
        ("what", "a\0b", "what holds a NUL character"),
    ];
    for (name, value, want) in cases {
        assert_eq!(refused(&[("what", "x"), (name, value)]), want);
    }
}

#[test]
fn a_file_says_how_its_output_is_read() {
    let text = "doc = \"D\"\ncommand = \"c\"\nwrites = true\nparser = \"json\"\npath = \"a.b\"\nkey = [\"name\"]
[[columns]]\nname = \"name\"\n[[columns]]\nname = \"size\"\ntype = \"bytes\"\nunit = \"KiB\"\nfrom = \"Size (K)\"\nwidth = 8\ndoc = \"S\"\n";
    let (_root, path) = directories(&[&[("q.toml", text)]]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    let query = one(&queries, "q");
    assert_eq!(query.effect, Effect::Writes);
    let size = Column {
        name: "size".into(),
        kind: Kind::Bytes,
        unit: Some("KiB".into()),
        from: Some("Size (K)".into()),
        width: Some(8),
        doc: "S".into(),
        ..Column::default()
    };
    let shape = Shape {
        query: "q".into(),
        parser: Parser::Json {
            path: vec!["a".into(), "b".into()],
        },
        columns: vec![Column::new("name", Kind::Text), size],
        key: vec!["name".into()],
        also: Also::Nothing,
    };
    assert_eq!(query.shape, Some(shape));
}

#[test]
fn what_everybody_can_write_gives_no_query() {
    use std::os::unix::fs::PermissionsExt as _;

    let text = "doc = \"A\"\ncommand = \"a\"\n";
    let (root, path) = directories(&[
        &[("uptime.toml", text)],
        &[("os.toml", text), ("kernel.toml", text)],
    ]);
    let open = |path: &str| {
        let mode = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(root.path().join(path), mode).expect("it is ours");
    };
    open("0/uptime.toml");
    open("1");
    let (queries, mistakes) = load(&path);
    for name in ["uptime", "os", "kernel"] {
        assert_eq!(one(&queries, name).origin, Origin::BuiltIn);
    }
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    for (mistake, place) in mistakes.iter().zip(["0/uptime.toml", "1"]) {
        assert!(mistake.contains("can be written by everybody"), "{mistake}");
        assert!(mistake.contains(place), "{mistake}");
    }
}

#[test]
fn later_directories_win() {
    let (root, path) = directories(&[
        &[
            ("uptime.toml", "doc = \"A\"\ncommand = \"a\"\n"),
            (
                "mine.toml",
                "doc = \"M\"\nscript = \"one\\ntwo\"\ntargets = \"@web\"\ntimeout = \"5m\"\nok_exit = [0, 3]\n",
            ),
            ("notes.txt", "not a query"),
            (".mine.toml.swp", "not a query"),
            (".#uptime.toml", "not a query"),
        ],
        &[("uptime.toml", "doc = \"B\"\ncommand = \"b\"\n")],
    ]);
    let (queries, mistakes) = load(&path);
    assert_eq!(mistakes, []);
    assert_eq!(queries.len(), BUILT_IN.len() + 1);
    let uptime = one(&queries, "uptime");
    assert_eq!(uptime.payload, Payload::Command("b".into()));
    assert_eq!(
        uptime.origin,
        Origin::File(root.path().join("1/uptime.toml"))
    );
    assert_eq!(
        uptime.hides,
        [
            Origin::File(root.path().join("0/uptime.toml")),
            Origin::BuiltIn
        ]
    );
    assert_eq!(
        (uptime.timeout, &uptime.ok_exit[..], &uptime.targets),
        (TIMEOUT, &[0][..], &None)
    );
    let script = Payload::Script {
        name: "mine".into(),
        interpreter: "sh".into(),
        text: "one\ntwo".into(),
        powershell: None,
    };
    let mine = Query {
        name: "mine".into(),
        doc: "M".into(),
        payload: script,
        platforms: vec!["unix"],
        targets: Some("@web".into()),
        timeout: Duration::from_secs(300),
        ok_exit: vec![0, 3],
        effect: Effect::Looks,
        parameters: Vec::new(),
        shape: None,
        text: one(&queries, "mine").text.clone(),
        origin: Origin::File(root.path().join("0/mine.toml")),
        hides: Vec::new(),
    };
    assert!(mine.text.starts_with("doc = \"M\""));
    assert_eq!(one(&queries, "mine"), &mine);
}

#[test]
fn mistakes_are_named_and_hide_no_other_query() {
    let good = "doc = \"D\"\ncommand = \"c\"\n";
    let cases = [
        (
            "doc = \"D\"\ncomand = \"c\"\n",
            &["q.toml:2: unknown key comand; did you mean command?"][..],
        ),
        (
            "doc = \"D\"\ninterpreter = \"c\"\ncommand = \"c\"\n",
            &["q.toml:2: unknown key interpreter; known here: doc, command, script, platform"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"jason\"\n",
            &["q.toml:3: parser cannot be jason; did you mean json?"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\n",
            &["q.toml:1: a parser needs columns"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\n[[columns]]\nname = \"a\"\n",
            &["q.toml:1: column a needs a parser: json, "],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\n[[columns]]\nname = \"a\"\ntpye = \"text\"\n",
            &["q.toml:6: unknown key tpye of a column; did you mean type?"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\n[[columns]]\nname = \"host\"\n",
            &["q.toml:4: there is a column host already"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\n[[columns]]\nname = \"a\"\ntype = \"bytes\"\nunit = \"apples\"\n",
            &["q.toml:1: column a: \"apples\" is no unit of sizes"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"regex\"\npattern = \"(\"\n[[columns]]\nname = \"a\"\n",
            &["q.toml:4: pattern: unclosed group"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\npath = \"a\"\n[[columns]]\nname = \"a\"\n",
            &["q.toml:1: path means nothing to the parser tsv"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\nkey = [\"b\"]\n[[columns]]\nname = \"a\"\n",
            &["q.toml:1: key names b, which is no column"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\n[platform]\nlinux = \"c\"\n",
            &["q.toml:1: where platforms differ, what runs elsewhere is a script"],
        ),
        (
            "doc = \"D\"\n[platform]\nlinx = \"c\"\n",
            &["q.toml:3: unknown platform linx; did you mean linux?"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\n[[parameters]]\nname = \"a\"\n",
            &["q.toml:1: parameters are variables of a script"],
        ),
        (
            "doc = \"D\"\n[[parameters]]\nname = \"host\"\n[platform]\nwindows = \"w\"\n",
            &["q.toml:1: PowerShell has a variable host of its own"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"PATH\"\n",
            &["q.toml:4: the name of a parameter is made of small letters"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\ndefault = \"x\"\nchoices = [\"y\"]\n",
            &["q.toml:3: default: a cannot be \"x\"; it is one of y"],
        ),
        (
            "command = \"c\"\n",
            &["q.toml:1: a query needs a doc: what it asks, in one line"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nscript = \"s\"\n",
            &["q.toml:1: a query has a command or a script, not both"],
        ),
        (
            "doc = \"D\"\ncommand = \" \"\n",
            &["q.toml:2: command is empty"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\ntimeout = \"soon\"\n",
            &["q.toml:3: timeout: \"soon\" is not a time; write 30s, 5m, 2h, 500ms"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nok_exit = 0\n",
            &["q.toml:3: ok_exit is a number, but must be a list of whole numbers"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nok_exit = [0,\n \"1\"]\n",
            &["q.toml:4: ok_exit is a string, but must be a list of whole numbers"],
        ),
        (
            "doc = 3\ncommand = \"c\"\n",
            &["q.toml:1: doc is a number, but must be a string"],
        ),
        ("doc = \n", &["q.toml:1: "]),
        (
            "name = \"x\"\ndoc = \"D\"\ncommand = \"c\"\n",
            &["q.toml:1: a query is called as its file, and has no key name; rename the file"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\ndoc = \"E\"\n",
            &["q.toml:3: duplicate key"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\npattern = \"[z\"\n",
            &["q.toml:5: pattern: unclosed character class"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\n[[parameters]]\nname = \"a\"\n",
            &["q.toml:6: there is a parameter a already"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\ndefalt = \"x\"\n",
            &["q.toml:5: unknown key defalt of a parameter; did you mean default?"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\ndefault = \"x$b\"\n[[parameters]]\nname = \"b\"\ndefault = \"${a}/y\"\n",
            &["q.toml:3: default: it is text as it stands, and cannot refer to the parameter b"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\nsecret = true\ndefault = \"x\"\n",
            &["q.toml:3: a secret has no default: it is asked for"],
        ),
        (
            "doc = \"D\"\nscript = \"c\"\n[[parameters]]\nname = \"a\"\nsecret = \"yes\"\n",
            &["q.toml:5: secret is a string, but must be true or false"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"objects\"\n[[columns]]\nname = \"a\"\n",
            &["q.toml:1: columns means nothing to the parser objects"],
        ),
        (
            "doc = \"D\"\ncommand = \"c\"\nparser = \"tsv\"\nkey = [\"a\"]\n[[columns]]\nname = \"a\"\nvolatile = true\n",
            &["q.toml:1: column a is volatile, and rows are not found again by it"],
        ),
    ];
    for (text, want) in cases {
        let (_root, path) = directories(&[&[("q.toml", text), ("fine.toml", good)]]);
        let (queries, mistakes) = load(&path);
        assert_eq!(queries.len(), BUILT_IN.len() + 1, "{text}");
        let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), want.len(), "{shown:?}");
        for (shown, want) in shown.iter().zip(want) {
            assert!(shown.contains(want), "{shown}\nnot {want}");
        }
    }
    let (_root, path) = directories(&[&[("two words.toml", good)]]);
    let (_, mistakes) = load(&path);
    let want = "\"two words\" cannot be the name of a query; rename its file";
    assert!(mistakes[0].to_string().contains(want), "{mistakes:?}");
    // What is no text is no query, and hides none.
    let (root, path) = directories(&[&[("fine.toml", good)]]);
    std::fs::write(root.path().join("0/raw.toml"), b"doc = \"\xff\"\n").expect("a file");
    let (queries, mistakes) = load(&path);
    assert_eq!(queries.len(), BUILT_IN.len() + 1);
    assert!(mistakes[0].to_string().contains("raw.toml"), "{mistakes:?}");
    // What is no directory can hold none.
    let (root, _) = directories(&[&[("file", "")]]);
    let (_, mistakes) = load(&SearchPath(vec![root.path().join("0/file")]));
    assert!(
        mistakes[0].to_string().contains("cannot be read"),
        "{mistakes:?}"
    );
}

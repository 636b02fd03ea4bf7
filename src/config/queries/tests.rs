use std::process::{Command, Stdio};

use super::*;

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

/// What a shell feeds on: the script, or the command.
fn text_of(query: &Query) -> &str {
    match &query.payload {
        Payload::Command(line) => line,
        Payload::Script { text, .. } => text,
    }
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

/// On this computer, by every shell there is: each says something, and complains of nothing that it did not expect.
#[test]
fn the_built_in_queries_answer() {
    let (queries, _) = load(&SearchPath(Vec::new()));
    let shells: [&[&str]; 3] = [&["sh"], &["bash", "--posix"], &["busybox", "sh"]];
    let mut answered = 0;
    // What packages there are may take minutes to find out.
    for query in queries.iter().filter(|query| query.name != "updates") {
        for shell in shells {
            let run = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-u", "-c", text_of(query)])
                .stdin(Stdio::null())
                .output();
            let Ok(run) = run else { continue };
            let out = String::from_utf8_lossy(&run.stdout);
            let err = String::from_utf8_lossy(&run.stderr);
            match run.status.code() {
                Some(0) => assert!(
                    !out.is_empty() && err.is_empty(),
                    "{} by {shell:?}: {out}{err}",
                    query.name
                ),
                // Something is not there, and that is said in one line of our own.
                _ => assert!(
                    out.is_empty() && err.lines().count() == 1 && !err.contains("sh:"),
                    "{} by {shell:?}: {out}{err}",
                    query.name
                ),
            }
            answered += 1;
        }
    }
    assert!(answered >= 11, "{answered}");
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
        (uptime.timeout, &uptime.ok_exit[..], &uptime.targets),
        (TIMEOUT, &[0][..], &None)
    );
    let script = Payload::Script {
        name: "mine".into(),
        interpreter: "sh".into(),
        text: "one\ntwo".into(),
    };
    let mine = Query {
        name: "mine".into(),
        doc: "M".into(),
        payload: script,
        targets: Some("@web".into()),
        timeout: Duration::from_secs(300),
        ok_exit: vec![0, 3],
        origin: Origin::File(root.path().join("0/mine.toml")),
    };
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
            "doc = \"D\"\nparser = \"c\"\ncommand = \"c\"\n",
            &[
                "q.toml:2: unknown key parser; known here: doc, command, script, targets, timeout, ok_exit",
            ],
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
    // What is no directory can hold none.
    let (root, _) = directories(&[&[("file", "")]]);
    let (_, mistakes) = load(&SearchPath(vec![root.path().join("0/file")]));
    assert!(
        mistakes[0].to_string().contains("cannot be read"),
        "{mistakes:?}"
    );
}

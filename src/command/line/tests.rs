//! Lines as operators type them, and lines nobody would.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::command::console::{Screen, Way};
use crate::command::set::{Set, Switch};

fn read(line: &str) -> Result<Typed, LineError> {
    parse(line, &["7".to_string()])
}

/// The words of a verb's line.
fn verb(line: &str) -> Vec<String> {
    match read(line) {
        Ok(Typed::Verb { words, .. }) => words,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_follows_the_dashes_is_left_as_it_stands() {
    let cases = [
        (
            r#"run -t web -- echo "a  b" | wc"#,
            vec!["run", "-t", "web", "--", r#"echo "a  b" | wc"#],
        ),
        (
            "regatta run -t 'web[1-3], db' --   awk '{print $1}'",
            vec!["run", "-t", "web[1-3], db", "--", "awk '{print $1}'"],
        ),
        (
            r#"run -t web --name="it's \"one\" \\ \n" uptime"#,
            vec!["run", "-t", "web", r#"--name=it's "one" \ \n"#, "uptime"],
        ),
        ("run -t web -- it's", vec!["run", "-t", "web", "--", "it's"]),
        // Quotes that are not around the whole belong to the command.
        (
            "run -t web -- 'my prog' -x 'a b'",
            vec!["run", "-t", "web", "--", "'my prog' -x 'a b'"],
        ),
        (
            r#"run -t web -- "a" "b" "#,
            vec!["run", "-t", "web", "--", r#""a" "b" "#],
        ),
        ("run -t web -- ''", vec!["run", "-t", "web", "--", "''"]),
        ("run --local --  ", vec!["run", "--local", "--"]),
    ];
    for (line, want) in cases {
        let texts: Vec<String> = words(line)
            .expect("words")
            .into_iter()
            .map(|word| word.text)
            .collect();
        assert_eq!(texts, want, "{line}");
    }
}

#[test]
fn a_command_that_was_quoted_for_a_shell_loses_those_quotes() {
    let cases = [
        (
            "run -t 'web[1-2]' -- 'echo hello; uname'",
            "echo hello; uname",
        ),
        (r"run -t web -- 'it'\''s' ", "it's"),
        (
            r#"run -t web -- "echo \"\$HOME\" 'x'" "#,
            r#"echo "$HOME" 'x'"#,
        ),
        ("run -t web -- ' x'", " x"),
        // Once more around it: it is what its name says.
        (r"run -t web -- ''\''my prog'\'''", "'my prog'"),
    ];
    for (line, want) in cases {
        assert_eq!(verb(line)[4], want, "{line}");
        assert_eq!(unquoted(line).as_deref(), Some(want), "{line}");
        assert_eq!(verb(&shown(&verb(line)))[4], want, "{line}");
        assert_eq!(verb(&for_shell(line))[4], want, "{line}");
    }
    for line in [
        "run -t web -- echo 'a b'",
        "run -t web -- 'a' 'b'",
        "stop 'a b'",
    ] {
        assert_eq!(unquoted(line), None, "{line}");
    }
}

#[test]
fn the_command_reaches_the_verb_as_typed() {
    let Ok(Typed::Verb { verb, .. }) = read(r#"run -t web -- echo "a  b" | wc"#) else {
        panic!("no verb");
    };
    let Verb::Run(run) = *verb else {
        panic!("no run");
    };
    assert_eq!(run.command, [r#"echo "a  b" | wc"#]);
    assert_eq!(run.on.targets, ["web"]);
}

#[test]
fn acts_are_read_and_take_the_rest_of_the_line() {
    let text = |text: &str| vec![text.to_string()];
    let cases = [
        ("q", Act::Quit { now: false }),
        ("problem next", Act::Problem { way: Way::Next }),
        (
            "view hosts",
            Act::View {
                screen: Screen::Hosts,
            },
        ),
        (
            "w out.txt",
            Act::Save {
                file: Some("out.txt".into()),
            },
        ),
        (
            "filter /a  'b'/",
            Act::Filter {
                text: text("/a  'b'/"),
            },
        ),
        ("filter", Act::Filter { text: vec![] }),
        (
            "pipe -- grep -c \"x  y\"",
            Act::Pipe {
                command: text("grep -c \"x  y\""),
            },
        ),
        (
            "bar run -t ",
            Act::Bar {
                text: text("run -t "),
            },
        ),
    ];
    for (line, want) in cases {
        match read(line) {
            Ok(Typed::Act(act)) => assert_eq!(act, want, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn what_is_selected_is_added_where_jobs_are_needed_and_none_are_named() {
    assert_eq!(verb("stop"), ["stop", "7"]);
    assert_eq!(verb("kill --kill"), ["kill", "7", "--kill"]);
    assert_eq!(verb("stop 9"), ["stop", "9"]);
    assert_eq!(verb("throttle -f 3"), ["throttle", "7", "-f", "3"]);
    assert_eq!(verb("recv --keep"), ["recv", "7", "--keep"]);
    // These mean something without a selection.
    assert_eq!(verb("jobs"), ["jobs"]);
    assert_eq!(verb("hosts"), ["hosts"]);
    let two = ["7.web01".to_string(), "7.web02".to_string()];
    let Ok(Typed::Verb { words, .. }) = parse("rerun", &two) else {
        panic!("no verb");
    };
    assert_eq!(words, ["rerun", "7.web01", "7.web02"]);
    // What is looked for comes before the jobs.
    assert_eq!(verb("grep -i error"), ["grep", "-i", "error", "7"]);
    assert_eq!(verb("grep error 9"), ["grep", "error", "9"]);
    assert_eq!(verb("grep -- -x"), ["grep", "--", "-x", "7"]);
}

#[test]
fn what_can_be_set_is_named_where_it_is_mistaken() {
    let Ok(Typed::Act(Act::Set { option })) = read("set mouse on") else {
        panic!("no setting");
    };
    let switch = Switch::On;
    assert_eq!(option, Set::Mouse { switch });
    let hints = [
        (
            "set",
            "one of theme, mouse, ascii, utc, wrap, times, prefix, ignore, notify, notify_after",
        ),
        ("set wrpa on", "did you mean wrap?"),
        ("set wrap yes", "one of on, off"),
        ("set times", "one of off, clock, start"),
    ];
    for (line, hint) in hints {
        let error = read(line).expect_err("a mistake");
        let said = format!("{}; {}", error.message, error.hint.unwrap_or_default());
        assert!(said.contains(hint), "{line}: {said}");
    }
}

#[test]
fn mistakes_are_said_at_the_word_that_is_wrong() {
    // The line, with the wrong place between guillemets; the message; the hint.
    let cases = [
        ("«»", "nothing was typed", ""),
        (
            "«stpo» 7",
            "there is no command \"stpo\"",
            "did you mean stop?",
        ),
        (
            "regatta «regatta» jobs",
            "there is no command \"regatta\"",
            "",
        ),
        (
            "«qiut»",
            "there is no command \"qiut\"",
            "did you mean quit?",
        ),
        (
            "run -t web -n «'»oops -- it",
            "the quote ' is never closed",
            "close it with ', or quote it",
        ),
        (
            "remove «--focre» 7",
            "remove has no option --focre",
            "did you mean --force?",
        ),
        ("stop 7 «-z»", "stop has no option -z", ""),
        ("pause 7 «--kill»", "pause has no option --kill", ""),
        (
            "run -t web -f «many» -- x",
            "expected a whole number from 1 on",
            "",
        ),
        (
            "run -t web --fanout=«0» -- x",
            "expected a whole number from 1 on",
            "",
        ),
        (
            "run -t web -f«0» -- 0",
            "expected a whole number from 1 on",
            "",
        ),
        (
            "run -t web «--timeout» -- x",
            "--timeout needs a value",
            "as in --timeout <TIME>",
        ),
        (
            "run -t web --on-full «stopp» -- x",
            "\"stopp\" is no value of --on-full",
            "did you mean stop?",
        ),
        (
            "jobs --state Running,«Lost»",
            "not a state; states are NotStarted, Connecting, Running, Blocked, Suspended, Stopping, Disconnected, Completed, \
             Failed, Stopped",
            "",
        ),
        (
            "stop «7.web[01-»",
            "the bracket \"[\" is never closed, in \"web[01-\"",
            "",
        ),
        (
            "run «--local» -t web -- x",
            "--local does not go with --targets",
            "",
        ),
        ("stop 7 --kill «--kill»", "--kill can be given once", ""),
        (
            "view «jbos»",
            "\"jbos\" is no value of SCREEN",
            "did you mean jobs?",
        ),
        ("view«»", "view needs <SCREEN>", "view <SCREEN>"),
        ("back «x»", "\"x\" is one word too many for back", "back"),
        (
            "daemon «strat»",
            "daemon has no command \"strat\"",
            "did you mean start?",
        ),
        (
            "daemon «x»",
            "daemon has no command \"x\"",
            "one of start, status, stop, run",
        ),
        (
            "daemon«»",
            "daemon needs one more word",
            "one of start, status, stop, run",
        ),
        (
            "stop «--help»",
            "Stop jobs or children: TERM, then KILL, then proof",
            "stop [OPTIONS] <JOB>...",
        ),
        (
            "throttle«»",
            "throttle needs --fanout <N>",
            "throttle --fanout <N> <JOB>...",
        ),
    ];
    let mut report = String::new();
    for (marked, message, hint) in cases {
        let line = marked.replace(['«', '»'], "");
        let Err(error) = read(&line) else {
            panic!("{line} is fine");
        };
        let (before, rest) = line.split_at(error.range.start);
        let (wrong, after) = rest.split_at(error.range.len());
        let found = format!("{before}«{wrong}»{after}");
        if found != marked
            || error.message != message
            || error.hint.as_deref().unwrap_or_default() != hint
        {
            _ = writeln!(report, "{found}: {} ({:?})", error.message, error.hint);
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn a_selection_that_is_needed_and_not_there_is_asked_for() {
    let error = parse("stop", &[]).expect_err("nothing selected");
    assert_eq!(error.message, "stop needs to know which jobs");
    assert!(error.hint.is_some_and(|hint| hint.contains("JOB.HOST")));
    assert_eq!(error.range, 4..4);
}

#[test]
fn shown_words_are_read_again() {
    let cases: [&[&str]; 5] = [
        &["stop", "7", "--kill"],
        &["run", "-t", "web[1-3], db", "--", "echo \"a  b\" 'c'"],
        &["run", "-n", "it's", "-t", ""],
        &["run", "-n", "both ' and \" and \\", "--local"],
        &["regatta", "jobs"],
    ];
    for case in cases {
        let texts: Vec<String> = words(&shown(case))
            .expect("words")
            .into_iter()
            .map(|word| word.text)
            .collect();
        assert_eq!(texts, case, "{}", shown(case));
    }
}

fn check(line: &str) {
    if let Err(error) = read(line) {
        let Range { start, end } = error.range;
        assert!(
            start <= end && end <= line.len(),
            "{line:?}: {start}..{end}"
        );
        assert!(line.is_char_boundary(start) && line.is_char_boundary(end));
        for text in [Some(&error.message), error.hint.as_ref()]
            .into_iter()
            .flatten()
        {
            assert!(
                !text.is_empty() && !text.contains(char::is_control),
                "{text:?}"
            );
        }
    }
    if let Ok(found) = words(line) {
        let texts: Vec<String> = found.into_iter().map(|word| word.text).collect();
        let again = words(&shown(&texts)).expect("a line that was shown");
        let again: Vec<String> = again.into_iter().map(|word| word.text).collect();
        assert_eq!(again, texts, "{line:?} shown as {:?}", shown(&texts));
    }
}

/// Pieces that mean something, with and without what belongs to them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "run",
            "stop",
            "jobs",
            "receive",
            "throttle",
            "remove",
            "daemon",
            "view",
            "filter",
            "save",
            "-t",
            "-f",
            "--fanout=",
            "-xy",
            "--state",
            "a,b",
            "--",
            "-",
            "--kill",
            "7",
            "web[1-",
            "'",
            "\"",
            "\\",
            "=",
            "é",
            "日本",
            "--help",
            "regatta",
            "--on-full",
            "stop",
        ])
        .prop_map(str::to_string),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_line_is_too_strange(line in any::<String>()) {
        check(&line);
    }

    #[test]
    fn no_command_line_is_too_strange(
        pieces in prop::collection::vec(piece(), 0..8),
        between in prop::sample::select(vec![" ", "  ", ""]),
    ) {
        check(&pieces.join(between));
    }
}

#[test]
fn what_is_pasted_into_a_shell_means_the_same() {
    for (line, pasted) in [
        (
            "run -t @web,db[1-3] -- sleep $((RANDOM%5)); echo it's $HOME",
            r"regatta run -t '@web,db[1-3]' -- 'sleep $((RANDOM%5)); echo it'\''s $HOME'",
        ),
        ("stop 7.web01 --grace 5s", "regatta stop 7.web01 --grace 5s"),
        ("rerun \"\"", "regatta rerun ''"),
    ] {
        assert_eq!(super::for_shell(line), pasted);
    }
}

//! Secrets of queries: asked once, given by file, variable or standard input, and known to the script alone.

use std::fs;

use crate::console::{Console, Gate, came_to, child, log_everything, stands_nowhere};
use crate::questions::{blocked, on_terminal, open};
use crate::support::{Running, contains, until};

/// What no file and no command line may hold; a shell that read it would do something.
const WORDS: &str = "it's $(reboot) `no` \"x\" \\n horse";

/// Waits at the gate, then says of the secret how long it is and whether anything it starts can see it.
const QUERY: &str = r#"
doc = "Wants a token"
parser = "tsv"
script = '''
: <GATE
set -- "$(printf %s "$token" | wc -c)" "$(env | grep -c "hor[s]e")" "$user"
printf '%s\t%s\t%s\n' "$@"
'''
[[parameters]]
name = "token"
doc = "the registry's token"
secret = true
[[parameters]]
name = "user"
default = "me"
[[columns]]
name = "length"
type = "integer"
[[columns]]
name = "seen"
type = "integer"
[[columns]]
name = "user"
"#;

fn configure(console: &Console) -> Gate {
    let gate = console.gate();
    let directory = console.path("home/.config/regatta/queries");
    fs::create_dir_all(&directory).expect("a directory");
    let text = QUERY.replace("GATE", &gate.path());
    fs::write(directory.join("token.toml"), text).expect("a file");
    gate
}

/// What a job's rows say.
fn rows(console: &Console, job: &str) -> String {
    let select = "host,length,seen,user";
    let ran = console.regatta(&["rows", job, "--select", select, "--format", "csv"]);
    ran.exits(0).out().replace("host,length,seen,user\n", "")
}

/// Runs a job once more on all its hosts; its id.
fn again(console: &Console, options: &[&str], job: &str) -> String {
    let ran = console.regatta(&[options, &["rerun", "--all", job]].concat());
    ran.exits(0).out().trim().to_owned()
}

/// No command line of any process has these words in it.
fn no_command_line_has(words: &str) {
    let mut looked = 0;
    for entry in fs::read_dir("/proc").expect("there is /proc").flatten() {
        let Ok(line) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        looked += 1;
        assert!(
            !contains(&line, words.as_bytes()),
            "{}",
            entry.path().display()
        );
    }
    assert!(looked > 3);
}

#[test]
fn a_secret_of_a_query_is_asked_once_and_reaches_the_script_alone() {
    let test = "a_secret_of_a_query_is_asked_once_and_reaches_the_script_alone";
    let Some(console) = Console::start(test) else {
        return;
    };
    let (gate, config) = (configure(&console), console.config());
    log_everything(&console);
    // Whoever sits at a terminal is asked before anything begins.
    let query = ["-F", &config, "query", "token", "-t", "127.1.0.[1-3]"];
    let mut terminal = on_terminal(&console, &query);
    terminal.until_shown("Secret token (the registry's token): ");
    until("what is typed is not shown", || !terminal.echoes());
    assert_eq!(console.jobs(&[]).as_array().map(Vec::len), Some(0));
    terminal.types(&format!("{WORDS}\n"));
    let shown = terminal.finish().exits(0).out();
    assert!(!shown.contains("horse"), "{shown}");
    let job = console.jobs(&[])[0]["id"].to_string();
    until("it runs", || console.count(&job, "Running") == 3);
    no_command_line_has("horse");
    assert_eq!(console.now(&job)["command"], "token");
    let opened = gate.open();
    console.regatta(&["wait", &job]).exits(0);
    let row = format!("{},0,me", WORDS.len());
    let all = (1..4).map(|n| format!("127.1.0.{n},{row}\n"));
    let all = all.collect::<String>();
    assert_eq!(rows(&console, &job), all);

    // Run again it asks again, once for all hosts, and whoever comes may answer.
    let second = again(&console, &[], &job);
    blocked(&console, &second, 3);
    let questions = open(&console, &[]);
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert_eq!(questions[0]["kind"], "secret");
    assert_eq!(questions[0]["name"], "token");
    assert_eq!(questions[0]["doc"], "the registry's token");
    let mut terminal = on_terminal(&console, &["wait", &second]);
    terminal.until_shown("Secret token (the registry's token): ");
    terminal.types(&format!("{WORDS}\n"));
    terminal.finish().exits(0);
    assert_eq!(rows(&console, &second), all);
    drop(opened);

    // Refused, or nobody to ask: the children say so, and nothing ran.
    let refused = again(&console, &[], &job);
    blocked(&console, &refused, 3);
    console.regatta(&["answer", "--refuse", &refused]).exits(0);
    let unasked = again(&console, &["--batch"], &job);
    for (job, words) in [(refused, "was refused"), (unasked, "--batch")] {
        console.regatta(&["wait", &job]).exits(1);
        let now = console.now(&job);
        let words = ["the secret token", words];
        came_to(child(&now, "127.1.0.2"), "Failed", "secret", &words);
    }
    console.regatta(&["daemon", "stop"]).exits(0);
    stands_nowhere(&console, "horse");
}

#[test]
fn a_secret_comes_from_a_file_a_variable_or_stdin_and_never_from_the_command_line() {
    let test = "a_secret_comes_from_a_file_a_variable_or_stdin_and_never_from_the_command_line";
    let Some(console) = Console::start(test) else {
        return;
    };
    let (gate, config) = (configure(&console), console.config());
    let _opened = gate.open();
    log_everything(&console);
    let typed = |more: &[&'static str]| {
        let query = ["--batch", "-F", &config, "query", "token", "-t"];
        console.command(&[&query[..], &["127.1.0.1"], more].concat())
    };
    // Outside the home, which is searched for the words later.
    let file = console.fleet.path("token");
    fs::write(&file, "horse from a file\n").expect("ours");
    let cases = [
        ("token=file:../token", 17),
        ("token=stdin", 17),
        ("token=env:TOKEN_OF_MINE", 14),
    ];
    for (from, length) in cases {
        let mut command = typed(&["--secret", from, "-p", "user=you"]);
        command.env("TOKEN_OF_MINE", "a horse, inenv");
        fs::create_dir_all(console.fleet.path("here")).expect("ours");
        command.current_dir(console.fleet.path("here"));
        command.stdin(fs::File::open(&file).expect("just written"));
        let job = Running::spawn(command).finish().exits(0).out();
        console.regatta(&["wait", job.trim()]).exits(0);
        let row = format!("127.1.0.1,{length},0,you\n");
        assert_eq!(rows(&console, job.trim()), row, "{from}");
    }
    let cases: [(&[&str], &[&str]); 7] = [
        (
            &["-p", "token=horse"],
            &["token is a secret", "--secret token=env:VARIABLE"],
        ),
        (
            &["--secret", "token=horse"],
            &["a secret is NAME=env:VARIABLE"],
        ),
        (
            &[],
            &["secret token was not given", "--secret token=env:VARIABLE"],
        ),
        (
            &["--secret", "tokn=stdin"],
            &["token has no secret tokn", "did you mean token?"],
        ),
        (
            &["--secret", "token=file:/no/such/file"],
            &["the secret token: /no/such/file cannot be read"],
        ),
        (
            &["--secret", "token=env:NOT_SET_AT_ALL"],
            &["the variable NOT_SET_AT_ALL is not set"],
        ),
        (&["--secret", "token=stdin"], &["secret token: it is empty"]),
    ];
    for (more, words) in cases {
        let mut command = typed(more);
        command.stdin(std::process::Stdio::null());
        Running::spawn(command).finish().exits(2).says(words);
    }
    console.regatta(&["daemon", "stop"]).exits(0);
    stands_nowhere(&console, "horse");
}

//! Working in the console with computers that are real to it: what the screen says agrees with what the shell says.

use std::fs;

use crate::console::{Console, child, log_everything, stands_nowhere};
use crate::screen::{Screen, USUAL};
use crate::support::pty::OnTerminal;
use crate::support::{contains, until};

#[test]
fn a_job_is_started_watched_stopped_received_and_removed() {
    let Some(console) = Console::start("a_job_is_started_watched_stopped_received_and_removed")
    else {
        return;
    };
    let config = console.config();
    let gate = console.gate();
    let mut screen = Screen::open(&console, USUAL, &["-F", &config]);
    screen.until("0 jobs");
    screen.line(&format!(
        "run -n story -t 127.1.0.[1-6] -- echo begun; : <{}; echo gone on; [ $(echo $SSH_CONNECTION | cut -d' ' -f3) != 127.1.0.4 ]",
        gate.path()
    ));
    screen.until_row(&["story", "Running"]);
    until("all of them run", || console.count("story", "Running") == 6);
    screen.keys("l");
    for host in 1..=6 {
        screen.until_row(&[&format!("127.1.0.{host}"), "Running"]);
    }
    // Into the first child's output.
    screen.keys("j\r");
    screen.until("Jobs ›");
    screen.until("begun");
    screen.keys("\x1b");
    screen.until_gone("Jobs ›");
    screen.until_row(&["127.1.0.2", "Running"]);
    // The second child, and no other.
    screen.keys("jx");
    screen.until("Stop");
    screen.until(" y ");
    screen.keys("y");
    screen.until_row(&["127.1.0.2", "Stopped"]);
    let now = console.now("story");
    assert_eq!(child(&now, "127.1.0.2")["state"], "Stopped");
    assert_eq!(now["counts"]["Running"], 5);

    screen.keys("k\r");
    screen.until("Jobs ›");
    let open = gate.open();
    screen.until("gone on");
    screen.keys("\x1b");
    screen.until_gone("Jobs ›");
    screen.until_row(&["127.1.0.4", "Failed"]);
    console.regatta(&["wait", "story"]).exits(1);
    drop(open);
    let now = console.now("story");
    let words = [
        (1, "Completed"),
        (2, "Stopped"),
        (3, "Completed"),
        (4, "Failed"),
    ];
    for (host, state) in words {
        let host = format!("127.1.0.{host}");
        assert_eq!(child(&now, &host)["state"], state);
        screen.until_row(&[&host, state]);
    }

    // All of it is received once, and removed once the console is left.
    assert_eq!(now["more"], true);
    screen.keys("ggr");
    until("it has been received", || {
        console.now("story")["more"] == false
    });
    screen.until("received");
    screen.keys("q");
    screen.until_gone("Jobs ›");
    screen.keys("d");
    screen.until("1 being removed");
    screen.keys("q");
    screen.left().gave_back(0);
    console.regatta(&["jobs", "story"]).exits(3);
}

#[test]
fn rows_of_a_query_are_filtered_grouped_saved_and_asked_again() {
    let Some(console) =
        Console::start("rows_of_a_query_are_filtered_grouped_saved_and_asked_again")
    else {
        return;
    };
    let config = console.config();
    let mut screen = Screen::open(&console, USUAL, &["-F", &config]);
    screen.until("0 jobs");
    // Nobody listens on the last one.
    screen.line("query os -t 127.1.0.[1-6],127.1.0.9:1 -w");
    screen.until("7 hosts, 1 problem (!)");
    screen.until("6 rows");
    screen.until_row(&["HOST", "ID", "VERSION", "NAME", "ARCH"]);
    screen.until_row(&["127.1.0.6"]);
    screen.keys("!");
    screen.until_row(&["127.1.0.9:1", "connection refused"]);
    screen.keys("!");
    screen.until_row(&["127.1.0.6"]);
    // A mistake is said, and what was there before stays.
    screen.keys("/host ~ '[12]$' or\r");
    screen.until("missing");
    screen.until("─ 6 rows");
    screen.keys("\x08\x08\x08\r");
    screen.until("2 of 6 rows");
    screen.until_gone("missing");
    let file = console.path("rows.csv");
    screen.line(&format!("save {}", file.display()));
    screen.until("saved");
    let saved = std::fs::read_to_string(&file).expect("it was saved");
    let hosts: Vec<&str> = saved
        .lines()
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(hosts, ["host", "127.1.0.1", "127.1.0.2"], "{saved}");
    // Down to the output of one host, and back.
    screen.keys("j\r");
    screen.until("127.1.0.2");
    screen.until("end: exit 0");
    screen.keys("\x1b");
    screen.until_gone("end: exit 0");
    // The group is asked, once that is said.
    screen.line("group arch");
    screen.until("1 group of 2 of 6 rows");
    screen.until_row(&["2", "127.1.0.[1-2]"]);
    screen.keys("a");
    screen.until(":run -t 127.1.0.[1-2] -- ");
    screen.keys("echo again\r");
    until("the group is asked", || {
        console.now("last")["command"] == "echo again"
    });
    assert_eq!(console.now("last")["targets"], "127.1.0.[1-2]");
    // And one of its hosts by the job's name, seen before it runs.
    screen.keys(":run -n third -t %last.127.1.0.2 -- true");
    screen.until("1 host: 127.1.0.2");
    screen.keys("\r");
    until("it is begun", || console.now("last")["name"] == "third");
    until("it runs there", || console.count("third", "Completed") == 1);
    assert_eq!(console.now("third")["targets"], "127.1.0.2");
    // Out of the group, the grouping, the filter, the table.
    screen.until("group arch");
    screen.keys("q");
    screen.until_gone("group arch");
    screen.keys("q");
    screen.until("6 rows");
    screen.keys("q");
    screen.until("3 jobs");
    screen.keys("q");
    screen.left().gave_back(0);
}

#[test]
fn a_key_that_is_not_known_is_asked_for_and_accepted() {
    let Some(console) = Console::start("a_key_that_is_not_known_is_asked_for_and_accepted") else {
        return;
    };
    let known = console.path("known");
    let config = console.config_with(&format!(
        "Host *\n StrictHostKeyChecking ask\n BatchMode no\n UserKnownHostsFile {}",
        known.display()
    ));
    let mut screen = Screen::open(&console, USUAL, &["-F", &config]);
    screen.until("0 jobs");
    screen.line("run -n shy -t 127.1.0.1 -- echo let in");
    screen.until("1 question");
    screen.until_row(&["shy", "Blocked"]);
    until("the shell says the same", || {
        console.now("shy")["state"] == "Blocked"
    });
    screen.keys("l");
    // Its own row, and not what the preview says of it.
    screen.until_row(&["       127.1.0.1   ", "Blocked"]);
    screen.keys("j\r");
    screen.until("Is this the host's key?");
    screen.until("SHA256:");
    // Enter is no answer.
    screen.keys("\r");
    screen.keys("y");
    screen.until_row(&["shy", "Completed"]);
    screen.until_gone("1 question");
    assert_eq!(console.now("shy")["state"], "Completed");
    let file = std::fs::read_to_string(&known).expect("the key was added");
    assert_eq!(file.lines().count(), 1, "{file}");
    screen.keys("q");
    screen.left().gave_back(0);
}

/// Says how long its secret is.
const TOKEN: &str = r#"
doc = "Wants a token"
parser = "tsv"
script = 'printf "%s\t%s\n" "$(printf %s "$token" | wc -c)" "$user"'
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
name = "user"
"#;

#[test]
fn a_secret_of_a_query_is_typed_once_for_all_hosts_and_stands_nowhere() {
    const WORDS: &str = "it's $(reboot) \"x\" horse";
    let test = "a_secret_of_a_query_is_typed_once_for_all_hosts_and_stands_nowhere";
    let Some(console) = Console::start(test) else {
        return;
    };
    let queries = console.path("home/.config/regatta/queries");
    fs::create_dir_all(&queries).expect("a directory");
    fs::write(queries.join("token.toml"), TOKEN).expect("a file");
    log_everything(&console);
    let mut screen = Screen::open(&console, USUAL, &["-F", &console.config()]);
    screen.until("0 jobs");
    // With its rows, which come once it has been answered.
    screen.line("query token -t 127.1.0.[1-3] -w");
    // Nobody has pressed a key since, so it is asked at once.
    screen.until("The script needs the secret token.");
    until("all of them ask", || console.count("token", "Blocked") == 3);
    screen.until("3 hosts wait for it: 127.1.0.[1-3].");
    screen.until("the registry's token");
    screen.keys(WORDS);
    screen.until(&"*".repeat(WORDS.len()));
    screen.keys("\r");
    let length = WORDS.len().to_string();
    for host in 1..=3 {
        screen.until_row(&[&format!("127.1.0.{host}"), &length, "me"]);
    }
    screen.until_gone("1 question");
    // What the bar remembers is what was typed into it.
    screen.keys(":\x1b[A");
    screen.until(":query token -t");
    screen.keys("\x1b");
    screen.until_gone(":query token -t");
    screen.keys("q");
    screen.until("1 job");

    // Begun here, answered in a shell, with other columns; a program that the console runs asks nobody at its terminal.
    screen.line("query token -n second -t 127.1.0.[1-2] -p user=you --format csv");
    screen.until("1 question");
    until("both of them ask", || {
        console.count("second", "Blocked") == 2
    });
    let mut shell = OnTerminal::spawn(console.command(&["answer", "second"]));
    shell.until_shown("the registry's token");
    until("what is typed is not shown", || !shell.echoes());
    shell.types(&format!("{WORDS}\n"));
    let shown = shell.finish().exits(0).out();
    assert!(!shown.contains("horse"), "{shown}");
    screen.until("127.1.0.2,");
    screen.until(&format!("{length},you"));
    screen.keys("q");
    screen.until("2 jobs");
    // Refused: what the children say of it.
    screen.line("query token -n third -t 127.1.0.[1-2]");
    screen.until("1 question");
    until("they ask", || console.count("third", "Blocked") == 2);
    screen.line("answer third");
    screen.until("The script needs the secret token.");
    screen.keys("horse\x0e");
    until("they have failed", || console.count("third", "Failed") == 2);
    screen.until_gone("1 question");
    screen.keys("q");
    let sent = screen.left().gave_back(0).stdout;
    assert!(!contains(&sent, b"horse"), "on the screen");
    console.regatta(&["daemon", "stop"]).exits(0);
    stands_nowhere(&console, "horse");
}

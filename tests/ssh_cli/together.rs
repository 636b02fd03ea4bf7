//! What hosts came to the same, and how others differ from that, on real servers.

use std::collections::BTreeSet;
use std::fs;

use crate::console::Console;
use crate::support::pty::OnTerminal;

const HOSTS: &str = "127.1.0.[1-20]";

/// `/etc/os-release` of a host: the eighth has another version, and the ninth fails in the end.
const RELEASE: &str = r#"set -- $SSH_CONNECTION
host=${3##*.}
version=12
[ $host = 8 ] && version=13
printf 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="%s"\nHOME_URL="https://www.debian.org/"\n' $version
[ $host = 9 ] && exit 3
:"#;

#[test]
fn one_altered_host_is_found_among_twenty() {
    let Some(console) = Console::start("one_altered_host_is_found_among_twenty") else {
        return;
    };
    let job = console.background(&["-t", HOSTS], RELEASE);
    console.regatta(&["wait", &job]).exits(1);
    let same = "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\nHOME_URL=\"https://www.debian.org/\"\n";
    let folded = format!(
        "==> 18 hosts  exit 0  127.1.0.[1-7,10-20] <==\n{same}\n\
         ==> 1 host  exit 0  127.1.0.8 <==\n{}\n\
         ==> 1 host  exit 3  127.1.0.9 <==\n{same}",
        same.replace("12", "13")
    );
    console
        .regatta(&["receive", "--fold", "--keep", &job])
        .exits(1)
        .prints(&folded);
    let difference = format!(
        "==> 18 hosts  exit 0  127.1.0.[1-7,10-20] <==\n{same}\n\
         ==> 1 host  exit 0  127.1.0.8 <==\n\
         --- 127.1.0.[1-7,10-20]\n+++ 127.1.0.8\n@@ -1,4 +1,4 @@\n PRETTY_NAME=\"Debian\"\n ID=debian\n\
         -VERSION_ID=\"12\"\n+VERSION_ID=\"13\"\n HOME_URL=\"https://www.debian.org/\"\n\n\
         ==> 1 host  exit 3  127.1.0.9 <==\nthe same output as 127.1.0.[1-7,10-20]\n"
    );
    console
        .regatta(&["receive", "--fold", "--diff", "--keep", &job])
        .exits(1)
        .prints(&difference);
    // Nobody's words stand in for those of others who ended otherwise.
    let own = console.background(
        &["-t", "127.1.0.[1-3]"],
        "set -- $SSH_CONNECTION; echo \"I am $3\"; [ ${3##*.} != 2 ]",
    );
    console.regatta(&["wait", &own]).exits(1);
    console
        .regatta(&["receive", "--fold", "--ignore", "host", &own])
        .exits(1)
        .prints(
            "==> 2 hosts  exit 0  127.1.0.[1,3]  (as on 127.1.0.1) <==\nI am 127.1.0.1\n\n\
             ==> 1 host  exit 1  127.1.0.2 <==\nI am 127.1.0.2\n",
        );
    // With numbers ignored only how they ended is left, whoever of them is shown.
    let numbers = console
        .regatta(&["receive", "--fold", "--ignore", "numbers", &job])
        .exits(1)
        .out();
    let heads: Vec<&str> = numbers
        .lines()
        .filter(|line| line.starts_with("==>"))
        .collect();
    assert_eq!(
        heads,
        [
            "==> 19 hosts  exit 0  127.1.0.[1-8,10-20]  (as on 127.1.0.1) <==",
            "==> 1 host  exit 3  127.1.0.9 <==",
        ]
    );
    console
        .regatta(&["fold", "--ignore", "numbers", &job])
        .exits(0)
        .prints(
            "19 hosts  exit 0  127.1.0.[1-8,10-20]\n    HOME_URL=\"https://www.debian.org/\" (4 lines, 82 B)\n\
             1 host  exit 3  127.1.0.9\n    HOME_URL=\"https://www.debian.org/\" (4 lines, 82 B)\n",
        );
    // A group of the plain fold, whatever was ignored since.
    let targets = format!("%{job}.group:2");
    console
        .with(
            &console.config(),
            &["run", "--dry-run", "-t", &targets, "--", "x"],
        )
        .exits(0)
        .prints("127.1.0.8\n");
}

/// Hosts that say who they are and what time it is differ in nothing else.
#[test]
fn what_is_ignored_makes_hosts_alike() {
    let Some(console) = Console::start("what_is_ignored_makes_hosts_alike") else {
        return;
    };
    let line = r#"set -- $SSH_CONNECTION; date; echo "I am $3,  up ${3##*.} days"; echo"#;
    let job = console.background(&["-t", HOSTS], line);
    console.regatta(&["wait", &job]).exits(0);
    let groups = |ignore: &str| {
        let folded = console
            .regatta(&["fold", "--json", "--ignore", ignore, &job])
            .exits(0)
            .json();
        folded[0]["groups"].as_array().expect("groups").len()
    };
    let counts = [
        "nothing",
        "host,times",
        "numbers",
        "host,times,numbers",
        "space,host,times,numbers",
    ]
    .map(groups);
    assert_eq!(counts, [20, 20, 1, 1, 1]);
    // Of a part of the job, too.
    let some = format!("{job}.127.1.0.[3-5]");
    let ran = console
        .regatta(&["receive", "--fold", "--ignore", "host,numbers,times", &some])
        .exits(0);
    let out = ran.out();
    assert!(
        out.starts_with("==> 3 hosts  exit 0  127.1.0.[3-5]  (as on 127.1.0.3) <==\n"),
        "{out}"
    );
    assert!(out.ends_with("I am 127.1.0.3,  up 3 days\n\n"), "{out}");
}

/// Of large outputs the beginning is compared, and that is said.
#[test]
fn a_comparison_says_how_much_it_saw() {
    let Some(console) = Console::start("a_comparison_says_how_much_it_saw") else {
        return;
    };
    let line = r"set -- $SSH_CONNECTION; host=${3##*.}; seq 1 300000; [ $host != 3 ] || echo more";
    let job = console.background(&["-t", "127.1.0.[1-3]"], line);
    console.regatta(&["wait", &job]).exits(0);
    let out = console
        .regatta(&["receive", "--fold", "--diff", &job])
        .exits(0)
        .out();
    let end = "\n300000\n\n==> 1 host  exit 0  127.1.0.3 <==\n\
               no difference is seen between 127.1.0.3, the first MiB and 127.1.0.[1-2], the first MiB\n";
    assert!(out.ends_with(end), "{:?}", &out[out.len() - 300..]);
    let line = "set -- $SSH_CONNECTION; [ ${3##*.} = 1 ] || also='s/^5$/five/;s/^7$/seven/'; seq 1 30000 | sed -e \"$also\"";
    let job = console.background(&["-t", "127.1.0.[1-2]"], line);
    console.regatta(&["wait", &job]).exits(0);
    let out = console
        .regatta(&["receive", "--fold", "--diff", &job])
        .exits(0)
        .out();
    let end = "--- 127.1.0.1\n+++ 127.1.0.2\n@@ -2,9 +2,9 @@\n 2\n 3\n 4\n-5\n-6\n-7\n+five\n+6\n+seven\n 8\n 9\n 10\n\
               (of more than 20,000 lines, all between the first and the last difference)\n";
    assert!(out.ends_with(end), "{:?}", &out[out.len() - 300..]);
}

#[test]
fn a_terminal_shows_who_answered_while_others_have_not() {
    let Some(console) = Console::start("a_terminal_shows_who_answered_while_others_have_not")
    else {
        return;
    };
    let config = console.config_with("Host dead\n HostName 127.2.0.1\n Port 1");
    let go = console.path("go");
    let line = format!(
        "set -- $SSH_CONNECTION; [ ${{3##*.}} -le 3 ] || until [ -e {} ]; do sleep 0.05; done; echo fine",
        go.display()
    );
    let run = [
        "-F",
        &config,
        "run",
        "-w",
        "--fold",
        "--yes",
        "-t",
        "127.1.0.[1-8],dead",
        "--",
        &line,
    ];
    let screen = OnTerminal::of_size(console.command(&run), 80, 24);
    screen.until_shown(
        "4 of 9 hosts ended\r\n\
         3 hosts  exit 0  127.1.0.[1-3]\r\n    fine\r\n\
         1 host  unreachable: connection refused (tried twice)  dead\r\n\
         5 hosts  Running  127.1.0.[4-8]\r\n",
    );
    fs::write(&go, "").expect("a file");
    // A host that was not reached is never a success.
    let shown = screen.finish().exits(1).out();
    let (_, end) = shown
        .rsplit_once("\u{1b}[J")
        .expect("it was drawn in place");
    assert_eq!(
        end,
        "==> 8 hosts  exit 0  127.1.0.[1-8] <==\r\nfine\r\n\r\n\
         ==> 1 host  unreachable: connection refused (tried twice)  dead <==\r\n\
         job 1: Failed, 8 Completed, 1 Failed\r\n"
    );
    let drawn: BTreeSet<&str> = shown
        .split("\u{1b}[J")
        .filter_map(|picture| picture.lines().find(|line| line.contains(" ended")))
        .collect();
    assert!(drawn.len() > 1, "{drawn:?}");
}

//! Output as it was written: long lines, any bytes, a lot of it, to whoever reads it, whoever else does not.

use std::fmt::Write as _;
use std::io;
use std::process::Stdio;

use crate::console::{Console, said};
use crate::support::{Running, until};

/// Every byte, a hundred times.
const BYTES: &str = r#"n=0; while [ $n -lt 256 ]; do s="$s\\$(printf %03o $n)"; n=$((n+1)); done
    n=0; while [ $n -lt 100 ]; do printf "$s"; n=$((n+1)); done"#;

/// A long line, and what is more than one child's output may take.
const LONG: usize = 10_000_000;
const FLOOD: u64 = 30_000_000;

/// More lines than anything prints in a second.
const LINES: u64 = 300_000;

/// What `seq` prints.
fn seq(last: u64) -> String {
    let mut text = String::new();
    for number in 1..=last {
        writeln!(text, "{number}").expect("a String takes everything");
    }
    text
}

fn every_byte() -> Vec<u8> {
    (0..=255).collect::<Vec<u8>>().repeat(100)
}

#[test]
fn bytes_arrive_as_they_were_written() {
    let Some(console) = Console::start("bytes_arrive_as_they_were_written") else {
        return;
    };
    let binary = console.settled(0, &["-t", "127.1.0.[1-2]"], BYTES)["id"].to_string();
    // To a file, one host at a time.
    let file = console.path("received");
    let name = file.to_str().expect("a UTF-8 path");
    console
        .regatta(&[
            "receive",
            "--keep",
            "-N",
            "-o",
            name,
            &format!("{binary}.127.1.0.2"),
        ])
        .exits(0)
        .prints("");
    assert!(std::fs::read(&file).expect("it was written") == every_byte());
    // A file for each host.
    let directory = console.path("all");
    let name = directory.to_str().expect("a UTF-8 path");
    console
        .regatta(&["receive", "--keep", "--outdir", name, &binary])
        .exits(0);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .expect("it was made")
        .flatten()
        .collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    let names: Vec<_> = files
        .iter()
        .map(|file| file.file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(
        names,
        [
            format!("{binary}.127.1.0.1.out"),
            format!("{binary}.127.1.0.2.out")
        ]
    );
    for file in files {
        assert!(std::fs::read(file.path()).expect("it was written") == every_byte());
    }
    // To a pipe, and as records.
    let raw = console
        .regatta(&["receive", "--keep", "-N", &format!("{binary}.127.1.0.1")])
        .exits(0);
    assert!(raw.stdout == every_byte());
    let records = console
        .regatta(&["receive", "--ndjson", &binary])
        .exits(0)
        .records();
    assert!(
        records.iter().any(|record| record["data_b64"].is_string()),
        "it is not UTF-8"
    );
    let hosts = said(&records);
    assert_eq!(hosts.len(), 2);
    assert!(hosts.values().all(|said| said.out == every_byte()));

    // Text that is nearly UTF-8 comes between text that is.
    let nearly = r"printf 'caf\303\251\n'; printf '\377\376 \303\n' >&2; printf 'caf\303\251\n'";
    let job = console.settled(0, &["-t", "127.1.0.1"], nearly)["id"].to_string();
    let records = console
        .regatta(&["receive", "--ndjson", "--keep", &job])
        .exits(0)
        .records();
    let said = &said(&records)["127.1.0.1"];
    assert_eq!(
        (&said.out[..], &said.err[..]),
        ("café\ncafé\n".as_bytes(), &b"\xff\xfe \xc3\n"[..])
    );
    let lines = console.regatta(&["receive", &job]).exits(0);
    assert_eq!(
        lines.stderr.get(..16),
        Some(&b"127.1.0.1: \xff\xfe \xc3\n"[..]),
        "a pipe gets the bytes"
    );
}

#[test]
fn text_is_text_in_every_record() {
    let Some(console) = Console::start("text_is_text_in_every_record") else {
        return;
    };
    // Three bytes a character, so that no block and no packet ends where one does.
    let line = "n=0; while [ $n -lt 3000 ]; do echo '日本語日本語日本語日本語x'; n=$((n+1)); done; printf '日\\346\\227'";
    let job = console.background(&["-t", "127.1.0.[1-2]"], line);
    let following = console.follow(&job);
    let copies = [(); 2].map(|()| {
        console.regatta(&["wait", &job]).exits(0);
        console
            .regatta(&["receive", "--all", "--ndjson", &job])
            .exits(0)
            .records()
    });
    let mut want = "日本語日本語日本語日本語x\n".repeat(3000).into_bytes();
    want.extend("日".bytes().chain([0o346, 0o227]));
    for records in copies
        .into_iter()
        .chain([following.finish().exits(0).records()])
    {
        let coded: Vec<_> = records
            .iter()
            .filter(|record| record["data_b64"].is_string())
            .collect();
        assert_eq!(
            coded.len(),
            2,
            "only the last character has no end: {coded:?}"
        );
        assert!(
            coded.iter().all(|record| record["data_b64"] == "5pc="),
            "{coded:?}"
        );
        assert!(said(&records).values().all(|said| said.out == want));
    }
}

#[test]
fn a_copy_shows_the_line_that_has_not_ended() {
    let Some(console) = Console::start("a_copy_shows_the_line_that_has_not_ended") else {
        return;
    };
    let gate = console.gate();
    let line = format!("echo whole; printf begun; : <{}; echo .", gate.path());
    let job = console.background(&["-t", "127.1.0.1"], &line);
    until("both are written", || {
        console.now(&job)["children"][0]["bytes"]["out"] == 11
    });
    for how in ["--keep", "--all"] {
        let copy = console.regatta(&["receive", how, &job]).exits(0);
        copy.prints("127.1.0.1: whole\n127.1.0.1: begun\n");
    }
    let open = gate.open();
    let received = console.regatta(&["receive", "--wait", &job]).exits(0);
    received.prints("127.1.0.1: whole\n127.1.0.1: begun.\n");
    drop(open);
}

#[test]
fn a_line_that_has_not_ended_keeps_nobody_busy() {
    let Some(console) = Console::start("a_line_that_has_not_ended_keeps_nobody_busy") else {
        return;
    };
    let gate = console.gate();
    let line = format!("echo up; printf 'Continue? '; : <{}; echo yes", gate.path());
    let job = console.background(&["-t", "127.1.0.1"], &line);
    let following = console.start_regatta(&["receive", "--wait", &job]);
    until("the line is received and what follows is held back", || {
        let child = &console.now(&job)["children"][0];
        let waiting = console.regatta(&["receive", "--keep", "-N", &job]);
        child["bytes"]["out"] == 13 && waiting.out() == "Continue? "
    });
    // Nothing wakes it while nothing comes: at most the look at itself, or what was still under way.
    let sleeps = || crate::fleet::sleeps(following.pid()).expect("it runs");
    let before = sleeps();
    for _ in 0..20 {
        console.status();
    }
    let woken = sleeps() - before;
    assert!(woken < 10, "woken {woken} times for nothing");
    let open = gate.open();
    let received = following.finish().exits(0);
    received.prints("127.1.0.1: up\n127.1.0.1: Continue? yes\n");
    drop(open);
}

#[test]
fn one_line_of_ten_megabytes() {
    let Some(console) = Console::start("one_line_of_ten_megabytes") else {
        return;
    };
    let line = format!("head -c {LONG} /dev/zero | tr '\\0' x");
    let job = console.settled(0, &["-t", "127.1.0.1"], &line);
    let counted = &job["children"][0];
    assert_eq!(
        (&counted["bytes"]["out"], &counted["lines"]["dropped"]),
        (&LONG.into(), &0.into())
    );
    let job = job["id"].to_string();
    let file = console.path("line");
    console
        .regatta(&[
            "receive",
            "--keep",
            "-N",
            "-o",
            file.to_str().expect("a UTF-8 path"),
            &job,
        ])
        .exits(0);
    let line = std::fs::read(&file).expect("it was written");
    assert!(
        line.len() == LONG && line.iter().all(|byte| *byte == b'x'),
        "{} bytes",
        line.len()
    );
    // Line by line it is split somewhere, but nothing is missing and nothing comes twice.
    let printed = console.regatta(&["receive", "--wait", &job]).exits(0);
    let marks = printed.out().matches('x').count();
    assert_eq!(marks, LONG);
    assert!(
        printed
            .out()
            .lines()
            .all(|line| line.starts_with("127.1.0.1: x"))
    );
}

#[test]
fn a_flood_of_lines_arrives_whole() {
    let Some(console) = Console::start("a_flood_of_lines_arrives_whole") else {
        return;
    };
    let job = console.background(
        &["-t", "127.1.0.[1-3]"],
        &format!("seq {LINES}; seq 10 >&2"),
    );
    let received = console.follow(&job).finish().exits(0);
    let want = seq(LINES);
    let hosts = said(&received.records());
    assert_eq!(hosts.len(), 3);
    for (host, said) in &hosts {
        assert_eq!((said.out.len(), said.dropped), (want.len(), 0), "{host}");
        assert!(
            said.out == want.as_bytes(),
            "{host}: the lines are in order"
        );
        assert_eq!(said.err, b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    }
}

#[test]
fn a_client_that_never_reads_holds_up_nobody() {
    let Some(console) = Console::start("a_client_that_never_reads_holds_up_nobody") else {
        return;
    };
    let gate = console.gate();
    let flood = console.background(
        &["-t", "127.1.0.[1-2]"],
        &format!("yes | head -c {FLOOD}; : <{}; echo end", gate.path()),
    );
    // One that follows the flood and never reads: its pipe is full.
    let mut lazy = console.command(&["receive", "--wait", "-N", &flood]);
    let mut lazy = lazy
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut pipe = lazy.stdout.take().expect("a pipe");
    let lazy = Running::of(lazy);
    until("its pipe is full", || {
        rustix::io::ioctl_fionread(&pipe).expect("a pipe") >= 60_000
    });

    // Two others, on other hosts and on the same ones, get everything they ask for.
    let config = console.config();
    let run = |targets: &str| {
        let arguments = [
            "-F",
            &config,
            "run",
            "--wait",
            "--json",
            "-t",
            targets,
            "--",
            "seq 20000",
        ];
        console.start_regatta(&arguments)
    };
    let want = seq(20_000);
    let streaming = [run("127.1.0.[3-5]"), run("127.1.0.[1-2]")];
    for (client, count) in streaming.into_iter().zip([3, 2]) {
        let hosts = said(&client.finish().exits(0).records());
        assert_eq!(hosts.len(), count);
        assert!(hosts.values().all(|said| said.out == want.as_bytes()));
    }
    // The flood went on as far as it could, within its cap, and what somebody holds is not given to others.
    until("the flood is over", || {
        let now = console.now(&flood);
        let children = now["children"]
            .as_array()
            .expect("asked for by its id")
            .iter();
        children.clone().all(|child| child["bytes"]["out"] == FLOOD)
    });
    let others = console.regatta(&["receive", "--ndjson", &flood]).exits(1);
    let mut received = others.records();
    others.says(&["is being received by somebody else"]);

    // When the lazy one is gone, everything waits for the next one but what it had written to its pipe.
    drop(lazy);
    let mut written = Vec::new();
    io::Read::read_to_end(&mut pipe, &mut written).expect("a pipe");
    let open = gate.open();
    console.regatta(&["wait", &flood]).exits(0);
    drop(open);
    let receive = || console.regatta(&["receive", "--ndjson", &flood]);
    until("it is free again", || {
        let ran = receive();
        received.extend(ran.records());
        ran.code() == Some(0)
    });
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    for record in &received {
        let host = record["host"]
            .as_str()
            .expect("every record has its host")
            .to_owned();
        let bytes = record["data"].as_str().map_or(0, |data| data.len() as u64);
        *seen.entry(host).or_default() += bytes + record["dropped"]["bytes"].as_u64().unwrap_or(0);
    }
    let whole = FLOOD + 4;
    assert!(
        seen.len() == 2 && seen.values().all(|bytes| *bytes <= whole),
        "{seen:?}"
    );
    let all: u64 = seen.values().sum();
    assert!(
        all + written.len() as u64 >= 2 * whole,
        "{seen:?}, {} read",
        written.len()
    );
}

#[test]
fn a_closed_pipe_loses_nothing() {
    let Some(console) = Console::start("a_closed_pipe_loses_nothing") else {
        return;
    };
    let job = console.settled(0, &["-t", "127.1.0.1"], "seq 200000")["id"].to_string();
    let mut short = console.command(&["receive", "-N", &job]);
    let mut short = short
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pipe = short.stdout.take().expect("a pipe");
    let mut first = [0; 100];
    io::Read::read_exact(&mut pipe, &mut first).expect("it writes");
    drop(pipe);
    Running::of(short).finish().exits(0).says(&[]);
    let want = seq(200_000);
    let whole = console.regatta(&["receive", "-N", &job]).exits(0);
    assert!(
        whole.stdout == want.as_bytes(),
        "{} bytes",
        whole.stdout.len()
    );
}

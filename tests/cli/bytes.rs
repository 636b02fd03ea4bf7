//! Hostile output: whatever a command writes, it neither harms a terminal nor gets lost or altered on its way.

use base64::Engine as _;

use crate::support::pty::OnTerminal;
use crate::support::{Home, contains};

/// Every byte, in an order that holds overlong, cut and surrogate UTF-8.
fn every_byte(size: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    (0..size)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .collect()
}

#[test]
fn bytes_reach_a_pipe_and_a_file_as_they_are() {
    let home = Home::new();
    let data = every_byte(1_500_000);
    let source = home.file("source", &data);
    let job = home.finished_job(&format!("cat {source}")).to_string();
    let ran = home.regatta(&["receive", "--keep", "-N", &job]).exits(0);
    assert!(ran.stdout == data, "altered: {} bytes", ran.stdout.len());
    let file = home.path("file");
    home.regatta(&[
        "receive",
        "--keep",
        "-N",
        "-o",
        file.to_str().expect("UTF-8"),
        &job,
    ])
    .exits(0);
    assert!(std::fs::read(file).expect("a file") == data);
    // And through JSON, where what is not UTF-8 goes as base64.
    let mut back = Vec::new();
    for record in home
        .regatta(&["receive", "--ndjson", &job])
        .exits(0)
        .records()
    {
        match (record["data"].as_str(), record["data_b64"].as_str()) {
            (Some(text), None) => back.extend_from_slice(text.as_bytes()),
            (None, Some(code)) => back.extend(
                base64::prelude::BASE64_STANDARD
                    .decode(code)
                    .expect("base64"),
            ),
            (None, None) => assert_eq!(record["end"]["state"], "Completed"),
            (Some(_), Some(_)) => panic!("both at once"),
        }
    }
    assert!(back == data);
}

#[test]
fn a_line_of_ten_megabytes_comes_through() {
    let home = Home::new();
    let job = home
        .finished_job("head -c 10000000 /dev/zero | tr '\\0' x")
        .to_string();
    let ran = home.regatta(&["receive", "--keep", "-N", &job]).exits(0);
    assert_eq!(ran.stdout.len(), 10_000_000);
    assert!(ran.stdout.iter().all(|byte| *byte == b'x'));
    // With host names it is printed in parts, but all of it.
    for keep in ["--keep", "--wait"] {
        let ran = home.regatta(&["receive", keep, &job]).exits(0);
        assert_eq!(ran.out().matches('x').count(), 10_000_000, "{keep}");
        assert!(
            ran.out()
                .lines()
                .all(|line| line.starts_with("localhost: x")),
            "{keep}"
        );
    }
}

#[test]
fn a_flood_of_lines_is_followed_to_its_end() {
    let home = Home::new();
    let want: String = (1..=500_000).map(|n| format!("localhost: {n}\n")).collect();
    let ran = home
        .regatta(&["run", "--local", "--wait", "--", "seq 500000"])
        .exits(0);
    assert!(ran.out() == want, "{ran:?}");
}

#[test]
fn the_middle_of_too_much_is_cut_and_counted() {
    let home = Home::new();
    let all: Vec<u8> = (0..3_000_000)
        .flat_map(|n| format!("{n:09}\n").into_bytes())
        .collect();
    let source = home.file("source", &all);
    let job = home.finished_job(&format!("cat {source}"));
    let child = home.child_now(job);
    let (total, dropped) = (
        child["bytes"]["out"].as_u64(),
        child["bytes"]["dropped"].as_u64(),
    );
    assert_eq!(total, Some(all.len() as u64));
    let ran = home
        .regatta(&["receive", "--keep", "-N", &job.to_string()])
        .exits(0)
        .says(&["output cut here"]);
    let (head, tail) = (1 << 20, 9 << 20);
    let kept = ran.stdout.len();
    assert_eq!(kept as u64 + dropped.expect("a count"), all.len() as u64);
    assert!(
        kept <= head + tail && kept > head + tail - (64 << 10),
        "{kept} bytes are kept"
    );
    assert!(ran.stdout[..head] == all[..head] && all.ends_with(&ran.stdout[head..]));
    let records = home
        .regatta(&["receive", "--ndjson", &job.to_string()])
        .exits(0)
        .records();
    let cuts: Vec<_> = records
        .iter()
        .filter(|record| record.get("dropped").is_some())
        .collect();
    assert_eq!(cuts.len(), 1);
    assert_eq!(cuts[0]["dropped"]["bytes"].as_u64(), dropped);
    assert_eq!(cuts[0]["dropped"]["lines"], child["lines"]["dropped"]);
}

/// With `--on-full block` nothing is cut: the command waits for its receivers, and says so.
#[test]
fn a_command_can_wait_for_its_receivers() {
    let home = Home::new();
    let job = home.job_with(&["--on-full", "block"], "seq 3000000");
    home.until_state(job, "Blocked");
    let child = home.child_now(job);
    let written = child["bytes"]["out"].as_u64().expect("a count");
    assert!(written <= 10 << 20 && written > 9 << 20, "{written}");
    let ran = home
        .regatta(&["receive", "--wait", "-N", &job.to_string()])
        .exits(0);
    let want: String = (1..=3_000_000).map(|n| format!("{n}\n")).collect();
    assert!(ran.out() == want, "{} bytes came", ran.stdout.len());
    // One that waits can be stopped.
    let job = home.job_with(&["--on-full", "block"], "exec yes");
    home.until_state(job, "Blocked");
    home.regatta(&["stop", &job.to_string()]).exits(0);
    assert_eq!(home.child_now(job)["reason"]["kind"], "stopped");
}

#[test]
fn a_command_can_be_stopped_for_writing_too_much() {
    let home = Home::new();
    let job = home.job_with(&["--on-full", "stop"], "exec yes");
    home.regatta(&["wait", &job.to_string()]).exits(1);
    let child = home.child_now(job);
    assert_eq!(child["state"], "Failed");
    assert_eq!(child["reason"]["kind"], "output_full");
    assert_eq!(child["reason"]["text"], "wrote more than is kept");
    let fine = home.job_with(&["--on-full", "stop"], "seq 1000");
    home.regatta(&["wait", &fine.to_string()]).exits(0);
}

/// What a terminal would take as a command is shown, not obeyed.
#[test]
fn nothing_a_command_writes_commands_the_terminal() {
    let home = Home::new();
    // Title, clear screen, 8-bit CSI, bell, backspace, bracketed paste, an answer-back, UTF-8 C1, right-to-left.
    let evil = "printf 'A\\033]0;evil\\007B\\033[2JC\\2331mD\\007\\bE\\033[?2004hF\\033[cG\\302\\2331mH\\342\\200\\256I\\rJ\\n'";
    let both = format!("{evil}; {evil} >&2");
    let job = home.job_with(&["-n", "patch"], &both).to_string();
    home.regatta(&["wait", &job]).exits(0);
    let verbs: [&[&str]; 8] = [
        &["receive", "--keep", &job],
        &["receive", "--keep", "-N", &job],
        &["receive", "--keep", "--headers", &job],
        &["receive", "--keep", "--wait", &job],
        &["jobs"],
        &["jobs", &job],
        &["wait", &job],
        &["rerun", "--all", "--wait", &job],
    ];
    for verb in verbs {
        // `--wait` takes what is there; it comes last of the receives that show it.
        let verb: Vec<&str> = verb
            .iter()
            .copied()
            .filter(|word| !(*word == "--keep" && verb.contains(&"--wait")))
            .collect();
        let ran = OnTerminal::spawn(home.command(&[&["--color", "never"], &verb[..]].concat()))
            .finish()
            .exits(0);
        let shown = &ran.stdout;
        assert!(contains(shown, b"evil"), "{verb:?}: {ran:?}");
        for bad in [0x1b, 0x07, 0x08, 0x9b] {
            let found = shown
                .iter()
                .enumerate()
                .any(|(n, byte)| *byte == bad && (bad < 0x80 || shown[n.saturating_sub(1)] < 0xc2));
            assert!(!found, "{verb:?} lets {bad:#04x} through: {ran:?}");
        }
        assert!(
            !contains(shown, b"\xc2\x9b") && !contains(shown, "\u{202e}".as_bytes()),
            "{verb:?}: {ran:?}"
        );
        let text = ran.out();
        let bare = text.replace("\r\n", "\n");
        assert!(
            !bare.contains('\r'),
            "{verb:?} lets a carriage return through: {ran:?}"
        );
    }
}

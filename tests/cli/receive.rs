//! `receive`: what is handed over, once, and never before it was written out.

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use crate::support::{Home, Running, until};

const LINES: &str = "echo one; echo two >&2; printf three";

#[test]
fn a_receive_empties_and_keep_and_all_do_not() {
    let home = Home::new();
    let job = home.finished_job(LINES).to_string();
    assert_eq!(home.jobs(&[&job])[0]["more"], true);
    for _ in 0..2 {
        home.regatta(&["receive", "--keep", &job])
            .exits(0)
            .prints("localhost: one\nlocalhost: three\n")
            .says(&["localhost: two\n"]);
    }
    home.regatta(&["receive", "--stream", "err", &job])
        .exits(0)
        .prints("")
        .says(&["localhost: two\n"]);
    home.regatta(&["receive", &job])
        .exits(0)
        .prints("localhost: one\nlocalhost: three\n");
    assert_eq!(home.jobs(&[&job])[0]["more"], false);
    let nothing = home.regatta(&["receive", &job]).exits(0).prints("");
    assert_eq!(nothing.err(), "");
    for _ in 0..2 {
        home.regatta(&["receive", "--all", &job])
            .exits(0)
            .prints("localhost: one\nlocalhost: three\n")
            .says(&["localhost: two\n"]);
    }
}

/// A failure's reason is not data: every receive shows it, after what the command wrote.
#[test]
fn every_receive_shows_the_reason_of_a_failure() {
    let home = Home::new();
    let job = home
        .finished_job("echo out; echo err >&2; exit 3")
        .to_string();
    let ran = home
        .regatta(&["receive", &job])
        .exits(1)
        .prints("localhost: out\n");
    assert_eq!(ran.err(), "localhost: err\nlocalhost: Failed, exit 3\n");
    for _ in 0..2 {
        let ran = home.regatta(&["receive", &job]).exits(1).prints("");
        assert_eq!(ran.err(), "localhost: Failed, exit 3\n");
    }
}

/// Of several jobs each line says which; beyond a screenful they are counted, one by one or as they come.
#[test]
fn ends_of_several_jobs_are_told_apart_and_counted() {
    let home = Home::new();
    let jobs: Vec<u64> = (0..22).map(|_| home.job("exit 3")).collect();
    for options in [&["--wait"][..], &[]] {
        let ran = home
            .regatta(&[&["receive", "all"], options].concat())
            .exits(1)
            .prints("");
        let said = ran.err();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 21, "{ran:?}");
        assert_eq!(lines[20], "... and 2 more");
        for line in &lines[..20] {
            let job = line
                .strip_prefix("job ")
                .and_then(|rest| rest.strip_suffix(" localhost: Failed, exit 3"))
                .and_then(|id| id.parse().ok());
            assert!(job.is_some_and(|job| jobs.contains(&job)), "{line}");
        }
    }
    let waited = home.regatta(&["wait", "1", "3"]).exits(1);
    waited.says(&["job 1 localhost: Failed", "job 3 localhost: Failed"]);
    let one = home.regatta(&["receive", "1", "2", "Job1"]).exits(1);
    assert_eq!(one.err(), "localhost: Failed, exit 3\n");
}

#[test]
fn wait_goes_on_until_the_end_and_remove_removes() {
    let home = Home::new();
    let go = home.path("go");
    let line = format!(
        "echo first; until [ -e {} ]; do sleep 0.05; done; echo last",
        go.display()
    );
    let job = home.job(&line).to_string();
    let follower = home.start(&["receive", "--wait", "--remove", &job]);
    until("the first line is taken", || {
        let child = home.child_now(job.parse().expect("an id"));
        child["bytes"]["out"] == 6 && child["more"] == false
    });
    fs::write(go, "").expect("a file");
    follower
        .finish()
        .exits(0)
        .prints("localhost: first\nlocalhost: last\n")
        .says(&[&format!("job {job} removed")]);
    home.regatta(&["jobs", &job]).exits(3);
}

/// What `last` means is settled when it is typed, not each time something happens.
#[test]
fn a_receive_that_waits_stays_with_the_jobs_it_began_with() {
    let home = Home::new();
    let go = home.path("go");
    let line = format!(
        "echo first; until [ -e {} ]; do sleep 0.05; done; echo last",
        go.display()
    );
    let job = home.job(&line);
    let file = home.path("out");
    let name = file.to_str().expect("UTF-8");
    let written = home.start(&["receive", "--wait", "-N", "-o", name, "last"]);
    until("the first line is handed over", || {
        fs::read(&file).is_ok_and(|text| text == b"first\n")
    });
    home.finished_job("echo another");
    fs::write(go, "").expect("a file");
    written.finish().exits(0);
    let written = fs::read_to_string(&file).expect("it was written");
    assert_eq!(written, "first\nlast\n", "job {job}");
    home.regatta(&["receive", "--wait", "88"])
        .exits(3)
        .says(&["88"]);
}

#[test]
fn remove_leaves_what_is_not_final() {
    let home = Home::new();
    // The document stays one.
    let done = home.finished_job("echo done").to_string();
    let document = home
        .regatta(&["receive", "--json", "--remove", &done])
        .exits(0);
    assert_eq!(document.json().as_array().map(Vec::len), Some(2));
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    let id = job.to_string();
    home.regatta(&["receive", "--remove", &id])
        .exits(0)
        .prints("localhost: ready\n")
        .says(&["Running", "not removed"]);
    assert_eq!(home.job_now(job)["state"], "Running");
}

#[test]
fn output_goes_where_it_is_sent_in_the_form_asked_for() {
    let home = Home::new();
    let id = home.finished_job(LINES).to_string();
    let file = home.path("file");
    let name = file.to_str().expect("UTF-8");
    let read = |name: &str| fs::read_to_string(home.path(name)).expect("a file");
    home.regatta(&["receive", "--keep", "-o", name, &id])
        .exits(0)
        .prints("");
    // Which of two pipes is read first is nobody's choice.
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        lines.sort();
        lines.join(" ")
    };
    assert_eq!(
        sorted(read("file")),
        "localhost: one localhost: three localhost: two"
    );
    // A copy takes the place of the copy before it.
    home.regatta(&[
        "receive", "--keep", "-N", "--stream", "out", "-o", name, &id,
    ])
    .exits(0);
    assert_eq!(read("file"), "one\nthree");
    let outdir = home.path("dir");
    home.regatta(&[
        "receive",
        "--keep",
        "--outdir",
        outdir.to_str().expect("UTF-8"),
        &id,
    ])
    .exits(0)
    .prints("");
    assert_eq!(read(&format!("dir/{id}.localhost.out")), "one\nthree");
    assert_eq!(read(&format!("dir/{id}.localhost.err")), "two\n");
    let headers = home
        .regatta(&["receive", "--keep", "--headers", &id])
        .exits(0)
        .out();
    assert!(
        headers.contains("==> localhost <==\none\n")
            && headers.contains("==> localhost (stderr) <==\ntwo\n"),
        "{headers}"
    );
    home.regatta(&["receive", "--keep", "-N", &id])
        .exits(0)
        .prints("one\nthree")
        .says(&["two\n"]);
    let records = home
        .regatta(&["receive", "--keep", "--ndjson", &id])
        .exits(0)
        .records();
    let data = |stream: &str| -> String {
        let own = records.iter().filter(|record| record["stream"] == stream);
        own.filter_map(|record| record["data"].as_str()).collect()
    };
    assert_eq!(
        (data("out"), data("err")),
        ("one\nthree".into(), "two\n".into())
    );
    assert_eq!(records.last().expect("an end")["end"]["state"], "Completed");
    let document = home
        .regatta(&["receive", "--keep", "--json", &id])
        .exits(0)
        .json();
    assert_eq!(document, serde_json::Value::from(records));
    // What is drained goes behind what was drained before.
    fs::write(&file, "before\n").expect("a file");
    home.regatta(&["receive", "-N", "--stream", "out", "-o", name, &id])
        .exits(0);
    assert_eq!(read("file"), "before\none\nthree");
    home.regatta(&["receive", "--json", "no*thing"])
        .exits(3)
        .prints("[]\n");
}

#[test]
fn what_cannot_be_written_is_not_received() {
    let home = Home::new();
    let all: String = (0..60_000).map(|n| format!("{n}\n")).collect();
    let source = home.file("source", &all);
    let job = home.finished_job(&format!("cat {source}")).to_string();
    let drain = ["receive", "-N", &job];

    // A reader that has seen enough is no error, and what it did not read is still there.
    let mut head = home
        .command(&drain)
        .stdout(Stdio::piped())
        .spawn()
        .expect("regatta starts");
    let mut byte = [0];
    head.stdout
        .take()
        .expect("a pipe")
        .read_exact(&mut byte)
        .expect("a byte");
    let ran = Running::of(head).finish().exits(0);
    assert_eq!(ran.err(), "");
    home.regatta(&["receive", "--keep", "-N", &job])
        .exits(0)
        .prints(&all);

    // A full disk is one, and says so.
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has /dev/full");
    let child = home
        .command(&drain)
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .expect("regatta starts");
    Running::of(child)
        .finish()
        .exits(1)
        .says(&["cannot write", "No space left"]);
    home.regatta(&["receive", "-N", "-o", "/dev/full", &job])
        .exits(1)
        .says(&["No space left"]);
    home.regatta(&["receive", "-N", "-o", "/no/such/directory/file", &job])
        .exits(1)
        .says(&["/no/such/directory/file"]);
    home.regatta(&["receive", "--outdir", "/proc/no", &job])
        .exits(1)
        .says(&["/proc/no"]);

    // A receiver that is killed has received nothing either.
    let mut killed = home
        .command(&drain)
        .stdout(Stdio::piped())
        .spawn()
        .expect("regatta starts");
    let mut pipe = killed.stdout.take().expect("a pipe");
    pipe.read_exact(&mut byte).expect("a byte");
    let killed = Running::of(killed);
    killed.signal(rustix::process::Signal::KILL);
    killed.finish();
    until("the lease is given back", || {
        let ran = home.regatta(&["receive", "--keep", "-N", &job]);
        ran.code() == Some(0) && ran.out() == all
    });

    home.regatta(&drain).exits(0).prints(&all);
    home.regatta(&drain).exits(0).prints("");
}

/// Two at once share what there is: every line reaches one of them, whole.
#[test]
fn two_receivers_never_take_the_same_line() {
    let home = Home::new();
    let line = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; sleep 0.2; echo 3000";
    let job = home.job(line).to_string();
    let both = [(); 2].map(|()| home.start(&["receive", "--wait", &job]));
    let mut lines: Vec<u32> = Vec::new();
    for ran in both.map(Running::finish) {
        assert!(matches!(ran.code(), Some(0 | 1)), "{ran:?}");
        let text = ran.out();
        let own = text.lines().map(|line| {
            line.strip_prefix("localhost: ")
                .and_then(|line| line.parse().ok())
                .unwrap_or_else(|| panic!("{line:?}"))
        });
        let own: Vec<u32> = own.collect();
        assert!(own.is_sorted(), "out of order");
        lines.extend(own);
    }
    // The rest, if one of them gave up while the other had it.
    let rest = home.regatta(&["receive", "-N", &job]);
    lines.extend(
        rest.out()
            .lines()
            .map(|line| line.parse::<u32>().expect("a number")),
    );
    lines.sort_unstable();
    assert_eq!(lines, (0..=3000).collect::<Vec<u32>>());
}

/// Lines are not torn while their command is still writing them.
#[test]
fn a_follower_gets_whole_lines() {
    let home = Home::new();
    let ran = home.regatta(&[
        "run",
        "--local",
        "--wait",
        "--",
        "for i in 1 2 3; do printf a; sleep 0.1; printf 'b\\n'; done; printf end",
    ]);
    ran.exits(0)
        .prints("localhost: ab\nlocalhost: ab\nlocalhost: ab\nlocalhost: end\n");
}

#[test]
fn unknown_jobs_are_named_and_the_others_received() {
    let home = Home::new();
    let one = home.finished_job("echo one").to_string();
    home.regatta(&["receive", "999", &one, "nobody"])
        .exits(1)
        .prints("localhost: one\n")
        .says(&["no job or child has the id 999", "no job is named nobody"]);
    home.regatta(&["receive", "999"]).exits(3).says(&["999"]);
    home.regatta(&["receive", "--host", "web1", "--all", &one])
        .exits(3)
        .prints("");
    home.regatta(&["receive", "--host", "localhost", "--all", &one])
        .exits(0)
        .prints("localhost: one\n");
    home.regatta(&["receive", "--host", "web[", &one])
        .exits(2)
        .says(&["^"]);
    home.regatta(&["receive", "--stream", "log", &one])
        .exits(2)
        .says(&["out and err"]);
    home.regatta(&["receive"]).exits(2);
}

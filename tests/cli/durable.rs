//! What outlives the daemon: jobs, states, output and cursors, however it ended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Home, Ran, contains, kill, until};

fn state(home: &Home) -> PathBuf {
    home.path("home/.local/state/regatta")
}

/// Writes the user's settings.
fn settings(home: &Home, text: &str) {
    fs::create_dir_all(home.path("home/.config/regatta")).expect("a directory");
    home.file("home/.config/regatta/config.toml", text);
}

/// Numbers that are as good as random and come again with their seed.
struct Dice(u64);

impl Dice {
    /// One of `0..sides` (a step of Knuth's MMIX generator).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A moment of some microseconds: when a kill comes is the one thing here that is left to chance.
#[expect(clippy::disallowed_methods, reason = "nothing is waited for")]
fn pause(microseconds: u64) {
    std::thread::sleep(std::time::Duration::from_micros(microseconds));
}

/// The numbers in the lines of a receive.
fn numbers(ran: &Ran) -> Vec<u64> {
    let text = String::from_utf8_lossy(&ran.stdout);
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    lines
        .map(|line| line.trim().parse().expect("the command writes numbers"))
        .collect()
}

/// The daemon is killed again and again while commands write and clients receive.  What was acknowledged, by an id, by
/// the end of a wait or by a receive that ended well, is there afterwards, once.  `REGATTA_KILLS` says how often.
#[test]
fn a_daemon_killed_at_any_moment_loses_and_doubles_nothing() {
    let kills = std::env::var("REGATTA_KILLS").ok();
    let kills: u64 = kills.and_then(|kills| kills.parse().ok()).unwrap_or(6);
    let mut dice = Dice(u64::from(std::process::id()));
    println!("seed {}, {kills} kills", dice.0);
    let home = Home::new();
    // However many rounds there are, retention takes nothing.
    settings(&home, &format!("[keep]\njobs = {}\n", 2 * kills + 1));
    for round in 0..kills {
        // Acknowledged as completed before the daemon dies.
        let word = format!("word {round}");
        let done = home.finished_job(&format!("echo {word}"));
        let job = home.job("i=0; while :; do echo $((i+=1)); done");
        let mut taken: Vec<u64> = Vec::new();
        // Of a receive that broke off it is not known whether it counts: what comes next says so.
        let mut maybe: Vec<u64> = Vec::new();
        let id = job.to_string();
        let strokes = dice.roll(4);
        let daemon = home.daemon_pid();
        for stroke in 0..=strokes {
            let receive = home.start(&["receive", "-N", &id]);
            if stroke == strokes {
                pause(dice.roll(300_000));
                kill(daemon, Signal::KILL);
            }
            let ran = receive.finish();
            let came = numbers(&ran);
            if ran.code() == Some(0) {
                taken.extend(came);
            } else {
                maybe = came;
            }
        }
        let rest = home.regatta(&["wait", &id]);
        assert_eq!(rest.code(), Some(1), "it was cut off: {rest:?}");
        let rest = home.regatta(&["receive", "-N", &id]).exits(1);
        let rest = numbers(&rest);
        if let (Some(first), Some(next)) = (maybe.first(), rest.first())
            && first != next
        {
            taken.extend(&maybe);
        } else if rest.is_empty() {
            taken.extend(&maybe);
        }
        taken.extend(&rest);
        let wrong = (1..).zip(&taken).find(|(want, got)| want != *got);
        assert_eq!(wrong, None, "round {round}: of {} numbers", taken.len());
        let child = home.child_now(job);
        assert_eq!(child["lines"]["dropped"], 0);
        assert_eq!(child["more"], false);
        assert_eq!(child["lines"]["out"], taken.len(), "round {round}");
        let all = home.regatta(&["receive", "--all", "-N", &id]).exits(1);
        assert_eq!(numbers(&all), taken);
        home.regatta(&["receive", "-N", &done.to_string()])
            .exits(0)
            .prints(&format!("{word}\n"));
        home.regatta(&["remove", &id]).exits(0);
    }
    let jobs = home.jobs(&[]);
    assert_eq!(jobs.as_array().map(Vec::len), Some(kills as usize));
    let done = |job: &Value| job["state"] == "Completed" && job["more"] == false;
    assert!(jobs.as_array().expect("jobs").iter().all(done), "{jobs}");
}

/// Without how long things took: of another process's time only the milliseconds of its clock are known.
fn timeless(mut jobs: Value) -> Value {
    for job in jobs.as_array_mut().expect("jobs") {
        job["elapsed"].take();
        for child in job["children"].as_array_mut().expect("children") {
            child["elapsed"].take();
        }
    }
    jobs
}

#[test]
fn a_daemon_that_ends_well_leaves_everything_for_the_next() {
    let home = Home::new();
    let good = home.finished_job("echo out; echo err >&2");
    let bad = home.finished_job("exit 3");
    let before = timeless(home.jobs(&["--children"]));
    home.regatta(&["daemon", "stop"]).exits(0);
    assert!(home.daemons().is_empty());
    assert_eq!(timeless(home.jobs(&["--children"])), before);
    home.regatta(&["receive", "all"])
        .exits(1)
        .prints("localhost: out\n")
        .says(&["localhost: err\n"]);
    home.regatta(&["daemon", "stop"]).exits(0);
    home.regatta(&["receive", "--keep", &good.to_string()])
        .exits(0)
        .prints("");
    home.regatta(&["remove", &bad.to_string()]).exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);
    home.regatta(&["jobs", &bad.to_string()]).exits(3);
    let next = home.job("true");
    assert!(next > bad + 1, "ids are never used again: {next}");
    for entry in fs::read_dir(state(&home)).expect("it is there") {
        let entry = entry.expect("it can be looked at");
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{entry:?} is open to others");
    }
}

#[test]
fn two_daemons_never_share_a_store() {
    let home = Home::new();
    home.finished_job("true");
    let pid = home.daemon_pid();
    let other = home.path("other");
    fs::create_dir(&other).expect("ours");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o700)).expect("ours");
    let mut second = home.command(&["jobs"]);
    second.env("XDG_RUNTIME_DIR", &other);
    let ran = crate::support::Running::spawn(second).finish();
    ran.exits(2)
        .says(&["another daemon", &pid.to_string(), "uses the store"]);
}

#[test]
fn a_store_of_a_newer_version_is_refused_untouched() {
    let home = Home::new();
    home.finished_job("true");
    home.regatta(&["daemon", "stop"]).exits(0);
    let file = state(&home).join("catalog.db");
    let mut bytes = fs::read(&file).expect("it is there");
    // `user_version`: 4 bytes, big-endian, at offset 60 of a database (sqlite.org/fileformat.html).
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&file, &bytes).expect("ours");
    home.regatta(&["jobs"])
        .exits(2)
        .says(&["newer regatta", "hint: ", "left untouched"]);
    assert!(fs::read(&file).expect("it is there") == bytes);
}

#[test]
fn one_damaged_file_spoils_one_job() {
    let home = Home::new();
    let spoilt = home.finished_job("echo spoilt");
    home.finished_job("echo fine");
    home.regatta(&["daemon", "stop"]).exits(0);
    let file = state(&home).join(format!("jobs/{spoilt}.db"));
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_len(1000))
        .expect("ours");
    home.regatta(&["receive", "all"])
        .exits(1)
        .prints("localhost: fine\n")
        .says(&[&format!("the output of job {spoilt} cannot be read")]);
    let job = home.job_now(spoilt);
    assert_eq!(
        (&job["state"], &job["more"]),
        (&"Completed".into(), &true.into())
    );
    home.regatta(&["remove", "all"]).exits(0);
    assert!(!file.exists());
}

#[test]
fn what_ran_when_the_daemon_was_killed_is_looked_up() {
    let home = Home::new();
    let job = home.job("echo ready; exec sleep 1000");
    home.until_output(job, 6);
    kill(home.daemon_pid(), Signal::KILL);
    until("the lifeline ends the command", || {
        home.alive(job).is_empty()
    });
    home.regatta(&["wait", &job.to_string()]).exits(1);
    let child = home.child_now(job);
    assert_eq!(child["state"], "Failed");
    assert_eq!(child["reason"]["kind"], "connection_lost");
    assert!(contains(
        child["reason"]["text"].as_str().expect("a text").as_bytes(),
        b"has ended"
    ));
}

#[test]
fn a_pin_is_seen_and_outlives_the_daemon() {
    let home = Home::new();
    let (plain, pinned) = (home.finished_job("true"), home.finished_job("true"));
    let id = pinned.to_string();
    home.regatta(&["pin", &id, &format!("{plain}.localhost")])
        .exits(1)
        .says(&[
            &format!("job {id} is kept until it is removed"),
            "one child of a job",
        ]);
    home.regatta(&["daemon", "stop"]).exits(0);
    let pins: Vec<Value> = (home.jobs(&[]).as_array().expect("jobs").iter())
        .map(|job| job["pinned"].clone())
        .collect();
    assert_eq!(pins, [false, true]);
    let table = home.regatta(&["jobs"]).exits(0).out();
    let marks: Vec<bool> = table.lines().map(|line| line.contains(" * ")).collect();
    assert!(table.contains("PIN"), "{table}");
    assert_eq!(marks, [false, false, true], "{table}");
    home.regatta(&["pin", "--off", "--json", &id])
        .exits(0)
        .prints(&format!("{{\"changed\":[{id}],\"refused\":[]}}\n"));
    let table = home.regatta(&["jobs"]).exits(0).out();
    assert!(!table.contains("PIN"), "{table}");
    home.regatta(&["pin", "999"])
        .exits(3)
        .says(&["no job or child has the id 999"]);
}

/// The operator learns at once that nothing can be written, whatever was asked, and that it can be again.
#[test]
fn a_store_that_cannot_be_written_is_told_at_once_and_recovers() {
    let home = Home::new();
    let before = home.finished_job("echo before");
    home.regatta(&["receive", &before.to_string()]).exits(0);
    let (jobs, away) = (state(&home).join("jobs"), state(&home).join("away"));
    let gate = home.path("gate");
    let line = format!(
        "echo during; until test -e {}; do sleep 0.02; done; echo after",
        gate.display()
    );
    let job = home.job("exec sleep 1000");
    let watch = home.start(&["jobs", "--watch"]);
    home.regatta(&["stop", &job.to_string()]).exits(0);
    fs::rename(&jobs, &away).expect("ours");
    let cannot = "regatta: warning: the store cannot be written: ";
    let kept = "; what arrives is kept in memory until it can";
    let job = home.job(&line);
    let follow = home.start(&["receive", "--wait", &job.to_string()]);
    until("the trouble is in the status", || {
        home.status()["trouble"].is_string()
    });
    home.regatta(&["jobs"]).exits(0).says(&[cannot, kept]);
    let status = home.regatta(&["daemon", "status"]).exits(0);
    assert!(
        status.out().contains("\ntrouble      the store cannot"),
        "{status:?}"
    );
    until("the follower has what came", || {
        home.child_now(job)["more"] == false
    });
    fs::rename(&away, &jobs).expect("ours");
    until("the trouble is over", || home.status()["trouble"].is_null());
    fs::write(&gate, "").expect("ours");
    follow
        .finish()
        .exits(0)
        .prints("localhost: during\nlocalhost: after\n")
        .says(&[cannot, kept, "regatta: the store can be written again"]);
    let told = home.regatta(&["jobs"]).exits(0);
    assert_eq!(told.err(), "");
    home.regatta(&["daemon", "stop"]).exits(0);
    watch.finish().exits(1).says(&[cannot, kept]);
    // All of it is on disk.
    home.regatta(&["receive", "--all", &job.to_string()])
        .exits(0)
        .prints("localhost: during\nlocalhost: after\n");
}

#[test]
fn the_oldest_go_when_more_have_ended_than_are_kept_but_none_that_is_pinned_or_lives() {
    let home = Home::new();
    // Relative to where the command runs, which is not where the daemon does.
    home.file("keep.toml", "[keep]\njobs = 2\n");
    let config = ["--config", "keep.toml"];
    let first = ["run", "--local", "--", "exec sleep 1000"];
    home.regatta(&[&config, &first[..]].concat()).exits(0);
    let live = 1;
    let pinned = home.finished_job("true");
    home.regatta(&["pin", &pinned.to_string()]).exits(0);
    let ended: Vec<u64> = (0..4).map(|_| home.finished_job("true")).collect();
    let ids = || -> Vec<u64> {
        let jobs = home.jobs(&[]);
        let jobs = jobs.as_array().expect("jobs").iter();
        jobs.map(|job| job["id"].as_u64().expect("an id")).collect()
    };
    until("all but the last two are gone", || {
        ids() == [live, pinned, ended[2], ended[3]]
    });
    assert!(!state(&home).join(format!("jobs/{}.db", ended[0])).exists());
    let gone = home.regatta(&["history", "--json"]).exits(0).json();
    let gone = gone.as_array().expect("a list").iter();
    let gone: Vec<u64> = gone
        .filter(|job| !job["removed"].is_null())
        .map(|job| job["id"].as_u64().expect("an id"))
        .collect();
    assert_eq!(gone, [ended[1], ended[0]]);
    // Each of them is in the audit log, once, and after how it ended.
    for job in &gone {
        let entries = || {
            let ran = home.regatta(&["audit", "--json", "--job", &job.to_string()]);
            let entries = ran.exits(0).records();
            let word = |entry: &Value| (entry["what"].clone(), entry["by"].clone());
            entries.iter().map(word).collect::<Vec<_>>()
        };
        until("that it went is noted", || entries().len() == 3);
        let none = Value::Null;
        let want = [
            ("run".into(), none.clone()),
            ("outcome".into(), none),
            ("remove".into(), "retention".into()),
        ];
        assert_eq!(entries(), want);
    }

    // Without its pin it is the oldest.
    home.regatta(&["pin", "--off", &pinned.to_string()])
        .exits(0);
    until("it goes like others", || {
        ids() == [live, ended[2], ended[3]]
    });
    // The next daemon has settings of its own: the usual ones.
    home.regatta(&["stop", &live.to_string()]).exits(0);
    until("it has ended last", || ids() == [live, ended[3]]);
    home.regatta(&["daemon", "stop"]).exits(0);
    home.finished_job("true");
    assert_eq!(ids().len(), 3);
}

#[test]
fn how_much_output_is_kept_can_be_set() {
    let home = Home::new();
    settings(&home, "[buffer]\nhead = \"8KiB\"\ntail = \"64KiB\"\n");
    let job = home.finished_job("head -c 1000000 /dev/zero");
    let bytes = || home.child_now(job)["bytes"].clone();
    assert_eq!(bytes()["out"], 1_000_000);
    until("the middle has been cut out", || bytes()["dropped"] != 0);
    let kept = 1_000_000 - bytes()["dropped"].as_u64().expect("a count");
    // Cuts are made between blocks of 16 KiB.
    let range = (8 + 64 - 16) << 10..=(8 + 64 + 16) << 10;
    assert!(range.contains(&kept), "{kept}");
    let before = bytes();
    home.regatta(&["daemon", "stop"]).exits(0);
    assert_eq!(bytes(), before, "what was cut is known to the next daemon");
}

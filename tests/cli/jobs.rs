//! Listing, selecting, waiting, running again, and the queue's settings.

use std::fs;

use crate::support::{Home, Running, until};

#[test]
fn selections_find_jobs_in_every_form() {
    let home = Home::new();
    let good = home.job_with(&["-n", "Patch-Tuesday"], "true");
    let bad = home.job_with(&["-n", "patch-friday"], "exit 3");
    home.regatta(&["wait", "all"]).exits(1);
    let cases: &[(&[&str], &[u64])] = &[
        (&[], &[good, bad]),
        (&["all"], &[good, bad]),
        (&["last"], &[bad]),
        (&["patch*"], &[good, bad]),
        (&["PATCH-friday"], &[bad]),
        (&[&good.to_string()], &[good]),
        (&[&(bad + 1).to_string()], &[bad]),
        (&[&format!("{bad}.failed")], &[bad]),
        (&["patch*.localhost"], &[good, bad]),
        (&[&format!("{good}.web[1-2]")], &[]),
        (&["--state", "Failed"], &[bad]),
        (&["--state", "failed,completed"], &[good, bad]),
        (&["--newest", "1"], &[bad]),
        (&["--after", "1h"], &[good, bad]),
        (&["--before", "1h"], &[]),
        (&["--more"], &[]),
    ];
    for (arguments, want) in cases {
        let ran = home.regatta(&[&["jobs", "--json"], *arguments].concat());
        let json = ran.json();
        let ids: Vec<u64> = json
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|job| job["id"].as_u64())
            .collect();
        assert_eq!(ids, *want, "{arguments:?}: {ran:?}");
    }
}

/// A table of jobs stays one when the selection names several; one job shows its children.
#[test]
fn children_are_listed_for_one_job_or_on_request() {
    let home = Home::new();
    home.finished_job("true");
    home.finished_job("true");
    let cases: &[(&[&str], bool)] = &[
        (&[], false),
        (&["1"], true),
        (&["last"], true),
        (&["all"], false),
        (&["Job*"], false),
        (&["1", "3"], false),
        (&["1.localhost"], true),
        (&["--children"], true),
        (&["all", "--children"], true),
    ];
    for (arguments, shown) in cases {
        let jobs = home.jobs(arguments);
        assert_eq!(
            jobs[0].get("children").is_some(),
            *shown,
            "{arguments:?}: {jobs}"
        );
        let table = home
            .regatta(&[&["jobs"], *arguments].concat())
            .exits(0)
            .out();
        assert_eq!(table.contains("HOST"), *shown, "{arguments:?}: {table}");
    }
}

#[test]
fn unknown_ids_are_named_and_the_others_still_done() {
    let home = Home::new();
    for verb in ["jobs", "wait", "stop", "pause", "resume", "remove"] {
        let job = home.finished_job("true").to_string();
        let ran = home
            .regatta(&[verb, "999", &job, "nobody"])
            .exits(1)
            .says(&["no job or child has the id 999", "no job is named nobody"]);
        let done = format!("{}{}", ran.out(), ran.err());
        assert!(done.contains(&job), "{verb}: {ran:?}");
        home.regatta(&[verb, "999"]).exits(3).says(&["999"]);
    }
    let job = home.finished_job("exit 1").to_string();
    home.regatta(&["throttle", "-f", "3", "999", &job])
        .exits(1)
        .says(&["999", &format!("job {job} has ended (Failed)")]);
    home.regatta(&["rerun", "999", &job])
        .exits(1)
        .says(&["999"]);
    home.regatta(&["jobs", "1.[", &job]).exits(2).says(&["1.["]);
    home.regatta(&["stop", ""])
        .exits(2)
        .says(&["selects nothing"]);
}

/// Whatever selects nothing says so.
#[test]
fn an_empty_selection_is_never_silent() {
    let home = Home::new();
    home.regatta(&["jobs", "all"])
        .exits(3)
        .says(&["no daemon is running"]);
    home.regatta(&["daemon", "start"]).exits(0);
    for verb in [
        "jobs", "wait", "stop", "receive", "remove", "pause", "rerun",
    ] {
        for word in ["all", "last"] {
            let ran = home.regatta(&[verb, word]).exits(3);
            assert_eq!(ran.err(), "regatta: there are no jobs\n", "{verb} {word}");
        }
        home.regatta(&[verb, "zz*"])
            .exits(3)
            .says(&["nothing matches zz*"]);
    }
    let json = home.regatta(&["jobs", "--json", "zz*"]).exits(3);
    assert_eq!(json.json(), serde_json::json!([]));
    home.regatta(&["jobs"]).exits(0).prints("");
}

#[test]
fn hosts_that_are_none_are_never_silent() {
    let home = Home::new();
    let cases: &[(&[&str], &str, &str)] = &[
        (&["hosts", "zz*"], "zz* matches no host", ""),
        (&["hosts", "-f", "a!a"], "a!a matches no host", ""),
        (&["hosts", "-c", "a!a"], "a!a matches no host", "0\n"),
        (&["hosts", "--json", "a!a"], "a!a matches no host", "[]\n"),
        (&["hosts"], "no host is known", ""),
        (&["hosts", "-g"], "there are no groups", ""),
        (&["hosts", ""], "no targets: the expression is empty", ""),
    ];
    for (arguments, said, printed) in cases {
        home.regatta(arguments)
            .exits(3)
            .says(&[said])
            .prints(printed);
    }
}

#[test]
fn two_jobs_may_have_one_name() {
    let home = Home::new();
    for _ in 0..2 {
        let job = home.job_with(&["-n", "twin"], "echo ready; exec sleep 1000");
        home.until_output(job, 6);
    }
    assert_eq!(home.jobs(&["twin"]).as_array().map(Vec::len), Some(2));
    home.regatta(&["stop", "twin"]).exits(0);
    for job in home.jobs(&["twin"]).as_array().expect("a list") {
        assert_eq!(job["state"], "Stopped");
    }
    home.regatta(&["remove", "TWIN"]).exits(0);
    home.regatta(&["jobs", "twin"])
        .exits(3)
        .says(&["no job is named twin"]);
}

#[test]
fn wait_says_what_is_missing_and_any_returns_at_the_first() {
    let home = Home::new();
    let slow = home.job("echo ready; exec sleep 1000");
    home.until_output(slow, 6);
    let quick = home.finished_job("true");
    let (slow, quick) = (slow.to_string(), quick.to_string());
    home.regatta(&["wait", "--timeout", "200ms", &slow, &quick])
        .exits(124)
        .says(&[
            "the time ran out",
            &format!("job {slow} has 1 still to settle"),
        ]);
    let ran = home
        .regatta(&["wait", "--json", "--timeout", "200ms", &slow, &quick])
        .exits(124);
    assert_eq!(ran.json()["timed_out"], true);
    assert_eq!(ran.json()["jobs"].as_array().map(Vec::len), Some(2));
    home.regatta(&["wait", "--any", &slow, &quick]).exits(0);
    home.regatta(&["wait", "--any", "--timeout", "200ms", &slow])
        .exits(124);
    // Many wait for the same.
    let waits: Vec<_> = (0..5).map(|_| home.start(&["wait", &slow])).collect();
    home.regatta(&["stop", &slow]).exits(0);
    for wait in waits {
        wait.finish()
            .exits(1)
            .says(&["localhost: Stopped, stopped by operator"]);
    }
}

#[test]
fn what_did_not_complete_runs_again() {
    let home = Home::new();
    let flag = home.path("flag");
    let line = format!("[ -e {} ] || exit 9; echo there", flag.display());
    let job = home.finished_job(&line);
    home.regatta(&["rerun", "--wait", &job.to_string()])
        .exits(1)
        .says(&["exit 9"]);
    fs::write(&flag, "").expect("a file");
    let again: u64 = home
        .regatta(&["rerun", &job.to_string()])
        .exits(0)
        .out()
        .trim()
        .parse()
        .expect("an id");
    assert!(again > job);
    home.regatta(&["wait", &again.to_string()]).exits(0);
    let (old, new) = (home.job_now(job), home.job_now(again));
    assert_eq!(
        (&old["state"], &new["state"]),
        (&"Failed".into(), &"Completed".into())
    );
    assert_eq!(
        (&old["command"], &old["targets"]),
        (&new["command"], &new["targets"])
    );
    // Nothing failed there.
    home.regatta(&["rerun", &again.to_string()])
        .exits(3)
        .says(&["no child that did not complete"]);
    home.regatta(&["rerun", "--all", "--wait", &again.to_string()])
        .exits(0)
        .prints("localhost: there\n");
}

#[test]
fn queues_are_throttled_paused_and_resumed() {
    let home = Home::new();
    let jobs =
        [home.job("exec sleep 1000"), home.job("exec sleep 1000")].map(|job| job.to_string());
    home.regatta(&["throttle", "-f", "7", &jobs[0], &jobs[1]])
        .exits(0);
    home.regatta(&["pause", "all"])
        .exits(0)
        .says(&[&format!("job {} starts no more children", jobs[0])]);
    for job in home.jobs(&[]).as_array().expect("a list") {
        assert_eq!((&job["fanout"], &job["paused"]), (&7.into(), &true.into()));
    }
    home.regatta(&["resume", &jobs[1]]).exits(0);
    let paused: Vec<bool> = home
        .jobs(&[])
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|job| job["paused"].as_bool())
        .collect();
    assert_eq!(paused, [true, false]);
    // What has ended is named, and the others are still done.
    home.regatta(&["stop", &jobs[0]]).exits(0);
    for (verb, said) in [
        ("pause", "starts no more children"),
        ("resume", "starts queued children again"),
    ] {
        let ran = home.regatta(&[verb, "all"]).exits(1).says(&[
            &format!("job {} has ended (Stopped)", jobs[0]),
            &format!("job {} {said}", jobs[1]),
        ]);
        assert!(!ran.err().contains(&format!("job {} {said}", jobs[0])));
    }
    home.regatta(&["throttle", "-f", "2", &jobs[0]])
        .exits(1)
        .says(&["has ended"]);
    home.regatta(&["throttle", "-f", "0", "all"])
        .exits(2)
        .says(&["--fanout", "expected a whole number from 1 on"]);
    home.regatta(&["throttle", "all"])
        .exits(2)
        .says(&["--fanout"]);
}

#[test]
fn a_watcher_sees_every_state_and_only_what_it_asked_for() {
    let home = Home::new();
    let go = home.path("go");
    let job = home.job(&format!(
        "until [ -e {} ]; do sleep 0.05; done; exit 3",
        go.display()
    ));
    let other = home.finished_job("true");
    let watch = home.start(&["jobs", "--watch", "--json", &job.to_string()]);
    home.until_state(job, "Running");
    home.regatta(&["remove", &other.to_string()]).exits(0);
    fs::write(go, "").expect("a file");
    home.until_state(job, "Failed");
    home.regatta(&["remove", &job.to_string()]).exits(0);
    until("the daemon is told to end", || {
        home.regatta(&["daemon", "stop"]).code() == Some(0)
    });
    // The end of the daemon is the end of the news, and said.
    let ran = watch.finish().exits(1).says(&["has gone away"]);
    let records = ran.records();
    let states: Vec<&str> = records
        .iter()
        .filter_map(|record| record["child"]["state"].as_str())
        .collect();
    assert_eq!(states.last(), Some(&"Failed"), "{ran:?}");
    let removed: Vec<u64> = records
        .iter()
        .filter_map(|record| record["removed"].as_u64())
        .collect();
    assert_eq!(removed, [job], "{ran:?}");
    let jobs = records
        .iter()
        .filter_map(|record| record["job"]["id"].as_u64());
    assert!(jobs.into_iter().all(|id| id == job), "{ran:?}");
}

/// Old jobs are no news.  Every line begins with its job, and a name is there only if one was given.
#[test]
fn a_watch_begins_with_what_is_live() {
    let home = Home::new();
    let old = home.finished_job("exit 3");
    let go = home.path("go");
    let line = format!("until [ -e {} ]; do sleep 0.05; done; exit 3", go.display());
    let named = home.job_with(&["-n", "patch"], &line);
    until("its child runs", || {
        home.child_now(named)["state"] == "Running"
    });
    let watch = |file: &str, arguments: &[&str], begins: &str| {
        let mut shell = home.program("/bin/sh");
        let line = format!("exec \"$0\" jobs --watch \"$@\" >{file}");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_regatta")]);
        shell.args(arguments);
        let running = Running::spawn(shell);
        until("the watch has begun", || {
            fs::read_to_string(home.path(file)).is_ok_and(|text| text.starts_with(begins))
        });
        running
    };
    let first = format!("job {old}: Failed, 1 Failed\n");
    let all = watch(
        "all",
        &["--children"],
        &format!("job {named} (patch): Running, 1 Running\njob {named} localhost: Running\n"),
    );
    let chosen = watch("chosen", &[&old.to_string()], &first);
    let plain = home.finished_job("true");
    fs::write(go, "").expect("a file");
    home.until_state(named, "Failed");
    home.regatta(&["receive", "all"]).exits(1);
    home.regatta(&["remove", "all"]).exits(0);
    until("the daemon is told to end", || {
        home.regatta(&["daemon", "stop"]).code() == Some(0)
    });
    all.finish().exits(1);
    chosen.finish().exits(1);
    let said = fs::read_to_string(home.path("all")).expect("it was written");
    for line in [
        format!("job {named} (patch): Failed, 1 Failed\n"),
        format!("job {named} localhost: Failed, exit 3\n"),
        format!("job {plain}: removed\n"),
    ] {
        assert!(said.contains(&line), "{line:?} is missing: {said}");
    }
}

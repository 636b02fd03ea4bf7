//! Jobs that are here and jobs that were: looking for them, and running them again.

use serde_json::Value;

use crate::support::Home;

/// The ids that a search finds, in the order in which it prints them.
fn found(home: &Home, arguments: &[&str]) -> Vec<u64> {
    let ran = home.regatta(&[&["history", "--json"], arguments].concat());
    let jobs = ran.json();
    let jobs = jobs.as_array().expect("a list");
    assert_eq!(ran.code(), Some(if jobs.is_empty() { 3 } else { 0 }));
    jobs.iter()
        .map(|job| job["id"].as_u64().expect("an id"))
        .collect()
}

#[test]
fn the_history_finds_what_is_gone_too() {
    let home = Home::new();
    home.regatta(&["history"])
        .exits(0)
        .prints("")
        .says(&["no jobs"]);
    home.regatta(&["history", "--json"]).exits(0).prints("[]\n");
    assert!(home.daemons().is_empty(), "a look starts no daemon");

    let patch = home.job_with(&["-n", "Patch-Tuesday"], "echo kernel");
    home.regatta(&["wait", "last"]).exits(0);
    let bad = home.finished_job("echo patched; exit 3");
    let config = home.file("ssh_config", "Host *\n Port 1\n BatchMode yes\n");
    let hosts = ["-F", &config, "-t", "127.0.0.[1-12]", "--", "uptime"];
    home.regatta(&[&["run"], &hosts[..]].concat()).exits(0);
    home.regatta(&["wait", "last"]).exits(1);
    let far = home.jobs(&["last"])[0]["id"].as_u64().expect("an id");
    home.regatta(&["remove", &patch.to_string(), &far.to_string()])
        .exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);

    assert_eq!(found(&home, &[]), [far, bad, patch]);
    assert_eq!(found(&home, &["--limit", "2"]), [far, bad]);
    assert_eq!(found(&home, &["PATCH"]), [bad, patch], "name or command");
    assert_eq!(found(&home, &["patch", "kernel"]), [patch]);
    assert_eq!(found(&home, &["job"]), [far, bad], "the names they go by");
    assert_eq!(found(&home, &["100%_"]), [] as [u64; 0]);
    assert_eq!(found(&home, &["--state", "completed"]), [patch]);
    assert_eq!(found(&home, &["--state", "failed,stopped"]), [far, bad]);
    assert_eq!(found(&home, &["--host", "127.0.0.[11-20]"]), [far]);
    assert_eq!(found(&home, &["--host", "LOCAL*,127.9.*"]), [bad, patch]);
    assert_eq!(found(&home, &["--host", "127.0.0.13"]), [] as [u64; 0]);
    assert_eq!(found(&home, &["--since", "1h"]), [far, bad, patch]);
    assert_eq!(found(&home, &["--until", "1h"]), [] as [u64; 0]);
    home.regatta(&["history", "--since", "soon"])
        .exits(2)
        .says(&["not a time"]);
    home.regatta(&["history", "nowhere"])
        .exits(3)
        .says(&["no job of the history matches"]);

    let text = home.regatta(&["history"]).exits(0).out();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        ["ID", "CREATED", "STATE", "HOSTS", "NAME", "COMMAND"]
    );
    let [far, bad] = [far, bad].map(|id| id.to_string());
    assert_eq!(rows[1][0], far);
    assert_eq!(
        rows[1][3..],
        ["Failed", "(removed)", "12", &format!("Job{far}"), "uptime"]
    );
    assert_eq!(rows[2][3..5], ["Failed", "1"]);
    let removed = |job: &Value| !job["removed"].is_null();
    let jobs = home.regatta(&["history", "--json"]).exits(0).json();
    let jobs = jobs.as_array().expect("a list");
    assert_eq!(
        jobs.iter().map(removed).collect::<Vec<_>>(),
        [true, false, true]
    );
    // It is a search, not a way back.
    home.regatta(&["jobs", &far]).exits(3);
    home.regatta(&["jobs", &bad]).exits(0);
}

#[test]
fn a_job_that_is_gone_runs_again_on_all_its_hosts_or_not_at_all() {
    let home = Home::new();
    let job = home.job_with(&["-n", "again"], "echo $REGATTA_JOB");
    let id = job.to_string();
    home.regatta(&["wait", &id]).exits(0);
    home.regatta(&["remove", &id]).exits(0);
    // Whatever is asked of it, it is said that it was there; the next daemon knows it as well.
    let verbs: [&[&str]; 6] = [
        &["jobs"],
        &["receive"],
        &["wait"],
        &["stop"],
        &["remove"],
        &["pin"],
    ];
    let gone = format!("job {id} has been removed (20");
    let hints = ["`regatta history` still shows it", "`regatta rerun --all`"];
    for verb in verbs {
        let ran = home.regatta(&[verb, &[&id]].concat()).exits(3);
        ran.says(&[&[gone.as_str()], &hints[..]].concat());
    }
    home.regatta(&["daemon", "stop"]).exits(0);
    let host = format!("{id}.localhost");
    home.regatta(&["jobs", &host]).exits(3).says(&[&gone]);
    home.regatta(&["rerun", &id]).exits(3).says(&[
        &format!("job {id} has been removed"),
        &format!("`regatta rerun --all {id}` runs it on all of localhost"),
    ]);
    let ran = home.regatta(&["rerun", "--all", &id]).exits(0);
    let again = ran.out().trim().to_string();
    home.regatta(&["wait", &again]).exits(0);
    assert_eq!(home.jobs(&[&again])[0]["name"], "again");
    home.regatta(&["receive", "-N", &again])
        .exits(0)
        .prints(&format!("{again}\n"));
    // What was never there, and what is there, beside it.
    home.regatta(&["rerun", "--all", &id, "999", &again])
        .exits(1)
        .says(&["no job or child has the id 999"]);
    assert_eq!(home.jobs(&[]).as_array().map(Vec::len), Some(3));
    home.regatta(&["wait", "all"]).exits(0);
}

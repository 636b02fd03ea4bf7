//! The JSON contract: which keys there are, of which type, in which words.  Whoever changes what this pins breaks
//! somebody's script: names are added, never changed or removed.

mod fleet;
mod support;

use std::collections::BTreeMap;

use fleet::sshd::Fleet;
use serde_json::{Value, json};
use support::{Home, until};

/// What a value has to look like.
#[derive(Clone, Debug)]
enum Form {
    /// Exactly this.
    Is(Value),
    Text,
    /// A whole number, not negative.
    Count,
    /// Seconds.
    Seconds,
    /// RFC 3339 with milliseconds and offset.
    Time,
    Bool,
    Null,
    Either(Vec<Self>),
    /// Exactly these keys.
    Object(Vec<(&'static str, Self)>),
    /// Any of these keys and no others.
    Some(Vec<(&'static str, Self)>),
    List(Box<Self>),
}

use Form::{Bool, Count, Either, Is, List, Null, Object, Seconds, Text, Time};

#[track_caller]
fn check(value: &Value, form: &Form) {
    if let Err(wrong) = fits(value, form, "$") {
        panic!("{wrong}\nin {value:#}");
    }
}

fn fits(value: &Value, form: &Form, at: &str) -> Result<(), String> {
    let is = |fine: bool| {
        fine.then_some(())
            .ok_or_else(|| format!("{at} is {value}, not {form:?}"))
    };
    match form {
        Is(want) => is(value == want),
        Text => is(value.is_string()),
        Count => is(value.is_u64()),
        Seconds => is(value.as_f64().is_some_and(|seconds| seconds >= 0.0)),
        Time => is(value.as_str().is_some_and(is_time)),
        Bool => is(value.is_boolean()),
        Null => is(value.is_null()),
        Either(forms) => is(forms.iter().any(|form| fits(value, form, at).is_ok())),
        Object(keys) => {
            let object = value
                .as_object()
                .ok_or_else(|| format!("{at} is {value}, not an object"))?;
            let want: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
            let have: Vec<&str> = object.keys().map(String::as_str).collect();
            if have != want {
                return Err(format!("{at} has the keys {have:?}, not {want:?}"));
            }
            keys.iter()
                .try_for_each(|(key, form)| fits(&object[*key], form, &format!("{at}.{key}")))
        }
        Form::Some(keys) => {
            let object = value
                .as_object()
                .ok_or_else(|| format!("{at} is {value}, not an object"))?;
            let known: BTreeMap<&str, &Form> =
                keys.iter().map(|(key, form)| (*key, form)).collect();
            object
                .iter()
                .try_for_each(|(key, value)| match known.get(key.as_str()) {
                    Some(form) => fits(value, form, &format!("{at}.{key}")),
                    None => Err(format!(
                        "{at} has the key {key:?}, which is none of {:?}",
                        known.keys()
                    )),
                })
        }
        List(form) => {
            let list = value
                .as_array()
                .ok_or_else(|| format!("{at} is {value}, not a list"))?;
            list.iter()
                .enumerate()
                .try_for_each(|(n, value)| fits(value, form, &format!("{at}[{n}]")))
        }
    }
}

/// `2026-11-23T03:00:00.123+01:00`
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    matches!(
        shape.as_str(),
        "0000-00-00T00:00:00.000+00:00" | "0000-00-00T00:00:00.000-00:00"
    )
}

/// The states, in the words of the design.
const STATES: [&str; 10] = [
    "NotStarted",
    "Connecting",
    "Running",
    "Blocked",
    "Suspended",
    "Stopping",
    "Disconnected",
    "Completed",
    "Failed",
    "Stopped",
];

/// The kinds of reasons.
const KINDS: [&str; 20] = [
    "exit",
    "signal",
    "unreachable",
    "protocol",
    "host_key_unknown",
    "host_key_changed",
    "host_key_revoked",
    "auth_failed",
    "refused",
    "bad_settings",
    "timed_out",
    "stopped",
    "stop_unconfirmed",
    "suspend_unconfirmed",
    "resume_unconfirmed",
    "sudo",
    "secret",
    "connection_lost",
    "internal",
    "blocked",
];

fn word(words: &[&str]) -> Form {
    Either(words.iter().map(|word| Is(json!(word))).collect())
}

fn optional(form: Form) -> Form {
    Either(vec![Null, form])
}

fn reason() -> Form {
    optional(Object(vec![("kind", word(&KINDS)), ("text", Text)]))
}

fn sizes() -> Form {
    Object(vec![("out", Count), ("err", Count), ("dropped", Count)])
}

fn child() -> Form {
    Object(child_keys())
}

/// What a child says only while it is Blocked.
fn blocked_child() -> Form {
    let needs = word(&[
        "host_key",
        "passphrase",
        "password",
        "sudo",
        "prompt",
        "receiver",
    ]);
    let question = vec![("id", optional(Count)), ("kind", needs), ("text", Text)];
    let mut keys = child_keys();
    keys.push(("question", Object(question)));
    Object(keys)
}

fn child_keys() -> Vec<(&'static str, Form)> {
    vec![
        ("id", Count),
        ("job", Count),
        ("host", Text),
        ("state", word(&STATES)),
        ("reason", reason()),
        ("exit", optional(Count)),
        ("signal", optional(Text)),
        ("pid", optional(Count)),
        ("began", optional(Time)),
        ("ended", optional(Time)),
        ("elapsed", optional(Seconds)),
        ("more", Bool),
        ("bytes", sizes()),
        ("lines", sizes()),
    ]
}

fn amount() -> Form {
    Object(vec![("bytes", Count), ("lines", Count)])
}

fn job_keys() -> Vec<(&'static str, Form)> {
    vec![
        ("id", Count),
        ("name", Text),
        ("runner", Text),
        ("command", Text),
        ("targets", Text),
        ("state", word(&STATES)),
        ("reason", reason()),
        ("fanout", Count),
        ("paused", Bool),
        ("pinned", Bool),
        ("created", Time),
        ("began", optional(Time)),
        ("ended", optional(Time)),
        ("elapsed", Seconds),
        ("more", Bool),
        ("waiting", amount()),
        (
            "counts",
            Form::Some(STATES.iter().map(|state| (*state, Count)).collect()),
        ),
    ]
}

fn job_with_children() -> Form {
    Object([job_keys(), vec![("children", List(Box::new(child())))]].concat())
}

#[test]
fn run_prints_the_job_and_its_children() {
    let home = Home::new();
    let ran = home
        .regatta(&["run", "--json", "--local", "-n", "patch", "--", "true"])
        .exits(0);
    assert_eq!(
        ran.json(),
        json!({"id": 1, "name": "patch", "children": [{"id": 2, "host": "localhost"}]})
    );
    assert_eq!(ran.out().lines().count(), 1, "one line: {ran:?}");
    // Several hosts: ids in host order.  The port answers nobody.
    let config = home.file("ssh_config", "Host *\n Port 1\n BatchMode yes\n");
    let ran = home
        .regatta(&[
            "run",
            "--json",
            "-F",
            &config,
            "-t",
            "127.0.0.[2-3],127.0.0.1",
            "--",
            "true",
        ])
        .exits(0);
    assert_eq!(
        ran.json(),
        json!({"id": 3, "name": "Job3", "children": [
            {"id": 4, "host": "127.0.0.1"}, {"id": 5, "host": "127.0.0.2"}, {"id": 6, "host": "127.0.0.3"}
        ]})
    );
    home.regatta(&["wait", "3"]).exits(1);
    let job = home.job_now(3);
    check(&job, &job_with_children());
    assert_eq!(
        (&job["runner"], &job["targets"], &job["counts"]),
        (
            &json!("ssh"),
            &json!("127.0.0.[1-3]"),
            &json!({"Failed": 3})
        )
    );
}

#[test]
fn jobs_prints_jobs_and_children_where_they_belong() {
    let home = Home::new();
    let done = home.finished_job("echo out; echo err >&2; exit 3");
    let killed = home.finished_job("kill -SEGV $$");
    let fine = home.finished_job("true");
    let running = home.job_with(&["--fanout", "9"], "echo begun; exec sleep 1000");
    home.until_output(running, 6);
    check(&home.jobs(&[]), &List(Box::new(Object(job_keys()))));
    for arguments in [&["--children"][..], &[&done.to_string()], &["last"]] {
        check(&home.jobs(arguments), &List(Box::new(job_with_children())));
    }
    let pinned = |mut job: Value| {
        for key in ["created", "began", "ended", "elapsed"] {
            job[key] = json!("*");
            job["children"][0][key] = json!("*");
        }
        job["children"][0]
            .as_object_mut()
            .expect("an object")
            .shift_remove("created");
        job["children"][0]["pid"] = json!("*");
        job
    };
    assert_eq!(
        pinned(home.job_now(done)),
        json!({
            "id": 1, "name": "Job1", "runner": "local", "command": "echo out; echo err >&2; exit 3", "targets": "localhost",
            "state": "Failed", "reason": null, "fanout": 64, "paused": false, "pinned": false, "created": "*", "began": "*", "ended": "*",
            "elapsed": "*", "more": true, "waiting": {"bytes": 8, "lines": 2}, "counts": {"Failed": 1},
            "children": [{
                "id": 2, "job": 1, "host": "localhost", "state": "Failed", "reason": {"kind": "exit", "text": "exit 3"},
                "exit": 3, "signal": null, "pid": "*", "began": "*", "ended": "*", "elapsed": "*", "more": true,
                "bytes": {"out": 4, "err": 4, "dropped": 0}, "lines": {"out": 1, "err": 1, "dropped": 0},
            }],
        })
    );
    let child = home.child_now(killed);
    assert_eq!(
        (&child["exit"], &child["signal"], &child["reason"]),
        (
            &Value::Null,
            &json!("SEGV"),
            &json!({"kind": "signal", "text": "killed by SIGSEGV"})
        )
    );
    let child = home.child_now(fine);
    assert_eq!(
        (&child["state"], &child["reason"], &child["exit"]),
        (&json!("Completed"), &Value::Null, &json!(0))
    );
    let job = home.job_now(running);
    assert_eq!(
        (&job["state"], &job["ended"], &job["fanout"], &job["counts"]),
        (
            &json!("Running"),
            &Value::Null,
            &json!(9),
            &json!({"Running": 1})
        )
    );
    check(&job["children"][0]["pid"], &Count);
}

#[test]
fn a_blocked_child_says_what_it_needs_and_answer_lists_what_is_asked() {
    let home = Home::new();
    let asked = home.regatta(&["answer", "--json"]).exits(0);
    check(&asked.json(), &Is(json!([])));
    let job = home.job_with(&["--on-full", "block"], "exec yes");
    home.until_state(job, "Blocked");
    check(&home.child_now(job), &blocked_child());
    // Waiting for a receiver is no question.
    let asked = home.regatta(&["answer", "--json"]).exits(0);
    check(&asked.json(), &Is(json!([])));
    home.regatta(&["stop", &job.to_string()]).exits(0);
    check(&home.child_now(job), &child());
}

#[test]
fn suspend_and_resume_print_what_was_told() {
    let home = Home::new();
    let job = home.job("echo ready; sleep 1000");
    home.until_output(job, 6);
    let id = job.to_string();
    let form = Object(vec![
        ("changed", List(Box::new(Count))),
        ("children", List(Box::new(child()))),
        ("refused", List(Box::new(Text))),
    ]);
    for (verb, state) in [("suspend", "Suspended"), ("resume", "Running")] {
        let value = home.regatta(&[verb, "--json", &id]).exits(0).json();
        check(&value, &form);
        assert_eq!(
            (&value["changed"], &value["children"][0]["state"]),
            (&json!([job]), &json!(state))
        );
    }
    let value = home.regatta(&["resume", "--json", "none"]).json();
    check(&value, &form);
    assert_eq!(value["refused"][0], "no job is named none");
}

#[test]
fn wait_stop_and_reconnect_print_what_settled() {
    let home = Home::new();
    let job = home.finished_job("exit 3").to_string();
    let form = Object(vec![
        ("timed_out", Bool),
        ("jobs", List(Box::new(job_with_children()))),
        ("children", List(Box::new(child()))),
    ]);
    for verb in ["wait", "stop", "reconnect"] {
        let value = home.regatta(&[verb, "--json", &job]).json();
        check(&value, &form);
        assert_eq!(
            (
                &value["timed_out"],
                &value["jobs"][0]["children"][0]["reason"]["kind"]
            ),
            (&json!(false), &json!("exit"))
        );
        let value = home
            .regatta(&[verb, "--json", &format!("{job}.localhost")])
            .json();
        check(&value, &form);
        assert_eq!(
            (
                value["jobs"].as_array().map(Vec::len),
                &value["children"][0]["host"]
            ),
            (Some(0), &json!("localhost"))
        );
    }
}

#[test]
fn history_prints_what_is_remembered() {
    let home = Home::new();
    let gone = home.finished_job("exit 3");
    home.regatta(&["remove", &gone.to_string()]).exits(0);
    home.job("exec sleep 1000");
    let jobs = home.regatta(&["history", "--json"]).exits(0).json();
    let form = Object(vec![
        ("id", Count),
        ("name", Text),
        ("command", Text),
        ("targets", Text),
        ("state", word(&STATES)),
        ("created", Time),
        ("ended", optional(Time)),
        ("removed", optional(Time)),
    ]);
    check(&jobs, &List(Box::new(form)));
    assert_eq!(
        (&jobs[0]["state"], &jobs[0]["ended"], &jobs[0]["removed"]),
        (&json!("Running"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&jobs[1]["name"], &jobs[1]["command"], &jobs[1]["state"]),
        (&json!("Job1"), &json!("exit 3"), &json!("Failed"))
    );
    check(&jobs[1]["removed"], &Time);
}

#[test]
fn tail_grep_and_fold_print_what_was_looked_at() {
    let home = Home::new();
    let job = home.finished_job("echo 'ä'; exit 3").to_string();
    let row = |(job, child), stream, (data, text): (&'static str, &str)| {
        Object(vec![
            ("job", Is(json!(job))),
            ("child", Is(json!(child))),
            ("host", Is(json!("localhost"))),
            ("stream", Is(json!(stream))),
            (data, Is(json!(text))),
            ("offset", Is(json!(0))),
            ("line", Is(json!(0))),
            ("time", Time),
        ])
    };
    let text = row((1, 2), "out", ("data", "ä"));
    let rows = home.regatta(&["tail", "--ndjson", &job]).exits(0).records();
    check(&Value::from(rows), &List(Box::new(text.clone())));
    let found = home.regatta(&["grep", "--json", "ä", &job]).exits(0).json();
    check(&found[0], &text);
    assert_eq!(
        home.regatta(&["grep", "--json", "--count", "ä", &job])
            .exits(0)
            .json(),
        json!([{"job": 1, "child": 2, "host": "localhost", "count": 1}])
    );
    assert_eq!(
        home.regatta(&["fold", "--json", &job]).exits(0).json(),
        json!([{"job": 1, "groups": [{
            "hosts": "localhost", "children": [2], "state": "Failed", "reason": {"kind": "exit", "text": "exit 3"},
            "exit": 3, "output": {"bytes": 3, "lines": 1}, "cut": false, "sample": "ä",
        }]}])
    );
    let job = home.finished_job("printf '\\377' >&2").to_string();
    let rows = home.regatta(&["tail", "--json", &job]).exits(0).json();
    check(&rows[0], &row((3, 4), "err", ("data_b64", "/w==")));
    let folded = home.regatta(&["fold", "--json", &job]).exits(0).json();
    assert_eq!(folded[0]["groups"][0]["sample_b64"], "/w==");
}

#[test]
fn receive_prints_pieces_cuts_and_ends() {
    let home = Home::new();
    let job = home.finished_job("echo 'ä'; exit 3").to_string();
    let want = json!([
        {"job": 1, "child": 2, "host": "localhost", "stream": "out", "data": "ä\n"},
        {"job": 1, "child": 2, "host": "localhost", "end": {"state": "Failed", "reason": {"kind": "exit", "text": "exit 3"}, "exit": 3}},
    ]);
    assert_eq!(
        Value::from(
            home.regatta(&["receive", "--ndjson", "--keep", &job])
                .exits(1)
                .records()
        ),
        want
    );
    assert_eq!(
        home.regatta(&["receive", "--json", "--keep", &job])
            .exits(1)
            .json(),
        want
    );
    // The order of keys is part of what people read.
    let text = home.regatta(&["receive", "--ndjson", &job]).exits(1).out();
    assert!(
        text.starts_with(
            "{\"job\":1,\"child\":2,\"host\":\"localhost\",\"stream\":\"out\",\"data\":"
        ),
        "{text}"
    );
    // Bytes that are no UTF-8, on the other stream.
    let job = home.finished_job("printf '\\377\\000' >&2").to_string();
    assert_eq!(
        Value::from(
            home.regatta(&["receive", "--ndjson", &job])
                .exits(0)
                .records()
        ),
        json!([
            {"job": 3, "child": 4, "host": "localhost", "stream": "err", "data_b64": "/wA="},
            {"job": 3, "child": 4, "host": "localhost", "end": {"state": "Completed", "reason": null, "exit": 0}},
        ])
    );
    // Nothing is left but the end.
    assert_eq!(
        home.regatta(&["receive", "--ndjson", &job])
            .exits(0)
            .records()
            .len(),
        1
    );
    // What a cap cut out.
    let job = home.finished_job("head -c 12000000 /dev/zero").to_string();
    let records = home
        .regatta(&["receive", "--ndjson", &job])
        .exits(0)
        .records();
    let cut = records
        .iter()
        .find(|record| record.get("dropped").is_some())
        .expect("it was too much");
    let is = |value: Value| Is(value);
    check(
        cut,
        &Object(vec![
            ("job", is(json!(5))),
            ("child", is(json!(6))),
            ("host", is(json!("localhost"))),
            ("dropped", amount()),
        ]),
    );
    let child = &home.job_now(5)["children"][0];
    assert_eq!(cut["dropped"]["bytes"], child["bytes"]["dropped"]);
}

/// A foreground run with `--json` is a receive as it happens.
#[test]
fn a_followed_run_prints_records() {
    let home = Home::new();
    let ran = home
        .regatta(&["run", "--json", "--local", "--wait", "--", "echo hi"])
        .exits(0);
    let records = ran.records();
    let data: String = records
        .iter()
        .filter_map(|record| record["data"].as_str())
        .collect();
    assert_eq!(data, "hi\n");
    assert_eq!(
        records.last().expect("an end")["end"],
        json!({"state": "Completed", "reason": null, "exit": 0})
    );
}

#[test]
fn a_watch_prints_news() {
    let home = Home::new();
    let job = home.finished_job("true");
    let watch = home.start(&["jobs", "--watch", "--json", "--children"]);
    // A second job's end is news, and so is its removal.
    home.finished_job("true");
    until("the watcher is there before the end", || {
        home.regatta(&["daemon", "status"]).code() == Some(0)
    });
    home.regatta(&["remove", &job.to_string()]).exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);
    for record in watch.finish().exits(1).records() {
        let form = Either(vec![
            Object(vec![("job", Object(job_keys()))]),
            Object(vec![("child", child())]),
            Object(vec![("removed", Count)]),
        ]);
        check(&record, &form);
    }
}

#[test]
fn hosts_prints_hosts_folds_counts_and_groups() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("home/.config/regatta")).expect("a directory");
    std::fs::write(
        home.path("home/.config/regatta/inventory.toml"),
        "[groups]\ndb = \"db[1-2]\"\nall-of-them = \"@db,web1\"\n\n[hosts.db1]\naddress = \"10.0.0.1\"\nuser = \"root\"\nport = 2222\n",
    )
    .expect("a file");
    let mut hosts = home
        .regatta(&["hosts", "--json", "db[1-2]"])
        .exits(0)
        .json();
    // Whoever runs this.
    check(&hosts[1]["user"], &Text);
    hosts[1]["user"] = json!("*");
    assert_eq!(
        hosts,
        json!([
            {"host": "db1", "address": "10.0.0.1", "user": "root", "port": 2222, "groups": ["all-of-them", "db"]},
            {"host": "db2", "address": "db2", "user": "*", "port": 22, "groups": ["all-of-them", "db"]},
        ])
    );
    assert_eq!(
        home.regatta(&["hosts", "--json", "--fold", "@db"])
            .exits(0)
            .json(),
        json!({"fold": "db[1-2]", "count": 2})
    );
    assert_eq!(
        home.regatta(&["hosts", "--json", "--count", "@db"])
            .exits(0)
            .json(),
        json!({"count": 2})
    );
    assert_eq!(
        home.regatta(&["hosts", "--json", "--groups"])
            .exits(0)
            .json(),
        json!([{"group": "all-of-them", "count": 3, "hosts": "db[1-2],web1"}, {"group": "db", "count": 2, "hosts": "db[1-2]"}])
    );
}

#[test]
fn daemon_status_prints_what_it_has() {
    let home = Home::new();
    assert_eq!(
        home.regatta(&["daemon", "status", "--json"])
            .exits(3)
            .json(),
        Value::Null
    );
    let job = home.finished_job("true");
    let form = Object(vec![
        ("pid", Count),
        ("version", Is(json!(env!("CARGO_PKG_VERSION")))),
        ("uptime", Seconds),
        ("jobs", Is(json!(1))),
        ("live", Is(json!(0))),
        ("children", Is(json!(1))),
        ("connections", Is(json!(0))),
        ("rss", Count),
        ("trouble", Null),
    ]);
    check(&home.status(), &form);
    home.regatta(&["remove", &job.to_string()]).exits(0);
    assert_eq!(home.status()["children"], 0);
}

#[test]
fn connections_prints_which_are_kept() {
    let home = Home::new();
    assert_eq!(
        home.regatta(&["connections", "--json"]).exits(0).json(),
        json!([])
    );
    let Some(fleet) = Fleet::start("connections_prints_which_are_kept", "") else {
        return;
    };
    let config = fleet.path("ssh_config");
    let config = config.to_str().expect("a UTF-8 path");
    home.regatta(&["-F", config, "run", "-w", "-t", "127.1.0.1", "--", "true"])
        .exits(0);
    let form = Object(vec![
        ("hosts", Is(json!(["127.1.0.1"]))),
        ("user", Text),
        ("address", Is(json!("127.1.0.1"))),
        ("port", Is(json!(fleet.port))),
        ("via", Is(json!([]))),
        ("proxy_command", optional(Text)),
        (
            "carries",
            Either(vec![Is(json!("commands")), Is(json!("connections"))]),
        ),
        ("channels", Is(json!(0))),
        ("age", Seconds),
        ("idle", optional(Seconds)),
        ("bytes", Object(vec![("received", Count), ("sent", Count)])),
    ]);
    let list = || List(Box::new(form.clone()));
    check(
        &home.regatta(&["connections", "--json"]).exits(0).json(),
        &list(),
    );
    let closing = ["connections", "--close", "all", "--json"];
    check(
        &home.regatta(&closing).exits(0).json(),
        &Object(vec![("closed", list()), ("in_use", list())]),
    );
}

fn who() -> Form {
    Object(vec![
        ("uid", Count),
        ("user", Text),
        ("tty", optional(Text)),
        ("from", optional(Text)),
        ("sudo", optional(Text)),
    ])
}

#[test]
fn audit_prints_entries() {
    let home = Home::new();
    let job = home.finished_job("echo out; exit 3");
    home.regatta(&["receive", &job.to_string()]).exits(1);
    let entry = |what: &'static str, more: Vec<(&'static str, Form)>| {
        let mut keys = vec![("time", Time), ("what", Is(json!(what))), ("who", who())];
        keys.extend(more);
        Object(keys)
    };
    let about = || {
        vec![
            ("job", Is(json!(job))),
            ("hosts", Is(json!("localhost"))),
            ("command", Is(json!("echo out; exit 3"))),
        ]
    };
    let found = |what: &str| -> Option<Value> {
        let ran = home.regatta(&["audit", "--json", what]).exits(0);
        ran.records().pop()
    };
    // Of a receive, say, only once the client has said that it has everything.
    let entry_of = |what: &str| {
        until(&format!("{what} is noted"), || found(what).is_some());
        found(what).expect("entries stay")
    };
    check(&entry_of("run"), &entry("run", about()));
    let mode = ("mode", word(&["drain", "keep", "all"]));
    let receive = vec![("job", Count), ("hosts", Text), mode];
    check(&entry_of("receive"), &entry("receive", receive));
    check(&entry_of("daemon start"), &entry("daemon start", vec![]));
    let result = Form::Some(vec![
        ("hosts", Text),
        ("state", word(&STATES)),
        ("reason", Text),
    ]);
    let mut outcome = about();
    outcome.extend([
        ("state", word(&STATES)),
        ("results", List(Box::new(result))),
    ]);
    check(&entry_of("outcome"), &entry("outcome", outcome));
    home.regatta(&["remove", &job.to_string()]).exits(0);
    check(&entry_of("remove"), &entry("remove", about()));
    home.regatta(&["--no-daemon", "run", "--local", "--", "echo out; exit 3"])
        .exits(1);
    let mut passing = about();
    passing[0].1 = Count;
    passing.push(("no_daemon", Is(json!(true))));
    check(&entry_of("run"), &entry("run", passing));
}

#[test]
fn doctor_prints_findings() {
    let home = Home::new();
    home.finished_job("true");
    let form = List(Box::new(Object(vec![
        ("check", Text),
        ("verdict", word(&["ok", "note", "bad"])),
        ("text", Text),
        ("hint", optional(Text)),
    ])));
    let ran = home.regatta(&["doctor", "--json"]).exits(0);
    check(&ran.json(), &form);
    let found = ran.json();
    let checks = found.as_array().expect("a list").iter();
    let checks: Vec<&str> = checks
        .filter_map(|finding| finding["check"].as_str())
        .collect();
    let want = [
        "versions",
        "limits",
        "agent",
        "state",
        "runtime",
        "space",
        "store",
        "daemon",
        "leftovers",
        "log",
    ];
    assert_eq!(checks, want);
}

#[test]
fn what_is_configured_is_printed() {
    let home = Home::new();
    let queries = home.regatta(&["queries", "--json"]).exits(0).json();
    let parameter = || {
        Object(vec![
            ("name", Text),
            ("doc", Text),
            ("default", optional(Text)),
            ("type", Text),
            ("pattern", optional(Text)),
            ("choices", List(Box::new(Text))),
            ("secret", Bool),
        ])
    };
    let column = || {
        Object(vec![
            ("name", Text),
            ("type", Text),
            ("unit", optional(Text)),
            ("volatile", Bool),
            ("doc", Text),
        ])
    };
    let query = || {
        Object(vec![
            ("name", Text),
            ("doc", Text),
            ("command", optional(Text)),
            ("script", optional(Text)),
            ("powershell", optional(Text)),
            ("platforms", List(Box::new(Text))),
            ("targets", optional(Text)),
            ("timeout", Seconds),
            ("ok_exit", List(Box::new(Count))),
            ("writes", Bool),
            ("parameters", List(Box::new(parameter()))),
            ("columns", List(Box::new(column()))),
            ("origin", Text),
            ("hides", List(Box::new(Text))),
        ])
    };
    check(&queries, &List(Box::new(query())));
    let kernel = home
        .regatta(&["queries", "--json", "kernel"])
        .exits(0)
        .json();
    check(&kernel, &query());
    let release = &kernel["columns"][1];
    assert_eq!(
        (&release["name"], &release["type"]),
        (&json!("release"), &json!("version"))
    );
    // A row for programs has what every row has, then its query's own.
    let rows = home.regatta(&["query", "kernel", "--local", "--format", "json"]);
    let row = Object(vec![
        ("host", Text),
        ("job", Count),
        ("at", Time),
        ("name", Text),
        ("release", Text),
        ("arch", Text),
        ("build", Text),
    ]);
    check(&rows.exits(0).json(), &List(Box::new(row)));
    assert_eq!(
        (&kernel["command"], &kernel["origin"]),
        (&Value::Null, &json!("built in"))
    );

    let keys = home.regatta(&["keys", "--json"]).exits(0).json();
    let key = Object(vec![
        (
            "place",
            word(&[
                "everywhere",
                "jobs",
                "hosts",
                "queries",
                "events",
                "output",
                "table",
            ]),
        ),
        ("keys", Text),
        ("command", Text),
        ("doc", Text),
        ("acts", Bool),
        ("origin", Text),
    ]);
    check(&keys, &List(Box::new(key)));
    let stop = json!({
        "place": "jobs", "keys": "x", "command": "stop",
        "doc": "Stop jobs or children: TERM, then KILL, then proof", "acts": true, "origin": "built in",
    });
    assert!(keys.as_array().expect("a list").contains(&stop), "{keys:#}");

    let themes = home.regatta(&["themes", "--json"]).exits(0).json();
    let theme = Object(vec![("name", Text), ("origin", Text), ("used", Bool)]);
    check(&themes, &List(Box::new(theme)));
    let mono = home.regatta(&["themes", "--json", "mono"]).exits(0).json();
    assert_eq!(mono["roles"]["selection"], "reverse");
    assert_eq!(mono["roles"]["state-failed"], "bold");

    let settings = home.regatta(&["config", "show", "--json"]).exits(0).json();
    let list = settings.as_array().expect("a list");
    let fanout = json!({"key": "run.fanout", "value": 64, "origin": "built in"});
    let timeout = json!({"key": "run.timeout", "value": null, "origin": "built in"});
    assert!(
        list.contains(&fanout) && list.contains(&timeout),
        "{settings:#}"
    );
    let checked = home.regatta(&["config", "check", "--json"]).exits(0).json();
    assert_eq!(checked, json!({"files": [], "mistakes": []}));
}

#[test]
fn every_state_is_spelled_as_the_design_does() {
    use regatta::core::state::State;
    assert_eq!(State::ALL.map(regatta::core::state::State::word), STATES);
}

/// The form itself can tell right from wrong.
#[test]
fn the_check_catches_what_it_is_for() {
    let form = Object(vec![("a", Count), ("b", optional(Time))]);
    for (value, fine) in [
        (json!({"a": 1, "b": null}), true),
        (json!({"a": 1, "b": "2026-11-23T03:00:00.123+01:00"}), true),
        (json!({"a": 1, "b": "2026-11-23 03:00"}), false),
        (json!({"a": -1, "b": null}), false),
        (json!({"a": 1}), false),
        (json!({"a": 1, "b": null, "c": 2}), false),
        (json!({"b": null, "a": 1}), false),
    ] {
        assert_eq!(fits(&value, &form, "$").is_ok(), fine, "{value}");
    }
}

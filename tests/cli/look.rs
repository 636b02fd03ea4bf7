//! `tail`, `grep` and `fold`: looking at output, which is not received by that.

use serde_json::json;

use crate::support::Home;

#[test]
fn tail_shows_the_last_lines_and_receives_nothing() {
    let home = Home::new();
    let job = home.finished_job("seq 1 5000; printf 'no end'").to_string();
    for _ in 0..2 {
        home.regatta(&["tail", &job, "-n", "2"])
            .exits(0)
            .prints("localhost: 5000\nlocalhost: no end\n");
    }
    let ten = home.regatta(&["tail", &job]).exits(0).out();
    assert_eq!(ten.lines().count(), 10, "{ten}");
    let all = home.regatta(&["tail", &job, "-n", "100000"]).exits(0).out();
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5001, "localhost: 1"));
    assert_eq!(home.jobs(&[&job])[0]["more"], true, "nothing was received");
    let one = home
        .regatta(&["tail", &job, "-n1", "--json"])
        .exits(0)
        .json();
    assert_eq!(one[0]["data"], "no end");
    assert_eq!(
        (&one[0]["line"], &one[0]["offset"]),
        (&json!(5000), &json!(23893))
    );
    home.regatta(&["tail", "77"]).exits(3);
    let job = home.finished_job("echo oops >&2").to_string();
    home.regatta(&["tail", &job])
        .exits(0)
        .prints("")
        .says(&["localhost: oops\n"]);
}

#[test]
fn tail_looks_as_far_back_as_lines_are_long() {
    let home = Home::new();
    let job = home
        .finished_job("for n in 1 2 3; do head -c 100000 /dev/zero | tr '\\0' $n; echo; done")
        .to_string();
    let out = home.regatta(&["tail", &job, "-n", "3"]).exits(0).out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.len() <= 64 * 1024 + 11));
    assert!(lines[2].ends_with('3'));
}

#[test]
fn grep_finds_lines_as_they_read() {
    let home = Home::new();
    let job = home
        .finished_job(
            "seq 1 20000; printf '\\033[31mERR\\033[0mOR: red\\n'; echo 'error: plain' >&2; printf '10%%\\rdone'",
        )
        .to_string();
    home.regatta(&["grep", "^ERROR", &job])
        .exits(0)
        .prints("localhost: \u{1b}[31mERR\u{1b}[0mOR: red\n");
    let both = home.regatta(&["grep", "-i", "^error", &job]).exits(0).out();
    let mut both: Vec<&str> = both.lines().collect();
    // Which stream was read first is not known.
    both.sort_unstable();
    assert_eq!(both[1], "localhost: error: plain");
    assert_eq!(both.len(), 2);
    home.regatta(&["grep", "-ic", "error", &job])
        .exits(0)
        .prints("localhost: 2\n");
    home.regatta(&["grep", "^done", &job])
        .exits(0)
        .prints("localhost: 10%\rdone\n");
    // On a stream of its own: what comes on the other one in between ends a row.
    let numbers = home.finished_job("seq 1 20000").to_string();
    home.regatta(&["grep", "--count", "7$", &numbers])
        .exits(0)
        .prints("localhost: 2000\n");
    let found = home.regatta(&["grep", "^1.*99$", &numbers]).exits(0).out();
    assert_eq!(
        found.lines().count(),
        111,
        "199, 1099 to 1999, 10099 to 19999: {found}"
    );
    home.regatta(&["grep", "10%", &job]).exits(1).prints("");
    home.regatta(&["grep", "nothing of the kind", &job])
        .exits(1)
        .prints("");
    home.regatta(&["grep", "x", "nobody"]).exits(3);
    assert_eq!(home.jobs(&[&job])[0]["more"], true, "nothing was received");
}

#[test]
fn grep_refuses_patterns_that_are_wrong_or_monstrous() {
    let home = Home::new();
    let job = home.finished_job("echo aaaa").to_string();
    let wrong = home.regatta(&["grep", "(", &job]).exits(2);
    assert!(wrong.err().contains("unclosed group"), "{wrong:?}");
    let monstrous = home
        .regatta(&["grep", "((a{100}){100}){100}", &job])
        .exits(2);
    assert!(monstrous.err().contains("size limit"), "{monstrous:?}");
}

#[test]
fn fold_says_what_hosts_came_to() {
    let home = Home::new();
    let fine = home.finished_job("echo fine; echo; exit 0");
    let failed = home.finished_job("seq 1 100; exit 3");
    let running = home.job("echo begun; exec sleep 1000");
    home.until_output(running, 6);
    home.regatta(&["fold", &fine.to_string()])
        .exits(0)
        .prints("1 host  exit 0  localhost\n    fine (2 lines, 6 B)\n");
    home.regatta(&["fold", &running.to_string()])
        .exits(0)
        .prints("1 host  Running  localhost\n");
    home.regatta(&["fold", &fine.to_string(), &failed.to_string()])
        .exits(0)
        .prints(
            "job 1  1 host  exit 0  localhost\n    fine (2 lines, 6 B)\n\
             job 3  1 host  exit 3  localhost\n    100 (100 lines, 292 B)\n",
        );
    assert_eq!(
        home.jobs(&[&failed.to_string()])[0]["more"],
        true,
        "nothing was received"
    );
    home.regatta(&["fold", "77"]).exits(3);
}

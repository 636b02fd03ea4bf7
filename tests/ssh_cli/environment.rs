//! What the operator's environment sends along (`SendEnv`): it reaches the hosts, and no file.

use rustix::process::Signal;

use crate::console::{Console, log_everything, stands_nowhere};
use crate::support::{Ran, Running, kill, until};

/// What each of these says by its length, which may be known.
const FIRST: &str = "hush-hush";
const OF_THE_ONE_WHO_RESUMES: &str = "nobody-else-knows";
const OF_THE_ONE_WHO_RERUNS: &str = "whoever-it-may-be-again";

fn with_value(console: &Console, value: &str, arguments: &[&str]) -> Ran {
    let mut command = console.command(arguments);
    command.env("LC_REGATTA_TOKEN", value);
    Running::spawn(command).finish()
}

/// What a job's hosts wrote, all of it.
fn written(console: &Console, job: &str) -> Vec<String> {
    let ran = console.regatta(&["receive", "--keep", job]);
    let mut lines: Vec<String> = ran.out().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_variable_that_is_sent_comes_from_whoever_asks_and_stands_nowhere() {
    let test = "a_variable_that_is_sent_comes_from_whoever_asks_and_stands_nowhere";
    let Some(console) = Console::start(test) else {
        return;
    };
    let config = console.config_with("Host *\n SendEnv LC_REGATTA_TOKEN");
    log_everything(&console);
    let gate = console.gate();
    let line = format!("echo ${{#LC_REGATTA_TOKEN}}; : <{}", gate.path());
    let targets = "127.1.0.[1-2]";
    let arguments = [
        "-F", &config, "run", "--fanout", "1", "-t", targets, "--", &line,
    ];
    let job = with_value(&console, FIRST, &arguments).exits(0).out();
    let job = job.trim().to_owned();
    until("the first one has it", || {
        console.now(&job)["children"][0]["lines"]["out"] == 1
    });

    let of = |host: u8, value: &str| format!("127.1.0.{host}: {}", value.len());
    assert_eq!(written(&console, &job), [of(1, FIRST)]);

    // A queue that outlives its daemon goes on with what is there then.
    kill(console.daemon_pid(), Signal::KILL);
    until("it is gone", || console.daemons().is_empty());
    log_everything(&console);
    let open = gate.open();
    let resume = ["-F", &config, "resume", &job];
    with_value(&console, OF_THE_ONE_WHO_RESUMES, &resume).exits(0);
    console.regatta(&["wait", &job]).exits(1);
    let second = of(2, OF_THE_ONE_WHO_RESUMES);
    assert!(written(&console, &job).contains(&second));

    let rerun = ["-F", &config, "rerun", "--all", &job];
    let again = with_value(&console, OF_THE_ONE_WHO_RERUNS, &rerun).exits(0);
    let again = again.out().trim().to_owned();
    console.regatta(&["wait", &again]).exits(0);
    drop(open);
    assert_eq!(
        written(&console, &again),
        [1, 2].map(|host| of(host, OF_THE_ONE_WHO_RERUNS))
    );
    for value in [FIRST, OF_THE_ONE_WHO_RESUMES, OF_THE_ONE_WHO_RERUNS] {
        stands_nowhere(&console, value);
    }
}

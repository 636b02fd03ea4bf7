//! Logging in: keys from the caller's agent, host keys that become known, and whom a command runs as.

use std::process::Stdio;

use crate::console::{Console, came_to, child};
use crate::support::{Running, until};

#[test]
fn the_agent_is_the_callers() {
    let Some(console) = Console::start("the_agent_is_the_callers") else {
        return;
    };
    let fleet = &console.fleet;
    let config = console.file(
        "agent-config",
        format!(
            "Host *\n Port {}\n IdentityFile /nonexistent\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n",
            fleet.port,
            fleet.path("known_hosts").display()
        ),
    );
    let socket = console.path("agent");
    let mut agent = console.program("ssh-agent");
    agent
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let agent = Running::of(agent.spawn().expect("ssh-agent is installed"));
    until("the agent listens", || socket.exists());
    std::fs::copy(fleet.path("id_ed25519"), console.path("key")).expect("the fleet made it");
    let mut add = console.program("ssh-add");
    add.arg("-q")
        .arg(console.path("key"))
        .env("SSH_AUTH_SOCK", &socket);
    Running::spawn(add).finish().exits(0);

    // The daemon is started by somebody without an agent.
    let target = [
        "-F",
        &config,
        "run",
        "--wait",
        "-t",
        "127.1.0.1",
        "--",
        "echo in",
    ];
    console
        .regatta(&target)
        .exits(1)
        .says(&["auth failed: no key to try"]);
    let mut with_agent = console.command(&target);
    with_agent.env("SSH_AUTH_SOCK", &socket);
    Running::spawn(with_agent)
        .finish()
        .exits(0)
        .prints("127.1.0.1: in\n");
    // Somebody without it does not get in over the connection of somebody with it.
    console
        .regatta(&target)
        .exits(1)
        .says(&["auth failed: no key to try"]);
    drop(agent);
}

#[test]
fn a_host_key_that_becomes_known_lets_the_rerun_in() {
    let Some(console) = Console::start("a_host_key_that_becomes_known_lets_the_rerun_in") else {
        return;
    };
    let known = console.file("known", "");
    let config = console.config_with(&format!("Host *\n UserKnownHostsFile {known}"));
    let job = console.background_with(&config, &["--batch", "-t", "127.1.0.[1-2]"], "true");
    console.regatta(&["wait", &job]).exits(1);
    let now = console.now(&job);
    for host in ["127.1.0.1", "127.1.0.2"] {
        came_to(
            child(&now, host),
            "Failed",
            "host_key_unknown",
            &["compare the fingerprint"],
        );
    }
    assert_eq!(console.fleet.logins(), 0);
    std::fs::copy(console.fleet.path("known_hosts"), known).expect("the fleet made it");
    // At once: a new job is not told what was read for the one before.
    let ran = console.regatta(&["rerun", &job]).exits(0);
    console.regatta(&["wait", ran.out().trim()]).exits(0);
}

#[test]
fn a_command_runs_as_the_login_says() {
    let Some(console) = Console::start_with_other("a_command_runs_as_the_login_says") else {
        return;
    };
    let other = console.other();
    let target = format!("{other}@127.1.0.1");
    let line = "id -un; echo $REGATTA_HOST; cat /etc/shadow >/dev/null 2>&1 || echo no";
    let now = console.settled(0, &["-t", &target], line);
    let job = now["id"].to_string();
    assert_eq!(child(&now, &target)["state"], "Completed");
    let want = format!("{other}\n{target}\nno\n");
    console
        .regatta(&["receive", "-N", &job])
        .exits(0)
        .prints(&want);
}

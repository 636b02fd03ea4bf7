//! Who is asked: inventories, logins, addresses and ports.

use crate::console::Console;
use crate::fleet::sshd::free_port;

/// A client configuration that says nothing of ports and users.
fn bare_config(console: &Console) -> String {
    let fleet = &console.fleet;
    console.file(
        "bare",
        format!(
            "Host *\n IdentityFile {}\n IdentitiesOnly yes\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n",
            fleet.path("id_ed25519").display(),
            fleet.path("known_hosts").display()
        ),
    )
}

/// What each host says of itself: who it runs as, its name in the job, and which address and port were reached.
const WHO: &str = "set -- $SSH_CONNECTION; echo $(id -un) $REGATTA_HOST $3 $4";

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn an_inventory_says_where_hosts_are() {
    let Some(console) = Console::start_with_other("an_inventory_says_where_hosts_are") else {
        return;
    };
    let (port, other) = (console.fleet.port, console.other());
    let inventory = console.file(
        "inventory.toml",
        format!(
            r#"[hosts]
"web[1-3]" = {{ address = "127.5.0.[1-3]:{port}", labels = {{ role = "web" }} }}
db = {{ address = "127.5.0.9", port = {port}, user = "{other}" }}
"dead" = {{ address = "127.5.0.10:{free}" }}
[groups]
web = {{ labels = {{ role = "web" }} }}
all = "@web,db"
"#,
            free = free_port()
        ),
    );
    let config = console.file(
        "config.toml",
        format!(
            "inventory = \"{inventory}\"\nssh_config = \"{}\"\n",
            bare_config(&console)
        ),
    );
    let run = |targets: &str, more: &[&str]| {
        console.regatta(
            &[
                &["--config", &config, "run", "--wait", "-t", targets],
                more,
                &["--", WHO],
            ]
            .concat(),
        )
    };
    let web = |n: u32| format!("web{n}: root web{n} 127.5.0.{n} {port}");
    let db = format!("db: {other} db 127.5.0.9 {port}");
    assert_eq!(
        lines(&run("@all", &[]).exits(0).out()),
        [db.clone(), web(1), web(2), web(3)]
    );
    assert_eq!(
        lines(&run("@web", &["-x", "web2"]).exits(0).out()),
        [web(1), web(3)]
    );
    assert_eq!(lines(&run("@all!@web", &[]).exits(0).out()), [db]);
    // A login in the target comes before the one in the inventory.
    assert_eq!(
        lines(&run("root@db", &[]).exits(0).out()),
        [format!("root@db: root root@db 127.5.0.9 {port}")]
    );
    let ran = run("web[1-2],dead", &[])
        .exits(1)
        .says(&["dead: Failed, unreachable: connection refused (tried twice)"]);
    assert_eq!(lines(&ran.out()), [web(1), web(2)]);
    run("@nobody", &[]).exits(2).says(&["nobody"]);
    run("@web!web*", &[]).exits(3).says(&["matches no host"]);
}

#[test]
fn logins_and_ports_stand_in_targets() {
    let Some(console) = Console::start_with_other("logins_and_ports_stand_in_targets") else {
        return;
    };
    let (port, other) = (console.fleet.port, console.other());
    let config = bare_config(&console);
    let targets = format!("root@127.6.0.[1-2]:{port},{other}@127.6.0.1:{port}");
    let ran = console
        .with(&config, &["run", "--wait", "-t", &targets, "--", WHO])
        .exits(0);
    let mut want = Vec::new();
    for (user, host) in [("root", 1), ("root", 2), (other, 1)] {
        let name = format!("{user}@127.6.0.{host}:{port}");
        want.push(format!("{name}: {user} {name} 127.6.0.{host} {port}"));
    }
    want.sort();
    assert_eq!(lines(&ran.out()), want);
    assert_eq!(console.status()["connections"], 3, "one for each login");
    // What was run is found again under the same name.
    let job = console.jobs(&["last"])[0].clone();
    let one = format!("{}.{other}@127.6.0.1:{port}", job["id"]);
    let again = console.regatta(&["rerun", "--wait", &one]).exits(0);
    assert_eq!(
        again.out(),
        format!("{other}@127.6.0.1:{port}: {other} {other}@127.6.0.1:{port} 127.6.0.1 {port}\n")
    );
    // Names of hosts that cannot be are refused before anything starts.
    for (bad, why) in [
        ("-t=-oProxyCommand=x", "a host name cannot contain '='"),
        ("-t=a$b", "a host name cannot contain '$'"),
        ("-t=root@", "user@host needs both a user and a host"),
        ("-t=127.6.0.1:99999", "is not a port number"),
    ] {
        console
            .with(&config, &["run", bad, "--", "true"])
            .exits(2)
            .says(&[why]);
    }
}

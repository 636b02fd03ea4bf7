//! Where the daemon's files are, and what happens where they cannot be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Home, Running};

#[test]
fn without_any_directory_only_the_daemon_is_missing() {
    let home = Home::new();
    let bare = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env_remove("HOME").env_remove("XDG_RUNTIME_DIR");
        Running::spawn(command).finish()
    };
    for arguments in [
        &["jobs"][..],
        &["run", "--local", "--", "true"],
        &["daemon", "start"],
        &["daemon", "status"],
    ] {
        bare(arguments)
            .exits(2)
            .says(&["XDG_RUNTIME_DIR", "HOME", "hint: ", "--no-daemon"])
            .prints("");
    }
    bare(&["--no-daemon", "run", "--local", "--", "echo works"])
        .exits(0)
        .prints("localhost: works\n");
    bare(&["hosts", "web[1-2]"]).exits(0).prints("web1\nweb2\n");
}

#[test]
fn without_a_runtime_directory_the_state_directory_is_used() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env_remove("XDG_RUNTIME_DIR");
        Running::spawn(command).finish()
    };
    run(&["run", "--local", "--wait", "--", "echo hi"])
        .exits(0)
        .prints("localhost: hi\n");
    let dir = home.path("home/.local/state/regatta/run");
    assert_eq!(
        fs::metadata(&dir)
            .expect("it was made")
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    run(&["daemon", "stop"]).exits(0);
}

#[test]
fn places_that_cannot_be_used_are_refused_with_the_reason() {
    let home = Home::new();
    let file = home.file("file", "");
    fs::create_dir_all(home.path("open/regatta")).expect("a directory");
    fs::set_permissions(home.path("open/regatta"), fs::Permissions::from_mode(0o755))
        .expect("ours");
    fs::create_dir_all(home.path("linked")).expect("a directory");
    symlink(home.path("run"), home.path("linked/regatta")).expect("a link");
    fs::create_dir_all(home.path("sealed")).expect("a directory");
    fs::set_permissions(home.path("sealed"), fs::Permissions::from_mode(0o500)).expect("ours");
    let long = home.path(&"long/".repeat(25));
    fs::create_dir_all(&long).expect("a directory");
    let mut cases = vec![
        // Nobody can write there, not even root.
        ("/proc".to_string(), "cannot create /proc/regatta"),
        (file, "cannot create"),
        (
            home.path("open").display().to_string(),
            "can be entered by others",
        ),
        (
            home.path("linked").display().to_string(),
            "is not a directory",
        ),
        (long.display().to_string(), "too long"),
    ];
    if !rustix::process::geteuid().is_root() {
        cases.push((home.path("sealed").display().to_string(), "cannot create"));
    }
    for (runtime, part) in cases {
        let run = |arguments: &[&str]| {
            let mut command = home.command(arguments);
            command.env("XDG_RUNTIME_DIR", &runtime);
            Running::spawn(command).finish()
        };
        run(&["run", "--local", "--", "true"])
            .exits(2)
            .says(&[part, "hint: "]);
        run(&["daemon", "start"]).exits(2).says(&[part]);
        run(&["daemon", "run"]).exits(2).says(&[part, "hint: "]);
        run(&["--no-daemon", "run", "--local", "--", "echo works"])
            .exits(0)
            .prints("localhost: works\n");
    }
    assert_eq!(home.daemons(), Vec::<u32>::new());
}

#[test]
fn a_socket_that_is_no_socket_is_replaced_or_named() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);
    fs::write(home.socket(), "left over").expect("a file");
    home.regatta(&["run", "--local", "--wait", "--", "true"])
        .exits(0);
    home.regatta(&["daemon", "stop"]).exits(0);
    fs::create_dir(home.socket()).expect("a directory");
    home.regatta(&["run", "--local", "--", "true"])
        .exits(2)
        .says(&["socket"]);
    fs::remove_dir(home.socket()).expect("it is empty");
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    let home = Home::new();
    fs::create_dir_all(home.path("home/.config/regatta")).expect("a directory");
    let write = |text: &str| {
        fs::write(home.path("home/.config/regatta/config.toml"), text).expect("a file");
    };
    for (text, parts) in [
        (
            "[run]\nfanuot = 3\n",
            &["config.toml", "line 2", "did you mean fanout?"][..],
        ),
        (
            "connect_timeout = \"5s\"\n",
            &["config.toml", "line 1", "connect_timeout belongs in [run]"],
        ),
        ("[run]\ngrace = \"soon\"\n", &["config.toml", "run.grace"]),
        (
            "[keep]\nage = \"ever\"\n",
            &["config.toml", "keep.age", "not a time"],
        ),
        (
            "[buffer]\njob = \"2 pounds\"\n",
            &["config.toml", "buffer.job", "not a size", "2GiB"],
        ),
        ("nonsense\n", &["config.toml", "line 1"]),
        ("\u{0}", &["config.toml"]),
    ] {
        write(text);
        home.regatta(&["jobs"]).exits(2).says(parts);
    }
    write("inventory = \"missing.toml\"\n");
    home.regatta(&["hosts"]).exits(2).says(&["missing.toml"]);
    write("[run]\nconfirm_above = 2\nfanout = 5\n");
    let job = home.job("true");
    assert_eq!(home.job_now(job)["fanout"], 5);
}

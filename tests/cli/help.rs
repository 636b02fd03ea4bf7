//! Help, completions and the manual page.

use clap::CommandFactory;
use regatta::command::Cli;

use crate::support::{Home, Running, installed, skipped};

/// Every verb with its parents, `daemon start` for one.
fn verbs(command: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for verb in command
        .get_subcommands()
        .filter(|verb| verb.get_name() != "help")
    {
        let path: Vec<String> = path
            .iter()
            .cloned()
            .chain([verb.get_name().to_string()])
            .collect();
        found.extend(verbs(verb, &path));
        found.push(path);
    }
    found
}

#[test]
fn every_verb_and_option_is_explained() {
    let home = Home::new();
    let mut cli = Cli::command();
    cli.build();
    for path in verbs(&cli, &[]) {
        let verb = path
            .iter()
            .try_fold(&cli, |command, name| command.find_subcommand(name))
            .expect("just found");
        assert!(verb.get_about().is_some(), "{path:?} has no description");
        for option in verb.get_arguments() {
            // One value among few explains itself.
            let few = !option.get_possible_values().is_empty() && option.is_positional();
            assert!(
                option.get_help().is_some() || few,
                "{path:?}: {} is not explained",
                option.get_id()
            );
        }
        let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let ran = home.regatta(&words).exits(0);
        assert!(ran.out().contains("Usage: regatta"), "{ran:?}");
        assert_eq!(ran.err(), "");
    }
    home.regatta(&["--version"])
        .exits(0)
        .prints(&format!("regatta {}\n", env!("CARGO_PKG_VERSION")));
    // Without a verb it is the console, which needs a terminal.
    home.regatta(&[])
        .exits(2)
        .says(&["the console needs a terminal", "regatta --help"]);
    home.regatta(&["--read-only"])
        .exits(2)
        .says(&["needs a terminal"]);
    let wrong = home.regatta(&["--no-such-option"]).exits(2);
    assert!(wrong.err().contains("--no-such-option"), "{wrong:?}");
}

#[test]
fn completions_are_scripts_their_shells_can_read() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.regatta(&["completions", shell]).exits(0).out();
        assert!(
            script.contains("regatta") && script.contains("throttle"),
            "{shell}"
        );
        if !["bash", "zsh", "fish"].contains(&shell) {
            continue;
        }
        if !installed(shell) {
            // zsh and fish are not needed for anything else, so it is no loss worth failing for.
            if shell == "bash" {
                skipped("bash is not installed, so its completions are not checked");
            }
            continue;
        }
        let file = home.file(&format!("completions.{shell}"), script);
        let mut check = home.program(shell);
        check.args(["-n", &file]);
        Running::spawn(check).finish().exits(0);
    }
    home.regatta(&["completions", "cmd"]).exits(2);
}

#[test]
fn the_manual_page_has_every_verb() {
    let home = Home::new();
    let page = home.regatta(&["man"]).exits(0).out();
    assert!(
        page.starts_with(".ie") || page.starts_with(".TH"),
        "{}",
        &page[..80]
    );
    for path in verbs(&Cli::command(), &[]) {
        let name = path.last().expect("a name").replace('-', "\\-");
        assert!(page.contains(&name), "{path:?} is not in the manual");
    }
    // A reader that has seen enough is no error.
    let mut head = home.program("/bin/sh");
    head.args(["-c", "\"$0\" man | head -n1", env!("CARGO_BIN_EXE_regatta")]);
    let ran = Running::spawn(head).finish().exits(0);
    assert_eq!(ran.err(), "");
}

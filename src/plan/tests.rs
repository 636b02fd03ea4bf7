//! From command lines to jobs, with the surroundings given.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Parser as _;

use super::{Caller, PlanError, Planner, Stdin};
use crate::command::{Cli, Verb};
use crate::config::settings::{File, Settings};
use crate::config::ssh_config::LocalEnv;
use crate::core::fleet::Command;
use crate::core::select::Selector;
use crate::core::spec::{Asking, JobSpec, Motion, Payload};
use crate::secret::Environment;
use crate::wire::Request;
use crate::wire::request::Rerun;

const INVENTORY: &str = "[hosts.\"web[01-03]\"]\nport = 2222\n[groups]\nweb = \"web[01-03]\"\n";

/// A directory with an inventory, and somebody who stands in it.
struct Place {
    directory: tempfile::TempDir,
    settings: Settings,
    caller: Caller,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let inventory = directory.path().join("inventory.toml");
        std::fs::write(&inventory, INVENTORY).expect("a file");
        let settings = Settings {
            inventory: File::Named(inventory),
            ..Settings::defaults(None)
        };
        let caller = Caller {
            directory: Ok(directory.path().to_path_buf()),
            agent: Some(PathBuf::from("/run/agent")),
            stdin: Stdin::Keys,
            local: LocalEnv {
                user: "ops".to_string(),
                home: directory.path().to_path_buf(),
                hostname: "desk".to_string(),
                uid: rustix::process::getuid().as_raw(),
                variables: HashMap::new(),
            },
        };
        Self {
            directory,
            settings,
            caller,
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).expect("a file");
    }

    fn planned<T>(&self, words: &[&str], plan: impl FnOnce(Planner<'_>, Verb) -> T) -> T {
        let typed = Cli::try_parse_from(["regatta"].iter().chain(words)).expect("a command line");
        let planner = Planner {
            settings: &self.settings,
            global: &typed.global,
            caller: &self.caller,
        };
        plan(planner, typed.verb)
    }

    fn job(&self, words: &[&str]) -> Result<JobSpec, PlanError> {
        self.planned(words, |planner, verb| match verb {
            Verb::Run(run) => planner.job(&run),
            other => panic!("{other:?} is no run"),
        })
    }
}

#[test]
fn a_job_takes_hosts_from_the_inventory_and_the_rest_from_settings_and_caller() {
    let place = Place::new();
    let words = [
        "run", "-F", "none", "-t", "@web", "-x", "web02", "--", "uptime",
    ];
    let job = place.job(&words).expect("a job");
    let hosts: Vec<(&str, Option<u16>)> = job
        .hosts
        .iter()
        .map(|host| (host.name.as_str(), host.port))
        .collect();
    assert_eq!(hosts, [("web01", Some(2222)), ("web03", Some(2222))]);
    assert_eq!(job.targets, "web[01,03]");
    assert_eq!(job.payload, Payload::Command("uptime".to_string()));
    assert_eq!(job.fanout, place.settings.fanout);
    let option = |name: &str| {
        let found = job.options.iter().find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(option("agent"), Some("/run/agent"));
    assert_eq!(option("ssh_config"), Some("none"));
    assert_eq!(option("connect_timeout"), None);
}

#[test]
fn what_the_inventory_says_of_hops_goes_with_the_job() {
    let place = Place::new();
    place.write(
        "inventory.toml",
        "[hosts.bastion]\naddress = \"10.0.0.1\"\nuser = \"ops\"\n[hosts.\"jump-*\"]\nport = 2222\n[hosts.\"jump-web01\"]\n[hosts.bystander]\nport = 3\n",
    );
    place.write(
        "config",
        "Host db*\n ProxyJump you@bastion:22,unknown\nHost web*\n ProxyJump jump-%h\n",
    );
    let job = place
        .job(&["run", "-F", "config", "-t", "web01,db1", "--", "true"])
        .expect("a job");
    let hops: Vec<_> = job
        .options
        .iter()
        .filter(|(name, _)| name.starts_with("hop_"))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    assert_eq!(
        hops,
        [
            "hop_address bastion 10.0.0.1",
            "hop_port jump-web01 2222",
            "hop_user bastion ops"
        ]
    );
}

#[test]
fn files_are_looked_for_where_the_caller_stands() {
    let place = Place::new();
    place.write("hosts.txt", "web01 # first\nweb03\n");
    place.write("check.py", "#!/usr/bin/python3\nprint(1)\n");
    let job = place
        .job(&["run", "-t", "^hosts.txt", "--script", "check.py"])
        .expect("a job");
    assert_eq!(job.targets, "web[01,03]");
    let Payload::Script {
        name, interpreter, ..
    } = job.payload
    else {
        panic!("no script");
    };
    assert_eq!(
        (name.as_str(), interpreter.as_str()),
        ("check.py", "/usr/bin/python3")
    );
}

#[test]
fn mistakes_are_told_apart() {
    let place = Place::new();
    let cases: [(&[&str], &str); 6] = [
        (&["run", "--", "uptime"], "Usage: no targets"),
        (
            &["run", "-t", " ", "--", "uptime"],
            "Nothing: no targets: the expression is empty",
        ),
        (
            &["run", "-t", "db*", "--", "uptime"],
            "Nothing: db* matches no host",
        ),
        (
            &["run", "-t", "web[3-1]", "--", "uptime"],
            "Targets: the range ends before it begins, in \"web[3-1]\"",
        ),
        (&["run", "-t", "web01"], "Usage: nothing to run"),
        (
            &["run", "-t", "web01", "-"],
            "Usage: cannot read a script from stdin: the keys come from there; name a file instead",
        ),
    ];
    for (words, want) in cases {
        let error = place.job(words).expect_err("a mistake");
        let kind = match &error {
            PlanError::Usage { .. } => "Usage",
            PlanError::Nothing { .. } => "Nothing",
            PlanError::Failed { .. } => "Failed",
            PlanError::Targets(_) => "Targets",
        };
        assert_eq!(format!("{kind}: {error}"), want, "{words:?}");
    }
}

#[test]
fn what_has_no_effect_is_noted_once_if_it_matters() {
    let place = Place::new();
    place.write(
        "config",
        "Host web*\n  RemoteCommand x\n  LogLevel DEBUG\n  ForwardAgent no\n",
    );
    let notes = place.planned(
        &["run", "-F", "config", "-t", "@web", "--", "uptime"],
        |planner, verb| match verb {
            Verb::Run(run) => planner.ssh_notes(&planner.job(&run).expect("a job")),
            other => panic!("{other:?} is no run"),
        },
    );
    let notes = notes.expect("a configuration");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("config:2: RemoteCommand"), "{notes:?}");
}

#[test]
fn variables_that_some_host_is_sent_go_with_the_job() {
    let mut place = Place::new();
    for (name, value) in [("LANG", "C.UTF-8"), ("LC_TIME", "POSIX"), ("TOKEN", "hush")] {
        let variables = &mut place.caller.local.variables;
        variables.insert(name.to_string(), value.to_string());
    }
    place.write(
        "config",
        "Host web*\n SendEnv LANG\nHost db*\n SendEnv LC_*\n",
    );
    let words = ["run", "-F", "config", "-t", "@web", "--", "uptime"];
    let job = place.job(&words).expect("a job");
    assert!(!format!("{job:?}").contains("POSIX"), "it is written down");
    let sent = |request: Request| {
        let (Request::Submit { environment, .. }
        | Request::InEnvironment { environment, .. }
        | Request::Rerun { environment, .. }) = place
            .planned(&["-F", "config", "queries"], |planner, _| {
                planner.in_environment(request)
            })
        else {
            panic!("it starts commands");
        };
        let mut sent: Vec<String> = environment
            .iter()
            .map(|(name, value)| format!("{name}={}", value.reveal()))
            .collect();
        sent.sort();
        sent
    };
    let resumed = Command::Move {
        select: vec![Selector::new("7")],
        motion: Motion::Resume,
    };
    let again = Request::Rerun {
        select: vec![Selector::new("7")],
        which: Rerun::All,
        asking: Asking::Never,
        becomes: None,
        environment: Environment::default(),
    };
    let requests = [
        Request::Submit {
            spec: Box::new(job),
            environment: Environment::default(),
            secrets: Vec::new(),
        },
        Request::Command(resumed),
        again,
    ];
    for request in requests {
        assert_eq!(sent(request), ["LANG=C.UTF-8", "LC_TIME=POSIX"]);
    }
    place.write("config", "SendEnv PATH=\n");
    assert!(place.job(&words).is_err());
}

#[test]
fn a_receive_names_its_hosts_one_by_one() {
    let place = Place::new();
    let receive = place.planned(
        &["receive", "7", "--host", "@web!web02", "--keep"],
        |planner, verb| match verb {
            Verb::Receive(receive) => planner.receive(&receive),
            other => panic!("{other:?} is no receive"),
        },
    );
    let hosts = receive.expect("a receive").hosts.expect("hosts");
    assert_eq!(hosts, ["web01", "web03"]);
}

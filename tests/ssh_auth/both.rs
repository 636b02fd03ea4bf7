//! One server, reached by `ssh` and by regatta with the same configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use regatta::core::spec::Ended;
use regatta::runner::{Order, Runner};
use regatta::secret::Environment;

use crate::fleet::sshd::Fleet;
use crate::fleet::{self, Job, command, within};

pub const HOST: &str = "127.1.0.1";

/// What one of the two came to.
#[derive(Debug)]
pub struct Came {
    /// Standard output, if the command ended with 0.
    pub out: Option<String>,
    /// What the server was shown, in order, and what it made of it: `Failed` or `Accepted` with the fingerprint.
    pub shown: Vec<String>,
    pub why: String,
}

/// One server, to be reached both ways.
pub struct Both {
    pub fleet: Fleet,
    /// The agent's socket, if there is to be one.
    pub agent: Option<PathBuf>,
}

impl Both {
    pub fn start(test: &str, extra: &str) -> Option<Self> {
        let fleet = Fleet::start(test, &format!("{extra}\nLogLevel VERBOSE"))?;
        Some(Self { fleet, agent: None })
    }

    pub fn let_in(&self, public: &str) {
        let file = self.fleet.path("authorized_keys");
        let text = fs::read_to_string(&file).expect("the fleet made it");
        fs::write(&file, format!("{text}{public}\n")).expect("ours");
    }

    /// A configuration for this server with the user's own lines first; where they say nothing of keys and known hosts,
    /// there are none.
    pub fn config(&self, text: &str) -> PathBuf {
        let path = self.fleet.path("own_config");
        let known = self.fleet.path("known_hosts");
        let rest = format!(
            "{text}\nPort {}\nIdentityFile none\nUserKnownHostsFile {}\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\nBatchMode yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            self.fleet.port,
            known.display()
        );
        fs::write(&path, rest).expect("ours");
        path
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.fleet.path("sshd.log")).expect("sshd writes a log")
    }

    /// What the log has gained, as far as keys are concerned.
    fn shown_since(&self, before: usize) -> Vec<String> {
        let log = self.log();
        let lines = log[before..].lines();
        lines
            .filter(|line| line.contains(" publickey for "))
            .filter(|line| line.starts_with("Failed") || line.starts_with("Accepted"))
            .map(|line| {
                let verdict = line.split(' ').next().unwrap_or_default();
                let key = line.split("ssh2: ").nth(1).unwrap_or_default();
                format!("{verdict} {key}")
            })
            .collect()
    }

    pub fn ssh(&self, config: &Path, line: &str) -> Came {
        let before = self.log().len();
        let mut program = Command::new("ssh");
        program
            .arg("-F")
            .arg(config)
            .args(["-o", "LogLevel=ERROR", HOST, line])
            .stdin(Stdio::null())
            .env_remove("SSH_AUTH_SOCK")
            .env("LC_REGATTA", "from-here");
        if let Some(agent) = &self.agent {
            program.env("SSH_AUTH_SOCK", agent);
        }
        let ran = program.output().expect("ssh is installed");
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        Came {
            out: ran.status.success().then_some(out),
            shown: self.shown_since(before),
            why: String::from_utf8_lossy(&ran.stderr).into_owned(),
        }
    }

    pub fn order(&self, config: &Path, line: &str) -> Order {
        let mut order = fleet::on(HOST, command(line));
        let mut options = vec![("ssh_config".to_owned(), config.display().to_string())];
        if let Some(agent) = &self.agent {
            options.push(("agent".to_owned(), agent.display().to_string()));
        }
        order.options = options.into();
        let (name, value) = ("LC_REGATTA".to_owned(), "from-here".to_owned());
        order.environment = Arc::new(Environment::of([(&name, &value)]));
        order
    }

    pub async fn regatta(&self, config: &Path, line: &str) -> Came {
        let before = self.log().len();
        let ssh = self.fleet.runner();
        let runner: Arc<dyn Runner> = Arc::clone(&ssh) as Arc<dyn Runner>;
        let outcome = within(Job::start(&runner, self.order(config, line)).finish()).await;
        ssh.close_all().await;
        let out = outcome.text();
        let why = match &outcome.ended {
            Ended::NotStarted(reason) => reason.to_string(),
            other => format!("{other:?}"),
        };
        Came {
            out: (outcome.ended == Ended::Exited(0)).then_some(out),
            shown: self.shown_since(before),
            why,
        }
    }

    /// Runs the same both ways, which must come to the same; what regatta came to.
    pub async fn same(&self, what: &str, text: &str) -> Came {
        self.same_line(what, text, "echo in").await
    }

    pub async fn same_line(&self, what: &str, text: &str, line: &str) -> Came {
        let config = self.config(text);
        let theirs = self.ssh(&config, line);
        let ours = self.regatta(&config, line).await;
        assert_eq!(
            ours.out, theirs.out,
            "{what}:\n{text}\nssh: {theirs:?}\nregatta: {ours:?}"
        );
        ours
    }

    /// The same, with the same keys shown in the same order.
    pub async fn same_keys(&self, what: &str, text: &str) -> Came {
        let config = self.config(text);
        let theirs = self.ssh(&config, "echo in");
        let ours = self.regatta(&config, "echo in").await;
        assert_eq!(
            (&ours.out, &ours.shown),
            (&theirs.out, &theirs.shown),
            "{what}:\n{text}\nssh: {theirs:?}\nregatta: {ours:?}"
        );
        ours
    }
}

impl Came {
    pub fn gets_in(&self) -> bool {
        self.out.is_some()
    }

    pub fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.why.contains(part), "no {part:?} in {:?}", self.why);
        }
    }
}

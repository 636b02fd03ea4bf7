//! A fleet behind bastions: one server is all hosts (127.*), others are the hops.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended, Payload};
use regatta::runner::ssh::{Keep, Ssh};
use regatta::runner::{Order, Runner};

use crate::fleet::sshd::{Fleet, env};
use crate::fleet::{Job, Outcome, on, within};

pub struct Lab {
    pub hosts: Fleet,
    /// They are called `bastion`, `bastion2` and so on.
    pub bastions: Vec<Fleet>,
    config: PathBuf,
}

/// A host of the fleet.
pub const HOST: &str = "127.1.0.1";

pub const BASTION: &str = "bastion";

impl Lab {
    /// A fleet that is reached as `way` says, an option of ssh_config(5), and bastions with these lines in their
    /// configurations.
    pub fn start(test: &str, way: &str, bastions: &[&str]) -> Option<Self> {
        Self::start_with(test, way, bastions, "")
    }

    /// The same with more lines in the configuration of the hosts' server.
    pub fn start_with(test: &str, way: &str, bastions: &[&str], hosts: &str) -> Option<Self> {
        let hosts = Fleet::start(test, hosts)?;
        let bastions = bastions.iter().map(|extra| Fleet::start(test, extra));
        let lab = Self {
            config: hosts.path("lab_config"),
            bastions: bastions.collect::<Option<_>>()?,
            hosts,
        };
        lab.configure(way, "");
        Some(lab)
    }

    /// Writes the configuration: the hosts are reached like this, and `first` comes before all else.
    pub fn configure(&self, way: &str, first: &str) {
        let mut text = format!("{first}\n");
        let names = [BASTION, "bastion2", "bastion3"];
        for (name, bastion) in names.iter().zip(&self.bastions) {
            let _ = writeln!(
                text,
                "Host {name}\n HostName 127.9.0.1\n{}",
                settings(bastion)
            );
        }
        let _ = writeln!(text, "Host 127.*\n {way}\n{}", settings(&self.hosts));
        text.push_str(
            "Host *\n IdentitiesOnly yes\n GlobalKnownHostsFile /dev/null\n LogLevel ERROR\n",
        );
        std::fs::write(&self.config, text).expect("a directory of our own");
    }

    pub fn bastion(&self) -> &Fleet {
        &self.bastions[0]
    }

    /// The configuration, for `ssh -F`.
    pub fn config(&self) -> &PathBuf {
        &self.config
    }

    pub fn runner(&self) -> Arc<Ssh> {
        self.runner_keeping(Keep::default())
    }

    pub fn runner_keeping(&self, keep: Keep) -> Arc<Ssh> {
        let home = self.config.parent().expect("it lies in a directory");
        Arc::new(Ssh::keeping(keep, env(home)))
    }

    pub fn order(&self, host: &str, payload: Payload) -> Order {
        let mut order = on(host, payload);
        order.options = Arc::new([("ssh_config".to_owned(), self.config.display().to_string())]);
        order
    }

    pub fn order_asking(&self, host: &str, payload: Payload) -> Order {
        Order {
            asking: Asking::Allowed,
            ..self.order(host, payload)
        }
    }
}

/// How a server is logged in to.
fn settings(fleet: &Fleet) -> String {
    format!(
        " Port {}\n IdentityFile {}\n UserKnownHostsFile {}\n",
        fleet.port,
        fleet.path("id_ed25519").display(),
        fleet.path("known_hosts").display()
    )
}

pub fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

pub async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

/// Why a command could not be started.
pub async fn not_started(ssh: &Arc<Ssh>, order: Order) -> Reason {
    match run(ssh, order).await.ended {
        Ended::NotStarted(reason) => reason,
        other => panic!("it should not start: {other:?}"),
    }
}

/// The same in words, which contain these.
pub async fn fails(ssh: &Arc<Ssh>, order: Order, words: &[&str]) {
    let reason = not_started(ssh, order).await.to_string();
    for words in words {
        assert!(reason.contains(words), "{reason:?} without {words:?}");
    }
}

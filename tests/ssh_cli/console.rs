//! One test's console and fleet: a home with a daemon of its own, and an SSH server that is any number of computers.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::fleet::sshd::Fleet;
use crate::support::{Home, Ran, Running, contains, installed, skipped};

/// See the module.  The home goes first: its daemon is stopped, and nothing may be left, while the servers still run.
pub struct Console {
    home: Home,
    pub fleet: Fleet,
}

impl Deref for Console {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Console {
    /// `None`, and a word about it, where there is no sshd.
    pub fn start(test: &str) -> Option<Self> {
        let home = Home::new();
        let fleet = Fleet::start_marking(test, &marks(&home))?;
        Some(Self { home, fleet })
    }

    /// The same with a login that is not root; `None` where there can be none.
    pub fn start_with_other(test: &str) -> Option<Self> {
        let home = Home::new();
        let fleet = Fleet::start_marking_with_other(test, &marks(&home))?;
        fleet.other.as_ref()?;
        Some(Self { home, fleet })
    }

    /// The same with more lines in the server's configuration.
    pub fn start_with_other_and(test: &str, extra: &str) -> Option<Self> {
        let home = Home::new();
        let fleet = Fleet::start_marking_with_other_and(test, &marks(&home), extra)?;
        fleet.other.as_ref()?;
        Some(Self { home, fleet })
    }

    /// The same with a login that is let in with this password only; `None` where there can be none.
    pub fn start_with_password(test: &str, password: &str) -> Option<Self> {
        let home = Home::new();
        let extra = "Match User regatta*\n PasswordAuthentication yes\n PubkeyAuthentication no";
        let fleet = Fleet::start_with_password(test, extra, &marks(&home), password)?;
        Some(Self { home, fleet })
    }

    /// The same with a login that may do everything by sudo, with this password; `None` where there can be none.
    pub fn start_with_sudo(test: &str, password: &str) -> Option<Self> {
        if !installed("sudo") {
            skipped(&format!("{test}: sudo is not installed"));
            return None;
        }
        let home = Home::new();
        let fleet = Fleet::start_with_password(test, "", &marks(&home), password)?;
        let login = fleet.other.as_ref()?;
        login.may("Defaults:ME env_keep += REGATTA_TEST\nME ALL=(ALL) ALL");
        Some(Self { home, fleet })
    }

    /// The name of the login that is not root.
    pub fn other(&self) -> &str {
        &self.fleet.other.as_ref().expect("started with one").name
    }

    /// The client configuration for this fleet.
    pub fn config(&self) -> String {
        utf8(&self.fleet.path("ssh_config"))
    }

    /// A client configuration that begins with `text` and then goes on as this fleet's.
    pub fn config_with(&self, text: &str) -> String {
        let rest = std::fs::read_to_string(self.fleet.path("ssh_config")).expect("it was made");
        self.file("ssh_config", format!("{text}\n{rest}"))
    }

    /// Runs regatta with a client configuration.
    pub fn with(&self, config: &str, arguments: &[&str]) -> Ran {
        self.regatta(&[&["-F", config], arguments].concat())
    }

    /// Starts a job in the background; its id.
    pub fn background(&self, options: &[&str], line: &str) -> String {
        self.background_with(&self.config(), options, line)
    }

    pub fn background_with(&self, config: &str, options: &[&str], line: &str) -> String {
        let arguments = [&["run"], options, &["--", line]].concat();
        let ran = self.with(config, &arguments).exits(0);
        ran.out().trim().to_owned()
    }

    /// Runs a job, waits until it has settled, and says what became of it.
    pub fn settled(&self, code: i32, options: &[&str], line: &str) -> Value {
        let job = self.background(options, line);
        self.regatta(&["wait", &job]).exits(code);
        self.now(&job)
    }

    /// A job as it is now, with its children.
    pub fn now(&self, job: &str) -> Value {
        self.jobs(&[job])[0].clone()
    }

    /// How many children of a job are in a state.
    pub fn count(&self, job: &str, state: &str) -> u64 {
        self.now(job)["counts"][state].as_u64().unwrap_or(0)
    }

    /// The live processes of a job on its hosts, but for what their watchers wait with.
    pub fn remains(&self, job: &str) -> Vec<u32> {
        self.alive(job.parse().expect("an id"))
    }

    /// Starts receiving a job as records until it has settled.
    pub fn follow(&self, job: &str) -> Running {
        self.start_regatta(&["receive", "--wait", "--ndjson", job])
    }

    pub fn start_regatta(&self, arguments: &[&str]) -> Running {
        self.home.start(arguments)
    }

    /// A gate that commands wait at, without being busy: `: <PATH` goes on once it is open.
    pub fn gate(&self) -> Gate {
        let path = self.fleet.path("gate");
        let made = Command::new("mkfifo")
            .args(["-m", "666"])
            .arg(&path)
            .status();
        assert!(made.expect("there is mkfifo").success());
        Gate { path }
    }
}

/// What the servers give to everything they start, so that what is left of it is found.
fn marks(home: &Home) -> String {
    let command = home.command(&[]);
    let mut set = command.get_envs();
    let mark = set.find_map(|(name, value)| (name == "REGATTA_TEST").then_some(value?));
    let mark = mark
        .and_then(|mark| mark.to_str())
        .expect("every test has its mark");
    format!("REGATTA_TEST={mark}")
}

/// See [`Console::gate`].
pub struct Gate {
    path: PathBuf,
}

impl Gate {
    pub fn path(&self) -> String {
        utf8(&self.path)
    }

    /// Lets everybody through for as long as the result lives.
    pub fn open(&self) -> File {
        // Opened for both, so that it does not wait for anybody.
        let opened = File::options().read(true).write(true).open(&self.path);
        opened.expect("the gate was made")
    }
}

fn utf8(path: &Path) -> String {
    path.to_str().expect("a UTF-8 path").to_owned()
}

/// The child on a host.
#[track_caller]
pub fn child<'a>(job: &'a Value, host: &str) -> &'a Value {
    let children = job["children"].as_array().expect("asked for by its id");
    let found = children.iter().find(|child| child["host"] == host);
    found.unwrap_or_else(|| panic!("no child on {host}: {job:#}"))
}

/// A child has come to this state, for a reason of this kind with these words in its text.
#[track_caller]
pub fn came_to(child: &Value, state: &str, kind: &str, words: &[&str]) {
    let text = child["reason"]["text"].as_str().unwrap_or_default();
    assert!(
        child["state"] == state
            && child["reason"]["kind"] == kind
            && words.iter().all(|word| text.contains(word)),
        "should be {state}, {kind}, {words:?}: {child:#}"
    );
}

/// What records of `receive --ndjson` hold of each host: standard output and standard error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// Bytes that were cut out.
    pub dropped: u64,
    /// The state it ended in, if it has.
    pub ended: Option<String>,
}

#[track_caller]
pub fn said(records: &[Value]) -> BTreeMap<String, Said> {
    let mut hosts = BTreeMap::<String, Said>::new();
    for record in records {
        let host = record["host"].as_str().expect("every record has its host");
        let said = hosts.entry(host.to_owned()).or_default();
        if let Some(state) = record["end"]["state"].as_str() {
            let before = said.ended.replace(state.to_owned());
            assert_eq!(before, None, "{host} ends once");
            continue;
        }
        if let Some(bytes) = record["dropped"]["bytes"].as_u64() {
            said.dropped += bytes;
            continue;
        }
        assert_eq!(said.ended, None, "the end comes last: {record}");
        let data = match (record["data"].as_str(), record["data_b64"].as_str()) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(coded)) => BASE64_STANDARD.decode(coded).expect("base64"),
            _ => panic!("neither data nor data_b64, or both: {record}"),
        };
        match record["stream"].as_str() {
            Some("out") => said.out.extend(data),
            Some("err") => said.err.extend(data),
            _ => panic!("no stream: {record}"),
        }
    }
    hosts
}

/// Starts the daemon so that its log tells everything it ever would.
pub fn log_everything(console: &Console) {
    let mut daemon = console.command(&["daemon", "start"]);
    daemon.env("REGATTA_LOG", "trace");
    Running::spawn(daemon).finish().exits(0);
}

/// No file of the home has these words in it: neither store, nor log, nor audit log.
pub fn stands_nowhere(console: &Console, words: &str) {
    let mut seen = 0;
    let mut look = vec![console.path("")];
    while let Some(path) = look.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("ours");
            look.extend(entries.map(|entry| entry.expect("ours").path()));
        } else if path.is_file() {
            seen += 1;
            let text = std::fs::read(&path).expect("ours");
            assert!(!contains(&text, words.as_bytes()), "{}", path.display());
        }
    }
    assert!(seen > 3, "the state is there");
}

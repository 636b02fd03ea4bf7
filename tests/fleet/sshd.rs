//! A real OpenSSH server for one test: every address in 127.0.0.0/8 is a host of it.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use regatta::config::ssh_config::LocalEnv;
use regatta::core::spec::{Asking, Host, Payload};
use regatta::runner::Order;
use regatta::runner::ssh::{Keep, Ssh};
use tempfile::TempDir;

/// Logins made so far, for names that differ.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// useradd(8) and userdel(8) give up at once when the other is at work.
static PASSWORD_FILE: Mutex<()> = Mutex::new(());

/// Seconds a login may take, as sshd has it by default.
const GRACE: u32 = 120;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet-sshd.sh");

/// Ends with the test, and the server with it.
pub struct Fleet {
    directory: TempDir,
    pub port: u16,
    settings: Vec<(&'static str, String)>,
    /// A login that is not root, when there can be one.
    pub other: Option<Login>,
}

/// Somebody else who may log in, made for one test and unmade after it.
pub struct Login {
    pub name: String,
}

impl Login {
    /// Lets it do by sudo what these rules say; `ME` in them is its name.  Unmade with the login.
    pub fn may(&self, rules: &str) {
        use std::os::unix::fs::OpenOptionsExt as _;
        let rules = rules.replace("ME", &self.name);
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o440)
            .open(self.rules())
            .expect("only root makes logins");
        writeln!(file, "{rules}").expect("a small file");
    }

    fn rules(&self) -> PathBuf {
        Path::new("/etc/sudoers.d").join(&self.name)
    }

    fn set_password(&self, password: &str) {
        let _one = PASSWORD_FILE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut program = Command::new("chpasswd")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("chpasswd is where useradd is");
        let line = format!("{}:{password}\n", self.name);
        let mut input = program.stdin.take().expect("a pipe");
        input.write_all(line.as_bytes()).expect("it reads");
        drop(input);
        assert!(program.wait().expect("it ends").success());
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.rules());
        // Also when something still runs as it.  Left over it does no harm: nothing can log in as it.
        let _one = PASSWORD_FILE.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = Command::new("userdel")
            .arg("--force")
            .arg(&self.name)
            .output();
    }
}

impl Fleet {
    /// A server with more lines in its configuration; `None`, and a word about it, where there is no sshd.
    pub fn start(test: &str, extra: &str) -> Option<Self> {
        Self::start_with(test, extra, "", None, GRACE)
    }

    /// A server that waits so many seconds for a login.
    pub fn start_hasty(test: &str, grace: u32) -> Option<Self> {
        Self::start_with(test, "", "", None, grace)
    }

    /// The same with a second login that has this password.
    pub fn start_with_password(
        test: &str,
        extra: &str,
        marks: &str,
        password: &str,
    ) -> Option<Self> {
        let Some(other) = other_login() else {
            println!("SKIPPED: {test}: only root can let a second user in");
            return None;
        };
        other.set_password(password);
        Self::start_with(test, extra, marks, Some(other), GRACE)
    }

    /// A server that gives everything it starts these variables, as `NAME=VALUE`.
    pub fn start_marking(test: &str, marks: &str) -> Option<Self> {
        Self::start_with(test, "", marks, None, GRACE)
    }

    /// The same with a second login, where there can be one.
    pub fn start_marking_with_other(test: &str, marks: &str) -> Option<Self> {
        Self::start_with(test, "", marks, other_login_or_word(test), GRACE)
    }

    /// The same with more lines in its configuration.
    pub fn start_marking_with_other_and(test: &str, marks: &str, extra: &str) -> Option<Self> {
        Self::start_with(test, extra, marks, other_login_or_word(test), GRACE)
    }

    /// A server with a second login.
    pub fn start_with_other(test: &str, extra: &str) -> Option<Self> {
        Self::start_with(test, extra, "", other_login_or_word(test), GRACE)
    }

    fn start_with(
        test: &str,
        extra: &str,
        marks: &str,
        other: Option<Login>,
        grace: u32,
    ) -> Option<Self> {
        if !["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"]
            .iter()
            .any(|path| Path::new(path).exists())
        {
            println!("SKIPPED: {test}: openssh-server is not installed");
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let settings = vec![
            ("FLEET_DIR", directory.path().display().to_string()),
            ("FLEET_PORT", port.to_string()),
            ("FLEET_EXTRA", extra.to_owned()),
            ("FLEET_GRACE", grace.to_string()),
            ("FLEET_ENV", marks.to_owned()),
            (
                "FLEET_USERS",
                other
                    .as_ref()
                    .map(|login| login.name.clone())
                    .unwrap_or_default(),
            ),
        ];
        let fleet = Self {
            directory,
            port,
            settings,
            other,
        };
        let started = fleet.script("start");
        assert!(
            started.status.success(),
            "{test}: sshd does not start: {started:?}"
        );
        Some(fleet)
    }

    /// Has the server read its keys and certificates again.
    pub fn reload(&self) {
        self.script("stop");
        let started = self.script("start");
        assert!(started.status.success(), "sshd does not start: {started:?}");
    }

    /// The process that takes connections.
    pub fn listener(&self) -> u32 {
        let text = std::fs::read_to_string(self.path("sshd.pid")).expect("sshd wrote its pid");
        text.trim().parse().expect("a process id")
    }

    /// How many logins there have been.
    pub fn logins(&self) -> usize {
        let log = std::fs::read_to_string(self.path("sshd.log")).expect("sshd writes a log");
        log.matches("Accepted publickey").count()
    }

    fn script(&self, verb: &str) -> std::process::Output {
        Command::new("sh")
            .arg(SCRIPT)
            .arg(verb)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("there is sh")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A runner that knows nothing but this fleet.
    pub fn runner(&self) -> Arc<Ssh> {
        self.runner_keeping(Keep::default())
    }

    pub fn runner_keeping(&self, keep: Keep) -> Arc<Ssh> {
        Arc::new(Ssh::keeping(keep, env(self.directory.path())))
    }

    /// An order for a host of this fleet.
    pub fn order(&self, host: &str, payload: Payload) -> Order {
        let mut order = super::on(host, payload);
        order.options = Arc::new([self.config_option()]);
        order
    }

    /// The same with settings as after `ssh -o`.
    pub fn order_with(&self, host: &str, payload: Payload, settings: &[&str]) -> Order {
        let mut order = super::on(host, payload);
        let set = settings
            .iter()
            .map(|setting| ("ssh_option".to_owned(), (*setting).to_owned()));
        order.options = std::iter::once(self.config_option()).chain(set).collect();
        order
    }

    /// The same, and it may ask.
    pub fn order_asking(&self, host: &str, payload: Payload, settings: &[&str]) -> Order {
        let settings: Vec<&str> = settings.iter().copied().chain(["BatchMode=no"]).collect();
        Order {
            asking: Asking::Allowed,
            ..self.order_with(host, payload, &settings)
        }
    }

    /// An order for a host of this fleet, as another user.
    pub fn order_as(&self, user: &str, payload: Payload) -> Order {
        let mut order = self.order("127.1.0.9", payload);
        order.host = Host {
            user: Some(user.to_owned()),
            ..Host::named("127.1.0.9")
        };
        order
    }

    fn config_option(&self) -> (String, String) {
        (
            "ssh_config".to_owned(),
            self.path("ssh_config").display().to_string(),
        )
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.script("stop");
    }
}

pub fn env(home: &Path) -> LocalEnv {
    LocalEnv {
        user: whoami(),
        home: home.to_owned(),
        hostname: "console".to_owned(),
        uid: rustix::process::getuid().as_raw(),
        variables: std::collections::HashMap::new(),
    }
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().expect("there is id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// A second login, or a word about it where there can be none.
fn other_login_or_word(test: &str) -> Option<Login> {
    let other = other_login();
    if other.is_none() {
        println!("SKIPPED: {test}, in part: only root can let a second user in");
    }
    other
}

/// A user besides root, made for the test; only root can let one in.
fn other_login() -> Option<Login> {
    login_at(Path::new("/"))
}

/// The same with this home.
pub fn login_at(home: &Path) -> Option<Login> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let name = format!(
        "regatta{}-{}",
        std::process::id(),
        MADE.fetch_add(1, Ordering::Relaxed)
    );
    let _one = PASSWORD_FILE.lock().unwrap_or_else(PoisonError::into_inner);
    // No password fits a star, and the login is not locked as without one.
    let made = Command::new("useradd")
        .args(["-M", "-s", "/bin/sh", "-p", "*", &name, "-d"])
        .arg(home)
        .output()
        .ok()?;
    made.status.success().then_some(Login { name })
}

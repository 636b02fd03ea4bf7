//! Keys, certificates and an agent of our own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::fleet::until;

/// Keys made before a server starts, so that its configuration can name them.
pub struct Keys(TempDir);

impl Keys {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    /// A new key of this type, without a passphrase.
    pub fn make(&self, name: &str, kind: &str) -> String {
        self.make_with(name, &["-t", kind, "-N", ""])
    }

    pub fn make_with(&self, name: &str, options: &[&str]) -> String {
        let path = self.path(name);
        keygen(&[&["-q", "-C", name, "-f", &path], options].concat());
        path
    }

    /// Has `ca` sign a key: `NAME-cert.pub` beside it.
    pub fn sign(&self, ca: &str, name: &str, options: &[&str]) {
        let (ca, key) = (self.path(ca), self.path(&format!("{name}.pub")));
        keygen(&[&["-q", "-s", &ca, "-I", name], options, &[&key]].concat());
    }

    pub fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).expect("it was made");
        text.trim().to_owned()
    }
}

fn keygen(arguments: &[&str]) {
    let ran = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ssh-keygen is installed");
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
}

/// An agent of our own; ends with the test.
pub struct Agent {
    pub socket: PathBuf,
    program: Child,
    _directory: TempDir,
}

impl Agent {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("agent");
        let program = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-agent is installed");
        until("the agent listens", || socket.exists()).await;
        Self {
            socket,
            program,
            _directory: directory,
        }
    }

    pub fn add(&self, key: &str) {
        let ran = self.ssh_add(&["-q", key]);
        assert!(ran.0, "{ran:?}");
    }

    pub fn ssh_add(&self, arguments: &[&str]) -> (bool, String) {
        let ran = Command::new("ssh-add")
            .args(arguments)
            .env("SSH_AUTH_SOCK", &self.socket)
            .stdin(Stdio::null())
            .output()
            .expect("ssh-add is installed");
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        (ran.status.success(), text)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

//! Logging in and host keys, beside OpenSSH: the same server, the same configuration and keys, once for `ssh` and once
//! for regatta; whoever gets in with the one must get in with the other, and be shown the same keys on the way.

mod fleet;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fleet::sshd::Fleet;
use fleet::{Job, command, within};
use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended};
use regatta::runner::{Order, Runner};
use regatta::secret::{Answer, Secret};
use tempfile::TempDir;

const HOST: &str = "127.1.0.1";

/// Keys made before a server starts, so that its configuration can name them.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    /// A new key of this type, without a passphrase.
    fn make(&self, name: &str, kind: &str) -> String {
        self.make_with(name, &["-t", kind, "-N", ""])
    }

    fn make_with(&self, name: &str, options: &[&str]) -> String {
        let path = self.path(name);
        keygen(&[&["-q", "-C", name, "-f", &path], options].concat());
        path
    }

    /// Has `ca` sign a key: `NAME-cert.pub` beside it.
    fn sign(&self, ca: &str, name: &str, options: &[&str]) {
        let (ca, key) = (self.path(ca), self.path(&format!("{name}.pub")));
        keygen(&[&["-q", "-s", &ca, "-I", name], options, &[&key]].concat());
    }

    fn read(&self, name: &str) -> String {
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
struct Agent {
    socket: PathBuf,
    program: Child,
    _directory: TempDir,
}

impl Agent {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("agent");
        let program = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-agent is installed");
        fleet::until("the agent listens", || socket.exists()).await;
        Self {
            socket,
            program,
            _directory: directory,
        }
    }

    fn add(&self, key: &str) {
        let ran = self.ssh_add(&["-q", key]);
        assert!(ran.0, "{ran:?}");
    }

    fn ssh_add(&self, arguments: &[&str]) -> (bool, String) {
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

/// What one of the two came to.
#[derive(Debug)]
struct Came {
    /// Standard output, if the command ended with 0.
    out: Option<String>,
    /// What the server was shown, in order, and what it made of it: `Failed` or `Accepted` with the fingerprint.
    shown: Vec<String>,
    why: String,
}

/// One server, to be reached both ways.
struct Both {
    fleet: Fleet,
    /// Lines of the client's configuration that come before those every host has.
    agent: Option<PathBuf>,
}

impl Both {
    fn start(test: &str, extra: &str) -> Option<Self> {
        let fleet = Fleet::start(test, &format!("{extra}\nLogLevel VERBOSE"))?;
        Some(Self { fleet, agent: None })
    }

    fn let_in(&self, public: &str) {
        let file = self.fleet.path("authorized_keys");
        let text = fs::read_to_string(&file).expect("the fleet made it");
        fs::write(&file, format!("{text}{public}\n")).expect("ours");
    }

    /// A configuration for this server with the user's own lines first; where they say nothing of keys and known hosts,
    /// there are none.
    fn config(&self, text: &str) -> PathBuf {
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

    fn log(&self) -> String {
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

    fn ssh(&self, config: &Path, line: &str) -> Came {
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

    fn order(&self, config: &Path, line: &str) -> Order {
        let mut order = fleet::on(HOST, command(line));
        let mut options = vec![
            ("ssh_config".to_owned(), config.display().to_string()),
            ("env".to_owned(), "LC_REGATTA=from-here".to_owned()),
        ];
        if let Some(agent) = &self.agent {
            options.push(("agent".to_owned(), agent.display().to_string()));
        }
        order.options = options.into();
        order
    }

    async fn regatta(&self, config: &Path, line: &str) -> Came {
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
    async fn same(&self, what: &str, text: &str) -> Came {
        self.same_line(what, text, "echo in").await
    }

    async fn same_line(&self, what: &str, text: &str, line: &str) -> Came {
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
    async fn same_keys(&self, what: &str, text: &str) -> Came {
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
    fn gets_in(&self) -> bool {
        self.out.is_some()
    }

    fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.why.contains(part), "no {part:?} in {:?}", self.why);
        }
    }
}

#[tokio::test]
async fn user_certificates_log_in_as_with_ssh() {
    let keys = Keys::new();
    let ca = keys.make("ca", "ed25519");
    let trusted = format!("TrustedUserCAKeys {ca}.pub");
    let Some(mut both) = Both::start("user_certificates_log_in_as_with_ssh", &trusted) else {
        return;
    };
    let user = keys_user();
    for (name, kind) in [("ed", "ed25519"), ("rsa", "rsa"), ("ec", "ecdsa")] {
        let key = keys.make(name, kind);
        keys.sign("ca", name, &["-n", &user, "-V", "-1h:+1h"]);
        let beside = both
            .same_keys("beside its key", &format!("IdentityFile {key}"))
            .await;
        assert!(beside.gets_in(), "{kind}: {beside:?}");
        assert!(beside.shown[1].contains("-CERT"), "{beside:?}");
        // Elsewhere, with what it is for.
        fs::rename(format!("{key}-cert.pub"), keys.path("elsewhere.pub")).expect("ours");
        let text = format!(
            "IdentityFile {key}\nCertificateFile {}",
            keys.path("elsewhere.pub")
        );
        let elsewhere = both.same_keys("named", &text).await;
        assert!(elsewhere.gets_in(), "{kind}: {elsewhere:?}");
        assert_eq!(elsewhere.shown.len(), 1, "{elsewhere:?}");
        let refused = both
            .same_keys("without it", &format!("IdentityFile {key}"))
            .await;
        assert!(!refused.gets_in());
    }

    // The agent has the key, and a file the certificate; or the agent has both.
    let agent = Agent::start().await;
    both.agent = Some(agent.socket.clone());
    let key = keys.make("held", "ed25519");
    agent.add(&key);
    keys.sign("ca", "held", &["-n", &user]);
    let certificate = keys.path("held-cert.pub");
    fs::remove_file(&key).expect("ours");
    let named = both
        .same_keys("its key is held", &format!("CertificateFile {certificate}"))
        .await;
    assert!(named.gets_in(), "{named:?}");
    let beside = both
        .same_keys("the public half is there", &format!("IdentityFile {key}"))
        .await;
    assert!(beside.gets_in(), "{beside:?}");
    let both_held = keys.make("both", "rsa");
    keys.sign("ca", "both", &["-n", &user]);
    agent.ssh_add(&["-D"]);
    agent.add(&both_held);
    for text in ["", "IdentitiesOnly yes\n"] {
        let text = format!("{text}IdentityFile {both_held}");
        let held = both.same_keys("both are held", &text).await;
        assert!(held.gets_in(), "{held:?}");
    }
    assert!(both.same_keys("nothing is named", "").await.gets_in());
    both.agent = None;

    // What is no good is no good for either.
    let key = keys.make("bad", "ed25519");
    let text = format!("IdentityFile {key}");
    for (what, options) in [
        ("expired", &["-n", &user, "-V", "-2h:-1h"][..]),
        ("for another", &["-n", "nobody-at-all"]),
        ("a host's", &["-h", "-n", &user]),
        (
            "only from elsewhere",
            &["-n", &user, "-O", "source-address=10.9.9.9"],
        ),
    ] {
        keys.sign("ca", "bad", options);
        assert!(!both.same(what, &text).await.gets_in(), "{what}");
    }
    let why = both
        .same(
            "no such certificate",
            &format!("{text}\nCertificateFile /nowhere"),
        )
        .await;
    why.says(&["auth failed", "/nowhere: there is no certificate in it"]);
}

fn keys_user() -> String {
    let output = Command::new("id").arg("-un").output().expect("there is id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn host_certificates_are_judged_as_by_ssh() {
    let keys = Keys::new();
    keys.make("ca", "ed25519");
    keys.make("other", "ed25519");
    keys.make("rsa_ca", "rsa");
    let host = keys.make("host", "ecdsa");
    keys.sign("ca", "host", &["-h", "-n", HOST]);
    let extra = format!("HostKey {host}\nHostCertificate {host}-cert.pub");
    let Some(both) = Both::start("host_certificates_are_judged_as_by_ssh", &extra) else {
        return;
    };
    let known = both.fleet.path("authorities");
    let identity = both.fleet.path("id_ed25519");
    let port = both.fleet.port;
    let (ca, other, key) = (
        keys.read("ca.pub"),
        keys.read("other.pub"),
        keys.read("host.pub"),
    );
    let rsa_ca = keys.read("rsa_ca.pub");
    let text = |more: &str| {
        format!(
            "UserKnownHostsFile {}\nIdentityFile {}\n{more}",
            known.display(),
            identity.display()
        )
    };
    let expect = async |what: &str, lines: &str, more: &str, gets_in: bool| {
        fs::write(&known, lines).expect("ours");
        let came = both.same(what, &text(more)).await;
        assert_eq!(came.gets_in(), gets_in, "{what}: {came:?}");
        came
    };
    let authority = format!("@cert-authority [127.*]:{port} {ca}\n");
    expect("known authority", &authority, "", true).await;
    let bare = format!("@cert-authority 127.* {ca}\n");
    expect("known without the port", &bare, "", true).await;
    let elsewhere = format!("@cert-authority *.example.org {ca}\n");
    expect("for other hosts", &elsewhere, "", false).await;
    let wrong = format!("@cert-authority * {other}\n");
    let came = expect("another authority", &wrong, "", false).await;
    came.says(&[
        "host key unknown",
        "its certificate does not count: its authority",
    ]);
    let two = format!("{wrong}{authority}");
    expect("one of two", &two, "", true).await;
    let plain = format!("[127.*]:{port} {key}\n");
    expect("the key itself", &plain, "", true).await;
    expect(
        "the key, and another authority",
        &format!("{wrong}{plain}"),
        "",
        true,
    )
    .await;
    let revoked = format!("{authority}@revoked * {ca}\n");
    expect("revoked authority", &revoked, "", false)
        .await
        .says(&["host key changed", "authorities:2 revokes"]);
    let revoked = format!("{authority}{plain}@revoked * {key}\n");
    expect("revoked key", &revoked, "", false).await;
    expect(
        "an alias is another name",
        &format!("@cert-authority web {ca}\n"),
        "HostKeyAlias web",
        false,
    )
    .await
    .says(&["it is for 127.1.0.1, not for web"]);
    expect(
        "plain keys only",
        &authority,
        "HostKeyAlgorithms -*cert*",
        false,
    )
    .await;
    expect(
        "certificates only",
        &authority,
        "HostKeyAlgorithms *-cert-v01@openssh.com",
        true,
    )
    .await;
    expect(
        "certificates only, and none known",
        &plain,
        "HostKeyAlgorithms *-cert-v01@openssh.com",
        true,
    )
    .await;
    expect(
        "signed in a way not wanted",
        &authority,
        "CASignatureAlgorithms rsa-sha2-512",
        false,
    )
    .await
    .says(&["signed with ssh-ed25519"]);

    let restart = |options: &[&str], ca: &str| {
        keys.sign(ca, "host", &[&["-h"], options].concat());
        both.fleet.reload();
    };
    for (what, options, gets_in, said) in [
        (
            "expired",
            &["-n", HOST, "-V", "-2h:-1h"][..],
            false,
            "it has expired",
        ),
        (
            "not yet valid",
            &["-n", HOST, "-V", "+1h:+2h"],
            false,
            "it is not valid yet",
        ),
        ("for another", &["-n", "web,db"], false, "it is for web, db"),
        ("for several", &["-n", &format!("web,{HOST}")], true, ""),
        ("for a pattern", &["-n", "127.*"], false, "it is for 127.*"),
        ("for all", &[], true, ""),
        (
            "with a critical option",
            &["-n", HOST, "-O", "critical:x@y"],
            false,
            "critical option",
        ),
    ] {
        restart(options, "ca");
        let came = expect(what, &authority, "", gets_in).await;
        came.says(&[said]);
        // Judged by its key, it is the host.
        let by_key = format!("{authority}{plain}");
        expect(what, &by_key, "", true).await;
    }
    restart(&["-n", HOST], "rsa_ca");
    expect(
        "signed by RSA",
        &format!("@cert-authority * {rsa_ca}\n"),
        "",
        true,
    )
    .await;
}

#[tokio::test]
async fn known_keys_are_asked_for_first_as_by_ssh() {
    let keys = Keys::new();
    let (rsa, ec) = (keys.make("rsa", "rsa"), keys.make("ec", "ecdsa"));
    let extra = format!("HostKey {rsa}\nHostKey {ec}");
    let Some(both) = Both::start("known_keys_are_asked_for_first_as_by_ssh", &extra) else {
        return;
    };
    let known = both.fleet.path("some");
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let port = both.fleet.port;
    let expect = async |name: &str, more: &str, gets_in: bool| {
        fs::write(&known, format!("[127.*]:{port} {}\n", keys.read(name))).expect("ours");
        let text = format!(
            "UserKnownHostsFile {}\nIdentityFile {identity}\n{more}",
            known.display()
        );
        let came = both.same(more, &text).await;
        assert_eq!(came.gets_in(), gets_in, "{name} {more}: {came:?}");
        came
    };
    for name in ["rsa.pub", "ec.pub"] {
        expect(name, "", true).await;
        expect(name, "HostKeyAlgorithms +ssh-rsa", true).await;
        expect(name, "HostKeyAlgorithms ssh-ed25519", false)
            .await
            .says(&["host key changed"]);
    }
    expect("rsa.pub", "HostKeyAlgorithms ^ssh-ed25519", false).await;
    expect("rsa.pub", "HostKeyAlgorithms rsa-sha2-256", true).await;
    expect("rsa.pub", "RequiredRSASize 4096", false)
        .await
        .says(&["fewer than RequiredRSASize 4096"]);
    expect("ec.pub", "HostKeyAlgorithms ecdsa-sha2-nistp521", false)
        .await
        .says(&["nothing in common for Key"]);
}

#[tokio::test]
async fn a_server_that_takes_few_attempts_sees_the_same_keys() {
    let Some(mut both) = Both::start(
        "a_server_that_takes_few_attempts_sees_the_same_keys",
        "MaxAuthTries 3",
    ) else {
        return;
    };
    let keys = Keys::new();
    let agent = Agent::start().await;
    for number in 1..=6 {
        let key = keys.make(&format!("k{number}"), "ed25519");
        agent.add(&key);
    }
    both.let_in(&keys.read("k5.pub"));
    both.agent = Some(agent.socket.clone());
    let file = |number: u32| format!("IdentityFile {}", keys.path(&format!("k{number}")));
    let all = both.same_keys("all of the agent", "").await;
    assert!(!all.gets_in());
    assert_eq!(all.shown.len(), 3, "{all:?}");
    all.says(&["Too many authentication failures"]);
    let named = both.same_keys("the named one first", &file(5)).await;
    assert_eq!((named.gets_in(), named.shown.len()), (true, 1), "{named:?}");
    // Of those named, the agent's order counts.
    let two = format!("{}\n{}\n{}", file(5), file(2), file(1));
    assert!(both.same_keys("three named", &two).await.gets_in());
    let one_too_many = format!("{two}\n{}", file(3));
    let came = both.same_keys("four named", &one_too_many).await;
    assert!(!came.gets_in(), "{came:?}");
    let only = format!("IdentitiesOnly yes\n{}", file(6));
    assert!(!both.same_keys("only another", &only).await.gets_in());
    let only = format!("IdentitiesOnly yes\n{}", file(5));
    assert!(both.same_keys("only the right one", &only).await.gets_in());
    let none = format!("PubkeyAcceptedAlgorithms ssh-rsa,ecdsa-*\n{}", file(5));
    let refused = both.same_keys("none is accepted here", &none).await;
    refused.says(&["ssh-ed25519 is not among PubkeyAcceptedAlgorithms"]);
    let none = format!("PubkeyAuthentication no\n{}", file(5));
    assert!(!both.same_keys("no keys", &none).await.gets_in());
    let none = format!("IdentityAgent none\n{}", file(5));
    assert!(both.same_keys("no agent", &none).await.gets_in());

    // Files that are not in the agent come last; an agent that is gone is no obstacle.
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let came = both
        .same_keys("the file comes last", &format!("IdentityFile {identity}"))
        .await;
    assert!(!came.gets_in());
    both.agent = Some(keys.path("nobody").into());
    let came = both
        .same_keys("the agent is gone", &format!("IdentityFile {identity}"))
        .await;
    assert!(came.gets_in());
    both.same_keys("and nothing else", "")
        .await
        .says(&["no agent at", "nobody"]);
}

#[tokio::test]
async fn keys_of_all_kinds_and_forms_log_in() {
    let Some(both) = Both::start("keys_of_all_kinds_and_forms_log_in", "") else {
        return;
    };
    let keys = Keys::new();
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["-t", "ed25519"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
    ];
    for (kind, options) in kinds {
        for form in ["RFC4716", "PEM", "PKCS8"] {
            if kind == "ed25519" && form != "RFC4716" {
                continue;
            }
            let name = format!("{kind}-{form}");
            let key = keys.make_with(&name, &[options, &["-m", form, "-N", ""]].concat());
            both.let_in(&keys.read(&format!("{name}.pub")));
            // Without its public half, the private one must do.
            for public in ["there", "gone"] {
                if public == "gone" {
                    fs::remove_file(format!("{key}.pub")).expect("ours");
                }
                let came = both.same(&name, &format!("IdentityFile {key}")).await;
                assert!(came.gets_in(), "{name}: {came:?}");
            }
        }
    }
    let rsa = keys.path("rsa-PEM");
    for more in [
        "PubkeyAcceptedAlgorithms rsa-sha2-256",
        "PubkeyAcceptedAlgorithms rsa-sha2-512",
        "RequiredRSASize 2048",
    ] {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {rsa}"))
            .await;
        assert!(came.gets_in(), "{more}: {came:?}");
    }
    for (more, said) in [
        ("PubkeyAcceptedAlgorithms ssh-ed25519", "RSA is not among"),
        ("RequiredRSASize 3072", "2048 bits are fewer"),
    ] {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {rsa}"))
            .await;
        assert!(!came.gets_in(), "{more}");
        came.says(&[said]);
    }
}

#[tokio::test]
async fn encrypted_keys_open_with_their_passphrase_and_go_to_the_agent_if_wanted() {
    let test = "encrypted_keys_open_with_their_passphrase_and_go_to_the_agent_if_wanted";
    let Some(mut both) = Both::start(test, "") else {
        return;
    };
    let keys = Keys::new();
    let agent = Agent::start().await;
    both.agent = Some(agent.socket.clone());
    // One form is not read, and that is said.
    let old = keys.make_with("old", &["-t", "ecdsa", "-m", "PEM", "-N", "sesame"]);
    let came = both.same("old", &format!("IdentityFile {old}")).await;
    came.says(&["rewrite it with `ssh-keygen -p`"]);
    for (number, (kind, form)) in [
        ("ed25519", "RFC4716"),
        ("rsa", "RFC4716"),
        ("rsa", "PEM"),
        ("ecdsa", "PKCS8"),
        ("rsa", "PKCS8"),
    ]
    .into_iter()
    .enumerate()
    {
        agent.ssh_add(&["-D"]);
        let name = format!("k{number}");
        let key = keys.make_with(&name, &["-t", kind, "-m", form, "-N", "sesame"]);
        both.let_in(&keys.read(&format!("{name}.pub")));
        fs::remove_file(format!("{key}.pub")).expect("ours");
        let text = format!("BatchMode no\nAddKeysToAgent 1h\nIdentityFile {key}");
        let config = both.config(&text);
        let order = Order {
            asking: Asking::Allowed,
            ..both.order(&config, "echo in")
        };
        let ssh = both.fleet.runner();
        let runner: Arc<dyn Runner> = Arc::clone(&ssh) as Arc<dyn Runner>;
        let mut job = Job::start(&runner, order);
        let ask = within(job.until_asked()).await;
        let right = Answer::Secret(Secret::new("sesame".to_owned()));
        ask.answer.send(right).expect("it waits");
        assert_eq!(
            within(job.finish()).await.ended,
            Ended::Exited(0),
            "{kind} {form}"
        );
        let held = agent.ssh_add(&["-l"]).1;
        assert_eq!(held.lines().count(), 1, "{held}");
        // Now it is the agent's, for whoever cannot be asked.
        let again = both.regatta(&config, "echo in").await;
        assert!(again.gets_in(), "{kind} {form}: {again:?}");
    }
}

#[tokio::test]
async fn keys_are_exchanged_again_in_the_middle_of_output() {
    let Some(both) = Both::start(
        "keys_are_exchanged_again_in_the_middle_of_output",
        "RekeyLimit 1M",
    ) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let line = "head -c 20000000 /dev/zero | tr '\\0' x | cksum; head -c 20000000 /dev/zero | tr '\\0' x | fold -w 1000";
    for more in ["RekeyLimit 1M", "RekeyLimit 16", "RekeyLimit 1G 1s", ""] {
        let text = format!("{more}\nIdentityFile {identity}");
        let came = both.same_line(more, &text, line).await;
        assert!(came.out.is_some_and(|out| out.len() > 20_000_000), "{more}");
    }
}

#[tokio::test]
async fn algorithms_are_agreed_on_as_configured() {
    let Some(both) = Both::start(
        "algorithms_are_agreed_on_as_configured",
        "Ciphers aes128-ctr,aes256-gcm@openssh.com\nMACs hmac-sha2-512\nKexAlgorithms curve25519-sha256,diffie-hellman-group14-sha256\nLogLevel DEBUG",
    ) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let expect = async |more: &str, gets_in: bool| {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {identity}"))
            .await;
        assert_eq!(came.gets_in(), gets_in, "{more}: {came:?}");
        came
    };
    expect("", true).await;
    expect("Ciphers aes128-ctr", true).await;
    expect("Ciphers -chacha*,aes*-gcm*", true).await;
    expect("Ciphers aes128-ctr\nMACs hmac-sha2-512", true).await;
    expect("KexAlgorithms ^diffie-hellman-group14-sha256", true).await;
    expect("Ciphers aes256-ctr", false)
        .await
        .says(&["nothing in common for Cipher", "aes128-ctr"]);
    expect("Ciphers aes128-ctr\nMACs hmac-sha2-256", false).await;
    expect("KexAlgorithms ecdh-sha2-nistp256", false).await;
    let config = both.config("Ciphers 3des-cbc");
    both.regatta(&config, "true").await.says(&[
        "bad settings",
        "Ciphers of 127.1.0.1",
        "own_config:1",
        "it has",
    ]);

    // Compressed, and really so.
    let before = both.log().len();
    let text = format!("Compression yes\nIdentityFile {identity}");
    let line = "head -c 3000000 /dev/zero | tr '\\0' y";
    let came = both.same_line("compressed", &text, line).await;
    assert!(came.out.is_some_and(|out| out.len() == 3_000_000));
    let enabled = both.log()[before..].matches("Enabling compression").count();
    assert_eq!(enabled, 4, "both ways, by ssh and by regatta");
    let before = both.log().len();
    expect("Compression no", true).await;
    assert!(!both.log()[before..].contains("Enabling compression"));
}

#[tokio::test]
async fn variables_reach_commands_as_far_as_the_server_likes() {
    let banner = Keys::new();
    fs::write(banner.path("banner"), "Keep out!\n").expect("ours");
    let extra = format!("Banner {}", banner.path("banner"));
    let test = "variables_reach_commands_as_far_as_the_server_likes";
    let Some(both) = Both::start(test, &extra) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    // The server accepts LANG, LC_* and REGATTA_*.
    let line = "echo ${LC_REGATTA-no} ${REGATTA_SET-no} ${LC_SET-no} ${OTHER-no}";
    for (more, want) in [
        ("", "no no no no\n"),
        ("SendEnv LC_*", "from-here no no no\n"),
        ("SendEnv LC_* -LC_R*", "from-here no no no\n"),
        ("SendEnv LC_* -LC_*", "no no no no\n"),
        (
            "SetEnv REGATTA_SET=1 OTHER=2 \"LC_SET=two words\"",
            "no 1 two words no\n",
        ),
        ("SendEnv LC_*\nSetEnv LC_REGATTA=mine", "mine no no no\n"),
    ] {
        let came = both
            .same_line(more, &format!("{more}\nIdentityFile {identity}"), line)
            .await;
        assert_eq!(came.out.as_deref(), Some(want), "{more}");
    }
}

#[tokio::test]
async fn match_exec_and_final_decide_about_connections() {
    let Some(both) = Both::start("match_exec_and_final_decide_about_connections", "") else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    for (more, gets_in) in [
        ("Match exec \"test %h = 127.1.0.1\"", true),
        ("Match exec \"test %h = 127.1.0.2\"", false),
        ("Match final host 127.1.*", true),
        ("Match final host 127.2.*", false),
    ] {
        let text = format!("{more}\n IdentityFile {identity}\nMatch all");
        let came = both.same(more, &text).await;
        assert_eq!(came.gets_in(), gets_in, "{more}: {came:?}");
    }
    let config = both.config("Match exec \"kill -KILL $$\"\n User x\nMatch all");
    let came = both.regatta(&config, "true").await;
    came.says(&["bad settings", "own_config:1", "cannot be decided"]);
}

#[tokio::test]
async fn ways_to_log_in_are_tried_in_the_order_that_is_preferred() {
    let test = "ways_to_log_in_are_tried_in_the_order_that_is_preferred";
    let extra = "PasswordAuthentication yes\nMatch User regatta*\n PasswordAuthentication yes";
    let Some(fleet) = Fleet::start_with_password(test, extra, "", "sesame") else {
        return;
    };
    let name = fleet.other.as_ref().expect("started with one").name.clone();
    let user = format!("User={name}");
    let log = |before: usize| {
        let log = fs::read_to_string(fleet.path("sshd.log")).expect("sshd writes a log");
        log[before..].to_owned()
    };
    let order = |preferred: &str| fleet.order_asking(HOST, command("echo in"), &[&user, preferred]);
    let runner: Arc<dyn Runner> = fleet.runner();
    let began = log(0).len();
    let mut job = Job::start(
        &runner,
        order("PreferredAuthentications=password,publickey"),
    );
    let ask = within(job.until_asked()).await;
    ask.answer
        .send(Answer::Secret(Secret::new("sesame".to_owned())))
        .expect("it waits");
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    assert!(log(began).contains("Accepted password"), "{}", log(began));

    let began = log(0).len();
    let runner: Arc<dyn Runner> = fleet.runner();
    let job = Job::start(
        &runner,
        order("PreferredAuthentications=publickey,password"),
    );
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    assert!(log(began).contains("Accepted publickey"), "{}", log(began));

    let runner: Arc<dyn Runner> = fleet.runner();
    let job = Job::start(&runner, order("PreferredAuthentications=hostbased"));
    let Ended::NotStarted(Reason::AuthFailed(why)) = within(job.finish()).await.ended else {
        panic!("nothing is tried");
    };
    assert!(why.contains("the server takes"), "{why}");
}

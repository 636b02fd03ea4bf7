//! Computers that cannot be reached or logged in to: each says why, and none keeps the others waiting.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use crate::console::{Console, came_to, child};
use crate::fleet::sshd::free_port;
use crate::impostor::{Impostor, Then};
use crate::support::{timed, until};

/// A port that swallows connections without an answer: its queue is full.
pub struct BlackHole {
    pub port: u16,
    _listener: TcpListener,
    _queue: Vec<Option<TcpStream>>,
}

impl BlackHole {
    pub fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        listen(&socket, 0).expect("it is bound");
        let listener = TcpListener::from(socket);
        let port = listener.local_addr().expect("it is bound").port();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let fill = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        Self {
            port,
            _queue: (0..4).map(fill).collect(),
            _listener: listener,
        }
    }
}

#[test]
fn each_fault_has_its_own_words_and_none_delays_the_others() {
    let Some(console) = Console::start("each_fault_has_its_own_words_and_none_delays_the_others")
    else {
        return;
    };
    let http = Impostor::says(b"HTTP/1.1 400 Bad Request\r\n\r\n", Then::HangsUp);
    let garbage = Impostor::says(b"\x15\x03\x01\0\x02\x02\x16\x1b[2J\n", Then::HangsUp);
    let nothing = Impostor::says(b"", Then::HangsUp);
    let silent = Impostor::says(b"", Then::StaysSilent);
    let mute = Impostor::says(b"SSH-2.0-mute\r\n", Then::StaysSilent);
    let hole = BlackHole::new();
    let refused = free_port();
    let fleet = &console.fleet;

    // Keys nobody knows, another key than the known one, and a login with a key that is not let in.
    for name in ["stranger", "locked"] {
        let made = std::process::Command::new("ssh-keygen")
            .args([
                "-q",
                "-t",
                "ed25519",
                "-N",
                if name == "locked" { "secret" } else { "" },
                "-f",
            ])
            .arg(fleet.path(name))
            .status();
        assert!(made.expect("ssh-keygen is installed").success());
    }
    let key = std::fs::read_to_string(fleet.path("stranger.pub")).expect("just made");
    let changed = console.file(
        "changed",
        format!("# comment\n[127.*]:{} {key}", fleet.port),
    );
    let (stranger, locked) = (fleet.path("stranger"), fleet.path("locked"));
    let key_of = |path: &std::path::Path| path.display().to_string();
    let own = [
        format!("Host refused\n HostName 127.2.0.1\n Port {refused}"),
        format!("Host hole\n HostName 127.2.0.2\n Port {}", hole.port),
        format!("Host http\n HostName 127.2.0.3\n Port {}", http.port),
        format!("Host garbage\n HostName 127.2.0.4\n Port {}", garbage.port),
        format!("Host nothing\n HostName 127.2.0.5\n Port {}", nothing.port),
        format!("Host silent\n HostName 127.2.0.6\n Port {}", silent.port),
        format!("Host mute\n HostName 127.2.0.7\n Port {}", mute.port),
        "Host unknown\n HostName 127.2.0.8\n UserKnownHostsFile /dev/null".into(),
        format!("Host changed\n HostName 127.2.0.9\n UserKnownHostsFile {changed}"),
        format!(
            "Host wrong\n HostName 127.2.0.10\n IdentityFile {}\n IdentityFile {}\nHost nokey\n HostName 127.2.0.10\n IdentityFile /nonexistent",
            key_of(&stranger),
            key_of(&locked)
        ),
        format!("Host jump\n HostName 127.2.0.11\n ProxyJump 127.3.0.1:{refused}"),
        "Host command\n HostName 127.2.0.12\n ProxyCommand sh -c 'echo no way >&2; exit 3'".into(),
        // The fleet's own settings, for those that are reached by a name.
        format!(
            "Host unknown changed wrong nokey jump command\n Port {}\n IdentitiesOnly yes\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null",
            fleet.port,
            fleet.path("known_hosts").display()
        ),
    ];
    let config = console.config_with(&own.join("\n"));
    let targets = "refused,hole,http,garbage,nothing,silent,mute,unknown,changed,wrong,nokey,jump,command,no-such-host.invalid,127.1.0.1";
    let (job, took) = timed(|| {
        let job = console.background_with(
            &config,
            &["--batch", "-t", targets, "--connect-timeout", "5s"],
            "echo fine",
        );
        console.regatta(&["wait", &job]).exits(1);
        job
    });
    assert!(
        took < Duration::from_secs(15),
        "one after the other? {took:?}"
    );
    let now = console.now(&job);
    let timed_out: &[&str] = &["connect timed out after 5s"];
    let port = fleet.port.to_string();
    let cases: [(&str, &str, &[&str]); 14] = [
        (
            "refused",
            "unreachable",
            &["unreachable: connection refused (tried twice)"],
        ),
        ("hole", "timed_out", timed_out),
        (
            "http",
            "protocol",
            &["not a usable SSH server", "HTTP/1.1 400 Bad Request"],
        ),
        (
            "garbage",
            "protocol",
            &["not a usable SSH server", "it says"],
        ),
        ("nothing", "unreachable", &["closed during the handshake"]),
        ("silent", "timed_out", timed_out),
        ("mute", "timed_out", timed_out),
        (
            "unknown",
            "host_key_unknown",
            &[
                "ED25519 SHA256:",
                &port,
                "without --batch and BatchMode regatta asks",
            ],
        ),
        (
            "changed",
            "host_key_changed",
            &["host key changed", "SHA256:", &changed, ":2"],
        ),
        (
            "wrong",
            "auth_failed",
            &["publickey (1 key tried)", "locked: it is encrypted"],
        ),
        (
            "nokey",
            "auth_failed",
            &["no key to try; the server takes publickey"],
        ),
        (
            "jump",
            "unreachable",
            &["hop 127.3.0.1: connection refused (tried twice)"],
        ),
        (
            "command",
            "unreachable",
            &["the ProxyCommand ended with exit 3: no way"],
        ),
        (
            "no-such-host.invalid",
            "unreachable",
            &["no-such-host.invalid"],
        ),
    ];
    for (host, kind, words) in cases {
        let child = child(&now, host);
        came_to(child, "Failed", kind, words);
        assert_eq!(
            (&child["pid"], &child["exit"]),
            (&().into(), &().into()),
            "{host}"
        );
        let text = child["reason"]["text"].as_str().expect("it has one");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    assert_eq!(child(&now, "127.1.0.1")["state"], "Completed");
    // People are told the same, and the one good answer is there.
    let received = console
        .regatta(&["receive", &job])
        .exits(1)
        .prints("127.1.0.1: fine\n");
    received.says(&[
        "refused: Failed, unreachable: connection refused (tried twice)",
        "hole: Failed, connect timed out after 5s",
    ]);
    assert_eq!(
        console.status()["connections"],
        1,
        "only the good one is kept"
    );
}

#[test]
fn a_stop_does_not_wait_for_a_connection() {
    let Some(console) = Console::start("a_stop_does_not_wait_for_a_connection") else {
        return;
    };
    let hole = BlackHole::new();
    let silent = Impostor::says(b"", Then::StaysSilent);
    let waiting = format!(
        "Host waiting?\n HostName 127.1.0.1\n Port {}\n IdentityFile {}\n UserKnownHostsFile {}",
        console.fleet.port,
        console.fleet.path("id_ed25519").display(),
        console.fleet.path("known_hosts").display(),
    );
    let config = console.config_with(&format!(
        "Host hole\n HostName 127.2.0.1\n Port {}\nHost silent\n HostName 127.2.0.2\n Port {}\n{waiting}",
        hole.port, silent.port
    ));
    // Hosts are taken in the order of their names: the first two connect, the others wait.
    let options = [
        "-t",
        "hole,silent,waiting[1-2]",
        "--fanout",
        "2",
        "--connect-timeout",
        "5m",
        "--grace",
        "5m",
    ];
    let job = console.background_with(&config, &options, "echo it ran");
    until("they are connecting", || {
        console.count(&job, "Connecting") == 2
    });
    let ((), took) = timed(|| {
        console
            .regatta(&["stop", &job])
            .exits(0)
            .says(&["hole: Stopped, stopped before it started"]);
    });
    assert!(took < Duration::from_secs(20), "{took:?}");
    let now = console.now(&job);
    for host in ["hole", "silent", "waiting1", "waiting2"] {
        came_to(
            child(&now, host),
            "Stopped",
            "stopped",
            &["stopped before it started"],
        );
    }
    console.regatta(&["wait", &job]).exits(1);
    assert_eq!(
        console.fleet.logins(),
        0,
        "who waited in the queue is not contacted"
    );
    // What comes afterwards is not held up either, and would have been let in.
    let next = console.background_with(&config, &["-t", "waiting1"], "true");
    console.regatta(&["wait", &next]).exits(0);
    assert_eq!(console.fleet.logins(), 1);
}

#[test]
fn each_job_has_its_own_patience() {
    let Some(console) = Console::start("each_job_has_its_own_patience") else {
        return;
    };
    let hole = BlackHole::new();
    let config = console.config_with(&format!(
        "Host hole\n HostName 127.2.0.1\n Port {}",
        hole.port
    ));
    let start = |limit| {
        console.background_with(&config, &["-t", "hole", "--connect-timeout", limit], "true")
    };
    let patient = start("5m");
    until("it is connecting", || {
        console.count(&patient, "Connecting") == 1
    });
    let hasty = start("1s");
    console
        .regatta(&["wait", "--timeout", "30s", &hasty])
        .exits(1);
    came_to(
        child(&console.now(&hasty), "hole"),
        "Failed",
        "timed_out",
        &["connect timed out after 1s"],
    );
    assert_eq!(
        console.count(&patient, "Connecting"),
        1,
        "the other one is not hurried"
    );
    console.regatta(&["stop", &patient]).exits(0);
}

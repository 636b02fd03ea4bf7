//! Servers that mean no good: each is given up in its time and says why, fills no memory, and disturbs no other host.

use std::fmt::Write as _;
use std::time::Duration;

use crate::console::{Console, came_to, child};
use crate::impostor::{Impostor, Then};
use crate::support::timed;

const VERSION: &[u8] = b"SSH-2.0-odd\r\n";

/// SSH_MSG_IGNORE of RFC 4253, section 11.2, with four bytes in it.
const IGNORE: &[u8] = b"\0\0\0\x14\x0a\x02\0\0\0\x04oddly\0\0\0\0\0\0\0\0\0";

/// The daemon of a debug build with one good connection has some 30 MB.
const MOST_MB: u64 = 100;

/// A host's name, what its server says and then does, and the kind and the words of the reason.
type Case<'a> = (&'a str, Vec<u8>, Then, &'a str, &'a [&'a str]);

/// A packet of RFC 4253, section 6, before there are keys.
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (5 + payload.len() + 4) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).expect("it is small");
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(padding as u8);
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// SSH_MSG_KEXINIT of RFC 4253, section 7.1, with which anybody could agree.
fn kexinit() -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    let cipher = "aes256-gcm@openssh.com,aes256-ctr";
    let mac = "hmac-sha2-256";
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        cipher,
        cipher,
        mac,
        mac,
        "none",
        "none",
        "",
        "",
    ];
    for list in lists {
        payload.extend_from_slice(&(list.len() as u32).to_be_bytes());
        payload.extend_from_slice(list.as_bytes());
    }
    payload.extend_from_slice(&[0; 5]);
    packet(&payload)
}

fn peak_mb(pid: u64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).expect("Linux");
    kib / 1024
}

#[test]
fn hostile_servers_are_given_up_and_disturb_nobody() {
    let Some(console) = Console::start("hostile_servers_are_given_up_and_disturb_nobody") else {
        return;
    };
    let agreed = [VERSION, &kexinit()].concat();
    let after = |bytes: &[u8]| [VERSION, bytes].concat();
    let noise: Vec<u8> = (0..4096_u32).map(|n| ((n * n) >> 3) as u8).collect();
    let timed_out: &[&str] = &["connect timed out after 4s"];
    let closed: &[&str] = &["closed during the handshake"];
    let unusable: &[&str] = &["not a usable SSH server"];
    let cases: [Case<'_>; 12] = [
        (
            "version",
            VERSION.to_vec(),
            Then::HangsUp,
            "unreachable",
            closed,
        ),
        (
            "leaves",
            agreed.clone(),
            Then::HangsUp,
            "unreachable",
            closed,
        ),
        (
            "stalls",
            agreed.clone(),
            Then::StaysSilent,
            "timed_out",
            timed_out,
        ),
        (
            "noise",
            after(&noise),
            Then::StaysSilent,
            "protocol",
            unusable,
        ),
        (
            "gigantic",
            after(&[0xff; 64]),
            Then::StaysSilent,
            "protocol",
            unusable,
        ),
        (
            "largest",
            after(b"\0\x04\0\0\x04"),
            Then::Repeats(&[0]),
            "unreachable",
            closed,
        ),
        (
            "empty",
            after(&[0; 64]),
            Then::StaysSilent,
            "unreachable",
            closed,
        ),
        (
            "line",
            Vec::new(),
            Then::Repeats(b"x"),
            "protocol",
            unusable,
        ),
        (
            "lines",
            Vec::new(),
            Then::Repeats(b"wait\r\n"),
            "protocol",
            unusable,
        ),
        (
            "ignores",
            agreed,
            Then::Repeats(IGNORE),
            "timed_out",
            timed_out,
        ),
        (
            "again",
            VERSION.to_vec(),
            Then::Repeats(b"SSH-2.0-odd\r\n"),
            "protocol",
            unusable,
        ),
        (
            "drips",
            Vec::new(),
            Then::Drips(VERSION),
            "timed_out",
            timed_out,
        ),
    ];
    let mut settings = String::new();
    let mut servers = Vec::new();
    for (n, (name, words, then, _, _)) in cases.iter().enumerate() {
        let server = Impostor::says(words, *then);
        let port = server.port;
        let address = n + 1;
        writeln!(
            settings,
            "Host {name}\n HostName 127.2.0.{address}\n Port {port}"
        )
        .expect("a String takes everything");
        servers.push(server);
    }
    let config = console.config_with(&settings);
    let names: Vec<_> = cases.iter().map(|(name, ..)| *name).collect();
    let targets = format!("{},127.1.0.[1-3]", names.join(","));
    let options = ["--batch", "-t", &targets, "--connect-timeout", "4s"];
    let (job, took) = timed(|| {
        let job = console.background_with(&config, &options, "echo fine");
        console.regatta(&["wait", &job]).exits(1);
        job
    });
    assert!(took < Duration::from_secs(20), "{took:?}");
    let now = console.now(&job);
    for (name, _, _, kind, words) in cases {
        came_to(child(&now, name), "Failed", kind, words);
        let text = child(&now, name)["reason"]["text"].as_str().expect("one");
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!(text.len() < 300, "{text:?}");
    }
    assert_eq!(console.count(&job, "Completed"), 3);
    let status = console.status();
    assert_eq!(status["connections"], 3, "only the good ones are kept");
    let peak = peak_mb(status["pid"].as_u64().expect("it runs"));
    assert!(peak < MOST_MB, "{peak} MB");
}

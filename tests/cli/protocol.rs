//! Clients and daemons that are not ours, are of another age, or misbehave.

use std::fs::{self, DirBuilder};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use regatta::core::output::Streams;
use regatta::core::receive::Mode;
use regatta::core::select::Selector;
use regatta::wire::request::{Purpose, Receive, ReceiveUntil};
use regatta::wire::{Greeting, Request};
use rustix::process::Signal;

use crate::support::{Home, PATIENCE, kill, timed, until};

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a small frame");
    [&length.to_be_bytes()[..], body].concat()
}

fn greeting(protocol: u32) -> Vec<u8> {
    let greeting = Greeting {
        protocol,
        version: "9.9.9".into(),
        pid: 4242,
    };
    frame(&serde_json::to_vec(&greeting).expect("a greeting"))
}

/// A daemon that answers every client with these bytes and hangs up.
fn fake_daemon(home: &Home, answer: Vec<u8>) {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home.runtime())
        .expect("a directory");
    _ = fs::remove_file(home.socket());
    let listener = UnixListener::bind(home.socket()).expect("a socket");
    // Ends with the test's process.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client = client;
            _ = client.write_all(&answer);
            _ = client.shutdown(std::net::Shutdown::Write);
            _ = client.read_to_end(&mut Vec::new());
        }
    });
}

/// Greets the real daemon.
fn connect(home: &Home, protocol: u32) -> UnixStream {
    let mut stream = UnixStream::connect(home.socket()).expect("the daemon listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
        .write_all(&greeting(protocol))
        .expect("it takes a greeting");
    stream
}

fn read_frame(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn a_daemon_of_another_age_is_named() {
    let home = Home::new();
    fake_daemon(&home, greeting(999));
    for arguments in [
        &["jobs"][..],
        &["run", "--local", "--", "true"],
        &["daemon", "status"],
        &["daemon", "stop"],
    ] {
        home.regatta(arguments)
            .exits(2)
            .says(&["pid 4242", "version 9.9.9", "protocol 999", "hint: "])
            .prints("");
    }
    fs::remove_file(home.socket()).expect("the fake's socket");
}

#[test]
fn daemons_that_talk_nonsense_are_no_riddle() {
    let home = Home::new();
    for (answer, part) in [
        (Vec::new(), "has gone away"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "larger than any can be",
        ),
        (frame(b"hello"), "cannot be read"),
        (
            [greeting(regatta::wire::PROTOCOL), frame(b"\xff\xff\xff")].concat(),
            "cannot be read",
        ),
        (greeting(regatta::wire::PROTOCOL), "has gone away"),
    ] {
        fake_daemon(&home, answer);
        home.regatta(&["jobs"]).exits(1).says(&[part]);
    }
    fs::remove_file(home.socket()).expect("the fake's socket");
}

/// A daemon that is stopped or stuck is not waited for for ever.
#[test]
fn a_daemon_that_does_not_answer_is_given_up() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    let pid = home.daemon_pid();
    kill(pid, Signal::STOP);
    let (ran, took) = timed(|| home.regatta(&["jobs"]));
    kill(pid, Signal::CONT);
    ran.exits(1).says(&["does not answer"]);
    assert!(took < PATIENCE / 2, "{took:?}");
    home.regatta(&["jobs"]).exits(0);
}

#[test]
fn clients_of_another_age_learn_ours() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    for protocol in [0, regatta::wire::PROTOCOL + 1] {
        let mut client = connect(&home, protocol);
        let theirs: Greeting =
            serde_json::from_slice(&read_frame(&mut client).expect("a greeting")).expect("JSON");
        assert_eq!(
            (theirs.protocol, theirs.pid),
            (regatta::wire::PROTOCOL, home.daemon_pid())
        );
        assert_eq!(read_frame(&mut client), None, "nothing more is said");
    }
    home.regatta(&["daemon", "status"]).exits(0);
}

#[test]
fn clients_that_send_garbage_disturb_nobody() {
    let home = Home::new();
    home.regatta(&["daemon", "start"]).exits(0);
    let pid = home.daemon_pid();
    let ours = greeting(regatta::wire::PROTOCOL);
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let deep = vec![0x91; 200_000];
    let messages: [Vec<u8>; 9] = [
        Vec::new(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        noise.clone(),
        frame(b""),
        frame(&noise),
        u32::MAX.to_be_bytes().to_vec(),
        [&ours[..], &frame(&noise)].concat(),
        [&ours[..], &frame(&deep)].concat(),
        [&ours[..], &(64_u32 << 20).to_be_bytes(), b"half of it"].concat(),
    ];
    for message in messages {
        let mut client = UnixStream::connect(home.socket()).expect("the daemon listens");
        // It may hang up before it was told everything.
        _ = client.write_all(&message);
        _ = client.shutdown(std::net::Shutdown::Write);
        client.set_read_timeout(Some(PATIENCE)).expect("a socket");
        if let Err(error) = client.read_to_end(&mut Vec::new()) {
            // It did not read all that we sent.
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }
    assert_eq!(home.daemon_pid(), pid);
    home.regatta(&["run", "--local", "--wait", "--", "true"])
        .exits(0);
}

#[test]
fn a_client_that_stops_reading_stalls_nobody() {
    let home = Home::new();
    let job = home.finished_job("head -c 10000000 /dev/zero");
    let other = home.finished_job("echo other");
    let mut stuck = connect(&home, regatta::wire::PROTOCOL);
    let receive = Request::Receive(Receive {
        select: vec![Selector::new(job.to_string())],
        hosts: None,
        streams: Streams::Both,
        mode: Mode::Drain,
        until: ReceiveUntil::Now,
        purpose: Purpose::HandOver,
    });
    let body = rmp_serde::to_vec(&receive).expect("a request");
    stuck.write_all(&frame(&body)).expect("the daemon takes it");
    assert!(read_frame(&mut stuck).is_some(), "its greeting");
    assert!(
        read_frame(&mut stuck).is_some(),
        "the first piece of output"
    );

    // It has the job's output on loan, and everything else goes on.
    home.regatta(&["receive", &job.to_string()])
        .exits(1)
        .says(&["is being received by somebody else"]);
    home.regatta(&["receive", &other.to_string()])
        .exits(0)
        .prints("localhost: other\n");
    home.regatta(&["run", "--local", "--wait", "--", "seq 100000 | tail -n1"])
        .exits(0)
        .prints("localhost: 100000\n");
    for _ in 0..5 {
        let (ran, took) = timed(|| home.regatta(&["jobs"]));
        ran.exits(0);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    drop(stuck);
    until("the loan is over", || {
        home.regatta(&["receive", "--keep", "-N", &job.to_string()])
            .stdout
            .len()
            == 10_000_000
    });
}

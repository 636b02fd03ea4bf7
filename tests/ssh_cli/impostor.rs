//! Servers that are none: whatever bytes they send, and what they do then.

use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A server on a port of its own that takes every connection, says `words`, and then does what [`Then`] says.
pub struct Impostor {
    pub port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug)]
pub enum Then {
    HangsUp,
    StaysSilent,
    /// Says these words again and again.
    Repeats(&'static [u8]),
    /// Says these words byte by byte, one a second.
    Drips(&'static [u8]),
}

impl Impostor {
    pub fn says(words: &[u8], then: Then) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let over = Arc::new(AtomicBool::new(false));
        let (ended, words) = (Arc::clone(&over), words.to_vec());
        let thread = std::thread::spawn(move || {
            let mut taken = Vec::new();
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (stream, words) = (stream.expect("a connection"), words.clone());
                let ended = Arc::clone(&ended);
                taken.push(std::thread::spawn(move || {
                    serve(stream, &words, then, &ended);
                }));
            }
            for served in taken {
                served.join().expect("it does not panic");
            }
        });
        Self {
            port,
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Until the client has gone, or the test is over.
fn serve(mut stream: TcpStream, words: &[u8], then: Then, over: &AtomicBool) {
    // Whoever gave up does not listen any more.
    let _ = stream.write_all(words);
    match then {
        // Not closed: with unread bytes that would be a reset, and the words could be lost.
        Then::HangsUp => {
            let _ = stream.shutdown(Shutdown::Write);
        }
        Then::StaysSilent => {}
        Then::Repeats(words) => {
            let words = words.repeat(65_536 / words.len());
            // A client that takes nothing more must not keep the thread.
            let patience = Some(Duration::from_millis(100));
            stream.set_write_timeout(patience).expect("it is a time");
            let mut said = 0;
            while !over.load(Ordering::Relaxed) {
                match stream.write(&words[said..]) {
                    Ok(written) => said = (said + written) % words.len(),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }
        Then::Drips(words) => {
            for byte in words {
                wait(Duration::from_secs(1), over);
                if over.load(Ordering::Relaxed) || stream.write_all(&[*byte]).is_err() {
                    return;
                }
            }
        }
    }
    wait(Duration::MAX, over);
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is the server that takes its time, and ends with the test"
)]
fn wait(time: Duration, over: &AtomicBool) {
    let pause = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while waited < time && !over.load(Ordering::Relaxed) {
        std::thread::sleep(pause);
        waited += pause;
    }
}

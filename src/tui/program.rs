//! This very program, run again: what only prints is printed by the verb that does so in a shell, and shown.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::event::Ran;

/// What is kept of what it says.
const MOST: u64 = 8 << 20;

/// How this very program is started so that it reaches the same engine with the same settings.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    /// Options that come before the verb.
    pub options: Vec<OsString>,
    pub variables: Vec<(OsString, OsString)>,
}

impl Program {
    /// Runs it with these words to its end.  It has no input and no terminal, and ends when nobody waits any more.
    pub async fn run(&self, words: &[String]) -> Ran {
        let started = Command::new(&self.path)
            .args(&self.options)
            .args(words)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return failed(&error.to_string()),
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err, status) = tokio::join!(read(out), read(err), child.wait());
        let mut text = out;
        text.extend_from_slice(&err);
        match status {
            Ok(status) => Ran {
                text: Bytes::from(text),
                exit: status.code(),
            },
            Err(error) => failed(&error.to_string()),
        }
    }
}

/// All of a stream, up to a bound; what is beyond it is read and let go of, so that nobody waits for a reader.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What cannot be read any more is shown as far as it came.
        _ = (&mut stream).take(MOST).read_to_end(&mut bytes).await;
        if bytes.len() as u64 == MOST {
            bytes.extend_from_slice(
                b"\n(what follows is not shown; run it in a shell to see all)\n",
            );
            _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    }
    bytes
}

fn failed(why: &str) -> Ran {
    Ran {
        text: Bytes::from(format!("regatta could not be run: {why}")),
        exit: None,
    }
}

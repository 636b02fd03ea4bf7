//! The simulated computers' shell: reads a line or a script, and runs it with a handful of commands.
//!
//! Words with quotes, backslashes and variables; `;` and line ends, `&&`, `||`; `>&2`, `2>&1` and redirection to
//! `/dev/null`; comments.  Everything else of sh is refused by name, never done in part.  [`commands`] has the
//! commands.  Scripts of queries are [`queries`]' business.

mod commands;
mod parse;

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};

use super::computer::Computer;
use super::process::Running;
use super::queries;
use parse::{Joiner, Piece, Simple, Sink, Word};

/// Added to everything a real computer would not say.
const SIMULATED: &str = "(this computer is simulated)";

/// The exit codes of sh: a line it cannot read, and a command it cannot find.
const SYNTAX_ERROR: u8 = 2;
const NOT_FOUND: u8 = 127;

/// The two ways output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Takes what commands write, as fast as somebody reads it.
pub(super) trait Output: Send + Sync {
    /// An error is a reader that is gone.
    fn write(&self, stream: Stream, data: Bytes)
    -> impl Future<Output = Result<(), Unread>> + Send;
}

/// Nobody reads the output any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unread;

/// A shell at work.
pub(super) struct Shell<'a, O> {
    pub(super) computer: &'a Computer,
    pub(super) process: &'a Running,
    pub(super) variables: HashMap<&'a str, String>,
    pub(super) output: &'a O,
}

/// What a command did to the shell it ran in.
enum Done {
    Code(u8),
    /// `exit`: the rest is not run.
    Exit(u8),
}

impl<O: Output> Shell<'_, O> {
    /// Runs a line or a script, and returns its exit code.
    pub(super) async fn run(&self, text: &str) -> u8 {
        self.try_run(text).await.unwrap_or(PIPE)
    }

    /// Runs a line, a script as its interpreter would, or the script of a query; an empty interpreter is the login shell.
    pub(super) async fn interpret(&self, interpreter: &str, text: &str) -> u8 {
        match queries::answer(self.computer, text) {
            Some(Ok(rows)) => {
                let said = self.output.write(Stream::Out, rows.into()).await;
                return said.map_or(PIPE, |()| 0);
            }
            Some(Err(unknown)) => {
                let said = self.complain(&unknown.to_string()).await;
                return said.map_or(PIPE, |()| NOT_FOUND);
            }
            None => {}
        }
        let program = interpreter.split_ascii_whitespace().next().unwrap_or("sh");
        match program.rsplit('/').next().unwrap_or(program) {
            "sh" | "bash" | "dash" | "ash" | "ksh" => self.run(text).await,
            name => {
                let said = self
                    .complain(&format!("sh: {name}: not found {SIMULATED}"))
                    .await;
                said.map_or(PIPE, |()| NOT_FOUND)
            }
        }
    }

    async fn try_run(&self, text: &str) -> Result<u8, Unread> {
        let program = match parse::parse(text) {
            Ok(program) => program,
            Err(error) => {
                self.complain(&format!("sh: {error} {SIMULATED}")).await?;
                return Ok(SYNTAX_ERROR);
            }
        };
        let mut code = 0;
        for (joiner, simple) in program {
            let goes_on = match joiner {
                Joiner::Always => true,
                Joiner::And => code == 0,
                Joiner::Or => code != 0,
            };
            if goes_on {
                match self.simple(&simple, code).await? {
                    Done::Code(done) => code = done,
                    Done::Exit(exit) => return Ok(exit),
                }
            }
        }
        Ok(code)
    }

    async fn simple(&self, simple: &Simple, last: u8) -> Result<Done, Unread> {
        let words: Vec<String> = simple
            .words
            .iter()
            .filter_map(|word| self.expand(word, last))
            .collect();
        let to = Redirected {
            output: self.output,
            out: simple.out,
            err: simple.err,
        };
        match words.split_first() {
            None => Ok(Done::Code(0)),
            Some((name, args)) => commands::run(self, &to, name, args, last).await,
        }
    }

    /// A word's text; nothing if it consists only of variables without value.
    fn expand(&self, word: &Word, last: u8) -> Option<String> {
        let mut text = String::new();
        for piece in &word.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable(name) => match name.as_str() {
                    "?" => text.push_str(&last.to_string()),
                    "$" => text.push_str(&self.process.pid.to_string()),
                    name => text.push_str(self.variables.get(name).map_or("", String::as_str)),
                },
            }
        }
        (word.quoted || !text.is_empty()).then_some(text)
    }

    async fn complain(&self, text: &str) -> Result<(), Unread> {
        self.output
            .write(Stream::Err, Bytes::from(format!("{text}\n")))
            .await
    }
}

/// The exit code of what was ended by writing to nobody: 128 and SIGPIPE's number, as a shell reports it.
const PIPE: u8 = 128 + 13;

/// Where one command's output goes.
struct Redirected<'a, O> {
    output: &'a O,
    out: Sink,
    err: Sink,
}

impl<O: Output> Redirected<'_, O> {
    async fn out(&self, text: impl Into<Bytes>) -> Result<(), Unread> {
        self.write(self.out, text.into()).await
    }

    async fn err(&self, text: impl Into<Bytes>) -> Result<(), Unread> {
        self.write(self.err, text.into()).await
    }

    async fn write(&self, sink: Sink, data: Bytes) -> Result<(), Unread> {
        match sink {
            Sink::Out => self.output.write(Stream::Out, data).await,
            Sink::Err => self.output.write(Stream::Err, data).await,
            // Somebody else's turn: what talks to nobody must not talk for ever on one thread.
            Sink::Null => {
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }
}

/// Gathers small pieces into large ones.
struct Block {
    bytes: BytesMut,
}

impl Block {
    const SIZE: usize = 32 << 10;

    fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
        }
    }

    fn push(&mut self, data: &[u8]) {
        self.bytes.put_slice(data);
    }

    /// What is there, if it is enough.
    fn full(&mut self) -> Option<Bytes> {
        (self.bytes.len() >= Self::SIZE).then(|| self.rest())
    }

    fn rest(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

#[cfg(test)]
mod tests;

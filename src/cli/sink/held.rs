//! What a sink holds back: the beginning of a line, or of a character, whose end has not come.

use std::io;

use super::{Layout, Origin, Sink};
use crate::core::output::Stream;
use crate::view::json;

/// A line that is longer is printed in parts: nobody's memory is the limit of a remote line.
const LONGEST_LINE: usize = 256 << 10;

/// The beginning of a line, or of a character, and whose it is.
pub(super) struct Beginning {
    job: u64,
    host: String,
    pub(super) bytes: Vec<u8>,
}

impl Sink {
    /// Splits a piece into lines, and keeps what has no end yet.
    pub(super) fn lines(
        &mut self,
        origin: Origin<'_>,
        stream: Stream,
        mut data: &[u8],
    ) -> io::Result<()> {
        let key = (origin.child, stream);
        while let Some(at) = data.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&data[..at], &data[at + 1..]);
            match self.held.remove(&key) {
                Some(mut start) => {
                    start.bytes.extend_from_slice(line);
                    self.line(&start.host, stream, &start.bytes)?;
                }
                None => self.line(origin.host, stream, line)?,
            }
            data = rest;
        }
        if !data.is_empty() {
            let start = self.held.entry(key).or_insert_with(|| origin.begins());
            start.bytes.extend_from_slice(data);
            if start.bytes.len() > LONGEST_LINE
                && let Some(part) = self.held.remove(&key)
            {
                self.line(&part.host, stream, &part.bytes)?;
            }
        }
        Ok(())
    }

    /// A record of a piece up to its last whole character, so that no record splits one.
    pub(super) fn characters(
        &mut self,
        origin: Origin<'_>,
        stream: Stream,
        data: &[u8],
    ) -> io::Result<()> {
        let key = (origin.child, stream);
        let mut piece = self.held.remove(&key).unwrap_or_else(|| origin.begins());
        piece.bytes.extend_from_slice(data);
        let whole = piece.bytes.len() - unfinished(&piece.bytes);
        let rest = piece.bytes.split_off(whole);
        if whole > 0 {
            self.put(key, &piece)?;
        }
        if !rest.is_empty() {
            let rest = Beginning {
                bytes: rest,
                ..piece
            };
            self.held.insert(key, rest);
        }
        Ok(())
    }

    /// Writes what is held back of a child as it is.
    pub(in crate::cli) fn let_go(&mut self, child: u64) -> io::Result<()> {
        for stream in Stream::BOTH {
            if let Some(beginning) = self.held.remove(&(child, stream)) {
                self.put((child, stream), &beginning)?;
            }
        }
        Ok(())
    }

    pub(super) fn let_go_of_all(&mut self) -> io::Result<()> {
        for (key, beginning) in std::mem::take(&mut self.held) {
            self.put(key, &beginning)?;
        }
        Ok(())
    }

    fn put(&mut self, (child, stream): (u64, Stream), piece: &Beginning) -> io::Result<()> {
        let Beginning { job, host, bytes } = piece;
        match self.layout {
            Layout::Prefix => self.line(host, stream, bytes),
            Layout::Ndjson | Layout::Json => {
                self.record(&json::output(*job, child, host, stream, bytes))
            }
            // These hold nothing back.
            Layout::Headers | Layout::Raw => Ok(()),
        }
    }
}

impl Origin<'_> {
    fn begins(&self) -> Beginning {
        Beginning {
            job: self.job,
            host: self.host.to_string(),
            bytes: Vec::new(),
        }
    }
}

/// How many bytes at the end of what is UTF-8 otherwise are the beginning of a character.
fn unfinished(data: &[u8]) -> usize {
    match std::str::from_utf8(data) {
        Err(error) if error.error_len().is_none() => data.len() - error.valid_up_to(),
        Ok(_) | Err(_) => 0,
    }
}

//! All of some children's output, streamed out of the engine piece by piece: to a file, a program, the clipboard.

use std::fmt;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::event::Failure;
use super::link::{failure, out_of_turn};
use super::table::export::Export;
use crate::daemon::client::{Absent, Reach};
use crate::view::count::{Noun, counted};
use crate::wire::look::{Look, Place, RowEnd, RowKind, Seen};
use crate::wire::{Reply, Request};

/// Bytes asked for at a time.
const BITE: u32 = 1 << 20;

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Children with what stands before each of their lines.
    Children(Vec<(u64, String)>),
    /// What is shown of a table.
    Rows(Box<Export>),
    /// A text that is here already.
    Text(Bytes),
}

/// How much was written, and what was missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    /// What a cap had cut out.
    pub dropped: u64,
}

impl Whole {
    /// Writes everything that is stored by now, as it came; where something was cut out, a line says so.
    pub async fn write(
        &self,
        reach: &Reach,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Written, String> {
        let mut written = Written::default();
        let children = match self {
            Self::Children(children) => children.as_slice(),
            Self::Text(text) => {
                written.bytes = put(to, text).await?;
                &[]
            }
            Self::Rows(export) => {
                let export = export.clone();
                let text = tokio::task::spawn_blocking(move || export.text()).await;
                let text = text.map_err(|error| error.to_string())?;
                written.bytes = put(to, text.as_bytes()).await?;
                &[]
            }
        };
        for (child, prefix) in children {
            let mut from = 0;
            loop {
                let seen = look(reach, *child, from).await;
                let seen = seen.map_err(|unseen| unseen.to_string())?;
                let mut text = Vec::with_capacity(BITE as usize / 4);
                for row in &seen.rows {
                    text.extend_from_slice(prefix.as_bytes());
                    match &row.what {
                        RowKind::Text { data, ends, .. } => {
                            text.extend_from_slice(data);
                            // With a prefix every row is a line of its own.
                            if *ends == RowEnd::Newline || !prefix.is_empty() {
                                text.push(b'\n');
                            }
                        }
                        RowKind::Cut(count) => {
                            written.dropped += count.bytes;
                            let line = format!(
                                "[regatta: {} in {} were cut out here]\n",
                                counted(count.bytes, Noun::Byte),
                                counted(count.lines, Noun::Line),
                            );
                            text.extend_from_slice(line.as_bytes());
                        }
                    }
                }
                written.bytes += put(to, &text).await?;
                let done = seen.to.offset >= seen.end.offset || seen.to.offset <= from;
                from = seen.to.offset;
                if done {
                    break;
                }
            }
        }
        to.flush().await.map_err(|error| error.to_string())?;
        Ok(written)
    }
}

async fn put(to: &mut (impl AsyncWrite + Unpin), text: &[u8]) -> Result<u64, String> {
    let put = to.write_all(text).await;
    put.map_err(|error| error.to_string())?;
    Ok(text.len() as u64)
}

/// Why a stretch could not be had.
#[derive(Debug)]
pub(super) enum Unseen {
    /// The engine says why.
    Refused(String),
    /// It could not be asked.
    Lost(Failure),
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(message) => message,
            Self::Lost(failure) => &failure.message,
        })
    }
}

/// A stretch of a child's output.
pub(super) async fn look(reach: &Reach, child: u64, from: u64) -> Result<Seen, Unseen> {
    let request = Request::Look(Look {
        child,
        at: Place::Offset(from),
        before: 0,
        behind: BITE,
    });
    let lost = |error| Unseen::Lost(failure(&error));
    let connection = reach.request(&request, Absent::Start).await;
    let mut connection = connection.map_err(lost)?;
    loop {
        match connection.reply_or_notice().await.map_err(lost)? {
            Reply::Seen(seen) => return Ok(seen),
            Reply::Notice(_) => {}
            Reply::Error { message, .. } => return Err(Unseen::Refused(message)),
            other => return Err(Unseen::Lost(out_of_turn(&other))),
        }
    }
}

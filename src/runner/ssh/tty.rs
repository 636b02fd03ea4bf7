//! A terminal for commands that want one.
//!
//! It carries the order like a pipe does, byte for byte and without an echo; the prologue makes it one to work on.  Lines
//! end as they do without a terminal: it adds no carriage returns.  Nothing is ever typed on it, so signals do not go
//! over it either: the probe sends them.

use std::time::Duration;

use russh::{ChannelMsg, Pty};

use super::channel::OpenChannel;
use crate::core::reason::Reason;
use crate::runner::Order;

/// The option that asks for one: `COLUMNSxROWS`.
pub(super) const OPTION: &str = "tty";

/// What the terminal understands, as far as the command needs to know.
const TERM: &str = "xterm";

/// As a pipe: no lines to edit, no characters with a meaning, nothing added to the output.
const MODES: [(Pty, u32); 8] = [
    (Pty::ECHO, 0),
    (Pty::ICANON, 0),
    (Pty::ISIG, 0),
    (Pty::IEXTEN, 0),
    (Pty::ICRNL, 0),
    (Pty::IXON, 0),
    (Pty::ONLCR, 0),
    (Pty::ISTRIP, 0),
];

/// In characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    columns: u32,
    rows: u32,
}

/// What terminal the order wants, if it wants one.
pub(super) fn wanted(order: &Order) -> Result<Option<Size>, Reason> {
    let found = order.options.iter().find(|(name, _)| name == OPTION);
    let Some((_, value)) = found else {
        return Ok(None);
    };
    let size = value
        .split_once('x')
        .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    let Some((columns, rows)) = size else {
        let text = format!("the option tty is a size, as in 80x24, and not {value:?}");
        return Err(Reason::BadSettings(text));
    };
    Ok(Some(Size { columns, rows }))
}

/// Asks for it, before anything runs on the channel.
pub(super) async fn allocate(
    channel: &mut OpenChannel,
    size: Size,
    patience: Duration,
) -> Result<(), Reason> {
    let asked = async {
        let half = channel.write.half();
        half.request_pty(true, TERM, size.columns, size.rows, 0, 0, &MODES)
            .await
            .ok()?;
        while let Some(message) = channel.read.wait().await {
            match message {
                ChannelMsg::Success => return Some(true),
                ChannelMsg::Failure => return Some(false),
                ChannelMsg::Close => return None,
                // Window adjustments, and what only a client sends.
                _ => {}
            }
        }
        None
    };
    match tokio::time::timeout(patience, asked).await {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(Reason::Refused(
            "the server gives no terminal to this login: run it without --tty".to_owned(),
        )),
        Ok(None) => Err(Reason::Unreachable(
            channel.write.lease().connection().why(),
        )),
        Err(_) => Err(Reason::Refused(format!(
            "the server did not answer the request for a terminal within {}s",
            patience.as_secs_f32()
        ))),
    }
}

//! sudo's words on a channel.

use bytes::Bytes;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client};
use tokio::sync::{mpsc, watch};

use super::channel::OpenChannel;
use super::connection::Connection;
use super::session::signal_word;
use crate::core::reason::Reason;
use crate::core::spec::{Ended, Signal};
use crate::runner::Event;
use crate::runner::sudo::{self, Besides, Climb, Heard, Talk};

/// Starts sudo, and talks until the program behind it runs.
pub(super) async fn climb(
    climb: Climb<'_>,
    program: (&str, &str),
    channel: &mut OpenChannel,
    events: Option<&mpsc::Sender<Event>>,
    signal: &mut watch::Receiver<Option<Signal>>,
) -> Result<Besides, Ended> {
    let connection = channel.write.lease().connection();
    let mut talking = Talking {
        read: &mut channel.read,
        write: channel.write.half(),
        connection,
        status: None,
    };
    // What cannot be written has lost its connection, and the reading side says why.
    let _ = talking.write.exec(true, sudo::exec_line()).await;
    climb.make(program, &mut talking, events, signal).await
}

struct Talking<'a> {
    read: &'a mut ChannelReadHalf,
    write: &'a ChannelWriteHalf<client::Msg>,
    connection: &'a Connection,
    /// How it ended, as far as the server has said it.
    status: Option<Ended>,
}

impl Talk for Talking<'_> {
    async fn hear(&mut self) -> Heard {
        while let Some(message) = self.read.wait().await {
            match message {
                ChannelMsg::Data { data } => return Heard::Out(data),
                ChannelMsg::ExtendedData { data, .. } => return Heard::Err(data),
                ChannelMsg::ExitStatus { exit_status } => {
                    self.status = Some(Ended::Exited(exit_status as i32));
                }
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    self.status = Some(Ended::Signaled(signal_word(&signal_name)));
                }
                ChannelMsg::Failure => {
                    let why = "the server does not run commands for this login".to_owned();
                    return Heard::End(Ended::NotStarted(Reason::Refused(why)));
                }
                ChannelMsg::Close => {
                    let silent = || Ended::Lost("the server closed the channel".to_owned());
                    return Heard::End(self.status.take().unwrap_or_else(silent));
                }
                // Success, window adjustments, and what only a client sends.
                _ => {}
            }
        }
        let lost = Reason::Unreachable(self.connection.why());
        Heard::End(Ended::NotStarted(lost))
    }

    async fn say(&mut self, words: Bytes) {
        // As above.
        let _ = self.write.data_bytes(words).await;
    }
}

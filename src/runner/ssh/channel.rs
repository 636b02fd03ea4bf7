//! A channel that is let go when it is dropped.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelReadHalf, ChannelWriteHalf};

use super::pool::Lease;

/// How long saying good-bye to a channel may take.
const GOOD_BYE: Duration = Duration::from_secs(30);

/// A session channel on a leased connection.  The server learns of its end whatever happens here: the library itself
/// does not tell it when a channel is dropped, and what runs would be without its watcher's signal.
#[derive(Debug)]
pub(super) struct OpenChannel {
    pub(super) read: ChannelReadHalf,
    pub(super) write: CloseOnDrop,
}

/// The writing half; see [`OpenChannel`].
#[derive(Debug)]
pub(super) struct CloseOnDrop {
    open: Option<(ChannelWriteHalf<Msg>, Lease)>,
}

impl OpenChannel {
    pub(super) fn new(channel: Channel<Msg>, lease: Lease) -> Self {
        let (read, write) = channel.split();
        Self {
            read,
            write: CloseOnDrop {
                open: Some((write, lease)),
            },
        }
    }
}

impl CloseOnDrop {
    pub(super) fn half(&self) -> &ChannelWriteHalf<Msg> {
        &self.open().0
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.open().1
    }

    fn open(&self) -> &(ChannelWriteHalf<Msg>, Lease) {
        self.open.as_ref().expect("only dropping takes it")
    }

    /// The server has closed the channel already.
    pub(super) fn closed_by_server(mut self) {
        self.open = None;
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        if let Some((write, lease)) = self.open.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let _urgent = lease.connection().urgent();
                // A connection that takes this long is about to be found dead.
                let _ = tokio::time::timeout(GOOD_BYE, write.close()).await;
            });
        }
    }
}

//! The operator's terminal, for answers: a line as it is typed, or a secret that is not shown.
//!
//! It is read without blocking anything: an engine may live in this very process, and whoever asks may lose interest.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr, ttyname,
};
use tokio::io::unix::AsyncFd;
use zeroize::Zeroizing;

use super::terminal::Terminal;

/// No answer is longer, in bytes; terminals give no longer lines either.
const LONGEST: usize = 4096;

/// See the module.
pub(super) struct Tty(AsyncFd<File>);

/// Whether what is typed may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    Shown,
    Hidden,
}

impl Tty {
    /// The terminal somebody sits at; none if messages do not go to one, or nothing can be typed.
    pub(super) fn open(terminal: Terminal) -> Option<Self> {
        if !terminal.err {
            return None;
        }
        // By its name, so that how it is opened here does not change how others have it open.
        let own = terminal
            .input
            .then(|| ttyname(io::stdin(), Vec::new()).ok());
        let own = own.flatten().and_then(|name| name.into_string().ok());
        let path = own.map_or_else(|| PathBuf::from("/dev/tty"), PathBuf::from);
        let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path);
        let file = file.ok()?;
        #[expect(
            deprecated,
            reason = "a File owns its descriptor, and the other way is unsafe, which is forbidden here"
        )]
        let tty = AsyncFd::new(file).ok()?;
        Some(Self(tty))
    }

    /// Has a line typed; none at the end of the input.  What was typed before is no answer to this.
    #[expect(
        clippy::print_stderr,
        reason = "a question goes to the operator, not into the data"
    )]
    pub(super) async fn ask(
        &self,
        prompt: &str,
        echo: Echo,
    ) -> io::Result<Option<Zeroizing<String>>> {
        let _hidden = match echo {
            Echo::Shown => None,
            Echo::Hidden => Some(Hidden::new(self.0.get_ref())?),
        };
        tcflush(self.0.get_ref(), QueueSelector::IFlush)?;
        eprint!("{prompt}");
        let line = self.line().await?;
        if echo == Echo::Hidden || line.is_none() {
            eprintln!();
        }
        Ok(line)
    }

    async fn line(&self) -> io::Result<Option<Zeroizing<String>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
        let mut piece = Zeroizing::new([0; 256]);
        while line.last() != Some(&b'\n') {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|tty| tty.get_ref().read(&mut piece[..])) {
                Ok(Ok(0)) if line.is_empty() => return Ok(None),
                Ok(Ok(0)) => break,
                Ok(Ok(length)) if line.len() + length <= LONGEST => {
                    line.extend_from_slice(&piece[..length]);
                }
                Ok(Ok(_)) => return Err(io::Error::other("the line is too long")),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
        let text = std::str::from_utf8(&line).map_err(io::Error::other)?;
        Ok(Some(Zeroizing::new(
            text.trim_end_matches(['\n', '\r']).to_owned(),
        )))
    }
}

/// While it lives, the terminal shows nothing of what is typed.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn new(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet
            .local_modes
            .insert(LocalModes::ICANON | LocalModes::ISIG);
        let hidden = Self {
            terminal: terminal.try_clone()?,
            before,
        };
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(hidden)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing better can be done about a terminal that is gone.
        _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

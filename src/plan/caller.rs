//! Who types a command, and from where.  The daemon's own directory, agent and standard input are other ones.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::ssh_config::LocalEnv;
use crate::targets::Source;

/// What a command takes from the process it is typed in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The directory that relative paths are meant from, or why there is none.
    pub directory: Result<PathBuf, String>,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    pub stdin: Stdin,
    /// What ssh_config(5) may refer to.
    pub local: LocalEnv,
}

/// What `-` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// Standard input, to be read.
    Read,
    /// Nothing: the keys come from there.
    Keys,
}

impl Caller {
    /// This process.
    pub fn current(stdin: Stdin) -> Self {
        Self {
            directory: std::env::current_dir().map_err(|error| error.to_string()),
            agent: std::env::var_os("SSH_AUTH_SOCK")
                .filter(|agent| !agent.is_empty())
                .map(PathBuf::from),
            stdin,
            local: LocalEnv::current(),
        }
    }

    /// Where a path that was typed leads.
    pub fn path(&self, typed: &Path) -> PathBuf {
        match &self.directory {
            Ok(directory) => directory.join(typed),
            Err(_) => typed.to_path_buf(),
        }
    }

    /// All of standard input.
    pub(super) fn stdin(&self) -> io::Result<Vec<u8>> {
        match self.stdin {
            Stdin::Read => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Stdin::Keys => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the keys come from there; name a file instead",
            )),
        }
    }
}

/// Reads what target expressions refer to.
pub(super) struct Files<'a>(pub(super) &'a Caller);

impl Source for Files<'_> {
    fn file(&mut self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(self.0.path(Path::new(path)))
    }

    fn stdin(&mut self) -> io::Result<String> {
        let not_text = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        String::from_utf8(self.0.stdin()?).map_err(not_text)
    }
}

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

    /// The same where no shell has read it: `~/` is the home directory.
    pub fn path_without_shell(&self, typed: &Path) -> PathBuf {
        match typed.strip_prefix("~") {
            Ok(rest) => {
                let home = self.local.variables.get("HOME").map(Path::new);
                home.unwrap_or(&self.local.home).join(rest)
            }
            Err(_) => self.path(typed),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_that_no_shell_has_read_is_the_home_directory() {
        let mut caller = Caller::current(Stdin::Keys);
        caller.directory = Ok("/d".into());
        caller.local.home = "/passwd".into();
        caller.local.variables.clear();
        let leads = |caller: &Caller, typed: &str| caller.path_without_shell(Path::new(typed));
        assert_eq!(leads(&caller, "~/x.json"), Path::new("/passwd/x.json"));
        let home = ("HOME".to_string(), "/h".to_string());
        caller.local.variables.extend([home]);
        assert_eq!(leads(&caller, "~/x.json"), Path::new("/h/x.json"));
        assert_eq!(leads(&caller, "~x"), Path::new("/d/~x"));
    }
}

//! The private directory of a simulated fleet: inventory, configuration, keys.  Everything a client needs is in it, so
//! that nothing of the user's own is read or written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;

use super::fleet::Fleet;
use super::server::Server;

/// A directory, 0700, that is removed with all it holds when this is dropped.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
}

impl Place {
    /// Makes the directory where temporary files go.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create() -> io::Result<Self> {
        // A name nobody can guess, and an error rather than a directory that is there already.
        let name = format!("regatta-demo-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        // The client configuration takes paths from the root only, and no links on the way.
        let path = fs::canonicalize(path)?;
        Ok(Self { path })
    }

    /// Writes what reaches `fleet` through `server` with `identity`; `fanout` children of a job at once by default.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn furnish(
        &self,
        fleet: &Fleet,
        server: &Server,
        identity: &PrivateKey,
        fanout: u64,
    ) -> io::Result<()> {
        let directory = self.path.display();
        let address = server.address();
        let host_key = server.host_key().to_openssh().map_err(io::Error::other)?;
        let identity = identity
            .to_openssh(LineEnding::LF)
            .map_err(io::Error::other)?;
        self.write("id_ed25519", identity.as_bytes())?;
        let known_hosts = format!("[{}]:{} {host_key}\n", address.ip(), address.port());
        self.write("known_hosts", known_hosts.as_bytes())?;
        self.write("inventory.toml", fleet.inventory(address).as_bytes())?;
        let config = format!(
            "inventory = \"inventory.toml\"\nssh_config = \"ssh_config\"\n\n[run]\nfanout = {fanout}\n"
        );
        self.write("config.toml", config.as_bytes())?;
        let ssh_config = format!(
            "# Simulated computers: the login name says which is meant.\n\
             Host *\n\
             \x20   HostName {}\n\
             \x20   Port {}\n\
             \x20   IdentityFile \"{directory}/id_ed25519\"\n\
             \x20   IdentitiesOnly yes\n\
             \x20   IdentityAgent none\n\
             \x20   UserKnownHostsFile \"{directory}/known_hosts\"\n\
             \x20   GlobalKnownHostsFile none\n\
             \x20   StrictHostKeyChecking yes\n",
            address.ip(),
            address.port(),
        );
        self.write("ssh_config", ssh_config.as_bytes())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings: they name the inventory and the client configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The client configuration, for `regatta -F` and `ssh -F`.
    pub fn ssh_config(&self) -> PathBuf {
        self.path.join("ssh_config")
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.path.join(name))?.write_all(content)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a temporary directory is left behind");
        }
    }
}

//! The files behind every connection, read once for all hosts: client configuration, known hosts, keys.
//!
//! The configuration is read again when what was read is a second old (it may include any number of files), known
//! hosts and keys when one of their files has changed, looked at no more than once a second.  For a new job everything
//! is looked at again: whoever accepted a key and starts the job once more must not be told the old story.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use russh::keys::PublicKey;
use russh::keys::ssh_key::PrivateKey;
use russh::keys::ssh_key::public::KeyData;
use tokio::time::Instant;

use super::identity::{self, Identity, NotUnlocked, Stamp, stamp};
use super::known_hosts::{self, KeyName, KnownFile, KnownHosts, Naming};
use crate::config::ssh_config::{
    Answers, ClientConfig, Commands, ConfigError, ConfigSource, HostSettings, KeyFile, LocalEnv,
    Location, Overrides, Sourced,
};
use crate::core::ids::JobId;
use crate::core::spec::Host;
use crate::secret::Secret;

/// How long what was read is taken as it is.
const FRESH: Duration = Duration::from_secs(1);

/// What a host's settings need of files.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) known_hosts: KnownHosts,
    pub(super) identities: Vec<Arc<Identity>>,
    pub(super) certificates: Vec<Arc<Identity>>,
}

type Parsed = Result<Arc<ClientConfig>, ConfigError>;

/// All that was read.
#[derive(Debug)]
pub(super) struct Files {
    env: LocalEnv,
    configs: Mutex<HashMap<Option<PathBuf>, (Instant, Parsed)>>,
    known_hosts: Mutex<HashMap<PathBuf, Known>>,
    /// Held while a host's key is added: one after the other.
    learning: Mutex<()>,
    identities: Mutex<HashMap<PathBuf, Key>>,
    /// What the commands of `Match exec` came to, for the newest job.
    answers: Answers,
    newest: Mutex<Newest>,
    /// Held while a key is decrypted: who comes later finds it open, or knows that the passphrase is wrong.
    unlocking: Mutex<HashMap<PathBuf, Secret>>,
}

/// The newest job there was, and when it came.
#[derive(Debug)]
struct Newest {
    job: JobId,
    since: Instant,
}

#[derive(Debug)]
struct Known {
    looked: Instant,
    file: Arc<KnownFile>,
}

#[derive(Debug)]
struct Key {
    looked: Instant,
    stamps: [Stamp; 3],
    identity: Arc<Identity>,
    /// The private part, once somebody gave the passphrase.
    unlocked: Option<Arc<PrivateKey>>,
}

impl Files {
    pub(super) fn new(env: LocalEnv) -> Self {
        Self {
            env,
            configs: Mutex::default(),
            known_hosts: Mutex::default(),
            learning: Mutex::default(),
            identities: Mutex::default(),
            answers: Answers::default(),
            newest: Mutex::new(Newest {
                job: JobId(0),
                since: Instant::now(),
            }),
            unlocking: Mutex::default(),
        }
    }

    /// Something is about to be read for a job.
    pub(super) fn for_job(&self, job: JobId) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if job > newest.job {
            self.answers.clear();
            *newest = Newest {
                job,
                since: Instant::now(),
            };
        }
    }

    /// Whether what was looked at then is good enough now.
    fn is_fresh(&self, looked: Instant) -> bool {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        looked >= newest.since && looked.elapsed() < FRESH
    }

    pub(super) fn env(&self) -> &LocalEnv {
        &self.env
    }

    /// The client configuration: the user's and the system's, or `file` instead.
    pub(super) async fn config(self: &Arc<Self>, file: Option<PathBuf>) -> Parsed {
        let fresh = locked(&self.configs)
            .get(&file)
            .filter(|(read, _)| self.is_fresh(*read))
            .map(|(_, config)| config.clone());
        if let Some(config) = fresh {
            return config;
        }
        self.read(|files| {
            let looked = Instant::now();
            let source = file
                .as_deref()
                .map_or(ConfigSource::Standard, ConfigSource::from_option);
            let config = ClientConfig::load(&source, &files.env).map(Arc::new);
            locked(&files.configs).insert(file, (looked, config.clone()));
            config
        })
        .await
    }

    /// What the configuration says for a host, and for the hops before it.
    pub(super) async fn settings(
        self: &Arc<Self>,
        config: &Arc<ClientConfig>,
        host: &str,
        overrides: Overrides,
        known: HashMap<String, Host>,
    ) -> Result<(HostSettings, Vec<HostSettings>), ConfigError> {
        let known = move |name: &str| known.get(name).cloned();
        let resolve = move |config: &ClientConfig, host: &str, commands: Commands<'_>| {
            let settings = config.resolve(host, &overrides, commands)?;
            let hops = config.hops(&settings, commands, &known)?;
            Ok((settings, hops))
        };
        if !config.has_commands() {
            return resolve(config, host, Commands::Skip);
        }
        let (config, host) = (Arc::clone(config), host.to_owned());
        self.read(move |files| resolve(&config, &host, Commands::Run(&files.answers)))
            .await
    }

    /// The keys that know the host and those that may log in.
    pub(super) async fn resolve(self: &Arc<Self>, settings: &HostSettings) -> Resolved {
        Resolved {
            known_hosts: self.known_hosts(settings).await,
            identities: self.identities(&settings.identity_files).await,
            certificates: self.identities(&settings.certificate_files).await,
        }
    }

    async fn identities(self: &Arc<Self>, files: &[Sourced<KeyFile>]) -> Vec<Arc<Identity>> {
        let mut identities = Vec::new();
        for file in files {
            if let Some(path) = &file.value.path {
                identities.push(self.identity(path).await);
            }
        }
        identities
    }

    /// The keys of hosts that are known by now.
    pub(super) async fn known_hosts(self: &Arc<Self>, settings: &HostSettings) -> KnownHosts {
        let lists = [&settings.user_known_hosts, &settings.global_known_hosts];
        let files = lists
            .into_iter()
            .flat_map(|list| list.value.iter().cloned());
        self.known(files.collect()).await
    }

    /// The line of a file that revokes one of these keys, or why the file cannot be used.
    pub(super) async fn revokes(
        self: &Arc<Self>,
        file: PathBuf,
        keys: Vec<KeyData>,
    ) -> Result<Option<Location>, String> {
        self.read(move |_| known_hosts::revoking_line(&file, &keys.iter().collect::<Vec<_>>()))
            .await
    }

    /// Adds a host's key to a file of known ones.
    pub(super) async fn learn(
        self: &Arc<Self>,
        file: PathBuf,
        name: KeyName,
        key: PublicKey,
        naming: Naming,
    ) -> io::Result<()> {
        self.read(move |files| {
            let _one = files
                .learning
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let known = files.known_file(&file);
            known_hosts::append(&known, &name, &key, naming)
        })
        .await
    }

    /// The private part of an encrypted key, if somebody gave its passphrase.
    pub(super) fn unlocked(&self, path: &Path) -> Option<Arc<PrivateKey>> {
        locked(&self.identities).get(path)?.unlocked.clone()
    }

    /// Opens an encrypted key for everybody, until its file changes.
    pub(super) async fn unlock(
        self: &Arc<Self>,
        path: &Path,
        passphrase: &Secret,
    ) -> Result<Arc<PrivateKey>, NotUnlocked> {
        let (path, passphrase) = (path.to_owned(), passphrase.clone());
        self.read(move |files| {
            // One after the other: many hosts bring the same passphrase at once.
            let mut wrong = locked(&files.unlocking);
            if let Some(key) = files.unlocked(&path) {
                return Ok(key);
            }
            if wrong
                .get(&path)
                .is_some_and(|wrong| wrong.is_same(&passphrase))
            {
                return Err(NotUnlocked::Wrong);
            }
            let unlocked = identity::unlock(&path, &passphrase);
            match &unlocked {
                Ok(key) => {
                    wrong.remove(&path);
                    if let Some(known) = locked(&files.identities).get_mut(&path) {
                        known.unlocked = Some(Arc::clone(key));
                    }
                }
                Err(_) => _ = wrong.insert(path, passphrase),
            }
            unlocked
        })
        .await
    }

    /// What these files know of hosts.
    pub(super) async fn known(self: &Arc<Self>, files: Vec<PathBuf>) -> KnownHosts {
        let fresh: Option<Vec<Arc<KnownFile>>> = {
            let known = locked(&self.known_hosts);
            let fresh = files.iter().map(|file| {
                let known = known.get(file)?;
                (self.is_fresh(known.looked)).then(|| Arc::clone(&known.file))
            });
            fresh.collect()
        };
        let read = match fresh {
            Some(fresh) => fresh,
            None => {
                self.read(move |this| files.iter().map(|file| this.known_file(file)).collect())
                    .await
            }
        };
        KnownHosts::of(read)
    }

    /// What a file knows of hosts as it is now.
    fn known_file(&self, path: &Path) -> Arc<KnownFile> {
        let (looked, now) = (Instant::now(), stamp(path));
        let mut known_hosts = locked(&self.known_hosts);
        if let Some(known) = known_hosts.get_mut(path)
            && known.file.is_at(now)
        {
            known.looked = looked;
            return Arc::clone(&known.file);
        }
        let file = Arc::new(KnownFile::read(path, now));
        let known = Known {
            looked,
            file: Arc::clone(&file),
        };
        known_hosts.insert(path.to_owned(), known);
        file
    }

    async fn identity(self: &Arc<Self>, path: &Path) -> Arc<Identity> {
        let fresh = locked(&self.identities)
            .get(path)
            .filter(|key| self.is_fresh(key.looked))
            .map(|key| Arc::clone(&key.identity));
        if let Some(identity) = fresh {
            return identity;
        }
        let path = path.to_owned();
        self.read(|files| {
            let looked = Instant::now();
            let stamps = Identity::stamps(&path);
            let mut identities = locked(&files.identities);
            if let Some(key) = identities.get_mut(&path).filter(|key| key.stamps == stamps) {
                key.looked = looked;
                return Arc::clone(&key.identity);
            }
            let identity = Arc::new(Identity::read(&path, files.env.uid));
            let key = Key {
                looked,
                stamps,
                identity: Arc::clone(&identity),
                unlocked: None,
            };
            identities.insert(path, key);
            identity
        })
        .await
    }

    /// Reads files on a thread that may block.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let files = Arc::clone(self);
        tokio::task::spawn_blocking(move || read(&files))
            .await
            .expect("reading files does not panic, and nobody cancels it")
    }
}

/// A map behind its lock; what a panic left behind is still a map.
fn locked<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Many log-ins at once with one agent.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use regatta::core::spec::Ended;
use regatta::runner::Runner;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::both::Both;
use crate::fleet::{Job, within};
use crate::material::{Agent, Keys};

/// Stands before an agent and hangs up on whoever is too many.
struct Doorkeeper {
    socket: PathBuf,
    most: Arc<AtomicUsize>,
    sent_away: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    _directory: TempDir,
}

impl Doorkeeper {
    fn before(agent: &Agent, places: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("door");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let (most, sent_away) = (Arc::default(), Arc::default());
        let keeps = keep(
            listener,
            agent.socket.clone(),
            places,
            Arc::clone(&most),
            Arc::clone(&sent_away),
        );
        Self {
            socket,
            most,
            sent_away,
            task: tokio::spawn(keeps),
            _directory: directory,
        }
    }
}

impl Drop for Doorkeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(
    listener: UnixListener,
    agent: PathBuf,
    places: usize,
    most: Arc<AtomicUsize>,
    sent_away: Arc<AtomicUsize>,
) {
    let inside = Arc::new(AtomicUsize::new(0));
    while let Ok((mut came, _)) = listener.accept().await {
        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
        if now > places {
            inside.fetch_sub(1, Ordering::SeqCst);
            sent_away.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        most.fetch_max(now, Ordering::SeqCst);
        let (agent, inside) = (agent.clone(), Arc::clone(&inside));
        tokio::spawn(async move {
            // A slow one: others come meanwhile.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let talked: io::Result<()> = async {
                let mut there = UnixStream::connect(&agent).await?;
                tokio::io::copy_bidirectional(&mut came, &mut there).await?;
                Ok(())
            }
            .await;
            // Who hangs up in the middle has what he wanted.
            drop(talked);
            inside.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Where so many hosts log in at once by what the agent holds; those that did not, and why.
async fn failures(both: &Both, hosts: u8) -> Vec<String> {
    let config = both.config("IdentityFile /nonexistent");
    let ssh = both.fleet.runner();
    let runner: Arc<dyn Runner> = Arc::clone(&ssh) as Arc<dyn Runner>;
    let jobs = (1..=hosts).map(|host| {
        let mut order = both.order(&config, "true");
        order.host = regatta::core::spec::Host::named(format!("127.1.0.{host}"));
        // Whoever waits for the agent loses no time.
        order.connect_timeout = Duration::from_secs(10);
        Job::start(&runner, order).finish()
    });
    let ended = within(join_all(jobs)).await;
    let failed = ended
        .into_iter()
        .filter(|one| one.ended != Ended::Exited(0));
    let failed = failed.map(|one| format!("{:?}", one.ended)).collect();
    ssh.close_all().await;
    failed
}

#[tokio::test]
async fn an_agent_with_few_places_lets_all_hosts_in() {
    let test = "an_agent_with_few_places_lets_all_hosts_in";
    let Some(mut both) = Both::start(test, "MaxStartups 200") else {
        return;
    };
    let (keys, agent) = (Keys::new(), Agent::start().await);
    agent.add(&keys.make("key", "ed25519"));
    both.let_in(&keys.read("key.pub"));

    // Eight visit it at once; some who have left are still counted.
    let door = Doorkeeper::before(&agent, usize::MAX);
    both.agent = Some(door.socket.clone());
    assert_eq!(failures(&both, 64).await, Vec::<String>::new());
    let most = door.most.load(Ordering::SeqCst);
    assert!((2..32).contains(&most), "{most} at once");

    // Fewer places than anybody would guess.
    let door = Doorkeeper::before(&agent, 2);
    both.agent = Some(door.socket.clone());
    assert_eq!(failures(&both, 32).await, Vec::<String>::new());
    assert!(door.sent_away.load(Ordering::SeqCst) > 0, "it was too much");
}

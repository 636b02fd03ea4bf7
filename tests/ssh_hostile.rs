//! Servers that let one in and then do what no real one does, and lines that break where no real one does.

mod fleet;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, Outcome, alive, command, until, within};
use regatta::core::reason::{Limit, Reason};
use regatta::core::spec::{Ended, Signal};
use regatta::demo::server::new_key;
use regatta::runner::ssh::Ssh;
use regatta::runner::{Order, Runner};
use russh::keys::ssh_key::LineEnding;
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

const HOST: &str = "127.1.0.1";

fn dynamic(ssh: &Arc<Ssh>) -> Arc<dyn Runner> {
    Arc::clone(ssh) as Arc<dyn Runner>
}

async fn run(ssh: &Arc<Ssh>, order: Order) -> Outcome {
    within(Job::start(&dynamic(ssh), order).finish()).await
}

/// What a server does once it has let somebody in.
#[derive(Clone, Copy, Debug)]
enum Oddity {
    /// Answers no request for a channel.
    NoChannel,
    /// Opens channels that take no byte, and says that the command runs.
    NoWindow,
}

/// A server with an oddity that lets everybody in, and what it takes to reach it.
struct Odd {
    place: tempfile::TempDir,
    port: u16,
    _server: JoinSet<()>,
}

impl Odd {
    async fn start(oddity: Oddity) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let (listener, port) = listen().await;
        let (host, user) = (new_key().expect("a key"), new_key().expect("a key"));
        let text = host.public_key().to_openssh().expect("a key has a text");
        let known = format!("[127.*]:{port} {text}\n");
        std::fs::write(place.path().join("known_hosts"), known).expect("our directory");
        let user = user.to_openssh(LineEnding::LF).expect("a key has a text");
        let identity = place.path().join("identity");
        std::fs::write(&identity, user.as_bytes()).expect("our directory");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&identity, private).expect("our file");
        let config = Arc::new(russh::server::Config {
            keys: vec![host],
            window_size: match oddity {
                Oddity::NoChannel => 1 << 20,
                Oddity::NoWindow => 0,
            },
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            ..russh::server::Config::default()
        });
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                connections.spawn(async move {
                    let guest = Guest {
                        oddity,
                        unanswered: Vec::new(),
                    };
                    if let Ok(session) = russh::server::run_stream(config, stream, guest).await {
                        // How it leaves does not matter.
                        let _ = session.await;
                    }
                });
            }
        });
        Self {
            place,
            port,
            _server: server,
        }
    }

    fn order(&self, limit: Duration) -> Order {
        let file = |name: &str| self.place.path().join(name).display().to_string();
        let settings = [
            "User=guest".to_owned(),
            format!("Port={}", self.port),
            format!("IdentityFile={}", file("identity")),
            "IdentitiesOnly=yes".to_owned(),
            format!("UserKnownHostsFile={}", file("known_hosts")),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
        ];
        let option = |setting| ("ssh_option".to_owned(), setting);
        let mut order = fleet::on(HOST, command("echo fine"));
        order.options = std::iter::once(("ssh_config".to_owned(), "/dev/null".to_owned()))
            .chain(settings.map(option))
            .collect();
        order.connect_timeout = limit;
        order
    }
}

/// Somebody who was let in.
struct Guest {
    oddity: Oddity,
    unanswered: Vec<ChannelOpenHandle>,
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        _offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.oddity {
            Oddity::NoChannel => self.unanswered.push(reply),
            Oddity::NoWindow => reply.accept().await,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _line: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

#[tokio::test]
async fn a_server_that_lets_one_in_and_does_no_more_is_given_up() {
    let Some(fleet) = Fleet::start("a_server_that_lets_one_in_and_does_no_more_is_given_up", "")
    else {
        return;
    };
    let cases = [
        (Oddity::NoChannel, "did not answer"),
        (Oddity::NoWindow, "takes no input"),
    ];
    for (oddity, words) in cases {
        let odd = Odd::start(oddity).await;
        let ssh = fleet.runner();
        let limit = Duration::from_secs(2);
        let start = Instant::now();
        let job = Job::start(&dynamic(&ssh), odd.order(limit));
        // Meanwhile nobody else is held up.
        let other = run(&ssh, fleet.order(HOST, command("echo fine"))).await;
        assert_eq!(
            (other.text().as_str(), other.ended),
            ("fine\n", Ended::Exited(0))
        );
        let outcome = within(job.finish()).await;
        let reason = match outcome.ended {
            Ended::NotStarted(reason) => reason,
            other => panic!("{oddity:?}: {other:?}"),
        };
        assert!(
            matches!(&reason, Reason::Refused(why) if why.contains(words))
                || matches!(
                    &reason,
                    Reason::TimedOut {
                        what: Limit::Connect,
                        ..
                    }
                ),
            "{oddity:?}: {reason}"
        );
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{oddity:?}: {took:?}");
        assert_eq!(outcome.pid, None, "{oddity:?}");
        within(ssh.close_all()).await;
    }
}

/// Stands between the runner and a server.
struct Between {
    port: u16,
    /// Which server, and what is done to its connections.
    told: watch::Sender<(SocketAddr, Does)>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Passes,
    /// Puts bytes of its own into what the server says.
    Garbles,
    /// Resets the connection.
    Resets,
    /// Passes on what the server says one byte after the other, with pauses.
    Drips,
}

/// The pause between two bytes: the answer to a keepalive takes some seconds.
const DRIP: Duration = Duration::from_millis(100);

impl Between {
    async fn start(server: u16) -> Self {
        let (listener, port) = listen().await;
        let told = watch::Sender::new((to(server), Does::Passes));
        let mut hears = told.subscribe();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let server = hears.borrow_and_update().0;
                connections.spawn(pass(stream, server, hears.clone()));
            }
        });
        Self {
            port,
            told,
            _tasks: tasks,
        }
    }

    fn does(&self, what: Does) {
        self.told.send_modify(|told| told.1 = what);
    }

    fn order(&self, fleet: &Fleet, line: &str) -> Order {
        let known = std::fs::read_to_string(fleet.path("known_hosts")).expect("it was made");
        let own = format!("127.*]:{}", self.port);
        let known = known.replace(&format!("127.*]:{}", fleet.port), &own);
        let file = fleet.path(&format!("known_{}", self.port));
        std::fs::write(&file, known).expect("a directory of our own");
        let known = format!("UserKnownHostsFile={}", file.display());
        let mut order = fleet.order_with(HOST, command(line), &[&known]);
        order.host.port = Some(self.port);
        order
    }
}

fn to(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    mut told: watch::Receiver<(SocketAddr, Does)>,
) {
    let mut server = TcpStream::connect(server).await.expect("it listens");
    let tampers = told.wait_for(|told| told.1 != Does::Passes);
    let does = tokio::select! {
        // How it ends does not matter.
        _ = copy_bidirectional(&mut client, &mut server) => return,
        told = tampers => told.expect("the test goes on").1,
    };
    match does {
        Does::Passes => {}
        Does::Garbles => {
            let _ = client.write_all(&[0x5a; 4096]).await;
            // Open, so that it is the bytes that end it.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Does::Resets => client.set_zero_linger().expect("it is open"),
        Does::Drips => drip(client, server, told).await,
    }
}

async fn drip(
    mut client: TcpStream,
    mut server: TcpStream,
    told: watch::Receiver<(SocketAddr, Does)>,
) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let drips = async {
        let mut byte = [0];
        while from_server.read_exact(&mut byte).await.is_ok()
            && to_client.write_all(&byte).await.is_ok()
        {
            if told.borrow().1 == Does::Drips {
                tokio::time::sleep(DRIP).await;
            }
        }
    };
    tokio::select! {
        // How it ends does not matter.
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = drips => {}
    }
}

#[tokio::test]
async fn a_server_that_drips_is_slow_and_not_lost_and_its_command_can_be_stopped() {
    let test = "a_server_that_drips_is_slow_and_not_lost_and_its_command_can_be_stopped";
    let Some(fleet) = Fleet::start(test, "") else {
        return;
    };
    let ssh = fleet.runner();
    let between = Between::start(fleet.port).await;
    let gate = fleet.path("gate");
    let line = format!(
        "echo before; until [ -e {} ]; do sleep 0.05; done; echo after; exec sleep 1000",
        gate.display()
    );
    let mut order = between.order(&fleet, &line);
    let impatient = ["ServerAliveInterval=1", "ServerAliveCountMax=2"];
    let impatient = impatient.map(|set| ("ssh_option".to_owned(), set.to_owned()));
    order.options = order.options.iter().cloned().chain(impatient).collect();
    let mut job = Job::start(&dynamic(&ssh), order);
    within(job.until_output("before")).await;
    between.does(Does::Drips);
    std::fs::write(&gate, "").expect("a directory of our own");
    // That takes longer than a server may be silent.
    within(job.until_output("after")).await;
    job.signal(Signal::Term);
    let run = Arc::clone(&job.run);
    let gone = until("it is stopped meanwhile", || alive(&run).is_empty());
    within(gone).await;
    between.does(Does::Passes);
    let outcome = within(job.finish()).await;
    assert_eq!(outcome.ended, Ended::Signaled("TERM".to_owned()));
    assert_eq!(outcome.text(), "before\nafter\n");
}

#[tokio::test]
async fn a_line_that_breaks_in_the_middle_of_output_is_a_connection_that_was_lost() {
    let test = "a_line_that_breaks_in_the_middle_of_output_is_a_connection_that_was_lost";
    let Some(fleet) = Fleet::start(test, "") else {
        return;
    };
    let ssh = fleet.runner();
    for (does, words) in [(Does::Garbles, "garbled"), (Does::Resets, "reset")] {
        let between = Between::start(fleet.port).await;
        let line = "echo before; while :; do echo more; sleep 0.01; done";
        let mut job = Job::start(&dynamic(&ssh), between.order(&fleet, line));
        within(job.until_output("before")).await;
        let mut other = Job::start(&dynamic(&ssh), fleet.order(HOST, command("echo a; read b")));
        within(other.until_output("a")).await;
        between.does(does);
        let lost = within(job.finish()).await;
        match &lost.ended {
            Ended::Lost(why) => assert!(why.contains(words), "{does:?}: {why}"),
            other => panic!("{does:?}: {other:?}"),
        }
        let text = lost.text();
        let lines_are_whole = text
            .strip_prefix("before\n")
            .map(|rest| rest.replace("more\n", ""));
        assert_eq!(lines_are_whole.as_deref(), Some(""), "{does:?}");
        let over = until("its lifeline has ended it", || alive(&lost.run).is_empty());
        within(over).await;
        drop(other);
    }
}

#[tokio::test]
async fn a_host_key_that_changes_between_two_connections_is_noticed() {
    let test = "a_host_key_that_changes_between_two_connections_is_noticed";
    let (Some(before), Some(after)) = (Fleet::start(test, ""), Fleet::start(test, "")) else {
        return;
    };
    let between = Between::start(before.port).await;
    let ssh = before.runner();
    let first = run(&ssh, between.order(&before, "echo fine")).await;
    assert_eq!(first.text(), "fine\n");
    between.told.send_modify(|told| told.0 = to(after.port));
    let kept = run(&ssh, between.order(&before, "echo fine")).await;
    assert_eq!(kept.text(), "fine\n", "what is connected stays so");
    between.does(Does::Resets);
    within(until("it is noticed", || ssh.connections() == 0)).await;
    between.does(Does::Passes);
    match run(&ssh, between.order(&before, "echo fine")).await.ended {
        Ended::NotStarted(Reason::HostKeyChanged(what)) => {
            assert!(what.contains("known_"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(after.logins(), 0, "it was not asked to let us in");
}

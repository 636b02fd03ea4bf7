//! Many hosts behind one bastion: none is dropped by a server that lets only a few log in at once.

use futures_util::future::join_all;
use regatta::core::spec::Ended;

use crate::fleet::sshd::Fleet;
use crate::fleet::{Job, command, within};
use crate::lab::{Lab, dynamic, run};

/// What OpenSSH ships with; the fleet's servers take any number otherwise.
const LIMIT: &str = "MaxStartups 10:30:100";

#[tokio::test]
async fn many_hosts_behind_a_bastion_all_connect() {
    let test = "many_hosts_behind_a_bastion_all_connect";
    let Some(lab) = Lab::start_with(test, "ProxyJump bastion", &[LIMIT], LIMIT) else {
        return;
    };
    let ssh = lab.runner();
    let hosts = (1..=120).map(|host| format!("127.1.0.{host}"));
    let runs = hosts.map(|host| run(&ssh, lab.order(&host, command("true"))));
    for outcome in join_all(runs).await {
        assert_eq!(outcome.ended, Ended::Exited(0));
    }
    assert_eq!((lab.bastion().logins(), lab.hosts.logins()), (1, 120));
    // A log-in that has just ended is counted by the server for a moment still, so that it may drop a few; unpaced it
    // would have been forty.
    let dropped = dropped(&lab.hosts);
    assert!(dropped < 20, "{dropped} connections were dropped");
}

/// How many connections the server did not take, as it says in its log.
fn dropped(server: &Fleet) -> usize {
    let log = std::fs::read_to_string(server.path("sshd.log")).expect("sshd writes a log");
    let told = log
        .lines()
        .filter_map(|line| line.strip_suffix(" connections dropped"));
    let counts = told.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
    counts.sum()
}

#[tokio::test]
async fn many_connections_to_one_address_are_paced_too() {
    let test = "many_connections_to_one_address_are_paced_too";
    let Some(fleet) = Fleet::start(test, LIMIT) else {
        return;
    };
    let ssh = fleet.runner();
    // Other settings are another connection.
    let runs = (1..=60).map(|seconds| {
        let own = format!("ServerAliveInterval={seconds}");
        run(
            &ssh,
            fleet.order_with("127.1.0.1", command("true"), &[&own]),
        )
    });
    for outcome in join_all(runs).await {
        assert_eq!(outcome.ended, Ended::Exited(0));
    }
    assert_eq!((fleet.logins(), ssh.connections()), (60, 60));
    let dropped = dropped(&fleet);
    assert!(dropped < 20, "{dropped} connections were dropped");
}

#[tokio::test]
async fn a_connection_that_is_dropped_is_tried_again() {
    let test = "a_connection_that_is_dropped_is_tried_again";
    let Some(fleet) = Fleet::start(test, "") else {
        return;
    };
    // Drops the first connection, and passes the second on to the server.
    let relay = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let relay = relay.expect("a port");
    let port = relay.local_addr().expect("it is bound").port();
    let known = std::fs::read_to_string(fleet.path("known_hosts")).expect("it was made");
    let known = known.replace(&fleet.port.to_string(), &port.to_string());
    std::fs::write(fleet.path("known_hosts"), known).expect("a file of our own");
    let ssh = fleet.runner();
    let mut order = fleet.order("127.0.0.1", command("echo through"));
    order.host.port = Some(port);
    let job = Job::start(&dynamic(&ssh), order);
    let passed_on = async {
        drop(relay.accept().await.expect("it comes"));
        let (mut client, _) = relay.accept().await.expect("it comes again");
        let server = tokio::net::TcpStream::connect(("127.0.0.1", fleet.port)).await;
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server.expect("it is there")).await;
    };
    let outcome = tokio::select! {
        outcome = within(job.finish()) => outcome,
        () = passed_on => panic!("the connection is kept"),
    };
    assert_eq!(outcome.text(), "through\n");
}

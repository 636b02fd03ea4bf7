//! Many hosts behind one bastion: none is dropped by a server that lets only a few log in at once.

use futures_util::future::join_all;
use regatta::core::spec::Ended;

use crate::fleet::command;
use crate::lab::{Lab, run};

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
}

//! Ways that lead through hops: which, with what, and why not.

use std::time::Duration;

use futures_util::future::join_all;
use regatta::core::question::About;
use regatta::core::reason::Reason;
use regatta::core::spec::Ended;
use regatta::secret::{Answer, Secret};

use crate::fleet::sshd::{Fleet, free_port};
use crate::fleet::{Job, command, within};
use crate::lab::{BASTION, HOST, Lab, dynamic, fails, not_started, run};

fn names(hosts: u8) -> impl Iterator<Item = String> {
    (1..=hosts).map(|host| format!("127.1.0.{host}"))
}

#[tokio::test]
async fn all_hosts_and_jobs_share_one_connection_to_their_hop() {
    let test = "all_hosts_and_jobs_share_one_connection_to_their_hop";
    // One session would do for none: only connections are passed on.
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &["MaxSessions 1"]) else {
        return;
    };
    let ssh = lab.runner();
    for round in 1..=2 {
        let runs = names(20).map(|host| run(&ssh, lab.order(&host, command("echo $REGATTA_HOST"))));
        for (host, outcome) in names(20).zip(join_all(runs).await) {
            assert_eq!(outcome.ended, Ended::Exited(0), "{round}");
            assert_eq!(outcome.text(), format!("{host}\n"));
        }
        assert_eq!((lab.bastion().logins(), lab.hosts.logins()), (1, 20));
        assert_eq!(ssh.connections(), 21);
    }
    // A command on the hop itself has a connection of its own: what it does must not hold up what runs through.
    let outcome = run(&ssh, lab.order(BASTION, command("echo here"))).await;
    assert_eq!(outcome.text(), "here\n");
    assert_eq!((lab.bastion().logins(), ssh.connections()), (2, 22));
    // The same host reached directly is another connection.
    lab.configure("ProxyJump none", "");
    let mut order = lab.order(HOST, command("true"));
    order.options = [("ssh_option".to_owned(), "ProxyJump=none".to_owned())]
        .into_iter()
        .chain(order.options.iter().cloned())
        .collect();
    assert_eq!(run(&ssh, order).await.ended, Ended::Exited(0));
    assert_eq!((lab.hosts.logins(), ssh.connections()), (21, 23));
}

#[tokio::test]
async fn chains_and_hops_with_hops_of_their_own() {
    let test = "chains_and_hops_with_hops_of_their_own";
    let Some(lab) = Lab::start(test, "ProxyJump bastion,bastion2", &["", ""]) else {
        return;
    };
    let logins = || {
        let bastions = lab.bastions.iter().map(Fleet::logins);
        (bastions.collect::<Vec<_>>(), lab.hosts.logins())
    };
    let ssh = lab.runner();
    for host in names(3) {
        assert_eq!(
            run(&ssh, lab.order(&host, command("true"))).await.ended,
            Ended::Exited(0)
        );
    }
    assert_eq!((logins(), ssh.connections()), ((vec![1, 1], 3), 5));
    // A hop's own configuration says how it is reached, unless the list says so.
    lab.configure("ProxyJump bastion2", "Host bastion2\n ProxyJump bastion");
    let ssh = lab.runner();
    assert_eq!(
        run(&ssh, lab.order(HOST, command("true"))).await.ended,
        Ended::Exited(0)
    );
    assert_eq!((logins(), ssh.connections()), ((vec![2, 2], 4), 3));
    // user@hop:port, over what the configuration says; and the other order.
    let me = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let far = format!(
        "ProxyJump {me}@bastion2,{me}@bastion:{}",
        lab.bastion().port
    );
    lab.configure(&far, "");
    let ssh = lab.runner();
    assert_eq!(
        run(&ssh, lab.order(HOST, command("true"))).await.ended,
        Ended::Exited(0)
    );
    assert_eq!(logins(), (vec![3, 3], 5));
    // Circles are found and named.
    lab.configure(
        "ProxyJump bastion",
        "Host bastion\n ProxyJump bastion2\nHost bastion2\n ProxyJump bastion",
    );
    let ssh = lab.runner();
    let order = lab.order(HOST, command("true"));
    fails(
        &ssh,
        order,
        &[
            "bad settings",
            "bastion is reached through itself",
            "lab_config:",
        ],
    )
    .await;
}

#[tokio::test]
async fn what_an_inventory_says_of_a_hop_comes_before_its_configuration() {
    let test = "what_an_inventory_says_of_a_hop_comes_before_its_configuration";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let right = lab.bastion().port;
    let nobody = free_port();
    lab.configure(
        "ProxyJump bastion",
        &format!("Host bastion\n HostName no-such-hop.invalid\n Port {nobody}"),
    );
    let order = |hop: &[(&str, &str)]| {
        let mut order = lab.order(HOST, command("echo there"));
        let more = hop
            .iter()
            .map(|(name, value)| (format!("hop_{name}"), format!("bastion {value}")));
        order.options = order.options.iter().cloned().chain(more).collect();
        order
    };
    let port = right.to_string();
    let known = [("address", "127.9.0.2"), ("port", port.as_str())];
    let outcome = run(&lab.runner(), order(&known)).await;
    assert_eq!(outcome.text(), "there\n", "{:?}", outcome.ended);
    let as_another = [known[0], known[1], ("user", "nobody-here")];
    let words = ["auth failed: hop bastion: "];
    fails(&lab.runner(), order(&as_another), &words).await;

    // What is written with its name comes first.
    lab.configure(&format!("ProxyJump bastion:{nobody}"), "");
    let words = ["unreachable: hop bastion: connection refused"];
    fails(&lab.runner(), order(&known), &words).await;
}

#[tokio::test]
async fn a_reason_says_at_which_hop_it_failed() {
    let test = "a_reason_says_at_which_hop_it_failed";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &["", "AllowTcpForwarding no"]) else {
        return;
    };
    let order = || lab.order(HOST, command("true"));
    let nobody = free_port();
    let first = |settings: &str| lab.configure("ProxyJump bastion", settings);

    first(&format!("Host 127.*\n Port {nobody}"));
    let words =
        format!("unreachable: via bastion: connection refused by {HOST}:{nobody} (tried twice)");
    assert_eq!(not_started(&lab.runner(), order()).await.to_string(), words);

    first(&format!("Host bastion\n Port {nobody}"));
    let words = "unreachable: hop bastion: connection refused (tried twice)";
    assert_eq!(not_started(&lab.runner(), order()).await.to_string(), words);

    first("Host 127.*\n HostName no-such-host.invalid");
    let words = ["unreachable: via bastion: no connection to no-such-host.invalid:"];
    fails(&lab.runner(), order(), &words).await;

    first("Host bastion\n HostName no-such-hop.invalid");
    let words = ["unreachable: hop bastion: no such host name: no-such-hop.invalid"];
    fails(&lab.runner(), order(), &words).await;

    first(
        "Host bastion\n IdentityFile /nonexistent\n UserKnownHostsFile /dev/null\n StrictHostKeyChecking yes",
    );
    let words = ["host key unknown: hop bastion: ED25519 SHA256:"];
    fails(&lab.runner(), order(), &words).await;

    first("Host bastion\n User nobody-here");
    fails(&lab.runner(), order(), &["auth failed: hop bastion: "]).await;

    first("Host bastion\n ProxyJump bastion\nHost 127.*\n ProxyJump bastion");
    fails(
        &lab.runner(),
        order(),
        &["bad settings", "bastion is reached through itself"],
    )
    .await;

    lab.configure("ProxyJump bastion2", "");
    let words = ["unreachable: via bastion2: ", "administratively prohibited"];
    fails(&lab.runner(), order(), &words).await;

    // In the middle of a chain, too.
    lab.configure(
        "ProxyJump bastion,bastion2",
        &format!("Host bastion2\n Port {nobody}"),
    );
    let words =
        format!("unreachable: via bastion: connection refused by 127.9.0.1:{nobody} (tried twice)");
    assert_eq!(not_started(&lab.runner(), order()).await.to_string(), words);

    // A hop that takes the connection and says nothing, and one behind which nothing answers.
    let silent = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = silent.local_addr().expect("it is bound").port();
    let hasty = || {
        let mut order = order();
        order.connect_timeout = Duration::from_millis(300);
        order
    };
    first(&format!("Host bastion\n Port {port}"));
    let words = "connect timed out after 0.3s at hop bastion";
    assert_eq!(not_started(&lab.runner(), hasty()).await.to_string(), words);
    first(&format!(
        "Host bastion\n ConnectTimeout 60\nHost 127.*\n Port {port}"
    ));
    let reason = not_started(&lab.runner(), hasty()).await;
    assert_eq!(
        reason.to_string(),
        "connect timed out after 5.3s",
        "five more for the hop"
    );
    // The host's own time is over before its hop's, and still it is the hop that does not answer.
    first(&format!(
        "Host bastion\n ConnectTimeout 60\n Port {port}\nHost 127.*\n ConnectTimeout 1"
    ));
    let words = "connect timed out after 6s at hop bastion";
    assert_eq!(not_started(&lab.runner(), order()).await.to_string(), words);
}

#[tokio::test]
async fn in_a_chain_the_hop_is_named_that_does_not_answer() {
    let test = "in_a_chain_the_hop_is_named_that_does_not_answer";
    let Some(lab) = Lab::start(test, "", &[""]) else {
        return;
    };
    let silent = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = silent.local_addr().expect("it is bound").port();
    lab.configure(
        "",
        &format!(
            "Host 127.1.0.1\n ProxyJump silent,bastion\n\
             Host 127.1.0.2\n ProxyJump bastion,silent\n\
             Host 127.1.0.3\n ProxyJump bastion,patient\n\
             Host patient\n ConnectTimeout 60\n\
             Host silent patient\n HostName 127.9.0.1\n Port {port}"
        ),
    );
    let ssh = lab.runner();
    let fails = async |host: &str, words: &str| {
        let mut order = lab.order(host, command("true"));
        order.connect_timeout = Duration::from_millis(300);
        let reason = not_started(&ssh, order).await;
        assert_eq!(
            (reason.kind(), reason.to_string().as_str()),
            ("timed_out", words)
        );
    };
    tokio::join!(
        fails("127.1.0.1", "connect timed out after 0.3s at hop silent"),
        fails("127.1.0.2", "connect timed out after 5.3s at hop silent"),
        // Here the host's own time is over first.
        fails("127.1.0.3", "connect timed out after 10.3s at hop patient"),
    );
}

#[tokio::test]
async fn what_a_hop_asks_is_asked_once_for_all_behind_it() {
    let test = "what_a_hop_asks_is_asked_once_for_all_behind_it";
    let Some(lab) = Lab::start(test, "ProxyJump bastion", &[""]) else {
        return;
    };
    let known = lab.hosts.path("of_the_hop");
    let ask = format!("Host bastion\n UserKnownHostsFile {}", known.display());
    lab.configure("ProxyJump bastion", &ask);
    let ssh = lab.runner();
    let start = |host: String| Job::start(&dynamic(&ssh), lab.order_asking(&host, command("true")));
    let mut jobs: Vec<_> = names(20).map(start).collect();
    let mut asks = Vec::new();
    for job in &mut jobs {
        asks.push(within(job.until_asked()).await);
    }
    let first = asks[0].question.clone();
    assert!(
        asks.iter().all(|ask| ask.question == first),
        "one question for the engine"
    );
    match &first.about {
        About::HostKey { host, .. } => {
            assert_eq!(*host, format!("[127.9.0.1]:{}", lab.bastion().port));
        }
        other => panic!("{other:?}"),
    }
    asks.swap_remove(7)
        .answer
        .send(Answer::Accept)
        .expect("it waits");
    for job in jobs {
        assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    }
    assert_eq!((lab.bastion().logins(), lab.hosts.logins()), (1, 20));
    assert!(
        std::fs::read_to_string(&known)
            .expect("it was learnt")
            .contains("ssh-ed25519")
    );

    // Who refuses is not asked again by those that come later, in this job.
    std::fs::write(&known, "").expect("a file of our own");
    let ssh = lab.runner();
    let mut job = Job::start(&dynamic(&ssh), lab.order_asking(HOST, command("true")));
    let ask = within(job.until_asked()).await;
    ask.answer.send(Answer::Refuse).expect("it waits");
    let unknown = |ended: &Ended| matches!(ended, Ended::NotStarted(Reason::HostKeyUnknown(_)));
    assert!(unknown(&within(job.finish()).await.ended));
    for host in names(3) {
        assert!(unknown(
            &run(&ssh, lab.order_asking(&host, command("true")))
                .await
                .ended
        ));
    }
    // Another job asks again.
    let mut next = lab.order_asking(HOST, command("true"));
    next.job = regatta::core::ids::JobId(99);
    let mut job = Job::start(&dynamic(&ssh), next);
    within(job.until_asked())
        .await
        .answer
        .send(Answer::Accept)
        .expect("it waits");
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
}

#[tokio::test]
async fn a_hops_password_is_asked_for_by_its_name() {
    let test = "a_hops_password_is_asked_for_by_its_name";
    let Some(bastion) = Fleet::start_with_password(
        test,
        "Match User regatta*\n PasswordAuthentication yes\n PubkeyAuthentication no",
        "",
        "through",
    ) else {
        return;
    };
    let Some(mut lab) = Lab::start(test, "ProxyJump bastion", &[]) else {
        return;
    };
    let name = bastion.other.as_ref().expect("it was made").name.clone();
    lab.bastions.push(bastion);
    lab.configure("ProxyJump bastion", &format!("Host bastion\n User {name}"));
    let ssh = lab.runner();
    let start = |host: String| Job::start(&dynamic(&ssh), lab.order_asking(&host, command("true")));
    let mut jobs: Vec<_> = names(5).map(start).collect();
    for (words, wrong) in [("under", 0), ("through", 1)] {
        let mut asks = Vec::new();
        for job in &mut jobs {
            asks.push(within(job.until_asked()).await);
        }
        for ask in &asks {
            let account = format!("{name}@bastion");
            assert_eq!(ask.question.about, About::Password { account });
            assert_eq!(ask.question.wrong, wrong);
        }
        let said = Answer::Secret(Secret::new(words.to_owned()));
        asks.pop()
            .expect("five")
            .answer
            .send(said)
            .expect("it waits");
    }
    for job in jobs {
        assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    }
    assert_eq!(lab.hosts.logins(), 5);
}

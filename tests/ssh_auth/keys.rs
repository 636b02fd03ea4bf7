//! Keys in files and agents, and the order of what is tried.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended};
use regatta::runner::{Order, Runner};
use regatta::secret::{Answer, Secret};

use crate::both::{Both, HOST};
use crate::fleet::sshd::Fleet;
use crate::fleet::{Job, command, within};
use crate::material::{Agent, Keys};

#[tokio::test]
async fn a_server_that_takes_few_attempts_sees_the_same_keys() {
    let Some(mut both) = Both::start(
        "a_server_that_takes_few_attempts_sees_the_same_keys",
        "MaxAuthTries 3",
    ) else {
        return;
    };
    let keys = Keys::new();
    let agent = Agent::start().await;
    for number in 1..=6 {
        let key = keys.make(&format!("k{number}"), "ed25519");
        agent.add(&key);
    }
    both.let_in(&keys.read("k5.pub"));
    both.agent = Some(agent.socket.clone());
    let file = |number: u32| format!("IdentityFile {}", keys.path(&format!("k{number}")));
    let all = both.same_keys("all of the agent", "").await;
    assert!(!all.gets_in());
    assert_eq!(all.shown.len(), 3, "{all:?}");
    all.says(&["Too many authentication failures"]);
    let named = both.same_keys("the named one first", &file(5)).await;
    assert_eq!((named.gets_in(), named.shown.len()), (true, 1), "{named:?}");
    // Of those named, the agent's order counts.
    let two = format!("{}\n{}\n{}", file(5), file(2), file(1));
    assert!(both.same_keys("three named", &two).await.gets_in());
    let one_too_many = format!("{two}\n{}", file(3));
    let came = both.same_keys("four named", &one_too_many).await;
    assert!(!came.gets_in(), "{came:?}");
    let only = format!("IdentitiesOnly yes\n{}", file(6));
    assert!(!both.same_keys("only another", &only).await.gets_in());
    let only = format!("IdentitiesOnly yes\n{}", file(5));
    assert!(both.same_keys("only the right one", &only).await.gets_in());
    let none = format!("PubkeyAcceptedAlgorithms ssh-rsa,ecdsa-*\n{}", file(5));
    let refused = both.same_keys("none is accepted here", &none).await;
    refused.says(&["ssh-ed25519 is not among PubkeyAcceptedAlgorithms"]);
    let none = format!("PubkeyAuthentication no\n{}", file(5));
    assert!(!both.same_keys("no keys", &none).await.gets_in());
    let none = format!("IdentityAgent none\n{}", file(5));
    assert!(both.same_keys("no agent", &none).await.gets_in());

    // Keys of a type that is not used any more are passed over.
    agent.ssh_add(&["-D"]);
    for (name, kind) in [("old", "dsa"), ("short", "rsa"), ("right", "ed25519")] {
        if kind == "dsa" && !knows_dsa() {
            continue;
        }
        let bits: &[&str] = if kind == "rsa" { &["-b", "1024"] } else { &[] };
        let key = keys.make_with(name, &[bits, &["-t", kind, "-N", ""]].concat());
        agent.add(&key);
    }
    both.let_in(&keys.read("right.pub"));
    let came = both
        .same_keys("an old key is held", "RequiredRSASize 2048")
        .await;
    assert_eq!((came.gets_in(), came.shown.len()), (true, 1), "{came:?}");
    agent.ssh_add(&["-D"]);
    for number in 1..=6 {
        agent.add(&keys.path(&format!("k{number}")));
    }

    // Files that are not in the agent come last; an agent that is gone is no obstacle.
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let came = both
        .same_keys("the file comes last", &format!("IdentityFile {identity}"))
        .await;
    assert!(!came.gets_in());
    both.agent = Some(keys.path("nobody").into());
    let came = both
        .same_keys("the agent is gone", &format!("IdentityFile {identity}"))
        .await;
    assert!(came.gets_in());
    both.same_keys("and nothing else", "")
        .await
        .says(&["no agent at", "nobody"]);
}

#[tokio::test]
async fn keys_of_all_kinds_and_forms_log_in() {
    let Some(both) = Both::start("keys_of_all_kinds_and_forms_log_in", "") else {
        return;
    };
    let keys = Keys::new();
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["-t", "ed25519"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
    ];
    for (kind, options) in kinds {
        for form in ["RFC4716", "PEM", "PKCS8"] {
            if kind == "ed25519" && form != "RFC4716" {
                continue;
            }
            let name = format!("{kind}-{form}");
            let key = keys.make_with(&name, &[options, &["-m", form, "-N", ""]].concat());
            both.let_in(&keys.read(&format!("{name}.pub")));
            // Without its public half, the private one must do.
            for public in ["there", "gone"] {
                if public == "gone" {
                    fs::remove_file(format!("{key}.pub")).expect("ours");
                }
                let came = both.same(&name, &format!("IdentityFile {key}")).await;
                assert!(came.gets_in(), "{name}: {came:?}");
            }
        }
    }
    let rsa = keys.path("rsa-PEM");
    for more in [
        "PubkeyAcceptedAlgorithms rsa-sha2-256",
        "PubkeyAcceptedAlgorithms rsa-sha2-512",
        "RequiredRSASize 2048",
    ] {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {rsa}"))
            .await;
        assert!(came.gets_in(), "{more}: {came:?}");
    }
    for (more, said) in [
        ("PubkeyAcceptedAlgorithms ssh-ed25519", "RSA is not among"),
        ("RequiredRSASize 3072", "2048 bits are fewer"),
    ] {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {rsa}"))
            .await;
        assert!(!came.gets_in(), "{more}");
        came.says(&[said]);
    }
}

#[tokio::test]
async fn encrypted_keys_open_with_their_passphrase_and_go_to_the_agent_if_wanted() {
    let test = "encrypted_keys_open_with_their_passphrase_and_go_to_the_agent_if_wanted";
    let Some(mut both) = Both::start(test, "") else {
        return;
    };
    let keys = Keys::new();
    let agent = Agent::start().await;
    both.agent = Some(agent.socket.clone());
    // One form is not read, and that is said.
    let old = keys.make_with("old", &["-t", "ecdsa", "-m", "PEM", "-N", "sesame"]);
    let came = both.same("old", &format!("IdentityFile {old}")).await;
    came.says(&["rewrite it with `ssh-keygen -p`"]);
    for (number, (kind, form)) in [
        ("ed25519", "RFC4716"),
        ("rsa", "RFC4716"),
        ("rsa", "PEM"),
        ("ecdsa", "PKCS8"),
        ("rsa", "PKCS8"),
    ]
    .into_iter()
    .enumerate()
    {
        agent.ssh_add(&["-D"]);
        let name = format!("k{number}");
        let key = keys.make_with(&name, &["-t", kind, "-m", form, "-N", "sesame"]);
        both.let_in(&keys.read(&format!("{name}.pub")));
        fs::remove_file(format!("{key}.pub")).expect("ours");
        let text = format!("BatchMode no\nAddKeysToAgent 1h\nIdentityFile {key}");
        let config = both.config(&text);
        let order = Order {
            asking: Asking::Allowed,
            ..both.order(&config, "echo in")
        };
        let ssh = both.fleet.runner();
        let runner: Arc<dyn Runner> = Arc::clone(&ssh) as Arc<dyn Runner>;
        let mut job = Job::start(&runner, order);
        let ask = within(job.until_asked()).await;
        let right = Answer::Secret(Secret::new("sesame".to_owned()));
        ask.answer.send(right).expect("it waits");
        assert_eq!(
            within(job.finish()).await.ended,
            Ended::Exited(0),
            "{kind} {form}"
        );
        let held = agent.ssh_add(&["-l"]).1;
        assert_eq!(held.lines().count(), 1, "{held}");
        // Now it is the agent's, for whoever cannot be asked.
        let again = both.regatta(&config, "echo in").await;
        assert!(again.gets_in(), "{kind} {form}: {again:?}");
    }
}

#[tokio::test]
async fn ways_to_log_in_are_tried_in_the_order_that_is_preferred() {
    let test = "ways_to_log_in_are_tried_in_the_order_that_is_preferred";
    let extra = "PasswordAuthentication yes\nMatch User regatta*\n PasswordAuthentication yes";
    let Some(fleet) = Fleet::start_with_password(test, extra, "", "sesame") else {
        return;
    };
    let name = fleet.other.as_ref().expect("started with one").name.clone();
    let user = format!("User={name}");
    let log = |before: usize| {
        let log = fs::read_to_string(fleet.path("sshd.log")).expect("sshd writes a log");
        log[before..].to_owned()
    };
    let order = |preferred: &str| fleet.order_asking(HOST, command("echo in"), &[&user, preferred]);
    let runner: Arc<dyn Runner> = fleet.runner();
    let began = log(0).len();
    let mut job = Job::start(
        &runner,
        order("PreferredAuthentications=password,publickey"),
    );
    let ask = within(job.until_asked()).await;
    ask.answer
        .send(Answer::Secret(Secret::new("sesame".to_owned())))
        .expect("it waits");
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    assert!(log(began).contains("Accepted password"), "{}", log(began));

    let began = log(0).len();
    let runner: Arc<dyn Runner> = fleet.runner();
    let job = Job::start(
        &runner,
        order("PreferredAuthentications=publickey,password"),
    );
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    assert!(log(began).contains("Accepted publickey"), "{}", log(began));

    let runner: Arc<dyn Runner> = fleet.runner();
    let job = Job::start(&runner, order("PreferredAuthentications=hostbased"));
    let Ended::NotStarted(Reason::AuthFailed(why)) = within(job.finish()).await.ended else {
        panic!("nothing is tried");
    };
    assert!(why.contains("the server takes"), "{why}");
}

/// Newer versions of OpenSSH have left it behind.
fn knows_dsa() -> bool {
    let types = Command::new("ssh").args(["-Q", "key"]).output();
    let types = types.expect("ssh is installed").stdout;
    String::from_utf8_lossy(&types).contains("ssh-dss")
}

//! What the SSH runner asks, against a real OpenSSH server, and what follows from the answers.

mod fleet;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet::sshd::Fleet;
use fleet::{Job, command, within};
use regatta::core::question::{About, Question};
use regatta::core::reason::Reason;
use regatta::core::spec::{Asking, Ended, Host, Signal};
use regatta::runner::ssh::Ssh;
use regatta::runner::{Ask, Order, Pocket, Runner};
use regatta::secret::{Answer, Secret};
use russh::MethodKind;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{self, Auth, Handler, Response};
use tokio::net::TcpListener;

const HOST: &str = "127.1.0.1";

fn start(ssh: &Arc<Ssh>, order: Order) -> Job {
    let runner: Arc<dyn Runner> = Arc::clone(ssh) as Arc<dyn Runner>;
    Job::start(&runner, order)
}

async fn ended(job: Job) -> Ended {
    within(job.finish()).await.ended
}

fn secret(words: &str) -> Answer {
    Answer::Secret(Secret::new(words.to_owned()))
}

fn say(ask: Ask, answer: Answer) {
    ask.answer.send(answer).expect("it waits for the answer");
}

fn about_host_key(question: &Question) -> (&str, &str, &str, &str) {
    match &question.about {
        About::HostKey {
            host,
            algorithm,
            fingerprint,
            file,
        } => (host, algorithm, fingerprint, file),
        other => panic!("not about a host key: {other:?}"),
    }
}

fn options(file: &Path, strict: &str) -> [String; 2] {
    [
        format!("UserKnownHostsFile={}", file.display()),
        format!("StrictHostKeyChecking={strict}"),
    ]
}

/// Whether `ssh` gets in with these known hosts, and nobody to ask.
fn ssh_gets_in(fleet: &Fleet, known: &Path) -> bool {
    let ran = std::process::Command::new("ssh")
        .arg("-F")
        .arg(fleet.path("ssh_config"))
        .args([
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
        ])
        .arg(format!("UserKnownHostsFile={}", known.display()))
        .args([HOST, "true"])
        .output();
    ran.expect("ssh is installed").status.success()
}

#[tokio::test]
async fn an_unknown_host_key_is_asked_about_and_remembered() {
    let Some(fleet) = Fleet::start("an_unknown_host_key_is_asked_about_and_remembered", "") else {
        return;
    };
    for (hash, starts) in [("no", "[127.1.0.1]:"), ("yes", "|1|")] {
        let ssh = fleet.runner();
        let known = fleet.path(&format!("new-{hash}/known_hosts"));
        let [file, strict] = options(&known, "ask");
        let hash = format!("HashKnownHosts={hash}");
        let order = || fleet.order_asking(HOST, command("echo in"), &[&file, &strict, &hash]);
        let mut job = start(&ssh, order());
        let mut twin = start(&ssh, order());
        let ask = within(job.until_asked()).await;
        let (host, algorithm, fingerprint, file) = about_host_key(&ask.question);
        assert_eq!(host, format!("[127.1.0.1]:{}", fleet.port));
        assert_eq!(algorithm, "ssh-ed25519");
        assert_eq!(file, known.display().to_string());
        let print = std::process::Command::new("ssh-keygen")
            .arg("-lf")
            .arg(fleet.path("host_ed25519.pub"))
            .output()
            .expect("ssh-keygen is installed");
        assert!(String::from_utf8_lossy(&print.stdout).contains(fingerprint));
        // Whoever waits for the same connection asks the same, and one answer will do.
        let same = within(twin.until_asked()).await;
        assert_eq!(same.question, ask.question);
        say(ask, Answer::Accept);
        assert_eq!(ended(job).await, Ended::Exited(0));
        assert_eq!(ended(twin).await, Ended::Exited(0));
        drop(same);
        let text = std::fs::read_to_string(&known).expect("it was made");
        assert!(
            text.starts_with(starts) && text.lines().count() == 1,
            "{text}"
        );
        assert!(ssh_gets_in(&fleet, &known));
        // Over another connection it is not asked again.
        assert_eq!(
            ended(start(&fleet.runner(), order())).await,
            Ended::Exited(0)
        );
    }
    let log = std::fs::read_to_string(fleet.path("sshd.log")).expect("sshd writes a log");
    assert!(
        !log.contains("Connection closed by"),
        "nothing is negotiated twice: {log}"
    );
}

#[tokio::test]
async fn a_host_key_that_is_refused_fails_as_if_nobody_had_been_asked() {
    let Some(fleet) = Fleet::start(
        "a_host_key_that_is_refused_fails_as_if_nobody_had_been_asked",
        "",
    ) else {
        return;
    };
    let (ssh, known) = (fleet.runner(), fleet.path("none"));
    let [file, strict] = options(&known, "ask");
    let order = || fleet.order_asking(HOST, command("true"), &[&file, &strict]);
    let mut job = start(&ssh, order());
    say(within(job.until_asked()).await, Answer::Refuse);
    let Ended::NotStarted(refused) = ended(job).await else {
        panic!("it must not start");
    };
    let unasked = Order {
        asking: Asking::Never,
        ..order()
    };
    let Ended::NotStarted(unasked) = ended(start(&ssh, unasked)).await else {
        panic!("it must not start");
    };
    // What is to be done about it is another thing where nobody was asked.
    let what = |reason: &Reason| reason.to_string().split("; ").next().map(str::to_owned);
    assert_eq!(what(&refused), what(&unasked));
    for reason in [&refused, &unasked] {
        assert!(matches!(reason, Reason::HostKeyUnknown(_)), "{reason}");
    }
    assert!(unasked.to_string().contains("without --batch"), "{unasked}");
    assert!(!refused.to_string().contains("--batch"), "{refused}");
    // A stop does not wait for an answer.
    let mut job = start(&ssh, order());
    let ask = within(job.until_asked()).await;
    job.signal(Signal::Term);
    assert_eq!(ended(job).await, Ended::Aborted);
    assert!(ask.answer.is_closed(), "nobody waits for it any more");
    assert!(!known.exists());
}

#[tokio::test]
async fn new_host_keys_are_accepted_where_that_is_configured_and_changed_ones_never() {
    let Some(fleet) = Fleet::start(
        "new_host_keys_are_accepted_where_that_is_configured_and_changed_ones_never",
        "",
    ) else {
        return;
    };
    let other = std::fs::read_to_string(fleet.path("id_ed25519.pub")).expect("the fleet made it");
    for strict in ["accept-new", "no"] {
        let known = fleet.path(strict);
        let [file, option] = options(&known, strict);
        let order = || fleet.order_with(HOST, command("true"), &[&file, &option]);
        assert_eq!(
            ended(start(&fleet.runner(), order())).await,
            Ended::Exited(0)
        );
        assert!(ssh_gets_in(&fleet, &known), "{strict}");
        std::fs::write(&known, format!("[127.*]:{} {other}", fleet.port)).expect("ours");
        match ended(start(&fleet.runner(), order())).await {
            Ended::NotStarted(Reason::HostKeyChanged(_)) => {}
            other => panic!("{strict}: {other:?}"),
        }
    }
    // Where they are written to is left alone if it is no file.
    let [file, option] = options(Path::new("/dev/null"), "no");
    let order = fleet.order_with(HOST, command("true"), &[&file, &option]);
    assert_eq!(ended(start(&fleet.runner(), order)).await, Ended::Exited(0));
    assert!(!Path::new("/dev/null").is_file());
}

#[tokio::test]
async fn an_answer_that_comes_after_the_server_hung_up_is_used_on_a_new_connection() {
    let Some(fleet) = Fleet::start_hasty(
        "an_answer_that_comes_after_the_server_hung_up_is_used_on_a_new_connection",
        1,
    ) else {
        return;
    };
    let known = fleet.path("late");
    let [file, strict] = options(&known, "ask");
    let key = encrypted(&fleet, "late_key", "ed25519", &[]);
    let identity = format!("IdentityFile={}", key.display());
    let order = fleet.order_asking(HOST, command("true"), &[&file, &strict, &identity]);
    std::fs::write(fleet.path("authorized_keys"), public(&key)).expect("ours");
    let mut job = start(&fleet.runner(), order);
    // It serves each connection by a process.
    let listener = fleet.listener();
    let is_served =
        || fleet::processes().any(|pid| fleet::stat(pid).is_some_and(|it| it.parent == listener));
    let ask = within(job.until_asked()).await;
    within(fleet::until("the server hangs up", || !is_served())).await;
    say(ask, Answer::Accept);
    let ask = within(job.until_asked()).await;
    assert!(matches!(ask.question.about, About::Passphrase { .. }));
    within(fleet::until("the server hangs up again", || !is_served())).await;
    say(ask, secret("right"));
    assert_eq!(ended(job).await, Ended::Exited(0));
}

/// A key file of this type with the passphrase `right`.
fn encrypted(fleet: &Fleet, name: &str, kind: &str, more: &[&str]) -> std::path::PathBuf {
    let path = fleet.path(name);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", "right", "-f"])
        .arg(&path)
        .args(more)
        .status();
    assert!(made.expect("ssh-keygen is installed").success());
    path
}

fn public(key: &Path) -> String {
    let path = format!("{}.pub", key.display());
    std::fs::read_to_string(path).expect("ssh-keygen made it")
}

#[tokio::test]
async fn an_encrypted_key_is_asked_for_when_the_server_would_take_it() {
    let Some(fleet) = Fleet::start(
        "an_encrypted_key_is_asked_for_when_the_server_would_take_it",
        "MaxAuthTries 20",
    ) else {
        return;
    };
    let cases: [(&str, &[&str]); 3] = [
        ("ed25519", &[]),
        ("rsa", &["-b", "2048"]),
        // The old form, whose public half is in the neighbouring file only.
        ("rsa", &["-b", "2048", "-m", "PEM"]),
    ];
    let stranger = encrypted(&fleet, "stranger", "ed25519", &[]);
    for (number, (kind, more)) in cases.into_iter().enumerate() {
        let key = encrypted(&fleet, &format!("key{number}"), kind, more);
        std::fs::write(fleet.path("authorized_keys"), public(&key)).expect("ours");
        let files = [&stranger, &key].map(|file| format!("IdentityFile={}", file.display()));
        let order = |host: &str| fleet.order_asking(host, command("true"), &[&files[0], &files[1]]);
        let ssh = fleet.runner();
        let mut jobs: Vec<Job> = (1..=5)
            .map(|n| start(&ssh, order(&format!("127.1.0.{n}"))))
            .collect();
        let about = About::Passphrase {
            file: key.display().to_string(),
        };
        for (wrong, words) in [(0, "wrong"), (1, "right")] {
            // All ask before anybody hears an answer: once the key is open, nobody asks any more.
            let mut asks = Vec::new();
            for job in &mut jobs {
                asks.push(within(job.until_asked()).await);
            }
            let answer = secret(words);
            for ask in asks {
                // The key nobody would take is not asked for.
                assert_eq!(
                    ask.question,
                    Question {
                        about: about.clone(),
                        wrong
                    }
                );
                say(ask, answer.clone());
            }
        }
        for job in jobs {
            assert_eq!(ended(job).await, Ended::Exited(0), "{kind} {more:?}");
        }
        // Opened once, it is open for whoever comes later, even if nobody may be asked.
        let later = Order {
            asking: Asking::Never,
            ..order("127.1.0.6")
        };
        assert_eq!(ended(start(&ssh, later)).await, Ended::Exited(0));
    }
}

#[tokio::test]
async fn a_key_nobody_opens_is_left_out() {
    let Some(fleet) = Fleet::start("a_key_nobody_opens_is_left_out", "") else {
        return;
    };
    let key = encrypted(&fleet, "key", "ed25519", &[]);
    std::fs::write(fleet.path("authorized_keys"), public(&key)).expect("ours");
    // Without anything to offer it is asked for first, as ssh does.
    let bare = fleet.path("bare");
    let made = encrypted(&fleet, "bare", "rsa", &["-b", "2048", "-m", "PEM"]);
    std::fs::remove_file(format!("{}.pub", made.display())).expect("ours");
    let files = [&bare, &key].map(|file| format!("IdentityFile={}", file.display()));
    let ssh = fleet.runner();
    let mut job = start(
        &ssh,
        fleet.order_asking(HOST, command("true"), &[&files[0], &files[1]]),
    );
    let ask = within(job.until_asked()).await;
    let first = About::Passphrase {
        file: bare.display().to_string(),
    };
    assert_eq!(ask.question, Question::first(first));
    say(ask, Answer::Refuse);
    for wrong in 0..3 {
        let ask = within(job.until_asked()).await;
        assert_eq!(ask.question.wrong, wrong);
        say(ask, secret("not this one"));
    }
    match ended(job).await {
        Ended::NotStarted(Reason::AuthFailed(tried)) => assert!(
            tried.contains("bare: it is encrypted; add it to the agent with ssh-add")
                && tried.contains("key: 3 passphrases were wrong"),
            "{tried}"
        ),
        other => panic!("{other:?}"),
    }
}

/// An order for another host of the same job, as this user.
fn of_job(order: Order, user: &str, host: &str, pocket: &Pocket) -> Order {
    Order {
        host: Host {
            user: Some(user.to_owned()),
            ..Host::named(host)
        },
        pocket: pocket.clone(),
        ..order
    }
}

#[tokio::test]
async fn a_password_is_asked_for_after_keys_and_once_in_a_job() {
    let Some(fleet) = Fleet::start_with_password(
        "a_password_is_asked_for_after_keys_and_once_in_a_job",
        "Match User regatta*\n PasswordAuthentication yes\n PubkeyAuthentication no",
        "",
        "open sesame",
    ) else {
        return;
    };
    let user = fleet.other.as_ref().expect("there is one").name.clone();
    let (ssh, pocket) = (fleet.runner(), Pocket::default());
    let order = |host: &str| {
        let order = fleet.order_asking(host, command("id -un"), &[]);
        of_job(order, &user, host, &pocket)
    };
    let mut job = start(&ssh, order(HOST));
    let ask = within(job.until_asked()).await;
    let about = About::Password {
        account: user.clone(),
    };
    assert_eq!(ask.question, Question::first(about.clone()));
    say(ask, secret("open barley"));
    let ask = within(job.until_asked()).await;
    assert_eq!(ask.question, Question { about, wrong: 1 });
    say(ask, secret("open sesame"));
    let outcome = within(job.finish()).await;
    assert_eq!(
        (outcome.ended.clone(), outcome.text()),
        (Ended::Exited(0), format!("{user}\n"))
    );
    // What was right is used on the job's other hosts.
    assert_eq!(
        ended(start(&ssh, order("127.1.0.2"))).await,
        Ended::Exited(0)
    );
    // Another job asks for itself, and refusing is what it was without a question.
    let other = of_job(order("127.1.0.3"), &user, "127.1.0.3", &Pocket::default());
    let mut job = start(&ssh, other.clone());
    say(within(job.until_asked()).await, Answer::Refuse);
    let Ended::NotStarted(refused) = ended(job).await else {
        panic!("it must not start");
    };
    let unasked = Order {
        asking: Asking::Never,
        ..other
    };
    assert_eq!(
        ended(start(&ssh, unasked)).await,
        Ended::NotStarted(refused.clone())
    );
    assert!(
        refused.to_string().contains("the server takes password"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_pam_asks_is_passed_on_and_known_for_the_jobs_other_hosts() {
    let test = "what_pam_asks_is_passed_on_and_known_for_the_jobs_other_hosts";
    if !std::path::Path::new("/etc/pam.d/sshd").exists() {
        println!("SKIPPED: {test}: PAM knows no sshd");
        return;
    }
    let extra = "UsePAM yes\nMatch User regatta*\n KbdInteractiveAuthentication yes\n PubkeyAuthentication no";
    let Some(fleet) = Fleet::start_with_password(test, extra, "", "open sesame") else {
        return;
    };
    let user = fleet.other.as_ref().expect("there is one").name.clone();
    let (ssh, pocket) = (fleet.runner(), Pocket::default());
    let order = |host: &str| {
        let order = fleet.order_asking(host, command("id -un"), &[]);
        of_job(order, &user, host, &pocket)
    };
    let mut job = start(&ssh, order(HOST));
    for (wrong, words) in [(0, "open barley"), (1, "open sesame")] {
        let ask = within(job.until_asked()).await;
        let about = About::Prompt {
            account: user.clone(),
            prompt: "Password:".to_owned(),
            echo: false,
        };
        assert_eq!(ask.question, Question { about, wrong });
        say(ask, secret(words));
    }
    let outcome = within(job.finish()).await;
    assert_eq!(
        (outcome.ended.clone(), outcome.text()),
        (Ended::Exited(0), format!("{user}\n"))
    );
    let second = ended(start(&ssh, order("127.1.0.2"))).await;
    assert_eq!(second, Ended::Exited(0));
}

/// A server that asks in its own words: first for a code, then for the password.
#[derive(Clone, Default)]
struct Inquisitor {
    answers: Arc<Mutex<Vec<String>>>,
    asked: usize,
}

impl Handler for Inquisitor {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            self.asked = 0;
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "Two \x1b[1mfactors\nplease".into(),
                prompts: vec![("Code: ".into(), true)].into(),
            });
        };
        let said = response.next().expect("one answer to one prompt");
        let said = String::from_utf8_lossy(&said).into_owned();
        self.answers
            .lock()
            .expect("not poisoned")
            .push(said.clone());
        self.asked += 1;
        match (self.asked, said.as_str()) {
            (1, "123") => Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            }),
            (2, "open sesame") => Ok(Auth::Accept),
            _ => Ok(Auth::reject()),
        }
    }
}

impl Inquisitor {
    /// Listens on a port of its own until the test ends.
    async fn listen(&self) -> u16 {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).expect("randomness");
        let config = Arc::new(server::Config {
            keys: vec![key],
            methods: [MethodKind::KeyboardInteractive].as_slice().into(),
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let own = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let session = server::run_stream(Arc::clone(&config), stream, own.clone());
                tokio::spawn(async move {
                    if let Ok(session) = session.await {
                        // How a client leaves is its own affair.
                        _ = session.await;
                    }
                });
            }
        });
        port
    }
}

#[tokio::test]
async fn what_a_server_asks_is_passed_on() {
    let server = Inquisitor::default();
    let port = server.listen().await;
    let home = tempfile::tempdir().expect("a directory");
    let ssh = Arc::new(Ssh::new(fleet::sshd::env(home.path())));
    let pocket = Pocket::default();
    let order = |host: &str| {
        let mut order = fleet::on(host, command("true"));
        order.host.port = Some(port);
        order.asking = Asking::Allowed;
        order.pocket = pocket.clone();
        let set = ["StrictHostKeyChecking=no", "User=ops", "IdentityFile=none"];
        let set = set.map(|it| ("ssh_option".to_owned(), it.to_owned()));
        order.options = [("ssh_config".to_owned(), "none".to_owned())]
            .into_iter()
            .chain(set)
            .collect();
        order
    };
    let asks = |ask: &Ask, prompt: &str, echo: bool, wrong: u32| {
        let about = About::Prompt {
            account: "ops".to_owned(),
            prompt: prompt.to_owned(),
            echo,
        };
        assert_eq!(ask.question, Question { about, wrong });
    };
    let code = "Two  [1mfactors\nplease\nCode:";
    let mut job = start(&ssh, order(HOST));
    let ask = within(job.until_asked()).await;
    asks(&ask, code, true, 0);
    say(ask, secret("000"));
    // A wrong one is asked for again.
    let ask = within(job.until_asked()).await;
    asks(&ask, code, true, 1);
    say(ask, secret("123"));
    let ask = within(job.until_asked()).await;
    asks(&ask, "Password:", false, 1);
    say(ask, secret("open sesame"));
    // It lets us in, and then runs nothing.
    let is_in = |ended: &Ended| matches!(ended, Ended::NotStarted(Reason::Refused(_)));
    let outcome = ended(job).await;
    assert!(is_in(&outcome), "{outcome:?}");

    // The next host of the job asks for its code; the password is known.
    let mut job = start(&ssh, order("127.1.0.2"));
    let ask = within(job.until_asked()).await;
    asks(&ask, code, true, 0);
    say(ask, secret("123"));
    let outcome = ended(job).await;
    assert!(is_in(&outcome), "{outcome:?}");
    let answers = server.answers.lock().expect("not poisoned").clone();
    assert_eq!(answers, ["000", "123", "open sesame", "123", "open sesame"]);
    // And where nobody may be asked, it fails as it did.
    let unasked = Order {
        asking: Asking::Never,
        pocket: Pocket::default(),
        secrets: Arc::default(),
        ..order("127.1.0.3")
    };
    match ended(start(&ssh, unasked)).await {
        Ended::NotStarted(Reason::AuthFailed(tried)) => assert_eq!(
            tried,
            "no key to try; the server takes keyboard-interactive for ops"
        ),
        other => panic!("{other:?}"),
    }
}

use super::super::shells::{LOGIN_SHELLS, find, finish, start};
use super::*;
use crate::core::reason::Reason;

#[test]
fn the_programs_mean_the_same_to_every_login_shell() {
    let bad = ['\'', '\\', '!', '\n'];
    assert_eq!((PROGRAM.find(bad), BEHIND.find(bad)), (None, None));
    assert!(
        !exec_line().contains(super::super::prologue::WATCHER),
        "nothing behind sudo is taken for the watcher"
    );
    // A `sudo` that lets everybody in, and shows what it was told.
    let place = tempfile::tempdir().expect("a directory");
    let sudo = place.path().join("sudo");
    let script = "#!/bin/sh\necho \"$1|$3|$5\" >&2; shift 6; exec \"$@\"\n";
    std::fs::write(&sudo, script).expect("ours");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&sudo, mode).expect("ours");
    let input = format!(
        "abc\na b\nn\n{}in\n",
        launch("IFS= read -r x; echo $0 $2 got $x", "me")
    );
    for shell in LOGIN_SHELLS
        .into_iter()
        .filter(|shell| find(shell).is_some())
    {
        let output = finish(start(shell, &exec_line(), Some(&place), input.as_bytes()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            (text(&output.stdout).as_str(), text(&output.stderr).as_str()),
            (
                "regatta-sudo abc runs\nme sh got in\n",
                "-n|regatta-sudo abc asks |a b\n"
            ),
            "{shell}"
        );
    }
}

/// What sudo says, bit by bit, and what it was told.
struct Script {
    /// After how much was said to it, and what.
    heard: std::collections::VecDeque<(usize, Heard)>,
    said: Vec<Bytes>,
}

impl Talk for Script {
    async fn hear(&mut self) -> Heard {
        let due = self
            .heard
            .front()
            .is_some_and(|(after, _)| *after <= self.said.len());
        if due && let Some((_, heard)) = self.heard.pop_front() {
            return heard;
        }
        std::future::pending().await
    }

    async fn say(&mut self, words: Bytes) {
        self.said.push(words);
    }
}

fn order(asking: Asking) -> Order {
    Order {
        job: crate::core::ids::JobId(1),
        child: crate::core::ids::ChildId(2),
        host: crate::core::spec::Host::named("web01"),
        payload: std::sync::Arc::new(crate::core::spec::Payload::Command("true".to_owned())),
        run: "abc".into(),
        connect_timeout: Duration::from_secs(1),
        options: [(OPTION.to_owned(), "root".to_owned())].into(),
        asking,
        pocket: Pocket::default(),
        environment: std::sync::Arc::default(),
        secrets: std::sync::Arc::default(),
    }
}

async fn talked(
    order: &Order,
    heard: Vec<(usize, Heard)>,
    events: Option<&mpsc::Sender<Event>>,
) -> (Result<Besides, Ended>, Vec<String>) {
    let mut talk = Script {
        heard: heard.into(),
        said: Vec::new(),
    };
    let user = target(order).expect("somebody");
    let climb = Climb::new(order, user, "ops", Duration::from_millis(50));
    let (_stop, mut signal) = watch::channel(None);
    let made = climb.make(("p", "n"), &mut talk, events, &mut signal).await;
    let words = talk
        .said
        .iter()
        .map(|said| String::from_utf8_lossy(said).into_owned());
    (made, words.collect())
}

fn at_once(heard: Vec<Heard>) -> Vec<(usize, Heard)> {
    heard.into_iter().map(|heard| (0, heard)).collect()
}

fn out(text: &str) -> Heard {
    Heard::Out(Bytes::from(text.to_owned()))
}

fn err(text: &str) -> Heard {
    Heard::Err(Bytes::from(text.to_owned()))
}

fn why_not(made: Result<Besides, Ended>) -> String {
    match made {
        Err(Ended::NotStarted(Reason::Sudo(why))) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_said_besides_is_passed_on_and_what_is_ours_is_not() {
    let order = order(Asking::Allowed);
    let about = About::Sudo {
        account: "ops".to_owned(),
    };
    order
        .pocket
        .give(&about, &Secret::new("sesame\nsecond line".to_owned()));
    let heard = vec![
        out("motd\nregatta-su"),
        err("lecture\nregatta-sudo abc as"),
        err("ks "),
        out("do abc runs\n"),
    ];
    let (made, said) = talked(&order, at_once(heard), None).await;
    let besides = made.expect("it runs");
    assert_eq!(
        (&*besides.out, &*besides.err),
        (&b"motd\n"[..], &b"lecture\n"[..])
    );
    assert_eq!(said[..2], ["abc\nroot\nS\n", "sesame\n"]);
    assert_eq!((said.len(), &said[2]), (3, &launch("p", "n")));
}

/// A password that is wrong here is not given twice, however often sudo asks.
#[tokio::test]
async fn no_password_is_tried_twice_on_a_host() {
    let order = order(Asking::Allowed);
    let (events, mut asked) = mpsc::channel(4);
    let prompt = || err("regatta-sudo abc asks ");
    let operator = async {
        for (wrong, words) in ["one", "two"].into_iter().enumerate() {
            let Some(Event::Asks(ask)) = asked.recv().await else {
                panic!("it asks");
            };
            assert_eq!(ask.question.wrong as usize, wrong);
            let secret = Secret::new(words.to_owned());
            ask.answer.send(Answer::Secret(secret)).expect("it waits");
        }
        let Some(Event::Asks(ask)) = asked.recv().await else {
            panic!("it asks");
        };
        drop(ask);
    };
    let talk = talked(
        &order,
        vec![(1, prompt()), (2, prompt()), (3, prompt())],
        Some(&events),
    );
    let ((made, said), ()) = tokio::join!(talk, operator);
    assert_eq!(said, ["abc\nroot\nS\n", "one\n", "two\n"]);
    assert_eq!(why_not(made), "password rejected for ops (2 times)");
    assert!(order.pocket.is_empty(), "nothing that was wrong is kept");
}

#[tokio::test]
async fn nobody_is_asked_who_may_not_be() {
    let order = order(Asking::Never);
    let required = vec![
        err("sudo: a password is required\n"),
        Heard::End(Ended::Exited(1)),
    ];
    let (made, said) = talked(&order, at_once(required), None).await;
    assert_eq!(said, ["abc\nroot\nn\n"]);
    assert!(why_not(made).starts_with("ops needs a password, and nobody may be asked"));
}

#[tokio::test]
async fn what_is_not_understood_is_shown() {
    let order = order(Asking::Allowed);
    let cases = [
        (
            vec![err("Verification code: ")],
            "it says \"Verification code:\" and waits, which cannot be answered here",
        ),
        (vec![], "no answer within 0.05s"),
        (
            vec![
                err("sudo: something\x1b[2J new\n"),
                Heard::End(Ended::Exited(1)),
            ],
            "something [2J new",
        ),
        (
            vec![Heard::End(Ended::Exited(9))],
            "it ended with exit 9 and without a word",
        ),
        (
            vec![
                out("regatta-sudo abc missing\n"),
                Heard::End(Ended::Exited(125)),
            ],
            "it is not installed there, or not where commands are looked for (PATH)",
        ),
        (
            vec![err(&"x".repeat(LONGEST + 1))],
            "it says more than sudo would",
        ),
    ];
    for (heard, text) in cases {
        let (made, _) = talked(&order, at_once(heard), None).await;
        assert_eq!(why_not(made), text);
    }
}

//! Questions over the wire, of simulated computers that let nobody in without the password.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::core::question::{About, Question};
use crate::core::reason::Reason;
use crate::core::retention::Retention;
use crate::core::spec::{
    Above, Asking, Ended, Host, Inquiry, JobSpec, Limits, OnFull, Payload, Proof, Signal, Trace,
};
use crate::daemon::audit::{Audit, Span};
use crate::daemon::client::{Absent, Connection, Reach};
use crate::daemon::session::Service;
use crate::engine::{Engine, Runners};
use crate::runner::{Ask, Boxed, Event, Order, Runner};
use crate::secret::{Answer, Environment, Secret};
use crate::store::{Caps, Saved, Store};
use crate::wire::look::Question as Asked;
use crate::wire::request::{Attend, Children};
use crate::wire::{Reply, Request};

#[derive(Debug)]
struct Locked;

impl Runner for Locked {
    fn run(
        self: Arc<Self>,
        _order: Order,
        events: mpsc::Sender<Event>,
        _signal: watch::Receiver<Option<Signal>>,
    ) -> Boxed<Ended> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let account = "ops".to_string();
            let question = Question::first(About::Password { account });
            _ = events.send(Event::Asks(Ask { question, answer })).await;
            match answered.await {
                Ok(Answer::Secret(secret)) if secret.reveal() == "sesame" => Ended::Exited(0),
                Ok(_) | Err(_) => Ended::NotStarted(Reason::AuthFailed("password".to_string())),
            }
        })
    }

    fn prove(self: Arc<Self>, _: Order, _: Option<Trace>, _: Inquiry) -> Boxed<Proof> {
        Box::pin(async { Proof::Gone })
    }
}

async fn open(service: &Arc<Service>, request: &Request) -> Connection {
    let reach = Reach::InProcess(Arc::clone(service));
    let opened = reach.request(request, Absent::Recall).await;
    opened.expect("a pipe in memory")
}

async fn next(connection: &mut Connection) -> Reply {
    let reply = tokio::time::timeout(Duration::from_secs(60), connection.reply()).await;
    reply.expect("it comes in time").expect("an answer")
}

/// The questions in the next news that has them, and that `enough` takes.
async fn news(watch: &mut Connection, enough: impl Fn(&[Asked]) -> bool) -> Vec<Asked> {
    loop {
        if let Reply::News(news) = next(watch).await
            && let Some(questions) = news.questions
            && enough(&questions)
        {
            return questions;
        }
    }
}

fn spec(hosts: &[&str]) -> JobSpec {
    JobSpec {
        name: None,
        runner: "locked".into(),
        payload: Payload::Command("true".into()),
        targets: hosts.join(","),
        hosts: hosts.iter().map(|host| Host::named(*host)).collect(),
        fanout: NonZeroU32::new(1000).expect("not zero"),
        limits: Limits::default(),
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: Vec::new(),
        asking: Asking::Allowed,
        shape: None,
        ask_above: Above::Configured,
        withheld: Vec::new(),
    }
}

#[tokio::test]
async fn watchers_hear_of_questions_and_the_second_answer_comes_too_late() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let log = home.path().join("audit.jsonl");
    let runners = Runners::from([("locked", Arc::new(Locked) as Arc<dyn Runner>)]);
    let store = Store::temporary(Caps::default()).expect("a temporary directory");
    let (engine, task) = Engine::start(runners, store, Saved::default(), Retention::default());
    let audit = Audit::in_file(log.clone(), "ops".to_string(), Span::Lasting);
    let service = Service::new(engine, task, audit);

    let everything = Request::Watch {
        select: None,
        children: Children::Without,
    };
    let mut watch = open(&service, &everything).await;
    assert!(matches!(next(&mut watch).await, Reply::Jobs(_)));
    let mut attended = open(&service, &Request::Questions(Attend::Follow)).await;
    assert!(matches!(next(&mut attended).await, Reply::Questions(none) if none.is_empty()));

    let submit = Request::Submit {
        spec: Box::new(spec(&["n1", "n2", "n3"])),
        environment: Environment::default(),
        secrets: Vec::new(),
    };
    next(&mut open(&service, &submit).await).await;
    let all = |questions: &[Asked]| questions.first().is_some_and(|it| it.children.len() == 3);
    let questions = news(&mut watch, all).await;
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert_eq!(questions[0].hosts, "n[1-3]");
    assert!(matches!(next(&mut attended).await, Reply::Questions(some) if some.len() == 1));

    let answer = Request::Answer {
        questions: vec![questions[0].id],
        answer: Answer::Secret(Secret::new("sesame".to_string())),
    };
    assert!(!format!("{answer:?}").contains("sesame"));
    let mut refusals = Vec::new();
    for _ in 0..2 {
        match next(&mut open(&service, &answer).await).await {
            Reply::Answered { questions, refused } => refusals.push((questions.len(), refused)),
            other => panic!("answered, got {other:?}"),
        }
    }
    assert_eq!(refusals[0], (1, vec![]));
    assert!(
        refusals[1].0 == 0 && refusals[1].1[0].contains("already answered"),
        "{refusals:?}"
    );
    news(&mut watch, <[Asked]>::is_empty).await;
    service.close().await;

    let log = std::fs::read_to_string(log).expect("it is kept");
    let entry = log.lines().find(|line| line.contains("\"answer\""));
    let entry = entry.expect("the answer is noted");
    for part in [
        "\"hosts\":\"n[1-3]\"",
        "\"given\"",
        "\"user\":\"ops\"",
        "password of ops",
    ] {
        assert!(entry.contains(part), "{entry}");
    }
    assert!(!log.contains("sesame"), "{log}");
}

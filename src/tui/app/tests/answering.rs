//! Questions that children wait with: which is opened, how it is read, what answers it.

use super::super::deeds::Then;
use super::super::overlay::Overlay;
use super::sessions::check;
use super::*;
use crate::config::queries::Secrecy;
use crate::core::state::State::Blocked;
use crate::tui::event::Watched;
use crate::wire::look::{Question, QuestionKind};
use crate::wire::reply::News;

#[test]
fn questions_are_answered_by_letters_and_secrets_by_enter_alone() {
    let keys = "j enter";
    let asked = check(Engine::busy(), keys, &[]);
    assert!(asked.screen().contains("Password"), "{}", asked.screen());
    let typed = check(Engine::busy(), "j enter 'hunter2'", &[]);
    assert!(!typed.screen().contains("hunter2"));
    let sent = check(
        Engine::busy(),
        "j enter 'hunter2' enter",
        &["answer [2] Secret([secret])"],
    );
    assert!(!format!("{:?}", sent.actions).contains("hunter2"));
    check(Engine::busy(), "j enter 'hunter2' esc", &[]);
    check(Engine::busy(), "j j j enter enter esc", &[]);
    check(Engine::busy(), "j j j enter y", &["answer [1] Accept"]);
    check(Engine::busy(), "j j j enter n", &["answer [1] Refuse"]);
}

#[test]
fn a_secret_of_a_query_is_typed_once_for_all_its_hosts() {
    let mut engine = Engine::busy();
    engine.add(60, "token", &[Blocked, Blocked, Blocked]);
    let mut question = engine.questions[1].clone();
    question.id = 3;
    question.kind = QuestionKind::Secret {
        name: "token".to_string(),
        doc: "the registry's\u{1b}[2J token".to_string(),
    };
    question.children = vec![61, 62, 63];
    question.hosts = "web[01-03]".to_string();
    engine.questions.push(question);
    let mut session = Session::new(engine);
    session.keys(": 'answer 60' enter 'hunter2'");
    let screen = session.screen();
    for words in [
        "The script needs the secret token. 3 hosts wait for it: web[01-03].",
        "the registry's^[[2J token",
        "> ******* ",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    assert!(!screen.contains("hunter2"), "{screen}");
    session.keys("enter");
    assert_eq!(session.deeds(), ["answer [3] Secret([secret])"]);
    // What can be had back with a key is the line that asked.
    session.keys(": up");
    let bar = session.app.bar.as_ref().expect("it is open");
    assert_eq!(bar.text(), "answer 60");
    let everything = format!("{:?} {:?}", session.actions, session.app);
    assert!(!everything.contains("hunter2"));
}

#[test]
fn a_secret_that_is_typed_into_the_bar_stays_there() {
    for more in ["", " --format csv"] {
        let mut session = Session::new(Engine::quiet());
        let queries = session.app.loaded.queries.iter_mut();
        let mut queries = queries.filter(|query| query.name == "osquery");
        queries.next().expect("it is compiled in").parameters[0].secrecy = Secrecy::Secret;
        session.keys(&format!(
            ": 'query osquery -t web01 -p sql=hunter2{more}' enter"
        ));
        let screen = session.screen();
        assert!(screen.contains("sql is a secret"), "{screen}");
        assert_eq!(session.deeds(), [""; 0]);
        session.keys("esc : up");
        assert!(!session.screen().contains("hunter2"), "nor remembered");
        assert!(!format!("{:?}", session.actions).contains("hunter2"));
    }
    let typo = check(
        Engine::quiet(),
        ": 'query osquery -t web01 -p slq=x' enter",
        &[],
    );
    assert!(typo.screen().contains("did you mean sql?"));
}

#[test]
fn an_answer_that_was_taken_is_no_complaint() {
    let mut session = Session::new(Engine::busy());
    session.keys(": 'answer' enter y");
    assert_eq!(session.deeds(), ["answer [1] Accept"]);
    assert_eq!(session.said(), "answered");
    check(
        Engine::busy(),
        ": 'answer --refuse' enter",
        &["program answer --refuse"],
    );
}

#[test]
fn a_selection_opens_the_oldest_question_of_its_own() {
    check(
        Engine::busy(),
        ": 'answer 40' enter y",
        &["answer [1] Accept"],
    );
    check(
        Engine::busy(),
        ": 'answer 50.web01' enter 'hunter2' enter",
        &["answer [2] Secret([secret])"],
    );
    let none = check(Engine::busy(), ": 'answer 30' enter", &[]);
    assert_eq!(none.said(), "nothing of job 30 uptime waits for an answer");
    let none = check(Engine::busy(), ": 'answer 40.web02' enter", &[]);
    assert_eq!(none.said(), "nothing of 40.web02 waits for an answer");
}

#[test]
fn enter_on_the_row_of_a_job_that_waits_answers() {
    // The rows of jobs 50 and, below its child, 40.
    check(
        Engine::busy(),
        "enter 'hunter2' enter",
        &["answer [2] Secret([secret])"],
    );
    check(Engine::busy(), "j j enter y", &["answer [1] Accept"]);
    let marked = check(Engine::busy(), "space k enter 'y'", &[]);
    assert!(!marked.app.pages.is_empty(), "{}", marked.screen());
    let other = check(Engine::quiet(), "enter", &[]);
    assert!(!other.app.pages.is_empty(), "{}", other.screen());
}

#[test]
fn all_of_a_question_can_be_read_on_the_smallest_screen() {
    let mut engine = Engine::busy();
    let QuestionKind::HostKey { file, .. } = &mut engine.questions[0].kind else {
        panic!("the first question is about a key");
    };
    *file = "/home/operator/a/directory/of/a/very/long/name/indeed/for/known_hosts".to_string();
    let mut session = Session::with(FLAGS, (40, 10), engine);
    session.keys("j j j enter");
    let mut read = String::new();
    for _ in 0..6 {
        read += &session.screen().replace(['│', ' ', '\n'], "");
        session.keys("down");
    }
    for part in [
        "ssh-ed25519",
        "SHA256:4cHyM7T8zEoLkDq5pXvLq0m1t9nR3sWbYz2aUeIjKfA",
        "indeed/for/known_hosts",
        "administratorsays.",
    ] {
        assert!(read.contains(part), "{part}\n{read}");
    }
    assert!(
        session.screen().contains("more: up"),
        "{}",
        session.screen()
    );
    assert_eq!(session.deeds(), [""; 0]);
    session.keys("up up up up up up y");
    assert_eq!(session.deeds(), ["answer [1] Accept"]);
}

/// A console that has started a query with a secret and waits for its table; another job asks for one, too.
fn awaiting() -> Session {
    let mut engine = Engine::busy();
    engine.add(60, "tok", &[Blocked, Blocked]);
    engine.shapes.insert(60, crate::tui::table::tests::shape());
    let mut session = Session::with(FLAGS, (120, 30), engine);
    session.app.follow(60, Then::OpenTable);
    session.event(Event::Tick);
    assert!(session.screen().contains("0 of 2 hosts"));
    session
}

fn asks(session: &mut Session, secrets: &[(u64, u64)]) {
    let mut questions = Engine::busy().questions;
    for (id, child) in secrets {
        let mut question = questions[0].clone();
        question.kind = QuestionKind::Secret {
            name: format!("token{id}"),
            doc: "What lets in".to_string(),
        };
        (question.id, question.children) = (*id, vec![*child]);
        questions.push(question);
    }
    let news = News {
        questions: Some(questions),
        ..News::default()
    };
    session.event(Event::Watched(Watched::News(news)));
}

#[test]
fn secrets_of_a_job_that_was_just_started_are_asked_for_by_themselves() {
    let mut session = awaiting();
    asks(&mut session, &[(7, 51)]);
    assert!(session.app.overlay.is_none(), "another job's secret");
    asks(&mut session, &[(7, 51), (8, 61)]);
    assert!(session.screen().contains("token8"), "{}", session.screen());
    session.keys("'hunter2' enter");
    assert_eq!(session.deeds(), ["answer [8] Secret([secret])"]);
    // The one that was answered may be listed still; the next one is asked for.
    asks(&mut session, &[(8, 61)]);
    assert!(session.app.overlay.is_none());
    asks(&mut session, &[(8, 61), (9, 62)]);
    assert!(session.screen().contains("token9"), "{}", session.screen());
    session.keys("esc");
    asks(&mut session, &[(9, 62), (10, 62)]);
    assert!(session.app.overlay.is_none(), "put off is put off");
    // Where there is no row, there is nothing else to open.
    session.keys("enter");
    assert!(session.screen().contains("token9"), "{}", session.screen());
    session.keys("esc : 'answer' enter");
    assert!(session.app.overlay.is_some());
    assert!(session.screen().contains("token9"), "{}", session.screen());
}

#[test]
fn a_secret_is_not_asked_for_by_itself_of_whoever_is_at_something_else() {
    for keys in [": 'jo'", "j", "/ 'n'", "esc", "?"] {
        let mut session = awaiting();
        session.keys(keys);
        asks(&mut session, &[(8, 61)]);
        let overlay = &session.app.overlay;
        assert!(!matches!(overlay, Some(Overlay::Answer(_))), "{keys}");
    }
    // A key that came before anybody saw the question is none of the answer.
    let mut session = awaiting();
    let question = Question {
        id: 8,
        kind: QuestionKind::Secret {
            name: "token8".to_string(),
            doc: String::new(),
        },
        children: vec![61],
        ..Engine::busy().questions[0].clone()
    };
    let news = News {
        questions: Some(vec![question]),
        ..News::default()
    };
    let key = crossterm::event::KeyEvent::from(KeyCode::Char('j'));
    let both = vec![Event::Watched(Watched::News(news)), Event::Key(key)];
    session.play(Vec::new(), both);
    let Some(Overlay::Answer(answering)) = &session.app.overlay else {
        panic!("{}", session.screen());
    };
    assert!(answering.is_empty());
    session.keys("'x' enter");
    assert_eq!(session.deeds(), ["answer [8] Secret([secret])"]);
}

#[test]
fn news_of_a_question_names_its_host_once() {
    let mut session = Session::new(Engine::quiet());
    let questions = Some(Engine::busy().questions);
    let news = News {
        questions,
        ..News::default()
    };
    session.event(Event::Watched(Watched::News(news)));
    assert_eq!(
        session.said(),
        "web01 asks: is ssh-ed25519 SHA256:4cHyM7T8zEoLkDq5pXvLq0m1t9nR3sWbYz2aUeIjKfA its key?"
    );
}

//! Questions that children wait with: which is opened, how it is read, what answers it.

use super::sessions::check;
use super::*;
use crate::config::queries::Secrecy;
use crate::core::state::State::Blocked;
use crate::wire::look::QuestionKind;

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

#[test]
fn news_of_a_question_names_its_host_once() {
    use crate::tui::event::Watched;
    use crate::wire::reply::News;

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

//! Keys that come before rows do, news that came before the console did, and keys to a console that is about to end.

use super::sessions::check;
use super::*;
use crate::command::console::Screen;
use crate::core::state::State;
use crate::tui::event::Watched;
use crate::tui::tree::RowId;
use crate::wire::reply::News;

#[test]
fn moves_wait_for_the_children_of_what_was_opened() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z M j");
    assert_eq!(session.app.tree.cursor(), Some(RowId::Job(20)));
    session.keys_at_once("l j j j");
    let third = RowId::Child { job: 20, child: 23 };
    assert_eq!(session.app.tree.cursor(), Some(third));
    session.keys("z M g g");
    session.keys_at_once("l j j");
    let second = RowId::Child { job: 30, child: 32 };
    assert_eq!(session.app.tree.cursor(), Some(second), "not the next job");
}

#[test]
fn nothing_acts_on_a_row_that_was_not_on_the_screen() {
    for keys in ["l j j r", "l j j P", "l j r", "] r", "] ] r"] {
        let mut session = Session::new(Engine::quiet());
        session.keys("z M");
        session.keys_at_once(keys);
        assert_eq!(session.deeds(), [""; 0], "{keys}");
        assert!(
            session.said().contains("was not on the screen yet"),
            "{keys}: {}",
            session.said()
        );
    }
    let mut session = Session::new(Engine::quiet());
    session.keys("z M");
    session.keys_at_once("l r");
    assert_eq!(session.deeds(), ["receive 30"], "its row was there");
}

#[test]
fn moves_do_not_wait_for_ever() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z M");
    // Nobody answers.
    for key in ["l", "j", "j"] {
        let (code, held) = pressed(Key::parse(key).expect("a key"));
        let key = Event::Key(KeyEvent::new(code, held));
        session.app.update(session.now, key);
    }
    session.app.prepare(session.now);
    assert_eq!(session.app.tree.cursor(), Some(RowId::Job(30)));
    session.now.mono += Duration::from_millis(1001);
    session.app.update(session.now, Event::Tick);
    session.app.prepare(session.now);
    assert_eq!(session.app.tree.cursor(), Some(RowId::Job(20)));
}

#[test]
fn who_does_not_wait_for_a_program_is_not_shown_what_it_says() {
    let mut session = Session::new(Engine::quiet());
    let shown = check(Engine::quiet(), ": 'history' enter", &["program history"]);
    assert_eq!((shown.app.pages.len(), shown.said()), (1, ""));
    session.keys(": 'history'");
    let enter = Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
    let actions = session.app.update(session.now, enter);
    assert!(session.said().contains("at work"), "{}", session.said());
    session.keys("esc");
    session.play(actions, Vec::new());
    assert_eq!(session.app.pages.len(), 0, "{}", session.screen());
}

#[test]
fn what_becomes_of_a_job_is_an_event_whichever_watch_tells_it_first() {
    let mut session = Session::new(Engine::busy());
    session.keys("4");
    let mut ended = session.engine.jobs[&10].clone();
    let running = ended.clone();
    ended.state = State::Failed;
    ended.elapsed += 1.0;
    let told = |session: &Session, text: &str| {
        let events = session.app.events.newest_first();
        events.filter(|event| event.text.contains(text)).count()
    };
    let news = |job: &crate::wire::JobView| {
        Watched::News(News {
            jobs: vec![job.clone()],
            ..News::default()
        })
    };
    for event in [
        Event::Children(10, news(&ended)),
        Event::Watched(news(&ended)),
        Event::Children(10, news(&running)),
    ] {
        session.event(event);
        assert_eq!(told(&session, "patch is Failed"), 1, "{}", session.screen());
        assert_eq!(told(&session, "patch is Running"), 0, "older than that");
    }
    // So are differences between a list and the one before.
    session.engine.jobs.insert(10, ended);
    let job = session.engine.jobs.get_mut(&50).expect("a job");
    job.state = State::Stopped;
    session.engine.add(60, "short", &[State::Completed]);
    let listed = session.engine.listed();
    session.event(listed);
    assert_eq!(told(&session, "login is Stopped"), 1);
    assert_eq!(told(&session, "short"), 2, "it began, and it ended");
}

#[test]
fn what_ended_before_the_console_began_has_happened_too() {
    let mut session = Session::new(Engine::quiet());
    session.keys("4");
    let screen = session.screen();
    for text in ["disks began on 3 hosts", "disks is Failed", "uptime is"] {
        assert!(screen.contains(text), "{screen}");
    }
}

#[test]
fn who_leaves_once_all_is_stopped_begins_nothing_more_and_may_still_stay() {
    let leaving = || {
        let mut session = Session::new(Engine::busy());
        session.keys("q");
        let s = Event::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE));
        let actions = session.app.update(session.now, s);
        (session, actions)
    };
    let (mut session, stopping) = leaving();
    session.keys("e enter x y d y P r @30 : 'stop 10' enter y 4");
    session.event(Event::Paste("stop 10".to_string()));
    assert_eq!(session.deeds(), [""; 0]);
    let screen = session.screen();
    assert!(
        screen.contains("the console ends when nothing runs"),
        "{screen}"
    );
    assert!(session.app.bar.is_none() && session.app.screen == Screen::Jobs);
    session.play(stopping, Vec::new());
    assert_eq!(session.deeds(), ["stop all", "quit"]);

    let (mut session, stopping) = leaving();
    session.keys("esc");
    assert!(session.said().contains("the console stays"));
    session.play(stopping, Vec::new());
    session.keys("x esc");
    assert_eq!(session.deeds(), ["stop all"]);
}

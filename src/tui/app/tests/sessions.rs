//! What keys come to.

use super::*;
use crate::core::state::State;
use crate::tui::tree::RowId;

/// Plays keys and compares what they did.
fn check(engine: fn() -> Engine, cases: &[(&str, &[&str])]) {
    for (keys, want) in cases {
        let mut session = Session::new(engine());
        session.keys(keys);
        assert_eq!(session.deeds(), *want, "{keys}\n{}", session.screen());
    }
}

/// Under the cursor at first: job 50, below it 51, 40, 41, 42, 30, 20, 21 to 23, 10, 11 to 13.
#[test]
fn only_the_letter_that_is_shown_stops() {
    check(
        Engine::busy,
        &[
            ("x enter x", &[]),
            ("x n", &[]),
            ("x esc", &[]),
            ("x y", &["stop 50"]),
            ("x y y", &["stop 50"]),
            ("j x y", &["stop 50.web01"]),
            ("X y", &["kill 50"]),
            ("x X", &[]),
            ("x Y", &[]),
            ("space j space x y", &["stop 40 50"]),
            // Nothing of it runs any more.
            ("j j j j j x y", &[]),
        ],
    );
}

#[test]
fn what_is_removed_can_be_taken_back_until_it_is_done() {
    check(
        Engine::quiet,
        &[
            ("d u @60", &[]),
            ("d @29", &[]),
            ("d @30", &["remove 30"]),
            ("d @60", &["remove 30"]),
            ("d d @30", &["remove 30", "remove 20"]),
            ("d d u @30", &["remove 30"]),
            ("d q", &["remove 30", "quit"]),
            ("d ctrl-c ctrl-c", &["remove 30", "quit"]),
            ("u @60", &[]),
        ],
    );
    check(
        Engine::busy,
        &[
            ("d @60", &[]),
            ("d enter d @60", &[]),
            ("d y", &["stop and remove 50"]),
        ],
    );
}

#[test]
fn receiving_is_one_thing_and_looking_another() {
    check(
        Engine::quiet,
        &[
            ("r", &["receive 30"]),
            ("R", &[]),
            ("O", &[]),
            ("enter", &[]),
            (": 'receive --keep 30' enter", &[]),
            (": 'receive 20.web01' enter", &["receive 20.web01"]),
        ],
    );
}

#[test]
fn nothing_but_q_and_ctrl_c_leaves() {
    check(
        Engine::quiet,
        &[
            ("esc esc esc", &[]),
            ("q", &["quit"]),
            ("enter q", &[]),
            ("enter q q", &["quit"]),
            ("2 q", &[]),
            ("ctrl-c", &[]),
            ("ctrl-c j ctrl-c", &[]),
            ("ctrl-c ctrl-c", &["quit"]),
            (": 'q' enter", &["quit"]),
            (": 'q' esc", &[]),
        ],
    );
    check(
        Engine::busy,
        &[
            ("q", &[]),
            ("q enter q", &[]),
            ("q n", &[]),
            ("q d", &["quit"]),
            ("q s", &["stop all", "quit"]),
            ("ctrl-c ctrl-c", &["quit"]),
        ],
    );
}

#[test]
fn questions_are_answered_on_purpose_only() {
    check(
        Engine::busy,
        &[
            ("j enter 'geheim'", &[]),
            ("j enter 'geheim' esc", &[]),
            ("j enter 'geheim' enter", &["answer [2] Secret([secret])"]),
            ("j enter ctrl-n", &["answer [2] Refuse"]),
            ("j j j enter", &[]),
            ("j j j enter enter", &[]),
            ("j j j enter y", &["answer [1] Accept"]),
            ("j j j enter n", &["answer [1] Refuse"]),
            (": 'answer' enter y", &["answer [1] Accept"]),
        ],
    );
}

#[test]
fn a_password_is_in_no_picture_and_in_no_log() {
    let mut session = Session::new(Engine::busy());
    session.keys("j enter 'geheim'");
    assert!(!session.screen().contains("geheim"), "{}", session.screen());
    assert!(!format!("{:?}", session.app).contains("geheim"));
    session.keys("enter");
    assert_eq!(session.deeds(), ["answer [2] Secret([secret])"]);
    assert!(!format!("{:?} {:?}", session.actions, session.app).contains("geheim"));
}

#[test]
fn lines_of_the_bar_do_what_they_say() {
    check(
        Engine::quiet,
        &[
            (": 'stop --kill 20' enter", &[]),
            (": 'remove 20' enter @30", &["remove 20"]),
            ("a 'web01 -- uptime' enter", &["plan run"]),
            ("a 'web01 -- uptime' esc", &[]),
            ("e", &[]),
            ("e enter", &["plan run"]),
            (": 'query uptime -t @web' enter", &["plan query uptime"]),
            ("3 enter enter", &["plan query disks"]),
            (": 'jobs' enter", &["program jobs"]),
            (": 'rerun --all 20' enter", &["rerun 20"]),
        ],
    );
}

#[test]
fn a_line_that_means_nothing_stays_to_be_corrected() {
    let mut session = Session::new(Engine::quiet());
    session.keys(": 'stpo 20' enter");
    assert_eq!(session.deeds(), [""; 0]);
    let bar = session.app.bar.as_ref().expect("it is still open");
    assert_eq!(bar.text(), "stpo 20");
    assert!(session.screen().contains("stop"), "{}", session.screen());
}

#[test]
fn what_is_pasted_does_nothing_by_itself() {
    let lines = "stop all\nremove all\nq\n";
    let mut session = Session::new(Engine::busy());
    session.event(Event::Paste(lines.to_string()));
    assert!(session.app.bar.is_some());
    assert_eq!(session.deeds(), [""; 0]);

    let mut session = Session::new(Engine::busy());
    session.keys("x");
    session.event(Event::Paste("y".to_string()));
    assert!(session.app.bar.is_none());
    assert!(session.app.overlay.is_some(), "the question is still there");
    assert_eq!(session.deeds(), [""; 0]);
}

#[test]
fn a_console_that_only_looks_changes_nothing() {
    let flags = Flags {
        acting: Acting::ReadOnly,
        ..FLAGS
    };
    let scripts = [
        "x y",
        "X y",
        "d y @60",
        "r",
        "e enter",
        "a 'web01 -- uptime' enter",
        ": 'run -t web01 -- uptime' enter",
        ": 'rerun --all 20' enter",
        ": 'answer' enter y",
        "j j j enter y",
        "j enter 'geheim' enter",
        "q s",
        "3 enter enter",
    ];
    for script in scripts {
        let mut session = Session::with(flags, (160, 50), Engine::busy());
        session.keys(script);
        assert_eq!(session.deeds(), [""; 0], "{script}\n{}", session.screen());
    }
    let mut session = Session::with(flags, (160, 50), Engine::busy());
    session.keys("x");
    assert_eq!(session.said(), "read-only: stop is switched off");
}

#[test]
fn the_next_problem_is_found_in_a_closed_job() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z M ]");
    let problem = RowId::Child { job: 20, child: 22 };
    assert_eq!(session.app.tree.cursor(), Some(problem));
    assert!(session.screen().contains("no space left"));
}

#[test]
fn children_that_came_to_the_same_are_one_row() {
    let mut session = Session::new(Engine::quiet());
    let before = session.app.tree.rows().len();
    session.keys("j =");
    assert_eq!(session.app.tree.rows().len(), before - 1);
    session.keys("=");
    assert_eq!(session.app.tree.rows().len(), before);
}

#[test]
fn a_filter_holds_while_it_is_typed_and_esc_takes_it_back() {
    let mut session = Session::new(Engine::quiet());
    let before = session.app.tree.rows().to_vec();
    session.keys("/ 'uptim'");
    assert_eq!(session.app.tree.rows(), [RowId::Job(30)]);
    session.keys("esc");
    assert_eq!(session.app.tree.rows(), before);
    session.keys("/ 'uptime' enter");
    assert_eq!(session.app.tree.rows(), [RowId::Job(30)]);
    session.keys("esc");
    assert_eq!(session.app.tree.rows(), before);
}

#[test]
fn a_picture_that_is_held_does_not_change() {
    let mut session = Session::new(Engine::quiet());
    session.keys("p @10");
    let before = session.app.tree.rows().len();
    session.engine.add(60, "late", &[State::Running]);
    let listed = session.engine.listed();
    session.event(listed);
    assert_eq!(session.app.tree.rows().len(), before);
    assert!(session.screen().contains("STILL"), "{}", session.screen());
    session.keys("p");
    assert!(session.screen().contains("late"), "{}", session.screen());
}

#[test]
fn keys_that_may_go_on_say_how_after_a_while() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z @0.3");
    let more = "Open all jobs";
    assert!(!session.screen().contains(more));
    session.keys("@0.1");
    assert!(session.screen().contains(more), "{}", session.screen());
    session.keys("M");
    assert!(!session.screen().contains(more));
}

#[test]
fn what_is_said_in_passing_goes() {
    let mut session = Session::new(Engine::quiet());
    session.keys("u");
    assert!(session.said().starts_with("nothing to undo"));
    session.keys("@6");
    assert_eq!(session.said(), "");
    // What has to be seen stays until somebody has pressed a key.
    session.event(Event::Notice("the disk is full".to_string()));
    session.keys("@60");
    assert_eq!(session.said(), "the disk is full");
    session.keys("j");
    assert_eq!(session.said(), "");
}

#[test]
fn a_console_where_nothing_happens_sleeps() {
    let mut session = Session::new(Engine::quiet());
    assert_eq!(session.app.wake(), None);
    for keys in ["j", "k enter", "q", "2", "4", "1", "j j j", "d u @7"] {
        session.keys(keys);
        session.keys("@30");
        assert_eq!(session.app.wake(), None, "after {keys}");
    }
    let session = Session::new(Engine::busy());
    let second = session.now.mono + Duration::from_secs(1);
    assert_eq!(session.app.wake(), Some(second), "clocks of jobs tick");
}

#[test]
fn a_screen_that_was_small_for_a_while_is_as_it_was() {
    let mut engine = Engine::quiet();
    for n in 0..90 {
        engine.add(1000 + 10 * n, "many", &[State::Completed]);
    }
    let mut session = Session::new(engine);
    session.keys("pgdn pgdn k k k");
    let at = |session: &Session| (session.app.tree.cursor(), session.app.tree.offset());
    let before = at(&session);
    assert!(before.1 > 0, "it is scrolled");
    session.resize(20, 3);
    assert_eq!(session.screen().split('\n').count(), 3);
    session.resize(160, 50);
    assert_eq!(at(&session), before);
}

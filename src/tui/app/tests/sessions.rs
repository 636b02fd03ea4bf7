//! Sessions, one story each: what is pressed, what the console then wants done, what it says.

use std::num::NonZeroU32;

use super::super::verbs::deed;
use super::*;
use crate::command::console::Screen;
use crate::config::queries::Secrecy;
use crate::core::spec::{Above, Host, JobSpec, Limits, OnFull, Payload};
use crate::secret::Named;
use crate::tui::event::Planned;

/// Plays keys over an engine, and compares what was wanted done to anything but the console itself.
pub(super) fn check(engine: Engine, keys: &str, deeds: &[&str]) -> Session {
    let mut session = Session::new(engine);
    session.keys(keys);
    assert_eq!(session.deeds(), deeds, "{keys}\n{}", session.screen());
    session
}

#[test]
fn only_the_letter_that_is_shown_stops_anything() {
    // The cursor begins on the newest job.
    check(Engine::busy(), "x", &[]);
    check(Engine::busy(), "x enter x esc", &[]);
    check(Engine::busy(), "x n", &[]);
    check(Engine::busy(), "x ctrl-c", &[]);
    check(Engine::busy(), "x y", &["stop 50"]);
    check(Engine::busy(), "X y", &["kill 50"]);
    let session = check(Engine::quiet(), "x y", &[]);
    assert!(
        !session.screen().contains("Stop "),
        "nothing to stop, nothing asked"
    );
}

#[test]
fn marks_come_before_the_cursor() {
    let session = check(Engine::busy(), "space space j X y", &["kill 50 50.web01"]);
    assert!(session.screen().contains("2 marked"));
    check(Engine::busy(), "* \\ x y", &["stop 50"]);
}

#[test]
fn a_removal_can_be_taken_back_until_it_is_done() {
    check(Engine::quiet(), "d u @60", &[]);
    check(Engine::quiet(), "d @29", &[]);
    check(Engine::quiet(), "d @31", &["remove 30"]);
    let gone = check(Engine::quiet(), "d", &[]);
    assert!(!gone.screen().contains("run uptime"), "{}", gone.screen());
    check(Engine::quiet(), "d q", &["remove 30", "quit"]);
}

#[test]
fn what_still_runs_is_stopped_before_it_is_removed_and_only_if_that_is_wanted() {
    check(Engine::busy(), "d enter d @60", &[]);
    check(Engine::busy(), "d y", &["stop and remove 50"]);
}

#[test]
fn receiving_takes_and_keeping_only_looks() {
    check(Engine::quiet(), "r", &["receive 30"]);
    let kept = check(Engine::quiet(), "R", &[]);
    assert!(kept.screen().contains("all is well"), "{}", kept.screen());
}

#[test]
fn the_bar_carries_out_what_is_typed_and_nothing_else() {
    check(Engine::quiet(), ": 'stop 20' esc", &[]);
    check(
        Engine::quiet(),
        ": 'run -t web[01-02] -- uptime' enter",
        &["plan run"],
    );
    check(
        Engine::quiet(),
        ": 'query uptime -t @web' enter",
        &["plan query uptime"],
    );
    check(Engine::quiet(), ": 'history' enter", &["program history"]);
    let wrong = check(Engine::quiet(), ": 'stpo 20' enter", &[]);
    assert!(
        wrong.screen().contains("did you mean stop?"),
        "{}",
        wrong.screen()
    );
    assert!(wrong.app.bar.is_some(), "the line stays to be mended");
}

#[test]
fn a_command_pasted_from_a_shell_is_shown_as_it_runs() {
    let mut session = Session::new(Engine::quiet());
    session.event(Event::Paste(
        "regatta run -t 'web[01-02]' -- 'echo hello; uname'".to_string(),
    ));
    let screen = session.screen();
    let note = "taken without its quotes: echo hello; uname";
    assert!(screen.contains(note), "{screen}");
    session.keys("' -v'");
    assert!(!session.screen().contains("without its quotes"));
}

#[test]
fn a_paste_does_nothing_but_fill_the_bar() {
    let mut session = Session::new(Engine::busy());
    session.event(Event::Paste("stop all\nx\ny\n".to_string()));
    assert_eq!(session.deeds(), [""; 0]);
    assert!(
        session.screen().contains(":stop all"),
        "{}",
        session.screen()
    );
    session.keys("esc x");
    session.event(Event::Paste("y".to_string()));
    assert_eq!(session.deeds(), [""; 0], "a paste answers no question");
}

#[test]
fn one_key_by_mistake_never_leaves() {
    check(Engine::quiet(), "esc esc esc h h", &[]);
    check(Engine::quiet(), "ctrl-c @5", &[]);
    check(Engine::quiet(), "ctrl-c ctrl-c", &["quit"]);
    check(Engine::quiet(), "q", &["quit"]);
    check(Engine::quiet(), "2 q 3 q 4 q enter", &[]);
    let asked = check(Engine::busy(), "q q", &[]);
    assert!(asked.screen().contains("detach"), "{}", asked.screen());
    check(Engine::busy(), "q n", &[]);
    check(Engine::busy(), "q d", &["quit"]);
    check(Engine::busy(), "q s", &["stop all", "quit"]);
}

#[test]
fn whoever_may_only_look_changes_nothing() {
    let flags = Flags {
        acting: Acting::ReadOnly,
        ..FLAGS
    };
    let mut session = Session::with(flags, (160, 50), Engine::busy());
    session.keys("x y X y d y r : 'run -t web01 -- reboot' enter : 'stop all' enter y");
    session.keys("j enter 'secret' enter y j j enter y");
    assert_eq!(session.deeds(), [""; 0], "{}", session.screen());
    assert!(session.screen().contains("read-only"));
    for keys in [
        "q s",
        "a",
        "e",
        "T",
        "P",
        ": 'answer' enter y",
        ": 'rerun --all 20' enter",
    ] {
        let mut session = Session::with(flags, (160, 50), Engine::busy());
        session.keys(keys);
        assert_eq!(session.deeds(), [""; 0], "{keys}\n{}", session.screen());
        assert!(session.app.bar.is_none(), "{keys} begins nothing");
    }
}

#[test]
fn what_is_run_again_may_ask_only_where_the_console_and_the_line_allow_it() {
    check(Engine::quiet(), ": 'rerun 20' enter", &["rerun 20"]);
    let never = "rerun 20 without asking";
    check(Engine::quiet(), ": 'rerun --batch 20' enter", &[never]);
    let flags = Flags {
        asking: Asking::Never,
        ..FLAGS
    };
    let mut session = Session::with(flags, (160, 50), Engine::quiet());
    session.keys(": 'rerun 20' enter");
    assert_eq!(session.deeds(), [never]);
}

#[test]
fn what_changes_something_is_asked_about_on_one_host() {
    let planned = |ask_above| {
        let spec = JobSpec {
            name: None,
            runner: "ssh".to_string(),
            payload: Payload::Command("true".to_string()),
            targets: "web01".to_string(),
            hosts: vec![Host::named("web01")],
            fanout: NonZeroU32::MIN,
            limits: Limits::default(),
            ok_exit: vec![0],
            on_full: OnFull::Truncate,
            options: Vec::new(),
            asking: Asking::Allowed,
            ask_above,
            shape: None,
            withheld: Vec::new(),
        };
        let planned = Planned {
            spec,
            secrets: Named::new(),
            notes: Vec::new(),
        };
        let mut session = Session::new(Engine::quiet());
        session
            .app
            .planned(deed("query wr".to_string(), "run"), planned);
        session.event(Event::Tick);
        session
    };
    assert_eq!(planned(Above::Configured).deeds(), ["begin true"]);
    let mut session = planned(Above::Any);
    session.keys("enter");
    assert_eq!(session.deeds(), [""; 0], "{}", session.screen());
    session.keys("y");
    assert_eq!(session.deeds(), ["begin true"]);
    // Again, and of two jobs one is enough.
    let engine = || {
        let mut engine = Engine::quiet();
        let job = engine.jobs.get_mut(&30).expect("a job");
        job.ask_above = Above::Any;
        engine
    };
    for line in ["rerun --all 30", "rerun --all 20 30"] {
        let asked = check(engine(), &format!(": '{line}' enter"), &[]);
        assert!(asked.screen().contains("Run again on"), "{line}");
    }
    // Nothing of the one that changes something runs again.
    check(engine(), ": 'rerun 20 30' enter", &["rerun 20 30"]);
}

#[test]
fn the_queue_of_a_job_is_throttled_and_paused_by_keys() {
    let bar = check(Engine::busy(), "T", &[]);
    let screen = bar.screen();
    assert!(screen.contains(":throttle 50 --fanout 64"), "{screen}");
    let deeds = |keys: &str| {
        let mut session = Session::new(Engine::busy());
        session.keys(keys);
        session.deeds().join("\n")
    };
    let throttled = deeds("T backspace backspace '8' enter");
    assert!(throttled.starts_with("Throttle"), "{throttled}");
    assert!(throttled.contains("50") && throttled.contains("fanout: 8"));
    // On a child's row and in its output it is the job.
    for keys in ["P", "j P", "space P", "R P"] {
        let paused = deeds(keys);
        assert!(paused.starts_with("Pause"), "{keys}: {paused}");
        assert!(paused.contains("\"50\""), "{keys}: {paused}");
    }
    let mut engine = Engine::busy();
    engine.jobs.get_mut(&50).expect("a job").paused = true;
    let mut session = Session::new(engine);
    session.keys("P");
    let resumed = session.deeds().join("\n");
    assert!(resumed.contains("motion: Resume"), "{resumed}");
    check(Engine::busy(), "2 P", &[]);
}

#[test]
fn what_is_looked_for_is_looked_for_in_what_is_selected() {
    let found = check(
        Engine::quiet(),
        ": 'grep -i well' enter",
        &["program grep -i well 30"],
    );
    let screen = found.screen();
    assert!(
        screen.contains("this is what grep -i well 30 says"),
        "{screen}"
    );
}

#[test]
fn help_is_hinted_at_wherever_there_are_hints() {
    for (columns, rows) in [(40, 10), (60, 12), (80, 24), (160, 50)] {
        for keys in ["1", "2", "3", "4", "enter"] {
            let mut session = Session::with(FLAGS, (columns, rows), Engine::quiet());
            session.keys(keys);
            let screen = session.screen();
            assert!(screen.contains("? help"), "{keys} at {columns}\n{screen}");
        }
    }
}

#[test]
fn a_held_picture_says_so_and_begins_anew() {
    let mut session = Session::new(Engine::busy());
    session.keys("p");
    assert!(session.screen().contains("STILL since"));
    session
        .engine
        .add(60, "newer", &[crate::core::state::State::Completed]);
    let listed = session.engine.listed();
    session.event(listed);
    assert!(!session.screen().contains("newer"), "nothing moves");
    session.keys("p");
    assert!(session.screen().contains("newer"), "{}", session.screen());
}

#[test]
fn keys_that_go_on_are_explained_to_who_hesitates() {
    let mut session = Session::new(Engine::quiet());
    session.keys("y");
    assert!(
        !session.screen().contains("Copy: host"),
        "{}",
        session.screen()
    );
    session.keys("@1");
    let screen = session.screen();
    assert!(screen.contains(" h        Copy"), "{screen}");
    session.keys("h");
    assert!(
        session
            .actions
            .iter()
            .any(|action| matches!(action, Action::Copy(..)))
    );
}

#[test]
fn a_console_that_has_nothing_to_do_sleeps() {
    let mut session = Session::new(Engine::quiet());
    session.keys("j k 2 1 enter q @60");
    assert_eq!(session.app.wake(), None);
    let mut busy = Session::new(Engine::busy());
    busy.keys("@3.5");
    let wake = busy.app.wake().expect("times go on");
    assert!(wake > busy.now.mono && wake <= busy.now.mono + Duration::from_secs(1));
}

#[test]
fn toasts_go_and_complaints_stay_until_a_key() {
    let mut session = Session::new(Engine::quiet());
    session.keys("u");
    assert!(session.said().contains("nothing to undo"));
    session.keys("@7");
    assert_eq!(session.said(), "");
    session.event(Event::Notice("the disk is full".to_string()));
    session.keys("@60");
    assert_eq!(session.said(), "the disk is full");
    session.keys("j");
    assert_eq!(session.said(), "");
    session.keys("4");
    assert!(
        session.screen().contains("the disk is full"),
        "it is among the events"
    );
}

#[test]
fn output_is_drilled_into_and_left_again() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z R j enter");
    let screen = session.screen();
    assert!(
        screen.contains("30.web01") && screen.contains("all is well"),
        "{screen}"
    );
    session.keys("J");
    assert!(
        session.screen().contains("30.web02"),
        "{}",
        session.screen()
    );
    session.keys("/ 'WELL' enter");
    session.keys("q");
    assert!(session.app.pages.is_empty());
    session.keys("j j ]");
    assert_eq!(session.app.screen, Screen::Jobs);
}

#[test]
fn output_of_several_hosts_is_titled_with_how_their_job_stands() {
    let mut session = Session::new(Engine::busy());
    session.keys(": 'receive --keep 20' enter");
    let screen = session.screen();
    let title = screen.lines().find(|line| line.contains("on 3 hosts"));
    let title = title.unwrap_or_else(|| panic!("no title\n{screen}"));
    assert!(title.contains("Failed: 2 Completed, 1 Failed"), "{screen}");
    // Of several jobs there is no one state.
    session.keys(": 'receive --keep 20 30' enter");
    let screen = session.screen();
    let title = screen.lines().find(|line| line.contains("5 children"));
    let title = title.unwrap_or_else(|| panic!("no title\n{screen}"));
    assert!(!title.contains("Completed"), "{screen}");
}

#[test]
fn several_hosts_in_one_view_are_gone_through_as_several_views_are() {
    let mut session = Session::with(FLAGS, (100, 8), Engine::quiet());
    session.keys(": 'receive --keep 20' enter");
    let mut at = |keys: &str| {
        session.keys(keys);
        let child = session.app.view().and_then(|view| view.current_child());
        (child.expect("a child"), session.said().to_string())
    };
    assert_eq!(at("J").0, 22);
    assert_eq!(at("J").0, 23);
    assert_eq!(at("J"), (23, "that was the last one".to_string()));
    assert_eq!(at("[").0, 22);
    assert_eq!(at("K").0, 21);
    assert_eq!(at("]").0, 22);
    assert_eq!(at("]"), (22, "that was the last one".to_string()));
}

#[test]
fn hints_are_of_keys_that_do_something() {
    let hints = |flags: Flags, engine: Engine, keys: &str| {
        let mut session = Session::with(flags, (160, 50), engine);
        session.keys(keys);
        let screen = session.screen();
        let lines: Vec<&str> = screen.lines().rev().take(2).collect();
        lines.join(" ")
    };
    let looking = Flags {
        acting: Acting::ReadOnly,
        ..FLAGS
    };
    let busy = hints(FLAGS, Engine::busy(), "");
    assert!(busy.contains("x stop") && busy.contains("a add"), "{busy}");
    for (said, wrong) in [
        (hints(looking, Engine::busy(), ""), "x stop"),
        (hints(looking, Engine::busy(), ""), "a add"),
        (hints(looking, Engine::busy(), "2"), "a run on"),
        (hints(FLAGS, Engine::quiet(), ""), "x stop"),
        (hints(FLAGS, Engine::default(), ""), "x stop"),
        (hints(FLAGS, Engine::default(), ""), "enter open"),
        (hints(FLAGS, Engine::quiet(), ": 'history' enter"), "follow"),
        (
            hints(FLAGS, Engine::quiet(), ": 'history' enter"),
            "problem",
        ),
    ] {
        assert!(
            said.contains("? help") && !said.contains(wrong),
            "{wrong}: {said}"
        );
    }
}

#[test]
fn a_pipe_is_begun_with_room_for_its_command() {
    let mut session = Session::new(Engine::quiet());
    session.keys("R | 'wc -l'");
    let typed = session.app.bar.as_ref().map(crate::tui::bar::Bar::text);
    assert_eq!(typed, Some("pipe wc -l"));
}

#[test]
fn a_line_whose_targets_mean_nothing_stays_in_the_bar_and_nowhere_else() {
    let mut session = Session::new(Engine::quiet());
    session.keys("a '127.1.0.[1-3 -- x' enter");
    assert_eq!(session.deeds(), [""; 0]);
    assert!(session.app.bar.is_some(), "{}", session.screen());
    assert!(
        session.screen().contains("never closed"),
        "{}",
        session.screen()
    );
    session.keys("esc a");
    let screen = session.screen();
    assert!(
        !screen.contains("127.1.0"),
        "it is not offered again\n{screen}"
    );
    let remembered = |action: &Action| matches!(action, Action::Remember(_));
    assert!(!session.actions.iter().any(remembered));
    // What may have come to be known since is tried.
    check(Engine::quiet(), ": 'run -t @new -- x' enter", &["plan run"]);
}

/// It is refused, and there it ends: it is offered by no history, and handed to no program whose command line others read.
#[test]
fn a_secret_that_is_typed_as_a_parameter_stays_in_the_bar_and_nowhere_else() {
    let mut session = Session::new(Engine::quiet());
    let query = (session.app.loaded.queries.iter_mut())
        .find(|query| !query.parameters.is_empty())
        .expect("one that takes something");
    query.parameters[0].secrecy = Secrecy::Secret;
    let (name, parameter) = (query.name.clone(), query.parameters[0].name.clone());
    let lines = [
        (
            format!("query {name} --local -p {parameter}=horse"),
            "is a secret",
        ),
        (
            format!("query {name} --local --dry-run -p {parameter}=horse"),
            "is a secret",
        ),
        (
            format!("query {name}s --local -p {parameter}=horse"),
            "there is no query",
        ),
    ];
    for (line, why) in lines {
        session.keys(&format!(": '{line}' enter"));
        assert_eq!(session.deeds(), [""; 0], "{line}");
        let screen = session.screen();
        assert!(screen.contains(why), "{line}\n{screen}");
        session.keys("esc : 'query'");
        let screen = session.screen();
        assert!(!screen.contains("horse"), "{line}\n{screen}");
        session.keys("esc esc");
        let kept = |action: &Action| format!("{action:?}").contains("horse");
        assert!(!session.actions.iter().any(kept), "{line}");
    }
}

#[test]
fn outputs_are_compared_beside_the_loop() {
    let mut session = Session::new(Engine::quiet());
    session.keys("j j j c");
    let compared = |action: &Action| matches!(action, Action::Compare(..));
    assert!(session.actions.iter().any(compared), "{}", session.screen());
    let screen = session.screen();
    assert!(screen.contains("against"), "{screen}");
}

#[test]
fn what_is_being_removed_is_said_as_long_as_it_can_be_taken_back() {
    let mut session = Session::new(Engine::quiet());
    session.keys(": 'remove 20 30' enter");
    assert!(
        session.said().contains("u brings them back"),
        "{}",
        session.said()
    );
    session.keys("@10");
    let screen = session.screen();
    assert!(screen.contains("2 being removed (u undoes)"), "{screen}");
    assert!(
        screen.contains("all are being removed: u brings them back"),
        "{screen}"
    );
    session.keys("!");
    assert!(session.screen().contains("nothing has a problem"));
}

#[test]
fn a_question_follows_what_it_is_about() {
    use crate::core::state::State::{Completed, Running, Stopped};
    use crate::tui::event::Watched;
    use crate::wire::reply::News;

    let mut session = Session::new(Engine::busy());
    let mut told = |keys: &str, states: &[crate::core::state::State]| {
        session.keys(keys);
        let job = crate::tui::tree::tests::job(10, "patch", states);
        let news = News {
            jobs: vec![job],
            ..News::default()
        };
        session.event(Event::Watched(Watched::News(news)));
        (session.screen(), session.said().to_string())
    };
    let (screen, _) = told(": 'stop 10' enter", &[Running, Completed, Completed]);
    assert!(screen.contains("1 of 3 still to end"), "{screen}");
    let (screen, said) = told("", &[Stopped, Completed, Completed]);
    assert!(!screen.contains("still to end"), "{screen}");
    assert_eq!(said, "nothing to stop: job 10 patch has ended");
    session.keys("y");
    assert_eq!(session.deeds(), [""; 0]);
}

#[test]
fn a_daemon_that_is_gone_is_on_the_first_line() {
    let mut session = Session::new(Engine::busy());
    session.event(Event::Watched(crate::tui::event::Watched::Lost(
        "the daemon (pid 7) has gone".to_string(),
    )));
    let screen = session.screen();
    assert!(
        screen
            .lines()
            .next()
            .is_some_and(|line| line.contains("NO DAEMON")),
        "{screen}"
    );
    let listed = session.engine.listed();
    session.event(listed);
    assert!(!session.screen().contains("NO DAEMON"));
}

#[test]
fn what_is_not_known_is_not_said_to_be_nothing() {
    let mut session = Session::new(Engine::default());
    let why = "the daemon speaks protocol 6, this program speaks 7; `kill 8010` ends it, and this is a long sentence";
    session.event(Event::Watched(crate::tui::event::Watched::Lost(
        why.to_string(),
    )));
    let screen = session.screen();
    assert!(screen.contains("is not known: the daemon"), "{screen}");
    assert!(screen.contains("a long sentence"), "{screen}");
    assert!(
        !screen.contains("no jobs yet") && !screen.contains("0 jobs"),
        "{screen}"
    );
}

#[test]
fn the_operator_is_told_elsewhere_and_the_command_runs_whoever_looks() {
    use crate::core::state::State;
    use crate::tui::event::{Focus, Watched};
    use crate::wire::reply::News;

    for focus in [Focus::Here, Focus::Elsewhere] {
        let mut session = Session::new(Engine::busy());
        session.app.loaded.settings.console.notify_command = Some("logger".to_string());
        session.event(Event::Focus(focus));
        let mut ended = session.engine.jobs[&10].clone();
        ended.state = State::Failed;
        let news = News {
            jobs: vec![ended],
            ..News::default()
        };
        session.event(Event::Watched(Watched::News(news)));
        let any = |wanted: fn(&Action) -> bool| session.actions.iter().any(wanted);
        assert!(any(
            |action| matches!(action, Action::Hook(job) if job.id == 10)
        ));
        let told = any(|action| matches!(action, Action::Notify(..)));
        assert_eq!(told, focus == Focus::Elsewhere);
    }
}

#[test]
fn a_list_that_broke_off_is_no_part_of_the_next() {
    use crate::tui::event::Watched;
    use crate::wire::reply::Jobs;

    let mut session = Session::new(Engine::quiet());
    let part = Jobs {
        jobs: vec![crate::tui::tree::tests::job(90, "gone", &[])],
        last: false,
        ..Jobs::default()
    };
    session.event(Event::Watched(Watched::Listed(part)));
    session.event(Event::Watched(Watched::Lost(
        "the daemon has gone".to_string(),
    )));
    let listed = session.engine.listed();
    session.event(listed);
    assert!(session.app.model.job(90).is_none());
    assert!(session.app.model.job(30).is_some());
}

#[test]
fn keys_before_a_question_are_no_beginning_of_its_answer() {
    let mut session = Session::new(Engine::quiet());
    session.keys("y");
    // It opens by itself, as what was asked of the engine before may come to.
    session.app.act(crate::command::console::Act::Help);
    session.event(Event::Tick);
    session.keys("esc h");
    assert!(!session.said().contains("copied"), "{}", session.screen());
}

#[test]
fn the_daemon_is_not_stopped_under_a_console_that_would_start_it_again() {
    let session = check(Engine::quiet(), ": 'daemon stop' enter", &[]);
    assert!(
        session.said().contains("leave with q"),
        "{}",
        session.screen()
    );
}

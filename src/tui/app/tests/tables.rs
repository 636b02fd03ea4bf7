//! Tables of rows: how they are opened, what their keys lead to, and what their titles claim.

use super::*;
use crate::command::line::LineError;
use crate::core::state::State::{Completed, Failed, Running};
use crate::results::Shape;
use crate::tui::event::Watched;
use crate::tui::table::tests::shape;
use crate::wire::reply::News;

/// A query that two hosts have answered, and one could not; the fourth is still at it.
fn asked() -> Engine {
    let mut engine = Engine::quiet();
    let states = [Completed, Completed, Failed, Running, Completed];
    engine.add(60, "filesystems", &states);
    let outputs = [
        "/\t38\t271000000000\n/var\t91\t20000000000\n/srv\t12\t4000000000000\n",
        "/\t40\t271000000000\n/va\u{1b}[2Jr\t95\t20000000000\n",
        "",
        "/\t1\t2\n",
        "/\t40\t271000000000\nnot a row\n",
    ];
    engine.rows(60, shape(), &outputs);
    engine
}

fn session(size: (u16, u16)) -> Session {
    let mut session = Session::with(FLAGS, size, asked());
    session.keys("g g t");
    session
}

#[test]
fn a_table_at_every_size() {
    for (width, height) in [(40, 10), (80, 24), (160, 50), (300, 100)] {
        for (name, keys) in [
            ("table", "j space"),
            ("table_groups", "l l #"),
            ("table_problems", "!"),
        ] {
            let mut session = session((width, height));
            session.keys(keys);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
        }
    }
}

#[test]
fn a_table_never_claims_more_hosts_than_have_answered() {
    let mut session = session((120, 30));
    let screen = session.screen();
    assert!(
        screen.contains("4 of 5 hosts so far, 2 problems (!)"),
        "{screen}"
    );
    assert!(screen.contains(" 6 rows "), "{screen}");
    assert!(!screen.contains('\u{1b}'), "nothing in a row is obeyed");
    assert!(screen.contains("/va^[[2Jr"), "{screen}");
    // The cursor stays on its row when the last host ends.
    session.keys("j j j");
    let row = |session: &Session| {
        let screen = session.screen();
        let row = screen.lines().find(|line| line.starts_with('>'));
        row.map(str::to_string).unwrap_or_default()
    };
    let before = row(&session);
    assert!(before.contains("web02"), "{before}");
    let running = session
        .engine
        .children
        .iter_mut()
        .find(|child| child.id == 64);
    let child = running.expect("a child");
    (child.state, child.ended, child.exit) = (Completed, Some(EPOCH + 2000), Some(0));
    let news = News {
        children: vec![child.clone()],
        ..News::default()
    };
    session.event(Event::Children(60, Watched::News(news)));
    session.pass(Duration::from_millis(200));
    let screen = session.screen();
    assert!(screen.contains(" 5 hosts, 2 problems (!)"), "{screen}");
    assert!(screen.contains(" 7 rows "), "{screen}");
    assert_eq!(row(&session), before);
    let reads = session.actions.iter().filter_map(|action| match action {
        Action::Gather(_, gather) => Some(gather.children.len()),
        _ => None,
    });
    assert_eq!(reads.collect::<Vec<_>>(), [4, 1], "nobody is read twice");
}

#[test]
fn a_table_of_what_has_whatever_columns_it_has_grows_wider() {
    let mut engine = Engine::quiet();
    engine.add(60, "osquery", &[Completed, Running]);
    let outputs = [
        r#"[{"name":"vim","pid":"7"},{"name":"sh","pid":"12"}]"#,
        r#"{"pid":"x","days":3}"#,
    ];
    engine.rows(60, Shape::open("osquery"), &outputs);
    let mut session = Session::with(FLAGS, (120, 30), engine);
    session.keys("g g t");
    let screen = session.screen();
    assert!(screen.contains("HOST   NAME  PID\n"), "{screen}");
    session.keys("j / 'days > 2' enter");
    let screen = session.screen();
    assert!(screen.contains("there is no column days"), "{screen}");
    session.keys("esc");
    let child = session.engine.children.iter_mut();
    let child = child.last().expect("the one that was running");
    (child.state, child.ended, child.exit) = (Completed, Some(EPOCH + 2000), Some(0));
    let news = News {
        children: vec![child.clone()],
        ..News::default()
    };
    session.event(Event::Children(60, Watched::News(news)));
    session.pass(Duration::from_millis(200));
    let screen = session.screen();
    for words in ["HOST   NAME  PID  DAYS\n", "> web01  sh    12", " 3 rows "] {
        assert!(screen.contains(words), "{screen}");
    }
    session.keys("/ 'days > 2' enter");
    let screen = session.screen();
    assert!(screen.contains("1 of 3 rows  where days > 2"), "{screen}");
}

#[test]
fn what_is_wrong_with_a_filter_is_shown_at_its_place_and_the_former_one_stays() {
    let mut session = session((120, 30));
    session.keys("/ 'used_pct > 90' enter");
    let screen = session.screen();
    assert!(
        screen.contains("2 of 6 rows  where used_pct > 90"),
        "{screen}"
    );
    session.keys("/ ' und' enter");
    let screen = session.screen();
    assert!(
        screen.contains("2 of 6 rows  where used_pct > 90"),
        "{screen}"
    );
    let bar = session.app.bar.as_ref().expect("it is still open");
    assert_eq!(bar.text(), "used_pct > 90 und");
    let wrong = session.app.table_filter_entered("used_pct > 90 und");
    let LineError { range, message, .. } = wrong.expect_err("a mistake");
    assert_eq!(range.start, 14);
    assert!(screen.contains(&message), "{screen}");
    session.keys("esc");
    assert!(session.screen().contains("where used_pct > 90"));
    session.keys("esc");
    assert!(
        session.screen().contains(" 6 rows "),
        "{}",
        session.screen()
    );
    session.keys("esc");
    assert!(session.app.pages.is_empty());
}

#[test]
fn what_is_no_whole_filter_leaves_the_former_one() {
    let mut session = session((120, 30));
    for (keys, there) in [
        ("/ 'used_pct'", "6 rows  where used_pct"),
        ("' ><'", " 6 rows "),
        ("' 3'", " 6 rows "),
    ] {
        session.keys(keys);
        assert!(session.screen().contains(there), "{}", session.screen());
    }
    assert!(!session.screen().contains("where used_pct"));
    session.keys("esc / 'web02' enter");
    let screen = session.screen();
    assert!(screen.contains("host = web02"), "{screen}");
    session.keys("ctrl-u 'host = web02' enter");
    assert!(session.screen().contains("where host = web02"));
    // One that was in force stays, too.
    session.keys("/ ctrl-u 'used_pct > 90'");
    assert!(session.screen().contains("where used_pct > 90"));
    session.keys("' und'");
    assert!(session.screen().contains("where host = web02"));
}

#[test]
fn a_row_leads_to_its_hosts_output_and_back() {
    let mut session = session((120, 30));
    session.keys("s s enter");
    let screen = session.screen();
    assert!(screen.contains("60.web05"), "{screen}");
    assert!(screen.contains("not a row"), "{screen}");
    session.keys("esc");
    assert!(session.screen().contains("table"), "{}", session.screen());
    session.keys("! j enter");
    assert!(
        session.screen().contains("60.web05"),
        "{}",
        session.screen()
    );
}

#[test]
fn hosts_of_rows_and_groups_are_asked_only_by_the_bar() {
    let bar = |keys: &str| {
        let mut session = session((120, 30));
        session.keys(keys);
        assert_eq!(session.deeds(), [""; 0], "{keys}");
        let bar = session.app.bar.as_ref();
        bar.map(|bar| bar.text().to_string()).unwrap_or_default()
    };
    assert_eq!(bar("a"), "run -t web01 -- ");
    assert_eq!(bar("space G space a"), "run -t web[01,05] -- ");
    assert_eq!(bar("/ 'used_pct > 90' enter * a"), "run -t web[01-02] -- ");
    assert_eq!(bar("l l # a"), "run -t web[02,05] -- ");
    assert_eq!(bar("! a"), "run -t web03 -- ");
    // Equal results of a job, and marked rows of the tree.
    assert_eq!(bar("esc z M j j l = j a"), "run -t web01,web03 -- ");
    assert_eq!(
        bar("esc z M j j l j space space a"),
        "run -t web[01-02] -- "
    );
}

#[test]
fn what_may_only_be_ascii_is() {
    let flags = Flags {
        glyphs: Glyphs::ASCII,
        ..FLAGS
    };
    for keys in ["j space", "l l l #", "!", "s / 'used_pct > 99' enter"] {
        let mut session = Session::with(flags, (40, 12), asked());
        session.keys("g g t");
        session.keys(keys);
        let screen = session.screen();
        assert!(screen.is_ascii(), "{keys}\n{screen}");
    }
}

#[test]
fn who_may_only_look_asks_nobody() {
    let flags = Flags {
        acting: Acting::ReadOnly,
        ..FLAGS
    };
    let mut session = Session::with(flags, (120, 30), asked());
    session.keys("g g t a");
    assert!(session.app.bar.is_none());
    assert!(session.said().contains("read-only"), "{}", session.said());
}

#[test]
fn columns_are_chosen_beside_the_host() {
    let mut session = session((120, 30));
    session.keys("C space j enter");
    let screen = session.screen();
    assert!(!screen.contains("MOUNT"), "{screen}");
    assert!(screen.contains("HOST"), "{screen}");
    assert!(screen.contains("USED_PCT (%)"), "{screen}");
}

#[test]
fn jobs_of_one_query_are_one_table_and_others_are_not() {
    let mut engine = asked();
    engine.add(70, "filesystems", &[Completed]);
    engine.rows(70, shape(), &["/\t77\t271000000000\n"]);
    let mut session = Session::with(FLAGS, (120, 30), engine);
    session.keys(": 'table 60 70' enter");
    let screen = session.screen();
    assert!(screen.contains("2 jobs of filesystems"), "{screen}");
    assert!(screen.contains("HOST   JOB  MOUNT"), "{screen}");
    // A host may be asked by both.
    assert!(
        screen.contains("4 of 6 children so far, 2 problems (!)"),
        "{screen}"
    );
    session.keys("!");
    let screen = session.screen();
    for words in ["2 children whose output", "> 60.web03  ", "  60.web05  "] {
        assert!(screen.contains(words), "{screen}");
    }
    session.keys("esc");
    session.keys("esc : 'table 60 30' enter");
    assert!(session.app.pages.is_empty());
    assert!(
        session.said().contains("their rows have other columns"),
        "{}",
        session.said()
    );
    // A job that is no query is shown by the line.
    session.keys(": 'table 30' enter");
    let screen = session.screen();
    assert!(screen.contains("HOST   LINE"), "{screen}");
    assert!(screen.contains("web01  all is well"), "{screen}");
}

#[test]
fn hosts_of_earlier_jobs_are_shown_before_anything_runs() {
    let mut session = Session::with(FLAGS, (120, 30), asked());
    session.keys(": 'run -t %20.failed -- x'");
    assert!(
        session.screen().contains("looked up"),
        "{}",
        session.screen()
    );
    session.pass(Duration::from_millis(200));
    let screen = session.screen();
    assert!(screen.contains("1 host: web02"), "{screen}");
    let lookups = |session: &Session| {
        let asked = session.actions.iter();
        asked
            .filter(|action| matches!(action, Action::Expand(..)))
            .count()
    };
    assert_eq!(lookups(&session), 1, "not one for each key");
    session.keys("esc : 'run -t %99 -- x' @1");
    assert!(
        session.screen().contains("99: no such job"),
        "{}",
        session.screen()
    );
    assert_eq!(session.deeds(), [""; 0]);
}

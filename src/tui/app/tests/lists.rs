//! How lists are narrowed, sorted and folded, and what is remembered of that.

use super::*;

#[test]
fn problems_are_found_in_jobs_that_are_closed() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z M ]");
    let cursor = session.app.tree.cursor();
    assert_eq!(
        cursor.map(crate::tui::tree::RowId::job),
        Some(20),
        "{}",
        session.screen()
    );
    assert!(
        session.screen().contains("no space left"),
        "{}",
        session.screen()
    );
}

#[test]
fn equal_results_are_one_row() {
    let mut session = Session::new(Engine::quiet());
    session.keys("j =");
    let screen = session.screen();
    assert!(screen.contains("  2: web01"), "{screen}");
    assert!(screen.contains("web01,web03"), "{screen}");
    session.resize(300, 50);
    let screen = session.screen();
    assert!(screen.contains("2 hosts: web01,web03"), "{screen}");
}

#[test]
fn a_filter_shows_what_it_comes_to_and_can_be_taken_back() {
    let mut session = Session::new(Engine::quiet());
    session.keys("/ 'disks'");
    assert!(
        !session.screen().contains("run uptime"),
        "{}",
        session.screen()
    );
    session.keys("esc");
    assert!(
        session.screen().contains("run uptime"),
        "{}",
        session.screen()
    );
    session.keys("/ 'disks' enter");
    assert!(session.screen().contains("filter disks"));
    session.keys("esc");
    assert!(session.screen().contains("run uptime"));
}

#[test]
fn lists_begin_as_they_were_left() {
    let left = |session: &Session| {
        let mut lists = session
            .actions
            .iter()
            .rev()
            .filter_map(|action| match action {
                Action::RememberLists(lists) => Some(*lists.clone()),
                _ => None,
            });
        lists.next()
    };
    let mut session = Session::new(Engine::busy());
    session.keys("j z M 2 j 1");
    assert_eq!(left(&session), None, "nothing is to be remembered yet");
    // Sorted by time, without the column of ids, only problems; on both screens.
    session.keys(": 'sort time' enter ! C space enter 2 s !");
    let lists = left(&session).expect("something is to be remembered");
    let (jobs, hosts) = {
        session.keys("1");
        let jobs = session.screen();
        session.keys("2");
        (jobs, session.screen())
    };
    let mut next = Session::as_left(FLAGS, (160, 50), Engine::busy(), lists.clone());
    assert_eq!(left(&next), None, "it is remembered already");
    let title = |screen: &str| screen.lines().nth(2).map(str::to_string);
    let columns = |screen: &str| screen.lines().nth(3).map(str::to_string);
    let screen = next.screen();
    assert!(screen.contains("only problems: 3 of 5 jobs"), "{screen}");
    assert!(!screen.contains("  ID "), "{screen}");
    assert_eq!(columns(&screen), columns(&jobs));
    next.keys("2");
    assert_eq!(title(&next.screen()), title(&hosts));
    assert!(hosts.contains("only problems"), "{hosts}");
    // What the settings say later is newer.
    let mut other = lists;
    if let Some(chosen) = &mut other.columns {
        chosen.instead_of.pop();
    }
    let newer = Session::as_left(FLAGS, (160, 50), Engine::busy(), other);
    assert!(newer.screen().contains("  ID "), "{}", newer.screen());
}

#[test]
fn what_is_set_holds_for_what_is_open_and_what_will_be() {
    let mut session = Session::new(Engine::quiet());
    session.keys("z R j enter");
    assert!(session.screen().contains("nowrap"), "{}", session.screen());
    session.keys(": 'set wrap on' enter : 'set times clock' enter");
    let screen = session.screen();
    assert!(screen.contains("· wrap"), "{screen}");
    assert!(screen.contains("time: clock"), "{screen}");
    session.keys("q j enter");
    let next = session.screen();
    assert!(
        next.contains("· wrap") && next.contains("time: clock"),
        "{next}"
    );
    session.keys(": 'set mouse on' enter");
    assert!(session.said().contains("the mouse is the console's"));
    session.keys(": 'set ascii on' enter @7");
    assert!(session.screen().is_ascii(), "{}", session.screen());
    session.keys(": 'set notify_after 1h' enter : 'set notify off' enter");
    let console = &session.app.loaded.settings.console;
    assert_eq!(console.notify_after, Duration::from_secs(3600));
    assert_eq!(console.notify, crate::command::set::Notify::Off);
    session.keys(": 'set' enter");
    assert!(
        session.screen().contains("one of theme, mouse, ascii"),
        "{}",
        session.screen()
    );
}

#[test]
fn the_screen_that_shrinks_and_grows_is_as_before() {
    let mut session = Session::new(Engine::busy());
    session.keys("j j j");
    let before = (session.app.tree.cursor(), session.screen());
    session.resize(20, 3);
    assert!(session.screen().contains("run"), "{}", session.screen());
    session.resize(0, 0);
    session.resize(160, 50);
    assert_eq!((session.app.tree.cursor(), session.screen()), before);
}

#[test]
fn the_cursor_goes_into_the_group_of_its_child_and_comes_back() {
    use crate::tui::tree::RowId;
    let mut engine = Engine::quiet();
    let killed = engine.children.iter_mut().find(|child| child.id == 22);
    let killed = killed.expect("a child");
    (killed.exit, killed.signal) = (None, Some("KILL".to_string()));
    let mut session = Session::new(engine);
    session.keys("j l j j j");
    let third = Some(RowId::Child { job: 20, child: 23 });
    assert_eq!(session.app.tree.cursor(), third, "{}", session.screen());
    session.keys("=");
    let group = Some(RowId::Group { job: 20, first: 21 });
    assert_eq!(session.app.tree.cursor(), group, "{}", session.screen());
    let screen = session.screen();
    assert!(
        screen.contains("equal results of job 20 together"),
        "{screen}"
    );
    let row = screen.lines().find(|line| line.contains("1: web02"));
    assert!(row.is_some_and(|row| row.contains(" KILL ")), "{screen}");
    assert!(screen.contains("> ▸"), "{screen}");
    session.keys("=");
    assert_eq!(session.app.tree.cursor(), third);
    // In another group it is the first of that.
    session.keys("= j =");
    let second = Some(RowId::Child { job: 20, child: 22 });
    assert_eq!(session.app.tree.cursor(), second);
    assert!(session.screen().contains("▾"), "{}", session.screen());
}

#[test]
fn what_is_ignored_is_set_and_said() {
    let mut session = Session::new(Engine::quiet());
    session.keys("j l =");
    assert!(
        !session.screen().contains("but for"),
        "{}",
        session.screen()
    );
    session.keys(": 'set ignore times,numbers' enter");
    // Folds are asked for once a second.
    session.pass(Duration::from_secs(2));
    let screen = session.screen();
    assert!(
        screen.contains("equal results of job 20 together, ignoring numbers, times"),
        "{screen}"
    );
    assert!(screen.contains("but for numbers, times"), "{screen}");
    session.keys(": 'set ignore nothing' enter @2");
    let screen = session.screen();
    assert!(!screen.contains("ignoring"), "{screen}");
    assert!(!screen.contains("but for"), "{screen}");
    session.keys(": 'set ignore case' enter");
    assert!(
        session
            .screen()
            .contains("one of space, numbers, times, host, nothing"),
        "{}",
        session.screen()
    );
}

#[test]
fn what_is_final_is_done_however_it_ended() {
    let session = Session::new(Engine::busy());
    let row = |name: &str| {
        let screen = session.screen();
        let row = screen.lines().find(|line| line.contains(name));
        row.map(str::to_string).unwrap_or_default()
    };
    assert!(row("disks").contains(" 3/3 "), "{}", session.screen());
    assert!(row("patch").contains(" 1/3 "), "{}", session.screen());
}

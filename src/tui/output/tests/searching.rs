//! Searching, going from match to match, showing only what matches.

use ratatui::layout::Size;
use ratatui::style::Modifier;

use super::*;
use crate::command::console::Way;
use crate::core::output::Stream;
use crate::tui::output::Want;

const NEXT: Act = Act::Match { way: Way::Next };
const PREVIOUS: Act = Act::Match { way: Way::Previous };

fn matching(text: &str) -> Act {
    Act::Matching {
        text: text.split_whitespace().map(str::to_string).collect(),
    }
}

fn search(view: &mut OutputView, store: &mut Store, typed: &str) {
    assert_eq!(press(view, store, &[Act::Find]), [OutputAction::AskSearch]);
    view.search(typed);
    store.serve(view);
    view.search_done();
}

#[test]
fn a_search_goes_to_the_first_match_and_on() {
    let mut store = Store::of(&numbered(0..1000));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Top]);
    search(&mut view, &mut store, "line 50");
    assert_eq!(screen(&view, SMALL)[1], "│ line 50");
    assert!(
        view.title().right.starts_with("/line 50 1/11 · "),
        "{:?}",
        view.title()
    );
    assert_eq!(press(&mut view, &mut store, &[NEXT]), []);
    assert_eq!(screen(&view, SMALL)[1], "│ line 500");
    press(&mut view, &mut store, &[NEXT]);
    // On the screen already: nothing moves.
    assert_eq!(screen(&view, SMALL)[1], "│ line 500");
    assert!(view.title().right.starts_with("/line 50 3/11"));
    press(&mut view, &mut store, &[PREVIOUS, PREVIOUS]);
    assert!(screen(&view, SMALL).contains(&"│ line 50".to_string()));
    let said = press(&mut view, &mut store, &[PREVIOUS]);
    assert_eq!(
        said,
        [OutputAction::Say("search goes on from the end".to_string())]
    );
    assert!(view.title().right.starts_with("/line 50 11/11"));
    let said = press(&mut view, &mut store, &[NEXT]);
    assert_eq!(
        said,
        [OutputAction::Say("search goes on from the top".to_string())]
    );
}

#[test]
fn every_letter_searches_anew_from_where_it_began() {
    let mut store = Store::of("abc\nabd\nabe\nacd\n");
    let size = Size::new(40, 2);
    let mut view = one(&mut store, size);
    press(&mut view, &mut store, &[Act::Top, Act::Find]);
    for (typed, top) in [
        ("a", "│ abc"),
        ("ac", "│ abe"),
        ("acx", "│ abc"),
        ("ac", "│ abe"),
    ] {
        view.search(typed);
        store.serve(&mut view);
        assert_eq!(screen(&view, size)[0], top, "{typed}");
    }
    view.search_undone();
    assert_eq!(screen(&view, size)[0], "│ abc");
    assert_eq!(view.searched(), None);
    let said = press(&mut view, &mut store, &[NEXT]);
    assert!(matches!(&said[..], [OutputAction::Say(_)]));
}

#[test]
fn what_comes_later_is_searched_too_and_moves_nothing() {
    let mut store = Store::of(&numbered(0..100));
    let mut view = one(&mut store, SMALL);
    search(&mut view, &mut store, "needle");
    assert!(view.is_following());
    store.write(1, Stream::Out, "a nee");
    store.tell(&mut view);
    store.serve(&mut view);
    store.write(1, Stream::Out, "dle\nNeedle\n");
    store.tell(&mut view);
    store.serve(&mut view);
    assert!(view.is_following());
    assert!(
        view.title().right.starts_with("/needle 2 found"),
        "{:?}",
        view.title()
    );
    press(&mut view, &mut store, &[NEXT]);
    assert!(view.title().right.starts_with("/needle 1/2"));
}

#[test]
fn matches_are_marked_where_they_are() {
    let mut store = Store::of("\t\x1b[31mneed\x1b[1mle\x1b[0m and needle\n");
    let mut view = one(&mut store, Size::new(40, 1));
    search(&mut view, &mut store, "needle");
    let buffer = buffer(&view, Size::new(40, 1));
    let marked: String = (0..40)
        .map(|x| {
            let style = buffer[(x, 0)].style();
            if style.add_modifier.contains(Modifier::UNDERLINED) {
                '^'
            } else {
                ' '
            }
        })
        .collect();
    assert_eq!(marked.trim_end(), "          ^^^^^^     ^^^^^^");
    assert_eq!(
        screen(&view, Size::new(40, 1)),
        ["│         needle and needle"]
    );
}

#[test]
fn a_match_far_to_the_right_is_brought_into_sight() {
    let row = format!("{}needle{}\n", "x".repeat(500), "y".repeat(500));
    let mut store = Store::of(&format!("{}{row}{}", numbered(0..50), numbered(0..50)));
    for wrap in [false, true] {
        let mut view = one(&mut store, SMALL);
        if wrap {
            press(&mut view, &mut store, &[Act::Wrap]);
        }
        press(&mut view, &mut store, &[Act::Top]);
        search(&mut view, &mut store, "needle");
        let screen = screen(&view, SMALL);
        assert!(
            screen.iter().any(|line| line.contains("needle")),
            "{screen:?}"
        );
    }
}

#[test]
fn only_rows_that_match_are_shown_and_what_is_hidden_is_said() {
    let mut store = Store::of(&numbered(0..10_000));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Top, matching("line 99")]);
    assert_eq!(
        screen(&view, SMALL),
        [
            "│ line 99",
            "│ line 990",
            "│ line 991",
            "│ line 992",
            "│ line 993"
        ]
    );
    let title = view.title().right;
    assert!(
        title.starts_with("&line 99 111 found · 9,889 lines hidden"),
        "{title}"
    );
    press(&mut view, &mut store, &[Act::Bottom]);
    assert_eq!(screen(&view, SMALL)[4], "│ line 9999");
    store.write(1, Stream::Out, "line 99 again\nnot this\n");
    store.tell(&mut view);
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL)[4], "│ line 99 again");
    // All again: the row that was at the top stays there.
    let top = screen(&view, SMALL)[0].clone();
    press(&mut view, &mut store, &[matching("")]);
    assert_eq!(screen(&view, SMALL)[0], top);
    assert_eq!(screen(&view, SMALL)[1], "│ line 9997");
    press(&mut view, &mut store, &[matching(""), Act::Back]);
    assert!(view.matching().is_none());
}

#[test]
fn without_a_pattern_the_operator_is_asked_for_one() {
    let mut store = Store::of("a\n");
    let mut view = one(&mut store, SMALL);
    assert_eq!(
        press(&mut view, &mut store, &[matching("")]),
        [OutputAction::AskMatching]
    );
}

#[test]
fn rows_that_are_gone_are_no_matches_any_more() {
    let mut store = Store::of(&numbered(0..20_000));
    let mut view = one(&mut store, SMALL);
    view.act(NOW, &Act::Top);
    view.act(NOW, &matching("line 1$"));
    let Some(Want::Search(search)) = view.wants() else {
        panic!("the view wants to search");
    };
    view.found(store.search(&search));
    let Some(Want::Rows(asked)) = view.wants() else {
        panic!("the view wants rows");
    };
    let mut rows = store.rows(&asked);
    assert_eq!(rows.len(), 1);
    rows.clear();
    view.rows(rows);
    assert_eq!(view.wants(), None);
    assert!(
        view.title().right.starts_with("&line 1$ 0 found"),
        "{:?}",
        view.title()
    );
}

#[test]
fn a_search_goes_over_all_children() {
    let mut store = Store::default();
    for child in 1..=30 {
        store.write(child, Stream::Out, &numbered(0..20));
        store.write(child, Stream::Err, &format!("E: lock of {child}\n"));
    }
    let children = (1..=30)
        .map(|child| store.child(child, Some("exit 1")))
        .collect();
    let mut view = open(Document::Children(children), &mut store, SMALL);
    search(&mut view, &mut store, "e: lock");
    for child in 1..=30 {
        let want = format!("! E: lock of {child}");
        let screen = screen(&view, SMALL);
        assert!(
            screen.iter().any(|line| line.ends_with(&want)),
            "{want}: {screen:?}"
        );
        press(&mut view, &mut store, &[NEXT]);
    }
    press(&mut view, &mut store, &[matching("of 2")]);
    let title = view.title().right;
    assert!(title.starts_with("&of 2 11 found"), "{title}");
    press(&mut view, &mut store, &[Act::Top]);
    assert!(screen(&view, SMALL)[1].ends_with("! E: lock of 2"));
    // One that did not match and grows.
    store.write(1, Stream::Out, "of 2\n");
    store.tell(&mut view);
    store.serve(&mut view);
    assert!(
        view.title().right.starts_with("&of 2 12 found"),
        "{:?}",
        view.title()
    );
}

#[test]
fn a_hundred_thousand_matches_are_walked_through() {
    let mut store = Store::of(&"hit\nmiss\n".repeat(100_000));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Top]);
    search(&mut view, &mut store, "hit");
    assert!(
        view.title().right.starts_with("/hit 1/100,000 "),
        "{:?}",
        view.title()
    );
    press(&mut view, &mut store, &[PREVIOUS]);
    assert!(view.title().right.starts_with("/hit 100,000/100,000 "));
    press(
        &mut view,
        &mut store,
        &[matching(""), Act::Top, Act::Bottom],
    );
    assert_eq!(screen(&view, SMALL), ["│ hit"; 5]);
}

#[test]
fn a_text_is_searched_here() {
    let mut store = Store::default();
    let text = numbered(0..100);
    let mut view = open(Document::text("a text", text.as_bytes()), &mut store, SMALL);
    search(&mut view, &mut store, "line 7");
    assert_eq!(screen(&view, SMALL)[1], "  line 7");
    assert!(view.title().right.starts_with("/line 7 1/11"));
    assert_eq!(view.title().left, "a text");
    press(&mut view, &mut store, &[matching("line 9")]);
    assert_eq!(screen(&view, SMALL)[1], "  line 90");
    assert_eq!(store.answered, 0);
}

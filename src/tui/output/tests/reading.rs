//! Scrolling, following, several children, choosing and copying.

use ratatui::layout::Size;

use super::*;
use crate::command::console::Copied;
use crate::core::output::{Count, Stream};
use crate::tui::output::action::{CLIPBOARD_MOST, CopyTo, Whole};
use crate::tui::output::{Kind, Want};
use crate::wire::look::{Look, Place};

const COPY: Act = Act::Copy { what: Copied::Line };

#[test]
fn a_child_is_opened_at_its_end_and_followed() {
    let mut store = Store::of(&numbered(0..100));
    let mut view = one(&mut store, SMALL);
    let shown = [
        "│ line 95",
        "│ line 96",
        "│ line 97",
        "│ line 98",
        "│ line 99",
    ];
    assert_eq!(screen(&view, SMALL), shown);
    assert!(view.title().right.contains("follow"), "{:?}", view.title());
    store.write(1, Stream::Out, "one more\n");
    store.tell(&mut view);
    // Until it is here, what was there stays.
    assert_eq!(screen(&view, SMALL), shown);
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL)[4], "│ one more");
}

#[test]
fn any_step_up_ends_following_and_the_end_begins_it() {
    let mut store = Store::of(&numbered(0..100));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Up]);
    assert!(view.title().right.contains("still"));
    let before = screen(&view, SMALL);
    assert_eq!(before[4], "│ line 98");
    store.write(1, Stream::Out, &numbered(100..200));
    store.tell(&mut view);
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL), before);
    // Going down to the end is not following.
    press(&mut view, &mut store, &vec![Act::PageDown; 30]);
    assert_eq!(screen(&view, SMALL)[4], "│ line 199");
    assert!(!view.is_following());
    press(&mut view, &mut store, &[Act::Bottom]);
    assert!(view.is_following());
    press(&mut view, &mut store, &[Act::Follow]);
    assert!(!view.is_following());
}

#[test]
fn going_up_before_the_first_rows_are_here_is_kept() {
    let (text, ended) = (numbered(0..100), Some("exit 0"));
    let cases: [(&[Act], Option<&str>, &str); 8] = [
        (&[Act::Up], None, "│ line 98"),
        (&[Act::Up], ended, "│ line 99"),
        (&[Act::PageUp, Act::PageUp], None, "│ line 89"),
        (&[Act::Up, Act::Up, Act::Down], None, "│ line 98"),
        (&[Act::Top], None, "│ line 4"),
        (&[Act::Top], ended, "│ line 4"),
        (&[Act::Follow], None, "│ line 99"),
        (&[Act::Top, Act::Bottom, Act::Up], None, "│ line 98"),
    ];
    for (acts, ended, last) in cases {
        let mut store = Store::of(&text);
        let child = store.child(1, ended);
        let mut view = OutputView::new(Document::Child(child), TimeZone::UTC);
        view.set_size(SMALL);
        for act in acts {
            view.act(NOW, act);
        }
        assert!(!view.is_following(), "{acts:?}");
        store.serve(&mut view);
        assert_eq!(screen(&view, SMALL)[4], last, "{acts:?}");
        store.write(1, Stream::Out, "one more\n");
        store.tell(&mut view);
        store.serve(&mut view);
        assert_eq!(screen(&view, SMALL)[4], last, "{acts:?}");
    }
}

#[test]
fn going_to_the_top_of_what_says_nothing_yet_is_kept() {
    let mut store = Store::of("");
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Top]);
    assert_eq!(screen(&view, SMALL), [""; 5]);
    store.write(1, Stream::Out, &numbered(0..100));
    store.tell(&mut view);
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL)[0], "│ line 0");
}

#[test]
fn a_gigabyte_is_opened_at_its_end_with_one_request() {
    let mut store = Store::of("first\n");
    store.cut(
        1,
        Count {
            bytes: 1 << 30,
            lines: 12_304,
        },
    );
    store.write(1, Stream::Out, &numbered(0..100_000));
    let mut view = OutputView::new(Document::Child(store.child(1, None)), TimeZone::UTC);
    view.set_size(SMALL);
    let Some(Want::Look(look)) = view.wants() else {
        panic!("the view wants to look");
    };
    assert_eq!((look.at, look.behind), (Place::End, 0));
    // One of a kind at a time.
    assert_eq!(view.wants(), None);
    view.seen(store.look(look));
    assert_eq!(screen(&view, SMALL)[4], "│ line 99999");
    store.serve(&mut view);
    assert!(store.answered < 5, "{} requests", store.answered);
    press(&mut view, &mut store, &[Act::Top]);
    assert_eq!(
        screen(&view, SMALL)[..3],
        [
            "│ first",
            "  ── 12,304 lines (1.1 GB) were cut here",
            "│ line 0"
        ]
    );
    assert!(view.title().left.contains("1.1 GB of that cut"));
}

#[test]
fn memory_does_not_grow_with_the_output() {
    let mut store = Store::of(&numbered(0..300_000));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Top]);
    for _ in 0..60 {
        for _ in 0..50 {
            view.act(NOW, &Act::PageDown);
        }
        store.serve(&mut view);
        let cost: usize = view.parts.iter().map(|part| part.stretch.cost()).sum();
        assert!(cost < 3 << 20, "{cost} bytes");
    }
}

#[test]
fn what_is_not_here_is_shown_as_that() {
    let mut store = Store::of(&numbered(0..100_000));
    let mut view = one(&mut store, SMALL);
    view.act(NOW, &Act::Top);
    assert_eq!(screen(&view, SMALL), ["  …"; 5]);
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL)[0], "│ line 0");
}

#[test]
fn who_does_not_answer_is_asked_again_when_the_engine_is_back() {
    let mut store = Store::of(&numbered(0..10));
    let mut view = OutputView::new(Document::Child(store.child(1, None)), TimeZone::UTC);
    view.set_size(SMALL);
    assert!(view.wants().is_some());
    view.refused(Kind::Look);
    assert_eq!(view.wants(), None);
    let left = view.title().left;
    assert!(left.contains("could not be read"), "{left}");
    view.ask_again();
    store.serve(&mut view);
    assert_eq!(screen(&view, SMALL)[4], "│ line 9");
    assert!(!view.title().left.contains("could not"));
}

#[test]
fn an_answer_that_brings_nothing_is_not_asked_for_again() {
    let store = Store::of(&numbered(0..100));
    let mut view = OutputView::new(Document::Child(store.child(1, None)), TimeZone::UTC);
    view.set_size(SMALL);
    let Some(Want::Look(Look { child, .. })) = view.wants() else {
        panic!("the view wants to look");
    };
    view.seen(crate::wire::look::Seen {
        child,
        rows: vec![],
        to: store.end(1),
        end: store.end(1),
        dropped: Count::default(),
    });
    assert_eq!(view.wants(), None);
}

#[test]
fn both_streams_cuts_and_the_end_are_told_apart() {
    let mut store = Store::of("+ apt-get upgrade\nno newline");
    store.write(1, Stream::Err, "E: locked\n");
    store.write(1, Stream::Out, " goes on\n");
    let size = Size::new(60, 6);
    let child = store.child(1, Some("exit 100"));
    let view = open(Document::Child(child), &mut store, size);
    assert_eq!(
        screen(&view, size),
        [
            "    1 │ + apt-get upgrade",
            "    2 │ no newline",
            "      ! E: locked",
            "    3 │… goes on",
            "        ── end: exit 100, 22:14:20 ──",
            ""
        ]
    );
}

#[test]
fn times_are_shown_by_the_clock_and_since_the_start() {
    let mut store = Store::of(&numbered(0..100));
    let size = Size::new(60, 3);
    let mut view = one(&mut store, size);
    press(&mut view, &mut store, &[Act::Times]);
    assert_eq!(screen(&view, size)[2], "  100 22:14:59 │ line 99");
    press(&mut view, &mut store, &[Act::Times]);
    assert_eq!(screen(&view, size)[2], "  100   +1m39s │ line 99");
    press(&mut view, &mut store, &[Act::Times]);
    assert_eq!(screen(&view, size)[2], "  100 │ line 99");
}

#[test]
fn lines_wrap_or_scroll_to_the_side() {
    let long = "0123456789".repeat(10);
    let mut store = Store::of(&format!("{long}\nshort\n{long}\n"));
    let size = Size::new(42, 6);
    let mut view = one(&mut store, size);
    assert_eq!(screen(&view, size)[0], format!("│ {}›", &long[..39]));
    press(&mut view, &mut store, &[Act::Right]);
    assert_eq!(
        screen(&view, size)[..2],
        [format!("│ {}›", &long[8..47]), "│".to_string()]
    );
    assert!(view.title().right.contains("from column 9"));
    press(&mut view, &mut store, &[Act::LineEnd]);
    assert_eq!(screen(&view, size)[0], format!("│ {}", &long[60..]));
    // New output does not put it back.
    store.write(1, Stream::Out, "more\n");
    store.tell(&mut view);
    store.serve(&mut view);
    assert_eq!(screen(&view, size)[0], format!("│ {}", &long[60..]));
    press(
        &mut view,
        &mut store,
        &[Act::LineStart, Act::Wrap, Act::Top],
    );
    let wrapped = [
        format!("│ {}", &long[..40]),
        format!("  {}", &long[40..80]),
        format!("  {}", &long[80..]),
        "│ short".to_string(),
    ];
    assert_eq!(screen(&view, size)[..4], wrapped);
    press(&mut view, &mut store, &[Act::Top, Act::Down]);
    assert_eq!(screen(&view, size)[..3], wrapped[1..]);
    press(&mut view, &mut store, &[Act::Wrap]);
    assert_eq!(screen(&view, size)[1], "│ short");
}

#[test]
fn children_come_one_after_another_in_host_order() {
    let mut store = Store::default();
    for child in 1..=3 {
        store.write(child, Stream::Out, &format!("a of {child}\nb of {child}\n"));
    }
    let children = vec![
        store.child(1, Some("exit 0")),
        store.child(2, None),
        store.child(3, None),
        store.child(4, Some("unreachable: no route to host")),
    ];
    let size = Size::new(50, 14);
    let mut view = open(Document::Children(children), &mut store, size);
    let line = |host: &str| format!("── {host} ──{}", "─".repeat(50 - 11));
    assert_eq!(
        screen(&view, size),
        [
            &line("web01"),
            "    1 web01 │ a of 1",
            "    2 web01 │ b of 1",
            "              ── end: exit 0, 22:14:20 ──",
            &line("web02"),
            "    1 web02 │ a of 2",
            "    2 web02 │ b of 2",
            &line("web03"),
            "    1 web03 │ a of 3",
            "    2 web03 │ b of 3",
            &line("web04"),
            "── end: unreachable: no route to host, 22:14:20 ──",
            "",
            ""
        ]
    );
    press(&mut view, &mut store, &[Act::Prefix]);
    assert_eq!(screen(&view, size)[1], "    1 │ a of 1");
    assert_eq!(view.current_child(), Some(1));
    // What comes in between waits for a key, so that nothing below is moved.
    let before = screen(&view, size);
    store.write(2, Stream::Out, "c of 2\n");
    store.tell(&mut view);
    view.ended(2, store.child(2, Some("exit 1")).ending);
    store.serve(&mut view);
    assert_eq!(screen(&view, size), before);
    assert!(view.title().right.contains("more above"));
    press(&mut view, &mut store, &[Act::Down]);
    let after = screen(&view, size);
    assert_eq!(
        after[7..10],
        [
            "    3 │ c of 2",
            "        ── end: exit 1, 22:14:20 ──",
            &line("web03")
        ]
    );
}

#[test]
fn lines_are_chosen_and_copied_as_they_were_written() {
    let mut store = Store::of("plain\n\x1b[31mred\x1b[0m\ttab\n");
    store.write(1, Stream::Err, "wrong\n");
    store.write(1, Stream::Out, "last\n");
    let size = Size::new(60, 6);
    let mut view = one(&mut store, size);
    press(&mut view, &mut store, &[Act::Top]);
    let copied = press(&mut view, &mut store, &[COPY]);
    assert_eq!(copied, [OutputAction::copy("plain".to_string(), 1)]);
    press(
        &mut view,
        &mut store,
        &[Act::Times, Act::Select, Act::Down, Act::Down],
    );
    let reversed = buffer(&view, size);
    let style = reversed[(20, 2)].style();
    assert!(
        style
            .add_modifier
            .contains(ratatui::style::Modifier::REVERSED)
    );
    assert!(view.title().right.contains("select"));
    let copied = press(&mut view, &mut store, &[COPY]);
    assert_eq!(
        copied,
        [OutputAction::copy(
            "plain\nred\ttab\nwrong\n".to_string(),
            3
        )]
    );
    // Upwards from the end, too; and back leaves it.
    press(&mut view, &mut store, &[Act::Bottom, Act::Select, Act::Top]);
    assert!(view.selection.is_some());
    press(&mut view, &mut store, &[Act::Back]);
    assert!(view.selection.is_none());
    assert_eq!(view.act(NOW, &Act::Back), None);
}

#[test]
fn choosing_scrolls_along() {
    let mut store = Store::of(&numbered(0..100));
    let mut view = one(&mut store, SMALL);
    press(
        &mut view,
        &mut store,
        &[Act::Select, Act::PageUp, Act::PageUp],
    );
    assert_eq!(screen(&view, SMALL)[0], "│ line 89");
    let copied = press(&mut view, &mut store, &[COPY]);
    assert_eq!(copied, [OutputAction::copy(numbered(89..100), 11)]);
}

#[test]
fn much_text_is_copied_into_a_file_and_too_much_is_refused() {
    let mut store = Store::of(&numbered(0..200_000));
    let mut view = one(&mut store, SMALL);
    press(&mut view, &mut store, &[Act::Select]);
    for _ in 0..2_000 {
        press(&mut view, &mut store, &[Act::PageUp]);
    }
    let copied = press(&mut view, &mut store, &[COPY]);
    let [OutputAction::Copy { text, lines, to }] = &copied[..] else {
        panic!("{copied:?}");
    };
    assert!(text.len() > CLIPBOARD_MOST && text.ends_with("line 199999\n"));
    assert_eq!((*lines, *to), (10_001, CopyTo::File));
    let said = press(&mut view, &mut store, &[Act::Select, Act::Top]);
    assert!(matches!(&said[..], [OutputAction::Say(_)]), "{said:?}");
}

#[test]
fn all_of_it_is_for_others_to_fetch() {
    let mut store = Store::of("a\nb\n");
    let mut view = one(&mut store, SMALL);
    let whole = |what| OutputAction::Whole {
        children: vec![1],
        what,
    };
    let save = Act::Save { file: None };
    let pipe = Act::Pipe {
        command: vec!["wc".to_string()],
    };
    let copy = Act::Copy {
        what: Copied::Output,
    };
    let done = press(
        &mut view,
        &mut store,
        &[save, Act::Pager, pipe, copy.clone()],
    );
    let pipe = Whole::Pipe(vec!["wc".to_string()]);
    let want = [Whole::Save(None), Whole::Pager, pipe, Whole::Copy].map(whole);
    assert_eq!(done, want);
    // Of a text everything is here.
    let mut view = open(Document::text("help", b"a\nb\n"), &mut store, SMALL);
    assert_eq!(view.children().count(), 0);
    let done = press(&mut view, &mut store, &[copy, Act::Pager]);
    let text = OutputAction::Text {
        text: b"a\nb\n".to_vec(),
        what: Whole::Pager,
    };
    assert_eq!(done, [OutputAction::copy("a\nb\n".to_string(), 2), text]);
}

#[test]
fn a_rule_stays_under_what_was_there() {
    let mut store = Store::of("before\nno end");
    let size = Size::new(40, 4);
    let mut view = one(&mut store, size);
    press(&mut view, &mut store, &[Act::Rule]);
    let rule = format!("── 22:15:00 ──{}", "─".repeat(40 - 14));
    assert_eq!(screen(&view, size)[..3], ["│ before", "│ no end", &rule]);
    store.write(1, Stream::Out, " yet\nafter\n");
    store.tell(&mut view);
    store.serve(&mut view);
    assert_eq!(
        screen(&view, size),
        ["│ before", "│ no end yet", &rule, "│ after"]
    );
    press(&mut view, &mut store, &[Act::Up, Act::Select, Act::Bottom]);
    let copied = press(&mut view, &mut store, &[COPY]);
    assert_eq!(
        copied,
        [OutputAction::copy(
            "before\nno end yet\nafter\n".to_string(),
            3
        )]
    );
}

#[test]
fn what_is_not_text_is_not_drawn_unless_it_is_wanted() {
    let mut store = Store::default();
    store.write_bytes(1, Stream::Out, b"\x7fELF\x00\x01\n\x00more\n");
    let size = Size::new(70, 3);
    let mut view = one(&mut store, size);
    assert_eq!(
        screen(&view, size)[0],
        "binary, 13 B; `save` saves it, `open` shows it all the same"
    );
    press(&mut view, &mut store, &[Act::Open]);
    assert_eq!(screen(&view, size)[0], "    1 │ \\x7fELF\\x00\\x01");
    assert_eq!(view.act(NOW, &Act::Open), None);
}

#[test]
fn the_next_document_is_shown_in_the_same_way() {
    let mut store = Store::of(&numbered(0..100));
    store.write(2, Stream::Out, &"wide ".repeat(40));
    let mut view = one(&mut store, SMALL);
    view.search("line");
    press(&mut view, &mut store, &[Act::Times]);
    let mut other = view.for_other(Document::Child(store.child(2, None)));
    store.serve(&mut other);
    assert_eq!(other.searched(), Some("line"));
    assert_eq!(other.settings, view.settings);
    assert!(
        screen(&other, SMALL)[0].contains("│ wide wide"),
        "{:?}",
        screen(&other, SMALL)
    );
}

#[test]
fn what_is_not_the_views_is_left_to_others() {
    let mut store = Store::of("a\n");
    let mut view = one(&mut store, SMALL);
    for act in [Act::Help, Act::Merged, Act::Diff, Act::Undo] {
        assert_eq!(view.act(NOW, &act), None, "{act:?}");
    }
}

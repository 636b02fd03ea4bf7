//! Whatever is done in whatever order, what is on the screen is a piece of the whole, and does not move by itself.

use proptest::prelude::*;
use ratatui::layout::Size;

use super::*;
use crate::core::output::{Count, Stream};

#[derive(Clone, Debug)]
enum Deed {
    Do(Act),
    /// Output comes, and is told of.
    Write(u64, Stream, String),
    /// What is wanted is answered.
    Serve,
    Resize(u16, u16),
}

fn deed(children: u64) -> impl Strategy<Value = Deed> {
    let acts = vec![
        Act::Down,
        Act::Up,
        Act::HalfDown,
        Act::HalfUp,
        Act::PageDown,
        Act::PageUp,
        Act::Top,
        Act::Bottom,
        Act::Wrap,
        Act::Follow,
        Act::Rule,
    ];
    let text = prop_oneof!["[a-z]{0,9}\n", "[a-z]{0,9}", "([a-z日é]{0,70}\n){1,40}"];
    prop_oneof![
        6 => prop::sample::select(acts).prop_map(Deed::Do),
        3 => (1..=children, prop::sample::select(Stream::BOTH.to_vec()), text)
            .prop_map(|(child, stream, text)| Deed::Write(child, stream, text)),
        4 => Just(Deed::Serve),
        1 => (16u16..90, 1u16..30).prop_map(|(width, height)| Deed::Resize(width, height)),
    ]
}

/// All lines there are, drawn on a screen that is as high.
fn whole(view: &OutputView, store: &mut Store, size: Size) -> Vec<String> {
    let children: Vec<u64> = view.children().collect();
    let children: Vec<_> = children.iter().map(|id| store.child(*id, None)).collect();
    let document = match children.len() {
        1 => Document::Child(children[0].clone()),
        _ => Document::Children(children),
    };
    let mut all = OutputView::with(document, TimeZone::UTC, view.settings);
    for (one, other) in all.parts.iter_mut().zip(&view.parts) {
        one.rules.clone_from(&other.rules);
    }
    let size = Size::new(size.width, 3000);
    all.set_size(size);
    all.act(NOW, &Act::Top);
    store.serve(&mut all);
    let mut lines = screen(&all, size);
    let used = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    lines.truncate(used);
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_screen_is_a_piece_of_the_whole(
        children in 1u64..4,
        most in prop::option::of(1usize..40),
        deeds in prop::collection::vec(deed(3), 1..60),
    ) {
        let mut store = Store::default();
        store.most = most;
        for child in 1..=3 {
            store.write(child, Stream::Out, &numbered(0..150));
            store.cut(child, Count { bytes: 100_000, lines: 7 });
            store.write(child, Stream::Err, &numbered(150..300));
        }
        let mut size = Size::new(60, 12);
        let document = match children {
            1 => Document::Child(store.child(1, None)),
            _ => Document::Children((1..=children).map(|child| store.child(child, None)).collect()),
        };
        let mut view = OutputView::new(document, TimeZone::UTC);
        view.set_size(size);
        for deed in deeds {
            let before = screen(&view, size);
            let read = !view.is_following();
            match deed {
                Deed::Do(act) => _ = view.act(NOW, &act),
                Deed::Write(child, stream, text) => {
                    store.write(child, stream, &text);
                    store.tell(&mut view);
                    if read {
                        // Where nothing was, something may be on its way.
                        for (old, new) in before.iter().zip(screen(&view, size)) {
                            let comes = old.is_empty() && (new.is_empty() || new.ends_with('…'));
                            prop_assert!(comes || *old == new, "told: {old} became {new}");
                        }
                    }
                }
                Deed::Serve => {
                    store.serve(&mut view);
                    let after = screen(&view, size);
                    // What was there is still there, except that the last row may have grown; rules may stand below it.
                    if read && !before.iter().any(|line| line.ends_with('…')) {
                        let full = before.iter().filter(|line| !line.is_empty()).count();
                        let mut pairs = before.iter().zip(&after).take(full.saturating_sub(1));
                        let grown = pairs.find(|(old, new)| old != new);
                        if let Some((old, new)) = grown {
                            prop_assert!(new.starts_with(old.as_str()), "served: {old} became {new}");
                            for (old, _) in pairs {
                                prop_assert!(old.starts_with("──") || old.trim_start().starts_with("──"), "{old} moved");
                            }
                        }
                    }
                }
                Deed::Resize(width, height) => {
                    size = Size::new(width, height);
                    view.set_size(size);
                }
            }
        }
        store.tell(&mut view);
        // Held back lines come with a key.
        view.act(NOW, &Act::Left);
        store.serve(&mut view);
        view.fit_numbers();
        let mut shown = screen(&view, size);
        let whole = whole(&view, &mut store, size);
        let used = shown.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        shown.truncate(used);
        prop_assert!(
            shown.is_empty() || whole.windows(shown.len()).any(|piece| piece == shown),
            "{:#?} is no piece of {:#?}", shown, whole
        );
        if view.is_following() {
            prop_assert!(whole.ends_with(&shown));
        }
    }
}

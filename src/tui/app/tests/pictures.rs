//! Every screen at every size, as it is drawn.

use super::*;

/// The designed sizes.
const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (160, 50), (300, 100)];

/// Every screen, and the keys that show it.
const SCREENS: [(&str, &str); 9] = [
    ("jobs", "j"),
    ("hosts", "2"),
    ("queries", "3"),
    ("events", "u x esc 4"),
    ("output", "j j j j j enter"),
    ("bar", ": 'run -t @w'"),
    ("help", "?"),
    ("dialog", "x"),
    ("question", "j j j enter"),
];

#[test]
fn every_screen_at_every_size() {
    for (name, keys) in SCREENS {
        for (width, height) in SIZES {
            let mut session = Session::with(FLAGS, (width, height), Engine::busy());
            session.keys(keys);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), session.screen());
        }
    }
}

#[test]
fn themes_say_it_with_colours_and_mono_without() {
    for (name, colour) in [("dark", Colour::Allowed), ("mono", Colour::None)] {
        let flags = Flags { colour, ..FLAGS };
        let mut session = Session::with(flags, (80, 24), Engine::busy());
        session.keys("j space");
        let buffer = session.buffer();
        insta::assert_snapshot!(format!("styled_{name}"), format!("{buffer:?}"));
        let coloured = buffer.content().iter().any(|cell| {
            cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
        });
        assert_eq!(coloured, colour == Colour::Allowed, "{name}");
        let reversed = buffer
            .content()
            .iter()
            .any(|cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED));
        assert!(reversed, "the cursor is seen without colour");
    }
}

#[test]
fn ascii_is_ascii() {
    let flags = Flags {
        glyphs: Glyphs::ASCII,
        ..FLAGS
    };
    for (_, keys) in SCREENS {
        let mut session = Session::with(flags, (100, 40), Engine::busy());
        session.keys(keys);
        let screen = session.screen();
        assert!(screen.is_ascii(), "{keys}\n{screen}");
    }
}

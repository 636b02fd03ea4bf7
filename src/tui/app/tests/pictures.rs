//! Every screen at every size.

use super::*;
use crate::core::state::State;

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (160, 50), (300, 100)];

/// What is pressed to get there.
const SCREENS: [(&str, &str); 9] = [
    ("jobs", "@7"),
    ("hosts", "2 @7"),
    ("queries", "3 @7"),
    ("events", "4 @7"),
    ("output", "j j j j j j enter @7"),
    ("bar", ": 'run -t @w'"),
    ("help", "?"),
    ("dialog", "x"),
    ("question", "j j j enter"),
];

#[test]
fn every_screen_fits_every_size() {
    for (name, keys) in SCREENS {
        for (columns, rows) in SIZES {
            let mut session = Session::with(FLAGS, (columns, rows), Engine::busy());
            session.engine.add(60, "kernel", &[State::Completed; 12]);
            let listed = session.engine.listed();
            session.event(listed);
            session.keys(keys);
            insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), session.screen());
        }
    }
}

#[test]
fn colours_are_those_of_the_theme_and_never_alone() {
    for (name, colour) in [("dark", Colour::Allowed), ("mono", Colour::None)] {
        let flags = Flags { colour, ..FLAGS };
        let mut session = Session::with(flags, (80, 24), Engine::busy());
        session.keys("j space @7");
        insta::assert_snapshot!(format!("styled_{name}"), format!("{:?}", session.buffer()));
    }
}

//! Whatever is pressed, said and resized.

use proptest::prelude::*;

use super::*;
use crate::core::state::State;
use crate::tui::event::Watched;
use crate::wire::reply::News;

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    Paste(&'static str),
    Size(u16, u16),
    Pass(u64),
    New(u64, usize),
    Gone(u64),
    Lost,
    Listed,
    Click(u16, u16),
}

/// Keys that only look, whatever came before them, and whatever is open.
const LOOKING: &[&str] = &[
    "j",
    "k",
    "g",
    "G",
    "down",
    "up",
    "pgdn",
    "pgup",
    "ctrl-d",
    "tab",
    "esc",
    "1",
    "2",
    "3",
    "4",
    "?",
    "z",
    "R",
    "M",
    "+",
    "space",
    "v",
    "*",
    "\\",
    "]",
    "[",
    "!",
    "=",
    "O",
    "c",
    "C",
    "p",
    "h",
    "l",
    "left",
    "right",
    "w",
    "t",
    "f",
    "H",
    "m",
    "n",
    "N",
    "&",
    "J",
    "K",
    "o",
    "u",
    "backspace",
    "ctrl-l",
    "ctrl-z",
    "f5",
    "f1",
    "q",
];

/// Keys that may act, that answer, and that send a line on its way.
const ACTING: &[&str] = &[
    "x",
    "X",
    "d",
    "r",
    "a",
    "e",
    "y",
    "s",
    ".",
    ":",
    "/",
    "enter",
    "ctrl-c",
    "ctrl-n",
    "'stop 10'",
    "'remove 20'",
    "'rerun --all 20'",
];

fn steps(keys: Vec<&'static str>) -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        12 => proptest::sample::select(keys).prop_map(Step::Key),
        1 => proptest::sample::select(vec!["stop all\nremove all\n", "y", "\u{1b}[31m\t"])
            .prop_map(Step::Paste),
        1 => (0u16..200, 0u16..70).prop_map(|(columns, rows)| Step::Size(columns, rows)),
        1 => (0u64..40_000).prop_map(Step::Pass),
        1 => (0u64..4, 0usize..10).prop_map(|(n, state)| Step::New(n, state)),
        1 => (0u64..6).prop_map(Step::Gone),
        1 => Just(Step::Lost),
        1 => Just(Step::Listed),
        1 => (0u16..200, 0u16..70).prop_map(|(column, row)| Step::Click(column, row)),
    ];
    proptest::collection::vec(one, 1..40)
}

fn play(steps: Vec<Step>) -> Session {
    let mut session = Session::new(Engine::busy());
    for step in steps {
        match step {
            Step::Key(keys) => session.keys(keys),
            Step::Paste(text) => session.event(Event::Paste(text.to_string())),
            Step::Size(columns, rows) => session.resize(columns, rows),
            Step::Pass(millis) => session.pass(Duration::from_millis(millis)),
            Step::New(n, state) => {
                let id = 100 + 50 * n;
                session.engine.add(id, "new", &[State::ALL[state]; 20]);
                let news = News {
                    jobs: vec![session.engine.jobs[&id].clone()],
                    ..News::default()
                };
                session.event(Event::Watched(Watched::News(news)));
            }
            Step::Gone(n) => {
                let news = News {
                    removed: vec![10 * (n + 1)],
                    ..News::default()
                };
                session.event(Event::Watched(Watched::News(news)));
            }
            Step::Lost => session.event(Event::Watched(Watched::Lost("gone".to_string()))),
            Step::Listed => {
                let listed = session.engine.listed();
                session.event(listed);
            }
            Step::Click(column, row) => session.click(column, row),
        }
        session.buffer();
    }
    session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_that_is_pressed_breaks_it(steps in steps([LOOKING, ACTING].concat())) {
        play(steps);
    }

    /// Without a key that acts or sends a line, nothing is done to the fleet.
    #[test]
    fn looking_does_nothing(steps in steps(LOOKING.to_vec())) {
        let session = play(steps);
        let deeds: Vec<String> = session.deeds().into_iter().filter(|deed| deed != "quit").collect();
        prop_assert!(deeds.is_empty(), "{deeds:?}");
    }
}

//! Whatever is pressed, whatever comes: nothing breaks, and nothing acts that was not told to.

use proptest::prelude::*;

use super::*;
use crate::core::state::State;
use crate::tui::event::Watched;
use crate::tui::tree::tests::{child, job};
use crate::wire::reply::News;

#[derive(Clone, Debug)]
enum Deed {
    /// A key that acts, or answers a question.
    Acting(char),
    /// Any other.
    Key(KeyCode, KeyModifiers),
    Paste(String),
    Size(u16, u16),
    Child(u64, usize),
    Job(u64),
    Removed(u64),
    Lost,
    Listed,
    Time(u64),
}

/// Keys that can begin something, or agree to it.  The bar, queries that fill it, the help and repeating do what they are told to.
const ACTING: &str = "xXdrRaeysnd";

fn deed() -> impl Strategy<Value = Deed> {
    let harmless = prop::char::range(' ', '~')
        .prop_filter("it acts", |c| !ACTING.contains(*c) && !":.?3".contains(*c));
    let named = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
    ]);
    prop_oneof![
        4 => prop::sample::select(ACTING.chars().collect::<Vec<_>>()).prop_map(Deed::Acting),
        8 => harmless.prop_map(|c| Deed::Key(KeyCode::Char(c), KeyModifiers::NONE)),
        6 => named.prop_map(|code| Deed::Key(code, KeyModifiers::NONE)),
        1 => "[a-z \n\u{1b}é日]{0,20}".prop_map(Deed::Paste),
        1 => (0u16..200, 0u16..60).prop_map(|(width, height)| Deed::Size(width, height)),
        2 => (0u64..6, 0usize..10).prop_map(|(n, state)| Deed::Child(n, state)),
        1 => (6u64..9).prop_map(|n| Deed::Job(n * 10)),
        1 => (1u64..9).prop_map(|n| Deed::Removed(n * 10)),
        1 => Just(Deed::Lost),
        1 => Just(Deed::Listed),
        1 => (0u64..40).prop_map(Deed::Time),
    ]
}

fn play(session: &mut Session, deed: Deed) {
    match deed {
        Deed::Acting(c) => session.press(KeyCode::Char(c), KeyModifiers::NONE),
        Deed::Key(code, held) => session.press(code, held),
        Deed::Paste(text) => session.event(Event::Paste(text)),
        Deed::Size(width, height) => session.resize(width, height),
        Deed::Child(n, state) => {
            let news = News {
                children: vec![child(10, n, State::ALL[state])],
                ..News::default()
            };
            session.event(Event::Children(10, Watched::News(news)));
        }
        Deed::Job(id) => {
            let news = News {
                jobs: vec![job(id, "new", &[State::Running])],
                ..News::default()
            };
            session.event(Event::Watched(Watched::News(news)));
        }
        Deed::Removed(id) => {
            let news = News {
                removed: vec![id],
                ..News::default()
            };
            session.event(Event::Watched(Watched::News(news)));
        }
        Deed::Lost => session.event(Event::Watched(Watched::Lost("gone".to_string()))),
        Deed::Listed => {
            let listed = session.engine.listed();
            session.event(listed);
        }
        Deed::Time(seconds) => session.pass(Duration::from_secs(seconds)),
    }
    session.buffer();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks(deeds in prop::collection::vec(deed(), 1..80)) {
        let mut session = Session::new(Engine::busy());
        for deed in deeds {
            play(&mut session, deed);
        }
    }

    #[test]
    fn nothing_acts_without_a_key_that_does(deeds in prop::collection::vec(deed(), 1..80)) {
        // A secret that was typed is sent with Enter: that is what it was typed for.
        let mut engine = Engine::busy();
        engine.questions.truncate(1);
        let mut session = Session::new(engine);
        for deed in deeds {
            // A paste fills the bar, and Enter carries out what is in it.
            if !matches!(deed, Deed::Acting(_) | Deed::Paste(_)) {
                play(&mut session, deed);
            }
        }
        let leaves = |deed: &&String| *deed != "quit";
        let deeds = session.deeds();
        prop_assert_eq!(deeds.iter().find(leaves), None);
    }
}

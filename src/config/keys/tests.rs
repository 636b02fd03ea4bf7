use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::*;
use crate::command::console::{Act, ActLine, Way};

fn keys(text: &str) -> Vec<Key> {
    let keys = text.split(' ').map(Key::parse);
    keys.collect::<Result<_, _>>().expect("keys")
}

fn over_defaults(text: &str) -> Result<Keymap, Vec<String>> {
    let origin = Origin::File("/u/keys.toml".into());
    let shown = |mistakes: Vec<Mistake>| mistakes.iter().map(Mistake::to_string).collect();
    read::over_defaults(text, &origin).map_err(shown)
}

/// The command line that keys mean at a place.
fn line(keymap: &Keymap, place: Place, pressed: &str) -> Option<String> {
    match keymap.lookup(place, &keys(pressed)) {
        Lookup::Bound(binding) => Some(binding.line.clone()),
        Lookup::Prefix(_) | Lookup::Nothing => None,
    }
}

/// The ways to go on after some keys.
fn more(keymap: &Keymap, place: Place, pressed: &str) -> Vec<String> {
    match keymap.lookup(place, &keys(pressed)) {
        Lookup::Prefix(more) => {
            let shown =
                |(keys, binding): (&[Key], &Binding)| format!("{} {}", written(keys), binding.line);
            more.into_iter().map(shown).collect()
        }
        Lookup::Bound(_) | Lookup::Nothing => Vec::new(),
    }
}

#[test]
fn a_place_goes_before_everywhere() {
    let keymap = Keymap::built_in();
    let cases = [
        (Place::Jobs, "j", Some("down")),
        (Place::Jobs, "l", Some("expand")),
        (Place::Hosts, "l", Some("open")),
        (Place::Output, "l", Some("right")),
        (Place::Jobs, "x", Some("stop")),
        (Place::Hosts, "x", None),
        (Place::Everywhere, "g g", Some("top")),
        (Place::Queries, "esc", Some("back")),
        (Place::Jobs, "f12", None),
        (Place::Jobs, "g x", None),
    ];
    for (place, pressed, want) in cases {
        let found = line(&keymap, place, pressed);
        assert_eq!(found.as_deref(), want, "{pressed} in {}", place.word());
    }
    let Lookup::Bound(binding) = keymap.lookup(Place::Jobs, &keys("]")) else {
        panic!("it is bound");
    };
    assert!(matches!(
        binding.does,
        Does::Act(Act::Problem { way: Way::Next })
    ));
    assert_eq!(binding.place, Place::Jobs);
}

#[test]
fn a_beginning_shows_how_it_goes_on() {
    let keymap = Keymap::built_in();
    assert_eq!(more(&keymap, Place::Hosts, "z"), ["z zoom"]);
    assert_eq!(
        more(&keymap, Place::Jobs, "z"),
        ["z zoom", "R expand-all", "M collapse-all"]
    );
    assert_eq!(
        more(&keymap, Place::Output, "ctrl-c"),
        ["ctrl-c quit --now"]
    );
    assert_eq!(more(&keymap, Place::Output, "y").len(), 6);
}

/// What acts is what the design says, so that help can say it too.
#[test]
fn only_these_keys_change_anything() {
    let keymap = Keymap::built_in();
    let mut acting = BTreeSet::new();
    for place in Place::ALL {
        let all = keymap.bindings(place);
        let acts = all.iter().filter(|(_, binding)| binding.acts());
        acting.extend(acts.map(|(sequence, _)| sequence.to_string()));
    }
    assert_eq!(
        acting,
        ["x", "X", "d", "r", "R", "a", "e", "T", "P"]
            .map(String::from)
            .into()
    );
    // No key of fingers used to editors does harm.
    assert!(acting.iter().all(|keys| keys.chars().count() == 1));
}

/// Every act can be reached by a key, but for those that need a word more than a key can give.
#[test]
fn every_act_has_a_key() {
    let keymap = Keymap::built_in();
    let bound: BTreeSet<&str> = Place::ALL
        .into_iter()
        .flat_map(|place| keymap.bindings(place))
        .filter_map(|(_, binding)| binding.line.split(' ').next())
        .collect();
    let without: Vec<String> = ActLine::command()
        .get_subcommands()
        .map(|act| act.get_name().to_string())
        .filter(|act| !bound.contains(act.as_str()))
        .collect();
    // `/` asks for what `filter` is given, and `|` opens the bar with `pipe`.
    assert_eq!(without, ["theme", "set", "filter", "pipe"]);
}

#[test]
fn every_binding_is_explained_in_the_order_of_the_file() {
    let keymap = Keymap::built_in();
    for place in Place::ALL {
        for (sequence, binding) in keymap.bindings(place) {
            assert!(
                !binding.doc.is_empty() && !binding.doc.contains('\n'),
                "{sequence}"
            );
        }
    }
    let all = keymap.bindings(Place::Jobs);
    let shown: Vec<String> = all.iter().map(|(keys, _)| keys.to_string()).collect();
    assert_eq!(shown[..4], ["l", "right", "h", "left"]);
    let colon = shown.iter().position(|keys| keys == ":").expect("the bar");
    assert!(
        shown[..colon].contains(&"C".to_string()),
        "its own come first: {shown:?}"
    );
}

#[test]
fn a_file_changes_what_it_mentions_and_nothing_else() {
    let keymap = over_defaults(
        "[jobs]\n\"ctrl-x\" = \"stop --kill\"\n\"d\" = false\n\"a\" = false\n\"g g\" = \"bottom\"\n\"z\" = false\n\
         [everywhere]\n\"Q\" = \"quit\"\n\"y\" = false\n\"y y\" = 'copy line'\n",
    )
    .expect("a keymap");
    let cases = [
        (Place::Jobs, "ctrl-x", Some("stop --kill")),
        (Place::Jobs, "X", Some("stop --kill")),
        (Place::Jobs, "d", None),
        // Also what would work everywhere.
        (Place::Jobs, "a", None),
        (Place::Hosts, "a", Some("add")),
        (Place::Jobs, "g g", Some("bottom")),
        (Place::Hosts, "g g", Some("top")),
        (Place::Output, "Q", Some("quit")),
        // Away with everything that begins with it, but for what the same file binds.
        (Place::Jobs, "z z", None),
        (Place::Jobs, "z M", None),
        (Place::Hosts, "z z", Some("zoom")),
        (Place::Jobs, "y h", None),
        (Place::Jobs, "y y", Some("copy line")),
    ];
    for (place, pressed, want) in cases {
        let found = line(&keymap, place, pressed);
        assert_eq!(found.as_deref(), want, "{pressed} in {}", place.word());
    }
    let Lookup::Bound(binding) = keymap.lookup(Place::Jobs, &keys("Q")) else {
        panic!("it is bound");
    };
    assert_eq!(binding.origin, Origin::File("/u/keys.toml".into()));
}

#[test]
fn a_shorter_key_of_a_place_hides_longer_ones_of_everywhere() {
    let keymap =
        over_defaults("[output]\n\"y\" = \"copy line\"\n\"M x\" = \"wrap\"\n").expect("a keymap");
    assert_eq!(
        line(&keymap, Place::Output, "y").as_deref(),
        Some("copy line")
    );
    assert_eq!(line(&keymap, Place::Output, "y h"), None);
    assert_eq!(
        line(&keymap, Place::Jobs, "y h").as_deref(),
        Some("copy host")
    );
    assert_eq!(more(&keymap, Place::Output, "M"), ["x wrap"]);
    assert_eq!(line(&keymap, Place::Jobs, "M").as_deref(), Some("mouse"));
}

#[test]
fn mistakes_name_the_line_and_what_was_meant() {
    let cases = [
        (
            "[job]\n\"x\" = \"stop\"\n",
            "/u/keys.toml:1: [job] is no place where keys can be bound; did you mean jobs?",
        ),
        (
            "[tree]\n",
            "/u/keys.toml:1: [tree] is no place where keys can be bound; known here: everywhere, jobs, hosts, queries, events, table, output",
        ),
        (
            "\"x\" = \"stop\"\n",
            "/u/keys.toml:1: [x] is no place where keys can be bound; known here: everywhere, jobs, hosts, queries, events, table, output",
        ),
        (
            "jobs = 3\n",
            "/u/keys.toml:1: jobs is a number, but must be a table",
        ),
        (
            "[jobs]\n\n\"cntrl-x\" = \"stop\"\n",
            "/u/keys.toml:3: unknown key \"cntrl-x\"; did you mean ctrl-x?",
        ),
        (
            "[jobs]\n\"gg\" = \"top\"\n",
            "/u/keys.toml:2: unknown key \"gg\"; keys are x, X, ctrl-x, alt-x, f1, space, enter, esc, tab, up, pgup, ...; several are separated by spaces",
        ),
        (
            "[jobs]\n\" \" = \"mark\"\n",
            "/u/keys.toml:2: a key without a name; the space bar is called space",
        ),
        (
            "[jobs]\n\"a b c d\" = \"mark\"\n",
            "/u/keys.toml:2: \"a b c d\" is more than 3 keys one after the other",
        ),
        (
            "[jobs]\n\"F9\" = \"stpo\"\n",
            "/u/keys.toml:2: f9: there is no command \"stpo\"; did you mean stop?",
        ),
        (
            "[jobs]\n\"F9\" = \"stop --kil\"\n",
            "/u/keys.toml:2: f9: stop has no option --kil; did you mean --kill?",
        ),
        (
            "[jobs]\n\"F9\" = true\n",
            "/u/keys.toml:2: f9 is true or false, but must be a command line in quotes, or false for none",
        ),
        (
            "[jobs]\n\"esc\" = \"back\"\n\"escape\" = \"top\"\n",
            "/u/keys.toml:3: esc is bound twice in [jobs]; the other time is on line 2",
        ),
        (
            "[jobs]\n\"z\" = \"zoom\"\n",
            "/u/keys.toml:2: in [jobs] z is bound to \"zoom\", and is the beginning of z M, which is bound to \"collapse-all\"; choose another key, or write \"z M\" = false",
        ),
        (
            "[jobs]\n\"x x\" = \"stop\"\n",
            "/u/keys.toml:2: in [jobs] x is bound to \"stop\", and is the beginning of x x, which is bound to \"stop\"; choose another key, or write \"x\" = false",
        ),
        ("[jobs\n", "/u/keys.toml:1: "),
    ];
    for (text, want) in cases {
        let mistakes = over_defaults(text).expect_err(text);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with(want), "{}\nnot {want}", mistakes[0]);
    }
    // All of them at once.
    let many = over_defaults("[job]\n[jobs]\n\"F13\" = \"top\"\n\"F9\" = \"stpo\"\n")
        .expect_err("mistakes");
    assert_eq!(many.len(), 3, "{many:?}");
}

#[test]
fn without_a_file_the_defaults_hold_and_a_file_that_cannot_be_read_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let none = Keymap::load(Some(directory.path())).expect("the defaults");
    assert_eq!(line(&none, Place::Jobs, "x").as_deref(), Some("stop"));
    let file = directory.path().join("keys.toml");
    std::fs::write(&file, "[jobs]\nx = \"down\"\n").expect("a file");
    let some = Keymap::load(Some(directory.path())).expect("a keymap");
    assert_eq!(line(&some, Place::Jobs, "x").as_deref(), Some("down"));
    std::fs::write(&file, [0xff]).expect("a file");
    let mistakes = Keymap::load(Some(directory.path())).expect_err("no text");
    assert!(
        mistakes[0]
            .to_string()
            .contains("keys.toml: cannot be read"),
        "{mistakes:?}"
    );
}

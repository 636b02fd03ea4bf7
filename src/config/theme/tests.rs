use super::*;

/// A user's directory with these themes.
fn user(themes: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let own = directory.path().join(DIRECTORY);
    std::fs::create_dir(&own).expect("a directory");
    for (name, text) in themes {
        std::fs::write(own.join(format!("{name}.toml")), text).expect("a file");
    }
    directory
}

#[test]
fn every_built_in_theme_says_every_role_and_rests_on_no_colour() {
    for (index, role) in Role::ALL.into_iter().enumerate() {
        assert_eq!(role.index(), index, "{role:?}");
    }
    for (name, text) in BUILT_IN {
        let theme = Theme::load(name, None).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        for role in Role::ALL {
            let key = format!("{} = ", role.word());
            assert_eq!(
                text.lines().filter(|line| line.starts_with(&key)).count(),
                1,
                "{name}: {key}"
            );
        }
        let has = |role, attribute| theme.style(role).attributes.has(attribute);
        assert!(has(Role::Selection, Attribute::Reverse), "{name}");
        assert!(has(Role::TitleFocused, Attribute::Bold), "{name}");
    }
}

#[test]
fn themes_hold_the_colours_they_promise() {
    let colours = |name: &str| -> Vec<Colour> {
        let theme = Theme::load(name, None).expect("a theme");
        let styles = theme.styles.iter();
        styles
            .flat_map(|style| [style.fg, style.bg])
            .flatten()
            .collect()
    };
    assert_eq!(colours(MONO), []);
    let on_both = |colour: &Colour| match colour {
        Colour::Ansi(ansi) => !matches!(
            ansi,
            Ansi::Black | Ansi::White | Ansi::BrightBlack | Ansi::BrightWhite
        ),
        Colour::Indexed(_) | Colour::Rgb(..) => false,
    };
    assert!(
        colours(DEFAULT).iter().all(on_both),
        "readable on dark and on light"
    );
    assert!(
        colours("rich")
            .iter()
            .any(|colour| matches!(colour, Colour::Rgb(..)))
    );
}

#[test]
fn a_theme_of_the_users_says_what_it_changes() {
    let user = user(&[
        ("mine", "based_on = \"light\"\nwarning = \"bold blue\"\n"),
        ("of-mine", "based_on = \"mine\"\nerror = \"plain\"\n"),
        ("dark", "based_on = \"dark\"\nkey = \"green\"\n"),
        ("bare", "key = \"9\"\n"),
    ]);
    let load = |name| Theme::load(name, Some(user.path())).expect("a theme");
    let style = |name, role| load(name).style(role).to_string();
    assert_eq!(style("mine", Role::Warning), "bold blue");
    assert_eq!(style("mine", Role::Notice), "25");
    assert_eq!(style("of-mine", Role::Warning), "bold blue");
    assert_eq!(style("of-mine", Role::Error), "plain");
    // Its own name means the one that is compiled in.
    assert_eq!(style("dark", Role::Key), "green");
    assert_eq!(style("dark", Role::Notice), "cyan");
    // Without a word it is based on the default, which is the user's own here.
    assert_eq!(
        (style("bare", Role::Key), style("bare", Role::Error)),
        ("9".into(), "bold red".into())
    );
    let names: Vec<(String, bool)> = list(Some(user.path()))
        .expect("a list")
        .into_iter()
        .map(|(name, origin)| (name, origin == Origin::BuiltIn))
        .collect();
    let names: Vec<(&str, bool)> = names
        .iter()
        .map(|(name, built_in)| (name.as_str(), *built_in))
        .collect();
    let want = [
        ("bare", false),
        ("dark", false),
        ("light", true),
        ("mine", false),
        ("mono", true),
        ("of-mine", false),
        ("rich", true),
    ];
    assert_eq!(names, want);
}

#[test]
fn mistakes_name_the_line_and_what_was_meant() {
    let cases = [
        (
            "wraning = \"red\"\n",
            "mine.toml:1: unknown role wraning; did you mean warning?",
        ),
        (
            "\nwarning = \"rde\"\n",
            "mine.toml:2: warning: unknown colour \"rde\"; did you mean red?",
        ),
        (
            "warning = 3\n",
            "mine.toml:1: warning is a number, but must be a string",
        ),
        (
            "based_on = \"drak\"\n",
            "mine.toml:1: based_on: there is no theme \"drak\"; did you mean dark?",
        ),
        (
            "based_on = \"../mine\"\n",
            "mine.toml:1: \"../mine\" cannot be the name of a theme; letters, digits and - _ . make one",
        ),
        (
            "based_on = \"other\"\n",
            "other.toml:1: a theme is based on itself: mine -> other -> mine",
        ),
        ("warning = \n", "mine.toml:1: "),
    ];
    for (text, want) in cases {
        let user = user(&[("mine", text), ("other", "based_on = \"mine\"\n")]);
        let mistakes = Theme::load("mine", Some(user.path())).expect_err(text);
        let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(
            shown.len() == 1 && shown[0].contains(want),
            "{shown:?}\nnot {want}"
        );
    }
    let user = user(&[("mine", "a = \"red\"\nkey = \"rde\"\n")]);
    assert_eq!(
        Theme::load("mine", Some(user.path()))
            .expect_err("mistakes")
            .len(),
        2
    );
    let own = user.path().join(DIRECTORY).join("mine.toml");
    std::fs::write(own, "based_on = \"none\"\n").expect("a file");
    let unknown = Theme::load("mine", Some(user.path())).expect_err("no theme");
    assert!(
        unknown[0]
            .to_string()
            .ends_with("there is no theme \"none\"; known here: dark, light, mine, mono, rich"),
        "{unknown:?}"
    );
    let none = Theme::load("mien", Some(user.path())).expect_err("no theme");
    assert!(
        none[0]
            .to_string()
            .ends_with("themes: there is no theme \"mien\"; did you mean mine?"),
        "{none:?}"
    );
}

#[test]
fn where_colours_are_not_wanted_there_are_none() {
    let cases = [
        (When::Auto, None, "xterm", "rich"),
        (When::Auto, Some(""), "xterm", "rich"),
        (When::Auto, Some("1"), "xterm", MONO),
        (When::Auto, None, "dumb", MONO),
        (When::Always, Some("1"), "dumb", "rich"),
        (When::Never, None, "xterm", MONO),
    ];
    for (when, no_color, term, want) in cases {
        let variable = |name: &str| match name {
            "NO_COLOR" => no_color.map(OsString::from),
            "TERM" => Some(term.into()),
            _ => None,
        };
        assert_eq!(
            fitting("rich", when, variable),
            want,
            "{when:?} {no_color:?} {term}"
        );
    }
}

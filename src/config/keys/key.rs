//! Keys of the keyboard, as they are written: `x`, `X`, `ctrl-d`, `alt-b`, `f1`, `space`, `shift-tab`; `g g` one after the other.

use std::fmt;

use crate::targets::nearest;

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub code: Code,
    pub held: Held,
}

/// The key itself.  A capital letter is a character of its own, and shift is not held beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    Char(char),
    /// F1 to F12.
    F(u8),
    Enter,
    Esc,
    Tab,
    Backspace,
    Insert,
    Delete,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
}

/// Which modifiers are held down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held(u8);

impl Held {
    pub const NONE: Self = Self(0);
    pub const CTRL: Self = Self(1);
    pub const ALT: Self = Self(2);
    pub const SHIFT: Self = Self(4);

    /// In the order in which they are written.
    const NAMED: [(Self, &'static str); 3] = [
        (Self::CTRL, "ctrl-"),
        (Self::ALT, "alt-"),
        (Self::SHIFT, "shift-"),
    ];

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Keys that have a name; of several for one key, the first is the one that is shown.
const NAMES: [(&str, Code); 22] = [
    ("space", Code::Char(' ')),
    ("enter", Code::Enter),
    ("return", Code::Enter),
    ("esc", Code::Esc),
    ("escape", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("ins", Code::Insert),
    ("insert", Code::Insert),
    ("del", Code::Delete),
    ("delete", Code::Delete),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pageup", Code::PageUp),
    ("pgdn", Code::PageDown),
    ("pgdown", Code::PageDown),
    ("pagedown", Code::PageDown),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
];

/// How many function keys there are.
const LAST_F: u8 = 12;

impl Key {
    /// A key as a terminal reports it, in the one form that is compared: a character carries shift in itself, and a
    /// letter under ctrl has no case, because terminals do not agree on either.
    pub fn new(code: Code, held: Held) -> Self {
        match code {
            Code::Char(c) if held.has(Held::CTRL) => Self {
                code: Code::Char(c.to_ascii_lowercase()),
                held: held.without(Held::SHIFT),
            },
            Code::Char(c) => Self {
                code: Code::Char(if held.has(Held::SHIFT) {
                    c.to_ascii_uppercase()
                } else {
                    c
                }),
                held: held.without(Held::SHIFT),
            },
            _ => Self { code, held },
        }
    }

    /// A key as it is written.
    pub fn parse(text: &str) -> Result<Self, UnknownKey> {
        let (mut rest, mut held) = (text, Held::NONE);
        while let Some((modifier, after)) = Held::NAMED.iter().find_map(|(modifier, name)| {
            let (start, after) = rest.split_at_checked(name.len())?;
            (start.eq_ignore_ascii_case(name) && !after.is_empty()).then_some((*modifier, after))
        }) {
            held = held.with(modifier);
            rest = after;
        }
        let code = code(rest).ok_or_else(|| UnknownKey {
            name: text.to_string(),
            near: near(text, rest),
        })?;
        Ok(Self::new(code, held))
    }
}

fn code(name: &str) -> Option<Code> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && c != ' ').then_some(Code::Char(c));
    }
    let name = name.to_ascii_lowercase();
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let number: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=LAST_F).contains(&number).then_some(Code::F(number))
}

/// What was probably meant by `text`, of which `rest` is not a key.
fn near(text: &str, rest: &str) -> Option<String> {
    let before = &text[..text.len() - rest.len()];
    let name = rest.to_ascii_lowercase();
    let names = NAMES.iter().map(|(name, _)| *name);
    if let Some(near) = nearest(&name, names) {
        return Some(format!("{before}{near}"));
    }
    // `cntrl-x`, `ctrl+x`, `c-x`
    let (modifier, key) = rest
        .split_once(['-', '+'])
        .filter(|(_, key)| code(key).is_some())?;
    let modifier = match modifier.to_ascii_lowercase().as_str() {
        "c" | "^" => Some("ctrl"),
        "a" | "m" | "meta" | "option" => Some("alt"),
        "s" => Some("shift"),
        other => nearest(other, ["ctrl", "alt", "shift", "control"]),
    }?;
    let modifier = if modifier == "control" {
        "ctrl"
    } else {
        modifier
    };
    Some(format!("{before}{modifier}-{key}"))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in Held::NAMED {
            if self.held.has(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(c) => write!(f, "{c}"),
            Code::F(number) => write!(f, "f{number}"),
            _ => unreachable!("every other key has a name"),
        }
    }
}

/// The text names no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    pub name: String,
    /// What was probably meant.
    pub near: Option<String>,
}

/// Keys pressed one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub Vec<Key>);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.0))
    }
}

/// Keys as they are written in the file.
pub fn written(keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(Key::to_string).collect();
    keys.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them_and_shown_in_one_form() {
        let cases = [
            ("x", "x"),
            ("X", "X"),
            ("shift-x", "X"),
            ("ctrl-d", "ctrl-d"),
            ("Ctrl-D", "ctrl-d"),
            ("ctrl-shift-d", "ctrl-d"),
            ("alt-b", "alt-b"),
            ("alt-B", "alt-B"),
            ("alt-ctrl-x", "ctrl-alt-x"),
            ("ctrl--", "ctrl--"),
            ("-", "-"),
            ("|", "|"),
            ("ö", "ö"),
            ("f1", "f1"),
            ("F12", "f12"),
            ("f", "f"),
            ("esc", "esc"),
            ("Escape", "esc"),
            ("return", "enter"),
            ("shift-tab", "shift-tab"),
            ("PageDown", "pgdn"),
            ("space", "space"),
            ("ctrl-space", "ctrl-space"),
        ];
        for (text, shown) in cases {
            let key = Key::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(key.to_string(), shown, "{text}");
            assert_eq!(Key::parse(shown), Ok(key), "{shown}");
        }
    }

    #[test]
    fn what_is_no_key_says_what_was_meant() {
        let cases = [
            ("escp", Some("esc")),
            ("pgdown1", Some("pgdown")),
            ("ctrl-spcae", Some("ctrl-space")),
            ("cntrl-x", Some("ctrl-x")),
            ("ctrl+x", Some("ctrl-x")),
            ("c-x", Some("ctrl-x")),
            ("f13", None),
            ("gg", None),
            ("", None),
            ("ctrl-", None),
        ];
        for (text, near) in cases {
            let error = Key::parse(text).expect_err("no key");
            assert_eq!(error.near.as_deref(), near, "{text}");
            assert_eq!(error.name, text);
        }
    }

    #[test]
    fn what_terminals_report_differently_is_one_key() {
        let shifted = Key::new(Code::Char('G'), Held::SHIFT);
        assert_eq!(shifted, Key::parse("G").expect("a key"));
        let kitty = Key::new(Code::Char('g'), Held::SHIFT);
        assert_eq!(kitty, Key::parse("G").expect("a key"));
        let ctrl = Key::new(Code::Char('D'), Held::CTRL.with(Held::SHIFT));
        assert_eq!(ctrl, Key::parse("ctrl-d").expect("a key"));
        let back = Key::new(Code::Tab, Held::SHIFT);
        assert_eq!(back, Key::parse("shift-tab").expect("a key"));
    }
}

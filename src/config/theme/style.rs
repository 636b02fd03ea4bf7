//! How something looks: colours and attributes, written `bold red on blue`.

use std::fmt;

use crate::targets::nearest;

/// How something looks.  What is not said is as the terminal has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub fg: Option<Colour>,
    pub bg: Option<Colour>,
    pub attributes: Attributes,
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One of the sixteen that the terminal's own theme defines.
    Ansi(Ansi),
    /// One of the 256.
    Indexed(u8),
    Rgb(u8, u8, u8),
}

/// The sixteen colours with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ansi {
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
    BrightBlack,
    BrightRed,
    BrightGreen,
    BrightYellow,
    BrightBlue,
    BrightMagenta,
    BrightCyan,
    BrightWhite,
}

impl Ansi {
    const NAMES: [(&'static str, Self); 16] = [
        ("black", Self::Black),
        ("red", Self::Red),
        ("green", Self::Green),
        ("yellow", Self::Yellow),
        ("blue", Self::Blue),
        ("magenta", Self::Magenta),
        ("cyan", Self::Cyan),
        ("white", Self::White),
        ("bright-black", Self::BrightBlack),
        ("bright-red", Self::BrightRed),
        ("bright-green", Self::BrightGreen),
        ("bright-yellow", Self::BrightYellow),
        ("bright-blue", Self::BrightBlue),
        ("bright-magenta", Self::BrightMagenta),
        ("bright-cyan", Self::BrightCyan),
        ("bright-white", Self::BrightWhite),
    ];
}

/// What text can be beside its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Bold,
    Dim,
    Italic,
    Underline,
    Reverse,
}

impl Attribute {
    pub const ALL: [Self; 5] = [
        Self::Bold,
        Self::Dim,
        Self::Italic,
        Self::Underline,
        Self::Reverse,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Bold => "bold",
            Self::Dim => "dim",
            Self::Italic => "italic",
            Self::Underline => "underline",
            Self::Reverse => "reverse",
        }
    }
}

/// A set of attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(u8);

impl Attributes {
    pub fn has(self, attribute: Attribute) -> bool {
        self.0 & (1 << attribute as u8) != 0
    }

    #[must_use]
    pub fn with(self, attribute: Attribute) -> Self {
        Self(self.0 | 1 << attribute as u8)
    }

    pub fn iter(self) -> impl Iterator<Item = Attribute> {
        Attribute::ALL
            .into_iter()
            .filter(move |attribute| self.has(*attribute))
    }
}

/// The word for a style of which nothing is said.
const PLAIN: &str = "plain";

/// Why a text is no style, and what was probably meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoStyle {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Style {
    /// Reads `bold red on blue`; `plain` is the terminal's own.
    pub(super) fn parse(text: &str) -> Result<Self, NoStyle> {
        let mut style = Self::default();
        let mut words = text.split_whitespace();
        let twice = |word| {
            Err(NoStyle {
                what: format!("{word:?} is one colour too many"),
                hint: Some("write FOREGROUND on BACKGROUND".to_string()),
            })
        };
        while let Some(word) = words.next() {
            if word == PLAIN {
                continue;
            }
            let attribute = Attribute::ALL.into_iter().find(|one| one.word() == word);
            if let Some(attribute) = attribute {
                style.attributes = style.attributes.with(attribute);
            } else if word == "on" {
                let colour = words.next().ok_or_else(|| NoStyle {
                    what: "no colour behind \"on\"".to_string(),
                    hint: None,
                })?;
                if style.bg.replace(parse_colour(colour)?).is_some() {
                    return twice(colour);
                }
            } else if style.fg.replace(parse_colour(word)?).is_some() {
                return twice(word);
            }
        }
        Ok(style)
    }
}

fn parse_colour(word: &str) -> Result<Colour, NoStyle> {
    if let Some((_, colour)) = Ansi::NAMES.iter().find(|(name, _)| *name == word) {
        return Ok(Colour::Ansi(*colour));
    }
    if let Ok(number) = word.parse() {
        return Ok(Colour::Indexed(number));
    }
    let digits = word.strip_prefix('#').filter(|digits| {
        digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    if let Some(rgb) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        let [_, red, green, blue] = rgb.to_be_bytes();
        return Ok(Colour::Rgb(red, green, blue));
    }
    let names = Ansi::NAMES.iter().map(|(name, _)| *name);
    let attributes = Attribute::ALL.map(Attribute::word);
    let near = nearest(word, names.chain(attributes).chain([PLAIN]));
    Err(NoStyle {
        what: format!("unknown colour {word:?}"),
        hint: Some(near.map_or_else(
            || "write a name (red, bright-red), 0 to 255, or #rrggbb".to_string(),
            |near| format!("did you mean {near}?"),
        )),
    })
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ansi(ansi) => {
                let name = Ansi::NAMES.iter().find(|(_, other)| other == ansi);
                f.write_str(name.expect("all sixteen have names").0)
            }
            Self::Indexed(number) => write!(f, "{number}"),
            Self::Rgb(red, green, blue) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// As themes have it.
impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = self
            .attributes
            .iter()
            .map(|attribute| attribute.word().to_string())
            .collect();
        words.extend(self.fg.map(|colour| colour.to_string()));
        words.extend(self.bg.map(|colour| format!("on {colour}")));
        if words.is_empty() {
            words.push(PLAIN.to_string());
        }
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read_and_written() {
        let cases = [
            ("bold red on blue", "bold red on blue"),
            ("on 17 #FF8000 reverse", "reverse #ff8000 on 17"),
            ("  bright-black ", "bright-black"),
            ("underline italic dim", "dim italic underline"),
            ("plain", "plain"),
            ("", "plain"),
        ];
        for (text, shown) in cases {
            let style = Style::parse(text).expect("a style");
            assert_eq!(style.to_string(), shown, "{text}");
            assert_eq!(Style::parse(shown), Ok(style), "{shown}");
        }
        let style = Style::parse("bold 9 on #010203").expect("a style");
        assert_eq!(style.fg, Some(Colour::Indexed(9)));
        assert_eq!(style.bg, Some(Colour::Rgb(1, 2, 3)));
        assert!(style.attributes.has(Attribute::Bold) && !style.attributes.has(Attribute::Dim));
    }

    #[test]
    fn what_is_no_style_says_what_was_meant() {
        let cases = [
            ("rde", "unknown colour \"rde\"", Some("did you mean red?")),
            (
                "blod red",
                "unknown colour \"blod\"",
                Some("did you mean bold?"),
            ),
            (
                "256",
                "unknown colour \"256\"",
                Some("write a name (red, bright-red), 0 to 255, or #rrggbb"),
            ),
            (
                "#12345",
                "unknown colour \"#12345\"",
                Some("write a name (red, bright-red), 0 to 255, or #rrggbb"),
            ),
            (
                "red blue",
                "\"blue\" is one colour too many",
                Some("write FOREGROUND on BACKGROUND"),
            ),
            (
                "on red on blue",
                "\"blue\" is one colour too many",
                Some("write FOREGROUND on BACKGROUND"),
            ),
            ("red on", "no colour behind \"on\"", None),
        ];
        for (text, what, hint) in cases {
            let no = Style::parse(text).expect_err(text);
            assert_eq!(
                (no.what.as_str(), no.hint.as_deref()),
                (what, hint),
                "{text}"
            );
        }
    }
}

//! How the view looks: one style for each thing it draws, chosen by whoever knows the theme.

use ratatui::style::{Modifier, Style};

/// Styles and signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputStyles {
    pub text: Style,
    /// What is not here yet, and what is not complete.
    pub dim: Style,
    pub number: Style,
    pub time: Style,
    pub host: Style,
    /// The mark before what was written to standard output, and to standard error.
    pub out: Style,
    pub err: Style,
    /// The line above a child.
    pub head: Style,
    /// What is said about the output: cuts, ends, rules.
    pub note: Style,
    /// What a search has found; and where it is now.
    pub found: Style,
    pub found_here: Style,
    pub selected: Style,
    pub added: Style,
    pub removed: Style,
    pub signs: Signs,
    pub colours: Colours,
}

/// Signs of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    pub out: &'static str,
    pub err: &'static str,
    pub line: &'static str,
    pub more: &'static str,
    pub missing: &'static str,
    /// Before a row that is no line of its own: it goes on one that the other stream interrupted, or that was too long.
    pub goes_on: &'static str,
}

/// What becomes of colours in the output; attributes stay in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Kept,
    Dropped,
}

impl Signs {
    pub const BOXES: Self = Self {
        out: "│",
        err: "!",
        line: "─",
        more: "›",
        missing: "…",
        goes_on: "…",
    };
    pub const ASCII: Self = Self {
        out: "|",
        err: "!",
        line: "-",
        more: ">",
        missing: "...",
        goes_on: "~",
    };
}

impl Default for OutputStyles {
    /// Without any colour of its own.
    fn default() -> Self {
        let plain = Style::new();
        let dim = plain.add_modifier(Modifier::DIM);
        let bold = plain.add_modifier(Modifier::BOLD);
        let reverse = plain.add_modifier(Modifier::REVERSED);
        Self {
            text: plain,
            dim,
            number: dim,
            time: dim,
            host: dim,
            out: dim,
            err: bold,
            head: bold,
            note: dim,
            found: plain.add_modifier(Modifier::UNDERLINED),
            found_here: reverse.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            selected: reverse,
            added: bold,
            removed: dim,
            signs: Signs::BOXES,
            colours: Colours::Kept,
        }
    }
}

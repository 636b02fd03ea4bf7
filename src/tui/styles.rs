//! The theme as the drawing library wants it: one style for each role.

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme::{self, Ansi, Attribute, Colour, Role, Theme};
use crate::core::state::State;

/// Styles by role.
#[derive(Clone, Debug)]
pub struct Styles(Vec<Style>);

impl Styles {
    pub fn new(theme: &Theme) -> Self {
        let style = |role: Role| {
            let style = drawn(theme.style(role));
            // Whatever a theme says, these are never told apart by colour alone.
            match role {
                Role::Selection => style.add_modifier(Modifier::REVERSED),
                Role::TitleFocused => style.add_modifier(Modifier::BOLD),
                _ => style,
            }
        };
        Self(Role::ALL.into_iter().map(style).collect())
    }

    pub fn of(&self, role: Role) -> Style {
        self.0[role.index()]
    }

    pub fn state(&self, state: State) -> Style {
        self.of(Role::State(state))
    }
}

fn drawn(style: theme::Style) -> Style {
    let mut drawn = Style::new();
    drawn.fg = style.fg.map(colour);
    drawn.bg = style.bg.map(colour);
    style.attributes.iter().fold(drawn, |drawn, attribute| {
        drawn.add_modifier(match attribute {
            Attribute::Bold => Modifier::BOLD,
            Attribute::Dim => Modifier::DIM,
            Attribute::Italic => Modifier::ITALIC,
            Attribute::Underline => Modifier::UNDERLINED,
            Attribute::Reverse => Modifier::REVERSED,
        })
    })
}

fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Indexed(n) => Color::Indexed(n),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
        Colour::Ansi(ansi) => match ansi {
            Ansi::Black => Color::Black,
            Ansi::Red => Color::Red,
            Ansi::Green => Color::Green,
            Ansi::Yellow => Color::Yellow,
            Ansi::Blue => Color::Blue,
            Ansi::Magenta => Color::Magenta,
            Ansi::Cyan => Color::Cyan,
            // The library's names for the sixteen: what it calls white is the bright one.
            Ansi::White => Color::Gray,
            Ansi::BrightBlack => Color::DarkGray,
            Ansi::BrightRed => Color::LightRed,
            Ansi::BrightGreen => Color::LightGreen,
            Ansi::BrightYellow => Color::LightYellow,
            Ansi::BrightBlue => Color::LightBlue,
            Ansi::BrightMagenta => Color::LightMagenta,
            Ansi::BrightCyan => Color::LightCyan,
            Ansi::BrightWhite => Color::White,
        },
    }
}

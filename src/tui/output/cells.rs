//! A row's characters into cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar as _;

use super::styles::Colours;
use crate::view::ansi::{Attributes, Colour, Line, Look};

/// Draws the cells of a row from one to another; a character that is there only in part is left out.
pub(super) fn draw_line(
    line: &Line,
    from: usize,
    to: usize,
    area: Rect,
    buf: &mut Buffer,
    style: impl Fn(Look) -> Style,
) {
    let mut at = 0;
    for piece in &line.spans {
        if at >= to {
            break;
        }
        if at + piece.cells <= from {
            at += piece.cells;
            continue;
        }
        let style = style(piece.look);
        if piece.text.len() == piece.cells {
            let first = from.max(at);
            let last = to.min(at + piece.cells);
            let text = &piece.text[first - at..last - at];
            let x = area.x + (first - from) as u16;
            for (n, start) in (0..text.len()).enumerate() {
                let cell = &mut buf[(x + n as u16, area.y)];
                cell.set_symbol(&text[start..=start]).set_style(style);
            }
            at += piece.cells;
            continue;
        }
        let mut rest = piece.text.as_str();
        while let Some((cluster, cells)) = cluster(rest) {
            rest = &rest[cluster.len()..];
            for n in at.max(from)..(at + cells).min(to) {
                let whole = at >= from && at + cells <= to;
                let symbol = if whole && n == at { cluster } else { " " };
                let x = area.x + (n - from) as u16;
                buf[(x, area.y)].set_symbol(symbol).set_style(style);
            }
            at += cells;
        }
    }
}

/// The first character with the marks on it, and how many cells it takes.
fn cluster(text: &str) -> Option<(&str, usize)> {
    let mut chars = text.char_indices();
    let (_, first) = chars.next()?;
    let end = chars
        .find(|(_, c)| c.width() != Some(0))
        .map_or(text.len(), |(at, _)| at);
    Some((&text[..end], first.width().unwrap_or(0)))
}

/// What the output asks for, as the drawing library wants it.
pub(super) fn of_look(look: Look, colours: Colours) -> Style {
    let colour = |colour| match colour {
        Colour::Indexed(n) => Color::Indexed(n),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    };
    let mut style = Style::new();
    if colours == Colours::Kept {
        style.fg = look.fg.map(colour);
        style.bg = look.bg.map(colour);
    }
    let modifiers = [
        (Attributes::BOLD, Modifier::BOLD),
        (Attributes::DIM, Modifier::DIM),
        (Attributes::ITALIC, Modifier::ITALIC),
        (Attributes::UNDERLINE, Modifier::UNDERLINED),
        (Attributes::REVERSE, Modifier::REVERSED),
        (Attributes::STRIKE, Modifier::CROSSED_OUT),
    ];
    for (attribute, modifier) in modifiers {
        if look.attributes.contains(attribute) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

//! What all panes have in common: titles, glyphs, padding.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::border;

use super::styles::Styles;
use crate::config::theme::Role;
use crate::view::table::Align;
use crate::view::text::{cut, width};

/// Characters of our own that are not ASCII, and what stands for them where only ASCII may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub line: &'static str,
    pub ellipsis: &'static str,
    pub crumb: &'static str,
    /// What can be opened, and what is open.
    pub closed: &'static str,
    pub open: &'static str,
}

impl Glyphs {
    pub const BOXES: Self = Self {
        line: "─",
        ellipsis: "…",
        crumb: "›",
        closed: "▸",
        open: "▾",
    };
    pub const ASCII: Self = Self {
        line: "-",
        ellipsis: "...",
        crumb: ">",
        closed: "+",
        open: "-",
    };
}

impl Glyphs {
    /// What boxes are drawn with.
    pub fn border(self) -> border::Set<'static> {
        const ASCII: border::Set<'static> = border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        };
        if self == Self::ASCII {
            ASCII
        } else {
            border::PLAIN
        }
    }
}

/// A pane's title line.
#[derive(Clone, Debug)]
pub struct Pane<'a> {
    pub left: &'a str,
    pub right: &'a str,
    pub focus: Focus,
}

/// Whether the keys go to this pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}

impl Pane<'_> {
    /// Draws `─ left ───── right ─`, and returns what is left of the area.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: &Glyphs) -> Rect {
        if area.height == 0 || area.width == 0 {
            return area;
        }
        let across = usize::from(area.width);
        let border = styles.of(Role::Border);
        buf.set_stringn(area.x, area.y, glyphs.line.repeat(across), across, border);
        let title = match self.focus {
            Focus::Here => styles.of(Role::TitleFocused),
            Focus::Elsewhere => styles.of(Role::Title),
        };
        let room = across.saturating_sub(4);
        let right_room = if self.right.is_empty() {
            0
        } else {
            (width(self.right) + 2).min(room / 2)
        };
        let left = cut(self.left, room.saturating_sub(right_room + 1));
        if !left.is_empty() && across > 4 {
            buf.set_stringn(area.x + 1, area.y, format!(" {left} "), across - 1, title);
        }
        if right_room > 2 {
            let right = format!(" {} ", cut(self.right, right_room - 2));
            let x = area.x + area.width - 1 - width(&right) as u16;
            buf.set_stringn(x, area.y, &right, width(&right), title);
        }
        Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        }
    }
}

/// Text in so many cells.
pub fn pad(text: &str, align: Align, cells: usize) -> String {
    let space = " ".repeat(cells.saturating_sub(width(text)));
    match align {
        Align::Left => format!("{text}{space}"),
        Align::Right => format!("{space}{text}"),
    }
}

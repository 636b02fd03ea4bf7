//! Lists to choose from: a column to sort by, a theme, the columns that are shown and their order.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};

use super::dialog::centred;
use super::styles::Styles;
use super::view::Glyphs;
use crate::config::theme::Role;
use crate::view::text::{cut, width};

/// A list with a cursor.
#[derive(Clone, Debug)]
pub struct Pick {
    pub title: String,
    pub items: Vec<Item>,
    pub cursor: usize,
    pub purpose: Purpose,
}

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Sort,
    Theme,
    /// Several of them, in an order.
    Columns,
    /// The same in a table of rows.
    TableColumns,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called in commands.
    pub word: String,
    pub doc: String,
    pub chosen: Chosen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    No,
    Yes,
}

impl Pick {
    pub fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    pub fn current(&self) -> Option<&Item> {
        self.items.get(self.cursor)
    }

    /// Chooses what the cursor is on, or lets go of it.
    pub fn toggle(&mut self) {
        if let Some(item) = self.items.get_mut(self.cursor) {
            item.chosen = match item.chosen {
                Chosen::No => Chosen::Yes,
                Chosen::Yes => Chosen::No,
            };
        }
    }

    /// Moves what the cursor is on up or down in the list.
    pub fn carry(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        let to = self.cursor.saturating_add_signed(by).min(last);
        if to != self.cursor {
            self.items.swap(self.cursor, to);
            self.cursor = to;
        }
    }

    /// The keys that work here, for the last line of the screen.
    pub fn hint(&self) -> &'static str {
        match self.purpose {
            Purpose::Sort | Purpose::Theme => "j k move  enter choose  esc leave it",
            Purpose::Columns | Purpose::TableColumns => {
                "j k move  space show or hide  J K carry  enter take  esc leave it"
            }
        }
    }

    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: Glyphs) {
        let words = self
            .items
            .iter()
            .map(|item| width(&item.word))
            .max()
            .unwrap_or(0);
        let docs = self
            .items
            .iter()
            .map(|item| width(&item.doc))
            .max()
            .unwrap_or(0);
        let across = (words + docs + 12).max(width(&self.title) + 6) as u16;
        let down = self.items.len() as u16 + 2;
        let boxed = centred(area, across, down);
        Clear.render(boxed, buf);
        let block = Block::bordered()
            .border_set(glyphs.border())
            .border_style(styles.of(Role::Border))
            .title(Line::styled(
                format!(" {} ", self.title),
                styles.of(Role::TitleFocused),
            ));
        let inside = block.inner(boxed);
        block.render(boxed, buf);
        let rows = usize::from(inside.height);
        let first = (self.cursor + 1).saturating_sub(rows);
        for (n, item) in self.items.iter().enumerate().skip(first).take(rows) {
            let mark = match item.chosen {
                Chosen::Yes => '*',
                Chosen::No => ' ',
            };
            let text = format!(" {mark} {:words$}  {}", item.word, item.doc);
            let style = if n == self.cursor {
                styles.of(Role::Selection)
            } else {
                styles.of(Role::Text)
            };
            let row = inside.y + (n - first) as u16;
            let text = cut(&text, usize::from(inside.width));
            buf.set_stringn(
                inside.x,
                row,
                format!("{text:width$}", width = usize::from(inside.width)),
                usize::from(inside.width),
                style,
            );
        }
    }
}

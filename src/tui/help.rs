//! The keys that work here, out of the same table that decides what they do; can be filtered, and Enter does it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};

use super::dialog::centred;
use super::styles::Styles;
use super::view::Glyphs;
use crate::command::console::Place;
use crate::config::theme::Role;
use crate::view::table::Align;
use crate::view::text::{cut, width};

/// See the module.
#[derive(Debug)]
pub struct Help {
    title: &'static str,
    rows: Vec<HelpRow>,
    filter: Option<String>,
    cursor: usize,
}

#[derive(Debug)]
struct HelpRow {
    keys: String,
    line: String,
    doc: String,
    place: Place,
}

impl Help {
    /// Of keys, what they do, and where that was said.
    pub fn new(place: Place, rows: Vec<(String, String, String, Place)>) -> Self {
        let mut joined: Vec<HelpRow> = Vec::new();
        for (keys, line, doc, place) in rows {
            // Several keys for the same stand in one row.
            match joined
                .iter_mut()
                .find(|row| row.line == line && row.place == place)
            {
                Some(row) => {
                    row.keys.push_str(", ");
                    row.keys.push_str(&keys);
                }
                None => joined.push(HelpRow {
                    keys,
                    line,
                    doc,
                    place,
                }),
            }
        }
        let title = match place {
            Place::Everywhere => "Keys",
            Place::Jobs => "Keys in the tree of jobs",
            Place::Hosts => "Keys in the list of hosts",
            Place::Queries => "Keys in the list of queries",
            Place::Events => "Keys in the list of events",
            Place::Table => "Keys in a table of rows",
            Place::Output => "Keys in output",
        };
        Self {
            title,
            rows: joined,
            filter: None,
            cursor: 0,
        }
    }

    pub fn is_filtering(&self) -> bool {
        self.filter.is_some()
    }

    pub fn begin_filter(&mut self) {
        self.filter = Some(String::new());
    }

    /// Lets go of the filter; true if there was one.
    pub fn clear_filter(&mut self) -> bool {
        self.cursor = 0;
        self.filter.take().is_some()
    }

    pub fn type_char(&mut self, c: char) {
        if let Some(filter) = &mut self.filter {
            filter.push(c);
            self.cursor = 0;
        }
    }

    pub fn erase(&mut self) {
        if let Some(filter) = &mut self.filter {
            filter.pop();
        }
    }

    pub fn step(&mut self, by: isize) {
        let last = self.shown().count().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// The command line under the cursor.
    pub fn current(&self) -> Option<&str> {
        self.shown().nth(self.cursor).map(|row| row.line.as_str())
    }

    pub fn hint(&self) -> &'static str {
        if self.is_filtering() {
            "type to filter  up down move  enter do it  esc all keys"
        } else {
            "j k move  / filter  enter do it  esc back"
        }
    }

    fn shown(&self) -> impl Iterator<Item = &HelpRow> {
        let wanted = self.filter.as_deref().unwrap_or_default().to_lowercase();
        self.rows.iter().filter(move |row| {
            let texts = [&row.keys, &row.line, &row.doc];
            wanted.is_empty()
                || texts
                    .iter()
                    .any(|text| text.to_lowercase().contains(&wanted))
        })
    }

    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: Glyphs) {
        let boxed = centred(
            area,
            area.width.saturating_sub(4).min(92),
            area.height.saturating_sub(2),
        );
        Clear.render(boxed, buf);
        let title = match &self.filter {
            Some(filter) => format!(" {}: /{filter} ", self.title),
            None => format!(" {} ", self.title),
        };
        let block = Block::bordered()
            .border_set(glyphs.border())
            .border_style(styles.of(Role::Border))
            .title(Line::styled(title, styles.of(Role::TitleFocused)));
        let inside = block.inner(boxed);
        block.render(boxed, buf);
        let rows: Vec<&HelpRow> = self.shown().collect();
        let height = usize::from(inside.height);
        let first = (self.cursor + 1).saturating_sub(height);
        let keys = rows
            .iter()
            .map(|row| width(&row.keys))
            .max()
            .unwrap_or(0)
            .min(24);
        let lines = rows
            .iter()
            .map(|row| width(&row.line))
            .max()
            .unwrap_or(0)
            .min(22);
        let across = usize::from(inside.width);
        for (n, row) in rows.iter().enumerate().skip(first).take(height) {
            let set = |text: &str, cells| super::view::pad(&cut(text, cells), Align::Left, cells);
            let everywhere = if row.place == Place::Everywhere {
                " "
            } else {
                "."
            };
            let text = format!(
                " {} {} {everywhere} {}",
                set(&row.keys, keys),
                set(&row.line, lines),
                row.doc
            );
            let y = inside.y + (n - first) as u16;
            let style = if n == self.cursor {
                styles.of(Role::Selection)
            } else {
                styles.of(Role::Text)
            };
            let text = super::view::pad(&cut(&text, across), Align::Left, across);
            buf.set_stringn(inside.x, y, text, across, style);
            if n != self.cursor {
                buf.set_style(
                    Rect {
                        x: inside.x,
                        y,
                        width: (keys as u16 + 1).min(inside.width),
                        height: 1,
                    },
                    styles.of(Role::Key),
                );
            }
        }
        if rows.is_empty() && height > 0 {
            buf.set_stringn(
                inside.x + 1,
                inside.y,
                "no key matches",
                across.saturating_sub(1),
                styles.of(Role::Dim),
            );
        }
    }
}

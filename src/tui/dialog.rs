//! Questions that are answered with a letter.  The key that opened one never answers it, and Enter never does anything.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};

use super::styles::Styles;
use super::view::Glyphs;
use crate::config::theme::Role;
use crate::view::text::width;

/// A question with its possible answers.
#[derive(Clone, Debug)]
pub struct Dialog<T> {
    pub title: String,
    /// What would happen, in sentences.
    pub text: Vec<String>,
    pub choices: Vec<Choice<T>>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Choice<T> {
    pub key: char,
    pub label: String,
    pub then: T,
}

/// What a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    Chosen(T),
    Refused,
    /// The key means nothing here.
    Undecided,
}

impl<T: Clone> Dialog<T> {
    /// A question that `y` answers with yes, and `n` or Esc with no.
    pub fn yes_no(title: String, text: Vec<String>, yes: String, then: T) -> Self {
        Self {
            title,
            text,
            choices: vec![Choice {
                key: 'y',
                label: yes,
                then,
            }],
        }
    }

    pub fn letter(&self, key: char) -> Decision<T> {
        match self.choices.iter().find(|choice| choice.key == key) {
            Some(choice) => Decision::Chosen(choice.then.clone()),
            None if key == 'n' => Decision::Refused,
            None => Decision::Undecided,
        }
    }

    /// `y  stop 149    n / esc  leave it`.
    fn answers(&self, styles: &Styles) -> Line<'static> {
        let key = styles.of(Role::Key);
        let mut spans = Vec::new();
        for choice in &self.choices {
            spans.push(Span::styled(format!(" {} ", choice.key), key));
            spans.push(Span::raw(format!(" {}    ", choice.label)));
        }
        spans.push(Span::styled(" n ", key));
        spans.push(Span::raw("or "));
        spans.push(Span::styled("esc", key));
        spans.push(Span::raw(" no"));
        Line::from(spans)
    }

    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: Glyphs) {
        let answers = self.answers(styles);
        let widest = self.text.iter().map(|line| width(line)).max().unwrap_or(0);
        let wanted = widest.max(answers.width()).max(width(&self.title) + 4) + 4;
        let across = (wanted as u16).min(area.width);
        let inner = usize::from(across.saturating_sub(4)).max(1);
        let lines: usize = self
            .text
            .iter()
            .map(|line| width(line).max(1).div_ceil(inner))
            .sum();
        let down = (lines as u16 + 5).min(area.height);
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
        let mut text: Vec<Line<'_>> = vec![Line::default()];
        text.extend(self.text.iter().map(|line| Line::raw(line.as_str())));
        let body = shrunk(inside);
        Paragraph::new(text).wrap(Wrap { trim: false }).render(
            Rect {
                height: body.height.saturating_sub(1),
                ..body
            },
            buf,
        );
        if body.height > 0 {
            let last = Rect {
                y: body.y + body.height - 1,
                height: 1,
                ..body
            };
            answers.render(last, buf);
        }
    }
}

/// A rectangle of this size in the middle of another.
pub fn centred(area: Rect, across: u16, down: u16) -> Rect {
    let (across, down) = (across.min(area.width), down.min(area.height));
    Rect {
        x: area.x + (area.width - across) / 2,
        y: area.y + (area.height - down) / 2,
        width: across,
        height: down,
    }
}

/// Without a cell at each side.
fn shrunk(area: Rect) -> Rect {
    Rect {
        x: area.x + area.width.min(1),
        width: area.width.saturating_sub(2),
        ..area
    }
}

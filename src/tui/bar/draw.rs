//! How the bar looks: the line at the bottom, and above it what is wrong with it or what could come next.
//!
//! ```text
//! ─ targets ────────────── tab next · enter run as typed · esc close ─
//!   @web            24 hosts
//! ─ run [OPTIONS] [COMMAND]... ───────────────────────────────────────
//!  Hosts: web[1-20], @db, @all!@db; job 7's %7.failed
//!  -> 2 hosts: web07 web19
//!  :run -t @web
//! ```

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::preview::{COUNTED, Preview};
use super::{Bar, Doing, Mode};
use crate::view::count::{Noun, counted};
use crate::view::text::{cut, harmless, width, wrapped};

/// Candidates that are shown at once.
const ROWS: usize = 8;

/// Lines of a message that are shown.
const MESSAGE: usize = 3;

/// How the bar is painted.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub text: Style,
    /// What can be done, what is not typed yet.
    pub dim: Style,
    pub title: Style,
    pub border: Style,
    /// The candidate that is in the line.
    pub chosen: Style,
    pub error: Style,
    /// What lines between panes are made of.
    pub rule: &'static str,
}

impl Bar {
    /// Draws the bar at the bottom of `area`, as high as what it has to say.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        if area.width < 3 || area.height == 0 {
            return;
        }
        let mut rows = Rows {
            left: area,
            buf,
            look,
        };
        self.draw_line(&mut rows);
        if let Doing::Seeking(seeking) = &self.doing {
            let (text, style) = match &seeking.found {
                Some((_, line)) => (line.as_str(), look.text),
                None if seeking.query.text().is_empty() => (
                    "type what the line holds; ctrl-r older, enter takes it, esc leaves",
                    look.dim,
                ),
                None => ("no line holds that", look.error),
            };
            rows.say(&harmless(text.as_bytes()), style);
            return;
        }
        if self.error.is_some() {
            return self.draw_error(&mut rows);
        }
        if self.mode == Mode::Command {
            self.draw_help(&mut rows);
        }
    }

    /// Where the cursor stands.
    pub fn cursor(&self, area: Rect) -> Option<Position> {
        if area.width < 3 || area.height == 0 {
            return None;
        }
        let prompt = self.prompt();
        let editor = self.shown();
        let window = editor.window(room(area, prompt));
        let x = usize::from(area.x) + 1 + prompt.len() + window.cursor;
        // A prompt that is wider than the area leaves no room for the cursor but the edge.
        let x = (x as u16).min(area.right() - 1);
        Some(Position::new(x, area.bottom() - 1))
    }

    fn prompt(&self) -> &'static str {
        match (&self.doing, self.mode) {
            (Doing::Seeking(_), _) => "history: ",
            (_, Mode::Command) => ":",
            (_, Mode::Filter | Mode::Search) => "/",
        }
    }

    fn shown(&self) -> &super::Editor {
        match &self.doing {
            Doing::Seeking(seeking) => &seeking.query,
            Doing::Editing | Doing::Choosing { .. } | Doing::Recalling { .. } => &self.editor,
        }
    }

    /// Bytes of the line that are wrong.
    fn wrong(&self) -> Option<Range<usize>> {
        if matches!(self.doing, Doing::Seeking(_)) {
            return None;
        }
        match (&self.error, &self.preview) {
            (Some(error), _) => Some(error.range.clone()),
            (None, Some(Preview::Wrong { range, .. })) => Some(range.clone()),
            (
                None,
                Some(Preview::Hosts { .. } | Preview::Many | Preview::Later | Preview::Asked)
                | None,
            ) => None,
        }
    }

    fn draw_line(&self, rows: &mut Rows<'_>) {
        let Some(row) = rows.next() else { return };
        let look = rows.look;
        let prompt = self.prompt();
        rows.put(row, 1, prompt, look.title);
        let editor = self.shown();
        let room = room(row, prompt);
        let window = editor.window(room);
        let begin = 1 + prompt.len();
        let wrong = self.wrong();
        let mut column = 0;
        for (offset, grapheme) in editor.text()[window.from..].grapheme_indices(true) {
            let cells = width(grapheme);
            if column + cells > room {
                break;
            }
            let at = window.from + offset;
            let style = if wrong.as_ref().is_some_and(|wrong| wrong.contains(&at)) {
                look.error.underlined()
            } else {
                look.text
            };
            rows.put(row, begin + column, grapheme, style);
            column += cells;
        }
        let end = editor.text().len();
        if wrong.is_some_and(|wrong| wrong.is_empty() && wrong.start == end) && column < room {
            rows.put(row, begin + column, " ", look.error.underlined());
        } else if let (Doing::Editing, Some(suggestion)) = (&self.doing, &self.suggestion) {
            let shown = cut(suggestion, room.saturating_sub(column));
            rows.put(row, begin + column, &shown, look.dim);
        }
    }

    /// The message above the word that is wrong, as far as there is room.
    fn draw_error(&self, rows: &mut Rows<'_>) {
        let Some(error) = &self.error else { return };
        let message = match &error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message.clone(),
        };
        let message = harmless(message.as_bytes());
        let mut lines = wrapped(&message, usize::from(rows.left.width).saturating_sub(2));
        lines.truncate(MESSAGE);
        let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
        let prompt = self.prompt();
        let window = self.editor.window(room(rows.left, prompt));
        let start = error.range.start.max(window.from).min(self.text().len());
        let column = 1 + prompt.len() + width(&self.text()[window.from..start]);
        let column = column
            .min(usize::from(rows.left.width).saturating_sub(widest + 1))
            .max(1);
        for line in lines.iter().rev() {
            let Some(row) = rows.next() else { return };
            rows.put(row, column, line, rows.look.error);
        }
    }

    /// Preview, doc and signature, and the candidates above them.
    fn draw_help(&self, rows: &mut Rows<'_>) {
        let look = rows.look;
        if let Some(command) = &self.unquoted {
            let text = format!("taken without its quotes: {command}");
            rows.say(&harmless(text.as_bytes()), look.text);
        }
        match &self.preview {
            Some(Preview::Wrong { message, .. }) => {
                rows.say(&harmless(message.as_bytes()), look.error);
            }
            Some(preview) => {
                let across = usize::from(rows.left.width).saturating_sub(2);
                rows.say(&told(preview, across), look.text);
            }
            None => {}
        }
        if let Some(doc) = &self.completion.doc {
            rows.say(doc, look.dim);
        }
        if let Some(signature) = &self.completion.signature {
            rows.title(signature, "");
        }
        self.draw_candidates(rows);
    }

    fn draw_candidates(&self, rows: &mut Rows<'_>) {
        let look = rows.look;
        let candidates = &self.completion.candidates;
        // What lies below is not to be covered whole.
        let height = usize::from(rows.left.height);
        let shown = candidates.len().min(ROWS).min(height.saturating_sub(1) / 2);
        // A lone candidate that is typed already says nothing.
        // While a candidate stands in the line, the range is that of what was typed before it.
        let typed = self
            .text()
            .get(self.completion.range.clone())
            .unwrap_or_default();
        let known = matches!(candidates.as_slice(), [only] if only.text == typed);
        if shown == 0 || (known && !matches!(self.doing, Doing::Choosing { .. })) {
            return;
        }
        let chosen = match self.doing {
            Doing::Choosing { chosen, .. } => Some(chosen),
            Doing::Editing | Doing::Recalling { .. } | Doing::Seeking(_) => None,
        };
        let from = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(shown));
        let listed = &candidates[from..from + shown];
        let across = usize::from(rows.left.width);
        let texts = listed.iter().map(|candidate| width(&candidate.text));
        let column = texts
            .max()
            .unwrap_or(0)
            .clamp(12, across.div_ceil(2).max(12))
            + 3;
        for (n, candidate) in listed.iter().enumerate().rev() {
            let Some(row) = rows.next() else { return };
            let is_chosen = chosen == Some(from + n);
            let style = if is_chosen { look.chosen } else { look.text };
            let mark = if is_chosen { '>' } else { ' ' };
            let text = cut(
                &harmless(candidate.text.as_bytes()),
                column.saturating_sub(2),
            );
            rows.put(row, 0, &format!(" {mark} {text}"), style);
            let doc = cut(
                &harmless(candidate.doc.as_bytes()),
                across.saturating_sub(column + 3),
            );
            rows.put(row, column + 2, &doc, look.dim);
        }
        let all = candidates.len() + self.completion.more;
        let count = if all > shown {
            format!("{}-{} of {all}, tab goes on", from + 1, from + shown)
        } else {
            "tab takes, enter runs as typed".to_string()
        };
        rows.title(self.completion.title, &count);
    }
}

/// Cells for text behind a prompt, the cursor's own among them.
fn room(area: Rect, prompt: &str) -> usize {
    usize::from(area.width).saturating_sub(2 + prompt.len())
}

/// What a preview says, within so many cells.
fn told(preview: &Preview, across: usize) -> String {
    match preview {
        Preview::Many => format!("more than {}", counted(COUNTED, Noun::Host)),
        Preview::Asked => "hosts of an earlier job, which are being looked up".to_string(),
        Preview::Later => "hosts from a file, which is read when this runs".to_string(),
        Preview::Hosts { count: 0, .. } => "no hosts".to_string(),
        Preview::Hosts {
            count,
            folded,
            first,
        } => {
            let head = format!("{}: ", counted(*count, Noun::Host));
            let names = first.join(" ");
            let names = if first.len() < *count {
                format!("{names} ...")
            } else {
                names
            };
            let folded = folded.as_deref().unwrap_or(&names);
            let long = format!("{head}{folded}   {names}");
            let text = if folded == names || width(&long) > across {
                format!("{head}{folded}")
            } else {
                long
            };
            cut(&text, across)
        }
        Preview::Wrong { message, .. } => message.clone(),
    }
}

/// Rows from the bottom up, each cleared before it is written on.
struct Rows<'a> {
    left: Rect,
    buf: &'a mut Buffer,
    look: &'a Look,
}

impl Rows<'_> {
    fn next(&mut self) -> Option<Rect> {
        let last = self.left.height.checked_sub(1)?;
        let row = Rect {
            y: self.left.y + last,
            height: 1,
            ..self.left
        };
        self.left.height = last;
        for x in row.left()..row.right() {
            self.buf[(x, row.y)].reset();
        }
        self.buf.set_style(row, self.look.text);
        Some(row)
    }

    fn put(&mut self, row: Rect, column: usize, text: &str, style: Style) {
        let Ok(column) = u16::try_from(column) else {
            return;
        };
        if column < row.width {
            let across = usize::from(row.width - column);
            self.buf
                .set_stringn(row.x + column, row.y, text, across, style);
        }
    }

    fn say(&mut self, text: &str, style: Style) {
        if let Some(row) = self.next() {
            let text = cut(text, usize::from(row.width).saturating_sub(2));
            self.put(row, 1, &text, style);
        }
    }

    /// `─ left ───── right ─`.
    fn title(&mut self, left: &str, right: &str) {
        let Some(row) = self.next() else { return };
        let across = usize::from(row.width);
        self.put(row, 0, &self.look.rule.repeat(across), self.look.border);
        let left = format!(" {} ", cut(left, across.saturating_sub(4)));
        self.put(row, 1, &left, self.look.title);
        let wide = width(right) + 2;
        if !right.is_empty() && width(&left) + wide + 4 < across {
            self.put(row, across - 1 - wide, &format!(" {right} "), self.look.dim);
        }
    }
}

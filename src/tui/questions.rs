//! Answering what children wait for: host keys by a letter, secrets typed unseen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};
use zeroize::Zeroizing;

use super::dialog::centred;
use super::styles::Styles;
use super::view::Glyphs;
use crate::config::theme::Role;
use crate::view::count::{Noun, counted};
use crate::view::text::{harmless, wrapped};
use crate::wire::look::{Question, QuestionKind};

/// A question that is being answered.
#[derive(Debug)]
pub struct Answering {
    pub question: Question,
    /// Other open questions of the same kind in the same jobs: host keys can be accepted together.
    pub alike: Vec<u64>,
    typed: Secret,
    /// Rows of the text that are above the dialog.
    scrolled: usize,
}

/// Text and answer, broken into rows, in an area.
struct Pages {
    text: Vec<String>,
    foot: Vec<String>,
    /// How many rows of the text are seen.
    room: usize,
    /// How far it can be scrolled.
    most: usize,
    /// How large the dialog is, with its border.
    across: u16,
    down: u16,
}

/// What is being typed, and never shown in a log.
#[derive(Default)]
struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Answering {
    pub fn new(question: Question, alike: Vec<u64>) -> Self {
        Self {
            question,
            alike,
            typed: Secret::default(),
            scrolled: 0,
        }
    }

    /// Whether it is answered with a letter instead of something typed.
    pub fn is_a_choice(&self) -> bool {
        match self.question.kind {
            QuestionKind::HostKey { .. } => true,
            QuestionKind::Passphrase { .. }
            | QuestionKind::Password { .. }
            | QuestionKind::Sudo { .. }
            | QuestionKind::Secret { .. }
            | QuestionKind::Prompt { .. } => false,
        }
    }

    pub fn type_char(&mut self, c: char) {
        if !c.is_control() {
            self.typed.0.push(c);
        }
    }

    pub fn erase(&mut self) {
        self.typed.0.pop();
    }

    pub fn erase_all(&mut self) {
        self.typed.0.clear();
    }

    /// Whether nothing was typed yet.
    pub fn is_empty(&self) -> bool {
        self.typed.0.is_empty()
    }

    /// What was typed.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut *self.typed.0)
    }

    /// The keys that work here.
    pub fn hint(&self) -> String {
        if self.is_a_choice() {
            let all = match self.alike.len() {
                0 | 1 => String::new(),
                count => format!("a accept all {count}  "),
            };
            format!("y accept  {all}n refuse  esc later")
        } else {
            "enter answer  ctrl-u erase  ctrl-n refuse  esc later".to_string()
        }
    }

    /// Scrolls the text by so many rows, where it does not fit.
    pub fn scroll(&mut self, area: Rect, by: isize) {
        let most = self.pages(area).most;
        self.scrolled = self.scrolled.min(most).saturating_add_signed(by).min(most);
    }

    /// How the text lies in the dialog.
    fn pages(&self, area: Rect) -> Pages {
        let across = 78.min(area.width);
        let inner = usize::from(across.saturating_sub(4)).max(1);
        let wrapped = |lines: Vec<String>| -> Vec<String> {
            let rows = lines.iter().flat_map(|line| wrapped(line, inner));
            rows.collect()
        };
        let mut text = wrapped(self.text());
        let foot = if self.is_a_choice() {
            wrapped(vec![self.hint()])
        } else {
            vec![format!("> {}", self.shown())]
        };
        let inside = usize::from(area.height.saturating_sub(2));
        // The text has room only where the answer has some.
        let room = inside.saturating_sub(foot.len());
        if text.len() + 2 <= room {
            text.insert(0, String::new());
            text.push(String::new());
        }
        Pages {
            across,
            down: (text.len() + foot.len() + 2) as u16,
            most: text.len().saturating_sub(room),
            text,
            room,
            foot,
        }
    }

    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: Glyphs) {
        let pages = self.pages(area);
        let boxed = centred(area, pages.across, pages.down);
        Clear.render(boxed, buf);
        let title = match self.question.kind {
            QuestionKind::HostKey { .. } => " Is this the host's key? ",
            QuestionKind::Passphrase { .. } => " Passphrase ",
            QuestionKind::Password { .. } => " Password ",
            QuestionKind::Sudo { .. } => " Password for sudo ",
            QuestionKind::Secret { .. } => " Secret ",
            QuestionKind::Prompt { .. } => " The server asks ",
        };
        let block = Block::bordered()
            .border_set(glyphs.border())
            .border_style(styles.of(Role::Border))
            .title(Line::styled(title, styles.of(Role::TitleFocused)));
        let from = self.scrolled.min(pages.most);
        let block = if pages.most > 0 {
            let more = match (from > 0, from < pages.most) {
                (true, true) => " more: up, down ",
                (true, false) => " more: up ",
                (false, _) => " more: down ",
            };
            block.title_bottom(Line::styled(more, styles.of(Role::Key)).right_aligned())
        } else {
            block
        };
        let inside = block.inner(boxed);
        block.render(boxed, buf);
        let text = pages.text.iter().skip(from).take(pages.room);
        let rows = text
            .map(|row| (row, Style::new()))
            .chain(pages.foot.iter().map(|row| (row, styles.of(Role::Prompt))));
        for (y, (row, style)) in (inside.top()..inside.bottom()).zip(rows) {
            let across = usize::from(inside.width.saturating_sub(2));
            buf.set_stringn(inside.x + inside.width.min(1), y, row, across, style);
        }
    }

    /// What was typed, as far as it may be seen.
    fn shown(&self) -> String {
        match &self.question.kind {
            QuestionKind::Prompt { echo: true, .. } => harmless(self.typed.0.as_bytes()),
            _ => "*".repeat(self.typed.0.chars().count()),
        }
    }

    fn text(&self) -> Vec<String> {
        let who = match self.question.children.len() {
            1 => format!("{} waits for it.", self.question.hosts),
            count => format!(
                "{} wait for it: {}.",
                counted(count, Noun::Host),
                self.question.hosts
            ),
        };
        let plain = |text: &str| harmless(text.as_bytes());
        match &self.question.kind {
            QuestionKind::HostKey {
                host,
                algorithm,
                fingerprint,
                file,
            } => vec![
                format!("{} is not known yet. It presents", plain(host)),
                format!("  {} {}", plain(algorithm), plain(fingerprint)),
                format!("Accepted, it is added to {}. {who}", plain(file)),
                "Compare the key with what the host's own administrator says.".to_string(),
            ],
            QuestionKind::Passphrase { file } => {
                vec![format!("The key {} is encrypted. {who}", plain(file))]
            }
            QuestionKind::Password { account } => {
                vec![format!("To log in as {}. {who}", plain(account))]
            }
            QuestionKind::Sudo { account } => {
                vec![format!(
                    "sudo wants the password of {}. {who}",
                    plain(account)
                )]
            }
            QuestionKind::Secret { name, doc } => {
                let mut text = vec![format!("The script needs the secret {name}. {who}")];
                text.extend((!doc.is_empty()).then(|| plain(doc)));
                text
            }
            QuestionKind::Prompt {
                account, prompt, ..
            } => {
                vec![format!("{}: {}", plain(account), plain(prompt)), who]
            }
        }
    }
}

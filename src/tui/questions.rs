//! Answering what children wait for: host keys by a letter, secrets typed unseen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};
use zeroize::Zeroizing;

use super::dialog::centred;
use super::styles::Styles;
use super::view::Glyphs;
use crate::config::theme::Role;
use crate::view::text::harmless;
use crate::wire::look::{Question, QuestionKind};

/// A question that is being answered.
#[derive(Debug)]
pub struct Answering {
    pub question: Question,
    /// Other open questions of the same kind in the same jobs: host keys can be accepted together.
    pub alike: Vec<u64>,
    typed: Secret,
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
        }
    }

    /// Whether it is answered with a letter instead of something typed.
    pub fn is_a_choice(&self) -> bool {
        match self.question.kind {
            QuestionKind::HostKey { .. } => true,
            QuestionKind::Passphrase { .. }
            | QuestionKind::Password { .. }
            | QuestionKind::Sudo { .. }
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

    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &Styles, glyphs: Glyphs) {
        let mut lines = vec![Line::default()];
        lines.extend(self.text().into_iter().map(Line::raw));
        lines.push(Line::default());
        let across = 78.min(area.width);
        let inner = usize::from(across.saturating_sub(4)).max(1);
        let rows: usize = lines
            .iter()
            .map(|line| line.width().max(1).div_ceil(inner))
            .sum();
        let boxed = centred(area, across, rows as u16 + 4);
        Clear.render(boxed, buf);
        let title = match self.question.kind {
            QuestionKind::HostKey { .. } => " Is this the host's key? ",
            QuestionKind::Passphrase { .. } => " Passphrase ",
            QuestionKind::Password { .. } => " Password ",
            QuestionKind::Sudo { .. } => " Password for sudo ",
            QuestionKind::Prompt { .. } => " The server asks ",
        };
        let block = Block::bordered()
            .border_set(glyphs.border())
            .border_style(styles.of(Role::Border))
            .title(Line::styled(title, styles.of(Role::TitleFocused)));
        let inside = block.inner(boxed);
        block.render(boxed, buf);
        let inside = Rect {
            x: inside.x + inside.width.min(1),
            width: inside.width.saturating_sub(2),
            ..inside
        };
        Paragraph::new(lines)
            .wrap(Wrap { trim: false })
            .render(inside, buf);
        if inside.height > 0 {
            let last = inside.y + inside.height - 1;
            let text = if self.is_a_choice() {
                self.hint()
            } else {
                format!("> {}", self.shown())
            };
            buf.set_stringn(
                inside.x,
                last,
                text,
                usize::from(inside.width),
                styles.of(Role::Prompt),
            );
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
            count => format!("{count} hosts wait for it: {}.", self.question.hosts),
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
                "Compare that with what the host's own administrator says.".to_string(),
                format!("Accepted, it is added to {}. {who}", plain(file)),
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
            QuestionKind::Prompt {
                account, prompt, ..
            } => {
                vec![format!("{}: {}", plain(account), plain(prompt)), who]
            }
        }
    }
}

//! Keys: to whoever has them now (an overlay, the bar), else looked up in the keymap, else nothing.

use std::time::Duration;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::coming::Needed;
use super::{App, Pane, WHICH_KEY};
use crate::command::console::{Act, Place, Screen};
use crate::command::line;
use crate::config::keys::{Code, Does, Held, Key, Lookup};
use crate::tui::bar::{Bar, Outcome};
use crate::tui::event::{Action, Mouse};

/// Keys that were pressed and may go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Pressed {
    keys: Vec<Key>,
    /// When the first continuation is shown.
    shown_at: Duration,
}

impl Pressed {
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn shown_at(&self) -> Option<Duration> {
        (!self.keys.is_empty()).then_some(self.shown_at)
    }
}

impl App {
    pub(super) fn key(&mut self, event: KeyEvent) {
        if event.kind == KeyEventKind::Release {
            return;
        }
        if self.is_leaving() {
            if let Some(key) = key_of(event) {
                self.key_while_leaving(key);
            }
            return;
        }
        if !self.is_meant_for_what_is_seen() {
            return self.say("that key was not taken: the question came while it was pressed");
        }
        self.toast_was_seen();
        if self.bar.is_some() {
            return self.key_in_bar(event);
        }
        let Some(key) = key_of(event) else { return };
        if self.overlay.is_some() {
            return self.key_in_overlay(key);
        }
        self.press(key);
    }

    /// A key without anybody who takes all of them.
    fn press(&mut self, key: Key) {
        if key.code == Code::Esc && self.pressed.keys.is_empty() && self.let_go_of_programs() {
            return;
        }
        self.pressed.keys.push(key);
        let place = self.place();
        match self.loaded.keymap.lookup(place, &self.pressed.keys) {
            Lookup::Bound(binding) => {
                let needed = Needed::by(&binding.does);
                let text = binding.line.clone();
                let act = match &binding.does {
                    Does::Act(act) => Some(act.clone()),
                    Does::Verb(_) => None,
                };
                let keys = crate::config::keys::written(&self.pressed.keys);
                self.pressed.keys.clear();
                if !self.comes_in_time(&needed, &keys) {
                    return;
                }
                match act {
                    Some(act) => self.act(act),
                    None => self.line(&text),
                }
            }
            Lookup::Prefix(_) => {
                self.pressed.shown_at = self.now.mono + WHICH_KEY;
                if key.code == Code::Char('c') && key.held == Held::CTRL {
                    self.say("Ctrl-C again leaves the console (jobs go on); x stops what the cursor is on");
                }
            }
            Lookup::Nothing => {
                let was_longer = self.pressed.keys.len() > 1;
                let keys = crate::config::keys::written(&self.pressed.keys);
                self.pressed.keys.clear();
                if was_longer {
                    // The keys before it meant nothing together with it; by itself it may.
                    self.press(key);
                } else {
                    self.say(format!("{keys} does nothing here; ? shows the keys"));
                }
            }
        }
    }

    /// Where keys are meant.
    pub(super) fn place(&self) -> Place {
        if self.table().is_some() {
            return Place::Table;
        }
        if !self.pages.is_empty() || self.pane == Pane::Side {
            return Place::Output;
        }
        match self.screen {
            Screen::Jobs => Place::Jobs,
            Screen::Hosts => Place::Hosts,
            Screen::Queries => Place::Queries,
            Screen::Events => Place::Events,
        }
    }

    /// Carries out the line of a key.
    pub(super) fn line(&mut self, text: &str) {
        match line::parse(text, &self.selection()) {
            Ok(typed) => self.typed(typed),
            Err(error) => {
                let hint = error
                    .hint
                    .map(|hint| format!("; {hint}"))
                    .unwrap_or_default();
                self.say(format!("{}{hint}", error.message));
            }
        }
    }

    fn key_in_bar(&mut self, event: KeyEvent) {
        let names = self.names();
        let Some(bar) = &mut self.bar else { return };
        match bar.key(event, &names, &self.history) {
            Outcome::Editing => self.bar_changed(),
            Outcome::Cancel => {
                if let Some(bar) = self.bar.take() {
                    self.bar_cancelled(&bar);
                }
            }
            Outcome::Submit(text) => self.submitted(&text),
        }
    }

    /// Pasted text goes into the bar, and never does anything by itself.
    pub(super) fn paste(&mut self, text: &str) {
        if self.is_leaving() {
            return;
        }
        if !self.is_meant_for_what_is_seen() {
            return self.say("what was pasted was not taken: the question came meanwhile");
        }
        if let Some(super::overlay::Overlay::Answer(answering)) = &mut self.overlay {
            // A secret out of a password manager; it is sent with Enter only.
            text.chars().for_each(|c| answering.type_char(c));
            return;
        }
        if self.overlay.is_some() {
            return self.say("pasted text answers no question");
        }
        let mut bar = self.bar.take().unwrap_or_else(Bar::command);
        bar.paste(text);
        self.open_bar(bar);
        self.bar_changed();
    }

    pub(super) fn mouse(&mut self, event: MouseEvent) {
        if self.mouse != Mouse::Console
            || self.overlay.is_some()
            || self.bar.is_some()
            || self.is_leaving()
        {
            return;
        }
        match event.kind {
            MouseEventKind::ScrollDown => (0..3).for_each(|_| self.act(Act::Down)),
            MouseEventKind::ScrollUp => (0..3).for_each(|_| self.act(Act::Up)),
            MouseEventKind::Down(MouseButton::Left) => self.click(event.column, event.row),
            MouseEventKind::Down(_)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => {}
        }
    }

    pub(super) fn toggle_mouse(&mut self) {
        self.mouse = match self.mouse {
            Mouse::Console => Mouse::Terminal,
            Mouse::Terminal => Mouse::Console,
        };
        self.actions.push(Action::Mouse(self.mouse));
        self.say(match self.mouse {
            Mouse::Console => "the mouse is the console's: click and wheel; M gives it back",
            Mouse::Terminal => "the mouse is the terminal's: it selects text",
        });
    }
}

/// A key as the keymap knows it; `None` for those it does not.
pub(super) fn key_of(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::F(n) => Code::F(n),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab | KeyCode::BackTab => Code::Tab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Insert => Code::Insert,
        KeyCode::Delete => Code::Delete,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Null
        | KeyCode::CapsLock
        | KeyCode::ScrollLock
        | KeyCode::NumLock
        | KeyCode::PrintScreen
        | KeyCode::Pause
        | KeyCode::Menu
        | KeyCode::KeypadBegin
        | KeyCode::Media(_)
        | KeyCode::Modifier(_) => return None,
    };
    let mut held = Held::NONE;
    if event.modifiers.contains(KeyModifiers::CONTROL) {
        held = held.with(Held::CTRL);
    }
    if event.modifiers.contains(KeyModifiers::ALT) {
        held = held.with(Held::ALT);
    }
    // A capital letter says by itself that shift is held.
    let shifted = event.modifiers.contains(KeyModifiers::SHIFT) || event.code == KeyCode::BackTab;
    if shifted && !matches!(code, Code::Char(_)) {
        held = held.with(Held::SHIFT);
    }
    Some(Key { code, held })
}

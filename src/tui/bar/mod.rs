//! The bar: one line of text for commands (`:`), filters and searches (`/`), with everything that helps to type it.
//!
//! Pure: a key and the names there are go in, what the line has become comes out.  Enter gives the line as it was typed,
//! never a candidate or a suggestion that was only shown, and a paste never gives anything.  Not here: what a line means
//! ([`crate::command::line`]), carrying it out, and secrets, which have a dialog of their own.

pub mod complete;
pub mod draw;
pub mod edit;
mod file;
mod grammar;
pub mod history;
pub mod names;
pub mod preview;

#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::command::line::LineError;
use complete::{Completion, complete};
use edit::{Edit, Editor, Fit};
use preview::{Preview, preview};

pub use draw::Look;
pub use history::History;
pub use names::{Disk, Earlier, Entry, Files, Is, JobName, Known, Named, Names};

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A command.
    Command,
    /// What a list is narrowed to.
    Filter,
    /// What is looked for in a text.
    Search,
}

/// What came of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line goes on; it may have changed.
    Editing,
    /// It is to be carried out.  The bar stays as it is, so that [`Bar::fail`] can say what is wrong with it.
    Submit(String),
    Cancel,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Bar {
    mode: Mode,
    editor: Editor,
    doing: Doing,
    completion: Completion,
    /// What the newest line of the history that begins like this goes on with.
    suggestion: Option<String>,
    preview: Option<Preview>,
    /// The command, where it is taken without quotes that are around it.
    unquoted: Option<String>,
    error: Option<LineError>,
}

/// What the last keys were about, where more than editing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    Editing,
    /// Going through the candidates: which one is in the line, and where it ends there.
    Choosing {
        chosen: usize,
        end: usize,
    },
    /// Going through the history: what was typed, and the number of the line that is shown.
    Recalling {
        typed: String,
        at: usize,
    },
    /// Looking for a line of the history.
    Seeking(Seeking),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seeking {
    query: Editor,
    /// The number of the line that was found, and the line.
    found: Option<(usize, String)>,
}

/// Which way through a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Onward,
    Back,
}

impl Bar {
    fn new(mode: Mode, text: &str) -> Self {
        Self {
            mode,
            editor: Editor::new(text),
            doing: Doing::Editing,
            completion: Completion::default(),
            suggestion: None,
            preview: None,
            unquoted: None,
            error: None,
        }
    }

    /// An empty line for a command.
    pub fn command() -> Self {
        Self::command_with("")
    }

    /// A command that has been begun.
    pub fn command_with(text: &str) -> Self {
        Self::new(Mode::Command, text)
    }

    /// The filter that is in force, to be changed.
    pub fn filter(text: &str) -> Self {
        Self::new(Mode::Filter, text)
    }

    pub fn search() -> Self {
        Self::new(Mode::Search, "")
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// What is wrong with the line that was submitted.  It is shown until the line changes.
    pub fn fail(&mut self, error: LineError) {
        self.error = Some(error);
    }

    /// Inserts text, and does nothing else.
    pub fn paste(&mut self, text: &str) {
        let text = text.trim_end_matches(['\n', '\r']);
        let fit = match &mut self.doing {
            Doing::Seeking(seeking) => seeking.query.insert(text),
            Doing::Editing | Doing::Choosing { .. } | Doing::Recalling { .. } => {
                self.doing = Doing::Editing;
                self.editor.insert(text)
            }
        };
        self.changed();
        self.check(fit);
    }

    /// Brings what is shown beside the line up to it: after it was made, after a paste, and when names have changed.
    pub fn refresh(&mut self, names: &Names, history: &History) {
        if self.mode != Mode::Command {
            return;
        }
        let (text, cursor) = (self.editor.text(), self.editor.cursor());
        if !matches!(self.doing, Doing::Choosing { .. }) {
            self.completion = complete(text, cursor, names);
        }
        let suggestion = self.editor.at_end().then(|| history.suggestion(text));
        self.suggestion = suggestion.flatten().map(str::to_string);
        self.unquoted = preview::unquoted(text);
        self.preview =
            preview(text, &names.known, &names.earlier).filter(|seen| !self.may_become_right(seen));
    }

    /// Whether what is wrong is the word under the cursor, and that is the beginning of something there is.
    fn may_become_right(&self, preview: &Preview) -> bool {
        let Preview::Wrong { range, .. } = preview else {
            return false;
        };
        let word = &self.completion.range;
        let within = word.start <= range.start && range.end <= word.end;
        within && !self.completion.candidates.is_empty()
    }

    /// Takes a key.  What is submitted is for whoever carries it out to remember: a line with a mistake is not.
    pub fn key(&mut self, key: KeyEvent, names: &Names, history: &History) -> Outcome {
        let outcome = match &self.doing {
            Doing::Seeking(_) => self.seek(key, history),
            Doing::Editing | Doing::Choosing { .. } | Doing::Recalling { .. } => {
                self.take(key, history)
            }
        };
        match &outcome {
            Outcome::Editing => self.refresh(names, history),
            Outcome::Submit(_) | Outcome::Cancel => {}
        }
        outcome
    }

    fn take(&mut self, key: KeyEvent, history: &History) -> Outcome {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let command = self.mode == Mode::Command;
        match key.code {
            KeyCode::Esc => return Outcome::Cancel,
            KeyCode::Char('c' | 'g') if control => return Outcome::Cancel,
            // As in vi: there is nothing left to take back but the bar itself.
            KeyCode::Backspace if self.text().is_empty() => return Outcome::Cancel,
            KeyCode::Enter => return self.submit(),
            KeyCode::Tab if command => self.choose(Way::Onward),
            KeyCode::BackTab if command => self.choose(Way::Back),
            KeyCode::Up if command => self.recall(Way::Back, history),
            KeyCode::Down if command => self.recall(Way::Onward, history),
            KeyCode::Char('p') if command && control => self.recall(Way::Back, history),
            KeyCode::Char('n') if command && control => self.recall(Way::Onward, history),
            KeyCode::Char('r') if command && control => {
                self.doing = Doing::Seeking(Seeking {
                    query: Editor::default(),
                    found: None,
                });
                self.error = None;
            }
            _ => match Edit::of(key) {
                Some(Edit::Right) if self.suggestion.is_some() && self.editor.at_end() => {
                    let suggestion = self.suggestion.take().unwrap_or_default();
                    self.edited(|editor| editor.insert(&suggestion));
                }
                Some(edit) => self.edited(|editor| editor.apply(edit)),
                None => {}
            },
        }
        Outcome::Editing
    }

    /// The line as it is typed; an empty command is none.
    fn submit(&self) -> Outcome {
        if self.mode == Mode::Command && self.text().trim().is_empty() {
            Outcome::Cancel
        } else {
            Outcome::Submit(self.text().to_string())
        }
    }

    fn edited(&mut self, edit: impl FnOnce(&mut Editor) -> Fit) {
        let before = self.editor.text().to_string();
        let fit = edit(&mut self.editor);
        self.doing = Doing::Editing;
        if self.editor.text() != before {
            self.changed();
        }
        self.check(fit);
    }

    /// What was said of the line does not hold any more.
    fn changed(&mut self) {
        self.error = None;
    }

    fn check(&mut self, fit: Fit) {
        if fit == Fit::Cut {
            let end = self.editor.text().len();
            self.error = Some(LineError {
                range: end..end,
                message: format!(
                    "a line holds {} KiB: the rest was cut off",
                    edit::LONGEST >> 10
                ),
                hint: Some("put a long script into a file, for --script FILE".to_string()),
            });
        }
    }

    /// What all candidates have in common, then one after another.
    fn choose(&mut self, way: Way) {
        let count = self.completion.candidates.len();
        let Some(last) = count.checked_sub(1) else {
            return;
        };
        let (chosen, end) = match (&self.doing, way) {
            (Doing::Choosing { chosen, end }, Way::Onward) => ((chosen + 1) % count, *end),
            (Doing::Choosing { chosen, end }, Way::Back) => {
                (chosen.checked_sub(1).unwrap_or(last), *end)
            }
            (_, Way::Back) => (last, self.completion.range.end),
            (_, Way::Onward) => {
                if self.complete_common() {
                    return;
                }
                (0, self.completion.range.end)
            }
        };
        let start = self.completion.range.start;
        let text = &self.completion.candidates[chosen].text;
        self.editor.replace(start..end, text);
        let end = start + text.len();
        self.doing = Doing::Choosing { chosen, end };
        self.changed();
    }

    /// Puts in what is certain; whether there was something.
    fn complete_common(&mut self) -> bool {
        let Completion {
            range,
            candidates,
            common,
            ..
        } = &self.completion;
        let text = match candidates.as_slice() {
            [only] if only.kind.is_whole() => format!("{} ", only.text),
            [only] => only.text.clone(),
            _ => common.clone(),
        };
        let typed = &self.editor.text()[range.clone()];
        let certain = text != typed && (candidates.len() == 1 || text.len() > typed.len());
        if certain {
            self.editor.replace(range.clone(), &text);
            self.doing = Doing::Editing;
            self.changed();
        }
        certain
    }

    /// Lines of the history that begin as what was typed.
    fn recall(&mut self, way: Way, history: &History) {
        let (typed, at) = match &self.doing {
            Doing::Recalling { typed, at } => (typed.clone(), Some(*at)),
            Doing::Editing | Doing::Choosing { .. } | Doing::Seeking(_) => {
                (self.text().to_string(), None)
            }
        };
        let found = match (way, at) {
            (Way::Back, at) => history.older(&typed, at),
            (Way::Onward, Some(at)) => history.newer(&typed, at),
            (Way::Onward, None) => return,
        };
        match (found, way) {
            (Some((at, line)), _) => {
                self.editor.set(line);
                self.doing = Doing::Recalling { typed, at };
            }
            // Past the newest stands what was typed.
            (None, Way::Onward) => {
                self.editor.set(&typed);
                self.doing = Doing::Editing;
            }
            (None, Way::Back) => return,
        }
        self.changed();
    }

    /// Keys while a line of the history is looked for.  Enter takes it into the bar, to be seen whole before it is run.
    fn seek(&mut self, key: KeyEvent, history: &History) -> Outcome {
        let Doing::Seeking(seeking) = &mut self.doing else {
            return Outcome::Editing;
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let take = |editor: &mut Editor, found: Option<(usize, String)>| {
            if let Some((_, line)) = found {
                editor.set(&line);
            }
        };
        match key.code {
            KeyCode::Esc => self.doing = Doing::Editing,
            KeyCode::Char('c' | 'g') if control => self.doing = Doing::Editing,
            KeyCode::Enter | KeyCode::Tab | KeyCode::Right => {
                take(&mut self.editor, seeking.found.take());
                self.doing = Doing::Editing;
            }
            KeyCode::Char('r') if control => {
                let before = seeking.found.as_ref().map(|(at, _)| *at);
                let older = history.holding(seeking.query.text(), before);
                if let Some((at, line)) = older {
                    seeking.found = Some((at, line.to_string()));
                }
            }
            _ => {
                if let Some(edit) = Edit::of(key) {
                    _ = seeking.query.apply(edit);
                    let found = history.holding(seeking.query.text(), None);
                    seeking.found = found.map(|(at, line)| (at, line.to_string()));
                }
            }
        }
        Outcome::Editing
    }
}

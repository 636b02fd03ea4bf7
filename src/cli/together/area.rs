//! Some lines at the end of a terminal that are drawn over and over in place, on stderr.
//!
//! While somebody is asked something there, they are not drawn.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::cli::terminal::Terminal;
use crate::view::text::{cut, harmless};

/// See the module.
#[derive(Debug, Default)]
pub(in crate::cli) struct Area(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Lines on the screen.
    drawn: usize,
    use_of: Use,
}

/// What the end of the terminal is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Use {
    #[default]
    Lines,
    /// Somebody is asked something.
    Question,
}

impl Area {
    /// Puts these lines in the place of those that are there.
    pub(super) fn draw(&self, terminal: Terminal, lines: &[String]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((columns, rows)) = terminal.size() else {
            return;
        };
        if state.use_of == Use::Question {
            return;
        }
        let mut text = wiped(state.drawn);
        // The cursor stands below the last line.
        let lines = &lines[..lines.len().min(rows.saturating_sub(1))];
        for line in lines {
            let line = harmless(line.as_bytes()).replace('\t', " ");
            text.push_str(cut(&line, columns.saturating_sub(1)).as_ref());
            text.push('\n');
        }
        state.drawn = lines.len();
        write(&text);
    }

    /// Takes the lines away.
    pub(super) fn clear(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clear();
    }

    /// Makes room for a question until it was answered.
    pub(in crate::cli) fn give_way(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clear();
        state.use_of = Use::Question;
    }

    pub(in crate::cli) fn take_back(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.use_of = Use::Lines;
    }
}

impl State {
    fn clear(&mut self) {
        if self.drawn > 0 {
            write(&wiped(std::mem::take(&mut self.drawn)));
        }
    }
}

/// What takes so many lines away.
fn wiped(lines: usize) -> String {
    match lines {
        0 => String::new(),
        lines => format!("\x1b[{lines}F\x1b[J"),
    }
}

/// A terminal that takes nothing shows nothing.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

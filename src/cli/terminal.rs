//! What stdout and stderr are connected to.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::command::Colour;
use crate::view::text::harmless_json;

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, one each")]
pub(super) struct Terminal {
    /// Whether stdout is a terminal.
    pub(super) out: bool,
    /// Whether stderr is.
    pub(super) err: bool,
    /// Whether stdin is, so that questions can be answered.
    pub(super) input: bool,
    pub(super) colour: bool,
}

impl Terminal {
    pub(super) fn new(colour: Colour) -> Self {
        let out = io::stdout().is_terminal();
        // https://no-color.org: any value that is not empty.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => out && !no_color,
        };
        Self {
            out,
            err: io::stderr().is_terminal(),
            input: io::stdin().is_terminal(),
            colour,
        }
    }

    /// Prints a JSON value on a line of stdout; on a terminal nothing in it can deceive.
    pub(super) fn json(self, out: &mut impl Write, value: &Value) -> io::Result<()> {
        let text = value.to_string();
        if self.out {
            writeln!(out, "{}", harmless_json(&text))
        } else {
            writeln!(out, "{text}")
        }
    }

    /// The width to lay tables out for, if stdout is a terminal.
    pub(super) fn width(self) -> Option<usize> {
        self.size().map(|(columns, _)| columns)
    }

    /// Columns and rows, if stdout is a terminal.
    pub(super) fn size(self) -> Option<(usize, usize)> {
        let size = self
            .out
            .then(|| rustix::termios::tcgetwinsize(io::stdout()).ok())??;
        (size.ws_col > 0).then_some((usize::from(size.ws_col), usize::from(size.ws_row)))
    }
}

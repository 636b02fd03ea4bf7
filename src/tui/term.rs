//! The terminal: taking it over, giving it back whatever happens, and what goes to it beside the picture.

use std::io::{self, Stdout, Write};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use super::event::Mouse;

/// What panics had to say while the console had the screen.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A terminal that is the console's until this is dropped: however that comes, also by a panic, the terminal is as it was
/// before, and what panics had to say is readable.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: Mouse,
    held: Held,
}

/// Whether the console has the terminal just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Yes,
    No,
}

impl Screen {
    /// Takes the terminal over.
    pub fn enter(mouse: Mouse) -> io::Result<Self> {
        keep_panics_off_the_screen();
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut screen = Self {
            terminal,
            mouse,
            held: Held::No,
        };
        screen.take()?;
        Ok(screen)
    }

    /// Takes the terminal over again after [`Screen::give_back`].
    pub fn take(&mut self) -> io::Result<()> {
        // Undone first: after a stop that nobody announced, somebody else may have set the modes that are believed to be ours.
        disable_raw_mode()?;
        enable_raw_mode()?;
        self.held = Held::Yes;
        let mut out = io::stdout();
        execute!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            Hide
        )?;
        if self.mouse == Mouse::Console {
            execute!(out, EnableMouseCapture)?;
        }
        self.forget()
    }

    /// Gives the terminal back to whoever had it before.
    pub fn give_back(&mut self) -> io::Result<()> {
        if self.held == Held::No {
            return Ok(());
        }
        self.held = Held::No;
        let mut out = io::stdout();
        // Each of them is undone whatever became of the others.
        let undone = execute!(
            out,
            DisableMouseCapture,
            DisableFocusChange,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        // An empty title is what the terminal's own begins with again.
        let titled = write!(out, "\x1b]2;\x07").and_then(|()| out.flush());
        disable_raw_mode().and(undone).and(titled)
    }

    /// Draws one picture, in one piece.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(draw).map(|_| ());
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        drawn
    }

    /// Forgets what is on the screen, so that all of it is painted again.
    pub fn forget(&mut self) -> io::Result<()> {
        let (width, height) = self.size()?;
        // Not `clear`: that asks the terminal where its cursor is, and one that does not answer would end us.
        self.terminal.resize(Rect::new(0, 0, width, height))
    }

    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    pub fn set_mouse(&mut self, mouse: Mouse) -> io::Result<()> {
        self.mouse = mouse;
        match mouse {
            Mouse::Console => execute!(io::stdout(), EnableMouseCapture),
            Mouse::Terminal => execute!(io::stdout(), DisableMouseCapture),
        }
    }

    /// Names the window (OSC 2).  The text is ours, and made of printable characters.
    pub fn set_title(title: &str) -> io::Result<()> {
        let plain: String = title.chars().filter(|c| !c.is_control()).collect();
        say(&format!("\x1b]2;{plain}\x07"))
    }

    /// Gives text to the terminal's clipboard (OSC 52), through tmux where there is one.
    pub fn copy(text: &str) -> io::Result<()> {
        let sequence = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text));
        say(&through_multiplexer(&sequence))
    }

    pub fn bell() -> io::Result<()> {
        say("\x07")
    }

    /// A notification of the desktop: OSC 9, or OSC 777 with a title.
    pub fn notify_osc9(text: &str) -> io::Result<()> {
        say(&through_multiplexer(&format!("\x1b]9;{}\x07", plain(text))))
    }

    pub fn notify_osc777(text: &str) -> io::Result<()> {
        say(&through_multiplexer(&format!(
            "\x1b]777;notify;regatta;{}\x07",
            plain(text)
        )))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        _ = self.give_back();
        tell_panics();
    }
}

/// Text for a notification: nothing in it ends or begins a sequence.
fn plain(text: &str) -> String {
    let harmless = |c: char| if c.is_control() || c == ';' { ' ' } else { c };
    text.chars().map(harmless).collect()
}

/// tmux passes on what is wrapped for it, with its own escapes doubled.
fn through_multiplexer(sequence: &str) -> String {
    if std::env::var_os("TMUX").is_some_and(|tmux| !tmux.is_empty()) {
        format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
    } else {
        sequence.to_string()
    }
}

fn say(sequence: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(sequence.as_bytes())?;
    out.flush()
}

/// A panic, in whichever thread, must not write over the picture.  What it has to say is kept until the terminal has been
/// given back; a panic of the console itself unwinds through [`Screen`], which does that.
fn keep_panics_off_the_screen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let trace = std::backtrace::Backtrace::capture();
            let said = format!("{info}\n{trace}");
            SAID.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(said);
        }));
    });
}

#[expect(
    clippy::print_stderr,
    reason = "the terminal is no longer the console's"
)]
fn tell_panics() {
    let said = std::mem::take(&mut *SAID.lock().unwrap_or_else(PoisonError::into_inner));
    for panic in said {
        eprintln!("regatta has a defect: {panic}");
    }
}

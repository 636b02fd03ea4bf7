//! The console on a pseudo-terminal that is its own, as the terminal's emulator shows it.

use std::num::NonZeroU16;
use std::process::Command;

use rustix::process::Signal;
use rustix::termios::{LocalModes, Termios};
use vt100::MouseProtocolMode;

use crate::support::pty::OnTerminal;
use crate::support::{Home, Ran, comes, contains};

pub const USUAL: (u16, u16) = (120, 40);

/// How a picture ends: with the end of a synchronised update.
const PICTURE: &[u8] = b"\x1b[?2026l";

/// See the module.
pub struct Screen {
    terminal: OnTerminal,
    emulator: vt100::Parser,
    /// How much of what was sent the emulator has seen.
    seen: usize,
    before: Termios,
}

/// A console that has ended.
pub struct Left {
    pub ran: Ran,
    emulator: vt100::Parser,
    before: Termios,
    after: Termios,
}

impl Screen {
    /// Starts `regatta` with these arguments; where there is no verb, that is the console.
    pub fn open(home: &Home, size: (u16, u16), arguments: &[&str]) -> Self {
        Self::open_with(home, size, arguments, &[])
    }

    /// The same with variables in its environment.
    pub fn open_with(
        home: &Home,
        size: (u16, u16),
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = alone_on_its_terminal(home, env!("CARGO_BIN_EXE_regatta"));
        command.args(arguments).envs(variables.iter().copied());
        Self::start(command, size)
    }

    /// A shell with job control, as an operator has it.
    pub fn shell(home: &Home) -> Self {
        let mut command = alone_on_its_terminal(home, "sh");
        command.args(["-i"]).env("PS1", "shell> ");
        Self::start(command, USUAL)
    }

    fn start(command: Command, size: (u16, u16)) -> Self {
        let terminal = OnTerminal::of_size(command, size.0, size.1);
        let (columns, rows) = cells(size);
        Self {
            before: terminal.modes(),
            emulator: vt100::Parser::new(rows, columns, 0),
            seen: 0,
            terminal,
        }
    }

    /// Waits until this can be read on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        self.until_it(&format!("{text:?} on the screen"), |screen| {
            screen.contents().contains(text)
        });
    }

    #[track_caller]
    pub fn until_gone(&mut self, text: &str) {
        self.until_it(&format!("no {text:?} on the screen"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// Waits until some row has all of these in it.
    #[track_caller]
    pub fn until_row(&mut self, parts: &[&str]) {
        self.until_it(&format!("a row with {parts:?}"), |screen| {
            screen
                .contents()
                .lines()
                .any(|row| parts.iter().all(|part| row.contains(part)))
        });
    }

    /// Waits until a picture is like this: each is looked at, however short it was there.
    #[track_caller]
    pub fn until_it(&mut self, what: &str, like: impl Fn(&vt100::Screen) -> bool) {
        let came = comes(|| {
            if like(self.emulator.screen()) {
                return true;
            }
            let new = self.terminal.shown_since(self.seen);
            let mut start = 0;
            while start < new.len() {
                let rest = &new[start..];
                let end = rest
                    .windows(PICTURE.len())
                    .position(|window| window == PICTURE)
                    .map_or(rest.len(), |at| at + PICTURE.len());
                self.emulator.process(&rest[..end]);
                self.seen += end;
                start += end;
                if like(self.emulator.screen()) {
                    return true;
                }
            }
            false
        });
        assert!(came, "in vain: {what}\n{}", self.contents());
    }

    /// The picture that was waited for last.
    pub fn contents(&self) -> String {
        self.emulator.screen().contents()
    }

    pub fn emulated(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    /// Everything that was sent to the terminal.
    pub fn sent(&self) -> Vec<u8> {
        self.terminal.shown()
    }

    /// Esc with anything right behind it would be another key: its effect is to be waited for.
    pub fn keys(&mut self, keys: &str) {
        self.terminal.types(keys);
    }

    /// A line of the bar.
    pub fn line(&mut self, line: &str) {
        self.keys(&format!(":{line}\r"));
    }

    /// What a terminal sends when this is pasted.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        let (columns, rows) = cells(size);
        self.emulator.set_size(rows, columns);
        self.terminal.resize(size);
    }

    pub fn pid(&self) -> u32 {
        self.terminal.running().pid()
    }

    pub fn signal(&self, signal: Signal) {
        self.terminal.running().signal(signal);
    }

    /// Whether keys come one by one and unseen.
    pub fn is_raw(&self) -> bool {
        let modes = self.terminal.modes().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// As if somebody else had used the terminal.
    pub fn set_modes_of_before(&self) {
        self.terminal.set_modes(&self.before);
    }

    /// Whether the terminal is told to behave as the console wants it.
    pub fn is_taken(&self) -> bool {
        let sent = self.sent();
        let screen = self.emulator.screen();
        screen.alternate_screen() && screen.bracketed_paste() && is_on(&sent, "1004")
    }

    pub fn is_given_back(&self) -> bool {
        is_given_back(self.emulator.screen(), &self.sent())
    }

    /// Waits for its end.
    pub fn left(mut self) -> Left {
        // The modes are those of the terminal, which stays for as long as this end is open.
        comes(|| !self.terminal.is_running());
        let after = self.terminal.modes();
        let ran = self.terminal.finish();
        self.emulator.process(&ran.stdout[self.seen..]);
        Left {
            ran,
            emulator: self.emulator,
            before: self.before,
            after,
        }
    }
}

impl Left {
    /// It ended with this code, and the terminal is as it was before.
    #[track_caller]
    pub fn gave_back(self, code: i32) -> Ran {
        let ran = self.ran.exits(code);
        assert!(
            is_given_back(self.emulator.screen(), &ran.stdout),
            "{ran:?}"
        );
        assert_eq!(
            (
                self.before.local_modes,
                self.before.input_modes,
                self.before.output_modes
            ),
            (
                self.after.local_modes,
                self.after.input_modes,
                self.after.output_modes
            )
        );
        ran
    }
}

fn is_given_back(screen: &vt100::Screen, sent: &[u8]) -> bool {
    !screen.alternate_screen()
        && !screen.bracketed_paste()
        && !screen.hide_cursor()
        && screen.mouse_protocol_mode() == MouseProtocolMode::None
        && !is_on(sent, "1004")
}

/// Whether a private mode was switched on last, and not off; for those that the emulator does not know.
fn is_on(sent: &[u8], mode: &str) -> bool {
    let text = String::from_utf8_lossy(sent);
    let last = |end: char| text.rfind(&format!("\x1b[?{mode}{end}"));
    last('h') > last('l')
}

/// A program that has the terminal it is started on for itself, as in a window of its own.
fn alone_on_its_terminal(home: &Home, program: &str) -> Command {
    let mut command = home.program("setsid");
    command.args(["--ctty", program]);
    command
}

fn cells((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    let some = |count| NonZeroU16::new(count).expect("some cells");
    (some(columns), some(rows))
}

/// Whether any sequence of this beginning was sent.
pub fn was_sent(sent: &[u8], beginning: &str) -> bool {
    contains(sent, beginning.as_bytes())
}

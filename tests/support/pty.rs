//! A program on a pseudo-terminal: what an operator would see, and what they type.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, Termios, Winsize, tcgetattr, tcsetattr, tcsetwinsize,
};

use super::{Ran, Running, until};

/// A program whose input and output are a terminal.
pub struct OnTerminal {
    running: Running,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl OnTerminal {
    /// On a terminal that does not say how large it is.
    pub fn spawn(command: Command) -> Self {
        Self::of_size(command, 0, 0)
    }

    /// On a terminal of so many columns and rows.
    pub fn of_size(mut command: Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("its other end");
        unlockpt(&master).expect("its other end");
        set_size(&master, (columns, rows));
        let name = ptsname(&master, Vec::new()).expect("its name");
        let name = name.into_string().expect("a UTF-8 name");
        // Never the terminal of the tests themselves.
        let flags = OFlags::NOCTTY.bits().cast_signed();
        let open = || -> Stdio {
            File::options()
                .read(true)
                .write(true)
                .custom_flags(flags)
                .open(&name)
                .expect("its other end")
                .into()
        };
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("the program starts");
        // The last open other end has to be the program's, or the screen would have no end.
        drop(command);
        let keyboard = File::from(master);
        let mut tube = keyboard.try_clone().expect("a second handle");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&screen);
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            // Linux: EIO once the last process with the other end is gone.
            while let Ok(length @ 1..) = tube.read(&mut piece) {
                shown
                    .lock()
                    .expect("nobody panics with it")
                    .extend_from_slice(&piece[..length]);
            }
        });
        Self {
            running: Running::of(child),
            keyboard,
            screen,
            reader,
        }
    }

    /// Waits until this can be read on the screen.
    pub fn until_shown(&self, text: &str) {
        until(&format!("{text:?} on the terminal"), || {
            String::from_utf8_lossy(&self.shown()).contains(text)
        });
    }

    pub fn types(&mut self, text: &str) {
        self.keyboard
            .write_all(text.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO)
    }

    /// How the terminal treats what is typed and shown.
    pub fn modes(&self) -> Termios {
        tcgetattr(&self.keyboard).expect("a terminal")
    }

    /// What another program on this terminal might do to it.
    pub fn set_modes(&self, modes: &Termios) {
        tcsetattr(&self.keyboard, OptionalActions::Now, modes).expect("a terminal");
    }

    /// Gives the window another size; whoever is in it is told.
    pub fn resize(&self, size: (u16, u16)) {
        set_size(&self.keyboard, size);
    }

    /// What was shown after so many bytes.
    pub fn shown_since(&self, start: usize) -> Vec<u8> {
        self.screen.lock().expect("nobody panics with it")[start..].to_vec()
    }

    /// Everything shown so far.
    pub fn shown(&self) -> Vec<u8> {
        self.screen.lock().expect("nobody panics with it").clone()
    }

    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.running.runs()
    }

    /// Waits for its end; what was shown comes as standard output.
    pub fn finish(self) -> Ran {
        let mut ran = self.running.finish();
        self.reader.join().expect("the reader does not panic");
        ran.stdout = std::mem::take(&mut *self.screen.lock().expect("nobody panics with it"));
        ran
    }
}

fn set_size(terminal: impl AsFd, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).expect("a terminal has a size");
}

//! A program on a pseudo-terminal: what an operator would see, and what they type.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

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
        let name = ptsname(&master, Vec::new()).expect("its name");
        let name = name.into_string().expect("a UTF-8 name");
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a size");
        let open = || -> Stdio {
            File::options()
                .read(true)
                .write(true)
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

    /// Everything shown so far.
    pub fn shown(&self) -> Vec<u8> {
        self.screen.lock().expect("nobody panics with it").clone()
    }

    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Waits for its end; what was shown comes as standard output.
    pub fn finish(self) -> Ran {
        let mut ran = self.running.finish();
        self.reader.join().expect("the reader does not panic");
        ran.stdout = std::mem::take(&mut *self.screen.lock().expect("nobody panics with it"));
        ran
    }
}

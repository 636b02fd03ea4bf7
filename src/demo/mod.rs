//! A simulated fleet: an SSH server inside this program, on the loopback interface, with any number of computers
//! behind it that exist nowhere else.
//!
//! What is real: TCP, SSH, keys, channels, and everything regatta does on its side of them.  What is simulated: the
//! computers, their shell with a handful of commands, and their processes.  The computers obey the same prologue and
//! the same probe as real ones and answer them by the state of their simulated processes.
//!
//! Which computer a connection reaches is decided by the login name: that needs one address, one port and no
//! privileges on any system.  Deliberately not here: what is shown of a demonstration (`cli::demo`), terminals, file
//! transfer, forwarding.

pub mod computer;
pub mod fleet;
pub mod place;
pub mod server;

mod channel;
mod process;
mod queries;
mod service;
mod session;
mod shell;
mod software;
mod wire;

//! How making a connection fails: in plain words, and with what that says about another try.

use std::io;

use russh::Error;

use super::host_key::printable;
use super::pace::Went;
use super::route::Target;
use super::wire::Fate;
use crate::core::reason::Reason;

/// Why a try came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) fault: Fault,
}

/// What a failure says about the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It would come to the same.
    Lasting,
    /// There is no way to this address, and there may be one to the next.
    Unreached,
    /// Nobody listened there: it may be starting.
    Refused,
    /// It hung up before it said who it is.
    Dropped,
    /// It says that it has too many log-ins under way.
    Busy,
}

impl Fault {
    /// How often it is worth trying again, where so many attempts are asked for (`ConnectionAttempts`).
    pub(super) fn tries(self, attempts: u32) -> u32 {
        let wanted = attempts.saturating_sub(1);
        match self {
            Self::Lasting => 0,
            Self::Unreached => wanted,
            Self::Refused | Self::Dropped => wanted.max(1),
            Self::Busy => wanted.max(5),
        }
    }

    /// What it says about the server's patience.
    pub(super) fn went(self) -> Went {
        match self {
            Self::Lasting | Self::Unreached | Self::Refused => Went::Otherwise,
            Self::Dropped | Self::Busy => Went::Dropped,
        }
    }
}

impl Failure {
    pub(super) fn lasting(reason: Reason) -> Self {
        let fault = Fault::Lasting;
        Self { reason, fault }
    }

    /// The failure of a target: of a hop it says that.
    pub(super) fn at(self, target: &Target) -> Self {
        Self {
            reason: target.told(self.reason),
            fault: self.fault,
        }
    }

    /// The reason, after so many tries.
    pub(super) fn told(self, tries: u32) -> Reason {
        let text = |why| match tries {
            1 => why,
            2 => format!("{why} (tried twice)"),
            _ => format!("{why} (tried {tries} times)"),
        };
        match self.reason {
            Reason::Unreachable(why) => Reason::Unreachable(text(why)),
            reason => reason,
        }
    }
}

pub(super) fn no_such_host(host: &str, error: &io::Error) -> String {
    let text = error.to_string();
    // The resolver's codes do not survive the standard library; a name server that is down is the one other case.
    if text.contains("Temporary failure") || text.contains("try again") {
        format!("{host} could not be looked up: {text}")
    } else {
        format!("no such host name: {host}")
    }
}

/// Why there is no TCP connection, in plain words.
fn unreachable(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "connection refused".to_owned(),
        Kind::HostUnreachable => "no route to host".to_owned(),
        Kind::NetworkUnreachable => "network unreachable".to_owned(),
        Kind::TimedOut => "no answer".to_owned(),
        Kind::ConnectionReset => "connection reset".to_owned(),
        Kind::PermissionDenied => "connecting is not permitted on this computer".to_owned(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            "too many open files on this computer: raise the limit (ulimit -n)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// There is no TCP connection.
pub(super) fn not_reached(error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    Failure {
        reason: Reason::Unreachable(unreachable(error)),
        fault: match error.kind() {
            Kind::ConnectionRefused | Kind::ConnectionReset | Kind::TimedOut => Fault::Refused,
            _ => Fault::Unreached,
        },
    }
}

/// Why the handshake failed: the host key first, which the library reports as any other failure.
pub(super) fn handshake_failed(error: &Error, fate: &Fate) -> Failure {
    if let Some(reason) = fate.rejected.get() {
        return Failure::lasting(reason.clone());
    }
    let greeting = fate.greeting.get().map_or(&[][..], |greeting| greeting);
    if !greeting.is_empty() && !speaks_ssh(greeting) {
        let line = String::from_utf8_lossy(greeting);
        let line = printable(line.lines().next().unwrap_or_default());
        if TOO_MANY.iter().any(|words| line.starts_with(words)) {
            return Failure {
                reason: Reason::Unreachable(format!(
                    "the server takes no more log-ins now: {line}"
                )),
                fault: Fault::Busy,
            };
        }
        return Failure::lasting(Reason::Protocol(format!("it says {line:?}")));
    }
    let closed = match error {
        Error::IO(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Some("closed"),
            io::ErrorKind::ConnectionReset => Some("reset"),
            _ => None,
        },
        Error::Disconnect | Error::HUP => Some("closed"),
        _ => None,
    };
    let fault = match closed {
        Some(_) => Fault::Dropped,
        None => Fault::Lasting,
    };
    let reason = match (closed, error) {
        (Some(how), _) => Reason::Unreachable(format!(
            "the connection was {how} during the handshake; the server may be too busy, or does not want this address"
        )),
        (None, Error::NoCommonAlgo { kind, theirs, .. }) => Reason::Protocol(format!(
            "nothing in common for {kind:?}; it offers {}",
            printable(&theirs.join(", "))
        )),
        (None, Error::Version) => Reason::Protocol("it does not speak SSH 2".to_owned()),
        (None, Error::IO(error)) => Reason::Unreachable(unreachable(error)),
        (None, error) => Reason::Protocol(error.to_string()),
    };
    Failure { reason, fault }
}

/// With these words OpenSSH's server takes no log-in for now: `MaxStartups`, and `PerSourcePenalties`.
const TOO_MANY: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];

/// A server may send other lines before the one that begins with `SSH-` (RFC 4253, section 4.2).
fn speaks_ssh(greeting: &[u8]) -> bool {
    greeting
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"SSH-") || b"SSH-".starts_with(line) && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn as_many_attempts_are_made_as_are_asked_for_where_that_can_help() {
        let tries = |attempts: u32| {
            [
                Fault::Lasting,
                Fault::Unreached,
                Fault::Refused,
                Fault::Dropped,
                Fault::Busy,
            ]
            .map(|fault| fault.tries(attempts))
        };
        assert_eq!(tries(1), [0, 0, 1, 1, 5]);
        assert_eq!(tries(4), [0, 3, 3, 3, 5]);
        assert_eq!(tries(9), [0, 8, 8, 8, 8]);
    }
}

//! Why a child is Failed, Stopped or Disconnected.  Typed, so that nothing has to read it back from text.

use std::fmt;
use std::time::Duration;

use super::spec::Motion;

/// The reason beside a state.  [`Reason::kind`] is the stable word of the JSON contract, `Display` the text people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The command ended with a code that is not fine for this job.
    Exit(i32),
    /// The command was killed by a signal nobody here sent; the name is without `SIG`.
    Signal(String),
    /// No connection to the computer: what the network said.
    Unreachable(String),
    /// The computer answered, but not as an SSH server should.
    Protocol(String),
    /// No key is known for the host.
    HostKeyUnknown(String),
    /// The host's key differs from the known one.
    HostKeyChanged(String),
    /// The host's key, or what signed it, is marked as one that nobody may have any more.
    HostKeyRevoked(String),
    /// Every way to log in was refused: which were tried.
    AuthFailed(String),
    /// sudo(8) did not let the command run as whoever was meant: why.
    Sudo(String),
    /// A secret that the script needs was not given: which, and why.
    Secret(String),
    /// The server let us in but refused to run the command.
    Refused(String),
    /// Settings for this host that cannot be used: which, and where they stand.
    BadSettings(String),
    /// A limit ran out.
    TimedOut {
        what: Limit,
        after: Duration,
        left: Left,
        /// The hop that did not answer, where it was not the host itself.
        hop: Option<String>,
    },
    /// An operator stopped it.
    Stopped(Left),
    /// An operator stopped it, and it took KILL; a probe found nothing alive.
    Killed,
    /// Stopped while it was still queued or connecting: nothing ran.
    StoppedBeforeStart,
    /// The connection broke while the command ran.
    ConnectionLost { why: String, fate: Fate },
    /// It was suspended or resumed, and not all of it was seen to be so.
    Unmoved(Doubt),
    /// A defect in regatta itself.
    Internal(String),
}

/// Which limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Reaching the host and logging in.
    Connect,
    /// The command itself.
    Command,
    /// The whole job, queue included.
    Job,
    /// What is kept of a child's output; no time.
    Output,
}

/// What is known to be left on the computer after a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// A probe found nothing alive.
    Nothing,
    /// A probe found these processes alive.
    Alive(Vec<u32>),
    /// No probe was possible; `pid` led the command, if it was known.
    Unproved { pid: Option<u32>, why: String },
}

/// What is not known of a command that was told to stand still, or to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A probe saw that these processes do not do it.
    Seen { motion: Motion, pids: Vec<u32> },
    /// No probe was possible; `pid` leads the command.
    Unproved {
        motion: Motion,
        pid: Option<u32>,
        why: String,
    },
}

/// What became of a command whose connection broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Being looked up over a new connection.
    Probing { pid: Option<u32> },
    /// A probe found nothing alive; how it ended is not known.
    Ended,
    /// A probe found these processes alive, and they could not be ended.
    Alive(Vec<u32>),
    /// No probe was possible; it may still run.
    Unknown { pid: Option<u32>, why: String },
}

impl Reason {
    /// The stable word for this reason in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Exit(_) => "exit",
            Self::Signal(_) => "signal",
            Self::Unreachable(_) => "unreachable",
            Self::Protocol(_) => "protocol",
            Self::HostKeyUnknown(_) => "host_key_unknown",
            Self::HostKeyChanged(_) => "host_key_changed",
            Self::HostKeyRevoked(_) => "host_key_revoked",
            Self::AuthFailed(_) => "auth_failed",
            Self::Sudo(_) => "sudo",
            Self::Secret(_) => "secret",
            Self::Refused(_) => "refused",
            Self::BadSettings(_) => "bad_settings",
            Self::TimedOut {
                what: Limit::Output,
                ..
            } => "output_full",
            Self::TimedOut { .. } => "timed_out",
            Self::Stopped(Left::Nothing) | Self::Killed | Self::StoppedBeforeStart => "stopped",
            Self::Stopped(_) => "stop_unconfirmed",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::Unmoved(
                Doubt::Seen {
                    motion: Motion::Suspend,
                    ..
                }
                | Doubt::Unproved {
                    motion: Motion::Suspend,
                    ..
                },
            ) => "suspend_unconfirmed",
            Self::Unmoved(Doubt::Seen { .. } | Doubt::Unproved { .. }) => "resume_unconfirmed",
            Self::Internal(_) => "internal",
        }
    }

    /// What a stop is not proved to have ended.
    pub(super) fn unproved(&self) -> Option<&Left> {
        if let Self::Stopped(left) | Self::TimedOut { left, .. } = self
            && *left != Left::Nothing
        {
            Some(left)
        } else {
            None
        }
    }

    /// Takes down what is known now to be left after a stop.
    pub(super) fn learn_left(&mut self, now: Left) {
        if let Self::Stopped(left) | Self::TimedOut { left, .. } = self {
            *left = now;
        }
    }

    /// Whether it was not proved that the command is where its state says: something may still run on the computer.
    pub fn unconfirmed(&self) -> bool {
        match self {
            Self::Stopped(left) | Self::TimedOut { left, .. } => *left != Left::Nothing,
            Self::ConnectionLost { fate, .. } => *fate != Fate::Ended,
            Self::Unmoved(_) => true,
            Self::Exit(_)
            | Self::Signal(_)
            | Self::Unreachable(_)
            | Self::Protocol(_)
            | Self::HostKeyUnknown(_)
            | Self::HostKeyChanged(_)
            | Self::HostKeyRevoked(_)
            | Self::AuthFailed(_)
            | Self::Sudo(_)
            | Self::Secret(_)
            | Self::Refused(_)
            | Self::BadSettings(_)
            | Self::Killed
            | Self::StoppedBeforeStart
            | Self::Internal(_) => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(name) => write!(f, "killed by SIG{name}"),
            Self::Unreachable(why) => write!(f, "unreachable: {why}"),
            Self::Protocol(why) => write!(f, "not a usable SSH server: {why}"),
            Self::HostKeyUnknown(what) => write!(f, "host key unknown: {what}"),
            Self::HostKeyChanged(what) => write!(f, "host key changed: {what}"),
            Self::HostKeyRevoked(what) => write!(f, "host key revoked: {what}"),
            Self::AuthFailed(tried) => write!(f, "auth failed: {tried}"),
            Self::Sudo(why) => write!(f, "sudo: {why}"),
            Self::Secret(why) => f.write_str(why),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::BadSettings(what) => write!(f, "bad settings: {what}"),
            Self::TimedOut {
                what,
                after,
                left,
                hop,
            } => {
                match what {
                    Limit::Connect => f.write_str("connect timed out")?,
                    Limit::Command => f.write_str("timed out")?,
                    Limit::Job => f.write_str("job timed out")?,
                    Limit::Output => f.write_str("wrote more than is kept")?,
                }
                if *what != Limit::Output {
                    write!(f, " after {}", Seconds(*after))?;
                }
                if let Some(hop) = hop {
                    write!(f, " at hop {hop}")?;
                }
                match left {
                    Left::Nothing => Ok(()),
                    left @ (Left::Alive(_) | Left::Unproved { .. }) => write!(f, "; {left}"),
                }
            }
            Self::Stopped(left) => left.fmt(f),
            Self::Killed => write!(f, "{} (KILL)", Left::Nothing),
            Self::StoppedBeforeStart => f.write_str("stopped before it started"),
            Self::ConnectionLost { why, fate } => write!(f, "connection lost: {why}; {fate}"),
            Self::Unmoved(doubt) => doubt.fmt(f),
            Self::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("stopped by operator"),
            Self::Alive(pids) => write!(f, "stop unconfirmed, {} still alive", Pids(pids)),
            Self::Unproved {
                pid: Some(pid),
                why,
            } => write!(f, "stop unconfirmed, pid {pid}: {why}"),
            Self::Unproved { pid: None, why } => write!(f, "stop unconfirmed: {why}"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |motion: &Motion| match motion {
            Motion::Suspend => "suspend unconfirmed",
            Motion::Resume => "resume unconfirmed",
        };
        match self {
            Self::Seen { motion, pids } => {
                let does = match motion {
                    Motion::Suspend => "runs on",
                    Motion::Resume => "still stands still",
                };
                write!(f, "{}, {} {does}", word(motion), Pids(pids))
            }
            Self::Unproved {
                motion,
                pid: Some(pid),
                why,
            } => write!(f, "{}, pid {pid}: {why}", word(motion)),
            Self::Unproved {
                motion,
                pid: None,
                why,
            } => write!(f, "{}: {why}", word(motion)),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probing { pid: Some(pid) } => write!(f, "looking whether pid {pid} still runs"),
            Self::Probing { pid: None } => f.write_str("looking whether the command still runs"),
            Self::Ended => f.write_str("the command has ended, how is not known"),
            Self::Alive(pids) => write!(f, "{} still alive", Pids(pids)),
            Self::Unknown {
                pid: Some(pid),
                why,
            } => write!(f, "pid {pid} may still run ({why})"),
            Self::Unknown { pid: None, why } => write!(f, "the command may still run ({why})"),
        }
    }
}

/// A duration as people say it: `30s`, `0.5s`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(f, "{}s", self.0.as_secs())
        } else {
            write!(f, "{}s", self.0.as_millis() as f64 / 1000.0)
        }
    }
}

struct Pids<'a>(&'a [u32]);

impl fmt::Display for Pids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pid")?;
        for (n, pid) in self.0.iter().enumerate() {
            write!(f, "{}{pid}", if n == 0 { " " } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_the_design_says() {
        let after = Duration::from_secs(30);
        let cases = [
            (Reason::Exit(3), "exit", "exit 3"),
            (Reason::Signal("SEGV".into()), "signal", "killed by SIGSEGV"),
            (
                Reason::Unreachable("connection refused".into()),
                "unreachable",
                "unreachable: connection refused",
            ),
            (
                Reason::HostKeyRevoked("web presents a key that revoked:1 revokes".into()),
                "host_key_revoked",
                "host key revoked: web presents a key that revoked:1 revokes",
            ),
            (
                Reason::AuthFailed("publickey, password tried".into()),
                "auth_failed",
                "auth failed: publickey, password tried",
            ),
            (
                Reason::TimedOut {
                    what: Limit::Command,
                    after,
                    left: Left::Nothing,
                    hop: None,
                },
                "timed_out",
                "timed out after 30s",
            ),
            (
                Reason::TimedOut {
                    what: Limit::Connect,
                    after,
                    left: Left::Nothing,
                    hop: Some("bastion2".into()),
                },
                "timed_out",
                "connect timed out after 30s at hop bastion2",
            ),
            (
                Reason::TimedOut {
                    what: Limit::Command,
                    after,
                    left: Left::Alive(vec![4711]),
                    hop: None,
                },
                "timed_out",
                "timed out after 30s; stop unconfirmed, pid 4711 still alive",
            ),
            (
                Reason::Stopped(Left::Nothing),
                "stopped",
                "stopped by operator",
            ),
            (Reason::Killed, "stopped", "stopped by operator (KILL)"),
            (
                Reason::Stopped(Left::Unproved {
                    pid: Some(4711),
                    why: "host unreachable".into(),
                }),
                "stop_unconfirmed",
                "stop unconfirmed, pid 4711: host unreachable",
            ),
            (
                Reason::Unmoved(Doubt::Seen {
                    motion: Motion::Suspend,
                    pids: vec![7, 4711],
                }),
                "suspend_unconfirmed",
                "suspend unconfirmed, pid 7, 4711 runs on",
            ),
            (
                Reason::Unmoved(Doubt::Unproved {
                    motion: Motion::Resume,
                    pid: Some(9),
                    why: "host unreachable".into(),
                }),
                "resume_unconfirmed",
                "resume unconfirmed, pid 9: host unreachable",
            ),
            (
                Reason::ConnectionLost {
                    why: "no answer for 45s".into(),
                    fate: Fate::Unknown {
                        pid: Some(9),
                        why: "host unreachable".into(),
                    },
                },
                "connection_lost",
                "connection lost: no answer for 45s; pid 9 may still run (host unreachable)",
            ),
        ];
        for (reason, kind, text) in cases {
            assert_eq!((reason.kind(), reason.to_string().as_str()), (kind, text));
        }
    }
}

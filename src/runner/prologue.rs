//! The small `sh` program that starts every command, on this computer and on others.
//!
//! It becomes the command: it sets the environment, leaves a watcher behind that holds the **lifeline** (the channel's
//! standard input), says which process it is, and `exec`s the login shell or the script's interpreter.  So what `sshd`
//! (or we) wait for is the command itself, and its exit code or signal is the true one.
//!
//! The watcher is an orphan in the command's process group that holds none of its output.  A signal name on the
//! lifeline goes to the whole group; the end of the lifeline while the command lives (channel, connection, or regatta
//! itself gone) ends the group by TERM and, a second later, KILL.  When the command has ended by itself the watcher
//! goes and leaves alone what the command deliberately left behind, as `ssh` does.
//!
//! The program is constant and all data travel on standard input, one item a line, so that no login shell ever parses
//! them.  Deliberately not here: what left the process group (the probe looks for that).

use std::fmt::Write as _;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::Order;
use crate::core::reason::Reason;
use crate::core::spec::Payload;

/// What the watcher has in its command line; what it waits with has it in its environment, and the run's name behind it.
/// The probe knows them by that.
#[cfg(test)]
pub(super) const WATCHER: &str = "REGATTA_WATCH=";

/// What the program calls itself in messages, about an interpreter that is not there, say.
pub(super) const NAME: &str = "regatta";

/// What the line that reports the start begins with; the run's name and the process id follow.
const BEGAN: &str = "regatta-began";

/// The program for `sh -c`.  No single quote, backslash, `!` or newline: [`exec_line`] must mean the same to every login
/// shell.  Without forks for a command of one line, but for the watcher (two, so that it is no child of the command).
///
/// - `${IFS#??}` is a newline: IFS is space, tab, newline at the start of every POSIX shell.
/// - Lines are gathered by the page, so that a long script does not cost the square of its length.
/// - An order without its closing line runs nothing (125).
/// - The watcher lets go of the output by `exec`: some shells would keep what a redirection of its braces replaces.
/// - Only the watcher ignores the signals, and it does so before it reads: the earliest one ends the command too.
/// - `$1` and `$2` are who leads the group and the command's shell, where that is not this process and the login shell.
/// - A script is a here-document whose text is the expansion of `$c`, hence never parsed by this shell.
/// - A terminal is the command's input too: nothing is written there but the order.  It hangs up when the command ends,
///   before anybody has waited for that, so the watcher looks a second later.
/// - CONT follows each signal: what is suspended, by us or by somebody else, would not see it before KILL.
/// - Told to stop by a signal, the watcher outlives the command: what ignores TERM has 60 s, or until the probe comes.
pub(super) const PROGRAM: &str = concat!(
    r#"IFS= read -r t && IFS= read -r h && read -r j && read -r i && IFS= read -r k && read -r n && [ "$n" -gt 0 ] || exit 125; "#,
    r#"x=; nl=${IFS#??}; IFS= read -r c || exit 125; "#,
    r#"b=; while [ "$n" -gt 1 ]; do IFS= read -r l || exit 125; b=$b$nl$l; n=$((n-1)); "#,
    r#"[ ${#b} -lt 4096 ] || { c=$c$b; b=; }; done; c=$c$b; "#,
    r#"IFS= read -r l && [ "$l" = "$t" ] || exit 125; "#,
    r#"REGATTA_HOST=$h REGATTA_JOB=$j REGATTA_CHILD=$i REGATTA_RUN=$t; "#,
    r#"export REGATTA_HOST REGATTA_JOB REGATTA_CHILD REGATTA_RUN; "#,
    r#"y=; [ -t 0 ] && y=1; "#,
    r#"exec 3<&0 </dev/null; "#,
    r#"( trap "" TERM INT HUP QUIT; { exec <&3 3<&- >/dev/null 2>&1; while read -r s; do kill -s "$s" 0; kill -s CONT 0; x=1; done; w=60; [ "$y" ] && REGATTA_WATCH=$t sleep 1; "#,
    r#"if kill -0 $$ || [ -d /proc/$$ ]; then kill -s TERM 0; kill -s CONT 0; x=1; w=1; fi; "#,
    r#"[ "$x" ] && REGATTA_WATCH=$t sleep $w && kill -s KILL 0; } & ); "#,
    r#"[ "$y" ] && exec <&3 && stty icanon isig iexten icrnl ixon 2>/dev/null; "#,
    r#"exec 3<&-; "#,
    r#"echo "regatta-began $t ${1:-$$}"; "#,
    r#"[ "$k" ] || exec "${2:-${SHELL:-sh}}" -c "$c"; "#,
    r#"eval "exec $k <<E$nl$"c"${nl}E""#,
);

/// Runs `$1`, the program, as the leader of a process group: signals go to the group.  OpenSSH makes one for each command;
/// dropbear's commands are all in the group of their connection, and that is left by setsid(1), where there is one.
const AS_LEADER: &str = concat!(
    r#"kill -0 -$$ 2>/dev/null || { command -v setsid >/dev/null && exec setsid sh -c "$1" "$0"; }; "#,
    r#"p=$1; shift; eval "$p""#,
);

/// The command line for the login shell, whatever shell that is.
pub(crate) fn exec_line() -> String {
    format!("exec sh -c '{AS_LEADER}' {NAME} '{PROGRAM}'")
}

/// The line with which the program says that the command runs.
pub(crate) fn began_line(run: &str, pid: u32) -> String {
    format!("{BEGAN} {run} {pid}\n")
}

/// What goes to the program's standard input; the lifeline stays open behind it.  It is wiped when it has been written,
/// as far as it is ours: there may be secrets in it.
///
/// # Errors
/// [`Reason::BadSettings`] when something cannot be carried as lines: a NUL, or a newline where none can be.
pub(super) fn order_lines(order: &Order) -> Result<Bytes, Reason> {
    let (interpreter, text) = match &*order.payload {
        Payload::Command(line) => ("", line.as_str()),
        // The here-document ends every text with a newline, which is the one it has.
        Payload::Script {
            interpreter, text, ..
        } => (
            interpreter.as_str(),
            text.strip_suffix('\n').unwrap_or(text),
        ),
    };
    for (what, value) in [
        ("host name", order.host.name.as_str()),
        ("interpreter", interpreter),
    ] {
        if value.contains(['\n', '\0']) {
            return Err(Reason::BadSettings(format!(
                "the {what} {value:?} contains a line break or NUL character"
            )));
        }
    }
    if let Payload::Script { interpreter, .. } = &*order.payload
        && interpreter.trim().is_empty()
    {
        return Err(Reason::BadSettings(
            "the script has no interpreter: name one in its #! line".to_owned(),
        ));
    }
    if text.contains('\0') {
        return Err(Reason::BadSettings(
            "the command contains a NUL character, which no shell can read".to_owned(),
        ));
    }
    let set = assignments(order)?;
    let (run, host) = (&order.run, &order.host.name);
    let (job, child) = (order.job, order.child);
    let lines = 1 + set.matches('\n').count() + text.matches('\n').count();
    let sizes = [host.len(), interpreter.len(), set.len(), text.len(), 160];
    // It must not grow: what it leaves behind then is not wiped.
    let mut request = Zeroizing::new(String::with_capacity(sizes.iter().sum()));
    write!(
        request,
        "{run}\n{host}\n{job}\n{child}\n{interpreter}\n{lines}\n{}{text}\n{run}\n",
        *set
    )
    .expect("a String takes everything");
    let bytes = std::mem::take(&mut *request).into_bytes();
    Ok(Bytes::from_owner(Zeroizing::new(bytes)))
}

/// The lines before a script that set its secrets, as variables that are not exported: what is in an environment can be
/// read in /proc.
fn assignments(order: &Order) -> Result<Zeroizing<String>, Reason> {
    let wrong = |what: &str| Err(Reason::BadSettings(what.to_owned()));
    if order.secrets.is_empty() {
        return Ok(Zeroizing::default());
    }
    match &*order.payload {
        Payload::Script { interpreter, .. } if interpreter == "sh" => {}
        Payload::Script { .. } | Payload::Command(_) => {
            return wrong("secrets are variables of a script for sh, and this is none");
        }
    }
    let mut set = Zeroizing::new(String::with_capacity(
        // Quotes become four characters.
        (order.secrets.iter())
            .map(|(name, secret)| name.len() + 4 * secret.reveal().len() + 4)
            .sum(),
    ));
    for (name, secret) in order.secrets.iter() {
        if secret.reveal().contains('\0') {
            return Err(Reason::Secret(format!(
                "the secret {name} contains a NUL character, which no shell can hold"
            )));
        }
        set.push_str(name);
        set.push_str("='");
        for (n, part) in secret.reveal().split('\'').enumerate() {
            if n > 0 {
                set.push_str(r"'\''");
            }
            set.push_str(part);
        }
        set.push_str("'\n");
    }
    Ok(set)
}

/// Finds the line that reports the start in standard output, and cuts exactly it out.
#[derive(Debug)]
pub(super) struct BeganFinder {
    /// What the line begins with.
    needle: Vec<u8>,
    /// What came before, not yet told apart.
    held: Vec<u8>,
}

/// What a piece of standard output turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No start yet; this much is certainly not part of its line.
    Before(Bytes),
    /// The command runs as `pid`; `before` was written by the login shell's profile, `after` by the command.
    Began {
        pid: u32,
        before: Bytes,
        after: Bytes,
    },
}

impl BeganFinder {
    /// The longest process id, a carriage return, and a newline.
    const REST_OF_LINE: usize = 12;

    pub(super) fn new(run: &str) -> Self {
        Self {
            needle: format!("{BEGAN} {run} ").into_bytes(),
            held: Vec::new(),
        }
    }

    /// Takes the next piece.  Once the start was found, nothing more may be given.
    pub(super) fn push(&mut self, data: &[u8]) -> Found {
        self.held.extend_from_slice(data);
        if let Some((start, pid, end)) = self.find() {
            let mut before = std::mem::take(&mut self.held);
            let after = Bytes::from(before.split_off(end));
            before.truncate(start);
            return Found::Began {
                pid,
                before: before.into(),
                after,
            };
        }
        let keep = self.needle.len() + Self::REST_OF_LINE;
        let certain = self.held.len().saturating_sub(keep);
        let rest = self.held.split_off(certain);
        Found::Before(std::mem::replace(&mut self.held, rest).into())
    }

    /// What is still held when the stream ends without a start.
    pub(super) fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held).into()
    }

    /// Where the line begins, its process id, and where it ends.
    fn find(&self) -> Option<(usize, u32, usize)> {
        let start = self
            .held
            .windows(self.needle.len())
            .position(|window| window == self.needle)?;
        let digits = start + self.needle.len();
        let length = self.held[digits..].iter().position(|byte| *byte == b'\n')?;
        let pid = std::str::from_utf8(&self.held[digits..digits + length]).ok()?;
        // As a terminal ends a line that was not told otherwise.
        let pid = pid.trim_end_matches('\r');
        Some((start, pid.parse().ok()?, digits + length + 1))
    }
}

#[cfg(test)]
mod tests;

//! Why sudo did not let somebody in, by what it said, and what can be done about it.
//!
//! Its words are read in English, which is what log-ins without a language of their own get; others are passed on.

use std::borrow::Cow;

use super::{Climb, SAYS};
use crate::core::reason::Reason;
use crate::core::spec::Ended;

impl Climb<'_> {
    /// The operator does not give one.
    pub(super) fn refused(&self) -> Ended {
        failed(match self.wrong.len() {
            0 => format!("no password was given for {}", self.account),
            tries => self.rejected(tries),
        })
    }

    /// Why it did not come to the program, by what sudo said last.
    pub(super) fn ended(&self, ended: &Ended) -> Ended {
        let missing = format!("{SAYS} {} missing", self.run);
        if contains(&self.out, missing.as_bytes()) {
            let why = "it is not installed there, or not where commands are looked for (PATH)";
            return failed(why.to_owned());
        }
        let said = self.said();
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        if let Some(known) = self.explained(&said) {
            return failed(known);
        }
        let tries = self.wrong.len() + usize::from(self.given.is_some());
        if tries > 1 || tries == 1 && said.contains("incorrect password") {
            return failed(self.rejected(tries));
        }
        match (last, ended) {
            (Some(line), _) => failed(plain(line.strip_prefix("sudo: ").unwrap_or(line))),
            (None, Ended::Exited(code)) => {
                failed(format!("it ended with exit {code} and without a word"))
            }
            (None, Ended::NotStarted(reason)) => Ended::NotStarted(reason.clone()),
            (None, Ended::Aborted | Ended::Signaled(_) | Ended::Lost(_)) => {
                failed("it ended without a word".to_owned())
            }
        }
    }

    pub(super) fn rejected(&self, tries: usize) -> String {
        match tries {
            1 => format!("password rejected for {}", self.account),
            tries => format!("password rejected for {} ({tries} times)", self.account),
        }
    }

    /// What can be done about what sudo said, where that is known.
    fn explained(&self, said: &str) -> Option<String> {
        let (account, user) = (self.account, self.user);
        let known = [
            ("password is required", self.unasked()),
            (
                "must have a tty",
                "this host's sudoers wants a terminal (requiretty): add --tty".to_owned(),
            ),
            (
                "terminal is required",
                "this host's sudo wants a terminal: add --tty".to_owned(),
            ),
            (
                "not in the sudoers file",
                format!("{account} is not in this host's sudoers"),
            ),
            (
                "is not allowed to execute",
                format!(
                    "{account} may not run sh as {user} on this host, which starts every command"
                ),
            ),
            (
                "unknown user",
                format!("there is no user {user} on this host"),
            ),
        ];
        let found = known.into_iter().find(|(part, _)| said.contains(part));
        found.map(|(_, text)| text)
    }

    pub(super) fn unasked(&self) -> String {
        format!(
            "{} needs a password, and nobody may be asked: without --batch it is asked for, with NOPASSWD in sudoers it is not needed",
            self.account
        )
    }

    /// What sudo has said so far: on a terminal, where both streams are one, with whatever else was said.
    fn said(&self) -> Cow<'_, str> {
        let stream = if self.err.is_empty() {
            &self.out
        } else {
            &self.err
        };
        String::from_utf8_lossy(stream)
    }

    /// It neither asks in our words nor runs.
    pub(super) fn silent(&self) -> String {
        match self
            .said()
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
        {
            Some(line) => format!(
                "it says {:?} and waits, which cannot be answered here",
                plain(line)
            ),
            None => format!("no answer within {}s", self.limit.as_secs_f32()),
        }
    }
}

pub(super) fn failed(why: String) -> Ended {
    Ended::NotStarted(Reason::Sudo(why))
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// A remote line for a message.
fn plain(text: &str) -> String {
    let harmless = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it });
    harmless.take(200).collect::<String>().trim().to_owned()
}

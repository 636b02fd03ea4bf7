//! Logging in, in OpenSSH's order: keys, then what a server asks, then a password.
//!
//! Keys and passphrases are in [`keys`], everything that is typed for a server in [`words`].

mod keys;
mod words;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::{MethodKind, MethodSet};

use super::desk::Desk;
use super::files::Files;
use super::host_key::Checker;
use super::identity::Identity;
use super::wire::Fate;
use crate::core::reason::Reason;
use crate::secret::Secret;

/// Ways to log in that a server may want one after the other; no real one wants more.
const ROUNDS: usize = 8;

/// What to log in with.
#[derive(Debug)]
pub(super) struct Credentials<'a> {
    pub(super) user: &'a str,
    /// Who is said to log in where something is asked.
    pub(super) account: &'a str,
    /// The agent's socket.
    pub(super) agent: Option<&'a Path>,
    pub(super) identities: &'a [Arc<Identity>],
    /// Of the agent's keys only those among the identities.
    pub(super) identities_only: bool,
    pub(super) kbd_interactive: bool,
    pub(super) password: bool,
    /// How often a passphrase, a password or an answer may be wrong.
    pub(super) prompts: u32,
    pub(super) files: &'a Arc<Files>,
    /// Where the operator is asked for what is not there.
    pub(super) desk: &'a Desk,
}

/// Logs in, or says what was tried.
pub(super) async fn log_in(
    handle: &mut Handle<Checker>,
    fate: &Fate,
    credentials: &Credentials<'_>,
) -> Result<(), Reason> {
    let mut login = Login {
        handle,
        fate,
        credentials,
        report: Report::default(),
        methods: None,
        tried: Vec::new(),
    };
    match login.run().await {
        ControlFlow::Break(ended) => ended,
        ControlFlow::Continue(()) => Err(Reason::AuthFailed(
            login.report.text(credentials.user, login.methods.as_ref()),
        )),
    }
}

/// Whether the log-in goes on, or has come to its end.
type Step<T = ()> = ControlFlow<Result<(), Reason>, T>;

/// What the server thinks of an attempt it did not take for enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Refused,
    /// It was right, and more is wanted.
    InPart,
}

/// A log-in under way.
struct Login<'a> {
    handle: &'a mut Handle<Checker>,
    fate: &'a Fate,
    credentials: &'a Credentials<'a>,
    report: Report,
    /// What the server would take next, once it has said so.
    methods: Option<MethodSet>,
    /// What was typed for the server before.
    tried: Vec<Secret>,
}

impl Login<'_> {
    async fn run(&mut self) -> Step {
        self.look_alive().await?;
        self.keys().await?;
        if self.methods.is_none() {
            // Nothing could be tried: ask what the server would take.  It may even want nothing.
            self.none().await?;
        }
        let mut exhausted = Vec::new();
        for _ in 0..ROUNDS {
            let allowed = [
                (
                    MethodKind::KeyboardInteractive,
                    self.credentials.kbd_interactive,
                ),
                (MethodKind::Password, self.credentials.password),
            ];
            let wanted = allowed
                .into_iter()
                .filter_map(|(method, allowed)| allowed.then_some(method))
                .find(|method| self.takes(*method) && !exhausted.contains(method));
            let judged = match wanted {
                Some(MethodKind::Password) => self.password().await?,
                Some(_) => self.interactive().await?,
                None => break,
            };
            if judged == Judged::InPart {
                exhausted.clear();
            }
            exhausted.extend(wanted);
        }
        Step::Continue(())
    }

    /// While the operator looked at the host key, the server may have lost patience.
    async fn look_alive(&mut self) -> Step {
        if self.fate.asked.load(std::sync::atomic::Ordering::Acquire) {
            let looked = self.none().await;
            if self.handle.is_closed() {
                self.credentials.desk.came_late();
            }
            // What it would take is asked again when nothing else says so.
            self.methods = None;
            return looked;
        }
        Step::Continue(())
    }

    async fn none(&mut self) -> Step {
        let tried = self.handle.authenticate_none(self.credentials.user).await;
        match tried {
            Ok(result) => _ = self.judge(result)?,
            Err(_) if self.handle.is_closed() => return self.closed(),
            Err(_) => {}
        }
        Step::Continue(())
    }

    /// Whether the server would take this next.
    fn takes(&self, method: MethodKind) -> bool {
        self.methods
            .as_ref()
            .is_some_and(|methods| methods.contains(&method))
    }

    fn judge(&mut self, result: AuthResult) -> Step<Judged> {
        match result {
            AuthResult::Success => Step::Break(Ok(())),
            AuthResult::Failure { .. } if self.handle.is_closed() => self.closed(),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => Step::Continue(self.note(remaining_methods, partial_success)),
        }
    }

    fn note(&mut self, remaining: MethodSet, in_part: bool) -> Judged {
        self.methods = Some(remaining);
        if in_part {
            self.report.partial = true;
            Judged::InPart
        } else {
            Judged::Refused
        }
    }

    /// The server hung up while we logged in: after too many keys, say.
    fn closed<T>(&self) -> Step<T> {
        let tried = self.report.tried();
        Step::Break(Err(Reason::AuthFailed(format!(
            "{tried}; {}",
            self.fate.why()
        ))))
    }
}

/// What was tried, for the message.
#[derive(Default)]
struct Report {
    keys: usize,
    /// Answers to what the server asked, and passwords, that were refused.
    answers: u32,
    passwords: u32,
    partial: bool,
    skipped: Vec<String>,
}

impl Report {
    fn skip(&mut self, why: String) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }

    fn tried(&self) -> String {
        let mut tried = match self.keys {
            0 if self.answers + self.passwords > 0 => Vec::new(),
            0 => vec!["no key to try".to_owned()],
            1 => vec!["publickey (1 key tried)".to_owned()],
            keys => vec![format!("publickey ({keys} keys tried)")],
        };
        let typed = [
            ("keyboard-interactive", self.answers),
            ("password", self.passwords),
        ];
        for (method, times) in typed {
            match times {
                0 => {}
                1 => tried.push(format!("{method} (refused)")),
                times => tried.push(format!("{method} (refused {times} times)")),
            }
        }
        tried.join(", ")
    }

    fn text(&self, user: &str, methods: Option<&MethodSet>) -> String {
        let mut text = self.tried();
        if self.partial {
            text.push_str(", accepted in part");
        }
        if let Some(methods) = methods.filter(|methods| !methods.is_empty()) {
            let names: Vec<&'static str> = methods.iter().map(Into::into).collect();
            text.push_str("; the server takes ");
            text.push_str(&names.join(", "));
            text.push_str(" for ");
            text.push_str(user);
        }
        for why in &self.skipped {
            text.push_str("; not tried: ");
            text.push_str(why);
        }
        text
    }
}

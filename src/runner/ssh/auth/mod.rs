//! Logging in, in OpenSSH's order: keys, then what a server asks, then a password, unless `PreferredAuthentications`
//! says otherwise.
//!
//! What is offered stands in [`candidates`], trying it and passphrases in [`keys`], signing in [`agent`], everything that
//! is typed for a server in [`words`].

mod agent;
mod candidates;
mod keys;
mod words;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::HashAlg;
use russh::{MethodKind, MethodSet};

use super::algorithms::Suite;
use super::desk::Desk;
use super::files::Files;
use super::host_key::Checker;
use super::identity::Identity;
use super::pace::Gate;
use super::wire::Fate;
use crate::config::ssh_config::{AddKeysToAgent, HostSettings, PubkeyAuthentication};
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
    /// The agent's socket, and the way in to it.
    pub(super) agent: Option<(&'a Path, Arc<Gate>)>,
    pub(super) identities: &'a [Arc<Identity>],
    /// What `CertificateFile` names.
    pub(super) certificates: &'a [Arc<Identity>],
    /// Of the agent's keys only those among the identities.
    pub(super) identities_only: bool,
    pub(super) suite: &'a Suite,
    /// The shortest RSA key that may be used, in bits.
    pub(super) rsa_size: u32,
    pub(super) add_keys: AddKeysToAgent,
    /// The ways that may be tried, most wanted first.
    pub(super) methods: Vec<MethodKind>,
    /// How often a passphrase, a password or an answer may be wrong.
    pub(super) prompts: u32,
    pub(super) files: &'a Arc<Files>,
    /// Where the operator is asked for what is not there.
    pub(super) desk: &'a Desk,
}

/// The ways to log in that are allowed and can be tried, most wanted first.
pub(super) fn methods(settings: &HostSettings) -> Vec<MethodKind> {
    let known = [
        MethodKind::PublicKey,
        MethodKind::KeyboardInteractive,
        MethodKind::Password,
    ];
    let allowed = |method: &MethodKind| match method {
        MethodKind::PublicKey => settings.public_key.value != PubkeyAuthentication::No,
        MethodKind::KeyboardInteractive => settings.kbd_interactive.value,
        MethodKind::Password => settings.password.value,
        MethodKind::None | MethodKind::HostBased | MethodKind::GssapiWithMic => false,
    };
    let listed: Vec<MethodKind> = match &settings.preferred_authentications {
        None => known.into(),
        Some(list) => {
            let find = |name| known.into_iter().find(|it| <&str>::from(it) == name);
            list.value.split(',').filter_map(find).collect()
        }
    };
    listed.into_iter().filter(allowed).collect()
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
        rsa_hashes: Vec::new(),
        left_out: Vec::new(),
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
    /// What the server lets RSA keys sign with, once that is known.
    rsa_hashes: Vec<Option<HashAlg>>,
    /// Key files that nobody could open.
    left_out: Vec<PathBuf>,
    /// What was typed for the server before.
    tried: Vec<Secret>,
}

impl Login<'_> {
    async fn run(&mut self) -> Step {
        self.look_alive().await?;
        // Keys are tried without asking first what the server would take.
        if self.credentials.methods.first() != Some(&MethodKind::PublicKey) {
            self.none().await?;
        }
        let mut exhausted = Vec::new();
        for _ in 0..ROUNDS {
            let wanted = self.credentials.methods.iter().copied();
            let wanted = wanted
                .into_iter()
                .find(|method| self.may_take(*method) && !exhausted.contains(method));
            let judged = match wanted {
                Some(MethodKind::PublicKey) => {
                    self.keys().await?;
                    if self.methods.is_none() {
                        // Nothing could be tried: ask what the server would take.  It may even want nothing.
                        self.none().await?;
                    }
                    Judged::Refused
                }
                Some(MethodKind::Password) => self.password().await?,
                Some(MethodKind::KeyboardInteractive) => self.interactive().await?,
                Some(MethodKind::None | MethodKind::HostBased | MethodKind::GssapiWithMic)
                | None => break,
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

    /// The same, or it has not said yet.
    fn may_take(&self, method: MethodKind) -> bool {
        self.methods.is_none() || self.takes(method)
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

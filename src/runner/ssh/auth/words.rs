//! What is typed for a server: answers to what it asks (keyboard-interactive, RFC 4256), and passwords.
//!
//! A password that one host of a job has taken, or that was given for it, is used on the job's other hosts that ask the
//! same; where it is wrong it is asked for again.

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse as Response, Prompt};

use super::{Judged, Login, Step};
use crate::core::question::{About, Question};
use crate::runner::ssh::host_key::printable;
use crate::secret::Secret;

/// Rounds of prompts in one attempt; no real server needs more.
const ROUNDS: usize = 16;

/// Of a server's words as much is shown, in characters.
const LONGEST_PROMPT: usize = 500;

/// What was typed in an attempt.
type Typed = Vec<(About, Secret)>;

impl Login<'_> {
    /// Logs in with a password.
    pub(super) async fn password(&mut self) -> Step<Judged> {
        let user = self.credentials.user;
        let about = About::Password {
            account: self.credentials.account.to_owned(),
        };
        for wrong in 0..self.credentials.prompts {
            let Some(password) = self.words(&about, wrong).await else {
                break;
            };
            let tried = self
                .handle
                .authenticate_password(user, password.reveal())
                .await;
            let typed = vec![(about.clone(), password)];
            let result = tried.unwrap_or_else(|_| refused());
            if self.settle(result, &typed)? == Judged::InPart {
                return Step::Continue(Judged::InPart);
            }
            self.report.passwords += 1;
            if !self.takes(russh::MethodKind::Password) {
                break;
            }
        }
        Step::Continue(Judged::Refused)
    }

    /// Answers what the server asks.
    pub(super) async fn interactive(&mut self) -> Step<Judged> {
        let (desk, user) = (self.credentials.desk, self.credentials.user);
        if !desk.may_ask() && desk.pocket.is_empty() {
            return Step::Continue(Judged::Refused);
        }
        for wrong in 0..self.credentials.prompts {
            let mut typed = Typed::new();
            let mut said = self
                .handle
                .authenticate_keyboard_interactive_start(user, None)
                .await;
            let mut result = refused();
            for _ in 0..ROUNDS {
                match said {
                    Ok(Response::Success) => result = AuthResult::Success,
                    Ok(Response::Failure {
                        remaining_methods,
                        partial_success,
                    }) => {
                        result = AuthResult::Failure {
                            remaining_methods,
                            partial_success,
                        };
                    }
                    Ok(Response::InfoRequest {
                        name,
                        instructions,
                        prompts,
                    }) => {
                        let head = [name, instructions];
                        let Some(answers) = self.answers(&head, prompts, wrong, &mut typed).await
                        else {
                            return Step::Continue(Judged::Refused);
                        };
                        said = self
                            .handle
                            .authenticate_keyboard_interactive_respond(answers)
                            .await;
                        continue;
                    }
                    Err(_) => {}
                }
                break;
            }
            if self.settle(result, &typed)? == Judged::InPart {
                return Step::Continue(Judged::InPart);
            }
            if typed.is_empty() {
                // It did not ask anything: asking it again would come to the same.
                break;
            }
            self.report.answers += 1;
            if !self.takes(russh::MethodKind::KeyboardInteractive) {
                break;
            }
        }
        Step::Continue(Judged::Refused)
    }

    /// The answers to one round of prompts; none if the operator refuses one.
    async fn answers(
        &mut self,
        head: &[String],
        prompts: Vec<Prompt>,
        wrong: u32,
        typed: &mut Typed,
    ) -> Option<Vec<String>> {
        let mut answers = Vec::new();
        for Prompt { prompt, echo } in prompts {
            let lines = head.iter().chain([&prompt]).map(|text| shown(text));
            let lines: Vec<String> = lines.filter(|text| !text.is_empty()).collect();
            let about = About::Prompt {
                account: self.credentials.account.to_owned(),
                prompt: lines.join("\n"),
                echo,
            };
            let words = self.words(&about, wrong).await?;
            answers.push(words.reveal().to_owned());
            typed.push((about, words));
        }
        Some(answers)
    }

    /// What to say to this: what the job was told before and was not tried here, or what the operator says now.
    async fn words(&mut self, about: &About, wrong: u32) -> Option<Secret> {
        let desk = self.credentials.desk;
        let tried = |known: &Secret| self.tried.iter().any(|tried| tried.is_same(known));
        if let Some(known) = desk.pocket.find(about).filter(|known| !tried(known)) {
            self.tried.push(known.clone());
            return Some(known);
        }
        let question = Question {
            about: about.clone(),
            wrong,
        };
        let words = desk.secret(question, self.fate).await?;
        if is_lasting(about) {
            desk.pocket.give(about, &words);
        }
        self.tried.push(words.clone());
        Some(words)
    }

    /// Draws the conclusions from what the server thinks of what was typed.
    fn settle(&mut self, result: AuthResult, typed: &Typed) -> Step<Judged> {
        let pocket = &self.credentials.desk.pocket;
        let right = match &result {
            AuthResult::Success => true,
            AuthResult::Failure {
                partial_success, ..
            } => *partial_success,
        };
        // A server that hung up has not judged anything.
        if right || !self.handle.is_closed() {
            for (about, words) in typed.iter().filter(|(about, _)| is_lasting(about)) {
                if right {
                    pocket.right(about, words);
                } else {
                    pocket.wrong(about, words);
                }
            }
        }
        self.judge(result)
    }
}

/// Nothing was said.
fn refused() -> AuthResult {
    AuthResult::Failure {
        remaining_methods: russh::MethodSet::empty(),
        partial_success: false,
    }
}

/// Whether the answer is good for more than one log-in: a password is, a code from a device is not.
fn is_lasting(about: &About) -> bool {
    match about {
        About::Password { .. } => true,
        About::Prompt { prompt, echo, .. } => {
            let prompt = prompt.to_lowercase();
            let once = ["one-time", "one time", "otp"];
            !echo && prompt.contains("password") && !once.iter().any(|word| prompt.contains(word))
        }
        About::HostKey { .. }
        | About::Passphrase { .. }
        | About::Sudo { .. }
        | About::Secret { .. } => false,
    }
}

/// A server's words, of a length fit to be shown.
fn shown(text: &str) -> String {
    let lines = text.lines().map(printable);
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim().chars().take(LONGEST_PROMPT).collect()
}

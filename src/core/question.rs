//! What a child may need of the operator before it can go on.
//!
//! Equal questions are one question, however many children ask it.  What is secret in an answer never passes through
//! the model: it knows that one was given and to whom it goes, the words travel beside it.

use std::fmt;
use std::sync::Arc;

use super::ids::JobId;

/// Names a question as long as it is open; never used again while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

impl fmt::Display for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A question as a runner asks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    pub about: About,
    /// How many answers to it were wrong so far.
    pub wrong: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The key of a host is not known: is it that host's?
    HostKey {
        /// As it would stand in known_hosts.
        host: String,
        /// `ssh-ed25519`, ...
        algorithm: String,
        /// `SHA256:...`.
        fingerprint: String,
        /// The file the key would be added to.
        file: String,
    },
    /// A key file is encrypted.
    Passphrase { file: String },
    /// A password to log in with.
    Password { account: String },
    /// The password that sudo(8) wants of this account.
    Sudo { account: String },
    /// A secret that the job's script needs as a variable of this name.
    Secret { name: String, doc: String },
    /// Something a server asks, in its own words.
    Prompt {
        account: String,
        prompt: String,
        /// Whether what is typed may be seen.
        echo: bool,
    },
}

/// What an operator says to questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    Accept,
    /// What was asked for; the words are not here.
    Secret,
    Refuse,
}

/// What a blocked child needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    Answer {
        id: QuestionId,
        question: Arc<Question>,
    },
    /// It has written as much as is kept, and waits until somebody receives.
    Receiver,
}

impl Question {
    /// The question for the first time.
    pub fn first(about: About) -> Self {
        Self { about, wrong: 0 }
    }

    /// The stable word for what it is about in JSON and in the audit log.
    pub fn kind(&self) -> &'static str {
        match self.about {
            About::HostKey { .. } => "host_key",
            About::Passphrase { .. } => "passphrase",
            About::Password { .. } => "password",
            About::Sudo { .. } => "sudo",
            About::Secret { .. } => "secret",
            About::Prompt { .. } => "prompt",
        }
    }

    /// Whether this can be said to it.
    pub fn takes(&self, response: Response) -> bool {
        let asks_for_words = match self.about {
            About::HostKey { .. } => false,
            About::Passphrase { .. }
            | About::Password { .. }
            | About::Sudo { .. }
            | About::Secret { .. }
            | About::Prompt { .. } => true,
        };
        match response {
            Response::Accept => !asks_for_words,
            Response::Secret => asks_for_words,
            Response::Refuse => true,
        }
    }

    /// Whose question it is: a key file is the same for everybody, but an account's password is asked for once in each
    /// job.
    pub(super) fn scope(&self, job: JobId) -> Option<JobId> {
        match self.about {
            About::HostKey { .. } | About::Passphrase { .. } => None,
            About::Password { .. }
            | About::Sudo { .. }
            | About::Secret { .. }
            | About::Prompt { .. } => Some(job),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.about {
            About::HostKey {
                host,
                algorithm,
                fingerprint,
                ..
            } => write!(f, "is {algorithm} {fingerprint} the key of {host}?")?,
            About::Passphrase { file } => write!(f, "what is the passphrase of {file}?")?,
            About::Password { account } => write!(f, "what is the password of {account}?")?,
            About::Sudo { account } => write!(f, "what is the password of {account} for sudo?")?,
            About::Secret { name, .. } => write!(f, "what is the secret {name}?")?,
            About::Prompt {
                account, prompt, ..
            } => write!(f, "{account} is asked: {}", prompt.trim())?,
        }
        match self.wrong {
            0 => Ok(()),
            1 => f.write_str(" (an answer was wrong)"),
            wrong => write!(f, " ({wrong} answers were wrong)"),
        }
    }
}

impl Need {
    /// The stable word for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Answer { question, .. } => question.kind(),
            Self::Receiver => "receiver",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { question, .. } => question.fmt(f),
            Self::Receiver => f.write_str("its output is full: receive it, and it goes on"),
        }
    }
}

//! Questions that children wait with, in words and in JSON.  Servers' words are made harmless here.

use serde_json::{Map, Value, json};

use super::span::rfc3339;
use super::text::{harmless, harmless_lines};
use crate::wire::look::{Question, QuestionKind};

/// One line: what is asked, and for which hosts.
pub fn line(question: &Question) -> String {
    let wrong = match question.wrong {
        0 => "",
        _ => "; the last answer was wrong",
    };
    let line = format!("{} ({}{wrong})", what(question), question.hosts);
    harmless(line.as_bytes())
}

/// One line for somebody who looks elsewhere: who asks, and what, each once.
pub fn news(question: &Question) -> String {
    let wrong = match question.wrong {
        0 => "",
        _ => " (the last answer was wrong)",
    };
    let what = match &question.kind {
        QuestionKind::HostKey {
            host,
            algorithm,
            fingerprint,
            ..
        } if *host == question.hosts => format!("is {algorithm} {fingerprint} its key?"),
        QuestionKind::HostKey { .. }
        | QuestionKind::Passphrase { .. }
        | QuestionKind::Password { .. }
        | QuestionKind::Sudo { .. }
        | QuestionKind::Secret { .. }
        | QuestionKind::Prompt { .. } => what(question),
    };
    harmless(format!("{} asks: {what}{wrong}", question.hosts).as_bytes())
}

fn what(question: &Question) -> String {
    match &question.kind {
        QuestionKind::HostKey {
            host,
            algorithm,
            fingerprint,
            ..
        } => format!("is {algorithm} {fingerprint} the key of {host}?"),
        QuestionKind::Passphrase { file } => format!("what is the passphrase of {file}?"),
        QuestionKind::Password { account } => format!("what is the password of {account}?"),
        QuestionKind::Sudo { account } => format!("what is the password of {account} for sudo?"),
        QuestionKind::Secret { name, doc } => {
            format!("what is the secret {name}?{}", beside(doc))
        }
        QuestionKind::Prompt {
            account, prompt, ..
        } => format!("{account} is asked: {}", prompt.replace('\n', " ")),
    }
}

/// The same for a secret of a script, whoever asks for it.
pub fn secret_prompt(name: &str, doc: &str) -> String {
    harmless_lines(&format!("Secret {name}{}: ", beside(doc)))
}

/// What a secret is, behind its name.
fn beside(doc: &str) -> String {
    match doc {
        "" => String::new(),
        doc => format!(" ({doc})"),
    }
}

/// What to put before the cursor when the secret itself is typed.
pub fn prompt(question: &Question) -> String {
    let hosts = &question.hosts;
    let what = match &question.kind {
        QuestionKind::HostKey { host, .. } => format!("Key of {host}"),
        QuestionKind::Passphrase { file } => format!("Passphrase of {file} (for {hosts})"),
        QuestionKind::Password { account } => format!("Password of {account} on {hosts}"),
        QuestionKind::Sudo { account } => format!("[sudo] Password of {account} on {hosts}"),
        QuestionKind::Secret { name, doc } => return secret_prompt(name, doc),
        QuestionKind::Prompt {
            account, prompt, ..
        } => format!("{account} on {hosts}: {}", prompt.trim_end_matches(':')),
    };
    let wrong = match question.wrong {
        0 => "",
        _ => "That was wrong.  ",
    };
    harmless_lines(&format!("{wrong}{what}: "))
}

/// For scripts; `answer --json` prints a list of these.
pub fn json(question: &Question) -> Value {
    let mut value = Map::new();
    let (kind, about) = match &question.kind {
        QuestionKind::HostKey {
            host,
            algorithm,
            fingerprint,
            file,
        } => (
            "host_key",
            json!({"host": host, "algorithm": algorithm, "fingerprint": fingerprint, "file": file}),
        ),
        QuestionKind::Passphrase { file } => ("passphrase", json!({"file": file})),
        QuestionKind::Password { account } => ("password", json!({"account": account})),
        QuestionKind::Sudo { account } => ("sudo", json!({"account": account})),
        QuestionKind::Secret { name, doc } => ("secret", json!({"name": name, "doc": doc})),
        QuestionKind::Prompt {
            account,
            prompt,
            echo,
        } => (
            "prompt",
            json!({"account": account, "prompt": prompt, "echo": echo}),
        ),
    };
    value.insert("id".to_string(), question.id.into());
    value.insert("kind".to_string(), kind.into());
    if let Value::Object(about) = about {
        value.extend(about);
    }
    value.insert("hosts".to_string(), question.hosts.clone().into());
    value.insert("children".to_string(), question.children.clone().into());
    value.insert("wrong".to_string(), question.wrong.into());
    value.insert("asked".to_string(), rfc3339(question.asked).into());
    Value::Object(value)
}

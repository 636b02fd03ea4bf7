//! `%` tokens, `${VARIABLE}` and `~` in values (ssh_config(5), TOKENS and ENVIRONMENT VARIABLES).

use sha1::{Digest, Sha1};

use super::error::Problem;
use super::{HostSettings, LocalEnv};

/// What the tokens of one host stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    pub(super) env: &'a LocalEnv,
    /// `%n`: the host as asked for.
    pub(super) original_host: &'a str,
    /// `%h`: after `HostName`.
    pub(super) host_name: &'a str,
    /// `%k`: the key alias, else the host as asked for.
    pub(super) key_alias: &'a str,
    /// `%r`
    pub(super) user: &'a str,
    /// `%p`
    pub(super) port: u16,
}

impl Tokens<'_> {
    /// Expands `~`, then tokens and variables: the options that name files.
    pub(super) fn path(&self, value: &str) -> Result<String, Problem> {
        let value = tilde(value, self.env)?;
        expand(&value, |token| self.token(token), Some(self.env))
    }

    /// Expands tokens alone: the command of `Match exec`.
    pub(super) fn command(&self, value: &str) -> Result<String, Problem> {
        expand(value, |token| self.token(token), None)
    }

    fn token(&self, token: char) -> Option<String> {
        let env = self.env;
        Some(match token {
            'C' => self.connection_hash(),
            'L' => env
                .hostname
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
            'd' => env.home.display().to_string(),
            'h' => self.host_name.to_owned(),
            'i' => env.uid.to_string(),
            'k' => self.key_alias.to_owned(),
            'l' => env.hostname.clone(),
            'n' => self.original_host.to_owned(),
            'p' => self.port.to_string(),
            'r' => self.user.to_owned(),
            'u' => env.user.clone(),
            _ => return None,
        })
    }

    /// `%C`: SHA-1 of `%l%h%p%r` in hexadecimal, as OpenSSH up to 9.5 has it; later ones append the jump host.
    fn connection_hash(&self) -> String {
        let text = format!(
            "{}{}{}{}",
            self.env.hostname, self.host_name, self.port, self.user
        );
        Sha1::digest(text.as_bytes())
            .iter()
            .fold(String::with_capacity(40), |mut hex, byte| {
                use std::fmt::Write as _;
                write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
                hex
            })
    }
}

/// Expands `HostName`, which knows `%h` (the host as asked for) and `%%` only.
pub(super) fn host_name(value: &str, host: &str) -> Result<String, Problem> {
    expand(value, |token| (token == 'h').then(|| host.to_owned()), None)
}

/// Expands `ProxyCommand` and the hops of `ProxyJump`, which know what of a host is known when it is reached.  Variables
/// are left to the shell.
pub(super) fn proxy(value: &str, host: &HostSettings) -> Result<String, Problem> {
    let token = |token| {
        Some(match token {
            'h' => host.host_name.value.clone(),
            'k' => {
                let alias = host.host_key_alias.as_ref();
                alias.map_or(&host.host, |alias| &alias.value).clone()
            }
            'n' => host.host.clone(),
            'p' => host.port.value.to_string(),
            'r' => host.user.value.clone(),
            _ => return None,
        })
    };
    expand(value, token, None)
}

/// Checks and expands `${VARIABLE}` alone.
pub(super) fn variables(value: &str, env: &LocalEnv) -> Result<String, Problem> {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        expanded.push_str(before);
        let (variable, after) = variable(after, value, env)?;
        expanded.push_str(variable);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// `~` and `~/...` at the start; also for the user's own name after it.
pub(super) fn tilde(value: &str, env: &LocalEnv) -> Result<String, Problem> {
    let Some(rest) = value.strip_prefix('~') else {
        return Ok(value.to_owned());
    };
    let (user, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !user.is_empty() && user != env.user {
        return Err(Problem::OtherUsersHome {
            value: value.to_owned(),
        });
    }
    let home = env.home.display().to_string();
    Ok(format!(
        "{}/{}",
        home.trim_end_matches('/'),
        path.trim_start_matches('/')
    ))
}

fn expand(
    value: &str,
    token: impl Fn(char) -> Option<String>,
    env: Option<&LocalEnv>,
) -> Result<String, Problem> {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(['%', '$']) {
        expanded.push_str(&rest[..at]);
        let special = &rest[at..];
        if let Some(after) = special.strip_prefix('%') {
            let unknown = || Problem::Token {
                token: special.chars().take(2).collect(),
                value: value.to_owned(),
            };
            let name = after.chars().next().ok_or_else(unknown)?;
            match name {
                '%' => expanded.push('%'),
                name => expanded.push_str(&token(name).ok_or_else(unknown)?),
            }
            rest = &after[name.len_utf8()..];
        } else if let (Some(env), Some(after)) = (env, special.strip_prefix("${")) {
            let (variable, after) = variable(after, value, env)?;
            expanded.push_str(variable);
            rest = after;
        } else {
            expanded.push('$');
            rest = &special[1..];
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The value of the variable whose name and `}` stand at the start of `text`, and what follows.
fn variable<'a>(
    text: &'a str,
    value: &str,
    env: &'a LocalEnv,
) -> Result<(&'a str, &'a str), Problem> {
    let unset = |name: &str| Problem::Environment {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let (name, after) = text.split_once('}').ok_or_else(|| unset(text))?;
    let found = env.variables.get(name).ok_or_else(|| unset(name))?;
    Ok((found, after))
}

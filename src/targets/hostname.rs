//! What may be a host name, and its parts: `user@host:port`.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;

/// The longest DNS name (RFC 1035, 2.3.4, less the root's dot).
const MAX_HOST: usize = 253;
/// The longest user name (LOGIN_NAME_MAX on Linux).
const MAX_USER: usize = 256;

/// A name that is safe to hand to a resolver, a file name or a remote shell: `host`, `user@host`, `host:port`,
/// an IPv6 address (`::1`, `fe80::1%eth0`), or one with a port in brackets (`[::1]:22`).
///
/// Only ASCII letters, digits and `.`, `_`, `-` are host names (a user may hold `+` and `@` too), so nothing
/// that a shell treats specially, no space and no control character; and neither part begins with `-`,
/// so no name is ever an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// Checks `text`; brackets round an IPv6 address without a port are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let parts = Parts::of(text);
        parts.check(text)?;
        if parts.bracketed && parts.port.is_none() {
            return Ok(Self(format!(
                "{}{}",
                &text[..parts.user.map_or(0, |end| end + 1)],
                &text[parts.host]
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// A name already known to be in order.
    pub(super) fn from_checked(text: String) -> Self {
        Self(text)
    }

    /// The whole name as targets spell it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user in front of the last `@`, as ssh(1) splits.
    pub fn user(&self) -> Option<&str> {
        Parts::of(&self.0).user.map(|end| &self.0[..end])
    }

    /// The host alone, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.0[Parts::of(&self.0).host]
    }

    /// The port, where the name carries one.
    pub fn port(&self) -> Option<u16> {
        Parts::of(&self.0)
            .port
            .and_then(|port| self.0[port].parse().ok())
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidName {
    Empty,
    /// `@host`, or `user@` with nothing after it.
    EmptyPart,
    /// Would be read as an option, or is `.` or `..`: the first character of user or host.
    BadStart(char),
    BadCharacter(char),
    /// The text after the `:` is not a number from 1 to 65535.
    BadPort(String),
    /// Two colons or brackets, but no IPv6 address.
    NotAnAddress(String),
    TooLong,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a host name cannot be empty"),
            Self::EmptyPart => f.write_str("user@host needs both a user and a host"),
            Self::BadStart(c) => write!(f, "a host or user name cannot begin with {c:?}"),
            Self::BadCharacter(c) => write!(f, "a host name cannot contain {c:?}"),
            Self::BadPort(port) => write!(f, "{port:?} is not a port number from 1 to 65535"),
            Self::NotAnAddress(text) => write!(f, "{text:?} is not an IPv6 address"),
            Self::TooLong => write!(
                f,
                "a host name has at most {MAX_HOST} characters, a user name {MAX_USER}"
            ),
        }
    }
}

impl std::error::Error for InvalidName {}

/// Where the parts lie in the text.
struct Parts {
    /// Where the user ends: the position of the `@`.
    user: Option<usize>,
    host: Range<usize>,
    bracketed: bool,
    port: Option<Range<usize>>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let user = text.rfind('@');
        let start = user.map_or(0, |at| at + 1);
        let rest = &text[start..];
        let whole = Self {
            user,
            host: start..text.len(),
            bracketed: false,
            port: None,
        };
        if rest.starts_with('[') {
            let Some(close) = rest.find(']') else {
                return whole;
            };
            let host = start + 1..start + close;
            return match &rest[close + 1..] {
                "" => Self {
                    host,
                    bracketed: true,
                    ..whole
                },
                after if after.starts_with(':') => Self {
                    host,
                    bracketed: true,
                    port: Some(start + close + 2..text.len()),
                    ..whole
                },
                _ => whole,
            };
        }
        match (rest.find(':'), rest.rfind(':')) {
            (Some(first), Some(last)) if first == last => Self {
                host: start..start + first,
                port: Some(start + first + 1..text.len()),
                ..whole
            },
            _ => whole,
        }
    }

    fn check(&self, text: &str) -> Result<(), InvalidName> {
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if let Some(end) = self.user {
            check_word(&text[..end], "._-+@", MAX_USER)?;
        }
        let host = &text[self.host.clone()];
        if self.bracketed || host.contains(':') {
            check_address(host)?;
        } else {
            check_word(host, "._-", MAX_HOST)?;
        }
        if let Some(port) = self.port.clone().map(|range| &text[range]) {
            let plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            if !plain || !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return Err(InvalidName::BadPort(port.to_owned()));
            }
        }
        Ok(())
    }
}

fn check_word(word: &str, marks: &str, longest: usize) -> Result<(), InvalidName> {
    let Some(first) = word.chars().next() else {
        return Err(InvalidName::EmptyPart);
    };
    if let Some(bad) = word
        .chars()
        .find(|&c| !c.is_ascii_alphanumeric() && !marks.contains(c))
    {
        return Err(InvalidName::BadCharacter(bad));
    }
    if !first.is_ascii_alphanumeric() && first != '_' {
        return Err(InvalidName::BadStart(first));
    }
    if word.len() > longest {
        return Err(InvalidName::TooLong);
    }
    Ok(())
}

/// An IPv6 address, with a zone (RFC 4007) of harmless characters or without.
fn check_address(host: &str) -> Result<(), InvalidName> {
    let (address, zone) = host
        .split_once('%')
        .map_or((host, None), |(address, zone)| (address, Some(zone)));
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(InvalidName::NotAnAddress(host.to_owned()));
    }
    zone.map_or(Ok(()), |zone| check_word(zone, "._-", MAX_HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_into_user_host_and_port() {
        let cases = [
            ("web01", "web01", None, "web01", None),
            ("root@web01", "root@web01", Some("root"), "web01", None),
            ("web01:2222", "web01:2222", None, "web01", Some(2222)),
            (
                "root@web01.example.org:22",
                "root@web01.example.org:22",
                Some("root"),
                "web01.example.org",
                Some(22),
            ),
            (
                "ann@corp.example@web01",
                "ann@corp.example@web01",
                Some("ann@corp.example"),
                "web01",
                None,
            ),
            ("10.0.0.7", "10.0.0.7", None, "10.0.0.7", None),
            ("::1", "::1", None, "::1", None),
            ("[::1]", "::1", None, "::1", None),
            (
                "[2001:db8::1]:22",
                "[2001:db8::1]:22",
                None,
                "2001:db8::1",
                Some(22),
            ),
            (
                "root@[fe80::1%eth0]:22",
                "root@[fe80::1%eth0]:22",
                Some("root"),
                "fe80::1%eth0",
                Some(22),
            ),
            (
                "root@[fe80::1%eth0]",
                "root@fe80::1%eth0",
                Some("root"),
                "fe80::1%eth0",
                None,
            ),
            (
                "::ffff:10.0.0.1",
                "::ffff:10.0.0.1",
                None,
                "::ffff:10.0.0.1",
                None,
            ),
            ("_gateway", "_gateway", None, "_gateway", None),
        ];
        for (text, whole, user, host, port) in cases {
            let name = HostName::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(
                (name.as_str(), name.user(), name.host(), name.port()),
                (whole, user, host, port),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_host_name_is_refused() {
        let cases: &[(&str, InvalidName)] = &[
            ("", InvalidName::Empty),
            ("@web", InvalidName::EmptyPart),
            ("root@", InvalidName::EmptyPart),
            (":22", InvalidName::EmptyPart),
            ("-oProxyCommand=x", InvalidName::BadCharacter('=')),
            ("-F", InvalidName::BadStart('-')),
            ("root@-F", InvalidName::BadStart('-')),
            ("-l@web", InvalidName::BadStart('-')),
            ("..", InvalidName::BadStart('.')),
            ("a b", InvalidName::BadCharacter(' ')),
            ("a;b", InvalidName::BadCharacter(';')),
            ("a$b", InvalidName::BadCharacter('$')),
            ("a`b", InvalidName::BadCharacter('`')),
            ("a\nb", InvalidName::BadCharacter('\n')),
            ("a\x1b[31m", InvalidName::BadCharacter('\x1b')),
            ("a/../b", InvalidName::BadCharacter('/')),
            ("wéb", InvalidName::BadCharacter('é')),
            ("web:", InvalidName::BadPort(String::new())),
            ("web:0", InvalidName::BadPort("0".into())),
            ("web:65536", InvalidName::BadPort("65536".into())),
            ("web:+22", InvalidName::BadPort("+22".into())),
            ("[::1]:x", InvalidName::BadPort("x".into())),
            ("a:b:c", InvalidName::NotAnAddress("a:b:c".into())),
            ("[web]:22", InvalidName::NotAnAddress("web".into())),
            ("fe80::1%", InvalidName::EmptyPart),
            ("fe80::1%;rm", InvalidName::BadCharacter(';')),
        ];
        for (text, expected) in cases {
            assert_eq!(HostName::parse(text).as_ref(), Err(expected), "{text:?}");
        }
        assert_eq!(HostName::parse(&"a".repeat(254)), Err(InvalidName::TooLong));
    }
}

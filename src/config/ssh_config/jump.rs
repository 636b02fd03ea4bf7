//! The hops of `ProxyJump`.

use super::JumpHop;
use super::error::Problem;
use super::value::port;

/// `[user@]host[:port]` or `ssh://[user@]host[:port]`, several with commas, first hop first; `none` is no hop.
/// As in OpenSSH, a comment ends the list, and so does white space.
pub(super) fn jump_hops(name: &str, text: &str) -> Result<Vec<JumpHop>, Problem> {
    let uncommented = text.split('#').next().unwrap_or_default();
    let list = uncommented
        .split([' ', '\t', '\r', '\n'])
        .next()
        .unwrap_or_default();
    if list.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    list.split(',')
        .map(|written| {
            jump_hop(written).ok_or_else(|| Problem::Value {
                name: name.to_owned(),
                value: text.to_owned(),
                expected: "[user@]host[:port], several with commas, or none",
            })
        })
        .collect()
}

fn jump_hop(written: &str) -> Option<JumpHop> {
    let (uri, text) = match written.get(..6) {
        Some(scheme) if scheme.eq_ignore_ascii_case("ssh://") => (true, &written[6..]),
        Some(_) | None => (false, written),
    };
    let (user, address) = match text.rsplit_once('@') {
        Some(("", _)) => return None,
        Some((user, address)) => (Some(user), address),
        None => (None, text),
    };
    // In a URI parameters may follow the user, and percent-encoding is not decoded here but refused.
    let user = if uri {
        user.map(|user| user.split(';').next().unwrap_or(user))
    } else {
        user
    };
    if uri && user.is_some_and(|user| user.contains('%') || user.is_empty()) {
        return None;
    }
    let address = if uri {
        address.strip_suffix('/').unwrap_or(address)
    } else {
        address
    };
    let (host, port_text) = if let Some(bracketed) = address.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        match after {
            "" => (host, None),
            after => (host, Some(after.strip_prefix(':')?)),
        }
    } else {
        match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    if host.is_empty() || host.contains('/') {
        return None;
    }
    let port = match port_text {
        None | Some("") => None,
        Some(text) => Some(port(text)?),
    };
    Some(JumpHop {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        written: written.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jump_hops_are_read_as_by_openssh() {
        let check = |text: &str, expected: Option<(Option<&str>, &str, Option<u16>)>| {
            let hop = jump_hop(text);
            assert_eq!(
                hop.as_ref()
                    .map(|hop| (hop.user.as_deref(), hop.host.as_str(), hop.port)),
                expected,
                "{text}"
            );
        };
        check("bastion", Some((None, "bastion", None)));
        check("me@bastion:2222", Some((Some("me"), "bastion", Some(2222))));
        check("a@b@c", Some((Some("a@b"), "c", None)));
        check("[::1]:22", Some((None, "::1", Some(22))));
        check(
            "ssh://me@bastion:33",
            Some((Some("me"), "bastion", Some(33))),
        );
        check("ssh://bastion/", Some((None, "bastion", None)));
        check("ssh://bastion/path", None);
        check("", None);
        check("@bastion", None);
        check("bastion:0", None);
        check("bastion:x", None);
        check("[::1", None);
        check("bastion:", Some((None, "bastion", None)));
    }
}

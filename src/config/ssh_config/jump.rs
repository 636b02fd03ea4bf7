//! The hops of `ProxyJump`: how they are written, and whom a host is reached through.

use super::error::{ConfigError, Problem};
use super::exec::Commands;
use super::resolve::failed;
use super::setting::Setting;
use super::value::port;
use super::{ClientConfig, HostSettings, JumpHop, Overrides, Proxy, expand};
use crate::core::spec::Host;

/// More than anybody has: whoever comes to more of them goes round in circles.
const MOST_HOPS: usize = 16;

/// What an inventory says of a hop of this name.
pub type Known<'a> = &'a dyn Fn(&str) -> Option<Host>;

/// The settings of the hops before a host, the nearest to it first.  As OpenSSH does it, which starts an `ssh` for each:
/// the last hop is looked up like a host, and those before it are its `ProxyJump`; where there are none before it, its
/// own configuration says how it is reached.  What is `known` of a hop comes after what is written with its name, and
/// before its configuration, as it does for a host.
pub(super) fn hops(
    config: &ClientConfig,
    host: &HostSettings,
    commands: Commands<'_>,
    known: Known<'_>,
) -> Result<Vec<HostSettings>, ConfigError> {
    let mut hops: Vec<HostSettings> = Vec::new();
    loop {
        let from = hops.last().unwrap_or(host);
        let Proxy::Jump(list) = &from.proxy.value else {
            return Ok(hops);
        };
        let Some((hop, before)) = list.split_last() else {
            return Ok(hops);
        };
        let wrong = |problem| failed(&from.host, from.proxy.origin.clone(), problem);
        let expanded = |text: &str| expand::proxy(text, from).map_err(wrong);
        let name = expanded(&hop.host)?;
        let known = known(&name).unwrap_or_default();
        let written = hop.user.as_deref().map(expanded).transpose()?;
        let mut overrides = Overrides::of_host(
            &Host {
                user: written.or(known.user),
                port: hop.port.or(known.port),
                ..known
            },
            &config.env,
        )?;
        if !before.is_empty() {
            overrides.0.push(Setting::ProxyJump(before.to_vec()));
        }
        let next = config.resolve(&name, &overrides, commands)?;
        let same = |settings: &HostSettings| settings.is_reached_as(&next);
        if same(host) || hops.iter().any(same) || hops.len() == MOST_HOPS {
            return Err(wrong(Problem::JumpLoop { via: name }));
        }
        hops.push(next);
    }
}

impl HostSettings {
    /// Whether this is the same login on the same computer, reached in the same way.
    fn is_reached_as(&self, other: &Self) -> bool {
        self.user.value == other.user.value
            && self.host_name.value == other.host_name.value
            && self.port.value == other.port.value
            && self.proxy.value == other.proxy.value
    }
}

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

//! Which host and user names are accepted, and how host names are normalised.

use std::net::IpAddr;

/// Names in lower case; addresses as they are usually written, unless only case differs. As in OpenSSH, whatever looks
/// like an address and is none is left alone.
pub(super) fn normal_host_name(name: &str) -> String {
    let looks_like_address =
        name.contains(['%', ':']) || name.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    if !looks_like_address {
        return name.to_ascii_lowercase();
    }
    let (address, scope) = name.split_at(name.find('%').unwrap_or(name.len()));
    let usual = address
        .parse::<IpAddr>()
        .map(|parsed| format!("{parsed}{scope}"));
    usual
        .ok()
        .filter(|usual| !usual.eq_ignore_ascii_case(name))
        .unwrap_or_else(|| name.to_owned())
}

/// `valid_hostname` in OpenSSH's ssh.c: nothing that could break out of a `ProxyCommand` (CVE-2023-51385).
pub(super) fn is_valid_host(host: &str) -> bool {
    !host.is_empty()
        && !host.starts_with('-')
        && !host.contains(|c: char| {
            "'`\"$\\;&<>|(){},".contains(c) || c.is_ascii_whitespace() || c.is_control()
        })
}

/// `valid_ruser` in OpenSSH's ssh.c, for a user given on the command line.
pub(super) fn is_valid_user(user: &str) -> bool {
    let option_after_blank = |pair: &[u8]| pair[0].is_ascii_whitespace() && pair[1] == b'-';
    !user.starts_with('-')
        && !user.contains(|c| "'`\";&<>|(){}".contains(c))
        && !user.as_bytes().windows(2).any(option_after_blank)
        && !user.ends_with('\\')
}

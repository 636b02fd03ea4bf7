//! `*` (any text, also none) and `?` (any one character) against names.

use super::hostset::{Builder, HostSet};

/// Whether the text has wildcards at all.
pub(super) fn is_mask(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Adds the names of `hosts` that match the mask.
pub(super) fn matching(hosts: &HostSet, mask: &str, found: &mut Builder) {
    if mask == "*" {
        return found.add_set(hosts);
    }
    hosts
        .iter()
        .filter(|name| matches(mask, name.as_str()))
        .for_each(|name| found.add_name(name.as_str()));
}

/// Whether the whole of `name` matches the mask; case counts. Linear in both for each `*`.
pub(crate) fn matches(mask: &str, name: &str) -> bool {
    let (mask, name) = (mask.as_bytes(), name.as_bytes());
    let (mut m, mut n) = (0, 0);
    // Where to go on after a mismatch: behind the last star, one character further in the name.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match mask.get(m) {
            Some(b'*') => {
                retry = Some((m + 1, n + 1));
                m += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                m += 1;
                n += 1;
            }
            _ => {
                let Some((after_star, next)) = retry else {
                    return false;
                };
                (m, n) = (after_star, next);
                retry = Some((after_star, next + 1));
            }
        }
    }
    mask[m..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn masks_match_whole_names() {
        let cases = [
            ("*", "", true),
            ("*", "web1", true),
            ("web*", "web1", true),
            ("web*", "web", true),
            ("web*", "aweb", false),
            ("*web", "aweb", true),
            ("w?b1", "web1", true),
            ("w?b1", "wb1", false),
            ("*a*b*", "xaybz", true),
            ("*a*b", "xaybz", false),
            ("**", "x", true),
            ("?", "", false),
            ("a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("WEB*", "web1", false),
        ];
        for (mask, name, expected) in cases {
            assert_eq!(matches(mask, name), expected, "{mask} {name}");
        }
    }
}

//! What a host calls itself, and where that stands in a line.

/// A name a host has.
#[derive(Clone, Debug)]
pub(super) struct Name {
    text: Vec<u8>,
    kind: NameKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameKind {
    Name,
    /// Another digit behind a dot makes another address of it.
    Address,
}

impl Name {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it can begin so.
    pub(super) fn may_begin(&self, byte: u8) -> bool {
        self.text[0].eq_ignore_ascii_case(&byte)
    }

    pub(super) fn stands_at(&self, line: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let inner = |byte: Option<&u8>| byte.is_some_and(is_word);
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        line.get(at..end)
            .is_some_and(|here| here.eq_ignore_ascii_case(&self.text))
            && !inner(before)
            && !inner(line.get(end))
            && (self.kind == NameKind::Name
                || !(before == Some(&b'.')
                    || (line.get(end) == Some(&b'.')
                        && line.get(end + 1).is_some_and(u8::is_ascii_digit))))
    }
}

/// What a host may call itself: by its whole name, and without its domain.
pub(super) fn names(host: &str) -> Vec<Name> {
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let bare = host.strip_prefix('[').and_then(|host| host.split_once(']'));
    let host = match (bare, host.split_once(':')) {
        (Some((host, _)), _) => host,
        (None, Some((host, port))) if !port.contains(':') => host,
        (None, _) => host,
    };
    if host.is_empty() {
        return Vec::new();
    }
    let name = |text: &str, kind| Name {
        text: text.as_bytes().to_vec(),
        kind,
    };
    if host.parse::<std::net::IpAddr>().is_ok() {
        return vec![name(host, NameKind::Address)];
    }
    let mut names = vec![name(host, NameKind::Name)];
    // A number alone is a number, whoever is called so.
    if let Some((short, _)) = host.split_once('.')
        && short.bytes().any(|byte| !byte.is_ascii_digit())
    {
        names.push(name(short, NameKind::Name));
    }
    names
}

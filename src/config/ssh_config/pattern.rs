//! OpenSSH's patterns: `*` any run of characters, `?` any one, nothing else is special
//! (ssh_config(5), PATTERNS).

/// Patterns tried as one: a negated one (`!`) that matches vetoes, otherwise any match counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternList(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    negated: bool,
    text: String,
}

impl PatternList {
    /// One pattern per word, as after `Host`: a comma is an ordinary character there.
    pub(crate) fn from_words(words: &[String]) -> Self {
        Self(words.iter().map(|word| Pattern::new(word)).collect())
    }

    /// A comma-separated list, as in `Match` criteria and `known_hosts`.
    pub(crate) fn from_commas(list: &str) -> Self {
        Self(list.split(',').map(Pattern::new).collect())
    }

    /// One pattern, in which nothing but `*` and `?` is special (`match_pattern` in OpenSSH's match.c).
    pub(crate) fn one(text: &str) -> Self {
        Self(vec![Pattern {
            negated: false,
            text: text.to_owned(),
        }])
    }

    /// Upper and lower case differ; host names are lower-cased by the caller where OpenSSH does so.
    pub(crate) fn matches(&self, subject: &str) -> bool {
        let mut found = false;
        for pattern in &self.0 {
            if matches(pattern.text.as_bytes(), subject.as_bytes()) {
                if pattern.negated {
                    return false;
                }
                found = true;
            }
        }
        found
    }

    /// The names this list stands for, when it is nothing but names: those can be looked up in a map.
    pub(crate) fn literals(&self) -> Option<impl Iterator<Item = &str>> {
        let plain = |pattern: &Pattern| !pattern.negated && !pattern.text.contains(['*', '?']);
        self.0
            .iter()
            .all(plain)
            .then(|| self.0.iter().map(|pattern| pattern.text.as_str()))
    }
}

impl Pattern {
    fn new(written: &str) -> Self {
        match written.strip_prefix('!') {
            Some(text) => Self {
                negated: true,
                text: text.to_owned(),
            },
            None => Self {
                negated: false,
                text: written.to_owned(),
            },
        }
    }
}

/// Linear in practice: only the last star is ever retried.
fn matches(pattern: &[u8], subject: &[u8]) -> bool {
    let (mut p, mut s) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while s < subject.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, s));
                p += 1;
            }
            Some(&c) if c == b'?' || c == subject[s] => {
                p += 1;
                s += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    s = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_openssh() {
        let check = |list: &str, subject: &str, expected: bool| {
            assert_eq!(
                PatternList::from_commas(list).matches(subject),
                expected,
                "{list} ~ {subject}"
            );
        };
        check("web", "web", true);
        check("web", "web1", false);
        check("web*", "web", true);
        check("*", "", true);
        check("?", "", false);
        check("w?b", "wab", true);
        check("*.example.*", "a.example.org", true);
        check("a*b*c", "aXbXbc", true);
        check("a*b*c", "aXbXb", false);
        check("*,!web*", "web1", false);
        check("!web*,*", "db1", true);
        check("!web*", "db1", false);
        check("[h]:22?2", "[h]:2222", true);
        check("", "", true);
        check("Web", "web", false);
    }

    #[test]
    fn only_lists_of_names_are_literal() {
        let names = |list: &str| {
            PatternList::from_commas(list)
                .literals()
                .map(|names| names.map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(names("a,b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names("a,b*"), None);
        assert_eq!(names("a,!b"), None);
    }
}

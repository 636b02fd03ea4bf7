//! The file names an `Include` pattern stands for, as glob(7) has it: `*`, `?`, `[a-z]`, `[!a]` and backslash
//! within one path component, leading dots only when written, names sorted.

use std::fs;
use std::path::{Path, PathBuf};

/// Existing files and directories that match an absolute `pattern`, sorted by name.
pub(super) fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        found = if component.contains(['*', '?', '[', '\\']) {
            found
                .iter()
                .flat_map(|directory| matching_entries(directory, component))
                .collect()
        } else {
            found
                .into_iter()
                .map(|directory| directory.join(component))
                .collect()
        };
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found
}

fn matching_entries(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let pattern: Vec<char> = pattern.chars().collect();
    let mut names: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| {
            let name: Vec<char> = name.to_string_lossy().chars().collect();
            (name.first() != Some(&'.') || pattern.first() == Some(&'.'))
                && matches(&pattern, &name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        (['?', rest @ ..], [_, name @ ..]) => matches(rest, name),
        (['[', rest @ ..], [first, name @ ..]) => match character_class(rest, *first) {
            Some((matched, rest)) => matched && matches(rest, name),
            None => *first == '[' && matches(rest, name),
        },
        (['\\', literal, rest @ ..] | [literal, rest @ ..], [first, name @ ..]) => {
            literal == first && matches(rest, name)
        }
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

/// Whether `c` is in the class whose text follows `[`, and what follows its `]`. `None`: it is never closed.
fn character_class(text: &[char], c: char) -> Option<(bool, &[char])> {
    let (negated, mut rest) = match text {
        ['!' | '^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    let mut first = true;
    loop {
        rest = match rest {
            [']', rest @ ..] if !first => return Some((found != negated, rest)),
            [low, '-', high, rest @ ..] if *high != ']' => {
                found |= (*low..=*high).contains(&c);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == c;
                rest
            }
            [] => return None,
        };
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_glob() {
        let check = |pattern: &str, name: &str, expected: bool| {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(
                matches(&chars(pattern), &chars(name)),
                expected,
                "{pattern} ~ {name}"
            );
        };
        check("*.conf", "a.conf", true);
        check("*.conf", "a.conf.bak", false);
        check("[0-9]?-*", "10-web", true);
        check("[!0-9]*", "10-web", false);
        check("[]a]x", "]x", true);
        check("[ab", "[ab", true);
        check(r"\*", "*", true);
        check(r"\*", "a", false);
    }

    #[test]
    fn files_come_sorted_and_hidden_ones_only_when_asked_for() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["b.conf", "a.conf", ".hidden.conf", "c.txt"] {
            fs::write(directory.path().join(name), "").expect("write");
        }
        let names = |pattern: &str| -> Vec<String> {
            expand(&format!("{}/{pattern}", directory.path().display()))
                .iter()
                .map(|path| {
                    path.file_name()
                        .expect("a file")
                        .to_string_lossy()
                        .into_owned()
                })
                .collect()
        };
        assert_eq!(names("*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(names(".*.conf"), [".hidden.conf"]);
        assert_eq!(names("c.txt"), ["c.txt"]);
        assert!(names("missing").is_empty());
    }
}

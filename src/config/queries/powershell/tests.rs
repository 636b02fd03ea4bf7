use super::super::{Query, SearchPath, load};
use super::*;
use crate::core::spec::Payload;

/// What PowerShell reads between single quotes, and what it has not read after their end.
fn read(text: &str) -> (String, String) {
    let is_quote = |c: char| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c);
    let mut read = String::new();
    let mut rest = text.strip_prefix('\'').expect("a quote").chars().peekable();
    while let Some(c) = rest.next() {
        if is_quote(c) {
            match rest.peek() {
                Some(next) if is_quote(*next) => _ = rest.next(),
                Some(_) | None => break,
            }
        }
        read.push(c);
    }
    (read, rest.collect())
}

#[test]
fn a_value_is_read_as_it_is_and_nothing_of_it_is_run() {
    let values = [
        "",
        "plain",
        "it's",
        "''",
        "'; Remove-Item C:\\ -Recurse; '",
        "\u{2019}; exit 3; \u{2018}",
        "\u{201a}\u{201b}\u{2018}\u{2019}'",
        "'\u{2019}",
        "$(exit) `n \"$env:PATH\" %PATH% @{} #",
        "two\nlines\r\n and 'more'",
        "\u{1f6a3} é",
    ];
    for value in values {
        let mut lines = String::new();
        assign(&mut lines, "what", value);
        assert!(lines.len() <= room("what", value), "{value:?}");
        let quoted = lines.strip_prefix("$what=").expect("an assignment");
        let (got, rest) = read(quoted);
        assert_eq!((got.as_str(), rest.as_str()), (value, "\n"), "{quoted}");
    }
    let all = assignments(&[("a", "1"), ("b", "it's")]);
    assert_eq!(all, "$a='1'\n$b='it''s'\n");
    let all = from_environment(["a", "b"].into_iter());
    assert_eq!(all, "$a=\"$env:a\"\n$b=\"$env:b\"\n");
}

#[test]
fn what_has_no_columns_stays_as_powershell_shows_it() {
    let rows = framed("Get-Date\n# the end\n", Some(&Shape::lines()));
    let text = framed("Get-Date\n# the end\n", None);
    assert!(rows.contains("\nGet-Date\n# the end\n") && text.contains("\nGet-Date\n# the end\n"));
    assert!(rows.contains("ConvertTo-Json") && !text.contains("ConvertTo-Json"));
    for text in [rows, text] {
        assert_eq!(unclosed(&text), "", "{text}");
    }
}

/// The brackets and quotes of a PowerShell's text that nothing closes, or that close nothing.
fn unclosed(text: &str) -> String {
    let mut open = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' if !open.ends_with('"') => while !matches!(chars.next(), Some('\n') | None) {},
            '\'' if !open.ends_with('"') => {
                let closed = chars.any(|c| c == '\'');
                if !closed {
                    open.push('\'');
                }
            }
            '"' if open.ends_with('"') => _ = open.pop(),
            '"' => open.push('"'),
            // In double quotes nothing but $(...) means something.
            '(' | '{' | '[' if !open.ends_with('"') || c == '(' => open.push(c),
            ')' | '}' | ']' => {
                let opened = match c {
                    ')' => '(',
                    '}' => '{',
                    _ => '[',
                };
                if open.ends_with(opened) {
                    open.pop();
                } else if !open.ends_with('"') {
                    return format!("{open} {c}");
                }
            }
            _ => {}
        }
    }
    open
}

fn compiled_in() -> Vec<(Query, String)> {
    let (queries, _) = load(&SearchPath(Vec::new()));
    let text = |query: Query| match query.payload.clone() {
        Payload::Script { powershell, .. } => powershell.map(|text| (query, text)),
        Payload::Command(_) => None,
    };
    queries.into_iter().filter_map(text).collect()
}

#[test]
fn the_compiled_in_texts_write_all_their_columns_and_nothing_else() {
    let all = compiled_in();
    assert_eq!(all.len(), 18);
    for (query, text) in all {
        let name = &query.name;
        assert!(query.platforms.contains(&"windows"), "{name}");
        assert_eq!(unclosed(&text), "", "{name}");
        let shape = query.shape.expect("columns");
        let (_, object) = text
            .rsplit_once("[pscustomobject]@{\n")
            .expect("it writes objects");
        let (object, _) = object.split_once("\n}|").expect("it ends");
        let keys = object.lines().filter_map(|line| line.split_once(" = "));
        let keys: Vec<&str> = keys.map(|(key, _)| key.trim()).collect();
        let columns: Vec<&str> = (shape.columns.iter())
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(keys, columns, "{name}");
        // What gives nothing at all becomes {} in JSON.
        let bare = |line: &&str| line.contains(" = if ") && !line.contains(" else ");
        assert_eq!(object.lines().find(bare), None, "{name}");
    }
}

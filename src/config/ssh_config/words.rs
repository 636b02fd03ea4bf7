//! How a configuration line falls into words. OpenSSH has two ways: the keyword and `Match` criteria are
//! delimited by white space or one `=` (`strdelim` in its misc.c), arguments are split like a small shell
//! would (`argv_split`).

const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The line without what OpenSSH strips at its end.
pub(super) fn trim_end(line: &str) -> &str {
    line.trim_end_matches([' ', '\t', '\r', '\n', '\x0c'])
}

pub(super) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(WHITE_SPACE)
}

/// A double quote that is never closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnclosedQuote;

/// Takes the next word up to white space or one `=`; a part in double quotes belongs to the word and ends it.
/// `None`: nothing is left.
pub(super) fn next_delimited(rest: &mut Option<&str>) -> Result<Option<String>, UnclosedQuote> {
    let Some(text) = rest.take() else {
        return Ok(None);
    };
    let Some((at, delimiter)) = text
        .char_indices()
        .find(|(_, c)| WHITE_SPACE.contains(c) || matches!(c, '"' | '='))
    else {
        return Ok(Some(text.to_owned()));
    };
    let (before, after) = (&text[..at], &text[at + 1..]);
    if delimiter == '"' {
        let (quoted, after) = after.split_once('"').ok_or(UnclosedQuote)?;
        *rest = Some(trim_start(after));
        return Ok(Some(format!("{before}{quoted}")));
    }
    let mut after = trim_start(after);
    if delimiter != '='
        && let Some(value) = after.strip_prefix('=')
    {
        after = trim_start(value);
    }
    *rest = Some(after);
    Ok(Some(before.to_owned()))
}

/// Splits arguments at blanks. Single and double quotes group, a backslash escapes a quote, a backslash or
/// (outside quotes) a space, and `#` at the start of a word begins a comment.
pub(super) fn arguments(text: &str) -> Result<Vec<String>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if matches!(chars.peek(), None | Some('#')) {
            return Ok(words);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(&c) = chars.peek() {
            if quote.is_none() && matches!(c, ' ' | '\t') {
                break;
            }
            chars.next();
            match (c, quote) {
                ('\\', _) => {
                    let escaped = chars.next_if(|&next| {
                        matches!(next, '\'' | '"' | '\\') || (next == ' ' && quote.is_none())
                    });
                    word.push(escaped.unwrap_or('\\'));
                }
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return Err(UnclosedQuote);
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_delimited_as_by_strdelim() {
        let check = |line: &str, expected: &[&str]| {
            let mut rest = Some(line);
            let mut words = Vec::new();
            while let Some(word) = next_delimited(&mut rest).expect("quotes are closed here") {
                words.push(word);
            }
            assert_eq!(words, expected, "{line:?}");
        };
        check("Port 22", &["Port", "22"]);
        check("Port=22", &["Port", "22"]);
        check("Port = 22", &["Port", "22"]);
        check("a == b", &["a", "", "b"]);
        check("host=\"a b\" user x", &["host", "a b", "user", "x"]);
        check("", &[""]);
        assert_eq!(next_delimited(&mut Some("\"open")), Err(UnclosedQuote));
    }

    #[test]
    fn arguments_are_split_as_by_argv_split() {
        let check = |text: &str, expected: &[&str]| {
            let words = arguments(text).expect("quotes are closed here");
            assert_eq!(words, expected, "{text:?}");
        };
        check("a  b\tc", &["a", "b", "c"]);
        check("\"a b\" 'c d'", &["a b", "c d"]);
        check(r#"a\ b "c\"d" e\f"#, &["a b", "c\"d", r"e\f"]);
        check("a #b", &["a"]);
        check("a#b", &["a#b"]);
        check("\"\" x", &["", "x"]);
        assert_eq!(arguments("'a"), Err(UnclosedQuote));
    }
}

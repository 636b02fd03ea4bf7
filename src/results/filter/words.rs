//! The words and signs of a condition, each with its place.

/// What was wrong, and where, in characters.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Not quoted: a column, a number, a plain text.
    Bare(String),
    Quoted(String),
    /// An operator, a parenthesis, or a comma.
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: [&str; 18] = [
    "<=", ">=", "!=", "<>", "==", "!~", "&&", "||", "<", ">", "=", "~", "(", ")", ",", "!", "&",
    "|",
];

/// Each with where it begins, in characters.
pub(super) fn words(text: &str) -> Result<Vec<(usize, Word)>, Wrong> {
    let chars: Vec<char> = text.chars().collect();
    let (mut words, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if c == '\'' || c == '"' {
            let mut quoted = String::new();
            at += 1;
            loop {
                match chars.get(at) {
                    None => {
                        let what = "this quote is never closed".to_string();
                        return Err(Wrong { at: start, what });
                    }
                    // Two of them are one.
                    Some(&end) if end == c && chars.get(at + 1) == Some(&c) => {
                        quoted.push(c);
                        at += 2;
                    }
                    Some(&end) if end == c => break,
                    Some(&other) => {
                        quoted.push(other);
                        at += 1;
                    }
                }
            }
            at += 1;
            words.push((start, Word::Quoted(quoted)));
            continue;
        }
        if let Some(sign) = sign(&chars[at..]) {
            at += sign.len();
            words.push((start, Word::Sign(sign)));
            continue;
        }
        while at < chars.len()
            && !chars[at].is_whitespace()
            && !matches!(chars[at], '\'' | '"')
            && sign(&chars[at..]).is_none()
        {
            at += 1;
        }
        words.push((start, Word::Bare(chars[start..at].iter().collect())));
    }
    Ok(words)
}

fn sign(rest: &[char]) -> Option<&'static str> {
    let begins = |sign: &&&str| {
        sign.chars()
            .enumerate()
            .all(|(n, c)| rest.get(n) == Some(&c))
    };
    SIGNS.iter().find(begins).copied()
}

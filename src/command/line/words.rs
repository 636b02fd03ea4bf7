//! A line taken apart into words, each with its place, and put together again.

use std::ops::Range;

use super::LineError;

/// The program's own name, which may stand before the verb.
const PROGRAM: &str = "regatta";

/// What stands before text that is left as it is.
const VERBATIM: &str = "--";

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// Where it stands in the line, in bytes, quotes and all.
    pub at: Range<usize>,
}

/// What opened a quotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    Single,
    Double,
}

/// The words of a line, without a leading `regatta`.  All that follows `--` is one word.
pub fn words(line: &str) -> Result<Vec<Word>, LineError> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(begin) = next_black(line, at) {
        let word = word(line, begin)?;
        at = word.at.end;
        // Only once: a second one is a mistake that has to be seen.
        let first = line[..begin].trim_start().is_empty();
        if first && line[word.at.clone()] == *PROGRAM {
            continue;
        }
        let verbatim = word.text == VERBATIM;
        words.push(word);
        if verbatim && let Some(rest) = next_black(line, at) {
            words.push(Word {
                text: line[rest..].to_string(),
                at: rest..line.len(),
            });
            break;
        }
    }
    Ok(words)
}

/// A line that parses to these words.  Several words after `--` become one, which means the same to whoever runs it.
pub fn shown<S: AsRef<str>>(words: &[S]) -> String {
    let mut line = String::new();
    let mut words = words.iter().map(AsRef::as_ref);
    for word in words.by_ref() {
        if !line.is_empty() {
            line.push(' ');
        }
        push_quoted(&mut line, word);
        if word == VERBATIM {
            break;
        }
    }
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    line
}

/// What follows the first word, with its quotes; without a leading `--`.
pub(super) fn rest<'a>(line: &'a str, words: &[Word]) -> &'a str {
    let from = match words {
        [_, dashes, ..] if dashes.text == VERBATIM => dashes.at.end,
        [first, ..] => first.at.end,
        [] => line.len(),
    };
    line[from..].trim_start()
}

/// Where the next thing that is no white space begins.
fn next_black(line: &str, from: usize) -> Option<usize> {
    let found = line[from..].find(|c: char| !c.is_whitespace());
    found.map(|offset| from + offset)
}

/// The word that begins here.
fn word(line: &str, begin: usize) -> Result<Word, LineError> {
    let mut text = String::new();
    let mut quote: Option<(Quote, usize)> = None;
    let mut chars = line[begin..].char_indices().peekable();
    let mut end = line.len();
    while let Some((offset, c)) = chars.next() {
        let at = begin + offset;
        match (quote, c) {
            (None, '\'') => quote = Some((Quote::Single, at)),
            (None, '"') => quote = Some((Quote::Double, at)),
            (Some((Quote::Single, _)), '\'') | (Some((Quote::Double, _)), '"') => quote = None,
            (Some((Quote::Double, _)), '\\') => {
                let escaped = chars.next_if(|(_, next)| matches!(next, '"' | '\\'));
                text.push(escaped.map_or('\\', |(_, next)| next));
            }
            (None, c) if c.is_whitespace() => {
                end = at;
                break;
            }
            (_, c) => text.push(c),
        }
    }
    match quote {
        None => Ok(Word {
            text,
            at: begin..end,
        }),
        Some((kind, at)) => {
            let sign = match kind {
                Quote::Single => '\'',
                Quote::Double => '"',
            };
            Err(LineError {
                range: at..at + 1,
                message: format!("the quote {sign} is never closed"),
                hint: Some(format!("close it with {sign}, or quote it")),
            })
        }
    }
}

fn push_quoted(line: &mut String, word: &str) {
    let bare = |c: char| !c.is_whitespace() && !matches!(c, '\'' | '"');
    if !word.is_empty() && word.chars().all(bare) && !(line.is_empty() && word == PROGRAM) {
        line.push_str(word);
    } else if !word.contains('\'') {
        line.push('\'');
        line.push_str(word);
        line.push('\'');
    } else {
        line.push('"');
        for c in word.chars() {
            if matches!(c, '"' | '\\') {
                line.push('\\');
            }
            line.push(c);
        }
        line.push('"');
    }
}

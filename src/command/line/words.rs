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

/// A line that is still being typed, up to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The words before the one under the cursor.
    pub before: Vec<Word>,
    /// The one under the cursor, which can be empty.
    pub word: Word,
    pub how: How,
}

/// How the word under the cursor is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As it stands.
    Bare,
    /// Begun with this quote, which is still open.
    Quoted(char),
    /// With quotes here and there.
    Mixed,
    /// After `--`, where the line is left alone.
    Verbatim,
}

/// The words of a line, without a leading `regatta`.  All that follows `--` is one word: without its quotes where it is one
/// quoted word of a shell, as in lines that were copied from one, else as it stands.
pub fn words(line: &str) -> Result<Vec<Word>, LineError> {
    let mut words = Words::of(line);
    let found: Vec<Word> = words.by_ref().collect();
    match words.open {
        None => Ok(found),
        Some((sign, at)) => Err(LineError {
            range: at..at + 1,
            message: format!("the quote {sign} is never closed"),
            hint: Some(format!("close it with {sign}, or quote it")),
        }),
    }
}

/// What is typed of a line so far; `line` ends at the cursor.
pub fn begun(line: &str) -> Begun {
    let mut words = Words::of(line);
    let mut before: Vec<Word> = words.by_ref().collect();
    let end = line.len();
    let under = before.pop_if(|word| word.at.end == end);
    let word = under.unwrap_or_else(|| Word {
        text: String::new(),
        at: end..end,
    });
    let written = &line[word.at.clone()];
    let how = if before.last().is_some_and(|word| word.text == VERBATIM) {
        How::Verbatim
    } else if written == word.text {
        How::Bare
    } else {
        match words.open {
            Some((sign, at)) if at == word.at.start && written[1..] == word.text => {
                How::Quoted(sign)
            }
            Some(_) | None => How::Mixed,
        }
    };
    Begun { before, word, how }
}

/// Takes a line apart.
struct Words<'a> {
    line: &'a str,
    at: usize,
    verbatim: bool,
    /// The quote that is never closed, and where it stands.
    open: Option<(char, usize)>,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Self {
        let mut words = Self {
            line,
            at: 0,
            verbatim: false,
            open: None,
        };
        // Only once: a second one is a mistake that has to be seen.
        if words.word().is_none_or(|word| line[word.at] != *PROGRAM) || words.at == line.len() {
            words.at = 0;
            words.open = None;
        }
        words
    }

    /// The next word, whatever stands before it.
    fn word(&mut self) -> Option<Word> {
        let rest = &self.line[self.at..];
        let begin = self.at + rest.find(|c: char| !c.is_whitespace())?;
        let mut text = String::new();
        let mut chars = self.line[begin..].char_indices().peekable();
        let mut end = self.line.len();
        while let Some((offset, c)) = chars.next() {
            let at = begin + offset;
            match (self.open, c) {
                (None, '\'' | '"') => self.open = Some((c, at)),
                (Some((sign, _)), c) if c == sign => self.open = None,
                (Some(('"', _)), '\\') => {
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
        self.at = end;
        Some(Word {
            text,
            at: begin..end,
        })
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        if self.verbatim {
            let rest = self.line[self.at..].trim_start();
            let begin = self.line.len() - rest.len();
            self.at = self.line.len();
            return (!rest.is_empty()).then(|| Word {
                text: without_quotes(rest).unwrap_or_else(|| rest.to_string()),
                at: begin..self.line.len(),
            });
        }
        let word = self.word()?;
        self.verbatim = word.text == VERBATIM;
        Some(word)
    }
}

/// What follows `--` once its quotes are taken off; `None` where it has none around it.
pub fn unquoted(line: &str) -> Option<String> {
    let words = words(line).ok()?;
    match words.as_slice() {
        [.., dashes, rest] if dashes.text == VERBATIM && line[rest.at.clone()] != rest.text => {
            Some(rest.text.clone())
        }
        _ => None,
    }
}

/// What one quoted word of a shell says: `'...'`, with `'\''` for a quote within, or `"..."`.  Nothing is no word.
fn without_quotes(text: &str) -> Option<String> {
    let said = between_quotes(text.trim_end())?;
    (!said.is_empty()).then_some(said)
}

fn between_quotes(text: &str) -> Option<String> {
    if let Some(within) = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
    {
        let parts: Vec<&str> = within.split(r"'\''").collect();
        let one_word = parts.iter().all(|part| !part.contains('\''));
        return one_word.then(|| parts.join("'"));
    }
    let within = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut said = String::new();
    let mut chars = within.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => {
                let escaped = chars.next_if(|next| matches!(next, '"' | '\\' | '$' | '`'));
                // A quote that is escaped at the very end closes nothing.
                if escaped.is_none() && chars.peek().is_none() {
                    return None;
                }
                said.push(escaped.unwrap_or('\\'));
            }
            c => said.push(c),
        }
    }
    Some(said)
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
    let rest: Vec<&str> = words.collect();
    if !rest.is_empty() {
        let rest = rest.join(" ");
        line.push(' ');
        if without_quotes(&rest).is_some() || rest.starts_with(char::is_whitespace) {
            // Its own quotes are a part of it, and so is the space before it.
            push_single_quoted(&mut line, &rest);
        } else {
            line.push_str(&rest);
        }
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

/// What to type into a POSIX shell for the same: `regatta` with each word of a line as the shell has to have it.  Lines that
/// cannot be read stand as they are.
pub fn for_shell(line: &str) -> String {
    let Ok(words) = words(line) else {
        return format!("{PROGRAM} {line}");
    };
    let mut text = PROGRAM.to_string();
    for word in words {
        text.push(' ');
        let bare = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
        if !word.text.is_empty() && word.text.chars().all(bare) {
            text.push_str(&word.text);
        } else {
            push_single_quoted(&mut text, &word.text);
        }
    }
    text
}

fn push_single_quoted(line: &mut String, word: &str) {
    line.push('\'');
    line.push_str(&word.replace('\'', r"'\''"));
    line.push('\'');
}

/// A word in quotes, if it needs them.
pub fn quoted(word: &str) -> String {
    let mut text = String::new();
    push_quoted(&mut text, word);
    text
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

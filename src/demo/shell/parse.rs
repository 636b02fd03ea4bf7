//! From text to commands.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// Words that begin a compound command (POSIX, Shell Command Language, section 2.4).
const RESERVED: [&str; 8] = ["!", "{", "case", "for", "if", "until", "while", "function"];

/// A script: each command, and what has to be true of the one before.
pub(super) type Program = Vec<(Joiner, Simple)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joiner {
    Always,
    And,
    Or,
}

/// One command with its words, and where its output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) words: Vec<Word>,
    pub(super) out: Sink,
    pub(super) err: Sink,
}

impl Default for Simple {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            out: Sink::Out,
            err: Sink::Err,
        }
    }
}

impl Simple {
    /// The word that makes this the beginning of something larger.
    fn reserved(&self) -> Option<&str> {
        match self.words.first()?.pieces.as_slice() {
            [Piece::Text(text)] if RESERVED.contains(&text.as_str()) => Some(text),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sink {
    Out,
    Err,
    Null,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    /// Something of it was quoted, so it is a word even if it is empty.
    pub(super) quoted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Variable(String),
}

/// What this shell cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SyntaxError {
    Unterminated(char),
    /// A `&&`, `||` or `;` without a command.
    NoCommand,
    /// Real sh could do this.
    Beyond(String),
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unterminated(quote) => write!(f, "syntax error: {quote} has no end"),
            Self::NoCommand => f.write_str("syntax error: a command is missing"),
            Self::Beyond(what) => write!(f, "{what} is more than this shell can do"),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Program, SyntaxError> {
    Parser {
        rest: text.chars().peekable(),
    }
    .program()
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn program(mut self) -> Result<Program, SyntaxError> {
        let mut program = Program::new();
        let mut joiner = Joiner::Always;
        loop {
            let simple = self.simple()?;
            let is_empty = simple.words.is_empty();
            if let Some(word) = simple.reserved() {
                return Err(SyntaxError::Beyond(format!("`{word}`")));
            }
            if !is_empty {
                program.push((joiner, simple));
            }
            let Some(mark) = self.rest.next() else {
                // A line may end with `;`, but not with `&&`.
                let complete = !is_empty || joiner == Joiner::Always;
                return complete.then_some(program).ok_or(SyntaxError::NoCommand);
            };
            let doubled = mark != '\n' && self.rest.next_if_eq(&mark).is_some();
            match (mark, doubled) {
                // After `&&` the command may stand on the next line.
                ('\n', _) if is_empty => {}
                ('\n', _) => joiner = Joiner::Always,
                _ if is_empty => return Err(SyntaxError::NoCommand),
                (';', false) => joiner = Joiner::Always,
                ('&', true) => joiner = Joiner::And,
                ('|', true) => joiner = Joiner::Or,
                (mark, _) => return Err(SyntaxError::Beyond(format!("`{mark}`"))),
            }
        }
    }

    /// Up to a mark between commands, which is left.
    fn simple(&mut self) -> Result<Simple, SyntaxError> {
        let mut simple = Simple::default();
        loop {
            while self
                .rest
                .next_if(|next| matches!(next, ' ' | '\t' | '\r'))
                .is_some()
            {}
            match self.rest.peek() {
                None | Some('\n' | ';' | '&' | '|') => return Ok(simple),
                Some('#') => while self.rest.next_if(|next| *next != '\n').is_some() {},
                Some('>') => self.redirect('1', &mut simple)?,
                Some(_) => {
                    let word = self.word()?;
                    match descriptor(&word).filter(|_| self.rest.peek() == Some(&'>')) {
                        Some(from) => self.redirect(from, &mut simple)?,
                        None => simple.words.push(word),
                    }
                }
            }
        }
    }

    /// `>&2`, `2>&1`, `>/dev/null`: the sign is next.
    fn redirect(&mut self, from: char, simple: &mut Simple) -> Result<(), SyntaxError> {
        let mut what = String::from(if from == '1' { "" } else { "2" });
        what.extend(self.rest.next());
        if let Some(mark) = self.rest.next_if(|next| matches!(next, '&' | '>')) {
            what.push(mark);
        }
        while self
            .rest
            .next_if(|next| matches!(next, ' ' | '\t'))
            .is_some()
        {}
        let is_end = |next: &char| next.is_whitespace() || matches!(next, ';' | '&' | '|');
        while let Some(next) = self.rest.next_if(|next| !is_end(next)) {
            what.push(next);
        }
        match what.as_str() {
            ">&1" | "2>&2" => {}
            ">&2" => simple.out = simple.err,
            "2>&1" => simple.err = simple.out,
            ">/dev/null" | ">>/dev/null" => simple.out = Sink::Null,
            "2>/dev/null" | "2>>/dev/null" => simple.err = Sink::Null,
            _ => return Err(SyntaxError::Beyond(format!("`{what}`"))),
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        while let Some(next) = self
            .rest
            .next_if(|next| !next.is_whitespace() && !matches!(next, ';' | '&' | '|' | '>'))
        {
            match next {
                '\'' => {
                    word.quoted = true;
                    word.push_str(&self.until_quote()?);
                }
                '"' => self.double_quoted(&mut word)?,
                '\\' => match self.rest.next() {
                    // A line goes on.
                    Some('\n') | None => {}
                    Some(literal) => word.push(literal),
                },
                '$' => self.variable(&mut word)?,
                '`' | '<' | '(' | ')' | '*' | '?' => {
                    return Err(SyntaxError::Beyond(format!("`{next}`")));
                }
                literal => word.push(literal),
            }
        }
        Ok(word)
    }

    fn until_quote(&mut self) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            match self.rest.next() {
                None => return Err(SyntaxError::Unterminated('\'')),
                Some('\'') => return Ok(text),
                Some(literal) => text.push(literal),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        word.quoted = true;
        loop {
            match self.rest.next() {
                None => return Err(SyntaxError::Unterminated('"')),
                Some('"') => return Ok(()),
                Some('\\') => match self.rest.next() {
                    Some('\n') => {}
                    Some(literal @ ('"' | '\\' | '$' | '`')) => word.push(literal),
                    Some(other) => word.push_str(&format!("\\{other}")),
                    None => return Err(SyntaxError::Unterminated('"')),
                },
                Some('$') => self.variable(word)?,
                Some('`') => return Err(SyntaxError::Beyond("a backquote".to_owned())),
                Some(literal) => word.push(literal),
            }
        }
    }

    /// What follows a `$`.
    fn variable(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        let part = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
        let mut name = String::new();
        match self.rest.peek() {
            Some('{') => {
                self.rest.next();
                while let Some(next) = self.rest.next_if(part) {
                    name.push(next);
                }
                if name.is_empty() || self.rest.next() != Some('}') {
                    return Err(SyntaxError::Beyond(
                        "`${...}` with more than a name".to_owned(),
                    ));
                }
            }
            Some('(') => return Err(SyntaxError::Beyond("`$(...)`".to_owned())),
            Some('?' | '$') => name.extend(self.rest.next()),
            Some(next) if part(next) => {
                while let Some(next) = self.rest.next_if(part) {
                    name.push(next);
                }
            }
            Some(_) | None => {
                word.push('$');
                return Ok(());
            }
        }
        word.pieces.push(Piece::Variable(name));
        Ok(())
    }
}

impl Word {
    fn push(&mut self, literal: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(literal),
            Some(Piece::Variable(_)) | None => self.pieces.push(Piece::Text(literal.to_string())),
        }
    }

    fn push_str(&mut self, text: &str) {
        text.chars().for_each(|literal| self.push(literal));
    }
}

/// The file descriptor a word names when `>` follows it.
fn descriptor(word: &Word) -> Option<char> {
    match word.pieces.as_slice() {
        [Piece::Text(text)] if !word.quoted && text == "1" => Some('1'),
        [Piece::Text(text)] if !word.quoted && text == "2" => Some('2'),
        _ => None,
    }
}

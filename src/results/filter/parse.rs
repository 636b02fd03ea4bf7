//! From a condition's words to what is asked of each row: `or` binds less than `and`, `and` less than `not`.

use regex::Regex;

use super::words::{Word, Wrong, words};
use super::{Comparison, Node};
use crate::results::shape::Column;
use crate::results::table::{place, unknown};
use crate::results::value::read::Reader;
use crate::results::value::{Kind, Value};

/// Deeper parentheses than anybody types.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str, columns: &[Column]) -> Result<Node, Wrong> {
    let mut parser = Parser {
        words: words(text)?,
        next: 0,
        end: text.chars().count(),
        depth: 0,
        columns,
    };
    let node = parser.any()?;
    match parser.words.get(parser.next) {
        None => Ok(node),
        Some((at, word)) => Err(Wrong {
            at: *at,
            what: format!("{} here; conditions are joined by and, or", said(word)),
        }),
    }
}

struct Parser<'a> {
    words: Vec<(usize, Word)>,
    next: usize,
    end: usize,
    depth: usize,
    columns: &'a [Column],
}

/// Whether a word is this operator or keyword.
fn is(word: &Word, keyword: &str, sign: &str) -> bool {
    match word {
        Word::Bare(bare) => bare.eq_ignore_ascii_case(keyword),
        Word::Sign(other) => *other == sign,
        Word::Quoted(_) => false,
    }
}

fn said(word: &Word) -> String {
    match word {
        Word::Bare(text) => format!("unexpected {text}"),
        Word::Quoted(text) => format!("unexpected {text:?}"),
        Word::Sign(sign) => format!("unexpected {sign}"),
    }
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Node, Wrong> {
        let mut nodes = vec![self.all()?];
        while self.skip("or", "||") {
            nodes.push(self.all()?);
        }
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::Any(nodes)
        })
    }

    fn all(&mut self) -> Result<Node, Wrong> {
        let mut nodes = vec![self.one()?];
        while self.skip("and", "&&") {
            nodes.push(self.one()?);
        }
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::All(nodes)
        })
    }

    fn one(&mut self) -> Result<Node, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("too many parentheses within each other"));
        }
        let node = if self.skip("not", "!") {
            Node::Not(Box::new(self.one()?))
        } else if self.skip_sign("(") {
            let node = self.any()?;
            if !self.skip_sign(")") {
                return Err(self.wrong("a closing parenthesis is missing here"));
            }
            node
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn condition(&mut self) -> Result<Node, Wrong> {
        let column = self.column()?;
        let negated = self.keyword("not");
        if self.keyword("in") {
            let node = self.list(column)?;
            return Ok(if negated {
                Node::Not(Box::new(node))
            } else {
                node
            });
        }
        if negated {
            return Err(self.wrong("only in (...) follows not here"));
        }
        if self.keyword("is") {
            let negated = self.keyword("not");
            if !self.keyword("empty") && !self.keyword("null") {
                return Err(self.wrong("is empty, or is not empty"));
            }
            let how = if negated {
                Comparison::Unequal
            } else {
                Comparison::Equal
            };
            let with = Value::Empty;
            return Ok(Node::Compare { column, how, with });
        }
        let Some(sign) = self.sign() else {
            return Ok(Node::Truth(column));
        };
        let how = match sign {
            "=" | "==" => Comparison::Equal,
            "!=" | "<>" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::More,
            ">=" => Comparison::AtLeast,
            "~" => return self.pattern(column),
            "!~" => return Ok(Node::Not(Box::new(self.pattern(column)?))),
            // What may follow a column that stands alone.
            ")" | "&&" | "||" => return Ok(Node::Truth(column)),
            _ => {
                return Err(self.wrong(&format!(
                    "{sign} compares nothing; write =, !=, <, <=, >, >=, ~, !~"
                )));
            }
        };
        self.next += 1;
        let with = self.literal(column)?;
        Ok(Node::Compare { column, how, with })
    }

    fn column(&mut self) -> Result<usize, Wrong> {
        let Some((at, word)) = self.words.get(self.next) else {
            return Err(self.wrong("a condition is missing here"));
        };
        let name = match word {
            Word::Bare(name) | Word::Quoted(name) => name,
            Word::Sign(sign) => {
                let what = format!("the name of a column should stand here, not {sign}");
                return Err(Wrong { at: *at, what });
            }
        };
        let found = place(self.columns, name).ok_or_else(|| Wrong {
            at: *at,
            what: unknown(self.columns, name),
        })?;
        self.next += 1;
        Ok(found)
    }

    fn pattern(&mut self, column: usize) -> Result<Node, Wrong> {
        self.next += 1;
        let at = self.place();
        let text = self.text()?;
        let pattern = Regex::new(&text).map_err(|error| Wrong {
            at,
            what: format!("this is no regular expression: {}", super::fault(&error)),
        })?;
        Ok(Node::Matches { column, pattern })
    }

    fn list(&mut self, column: usize) -> Result<Node, Wrong> {
        if !self.skip_sign("(") {
            return Err(self.wrong("a list stands in parentheses: in (a, b)"));
        }
        let mut values = vec![self.literal(column)?];
        while self.skip_sign(",") {
            values.push(self.literal(column)?);
        }
        if !self.skip_sign(")") {
            return Err(self.wrong("a closing parenthesis is missing here"));
        }
        Ok(Node::In { column, values })
    }

    /// What a column is compared with, as its kind.
    fn literal(&mut self, column: usize) -> Result<Value, Wrong> {
        let at = self.place();
        let text = self.text()?;
        let Column {
            name, kind, unit, ..
        } = &self.columns[column];
        // What is read from text stays as it is typed.
        if *kind == Kind::Text {
            return Ok(if text.is_empty() {
                Value::Empty
            } else {
                Value::text(&text)
            });
        }
        let reader = Reader::new(
            *kind,
            match kind {
                // A size without a unit is in bytes, whatever the output is in.
                Kind::Bytes | Kind::Timestamp => None,
                Kind::Duration
                | Kind::Text
                | Kind::Integer
                | Kind::Float
                | Kind::Bool
                | Kind::Version => unit.as_deref(),
            },
        );
        let number = |text: &str| match kind {
            Kind::Integer => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(Value::Float),
            Kind::Text
            | Kind::Float
            | Kind::Bool
            | Kind::Bytes
            | Kind::Duration
            | Kind::Timestamp
            | Kind::Version => None,
        };
        let read = reader.ok().and_then(|reader| reader.read(&text));
        read.or_else(|| number(&text)).ok_or_else(|| {
            let example = match kind {
                Kind::Text | Kind::Version => "text",
                Kind::Integer => "12",
                Kind::Float => "1.5",
                Kind::Bool => "true, false",
                Kind::Bytes => "10GB, 512KiB",
                Kind::Duration => "90s, 5m, 2d",
                Kind::Timestamp => "2026-11-25, 2026-11-25T08:00:00Z",
            };
            Wrong {
                at,
                what: format!(
                    "{name} is of kind {}, and {text:?} is not; write {example}",
                    kind.word()
                ),
            }
        })
    }

    fn text(&mut self) -> Result<String, Wrong> {
        match self.words.get(self.next) {
            Some((_, Word::Bare(text) | Word::Quoted(text))) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            Some((_, Word::Sign(_))) | None => {
                Err(self.wrong("something to compare with is missing here"))
            }
        }
    }

    fn sign(&self) -> Option<&'static str> {
        match self.words.get(self.next) {
            Some((_, Word::Sign(sign))) => Some(sign),
            Some((_, Word::Bare(_) | Word::Quoted(_))) | None => None,
        }
    }

    fn skip(&mut self, keyword: &str, sign: &str) -> bool {
        let found = self
            .words
            .get(self.next)
            .is_some_and(|(_, word)| is(word, keyword, sign));
        self.next += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip(keyword, "")
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        self.skip("", sign)
    }

    /// Where the next word stands.
    fn place(&self) -> usize {
        self.words.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn wrong(&self, what: &str) -> Wrong {
        Wrong {
            at: self.place(),
            what: what.to_string(),
        }
    }
}

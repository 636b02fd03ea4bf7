//! From text to operands and operators. Nothing is looked up and nothing is expanded here.
//!
//! ```text
//! expression = pattern { blank pattern }                 the union of the patterns
//! pattern    = operand { operator operand }              strictly left to right; blanks round an operator do not count
//! operator   = "," union | "!" minus | "&" and | "^" in exactly one
//! operand    = "-" standard input | "^" file name | "@" [ source ":" ] name | name
//! name       = { text | "[" range { "," range } "]" }    with "*" and "?" matched against the known hosts
//! range      = number | number "-" number [ "/" step ]
//! ```
//! A bracket that begins a host (after `user@` too) and holds a `:` is an IPv6 address, never a range: no range has a colon.
//! A `^` where an operand is due begins a file name; after an operand it is the operator, blanks before it or not.

mod expression;
mod ranges;

use std::ops::Range;

use expression::Term;
pub(super) use expression::{Expression, Operand, OperandKind, Pattern};

use super::error::{ErrorKind, TargetError};
use super::grid::{Grid, Op};
use super::hostname::{HostName, InvalidName};
use super::hostset::{Shape, split_name};
use super::index::Span;

/// Parses `text`; no single operand may name more than `limit` hosts.
pub(super) fn parse(text: &str, limit: usize) -> Result<Expression, TargetError> {
    let mut parser = Parser {
        text,
        pos: 0,
        limit,
    };
    let mut patterns = Vec::new();
    parser.skip_blanks();
    while parser.peek().is_some() {
        patterns.push(parser.pattern()?);
    }
    Ok(Expression { patterns })
}

/// More characters than any host name with user and port has, a number counting as one.
const MAX_SHAPE: usize = 600;

struct Parser<'a> {
    text: &'a str,
    pos: usize,
    limit: usize,
}

/// What an operand's text is made of.
enum Piece {
    Text(Range<usize>),
    /// What is between the brackets.
    Bracket(Range<usize>),
}

/// What is being named, which decides what characters may be in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Hosts,
    Groups,
}

fn operator(c: char) -> Option<Op> {
    match c {
        ',' => Some(Op::Union),
        '!' => Some(Op::Minus),
        '&' => Some(Op::And),
        '^' => Some(Op::Xor),
        _ => None,
    }
}

fn ends_operand(c: char) -> bool {
    c.is_whitespace() || operator(c).is_some()
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.pos..].chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.pos..];
        self.pos += rest.len() - rest.trim_start().len();
    }

    fn error(&self, at: Range<usize>, kind: ErrorKind) -> TargetError {
        TargetError {
            origin: None,
            text: self.text.to_owned(),
            at,
            kind,
            hint: None,
        }
    }

    fn hinted(&self, at: Range<usize>, kind: ErrorKind, hint: &str) -> TargetError {
        TargetError {
            hint: Some(hint.to_owned()),
            ..self.error(at, kind)
        }
    }

    /// One pattern and the blanks after it.
    fn pattern(&mut self) -> Result<Pattern, TargetError> {
        let mut op = Op::Union;
        let mut operands = Vec::new();
        loop {
            operands.push((op, self.operand()?));
            self.skip_blanks();
            let Some(next) = self.peek().and_then(|c| Some((c, operator(c)?))) else {
                return Ok(operands);
            };
            let at = self.pos;
            self.pos += 1;
            self.skip_blanks();
            if self.peek().is_none() {
                return Err(self.error(at..at + 1, ErrorKind::MissingOperand { operator: next.0 }));
            }
            op = next.1;
        }
    }

    /// The text up to the next operator or blank outside brackets.
    fn operand(&mut self) -> Result<Operand, TargetError> {
        let start = self.pos;
        let kind = match self.peek() {
            Some('^') => {
                let rest = &self.text[start + 1..];
                let len = rest.find(ends_operand).unwrap_or(rest.len());
                if len == 0 {
                    return Err(self.hinted(
                        start..start + 1,
                        ErrorKind::MissingFileName,
                        "as an operator \"^\" needs hosts on its left",
                    ));
                }
                self.pos += 1 + len;
                OperandKind::File(rest[..len].to_owned())
            }
            Some('-')
                if self.text[start + 1..]
                    .chars()
                    .next()
                    .is_none_or(ends_operand) =>
            {
                self.pos += 1;
                OperandKind::Stdin
            }
            Some('@') => self.groups()?,
            Some(c) if operator(c).is_some() => {
                let error = self.error(start..start + 1, ErrorKind::MissingOperand { operator: c });
                let hint = (c == '!').then(|| "begin with what to take, as in @*!web3".to_owned());
                return Err(TargetError { hint, ..error });
            }
            _ => self.hosts()?,
        };
        Ok(Operand {
            at: start..self.pos,
            kind,
        })
    }

    fn hosts(&mut self) -> Result<OperandKind, TargetError> {
        let start = self.pos;
        if let Some(address) = self.bracketed_address()? {
            return Ok(OperandKind::Hosts(address));
        }
        let pieces = self.pieces()?;
        let wild = self.check_characters(&pieces, Naming::Hosts)?;
        let term = self.term(&pieces, start)?;
        if wild {
            return Ok(OperandKind::Masks(term.expand()));
        }
        self.check_names(&term, start..self.pos)?;
        Ok(OperandKind::Hosts(term))
    }

    fn groups(&mut self) -> Result<OperandKind, TargetError> {
        let start = self.pos;
        self.pos += 1;
        let rest = &self.text[self.pos..];
        let head = rest
            .find(|c| ends_operand(c) || c == '[')
            .map_or(rest, |end| &rest[..end]);
        let source = head.split_once(':').map(|(source, _)| source);
        if let Some(source) = source {
            let named = Piece::Text(self.pos..self.pos + source.len());
            let wild = self.check_characters(&[named], Naming::Groups)?;
            if source.is_empty() || wild {
                return Err(self.error(start..self.pos + source.len() + 1, ErrorKind::InvalidGroup));
            }
            self.pos += source.len() + 1;
        }
        let name_start = self.pos;
        let pieces = self.pieces()?;
        if pieces.is_empty() {
            return Err(self.error(start..self.pos, ErrorKind::InvalidGroup));
        }
        self.check_characters(&pieces, Naming::Groups)?;
        let names = self.term(&pieces, name_start)?.expand();
        Ok(OperandKind::Groups {
            source: source.map(str::to_owned),
            names,
        })
    }

    /// `[2001:db8::1]` or `user@[fe80::1%eth0]:22`, if that is what stands here.
    fn bracketed_address(&mut self) -> Result<Option<Term>, TargetError> {
        let start = self.pos;
        let rest = &self.text[start..];
        // Only as far as this operand goes: a list of a million names is looked through once, not once for each.
        let open = rest.find(|c| ends_operand(c) || c == '[');
        let Some(open) = open.filter(|&open| rest[open..].starts_with('[')) else {
            return Ok(None);
        };
        let close = rest[open..]
            .find(']')
            .map_or(rest.len(), |close| open + close);
        let head = &rest[..open];
        let begins = head.is_empty() || head.ends_with('@');
        if !begins || !rest[open..close].contains(':') {
            return Ok(None);
        }
        if close == rest.len() {
            return Err(self.error(start + open..start + open + 1, ErrorKind::UnclosedBracket));
        }
        let len = close
            + rest[close..]
                .find(ends_operand)
                .unwrap_or(rest.len() - close);
        let at = start..start + len;
        let name = HostName::parse(&rest[..len])
            .map_err(|why| self.error(at.clone(), ErrorKind::InvalidName(why)))?;
        self.pos = at.end;
        let (mut shape, mut numbers) = (String::new(), Vec::new());
        split_name(name.as_str(), &mut shape, &mut numbers);
        let mut term = Term {
            shape: Shape::new(),
            axes: Vec::new(),
        };
        term.shape.push_text(&shape);
        term.axes.extend(
            numbers
                .into_iter()
                .map(|number| Grid::line(vec![Span::one(number)])),
        );
        Ok(Some(term))
    }

    /// Cuts the operand at its brackets; afterwards `pos` is at its end.
    fn pieces(&mut self) -> Result<Vec<Piece>, TargetError> {
        let mut pieces = Vec::new();
        loop {
            let start = self.pos;
            let rest = &self.text[start..];
            let len = rest
                .find(|c| ends_operand(c) || matches!(c, '[' | ']'))
                .unwrap_or(rest.len());
            if len > 0 {
                pieces.push(Piece::Text(start..start + len));
            }
            self.pos += len;
            match self.peek() {
                Some('[') => {}
                Some(bracket @ ']') => {
                    return Err(
                        self.error(self.pos..self.pos + 1, ErrorKind::StrayBracket { bracket })
                    );
                }
                _ => return Ok(pieces),
            }
            let inner = self.pos + 1;
            let stop = self.text[inner..].find(['[', ']']).map(|len| inner + len);
            match stop {
                Some(stop) if self.text[stop..].starts_with(']') => {
                    pieces.push(Piece::Bracket(inner..stop));
                    self.pos = stop + 1;
                }
                Some(stop) => {
                    return Err(
                        self.error(stop..stop + 1, ErrorKind::StrayBracket { bracket: '[' })
                    );
                }
                None => return Err(self.error(self.pos..self.pos + 1, ErrorKind::UnclosedBracket)),
            }
        }
    }

    /// Refuses what no name has, at the character; tells whether there are wildcards.
    fn check_characters(&self, pieces: &[Piece], naming: Naming) -> Result<bool, TargetError> {
        let marks = match naming {
            Naming::Hosts => "._-+@:%*?",
            Naming::Groups => "._-+*?",
        };
        let mut wild = false;
        for piece in pieces {
            let Piece::Text(range) = piece else { continue };
            for (i, c) in self.text[range.clone()].char_indices() {
                let at = range.start + i..range.start + i + c.len_utf8();
                if !c.is_ascii_alphanumeric() && !marks.contains(c) {
                    return Err(match naming {
                        Naming::Hosts => {
                            self.error(at, ErrorKind::InvalidName(InvalidName::BadCharacter(c)))
                        }
                        Naming::Groups => self.error(at, ErrorKind::InvalidGroup),
                    });
                }
                wild |= matches!(c, '*' | '?');
            }
        }
        Ok(wild)
    }

    /// Numbers are only checked where they matter, in ports and addresses; elsewhere one name speaks for all.
    fn check_names(&self, term: &Term, at: Range<usize>) -> Result<(), TargetError> {
        let error = |why| self.error(at.clone(), ErrorKind::InvalidName(why));
        if term.shape.contains_colon() {
            let copy = Term {
                shape: term.shape.clone(),
                axes: term.axes.clone(),
            };
            return copy
                .expand()
                .iter()
                .try_for_each(|name| HostName::parse(name.as_str()).map(drop).map_err(error));
        }
        // The last number of each axis is the longest.
        let mut name = String::new();
        term.shape.write_with(&mut name, |out, i| {
            if let Some(slab) = term.axes[i].slabs().last() {
                slab.span.last().write_to(out);
            }
        });
        HostName::parse(&name).map(drop).map_err(error)
    }

    /// Joins digits that touch a bracket with its numbers, and makes the other digits numbers of their own.
    fn term(&self, pieces: &[Piece], start: usize) -> Result<Term, TargetError> {
        let mut term = Term {
            shape: Shape::new(),
            axes: Vec::new(),
        };
        // Digits at the end of the text before a bracket.
        let mut lead = "";
        let mut after_bracket = false;
        for (i, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(range) => {
                    let mut text = &self.text[range.clone()];
                    if after_bracket {
                        text = text.trim_start_matches(|c: char| c.is_ascii_digit());
                    }
                    lead = "";
                    if matches!(pieces.get(i + 1), Some(Piece::Bracket(_))) {
                        let kept = text.trim_end_matches(|c: char| c.is_ascii_digit());
                        lead = &text[kept.len()..];
                        text = kept;
                        if after_bracket && kept.is_empty() {
                            return Err(
                                self.error(range.end..range.end + 1, ErrorKind::AdjacentBrackets)
                            );
                        }
                    }
                    let (mut shape, mut numbers) = (String::new(), Vec::new());
                    split_name(text, &mut shape, &mut numbers);
                    term.shape.push_text(&shape);
                    term.axes.extend(
                        numbers
                            .into_iter()
                            .map(|number| Grid::line(vec![Span::one(number)])),
                    );
                    after_bracket = false;
                }
                Piece::Bracket(range) => {
                    if after_bracket {
                        return Err(
                            self.error(range.start - 1..range.start, ErrorKind::AdjacentBrackets)
                        );
                    }
                    let tail = match pieces.get(i + 1) {
                        Some(Piece::Text(next)) => {
                            let text = &self.text[next.clone()];
                            &text[..text.len()
                                - text.trim_start_matches(|c: char| c.is_ascii_digit()).len()]
                        }
                        _ => "",
                    };
                    term.axes.push(self.ranges(range.clone(), lead, tail)?);
                    term.shape.push_slot();
                    lead = "";
                    after_bracket = true;
                }
            }
        }
        // Before anything recurses over the numbers of a name.
        if term.shape.len() > MAX_SHAPE {
            let kind = ErrorKind::InvalidName(InvalidName::TooLong);
            return Err(self.error(start..self.pos, kind));
        }
        let count = term.len();
        if count > self.limit as u64 {
            return Err(self.error(
                start..self.pos,
                ErrorKind::TooManyHosts {
                    count,
                    limit: self.limit,
                },
            ));
        }
        Ok(term)
    }
}

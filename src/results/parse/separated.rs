//! Fields with commas or tabs between them.

use std::borrow::Cow;

use super::{Rows, Unreadable, filled};
use crate::results::shape::Header;

/// Fields with tabs between them.  A line of one field is no row where a row has several.
pub(super) fn tsv(rows: &mut Rows<'_>, text: &str, header: Header) -> Result<(), Unreadable> {
    let mut lines = filled(text);
    let places = rows.header(header, &mut lines, |names| names.split('\t').collect())?;
    let several = rows.reading.columns.len() > 1;
    for (number, line) in lines {
        if several && !line.contains('\t') {
            rows.loose(number, line);
        } else if !rows.full() {
            match &places {
                None => rows.push_texts(fields(line)),
                Some(places) => {
                    let fields: Vec<&str> = fields(line).collect();
                    rows.push_texts(placed(places, &fields));
                }
            }
        }
    }
    Ok(())
}

/// The same as `split`, which looks for long texts.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        if let Some(at) = line.bytes().position(|byte| byte == b'\t') {
            rest = Some(&line[at + 1..]);
            Some(&line[..at])
        } else {
            rest.take()
        }
    })
}

/// The fields in the order of the columns.
fn placed<'t>(places: &[Option<usize>], fields: &[&'t str]) -> impl Iterator<Item = &'t str> {
    let field = |place: &Option<usize>| {
        place
            .and_then(|place| fields.get(place).copied())
            .unwrap_or("")
    };
    places.iter().map(field).collect::<Vec<_>>().into_iter()
}

/// Comma-separated values as RFC 4180 has them: a field in quotes may hold commas, newlines, and quotes as two of them.
pub(super) fn csv(rows: &mut Rows<'_>, text: &str, header: Header) -> Result<(), Unreadable> {
    let mut records = Records {
        rest: text,
        line: 1,
    };
    let mut places = None;
    match header {
        Header::None => {}
        Header::Skip => _ = records.next(),
        Header::Names => match records.next() {
            Some(Record { fields, .. }) => {
                let names: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
                places = Some(rows.found_in(&names)?);
            }
            None => return Ok(()),
        },
    }
    let several = rows.reading.columns.len() > 1;
    for record in records {
        let fields: Vec<&str> = record.fields.iter().map(AsRef::as_ref).collect();
        if record.open || several && fields.len() < 2 {
            rows.loose(record.line, record.text);
        } else if !rows.full() {
            match &places {
                None => rows.push_texts(fields.into_iter()),
                Some(places) => rows.push_texts(placed(places, &fields)),
            }
        }
    }
    Ok(())
}

struct Records<'a> {
    rest: &'a str,
    /// Counted from 1.
    line: usize,
}

struct Record<'a> {
    line: usize,
    text: &'a str,
    fields: Vec<Cow<'a, str>>,
    /// Whether a quote was never closed; the record then is the one line.
    open: bool,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let first = self.rest.split('\n').next().unwrap_or("");
            let read = record(self.rest);
            let open = read.is_none();
            let (fields, length) = read.unwrap_or_else(|| {
                (
                    vec![Cow::Borrowed(first)],
                    (first.len() + 1).min(self.rest.len()),
                )
            });
            let (text, rest) = self.rest.split_at(length);
            self.line += text.bytes().filter(|byte| *byte == b'\n').count();
            self.rest = rest;
            let text = text.trim_end_matches(['\n', '\r']);
            if !text.trim().is_empty() {
                return Some(Record {
                    line,
                    text,
                    fields,
                    open,
                });
            }
        }
    }
}

/// The fields of the first record and its length with its newline; `None` if a quote is not closed.
fn record(text: &str) -> Option<(Vec<Cow<'_, str>>, usize)> {
    let bytes = text.as_bytes();
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        if bytes.get(at) == Some(&b'"') {
            let mut field = Cow::Borrowed("");
            at += 1;
            loop {
                let end = at + text[at..].find('"')?;
                field += &text[at..end];
                at = end + 1;
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                field += "\"";
                at += 1;
            }
            // What stands between a closing quote and the comma belongs to the field, as elsewhere.
            let end = at + text[at..].find([',', '\n']).unwrap_or(text.len() - at);
            field += text[at..end].trim_end_matches('\r');
            fields.push(field);
            at = end;
        } else {
            let end = at + text[at..].find([',', '\n']).unwrap_or(text.len() - at);
            fields.push(Cow::Borrowed(text[at..end].trim_end_matches('\r')));
            at = end;
        }
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(_) => return Some((fields, at + 1)),
            None => return Some((fields, at)),
        }
    }
}

//! Lines: words in columns, fields of fixed widths, a pattern's groups, or nothing in particular.

use super::{Rows, Unreadable, filled};
use crate::results::shape::Header;

/// Words with spaces between them.  The last column takes the rest of its line; a line with fewer words than columns is
/// no row.
pub(super) fn words(rows: &mut Rows<'_>, text: &str, header: Header) -> Result<(), Unreadable> {
    let mut lines = filled(text);
    let count = rows.reading.columns.len();
    let places = rows.header(header, &mut lines, |names| {
        names.split_ascii_whitespace().collect()
    })?;
    let wanted = match &places {
        None => count,
        Some(places) => places.iter().flatten().max().map_or(0, |last| last + 1),
    };
    let mut fields: Vec<&str> = Vec::with_capacity(wanted);
    for (number, line) in lines {
        fields.clear();
        split(line, wanted, &mut fields);
        if fields.len() < wanted {
            rows.loose(number, line);
        } else if !rows.full() {
            match &places {
                None => rows.push_texts(fields.iter().copied()),
                Some(places) => {
                    let field = |place: &Option<usize>| place.map_or("", |place| fields[place]);
                    rows.push_texts(places.iter().map(field));
                }
            }
        }
    }
    Ok(())
}

/// At most so many words; the last one is the rest of the line.
fn split<'t>(line: &'t str, most: usize, into: &mut Vec<&'t str>) {
    let bytes = line.as_bytes();
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let mut at = 0;
    while into.len() < most {
        let Some(start) = bytes[at..].iter().position(|byte| !blank(byte)) else {
            return;
        };
        let start = at + start;
        if into.len() + 1 == most {
            into.push(line[start..].trim_ascii_end());
            return;
        }
        at = bytes[start..]
            .iter()
            .position(blank)
            .map_or(bytes.len(), |end| start + end);
        into.push(&line[start..at]);
    }
}

/// Fields of so many characters each; the last one takes the rest.
pub(super) fn widths(
    rows: &mut Rows<'_>,
    text: &str,
    header: Header,
    widths: &[usize],
) -> Result<(), Unreadable> {
    let mut lines = filled(text);
    let places = rows.header(header, &mut lines, |names| sliced(names, widths))?;
    for (_, line) in lines {
        if rows.full() {
            continue;
        }
        let fields = sliced(line, widths);
        match &places {
            None => rows.push_texts(fields.into_iter()),
            Some(places) => {
                let field =
                    |place: &Option<usize>| place.and_then(|place| fields.get(place).copied());
                rows.push_texts(places.iter().map(|place| field(place).unwrap_or("")));
            }
        }
    }
    Ok(())
}

fn sliced<'t>(line: &'t str, widths: &[usize]) -> Vec<&'t str> {
    let mut rest = line;
    let mut fields = Vec::with_capacity(widths.len() + 1);
    for width in widths {
        let end = rest
            .char_indices()
            .nth(*width)
            .map_or(rest.len(), |(at, _)| at);
        let (field, after) = rest.split_at(end);
        fields.push(field);
        rest = after;
    }
    fields.push(rest);
    fields
}

/// Lines in which the pattern matches; its named groups are the columns.
pub(super) fn matching(rows: &mut Rows<'_>, text: &str) {
    let reading = rows.reading;
    let Some(pattern) = &reading.pattern else {
        return;
    };
    for (number, line) in filled(text) {
        match pattern.captures(line) {
            None => rows.loose(number, line),
            Some(_) if rows.full() => {}
            Some(groups) => {
                let group = |name: &str| groups.name(name).map_or("", |found| found.as_str());
                rows.push_texts(reading.columns.iter().map(|column| group(column.source())));
            }
        }
    }
}

/// A row a line.
pub(super) fn lines(rows: &mut Rows<'_>, text: &str) {
    for line in text.lines() {
        if !rows.full() {
            rows.push_line(line);
        }
    }
}

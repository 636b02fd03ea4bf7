//! A store that answers what a view wants, as the engine does, from rows it has all of.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::core::output::{Count, Stream};
use crate::tui::output::document::{Child, Ending};
use crate::tui::output::pattern::Pattern;
use crate::tui::output::{OutputView, Want};
use crate::wire::look::{
    Case, Found, Look, Place, Point, Row, RowEnd, RowKind, Rows, Search, Seen,
};

/// Everything some children wrote.
#[derive(Default)]
pub(crate) struct Store {
    children: BTreeMap<u64, Output>,
    /// Rows in one answer at most.
    pub(crate) most: Option<usize>,
    /// Requests answered so far.
    pub(crate) answered: usize,
}

#[derive(Default)]
struct Output {
    rows: Vec<Row>,
    end: Point,
    dropped: Count,
}

impl Store {
    /// One child with this text.
    pub(crate) fn of(text: &str) -> Self {
        let mut store = Self::default();
        store.write(1, Stream::Out, text);
        store
    }

    pub(crate) fn write(&mut self, child: u64, stream: Stream, text: &str) {
        self.write_bytes(child, stream, text.as_bytes());
    }

    /// This text and nothing else.
    pub(crate) fn rewrite(&mut self, child: u64, text: &str) {
        self.children.remove(&child);
        self.write(child, Stream::Out, text);
    }

    pub(crate) fn write_bytes(&mut self, child: u64, stream: Stream, text: &[u8]) {
        let output = self.children.entry(child).or_default();
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            let (data, ends) = match piece.strip_suffix(b"\n") {
                Some(data) => (data, RowEnd::Newline),
                None => (piece, RowEnd::Open),
            };
            let goes_on = output
                .rows
                .last_mut()
                .and_then(|last| match &mut last.what {
                    RowKind::Text {
                        stream: of,
                        data,
                        ends,
                    } if *of == stream && *ends == RowEnd::Open => Some((data, ends)),
                    RowKind::Text { .. } | RowKind::Cut(_) => None,
                });
            match goes_on {
                Some((old, old_ends)) => {
                    *old = Bytes::from([old.as_ref(), data].concat());
                    *old_ends = ends;
                }
                None => output.rows.push(Row {
                    child,
                    at: output.end,
                    time: Some(1_700_000_000_000 + 1000 * output.end.line as i64),
                    what: RowKind::Text {
                        stream,
                        data: Bytes::copy_from_slice(data),
                        ends,
                    },
                }),
            }
            output.end.offset += piece.len() as u64;
            output.end.line += u64::from(ends == RowEnd::Newline);
        }
    }

    pub(crate) fn cut(&mut self, child: u64, count: Count) {
        let output = self.children.entry(child).or_default();
        output.rows.push(Row {
            child,
            at: output.end,
            time: None,
            what: RowKind::Cut(count),
        });
        output.end.offset += count.bytes;
        output.end.line += count.lines;
        output.dropped += count;
    }

    pub(crate) fn end(&self, child: u64) -> Point {
        self.children
            .get(&child)
            .map_or(Point::default(), |output| output.end)
    }

    pub(crate) fn child(&self, id: u64, ending: Option<&str>) -> Child {
        Child {
            id,
            host: format!("web{id:02}"),
            began: Some(1_700_000_000_000),
            end: self.end(id),
            ending: ending.map(|what| Ending {
                what: what.to_string(),
                at: Some(1_700_000_060_000),
            }),
        }
    }

    /// Tells the view how far each child goes by now.
    pub(crate) fn tell(&self, view: &mut OutputView) {
        for (child, output) in &self.children {
            view.grew(*child, output.end);
        }
    }

    /// Answers everything the view wants.
    pub(crate) fn serve(&mut self, view: &mut OutputView) {
        for _ in 0..20_000 {
            let Some(want) = view.wants() else { return };
            self.answered += 1;
            match want {
                Want::Look(look) => {
                    let seen = self.look(look);
                    view.seen(seen);
                }
                Want::Search(search) => {
                    let found = self.search(&search);
                    view.found(found);
                }
                Want::Rows(rows) => {
                    let rows = self.rows(&rows);
                    view.rows(rows);
                }
            }
        }
        panic!("the view is never content");
    }

    pub(crate) fn look(&self, look: Look) -> Seen {
        let output = &self.children[&look.child];
        let at = match look.at {
            Place::Offset(offset) => offset.min(output.end.offset),
            Place::End => output.end.offset,
        };
        let from = at.saturating_sub(u64::from(look.before));
        let to = (at + u64::from(look.behind)).max(from + 1);
        let ends = |index: usize| {
            output
                .rows
                .get(index + 1)
                .map_or(output.end, |next| next.at)
        };
        let rows = output.rows.iter().enumerate();
        let within = rows.filter(|(index, row)| ends(*index).offset > from && row.at.offset < to);
        let indexes: Vec<usize> = within.map(|(index, _)| index).collect();
        let indexes = match self.most {
            Some(most) if look.behind > 0 => &indexes[..most.min(indexes.len())],
            Some(most) => &indexes[indexes.len().saturating_sub(most)..],
            None => &indexes[..],
        };
        Seen {
            child: look.child,
            rows: indexes
                .iter()
                .map(|index| output.rows[*index].clone())
                .collect(),
            to: indexes.last().map_or(output.end, |last| ends(*last)),
            end: output.end,
            dropped: output.dropped,
        }
    }

    pub(crate) fn search(&self, search: &Search) -> Found {
        let typed = match search.case {
            Case::Ignored => search.pattern.to_lowercase(),
            Case::Matters => search.pattern.clone(),
        };
        let pattern = Pattern::new(&typed).expect("a pattern that was one before");
        let mut found = Found {
            hits: vec![],
            searched: vec![],
            last: true,
            limited: false,
        };
        for (child, from) in &search.children {
            let Some(output) = self.children.get(child) else {
                continue;
            };
            for row in output.rows.iter().filter(|row| row.at.offset >= *from) {
                let RowKind::Text { data, .. } = &row.what else {
                    continue;
                };
                if pattern.matches(data) {
                    if found.hits.len() == search.limit as usize {
                        found.limited = true;
                        found.searched.push((*child, row.at));
                        return found;
                    }
                    found.hits.push((*child, row.at));
                }
            }
            // A row that may grow is to be searched again.
            let open = output.rows.last().filter(
                |row| matches!(&row.what, RowKind::Text { ends, .. } if *ends == RowEnd::Open),
            );
            found
                .searched
                .push((*child, open.map_or(output.end, |row| row.at)));
        }
        found
    }

    pub(crate) fn rows(&self, rows: &Rows) -> Vec<Row> {
        let rows = rows.rows.iter();
        let row = |(child, offset): &(u64, u64)| {
            let output = self.children.get(child)?;
            output
                .rows
                .iter()
                .find(|row| row.at.offset == *offset)
                .cloned()
        };
        rows.filter_map(row).collect()
    }
}

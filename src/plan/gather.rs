//! From stored output to rows, host by host, and what has to be said of hosts that gave none or not all.
//!
//! Whoever talks to the engine gives the replies of a receive to [`Gathering`], and does what it says; or looks, and gives
//! the rows of output to [`Written`].

use std::collections::BTreeMap;

use super::error::PlanError;
use crate::core::output::{Stream, Streams};
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::state::State;
use crate::results::open::MOST_COLUMNS;
use crate::results::parse::Row;
use crate::results::shape::GIVEN;
use crate::results::{Reading, Shape, Value};
use crate::view::count::{Noun, counted};
use crate::view::end::ended;
use crate::view::span;
use crate::view::text::cut;
use crate::wire::look::{RowEnd, RowKind};
use crate::wire::reply::ChildView;
use crate::wire::request::{Purpose, Receive, ReceiveUntil};
use crate::wire::{Reply, Request};

/// As much of standard error as tells why a host failed.
const WORDS: usize = 200;

/// As much of a line that is no row.
const LOOSE: usize = 80;

/// How the output of one job is read.
#[derive(Debug)]
pub struct Source {
    pub shape: Shape,
    reading: Reading,
}

/// How the output of each of these jobs is read, as it was kept with them; by the line where the query said nothing.
pub fn sources(shapes: Vec<(u64, Option<String>)>) -> Result<BTreeMap<u64, Source>, PlanError> {
    let source = |(job, written): (u64, Option<String>)| {
        let stale = |why: &str| {
            let message = format!("the rows of job {job} cannot be read by this version: {why}");
            PlanError::failed(message).or(format!(
                "`regatta receive --all {job}` hands over its output"
            ))
        };
        let shape = match written {
            Some(written) => {
                Shape::kept(&written).ok_or_else(|| stale("its query has an unknown form"))?
            }
            None => Shape::lines(),
        };
        let reading = Reading::new(&shape).map_err(|error| stale(&error))?;
        Ok((job, Source { shape, reading }))
    };
    shapes.into_iter().map(source).collect()
}

/// What the rows of all these jobs are, which one table can show only if that is the same; `None` without jobs.
pub fn shape_of(sources: &BTreeMap<u64, Source>) -> Result<Option<&Shape>, PlanError> {
    let mut others = sources.iter();
    let Some((first, source)) = others.next() else {
        return Ok(None);
    };
    let shape = &source.shape;
    if let Some((other, differs)) = others.find(|(_, other)| other.shape.query != shape.query) {
        let message = format!(
            "job {first} asked {}, and job {other} {}: their rows have other columns",
            shape.query, differs.shape.query
        );
        return Err(PlanError::usage(message).or("name jobs of one query, or ask `regatta sql`"));
    }
    let differs = |(_, other): &(&u64, &Source)| other.shape.columns != shape.columns;
    if let Some((other, _)) = sources.iter().find(differs) {
        let message = format!(
            "the columns of {} have changed between job {first} and job {other}",
            shape.query
        );
        return Err(PlanError::usage(message).or("name one of them, or ask `regatta sql`"));
    }
    Ok(Some(shape))
}

/// The columns people are shown where none were chosen: the host, the job where there are several, and the query's own.
pub fn usual_columns(shape: &Shape, jobs: usize) -> Vec<String> {
    let [(host, _), (job, _), _] = GIVEN;
    let given: &[&str] = if jobs > 1 { &[job, host] } else { &[host] };
    let own = shape.columns.iter().map(|column| column.name.as_str());
    let names = given.iter().copied().chain(own);
    names.map(str::to_string).collect()
}

/// What is said of fields for which there is no column.
pub fn left_out(fields: usize) -> String {
    format!(
        "there are columns for the first {MOST_COLUMNS} keys only: {} left out",
        counted(fields, Noun::Field)
    )
}

/// All output of what is selected, from its beginning.  Nothing is received.
pub fn request(select: Vec<Selector>) -> Request {
    Request::Receive(Receive {
        select,
        hosts: None,
        streams: Streams::Both,
        mode: Mode::All,
        until: ReceiveUntil::Now,
        purpose: Purpose::Rows,
    })
}

/// What one child wrote.
#[derive(Debug, Default)]
pub struct Written {
    out: Vec<u8>,
    err: Vec<u8>,
    cut: u64,
}

impl Written {
    /// Takes the next row of what is looked at: rows are all there is, in order.
    pub fn look(&mut self, row: &RowKind) {
        match row {
            RowKind::Text { stream, data, ends } => {
                self.put(*stream, data);
                match ends {
                    RowEnd::Newline => self.put(*stream, b"\n"),
                    RowEnd::Open => {}
                }
            }
            RowKind::Cut(count) => self.cut += count.bytes,
        }
    }

    fn put(&mut self, stream: Stream, data: &[u8]) {
        match stream {
            Stream::Out => self.out.extend_from_slice(data),
            Stream::Err => {
                let room = WORDS.saturating_sub(self.err.len());
                self.err.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
    }

    /// Bytes that are kept of it.
    pub fn bytes(&self) -> usize {
        self.out.len() + self.err.len()
    }
}

/// Puts together what a receive hands over, child by child.
#[derive(Debug, Default)]
pub struct Gathering {
    at: Option<u64>,
    written: Written,
}

/// What is to be done after a reply.
#[derive(Debug)]
pub enum Next {
    Read,
    /// What came so far is to be acknowledged.
    Ack,
    /// That was all; and what could not be read, and why.
    Over(Vec<String>),
}

impl Gathering {
    /// Takes a reply; `whole` is given each child that has handed over everything.  An error is a reply out of turn.
    pub fn take(
        &mut self,
        reply: Reply,
        mut whole: impl FnMut(u64, Written),
    ) -> Result<Next, Box<Reply>> {
        let (child, piece) = match reply {
            Reply::Output {
                child,
                stream,
                data,
                ..
            } => (child, Ok((stream, data))),
            Reply::Cut { child, dropped, .. } => (child, Err(dropped.bytes)),
            Reply::End(_) => return Ok(Next::Read),
            Reply::Checkpoint => return Ok(Next::Ack),
            Reply::Received {
                unreadable, busy, ..
            } => {
                if let Some(last) = self.at.take() {
                    whole(last, std::mem::take(&mut self.written));
                }
                return Ok(Next::Over(unreadable.into_iter().chain(busy).collect()));
            }
            reply => return Err(Box::new(reply)),
        };
        if let Some(before) = self.at.replace(child).filter(|before| *before != child) {
            whole(before, std::mem::take(&mut self.written));
        }
        match piece {
            Ok((stream, data)) => self.written.put(stream, &data),
            Err(bytes) => self.written.cut += bytes,
        }
        Ok(Next::Read)
    }
}

/// What a child gave.
#[derive(Debug)]
pub struct Harvest {
    pub rows: Vec<Row>,
    /// What was not as it should be.
    pub said: Vec<String>,
    pub gave: Gave,
}

/// How much of its rows a child gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gave {
    All,
    /// None, or not all.
    NotAll,
}

impl Source {
    /// The rows of one child, and what has to be said of them.
    pub fn harvest(&self, child: &ChildView, written: &Written) -> Harvest {
        let completed = child.state == State::Completed;
        let mut said = Vec::new();
        if !completed {
            let words = String::from_utf8_lossy(&written.err);
            let line = ended(child);
            said.push(match words.lines().find(|line| !line.trim().is_empty()) {
                Some(words) => format!("{line}: {words}"),
                None => line,
            });
        }
        if written.cut > 0 {
            let cut = span::bytes(written.cut);
            said.push(format!(
                "{cut} of its output were cut out, and their rows with them"
            ));
        }
        let given = [
            Value::text(&child.host),
            Value::Integer(child.job as i64),
            child
                .ended
                .or(child.began)
                .map_or(Value::Empty, Value::Timestamp),
        ];
        let nothing = |said| Harvest {
            rows: Vec::new(),
            said,
            gave: Gave::NotAll,
        };
        // A host that failed before it wrote anything has said enough.
        if !completed && written.out.is_empty() {
            return nothing(said);
        }
        match self.reading.parse(&written.out, &given) {
            Ok(parsed) => {
                if !parsed.flaws.is_none() {
                    let first = parsed.loose.first().map_or_else(String::new, |loose| {
                        let text = cut(&loose.text, LOOSE);
                        format!("; the first is line {}: {text}", loose.line)
                    });
                    said.push(format!("{}{first}", parsed.flaws));
                }
                let all = completed && written.cut == 0 && parsed.flaws.beyond == 0;
                Harvest {
                    rows: parsed.rows,
                    said,
                    gave: if all { Gave::All } else { Gave::NotAll },
                }
            }
            Err(unreadable) => {
                let query = &self.shape.query;
                said.push(format!(
                    "its output cannot be read as {query}: {unreadable}"
                ));
                nothing(said)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::core::output::Count;
    use crate::results::{Also, Column, Kind, Parser};

    fn output(child: u64, stream: Stream, text: &str) -> Reply {
        Reply::Output {
            job: 7,
            child,
            host: "web".to_string(),
            stream,
            data: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[test]
    fn what_a_child_wrote_is_put_together_over_all_its_pieces() {
        let cut = Reply::Cut {
            job: 7,
            child: 9,
            host: "web".to_string(),
            dropped: Count { bytes: 5, lines: 1 },
        };
        let replies = [
            output(8, Stream::Out, "a"),
            output(8, Stream::Err, "why"),
            output(8, Stream::Out, "b\n"),
            Reply::Checkpoint,
            output(9, Stream::Out, "c\n"),
            cut,
        ];
        let (mut gathering, mut whole, mut acks) = (Gathering::default(), Vec::new(), 0);
        for reply in replies {
            let next = gathering.take(reply, |child, written| whole.push((child, written)));
            acks += usize::from(matches!(next.expect("in turn"), Next::Ack));
        }
        assert_eq!((whole.len(), acks), (1, 1), "the second may go on");
        let over = Reply::Received {
            matched: 2,
            unknown: Vec::new(),
            busy: Vec::new(),
            unreadable: vec!["7.web03: no".to_string()],
            jobs: Vec::new(),
        };
        let next = gathering.take(over, |child, written| whole.push((child, written)));
        assert!(matches!(next, Ok(Next::Over(why)) if why == ["7.web03: no"]));
        let told: Vec<_> = whole
            .iter()
            .map(|(child, written)| (*child, written.out.as_slice(), written.cut))
            .collect();
        assert_eq!(
            told,
            [(8, b"ab\n".as_slice(), 0), (9, b"c\n".as_slice(), 5)]
        );
        assert!(gathering.take(Reply::ShuttingDown, |_, _| {}).is_err());
    }

    #[test]
    fn what_is_looked_at_is_what_was_written() {
        let text = |stream, data: &'static str, ends| RowKind::Text {
            stream,
            data: Bytes::from_static(data.as_bytes()),
            ends,
        };
        // A line that the other stream came into is one line; so is one that is longer than a row.
        let rows = [
            text(Stream::Out, "be", RowEnd::Open),
            text(Stream::Err, "oops", RowEnd::Newline),
            text(Stream::Out, "gun", RowEnd::Newline),
            RowKind::Cut(Count { bytes: 7, lines: 1 }),
            text(Stream::Out, "", RowEnd::Newline),
            text(Stream::Out, "end", RowEnd::Open),
        ];
        let mut written = Written::default();
        for row in &rows {
            written.look(row);
        }
        assert_eq!(written.out, b"begun\n\nend");
        assert_eq!((written.err.as_slice(), written.cut), (&b"oops\n"[..], 7));
        let long = "x".repeat(3 * WORDS);
        written.put(Stream::Err, long.as_bytes());
        assert_eq!(written.bytes(), 10 + WORDS);
    }

    #[test]
    fn one_table_shows_jobs_of_one_query_with_the_same_columns() {
        let shape = |query: &str, column: &str| {
            let shape = Shape {
                query: query.to_string(),
                parser: Parser::Lines,
                columns: vec![Column::new(column, Kind::Text)],
                key: Vec::new(),
                also: Also::Nothing,
            };
            Some(shape.written())
        };
        let said = |shapes: Vec<(u64, Option<String>)>| {
            let sources = sources(shapes).expect("shapes of this version");
            match shape_of(&sources) {
                Ok(shape) => shape.map(|shape| shape.query.clone()).unwrap_or_default(),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(said(vec![]), "");
        assert_eq!(said(vec![(7, None), (9, None)]), "lines");
        assert_eq!(
            said(vec![(7, shape("os", "a")), (9, shape("disks", "a"))]),
            "job 7 asked os, and job 9 disks: their rows have other columns"
        );
        assert_eq!(
            said(vec![(7, shape("os", "a")), (9, shape("os", "b"))]),
            "the columns of os have changed between job 7 and job 9"
        );
    }
}
